#include <math.h>
#include <stdlib.h>

#include "app/leaves.h"
#include "app/phenomena.h"

/* Does the sign of what a cell answers to change with the scene (Maheswaranathan et al. 2023)? The
 * gradient of its rate with respect to the light of the whole field in each of the last bins, by
 * finite differences while natural-like images are shown, against its mean over time. Pulses of
 * one shown movie are as far apart as the gradient reaches back, so one showing gives one lag. */

enum { MOVIE_MS = 6000, LAGS_MS = 200, SETTLE_MS = 400, SEED = 1, STREAM = 31 };

static const double PULSE = 0.1, LEAF_CONTRAST = 0.4, LEAST_SHARE = 0.001, MOST_SHARE = 0.999;
static const double LEAST_LENGTH = 0.01; // of the root mean square length of the gradient

typedef struct {
    const float *light; // (bins, points), contrast
    int points;
    int spacing, offset; // bins; a pulse where bin % spacing == offset; offset −1: none
} Scenes;

typedef struct {
    int cells, bins, lags;
    float *light, *plain, *pulsed; // (bins, points), (bins, cells) twice
    float *gradient;               // (cells, bins, lags)
    double *share;                 // (cells)
    PhenomenonVerdict *verdicts;   // (cells)
} Found;

static void draw_scene(const void *movie, int bin, const Raster *raster, float *contrast)
{
    (void)raster;
    const Scenes *scenes = movie;
    double pulse = bin % scenes->spacing == scenes->offset ? PULSE : 0.0;
    const float *light = scenes->light + (ptrdiff_t)bin * scenes->points;
    for (int i = 0; i < scenes->points; i++)
        contrast[i] = (float)((double)light[i] + pulse);
}

static bool fill_light(const Subject *subject, Found *f, int points)
{
    Leaves *leaves = leaves_create(&subject->raster, subject->info->bin_hz);
    Draws draws = draws_start(SEED, STREAM, 0);
    if (!leaves)
        return false;
    leaves_lay(leaves, &draws, LEAF_CONTRAST);
    for (int bin = 0; bin < f->bins; bin++) {
        float *light = f->light + (ptrdiff_t)bin * points;
        leaves_view(leaves, &draws, light);
        for (int i = 0; i < points; i++) // mean 0, SD 1, but for what was clipped
            light[i] = (float)(((double)light[i] - 0.5) / (0.5 * LEAF_CONTRAST));
    }
    leaves_destroy(leaves);
    return true;
}

static bool allocate(const Subject *subject, Found *f)
{
    size_t points = (size_t)subject->raster.width_px * (size_t)subject->raster.height_px;
    f->cells = subject->info->cells;
    f->bins = subject_bins(subject, MOVIE_MS);
    f->lags = subject_bins(subject, LAGS_MS);
    size_t cells = (size_t)f->cells, bins = (size_t)f->bins;
    f->light = calloc(bins * points, sizeof *f->light);
    f->plain = calloc(bins * cells, sizeof *f->plain);
    f->pulsed = calloc(bins * cells, sizeof *f->pulsed);
    f->gradient = calloc(bins * cells * (size_t)f->lags, sizeof *f->gradient);
    f->share = phenomenon_grid(1, f->cells);
    f->verdicts = calloc(cells, sizeof *f->verdicts);
    return f->light && f->plain && f->pulsed && f->gradient && f->share && f->verdicts &&
           fill_light(subject, f, (int)points);
}

static void release(Found *f)
{
    free(f->light);
    free(f->plain);
    free(f->pulsed);
    free(f->gradient);
    free(f->share);
    free(f->verdicts);
}

static bool show_pulses(Subject *subject, Found *f)
{
    Scenes scenes = {f->light, subject->raster.width_px * subject->raster.height_px, f->lags, -1};
    if (!subject_show(subject, draw_scene, &scenes, f->bins, f->plain))
        return false;
    for (scenes.offset = 0; scenes.offset < f->lags; scenes.offset++) {
        if (!subject_show(subject, draw_scene, &scenes, f->bins, f->pulsed))
            return false;
        for (int t = 0; t < f->bins; t++)
            for (int c = 0; c < f->cells; c++) {
                int lag = (t - scenes.offset + f->lags) % f->lags, at = t * f->cells + c;
                f->gradient[((ptrdiff_t)c * f->bins + t) * f->lags + lag] =
                    (float)((double)(f->pulsed[at] - f->plain[at]) / PULSE);
            }
    }
    return true;
}

