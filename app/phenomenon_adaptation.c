#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/bar_noise.h"
#include "app/draws.h"
#include "app/phenomena.h"

/* Fast contrast adaptation (Maheswaranathan et al. 2023): the filter of full-field flicker by
 * contrast. Gain is the length of the filter, the slope of the rate on the light seen through the
 * filter of unit length; its frequency is the centre of gravity of its power over 0 … 15 Hz. */

static const double contrasts[] = {0.5, 1.0, 1.5, 2.0};
enum {
    CONTRASTS = sizeof contrasts / sizeof *contrasts,
    FREQUENCIES = 7,
    LOW_MS = 1000,
    HIGH_MS = 2000,
    EARLY_MS = 300,
    REPEATS = 6,
    SEED = 1,
    STREAM = 32,
};

static const double STEP_HZ = 2.5, GAIN_FALL = 0.8, FREQUENCY_RISE = 1.05;

typedef struct {
    int cells;
    double *gain, *frequency_hz, *peak_ms; // (contrasts, cells)
    double *early_hz, *late_hz;            // (cells)
    PhenomenonVerdict *verdicts;           // (cells)
} Found;

typedef struct {
    const float *light; // (bins)
} Flicker;

static bool allocate(Found *f, int cells)
{
    f->cells = cells;
    f->gain = phenomenon_grid(CONTRASTS, cells);
    f->frequency_hz = phenomenon_grid(CONTRASTS, cells);
    f->peak_ms = phenomenon_grid(CONTRASTS, cells);
    f->early_hz = phenomenon_grid(1, cells);
    f->late_hz = phenomenon_grid(1, cells);
    f->verdicts = calloc((size_t)cells, sizeof *f->verdicts);
    return f->early_hz && f->late_hz && f->gain && f->frequency_hz && f->peak_ms && f->verdicts;
}

static void release(Found *f)
{
    free(f->gain);
    free(f->frequency_hz);
    free(f->peak_ms);
    free(f->early_hz);
    free(f->late_hz);
    free(f->verdicts);
}

static double length_of(const double *filter, int lags)
{
    double sum = 0.0;
    for (int lag = 0; lag < lags; lag++)
        sum += filter[lag] * filter[lag];
    return sqrt(sum);
}

static double frequency_of(const double *filter, int lags, double bin_ms)
{
    double weight = 0.0, moment = 0.0;
    for (int k = 0; k < FREQUENCIES; k++) {
        double re = 0.0, im = 0.0, turn = 2.0 * acos(-1.0) * STEP_HZ * k * bin_ms * 1e-3;
        for (int lag = 0; lag < lags; lag++) {
            re += filter[lag] * cos(turn * lag);
            im += filter[lag] * sin(turn * lag);
        }
        weight += re * re + im * im;
        moment += (re * re + im * im) * STEP_HZ * k;
    }
    return weight > 0.0 ? moment / weight : (double)NAN;
}

// time of the largest excursion, negative when it is to the dark
static double peak_of(const double *filter, int lags, double bin_ms)
{
    int top = 0;
    for (int lag = 1; lag < lags; lag++)
        top = fabs(filter[lag]) > fabs(filter[top]) ? lag : top;
    return fabs(filter[top]) > 0.0 ? copysign((top + 0.5) * bin_ms, filter[top]) : (double)NAN;
}

static void keep_filter(const Subject *subject, const BarKernel *kernel, double contrast,
                        PhenomenonPanel *panel)
{
    double x[PHENOMENA_POINTS], y[PHENOMENA_POINTS];
    int lags = kernel->lags < PHENOMENA_POINTS ? kernel->lags : PHENOMENA_POINTS;
    for (int lag = 0; lag < lags; lag++) {
        x[lag] = (lag + 0.5) * subject->bin_ms;
        y[lag] = 0.0;
        for (int c = 0; c < kernel->cells; c++)
            y[lag] += kernel->kernel[c * kernel->lags + lag] / kernel->cells;
    }
    char label[32];
    snprintf(label, sizeof label, "contrast %.1f", contrast);
    phenomenon_curve(panel, label, x, y, 1, lags);
}

