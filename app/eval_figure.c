#include "app/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/figure.h"
#include "app/plot.h"
#include "model/kind.h"

/* In points. */
enum {
    PAGE_WIDTH = 640,
    LEFT = 58,
    RIGHT = 14,
    HEAD = 30,
    TITLE = 18,
    CURVES = 96,
    GAP = 5,
    RASTER = 54,
    AXIS = 26,
    FOOT = 50,
    LEAST_S = 1,
};
static const double TEXT_PT = 9.0;
static const PlotTheme *const theme = &plot_on_paper;

/* One page at work. */
typedef struct {
    Eval *eval;
    cairo_t *cairo;
    int cells[EVAL_FIGURE_CELLS], cells_count;
    int64_t from, bins; // of the part
    bool is_smoothed;
    float *spikes;                 // owned; (repeats, scored bins)
    double *time_s, *psth, *rates; // owned; (bins), Hz
} Page;

static int find_cell(const Eval *e, const char *name)
{
    for (int cell = 0; cell < e->info->cells; cell++)
        if (!strcmp(e->info->cell_names[cell], name))
            return cell;
    return -1;
}

bool eval_check_figure(const Eval *e, const EvalFigure *figure, char *err)
{
    double hz = e->info->bin_hz, low_s = (double)e->from / hz, high_s = (double)e->to / hz;
    for (int i = 0; i < figure->cells_count; i++) {
        int cell = find_cell(e, figure->cells[i]);
        if (cell < 0 || !eval_is_common(e, cell))
            return model_refuse(err, "--cells: %s: is not a cell of the data set and of all models",
                                figure->cells[i]);
    }
    if (figure->from_s >= 0.0 && !(figure->from_s >= low_s && figure->from_s + LEAST_S <= high_s))
        return model_refuse(err, "--figure-from: %g s: allowed is %g to %g s, what is scored",
                            figure->from_s, low_s, high_s - LEAST_S);
    return true;
}

static double rank_of(const Eval *e, int cell)
{
    const EvalScore *scores = e->models[0].cells[cell];
    double norm = scores[SCORE_CC_NORM].value;
    return isfinite(norm) ? norm : scores[SCORE_CC].value;
}

/* Best, median and worst cell by cc_norm of the first model; fewer when there are fewer. */
static int choose_cells(const Eval *e, int *cells)
{
    int ranked[MODEL_MAX_CELLS], count = 0;
    for (int cell = 0; cell < e->info->cells; cell++) {
        if (!eval_is_common(e, cell))
            continue;
        int at = count++;
        for (; at > 0 && !(rank_of(e, ranked[at - 1]) >= rank_of(e, cell)); at--)
            ranked[at] = ranked[at - 1];
        ranked[at] = cell;
    }
    int kept = count < 3 ? count : 3;
    for (int i = 0; i < kept; i++)
        cells[i] = ranked[kept < 3 ? i : i * (count - 1) / 2];
    return kept;
}

static bool read_psth(Page *p, int cell, char *err)
{
    const Eval *e = p->eval;
    double hz = e->info->bin_hz;
    const float *raw = e->psth + cell * (e->to - e->from) + (p->from - e->from);
    for (int64_t t = 0; t < p->bins; t++)
        p->psth[t] = (double)raw[t] * hz;
    if (!p->is_smoothed)
        return true;
    size_t count = (size_t)p->bins * (size_t)e->info->cells;
    float *all = malloc(count * sizeof *all);
    bool ok = all && dataset_read_response(e->data, e->request.part, DATASET_FIRING_RATE, p->from,
                                           (int)p->bins, all, err);
    if (!all)
        model_refuse(err, "not enough memory for the figure");
    for (int64_t t = 0; ok && t < p->bins; t++)
        p->psth[t] = (double)all[cell * p->bins + t];
    free(all);
    return ok;
}

static void read_rates(Page *p, const EvalModel *m, int cell)
{
    const float *rates = m->rates_hz + cell * p->eval->bins + (p->from - p->eval->first);
    for (int64_t t = 0; t < p->bins; t++)
        p->rates[t] = (double)rates[t];
}

static double highest_hz(Page *p, int cell)
{
    double highest = 1.0;
    for (int64_t t = 0; t < p->bins; t++)
        highest = fmax(highest, p->psth[t]);
    for (int i = 0; i < p->eval->models_count; i++) {
        read_rates(p, &p->eval->models[i], cell);
        for (int64_t t = 0; t < p->bins; t++)
            highest = fmax(highest, p->rates[t]);
    }
    return highest;
}

static PlotColour colour_of(int model)
{
    return theme->series[1 + model % (PLOT_SERIES - 1)];
}

static PlotRange times_of(const Page *p)
{
    double hz = p->eval->info->bin_hz;
    return (PlotRange){(double)p->from / hz, (double)(p->from + p->bins) / hz};
}

