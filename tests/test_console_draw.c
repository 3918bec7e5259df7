#include "tests/harness.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cairo.h>

#include "app/console_draw.h"

enum { RASTER = 50, CHANNELS = 8, MAP = 36, FRAME_NS = 16666667 };

static const double RATE_HZ = 30.0;

static ConsoleSetup plain_setup(int width_px, int height_px)
{
    ConsoleSetup setup = {
        .protocol = "omitted stimulus",
        .models = {{"natural-cnn", "cnn", false}, {"circuit", "circuit", true}},
        .models_count = 2,
        .cells = {{.name = "OFF", .x_um = 0.0F, .y_um = 0.0F},
                  {.name = "ON", .x_um = NAN, .y_um = NAN}},
        .cells_count = 2,
        .raster = {RASTER, RASTER, 55.0},
        .map_channels = CHANNELS,
        .map_width_px = MAP,
        .map_height_px = MAP,
        .refresh_hz = 60.0,
        .refreshes = 3600,
        .verdict = "ok",
        .width_px = width_px,
        .height_px = height_px,
    };
    setup.cells[1].of_model[0] = 1;
    setup.cells[1].of_model[1] = -1;
    return setup;
}

/* 300 refreshes of constant rates; those in [missed_from, missed_to) show the old image, and the
 * first model has no rates in [gap_from, gap_to). */
typedef struct {
    int64_t missed_from, missed_to, gap_from, gap_to;
} Course;

static ConsoleState *run_course(const ConsoleSetup *setup, Course course)
{
    static float lum[RASTER * RASTER], maps[CHANNELS * MAP * MAP];
    ConsoleState *state = malloc(sizeof *state);
    char err[CONSOLE_ERR_BYTES];
    CU_ASSERT_FATAL(state && console_state_init(state, setup, err));
    const float full_hz[] = {(float)RATE_HZ, 20.0F};
    const float reduced_hz[] = {10.0F};
    for (int64_t k = 0; k < 300; k++) {
        if (k >= course.missed_from && k < course.missed_to)
            continue;
        const int missed = k == course.missed_to ? (int)(course.missed_to - course.missed_from) : 0;
        const ConsoleFrame frame = {k, missed, k * FRAME_NS, 10000000, lum, maps, {0}};
        console_state_frame(state, &frame);
        if (k < course.gap_from || k >= course.gap_to)
            console_state_rates(state, 0, k, full_hz, 500000, false);
        console_state_rates(state, 1, k, reduced_hz, 50000, false);
    }
    return state;
}

static cairo_surface_t *draw_with(const ConsoleState *state, const ConsoleShares *shares,
                                  int margin_px, uint32_t ground)
{
    const int width_px = state->setup.width_px + margin_px;
    const int height_px = state->setup.height_px + margin_px;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width_px, height_px);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    for (size_t i = 0; i < (size_t)width_px * (size_t)height_px; i++)
        memcpy(pixels + 4 * i, &ground, sizeof ground);
    cairo_surface_mark_dirty(surface);
    cairo_t *cairo = cairo_create(surface);
    console_draw(cairo, state, shares);
    CU_ASSERT_EQUAL(cairo_status(cairo), CAIRO_STATUS_SUCCESS);
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    return surface;
}

static cairo_surface_t *draw(const ConsoleState *state, int margin_px, uint32_t ground)
{
    return draw_with(state, NULL, margin_px, ground);
}

static uint32_t pixel(cairo_surface_t *surface, double x, double y)
{
    uint32_t value;
    memcpy(&value,
           cairo_image_surface_get_data(surface) +
               (size_t)y * (size_t)cairo_image_surface_get_stride(surface) + 4 * (size_t)x,
           sizeof value);
    return value & 0xFFFFFFU;
}

static uint32_t packed(PlotColour colour)
{
    return (uint32_t)lrint(255.0 * colour.red) << 16 | (uint32_t)lrint(255.0 * colour.green) << 8 |
           (uint32_t)lrint(255.0 * colour.blue);
}

static bool is_close(uint32_t a, uint32_t b)
{
    return abs((int)(a >> 16) - (int)(b >> 16)) <= 2 &&
           abs((int)(a >> 8 & 255U) - (int)(b >> 8 & 255U)) <= 2 &&
           abs((int)(a & 255U) - (int)(b & 255U)) <= 2;
}

