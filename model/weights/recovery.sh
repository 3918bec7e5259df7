#!/bin/sh
# Does a reduction find the pathways that are really there? Small networks of several seeds are fitted to the
# simulated retina, whole and with parts taken out, and to its rivals; each is reduced, and the pathways it
# reports are held against those the circuit itself cannot do without.
# usage: sh model/weights/recovery.sh [FOLDER] [SEEDS] [PROTOCOL]
# (out/recovery, '1 6 7', omitted-stimulus; 35 minutes on two cores)
# What is there already is not made again: after a stop the same command goes on. Prints Markdown tables.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-out/recovery}
seeds=${2:-1 6 7}
protocol=${3:-omitted-stimulus}
retrace=${RETRACE:-build/retrace}
mkdir -p "$out"
rows=$out/$protocol.rows
: >"$rows"

# 1 mm of the field, one cell of each class, 12 min of a mix with much full field.
sed -e 's/^minutes: .*/minutes: 12/' -e 's/^test_minutes: .*/test_minutes: 0.5/' -e 's/^test_repeats: .*/test_repeats: 2/' \
    -e 's/width_px: 50, height_px: 50/width_px: 20, height_px: 20/' -e 's/^  sites: .*/  sites: 1/' \
    -e 's/^  natural: .*/  natural: 25/' -e 's/^  noise: .*/  noise: 15/' -e 's/^  full_field: .*/  full_field: 25/' \
    -e 's/^  objects: .*/  objects: 10/' -e 's/^  flashes: .*/  flashes: 25/' \
    config/simulated-retina.yaml >"$out/small.yaml"
sed -e 's/^name: .*/name: small-cnn/' -e 's/^epochs: .*/epochs: 12/' -e 's/^kernel_px: .*/kernel_px: [9, 5]/' \
    model/weights/mixed-cnn.yaml >"$out/small-cnn.yaml"

measure() { # circuit, its blocked parts, seed
    circuit=$1 blocked=$2 seed=$3
    name=$circuit${blocked:+-$blocked}-$seed
    sed -e "s/^circuit: .*/circuit: $circuit/" -e "s/^blocked: .*/blocked: [$blocked]/" "$out/small.yaml" >"$out/$name.yaml"
    if [ ! -e "$out/$name.h5" ] || [ -e "$out/$name.ckpt" ]; then
        "$retrace" simulate "$out/$name.yaml" --out "$out/data-$name.h5" --seed "$seed" >&2
        "$retrace" fit "$out/small-cnn.yaml" --data "$out/data-$name.h5" --out "$out/$name.h5" --seed "$seed" >&2
        rm -f "$out/data-$name.h5"
    fi
    [ -s "$out/$name-$protocol.json" ] ||
        "$retrace" reduce "$out/$name.h5" "config/protocols/$protocol.yaml" --cell full-1 --truth "$out/$name.yaml" \
            --json "$out/$name-$protocol.json" 2>/dev/null >&2
    # circuit, seed, correlation of three channels, then of each pathway what is found and the circuit's change
    awk -v circuit="$circuit${blocked:+/$blocked}" -v seed="$seed" '
        /"k": 3,/ { three = 1 }
        three && /"correlation":/ { gsub(/,/, ""); correlation = $2; three = 0 }
        /"truth":/ { truth = 1 }
        truth && /"change":/ { gsub(/,/, ""); change = $2 }
        truth && /"found":/ { gsub(/,/, ""); line = line "\t" $2 "\t" change }
        END { print circuit "\t" seed "\t" correlation line }' "$out/$name-$protocol.json" >>"$rows"
}

for seed in $seeds; do
    for blocked in '' no-on-fast no-on no-off no-crossover no-inhibition \
        no-gain no-gain,no-on no-gain,no-off \
        no-gain,no-inhibition no-gain,no-inhibition,no-on no-gain,no-inhibition,no-off; do
        measure tuned "$blocked" $seed
    done
    measure depressing '' $seed
    measure reversal '' $seed
done

# The rules of app/reduce_truth.h were settled on seeds 1 to 5: by default the others are held out.
awk -F '\t' -v first="${seeds%% *}" '
BEGIN {
    pathways = split("OFF excitation,ON excitation,slow ON excitation,slow OFF excitation,suppression", name, ",")
    border = 0.2
    print "share of the attribution (suppression: change with all that inhibits silenced), one number a seed; in brackets the change of the circuit without the pathway\n"
    for (p = 1; p <= pathways; p++) { head = head " | " name[p]; rule = rule "|---" }
    print "| circuit" head " | r, 3 channels |\n|---|---" rule "|"
}
{
    if (!($1 in seen)) { order[++circuits] = $1; seen[$1] = 1 }
    set = $2 == first ? 1 : 2
    for (p = 1; p <= pathways; p++) {
        share = $(2 * p + 2); there = $(2 * p + 3) >= border
        text[$1, p] = text[$1, p] sprintf("%.2f ", share)
        change[$1, p] = $(2 * p + 3)
        n[set, p]++; shares[set, p, n[set, p]] = share; theres[set, p, n[set, p]] = there
        count[set, p, there, share >= border]++
    }
    fit[$1] = fit[$1] sprintf("%.2f ", $3)
}
function score(set, title,    p, i, j, pairs, wins, a, b, c, d, all, right, chance, total, sum, expected) {
    if (!n[set, 1]) return
    print "\n" title ": " n[set, 1] " networks\n"
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
            right += theres[set, p, held[i]] == (shares[set, p, i] >= border)
        sum += right / all; square += (right / all) ^ 2
    }
    sum /= deal
    printf "dealt out among the circuits by chance, 10000 times: %.3f right, SD %.3f\n", sum, sqrt(square / deal - sum * sum)
}
END {
    for (i = 1; i <= circuits; i++) {
        line = "| " order[i]
        for (p = 1; p <= pathways; p++) line = line sprintf(" | %s(%.2f)", text[order[i], p], change[order[i], p])
        print line " | " fit[order[i]] "|"
    }
    print "\narea: how often a network whose circuit has the pathway finds more of it than one without (chance 0.5)"
    score(1, "seed " first ", on which the rules were settled")
    score(2, "the other seeds, held out")
}' "$rows"
