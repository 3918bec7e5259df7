#!/bin/sh
# Builds Retrace and shows it: on your screen, or, where there is none, for 20 s on a virtual one, leaving a
# picture of what was shown and the run folder.  usage: sh app/quickstart.sh [options of `retrace demo`]
set -eu
cd "$(dirname "$0")/.."
sh app/install.sh
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build build --target retrace
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec build/retrace demo "$@"
fi
run=out/quickstart-$(date -u +%Y%m%d-%H%M%S)
mkdir -p out
ready=$(mktemp)
Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp -noreset 3>"$ready" 2>/dev/null &
server=$!
trap 'kill $server 2>/dev/null; rm -f "$ready"' EXIT INT TERM
tries=0
until [ "$(wc -l <"$ready")" -gt 0 ]; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then
        echo 'quickstart: the virtual screen (Xvfb) did not start within 10 s' >&2
        exit 3
    fi
    sleep 0.1
done
DISPLAY=:$(cat "$ready")
export DISPLAY
echo "no screen here: playing 20 s on a virtual one ($DISPLAY)"
build/retrace demo --seconds 20 --out "$run" --snapshot "$run/window.png" "$@"
echo "what was shown:  $run/window.png"
echo "the run folder:  $run"
