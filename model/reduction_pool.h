#pragma once
/* What reduction.c and reduction_rates.c share: what a unit of a reduced model makes of its outputs at all
 * places, and how that changes with what is free. */
#include <stdbool.h>

#include "model/reduction.h"

enum { REDUCTION_PLACES_MAX = 1024 };

/* A window over the places, and its derivatives by centre and by the logarithm of the spread. */
typedef struct {
    int places;
    double weight[REDUCTION_PLACES_MAX], by_centre[REDUCTION_PLACES_MAX],
        by_spread[REDUCTION_PLACES_MAX];
} ReductionPool;

void reduction_pool_fill(ReductionPool *pool, double centre, double spread, int places);

/* Pooled: what is above the rise threshold and below the fall threshold; the share of places where either is;
 * and the derivatives of the two by centre and log spread. */
typedef struct {
    double rise, fall, rise_open, fall_open;
    double rise_by_centre, fall_by_centre, rise_by_spread, fall_by_spread;
} ReductionSums;

/* drive (places). Without derivatives only rise and fall are filled. */
ReductionSums reduction_sums(const ReductionPool *pool, const float *drive, double rise_threshold,
                             double fall_threshold, bool has_derivatives);

/* The same where all places are alike. */
ReductionSums reduction_sums_even(double drive, double rise_threshold, double fall_threshold);

/* Of one of the task's units in a bin (places). */
const float *reduction_outputs(const ReductionTask *task, int bin, int unit);

/* correlation and error_hz of the numbers. False without memory. */
bool reduction_judge(const ReductionTask *task, ReductionNumbers *numbers);