/* The middle of a refresh on the time axis of a box: the newest, 299, ends at its right end. */
static double refresh_px(const PlotBox *box, int64_t refresh)
{
    return box->x_px + box->width_px * (1.0 + ((double)(refresh - 299) - 0.5) / (4.0 * 60.0));
}

static void missed_refreshes_are_red(void)
{
    const ConsoleSetup setup = plain_setup(640, 720);
    ConsoleState *state = run_course(&setup, (Course){200, 203, 0, 0});
    ConsoleLayout layout;
    console_layout(&setup, &layout);
    cairo_surface_t *surface = draw(state, 0, 0);
    const uint32_t red = packed(plot_on_screen.bad);
    const double low_px = layout.interval.y_px + layout.interval.height_px - 2.0;
    for (int64_t k = 200; k < 203; k++)
        CU_ASSERT(is_close(pixel(surface, refresh_px(&layout.interval, k), low_px), red));
    CU_ASSERT(!is_close(pixel(surface, refresh_px(&layout.interval, 197), low_px), red));
    CU_ASSERT(!is_close(pixel(surface, refresh_px(&layout.interval, 205), low_px), red));
    CU_ASSERT_EQUAL(state->live.missed, 3);
    CU_ASSERT_EQUAL(state->live.shown, 297);
    cairo_surface_destroy(surface);
    free(state);
}

/* Red pixels of a run without a missed refresh, whose rig is like this at its end. */
static int count_red(ConsoleRig rig)
{
    ConsoleSetup setup = plain_setup(640, 720);
    setup.has_rig = true;
    ConsoleState *state = run_course(&setup, (Course){-1, -1, 0, 0});
    state->live.rig = rig;
    cairo_surface_t *surface = draw(state, 0, 0);
    const uint32_t red = packed(plot_on_screen.bad);
    int count = 0;
    for (int y = 0; y < 720; y++)
        for (int x = 0; x < 640; x++)
            count += is_close(pixel(surface, x, y), red);
    cairo_surface_destroy(surface);
    free(state);
    return count;
}

static void nothing_is_red_in_a_clean_run(void)
{
    CU_ASSERT_EQUAL(count_red((ConsoleRig){.triggers_sent = 300, .events_received = 9}), 0);
}

static void a_rig_that_fails_is_red(void)
{
    CU_ASSERT(count_red((ConsoleRig){.triggers_sent = 299, .triggers_failed = 1}) > 50);
    CU_ASSERT(count_red((ConsoleRig){.events_lost = 1}) > 50);
    CU_ASSERT(count_red((ConsoleRig){.is_gone = true}) > 50);
}

static void constant_rate_is_level(void)
{
    const ConsoleSetup setup = plain_setup(1280, 800);
    ConsoleState *state = run_course(&setup, (Course){-1, -1, 0, 0});
    ConsoleLayout layout;
    console_layout(&setup, &layout);
    cairo_surface_t *surface = draw(state, 0, 0);
    const PlotArea area = console_cell_area(state, &layout, 0);
    CU_ASSERT(test_near(area.y.low, 0.0, 0.0));
    CU_ASSERT(area.y.high >= RATE_HZ && area.y.high <= 2.0 * RATE_HZ);
    const double share = RATE_HZ / area.y.high;
    const double y_px = layout.cells[0].y_px + layout.cells[0].height_px * (1.0 - share);
    const uint32_t white = packed(plot_on_screen.series[0]);
    int found = 0;
    for (int64_t k = 80; k < 299; k++) { // right of the cell's name
        const double x_px = refresh_px(&layout.cells[0], k);
        found += is_close(pixel(surface, x_px, y_px), white) ||
                 is_close(pixel(surface, x_px, y_px - 1.0), white);
    }
    CU_ASSERT_EQUAL(found, 299 - 80);
    cairo_surface_destroy(surface);
    free(state);
}

