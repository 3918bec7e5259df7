#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/peak.h"
#include "app/reduce_parts.h"

static const double SILENCED_WEIGHT = 0.1;
enum { ROWS_MOST = 12000 }; // of all silenced views together: then they are thinned

int reduce_units(const Reduce *reduce)
{
    return reduce->steps_count * reduce->units_a_channel;
}

ReductionTask reduce_task(const Reduce *reduce, int channels)
{
    return (ReductionTask){
        .bins = reduce->bins,
        .units = channels * reduce->units_a_channel,
        .stride = reduce_units(reduce),
        .outputs = reduce->outputs,
        .rest = reduce->rest,
        .rates_hz = reduce->rates_hz,
        .rest_hz = reduce->rest_hz,
        .rate_scale_hz = reduce->job->file.rate_scale_hz,
    };
}

/* ---- what is fitted: the rate, and the rate with each channel silenced */

typedef struct {
    ReductionTask task;
    double *outputs, *rates_hz, *weights; // owned: what task borrows
    double rest[REDUCED_UNITS_MAX];
    int units[REDUCED_UNITS_MAX]; // which of reduce's
} Stack;

static int channel_of(const Reduce *reduce, int unit)
{
    return unit / reduce->units_a_channel; // counted by share
}

/* One row: bin `bin`, with channel `silent` (by share; −1: none) silenced. */
static void fill_row(const Reduce *reduce, Stack *stack, int row, int bin, int silent,
                     double weight)
{
    for (int u = 0; u < stack->task.units; u++) {
        bool is_silent = silent >= 0 && channel_of(reduce, stack->units[u]) == silent;
        stack->outputs[row * stack->task.units + u] =
            is_silent ? stack->rest[u]
                      : reduce->outputs[bin * reduce_units(reduce) + stack->units[u]];
    }
    stack->rates_hz[row] =
        silent < 0 ? reduce->rates_hz[bin] : (double)reduce->ablations[silent].full.rates_hz[bin];
    stack->weights[row] = weight;
}

static bool fill_stack(const Reduce *reduce, int channels, const bool *is_left_out, Stack *stack)
{
    int stride = 1 + channels * reduce->bins / ROWS_MOST, views = 0;
    int thinned = (reduce->bins + stride - 1) / stride, units = 0;
    for (int u = 0; u < channels * reduce->units_a_channel; u++)
        if (!is_left_out || !is_left_out[u]) {
            stack->rest[units] = reduce->rest[u];
            stack->units[units++] = u;
            views += u % reduce->units_a_channel == 0;
        }
    stack->task = reduce_task(reduce, channels);
    stack->task.units = stack->task.stride = units;
    stack->task.bins = reduce->bins + views * thinned;
    size_t rows = (size_t)stack->task.bins;
    stack->outputs = calloc(rows * (size_t)(units + 1), sizeof *stack->outputs);
    stack->rates_hz = calloc(rows, sizeof *stack->rates_hz);
    stack->weights = calloc(rows, sizeof *stack->weights);
    if (!stack->outputs || !stack->rates_hz || !stack->weights)
        return false;
    int row = 0;
    for (; row < reduce->bins; row++)
        fill_row(reduce, stack, row, row, -1, 1);
    for (int u = 0; u < units; u += reduce->units_a_channel)
        for (int bin = 0; bin < reduce->bins; bin += stride)
            fill_row(reduce, stack, row++, bin, channel_of(reduce, stack->units[u]),
                     SILENCED_WEIGHT * stride);
    stack->task.outputs = stack->outputs;
    stack->task.rest = stack->rest;
    stack->task.rates_hz = stack->rates_hz;
    stack->task.weights = stack->weights;
    return true;
}

/* The numbers by the rate alone: the first rows of the stack. */
static void judge(const Reduce *reduce, const Stack *stack, ReductionNumbers *numbers)
{
    ReductionTask task = stack->task;
    task.bins = reduce->bins;
    reduction_judge(&task, numbers);
}

