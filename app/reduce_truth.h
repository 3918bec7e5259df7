#pragma once
/* The reduction against what is really there: where a network was fitted to the simulated retina, its
 * circuit can be asked which pathways make the response, by taking them out.
 *
 * A pathway is really there when the circuit's rate over the same trials changes by a fifth of its
 * variation, or more, without it. The reduction reports an excitation when the channels that are like it hold
 * a fifth of the attribution, or more:
 *
 *   OFF excitation        OFF channels that excite, but the slow
 *   ON excitation         ON channels that excite, but the slow
 *   slow ON excitation    ON channels that excite and peak 1.4 times later than the first that does
 *   slow OFF excitation   the same of OFF channels; no circuit has it
 *
 * What is kept from firing leaves little attribution, for near 0 a rate hangs on nothing; so suppression is
 * measured in the network as it is in the circuit, and reported when the rate changes by a fifth, or more, once
 * all channels that inhibit are silent. The circuit is suppressed by two things, its amacrine cells and its gain
 * control. A network has only channels that inhibit, for either, so both are taken out of the circuit at once;
 * what each does is given beside, and not held against the network.
 *
 * Numbers are given as they are, so that any other border may be drawn. */
#include "app/reduce.h"

typedef enum {
    REDUCE_OFF,
    REDUCE_ON,
    REDUCE_SLOW_ON,
    REDUCE_SLOW_OFF,
    REDUCE_SUPPRESSION,
    REDUCE_PATHWAYS,
    REDUCE_AMACRINE = REDUCE_PATHWAYS, // the two parts of suppression
    REDUCE_GAIN,
    REDUCE_TRUTHS
} ReducePathway;

typedef struct {
    double change; // of the circuit's rate without it: root mean square, over that of the
                   // rate less its mean
    double found;  // in the network: of the attribution, or, of suppression, the same change
                   // without what inhibits; 0 for its parts
    bool is_there, is_reported;
} ReduceTruth;

extern const double reduce_truth_border;

const char *reduce_pathway_name(ReducePathway pathway);

/* Whether it is found by silencing, and not by attribution. */
bool reduce_pathway_is_silenced(ReducePathway pathway);

/* circuit: a built-in one, "circuit", "circuit/no-on-fast", …, or the file (.yaml) that `simulate` made the
 * network's data from. Asked is its cell of the network's cell's name; where it has none it is refused, for
 * another cell has another threshold. A built-in one is right for networks fitted to its own cells. truth
 * (REDUCE_TRUTHS). False when stopped, or with a sentence in err (MODEL_ERR_BYTES). */
bool reduce_ask_circuit(const Reduce *reduce, const char *circuit, ReduceTruth *truth, char *err);
