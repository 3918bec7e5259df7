#pragma once
/* The reduction against what is really there: where a network was fitted to the simulated retina, its
 * circuit can be asked which pathways make the response, by taking them out.
 *
 * A pathway is really there when the circuit's rate over the same trials changes by a fifth of its
 * variation, or more, without it. The reduction reports it when the channels that are like it hold a
 * fifth of the attribution, or more:
 *
 *   OFF excitation        OFF channels that excite, but the slow
 *   ON excitation         ON channels that excite, but the slow
 *   slow ON excitation    ON channels that excite and peak 1.4 times later than the first that does
 *   slow OFF excitation   the same of OFF channels; no circuit has it
 *   amacrine inhibition   channels that inhibit, of either polarity
 *   gain control          the same: a network has nothing else to make a response smaller with, so one share is
 *                         held against both
 *
 * Shares and changes are given as they are, so that any other border may be drawn. */
#include "app/reduce.h"

typedef enum {
    REDUCE_OFF,
    REDUCE_ON,
    REDUCE_SLOW_ON,
    REDUCE_SLOW_OFF,
    REDUCE_INHIBITION,
    REDUCE_GAIN,
    REDUCE_PATHWAYS
} ReducePathway;

typedef struct {
    double change; // of the circuit's rate without it: root mean square, over that of the
                   // rate less its mean
    double share;  // of the attribution
    bool is_there, is_reported;
} ReduceTruth;

extern const double reduce_truth_border;

const char *reduce_pathway_name(ReducePathway pathway);

/* circuit: a built-in one, "circuit", "circuit/no-on-fast", …, or the file (.yaml) that `simulate` made the
 * network's data from. Asked is its cell of the network's cell's name; where it has none it is refused, for another
 * cell has another threshold. A built-in one is right for networks fitted to its own cells. truth (REDUCE_PATHWAYS). False when stopped, or with a
 * sentence in err (MODEL_ERR_BYTES). */
bool reduce_ask_circuit(const Reduce *reduce, const char *circuit, ReduceTruth *truth, char *err);
