#!/bin/sh
# The comparison the papers make, on the simulated retina: models fitted under natural-like images or under
# white noise, each tested on both; the score against minutes of spikes to learn from; and how variable a
# CNN's counts are with noise in its hidden units.
# usage: sh model/weights/compare.sh [FOLDER]      (out/compare; an hour on two cores)
# What is there already is not made again: after a stop the same command goes on. Prints Markdown tables.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-out/compare}
retrace=${RETRACE:-build/retrace}
mkdir -p "$out"

data() { # natural|noise
    [ -e "$out/$1.h5" ] || "$retrace" simulate "config/$1-retina.yaml" --out "$out/$1.h5" >&2
}
fit() { # spec, data, name, options…
    spec=$1 set=$2 name=$3
    shift 3
    [ -e "$out/$name.h5" ] && [ ! -e "$out/$name.ckpt" ] ||
        "$retrace" fit "$spec" --data "$out/$set.h5" --out "$out/$name.h5" "$@" >&2
}
score() { # model, data: the median cc_norm over the cells
    "$retrace" eval "$1" "$out/$2.h5" --resamples 0 --json - 2>/dev/null |
        awk '/"median":/ { here = 1 } here && /"cc_norm":/ { printf "%.2f", $2; exit }'
}

data natural
data noise
fit model/weights/natural-ln.yaml noise noise-ln
fit model/weights/natural-glm.yaml noise noise-glm
cp model/weights/natural-*.h5 model/weights/noise-cnn.h5 "$out"

echo '| fitted under | model | tested on natural-like images | tested on white noise |'
echo '|---|---|---|---|'
for set in natural noise; do
    for kind in cnn ln glm; do
        model=$out/$set-$kind.h5
        echo "| $set | $kind | $(score "$model" natural) | $(score "$model" noise) |"
    done
done

# To spikes, as a laboratory has them; as many steps for little data as for much: what is too many is not kept.
echo
echo '| minutes of natural-like images | cnn | ln | glm |'
echo '|---|---|---|---|'
for kind in cnn ln glm; do
    sed 's/^target:.*/target: binned/' "model/weights/natural-$kind.yaml" >"$out/$kind.yaml"
done
for minutes in 1 2 4 8 16 32; do
    fit "$out/cnn.yaml" natural "cnn-$minutes" --minutes $minutes --epochs $((2 + 48 / minutes))
    fit "$out/ln.yaml" natural "ln-$minutes" --minutes $minutes
    fit "$out/glm.yaml" natural "glm-$minutes" --minutes $minutes
    echo "| $minutes | $(score "$out/cnn-$minutes.h5" natural) | $(score "$out/ln-$minutes.h5" natural) |" \
        "$(score "$out/glm-$minutes.h5" natural) |"
done

echo
echo '| noise SD in the hidden units | variance / mean of a count in 10 ms | in 100 ms |'
echo '|---|---|---|'
for sd in 0.05 0.4 2; do
    "$retrace" eval "$out/natural-cnn.h5" "$out/natural.h5" --resamples 0 --seconds 60 --noise-sd $sd --json - \
        2>/dev/null | awk -v sd=$sd '/"noise":/ { here = 1 }
            here && /"variance_to_mean":/ { bin = $2 } here && /"fano":/ { printf "| %s | %.1g | %.1g |\n", sd, bin, $2; exit }'
done
