#include <math.h>
#include <stdlib.h>

#include "app/phenomena.h"

/* Schwartz & Berry 2008; the stimulus is that of Maheswaranathan et al. 2023: 20 ms dark flashes
 * of contrast −2. Times run from the onset of the last flash; bins stand for their middle. */

enum {
    FLASHES = 16,
    FLASH_MS = 20,
    WAIT_MS = 40,    // after the time of the omitted flash, before a burst may count
    WINDOW_MS = 300, // after the time of the omitted flash, in which it must peak
    SLOPE_FIRST = 1, // of periods_ms: 30 …
    SLOPE_LAST = 6,  // … 80 ms
};

static const int periods_ms[] = {20, 30, 40, 50, 60, 70, 80, 100, 120, 160};
enum { PERIODS = sizeof periods_ms / sizeof *periods_ms, SLOPED = SLOPE_LAST - SLOPE_FIRST + 1 };

static const double CONTRAST = -2.0, RATIO = 2.0, SLOPE_LOW = 0.7, SLOPE_HIGH = 1.2;
static const double PARTLY_LOW = 0.5, PARTLY_HIGH = 1.5; // a rebound without memory: 0.4 at most
static const double FLOOR_SHARE = 0.02; // of the cell's highest rate: 2 Hz beside 100

typedef struct {
    int period, flash, flashes; // bins, bins, how many
} Train;

typedef struct {
    int cells;
    double *latency_ms, *burst_hz, *entrained_hz, *first_hz, *ratio; // (periods, cells)
    double *slope;                                                   // (cells)
    double *highest_hz;                                              // (cells)
    PhenomenonVerdict *verdicts;                                     // (cells)
} Found;

static void draw_train(const void *movie, int bin, const Raster *raster, float *contrast)
{
    const Train *train = movie;
    bool is_on = bin / train->period < train->flashes && bin % train->period < train->flash;
    subject_fill(raster, is_on ? CONTRAST : 0.0, contrast);
}

static bool allocate(Found *f, int cells)
{
    double **grids[] = {&f->latency_ms, &f->burst_hz, &f->entrained_hz, &f->first_hz, &f->ratio};
    bool ok = true;
    f->cells = cells;
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
        *grids[i] = calloc(PERIODS * (size_t)cells, sizeof(double));
        ok = ok && *grids[i];
    }
    f->slope = calloc((size_t)cells, sizeof *f->slope);
    f->highest_hz = calloc((size_t)cells, sizeof *f->highest_hz);
    f->verdicts = calloc((size_t)cells, sizeof *f->verdicts);
    return ok && f->slope && f->highest_hz && f->verdicts;
}

static void release(Found *f)
{
    double *grids[] = {f->latency_ms, f->burst_hz, f->entrained_hz, f->first_hz,
                       f->ratio,      f->slope,    f->highest_hz};
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++)
        free(grids[i]);
    free(f->verdicts);
}

/* stopped and ongoing (bins, cells): the train that ends after FLASHES and the one that does not. */
static void read_period(const Subject *subject, int k, const float *stopped, const float *ongoing,
                        Found *f)
{
    size_t cells = (size_t)f->cells;
    int period = subject_bins(subject, periods_ms[k]), last = period * (FLASHES - 1);
    int from = last + period + subject_bins(subject, WAIT_MS);
    int to = last + period + subject_bins(subject, WINDOW_MS);
    for (size_t c = 0; c < cells; c++) {
        size_t at = (size_t)k * cells + c;
        Peak burst = peak_find(stopped + c, cells, from, to);
        f->burst_hz[at] = burst.height;
        f->latency_ms[at] = (burst.at + 0.5 - last) * subject->bin_ms;
        f->entrained_hz[at] = peak_highest(ongoing + c, cells, from, to);
        f->first_hz[at] = peak_highest(stopped + c, cells, 0, subject_bins(subject, 200));
        f->highest_hz[c] = fmax(f->highest_hz[c], peak_highest(stopped + c, cells, 0, to));
    }
}