static bool show_contrast(Subject *subject, int k, Found *f, PhenomenonPanel *panel)
{
    BarKernel kernel;
    if (!flicker_noise_fit(subject, contrasts[k], &kernel))
        return false;
    for (int c = 0; c < f->cells; c++) {
        const double *filter = kernel.kernel + (ptrdiff_t)c * kernel.lags;
        size_t at = (size_t)k * (size_t)f->cells + (size_t)c;
        f->gain[at] = length_of(filter, kernel.lags);
        f->frequency_hz[at] = frequency_of(filter, kernel.lags, subject->bin_ms);
        f->peak_ms[at] = peak_of(filter, kernel.lags, subject->bin_ms);
    }
    keep_filter(subject, &kernel, contrasts[k], panel);
    bar_noise_finish(&kernel);
    return true;
}

static void draw_flicker(const void *movie, int bin, const Raster *raster, float *contrast)
{
    const Flicker *flicker = movie;
    subject_fill(raster, (double)flicker->light[bin], contrast);
}

// Gaussian flicker, low then high
static void fill_step(const Subject *subject, int repeat, float *light)
{
    int low = subject_bins(subject, LOW_MS), high = subject_bins(subject, HIGH_MS);
    Draws draws = draws_start(SEED, STREAM, (uint32_t)repeat);
    for (int t = 0; t < low + high; t++)
        light[t] = (float)(contrasts[t < low ? 0 : CONTRASTS - 1] * draw_normal(&draws));
}

static bool show_steps(Subject *subject, Found *f)
{
    int low = subject_bins(subject, LOW_MS), early = low + subject_bins(subject, EARLY_MS);
    int bins = low + subject_bins(subject, HIGH_MS), late = low + (bins - low) / 2;
    size_t cells = (size_t)f->cells;
    float *light = malloc((size_t)bins * sizeof *light);
    float *rates = malloc((size_t)bins * cells * sizeof *rates);
    bool ok = light && rates;
    for (int i = 0; ok && i < REPEATS; i++) {
        fill_step(subject, i, light);
        const Flicker flicker = {light};
        ok = subject_show(subject, draw_flicker, &flicker, bins, rates);
        for (int t = low; ok && t < bins; t++)
            for (size_t c = 0; c < cells; c++) {
                double hz = (double)rates[(size_t)t * cells + c] / REPEATS;
                f->early_hz[c] += t < early ? hz / (early - low) : 0.0;
                f->late_hz[c] += t >= late ? hz / (bins - late) : 0.0;
            }
    }
    free(light);
    free(rates);
    return ok;
}

static PhenomenonVerdict judge_cell(const Found *f, int c)
{
    const double *gain = f->gain + c, *frequency_hz = f->frequency_hz + c;
    int last = (CONTRASTS - 1) * f->cells;
    bool falls = gain[last] <= GAIN_FALL * gain[0] && gain[0] > 0.0;
    bool quickens = frequency_hz[last] >= FREQUENCY_RISE * frequency_hz[0];
    return falls && quickens ? PHENOMENON_HOLDS : falls ? PHENOMENON_PARTLY : PHENOMENON_ABSENT;
}

