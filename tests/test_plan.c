#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/plan.h"
#include "tests/harness.h"

static char err[CONFIG_ERR_BYTES];

/* A protocol made by hand: one block, at 60 Hz, 5 um per pixel. */
static double values[] = {50, 100, 200};
static ProtocolFlicker flicker;
static ProtocolStep step;
static ProtocolBar bar;
static ProtocolReversal reversal;
static ProtocolCheckerboard checkerboard;
static ProtocolBlock blocks[3];
static Protocol protocol;

static ProtocolBlock *reset(void)
{
    static char name[] = "p";
    flicker = (ProtocolFlicker){values, 3, 1000.0 / 60, 8, 8, -1};
    step = (ProtocolStep){values, 3, 500};
    bar = (ProtocolBar){values, 1, 165, -1, 0, 2000, 0};
    reversal = (ProtocolReversal){values, 1, 500, 165, -1, 0, 600};
    checkerboard = (ProtocolCheckerboard){
        .columns = 10, .rows = 10, .check_um = 50, .contrast = 1, .hold_ms = 50, .duration_s = 2};
    memset(blocks, 0, sizeof blocks);
    for (int i = 0; i < 3; i++)
        blocks[i] = (ProtocolBlock){.name = name, .repeats = 1};
    protocol = (Protocol){.name = name, .seed = 1, .blocks = blocks, .blocks_count = 1};
    protocol.display = (ProtocolDisplay){
        .refresh_hz = 60, .um_per_px = 5, .width_px = 600, .height_px = 600, .background = 0.5};
    return &blocks[0];
}

static Plan *plan_at(double refresh_hz)
{
    return plan_create(&protocol, "no-file.yaml", refresh_hz, 3000, 2000, err);
}

static void refuses(const char *sentence)
{
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NULL(plan);
    CU_ASSERT_STRING_EQUAL(err, sentence);
    plan_destroy(plan);
}

static void trials_follow_one_another(void)
{
    ProtocolBlock *block = reset();
    block->flicker = &flicker;
    block->repeats = 2;
    block->before_ms = 500;
    block->after_ms = 1000;
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL_FATAL(plan->trials_count, 6);
    int64_t refresh = 0;
    for (int i = 0; i < 6; i++) {
        const PlanTrial *trial = &plan->trials[i];
        CU_ASSERT(trial->condition == i % 3 && trial->repeat == i / 3 && trial->block == 0);
        CU_ASSERT(test_near(trial->value, values[i % 3], 0));
        CU_ASSERT(trial->before_frames == 30 && trial->after_frames == 60);
        CU_ASSERT(trial->flash_frames == 1 && trial->period_frames == 3 << (i % 3));
        CU_ASSERT_EQUAL(trial->stimulus_frames, 8 * trial->period_frames);
        CU_ASSERT_EQUAL(trial->first_refresh, refresh);
        refresh += 90 + trial->stimulus_frames;
    }
    CU_ASSERT_EQUAL(plan->refreshes, refresh);
    CU_ASSERT_EQUAL(plan->warnings_count, 0);
    plan_destroy(plan);
}