static bool has_intervals(const Eval *e)
{
    return e->request.resamples > 0 && e->repeats > 1 && e->models_count <= 3;
}

static void draw_title(const Page *p, int cell, double y_px)
{
    const Eval *e = p->eval;
    const PlotText name = {theme->ink, TEXT_PT + 1.0, true, PLOT_LEFT, 140.0};
    double x_px = LEFT + plot_text(p->cairo, &name, LEFT, y_px, e->info->cell_names[cell]) + 12.0;
    for (int i = 0; i < e->models_count; i++) {
        const EvalScore *score = &e->models[i].cells[cell][SCORE_CC_NORM];
        const EvalScore *plain = &e->models[i].cells[cell][SCORE_CC];
        const PlotText style = {colour_of(i), TEXT_PT, false, PLOT_LEFT, 0.0};
        char text[PLOT_LABEL_BYTES];
        if (!isfinite(score->value))
            snprintf(text, sizeof text, "cc %.2f", plain->value);
        else if (isnan(score->interval.low) || !has_intervals(e))
            snprintf(text, sizeof text, "cc_norm %.2f", score->value);
        else
            snprintf(text, sizeof text, "cc_norm %.2f (%.2f … %.2f)", score->value,
                     score->interval.low, score->interval.high);
        x_px += plot_text(p->cairo, &style, x_px, y_px, text) + 14.0;
    }
}

static void draw_curves(Page *p, int cell, double y_px)
{
    double top_hz = highest_hz(p, cell) * 1.05;
    const PlotArea area = {
        {LEFT, y_px, PAGE_WIDTH - LEFT - RIGHT, CURVES}, times_of(p), {0.0, top_hz}};
    const PlotText label = {theme->ink, TEXT_PT, false, PLOT_CENTRE, 0.0};
    double step_s = plot_tick_step(area.x, 10), bottom_px = y_px + CURVES;
    for (double at = ceil(area.x.low / step_s); at * step_s <= area.x.high; at++) {
        double x_px = floor(plot_x_px(&area, at * step_s)) + 0.5;
        plot_line(p->cairo, theme->grid, 1.0, x_px, y_px, x_px, bottom_px);
    }
    plot_y_axis(p->cairo, theme, &area, plot_tick_step(area.y, 4), TEXT_PT);
    plot_text_up(p->cairo, &label, 16.0, y_px + CURVES / 2.0, "rate (Hz)");
    plot_trace(p->cairo, &area, theme->faint, 0.9, p->time_s, p->psth, (size_t)p->bins);
    for (int i = 0; i < p->eval->models_count; i++) {
        read_rates(p, &p->eval->models[i], cell);
        plot_trace(p->cairo, &area, colour_of(i), 1.2, p->time_s, p->rates, (size_t)p->bins);
    }
}

static void draw_raster(Page *p, double y_px, bool is_last)
{
    const Eval *e = p->eval;
    const PlotArea area = {
        {LEFT, y_px, PAGE_WIDTH - LEFT - RIGHT, RASTER}, times_of(p), {0.0, 1.0}};
    const PlotText label = {theme->ink, TEXT_PT, false, PLOT_CENTRE, 0.0};
    double row_px = (double)RASTER / e->repeats, middle_px = LEFT + area.box.width_px / 2.0;
    plot_x_axis(p->cairo, theme, &area, plot_tick_step(area.x, 10), TEXT_PT);
    plot_text_up(p->cairo, &label, 16.0, y_px + RASTER / 2.0,
                 !e->is_counted   ? ""
                 : e->repeats > 1 ? "repeats"
                                  : "spikes");
    for (int i = 0; e->is_counted && i < e->repeats; i++) {
        const float *spikes = p->spikes + i * (e->to - e->from) + (p->from - e->from);
        double top_px = y_px + i * row_px + 0.1 * row_px;
        for (int64_t t = 0; t < p->bins; t++) {
            double x_px = plot_x_px(&area, p->time_s[t]);
            if (spikes[t] > 0.0f)
                plot_line(p->cairo, theme->ink, 0.8, x_px, top_px, x_px, top_px + 0.8 * row_px);
        }
    }
    if (is_last)
        plot_text(p->cairo, &label, middle_px, y_px + RASTER + 2.5 * TEXT_PT, "time (s)");
}

static void draw_legend(const Page *p)
{
    const Eval *e = p->eval;
    double x_px = LEFT;
    for (int i = -1; i < e->models_count; i++) {
        const ModelInfo *info = i < 0 ? NULL : model_info(e->models[i].model);
        const PlotText style = {theme->ink, TEXT_PT, false, PLOT_LEFT, 170.0};
        char text[PLOT_LABEL_BYTES];
        if (info)
            snprintf(text, sizeof text, "%s (%s)", info->name, info->kind);
        else
            snprintf(text, sizeof text, "%s", e->repeats > 1 ? "PSTH" : "response");
        plot_line(p->cairo, i < 0 ? theme->faint : colour_of(i), 2.0, x_px, 15.0, x_px + 18.0,
                  15.0);
        x_px += 24.0 + plot_text(p->cairo, &style, x_px + 24.0, 18.0, text) + 20.0;
    }
}

