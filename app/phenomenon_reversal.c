#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/bar_movie.h"
#include "app/phenomena.h"

/* Schwartz et al. 2007: a bar that turns back makes the cells around burst together. The bar comes
 * from the left and turns at places on a grid, so that each cell has turns all around it; time 0 is
 * the middle of the bin in which it has come farthest. */

enum {
    FROM_MS = 70, // after the turn, in which the burst must peak
    TO_MS = 300,
    BEFORE_MS = 200, // the trace kept for the figure
};

static const double widths_um[] = {165.0, 220.0}, contrasts[] = {-1.0, 1.0};
static const double speeds_mm_per_s[] = {0.35, 0.5, 0.7, 1.0, 1.3};
enum { WIDTHS = 2, POLARITIES = 2, SPEEDS = 5, CONDITIONS = WIDTHS * POLARITIES * SPEEDS };

static const double SPACING_UM = 25.0, REACH_UM = 250.0;
static const double RATIO = 1.2, SD_MS = 20.0, COUNT_SHARE = 1.0 / 3.0, LEAST_SHARE = 0.5;

typedef struct {
    int cells, places, bins; // bins from BEFORE_MS before the turn to TO_MS after
    double first_um;         // of the places
    double *latency_ms, *sd_ms, *burst_hz, *smooth_hz, *ratio, *count, *of; // (conditions, cells)
    PhenomenonVerdict *verdicts;                                            // (cells)
    float *rates, *mean; // (places, bins, cells), (bins)
} Found;

typedef struct {
    double width_um, contrast, speed_mm_per_s;
    int index;
} Condition;

static Condition condition_at(int index)
{
    return (Condition){widths_um[index / SPEEDS / POLARITIES],
                       contrasts[index / SPEEDS % POLARITIES], speeds_mm_per_s[index % SPEEDS],
                       index};
}

static bool allocate(const Subject *subject, Found *f)
{
    double **grids[] = {&f->latency_ms, &f->sd_ms, &f->burst_hz, &f->smooth_hz,
                        &f->ratio,      &f->count, &f->of};
    double least_um = HUGE_VAL, most_um = -HUGE_VAL;
    bool ok = true;
    f->cells = subject->info->cells;
    for (int c = 0; c < f->cells; c++) {
        least_um = fmin(least_um, subject->x_um[c]);
        most_um = fmax(most_um, subject->x_um[c]);
    }
    double edge_um = 0.5 * subject->raster.width_px * subject->raster.um_per_px;
    f->first_um = fmax(least_um - REACH_UM, -edge_um);
    double last_um = fmin(most_um + REACH_UM, edge_um);
    f->places = 1 + (int)fmax(0.0, floor((last_um - f->first_um) / SPACING_UM + 1e-9));
    f->bins = subject_bins(subject, BEFORE_MS + TO_MS) + 1;
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
        *grids[i] = calloc(CONDITIONS * (size_t)f->cells, sizeof(double));
        ok = ok && *grids[i];
    }
    f->verdicts = calloc((size_t)f->cells, sizeof *f->verdicts);
    f->rates = calloc((size_t)f->places * (size_t)f->bins * (size_t)f->cells, sizeof *f->rates);
    f->mean = calloc((size_t)f->bins, sizeof *f->mean);
    return ok && f->verdicts && f->rates && f->mean;
}

static void release(Found *f)
{
    double *grids[] = {f->latency_ms, f->sd_ms, f->burst_hz, f->smooth_hz,
                       f->ratio,      f->count, f->of};
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++)
        free(grids[i]);
    free(f->verdicts);
    free(f->rates);
    free(f->mean);
}

/* The sweep, and every turn on its way, into f->rates. sweep (bins, cells) is filled. */
static bool show_turns(Subject *subject, const BarMovie *movie, int bins, Found *f, float *sweep)
{
    int before = subject_bins(subject, BEFORE_MS), after = f->bins - before;
    size_t row = (size_t)f->bins * (size_t)f->cells, lead = (size_t)before * (size_t)f->cells;
    BarMovie *movies = malloc((size_t)f->places * sizeof *movies);
    SubjectBranch *branches = malloc((size_t)f->places * sizeof *branches);
    bool ok = movies && branches;
    for (int i = 0; ok && i < f->places; i++) {
        double place_um = f->first_um + SPACING_UM * i;
        movies[i] = *movie;
        movies[i].turn_bin = (int)lrint((place_um - movie->start_um) / movie->um_per_bin);
        branches[i] =
            (SubjectBranch){&movies[i], movies[i].turn_bin, f->rates + (size_t)i * row + lead};
    }
    ok = ok && subject_show_branches(subject, bar_movie_draw, movie, bins, sweep, branches,
                                     f->places, after);
    for (int i = 0; ok && i < f->places; i++)
        memcpy(f->rates + (size_t)i * row,
               sweep + (ptrdiff_t)(movies[i].turn_bin - before) * f->cells, lead * sizeof *sweep);
    free(movies);
    free(branches);
    return ok;
}

