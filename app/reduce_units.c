#include "app/reduce_parts.h"

#include <stdlib.h>

#include "app/trial_bins.h"

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

/* Of the background. */
static double rest_of(const Reduce *reduce, const float *filter, int taps)
{
    const ModelInfo *info = reduce->job->attribute.info;
    double grey = (reduce->trials[0].background_lum - info->lum_mean) / info->lum_sd, sum = 0;
    for (int i = 0; i < taps; i++)
        sum += grey * (double)filter[i];
    return sum;
}

/* Of every unit at every place in one bin; window (history, means). */
static void filter_window(const Reduce *reduce, const float *window, float *outputs)
{
    int history = reduce->job->attribute.info->history_bins, means = means_of(reduce);
    for (int u = 0; u < reduce->steps_count; u++)
        for (int place = 0; place < reduce->places; place++) {
            const float *tap = reduce->filters + u * history * reduce->taps;
            double sum = 0;
            for (int i = 0; i < history; i++)
                for (int k = 0; k < reduce->taps; k++)
                    sum += (double)*tap++ * (double)window[i * means + place + k];
            *outputs++ = (float)sum;
        }
}

/* light (history − 1 + bins of a trial, means) of all trials, one after the other. */
static void filter_light(Reduce *reduce, const float *light)
{
    const ModelInfo *info = reduce->job->attribute.info;
    int means = means_of(reduce), count = info->history_bins * reduce->taps;
    for (int u = 0; u < reduce->steps_count; u++) {
        float *filter = reduce->filters + u * count;
        reduction_filter(&reduce->job->file, reduce->symmetry, reduce->order[u], filter);
        reduce->rest[u] = rest_of(reduce, filter, count);
    }
    for (int t = 0; t < reduce->job->trials_count; t++) {
        for (int bin = 0; bin < reduce->trials[t].bins; bin++)
            filter_window(reduce, light + bin * means,
                          reduce->outputs + (size_t)(reduce->first_bins[t] + bin) *
                                                (size_t)(reduce->steps_count * reduce->places));
        light += (reduce->trials[t].bins + info->history_bins - 1) * means;
    }
}

bool reduce_make_units(Reduce *reduce, char *err)
{
    const ModelInfo *info = reduce->job->attribute.info;
    reduce->taps = reduction_taps(&reduce->job->file, reduce->symmetry);
    reduce->places = means_of(reduce) - reduce->taps + 1;
    size_t means = (size_t)means_of(reduce), history = (size_t)info->history_bins;
    size_t units = (size_t)reduce->steps_count, bins = (size_t)reduce->bins;
    float *light =
        calloc((bins + (size_t)reduce->job->trials_count * (history - 1)) * means, sizeof *light);
    float *next = light;
    reduce->filters = calloc(units * history * (size_t)reduce->taps, sizeof *reduce->filters);
    reduce->outputs = calloc(units * bins * (size_t)reduce->places, sizeof *reduce->outputs);
    bool ok = light && reduce->filters && reduce->outputs;
    for (int t = 0; ok && t < reduce->job->trials_count; t++) {
        ok = read_light(reduce, t, next, err);
        next += ((size_t)reduce->trials[t].bins + history - 1) * means;
    }
    if (ok)
        filter_light(reduce, light);
    free(light);
    return ok;
}
