#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/peak.h"
#include "app/reduce_parts.h"

static const double SILENCED_WEIGHT = 0.1, HEIGHT_LEAST = 0.05;
enum {
    ROWS_MOST = 12000,   // of all silenced views together: then they are thinned
    BAR_STARTS_LESS = 8, // where a unit has many places, a fit takes that much longer
};

ReductionTask reduce_task(const Reduce *reduce, int channels)
{
    return (ReductionTask){
        .bins = reduce->bins,
        .units = channels,
        .places = reduce->places,
        .stride = reduce->steps_count * reduce->places,
        .outputs = reduce->outputs,
        .rest = reduce->rest,
        .centre = reduce->centre,
        .spread = reduce->spread,
        .rest_hz = reduce->rest_hz,
        .rate_scale_hz = reduce->job->file.rate_scale_hz,
    };
}

/* ---- what is fitted: the rate, the rate with each channel silenced, and with all that inhibit, where none of
 * those is missing */

/* Some of the units, and what they are to make. */
typedef struct {
    ReductionTask task;
    ReductionRow *rows; // owned
    double *weights;    // owned (trials)
    int which[REDUCE_CHANNELS_MOST];
    double rest[REDUCE_CHANNELS_MOST], centre[REDUCE_CHANNELS_MOST], spread[REDUCE_CHANNELS_MOST];
} Part;

static void take_units(const Reduce *reduce, int channels, const bool *is_left_out, Part *part)
{
    int units = 0;
    for (int u = 0; u < channels; u++) {
        if (is_left_out && is_left_out[u])
            continue;
        part->which[units] = u;
        part->rest[units] = reduce->rest[u];
        part->centre[units] = reduce->centre[u];
        part->spread[units++] = reduce->spread[u];
    }
    part->task = reduce_task(reduce, channels);
    part->task.units = units;
    part->task.which = part->which;
    part->task.rest = part->rest;
    part->task.centre = part->centre;
    part->task.spread = part->spread;
}

/* Which of the part's units inhibit; 0 where one that inhibits is not among them. */
static uint32_t inhibitors_of(const Reduce *reduce, const Part *part)
{
    uint32_t inhibitors = 0;
    int missing = 0;
    for (int c = 0; c < reduce->channels; c++)
        missing += reduce_inhibits(reduce, c);
    for (int u = 0; u < part->task.units; u++)
        if (reduce_inhibits(reduce, reduce->order[part->which[u]])) {
            inhibitors |= (uint32_t)1 << u;
            missing--;
        }
    return missing > 0 ? 0 : inhibitors;
}

static double height_of(const Reduce *reduce, int t)
{
    return peak_highest(reduce->full.rates_hz + reduce->first_bins[t], 1, 0,
                        reduce->trials[t].bins) -
           reduce->rest_hz;
}

/* weights (trials): 1 in a full field. Under bars 1 over the height of a trial above rest, 1 on average over
 * the bins, or else fast bars, which raise the rate most, would be all that is fitted; a trial lower than
 * HEIGHT_LEAST of the highest counts as one of that height. */
static void weigh_trials(const Reduce *reduce, double *weights)
{
    int trials = reduce->job->trials_count;
    double highest_hz = 1e-9, sum = 0;
    for (int t = 0; t < trials; t++)
        weights[t] = 1;
    if (reduce->places == 1)
        return;
    for (int t = 0; t < trials; t++)
        highest_hz = fmax(highest_hz, height_of(reduce, t));
    for (int t = 0; t < trials; t++) {
        weights[t] = 1 / fmax(height_of(reduce, t), HEIGHT_LEAST * highest_hz);
        sum += weights[t] * reduce->trials[t].bins;
    }
    for (int t = 0; t < trials; t++)
        weights[t] *= reduce->bins / sum;
}

static void add_view(const Reduce *reduce, Part *part, const float *rates_hz, uint32_t silent,
                     int stride)
{
    double weight = silent ? SILENCED_WEIGHT * stride : 1;
    for (int t = 0; t < reduce->job->trials_count; t++)
        for (int i = 0; i < reduce->trials[t].bins; i += stride) {
            int bin = reduce->first_bins[t] + i;
            part->rows[part->task.rows_count++] =
                (ReductionRow){bin, silent, (double)rates_hz[bin], weight * part->weights[t]};
        }
}

static void close_part(Part *part)
{
    free(part->rows);
    free(part->weights);
}

static bool open_part(const Reduce *reduce, int channels, const bool *is_left_out, Part *part)
{
    take_units(reduce, channels, is_left_out, part);
    int units = part->task.units, stride = 1 + units * reduce->bins / ROWS_MOST;
    uint32_t inhibitors = inhibitors_of(reduce, part);
    part->rows = calloc((size_t)(2 + units) * (size_t)reduce->bins, sizeof *part->rows);
    part->weights = calloc((size_t)reduce->job->trials_count, sizeof *part->weights);
    if (!part->rows || !part->weights)
        return false;
    weigh_trials(reduce, part->weights);
    part->task.rows = part->rows;
    add_view(reduce, part, reduce->full.rates_hz, 0, 1);
    for (int u = 0; u < units; u++)
        add_view(reduce, part, reduce->ablations[part->which[u]].full.rates_hz, (uint32_t)1 << u,
                 stride);
    if (inhibitors & (inhibitors - 1)) // more than one
        add_view(reduce, part, reduce->ablations[reduce->steps_count].full.rates_hz, inhibitors,
                 stride);
    return true;
}

bool reduce_fit_task(const Reduce *reduce, int channels, const bool *is_left_out,
                     const ReductionStarts *starts, ReductionNumbers *numbers)
{
    Part part = {0};
    bool ok = open_part(reduce, channels, is_left_out, &part) &&
              reduction_fit(&part.task, starts, numbers);
    close_part(&part);
    return ok;
}

int reduce_starts(const Reduce *reduce, const ReduceRule *rule)
{
    int starts = reduce->places > 1 ? rule->starts / BAR_STARTS_LESS : rule->starts;
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
                                  channels > 1 ? &step[-1].numbers : NULL, channels - 1};
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
