#!/bin/sh
# The whole test suite, from a fresh machine to CTest's summary.  usage: sh tests/run.sh [plain|clang|address|thread]…
# plain: gcc, every test; clang: the same sources, warnings are errors; address: every test under
# AddressSanitizer and UndefinedBehaviorSanitizer; thread: the tests of threads under ThreadSanitizer.
set -eu
cd "$(dirname "$0")/.."
sh app/install.sh tests
jobs=$(nproc)
build() { # folder, targets, cmake options…
    folder=$1 targets=$2
    shift 2
    cmake -S . -B "$folder" -G Ninja "$@" >/dev/null
    # shellcheck disable=SC2086
    cmake --build "$folder" -j "$jobs" --target $targets
}
check() { # folder, ctest options…
    folder=$1
    shift
    ctest --test-dir "$folder" -j "$jobs" --output-on-failure --no-tests=error "$@"
}
threaded='ring recorder session console fit triggers usb_rig'

[ $# -gt 0 ] || set -- clang thread address plain
for suite; do
    echo "== $suite"
    case $suite in
    plain)
        build build all
        check build
        ;;
    clang)
        build build-clang all -DCMAKE_C_COMPILER=clang
        ;;
    address)
        build build-address all -DRETRACE_SANITIZE=address,undefined -DCMAKE_BUILD_TYPE=RelWithDebInfo
        UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 check build-address
        ;;
    thread)
        build build-thread "retrace $(printf 'test_%s ' $threaded)" -DRETRACE_SANITIZE=thread -DCMAKE_BUILD_TYPE=RelWithDebInfo
        TSAN_OPTIONS=halt_on_error=1 check build-thread -R "test_($(echo $threaded | tr ' ' '|'))\$"
        ;;
    *)
        echo "run.sh: there is no suite '$suite'; allowed: plain, clang, address, thread" >&2
        exit 2
        ;;
    esac
done