// 8 s of bins at most: the trace of one period, for the figure
static void keep_trace(const Subject *subject, int k, const float *rates, const char *label,
                       PhenomenonPanel *panel)
{
    int period = subject_bins(subject, periods_ms[k]), last = period * (FLASHES - 1);
    int cells = subject->info->cells, from = last - 2 * period;
    int count = subject_bins(subject, WINDOW_MS) + 3 * period;
    double x[PHENOMENA_POINTS], y[PHENOMENA_POINTS];
    for (int i = 0; i < count && i < PHENOMENA_POINTS; i++) {
        x[i] = (from + i + 0.5 - last) * subject->bin_ms;
        y[i] = 0.0;
        for (int c = 0; c < cells; c++)
            y[i] += (double)rates[(from + i) * cells + c] / cells;
    }
    phenomenon_curve(panel, label, x, y, 1, count < PHENOMENA_POINTS ? count : PHENOMENA_POINTS);
}

static bool show_period(Subject *subject, int k, Found *f, PhenomenonPanel *panel)
{
    int period = subject_bins(subject, periods_ms[k]);
    int bins = period * FLASHES + subject_bins(subject, WINDOW_MS) + 1;
    size_t count = (size_t)bins * (size_t)f->cells;
    float *stopped = malloc(count * sizeof *stopped), *ongoing = malloc(count * sizeof *ongoing);
    Train train = {period, subject_bins(subject, FLASH_MS), FLASHES};
    bool ok = stopped && ongoing && subject_show(subject, draw_train, &train, bins, stopped);
    train.flashes = bins;
    ok = ok && subject_show(subject, draw_train, &train, bins, ongoing);
    if (ok)
        read_period(subject, k, stopped, ongoing, f);
    if (ok && periods_ms[k] == 60) {
        keep_trace(subject, k, stopped, "train stops", panel);
        keep_trace(subject, k, ongoing, "goes on", panel);
    }
    free(stopped);
    free(ongoing);
    return ok;
}

static PhenomenonVerdict judge_cell(Found *f, int c)
{
    double x[SLOPED], y[SLOPED];
    int bursts = 0;
    for (int k = 0; k < PERIODS; k++) {
        int at = k * f->cells + c;
        double floor_hz = FLOOR_SHARE * f->highest_hz[c];
        f->ratio[at] = f->burst_hz[at] / (f->entrained_hz[at] + floor_hz);
        if (!(f->ratio[at] > RATIO))
            f->latency_ms[at] = (double)NAN; // no burst, no latency
        if (k < SLOPE_FIRST || k > SLOPE_LAST)
            continue;
        x[k - SLOPE_FIRST] = periods_ms[k];
        y[k - SLOPE_FIRST] = f->latency_ms[at];
        bursts += !isnan(f->latency_ms[at]);
    }
    f->slope[c] = 3 * bursts >= 2 * SLOPED ? stat_slope(x, y, SLOPED) : (double)NAN;
    if (bursts == SLOPED && f->slope[c] >= SLOPE_LOW && f->slope[c] <= SLOPE_HIGH)
        return PHENOMENON_HOLDS;
    return f->slope[c] >= PARTLY_LOW && f->slope[c] <= PARTLY_HIGH ? PHENOMENON_PARTLY
                                                                   : PHENOMENON_ABSENT;
}

