#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/figure.h"
#include "app/plot.h"
#include "app/reduce_parts.h"
#include "app/reduce_report.h"

static const double TEXT_PT = 8.0, MARGIN_PT = 18.0, WIDTH_PT = 800.0, HEAD_PT = 72.0;
static const double ROW_PT = 64.0, KERNEL_PT = 120.0, CURVE_PT = 84.0, NAME_PT = 96.0;
static const double CELL_PT = 26.0, TRACE_PT = 84.0, TABLE_ROW_PT = 12.0;
static const double BEFORE_S = 0.15, AFTER_S = 0.25;

enum { TRACES_A_ROW = 4, TRACES_MOST = 8, CURVE_POINTS = 60 };

typedef struct {
    const Reduce *reduce;
    cairo_t *cairo;
    double circuit_pt, traces_pt, tables_pt; // where each part begins
} Page;

static PlotColour sign_colour(bool inhibits)
{
    return plot_scale_colour(PLOT_DIVERGING, inhibits ? 0.0 : 1.0);
}

static void write_at(const Page *page, PlotColour colour, bool is_bold, PlotAlign align,
                     double x_pt, double y_pt, const char *text)
{
    const PlotText style = {colour, TEXT_PT, is_bold, align, 0.0};
    plot_text(page->cairo, &style, x_pt, y_pt, text);
}

static void draw_head(const Page *page)
{
    const Reduce *reduce = page->reduce;
    const ModelInfo *info = reduce->job->attribute.info;
    const ReduceStep *step = &reduce->steps[reduce->kept - 1];
    const PlotText large = {plot_on_paper.ink, 1.5 * TEXT_PT, true, PLOT_LEFT, 0.0};
    char text[PLOT_LABEL_BYTES];
    snprintf(text, sizeof text, "%.60s: what cell %.40s comes down to", reduce->job->protocol->name,
             info->cell_names[reduce->job->attribute.cell]);
    plot_text(page->cairo, &large, MARGIN_PT, 2.8 * TEXT_PT, text);
    snprintf(
        text, sizeof text,
        "%d first-layer channels of %.60s%s hold %.0f %% of the attribution; a one-hidden-layer "
        "model of them correlates %.3f with the network's rate",
        reduce->kept, info->name, info->is_simulated ? " (simulated)" : "",
        100 * reduce_kept_share(reduce), step->numbers.correlation);
    write_at(page, plot_on_paper.ink, false, PLOT_LEFT, MARGIN_PT, 4.6 * TEXT_PT, text);
    const char *const titles[] = {"channel", "what it filters (ms before the rate)",
                                  "what it adds to the cell"};
    const double at_pt[] = {MARGIN_PT, MARGIN_PT + NAME_PT, MARGIN_PT + NAME_PT + KERNEL_PT + 46.0};
    for (int i = 0; i < 3; i++)
        write_at(page, plot_on_paper.faint, false, PLOT_LEFT, at_pt[i], HEAD_PT - 4.0, titles[i]);
}

/* ---- the circuit */

/* The channel's kernel, summed over space. */
static void draw_kernel(const Page *page, int channel, double x_pt, double y_pt)
{
    const AttributeJob *job = page->reduce->job;
    int history = job->attribute.info->history_bins;
    double bin_ms = 1e3 / job->attribute.info->bin_hz, largest = 1e-30;
    double times_ms[512], values[512];
    int count = history < 512 ? history : 512;
    for (int i = 0; i < count; i++) {
        times_ms[i] = -bin_ms * (count - 1 - i + job->attribute.info->lag_bins);
        values[i] = (double)job->kernels[channel * history + history - count + i];
        largest = fmax(largest, fabs(values[i]));
    }
    const PlotArea area = {{x_pt, y_pt, KERNEL_PT, ROW_PT - 22.0},
                           {times_ms[0], times_ms[count - 1]},
                           {-1.1 * largest, 1.1 * largest}};
    plot_x_axis(page->cairo, &plot_on_paper, &area, 100, 0.85 * TEXT_PT);
    double zero_pt = plot_y_px(&area, 0);
    plot_line(page->cairo, plot_on_paper.faint, 0.5, x_pt, zero_pt, x_pt + KERNEL_PT, zero_pt);
    plot_trace(page->cairo, &area, plot_on_paper.ink, 1.3, times_ms, values, (size_t)count);
}

