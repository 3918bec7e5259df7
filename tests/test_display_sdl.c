#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <SDL2/SDL.h>

#include "app/clock.h"
#include "render/display.h"
#include "tests/harness.h"
#include "tests/program.h"

/* False, and the case skipped, where there is no Xvfb. */
static bool has_screen(int refresh_hz)
{
    if (!program_screen_start(refresh_hz)) {
        test_skip("Xvfb does not start here");
        return false;
    }
    unsetenv("SDL_VIDEODRIVER");
    return true;
}

static const DisplayOptions small_window = {
    .kind = DISPLAY_SDL, .width_px = 200, .height_px = 150, .um_per_px = 5};

static Display *try_open(const DisplayOptions *options, char *err)
{
    const DisplayClock clock = clock_real();
    err[0] = '\0';
    return display_open(options, &clock, err);
}

static Display *opened(const DisplayOptions *options)
{
    char err[DISPLAY_ERR_BYTES];
    Display *display = try_open(options, err);
    if (!display)
        printf("%s ", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(display);
    return display;
}

static const int64_t stall_ns = 25000000;

typedef struct {
    int stalls, stalls_seen, out_of_order, off_source;
    double worst_drift; // of stamps against refresh numbers, in refreshes
} Count;

/* 100 frames, every 20th held up between drawing and presenting for more than a refresh. */
static Count play(Display *display, double refresh_hz)
{
    Count count = {0};
    Flip first = {0}, before = {.refresh = -1};
    display_start(display);
    for (int frame = 0; frame < 100; frame++) {
        const Scene scene = {.kind = SCENE_UNIFORM, .background_lum = (float)(frame % 2)};
        Flip flip;
        bool stalls = frame % 20 == 19;
        display_draw(display, &scene, before.refresh + 1, 0);
        if (stalls)
            session_sleep_until_ns(NULL, session_now_ns(NULL) + stall_ns);
        display_present(display, &flip);
        if (frame == 0)
            first = flip;
        double by_time = (double)(flip.vblank_ns - first.vblank_ns) * refresh_hz / 1e9;
        double drift = fabs(by_time - (double)(flip.refresh - first.refresh));
        count.stalls += stalls;
        count.stalls_seen += stalls && flip.refresh > before.refresh + 1;
        count.out_of_order += flip.refresh <= before.refresh || flip.vblank_ns <= before.vblank_ns;
        count.off_source += flip.source != display_info(display)->source;
        count.worst_drift = fmax(count.worst_drift, drift);
        before = flip;
        display_poll(display);
    }
    return count;
}

static void blanks_are_the_servers(int refresh_hz)
{
    if (!has_screen(refresh_hz))
        return;
    Display *display = opened(&small_window);
    const DisplayInfo *info = display_info(display);
    CU_ASSERT_EQUAL(info->source, FLIP_TIME_DISPLAY);
    CU_ASSERT_STRING_EQUAL(info->ladder, "X Present");
    CU_ASSERT(test_near(info->measured_hz, refresh_hz, 0.01 * refresh_hz));
    CU_ASSERT(info->jitter_us > 0);
    CU_ASSERT(strcmp(info->verdict, "ok") == 0 || strncmp(info->verdict, "unsafe: ", 8) == 0);
    Count count = play(display, refresh_hz);
    CU_ASSERT_EQUAL(count.stalls_seen, count.stalls);
    CU_ASSERT_EQUAL(count.stalls, 5);
    CU_ASSERT_EQUAL(count.out_of_order, 0);
    CU_ASSERT_EQUAL(count.off_source, 0);
    // A server that wakes late stamps late, but still belongs to the nearest of its own blanks.
    CU_ASSERT(count.worst_drift <= 1.05);
    display_close(display);
    program_screen_stop();
}

static void blanks_at_60_hz(void)
{
    blanks_are_the_servers(60);
}

static void blanks_at_75_hz(void)
{
    blanks_are_the_servers(75);
}

static void blanks_at_120_hz(void)
{
    blanks_are_the_servers(120);
}

static void full_screens_fill(void)
{
    if (!has_screen(60))
        return;
    DisplayOptions options = small_window;
    options.is_fullscreen = true;
    options.panel_width_px = 140;
    Display *display = opened(&options);
    CU_ASSERT_EQUAL(display_info(display)->raster.width_px, 884);
    CU_ASSERT_EQUAL(display_info(display)->raster.height_px, 768);
    display_close(display);
    program_screen_stop();
}

static void old_gl_is_refused(void)
{
    if (!has_screen(60))
        return;
    char err[DISPLAY_ERR_BYTES];
    setenv("MESA_GL_VERSION_OVERRIDE", "3.0", 1);
    Display *display = try_open(&small_window, err);
    unsetenv("MESA_GL_VERSION_OVERRIDE");
    CU_ASSERT_PTR_NULL(display);
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "OpenGL 3.3 core"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "null display"));
    display_close(display);
    program_screen_stop();
}

