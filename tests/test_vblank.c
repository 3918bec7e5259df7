#include <math.h>

#include "render/vblank.h"
#include "tests/harness.h"

/* Uniform on −1 … 1; Knuth's MMIX congruence, so that the test is the same everywhere. */
static double scatter(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-52 - 1;
}

static const double rates_hz[] = {30, 50, 59.94005994, 60, 75, 85, 100, 120, 144, 165, 240};
enum { RATES = sizeof rates_hz / sizeof *rates_hz };
static const int64_t origin_ns = 987654321012345;

static void exact_grid_keeps_its_phase(void)
{
    for (int i = 0; i < RATES; i++) {
        VblankGrid grid;
        vblank_init(&grid, 0, origin_ns, 1e9 / rates_hz[i]);
        for (int64_t tick = -10; tick < 10000000; tick += 99991) {
            double wanted = (double)tick * 1e9 / rates_hz[i];
            CU_ASSERT(test_near((double)(vblank_time_ns(&grid, tick) - origin_ns), wanted, 1));
        }
    }
}

static void instants_belong_to_one_tick(void)
{
    for (int i = 0; i < RATES; i++) {
        VblankGrid grid;
        vblank_init(&grid, 5, origin_ns, 1e9 / rates_hz[i]);
        for (int64_t tick = 0; tick < 500; tick++) {
            int64_t blank_ns = vblank_time_ns(&grid, tick);
            CU_ASSERT_EQUAL(vblank_last(&grid, blank_ns), tick);
            CU_ASSERT_EQUAL(vblank_last(&grid, blank_ns - 1), tick - 1);
            CU_ASSERT_EQUAL(vblank_next(&grid, blank_ns), tick + 1);
            CU_ASSERT_EQUAL(vblank_next(&grid, blank_ns - 1), tick);
            CU_ASSERT_EQUAL(vblank_nearest(&grid, blank_ns + 1900000), tick);
            CU_ASSERT_EQUAL(vblank_nearest(&grid, blank_ns - 1900000), tick);
        }
    }
}

static void jitter_is_averaged_out(void)
{
    for (int i = 0; i < RATES; i++) {
        double period_ns = 1e9 / rates_hz[i];
        uint64_t state = (uint64_t)i;
        VblankGrid grid;
        vblank_init(&grid, 0, origin_ns + (int64_t)(1e6 * scatter(&state)), period_ns * 1.002);
        for (int64_t tick = 1; tick < 2000; tick++) {
            double true_ns = (double)origin_ns + (double)tick * period_ns;
            vblank_stamp(&grid, tick, (int64_t)(true_ns + 1e6 * scatter(&state)));
            if (tick < 200)
                continue;
            CU_ASSERT(test_near((double)vblank_time_ns(&grid, tick + 1), true_ns + period_ns, 5e5));
            CU_ASSERT(test_near(grid.period_ns / period_ns, 1, 6e3 / period_ns));
        }
    }
}

static void stalls_leave_no_trace(void)
{
    for (int i = 0; i < RATES; i++) {
        double period_ns = 1e9 / rates_hz[i];
        VblankGrid grid;
        vblank_init(&grid, 0, origin_ns, period_ns);
        int64_t tick = 0;
        for (int stamp = 0; stamp < 1000; stamp++) {
            tick += stamp % 20 == 19 ? 7 : 1; // six ticks without a stamp
            // One stamp in fifty comes 100 ms late.
            double late_ns = stamp % 50 == 31 ? 1e8 : 0;
            vblank_stamp(&grid, tick,
                         (int64_t)((double)origin_ns + (double)tick * period_ns + late_ns));
        }
        double wanted = (double)origin_ns + (double)(tick + 1) * period_ns;
        CU_ASSERT(test_near((double)vblank_time_ns(&grid, tick + 1), wanted, 0.03 * period_ns));
        CU_ASSERT_EQUAL(vblank_next(&grid, (int64_t)(wanted + 0.4 * period_ns)), tick + 2);
    }
}

static void two_stamps_make_a_line(void)
{
    VblankGrid grid;
    vblank_init(&grid, 100, 0, 16e6);
    vblank_stamp(&grid, 101, 16500000);
    vblank_stamp(&grid, 103, 49500000);
    CU_ASSERT(test_near(grid.period_ns, 16.5e6, 1));
    CU_ASSERT_EQUAL(vblank_time_ns(&grid, 104), 66000000);
}

static const TestCase cases[] = {
    {"an exact grid keeps its phase for ten million ticks", exact_grid_keeps_its_phase},
    {"every instant belongs to one tick, to the nanosecond", instants_belong_to_one_tick},
    {"stamps with 1 ms of jitter give the next blank within 0.5 ms", jitter_is_averaged_out},
    {"stalls and late stamps do not move the grid off its ticks", stalls_leave_no_trace},
    {"two stamps make a line", two_stamps_make_a_line},
};

int main(void)
{
    return test_main("vblank", cases, sizeof cases / sizeof cases[0]);
}