static void report(const Subject *subject, const Found *f, PhenomenonResult *result)
{
    double gain[CONTRASTS], frequency_hz[CONTRASTS], peak_ms[CONTRASTS];
    phenomenon_medians(f->gain, CONTRASTS, f->cells, gain);
    phenomenon_medians(f->frequency_hz, CONTRASTS, f->cells, frequency_hz);
    phenomenon_medians(f->peak_ms, CONTRASTS, f->cells, peak_ms);
    const double rates[] = {stat_median(f->early_hz, 1, (size_t)f->cells),
                            stat_median(f->late_hz, 1, (size_t)f->cells)};
    json_t *cells = json_array();
    for (int c = 0; c < f->cells; c++) {
        size_t stride = (size_t)f->cells;
        json_array_append_new(
            cells, json_pack("{ss ss so so so so so}", "name", subject->info->cell_names[c],
                             "verdict", phenomenon_verdicts[f->verdicts[c]], "gain_hz",
                             phenomenon_array(f->gain + c, stride, CONTRASTS), "frequency_hz",
                             phenomenon_array(f->frequency_hz + c, stride, CONTRASTS), "peak_ms",
                             phenomenon_array(f->peak_ms + c, stride, CONTRASTS), "early_hz",
                             json_number(f->early_hz[c]), "late_hz",
                             json_number(f->late_hz[c])));
    }
    result->numbers =
        json_pack("{so so so so so so so}", "contrasts", phenomenon_array(contrasts, 1, CONTRASTS),
                  "gain_hz", phenomenon_array(gain, 1, CONTRASTS), "frequency_hz",
                  phenomenon_array(frequency_hz, 1, CONTRASTS), "peak_ms",
                  phenomenon_array(peak_ms, 1, CONTRASTS), "early_hz", json_number(rates[0]),
                  "late_hz", json_number(rates[1]), "cells", cells);
    phenomenon_say(result,
                   "gain at contrast 0.5, 1, 1.5, 2:", (PhenomenonNumber){2, false, " Hz a unit"},
                   gain, CONTRASTS);
    phenomenon_say(result, "filter", (PhenomenonNumber){1, false, " Hz"}, frequency_hz, CONTRASTS);
    phenomenon_say(result, "peak", (PhenomenonNumber){0, true, " ms"}, peak_ms, CONTRASTS);
    phenomenon_say(result, "rate early, late after a step:", (PhenomenonNumber){1, false, " Hz"},
                   rates, 2);
    double relative[CONTRASTS], quicker[CONTRASTS];
    for (int k = 0; k < CONTRASTS; k++) {
        relative[k] = gain[k] / gain[0];
        quicker[k] = frequency_hz[k] / frequency_hz[0];
    }
    phenomenon_curve(&result->panels[1], "gain", contrasts, relative, 1, CONTRASTS);
    phenomenon_curve(&result->panels[1], "frequency of the filter", contrasts, quicker, 1,
                     CONTRASTS);
}

static bool measure(Subject *subject, PhenomenonResult *result)
{
    Found found = {0};
    result->panels[0] =
        (PhenomenonPanel){.title = "Filter of full-field flicker, mean of all cells",
                          .x_name = "ms before the response",
                          .y_name = "Hz a unit of contrast"};
    result->panels[1] = (PhenomenonPanel){.title = "Relative to contrast 0.5, median",
                                          .x_name = "contrast",
                                          .y_name = "relative to contrast 0.5"};
    bool ok = allocate(&found, subject->info->cells);
    for (int k = 0; ok && k < CONTRASTS; k++)
        ok = show_contrast(subject, k, &found, &result->panels[0]);
    ok = ok && show_steps(subject, &found);
    for (int c = 0; ok && c < found.cells; c++) {
        found.verdicts[c] = judge_cell(&found, c);
        result->answering += found.gain[(CONTRASTS - 1) * found.cells + c] > 0.0;
    }
    if (ok) {
        phenomenon_judge(result, found.verdicts, found.cells);
        report(subject, &found, result);
    }
    release(&found);
    return ok;
}

const Phenomenon phenomenon_contrast_adaptation = {
    .name = "contrast_adaptation",
    .rule =
        "Full-field binary white noise of contrast 0.5, 1, 1.5 and 2; gain is the length of the "
        "filter by reverse correlation, its frequency the centre of gravity of its power over 0 "
        "to 15 Hz. Holds: from contrast 0.5 to 2 the gain falls to 0.8 or less and the frequency "
        "rises by 5 % or more. Partly: only the gain falls so. Absent: else. Also shown: when "
        "the filter peaks (negative: to the dark), and the mean rate early (first 300 ms) and "
        "late (second 1) after a step from contrast 0.5 to 2.",
    .measure = measure,
};
