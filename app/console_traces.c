#include "app/console_view.h"

#include <math.h>
#include <stdio.h>

enum { LINE_BYTES = 256 };

static const double LEAST_CORRELATED_S = 0.5;

void console_view_up_label(const ConsoleView *view, double top_px, double bottom_px,
                           const char *text)
{
    const double u = view->layout.text_px;
    const PlotText style = {view->theme->faint, 0.9 * u, false, PLOT_CENTRE, 0.0};
    plot_text_up(view->cairo, &style, view->layout.profile.x_px - 4.0 * u,
                 0.5 * (top_px + bottom_px), text);
}

/* Hairlines at whole seconds; the numbers stand below the last lane only. */
static void draw_seconds(const ConsoleView *view, const PlotArea *area)
{
    for (double s = ceil(area->x.low); s <= area->x.high; s += 1.0) {
        const double x_px = floor(plot_x_px(area, s)) + 0.5;
        plot_line(view->cairo, view->theme->grid, 1.0, x_px, area->box.y_px, x_px,
                  area->box.y_px + area->box.height_px);
    }
}

void console_view_trial_starts(const ConsoleView *view, const PlotArea *area)
{
    static const double dashes_px[] = {2.0, 3.0};
    const ConsoleState *state = view->state;
    const double half_s = 0.5 / state->setup.refresh_hz;
    const ConsoleRefresh *before = NULL;
    cairo_save(view->cairo);
    cairo_set_dash(view->cairo, dashes_px, 2, 0.0);
    for (int64_t k = console_view_first(state); k <= state->live.newest; k++) {
        const ConsoleRefresh *record = console_state_refresh(state, k);
        if (record && before && record->trial != before->trial) {
            const double x_px = plot_x_px(area, console_view_time_s(state, k) - half_s);
            plot_line(view->cairo, view->theme->faint, 1.0, x_px, area->box.y_px, x_px,
                      area->box.y_px + area->box.height_px);
        }
        before = record;
    }
    cairo_restore(view->cairo);
}

/* values (profile_px, refreshes) := the middle of the stimulus, position upwards, time to the
 * right. */
static int fill_profile(const ConsoleState *state, float *values, int columns)
{
    const ConsoleRefresh *newest = console_state_refresh(state, state->live.newest);
    const int rows = newest ? newest->profile_px : 0;
    const int64_t first = console_view_first(state);
    for (int i = 0; i < columns; i++) {
        const ConsoleRefresh *record = console_state_refresh(state, first + i);
        for (int j = 0; j < rows; j++) {
            const int from = state->trial.is_profile_vertical ? j : rows - 1 - j;
            const bool is_known = record && record->profile_px == rows;
            values[j * columns + i] = is_known ? (float)record->profile[from] / 255.0F : NAN;
        }
    }
    return rows;
}

static void draw_profile(const ConsoleView *view)
{
    float values[CONSOLE_PROFILE_PX * CONSOLE_REFRESHES];
    const ConsoleState *state = view->state;
    const Raster *raster = &state->setup.raster;
    const bool is_vertical = state->trial.is_profile_vertical;
    const PlotBox *box = &view->layout.profile;
    const int columns = (int)(state->live.newest + 1 - console_view_first(state));
    const int rows = fill_profile(state, values, columns);
    const double half_mm =
        0.5e-3 * raster->um_per_px * (is_vertical ? raster->height_px : raster->width_px);
    const PlotArea area = {*box, console_view_time(state), {-half_mm, half_mm}};
    if (half_mm > 0.0) {
        plot_y_axis(view->cairo, view->theme, &area, plot_round_up(0.5 * half_mm),
                    0.9 * view->layout.text_px);
    }
    if (rows > 0) {
        const PlotImage image = {values, columns, rows, PLOT_GREY, {0.0, 1.0}};
        plot_image(view->cairo, view->theme, box, &image);
    }
    console_view_trial_starts(view, &area);
    console_view_caption(view, box, "Stimulus in time", "along its middle");
    console_view_up_label(view, box->y_px, box->y_px + box->height_px,
                          is_vertical ? "y (mm)" : "x (mm)");
}

