#!/bin/sh
# The parsers of every byte format that comes from outside the program, fuzzed for long, under the sanitizers.
# usage: tests/fuzz.sh [ROUNDS [SEED]]   (10 million, and the time of day)
# Those that read files, of which each round writes one, run a hundredth of the rounds.
set -eu
cd "$(dirname "$0")/.."
build=build-address
[ -f $build/build.ninja ] || cmake -S . -B $build -G Ninja \
    -DRETRACE_SANITIZE=address,undefined -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
bytes='test_cdc_packet test_labjack_packet test_ftdi_packet test_rig_spec test_array_npy'
files='test_array_text test_frames test_schedule test_rig_heard'
# shellcheck disable=SC2086
cmake --build $build --target $bytes $files
rounds="${1:-10000000}"
export RETRACE_FUZZ_SEED="${2:-$(date +%s)}"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
fuzz() { # rounds, tests…
    export RETRACE_FUZZ_ROUNDS="$1"
    shift
    for test; do
        echo "== $test: $RETRACE_FUZZ_ROUNDS rounds from seed $RETRACE_FUZZ_SEED"
        $build/"$test"
    done
}
# shellcheck disable=SC2086
fuzz "$rounds" $bytes
# shellcheck disable=SC2086
fuzz "$(((rounds + 99) / 100))" $files