typedef struct {
    int first, last; // places within reach of the cell, last not among them
} Span;

static Span places_near(const Found *f, double x_um)
{
    double first = ceil((x_um - REACH_UM - f->first_um) / SPACING_UM - 1e-9);
    double last = floor((x_um + REACH_UM - f->first_um) / SPACING_UM + 1e-9);
    return (Span){(int)fmax(0.0, first), (int)fmin(f->places, last + 1.0)};
}

// mean over the places around the cell, at one bin
static double mean_over_places(const Found *f, Span span, int bin, int cell)
{
    double sum = 0.0;
    for (int place = span.first; place < span.last; place++)
        sum += (double)f->rates[((ptrdiff_t)place * f->bins + bin) * f->cells + cell];
    return sum / (span.last - span.first);
}

/* The mean over the same places had the bar not turned: highest over all times. sweep (bins, cells)
 * is one passage over the whole field. */
static double smooth_hz(const Found *f, const Subject *subject, const BarMovie *movie, int bins,
                        const float *sweep, Span span, int cell)
{
    double highest = 0.0;
    for (int t = 0; t < bins; t++) {
        double sum = 0.0;
        for (int place = span.first; place < span.last; place++) {
            double from_cell_um = f->first_um + SPACING_UM * place - subject->x_um[cell];
            double bin = t + from_cell_um / movie->um_per_bin;
            int below = (int)floor(bin);
            if (below < 0 || below + 1 >= bins)
                continue;
            double low = (double)sweep[below * f->cells + cell];
            double high = (double)sweep[(below + 1) * f->cells + cell];
            sum += low + (bin - below) * (high - low);
        }
        highest = fmax(highest, sum / (span.last - span.first));
    }
    return highest;
}

/* Latency over places, and the burst of their mean, of one cell in one condition. */
static void read_cell(const Subject *subject, const Condition *condition, Span span, int cell,
                      Found *f)
{
    enum { PLACES_MAX = 64 };
    double latency[PLACES_MAX], height[PLACES_MAX], largest = 0.0;
    int turn = subject_bins(subject, BEFORE_MS), count = span.last - span.first;
    int from = turn + subject_bins(subject, FROM_MS) - 1, counted = 0;
    for (int i = 0; i < count; i++) {
        const float *rates = f->rates + (ptrdiff_t)(span.first + i) * f->bins * f->cells + cell;
        Peak peak = peak_find(rates, (size_t)f->cells, from, f->bins);
        latency[i] = (peak.at - turn) * subject->bin_ms;
        height[i] = peak.height;
        largest = fmax(largest, peak.height);
    }
    for (int i = 0; i < count; i++) {
        bool counts = height[i] > COUNT_SHARE * largest;
        latency[i] = counts ? latency[i] : (double)NAN;
        counted += counts;
    }
    for (int bin = 0; bin < f->bins; bin++)
        f->mean[bin] = (float)mean_over_places(f, span, bin, cell);
    size_t at = (size_t)condition->index * (size_t)f->cells + (size_t)cell;
    f->latency_ms[at] = stat_mean(latency, (size_t)count);
    f->sd_ms[at] = stat_sd(latency, (size_t)count);
    f->burst_hz[at] = peak_find(f->mean, 1, from, f->bins).height;
    f->count[at] = counted;
    f->of[at] = count;
}

