#include "render/display.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "render/display_driver.h"

static const DisplayDriver *const drivers[] = {
    [DISPLAY_NULL] = &display_null,
    [DISPLAY_SDL] = &display_sdl,
};

static bool in_range(const char *key, double value, double low, double high, char *err)
{
    if (value >= low && value <= high)
        return true;
    snprintf(err, DISPLAY_ERR_BYTES, "display: %s: %.9g is out of range; allowed are %.9g to %.9g",
             key, value, low, high);
    return false;
}

static bool check_options(const DisplayOptions *options, char *err)
{
    const SyncPatch *patch = &options->patch;
    return in_range("width_px", options->width_px, 1, 16384, err) &&
           in_range("height_px", options->height_px, 1, 16384, err) &&
           in_range("um_per_px", options->um_per_px, 1e-3, 1e4, err) &&
           in_range("panel_width_px", options->panel_width_px, 0, 8192, err) &&
           in_range("refresh_hz", options->refresh_hz, 0, 1000, err) &&
           in_range("background_lum", (double)options->background_lum, 0, 1, err) &&
           (!patch->is_on || (in_range("patch.size_px", patch->size_px, 1, 16384, err) &&
                              in_range("patch.border_px", patch->border_px, 0, 16384, err) &&
                              in_range("patch.x_px", patch->x_px, 0, 16384, err) &&
                              in_range("patch.y_px", patch->y_px, 0, 16384, err)));
}

Display *display_open(const DisplayOptions *options, const DisplayClock *clock, char *err)
{
    if (!check_options(options, err))
        return NULL;
    Display *display = calloc(1, sizeof *display);
    if (!display)
        goto out_of_memory;
    display->driver = drivers[options->kind];
    display->clock = *clock;
    display->info =
        (DisplayInfo){.driver = display->driver->name,
                      .detail = "",
                      .raster = {options->width_px, options->height_px, options->um_per_px}};
    display->state = calloc(1, display->driver->state_bytes + 1);
    if (!display->state)
        goto out_of_memory;
    if (display->driver->open(display, options, err))
        return display;
    display_close(display);
    return NULL;
out_of_memory:
    display_close(display);
    snprintf(err, DISPLAY_ERR_BYTES, "display: out of memory");
    return NULL;
}

const DisplayInfo *display_info(const Display *display)
{
    return &display->info;
}

void display_start(Display *display)
{
    display->last_tick = display->driver->wait(display);
    display->first_tick = display->last_tick + 1;
}

int64_t display_deadline_ns(const Display *display, int64_t refresh)
{
    return vblank_time_ns(&display->grid, display->first_tick + refresh);
}

int64_t display_wait_on_grid(Display *display, Flip *flip)
{
    int64_t tick = vblank_next(&display->grid, display_now_ns(display));
    if (tick <= display->last_tick)
        tick = display->last_tick + 1;
    flip->vblank_ns = vblank_time_ns(&display->grid, tick);
    flip->source = FLIP_TIME_SIMULATED;
    display->clock.sleep_until_ns(display->clock.ctx, flip->vblank_ns);
    return tick;
}

void display_draw(Display *display, const Scene *scene, int64_t refresh, int64_t block)
{
    if (display->driver->draw)
        display->driver->draw(display, scene, refresh, block);
}

void display_present(Display *display, Flip *flip)
{
    int64_t tick = display->driver->show(display, flip);
    assert(tick > display->last_tick);
    flip->refresh = tick - display->first_tick;
    display->last_tick = tick;
}

DisplayState display_poll(Display *display)
{
    return display->driver->poll ? display->driver->poll(display) : DISPLAY_OPEN;
}

void display_panel(Display *display, const uint32_t *pixels)
{
    if (display->driver->panel)
        display->driver->panel(display, pixels);
}

bool display_read(Display *display, uint8_t *rgb)
{
    return display->driver->read && display->driver->read(display, rgb);
}

void display_close(Display *display)
{
    if (!display)
        return;
    if (display->state && display->driver->close)
        display->driver->close(display);
    free(display->state);
    free(display);
}