static void missing_rates_leave_a_gap(void)
{
    const ConsoleSetup setup = plain_setup(1280, 800);
    ConsoleState *state = run_course(&setup, (Course){-1, -1, 200, 220});
    ConsoleLayout layout;
    console_layout(&setup, &layout);
    cairo_surface_t *surface = draw(state, 0, 0);
    const PlotArea area = console_cell_area(state, &layout, 0);
    const double y_px = plot_y_px(&area, RATE_HZ);
    const uint32_t white = packed(plot_on_screen.series[0]);
    for (int64_t k = 202; k < 218; k++)
        for (int d = -3; d <= 3; d++)
            CU_ASSERT(!is_close(pixel(surface, refresh_px(&layout.cells[0], k), y_px + d), white));
    const double x_px = refresh_px(&layout.cells[0], 190);
    CU_ASSERT(is_close(pixel(surface, x_px, y_px), white) ||
              is_close(pixel(surface, x_px, y_px - 1.0), white));
    cairo_surface_destroy(surface);
    free(state);
}

/* Pixels of a colour, or of one that a line's edge mixes with it, in a box with its right margin. */
static int count_colour(cairo_surface_t *surface, const PlotBox *box, double margin_px,
                        PlotColour colour)
{
    const uint32_t wanted = packed(colour);
    int count = 0;
    for (int y = (int)box->y_px; y < (int)(box->y_px + box->height_px); y++)
        for (int x = (int)box->x_px; x < (int)(box->x_px + box->width_px + margin_px); x++)
            count += is_close(pixel(surface, x, y), wanted);
    return count;
}

/* What the picture has in the colour of a model of flicker in a run of one block: in the lane, in the
 * margin beside it, in the row of names above it and in the table. */
static void count_flicker_model(const char *shown, int counts[3])
{
    ConsoleSetup setup = plain_setup(1000, 720);
    snprintf(setup.models[1].stimulus, CONSOLE_STIMULUS_BYTES, "flicker");
    setup.cells_count = 1;
    ConsoleState *state = malloc(sizeof *state);
    char err[CONSOLE_ERR_BYTES];
    CU_ASSERT_FATAL(state && console_state_init(state, &setup, err));
    snprintf(state->trial.stimulus, CONSOLE_STIMULUS_BYTES, "%s", shown);
    for (int64_t k = 0; k < 300; k++) {
        const ConsoleFrame frame = {.refresh = k, .vblank_ns = k * FRAME_NS, .margin_ns = 10000000};
        const float rate_hz[] = {(float)(k % 7), 0.0F};
        console_state_frame(state, &frame);
        console_state_rates(state, 0, k, rate_hz, 500000, false);
        console_state_rates(state, 1, k, rate_hz, 50000, false);
    }
    ConsoleLayout layout;
    console_layout(&setup, &layout);
    cairo_surface_t *surface = draw(state, 0, 0);
    const PlotBox *lane = &layout.cells[0];
    const PlotColour colour = plot_on_screen.series[1];
    const PlotBox names = {lane->x_px, lane->y_px - 2.0 * layout.text_px, lane->width_px,
                           1.9 * layout.text_px};
    counts[0] = count_colour(surface, lane, 5.0 * layout.text_px, colour);
    counts[1] = count_colour(surface, &names, 0.0, colour);
    counts[2] = count_colour(surface, &layout.models, 0.0, colour);
    cairo_surface_destroy(surface);
    free(state);
}

static void a_model_is_drawn_in_its_blocks_only(void)
{
    int in_play[3], aside[3];
    count_flicker_model("flicker", in_play);
    count_flicker_model("step", aside);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(in_play[i] > 20);
        CU_ASSERT_EQUAL(aside[i], 0);
    }
}