bool reduce_fit_task(const Reduce *reduce, int channels, const bool *is_left_out,
                     const ReductionStarts *starts, ReductionNumbers *numbers)
{
    Stack stack = {0};
    bool ok = fill_stack(reduce, channels, is_left_out, &stack) &&
              reduction_fit(&stack.task, starts, numbers);
    if (ok)
        judge(reduce, &stack, numbers);
    free(stack.outputs);
    free(stack.rates_hz);
    free(stack.weights);
    return ok;
}

int reduce_starts(const Reduce *reduce, const ReduceRule *rule)
{
    int starts = rule->starts / reduce->units_a_channel / reduce->units_a_channel;
    return starts > 1 ? starts : 1;
}

/* ---- curves and peaks */

void reduce_find_peaks(const Reduce *reduce, ReduceCurve *curve)
{
    for (int t = 0; t < reduce->job->trials_count; t++) {
        const AttributeTrial *trial = &reduce->trials[t];
        curve->peaks[t] = landmark_peak(&reduce->landmarks[t], trial->times_s[0],
                                        1 / reduce->job->attribute.info->bin_hz,
                                        curve->rates_hz + reduce->first_bins[t], trial->bins);
    }
}

bool reduce_curve_alloc(const Reduce *reduce, ReduceCurve *curve)
{
    curve->rates_hz = calloc((size_t)reduce->bins, sizeof *curve->rates_hz);
    curve->peaks = calloc((size_t)reduce->job->trials_count, sizeof *curve->peaks);
    return curve->rates_hz && curve->peaks;
}

bool reduce_keep_rates(Reduce *reduce)
{
    reduce->rates_hz = calloc((size_t)reduce->bins, sizeof *reduce->rates_hz);
    if (!reduce->rates_hz || !reduce_curve_alloc(reduce, &reduce->full) ||
        !reduce_curve_alloc(reduce, &reduce->reduced))
        return false;
    for (int t = 0; t < reduce->job->trials_count; t++)
        memcpy(reduce->rates_hz + reduce->first_bins[t], reduce->trials[t].rates_hz,
               (size_t)reduce->trials[t].bins * sizeof *reduce->rates_hz);
    for (int bin = 0; bin < reduce->bins; bin++)
        reduce->full.rates_hz[bin] = (float)reduce->rates_hz[bin];
    reduce_find_peaks(reduce, &reduce->full);
    return true;
}

bool reduce_compare_peaks(const Reduce *reduce, const ReduceCurve *curve, ReduceStep *step)
{
    size_t trials = (size_t)reduce->job->trials_count;
    double *misses = calloc(trials, sizeof *misses);
    if (!misses)
        return false;
    step->peak_error_most_ms = (double)NAN;
    for (size_t t = 0; t < trials; t++) {
        misses[t] = fabs(curve->peaks[t].time_ms - reduce->full.peaks[t].time_ms);
        step->peaks += !isnan(misses[t]);
        step->peak_error_most_ms = fmax(step->peak_error_most_ms, misses[t]);
    }
    step->peak_error_ms = stat_median(misses, 1, trials);
    free(misses);
    return true;
}

static void fill_curve(Reduce *reduce, int channels)
{
    ReductionTask task = reduce_task(reduce, channels);
    reduction_rates(&task, &reduce->steps[channels - 1].numbers, NULL, reduce->reduced.rates_hz);
    reduce_find_peaks(reduce, &reduce->reduced);
}

bool reduce_fit_steps(Reduce *reduce, const ReduceRule *rule)
{
    for (int channels = 1; channels <= reduce->steps_count; channels++) {
        ReduceStep *step = &reduce->steps[channels - 1];
        ReductionStarts starts = {reduce_starts(reduce, rule),
                                  channels > 1 ? &step[-1].numbers : NULL,
                                  (channels - 1) * reduce->units_a_channel};
        if (reduce_is_stopped(reduce) ||
            !reduce_fit_task(reduce, channels, NULL, &starts, &step->numbers))
            return false;
        fill_curve(reduce, channels);
        if (!reduce_compare_peaks(reduce, &reduce->reduced, step))
            return false;
    }
    fill_curve(reduce, reduce->kept);
    return true;
}
