#include "app/console_view.h"

#include <math.h>
#include <stdio.h>

enum { LINE_BYTES = 256 };

/* More than this of the rate unexplained is worth a colour. */
static const double RESIDUAL_FAIR = 0.005;

static bool has_known_shares(const ConsoleView *view)
{
    return view->shares && view->shares->status == CONSOLE_SHARES_KNOWN;
}

static double maps_height_px(const ConsoleView *view, int rows)
{
    const ConsoleLayout *layout = &view->layout;
    return layout->maps.height_px - layout->summary_px - rows * layout->strip_px;
}

/* Columns of the grid of maps that make the maps largest. */
static int grid_columns(const ConsoleView *view)
{
    const ConsoleSetup *setup = &view->state->setup;
    int best = 1;
    double best_px = 0.0;
    for (int columns = 1; columns <= setup->map_channels; columns++) {
        const int rows = (setup->map_channels + columns - 1) / columns;
        const double size_px = fmin(view->layout.maps.width_px / columns / setup->map_width_px,
                                    maps_height_px(view, rows) / rows / setup->map_height_px);
        if (size_px > best_px * (1.0 + 1e-9)) {
            best = columns;
            best_px = size_px;
        }
    }
    return best;
}

static void draw_map(const ConsoleView *view, int channel, const PlotBox *box)
{
    const ConsoleState *state = view->state;
    const ConsoleSetup *setup = &state->setup;
    const double u = view->layout.text_px;
    const double peak = fmax((double)state->live.maps_peak, 1e-9);
    const int map_px = setup->map_width_px * setup->map_height_px;
    const PlotImage image = {state->maps + channel * map_px,
                             setup->map_width_px,
                             setup->map_height_px,
                             PLOT_ACTIVITY,
                             {0.0, peak}};
    const bool has_polarity = view->shares && view->shares->status != CONSOLE_SHARES_FAILED;
    char text[LINE_BYTES];
    plot_image(view->cairo, view->theme, box, &image);
    snprintf(text, sizeof text, "%d%s", channel + 1,
             !has_polarity                  ? ""
             : view->shares->is_on[channel] ? " ON"
                                            : " OFF");
    const PlotText style = {view->theme->ink, 0.85 * u, true, PLOT_LEFT, box->width_px};
    plot_text(view->cairo, &style, box->x_px + 0.3 * u, box->y_px + u, text);
}

static void write_signed(double hz, char *text)
{
    const bool is_nought = fabs(hz) < 0.05;
    snprintf(text, LINE_BYTES, "%s%.1f", is_nought ? "" : hz < 0.0 ? "−" : "+", fabs(hz));
}

/* Below a map: a bar to the right of its middle where the channel raises the rate, to the left where
 * it lowers it, and the number. */
static void draw_share(const ConsoleView *view, int channel, const PlotBox *map)
{
    const double u = view->layout.text_px;
    const double middle_px = floor(map->x_px + 0.5 * map->width_px);
    const PlotBox track = {map->x_px, map->y_px + map->height_px + 0.3 * u, map->width_px, 0.5 * u};
    plot_fill(view->cairo, view->theme->grid, &track);
    char text[LINE_BYTES] = "–";
    bool is_small = true;
    if (has_known_shares(view)) {
        const double hz = view->shares->channel_hz[channel];
        const double length_px = 0.5 * map->width_px * fabs(hz) / view->shares->peak_hz;
        const PlotBox bar = {hz < 0.0 ? middle_px - length_px : middle_px, track.y_px, length_px,
                             track.height_px};
        plot_fill(view->cairo, plot_scale_colour(PLOT_DIVERGING_ON_DARK, hz < 0.0 ? 0.1 : 0.9),
                  &bar);
        is_small = fabs(hz) < 0.05 * view->shares->peak_hz;
        write_signed(hz, text);
    }
    const PlotBox axis = {middle_px, track.y_px - 0.1 * u, 1.0, track.height_px + 0.2 * u};
    plot_fill(view->cairo, view->theme->faint, &axis);
    const PlotText style = {is_small ? view->theme->faint : view->theme->ink, 0.85 * u, false,
                            PLOT_CENTRE, 0.0};
    plot_text(view->cairo, &style, map->x_px + 0.5 * map->width_px, track.y_px + 1.45 * u, text);
}