/* What a channel's units add to the softplus's argument, over the range of their outputs. */
static void draw_curves(const Page *page, int index, double x_pt, double y_pt)
{
    const Reduce *reduce = page->reduce;
    const ReductionNumbers *numbers = &reduce->steps[reduce->kept - 1].numbers;
    ReductionTask task = reduce_task(reduce, reduce->kept);
    double largest = 0;
    for (int u = 0; u < task.units; u++) {
        ReduceUnitEffect effect = reduce_effect(reduce, u);
        largest = fmax(largest, fmax(fabs(effect.rise), fabs(effect.fall)));
    }
    const PlotArea area = {
        {x_pt, y_pt, CURVE_PT, ROW_PT - 22.0}, {-1, 1}, {-1.1 * largest, 1.1 * largest}};
    double zero_pt = plot_y_px(&area, 0), rest_pt = plot_x_px(&area, 0);
    plot_y_axis(page->cairo, &plot_on_paper, &area, plot_tick_step(area.y, 3), 0.85 * TEXT_PT);
    plot_line(page->cairo, plot_on_paper.faint, 0.5, x_pt, zero_pt, x_pt + CURVE_PT, zero_pt);
    plot_line(page->cairo, plot_on_paper.faint, 0.5, rest_pt, y_pt, rest_pt,
              y_pt + area.box.height_px);
    double x[CURVE_POINTS], y[CURVE_POINTS];
    ReduceUnitEffect effect = reduce_effect(reduce, index);
    double furthest = fmax(fmax(-effect.low, effect.high), 1e-300);
    for (int i = 0; i < CURVE_POINTS; i++) {
        double drive = effect.low + (effect.high - effect.low) * i / (CURVE_POINTS - 1);
        double output = task.rest[index] + drive;
        x[i] = drive / furthest;
        y[i] = numbers->rise[index] * fmax(output - numbers->rise_threshold[index], 0) +
               numbers->fall[index] * fmax(numbers->fall_threshold[index] - output, 0);
    }
    plot_trace(page->cairo, &area, plot_on_paper.series[0], 1.4, x, y, CURVE_POINTS);
}

static void draw_arrow(const Page *page, bool inhibits, double share, const double *from_pt,
                       const double *to_pt)
{
    PlotColour colour = sign_colour(inhibits);
    double dx = to_pt[0] - from_pt[0], dy = to_pt[1] - from_pt[1], length = hypot(dx, dy);
    double ex = dx / length, ey = dy / length;
    plot_line(page->cairo, colour, 1.0 + 6.0 * share, from_pt[0], from_pt[1], to_pt[0], to_pt[1]);
    if (inhibits) // a bar across the end, as circuits are drawn; excitation ends in a fork
        plot_line(page->cairo, colour, 2.5, to_pt[0] - 7 * ey, to_pt[1] + 7 * ex, to_pt[0] + 7 * ey,
                  to_pt[1] - 7 * ex);
    for (int side = -1; !inhibits && side <= 1; side += 2)
        plot_line(page->cairo, colour, 2.5, to_pt[0], to_pt[1], to_pt[0] - 9 * ex - side * 6 * ey,
                  to_pt[1] - 9 * ey + side * 6 * ex);
}

static void draw_cell(const Page *page, double x_pt, double y_pt)
{
    const PlotText name = {plot_on_paper.ink, TEXT_PT, true, PLOT_CENTRE, 0.0};
    const ModelInfo *info = page->reduce->job->attribute.info;
    cairo_arc(page->cairo, x_pt, y_pt, CELL_PT, 0, 2 * 3.14159265358979323846);
    cairo_set_source_rgb(page->cairo, plot_on_paper.ink.red, plot_on_paper.ink.green,
                         plot_on_paper.ink.blue);
    cairo_set_line_width(page->cairo, 1.2);
    cairo_stroke(page->cairo);
    plot_text(page->cairo, &name, x_pt, y_pt + 0.3 * TEXT_PT,
              info->cell_names[page->reduce->job->attribute.cell]);
}

