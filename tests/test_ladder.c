#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <SDL2/SDL.h>

#include "render/display.h"
#include "tests/harness.h"

/* Swaps that wait, without a screen: this program brings its own SDL_GL_SwapWindow, which returns
 * at the next blank of a grid on a clock turned by hand. Drawing goes to SDL's offscreen driver. */
static int64_t hand_ns;
static double swap_hz;       // 0: the swap does not wait
static int64_t swap_cost_ns; // what it takes in any case
static const int64_t origin_ns = 777777;

void SDL_GL_SwapWindow(SDL_Window *window)
{
    (void)window;
    hand_ns += swap_cost_ns;
    if (swap_hz > 0) {
        double blanks = floor((double)(hand_ns - origin_ns) * swap_hz / 1e9);
        hand_ns = origin_ns + llround((blanks + 1) * 1e9 / swap_hz);
    }
}

static int64_t hand_now_ns(void *ctx)
{
    (void)ctx;
    return hand_ns;
}

static void hand_sleep_until_ns(void *ctx, int64_t until_ns)
{
    (void)ctx;
    if (until_ns > hand_ns)
        hand_ns = until_ns;
}

static Display *open_with(double refresh_hz, int64_t cost_ns)
{
    const DisplayClock clock = {hand_now_ns, hand_sleep_until_ns, NULL};
    const DisplayOptions options = {
        .kind = DISPLAY_SDL, .width_px = 40, .height_px = 30, .um_per_px = 5};
    char err[DISPLAY_ERR_BYTES];
    hand_ns = 5000000000;
    swap_hz = refresh_hz;
    swap_cost_ns = cost_ns;
    setenv("SDL_VIDEODRIVER", "offscreen", 1);
    Display *display = display_open(&options, &clock, err);
    if (!display)
        test_skip(err);
    return display;
}

static int64_t blank_of(int64_t time_ns)
{
    return llround((double)(time_ns - origin_ns) * swap_hz / 1e9);
}

static void waiting_swaps_are_a_rung(void)
{
    const double rates_hz[] = {30, 50, 60, 75, 85, 100, 120, 144, 240};
    for (size_t i = 0; i < sizeof rates_hz / sizeof *rates_hz; i++) {
        Display *display = open_with(rates_hz[i], 300000);
        if (!display)
            return;
        const DisplayInfo *info = display_info(display);
        CU_ASSERT_EQUAL(info->source, FLIP_TIME_SWAP_RETURN);
        CU_ASSERT_STRING_EQUAL(info->ladder, "swap return");
        CU_ASSERT(test_near(info->measured_hz, rates_hz[i], 1e-4 * rates_hz[i]));
        CU_ASSERT(test_near(info->refresh_hz, rates_hz[i], 0));
        CU_ASSERT_PTR_NOT_NULL(strstr(info->verdict, "return of the swap"));
        display_close(display);
    }
}

static void stalls_count_their_blanks(void)
{
    Display *display = open_with(60, 300000);
    if (!display)
        return;
    display_start(display);
    int64_t first_blank = blank_of(hand_ns) + 1, stalls_seen = 0;
    for (int frame = 0; frame < 400; frame++) {
        bool stalls = frame % 20 == 19;
        hand_ns += stalls ? 25000000 : 3000000;
        Flip flip;
        display_present(display, &flip);
        CU_ASSERT_EQUAL(flip.source, FLIP_TIME_SWAP_RETURN);
        CU_ASSERT_EQUAL(flip.vblank_ns, hand_ns);
        CU_ASSERT_EQUAL(flip.refresh, blank_of(hand_ns) - first_blank);
        CU_ASSERT(test_near((double)display_deadline_ns(display, flip.refresh + 1),
                            (double)flip.vblank_ns + 1e9 / 60, 1e4));
        stalls_seen += flip.refresh == frame + stalls_seen + 1;
    }
    CU_ASSERT_EQUAL(stalls_seen, 20);
    display_close(display);
}

static void slow_swaps_do_not_wait(void)
{
    const int64_t costs_ns[] = {50000, 4000000, 9000000, 16000000};
    for (size_t i = 0; i < sizeof costs_ns / sizeof *costs_ns; i++) {
        Display *display = open_with(0, costs_ns[i]);
        if (!display)
            return;
        CU_ASSERT_EQUAL(display_info(display)->source, FLIP_TIME_SIMULATED);
        CU_ASSERT(display_info(display)->measured_hz == 0);
        display_close(display);
    }
}

static const TestCase cases[] = {
    {"a swap that waits is a rung of its own at any rate", waiting_swaps_are_a_rung},
    {"on that rung every stall shows in the refresh numbers", stalls_count_their_blanks},
    {"a swap that is only slow is not taken for one that waits", slow_swaps_do_not_wait},
};

int main(void)
{
    return test_main("ladder", cases, sizeof cases / sizeof cases[0]);
}
