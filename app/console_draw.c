#include "app/console_draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/console_view.h"

enum { MAPS_A_ROW = 8, MAPS_A_ROW_WIDE = 4 };

static const double WINDOW_S = 4.0;
static const double SHARES_ROW = 0.75; // of text_px, for a channel

double console_window_s(const ConsoleSetup *setup)
{
    return fmin(WINDOW_S, (CONSOLE_REFRESHES - 1) / setup->refresh_hz);
}

int64_t console_view_first(const ConsoleState *state)
{
    const ConsoleSetup *setup = &state->setup;
    return state->live.newest + 1 -
           (int64_t)ceil(console_window_s(setup) * setup->refresh_hz - 1e-6);
}

double console_view_time_s(const ConsoleState *state, int64_t refresh)
{
    return ((double)(refresh - state->live.newest) - 0.5) / state->setup.refresh_hz;
}

PlotRange console_view_time(const ConsoleState *state)
{
    return (PlotRange){-console_window_s(&state->setup), 0.0};
}

double console_view_left_px(const ConsoleState *state, const PlotArea *area, int64_t refresh)
{
    const double begin_s = (double)(refresh - state->live.newest - 1) / state->setup.refresh_hz;
    return floor(plot_x_px(area, begin_s) + 1e-6);
}

static bool has_maps(const ConsoleSetup *setup)
{
    return setup->map_model >= 0 && setup->map_channels > 0 && setup->map_width_px > 0;
}

static bool has_shares(const ConsoleSetup *setup)
{
    return has_maps(setup) && setup->attribution_path[0];
}

/* Profile, cells and timing lanes on one time axis inside a column. */
static void layout_time(const ConsoleSetup *setup, ConsoleLayout *layout, PlotBox column)
{
    const double u = layout->text_px;
    const double x_px = column.x_px + 5.2 * u;
    const double width_px = column.width_px - (setup->models_count > 1 ? 10.0 : 6.2) * u;
    const double lane_px = fmax(0.045 * setup->height_px, 2.6 * u);
    const double axis_px = 1.7 * u;
    const double caption_px = 2.2 * u;
    const double gap_px = 1.0 * u;
    double y_px = column.y_px + caption_px;
    layout->profile = (PlotBox){x_px, y_px, width_px, lane_px};
    y_px += lane_px + caption_px;
    const double shares_px = has_shares(setup) ? SHARES_ROW * setup->map_channels * u : 0.0;
    const double below_px = caption_px + 2.0 * lane_px + 0.5 * u + axis_px +
                            (has_shares(setup) ? shares_px + caption_px - gap_px : 0.0);
    const int cells = setup->cells_count > 0 ? setup->cells_count : 1;
    const double height_px = (column.y_px + column.height_px - below_px - y_px) / cells - gap_px;
    for (int c = 0; c < setup->cells_count; c++)
        layout->cells[c] = (PlotBox){x_px, y_px + c * (height_px + gap_px), width_px, height_px};
    y_px = column.y_px + column.height_px - axis_px - lane_px;
    layout->margin = (PlotBox){x_px, y_px, width_px, lane_px};
    layout->interval = (PlotBox){x_px, y_px - lane_px - 0.5 * u, width_px, lane_px};
    if (has_shares(setup)) {
        const double shares_y_px = layout->interval.y_px - caption_px - shares_px;
        layout->shares = (PlotBox){x_px, shares_y_px, width_px, shares_px};
    }
}

/* The largest box of the shape columns × rows inside the space, at its upper left. */
static PlotBox fit(PlotBox space, double columns, double rows)
{
    const double unit_px =
        floor(fmin(space.width_px / columns, space.height_px / rows) * 16.0) / 16.0;
    return (PlotBox){space.x_px, space.y_px, unit_px * columns, unit_px * rows};
}

