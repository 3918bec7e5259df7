#include "render/ladder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <epoxy/gl.h>

#include "render/calibrate.h"
#include "render/compositor.h"
#include "render/x11_guard.h"

static const int64_t calibration_ns = 1500000000, longest_calibration_ns = 4000000000;
static const int64_t foreign_clock_ns = 1000000000;
enum { SILENCE_MS = 250, ENOUGH_SAMPLES = 64 };

static bool probe_swaps(const Display *display, SDL_Window *window)
{
    int64_t interval_ns[CALIBRATE_PROBE_SWAPS];
    SDL_GL_SwapWindow(window);
    int64_t before_ns = display_now_ns(display);
    for (int i = 0; i < CALIBRATE_PROBE_SWAPS && !x11_is_lost(); i++) {
        if (i % 2)
            display->clock.sleep_until_ns(display->clock.ctx, before_ns + CALIBRATE_PROBE_DELAY_NS);
        SDL_GL_SwapWindow(window);
        int64_t returned_ns = display_now_ns(display);
        interval_ns[i] = returned_ns - before_ns;
        before_ns = returned_ns;
    }
    return !x11_is_lost() && calibrate_swap_blocks(interval_ns, CALIBRATE_PROBE_SWAPS);
}

static bool is_enough(const Display *display, int count, int64_t started_ns)
{
    int64_t spent_ns = display_now_ns(display) - started_ns;
    return count == CALIBRATE_MAX_STAMPS || spent_ns > longest_calibration_ns ||
           (spent_ns > calibration_ns && count >= ENOUGH_SAMPLES);
}

/* Samples taken from the server; 0 when it does not answer or stamps with another clock. */
static int sample_present(const Display *display, PresentX11 *present, VblankSample *samples)
{
    int64_t started_ns = display_now_ns(display);
    int64_t tick = present_x11_count(present);
    int count = 0;
    if (tick < 0)
        return 0;
    while (!is_enough(display, count, started_ns)) {
        VblankSample sample;
        // Two on: the count may have been rounded up to a blank that is still to come.
        if (!present_x11_next(present, tick + 2, SILENCE_MS, &sample))
            return 0;
        if (llabs(sample.time_ns - display_now_ns(display)) > foreign_clock_ns)
            return 0;
        if (sample.tick <= tick)
            continue;
        samples[count++] = sample;
        tick = sample.tick;
    }
    return count;
}

/* Returns of a swap that waits; their ticks follow from the typical interval. */
static int sample_swaps(const Display *display, SDL_Window *window, VblankSample *samples)
{
    int64_t started_ns = display_now_ns(display);
    int count = 0;
    while (!x11_is_lost() && !is_enough(display, count, started_ns)) {
        SDL_GL_SwapWindow(window);
        samples[count] = (VblankSample){count, display_now_ns(display)};
        count++;
    }
    Calibration calibration;
    calibrate_measure(samples, count, &calibration);
    double typical_ns = calibration.median_us * 1e3;
    for (int i = 1; i < count; i++) {
        double ticks = round((double)(samples[i].time_ns - samples[i - 1].time_ns) / typical_ns);
        samples[i].tick = samples[i - 1].tick + (ticks < 1 ? 1 : (int64_t)ticks);
    }
    return count;
}

static void follow(Display *display, const VblankSample *samples, int count,
                   const Calibration *calibration)
{
    vblank_init(&display->grid, samples[0].tick, samples[0].time_ns,
                1e9 / calibration->measured_hz);
    for (int i = 0; i < count; i++)
        vblank_stamp(&display->grid, samples[i].tick, samples[i].time_ns);
    display->info.measured_hz = calibration->measured_hz;
    display->info.refresh_hz = calibration->nominal_hz;
    display->info.jitter_us = calibration->jitter_us;
}

static int climb(Ladder *ladder, Display *display, VblankSample *samples)
{
    ladder->swap_blocks = probe_swaps(display, ladder->window);
    ladder->present = present_x11_open(ladder->window);
    int count = ladder->present ? sample_present(display, ladder->present, samples) : 0;
    if (count > 2) {
        ladder->source = FLIP_TIME_DISPLAY;
        display->info.ladder = "X Present";
        return count;
    }
    present_x11_close(ladder->present);
    ladder->present = NULL;
    if (ladder->swap_blocks) {
        ladder->source = FLIP_TIME_SWAP_RETURN;
        display->info.ladder = "swap return";
        return sample_swaps(display, ladder->window, samples);
    }
    ladder->source = FLIP_TIME_SIMULATED;
    display->info.ladder = "simulated refresh on the session clock";
    return 0;
}