static void draw_circuit(const Page *page)
{
    const Reduce *reduce = page->reduce;
    double curve_pt = MARGIN_PT + NAME_PT + KERNEL_PT + 46.0;
    double centre_pt = page->circuit_pt + 0.5 * reduce->kept * ROW_PT - 8.0;
    double cell_pt = curve_pt + CURVE_PT + 150.0;
    for (int i = 0; i < reduce->kept; i++) {
        int c = reduce->order[i];
        const ChannelCard *card = &reduce->job->cards[c];
        bool inhibits = reduce_inhibits(reduce, c);
        double y_pt = page->circuit_pt + i * ROW_PT;
        char text[PLOT_LABEL_BYTES];
        snprintf(text, sizeof text, "%d   %s, %.0f ms", c + 1, card->is_on ? "ON" : "OFF",
                 card->peak_ms);
        write_at(page, plot_on_paper.ink, true, PLOT_LEFT, MARGIN_PT, y_pt + 14.0, text);
        snprintf(text, sizeof text, "%s, %.0f %%", inhibits ? "inhibits" : "excites",
                 100 * reduce->share[c]);
        write_at(page, sign_colour(inhibits), false, PLOT_LEFT, MARGIN_PT, y_pt + 26.0, text);
        if (reduce->places > 1) {
            snprintf(text, sizeof text, "at %.0f ± %.0f um", reduce_place_um(reduce, i),
                     reduce_spread_um(reduce, i));
            write_at(page, plot_on_paper.faint, false, PLOT_LEFT, MARGIN_PT, y_pt + 38.0, text);
        }
        draw_kernel(page, c, MARGIN_PT + NAME_PT, y_pt);
        draw_curves(page, i, curve_pt, y_pt);
        const double from_pt[] = {curve_pt + CURVE_PT + 8.0, y_pt + 0.5 * (ROW_PT - 22.0)};
        double dx = cell_pt - from_pt[0], dy = centre_pt - from_pt[1], length = hypot(dx, dy);
        const double to_pt[] = {cell_pt - dx / length * (CELL_PT + 5.0),
                                centre_pt - dy / length * (CELL_PT + 5.0)};
        draw_arrow(page, inhibits, reduce->share[c], from_pt, to_pt);
    }
    draw_cell(page, cell_pt, centre_pt);
}

/* ---- rates */

static void draw_trace(const Page *page, int t, const PlotBox *box, double highest_hz)
{
    const Reduce *reduce = page->reduce;
    const AttributeTrial *trial = &reduce->trials[t];
    const Landmark *mark = &reduce->landmarks[t];
    const PlotArea area = {*box,
                           {fmax(mark->from_s - BEFORE_S, trial->times_s[0]),
                            fmin(mark->to_s + AFTER_S, trial->times_s[trial->bins - 1])},
                           {0, 1.05 * highest_hz}};
    double *rates = calloc((size_t)trial->bins, sizeof *rates);
    if (!rates)
        return;
    plot_x_axis(page->cairo, &plot_on_paper, &area, plot_tick_step(area.x, 4), 0.85 * TEXT_PT);
    plot_y_axis(page->cairo, &plot_on_paper, &area, plot_tick_step(area.y, 3), 0.85 * TEXT_PT);
    double at_pt = plot_x_px(&area, mark->at_s);
    if (mark->at_s >= area.x.low && mark->at_s <= area.x.high)
        plot_line(page->cairo, plot_on_paper.faint, 0.7, at_pt, box->y_px, at_pt,
                  box->y_px + box->height_px);
    plot_trace(page->cairo, &area, plot_on_paper.ink, 1.1, trial->times_s, trial->rates_hz,
               (size_t)trial->bins);
    for (int bin = 0; bin < trial->bins; bin++)
        rates[bin] = (double)reduce->reduced.rates_hz[reduce->first_bins[t] + bin];
    plot_trace(page->cairo, &area, plot_on_paper.series[1], 1.4, trial->times_s, rates,
               (size_t)trial->bins);
    free(rates);
    write_at(page, plot_on_paper.ink, false, PLOT_LEFT, box->x_px, box->y_px - 4.0,
             trial->condition);
}

static int traces_shown(const Reduce *reduce)
{
    int trials = reduce->job->trials_count;
    return trials < TRACES_MOST ? trials : TRACES_MOST;
}

static void draw_traces(const Page *page)
{
    const Reduce *reduce = page->reduce;
    double highest_hz = 1e-3, gap_pt = 34.0;
    double width_pt = (WIDTH_PT - 2 * MARGIN_PT - 20.0) / TRACES_A_ROW - gap_pt;
    int shown = traces_shown(reduce), trials = reduce->job->trials_count;
    for (int bin = 0; bin < reduce->bins; bin++)
        highest_hz = fmax(highest_hz, fmax((double)reduce->full.rates_hz[bin],
                                           (double)reduce->reduced.rates_hz[bin]));
    write_at(page, plot_on_paper.ink, true, PLOT_LEFT, MARGIN_PT, page->traces_pt - 20.0,
             "rate (Hz) over time from the onset (s)");
    write_at(page, plot_on_paper.ink, false, PLOT_LEFT, MARGIN_PT + 190.0, page->traces_pt - 20.0,
             "black: network");
    write_at(page, plot_on_paper.series[1], false, PLOT_LEFT, MARGIN_PT + 260.0,
             page->traces_pt - 20.0, "blue: reduced");
    for (int i = 0; i < shown; i++) {
        const PlotBox box = {MARGIN_PT + 22.0 + (i % TRACES_A_ROW) * (width_pt + gap_pt),
                             page->traces_pt + (i / TRACES_A_ROW) * (TRACE_PT + 34.0), width_pt,
                             TRACE_PT};
        draw_trace(page, shown > 1 ? i * (trials - 1) / (shown - 1) : 0, &box, highest_hz);
    }
}