static void report(const Subject *subject, const Found *f, PhenomenonResult *result)
{
    double periods[PERIODS], latency[PERIODS], burst[PERIODS], entrained[PERIODS], ratio[PERIODS];
    phenomenon_medians(f->latency_ms, PERIODS, f->cells, latency);
    phenomenon_medians(f->burst_hz, PERIODS, f->cells, burst);
    phenomenon_medians(f->entrained_hz, PERIODS, f->cells, entrained);
    phenomenon_medians(f->ratio, PERIODS, f->cells, ratio);
    double slope = stat_median(f->slope, 1, (size_t)f->cells);
    json_t *cells = json_array();
    for (int c = 0; c < f->cells; c++) {
        size_t stride = (size_t)f->cells;
        json_array_append_new(
            cells,
            json_pack("{ss ss so so so so so so}", "name", subject->info->cell_names[c], "verdict",
                      phenomenon_verdicts[f->verdicts[c]], "slope", json_number(f->slope[c]),
                      "latency_ms", phenomenon_array(f->latency_ms + c, stride, PERIODS),
                      "burst_hz", phenomenon_array(f->burst_hz + c, stride, PERIODS),
                      "entrained_hz", phenomenon_array(f->entrained_hz + c, stride, PERIODS),
                      "first_hz", phenomenon_array(f->first_hz + c, stride, PERIODS), "ratio",
                      phenomenon_array(f->ratio + c, stride, PERIODS)));
    }
    for (int k = 0; k < PERIODS; k++)
        periods[k] = periods_ms[k];
    double history_ms = subject->info->history_bins * subject->bin_ms;
    result->numbers = json_pack(
        "{so so so so so so so so si}", "periods_ms", phenomenon_array(periods, 1, PERIODS),
        "latency_ms", phenomenon_array(latency, 1, PERIODS), "burst_hz",
        phenomenon_array(burst, 1, PERIODS), "entrained_hz",
        phenomenon_array(entrained, 1, PERIODS), "ratio", phenomenon_array(ratio, 1, PERIODS),
        "slope", json_number(slope), "history_ms",
        history_ms > 0.0 ? json_real(history_ms) : json_null(), "cells", cells,
        "continuous_dark_ms", FLASH_MS);
    const double shown[] = {latency[SLOPE_FIRST], latency[3], latency[SLOPE_LAST]};
    const double ratios[] = {ratio[SLOPE_FIRST], ratio[3], ratio[SLOPE_LAST]};
    phenomenon_say(result, "burst after the last flash, period 30, 50, 80 ms:",
                   (PhenomenonNumber){0, false, " ms"}, shown, 3);
    phenomenon_say(result, "slope", (PhenomenonNumber){2, false, ""}, &slope, 1);
    phenomenon_say(result, "times entrained", (PhenomenonNumber){1, false, ""}, ratios, 3);
    PhenomenonPanel *panel = &result->panels[1];
    phenomenon_curve(panel, "latency", periods, latency, 1, PERIODS);
    double shifted[PERIODS];
    for (int k = 0; k < PERIODS; k++)
        shifted[k] = latency[3] + periods[k] - periods[3];
    PhenomenonCurve *line = phenomenon_curve(panel, "slope 1", periods, shifted, 1, PERIODS);
    line->is_faint = true;
}

static bool measure(Subject *subject, PhenomenonResult *result)
{
    Found found = {0};
    result->panels[0] = (PhenomenonPanel){.title = "Flashes every 60 ms, mean of all cells",
                                          .x_name = "ms after the last flash",
                                          .y_name = "rate (Hz)"};
    result->panels[1] = (PhenomenonPanel){.title = "Burst after the omission, median",
                                          .x_name = "period (ms)",
                                          .y_name = "ms after the last flash"};
    bool ok = allocate(&found, subject->info->cells);
    for (int k = 0; ok && k < PERIODS; k++)
        ok = show_period(subject, k, &found, &result->panels[0]);
    for (int c = 0; ok && c < found.cells; c++) {
        found.verdicts[c] = judge_cell(&found, c);
        result->answering += found.highest_hz[c] > 0.0;
    }
    if (ok) {
        phenomenon_judge(result, found.verdicts, found.cells);
        report(subject, &found, result);
    }
    release(&found);
    return ok;
}

const Phenomenon phenomenon_omitted_stimulus = {
    .name = "omitted_stimulus",
    .rule = "16 dark flashes (contrast −2, 20 ms) every 30 … 160 ms (20 ms is continuous dark and "
            "only shown). A burst is the highest local maximum 40 to 300 ms after the time of the "
            "first omitted flash, more than 2 × the highest rate there when the train goes on "
            "(plus 2 % of the cell's highest rate). Holds: a burst at all of 30, 40 … 80 ms, and "
            "latency from the last flash against period has a least-squares slope of 0.7 to 1.2. "
            "Partly: a burst at four of these six and a slope of 0.5 to 1.5. Absent: else; a burst "
            "that stays with the last flash is the rebound of a filter.",
    .measure = measure,
};
