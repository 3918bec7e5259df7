#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/bar_movie.h"
#include "app/bar_noise.h"
#include "app/phenomena.h"

/* Berry et al. 1999: where a moving bar stands when the cell fires most. Against the cell's own
 * linear prediction, as Johnston & Lagnado 2015 do, since a biphasic filter alone leads slow bars.
 * Places are those of the bar's centre from the receptive-field centre, along the motion: negative
 * is ahead. Half the difference of both directions, so the centre itself cancels. */

enum { FLASH_MS = 20, FLASH_WINDOW_MS = 300 };

static const double widths_um[] = {110.0, 165.0, 220.0};
static const double speeds_mm_per_s[] = {0.25, 0.44, 0.7, 1.0, 1.5, 2.0, 4.0};
enum {
    WIDTHS = sizeof widths_um / sizeof *widths_um,
    SPEEDS = sizeof speeds_mm_per_s / sizeof *speeds_mm_per_s,
    JUDGED_WIDTH = 1,
    SLOW = 2, // so many speeds read from the top of the curve, not its peak
    AT_0_44 = 1,
    AT_0_7 = 2,
    AT_1 = 3,
    AT_4 = 6,
};

static const double CONTRAST = -1.0, REACH_UM = 200.0, REACH_MS = 150.0, TOP_SHARE = 0.2,
                    LEAD_UM = 30.0;

typedef struct {
    int cells;
    double *place_um, *linear_um, *height_hz;          // (widths, speeds, cells)
    double *flash_ms, *highest_hz, *rest_hz, *lead_um; // (cells)
    PhenomenonVerdict *verdicts;                       // (cells)
    BarKernel kernel;
} Found;

static size_t index_of(const Found *f, int width, int speed)
{
    return ((size_t)width * SPEEDS + (size_t)speed) * (size_t)f->cells;
}

static bool allocate(Found *f, int cells)
{
    double **grids[] = {&f->place_um,   &f->linear_um, &f->height_hz, &f->flash_ms,
                        &f->highest_hz, &f->rest_hz,   &f->lead_um};
    bool ok = true;
    f->cells = cells;
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
        *grids[i] = calloc(WIDTHS * SPEEDS * (size_t)cells, sizeof(double));
        ok = ok && *grids[i];
    }
    f->verdicts = calloc((size_t)cells, sizeof *f->verdicts);
    return ok && f->verdicts;
}

static void release(Found *f)
{
    double *grids[] = {f->place_um,   f->linear_um, f->height_hz, f->flash_ms,
                       f->highest_hz, f->rest_hz,   f->lead_um};
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++)
        free(grids[i]);
    free(f->verdicts);
    bar_noise_finish(&f->kernel);
}

// centre of gravity of what rises above 80 % of the peak, in bins: broad peaks ride on the lattice
static double top_centre(const float *rates, size_t stride, int from, int to, double height)
{
    double weight = 0.0, moment = 0.0, base = (1.0 - TOP_SHARE) * height;
    for (int t = from; t < to; t++) {
        double above = fmax(0.0, (double)rates[(size_t)t * stride] - base);
        weight += above;
        moment += above * t;
    }
    return weight > 0.0 ? moment / weight : (double)NAN;
}

/* The bar's place along its motion, from the cell's centre, when the curve is highest; NaN without
 * a peak in reach. */
static double place_of(const BarMovie *movie, double bin_ms, double x_um, int bins, bool is_slow,
                       const float *curve, size_t stride, double *height)
{
    double middle = (x_um - movie->start_um) / movie->um_per_bin;
    double reach = REACH_UM / fabs(movie->um_per_bin) + REACH_MS / bin_ms;
    int from = (int)fmax(0.0, middle - reach), to = (int)fmin(bins, middle + reach);
    Peak peak = peak_find(curve, stride, from, to);
    *height = peak.height;
    double at =
        is_slow && !isnan(peak.at) ? top_centre(curve, stride, from, to, peak.height) : peak.at;
    return copysign(1.0, movie->um_per_bin) * (bar_movie_um(movie, at) - x_um);
}