static void draw_caption(const Page *p, double y_px)
{
    const Eval *e = p->eval;
    const PlotText style = {theme->faint, TEXT_PT, false, PLOT_LEFT, PAGE_WIDTH - LEFT - RIGHT};
    char text[PLOT_LABEL_BYTES], whose[64] = "Response of a single run";
    if (e->repeats > 1)
        snprintf(whose, sizeof whose, "PSTH: mean over %d repeats", e->repeats);
    snprintf(text, sizeof text, "%s%s. Predictions are not smoothed.%s", whose,
             p->is_smoothed ? ", smoothed by a Gaussian of SD 10 ms" : ", not smoothed",
             has_intervals(e) ? " In brackets: 95 % interval." : "");
    plot_text(p->cairo, &style, LEFT, y_px, text);
    bool is_model = false;
    for (int i = 0; i < e->models_count; i++)
        is_model = is_model || model_info(e->models[i].model)->is_simulated;
    snprintf(text, sizeof text, "%sData: %s.",
             e->info->is_simulated ? "Simulated retina, no recording. "
             : is_model            ? "Recorded cells, but a model of the simulated retina. "
                                   : "",
             e->info->name[0] ? e->info->name : e->request.data);
    plot_text(p->cairo, &style, LEFT, y_px + 1.5 * TEXT_PT, text);
}

static bool make_page(Page *p, Eval *e, const EvalFigure *figure, char *err)
{
    double hz = e->info->bin_hz;
    *p = (Page){.eval = e, .cells_count = figure->cells_count};
    for (int i = 0; i < figure->cells_count; i++)
        p->cells[i] = find_cell(e, figure->cells[i]);
    if (figure->cells_count == 0)
        p->cells_count = choose_cells(e, p->cells);
    p->from = figure->from_s < 0.0 ? e->from : (int64_t)llrint(figure->from_s * hz);
    p->bins = (int64_t)llrint(figure->seconds * hz);
    p->bins = p->bins < e->to - p->from ? p->bins : e->to - p->from;
    p->is_smoothed = dataset_has(e->data, e->request.part, DATASET_FIRING_RATE);
    p->spikes = calloc((size_t)e->repeats * (size_t)(e->to - e->from), sizeof *p->spikes);
    p->time_s = calloc((size_t)p->bins, sizeof *p->time_s);
    p->psth = calloc((size_t)p->bins, sizeof *p->psth);
    p->rates = calloc((size_t)p->bins, sizeof *p->rates);
    if (!p->spikes || !p->time_s || !p->psth || !p->rates)
        return model_refuse(err, "not enough memory for the figure");
    for (int64_t t = 0; t < p->bins; t++)
        p->time_s[t] = ((double)(p->from + t) + 0.5) / hz;
    return true;
}

static bool draw_cells(Page *p, char *err)
{
    double y_px = HEAD;
    for (int i = 0; i < p->cells_count; i++) {
        if (!eval_read_spikes(p->eval, p->cells[i], p->spikes, err) ||
            !read_psth(p, p->cells[i], err))
            return false;
        draw_title(p, p->cells[i], y_px + 12.0);
        draw_curves(p, p->cells[i], y_px + TITLE);
        draw_raster(p, y_px + TITLE + CURVES + GAP, i == p->cells_count - 1);
        y_px += TITLE + CURVES + GAP + RASTER + AXIS;
    }
    draw_legend(p);
    draw_caption(p, y_px + 18.0);
    return true;
}

bool eval_draw(Eval *e, const EvalFigure *figure, bool *is_input, char *err)
{
    Page page;
    *is_input = !eval_check_figure(e, figure, err); // again: a run may have been stopped before it
    if (*is_input)
        return false;
    bool ok = make_page(&page, e, figure, err);
    double height_pt = HEAD + page.cells_count * (TITLE + CURVES + GAP + RASTER + AXIS) + FOOT;
    Figure *paper = ok ? figure_open(figure->path, PAGE_WIDTH, height_pt, err) : NULL;
    *is_input = ok && !paper;
    if (paper) {
        page.cairo = figure_cairo(paper);
        ok = draw_cells(&page, err);
        ok = figure_close(paper, ok ? err : (char[FIGURE_ERR_BYTES]){0}) && ok;
    }
    free(page.spikes);
    free(page.time_s);
    free(page.psth);
    free(page.rates);
    return ok && paper;
}
