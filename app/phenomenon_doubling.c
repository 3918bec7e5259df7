#include <math.h>
#include <stdlib.h>

#include "app/phenomena.h"

/* Gratings that reverse: a nonlinear subunit answers both reversals of a grating too fine for the
 * cell's own field. Sinusoids in space and in time, so a rectified linear cell stays at an F2/F1 of
 * 0.42. Phases over half a cycle: the other half is the same half a period later. */

enum { PERIOD_MS = 500, SETTLE_PERIODS = 1, PERIODS = 2, PHASES = 4 };

static const double bars_um[] = {50.0, 100.0, 150.0, 200.0, 300.0, 400.0}; // half a spatial period
enum { BARS = sizeof bars_um / sizeof *bars_um };

static const double CONTRAST = 1.0;

typedef struct {
    double bar_um, phase; // of a cycle
    int period;           // bins
} Grating;

typedef struct {
    int cells;
    double *f1_hz, *f2_hz, *ratio; // (bars, cells)
    double *rest_hz, *highest_hz;  // (cells)
    PhenomenonVerdict *verdicts;   // (cells)
} Found;

static bool allocate(Found *f, int cells)
{
    f->cells = cells;
    f->f1_hz = phenomenon_grid(BARS, cells);
    f->f2_hz = phenomenon_grid(BARS, cells);
    f->ratio = phenomenon_grid(BARS, cells);
    f->rest_hz = phenomenon_grid(1, cells);
    f->highest_hz = phenomenon_grid(BARS, cells);
    f->verdicts = calloc((size_t)cells, sizeof *f->verdicts);
    return f->f1_hz && f->f2_hz && f->ratio && f->rest_hz && f->highest_hz && f->verdicts;
}

static void release(Found *f)
{
    free(f->f1_hz);
    free(f->f2_hz);
    free(f->ratio);
    free(f->rest_hz);
    free(f->highest_hz);
    free(f->verdicts);
}

static void draw_grating(const void *movie, int bin, const Raster *raster, float *contrast)
{
    const Grating *grating = movie;
    const double pi = acos(-1.0);
    double level = CONTRAST * sin(2.0 * pi * (bin + 0.5) / grating->period);
    double half = 0.5 * pi * raster->um_per_px / grating->bar_um; // phase over half a pixel
    for (int col = 0; col < raster->width_px; col++) {
        double x_um = (col + 0.5 - 0.5 * raster->width_px) * raster->um_per_px;
        double wave = sin(pi * x_um / grating->bar_um + 2.0 * pi * grating->phase);
        for (int row = 0; row < raster->height_px; row++)
            contrast[row * raster->width_px + col] = (float)(level * wave * sin(half) / half);
    }
}

/* Amplitude at `times` the reversal's frequency over whole periods. */
static double amplitude(const float *rates, size_t stride, int period, int times)
{
    double re = 0.0, im = 0.0;
    int from = SETTLE_PERIODS * period, count = PERIODS * period;
    for (int t = 0; t < count; t++) {
        double turn = 2.0 * acos(-1.0) * times * t / period;
        re += (double)rates[(size_t)(from + t) * stride] * cos(turn);
        im += (double)rates[(size_t)(from + t) * stride] * sin(turn);
    }
    return 2.0 * sqrt(re * re + im * im) / count;
}

static bool show_bars(Subject *subject, int k, Found *f)
{
    size_t cells = (size_t)f->cells;
    int period = subject_bins(subject, PERIOD_MS), bins = (SETTLE_PERIODS + PERIODS) * period;
    float *rates = malloc((size_t)bins * cells * sizeof *rates);
    bool ok = rates != NULL;
    for (int p = 0; ok && p < PHASES; p++) {
        const Grating grating = {bars_um[k], 0.5 * p / PHASES, period};
        ok = subject_show(subject, draw_grating, &grating, bins, rates);
        for (size_t c = 0; ok && c < cells; c++) {
            size_t at = (size_t)k * cells + c;
            f->f1_hz[at] += amplitude(rates + c, cells, period, 1) / PHASES;
            f->f2_hz[at] += amplitude(rates + c, cells, period, 2) / PHASES;
            f->rest_hz[c] = (double)rates[c];
            f->highest_hz[at] =
                fmax(f->highest_hz[at], peak_highest(rates + c, cells, period, bins));
        }
    }
    free(rates);
    return ok;
}

