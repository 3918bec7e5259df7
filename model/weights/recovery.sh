#!/bin/sh
# Does a reduction find the pathways that are really there? Small networks of several seeds are fitted to the
# simulated retina, whole and with parts taken out, and to its rivals; each is reduced, and the pathways it
# reports are held against those the circuit itself cannot do without.
# usage: sh model/weights/recovery.sh [FOLDER] [SEEDS] [PROTOCOL]
# (out/recovery, '1 2 3', omitted-stimulus; an hour on two cores)
# What is there already is not made again: after a stop the same command goes on. Prints Markdown tables.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-out/recovery}
seeds=${2:-1 2 3}
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
    if [ ! -e "$out/$name.h5" ] || [ -e "$out/$name.ckpt" ]; then
        sed -e "s/^circuit: .*/circuit: $circuit/" -e "s/^blocked: .*/blocked: [$blocked]/" "$out/small.yaml" >"$out/$name.yaml"
        "$retrace" simulate "$out/$name.yaml" --out "$out/data-$name.h5" --seed "$seed" >&2
        "$retrace" fit "$out/small-cnn.yaml" --data "$out/data-$name.h5" --out "$out/$name.h5" --seed "$seed" >&2
        rm -f "$out/data-$name.h5"
    fi
    truth=circuit-$circuit${blocked:+/$blocked}
    [ -s "$out/$name-$protocol.json" ] ||
        "$retrace" reduce "$out/$name.h5" "config/protocols/$protocol.yaml" --cell full-1 --truth "$truth" \
            --json "$out/$name-$protocol.json" 2>/dev/null >&2
    # circuit, seed, correlation of three channels, then share and change of each pathway
    awk -v circuit="$truth" -v seed="$seed" '
        /"k": 3,/ { three = 1 }
        three && /"correlation":/ { gsub(/,/, ""); correlation = $2; three = 0 }
        /"truth":/ { truth = 1 }
        truth && /"change":/ { gsub(/,/, ""); change = $2 }
        truth && /"share":/ { gsub(/,/, ""); line = line "\t" $2 "\t" change }
        END { print circuit "\t" seed "\t" correlation line }' "$out/$name-$protocol.json" >>"$rows"
}

for seed in $seeds; do
    for blocked in '' no-on-fast no-on no-off no-crossover no-inhibition \
        no-gain no-gain,no-inhibition no-gain,no-on no-gain,no-off; do
        measure tuned "$blocked" $seed
    done
    measure depressing '' $seed
    measure reversal '' $seed
done

awk -F '\t' '
BEGIN {
    pathways = split("OFF excitation,ON excitation,slow ON excitation,slow OFF excitation,inhibition", name, ",")
    border = 0.2
    print "share of the attribution, in brackets the change of the circuit without the pathway (one number a seed)\n"
    for (p = 1; p <= pathways; p++) { head = head " | " name[p]; rule = rule "|---" }
    print "| circuit" head " | r, 3 channels |\n|---|---" rule "|"
}
{
    if (!($1 in seen)) { order[++circuits] = $1; seen[$1] = 1 }
    for (p = 1; p <= pathways; p++) {
        share = $(2 * p + 2); there = $(2 * p + 3) >= border
        text[$1, p] = text[$1, p] sprintf("%.2f ", share)
        change[$1, p] = $(2 * p + 3)
        n[p]++; shares[p, n[p]] = share; theres[p, n[p]] = there; reported = share >= border
        count[p, there, reported]++
    }
    fit[$1] = fit[$1] sprintf("%.2f ", $3)
}
END {
    for (i = 1; i <= circuits; i++) {
        line = "| " order[i]
        for (p = 1; p <= pathways; p++) line = line sprintf(" | %s(%.2f)", text[order[i], p], change[order[i], p])
        print line " | " fit[order[i]] "|"
    }
    print "\narea: how often a network whose circuit has the pathway gives it a larger share than one without (chance 0.5)\n"
    print "| pathway | there, reported | there, not | absent, reported | absent, not | right | by chance | kappa | area |\n|---|---|---|---|---|---|---|---|---|"
    for (p = 1; p <= pathways; p++) {
        pairs = wins = 0
        for (i = 1; i <= n[p]; i++) for (j = 1; j <= n[p]; j++) if (theres[p, i] && !theres[p, j]) {
            pairs++
            wins += shares[p, i] > shares[p, j] ? 1 : shares[p, i] == shares[p, j] ? 0.5 : 0
        }
        a = count[p, 1, 1] + 0; b = count[p, 1, 0] + 0; c = count[p, 0, 1] + 0; d = count[p, 0, 0] + 0; all = a + b + c + d
        right = (a + d) / all; chance = ((a + b) * (a + c) + (c + d) * (b + d)) / all / all
        kappa = chance < 1 ? sprintf("%.2f", (right - chance) / (1 - chance)) : "-"
        printf "| %s | %d | %d | %d | %d | %.2f | %.2f | %s | %s |\n", name[p], a, b, c, d, right, chance, kappa,
            pairs ? sprintf("%.2f", wins / pairs) : "-"
        total += a + d; sum += all; expected += chance * all
    }
    printf "| all | | | | | %.2f | %.2f | %.2f | |\n", total / sum, expected / sum, (total - expected) / (sum - expected)
}' "$rows"
