#!/bin/sh
# Alternates `retrace bench` with the same network in PyTorch and prints the ratios of their medians.
# usage: peer.sh [RUNS] [FOLDER]    FOLDER keeps the figures of every run (default: a temporary one)
# $RETRACE is the program (default build/retrace), $PYTHON the Python that has PyTorch
# (default /usr/bin/python3, Debian's). Exit status 77: no PyTorch.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
retrace=${RETRACE:-$here/../build/retrace}
python=${PYTHON:-/usr/bin/python3}
runs=${1:-5}
folder=${2:-}
if [ -z "$folder" ]; then
    folder=$(mktemp -d) || exit 1
    trap 'rm -rf "$folder"' EXIT
    trap 'exit 1' INT TERM
fi
mkdir -p "$folder" || exit 1
rm -f "$folder"/peer-*.json "$folder"/retrace-*.json
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
for run in $(seq "$runs"); do
    "$python" "$here/peer_torch.py" time --seconds 8 >"$folder/peer-$run.json" || exit $?
    "$retrace" bench --seconds 8 --only step,predict,fit,cells --json "$folder/retrace-$run.json" \
        >"$folder/retrace-$run.txt" || exit $?
done
"$python" "$here/peer_torch.py" ratios "$folder"
