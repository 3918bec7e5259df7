#pragma once
/* What one trial of a plan shows a model, bin by bin: the light of a run of the whole plan in which
 * no refresh was missed, to the bit. Not for the frame path. */
#include "app/trial.h"
#include "model/model.h"
#include "model/resample.h"

typedef struct {
    const Plan *plan; // borrowed
    int trial;
    int64_t first_bin, bins; // of the whole plan; those that lie wholly within the trial
    double bin_hz;
    double onset_s;     // of the stimulus, after the beginning of first_bin
    Stimulus *stimulus; // owned
    Raster raster;      // of the model
    BinAverage average;
    int64_t frame; // of the trial: the next to be fed
    float *lum;    // owned (height_px, width_px)
} TrialBins;

/* False with a sentence in err (MODEL_ERR_BYTES); *bins is then finished. */
bool trial_bins_open(TrialBins *bins, const Plan *plan, int trial, const ModelInfo *info,
                     char *err);

/* The mean luminance (height_px, width_px) of the next bin, lent until the next call; NULL after
 * the last. */
const float *trial_bins_next(TrialBins *bins);

/* Accepts a zeroed one, and one twice. */
void trial_bins_close(TrialBins *bins);
