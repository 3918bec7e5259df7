#!/bin/sh
# Does a reduction find the pathways that are really there? Small networks of several seeds are fitted to the
# simulated retina, whole and with parts taken out, and to its rivals; each is reduced, and the pathways it
# reports are held against those the circuit itself cannot do without.
# usage: sh model/weights/recovery.sh [FOLDER] [SEEDS] [PROTOCOL]
# (out/recovery, '1 8 9 10', omitted-stimulus; 75 minutes on two cores)
# SEEDS may be `cells`: then nothing is fitted, and the 24 cells of mixed-cnn are asked instead, a third of which
# have a circuit without fast ON (6 minutes; bars: 20).
# What is there already is not made again: after a stop the same command goes on. Prints Markdown tables.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-out/recovery}
seeds=${2:-1 8 9 10}
protocol=${3:-omitted-stimulus}
retrace=${RETRACE:-build/retrace}
mkdir -p "$out"
rows=$out/$(echo "$seeds" | tr ' ' '-')-$protocol.rows
: >"$rows"

# 1.6 mm × 0.7 mm of the field, for bars move along x; one cell of each class, 15 min of a mix with many bars.
sed -e 's/^minutes: .*/minutes: 15/' -e 's/^test_minutes: .*/test_minutes: 0.5/' -e 's/^test_repeats: .*/test_repeats: 2/' \
    -e 's/width_px: 50, height_px: 50/width_px: 32, height_px: 14/' -e 's/^  sites: .*/  sites: 1/' \
    -e 's/^  natural: .*/  natural: 15/' -e 's/^  noise: .*/  noise: 8/' -e 's/^  full_field: .*/  full_field: 17/' \
    -e 's/^  objects: .*/  objects: 40/' -e 's/^  flashes: .*/  flashes: 20/' \
    config/simulated-retina.yaml >"$out/small.yaml"
sed -e 's/^name: .*/name: small-cnn/' -e 's/^epochs: .*/epochs: 10/' -e 's/^kernel_px: .*/kernel_px: [9, 5]/' \
    model/weights/mixed-cnn.yaml >"$out/small-cnn.yaml"

# A row: the group it belongs to, seed, correlations of three channels with the network and of the network with its
# circuit, and of each pathway what is found, how the circuit changes without it, whether it is there, and reported.
reduce() { # name, group, seed, network, cell, truth
    json=$out/$1-$protocol.json
    [ -s "$json" ] ||
        "$retrace" reduce "$4" "config/protocols/$protocol.yaml" --cell "$5" --truth "$6" --json "$json" 2>/dev/null >&2
    awk -v group="$2" -v seed="$3" '
        { gsub(/,/, "") }
        /"k": 3$/ { three = 1 }
        /"truth":/ { truth = 1 }
        three && /"correlation":/ { fitted = $2; three = 0 }
        truth && /"correlation":/ { known = $2 }
        truth && /"change":/ { change = $2 }
        truth && /"there":/ { there = $2 == "true" }
        truth && /"found":/ { found = $2 }
        truth && /"reported":/ { line = line "\t" found "\t" change "\t" there "\t" ($2 == "true") }
        END { print group "\t" seed "\t" fitted "\t" known line }' "$json" >>"$rows"
}

measure() { # circuit, its blocked parts, seed
    circuit=$1 blocked=$2 seed=$3
    name=$circuit${blocked:+-$blocked}-$seed
    sed -e "s/^circuit: .*/circuit: $circuit/" -e "s/^blocked: .*/blocked: [$blocked]/" "$out/small.yaml" >"$out/$name.yaml"
    if [ ! -e "$out/$name.h5" ] || [ -e "$out/$name.ckpt" ]; then
        "$retrace" simulate "$out/$name.yaml" --out "$out/data-$name.h5" --seed "$seed" >&2
        "$retrace" fit "$out/small-cnn.yaml" --data "$out/data-$name.h5" --out "$out/$name.h5" --seed "$seed" >&2
        rm -f "$out/data-$name.h5"
    fi
    reduce "$name" "$circuit${blocked:+/$blocked}" "$seed" "$out/$name.h5" full-1 "$out/$name.yaml"
}

measure_seed() {
    for blocked in '' no-on-fast no-on no-off no-crossover no-inhibition \
        no-gain no-gain,no-on no-gain,no-off \
        no-gain,no-inhibition no-gain,no-inhibition,no-on no-gain,no-inhibition,no-off; do
        measure tuned "$blocked" "$1"
    done
    measure depressing '' "$1"
    measure reversal '' "$1"
}

measure_cells() {
    for class in full fast slow; do
        for site in 1 2 3 4 5 6 7 8; do
            reduce "mixed-cnn-$class-$site" "$class" "$site" model/weights/mixed-cnn.h5 "$class-$site" circuit
        done
    done
}

if [ "$seeds" = cells ]; then
    measure_cells
else
    for seed in $seeds; do measure_seed "$seed"; done
fi