/* Models in play at once, at most. */
static int models_at_once(const ConsoleSetup *setup)
{
    int any = 0, most = 0;
    for (int m = 0; m < setup->models_count; m++) {
        const char *stimulus = setup->models[m].stimulus;
        int same = 0;
        for (int other = 0; stimulus[0] && other < setup->models_count; other++)
            same += strcmp(setup->models[other].stimulus, stimulus) == 0;
        any += stimulus[0] == '\0';
        most = same > most ? same : most;
    }
    return any + most;
}

/* Room for the attribution among the maps; returns how much of it there is with so many rows. */
static double add_shares(const ConsoleSetup *setup, ConsoleLayout *layout, int maps_a_row)
{
    if (!has_shares(setup))
        return 0.0;
    layout->strip_px = 1.9 * layout->text_px;
    layout->summary_px = 2.8 * layout->text_px;
    return ((setup->map_channels - 1) / maps_a_row + 1) * layout->strip_px + layout->summary_px;
}

static double models_height_px(const ConsoleSetup *setup, double text_px)
{
    return (2.0 + 1.55 * models_at_once(setup)) * text_px;
}

/* Pictures on top, the maps in a row with the table of models below them, and time below all. */
static void layout_tall(const ConsoleSetup *setup, ConsoleLayout *layout)
{
    const double u = layout->text_px;
    const double pad_px = layout->pad_px;
    const double width_px = setup->width_px - 2.0 * pad_px;
    const double top_px = layout->header.height_px + 2.4 * u;
    const double side_px = fmin(0.215 * setup->height_px, 0.3 * setup->width_px);
    layout->stimulus = fit((PlotBox){pad_px, top_px, 1.4 * side_px, side_px},
                           setup->raster.width_px, setup->raster.height_px);
    const double beside_px = pad_px + layout->stimulus.width_px + 2.0 * u;
    const PlotBox beside = {beside_px, top_px, setup->width_px - pad_px - beside_px, side_px};
    const double table_px = models_height_px(setup, u);
    double top_height_px = layout->stimulus.height_px;
    layout->models = beside;
    if (has_maps(setup)) {
        layout->maps = beside;
        const int rows = (setup->map_channels - 1) / MAPS_A_ROW + 1;
        layout->maps.height_px =
            beside.width_px / MAPS_A_ROW * rows + add_shares(setup, layout, MAPS_A_ROW);
        layout->models.y_px += layout->maps.height_px + 0.4 * u;
    }
    layout->models.height_px = table_px;
    top_height_px = fmax(top_height_px + 1.6 * u, layout->models.y_px + table_px - top_px);
    const double time_px = top_px + top_height_px;
    layout_time(setup, layout,
                (PlotBox){pad_px, time_px, width_px, setup->height_px - pad_px - time_px});
}

/* Pictures and table in a column at the left, time at the right. */
static void layout_wide(const ConsoleSetup *setup, ConsoleLayout *layout)
{
    const double u = layout->text_px;
    const double pad_px = layout->pad_px;
    const double column_px = 0.33 * setup->width_px;
    const double top_px = layout->header.height_px + 2.4 * u;
    const double table_px = models_height_px(setup, u);
    const double bottom_px = setup->height_px - pad_px;
    double left_px = bottom_px - table_px - top_px - 2.5 * u;
    if (has_maps(setup)) {
        layout->maps.height_px =
            fmin(0.36 * left_px, 0.56 * column_px) + add_shares(setup, layout, MAPS_A_ROW_WIDE);
        left_px -= layout->maps.height_px + 3.3 * u;
    }
    layout->stimulus = fit((PlotBox){pad_px, top_px, column_px, left_px}, setup->raster.width_px,
                           setup->raster.height_px);
    if (has_maps(setup)) {
        const double maps_px = top_px + layout->stimulus.height_px + 4.5 * u;
        layout->maps = (PlotBox){pad_px, maps_px, column_px, layout->maps.height_px};
    }
    layout->models = (PlotBox){pad_px, bottom_px - table_px, column_px, table_px};
    const double time_px = pad_px + column_px + 2.0 * u;
    layout_time(setup, layout,
                (PlotBox){time_px, layout->header.height_px, setup->width_px - pad_px - time_px,
                          bottom_px - layout->header.height_px});
}