/* times and rates of one cell in sight, NaN where nothing is known; returns how many. */
static size_t collect(const ConsoleState *state, int model, int cell, double *time_s,
                      double *rate_hz)
{
    size_t count = 0;
    for (int64_t k = console_view_first(state); k <= state->live.newest; k++) {
        const ConsoleRefresh *record = console_state_refresh(state, k);
        time_s[count] = console_view_time_s(state, k) - state->setup.models[model].delay_s;
        rate_hz[count++] = record ? (double)record->rates_hz[model][cell] : (double)NAN;
    }
    return count;
}

/* Pearson's r where both are known; NaN where that is too short a time to tell, or where either does
 * not vary. */
static double correlation(const ConsoleState *state, const double *a, const double *b, size_t count)
{
    double n = 0.0, mean_a = 0.0, mean_b = 0.0, aa = 0.0, bb = 0.0, ab = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(a[i]) || isnan(b[i]))
            continue;
        n += 1.0;
        const double from_a = a[i] - mean_a;
        const double from_b = b[i] - mean_b;
        mean_a += from_a / n;
        mean_b += from_b / n;
        aa += from_a * (a[i] - mean_a);
        bb += from_b * (b[i] - mean_b);
        ab += from_a * (b[i] - mean_b);
    }
    const bool is_long = n >= LEAST_CORRELATED_S * state->setup.refresh_hz;
    return is_long && aa > 1e-9 && bb > 1e-9 ? ab / sqrt(aa * bb) : (double)NAN;
}

/* Returns the baseline it stands on; the number of a reduced model is the large one. */
static double draw_correlation(const ConsoleView *view, const PlotBox *box, double above_px,
                               int model, double r)
{
    const double u = view->layout.text_px;
    const bool is_reduced = view->state->setup.models[model].stimulus[0] != '\0';
    const double size_px = (is_reduced ? 1.3 : 0.95) * u;
    const double y_px = above_px + (is_reduced ? 1.5 : 1.15) * u;
    if (y_px > box->y_px + box->height_px + 0.4 * u)
        return above_px;
    char text[LINE_BYTES];
    const PlotText style = {view->theme->series[model], size_px, is_reduced, PLOT_RIGHT, 0.0};
    snprintf(text, sizeof text, "%s%.2f", r < 0.0 ? "−" : "", fabs(r));
    plot_text(view->cairo, &style, box->x_px + box->width_px + 4.4 * u, y_px,
              isnan(r) ? "–" : text);
    return y_px;
}

static void draw_cell(const ConsoleView *view, int cell)
{
    double time_s[CONSOLE_REFRESHES], first_hz[CONSOLE_REFRESHES], rate_hz[CONSOLE_REFRESHES];
    const ConsoleState *state = view->state;
    const double u = view->layout.text_px;
    const PlotArea area = console_cell_area(state, &view->layout, cell);
    const bool is_low = area.box.height_px < 5.0 * u;
    draw_seconds(view, &area);
    plot_y_axis(view->cairo, view->theme, &area, is_low ? area.y.high : plot_tick_step(area.y, 4),
                0.9 * u);
    console_view_trial_starts(view, &area);
    double below_px = area.box.y_px - 0.2 * u;
    size_t count = collect(state, 0, cell, time_s, first_hz);
    plot_trace(view->cairo, &area, view->theme->series[0], 2.0, time_s, first_hz, count);
    for (int m = 1; m < state->setup.models_count; m++) {
        count = collect(state, m, cell, time_s, rate_hz);
        plot_trace(view->cairo, &area, view->theme->series[m], 1.4, time_s, rate_hz, count);
        const bool is_held =
            console_state_in_play(state, m) && state->setup.cells[cell].of_model[m] >= 0;
        if (is_held)
            below_px = draw_correlation(view, &area.box, below_px, m,
                                        correlation(state, first_hz, rate_hz, count));
    }
    console_view_tag(view, area.box.x_px + 0.5 * u, area.box.y_px + u,
                     state->setup.cells[cell].name);
}

