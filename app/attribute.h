#pragma once
/* The attribution of one cell's response over a trial of a protocol: which channels of the first
 * layer make it, bin by bin, and what symmetry of the stimulus makes it so few numbers.
 *
 * A trial is shown by itself: before it, the background of its block has been on for ever, and that
 * is the grey the attribution's path starts from. The light of its bins is that of a run of the
 * whole plan. Times are of the middle of the bin a rate belongs to, from the stimulus's onset. */
#include <stdatomic.h>
#include <stdbool.h>

#include "app/trial.h"
#include "model/attribution.h"
#include "model/channel_card.h"

/* Over the window of the trial that counts. */
typedef struct {
    double at_peak_hz;                       // Σ_xy A of the channel where the rate is highest
    double excited_spikes, inhibited_spikes; // ∫ of its Σ_xy A where that is above 0, and below: 0
                                             // or less
} AttributeChannel;

typedef struct {
    int trial; // of the plan
    char condition[64];
    double background_lum;
    int bins, channels;
    double *times_s;                        // (bins), owned
    double *rates_hz, *sums_hz, *residuals; // (bins), owned; as AttributionResult
    int *steps;                             // (bins), owned
    float *channels_hz;                     // (channels, bins), owned: Σ_xy A
    double rest_hz;
    int peak_bin; // highest rate in the window
    double residual_max, residual_median;
    int steps_max;
    double steps_median;
    AttributionSymmetry claimed; // by what the block shows
    double deviation;            // the most by which a window breaks it, in units of lum_sd
    bool is_symmetric;           // claimed, and no window breaks it
    int places;                  // of the folded layer at the peak, 0 where there is no symmetry
    float *folded_hz;            // (channels, places), owned: at the peak
    float *profile_spikes;       // (channels, places), owned: ∫|folded| over the bins that count
    double fold_gap;             // largest |folded total − ΣA| / max(|ΣA|, 1 Hz)
    AttributeChannel channel[CNN_CHANNELS_MAX];
} AttributeTrial;

/* How far frames may be off a symmetry they are said to have, in units of lum_sd. */
extern const double attribute_deviation_most;

typedef struct {
    Attribution *attribution; // borrowed, as all here
    const ModelInfo *info;
    const Plan *plan;
    int cell;
    AttributionRule rule;
    double from_s, to_s; // the window of a trial that counts, from the onset
    const atomic_bool *stop;
    void (*progress)(void *ctx); // after every bin
    void *progress_ctx;
} Attribute;

/* The cell with the largest rise above rest in the window of these trials; -1 when stopped, or with a
 * sentence in err (MODEL_ERR_BYTES) when a trial cannot be shown. */
int attribute_find_cell(const Attribute *attribute, const int *trials, int count, char *err);

/* The bins the trials have in all. */
int64_t attribute_count_bins(const Attribute *attribute, const int *trials, int count);

/* False when stopped or with a sentence in err (MODEL_ERR_BYTES); *result is then finished. */
bool attribute_trial(const Attribute *attribute, int trial, AttributeTrial *result, char *err);
void attribute_trial_finish(AttributeTrial *result);

/* "full field", "upright bar", … */
const char *attribute_symmetry_name(AttributionSymmetry symmetry);

/* One page for the trials (count, one block's) of a cell: channels × time under the rate, and for
 * bars channels × place at the peak. False with a sentence in err (FIGURE_ERR_BYTES). */
bool attribute_draw(const Attribute *attribute, const ChannelCard *cards,
                    const AttributeTrial *trials, int count, const char *path, char *err);
