#pragma once
/* The numbers that make a trial's stimulus, one by one under one name each, for tables of all
 * trials. */
#include <stdbool.h>

#include "config/plan.h"

typedef struct {
    const char *name;  // "contrast", "speed_um_per_s"
    const char *about; // a sentence
    double (*of)(const ProtocolBlock *block, const PlanTrial *trial); // NaN: it has none
} Parameter;

enum { PARAMETERS = 21 };
extern const Parameter parameters[PARAMETERS];

/* "flicker", "step", "bar", "reversal" or "checkerboard". */
const char *parameter_stimulus(const ProtocolBlock *block);

/* True where some trial of the plan has it. */
bool parameter_is_used(const Parameter *parameter, const Plan *plan);
