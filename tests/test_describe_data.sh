#!/bin/sh
# describe on data sets: what it says of sound, short and misshapen ones, and how it ends.
. tests/expect.sh
sed 's/^test_minutes:.*/test_minutes: 0.1/; s/^test_repeats:.*/test_repeats: 2/' \
    config/simulated-retina.yaml >"$folder/retina.yaml"
"$retrace" simulate "$folder/retina.yaml" --out "$folder/short.h5" --minutes 0.2 >"$folder/said" 2>&1 ||
    { echo 'FAILED: simulate records'; cat "$folder/said"; exit 1; }

expect 1 'a short recording is not fit' "$retrace" describe "$folder/short.h5"
said 'it is simulated' 'simulated, not a recording'
said 'arrays have shapes and units' 'train/stimulus, 1200 × 50 × 50, levels'
said 'the rate has a source' '100 bins a second, as the file says'
said 'repeats have a form' '× 2 repeats (by cell)'
said 'what is wrong is one sentence' 'error       train is too short: 12.0 s; must be at least 90 s'
expect 1 'the same for machines' "$retrace" describe "$folder/short.h5" --json -
said 'findings have a severity' '"severity": "error"'
said 'shapes are numbers' '"train/response/binned"'
said 'the unit is said' '"unit": "spikes per bin"'

cat >"$folder/turned.yaml" <<END
name: turned
bin_hz: 100
response_unit: spikes_per_bin
axes: {response: [time, cell]}
train: {stimulus: 'short.h5:/train/stimulus', response: 'short.h5:/train/response/binned'}
END
expect 2 'axes that do not fit are refused' "$retrace" describe "$folder/turned.yaml"
said 'with the order that fits' 'time first; must be (cells, T), here (24, 1200): say them the other way round'
sed 's/^axes.*/um_per_px: 50/; s/^name.*/name: straight/' "$folder/turned.yaml" >"$folder/straight.yaml"
expect 1 'the same arrays in order are described' "$retrace" describe "$folder/straight.yaml"
said 'under their name' 'data set straight'
sed 's/bin_hz: 100/bin_hz: fast/' "$folder/straight.yaml" >"$folder/faulty.yaml"
expect 2 'a faulty YAML is refused' "$retrace" describe "$folder/faulty.yaml"
said 'with its line' 'faulty.yaml:2: bin_hz: is fast; must be a finite number'
finish