static void keep_trace(const Subject *subject, const Found *f, const Condition *condition,
                       PhenomenonPanel *panel)
{
    double x[PHENOMENA_POINTS], y[PHENOMENA_POINTS];
    int count = f->bins < PHENOMENA_POINTS ? f->bins : PHENOMENA_POINTS;
    for (int bin = 0; bin < count; bin++) {
        x[bin] = (bin - subject_bins(subject, BEFORE_MS)) * subject->bin_ms;
        y[bin] = 0.0;
        for (int c = 0; c < f->cells; c++)
            y[bin] += mean_over_places(f, places_near(f, subject->x_um[c]), bin, c) / f->cells;
    }
    char label[32];
    snprintf(label, sizeof label, "%s %.2g mm/s", condition->contrast < 0.0 ? "dark" : "bright",
             condition->speed_mm_per_s);
    phenomenon_curve(panel, label, x, y, 1, count);
}

static bool show_condition(Subject *subject, int index, Found *f, PhenomenonPanel *panel)
{
    Condition condition = condition_at(index);
    int bins, cells = f->cells;
    BarMovie movie = bar_movie_sweep(subject, condition.width_um, condition.contrast,
                                     condition.speed_mm_per_s, &bins);
    int lead = subject_bins(subject, BEFORE_MS); // of grey, for a turn soon after the bar is in
    movie.start_um -= lead * movie.um_per_bin;
    bins += lead;
    float *sweep = malloc((size_t)bins * (size_t)cells * sizeof *sweep);
    bool ok = sweep && show_turns(subject, &movie, bins, f, sweep);
    for (int c = 0; ok && c < cells; c++) {
        Span span = places_near(f, subject->x_um[c]);
        size_t at = (size_t)index * (size_t)cells + (size_t)c;
        read_cell(subject, &condition, span, c, f);
        f->smooth_hz[at] = smooth_hz(f, subject, &movie, bins, sweep, span, c);
        f->ratio[at] = f->smooth_hz[at] > 0.0 ? f->burst_hz[at] / f->smooth_hz[at] : (double)NAN;
    }
    if (ok && index / SPEEDS < POLARITIES && index % 2 == (index / SPEEDS) % 2)
        keep_trace(subject, f, &condition, panel);
    free(sweep);
    return ok;
}

static bool is_met(const Found *f, int condition, int c)
{
    size_t at = (size_t)condition * (size_t)f->cells + (size_t)c;
    return f->ratio[at] > RATIO && f->sd_ms[at] < SD_MS && f->count[at] >= LEAST_SHARE * f->of[at];
}

static PhenomenonVerdict judge_cell(const Found *f, int c)
{
    int dark = 0, bright = 0;
    for (int k = 0; k < CONDITIONS; k++) {
        if (condition_at(k).contrast < 0.0)
            dark += is_met(f, k, c);
        else
            bright += is_met(f, k, c);
    }
    const int all = WIDTHS * SPEEDS;
    if (dark == all)
        return PHENOMENON_HOLDS;
    return 2 * dark >= all || 2 * bright >= all ? PHENOMENON_PARTLY : PHENOMENON_ABSENT;
}

static json_t *report_conditions(const Found *f)
{
    json_t *list = json_array();
    for (int k = 0; k < CONDITIONS; k++) {
        Condition condition = condition_at(k);
        size_t at = (size_t)k * (size_t)f->cells, cells = (size_t)f->cells;
        int met = 0;
        for (int c = 0; c < f->cells; c++)
            met += is_met(f, k, c);
        json_array_append_new(
            list,
            json_pack("{sf sf sf so so so so so si}", "width_um", condition.width_um, "contrast",
                      condition.contrast, "speed_mm_per_s", condition.speed_mm_per_s, "latency_ms",
                      json_number(stat_median(f->latency_ms + at, 1, cells)), "sd_ms",
                      json_number(stat_median(f->sd_ms + at, 1, cells)), "burst_hz",
                      json_number(stat_median(f->burst_hz + at, 1, cells)), "smooth_hz",
                      json_number(stat_median(f->smooth_hz + at, 1, cells)), "ratio",
                      json_number(stat_median(f->ratio + at, 1, cells)), "cells_met", met));
    }
    return list;
}

static json_t *report_cells(const Subject *subject, const Found *f)
{
    json_t *list = json_array();
    size_t stride = (size_t)f->cells;
    for (size_t c = 0; c < stride; c++)
        json_array_append_new(
            list, json_pack("{ss ss so so so so so}", "name", subject->info->cell_names[c],
                            "verdict", phenomenon_verdicts[f->verdicts[c]], "latency_ms",
                            phenomenon_array(f->latency_ms + c, stride, CONDITIONS), "sd_ms",
                            phenomenon_array(f->sd_ms + c, stride, CONDITIONS), "ratio",
                            phenomenon_array(f->ratio + c, stride, CONDITIONS), "burst_hz",
                            phenomenon_array(f->burst_hz + c, stride, CONDITIONS), "places_counted",
                            phenomenon_array(f->count + c, stride, CONDITIONS)));
    return list;
}