# The rules of app/reduce_truth.h were settled on seeds 1 and 8: the others are held out.
awk -F '\t' -v seeds="$seeds" -v settled='1 8' '
BEGIN {
    pathways = split("OFF excitation,ON excitation,slow ON excitation,slow OFF excitation,gain control", name, ",")
    known_least = 0.8
    print "share of the attribution, one number a " (seeds == "cells" ? "cell" : "seed") "; in brackets the change of the circuit without the pathway\n"
    for (p = 1; p <= pathways; p++) { head = head " | " name[p]; rule = rule "|---" }
    print "| circuit" head " | 3 channels with the network, r | network with the circuit, r |\n|---|---|---" rule "|"
}
{
    if (!($1 in seen)) { order[++circuits] = $1; seen[$1] = 1 }
    set = seeds == "cells" || !index(" " settled " ", " " $2 " ") ? 2 : 1
    is_known = $4 != "null" && $4 >= known_least # null: the circuit does not answer at all
    asked[set, is_known]++
    for (p = 1; p <= pathways; p++) {
        share = $(4 * p + 1); there = $(4 * p + 3); reported = $(4 * p + 4)
        text[$1, p] = text[$1, p] sprintf("%.2f ", share)
        changes[$1, p] += $(4 * p + 2)
        if (!is_known) continue
        n[set, p]++; shares[set, p, n[set, p]] = share; theres[set, p, n[set, p]] = there
        reports[set, p, n[set, p]] = reported
        count[set, p, there, reported]++
    }
    fit[$1] = fit[$1] sprintf("%.2f ", $3)
    known[$1] = known[$1] ($4 == "null" ? "– " : sprintf("%.2f ", $4))
    rows[$1]++
}
function score(set, title,    p, i, j, pairs, wins, a, b, c, d, all, right, chance, total, sum, expected) {
    if (!asked[set, 0] && !asked[set, 1]) return
    printf "\n%s: %d; %d more do not know the response (correlation with the circuit under %.1f) and are not asked\n\n",
        title, asked[set, 1], asked[set, 0], known_least
    if (!asked[set, 1]) return
    print "| pathway | there, reported | there, not | absent, reported | absent, not | right | by chance | kappa | area |\n|---|---|---|---|---|---|---|---|---|"
    for (p = 1; p <= pathways; p++) {
        pairs = wins = 0
        for (i = 1; i <= n[set, p]; i++) for (j = 1; j <= n[set, p]; j++) if (theres[set, p, i] && !theres[set, p, j]) {
            pairs++
            wins += shares[set, p, i] > shares[set, p, j] ? 1 : shares[set, p, i] == shares[set, p, j] ? 0.5 : 0
        }
        a = count[set, p, 1, 1] + 0; b = count[set, p, 1, 0] + 0; c = count[set, p, 0, 1] + 0; d = count[set, p, 0, 0] + 0
        all = a + b + c + d
        right = (a + d) / all; chance = ((a + b) * (a + c) + (c + d) * (b + d)) / all / all
        printf "| %s | %d | %d | %d | %d | %.2f | %.2f | %s | %s |\n", name[p], a, b, c, d, right, chance,
            chance < 1 ? sprintf("%.2f", (right - chance) / (1 - chance)) : "-", pairs ? sprintf("%.2f", wins / pairs) : "-"
        total += a + d; sum += all; expected += chance * all
    }
    printf "| all | | | | | %.2f | %.2f | %.2f | |\n\n", total / sum, expected / sum, (total - expected) / (sum - expected)
    shuffle(set)
}
# How much is right when the networks are dealt out among the circuits by chance.
function shuffle(set,    deal, p, i, j, held, count, right, sum, square, all) {
    all = n[set, 1] * pathways
    srand(1)
    for (i = 1; i <= n[set, 1]; i++) held[i] = i
    for (deal = 0; deal < 10000; deal++) {
        for (i = n[set, 1]; i > 1; i--) { j = 1 + int(rand() * i); count = held[i]; held[i] = held[j]; held[j] = count }
        right = 0
        for (p = 1; p <= pathways; p++) for (i = 1; i <= n[set, 1]; i++)
            right += theres[set, p, held[i]] == reports[set, p, i]
        sum += right / all; square += (right / all) ^ 2
    }
    sum /= deal
    printf "dealt out among the circuits by chance, 10000 times: %.3f right, SD %.3f\n", sum, sqrt(square / deal - sum * sum)
}
END {
    for (i = 1; i <= circuits; i++) {
        line = "| " order[i]
        for (p = 1; p <= pathways; p++) line = line sprintf(" | %s(%.2f)", text[order[i], p], changes[order[i], p] / rows[order[i]])
        print line " | " fit[order[i]] "| " known[order[i]] "|"
    }
    print "\narea: how often one whose circuit has the pathway finds more of it than one without (chance 0.5)"
    score(1, "seeds " settled ", on which the rules were settled")
    score(2, seeds == "cells" ? "all cells" : "the other seeds, held out")
}' "$rows"
