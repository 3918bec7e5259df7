#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/phenomena.h"

/* A full-field step that stays (Tanaka et al. 2019; the figure's contrasts), dark and bright. */

enum { WINDOW_MS = 300 };

static const double contrasts[] = {0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 1.9};
enum { CONTRASTS = sizeof contrasts / sizeof *contrasts, STEPS = CONTRASTS - 1 };

static const double FALL_MS = 15.0, TOLERANCE_BINS = 0.5;

typedef struct {
    int cells;
    double *dark_ms, *dark_hz, *bright_ms, *bright_hz; // (contrasts, cells)
    double *rest_hz, *highest_hz;                      // (cells)
    double *fall_ms;                                   // (cells)
    PhenomenonVerdict *verdicts;                       // (cells)
} Found;

static void draw_step(const void *movie, int bin, const Raster *raster, float *contrast)
{
    (void)bin;
    subject_fill(raster, *(const double *)movie, contrast);
}

static bool allocate(Found *f, int cells)
{
    double **grids[] = {&f->dark_ms, &f->dark_hz,    &f->bright_ms, &f->bright_hz,
                        &f->rest_hz, &f->highest_hz, &f->fall_ms};
    bool ok = true;
    f->cells = cells;
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
        *grids[i] = calloc(CONTRASTS * (size_t)cells, sizeof(double));
        ok = ok && *grids[i];
    }
    f->verdicts = calloc((size_t)cells, sizeof *f->verdicts);
    return ok && f->verdicts;
}

static void release(Found *f)
{
    double *grids[] = {f->dark_ms, f->dark_hz,    f->bright_ms, f->bright_hz,
                       f->rest_hz, f->highest_hz, f->fall_ms};
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++)
        free(grids[i]);
    free(f->verdicts);
}

static void keep_trace(const Subject *subject, int k, const float *rates, int bins,
                       PhenomenonPanel *panel)
{
    double x[PHENOMENA_POINTS], y[PHENOMENA_POINTS];
    int cells = subject->info->cells;
    int count = bins < PHENOMENA_POINTS ? bins : PHENOMENA_POINTS;
    for (int t = 0; t < count; t++) {
        x[t] = (t + 0.5) * subject->bin_ms;
        y[t] = 0.0;
        for (int c = 0; c < cells; c++)
            y[t] += (double)rates[t * cells + c] / cells;
    }
    char label[32];
    snprintf(label, sizeof label, "contrast −%.1f", contrasts[k]);
    phenomenon_curve(panel, label, x, y, 1, count);
}

static bool show_steps(Subject *subject, double sign, Found *f, PhenomenonPanel *panel)
{
    size_t cells = (size_t)f->cells;
    int bins = subject_bins(subject, WINDOW_MS);
    float *rates = malloc((size_t)bins * cells * sizeof *rates);
    bool ok = rates != NULL;
    for (size_t k = 0; ok && k < CONTRASTS; k++) {
        double contrast = sign * contrasts[k];
        ok = subject_show(subject, draw_step, &contrast, bins, rates);
        for (size_t c = 0; ok && c < cells; c++) {
            Peak peak = peak_find(rates + c, cells, 0, bins);
            (sign < 0.0 ? f->dark_ms : f->bright_ms)[k * cells + c] =
                (peak.at + 0.5) * subject->bin_ms;
            (sign < 0.0 ? f->dark_hz : f->bright_hz)[k * cells + c] = peak.height;
            f->rest_hz[c] = (double)rates[c];
            f->highest_hz[c] = fmax(f->highest_hz[c], peak_highest(rates + c, cells, 0, bins));
        }
        if (ok && sign < 0.0 && (k == 1 || k == 3 || k == 6 || k == CONTRASTS - 1))
            keep_trace(subject, (int)k, rates, bins, panel);
    }
    free(rates);
    return ok;
}

// what does not rise clear of the rate at rest is no answer
static void drop_silent(Found *f, int c)
{
    double least_hz = phenomenon_least_hz(f->rest_hz[c], f->highest_hz[c]);
    for (int k = 0; k < CONTRASTS; k++) {
        int at = k * f->cells + c;
        if (!(f->dark_hz[at] > least_hz))
            f->dark_ms[at] = f->dark_hz[at] = (double)NAN;
        if (!(f->bright_hz[at] > least_hz))
            f->bright_ms[at] = f->bright_hz[at] = (double)NAN;
    }
}

