#pragma once
/* The reduction against what is really there: where a network was fitted to the simulated retina, its
 * circuit can be asked which pathways make the response, by taking them out.
 *
 * A pathway is really there when the circuit's rate over the same trials changes by a fifth of its
 * variation, or more, without it. It is reported when it holds enough of the attribution:
 *
 *   OFF excitation        a fifth, by OFF channels that excite, but the slow
 *   ON excitation         a fifth, by ON channels that excite, but the slow
 *   slow ON excitation    a fifth, by ON channels that excite and peak 1.4 times later than the one of them that
 *                         holds most
 *   slow OFF excitation   the same of OFF channels; no circuit has it
 *   gain control          a tenth, by whatever is negative in any channel; where nothing fires an
 *                         inhibition has nothing to take away, so there is less of it
 *
 * What is negative stands for gain control, which a network of rectified sums has no other means to make. The
 * inhibition by amacrine cells leaves no such trace: it subtracts, and a network takes it into its kernels.
 * What the circuit is without it is told too, and not held against the network.
 *
 * A network can be reduced to what is there only as far as it knows the response: how well its rate follows the
 * circuit's is told too. Numbers are given as they are, so that any other border may be drawn. */
#include "app/reduce.h"

typedef enum {
    REDUCE_OFF,
    REDUCE_ON,
    REDUCE_SLOW_ON,
    REDUCE_SLOW_OFF,
    REDUCE_GAIN,
    REDUCE_PATHWAYS,
    REDUCE_AMACRINE = REDUCE_PATHWAYS, // of the circuit alone
    REDUCE_TRUTHS
} ReducePathway;

typedef struct {
    double change; // of the circuit's rate without it: root mean square, over that of the
                   // rate less its mean
    double found;  // of the attribution; 0 for what is of the circuit alone
    bool is_there, is_reported;
} ReduceFinding;

typedef struct {
    ReduceFinding pathways[REDUCE_TRUTHS];
    double
        correlation; // Pearson's, of the network's rates with the circuit's of the bins they are meant for
} ReduceTruth;

/* The least change that makes a pathway really there. */
extern const double reduce_truth_border;

/* Below this correlation a network does not know the response well enough to be asked. */
extern const double reduce_truth_known;

const char *reduce_pathway_name(ReducePathway pathway);

/* The least that is reported, of the attribution. */
double reduce_pathway_least(ReducePathway pathway);

/* circuit: a built-in one, "circuit", "circuit/no-on-fast", …, or the file (.yaml) that `simulate` made the
 * network's data from. Asked is its cell of the network's cell's name; where it has none it is refused, for
 * another cell has another threshold. A built-in one is right for networks fitted to its own cells. False when
 * stopped, or with a sentence in err (MODEL_ERR_BYTES). */
bool reduce_ask_circuit(const Reduce *reduce, const char *circuit, ReduceTruth *truth, char *err);