/* linear (bins, cells) := the kernel's answer to the bar. */
static bool predict(const Subject *subject, const BarKernel *kernel, const BarMovie *movie,
                    int bins, float *linear)
{
    int columns = kernel->columns;
    const Raster row = {columns, 1, subject->raster.um_per_px};
    float *light = malloc((size_t)bins * (size_t)columns * sizeof *light);
    for (int t = 0; light && t < bins; t++)
        bar_movie_draw(movie, t, &row, light + (ptrdiff_t)t * columns);
    if (light)
        bar_noise_predict(kernel, light, bins, linear);
    free(light);
    return light != NULL;
}

static void keep_curve(const Found *f, const Subject *subject, const BarMovie *movie, int bins,
                       const float *rates, const char *label, PhenomenonPanel *panel)
{
    enum { POINTS = 121 };
    double x[POINTS], y[POINTS];
    for (int i = 0; i < POINTS; i++) {
        x[i] = -600.0 + 10.0 * i;
        y[i] = 0.0;
        for (int c = 0; c < f->cells; c++) {
            double at = (x[i] + subject->x_um[c] - movie->start_um) / movie->um_per_bin;
            int bin = (int)floor(at);
            if (bin < 0 || bin + 1 >= bins)
                continue;
            double before = (double)rates[bin * f->cells + c];
            double after = (double)rates[(bin + 1) * f->cells + c];
            y[i] += (before + (at - bin) * (after - before)) / f->cells;
        }
    }
    phenomenon_curve(panel, label, x, y, 1, POINTS);
}

static bool sweep(Subject *subject, int width, int speed, double sign, Found *f,
                  PhenomenonPanel *panel)
{
    int bins;
    size_t cells = (size_t)f->cells, base = index_of(f, width, speed);
    BarMovie movie =
        bar_movie_sweep(subject, widths_um[width], CONTRAST, sign * speeds_mm_per_s[speed], &bins);
    float *rates = malloc((size_t)bins * cells * sizeof *rates);
    float *linear = malloc((size_t)bins * cells * sizeof *linear);
    bool ok = rates && linear && subject_show(subject, bar_movie_draw, &movie, bins, rates) &&
              predict(subject, &f->kernel, &movie, bins, linear);
    for (size_t c = 0; ok && c < cells; c++) {
        double height, ignored;
        f->place_um[base + c] += 0.5 * place_of(&movie, subject->bin_ms, subject->x_um[c], bins,
                                                speed < SLOW, rates + c, cells, &height);
        f->linear_um[base + c] += 0.5 * place_of(&movie, subject->bin_ms, subject->x_um[c], bins,
                                                 speed < SLOW, linear + c, cells, &ignored);
        f->height_hz[base + c] += 0.5 * height;
        f->rest_hz[c] = (double)rates[c];
        f->highest_hz[c] = fmax(f->highest_hz[c], height);
    }
    if (ok && sign > 0.0 && width == JUDGED_WIDTH &&
        (speed == AT_0_44 || speed == AT_1 || speed == AT_4)) {
        char label[32];
        snprintf(label, sizeof label, "%.2g mm/s", speeds_mm_per_s[speed]);
        keep_curve(f, subject, &movie, bins, rates, label, panel);
    }
    free(rates);
    free(linear);
    return ok;
}

typedef struct {
    double x_um;
    int bins;
} Flash;

static void draw_flash(const void *movie, int bin, const Raster *raster, float *contrast)
{
    const Flash *flash = movie;
    subject_bar(raster, flash->x_um, widths_um[JUDGED_WIDTH], bin < flash->bins ? CONTRAST : 0.0,
                contrast);
}

