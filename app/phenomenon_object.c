#include <math.h>
#include <stdlib.h>

#include "app/phenomena.h"

/* A grating in a disc around the cell jumps, and the grating around it jumps with it (global) or
 * stays (differential), as an object moving on its own; after Olveczky, Baccus & Meister 2003. */

enum { BEFORE_MS = 700, JUMP_MS = 70, AFTER_MS = 400, PHASES = 2, CONDITIONS = 2 };

static const double BAR_UM = 150.0, RADIUS_UM = 250.0, JUMP_UM = 250.0, CONTRAST = 1.0;
static const double HOLDS_RATIO = 1.25, PARTLY_RATIO = 1.05;

typedef struct {
    double x_um, y_um; // of the disc
    double phase;      // of a cycle
    int jump, moving;  // bins: when it begins, how long it lasts
    bool is_global;
} Object;

typedef struct {
    int cells;
    double *response_hz;       // (differential and global, cells), peak after the jump above before
    double *before_hz, *ratio; // (cells)
    PhenomenonVerdict *verdicts; // (cells)
} Found;

static double wave(double x_um, double phase)
{
    double at = x_um / (2.0 * BAR_UM) + phase;
    return at - floor(at) < 0.5 ? CONTRAST : -CONTRAST;
}

static void draw_object(const void *movie, int bin, const Raster *raster, float *contrast)
{
    enum { PARTS = 5 }; // of a pixel, across the bars
    const Object *object = movie;
    double gone = fmin(1.0, fmax(0.0, (double)(bin - object->jump + 1) / object->moving));
    for (int row = 0; row < raster->height_px; row++)
        for (int col = 0; col < raster->width_px; col++) {
            double x = (col + 0.5 - 0.5 * raster->width_px) * raster->um_per_px - object->x_um;
            double y = (0.5 * raster->height_px - row - 0.5) * raster->um_per_px - object->y_um;
            bool moves = object->is_global || x * x + y * y <= RADIUS_UM * RADIUS_UM;
            double shift_um = moves ? gone * JUMP_UM : 0.0, sum = 0.0;
            for (int i = 0; i < PARTS; i++)
                sum += wave(x + ((i + 0.5) / PARTS - 0.5) * raster->um_per_px - shift_um,
                            object->phase);
            contrast[row * raster->width_px + col] = (float)(sum / PARTS);
        }
}

static void add_trace(const Subject *subject, const float *rates, int cell, int jump, int bins,
                      double *sum)
{
    int from = jump - subject_bins(subject, 100);
    for (int t = from; t < bins && t - from < PHENOMENA_POINTS; t++)
        sum[t - from] +=
            (double)rates[t * subject->info->cells + cell] / (PHASES * subject->info->cells);
}

static bool show_cell(Subject *subject, int c, Found *f, double (*sums)[PHENOMENA_POINTS])
{
    size_t cells = (size_t)f->cells;
    int jump = subject_bins(subject, BEFORE_MS), bins = jump + subject_bins(subject, AFTER_MS);
    float *rates = malloc((size_t)bins * cells * sizeof *rates);
    bool ok = rates != NULL;
    for (int i = 0; ok && i < CONDITIONS * PHASES; i++) {
        const Object object = {subject->x_um[c],
                               subject->y_um[c],
                               0.5 * (i % PHASES) / PHASES,
                               jump,
                               subject_bins(subject, JUMP_MS),
                               i / PHASES == 1};
        ok = subject_show(subject, draw_object, &object, bins, rates);
        if (!ok)
            break;
        double before_hz = (double)rates[(size_t)(jump - 1) * cells + (size_t)c];
        double peak_hz = peak_highest(rates + c, cells, jump, bins);
        f->response_hz[(size_t)(i / PHASES) * cells + (size_t)c] += (peak_hz - before_hz) / PHASES;
        f->before_hz[c] += before_hz / (CONDITIONS * PHASES);
        add_trace(subject, rates, c, jump, bins, sums[i / PHASES]);
    }
    free(rates);
    return ok;
}

static PhenomenonVerdict judge_cell(Found *f, int c)
{
    double differential = f->response_hz[c], global = f->response_hz[f->cells + c];
    double highest = fmax(differential, global), before = f->before_hz[c];
    bool answers = before + highest > phenomenon_least_hz(before, before + highest);
    f->ratio[c] =
        answers && differential > 0.0 ? differential / fmax(global, 0.02 * highest) : (double)NAN;
    return f->ratio[c] >= HOLDS_RATIO    ? PHENOMENON_HOLDS
           : f->ratio[c] >= PARTLY_RATIO ? PHENOMENON_PARTLY
                                         : PHENOMENON_ABSENT;
}

