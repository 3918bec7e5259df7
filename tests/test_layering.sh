#!/bin/sh
# The layering rules hold, and layering.sh can tell when they do not.
here=$(dirname "$0")
sh "$here/layering.sh" || exit 1
broken=$(mktemp -d) || exit 1
trap 'rm -rf "$broken"' EXIT
cp -r "$here/../app" "$here/../render" "$here/../model" "$here/../rig" "$here/../config" "$broken"
cp "$here/../CMakeLists.txt" "$broken"
must_fail() {
    if sh "$here/layering.sh" "$broken" >/dev/null; then
        echo "layering.sh did not notice: $1"
        exit 1
    fi
}
sh "$here/layering.sh" "$broken" || exit 1
echo '#include "model/model.h"' >"$broken/render/intruder.h"; must_fail 'render including model'
echo '#include <cblas.h>' >"$broken/render/intruder.h"; must_fail 'BLAS in render'
echo 'void f(void) { printf("x"); }' >"$broken/render/intruder.h"; must_fail 'printing in render'
rm "$broken/render/intruder.h"
mkdir "$broken/util"; must_fail 'a room of another name'
echo '1 passed, 0 failed'
