#include <string.h>

#include "render/display.h"
#include "tests/harness.h"

static int64_t hand_now_ns(void *ctx)
{
    return *(int64_t *)ctx;
}

static void hand_sleep_until_ns(void *ctx, int64_t until_ns)
{
    int64_t *now_ns = ctx;
    if (until_ns > *now_ns)
        *now_ns = until_ns;
}

static DisplayOptions options_at(double refresh_hz)
{
    return (DisplayOptions){.kind = DISPLAY_NULL,
                            .width_px = 800,
                            .height_px = 600,
                            .um_per_px = 4,
                            .refresh_hz = refresh_hz};
}

static Display *opened(double refresh_hz, int64_t *now_ns)
{
    const DisplayClock clock = {hand_now_ns, hand_sleep_until_ns, now_ns};
    DisplayOptions options = options_at(refresh_hz);
    char err[DISPLAY_ERR_BYTES];
    Display *display = display_open(&options, &clock, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(display);
    return display;
}

static void punctual_loop_shows_every_refresh(void)
{
    const double rates_hz[] = {30, 60, 75, 120, 240};
    for (size_t i = 0; i < sizeof rates_hz / sizeof *rates_hz; i++) {
        int64_t now_ns = 123456789;
        Display *display = opened(rates_hz[i], &now_ns);
        now_ns += 7654321;
        display_start(display);
        int64_t start_ns = now_ns;
        for (int64_t refresh = 0; refresh < 1000; refresh++) {
            int64_t deadline_ns = display_deadline_ns(display, refresh);
            now_ns += (int64_t)(0.9e9 / rates_hz[i]);
            Flip flip;
            display_present(display, &flip);
            CU_ASSERT_EQUAL(flip.refresh, refresh);
            CU_ASSERT_EQUAL(flip.vblank_ns, deadline_ns);
            CU_ASSERT_EQUAL(flip.vblank_ns, now_ns);
            CU_ASSERT_EQUAL(flip.source, FLIP_TIME_SIMULATED);
            CU_ASSERT(test_near((double)(now_ns - start_ns),
                                (double)(refresh + 1) * 1e9 / rates_hz[i], 2));
        }
        display_close(display);
    }
}

static void stalls_skip_their_refreshes(void)
{
    int64_t now_ns = 0, wanted = 0;
    Display *display = opened(100, &now_ns);
    display_start(display);
    for (int frame = 0; frame < 200; frame++) {
        bool stalls = frame % 20 == 19;
        now_ns += stalls ? 25000000 : 3000000; // 25 ms: two blanks of 10 ms go by
        wanted += stalls ? 2 : 0;
        Flip flip;
        display_present(display, &flip);
        CU_ASSERT_EQUAL(flip.refresh, wanted++);
        CU_ASSERT(flip.requested_ns <= flip.vblank_ns);
        CU_ASSERT_EQUAL(display_deadline_ns(display, flip.refresh), flip.vblank_ns);
    }
    display_close(display);
}

static void asking_at_the_blank_is_late(void)
{
    int64_t now_ns = 0;
    Display *display = opened(50, &now_ns);
    display_start(display);
    Flip flip;
    now_ns = display_deadline_ns(display, 0); // the blank that begins refresh 0 is just past
    display_present(display, &flip);
    CU_ASSERT_EQUAL(flip.refresh, 1);
    now_ns = display_deadline_ns(display, 2) - 1;
    display_present(display, &flip);
    CU_ASSERT_EQUAL(flip.refresh, 2);
    display_close(display);
}

static void says_what_it_is(void)
{
    int64_t now_ns = 0;
    Display *display = opened(60, &now_ns);
    const DisplayInfo *info = display_info(display);
    CU_ASSERT_STRING_EQUAL(info->driver, "null");
    CU_ASSERT_EQUAL(info->source, FLIP_TIME_SIMULATED);
    CU_ASSERT(test_near(info->refresh_hz, 60, 0));
    CU_ASSERT(info->measured_hz == 0);
    CU_ASSERT(info->raster.width_px == 800 && info->raster.height_px == 600);
    CU_ASSERT(strncmp(info->verdict, "unsafe: ", 8) == 0);
    uint8_t rgb[3];
    CU_ASSERT_FALSE(display_read(display, rgb));
    CU_ASSERT_EQUAL(display_poll(display), DISPLAY_OPEN);
    display_close(display);
    display_close(NULL);
}

static void drawing_costs_nothing(void)
{
    int64_t now_ns = 0;
    Display *display = opened(60, &now_ns);
    const Scene scene = {.kind = SCENE_UNIFORM, .background_lum = 0.5f};
    const uint32_t pixels[1] = {0};
    display_start(display);
    int64_t before_ns = now_ns;
    display_draw(display, &scene, 0, 0);
    display_panel(display, pixels);
    CU_ASSERT_EQUAL(now_ns, before_ns);
    display_close(display);
}

static void bad_options_are_refused(void)
{
    int64_t now_ns = 0;
    const DisplayClock clock = {hand_now_ns, hand_sleep_until_ns, &now_ns};
    char err[DISPLAY_ERR_BYTES];
    DisplayOptions options = options_at(0);
    CU_ASSERT_PTR_NULL(display_open(&options, &clock, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "refresh_hz"));
    options = options_at(60);
    options.um_per_px = 0;
    CU_ASSERT_PTR_NULL(display_open(&options, &clock, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "um_per_px: 0 is out of range; allowed are"));
    options = options_at(60);
    options.width_px = -5;
    CU_ASSERT_PTR_NULL(display_open(&options, &clock, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "width_px"));
    options = options_at(60);
    options.background_lum = 1.2f;
    CU_ASSERT_PTR_NULL(display_open(&options, &clock, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "background_lum"));
}

static const TestCase cases[] = {
    {"a punctual loop shows every refresh on its deadline", punctual_loop_shows_every_refresh},
    {"a stall skips exactly the refreshes that went by", stalls_skip_their_refreshes},
    {"a request at the very blank waits for the next one", asking_at_the_blank_is_late},
    {"it says that it is simulated and has no pixels", says_what_it_is},
    {"drawing takes no time", drawing_costs_nothing},
    {"options out of range are refused by name", bad_options_are_refused},
};

int main(void)
{
    return test_main("display_null", cases, sizeof cases / sizeof cases[0]);
}
