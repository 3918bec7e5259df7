#!/bin/sh
# The comparison the papers make, on the simulated retina: CNN, LN and GLM fitted to spikes under
# natural-like images or white noise, each tested on both; the score against minutes of training data;
# and how variable a CNN's spike counts are with noise in its hidden units.
# usage: sh model/weights/compare.sh [FOLDER]      (out/compare; hours on two cores)
# What is there already is not made again: after a stop the same command goes on. Prints Markdown tables.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-out/compare}
retrace=${RETRACE:-build/retrace}
mkdir -p "$out"

data() { # natural|noise
    [ -e "$out/$1.h5" ] || "$retrace" simulate "config/$1-retina.yaml" --out "$out/$1.h5" >&2
}
spec() { # kind: the shipped spec, fitted to spikes
    sed 's/^target:.*/target: binned/' "model/weights/natural-$1.yaml" >"$out/$1.yaml"
}
fit() { # kind, data, name, options…
    kind=$1 set=$2 name=$3
    shift 3
    [ -e "$out/$name.h5" ] && [ ! -e "$out/$name.ckpt" ] ||
        "$retrace" fit "$out/$kind.yaml" --data "$out/$set.h5" --out "$out/$name.h5" "$@" >&2
}
score() { # model, data, options…: the median cc_norm over the cells, two decimals
    model=$1 set=$2
    shift 2
    "$retrace" eval "$out/$model.h5" "$out/$set.h5" "$@" --json - 2>/dev/null |
        awk '/"median":/ { here = 1 } here && /"cc_norm":/ { printf "%.2f", $2; exit }'
}

for kind in cnn ln glm; do spec $kind; done
data natural
data noise

echo '| fitted to spikes under | model | tested on natural-like | tested on white noise |'
echo '|---|---|---|---|'
for set in natural noise; do
    for kind in cnn ln glm; do
        fit $kind $set $set-$kind
        echo "| $set | $kind | $(score $set-$kind natural) | $(score $set-$kind noise) |"
    done
done

echo
echo '| minutes of natural-like images | cnn | ln | glm |'
echo '|---|---|---|---|'
for minutes in 1 2 4 8 16 32; do
    row="| $minutes |"
    for kind in cnn ln glm; do
        # as many steps for little data as for much: what is too many is not kept
        case $kind in
        cnn) fit $kind natural natural-$kind-$minutes --minutes $minutes --epochs $((4 + 160 / minutes)) ;;
        *) fit $kind natural natural-$kind-$minutes --minutes $minutes ;;
        esac
        row="$row $(score natural-$kind-$minutes natural) |"
    done
    echo "$row"
done
