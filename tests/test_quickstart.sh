#!/bin/sh
# The README's first command, without a screen: leaves a picture of the window and a whole run of 20 s.
case $RETRACE in
*/build/retrace) ;;
*) echo 'skipped: quickstart builds and runs build/retrace, and this is another build'; exit 77 ;;
esac
[ -e model/weights/mixed-cnn.h5 ] || { echo 'model/weights/mixed-cnn.h5 is missing'; exit 1; }
folder=$(mktemp -d) || exit 1
fail() {
    echo "$1"
    cat "$folder/said"
    exit 1
}
unset DISPLAY WAYLAND_DISPLAY
sh app/quickstart.sh --out "$folder/run" --snapshot "$folder/window.png" >"$folder/said" 2>&1 ||
    fail 'quickstart failed'
grep -q '"end": "complete"' "$folder/run/summary.json" || fail 'the run is not complete'
grep -q '"planned": 1200' "$folder/run/summary.json" || fail 'the run is not 20 s at 60 Hz'
grep -q '"time_source": "display"' "$folder/run/summary.json" || fail 'times are not the display'\''s'
[ "$(head -c 4 "$folder/window.png" | tail -c 3)" = PNG ] || fail 'there is no picture of the window'
[ "$(wc -c <"$folder/window.png")" -gt 20000 ] || fail 'the picture of the window is empty'
rm -rf "$folder"
echo '1 passed, 0 failed'