/* ---- tables */

static void draw_steps(const Page *page)
{
    const Reduce *reduce = page->reduce;
    const double columns_pt[] = {14, 92, 150, 214, 300};
    const char *const titles[] = {"k", "channels", "numbers", "correlation", "peaks off by (ms)"};
    double y_pt = page->tables_pt;
    for (int i = 0; i < 5; i++)
        write_at(page, plot_on_paper.faint, false, PLOT_RIGHT, MARGIN_PT + columns_pt[i], y_pt,
                 titles[i]);
    for (int k = 1; k <= reduce->steps_count; k++) {
        const ReduceStep *step = &reduce->steps[k - 1];
        char cells[5][32];
        snprintf(cells[0], sizeof cells[0], "%d", k);
        snprintf(cells[1], sizeof cells[1], "%s%d", k > 1 ? "and " : "", reduce->order[k - 1] + 1);
        snprintf(cells[2], sizeof cells[2], "%d", reduction_numbers(k, reduce->places));
        snprintf(cells[3], sizeof cells[3], "%.3f", step->numbers.correlation);
        snprintf(cells[4], sizeof cells[4], "%.0f, most %.0f", step->peak_error_ms,
                 step->peak_error_most_ms);
        for (int i = 0; i < 5; i++)
            write_at(page, plot_on_paper.ink, k == reduce->kept, PLOT_RIGHT,
                     MARGIN_PT + columns_pt[i], y_pt + k * TABLE_ROW_PT, cells[i]);
    }
}

static void draw_ablations(const Page *page)
{
    const Reduce *reduce = page->reduce;
    const double left_pt = MARGIN_PT + 350.0, columns_pt[] = {150, 225, 300, 390};
    const char *const titles[] = {"peaks shift (ms)", "peaks' size (%)", "rate changes (%)",
                                  "fitted anew without"};
    double y_pt = page->tables_pt;
    write_at(page, plot_on_paper.faint, false, PLOT_LEFT, left_pt, y_pt, "silenced");
    for (int i = 0; i < 4; i++)
        write_at(page, plot_on_paper.faint, false, PLOT_RIGHT, left_pt + columns_pt[i], y_pt,
                 titles[i]);
    for (int row = 0; row <= reduce->kept; row++) {
        const ReduceAblation *ablation =
            &reduce->ablations[row < reduce->kept ? row : reduce->steps_count];
        char cells[4][40];
        snprintf(cells[0], sizeof cells[0], "%+.0f / %+.0f", ablation->full_shift_ms,
                 ablation->reduced_shift_ms);
        snprintf(cells[1], sizeof cells[1], "%.0f / %.0f", 100 * ablation->full_size,
                 100 * ablation->reduced_size);
        snprintf(cells[2], sizeof cells[2], "%.0f / %.0f", 100 * ablation->full_change,
                 100 * ablation->reduced_change);
        snprintf(cells[3], sizeof cells[3], "%.3f; %.0f, most %.0f",
                 ablation->refitted.numbers.correlation, ablation->refitted.peak_error_ms,
                 ablation->refitted.peak_error_most_ms);
        y_pt += TABLE_ROW_PT;
        write_at(page, plot_on_paper.ink, false, PLOT_LEFT, left_pt, y_pt, ablation->what);
        for (int i = 0; i < 4; i++)
            write_at(page, plot_on_paper.ink, false, PLOT_RIGHT, left_pt + columns_pt[i], y_pt,
                     cells[i]);
    }
    write_at(page, plot_on_paper.faint, false, PLOT_LEFT, left_pt, y_pt + 1.4 * TABLE_ROW_PT,
             "network / reduced model; the last: correlation; its peaks off by (ms)");
}

bool reduce_draw(const Reduce *reduce, const char *path, char *err)
{
    int rows = (traces_shown(reduce) + TRACES_A_ROW - 1) / TRACES_A_ROW;
    int table_rows =
        reduce->steps_count > reduce->kept + 2 ? reduce->steps_count : reduce->kept + 2;
    Page page = {.reduce = reduce, .circuit_pt = HEAD_PT + 4.0};
    page.traces_pt = page.circuit_pt + reduce->kept * ROW_PT + 34.0;
    page.tables_pt = page.traces_pt + rows * (TRACE_PT + 34.0) + 4.0;
    Figure *figure = figure_open(path, WIDTH_PT,
                                 page.tables_pt + (table_rows + 1) * TABLE_ROW_PT + MARGIN_PT, err);
    if (!figure)
        return false;
    page.cairo = figure_cairo(figure);
    draw_head(&page);
    draw_circuit(&page);
    draw_traces(&page);
    draw_steps(&page);
    draw_ablations(&page);
    return figure_close(figure, err);
}
