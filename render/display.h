#pragma once
/* A display: takes a scene, shows it at the next vertical blank, and says when that was.
 *
 * Two implementations stand behind one struct of functions (display.c): an SDL2/OpenGL window and a
 * null display that is only a refresh grid on a given clock. Everything here belongs to the frame
 * thread. Refreshes are numbered from display_start() on: 0 is the first one that could show
 * an image, and every vertical blank counts one, shown or missed. */
#include <stdbool.h>
#include <stdint.h>

#include "render/scene.h"

enum { DISPLAY_ERR_BYTES = 512, DISPLAY_GAMMA_LEVELS = 1024 };

/* Time for a display, handed in so that tests turn it by hand. The session clock of a display with
 * a window is CLOCK_MONOTONIC in ns, which X servers stamp with. */
typedef struct {
    int64_t (*now_ns)(void *ctx);                     // session clock
    void (*sleep_until_ns)(void *ctx, int64_t until); // returns at once when it is past
    void *ctx;
} DisplayClock;

/* The ladder of presentation times, best first. Every record carries its rung. */
typedef enum {
    FLIP_TIME_DISPLAY,     // the display said when (X Present)
    FLIP_TIME_SWAP_RETURN, // the swap blocked and returned at about that time
    FLIP_TIME_SIMULATED,   // no vertical blank to be had: a grid on the clock
} FlipTimeSource;

typedef enum { DISPLAY_NULL, DISPLAY_SDL } DisplayKind;

/* A square in a corner of the screen for a photodiode, inside a black border; its luminance turns
 * over at every refresh and names it (sync_patch.h). Models do not see it. */
typedef struct {
    bool is_on;
    int size_px, border_px;
    int x_px, y_px; // lower left corner of the border from the lower left of the stimulus area
} SyncPatch;

typedef struct {
    DisplayKind kind;
    int screen; // which monitor, from 0
    bool is_fullscreen;
    int width_px, height_px; // windowed or null: size of the stimulus area
    double um_per_px;        // screen pixel on the retina
    double refresh_hz;       // null display: its grid; SDL: measured, and this only simulated where
                             // there is nothing to measure (0: what the mode claims, or 60)
    int panel_width_px;      // extra width right of the stimulus for display_panel(), 0 for none
    float background_lum;    // on screen from display_open() to refresh 0: the retina adapts
    SyncPatch patch;
    const float *gamma; // (DISPLAY_GAMMA_LEVELS) luminance → drive level, NULL: identity; copied
    const char *title;
} DisplayOptions;

/* What a display turned out to be. Strings live as long as the display. */
typedef struct {
    const char *driver; // "null", "sdl"
    const char *detail; // e.g. "x11, llvmpipe (LLVM 15), OpenGL 4.5", "" for null
    const char *ladder; // how presentation is timed, in words: "X Present", "swap return", …
    Raster raster;      // the stimulus area
    double refresh_hz;  // nominal: measured, and snapped to the standard rate it stands for
    double measured_hz; // mean over the calibration; 0 where nothing was measured
    double jitter_us;   // SD of the measured refresh intervals
    FlipTimeSource source;
    char verdict[128]; // "ok", or "unsafe: why"
} DisplayInfo;

typedef struct {
    int64_t requested_ns; // when the swap was asked for
    int64_t vblank_ns;    // when the image reached the screen, on the rung `source`
    FlipTimeSource source;
    int64_t refresh; // the refresh that first showed this image
} Flip;

typedef enum { DISPLAY_OPEN, DISPLAY_CLOSED_BY_USER, DISPLAY_LOST } DisplayState;

typedef struct Display Display;

/* Opens, measures the refresh (about a second) and judges it. NULL with a sentence and advice in
 * err (DISPLAY_ERR_BYTES) when there is no display or no OpenGL 3.3. */
Display *display_open(const DisplayOptions *options, const DisplayClock *clock, char *err);
const DisplayInfo *display_info(const Display *display);

/* Waits for a vertical blank and makes the refresh after it number 0. */
void display_start(Display *display);

/* Session-clock time of the vertical blank that begins `refresh`, as far as can be foreseen. */
int64_t display_deadline_ns(const Display *display, int64_t refresh);

/* Draws the scene and hands the commands to the GPU; does not wait for them. refresh and block go
 * into the sync patch. */
void display_draw(Display *display, const Scene *scene, int64_t refresh, int64_t block);

/* Shows what was drawn at the next vertical blank and returns after it. */
void display_present(Display *display, Flip *flip);

/* Window events since the last call. */
DisplayState display_poll(Display *display);

/* Copies pixels (panel_width_px × height, 32-bit BGRX, row 0 on top) into the panel; shown from the
 * next draw on. Only with panel_width_px > 0. */
void display_panel(Display *display, const uint32_t *pixels);

/* rgb (height, width, 3), row 0 on top := the whole window as drawn last, panel included. False
 * when the display has no pixels. Not for the frame path. */
bool display_read(Display *display, uint8_t *rgb);

void display_close(Display *display);