// the same bar flashed where the cell is: the delay a plain lag would be
static bool flash_all(Subject *subject, Found *f)
{
    size_t cells = (size_t)f->cells;
    int bins = subject_bins(subject, FLASH_WINDOW_MS);
    float *rates = malloc((size_t)bins * cells * sizeof *rates);
    bool ok = rates != NULL;
    for (size_t c = 0; ok && c < cells; c++) {
        Flash flash = {subject->x_um[c], subject_bins(subject, FLASH_MS)};
        ok = subject_show(subject, draw_flash, &flash, bins, rates);
        f->flash_ms[c] = (peak_find(rates + c, cells, 0, bins).at + 0.5) * subject->bin_ms;
    }
    free(rates);
    return ok;
}

static PhenomenonVerdict judge_cell(Found *f, int c)
{
    const double *place = f->place_um + index_of(f, JUDGED_WIDTH, 0) + c;
    const double *linear = f->linear_um + index_of(f, JUDGED_WIDTH, 0) + c;
    int stride = f->cells;
    f->lead_um[c] = linear[AT_1 * stride] - place[AT_1 * stride];
    bool is_ahead = place[AT_0_44 * stride] <= 0.0;
    bool stays_ahead = place[AT_0_7 * stride] <= 0.0 && place[AT_1 * stride] <= 0.0;
    bool leads = f->lead_um[c] >= LEAD_UM;
    if (is_ahead && stays_ahead && leads && place[AT_4 * stride] > 0.0)
        return PHENOMENON_HOLDS;
    return is_ahead || leads ? PHENOMENON_PARTLY : PHENOMENON_ABSENT;
}

static void drop_silent(Found *f, int c)
{
    for (size_t k = 0; k < WIDTHS * SPEEDS; k++) {
        size_t at = k * (size_t)f->cells + (size_t)c;
        if (!(f->height_hz[at] > phenomenon_least_hz(f->rest_hz[c], f->highest_hz[c])))
            f->place_um[at] = (double)NAN;
    }
}

static json_t *by_width(const Found *f, const double *values)
{
    json_t *object = json_object();
    for (int w = 0; w < WIDTHS; w++) {
        char key[16];
        double medians[SPEEDS];
        snprintf(key, sizeof key, "%.0f", widths_um[w]);
        phenomenon_medians(values + index_of(f, w, 0), SPEEDS, f->cells, medians);
        json_object_set_new(object, key, phenomenon_array(medians, 1, SPEEDS));
    }
    return object;
}

static json_t *report_cells(const Subject *subject, const Found *f)
{
    json_t *cells = json_array();
    size_t stride = (size_t)f->cells, base = index_of(f, JUDGED_WIDTH, 0);
    for (size_t c = 0; c < stride; c++)
        json_array_append_new(
            cells, json_pack("{ss ss so so so so so}", "name", subject->info->cell_names[c],
                             "verdict", phenomenon_verdicts[f->verdicts[c]], "place_um",
                             phenomenon_array(f->place_um + base + c, stride, SPEEDS), "linear_um",
                             phenomenon_array(f->linear_um + base + c, stride, SPEEDS), "peak_hz",
                             phenomenon_array(f->height_hz + base + c, stride, SPEEDS), "lead_um",
                             json_number(f->lead_um[c]), "flash_ms",
                             json_number(f->flash_ms[c])));
    return cells;
}

