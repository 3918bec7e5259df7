#pragma once
/* From a convolutional network to a reduced model (reduced.h): what a unit filters, and the fit of
 * the few numbers that are free.
 *
 * A unit is one first-layer channel, summed along the symmetry of the stimulus; for a bar also
 * weighted over places by a Gaussian window. Its filter is the network's own. Free are, for each
 * unit, two thresholds and the weights above the one and below the other, and one offset: 4 units +
 * 1 numbers. They
 * are fitted to the network's rate by least squares (Levenberg–Marquardt, MINPACK's lmder), from
 * several starts, the same every time. Not for the frame path; any thread. */
#include <stdbool.h>

#include "model/attribution.h"
#include "model/reduced.h"

typedef struct {
    int channel;           // from 0
    double centre, spread; // of the window, in places of the first layer from its first; a full
                           // field has no window
} ReductionUnit;

/* The means of the image that are left by a symmetry; not for NONE. */
ReducedAxis reduction_axis(const ModelInfo *info, AttributionSymmetry symmetry);

/* filter (history_bins, means) of a unit, oldest first, with the sign of its channel card: a channel
 * that batch-norm turns over is turned back. The file has passed cnn_file_check(). */
void reduction_filter(const ModelFile *file, AttributionSymmetry symmetry,
                      const ReductionUnit *unit, float *filter);

/* What units do over some time, and the rate they are to make of it. All borrowed. */
typedef struct {
    int bins, units;
    int stride;             // from bin to bin in outputs: units, or more
    const double *outputs;  // (units, bins): v_u
    const double *rest;     // (units): v_u of the background, on for ever
    const double *rates_hz; // (bins)
    const double *weights;  // (bins): what a bin counts in the fit; NULL: 1 each
    double rest_hz, rate_scale_hz;
} ReductionTask;

typedef struct {
    double rise[REDUCED_UNITS_MAX], rise_threshold[REDUCED_UNITS_MAX];
    double fall[REDUCED_UNITS_MAX], fall_threshold[REDUCED_UNITS_MAX];
    double offset;
    double
        correlation; // Pearson's, of the fitted rates with rates_hz; NaN where either is constant
    double error_hz; // root of the mean square
} ReductionNumbers;

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

/* correlation and error_hz of the numbers, every bin counting 1. */
void reduction_judge(const ReductionTask *task, ReductionNumbers *numbers);

/* rates_hz (bins): what the numbers make of the task's outputs. is_silent (units), or NULL for none:
 * those stay at rest. */
void reduction_rates(const ReductionTask *task, const ReductionNumbers *numbers,
                     const bool *is_silent, float *rates_hz);