static void write_shares(const ConsoleView *view, char *rate, char *sum)
{
    const ConsoleShares *shares = view->shares;
    const char *cell = view->state->setup.cells[shares->cell].name;
    char change[LINE_BYTES], whole[LINE_BYTES];
    write_signed(shares->rate_hz - shares->rest_hz, change);
    write_signed(shares->sum_hz, whole);
    snprintf(rate, LINE_BYTES, "%.60s: %.1f − %.1f at rest = %.16s Hz", cell, shares->rate_hz,
             shares->rest_hz, change);
    snprintf(sum, LINE_BYTES, "sum of channels %.16s Hz, residual %.2f %%, %d steps", whole,
             100.0 * shares->residual, shares->steps);
}

/* What the bars add up to, or why there are none. */
static void draw_summary(const ConsoleView *view)
{
    const PlotBox *box = &view->layout.maps;
    const ConsoleShares *shares = view->shares;
    const PlotTheme *theme = view->theme;
    const double u = view->layout.text_px;
    const double y_px = box->y_px + box->height_px - view->layout.summary_px + 1.2 * u;
    const PlotText title = {theme->ink, 0.9 * u, true, PLOT_LEFT, 0.0};
    const double left_px =
        box->x_px + plot_text(view->cairo, &title, box->x_px, y_px, "Attribution") + 0.6 * u;
    char rate[LINE_BYTES] = "", sum[LINE_BYTES] = "";
    bool is_fair = true;
    if (!shares || shares->status == CONSOLE_SHARES_FAILED) {
        snprintf(rate, sizeof rate, "cannot be shown:");
        snprintf(sum, sizeof sum, "%.250s", shares ? shares->problem : "out of memory");
        is_fair = false;
    } else if (shares->status == CONSOLE_SHARES_BLANK) {
        snprintf(rate, sizeof rate, "blank: images were lost to the console;");
        snprintf(sum, sizeof sum, "the model's history is whole again in %.1f s", shares->wait_s);
        is_fair = false;
    } else {
        write_shares(view, rate, sum);
        is_fair = shares->residual <= RESIDUAL_FAIR;
    }
    const PlotText first = {theme->ink, 0.9 * u, false, PLOT_LEFT,
                            box->x_px + box->width_px - left_px};
    const PlotText second = {is_fair ? theme->faint : theme->warning, 0.9 * u, false, PLOT_LEFT,
                             box->width_px};
    plot_text(view->cairo, &first, left_px, y_px, rate);
    plot_text(view->cairo, &second, box->x_px, y_px + 1.25 * u, sum);
}

static void draw_caption(const ConsoleView *view)
{
    static const double scale_width = 11.5; // in text_px
    const ConsoleSetup *setup = &view->state->setup;
    const double u = view->layout.text_px;
    const PlotBox *box = &view->layout.maps;
    const PlotBox left = {box->x_px, box->y_px, box->width_px - scale_width * u, box->height_px};
    char text[LINE_BYTES];
    console_view_caption(view, &left, "First layer", setup->models[setup->map_model].name);
    snprintf(text, sizeof text, "%.2g a.u.", (double)view->state->live.maps_peak);
    console_view_scale(view, box->x_px + box->width_px, box->y_px - 0.9 * u, PLOT_ACTIVITY, text);
}

static void draw_maps(const ConsoleView *view)
{
    const ConsoleSetup *setup = &view->state->setup;
    const PlotBox *box = &view->layout.maps;
    const double gap_px = 0.4 * view->layout.text_px;
    const int columns = grid_columns(view);
    const int rows = (setup->map_channels + columns - 1) / columns;
    const double scale =
        fmin((box->width_px - (columns - 1) * gap_px) / columns / setup->map_width_px,
             (maps_height_px(view, rows) - (rows - 1) * gap_px) / rows / setup->map_height_px);
    const double width_px = scale * setup->map_width_px;
    const double height_px = scale * setup->map_height_px;
    for (int i = 0; i < setup->map_channels; i++) {
        const double row_px = height_px + view->layout.strip_px + gap_px;
        const PlotBox map = {box->x_px + i % columns * (width_px + gap_px),
                             box->y_px + i / columns * row_px, width_px, height_px};
        draw_map(view, i, &map);
        if (view->layout.strip_px > 0.0)
            draw_share(view, i, &map);
    }
}

void console_view_channels(const ConsoleView *view)
{
    if (!(view->layout.maps.width_px > 0.0))
        return;
    draw_caption(view);
    draw_maps(view);
    if (view->layout.summary_px > 0.0)
        draw_summary(view);
}
