#include "app/console_view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 256 };

/* How far the run is, 0 … 1. */
static double progress(const ConsoleState *state)
{
    const int64_t refreshes = state->setup.refreshes;
    return refreshes > 0 ? fmin((double)(state->live.newest + 1) / (double)refreshes, 1.0) : 0.0;
}

static void write_time_left(const ConsoleState *state, char *text)
{
    const ConsoleSetup *setup = &state->setup;
    if (setup->refreshes <= 0) {
        text[0] = '\0';
        return;
    }
    const double left_s = (double)(setup->refreshes - state->live.newest - 1) / setup->refresh_hz;
    const int seconds = (int)ceil(fmax(left_s, 0.0));
    snprintf(text, LINE_BYTES, "%d:%02d left", seconds / 60, seconds % 60);
}

static void write_place(const ConsoleState *state, char *text)
{
    const ConsoleTrial *trial = &state->trial;
    if (trial->trials <= 0) {
        text[0] = '\0';
        return;
    }
    snprintf(text, LINE_BYTES, "block %d of %d  %s   ·   trial %d of %d%s%s", trial->block + 1,
             trial->blocks, trial->block_name, trial->trial + 1, trial->trials,
             trial->condition[0] ? "   ·   " : "", trial->condition);
}

static const char *rung(FlipTimeSource source)
{
    switch (source) {
    case FLIP_TIME_DISPLAY:
        return "times from the display";
    case FLIP_TIME_SWAP_RETURN:
        return "times from the swap's return";
    case FLIP_TIME_SIMULATED:
        return "simulated times";
    }
    return "";
}

static void draw_verdict(const ConsoleView *view, double y_px)
{
    const PlotTheme *theme = view->theme;
    const ConsoleSetup *setup = &view->state->setup;
    const bool is_ok = strcmp(setup->verdict, "ok") == 0;
    const double u = view->layout.text_px;
    const double right_px = setup->width_px - view->layout.pad_px;
    const PlotText style = {theme->paper, u, true, PLOT_LEFT, 0.6 * setup->width_px};
    char text[LINE_BYTES];
    snprintf(text, sizeof text, "timing %s", setup->verdict);
    plot_badge(view->cairo, &style, true, is_ok ? theme->good : theme->bad, right_px, y_px, text);
}

/* One count with its word, right-aligned; bad when it ought to be 0 and is not. Returns its left.
 */
static double draw_count(const ConsoleView *view, double right_px, double y_px, const char *word,
                         int64_t count, bool should_be_zero)
{
    const PlotTheme *theme = view->theme;
    const PlotColour number = !should_be_zero ? theme->ink : count == 0 ? theme->good : theme->bad;
    const double u = view->layout.text_px;
    const PlotText words = {theme->faint, u, false, PLOT_RIGHT, 0.0};
    const PlotText numbers = {number, u, true, PLOT_RIGHT, 0.0};
    char text[LINE_BYTES];
    snprintf(text, sizeof text, "%lld", (long long)count);
    const double number_px =
        right_px - plot_text(view->cairo, &words, right_px, y_px, word) - 0.4 * u;
    return number_px - plot_text(view->cairo, &numbers, number_px, y_px, text) - 1.2 * u;
}

/* Returns where the counts begin. */
static double draw_counts(const ConsoleView *view, double y_px)
{
    const ConsoleState *state = view->state;
    int64_t late = 0;
    for (int m = 0; m < state->setup.models_count; m++)
        late += state->live.late[m];
    double right_px = state->setup.width_px - view->layout.pad_px;
    right_px = draw_count(view, right_px, y_px, "late answers", late, true);
    right_px = draw_count(view, right_px, y_px, "missed", state->live.missed, true);
    return draw_count(view, right_px, y_px, "shown", state->live.shown, false);
}

void console_view_header(const ConsoleView *view)
{
    const PlotTheme *theme = view->theme;
    const ConsoleSetup *setup = &view->state->setup;
    const double u = view->layout.text_px;
    const double pad_px = view->layout.pad_px;
    const PlotText title = {theme->ink, 1.5 * u, true, PLOT_LEFT, 0.45 * setup->width_px};
    const PlotText place = {theme->ink, u, false, PLOT_LEFT, setup->width_px - 10.0 * u};
    const double counts_px = draw_counts(view, 5.4 * u);
    const bool is_real = setup->time_source == FLIP_TIME_DISPLAY;
    const PlotText minor = {is_real ? theme->faint : theme->warning, u, false, PLOT_LEFT,
                            counts_px - pad_px};
    const PlotText right = {theme->ink, u, false, PLOT_RIGHT, 0.0};
    char text[LINE_BYTES];
    plot_text(view->cairo, &title, pad_px, 1.9 * u, setup->protocol);
    draw_verdict(view, 1.75 * u);
    write_place(view->state, text);
    plot_text(view->cairo, &place, pad_px, 3.75 * u, text);
    write_time_left(view->state, text);
    plot_text(view->cairo, &right, setup->width_px - pad_px, 3.75 * u, text);
    snprintf(text, sizeof text, "%.2f Hz   ·   %s%s%s%s", setup->refresh_hz,
             rung(setup->time_source), setup->ladder[0] ? " (" : "", setup->ladder,
             setup->ladder[0] ? ")" : "");
    plot_text(view->cairo, &minor, pad_px, 5.4 * u, text);
    const PlotBox track = {pad_px, 6.2 * u, setup->width_px - 2.0 * pad_px, 2.0};
    const PlotBox done = {pad_px, 6.2 * u, progress(view->state) * track.width_px, 2.0};
    plot_fill(view->cairo, theme->grid, &track);
    plot_fill(view->cairo, theme->series[1], &done);
}
