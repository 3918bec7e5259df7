#!/bin/sh
# The ratios that peer.sh prints are those of the medians, on figures made up here.
here=$(dirname "$0")
command -v python3 >/dev/null || { echo 'skipped: no python3'; exit 77; }
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
run() { # number, our step, critical, predict, full field, fit, 1000 cells; PyTorch's forward 1, 64
    cat >"$folder/retrace-$1.json" <<JSON
{"machine": {"cpu": "made up"}, "cnn": {"step_us": {"p50": $2}, "critical_us": {"p50": $3},
 "predict_us_per_frame": $4, "predict_full_field_us_per_frame": $5, "fit_us_per_sample": $6},
 "lines": [{"group": "cells", "case": "5", "what": "whole step", "us": {"p50": 10}},
           {"group": "cells", "case": "1000, factorised", "what": "whole step", "us": {"p50": $7}}]}
JSON
    cat >"$folder/peer-$1.json" <<JSON
{"torch": "0", "forward_us": {"1": {"wall": $8, "processor": 9999}, "64": {"wall": 9999, "processor": $9}},
 "train_us": {"4": {"wall": 7000, "processor": 6500}, "16": {"wall": 6000, "processor": 7000}}}
JSON
}
run 1 10 5 11 2 500 25 400 200
run 2 90 90 90 90 9000 900 401 201
run 3 20 4 10 1 300 29 100 199
found=$(python3 "$here/peer_torch.py" ratios "$folder") || exit 1
status=0
expect() {
    if ! echo "$found" | grep -qE "$1"; then
        printf 'no line like: %s\n' "$1"
        status=1
    fi
}
expect '^whole step .* 20\.0 .* 400\.0 .* 1/20\.0 +1/20\.0  holds$'
expect '^critical path .* 5\.0 .* 1/80\.0 +1/40\.0  holds$'
expect '^predict, checkerboard .* 11\.0 .* 200\.0 .* 1/18\.2 +1/20\.0  does not hold$'
expect '^predict, full field .* 2\.0 .* 11\.0 .* 1/5\.5 +1/5\.0  holds$'
expect '^training sample .* 500\.0 .* PyTorch batch 16 +6000\.0 .* 1/12\.0 +1/15\.0  does not hold$'
expect '^step, 1000 cells, fact. .* 29\.0 .* 10\.0 .* 2\.90 +3\.00  holds$'
rm "$folder"/peer-*.json
if python3 "$here/peer_torch.py" ratios "$folder" 2>/dev/null; then
    echo 'ratios to nothing are not refused'
    status=1
fi
[ $status = 0 ] && echo '1 passed, 0 failed' || echo "$found"
exit $status