static void durations_come_from_distance_and_speed(void)
{
    ProtocolBlock *block = reset();
    double speeds[] = {500, 700, 4000, 0};
    bar.speeds_um_per_s = speeds;
    bar.speeds_um_per_s_count = 4;
    bar.flash_ms = 50;
    block->bar = &bar;
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(plan->trials[0].stimulus_frames, 240); // 4 s exactly
    CU_ASSERT_EQUAL(plan->trials[1].stimulus_frames, 172); // 171.43 frames
    CU_ASSERT_EQUAL(plan->trials[2].stimulus_frames, 30);
    CU_ASSERT(plan->trials[3].stimulus_frames == 3 && plan->trials[3].flash_frames == 3);
    plan_destroy(plan);
    reset()->bar = &bar;
    protocol.display.refresh_hz = 100;
    speeds[0] = 415;
    bar.speeds_um_per_s = speeds;
    bar.travel_um = 33.2; // 8 frames and 2e-15
    plan = plan_at(100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(plan->trials[0].stimulus_frames, 8);
    plan_destroy(plan);
    reset()->reversal = &reversal;
    plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(plan->trials[0].stimulus_frames, 144); // 1200 um at 500 um/s
    plan_destroy(plan);
}

static void tolerance_is_a_hundredth_frame(void)
{
    reset()->step = &step;
    step.duration_ms = 33.3; // 1.998 frames
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT(plan->trials[0].stimulus_frames == 2 && plan->warnings_count == 0);
    plan_destroy(plan);
    step.duration_ms = 33;
    refuses(
        "no-file.yaml: blocks[0].step.duration_ms: 33 ms is 1.98 frames at 60 Hz; whole frames, "
        "nearest 16.6667 or 33.3333");
    step.duration_ms = 5;
    refuses("no-file.yaml: blocks[0].step.duration_ms: 5 ms is 0.3 frames at 60 Hz; whole frames, "
            "nearest "
            "16.6667");
    reset()->checkerboard = &checkerboard;
    checkerboard.duration_s = 1.01;
    refuses(
        "no-file.yaml: blocks[0].checkerboard.duration_s: 1.01 s is 60.6 frames at 60 Hz; whole "
        "frames, nearest 1 or 1.01667");
    reset()->flicker = &flicker;
    blocks[0].before_ms = 20;
    refuses(
        "no-file.yaml: blocks[0].before_ms: 20 ms is 1.2 frames at 60 Hz; whole frames, nearest "
        "16.6667 or 33.3333");
}

static void other_rates_are_warned_of(void)
{
    ProtocolBlock *block = reset();
    block->flicker = &flicker; // 50, 100, 200 ms and a flash of 16.67
    Plan *plan = plan_at(75);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT(test_near(plan->refresh_hz, 75, 0));
    CU_ASSERT_EQUAL_FATAL(plan->warnings_count,
                          3); // the flash, 50 ms and 100 ms; 200 ms is 15 frames
    CU_ASSERT_STRING_EQUAL(plan->warnings[0],
                           "no-file.yaml: blocks[0].flicker.flash_ms: 16.6666667 ms is "
                           "1.25 frames at 75 Hz; shown as 1 (13.3333 ms)");
    CU_ASSERT(plan->trials[0].flash_frames == 1 && plan->trials[0].period_frames == 4);
    CU_ASSERT(plan->trials[1].period_frames == 8 && plan->trials[2].period_frames == 15);
    plan_destroy(plan);
    plan = plan_at(120);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT(plan->warnings_count == 0 && plan->trials[0].flash_frames == 2);
    plan_destroy(plan);
}

static void nearly_the_same_rate_is_the_same(void)
{
    reset()->flicker = &flicker;
    Plan *plan = plan_at(59.94), *exact = plan_at(60);
    CU_ASSERT(plan != NULL && exact != NULL);
    if (plan && exact) {
        CU_ASSERT(test_near(plan->refresh_hz, 60, 0) && plan->warnings_count == 0);
        CU_ASSERT_EQUAL(plan->refreshes, exact->refreshes);
    }
    plan_destroy(plan);
    plan_destroy(exact);
    protocol.display.refresh_hz = 0;
    plan = plan_at(60.4);
    CU_ASSERT_PTR_NULL(plan); // 50 ms is 3.02 frames there, and the file names no other rate
    plan_destroy(plan);
}

static void bars_the_field_never_sees(void)
{
    reset()->reversal = &reversal;
    double turn = 1500;
    reversal.turns_um = &turn;
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL(plan); // on the very edge of the 3000 um
    plan_destroy(plan);
    turn = -1501;
    refuses("no-file.yaml: blocks[0].reversal.turns_um[0]: -1501 is outside the field; -1500 to "
            "1500 in "
            "this direction");
    turn = 1100;
    reversal.direction_deg = 90; // the field is 2000 um high
    refuses(
        "no-file.yaml: blocks[0].reversal.turns_um[0]: 1100 is outside the field; -1000 to 1000 in "
        "this direction");
}

static void speeds_beyond_nyquist(void)
{
    reset()->bar = &bar;
    double speed = 9900;
    bar.speeds_um_per_s = &speed;
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL(plan); // its own width in each frame, and no gap
    plan_destroy(plan);
    speed = 9960;
    refuses("no-file.yaml: blocks[0].bar.speeds_um_per_s[0]: 9960 moves the bar 166 um a frame at "
            "60 Hz, "
            "past its own width of 165 um, and leaves gaps; at most 9900");
    reset()->reversal = &reversal;
    reversal.speed_um_per_s = 12000;
    refuses("no-file.yaml: blocks[0].reversal.speed_um_per_s: 12000 moves the bar 200 um a frame "
            "at 60 Hz, "
            "past its own width of 165 um, and leaves gaps; at most 9900");
}

static void warns_of(const char *sentence)
{
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL_FATAL(plan->warnings_count, 1);
    CU_ASSERT_STRING_EQUAL(plan->warnings[0], sentence);
    plan_destroy(plan);
}

static void sizes_the_screen_cannot_do(void)
{
    double slow = 60;
    reset()->bar = &bar;
    bar.speeds_um_per_s = &slow;
    bar.width_um = 4;
    warns_of(
        "no-file.yaml: blocks[0].bar.width_um: 4 um is narrower than a screen pixel; 5 (um_per_px) "
        "or more");
    reset()->checkerboard = &checkerboard;
    checkerboard.rows = 50;
    warns_of("no-file.yaml: blocks[0].checkerboard.rows: 50 checks of 50 um reach beyond the field "
             "of 2000 "
             "um and are partly unseen");
    checkerboard.check_um = 3;
    warns_of(
        "no-file.yaml: blocks[0].checkerboard.check_um: 3 um is narrower than a screen pixel; 5 "
        "(um_per_px) or more");
}

static void plans_too_long(void)
{
    reset()->step = &step;
    step.duration_ms = 10000;
    blocks[0].repeats = 33333;
    refuses("no-file.yaml: blocks: last 277.8 hours in all; at most 24");
    blocks[0].repeats = 33334;
    refuses("no-file.yaml: blocks: 100002 trials in all; at most 100000");
}

static void displays_that_cannot_be(void)
{
    reset()->step = &step;
    CU_ASSERT_PTR_NULL(plan_at(0));
    CU_ASSERT_STRING_EQUAL(
        err, "no-file.yaml: display.refresh_hz: the display runs at 0 Hz; 10 to 1000");
    CU_ASSERT_PTR_NULL(plan_at((double)NAN));
    CU_ASSERT_PTR_NULL(plan_create(&protocol, "no-file.yaml", 60, 0, 100, err));
    CU_ASSERT_STRING_EQUAL(err, "no-file.yaml: display: a field of 0 by 100 um; both above 0");
}

static void order_is_shuffled_within_repeats(void)
{
    enum { CONDITIONS = 12, REPEATS = 40 };
    double contrasts[CONDITIONS] = {0};
    ProtocolBlock *block = reset();
    block->step = &step;
    step.contrasts = contrasts;
    step.contrasts_count = CONDITIONS;
    block->order = PROTOCOL_ORDER_SHUFFLED;
    block->repeats = REPEATS;
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    int in_place = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        bool is_seen[CONDITIONS] = {false};
        for (int i = 0; i < CONDITIONS; i++) {
            const PlanTrial *trial = &plan->trials[repeat * CONDITIONS + i];
            CU_ASSERT(trial->repeat == repeat && !is_seen[trial->condition]);
            is_seen[trial->condition] = true;
            in_place += trial->condition == i;
        }
    }
    // 480 places, each in place with probability 1/12: 40 ± 6
    CU_ASSERT(in_place > 15 && in_place < 65);
    plan_destroy(plan);
}