static void report(const Subject *subject, const Found *f, PhenomenonResult *result)
{
    double place[SPEEDS], linear[SPEEDS], lag[SPEEDS];
    phenomenon_medians(f->place_um + index_of(f, JUDGED_WIDTH, 0), SPEEDS, f->cells, place);
    phenomenon_medians(f->linear_um + index_of(f, JUDGED_WIDTH, 0), SPEEDS, f->cells, linear);
    double lead_um = stat_median(f->lead_um, 1, (size_t)f->cells);
    double flash_ms = stat_median(f->flash_ms, 1, (size_t)f->cells);
    for (int k = 0; k < SPEEDS; k++)
        lag[k] = flash_ms * speeds_mm_per_s[k];
    result->numbers =
        json_pack("{so sf so so so so so so so}", "speeds_mm_per_s",
                  phenomenon_array(speeds_mm_per_s, 1, SPEEDS), "judged_width_um",
                  widths_um[JUDGED_WIDTH], "place_um", by_width(f, f->place_um), "linear_um",
                  by_width(f, f->linear_um), "peak_hz", by_width(f, f->height_hz), "flash_ms",
                  json_number(flash_ms), "flash_lag_um", phenomenon_array(lag, 1, SPEEDS),
                  "lead_um", json_number(lead_um), "cells", report_cells(subject, f));
    const double shown[] = {place[AT_0_44], place[AT_1], place[AT_4]};
    const double predicted[] = {linear[AT_0_44], linear[AT_1], linear[AT_4]};
    const PhenomenonNumber um = {0, true, " um"};
    phenomenon_say(result, "dark bar at the peak, 0.44, 1, 4 mm/s:", um, shown, 3);
    phenomenon_say(result, "own linear prediction", um, predicted, 3);
    phenomenon_say(result, "lead at 1 mm/s", um, &lead_um, 1);
    PhenomenonPanel *panel = &result->panels[1];
    phenomenon_curve(panel, "model", speeds_mm_per_s, place, 1, SPEEDS);
    phenomenon_curve(panel, "own linear prediction", speeds_mm_per_s, linear, 1, SPEEDS);
    phenomenon_curve(panel, "lag of a flash", speeds_mm_per_s, lag, 1, SPEEDS)->is_faint = true;
}

static bool measure(Subject *subject, PhenomenonResult *result)
{
    Found found = {0};
    result->panels[0] = (PhenomenonPanel){.title = "Dark bar to the right, mean of all cells",
                                          .x_name = "bar from the cell (um)",
                                          .y_name = "rate (Hz)"};
    result->panels[1] = (PhenomenonPanel){.title = "Bar at the rate's peak, median",
                                          .x_name = "speed (mm/s)",
                                          .y_name = "um behind the cell"};
    bool ok = allocate(&found, subject->info->cells) && bar_noise_fit(subject, &found.kernel) &&
              flash_all(subject, &found);
    for (int i = 0; ok && i < WIDTHS * SPEEDS; i++)
        ok = sweep(subject, i / SPEEDS, i % SPEEDS, 1.0, &found, &result->panels[0]) &&
             sweep(subject, i / SPEEDS, i % SPEEDS, -1.0, &found, &result->panels[0]);
    for (int c = 0; ok && c < found.cells; c++) {
        drop_silent(&found, c);
        found.verdicts[c] = judge_cell(&found, c);
        result->answering += !isnan(found.lead_um[c]);
    }
    if (ok) {
        phenomenon_judge(result, found.verdicts, found.cells);
        report(subject, &found, result);
    }
    release(&found);
    return ok;
}

const Phenomenon phenomenon_motion_anticipation = {
    .name = "motion_anticipation",
    .rule =
        "A dark bar (contrast −1, 165 um; 110 and 220 um are shown too) across the field in "
        "both directions; the bar's centre from the cell when the rate peaks, negative ahead "
        "(half the difference of the directions; up to 0.44 mm/s the centre of gravity of the "
        "top 20 % of the curve). A peak counts within 200 um of the cell and what the bar goes "
        "in 150 ms, if it rises above the rate at rest by a quarter of it and by 2 % of the "
        "cell's highest rate. Own linear prediction: the filter found with white noise of "
        "upright stripes about grey (contrast ±0.3). Holds: at or ahead of the centre at 0.44, "
        "0.7 and 1 mm/s, 30 um or more ahead of its linear prediction at 1 mm/s, and behind the "
        "centre at 4 mm/s. Partly: that lead at 1 mm/s, or ahead of the centre at 0.44 mm/s. "
        "Absent: else.",
    .measure = measure,
};
