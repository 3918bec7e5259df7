#pragma once
/* From a convolutional network to a reduced model (reduced.h): what a unit filters, and the fit of
 * the few numbers that are free.
 *
 * A unit is one first-layer channel, its kernel summed along the symmetry of the stimulus; for a bar
 * it is rectified at every place along the axis and pooled by a Gaussian window. The kernel is the
 * network's own. Free are, for each unit, two thresholds, the weights above the one and below
 * the other, and, for a bar, centre and spread of its pool; and one offset.
 * They are fitted to the network's rate by least squares (Levenberg–Marquardt, MINPACK's lmder),
 * from several starts, the same every time. Not for the frame path; any thread. */
#include <stdbool.h>
#include <stdint.h>

#include "model/attribution.h"
#include "model/reduced.h"

/* The means of the image that are left by a symmetry; not for NONE. Kernels take `taps` of them. */
ReducedAxis reduction_axis(const ModelInfo *info, AttributionSymmetry symmetry);
int reduction_taps(const ModelFile *file, AttributionSymmetry symmetry);

/* filter (history_bins, taps) of a channel (from 0), oldest first, with the sign of its channel card: one that
 * batch-norm turns over is turned back. The file has passed cnn_file_check(). */
void reduction_filter(const ModelFile *file, AttributionSymmetry symmetry, int channel,
                      float *filter);

/* pool (places): a Gaussian window of sum 1; 1 where there is one place. */
void reduction_pool(double centre, double spread, int places, double *pool);

/* What is to be matched: the rate of a bin, or the one that a bin would have had if some units had stayed as the
 * background leaves them. */
typedef struct {
    int bin;
    uint32_t silent; // bit u: unit u
    double rate_hz, weight;
} ReductionRow;

/* What units do over some time, and the rates they are to make of it. All borrowed. */
typedef struct {
    int bins, units, places;
    int stride;           // from bin to bin in outputs: units · places, or more
    const float *outputs; // (bins, units, places): v_up
    const int *which;     // (units) the first of these in outputs, or NULL: all in order
    const double *rest;   // (units): v_u of the background, on for ever
    const ReductionRow *rows;
    int rows_count;
    const double *centre, *spread; // (units) of the pools to begin with, in places
    double rest_hz, rate_scale_hz;
} ReductionTask;

typedef struct {
    double rise[REDUCED_UNITS_MAX], rise_threshold[REDUCED_UNITS_MAX];
    double fall[REDUCED_UNITS_MAX], fall_threshold[REDUCED_UNITS_MAX];
    double centre[REDUCED_UNITS_MAX], spread[REDUCED_UNITS_MAX]; // of the pool, in places
    double offset;
    double
        correlation; // Pearson's, of the fitted rates with those of rows in which nothing is silent;
                     // NaN where either is constant
    double error_hz; // root of the mean square over the same
} ReductionNumbers;

/* How many numbers are free. */
int reduction_numbers(int units, int places);

/* Where a fit begins: `count` times with thresholds at rest or spread out, and once with the numbers
 * of a fit of the first few of the same units (from, or NULL), the others counting nothing yet. */
typedef struct {
    int count;
    const ReductionNumbers *from; // borrowed
    int from_units;
} ReductionStarts;

/* Fits, and judges the fit by the very task. False without memory. */
bool reduction_fit(const ReductionTask *task, const ReductionStarts *starts,
                   ReductionNumbers *numbers);

/* rates_hz (bins): what the numbers make of the task's outputs. is_silent (units), or NULL for none:
 * those stay at rest. */
void reduction_rates(const ReductionTask *task, const ReductionNumbers *numbers,
                     const bool *is_silent, float *rates_hz);
