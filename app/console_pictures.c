#include "app/console_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES = 256 };

static PlotText minor(const ConsoleView *view, PlotAlign align)
{
    return (PlotText){view->theme->faint, 0.9 * view->layout.text_px, false, align, 0.0};
}

/* Whether names and a second scale find room. */
static bool is_roomy(const ConsoleView *view, const PlotBox *box)
{
    return box->width_px > 18.0 * view->layout.text_px;
}

/* A bar of a round length on the retina, at most 0.4 of the picture's width. */
static void draw_length(const ConsoleView *view, const PlotBox *box)
{
    const Raster *raster = &view->state->setup.raster;
    const double u = view->layout.text_px;
    const double width_um = raster->width_px * raster->um_per_px;
    if (!(width_um > 0.0))
        return;
    const double length_um = plot_tick_step((PlotRange){0.0, 0.4 * width_um}, 2);
    const double length_px = length_um / width_um * box->width_px;
    const double y_px = box->y_px + box->height_px + 0.95 * u;
    char text[LINE_BYTES];
    snprintf(text, sizeof text, "%g µm", length_um);
    plot_line(view->cairo, view->theme->ink, 2.0, box->x_px, y_px, box->x_px + length_px, y_px);
    const PlotText style = minor(view, PLOT_LEFT);
    plot_text(view->cairo, &style, box->x_px + length_px + 0.5 * u, y_px + 0.35 * u, text);
}

void console_view_scale(const ConsoleView *view, double right_px, double y_px, PlotScale scale,
                        const char *high)
{
    const double u = view->layout.text_px;
    const PlotText style = minor(view, PLOT_RIGHT);
    const double high_px = plot_text(view->cairo, &style, right_px, y_px + 0.35 * u, high);
    const PlotBox bar = {right_px - high_px - 5.5 * u, y_px - 0.35 * u, 5.0 * u, 0.7 * u};
    plot_scale_bar(view->cairo, &bar, scale);
    plot_text(view->cairo, &style, bar.x_px - 0.4 * u, y_px + 0.35 * u, "0");
}

static void draw_ring(const ConsoleView *view, PlotColour colour, double line_px, double x_px,
                      double y_px)
{
    cairo_new_path(view->cairo);
    cairo_arc(view->cairo, x_px, y_px, 0.45 * view->layout.text_px, 0.0, 2.0 * acos(-1.0));
    cairo_set_source_rgb(view->cairo, colour.red, colour.green, colour.blue);
    cairo_set_line_width(view->cairo, line_px);
    cairo_stroke(view->cairo);
}

/* Where the cells look: a dark ring under a light one is seen on black and on white. */
static void draw_fields(const ConsoleView *view, const PlotBox *box)
{
    const ConsoleSetup *setup = &view->state->setup;
    const Raster *raster = &setup->raster;
    const double half_x_um = 0.5 * raster->width_px * raster->um_per_px;
    const double half_y_um = 0.5 * raster->height_px * raster->um_per_px;
    const PlotArea area = {*box, {-half_x_um, half_x_um}, {-half_y_um, half_y_um}};

    for (int c = 0; c < setup->cells_count; c++) {
        const double x_um = (double)setup->cells[c].x_um;
        const double y_um = (double)setup->cells[c].y_um;
        if (!(fabs(x_um) < half_x_um && fabs(y_um) < half_y_um))
            continue;
        const double x_px = plot_x_px(&area, x_um);
        const double y_px = plot_y_px(&area, y_um);
        draw_ring(view, view->theme->paper, 3.5, x_px, y_px);
        draw_ring(view, view->theme->series[2], 1.5, x_px, y_px);
        if (is_roomy(view, box))
            console_view_tag(view, x_px + 0.8 * view->layout.text_px, y_px, setup->cells[c].name);
    }
}

static void draw_stimulus(const ConsoleView *view)
{
    const ConsoleState *state = view->state;
    const Raster *raster = &state->setup.raster;
    const PlotBox *box = &view->layout.stimulus;
    const double u = view->layout.text_px;
    console_view_caption(view, box, "Stimulus", "models' input");
    if (state->live.pictured < 0) {
        plot_fill(view->cairo, view->theme->grid, box);
    } else {
        const PlotImage image = {
            state->lum, raster->width_px, raster->height_px, PLOT_GREY, {0.0, 1.0}};
        plot_image(view->cairo, view->theme, box, &image);
    }
    draw_fields(view, box);
    draw_length(view, box);
    if (is_roomy(view, box)) {
        console_view_scale(view, box->x_px + box->width_px, box->y_px + box->height_px + 0.95 * u,
                           PLOT_GREY, "1");
    }
}