static double product(const float *a, const double *b, int count)
{
    double sum = 0.0;
    for (int i = 0; i < count; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* The share of bins, among those with a gradient, whose gradient points away from its mean. */
static double share_reversed(const Found *f, int first, int c)
{
    const float *gradient = f->gradient + (ptrdiff_t)c * f->bins * f->lags;
    double *mean = phenomenon_grid(1, f->lags), power = 0.0;
    int counted = 0, reversed = 0;
    for (int t = first; mean && t < f->bins; t++)
        for (int lag = 0; lag < f->lags; lag++) {
            double value = (double)gradient[t * f->lags + lag];
            mean[lag] += value / (f->bins - first);
            power += value * value / (f->bins - first);
        }
    for (int t = first; mean && t < f->bins; t++) {
        double length = 0.0, along = product(gradient + t * f->lags, mean, f->lags);
        for (int lag = 0; lag < f->lags; lag++)
            length += pow((double)gradient[t * f->lags + lag], 2.0);
        if (!(length > LEAST_LENGTH * LEAST_LENGTH * power))
            continue;
        counted++;
        reversed += along < 0.0;
    }
    free(mean);
    return counted > 0 ? (double)reversed / counted : (double)NAN;
}

static void report(const Subject *subject, const Found *f, PhenomenonResult *result)
{
    double share = stat_median(f->share, 1, (size_t)f->cells);
    json_t *cells = json_array();
    for (int c = 0; c < f->cells; c++)
        json_array_append_new(cells, json_pack("{ss ss so}", "name", subject->info->cell_names[c],
                                               "verdict", phenomenon_verdicts[f->verdicts[c]],
                                               "share", json_number(f->share[c])));
    result->numbers = json_pack("{so so}", "share", json_number(share), "cells", cells);
    phenomenon_say(result, "share of bins with reversed sign", (PhenomenonNumber){3, false, ""},
                   &share, 1);
    double number[PHENOMENA_POINTS], x[PHENOMENA_POINTS], y[PHENOMENA_POINTS];
    int shown = f->cells < PHENOMENA_POINTS ? f->cells : PHENOMENA_POINTS;
    for (int c = 0; c < shown; c++)
        number[c] = c + 1;
    phenomenon_curve(&result->panels[1], "reversed", number, f->share, 1, shown)->is_scatter = true;
    for (int lag = 0; lag < f->lags && lag < PHENOMENA_POINTS; lag++) {
        x[lag] = (lag + 0.5) * subject->bin_ms;
        y[lag] = 0.0;
        for (int i = 0; i < f->cells * f->bins; i++)
            y[lag] += (double)f->gradient[(ptrdiff_t)i * f->lags + lag] / (f->cells * f->bins);
    }
    phenomenon_curve(&result->panels[0], "gradient", x, y, 1,
                     f->lags < PHENOMENA_POINTS ? f->lags : PHENOMENA_POINTS);
}

static bool measure(Subject *subject, PhenomenonResult *result)
{
    Found found = {0};
    result->panels[0] = (PhenomenonPanel){.title = "Gradient to full-field light, mean of all",
                                          .x_name = "ms before the response",
                                          .y_name = "Hz a unit of contrast"};
    result->panels[1] = (PhenomenonPanel){
        .title = "Bins in which the gradient is reversed", .x_name = "cell", .y_name = "share"};
    bool ok = allocate(subject, &found) && show_pulses(subject, &found);
    int first = subject_bins(subject, SETTLE_MS);
    for (int c = 0; ok && c < found.cells; c++) {
        found.share[c] = share_reversed(&found, first, c);
        found.verdicts[c] = found.share[c] > LEAST_SHARE && found.share[c] < MOST_SHARE
                                ? PHENOMENON_HOLDS
                                : PHENOMENON_ABSENT;
        result->answering += !isnan(found.share[c]);
    }
    if (ok) {
        phenomenon_judge(result, found.verdicts, found.cells);
        report(subject, &found, result);
    }
    release(&found);
    return ok;
}

const Phenomenon phenomenon_polarity_reversal = {
    .name = "polarity_reversal",
    .rule =
        "6 s of natural-like images (occluding patches, a moving eye), SD 1; the gradient of the "
        "rate with respect to the light of the whole field in each of the last 20 bins, by "
        "finite differences of 0.1. A bin counts when its gradient is longer than 1 % of the "
        "root mean square; it is reversed when its product with the mean gradient is negative. "
        "Holds: a share of reversed bins above 0.001 and below 0.999. Absent: else; a linear "
        "filter before a rising nonlinearity has exactly 0.",
    .measure = measure,
};