static void report(const Subject *subject, const Found *f, double (*sums)[PHENOMENA_POINTS],
                   PhenomenonResult *result)
{
    double response[CONDITIONS], ratio = stat_median(f->ratio, 1, (size_t)f->cells);
    phenomenon_medians(f->response_hz, CONDITIONS, f->cells, response);
    json_t *cells = json_array();
    for (int c = 0; c < f->cells; c++)
        json_array_append_new(
            cells, json_pack("{ss ss so so so}", "name", subject->info->cell_names[c], "verdict",
                             phenomenon_verdicts[f->verdicts[c]], "differential_hz",
                             json_number(f->response_hz[c]), "global_hz",
                             json_number(f->response_hz[f->cells + c]), "ratio",
                             json_number(f->ratio[c])));
    result->numbers = json_pack("{so so so so}", "differential_hz", json_number(response[0]),
                                "global_hz", json_number(response[1]), "ratio",
                                json_number(ratio), "cells", cells);
    const PhenomenonNumber hz = {2, false, " Hz"};
    phenomenon_say(result, "peak above the standing grating, differential, global:", hz, response,
                   2);
    phenomenon_say(result, "ratio", (PhenomenonNumber){2, false, ""}, &ratio, 1);
    double x[PHENOMENA_POINTS];
    int count = subject_bins(subject, AFTER_MS + 100);
    count = count < PHENOMENA_POINTS ? count : PHENOMENA_POINTS;
    for (int t = 0; t < count; t++)
        x[t] = (t + 0.5) * subject->bin_ms - 100.0;
    phenomenon_curve(&result->panels[0], "object alone", x, sums[0], 1, count);
    phenomenon_curve(&result->panels[0], "object and background", x, sums[1], 1, count);
    double number[PHENOMENA_POINTS];
    int shown = f->cells < PHENOMENA_POINTS ? f->cells : PHENOMENA_POINTS;
    for (int c = 0; c < shown; c++)
        number[c] = c + 1;
    phenomenon_curve(&result->panels[1], "differential", number, f->response_hz, 1, shown)
        ->is_scatter = true;
    phenomenon_curve(&result->panels[1], "global", number, f->response_hz + f->cells, 1, shown)
        ->is_scatter = true;
}

static bool measure(Subject *subject, PhenomenonResult *result)
{
    Found found = {.cells = subject->info->cells};
    double sums[CONDITIONS][PHENOMENA_POINTS] = {{0}};
    result->panels[0] = (PhenomenonPanel){.title = "Grating jumps at 0 ms, mean of all cells",
                                          .x_name = "ms after the jump",
                                          .y_name = "rate (Hz)"};
    result->panels[1] = (PhenomenonPanel){
        .title = "Peak above the standing grating", .x_name = "cell", .y_name = "rate (Hz)"};
    found.response_hz = phenomenon_grid(CONDITIONS, found.cells);
    found.before_hz = phenomenon_grid(1, found.cells);
    found.ratio = phenomenon_grid(1, found.cells);
    found.verdicts = calloc((size_t)found.cells, sizeof *found.verdicts);
    bool ok = found.response_hz && found.before_hz && found.ratio && found.verdicts;
    for (int c = 0; ok && c < found.cells; c++)
        ok = show_cell(subject, c, &found, sums);
    for (int c = 0; ok && c < found.cells; c++) {
        found.verdicts[c] = judge_cell(&found, c);
        result->answering += !isnan(found.ratio[c]);
    }
    if (ok) {
        phenomenon_judge(result, found.verdicts, found.cells);
        report(subject, &found, sums, result);
    }
    free(found.response_hz);
    free(found.before_hz);
    free(found.ratio);
    free(found.verdicts);
    return ok;
}

const Phenomenon phenomenon_object_motion = {
    .name = "object_motion",
    .rule =
        "A grating of 150 um bars, contrast 1, jumps by 250 um within 70 ms in a disc of 250 um "
        "around the cell: alone (differential) or with the whole field (global); highest rate "
        "within 400 ms less the rate before the jump, mean over 2 phases. A cell answers when "
        "it rises above that rate by a quarter of it. Holds: differential at least 1.25 × "
        "global. Partly: at least 1.05 ×. Absent: else.",
    .measure = measure,
};