static void draw_legend(const ConsoleView *view, double x_px, double y_px)
{
    const ConsoleSetup *setup = &view->state->setup;
    const double u = view->layout.text_px;
    const double end_px = view->layout.profile.x_px + view->layout.profile.width_px;
    for (int m = 0; m < setup->models_count && x_px + 3.0 * u < end_px; m++) {
        if (!console_state_in_play(view->state, m))
            continue;
        const PlotText style = {view->theme->series[m], u, false, PLOT_LEFT,
                                end_px - x_px - 1.6 * u};
        const PlotBox swatch = {x_px, y_px - 0.5 * u, 1.2 * u, 0.25 * u};
        plot_fill(view->cairo, view->theme->series[m], &swatch);
        x_px +=
            3.0 * u + plot_text(view->cairo, &style, x_px + 1.6 * u, y_px, setup->models[m].name);
    }
}

void console_view_rates(const ConsoleView *view)
{
    const ConsoleSetup *setup = &view->state->setup;
    const ConsoleLayout *layout = &view->layout;
    const double u = layout->text_px;
    draw_profile(view);
    if (setup->cells_count == 0 || setup->models_count == 0)
        return;
    const PlotBox *top = &layout->cells[0];
    const PlotBox *last = &layout->cells[setup->cells_count - 1];
    for (int c = 0; c < setup->cells_count; c++)
        draw_cell(view, c);
    const double caption_px = console_view_caption(view, top, "Firing rate", "");
    draw_legend(view, caption_px + 1.5 * u, top->y_px - 0.6 * u);
    console_view_up_label(view, top->y_px, last->y_px + last->height_px, "rate (Hz)");
    if (setup->models_count > 1) {
        const PlotText style = {view->theme->faint, 0.9 * u, false, PLOT_RIGHT, 0.0};
        plot_text(view->cairo, &style, top->x_px + top->width_px + 4.6 * u, top->y_px - 0.6 * u,
                  "r in sight");
    }
}

static double period_ms(const ConsoleState *state)
{
    return 1e3 / state->setup.refresh_hz;
}

/* A red bar over the time of every refresh that showed the old image. */
static void draw_missed(const ConsoleView *view, const PlotArea *area)
{
    const ConsoleState *state = view->state;
    for (int64_t k = console_view_first(state); k <= state->live.newest; k++) {
        const ConsoleRefresh *record = console_state_refresh(state, k);
        if (!record || !record->is_missed)
            continue;
        const double left_px = console_view_left_px(state, area, k);
        const double width_px = fmax(console_view_left_px(state, area, k + 1) - left_px, 3.0);
        const PlotBox bar = {left_px, area->box.y_px, width_px, area->box.height_px};
        plot_fill(view->cairo, view->theme->bad, &bar);
    }
}

static void draw_interval(const ConsoleView *view)
{
    double time_s[CONSOLE_REFRESHES], interval_ms[CONSOLE_REFRESHES];
    const ConsoleState *state = view->state;
    const double period = period_ms(state);
    const PlotArea area = {view->layout.interval, console_view_time(state), {0.0, 2.5 * period}};
    size_t count = 0;
    for (int64_t k = console_view_first(state); k <= state->live.newest; k++) {
        const ConsoleRefresh *record = console_state_refresh(state, k);
        if (record && record->is_shown) {
            time_s[count] = console_view_time_s(state, k);
            interval_ms[count++] = (double)record->interval_ms;
        }
    }
    draw_seconds(view, &area);
    plot_y_axis(view->cairo, view->theme, &area, period, 0.9 * view->layout.text_px);
    draw_missed(view, &area);
    plot_trace(view->cairo, &area, view->theme->good, 1.6, time_s, interval_ms, count);
    const double u = view->layout.text_px;
    console_view_tag(view, area.box.x_px + 0.5 * u, area.box.y_px + u, "interval");
}