static void pictures_are_the_right_way_round(void)
{
    const ConsoleSetup setup = plain_setup(1280, 800);
    ConsoleState *state = run_course(&setup, (Course){-1, -1, 0, 0});
    for (int i = 0; i < RASTER * RASTER; i++)
        state->lum[i] = i < RASTER * RASTER / 2 && i % RASTER < RASTER / 2 ? 1.0F : 0.0F;
    for (int i = 0; i < MAP * MAP; i++)
        state->maps[i] = 2.0F; // the first channel only
    state->live.maps_peak = 2.0F;
    ConsoleLayout layout;
    console_layout(&setup, &layout);
    cairo_surface_t *surface = draw(state, 0, 0);
    const PlotBox *box = &layout.stimulus;
    const double near_px = 4.0;
    const double right_px = box->x_px + box->width_px - near_px;
    const double bottom_px = box->y_px + box->height_px - near_px;
    CU_ASSERT_EQUAL(pixel(surface, box->x_px + near_px, box->y_px + near_px), 0xFFFFFFU);
    CU_ASSERT_EQUAL(pixel(surface, right_px, box->y_px + near_px), 0U);
    CU_ASSERT_EQUAL(pixel(surface, box->x_px + near_px, bottom_px), 0U);
    const uint32_t bright = packed(plot_scale_colour(PLOT_ACTIVITY, 1.0));
    const uint32_t dark = packed(plot_scale_colour(PLOT_ACTIVITY, 0.0));
    const double middle_px = layout.maps.y_px + 0.2 * layout.maps.height_px;
    CU_ASSERT(is_close(pixel(surface, layout.maps.x_px + 30.0, middle_px), bright));
    CU_ASSERT(
        is_close(pixel(surface, layout.maps.x_px + 0.9 * layout.maps.width_px, middle_px), dark));
    cairo_surface_destroy(surface);
    free(state);
}

static void nothing_is_drawn_outside(void)
{
    static const int sizes[][2] = {{640, 720}, {720, 720}, {1280, 800}, {480, 480}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const ConsoleSetup setup = plain_setup(sizes[i][0], sizes[i][1]);
        ConsoleState *state = run_course(&setup, (Course){100, 110, 0, 0});
        cairo_surface_t *surface = draw(state, 40, 0x123456U);
        int strays = 0;
        for (int y = 0; y < sizes[i][1] + 40; y++) {
            for (int x = 0; x < sizes[i][0] + 40; x++) {
                const bool is_outside = x >= sizes[i][0] || y >= sizes[i][1];
                strays += is_outside && pixel(surface, x, y) != 0x123456U;
            }
        }
        CU_ASSERT_EQUAL(strays, 0);
        cairo_surface_destroy(surface);
        free(state);
    }
}

static bool is_inside(const PlotBox *box, const ConsoleSetup *setup)
{
    return box->x_px >= 0.0 && box->y_px >= 0.0 && box->width_px > 0.0 && box->height_px > 0.0 &&
           box->x_px + box->width_px <= setup->width_px &&
           box->y_px + box->height_px <= setup->height_px;
}

static bool is_apart(const PlotBox *a, const PlotBox *b)
{
    return a->x_px + a->width_px <= b->x_px || b->x_px + b->width_px <= a->x_px ||
           a->y_px + a->height_px <= b->y_px || b->y_px + b->height_px <= a->y_px;
}

enum { SHARES_BOX = 6 };

static void check_parts(const char *attribution_path)
{
    static const int sizes[][2] = {{600, 680},  {640, 720},  {720, 720}, {1000, 720},
                                   {1280, 800}, {1024, 768}, {800, 1280}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ConsoleSetup setup = plain_setup(sizes[i][0], sizes[i][1]);
        strcpy(setup.attribution_path, attribution_path);
        ConsoleLayout layout;
        console_layout(&setup, &layout);
        const PlotBox boxes[] = {layout.header,   layout.stimulus, layout.maps,   layout.models,
                                 layout.profile,  layout.cells[0], layout.shares, layout.cells[1],
                                 layout.interval, layout.margin};
        const size_t count = sizeof boxes / sizeof boxes[0];
        for (size_t a = 0; a < count; a++) {
            if (&boxes[a] == &boxes[SHARES_BOX] && !attribution_path[0])
                continue;
            CU_ASSERT(is_inside(&boxes[a], &setup));
            for (size_t b = a + 1; b < count; b++)
                CU_ASSERT(is_apart(&boxes[a], &boxes[b]));
            CU_ASSERT(boxes[a].height_px >= 1.5 * layout.text_px);
        }
    }
}

static void parts_do_not_overlap(void)
{
    check_parts("");
}

static void parts_do_not_overlap_with_shares(void)
{
    check_parts("model.h5");
}

/* Where the picture has the colour of bars that raise or lower the rate: how many pixels, their first
 * and their last column. */
typedef struct {
    int count;
    double from_px, to_px;
} Bars;

