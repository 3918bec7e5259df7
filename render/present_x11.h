#pragma once
/* Vertical blanks as the X server counts and stamps them (X Present extension, NotifyMSC).
 *
 * The next PRESENT_X11_AHEAD blanks are asked for in advance, so every one is heard of even while
 * the frame loop is busy, and none has to be asked for at the last moment: a server answers a
 * request for a count that has been reached at once, and a software one rounds its count up in the
 * middle of the interval. Stamps are CLOCK_MONOTONIC, as the session clock is. Frame thread only.
 * (Xlib has a type named Display: display.h cannot be seen from here.) */
#include <stdbool.h>

#include <SDL2/SDL.h>

#include "render/vblank.h"

enum { PRESENT_X11_AHEAD = 32 };

typedef struct PresentX11 PresentX11;

/* NULL when the window is not an X11 window or the server has no Present extension. The window is
 * borrowed and outlives this. */
PresentX11 *present_x11_open(SDL_Window *window);

/* The count of vertical blanks now, give or take one; −1 when the server does not answer. */
int64_t present_x11_count(PresentX11 *present);

/* The next blank the server has reported, waiting up to timeout_ms for it. soonest_tick: the first
 * one that is safely ahead, from which on blanks are asked for. False when none came. */
bool present_x11_next(PresentX11 *present, int64_t soonest_tick, int timeout_ms,
                      VblankSample *sample);

/* Accepts NULL. */
void present_x11_close(PresentX11 *present);