void ladder_open(Ladder *ladder, Display *display, SDL_Window *window, double claimed_hz,
                 double simulated_hz)
{
    VblankSample samples[CALIBRATE_MAX_STAMPS];
    Calibration calibration;
    *ladder = (Ladder){.window = window};
    // What this returns proves nothing; probe_swaps() sees what it did.
    SDL_GL_SetSwapInterval(1);
    int count = climb(ladder, display, samples);
    calibrate_measure(samples, count, &calibration);
    if (count > 2) {
        follow(display, samples, count, &calibration);
    } else {
        vblank_init(&display->grid, 0, display_now_ns(display), 1e9 / simulated_hz);
        display->info.refresh_hz = simulated_hz;
    }
    display->last_tick = display->grid.tick;
    display->info.source = ladder->source;
    calibrate_judge(&calibration, ladder->source, claimed_hz, display->info.verdict);
    if (ladder->present && display->info.verdict[0] == 'o' &&
        compositor_state() == COMPOSITOR_RUNNING)
        snprintf(display->info.verdict, sizeof display->info.verdict,
                 "unsafe: a compositor stands between window and screen");
}

/* The first blank stamped at or after after_ns; false when the server falls silent. */
static bool next_blank(const Ladder *ladder, Display *display, int64_t after_ns,
                       VblankSample *sample)
{
    for (;;) {
        int64_t soonest_tick = vblank_next(&display->grid, display_now_ns(display)) + 1;
        if (!present_x11_next(ladder->present, soonest_tick, SILENCE_MS, sample))
            return false;
        if (sample->tick <= display->grid.tick)
            continue;
        vblank_stamp(&display->grid, sample->tick, sample->time_ns);
        if (sample->time_ns >= after_ns && sample->tick > display->last_tick)
            return true;
    }
}

static int64_t show_by_present(const Ladder *ladder, Display *display, Flip *flip)
{
    SDL_GL_SwapWindow(ladder->window);
    // A swap that waits returns just behind the blank that showed its image.
    int64_t done_ns = ladder->swap_blocks ? flip->requested_ns : display_now_ns(display);
    VblankSample sample;
    if (x11_is_lost() || !next_blank(ladder, display, done_ns, &sample))
        return display_wait_on_grid(display, flip);
    flip->vblank_ns = sample.time_ns;
    flip->source = FLIP_TIME_DISPLAY;
    return sample.tick;
}

static int64_t show_by_swap(const Ladder *ladder, Display *display, Flip *flip)
{
    SDL_GL_SwapWindow(ladder->window);
    flip->vblank_ns = display_now_ns(display);
    flip->source = FLIP_TIME_SWAP_RETURN;
    int64_t tick = vblank_nearest(&display->grid, flip->vblank_ns);
    if (tick <= display->last_tick)
        tick = display->last_tick + 1;
    vblank_stamp(&display->grid, tick, flip->vblank_ns);
    return tick;
}

int64_t ladder_show(Ladder *ladder, Display *display, Flip *flip)
{
    if (x11_is_lost()) {
        flip->requested_ns = display_now_ns(display);
        return display_wait_on_grid(display, flip);
    }
    // The image is whole before its swap is asked for, so that the very next blank can show it.
    glFinish();
    flip->requested_ns = display_now_ns(display);
    switch (ladder->source) {
    case FLIP_TIME_DISPLAY:
        return show_by_present(ladder, display, flip);
    case FLIP_TIME_SWAP_RETURN:
        return show_by_swap(ladder, display, flip);
    case FLIP_TIME_SIMULATED:
        break;
    }
    SDL_GL_SwapWindow(ladder->window);
    return display_wait_on_grid(display, flip);
}

void ladder_close(Ladder *ladder)
{
    present_x11_close(ladder->present);
    ladder->present = NULL;
}