static PhenomenonVerdict judge_cell(Found *f, int c, double tolerance_ms)
{
    double before = (double)NAN, first = (double)NAN, last = (double)NAN;
    int answered = 0;
    bool is_falling = true;
    for (int k = 1; k < CONTRASTS; k++) {
        double latency = f->dark_ms[k * f->cells + c];
        if (isnan(latency))
            continue;
        first = answered++ ? first : latency;
        is_falling = is_falling && !(latency > before + tolerance_ms);
        before = last = latency;
    }
    f->fall_ms[c] = first - last;
    if (!isnan(f->dark_ms[c]) || !(f->fall_ms[c] >= FALL_MS))
        return PHENOMENON_ABSENT;
    return is_falling && 4 * answered >= 3 * STEPS ? PHENOMENON_HOLDS : PHENOMENON_PARTLY;
}

static void report(const Subject *subject, const Found *f, PhenomenonResult *result)
{
    double dark[CONTRASTS], bright[CONTRASTS], dark_hz[CONTRASTS], bright_hz[CONTRASTS];
    phenomenon_medians(f->dark_ms, CONTRASTS, f->cells, dark);
    phenomenon_medians(f->bright_ms, CONTRASTS, f->cells, bright);
    phenomenon_medians(f->dark_hz, CONTRASTS, f->cells, dark_hz);
    phenomenon_medians(f->bright_hz, CONTRASTS, f->cells, bright_hz);
    double fall_ms = stat_median(f->fall_ms, 1, (size_t)f->cells);
    json_t *cells = json_array();
    for (int c = 0; c < f->cells; c++) {
        size_t stride = (size_t)f->cells;
        json_array_append_new(
            cells, json_pack("{ss ss so so so so so}", "name", subject->info->cell_names[c],
                             "verdict", phenomenon_verdicts[f->verdicts[c]], "fall_ms",
                             json_number(f->fall_ms[c]), "dark_ms",
                             phenomenon_array(f->dark_ms + c, stride, CONTRASTS), "dark_hz",
                             phenomenon_array(f->dark_hz + c, stride, CONTRASTS), "bright_ms",
                             phenomenon_array(f->bright_ms + c, stride, CONTRASTS), "bright_hz",
                             phenomenon_array(f->bright_hz + c, stride, CONTRASTS)));
    }
    result->numbers = json_pack(
        "{so so so so so so so}", "contrasts", phenomenon_array(contrasts, 1, CONTRASTS), "dark_ms",
        phenomenon_array(dark, 1, CONTRASTS), "dark_hz", phenomenon_array(dark_hz, 1, CONTRASTS),
        "bright_ms", phenomenon_array(bright, 1, CONTRASTS), "bright_hz",
        phenomenon_array(bright_hz, 1, CONTRASTS), "fall_ms", json_number(fall_ms), "cells",
        cells);
    const double shown[] = {dark[1], dark[3], dark[5], dark[CONTRASTS - 1]};
    phenomenon_say(result, "peak for dark steps of 0.1, 0.3, 0.7, 1.9:",
                   (PhenomenonNumber){0, false, " ms"}, shown, 4);
    phenomenon_say(result, "fall", (PhenomenonNumber){0, false, " ms"}, &fall_ms, 1);
    phenomenon_curve(&result->panels[1], "dark step", contrasts, dark, 1, CONTRASTS);
    phenomenon_curve(&result->panels[1], "bright step", contrasts, bright, 1, CONTRASTS);
}

static bool measure(Subject *subject, PhenomenonResult *result)
{
    Found found = {0};
    result->panels[0] = (PhenomenonPanel){.title = "Dark step at 0 ms, mean of all cells",
                                          .x_name = "ms after the step",
                                          .y_name = "rate (Hz)"};
    result->panels[1] = (PhenomenonPanel){.title = "Time of the peak, median",
                                          .x_name = "contrast of the step",
                                          .y_name = "ms after the step"};
    bool ok = allocate(&found, subject->info->cells) &&
              show_steps(subject, -1.0, &found, &result->panels[0]) &&
              show_steps(subject, 1.0, &found, &result->panels[0]);
    for (int c = 0; ok && c < found.cells; c++) {
        drop_silent(&found, c);
        found.verdicts[c] = judge_cell(&found, c, TOLERANCE_BINS * subject->bin_ms);
        result->answering += !isnan(found.fall_ms[c]);
    }
    if (ok) {
        phenomenon_judge(result, found.verdicts, found.cells);
        report(subject, &found, result);
    }
    release(&found);
    return ok;
}

const Phenomenon phenomenon_latency_coding = {
    .name = "latency_coding",
    .rule =
        "A full-field dark step of contrast 0.1 … 1.9; latency is the time of the highest local "
        "maximum within 300 ms, if it rises above the rate at rest by a quarter of it and by 2 % "
        "of the cell's highest rate. Holds: at least three quarters of the steps are answered, "
        "the latency falls from the weakest to the strongest by 15 ms or more, and never rises "
        "by more than half a bin from one contrast to the next. Partly: it falls by 15 ms or "
        "more, but not so. Absent: else, or when there is a latency at contrast 0.",
    .measure = measure,
};