void console_layout(const ConsoleSetup *setup, ConsoleLayout *layout)
{
    const double scale = fmin(setup->width_px / 640.0, setup->height_px / 720.0);
    *layout = (ConsoleLayout){.text_px = fmin(fmax(12.0 * scale, 10.0), 24.0)};
    layout->pad_px = layout->text_px;
    layout->header = (PlotBox){0.0, 0.0, setup->width_px, 6.6 * layout->text_px};
    if (setup->width_px > 1.25 * setup->height_px)
        layout_wide(setup, layout);
    else
        layout_tall(setup, layout);
}

/* From every rate kept, not only those in sight, so that the axis seldom changes. */
static double peak_hz(const ConsoleState *state, int cell)
{
    float peak = 0.0F;
    for (int i = 0; i < CONSOLE_REFRESHES; i++) {
        for (int m = 0; m < state->setup.models_count; m++) {
            const float rate_hz = state->ring[i].rates_hz[m][cell];
            peak = rate_hz > peak ? rate_hz : peak;
        }
    }
    return (double)peak;
}

PlotArea console_cell_area(const ConsoleState *state, const ConsoleLayout *layout, int cell)
{
    static const double least_hz = 10.0;
    const double needed_hz = fmax(1.02 * peak_hz(state, cell), least_hz);
    const double step_hz = plot_tick_step((PlotRange){0.0, needed_hz}, 5);
    return (PlotArea){layout->cells[cell],
                      console_view_time(state),
                      {0.0, step_hz * ceil(needed_hz / step_hz - 1e-9)}};
}

double console_view_caption(const ConsoleView *view, const PlotBox *box, const char *caption,
                            const char *remark)
{
    const double u = view->layout.text_px;
    const double y_px = box->y_px - 0.6 * u;
    const PlotText style = {view->theme->ink, u, true, PLOT_LEFT, box->width_px};
    double end_px = box->x_px + plot_text(view->cairo, &style, box->x_px, y_px, caption);
    const double left_px = box->x_px + box->width_px - end_px - 0.7 * u;
    if (remark[0] && left_px > 3.0 * u) {
        const PlotText minor = {view->theme->faint, 0.9 * u, false, PLOT_LEFT, left_px};
        end_px += 0.7 * u;
        end_px += plot_text(view->cairo, &minor, end_px, y_px, remark);
    }
    return end_px;
}

void console_view_tag(const ConsoleView *view, double x_px, double y_px, const char *text)
{
    const double u = view->layout.text_px;
    const PlotText style = {view->theme->ink, 0.9 * u, true, PLOT_LEFT, 12.0 * u};
    const double width_px = fmin(plot_text_width_px(view->cairo, &style, text), 12.0 * u);
    const PlotBox ground = {x_px - 0.2 * u, y_px - 0.9 * u, width_px + 0.4 * u, 1.15 * u};
    plot_fill(view->cairo, view->theme->paper, &ground);
    plot_text(view->cairo, &style, x_px, y_px, text);
}

void console_draw(cairo_t *cairo, const ConsoleState *state, const ConsoleShares *shares)
{
    ConsoleView view = {.cairo = cairo, .state = state, .shares = shares, .theme = &plot_on_screen};
    console_layout(&state->setup, &view.layout);
    const PlotBox all = {0.0, 0.0, state->setup.width_px, state->setup.height_px};
    cairo_save(cairo);
    cairo_rectangle(cairo, all.x_px, all.y_px, all.width_px, all.height_px);
    cairo_clip(cairo);
    plot_fill(cairo, view.theme->paper, &all);
    console_view_header(&view);
    console_view_stimulus(&view);
    console_view_channels(&view);
    console_view_models(&view);
    console_view_rates(&view);
    console_view_shares(&view);
    console_view_timing(&view);
    cairo_restore(cairo);
}
