#include <stdio.h>

#include "render/display_driver.h"

static bool open_grid(Display *display, const DisplayOptions *options, char *err)
{
    if (!(options->refresh_hz >= 1)) {
        snprintf(err, DISPLAY_ERR_BYTES,
                 "display: refresh_hz: %.9g is no rate for a null display; allowed are 1 to 1000",
                 options->refresh_hz);
        return false;
    }
    vblank_init(&display->grid, 0, display_now_ns(display), 1e9 / options->refresh_hz);
    display->info.ladder = "simulated refresh on the session clock";
    display->info.refresh_hz = options->refresh_hz;
    display->info.source = FLIP_TIME_SIMULATED;
    snprintf(display->info.verdict, sizeof display->info.verdict,
             "unsafe: no display; times are simulated");
    return true;
}

static int64_t wait_on_grid(Display *display)
{
    Flip flip;
    return display_wait_on_grid(display, &flip);
}

static int64_t show(Display *display, Flip *flip)
{
    flip->requested_ns = display_now_ns(display);
    return display_wait_on_grid(display, flip);
}

const DisplayDriver display_null = {
    .name = "null",
    .open = open_grid,
    .wait = wait_on_grid,
    .show = show,
};