static void report(const Subject *subject, const Found *f, PhenomenonResult *result)
{
    double latency[CONDITIONS], sd[CONDITIONS], ratio[CONDITIONS];
    phenomenon_medians(f->latency_ms, CONDITIONS, f->cells, latency);
    phenomenon_medians(f->sd_ms, CONDITIONS, f->cells, sd);
    phenomenon_medians(f->ratio, CONDITIONS, f->cells, ratio);
    static const char *const labels[] = {"dark 165 um", "bright 165 um", "dark 220 um",
                                         "bright 220 um"};
    for (int i = 0; i < WIDTHS * POLARITIES; i++)
        phenomenon_curve(&result->panels[1], labels[i], speeds_mm_per_s, latency + i * SPEEDS, 1,
                         SPEEDS);
    double bright_ms = stat_mean(latency + SPEEDS, SPEEDS);
    double worst_sd = 0.0, least_ratio = HUGE_VAL;
    for (int k = 0; k < SPEEDS; k++) {
        worst_sd = fmax(worst_sd, sd[k]);
        least_ratio = fmin(least_ratio, ratio[k]);
    }
    result->numbers =
        json_pack("{so so so so si si}", "dark_ms", json_number(stat_mean(latency, SPEEDS)),
                  "bright_ms", json_number(bright_ms), "conditions", report_conditions(f),
                  "cells", report_cells(subject, f), "places", f->places, "places_a_cell",
                  (int)(2.0 * REACH_UM / SPACING_UM) + 1);
    const double shown[] = {latency[0], latency[2], latency[4]};
    phenomenon_say(result, "dark burst after the turn, 0.35, 0.7, 1.3 mm/s:",
                   (PhenomenonNumber){0, false, " ms"}, shown, 3);
    phenomenon_say(result, "SD at most", (PhenomenonNumber){0, false, " ms"}, &worst_sd, 1);
    phenomenon_say(result, "times smooth at least", (PhenomenonNumber){1, false, ""}, &least_ratio,
                   1);
    phenomenon_say(result, "bright", (PhenomenonNumber){0, false, " ms"}, &bright_ms, 1);
}

static bool measure(Subject *subject, PhenomenonResult *result)
{
    Found found = {0};
    result->panels[0] = (PhenomenonPanel){.title = "165 um bar turns at 0 ms, mean of all cells",
                                          .x_name = "ms after the turn",
                                          .y_name = "rate (Hz)"};
    result->panels[1] = (PhenomenonPanel){.title = "Time of the burst, mean over places, median",
                                          .x_name = "speed (mm/s)",
                                          .y_name = "ms after the turn"};
    bool ok = allocate(subject, &found);
    for (int k = 0; ok && k < CONDITIONS; k++)
        ok = show_condition(subject, k, &found, &result->panels[0]);
    for (int c = 0; ok && c < found.cells; c++) {
        found.verdicts[c] = judge_cell(&found, c);
        result->answering += !isnan(stat_mean(found.latency_ms + c, 1));
    }
    if (ok) {
        phenomenon_judge(result, found.verdicts, found.cells);
        report(subject, &found, result);
    }
    release(&found);
    return ok;
}

const Phenomenon phenomenon_motion_reversal = {
    .name = "motion_reversal",
    .rule =
        "A bar of 165 and 220 um, contrast −1 and +1, comes at 0.35, 0.5, 0.7, 1 or 1.3 mm/s and "
        "turns at one of 21 places within ±250 um of the cell. The burst at a place is the "
        "highest local maximum 70 to 300 ms after the turn; it counts when above a third of "
        "the cell's largest. A condition is met when the mean over places peaks there above "
        "1.2 × the highest mean of the same places without a turn, at least half of the places "
        "count, and their latencies have an SD below 20 ms. Holds: met for dark bars of both "
        "widths at all speeds. Partly: met in half of the dark or half of the bright "
        "conditions. Absent: else.",
    .measure = measure,
};
