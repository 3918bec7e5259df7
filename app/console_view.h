#pragma once
/* The parts of the console's picture, shared by the files that draw them and by nobody else. */
#include "app/console_draw.h"

typedef struct {
    cairo_t *cairo;
    const ConsoleState *state;
    const ConsoleShares *shares; // or NULL
    const PlotTheme *theme;
    ConsoleLayout layout;
} ConsoleView; // all borrowed for one drawing

void console_view_header(const ConsoleView *view);
void console_view_stimulus(const ConsoleView *view);
void console_view_channels(const ConsoleView *view); // maps, and what they make of a rate
void console_view_models(const ConsoleView *view);
void console_view_rates(const ConsoleView *view);  // stimulus profile and rates
void console_view_shares(const ConsoleView *view); // attribution over time
void console_view_timing(const ConsoleView *view);

/* A caption above the box, followed by a fainter remark; cut at the box's right end. Returns where
 * it ends. */
double console_view_caption(const ConsoleView *view, const PlotBox *box, const char *caption,
                            const char *remark);

/* A colour scale from 0 to `high` that ends at right_px, its text's baseline a little below y_px. */
void console_view_scale(const ConsoleView *view, double right_px, double y_px, PlotScale scale,
                        const char *high);

/* A name written over a drawing, on a ground that keeps it legible. */
void console_view_tag(const ConsoleView *view, double x_px, double y_px, const char *text);

/* The refreshes on the time axis: (first … newest), first possibly below 0. */
int64_t console_view_first(const ConsoleState *state);

/* The middle of a refresh on the time axis, in seconds before the end of the newest. */
double console_view_time_s(const ConsoleState *state, int64_t refresh);

PlotRange console_view_time(const ConsoleState *state);

/* Text that reads upwards left of the axes, in the middle between two heights. */
void console_view_up_label(const ConsoleView *view, double top_px, double bottom_px,
                           const char *text);

/* A dashed line through the box wherever a trial begins. */
void console_view_trial_starts(const ConsoleView *view, const PlotArea *area);

/* Where a refresh begins on the time axis of a box, on a whole pixel. */
double console_view_left_px(const ConsoleState *state, const PlotArea *area, int64_t refresh);
