#pragma once
/* The ladder of presentation times for a window: which rung this machine reaches, found by
 * measuring, and how a swap is waited for and stamped on it. Private to display_sdl.c; frame thread
 * only.
 *
 * FLIP_TIME_DISPLAY: X Present. The image belongs to the first vertical blank the server stamped
 * after the swap was done. FLIP_TIME_SWAP_RETURN: the swap itself waits (it is timed, for drivers
 * say so and do not do it). FLIP_TIME_SIMULATED: a grid on the clock. */
#include <SDL2/SDL.h>

#include "render/display_driver.h"
#include "render/present_x11.h"

typedef struct {
    SDL_Window *window;  // borrowed
    PresentX11 *present; // owned; NULL off the display rung
    FlipTimeSource source;
    bool swap_blocks;
} Ladder;

/* Finds the rung, measures the refresh on it and fills grid and info of the display. simulated_hz:
 * the grid where there is nothing to measure; claimed_hz: what the system says, or 0. About two
 * seconds. */
void ladder_open(Ladder *ladder, Display *display, SDL_Window *window, double claimed_hz,
                 double simulated_hz);

/* Swaps and waits: as DisplayDriver.show. A display that falls silent gives a simulated time. */
int64_t ladder_show(Ladder *ladder, Display *display, Flip *flip);

void ladder_close(Ladder *ladder);
