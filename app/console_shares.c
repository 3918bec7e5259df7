#include "app/console_view.h"

#include <math.h>
#include <stdio.h>

enum { LINE_BYTES = 256 };

static const double HELD_S = 0.1; // no measurement stands for more

/* values (channels, columns) := the measurements in sight, each for the refreshes since the one
 * before; NaN where there is none. Returns the largest size. */
static double fill(const ConsoleView *view, int64_t first, int columns, float *values)
{
    const ConsoleShares *shares = view->shares;
    const int64_t held = (int64_t)ceil(HELD_S * view->state->setup.refresh_hz);
    const int64_t oldest = shares->measured - CONSOLE_SHARES_KEPT;
    int64_t before = -1;
    double largest_hz = 0.0;
    for (int i = 0; i < shares->channels * columns; i++)
        values[i] = NAN;
    for (int64_t n = oldest > 0 ? oldest : 0; n < shares->measured; n++) {
        const ConsoleSharesPast *past = &shares->past[n % CONSOLE_SHARES_KEPT];
        int64_t from =
            before + 1 > past->refresh - held + 1 ? before + 1 : past->refresh - held + 1;
        before = past->refresh;
        from = from > first ? from : first;
        for (int c = 0; from <= past->refresh && c < shares->channels; c++) {
            largest_hz = fmax(largest_hz, fabs((double)past->channel_hz[c]));
            for (int64_t k = from; k <= past->refresh && k - first < columns; k++)
                values[c * columns + (k - first)] = past->channel_hz[c];
        }
    }
    return largest_hz;
}

/* "1 ON" left of every row, or of every second. */
static void draw_names(const ConsoleView *view, const PlotBox *box)
{
    const ConsoleShares *shares = view->shares;
    const double u = view->layout.text_px;
    const double row_px = box->height_px / shares->channels;
    const PlotText style = {view->theme->faint, fmin(0.85 * u, 1.05 * row_px), false, PLOT_RIGHT,
                            0.0};
    for (int c = 0; c < shares->channels; c++) {
        char text[LINE_BYTES];
        snprintf(text, sizeof text, "%d %s", c + 1, shares->is_on[c] ? "ON" : "OFF");
        plot_text(view->cairo, &style, box->x_px - 0.4 * u,
                  box->y_px + (c + 0.5) * row_px + 0.35 * style.size_px, text);
    }
}

static void draw_legend(const ConsoleView *view, const PlotBox *box, double largest_hz)
{
    const double u = view->layout.text_px;
    const double y_px = box->y_px - 0.6 * u;
    const PlotText style = {view->theme->faint, 0.9 * u, false, PLOT_RIGHT, 0.0};
    char text[LINE_BYTES];
    snprintf(text, sizeof text, "+%.2g Hz", largest_hz);
    double right_px = box->x_px + box->width_px;
    right_px -= plot_text(view->cairo, &style, right_px, y_px, text) + 0.4 * u;
    const PlotBox bar = {right_px - 5.0 * u, y_px - 0.7 * u, 5.0 * u, 0.7 * u};
    plot_scale_bar(view->cairo, &bar, PLOT_DIVERGING_ON_DARK);
    snprintf(text, sizeof text, "−%.2g", largest_hz);
    plot_text(view->cairo, &style, bar.x_px - 0.4 * u, y_px, text);
}

void console_view_shares(const ConsoleView *view)
{
    static const double legend_width = 13.0, least_hz = 0.5; // the width in text_px
    float values[CONSOLE_CHANNELS * CONSOLE_REFRESHES];
    const ConsoleState *state = view->state;
    const ConsoleShares *shares = view->shares;
    const PlotBox *box = &view->layout.shares;
    if (!(box->height_px > 0.0) || !shares || shares->status == CONSOLE_SHARES_FAILED)
        return;
    const int64_t first = console_view_first(state);
    const int columns = (int)(state->live.newest + 1 - first);
    const double largest_hz = fmax(fill(view, first, columns, values), least_hz);
    const PlotImage image = {
        values, columns, shares->channels, PLOT_DIVERGING_ON_DARK, {-largest_hz, largest_hz}};
    const PlotArea area = {*box, console_view_time(state), {0.0, 1.0}};
    const PlotBox caption = {box->x_px, box->y_px,
                             box->width_px - legend_width * view->layout.text_px, box->height_px};
    plot_image(view->cairo, view->theme, box, &image);
    console_view_trial_starts(view, &area);
    draw_names(view, box);
    console_view_caption(view, &caption, "Attribution in time",
                         state->setup.cells[shares->cell].name);
    draw_legend(view, box, largest_hz);
    console_view_up_label(view, box->y_px, box->y_px + box->height_px, "channel");
}
