#include "app/phenomena_figure.h"

#include <math.h>
#include <stdio.h>

#include "app/figure.h"
#include "app/plot.h"

static const double TEXT_PT = 8.0, LEFT_PT = 48.0, GAP_PT = 14.0, COLUMN_PT = 210.0;
static const double HEAD_PT = 52.0, PANEL_PT = 130.0, ABOVE_PT = 34.0, BELOW_PT = 34.0;

enum { TICKS = 5 };

typedef struct {
    cairo_t *cairo;
    const PhenomenonColumn *columns;
    int count;
} Page;

static void widen(PlotRange *range, double value)
{
    if (isfinite(value)) {
        range->low = fmin(range->low, value);
        range->high = fmax(range->high, value);
    }
}

// references may leave the box, measurements may not
static void cover(const PhenomenonPanel *panel, PlotRange *x, PlotRange *y)
{
    for (int i = 0; i < PHENOMENA_CURVES; i++) {
        const PhenomenonCurve *curve = &panel->curves[i];
        for (int k = 0; k < curve->count; k++) {
            widen(x, curve->x[k]);
            if (!curve->is_faint)
                widen(y, curve->y[k]);
        }
    }
}

static PlotRange padded(PlotRange range, double share)
{
    if (!(range.low <= range.high))
        return (PlotRange){0.0, 1.0};
    double pad = fmax(share * (range.high - range.low), 1e-6);
    return (PlotRange){range.low == 0.0 ? 0.0 : range.low - pad, range.high + pad};
}

static PlotColour colour_of(const PhenomenonPanel *panel, int i)
{
    return panel->curves[i].is_faint ? plot_on_paper.faint : plot_on_paper.series[i];
}

static void draw_curves(cairo_t *cairo, const PlotArea *area, const PhenomenonPanel *panel)
{
    for (int i = 0; i < PHENOMENA_CURVES; i++) {
        const PhenomenonCurve *curve = &panel->curves[i];
        PlotColour colour = colour_of(panel, i);
        if (!curve->is_scatter)
            plot_trace(cairo, area, colour, curve->is_faint ? 0.8 : 1.3, curve->x, curve->y,
                       (size_t)curve->count);
        for (int k = 0;
             (curve->has_points || curve->is_scatter) && !curve->is_faint && k < curve->count; k++)
            plot_trace(cairo, area, colour, 4.0, &curve->x[k], &curve->y[k], 1);
    }
}

/* Names of the curves in their colours, on as many lines as there is room for. */
static void draw_legend(const Page *page, const PhenomenonPanel *panel, double y_pt)
{
    double x_pt = LEFT_PT, right_pt = LEFT_PT + page->count * (COLUMN_PT + GAP_PT);
    for (int i = 0; i < PHENOMENA_CURVES; i++) {
        if (panel->curves[i].count == 0)
            continue;
        const PlotText style = {colour_of(panel, i), TEXT_PT, false, PLOT_LEFT, 0.0};
        double width_pt = plot_text_width_px(page->cairo, &style, panel->curves[i].label);
        if (x_pt + width_pt > right_pt && x_pt > LEFT_PT) {
            x_pt = LEFT_PT;
            y_pt += 1.2 * TEXT_PT;
        }
        plot_text(page->cairo, &style, x_pt, y_pt, panel->curves[i].label);
        x_pt += width_pt + 1.5 * TEXT_PT;
    }
}

// the hairlines of the y axis without its numbers
static void draw_levels(cairo_t *cairo, const PlotArea *area, double step)
{
    for (double i = ceil(area->y.low / step - 1e-6); i * step <= area->y.high; i++) {
        double y_px = floor(plot_y_px(area, i * step)) + 0.5;
        plot_line(cairo, plot_on_paper.grid, 1.0, area->box.x_px, y_px,
                  area->box.x_px + area->box.width_px, y_px);
    }
}