/* Bars from zero: what was left of the refresh, below zero what was lacking. */
static void draw_margin(const ConsoleView *view)
{
    const ConsoleState *state = view->state;
    const double u = view->layout.text_px;
    const double period = period_ms(state);
    const PlotArea area = {view->layout.margin, console_view_time(state), {-0.5 * period, period}};
    draw_seconds(view, &area);
    plot_y_axis(view->cairo, view->theme, &area, plot_round_up(period / 2.0), 0.9 * u);
    plot_x_axis(view->cairo, view->theme, &area, 1.0, 0.9 * u);
    const double zero_px = plot_y_px(&area, 0.0);
    for (int64_t k = console_view_first(state); k <= state->live.newest; k++) {
        const ConsoleRefresh *record = console_state_refresh(state, k);
        if (!record || isnan(record->margin_ms))
            continue;
        const double margin_ms = fmin(fmax((double)record->margin_ms, area.y.low), area.y.high);
        const double left_px = console_view_left_px(state, &area, k);
        const double right_px = console_view_left_px(state, &area, k + 1);
        const double end_px = plot_y_px(&area, margin_ms);
        const PlotBox bar = {left_px, fmin(zero_px, end_px), right_px - left_px,
                             fabs(end_px - zero_px)};
        plot_fill(view->cairo, margin_ms < 0.0 ? view->theme->bad : view->theme->good, &bar);
    }
    plot_line(view->cairo, view->theme->faint, 1.0, area.box.x_px, floor(zero_px) + 0.5,
              area.box.x_px + area.box.width_px, floor(zero_px) + 0.5);
    console_view_tag(view, area.box.x_px + 0.5 * u, area.box.y_px + u, "margin");
}

static void draw_rig(const ConsoleView *view, double right_px, double y_px)
{
    const PlotTheme *theme = view->theme;
    const ConsoleRig *rig = &view->state->live.rig;
    const double u = 0.9 * view->layout.text_px;
    const PlotText words = {theme->faint, u, false, PLOT_RIGHT, 0.0};
    const PlotText alarm = {theme->paper, u, true, PLOT_LEFT, 0.0};
    char text[LINE_BYTES];
    snprintf(text, sizeof text, "%striggers %lld, failed %lld   ·   events %lld, lost %lld",
             rig->is_gone ? "UNPLUGGED   ·   " : "", (long long)rig->triggers_sent,
             (long long)rig->triggers_failed, (long long)rig->events_received,
             (long long)rig->events_lost);
    if (rig->triggers_failed > 0 || rig->events_lost > 0 || rig->is_gone)
        plot_badge(view->cairo, &alarm, true, theme->bad, right_px, y_px, text);
    else
        plot_text(view->cairo, &words, right_px, y_px, text);
}

void console_view_timing(const ConsoleView *view)
{
    const PlotBox *interval = &view->layout.interval;
    const PlotBox *margin = &view->layout.margin;
    const double u = view->layout.text_px;
    const PlotText style = {view->theme->faint, 0.9 * u, false, PLOT_CENTRE, 0.0};
    draw_interval(view);
    draw_margin(view);
    console_view_caption(
        view, interval, "Timing",
        view->state->setup.has_rig ? "" : "interval between images, margin to deadline");
    if (view->state->setup.has_rig)
        draw_rig(view, interval->x_px + interval->width_px, interval->y_px - 0.6 * u);
    console_view_up_label(view, interval->y_px, margin->y_px + margin->height_px, "ms");
    plot_text(view->cairo, &style, margin->x_px + 0.875 * margin->width_px,
              margin->y_px + margin->height_px + 1.1 * u, "time (s)");
}
