#include "app/reduce_parts.h"

#include <math.h>
#include <stdlib.h>

#include "app/trial_bins.h"

enum { FIRST_FIT_CHANNELS = 2 };

/* Places tried for a bar, in units of the spread of the shares: distance from their centre, and width. */
static const double offsets[] = {0.4, 0.6, 0.8}, widths[] = {0.4, 0.6, 0.85};

static int means_of(const Reduce *reduce)
{
    ReducedAxis axis = reduction_axis(reduce->job->attribute.info, reduce->symmetry);
    return axis.rows * axis.columns;
}

/* light (history − 1 + bins, means): the means of the image in every bin of a trial, normalised, the
 * background before. */
static bool read_light(const Reduce *reduce, int t, float *light, char *err)
{
    const ModelInfo *info = reduce->job->attribute.info;
    ReducedAxis axis = reduction_axis(info, reduce->symmetry);
    int means = means_of(reduce), before = info->history_bins - 1;
    TrialBins bins;
    if (!trial_bins_open(&bins, reduce->job->plan, reduce->trials[t].trial, info, err))
        return false;
    for (int i = 0; i < before * means; i++)
        light[i] = (float)reduce->trials[t].background_lum;
    for (int bin = 0; bin < reduce->trials[t].bins; bin++)
        reduced_average(axis, trial_bins_next(&bins), info->height_px, info->width_px,
                        light + (before + bin) * means);
    trial_bins_close(&bins);
    for (int i = 0; i < (before + reduce->trials[t].bins) * means; i++)
        light[i] = (float)(((double)light[i] - info->lum_mean) / info->lum_sd);
    return true;
}

static double product(const float *a, const float *b, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* outputs and rest of the first `units` units; light (history − 1 + bins of a trial, means) of all
 * trials, one after the other. */
static void filter_light(Reduce *reduce, int units, const float *light)
{
    const ModelInfo *info = reduce->job->attribute.info;
    int means = means_of(reduce), taps = info->history_bins * means;
    for (int u = 0; u < units; u++)
        reduction_filter(&reduce->job->file, reduce->symmetry, &reduce->units[u],
                         reduce->filters + u * taps);
    for (int u = 0; u < units; u++)
        reduce->rest[u] = 0;
    double grey = (reduce->trials[0].background_lum - info->lum_mean) / info->lum_sd;
    for (int u = 0; u < units; u++)
        for (int i = 0; i < taps; i++)
            reduce->rest[u] += grey * (double)reduce->filters[u * taps + i];
    for (int t = 0; t < reduce->job->trials_count; t++) {
        for (int bin = 0; bin < reduce->trials[t].bins; bin++)
            for (int u = 0; u < units; u++)
                reduce->outputs[(reduce->first_bins[t] + bin) * reduce_units(reduce) + u] =
                    product(reduce->filters + u * taps, light + bin * means, taps);
        light += (reduce->trials[t].bins + info->history_bins - 1) * means;
    }
}

static void place_units(Reduce *reduce, int channels, double offset, double spread)
{
    reduce->place_offset = offset;
    reduce->place_spread = spread;
    for (int i = 0; i < channels; i++)
        for (int side = 0; side < reduce->units_a_channel; side++)
            reduce->units[i * reduce->units_a_channel + side] = (ReductionUnit){
                reduce->order[i], reduce->centre + (side ? offset : -offset), spread};
}

/* Where a bar's two places lie: what fits best with few channels, from one start. */
static bool find_places(Reduce *reduce, const float *light)
{
    int channels =
        reduce->steps_count < FIRST_FIT_CHANNELS ? reduce->steps_count : FIRST_FIT_CHANNELS;
    double least = HUGE_VAL, best_offset = 0, best_spread = 1;
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        for (size_t j = 0; j < sizeof widths / sizeof *widths; j++) {
            ReductionNumbers numbers;
            place_units(reduce, channels, offsets[i] * reduce->spread, widths[j] * reduce->spread);
            filter_light(reduce, channels * reduce->units_a_channel, light);
            ReductionTask task = reduce_task(reduce, channels);
            if (!reduction_fit(&task, &(ReductionStarts){.count = 1}, &numbers))
                return false;
            if (!(numbers.error_hz < least))
                continue;
            least = numbers.error_hz;
            best_offset = reduce->place_offset;
            best_spread = reduce->place_spread;
        }
    place_units(reduce, reduce->steps_count, best_offset, best_spread);
    return true;
}

bool reduce_make_units(Reduce *reduce, char *err)
{
    const ModelInfo *info = reduce->job->attribute.info;
    size_t means = (size_t)means_of(reduce), history = (size_t)info->history_bins;
    reduce->units_a_channel = reduce->symmetry == ATTRIBUTION_SYMMETRY_FULL ? 1 : 2;
    size_t units = (size_t)(reduce->steps_count * reduce->units_a_channel);
    size_t lines = (size_t)reduce->bins + (size_t)reduce->job->trials_count * (history - 1);
    float *light = calloc(lines * means, sizeof *light), *next = light;
    reduce->filters = calloc(units * history * means, sizeof *reduce->filters);
    reduce->outputs = calloc(units * (size_t)reduce->bins, sizeof *reduce->outputs);
    bool ok = light && reduce->filters && reduce->outputs;
    for (int t = 0; ok && t < reduce->job->trials_count; t++) {
        ok = read_light(reduce, t, next, err);
        next += ((size_t)reduce->trials[t].bins + history - 1) * means;
    }
    if (reduce->units_a_channel == 1)
        place_units(reduce, reduce->steps_count, 0, 1);
    else
        ok = ok && find_places(reduce, light);
    if (ok)
        filter_light(reduce, (int)units, light);
    free(light);
    return ok;
}
