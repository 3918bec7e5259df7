#pragma once
/* The live console as a picture: one state in, one drawing out, nothing kept in between.
 *
 * Everything that runs in time shares one time axis that ends at the newest image: the stimulus
 * along its middle, the rates, the intervals between images and the margins to the deadline. The
 * unit of all sizes is text_px. */
#include <cairo.h>

#include "app/console_attribution.h"
#include "app/console_state.h"
#include "app/plot.h"

typedef struct {
    double text_px;
    double pad_px;
    PlotBox header;
    PlotBox stimulus,
        maps; // captions above and below are outside; maps has no size when there are none
    double strip_px,
        summary_px; // in maps: below each row, and at the bottom; 0 without attribution
    PlotBox models; // table of models
    PlotBox profile;
    PlotBox cells[CONSOLE_CELLS];
    PlotBox shares; // no size without attribution
    PlotBox interval, margin;
} ConsoleLayout;

void console_layout(const ConsoleSetup *setup, ConsoleLayout *layout);

/* Seconds of the past on the time axis: 4, or less where the state keeps less. */
double console_window_s(const ConsoleSetup *setup);

/* Time axis and axis of rates of one cell, as drawn for this state. */
PlotArea console_cell_area(const ConsoleState *state, const ConsoleLayout *layout, int cell);

/* Draws over setup.width_px × height_px from the origin, all of it. shares: NULL for none. */
void console_draw(cairo_t *cairo, const ConsoleState *state, const ConsoleShares *shares);