static void every_order_is_as_likely(void)
{
    enum { REPEATS = 6000 };
    int counts[27] = {0}; // by c0 + 3·c1 + 9·c2
    ProtocolBlock *block = reset();
    block->flicker = &flicker;
    block->order = PROTOCOL_ORDER_SHUFFLED;
    block->repeats = REPEATS;
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        const PlanTrial *three = &plan->trials[3 * repeat];
        counts[three[0].condition + 3 * three[1].condition + 9 * three[2].condition]++;
    }
    int orders = 0;
    for (int i = 0; i < 27; i++) {
        orders += counts[i] > 0;
        CU_ASSERT(counts[i] == 0 || abs(counts[i] - 1000) < 120); // 1000 ± 29, to 4 SD
    }
    CU_ASSERT_EQUAL(orders, 6);
    plan_destroy(plan);
}

static bool is_same_plan(const Plan *a, const Plan *b)
{
    if (a->trials_count != b->trials_count || a->refreshes != b->refreshes)
        return false;
    return memcmp(a->trials, b->trials, (size_t)a->trials_count * sizeof *a->trials) == 0;
}

static void same_file_seed_and_rate_same_plan(void)
{
    ProtocolBlock *block = reset();
    double contrasts[8] = {0};
    block->step = &step;
    step.contrasts = contrasts;
    step.contrasts_count = 8;
    block->order = PROTOCOL_ORDER_SHUFFLED;
    block->repeats = 5;
    blocks[1].checkerboard = &checkerboard;
    blocks[1].repeats = 4;
    protocol.blocks_count = 2;
    Plan *first = plan_at(60), *second = plan_at(60);
    protocol.seed = 2;
    Plan *other = plan_at(60);
    CU_ASSERT(first && second && other);
    if (first && second && other) {
        CU_ASSERT(is_same_plan(first, second));
        CU_ASSERT_FALSE(is_same_plan(first, other));
    }
    plan_destroy(first);
    plan_destroy(second);
    plan_destroy(other);
}

