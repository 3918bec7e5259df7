#include <stdio.h>

#include "render/display_driver.h"

static bool open_window(Display *display, const DisplayOptions *options, char *err)
{
    (void)display;
    (void)options;
    snprintf(err, DISPLAY_ERR_BYTES,
             "display: sdl: this build has no window; use the null display");
    return false;
}

const DisplayDriver display_sdl = {.name = "sdl", .open = open_window};
