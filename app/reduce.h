#pragma once
/* From a network to the reduced model of one cell and one kind of stimulus (Tanaka et al. 2019):
 *
 *   1. attribute the cell's rate to the first-layer channels, over every trial meant (attribute.h);
 *   2. order channels by their share: Σ |A| over the bins that count and the places the symmetry
 *      leaves, in all channels 1;
 *   3. make units of the first k channels and fit their few numbers (reduction.h), for k = 1, 2, 3 …:
 *      to the network's rate, and, counting a tenth each, to its rate with each of those channels
 *      silenced, and with all that inhibit, if they are among them, so that a unit stands for what
 *      its channel does and not for whatever else fits. Under bars a trial counts by one over its
 *      height, so that slow ones, which raise the rate least, are followed as fast ones are;
 *   4. keep the fewest channels that hold the wanted share.
 *
 * Under a bar a unit is rectified at every place and pooled over a window, which begins where the channel's
 * share lies and is fitted with the rest.
 *
 * What is judged are all bins of all trials; peaks are timed as landmark.h says. */
#include "app/attribute_job.h"
#include "app/landmark.h"
#include "model/reduction.h"

enum { REDUCE_CHANNELS_MOST = 8 }; // k goes no further

/* A curve for every trial, one after the other, and what its peaks are. */
typedef struct {
    float *rates_hz;     // (bins of all trials), owned
    LandmarkPeak *peaks; // (trials), owned
} ReduceCurve;

typedef struct {
    ReductionNumbers numbers;
    double peak_error_ms, peak_error_most_ms; // median and largest |reduced − full| over the trials
                                              // where both have a peak; NaN where none has
    int peaks;                                // how many those are
} ReduceStep;

/* What silencing some channels does to both models. */
typedef struct {
    char what[64]; // "channel 3", "all inhibitory"
    bool is_silent[CNN_CHANNELS_MAX];
    ReduceCurve full, reduced;
    double full_shift_ms,
        reduced_shift_ms;               // median shift of the peaks, later is positive; NaN: none
    double full_size, reduced_size;     // median height of the peaks, over that with all channels
    double full_change, reduced_change; // root mean square of the change of rate, over that of the
                                        // rate less its mean
    ReduceStep refitted; // a reduced model fitted anew without the channels; its correlation is NaN
                         // when none is left
} ReduceAblation;

typedef struct {
    AttributeJob *job; // borrowed
    AttributionSymmetry symmetry;
    const char *stimulus;   // as protocols name it
    AttributeTrial *trials; // owned (job->trials_count)
    Landmark *landmarks;    // owned (trials)
    int *first_bins;        // owned (trials)
    int bins;               // of all trials
    double rest_hz;

    int channels;                   // of the first layer
    int order[CNN_CHANNELS_MAX];    // by share, the largest first
    double share[CNN_CHANNELS_MAX]; // of a channel, in the file's order
    double excited[CNN_CHANNELS_MAX], inhibited[CNN_CHANNELS_MAX]; // spikes, over the trials
    // where a channel's share lies, in places, in order of share
    double centre[REDUCE_CHANNELS_MOST], spread[REDUCE_CHANNELS_MOST];

    int steps_count, kept; // k = 1 … steps_count; channels kept
    ReduceStep steps[REDUCE_CHANNELS_MOST];
    int taps, places;                  // of a unit's kernel, and where it is rectified
    float *filters;                    // owned (steps_count, history, taps), in order of share
    float *outputs;                    // owned (bins, steps_count, places)
    double rest[REDUCE_CHANNELS_MOST]; // outputs of the background
    double *rates_hz;                  // owned (bins): the full model's
    ReduceCurve full, reduced;         // reduced: of the kept channels

    ReduceAblation ablations[REDUCE_CHANNELS_MOST + 1]; // steps_count channels by share, then all
                                                        // that inhibit
} Reduce;

typedef struct {
    double share; // to be held by the channels kept, 0 … 1
    int kept;     // or this many; 0: by the share
    int starts;   // of each fit
} ReduceRule;

/* 75 %; 16 starts. */
extern const ReduceRule reduce_default;

/* False when stopped, or with a sentence in err (MODEL_ERR_BYTES): trials of different kinds,
 * backgrounds or symmetries, or none. Finish it either way. */
bool reduce_measure(Reduce *reduce, AttributeJob *job, const ReduceRule *rule, char *err);

/* Whether the channel takes more from the rate than it gives, over the trials. */
bool reduce_inhibits(const Reduce *reduce, int channel);

/* Where a kept unit looks, along the axis, from the middle of the field; right and up count up; and the SD
 * of its window. 0 for a full field. */
double reduce_place_um(const Reduce *reduce, int unit);
double reduce_spread_um(const Reduce *reduce, int unit);

/* Of the attribution, by the channels kept. */
double reduce_kept_share(const Reduce *reduce);

/* The model of the channels kept, as a file of kind "reduced" named `name`. False with a sentence in
 * err (MODEL_ERR_BYTES). */
bool reduce_write(const Reduce *reduce, const char *name, const char *path, char *err);

void reduce_finish(Reduce *reduce);
