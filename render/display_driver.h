#pragma once
/* What one kind of display brings to the table in display.c. Private to display*.c.
 *
 * Every entry is called from the frame thread. open() may leave things half done on failure:
 * close() follows. wait() and show() may block until a vertical blank; the others must not. */
#include <stddef.h>

#include "render/display.h"
#include "render/vblank.h"

typedef struct {
    const char *name;
    size_t state_bytes; // zeroed before open()
    bool (*open)(Display *display, const DisplayOptions *options, char *err);
    int64_t (*wait)(Display *display); // for a vertical blank; its tick
    int64_t (*show)(Display *display,
                    Flip *flip); // all of flip but refresh; the tick it was shown at
    void (*draw)(Display *display, const Scene *scene, int64_t refresh, int64_t block);
    DisplayState (*poll)(Display *display);
    void (*panel)(Display *display, const uint32_t *pixels);
    bool (*read)(Display *display, uint8_t *rgb);
    void (*close)(Display *display);
} DisplayDriver;

struct Display {
    const DisplayDriver *driver;
    DisplayClock clock;
    DisplayInfo info;
    VblankGrid grid;
    int64_t first_tick; // the tick that is refresh 0
    int64_t last_tick;  // newest tick waited for or shown at
    void *state;        // owned, driver->state_bytes
};

extern const DisplayDriver display_null, display_sdl;

static inline int64_t display_now_ns(const Display *display)
{
    return display->clock.now_ns(display->clock.ctx);
}

/* The simulated rung: sleeps until the grid's next tick that is neither past nor used, and says
 * when that was. */
int64_t display_wait_on_grid(Display *display, Flip *flip);
