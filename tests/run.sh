#!/bin/sh
# The whole test suite, from a fresh machine to CTest's summary.  usage: sh tests/run.sh [plain|clang|address|thread]…
# plain: gcc, every test; clang: the same sources, warnings are errors; address: every test under
# AddressSanitizer and UndefinedBehaviorSanitizer; thread: the tests of threads under ThreadSanitizer.
set -eu
cd "$(dirname "$0")/.."
sh app/install.sh tests
jobs=$(nproc)
build() { # folder, cmake options…
    folder=$1
    shift
    cmake -S . -B "$folder" -G Ninja "$@" >/dev/null
    cmake --build "$folder" -j "$jobs"
}
check() { # folder, ctest options…
    folder=$1
    shift
    ctest --test-dir "$folder" --output-on-failure --no-tests=error "$@"
}
[ $# -gt 0 ] || set -- clang thread address plain
for suite; do
    echo "== $suite"
    case $suite in
    plain)
        build build
        check build
        ;;
    clang)
        build build-clang -DCMAKE_C_COMPILER=clang
        ;;
    address)
        build build-address -DRETRACE_SANITIZE=address,undefined -DCMAKE_BUILD_TYPE=RelWithDebInfo
        UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 check build-address
        ;;
    thread)
        build build-thread -DRETRACE_SANITIZE=thread -DCMAKE_BUILD_TYPE=RelWithDebInfo
        TSAN_OPTIONS=halt_on_error=1 check build-thread -R 'test_(ring|recorder|session|console|fit|triggers|usb_rig|usb_session)$'
        ;;
    *)
        echo "run.sh: there is no suite '$suite'; allowed: plain, clang, address, thread" >&2
        exit 2
        ;;
    esac
done