static void missing_screens_are_refused(void)
{
    char err[DISPLAY_ERR_BYTES];
    unsetenv("SDL_VIDEODRIVER");
    unsetenv("WAYLAND_DISPLAY");
    unsetenv("DISPLAY");
    if (access("/dev/dri", F_OK) == 0) {
        test_skip("a console screen could be opened here");
        return;
    }
    CU_ASSERT_PTR_NULL(try_open(&small_window, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "DISPLAY"));
    setenv("DISPLAY", ":7653", 1);
    CU_ASSERT_PTR_NULL(try_open(&small_window, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "DISPLAY"));
    unsetenv("DISPLAY");
}

/* The offscreen driver accepts a swap interval and does not wait: only measuring tells. */
static void promises_are_not_believed(void)
{
    char err[DISPLAY_ERR_BYTES];
    setenv("SDL_VIDEODRIVER", "offscreen", 1);
    DisplayOptions options = small_window;
    options.refresh_hz = 100;
    Display *display = try_open(&options, err);
    if (!display) {
        test_skip(err);
        return;
    }
    const DisplayInfo *info = display_info(display);
    CU_ASSERT_EQUAL(info->source, FLIP_TIME_SIMULATED);
    CU_ASSERT(info->measured_hz == 0);
    CU_ASSERT(test_near(info->refresh_hz, 100, 0));
    CU_ASSERT_PTR_NOT_NULL(strstr(info->verdict, "simulated"));
    Count count = play(display, 100);
    CU_ASSERT_EQUAL(count.stalls_seen, count.stalls);
    CU_ASSERT_EQUAL(count.out_of_order, 0);
    CU_ASSERT_EQUAL(count.off_source, 0);
    CU_ASSERT(count.worst_drift <= 1e-3);
    display_close(display);
}

static bool closes(Display *display, SDL_Event event)
{
    SDL_PushEvent(&event);
    return display_poll(display) == DISPLAY_CLOSED_BY_USER;
}

static void the_user_can_close(void)
{
    char err[DISPLAY_ERR_BYTES];
    setenv("SDL_VIDEODRIVER", "offscreen", 1);
    Display *display = try_open(&small_window, err);
    if (!display) {
        test_skip(err);
        return;
    }
    SDL_Event key = {.key = {.type = SDL_KEYDOWN, .keysym.sym = SDLK_a}};
    CU_ASSERT_FALSE(closes(display, key));
    key.key.keysym.sym = SDLK_ESCAPE;
    CU_ASSERT(closes(display, key));
    CU_ASSERT_EQUAL(display_poll(display), DISPLAY_OPEN);
    key.key.keysym.sym = SDLK_q;
    CU_ASSERT(closes(display, key));
    CU_ASSERT(closes(display, (SDL_Event){.type = SDL_QUIT}));
    CU_ASSERT(closes(
        display, (SDL_Event){.window = {.type = SDL_WINDOWEVENT, .event = SDL_WINDOWEVENT_CLOSE}}));
    display_close(display);
}

static const TestCase cases[] = {
    {"at 60 Hz every blank is the server's and every stall is seen", blanks_at_60_hz},
    {"at 75 Hz every blank is the server's and every stall is seen", blanks_at_75_hz},
    {"at 120 Hz every blank is the server's and every stall is seen", blanks_at_120_hz},
    {"a full screen is stimulus and panel together", full_screens_fill},
    {"OpenGL older than 3.3 is refused with advice", old_gl_is_refused},
    {"a screen that is not there is refused with advice", missing_screens_are_refused},
    {"a driver that promises to wait and does not is simulated", promises_are_not_believed},
    {"Escape, q and closing the window end it", the_user_can_close},
};

int main(void)
{
    return test_main("display_sdl", cases, sizeof cases / sizeof cases[0]);
}
