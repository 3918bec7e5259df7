#!/bin/sh
# simulate and fit from the command line: what they leave behind, and how they end.
. tests/expect.sh
sed 's/^test_minutes:.*/test_minutes: 0.1/; s/^test_repeats:.*/test_repeats: 2/
    s/width_px: 50, height_px: 50/width_px: 24, height_px: 24/' \
    config/simulated-retina.yaml >"$folder/retina.yaml"
cat >"$folder/ln.yaml" <<END
name: tiny
data: $folder/retina.h5
kind: ln
target: binned
seed: 1
epochs: 2
history_bins: 10
lag_bins: 1
window_px: 11
run_bins: 32
batch_runs: 4
learning_rate: 0.01
decay: 0.1
rate_scale_hz: 5
validation_share: 0.2
END

expect 0 'simulate records' "$retrace" simulate "$folder/retina.yaml" --out "$folder/retina.h5" \
    --minutes 1.5 --json -
said 'the summary says it is simulated' '"is_simulated": true'
said 'the summary counts the bins' '"train_bins": 9000'
expect 2 'simulate wants --out' "$retrace" simulate "$folder/retina.yaml"
expect 2 'simulate refuses a spec it cannot read' "$retrace" simulate "$folder/ln.yaml" --out x.h5
said 'and names the line' 'ln.yaml:2: data: unknown key'
expect 4 'simulate says when it cannot write' "$retrace" simulate "$folder/retina.yaml" \
    --out "$folder/no/such/folder.h5" --minutes 0.05
sed 's/^blocked:.*/blocked: [no-such]/' "$folder/retina.yaml" >"$folder/odd.yaml"
expect 2 'simulate refuses a switch that the circuit lacks' "$retrace" simulate "$folder/odd.yaml" \
    --out "$folder/odd.h5"
said 'and lists those there are' 'blocked\[0\].*no-crossover'
echo 'photographs: no-such-folder' >>"$folder/retina.yaml"
expect 2 'simulate refuses a folder of photographs it cannot read' "$retrace" simulate \
    "$folder/retina.yaml" --out "$folder/odd.h5"
said 'and names it' 'no-such-folder: No such file'
expect 0 'describe lists the cells of a preparation' "$retrace" describe config/noise-retina.yaml
said 'one by one' 'slow-8 at'
expect 0 'describe knows the built-in circuits' "$retrace" describe circuit-reversal/no-gain
said 'and says what is blocked' 'simulated retina.*"reversal", no-gain'

expect 0 'fit fits' "$retrace" fit "$folder/ln.yaml" --out "$folder/ln.h5" --epochs 1
said 'and says which epoch it kept' 'the model of epoch 1'
test -s "$folder/ln.h5" || fail 'fit writes a model'
test "$(wc -l <"$folder/ln.tsv")" -eq 2 || fail 'one line an epoch'
test ! -e "$folder/ln.ckpt" || fail 'a finished fit leaves no checkpoint'
expect 0 'the fitted model plays' "$retrace" describe "$folder/ln.h5"
said 'and says where it comes from' 'simulated retina'

# Killed in mid-epoch and started again, a fit ends in the same model as one that was let alone.
sed 's/^kind:.*/kind: cnn/; s/^target:.*/target: rate_hz/; s/^epochs:.*/epochs: 5/; s/^window_px:.*/channels: [4, 4]/' \
    "$folder/ln.yaml" >"$folder/cnn.yaml"
printf 'kernel_px: [7, 5]\nnorm: unit\nnoise_sd: 0.05\n' >>"$folder/cnn.yaml"
expect 0 'a CNN is fitted' "$retrace" fit "$folder/cnn.yaml" --out "$folder/whole.h5"
"$retrace" fit "$folder/cnn.yaml" --out "$folder/killed.h5" >/dev/null 2>&1 &
victim=$!
until [ -e "$folder/killed.ckpt" ]; do sleep 0.05; done
sleep 0.1
kill -KILL $victim
wait $victim 2>/dev/null
test -e "$folder/killed.ckpt" || fail 'the fit was over before it could be killed'
expect 0 'the same command goes on' "$retrace" fit "$folder/cnn.yaml" --out "$folder/killed.h5"
said 'and says so' 'going on after epoch'
for model in whole killed; do
    expect 0 "the $model model is scored" "$retrace" eval "$folder/$model.h5" "$folder/retina.h5" --part train \
        --resamples 0
    grep -v "$model" "$folder/said" >"$folder/$model.scores"
done
cmp "$folder/whole.scores" "$folder/killed.scores" || fail 'a killed fit ends elsewhere'

sed 's/^seed:/cells: [slow-2, full-1]\nseed:/' "$folder/ln.yaml" >"$folder/two.yaml"
expect 0 'fit takes the cells it is told' "$retrace" fit "$folder/two.yaml" --out "$folder/two.h5" --epochs 1
expect 0 'and the model has them' "$retrace" describe "$folder/two.h5"
said 'in that order' 'cell 1 .* full-1 at (25, 25) um'
expect 0 'and answers as they do' "$retrace" eval "$folder/two.h5" "$folder/retina.h5" --part train --resamples 0
said 'by their names' 'medians are over those that every model has'
sed 's/^seed:/cells: [slow-2, slow-9]\nseed:/' "$folder/ln.yaml" >"$folder/two.yaml"
expect 2 'fit refuses a cell that is not there' "$retrace" fit "$folder/two.yaml" --out "$folder/x.h5"
said 'by its name' 'has no cell slow-9'
expect 2 'fit wants --out' "$retrace" fit "$folder/ln.yaml"
echo 'channels: [8]' >>"$folder/ln.yaml"
expect 2 'fit refuses half a list' "$retrace" fit "$folder/ln.yaml" --out "$folder/x.h5"
said 'and names the line' 'ln.yaml:16: channels'
for spec in model/weights/*.yaml; do
    sed "s#^data:.*#data: $folder/missing.h5#" "$spec" >"$folder/shipped.yaml"
    expect 2 "$spec is read as far as its data" "$retrace" fit "$folder/shipped.yaml" \
        --out "$folder/x.h5"
    said "$spec lacks only its data" 'missing.h5'
done
finish
