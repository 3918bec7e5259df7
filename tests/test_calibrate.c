#include <math.h>
#include <string.h>

#include "render/calibrate.h"
#include "tests/harness.h"

enum { SAMPLES = 120 };

static double scatter(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-52 - 1;
}

static void make_samples(VblankSample *samples, double hz, double jitter_us, uint64_t seed)
{
    for (int i = 0; i < SAMPLES; i++)
        samples[i] = (VblankSample){
            i + 1000, 5000000000 + (int64_t)(i * 1e9 / hz + 1e3 * jitter_us * scatter(&seed))};
}

static Calibration measured(double hz, double jitter_us)
{
    VblankSample samples[SAMPLES];
    Calibration calibration;
    make_samples(samples, hz, jitter_us, 1);
    calibrate_measure(samples, SAMPLES, &calibration);
    return calibration;
}

static void steady_displays_are_ok(void)
{
    const double rates_hz[] = {30, 50, 60, 75, 85, 120, 144, 165, 240};
    for (size_t i = 0; i < sizeof rates_hz / sizeof *rates_hz; i++) {
        Calibration calibration = measured(rates_hz[i] * 1.0004, 20);
        char verdict[CALIBRATE_VERDICT_BYTES];
        calibrate_judge(&calibration, FLIP_TIME_DISPLAY, rates_hz[i], verdict);
        CU_ASSERT_STRING_EQUAL(verdict, "ok");
        CU_ASSERT(test_near(calibration.nominal_hz, rates_hz[i], 0));
        CU_ASSERT(test_near(calibration.measured_hz, rates_hz[i] * 1.0004, rates_hz[i] * 2e-4));
        CU_ASSERT_EQUAL(calibration.intervals, SAMPLES - 1);
    }
}

static void jitter_is_the_sd_of_intervals(void)
{
    // A difference of two uniform numbers on ±a has the SD a·√(2/3).
    Calibration calibration = measured(60, 300);
    CU_ASSERT(test_near(calibration.jitter_us, 300 * sqrt(2.0 / 3), 30));
    char verdict[CALIBRATE_VERDICT_BYTES];
    calibrate_judge(&calibration, FLIP_TIME_DISPLAY, 0, verdict);
    CU_ASSERT(strncmp(verdict, "unsafe: refresh intervals scatter by", 36) == 0);
}

static void television_rates_are_told_apart(void)
{
    CU_ASSERT(test_near(measured(60, 20).nominal_hz, 60, 0));
    CU_ASSERT(test_near(measured(60000 / 1001.0, 20).nominal_hz, 60000 / 1001.0, 1e-9));
    CU_ASSERT(test_near(measured(120000 / 1001.0, 20).nominal_hz, 120000 / 1001.0, 1e-9));
    // Between the two, and not surely off the whole number: the whole number.
    CU_ASSERT(test_near(calibrate_nominal_hz(59.96, 0.05), 60, 0));
    CU_ASSERT(test_near(calibrate_nominal_hz(59.96, 0.001), 60000 / 1001.0, 1e-9));
    CU_ASSERT(test_near(calibrate_nominal_hz(59.5, 0.001), 59.5, 0));
}

static void a_stall_is_discarded(void)
{
    VblankSample samples[SAMPLES];
    Calibration calibration;
    make_samples(samples, 60, 20, 3);
    for (int i = 40; i < 44; i++)
        samples[i].time_ns += 5000000; // four stamps 5 ms late
    for (int i = 80; i < SAMPLES; i++) {
        samples[i].tick += 6; // six blanks without a stamp
        samples[i].time_ns += 100000000;
    }
    calibrate_measure(samples, SAMPLES, &calibration);
    CU_ASSERT_EQUAL(calibration.discarded, 2);
    CU_ASSERT(test_near(calibration.nominal_hz, 60, 0));
    CU_ASSERT(calibration.jitter_us < 40);
}

static bool judged(Calibration calibration, FlipTimeSource source, double claimed_hz,
                   const char *wanted)
{
    char verdict[CALIBRATE_VERDICT_BYTES];
    calibrate_judge(&calibration, source, claimed_hz, verdict);
    return strstr(verdict, wanted) != NULL && strncmp(verdict, "unsafe: ", 8) == 0;
}

static void every_limit_is_named(void)
{
    Calibration good = measured(60, 20), few = good, lost = good;
    few.intervals = 49;
    lost.jitter_us = (double)NAN;
    CU_ASSERT(judged(good, FLIP_TIME_SWAP_RETURN, 60, "swap"));
    CU_ASSERT(judged(good, FLIP_TIME_SIMULATED, 60, "simulated"));
    CU_ASSERT(judged(few, FLIP_TIME_DISPLAY, 60, "limit 50"));
    CU_ASSERT(judged(lost, FLIP_TIME_DISPLAY, 60, "limit 200"));
    CU_ASSERT(judged(good, FLIP_TIME_DISPLAY, 120, "claims 120.00 Hz"));
}

static void nothing_measured_is_zero(void)
{
    Calibration calibration;
    VblankSample samples[2] = {{0, 0}, {1, 16666667}};
    calibrate_measure(samples, 2, &calibration);
    CU_ASSERT(calibration.measured_hz == 0 && calibration.intervals == 0);
    CU_ASSERT(judged(calibration, FLIP_TIME_DISPLAY, 60, "only 0"));
}

/* Swaps that return `cost` after they are called, or at the next blank after that. */
static bool blocks(double hz, double cost_ns)
{
    int64_t interval_ns[CALIBRATE_PROBE_SWAPS];
    double now_ns = 0, period_ns = hz > 0 ? 1e9 / hz : 0;
    for (int i = 0; i < CALIBRATE_PROBE_SWAPS; i++) {
        double before_ns = now_ns;
        now_ns += cost_ns + (i % 2 ? CALIBRATE_PROBE_DELAY_NS : 0);
        if (hz > 0)
            now_ns = (floor(now_ns / period_ns) + 1) * period_ns;
        if (i == 13)
            now_ns += 1e8; // the machine stalls
        interval_ns[i] = (int64_t)(now_ns - before_ns);
    }
    return calibrate_swap_blocks(interval_ns, CALIBRATE_PROBE_SWAPS);
}

static void only_waiting_swaps_block(void)
{
    for (double hz = 30; hz <= 240; hz += 15)
        CU_ASSERT(blocks(hz, 4e5));
    CU_ASSERT_FALSE(blocks(0, 4e5)); // returns at once
    CU_ASSERT_FALSE(blocks(0, 9e6)); // slow, but does not wait
    CU_ASSERT_FALSE(blocks(0, 6e7));
}

static const TestCase cases[] = {
    {"a steady display of any rate is ok", steady_displays_are_ok},
    {"jitter is the SD of the intervals and has a limit", jitter_is_the_sd_of_intervals},
    {"59.94 Hz and 60 Hz are told apart when the stamps allow it", television_rates_are_told_apart},
    {"a stall is discarded, not averaged in", a_stall_is_discarded},
    {"every limit names itself in the verdict", every_limit_is_named},
    {"nothing measured is zero, not a guess", nothing_measured_is_zero},
    {"a swap that takes long is not taken for one that waits", only_waiting_swaps_block},
};

int main(void)
{
    return test_main("calibrate", cases, sizeof cases / sizeof cases[0]);
}