static Bars find_bars(cairo_surface_t *surface, const ConsoleLayout *layout, bool is_raising)
{
    const uint32_t wanted =
        packed(plot_scale_colour(PLOT_DIVERGING_ON_DARK, is_raising ? 0.9 : 0.1));
    Bars bars = {.from_px = HUGE_VAL, .to_px = -HUGE_VAL};
    const PlotBox *box = &layout->maps;
    for (int y = (int)box->y_px; y < (int)(box->y_px + box->height_px); y++)
        for (int x = (int)box->x_px; x < (int)(box->x_px + box->width_px); x++) {
            if (!is_close(pixel(surface, x, y), wanted))
                continue;
            bars.count++;
            bars.from_px = fmin(bars.from_px, x);
            bars.to_px = fmax(bars.to_px, x + 1);
        }
    return bars;
}

static ConsoleShares plain_shares(void)
{
    return (ConsoleShares){.status = CONSOLE_SHARES_KNOWN,
                           .channels = CHANNELS,
                           .rest_hz = 1.0,
                           .rate_hz = 6.0,
                           .sum_hz = 5.0,
                           .steps = 4,
                           .channel_hz = {8.0, 0.0, 0.0, -4.0},
                           .peak_hz = 8.0};
}

/* One row of maps at this size: the first map at the left end of the box. */
static void bars_have_their_side_and_length(void)
{
    ConsoleSetup setup = plain_setup(600, 680);
    strcpy(setup.attribution_path, "model.h5");
    ConsoleState *state = run_course(&setup, (Course){-1, -1, 0, 0});
    ConsoleLayout layout;
    console_layout(&setup, &layout);
    const ConsoleShares shares = plain_shares();
    cairo_surface_t *surface = draw_with(state, &shares, 0, 0);
    const Bars up = find_bars(surface, &layout, true), down = find_bars(surface, &layout, false);
    const double pitch_px = (layout.maps.width_px + 0.4 * layout.text_px) / CHANNELS;
    const double map_px = pitch_px - 0.4 * layout.text_px;
    const double first_px = layout.maps.x_px + 0.5 * map_px;
    const double fourth_px = first_px + 3.0 * pitch_px;
    CU_ASSERT(up.count > 0 && down.count > 0);
    CU_ASSERT(test_near(up.from_px, first_px, 2.0)); // half of the width is 8 Hz
    CU_ASSERT(test_near(up.to_px, first_px + 0.5 * map_px, 2.0));
    CU_ASSERT(test_near(down.to_px, fourth_px, 2.0));
    CU_ASSERT(test_near(down.from_px, fourth_px - 0.25 * map_px, 2.0));
    cairo_surface_destroy(surface);
    free(state);
}

static void shares_stand_at_their_time(void)
{
    ConsoleSetup setup = plain_setup(1000, 720);
    strcpy(setup.attribution_path, "model.h5");
    ConsoleState *state = run_course(&setup, (Course){-1, -1, 0, 0});
    ConsoleLayout layout;
    console_layout(&setup, &layout);
    ConsoleShares shares = plain_shares();
    shares.measured = 4;
    shares.past[0] = (ConsoleSharesPast){.refresh = 200, .channel_hz = {0.0F, 8.0F}};
    shares.past[1] = (ConsoleSharesPast){.refresh = 203, .channel_hz = {0.0F, -8.0F}};
    shares.past[2] = (ConsoleSharesPast){.refresh = 206, .channel_hz = {0.0F, 0.0F}};
    shares.past[3] = (ConsoleSharesPast){.refresh = 250, .channel_hz = {0.0F, 8.0F}};
    cairo_surface_t *surface = draw_with(state, &shares, 0, 0);
    const uint32_t up = packed(plot_scale_colour(PLOT_DIVERGING_ON_DARK, 1.0));
    const uint32_t down = packed(plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.0));
    const uint32_t nought = packed(plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.5));
    const uint32_t nothing = packed(plot_on_screen.grid);
    const PlotBox *box = &layout.shares;
    const double first_px = box->y_px + 0.5 * box->height_px / CHANNELS;
    const double second_px = box->y_px + 1.5 * box->height_px / CHANNELS;
    const struct {
        int64_t refresh;
        uint32_t colour;
    } wanted[] = {{193, nothing}, {200, up},      {201, down}, {203, down}, {205, nought},
                  {207, nothing}, {243, nothing}, {246, up},   {250, up},   {251, nothing}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const double x_px = refresh_px(box, wanted[i].refresh);
        CU_ASSERT(is_close(pixel(surface, x_px, second_px), wanted[i].colour));
        const bool is_known = wanted[i].colour != nothing;
        CU_ASSERT(is_close(pixel(surface, x_px, first_px), is_known ? nought : nothing));
    }
    cairo_surface_destroy(surface);
    free(state);
}