void console_view_stimulus(const ConsoleView *view)
{
    draw_stimulus(view);
}

static int by_size(const void *a, const void *b)
{
    const float left = *(const float *)a;
    const float right = *(const float *)b;
    return (left > right) - (left < right);
}

/* Latencies in sight, in order of size; returns how many. */
static int sorted_latencies(const ConsoleState *state, int model, float *latency_us)
{
    int count = 0;
    for (int64_t k = console_view_first(state); k <= state->live.newest; k++) {
        const ConsoleRefresh *record = console_state_refresh(state, k);
        if (record && !isnan(record->latency_us[model]) && count < CONSOLE_REFRESHES)
            latency_us[count++] = record->latency_us[model];
    }
    qsort(latency_us, (size_t)count, sizeof *latency_us, by_size);
    return count;
}

static void draw_model(const ConsoleView *view, int m, const double *columns_px, double y_px)
{
    const ConsoleState *state = view->state;
    const ConsoleModel *model = &state->setup.models[m];
    const PlotTheme *theme = view->theme;
    const double u = view->layout.text_px;
    const double x_px = view->layout.models.x_px;
    const PlotBox swatch = {x_px, y_px - 0.55 * u, 1.2 * u, 0.3 * u};
    const double space_px = columns_px[0] - 3.8 * u - x_px - 1.7 * u;
    const PlotText badge = {theme->warning, 0.8 * u, false, PLOT_LEFT, 0.0};
    const char *label = space_px > 12.0 * u ? "simulated" : "sim.";
    const double label_px = plot_text_width_px(view->cairo, &badge, label) + 1.8 * u;
    const double badge_px = model->is_simulated ? label_px : 0.0;
    const PlotText name = {theme->ink, u, false, PLOT_LEFT, fmax(space_px - badge_px, 3.0 * u)};
    const PlotText number = {theme->ink, u, false, PLOT_RIGHT, 0.0};
    float latency_us[CONSOLE_REFRESHES];
    const int count = sorted_latencies(state, m, latency_us);
    char text[LINE_BYTES];
    plot_fill(view->cairo, theme->series[m], &swatch);
    const double name_px = plot_text(view->cairo, &name, x_px + 1.7 * u, y_px, model->name);
    if (model->is_simulated) {
        plot_badge(view->cairo, &badge, false, theme->warning, x_px + 1.7 * u + name_px + label_px,
                   y_px - 0.05 * u, label);
    }
    snprintf(text, sizeof text, "%.0f", count ? (double)latency_us[count / 2] : 0.0);
    plot_text(view->cairo, &number, columns_px[0], y_px, count ? text : "–");
    snprintf(text, sizeof text, "%.0f", count ? (double)latency_us[count - 1] : 0.0);
    plot_text(view->cairo, &number, columns_px[1], y_px, count ? text : "–");
    const int64_t late = state->live.late[m];
    const PlotText lates = {late ? theme->bad : theme->good, u, true, PLOT_RIGHT, 0.0};
    snprintf(text, sizeof text, "%lld", (long long)late);
    plot_text(view->cairo, &lates, columns_px[2], y_px, text);
}

void console_view_models(const ConsoleView *view)
{
    const PlotBox *box = &view->layout.models;
    const double u = view->layout.text_px;
    const double right_px = box->x_px + box->width_px;
    const double columns_px[] = {right_px - 8.4 * u, right_px - 3.2 * u, right_px};
    const char *const titles[] = {"latency (µs)", "longest", "late"};
    const PlotText caption = {view->theme->ink, u, true, PLOT_LEFT, 0.0};
    const PlotText style = minor(view, PLOT_RIGHT);
    double y_px = box->y_px + 1.2 * u;
    plot_text(view->cairo, &caption, box->x_px, y_px, "Models");
    for (int i = 0; i < 3; i++)
        plot_text(view->cairo, &style, columns_px[i], y_px, titles[i]);
    for (int m = 0; m < view->state->setup.models_count; m++) {
        if (!console_state_in_play(view->state, m))
            continue;
        y_px += 1.55 * u;
        draw_model(view, m, columns_px, y_px);
    }
}
