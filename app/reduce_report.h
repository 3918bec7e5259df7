#pragma once
/* What `reduce` has found, told to people and to machines. */
#include <stdio.h>

#include <jansson.h>

#include "app/reduce.h"

void reduce_talk(const Reduce *reduce, FILE *talk);

/* Whole, but for the names of files written. */
json_t *reduce_summary(const Reduce *reduce);

/* The same as a page that reads as a circuit: pathways with kernel, sign and weight, the two models'
 * rates, what each k explains. False with a sentence in err (FIGURE_ERR_BYTES). */
bool reduce_draw(const Reduce *reduce, const char *path, char *err);

/* What a kept unit does to the cell. */
typedef struct {
    double low, high;                      // its outputs, from rest
    double rise_threshold, fall_threshold; // from rest, in shares of the unit's largest excursion
    double rise,
        fall; // of the softplus's argument, were the unit highest, or lowest, at all places
} ReduceUnitEffect;
ReduceUnitEffect reduce_effect(const Reduce *reduce, int unit);