static void blank_shares_draw_no_bar(void)
{
    static const ConsoleSharesStatus statuses[] = {CONSOLE_SHARES_BLANK, CONSOLE_SHARES_FAILED};
    ConsoleSetup setup = plain_setup(1000, 720);
    strcpy(setup.attribution_path, "model.h5");
    ConsoleState *state = run_course(&setup, (Course){-1, -1, 0, 0});
    ConsoleLayout layout;
    console_layout(&setup, &layout);
    const uint32_t warning = packed(plot_on_screen.warning);
    for (int i = 0; i < 2; i++) {
        ConsoleShares shares = plain_shares(); // the figures are still those of before
        shares.status = statuses[i];
        shares.wait_s = 0.4;
        strcpy(shares.problem, "model.h5: is gone");
        cairo_surface_t *surface = draw_with(state, &shares, 0, 0);
        CU_ASSERT_EQUAL(find_bars(surface, &layout, true).count, 0);
        CU_ASSERT_EQUAL(find_bars(surface, &layout, false).count, 0);
        int said = 0;
        const PlotBox *box = &layout.maps;
        for (int y = (int)(box->y_px + box->height_px - layout.summary_px);
             y < (int)(box->y_px + box->height_px); y++)
            for (int x = (int)box->x_px; x < (int)(box->x_px + box->width_px); x++)
                said += is_close(pixel(surface, x, y), warning);
        CU_ASSERT(said > 0); // in the colour of a warning
        cairo_surface_destroy(surface);
    }
    free(state);
}

static void empty_state_draws(void)
{
    const ConsoleSetup setup = {.raster = {1, 1, 0.0},
                                .map_model = -1,
                                .refresh_hz = 60.0,
                                .width_px = 640,
                                .height_px = 720};
    char err[CONSOLE_ERR_BYTES];
    ConsoleState *state = malloc(sizeof *state);
    CU_ASSERT_FATAL(state && console_state_init(state, &setup, err));
    cairo_surface_t *surface = draw(state, 0, 0);
    CU_ASSERT_EQUAL(pixel(surface, 2, 719), packed(plot_on_screen.paper));
    cairo_surface_destroy(surface);
    free(state);
}

static const TestCase cases[] = {
    {"every missed refresh is red at its own time and no other is", missed_refreshes_are_red},
    {"a clean run has no red pixel", nothing_is_red_in_a_clean_run},
    {"a rig that fails, loses or is gone is red", a_rig_that_fails_is_red},
    {"a constant rate is a level line at its height", constant_rate_is_level},
    {"missing rates leave a gap", missing_rates_leave_a_gap},
    {"a model of flicker has trace, number, name and row in a block of flicker and none of them in "
     "one of steps",
     a_model_is_drawn_in_its_blocks_only},
    {"stimulus and maps are the right way round", pictures_are_the_right_way_round},
    {"nothing is drawn outside the picture", nothing_is_drawn_outside},
    {"the parts of the picture lie inside it and apart", parts_do_not_overlap},
    {"they do with an attribution too", parts_do_not_overlap_with_shares},
    {"a share's bar goes right where it raises the rate, left where it lowers it, to scale",
     bars_have_their_side_and_length},
    {"shares stand at the time of their measurement, and nothing where there was none",
     shares_stand_at_their_time},
    {"shares that are not known draw no bar and say why", blank_shares_draw_no_bar},
    {"a state without models, cells or frames can be drawn", empty_state_draws},
};

int main(void)
{
    return test_main("console_draw", cases, sizeof cases / sizeof cases[0]);
}
