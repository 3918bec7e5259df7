#include "app/attribute.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/peak.h"
#include "app/trial_bins.h"

const double attribute_deviation_most = 1e-5;

static bool is_stopped(const Attribute *attribute)
{
    return attribute->stop && atomic_load_explicit(attribute->stop, memory_order_relaxed);
}

static void tell_progress(const Attribute *attribute)
{
    if (attribute->progress)
        attribute->progress(attribute->progress_ctx);
}

const char *attribute_symmetry_name(AttributionSymmetry symmetry)
{
    static const char *const names[] = {
        [ATTRIBUTION_SYMMETRY_NONE] = "none",
        [ATTRIBUTION_SYMMETRY_ALONG_Y] = "upright bar",
        [ATTRIBUTION_SYMMETRY_ALONG_X] = "lying bar",
        [ATTRIBUTION_SYMMETRY_FULL] = "full field",
    };
    return names[symmetry];
}

static AttributionSymmetry claimed_symmetry(const Plan *plan, int trial)
{
    const ProtocolBlock *block = &plan->protocol->blocks[plan->trials[trial].block];
    if (block->flicker || block->step)
        return ATTRIBUTION_SYMMETRY_FULL;
    if (!block->bar && !block->reversal)
        return ATTRIBUTION_SYMMETRY_NONE;
    double turns = (block->bar ? block->bar->direction_deg : block->reversal->direction_deg) / 90;
    if (fabs(turns - round(turns)) > 1e-9)
        return ATTRIBUTION_SYMMETRY_NONE;
    return trial_moves_vertically(plan, trial) ? ATTRIBUTION_SYMMETRY_ALONG_X
                                               : ATTRIBUTION_SYMMETRY_ALONG_Y;
}

static double time_of(const Attribute *attribute, const TrialBins *bins, int bin)
{
    return (bin + attribute->info->lag_bins + 0.5) / bins->bin_hz - bins->onset_s;
}

static bool is_counted(const Attribute *attribute, double time_s)
{
    return time_s >= attribute->from_s && time_s <= attribute->to_s;
}

/* ---- which cell */

static bool raise_highest(const Attribute *attribute, int trial, double *highest_hz, char *err)
{
    TrialBins bins;
    float rates[MODEL_MAX_CELLS], rest[MODEL_MAX_CELLS];
    Attribution *attribution = attribute->attribution;
    if (!trial_bins_open(&bins, attribute->plan, trial, attribute->info, err))
        return false;
    attribution_adapt(attribution, (double)trial_background(attribute->plan, trial));
    attribution_rates(attribution, rest);
    for (int bin = 0; bin < bins.bins && !is_stopped(attribute); bin++) {
        attribution_feed(attribution, trial_bins_next(&bins));
        attribution_rates(attribution, rates);
        bool counts = is_counted(attribute, time_of(attribute, &bins, bin));
        for (int cell = 0; counts && cell < attribute->info->cells; cell++)
            highest_hz[cell] = fmax(highest_hz[cell], (double)rates[cell] - (double)rest[cell]);
        tell_progress(attribute);
    }
    trial_bins_close(&bins);
    return !is_stopped(attribute);
}

int attribute_find_cell(const Attribute *attribute, const int *trials, int count, char *err)
{
    double highest_hz[MODEL_MAX_CELLS] = {0};
    int found = 0;
    for (int t = 0; t < count; t++)
        if (!raise_highest(attribute, trials[t], highest_hz, err))
            return -1;
    for (int cell = 1; cell < attribute->info->cells; cell++)
        if (highest_hz[cell] > highest_hz[found])
            found = cell;
    return found;
}

int64_t attribute_count_bins(const Attribute *attribute, const int *trials, int count)
{
    double seconds = 0;
    for (int t = 0; t < count; t++) {
        const PlanTrial *trial = &attribute->plan->trials[trials[t]];
        seconds += (double)(trial->before_frames + trial->stimulus_frames + trial->after_frames) /
                   attribute->plan->refresh_hz;
    }
    return (int64_t)(seconds * attribute->info->bin_hz);
}

/* ---- one trial */

static bool allocate(AttributeTrial *result)
{
    size_t bins = (size_t)result->bins, channels = (size_t)result->channels;
    result->times_s = calloc(bins, sizeof(double));
    result->rates_hz = calloc(bins, sizeof(double));
    result->sums_hz = calloc(bins, sizeof(double));
    result->residuals = calloc(bins, sizeof(double));
    result->steps = calloc(bins, sizeof(int));
    result->channels_hz = calloc(bins * channels, sizeof(float));
    result->folded_hz = calloc(channels * (size_t)(result->places + 1), sizeof(float));
    result->profile_spikes = calloc(channels * (size_t)(result->places + 1), sizeof(float));
    return bins > 0 && result->times_s && result->rates_hz && result->sums_hz &&
           result->residuals && result->steps && result->channels_hz && result->folded_hz &&
           result->profile_spikes;
}