static void draw_row(const Page *page, int row, double top_pt)
{
    PlotRange x = {HUGE_VAL, -HUGE_VAL}, y = {HUGE_VAL, -HUGE_VAL};
    for (int m = 0; m < page->count; m++)
        cover(&page->columns[m].result->panels[row], &x, &y);
    if (y.low >= 0.0 && y.low < 0.35 * y.high)
        y.low = 0.0;
    x = padded(x, 0.02);
    y = padded(y, 0.05);
    const PhenomenonPanel *first = &page->columns[0].result->panels[row];
    const PlotText title = {plot_on_paper.ink, TEXT_PT, true, PLOT_LEFT, 0.0};
    const PlotText name = {plot_on_paper.faint, TEXT_PT, false, PLOT_CENTRE, 0.0};
    plot_text(page->cairo, &title, LEFT_PT, top_pt + TEXT_PT, first->title);
    draw_legend(page, first, top_pt + 2.3 * TEXT_PT);
    for (int m = 0; m < page->count; m++) {
        PlotArea area = {
            {LEFT_PT + m * (COLUMN_PT + GAP_PT), top_pt + ABOVE_PT, COLUMN_PT, PANEL_PT}, x, y};
        plot_x_axis(page->cairo, &plot_on_paper, &area, plot_tick_step(x, TICKS), TEXT_PT);
        if (m == 0)
            plot_y_axis(page->cairo, &plot_on_paper, &area, plot_tick_step(y, TICKS), TEXT_PT);
        else
            draw_levels(page->cairo, &area, plot_tick_step(y, TICKS));
        if (y.low < 0.0 && y.high > 0.0)
            plot_line(page->cairo, plot_on_paper.faint, 0.6, area.box.x_px, plot_y_px(&area, 0.0),
                      area.box.x_px + COLUMN_PT, plot_y_px(&area, 0.0));
        draw_curves(page->cairo, &area, &page->columns[m].result->panels[row]);
        plot_text(page->cairo, &name, area.box.x_px + 0.5 * COLUMN_PT,
                  area.box.y_px + PANEL_PT + 2.8 * TEXT_PT, first->x_name);
    }
    plot_text_up(page->cairo, &name, LEFT_PT - 4.2 * TEXT_PT, top_pt + ABOVE_PT + 0.5 * PANEL_PT,
                 first->y_name);
}

static void draw_head(const Page *page, const char *title)
{
    const PlotText large = {plot_on_paper.ink, 1.4 * TEXT_PT, true, PLOT_LEFT, 0.0};
    plot_text(page->cairo, &large, LEFT_PT, 2.2 * TEXT_PT, title);
    for (int m = 0; m < page->count; m++) {
        const PhenomenonResult *result = page->columns[m].result;
        const PlotColour colours[] = {plot_on_paper.bad, plot_on_paper.warning, plot_on_paper.good};
        const PlotText model = {plot_on_paper.ink, TEXT_PT, false, PLOT_LEFT, 0.0};
        const PlotText verdict = {colours[result->verdict], TEXT_PT, true, PLOT_RIGHT, 0.0};
        double left_pt = LEFT_PT + m * (COLUMN_PT + GAP_PT);
        char text[PLOT_LABEL_BYTES];
        snprintf(text, sizeof text, "%s%s", page->columns[m].model,
                 page->columns[m].is_simulated ? " (simulated)" : "");
        plot_text(page->cairo, &model, left_pt, 4.6 * TEXT_PT, text);
        snprintf(text, sizeof text, "%s: %d of %d cells", phenomenon_verdicts[result->verdict],
                 result->holding, result->cells);
        plot_text(page->cairo, &verdict, left_pt + COLUMN_PT, 4.6 * TEXT_PT, text);
    }
}

bool phenomenon_draw(const Phenomenon *phenomenon, const PhenomenonColumn *columns, int count,
                     const char *path, char *err)
{
    double row_pt = ABOVE_PT + PANEL_PT + BELOW_PT;
    Figure *figure = figure_open(path, LEFT_PT + count * (COLUMN_PT + GAP_PT),
                                 HEAD_PT + PHENOMENA_PANELS * row_pt, err);
    if (!figure)
        return false;
    Page page = {figure_cairo(figure), columns, count};
    char title[PLOT_LABEL_BYTES];
    snprintf(title, sizeof title, "%s", phenomenon->name);
    for (char *c = title; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    draw_head(&page, title);
    for (int row = 0; row < PHENOMENA_PANELS; row++)
        draw_row(&page, row, HEAD_PT + row * row_pt);
    return figure_close(figure, err);
}
