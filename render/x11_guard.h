#pragma once
/* Xlib ends the whole process when its server goes away or refuses a request. Guarded, it only says so, and
 * whoever shows images can end in order, with all that was recorded. Frame thread only. */
#include <stdbool.h>

#include <SDL2/SDL.h>

/* From now on, until x11_release(). Does nothing for a window that is not an X11 window. */
void x11_guard(SDL_Window *window);

/* Before the window's connection is closed. */
void x11_release(void);

/* The server is gone, or the window was taken away: no further call on it. */
bool x11_is_lost(void);
