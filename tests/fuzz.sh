#!/bin/sh
# The parsers of every byte format that comes from outside the program, fuzzed for long, under the sanitizers.
# usage: tests/fuzz.sh [ROUNDS [SEED]]   (10 million, and the time of day)
set -eu
cd "$(dirname "$0")/.."
build=build-address
[ -f $build/build.ninja ] || cmake -S . -B $build -G Ninja \
    -DRETRACE_SANITIZE=address,undefined -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
tests='test_cdc_packet test_labjack_packet test_ftdi_packet test_rig_spec'
# shellcheck disable=SC2086
cmake --build $build --target $tests
export RETRACE_FUZZ_ROUNDS="${1:-10000000}" RETRACE_FUZZ_SEED="${2:-$(date +%s)}"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
for test in $tests; do
    echo "== $test: $RETRACE_FUZZ_ROUNDS rounds from seed $RETRACE_FUZZ_SEED"
    $build/$test
done