static PhenomenonVerdict judge_cell(Found *f, int c)
{
    double highest_hz = 0.0, finest = (double)NAN, coarsest = (double)NAN;
    for (int k = 0; k < BARS; k++)
        highest_hz = fmax(highest_hz, f->highest_hz[k * f->cells + c]);
    for (int k = 0; k < BARS; k++) {
        int at = k * f->cells + c;
        bool answers = f->highest_hz[at] > phenomenon_least_hz(f->rest_hz[c], highest_hz);
        f->ratio[at] = answers && f->f1_hz[at] > 0.0 ? f->f2_hz[at] / f->f1_hz[at] : (double)NAN;
        if (isnan(f->ratio[at]))
            continue;
        finest = isnan(finest) ? f->ratio[at] : finest;
        coarsest = f->ratio[at];
    }
    if (!(finest > 1.0))
        return PHENOMENON_ABSENT;
    return coarsest < 1.0 ? PHENOMENON_HOLDS : PHENOMENON_PARTLY;
}

static void report(const Subject *subject, const Found *f, PhenomenonResult *result)
{
    double f1[BARS], f2[BARS], ratio[BARS];
    phenomenon_medians(f->f1_hz, BARS, f->cells, f1);
    phenomenon_medians(f->f2_hz, BARS, f->cells, f2);
    phenomenon_medians(f->ratio, BARS, f->cells, ratio);
    json_t *cells = json_array();
    for (int c = 0; c < f->cells; c++) {
        size_t stride = (size_t)f->cells;
        json_array_append_new(cells,
                              json_pack("{ss ss so so so}", "name", subject->info->cell_names[c],
                                        "verdict", phenomenon_verdicts[f->verdicts[c]], "ratio",
                                        phenomenon_array(f->ratio + c, stride, BARS), "f1_hz",
                                        phenomenon_array(f->f1_hz + c, stride, BARS), "f2_hz",
                                        phenomenon_array(f->f2_hz + c, stride, BARS)));
    }
    result->numbers =
        json_pack("{so so so so so}", "bars_um", phenomenon_array(bars_um, 1, BARS), "ratio",
                  phenomenon_array(ratio, 1, BARS), "f1_hz", phenomenon_array(f1, 1, BARS), "f2_hz",
                  phenomenon_array(f2, 1, BARS), "cells", cells);
    const double shown[] = {ratio[0], ratio[1], ratio[3], ratio[BARS - 1]};
    phenomenon_say(result,
                   "F2/F1 for bars of 50, 100, 200, 400 um:", (PhenomenonNumber){2, false, ""},
                   shown, 4);
    double share[BARS];
    for (int k = 0; k < BARS; k++)
        share[k] = ratio[k] / (1.0 + ratio[k]);
    phenomenon_curve(&result->panels[0], "F2 of both (half: F2 = F1)", bars_um, share, 1, BARS);
    phenomenon_curve(&result->panels[1], "F1", bars_um, f1, 1, BARS);
    phenomenon_curve(&result->panels[1], "F2", bars_um, f2, 1, BARS);
}

static bool measure(Subject *subject, PhenomenonResult *result)
{
    Found found = {0};
    result->panels[0] = (PhenomenonPanel){.title = "Second harmonic's share, median",
                                          .x_name = "width of a bar (um)",
                                          .y_name = "F2/(F1 + F2)"};
    result->panels[1] = (PhenomenonPanel){.title = "Amplitude, mean over phases, median",
                                          .x_name = "width of a bar (um)",
                                          .y_name = "Hz"};
    bool ok = allocate(&found, subject->info->cells);
    for (int k = 0; ok && k < BARS; k++)
        ok = show_bars(subject, k, &found);
    for (int c = 0; ok && c < found.cells; c++) {
        found.verdicts[c] = judge_cell(&found, c);
        double least = 0.0;
        for (int k = 0; k < BARS; k++)
            least = fmax(least, found.ratio[k * found.cells + c]);
        result->answering += least > 0.0;
    }
    if (ok) {
        phenomenon_judge(result, found.verdicts, found.cells);
        report(subject, &found, result);
    }
    release(&found);
    return ok;
}

const Phenomenon phenomenon_frequency_doubling = {
    .name = "frequency_doubling",
    .rule =
        "Sinusoidal gratings of bars 50 to 400 um wide, contrast 1, reversing sinusoidally at 2 "
        "Hz; amplitudes at 2 Hz (F1) and 4 Hz (F2), each a mean over 4 phases within half a "
        "cycle. A grating is answered when the rate rises above the rate at rest by a quarter "
        "of it and by 2 % of the cell's highest rate. Holds: F2/F1 above 1 for the finest "
        "grating answered and below 1 for the coarsest. Partly: above 1 for both. Absent: else; "
        "a rectified linear cell has 0.42.",
    .measure = measure,
};