/* splitmix64 as published, written out: https://prng.di.unimi.it/splitmix64.c names these
 * constants; from state 0 its first outputs are e220a8397b1dcdaf, 6e789e6aa1b965f4. */
static uint64_t splitmix(uint64_t state)
{
    uint64_t z = state + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void seeds_follow_the_header(void)
{
    CU_ASSERT_EQUAL(splitmix(0), 0xe220a8397b1dcdafu);
    reset();
    for (int i = 0; i < 3; i++) {
        blocks[i].checkerboard = &checkerboard;
        blocks[i].repeats = 3;
    }
    protocol.blocks_count = 3;
    int64_t own = 77;
    blocks[2].seed = &own;
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(plan->trials[0].seed, 1);
    CU_ASSERT_EQUAL(plan->trials[6].seed, 77);
    // repeat r mixes state seed + r·γ, whose next output is taken
    CU_ASSERT_EQUAL(plan->trials[1].seed, (int64_t)(splitmix(1 + 0x9e3779b97f4a7c15u) >> 11));
    for (int i = 0; i < 9; i++) {
        CU_ASSERT(plan->trials[i].seed >= 0 && plan->trials[i].seed < INT64_C(1) << 53);
        for (int j = 0; j < i; j++)
            CU_ASSERT_NOT_EQUAL(plan->trials[i].seed, plan->trials[j].seed);
    }
    plan_destroy(plan);
}

static void frozen_noise_keeps_its_seed(void)
{
    ProtocolBlock *block = reset();
    block->checkerboard = &checkerboard;
    block->repeats = 3;
    checkerboard.is_frozen = true;
    protocol.seed = -9;
    checkerboard.generator = PROTOCOL_NOISE_RAN1;
    Plan *plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(plan->trials[i].seed, -9);
    plan_destroy(plan);
    checkerboard.is_frozen = false;
    plan = plan_at(60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(plan->trials[0].seed, -9);
    for (int i = 1; i < 3; i++)
        CU_ASSERT(plan->trials[i].seed < 0 && plan->trials[i].seed > -INT32_MAX);
    CU_ASSERT_NOT_EQUAL(plan->trials[1].seed, plan->trials[2].seed);
    plan_destroy(plan);
}

static void ran1_keeps_its_kind_of_seed(void)
{
    reset()->checkerboard = &checkerboard;
    checkerboard.generator = PROTOCOL_NOISE_RAN1;
    refuses(
        "no-file.yaml: blocks[0].checkerboard.generator: ran1 cannot be seeded with 1; -2147483646 "
        "to -1");
}

static void shipped_protocols_plan_at_every_rate(void)
{
    static const char *const names[] = {"omitted-stimulus", "latency-coding", "motion-reversal",
                                        "motion-anticipation", "white-noise"};
    static const double rates_hz[] = {60, 75, 100, 120};
    for (size_t i = 0; i < 5; i++) {
        char path[128];
        snprintf(path, sizeof path, "config/protocols/%s.yaml", names[i]);
        Protocol *shipped = protocol_load(path, err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(shipped);
        CU_ASSERT_STRING_EQUAL(shipped->name, names[i]);
        for (size_t j = 0; j < 4; j++) {
            Plan *plan = plan_create(shipped, path, rates_hz[j], 3000, 3000, err);
            CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
            double seconds = (double)plan->refreshes / plan->refresh_hz;
            CU_ASSERT(seconds >= 30 && seconds <= 300);
            CU_ASSERT(j > 0 || plan->warnings_count == 0);
            plan_destroy(plan);
        }
        protocol_destroy(shipped);
    }
}

static void warnings_name_the_line(void)
{
    const char *path = "config/protocols/motion-anticipation.yaml";
    Protocol *shipped = protocol_load(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shipped);
    Plan *plan = plan_create(shipped, path, 75, 3000, 3000, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_FATAL(plan->warnings_count > 0);
    bool names_flash = false;
    for (int i = 0; i < plan->warnings_count; i++) {
        int line = atoi(plan->warnings[i] + strlen(path) + 1);
        CU_ASSERT(strncmp(plan->warnings[i], path, strlen(path)) == 0 && line > 10);
        names_flash |= strstr(plan->warnings[i], "bar.flash_ms") != NULL;
    }
    CU_ASSERT_TRUE(names_flash);
    plan_destroy(plan);
    protocol_destroy(shipped);
}

static const TestCase cases[] = {
    {"trials follow one another in whole frames without a gap", trials_follow_one_another},
    {"moving bars last as long as their path takes, to a whole frame",
     durations_come_from_distance_and_speed},
    {"a hundredth of a frame is forgiven, more is refused with the nearest durations",
     tolerance_is_a_hundredth_frame},
    {"on another rate each changed duration is warned of once", other_rates_are_warned_of},
    {"a rate within half a percent is the protocol's own", nearly_the_same_rate_is_the_same},
    {"a turn outside the field is refused with the field's reach", bars_the_field_never_sees},
    {"a bar that steps past its own width is refused with the fastest speed",
     speeds_beyond_nyquist},
    {"bars and checks the screen cannot do are warned of", sizes_the_screen_cannot_do},
    {"a plan of too many trials or hours is refused", plans_too_long},
    {"a display without a rate or a size is refused", displays_that_cannot_be},
    {"shuffling shows every condition once a repeat, in new orders",
     order_is_shuffled_within_repeats},
    {"every order of three conditions is as likely", every_order_is_as_likely},
    {"same file, seed and rate give the same plan bit for bit", same_file_seed_and_rate_same_plan},
    {"seeds of blocks and repeats follow the header and never meet", seeds_follow_the_header},
    {"frozen noise keeps its seed and running ran1 noise stays negative",
     frozen_noise_keeps_its_seed},
    {"a ran1 block whose seed was overruled by a positive one is refused",
     ran1_keeps_its_kind_of_seed},
    {"shipped protocols plan at 60, 75, 100 and 120 Hz and last 30 s to 5 min",
     shipped_protocols_plan_at_every_rate},
    {"warnings carry the line of the file", warnings_name_the_line},
};

int main(void)
{
    return test_main("plan", cases, sizeof cases / sizeof cases[0]);
}
