#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/peak.h"
#include "app/reduce_parts.h"
#include "app/trial_bins.h"

/* ---- the full model */

static bool show_trial(const Reduce *reduce, int t, float *rates_hz, char *err)
{
    const AttributeJob *job = reduce->job;
    Attribution *attribution = job->attribute.attribution;
    float rates[MODEL_MAX_CELLS];
    TrialBins bins;
    if (!trial_bins_open(&bins, job->plan, reduce->trials[t].trial, job->attribute.info, err))
        return false;
    attribution_adapt(attribution, reduce->trials[t].background_lum);
    for (int bin = 0; bin < reduce->trials[t].bins && !reduce_is_stopped(reduce); bin++) {
        attribution_feed(attribution, trial_bins_next(&bins));
        attribution_rates(attribution, rates);
        rates_hz[bin] = rates[job->attribute.cell];
    }
    trial_bins_close(&bins);
    return !reduce_is_stopped(reduce);
}

static bool silence_full(const Reduce *reduce, ReduceAblation *ablation, char *err)
{
    Attribution *attribution = reduce->job->attribute.attribution;
    bool ok = true;
    attribution_silence(attribution, ablation->is_silent);
    for (int t = 0; ok && t < reduce->job->trials_count; t++)
        ok = show_trial(reduce, t, ablation->full.rates_hz + reduce->first_bins[t], err);
    attribution_silence(attribution, NULL);
    reduce_find_peaks(reduce, &ablation->full);
    return ok;
}

/* ---- the reduced model */

static void silence_reduced(const Reduce *reduce, ReduceAblation *ablation)
{
    bool is_silent[REDUCED_UNITS_MAX];
    ReductionTask task = reduce_task(reduce, reduce->kept);
    for (int u = 0; u < task.units; u++)
        is_silent[u] = ablation->is_silent[reduce->order[u]];
    reduction_rates(&task, &reduce->steps[reduce->kept - 1].numbers, is_silent,
                    ablation->reduced.rates_hz);
    reduce_find_peaks(reduce, &ablation->reduced);
}

/* ---- how much changes */

double reduce_change(const float *with_hz, const float *without_hz, int bins)
{
    double mean = 0, square = 0, change = 0;
    for (int bin = 0; bin < bins; bin++)
        mean += (double)with_hz[bin] / bins;
    for (int bin = 0; bin < bins; bin++) {
        double off = (double)with_hz[bin] - mean;
        double miss = (double)without_hz[bin] - (double)with_hz[bin];
        square += off * off;
        change += miss * miss;
    }
    return square > 0 ? sqrt(change / square) : 0;
}

/* Medians over the trials that have a peak either way. */
static bool compare_peaks(const Reduce *reduce, const ReduceCurve *with, const ReduceCurve *without,
                          double *shift_ms, double *size)
{
    size_t trials = (size_t)reduce->job->trials_count;
    double *shifts = calloc(2 * trials, sizeof *shifts), *sizes = shifts + trials;
    if (!shifts)
        return false;
    for (size_t t = 0; t < trials; t++) {
        shifts[t] = without->peaks[t].time_ms - with->peaks[t].time_ms;
        sizes[t] = without->peaks[t].height_hz / with->peaks[t].height_hz;
    }
    *shift_ms = stat_median(shifts, 1, trials);
    *size = stat_median(sizes, 1, trials);
    free(shifts);
    return true;
}

static void name_ablations(Reduce *reduce)
{
    ReduceAblation *all = &reduce->ablations[reduce->steps_count];
    for (int i = 0; i < reduce->steps_count; i++) {
        ReduceAblation *ablation = &reduce->ablations[i];
        snprintf(ablation->what, sizeof ablation->what, "channel %d", reduce->order[i] + 1);
        ablation->is_silent[reduce->order[i]] = true;
    }
    snprintf(all->what, sizeof all->what, "all inhibitory");
    for (int c = 0; c < reduce->channels; c++)
        all->is_silent[c] = reduce_inhibits(reduce, c);
}

bool reduce_silence_full(Reduce *reduce, char *err)
{
    bool ok = true;
    name_ablations(reduce);
    for (int i = 0; ok && i <= reduce->steps_count; i++) {
        ReduceAblation *ablation = &reduce->ablations[i];
        ok = reduce_curve_alloc(reduce, &ablation->full) &&
             reduce_curve_alloc(reduce, &ablation->reduced) && silence_full(reduce, ablation, err);
        ok = ok && compare_peaks(reduce, &reduce->full, &ablation->full, &ablation->full_shift_ms,
                                 &ablation->full_size);
        ablation->full_change =
            reduce_change(reduce->full.rates_hz, ablation->full.rates_hz, reduce->bins);
    }
    return ok;
}

/* The numbers of some units, put where those are among all; the others count nothing. */
static ReductionNumbers spread_out(const ReductionNumbers *numbers, const bool *is_left_out,
                                   int units)
{
    ReductionNumbers all = {.offset = numbers->offset};
    for (int u = 0, from = 0; u < units; u++) {
        all.spread[u] = 1;
        if (is_left_out[u])
            continue;
        all.rise[u] = numbers->rise[from];
        all.rise_threshold[u] = numbers->rise_threshold[from];
        all.fall[u] = numbers->fall[from];
        all.fall_threshold[u] = numbers->fall_threshold[from];
        all.centre[u] = numbers->centre[from];
        all.spread[u] = numbers->spread[from++];
    }
    return all;
}

/* What the fit makes of the units that are left: whether the others can stand in for them. The
 * ablation's reduced curve is lost. */
static bool refit(const Reduce *reduce, const ReduceRule *rule, ReduceAblation *ablation)
{
    bool is_left_out[REDUCED_UNITS_MAX];
    int left = 0;
    ReductionTask task = reduce_task(reduce, reduce->kept);
    ReductionNumbers numbers = {.correlation = (double)NAN};
    for (int u = 0; u < task.units; u++) {
        is_left_out[u] = ablation->is_silent[reduce->order[u]];
        left += !is_left_out[u];
    }
    ReductionStarts starts = {.count = reduce_starts(reduce, rule)};
    if (left > 0 && !reduce_fit_task(reduce, reduce->kept, is_left_out, &starts, &numbers))
        return false;
    ReductionNumbers all = spread_out(&numbers, is_left_out, task.units);
    reduction_rates(&task, &all, NULL, ablation->reduced.rates_hz);
    reduce_find_peaks(reduce, &ablation->reduced);
    ablation->refitted = (ReduceStep){.numbers = numbers};
    return reduce_compare_peaks(reduce, &ablation->reduced, &ablation->refitted);
}

bool reduce_silence_reduced(Reduce *reduce, const ReduceRule *rule)
{
    bool ok = true;
    for (int i = 0; ok && i <= reduce->steps_count; i++) {
        ReduceAblation *ablation = &reduce->ablations[i];
        if (i >= reduce->kept && i < reduce->steps_count)
            continue;
        if (reduce_is_stopped(reduce) || !refit(reduce, rule, ablation))
            return false;
        silence_reduced(reduce, ablation);
        ablation->reduced_change =
            reduce_change(reduce->reduced.rates_hz, ablation->reduced.rates_hz, reduce->bins);
        ok = compare_peaks(reduce, &reduce->reduced, &ablation->reduced,
                           &ablation->reduced_shift_ms, &ablation->reduced_size);
    }
    return ok;
}
