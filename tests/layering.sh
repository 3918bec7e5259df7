#!/bin/sh
# Fails when a room reaches where it must not: the four rooms know only themselves, nothing includes
# app, and each outside world has one door.  usage: layering.sh [ROOT]
cd "${1:-$(dirname "$0")/..}" || exit 1
status=0
forbid() { # what, where (grep -E pattern, files…)
    message=$1 pattern=$2
    shift 2
    found=$(grep -nE "$pattern" "$@" /dev/null 2>/dev/null)
    if [ -n "$found" ]; then
        printf '%s:\n%s\n' "$message" "$found"
        status=1
    fi
}
rooms='render model rig config'
for room in $rooms; do
    for other in app $rooms tests; do
        [ "$room" = "$other" ] && continue
        forbid "$room must not know $other" "#include [\"<]$other/" "$room"/*.[ch]
    done
    forbid "only app prints, exits and reads argv" \
        '\b(printf|puts|putchar|perror|exit|abort|_exit|getenv|setenv) *\(|\b(stdout|stderr)\b|\bargv\b' "$room"/*.[ch]
done
gl='#include <(epoxy|SDL2?|GL|xcb|X11)/?|#include <SDL'
forbid 'GL and the window system live in render' "$gl" model/*.[ch] rig/*.[ch] config/*.[ch]
forbid 'BLAS and HDF5 live in model' '#include <(cblas|hdf5)' \
    render/*.[ch] rig/*.[ch] config/*.[ch] app/*.[ch]
forbid 'USB lives in rig' '#include <libusb' render/*.[ch] model/*.[ch] config/*.[ch] app/*.[ch]
forbid 'YAML lives in config' '#include <(cyaml|yaml)' render/*.[ch] model/*.[ch] rig/*.[ch] app/*.[ch]
forbid 'the session clock is read in app/clock.c alone' 'clock_gettime *\(' \
    $(ls app/*.[ch] render/*.[ch] model/*.[ch] rig/*.[ch] config/*.[ch] | grep -v '^app/clock.c$')
for entry in *; do
    case $entry in
    app|render|model|rig|config|tests|CMakeLists.txt|README.md|LICENSE|build*|out) ;;
    *) echo "nothing else belongs at the top: $entry"; status=1 ;;
    esac
done
exit $status