/* Folds the bin's attribution as the claim has it, and holds the claim against the window. */
static void check_symmetry(const Attribute *attribute, const AttributionResult *bin_result,
                           bool is_peak, bool counts, float *folded_hz, AttributeTrial *result)
{
    if (result->claimed == ATTRIBUTION_SYMMETRY_NONE)
        return;
    double deviation = attribution_deviation(attribute->attribution, result->claimed);
    double total = attribution_fold(attribute->attribution, result->claimed, folded_hz);
    double gap = fabs(total - bin_result->sum_hz) / fmax(fabs(bin_result->sum_hz), 1.0);
    result->deviation = fmax(result->deviation, deviation);
    result->fold_gap = fmax(result->fold_gap, gap);
    for (int i = 0; counts && i < result->channels * result->places; i++)
        result->profile_spikes[i] += fabsf(folded_hz[i]) / (float)attribute->info->bin_hz;
    if (is_peak)
        memcpy(result->folded_hz, folded_hz,
               (size_t)(result->channels * result->places) * sizeof *folded_hz);
}

static void measure_bin(const Attribute *attribute, int bin, float *folded_hz,
                        AttributeTrial *result)
{
    AttributionResult measured;
    attribution_measure(attribute->attribution, attribute->cell, &attribute->rule, &measured);
    result->rest_hz = measured.rest_hz;
    result->rates_hz[bin] = measured.rate_hz;
    result->sums_hz[bin] = measured.sum_hz;
    result->residuals[bin] = measured.residual;
    result->steps[bin] = measured.steps;
    for (int c = 0; c < result->channels; c++)
        result->channels_hz[c * result->bins + bin] = (float)measured.channel_hz[c];
    bool counts = is_counted(attribute, result->times_s[bin]);
    bool is_peak = counts && (!is_counted(attribute, result->times_s[result->peak_bin]) ||
                              measured.rate_hz > result->rates_hz[result->peak_bin]);
    if (is_peak)
        result->peak_bin = bin;
    check_symmetry(attribute, &measured, is_peak, counts, folded_hz, result);
}

static bool measure_bins(const Attribute *attribute, TrialBins *bins, AttributeTrial *result)
{
    float *folded_hz = calloc((size_t)(result->channels * (result->places + 1)), sizeof(float));
    if (!folded_hz)
        return false;
    for (int bin = 0; bin < result->bins; bin++)
        result->times_s[bin] = time_of(attribute, bins, bin);
    bool is_whole = true;
    for (int bin = 0; is_whole && bin < result->bins; bin++) {
        const float *lum = trial_bins_next(bins);
        is_whole = lum && !is_stopped(attribute);
        if (!is_whole)
            break;
        attribution_feed(attribute->attribution, lum);
        measure_bin(attribute, bin, folded_hz, result);
        tell_progress(attribute);
    }
    free(folded_hz);
    return is_whole;
}

static void sum_channels(const Attribute *attribute, AttributeTrial *result)
{
    for (int c = 0; c < result->channels; c++) {
        AttributeChannel *channel = &result->channel[c];
        const float *values = result->channels_hz + c * result->bins;
        channel->at_peak_hz = (double)values[result->peak_bin];
        for (int bin = 0; bin < result->bins; bin++)
            if (is_counted(attribute, result->times_s[bin]))
                *(values[bin] > 0 ? &channel->excited_spikes : &channel->inhibited_spikes) +=
                    (double)values[bin] / attribute->info->bin_hz;
    }
}

static bool summarise(const Attribute *attribute, AttributeTrial *result)
{
    double *steps = calloc((size_t)result->bins, sizeof *steps);
    if (!steps)
        return false;
    for (int bin = 0; bin < result->bins; bin++) {
        steps[bin] = result->steps[bin];
        result->steps_max =
            result->steps[bin] > result->steps_max ? result->steps[bin] : result->steps_max;
        result->residual_max = fmax(result->residual_max, result->residuals[bin]);
    }
    result->residual_median = stat_median(result->residuals, 1, (size_t)result->bins);
    result->steps_median = stat_median(steps, 1, (size_t)result->bins);
    result->is_symmetric = result->claimed != ATTRIBUTION_SYMMETRY_NONE &&
                           result->deviation <= attribute_deviation_most;
    sum_channels(attribute, result);
    free(steps);
    return true;
}

bool attribute_trial(const Attribute *attribute, int trial, AttributeTrial *result, char *err)
{
    TrialBins bins;
    if (!trial_bins_open(&bins, attribute->plan, trial, attribute->info, err))
        return false;
    AttributionSymmetry claimed = claimed_symmetry(attribute->plan, trial);
    *result = (AttributeTrial){
        .trial = trial,
        .background_lum = (double)trial_background(attribute->plan, trial),
        .bins = (int)bins.bins,
        .channels = attribution_units(attribute->attribution).channels,
        .claimed = claimed,
        .places = claimed == ATTRIBUTION_SYMMETRY_NONE
                      ? 0
                      : attribution_places(attribute->attribution, claimed),
    };
    trial_condition(attribute->plan, trial, result->condition, sizeof result->condition);
    attribution_adapt(attribute->attribution, result->background_lum);
    snprintf(err, MODEL_ERR_BYTES, "stopped, or out of memory");
    bool is_whole =
        allocate(result) && measure_bins(attribute, &bins, result) && summarise(attribute, result);
    trial_bins_close(&bins);
    if (!is_whole)
        attribute_trial_finish(result);
    return is_whole;
}

void attribute_trial_finish(AttributeTrial *result)
{
    free(result->times_s);
    free(result->rates_hz);
    free(result->sums_hz);
    free(result->residuals);
    free(result->steps);
    free(result->channels_hz);
    free(result->folded_hz);
    free(result->profile_spikes);
    *result = (AttributeTrial){0};
}
