#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/resample.h"
#include "tests/harness.h"
#include "tests/random_model.h"

static const double display_rates_hz[] = {59.94, 60, 75, 120, 144, 240, 30, 100, 85.5};

enum { RATES = sizeof display_rates_hz / sizeof display_rates_hz[0], FRAMES = 1000, VALUES = 2 };

static void ticks_are_lowest_terms(void)
{
    static const struct {
        double frame_hz, bin_hz;
        int64_t frame_ticks, bin_ticks;
    } rows[] = {{60, 100, 5, 3}, {100, 100, 1, 1}, {120, 60, 1, 2}, {59.94, 100, 5000, 2997}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t frame_ticks = 0, bin_ticks = 0;
        CU_ASSERT(resample_ticks(rows[i].frame_hz, rows[i].bin_hz, &frame_ticks, &bin_ticks));
        CU_ASSERT_EQUAL(frame_ticks, rows[i].frame_ticks);
        CU_ASSERT_EQUAL(bin_ticks, rows[i].bin_ticks);
    }
}

static void impossible_rates_are_refused(void)
{
    static const double bad[] = {0, -60, 1e7, 1e-4};
    int64_t frame_ticks, bin_ticks;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT(!resample_ticks(bad[i], 100, &frame_ticks, &bin_ticks));
        CU_ASSERT(!resample_ticks(60, bad[i], &frame_ticks, &bin_ticks));
    }
    CU_ASSERT(!resample_ticks(nan(""), 100, &frame_ticks, &bin_ticks));
}

/* ---- refreshes → bins */

static double overlap(int64_t from_a, int64_t to_a, int64_t from_b, int64_t to_b)
{
    int64_t from = from_a > from_b ? from_a : from_b, to = to_a < to_b ? to_a : to_b;
    return to > from ? (double)(to - from) : 0;
}

static float *random_frames(void)
{
    float *frames = calloc(FRAMES * VALUES, sizeof *frames);
    random_fill(&(uint32_t){4}, FRAMES * VALUES, 0, 1, frames);
    return frames;
}

/* Every bin against the sum over all refreshes of luminance · overlap. */
static void bins_are_time_averages(void)
{
    float *frames = random_frames();
    for (int r = 0; r < RATES; r++) {
        int64_t f, b, bin = 0;
        BinAverage average;
        CU_ASSERT_FATAL(resample_ticks(display_rates_hz[r], 100, &f, &b));
        CU_ASSERT_FATAL(bin_average_init(&average, VALUES, f, b));
        for (int64_t k = 0; k < FRAMES; k++) {
            bin_average_feed(&average, frames + k * VALUES);
            for (const float *mean; (mean = bin_average_take(&average)) != NULL; bin++) {
                double sum = 0;
                for (int64_t i = k > 12 ? k - 12 : 0; i <= k; i++)
                    sum += overlap(i * f, (i + 1) * f, bin * b, (bin + 1) * b) *
                           (double)frames[i * VALUES + 1];
                CU_ASSERT(test_near((double)mean[1], sum / (double)b, 1e-6));
            }
        }
        CU_ASSERT_EQUAL(bin, FRAMES * f / b);
        bin_average_finish(&average);
    }
    free(frames);
}

static void luminance_time_is_kept(void)
{
    float *frames = random_frames();
    for (int r = 0; r < RATES; r++) {
        int64_t f, b;
        BinAverage average;
        CU_ASSERT_FATAL(resample_ticks(display_rates_hz[r], 100, &f, &b));
        CU_ASSERT_FATAL(bin_average_init(&average, VALUES, f, b));
        double in = 0, out = 0;
        for (int64_t k = 0; k < FRAMES; k++) {
            in += (double)frames[k * VALUES] * (double)f;
            bin_average_feed(&average, frames + k * VALUES);
            for (const float *mean; (mean = bin_average_take(&average)) != NULL;)
                out += (double)mean[0] * (double)b;
        }
        int64_t rest = FRAMES * f - average.bin * b; // of the bin that is not complete
        out += rest > 0 ? (double)average.mean[0] * (double)rest : 0;
        CU_ASSERT(test_near(out / in, 1, 1e-6));
        bin_average_finish(&average);
    }
    free(frames);
}

static void constant_stays_constant(void)
{
    const float grey[VALUES] = {0.3f, 0.7f};
    for (int r = 0; r < RATES; r++) {
        int64_t f, b;
        BinAverage average;
        CU_ASSERT_FATAL(resample_ticks(display_rates_hz[r], 100, &f, &b));
        CU_ASSERT_FATAL(bin_average_init(&average, VALUES, f, b));
        for (int k = 0; k < FRAMES; k++) {
            bin_average_feed(&average, grey);
            for (const float *mean; (mean = bin_average_take(&average)) != NULL;)
                CU_ASSERT(memcmp(mean, grey, sizeof grey) == 0);
        }
        bin_average_finish(&average);
    }
}

static void nothing_drifts(void)
{
    enum { HOUR_FRAMES = 215784 }; // at 59.94 Hz
    int64_t f, b, bins = 0;
    BinAverage average;
    CU_ASSERT_FATAL(resample_ticks(59.94, 100, &f, &b));
    CU_ASSERT_FATAL(bin_average_init(&average, 1, f, b));
    for (int k = 0; k < HOUR_FRAMES; k++) {
        bin_average_feed(&average, &(float){0.5f});
        while (bin_average_take(&average) != NULL)
            bins++;
    }
    CU_ASSERT_EQUAL(bins, 360000);
    bin_average_finish(&average);
}

static void rewinding_leaves_the_same_bins(void)
{
    float *frames = random_frames();
    for (int r = 0; r < RATES; r++) {
        int64_t f, b;
        BinAverage straight, again;
        CU_ASSERT_FATAL(resample_ticks(display_rates_hz[r], 100, &f, &b));
        CU_ASSERT_FATAL(bin_average_init(&straight, VALUES, f, b));
        CU_ASSERT_FATAL(bin_average_init(&again, VALUES, f, b));
        for (int k = 0; k < 50; k++) {
            bin_average_mark(&again);
            bin_average_feed(&again, frames + (FRAMES - 1 - k) * VALUES);
            for (int taken = 0; taken < k % 3 && bin_average_take(&again) != NULL; taken++) {
            }
            bin_average_rewind(&again);
            bin_average_feed(&straight, frames + k * VALUES);
            bin_average_feed(&again, frames + k * VALUES);
            for (const float *wanted; (wanted = bin_average_take(&straight)) != NULL;) {
                const float *got = bin_average_take(&again);
                CU_ASSERT_PTR_NOT_NULL_FATAL(got);
                CU_ASSERT(memcmp(got, wanted, VALUES * sizeof *got) == 0);
            }
            CU_ASSERT_PTR_NULL(bin_average_take(&again));
        }
        bin_average_finish(&straight);
        bin_average_finish(&again);
    }
    free(frames);
}

static void jump_waits_for_a_whole_bin(void)
{
    BinAverage average;
    CU_ASSERT_FATAL(bin_average_init(&average, 1, 5, 3)); // 60 Hz to 100 Hz
    bin_average_jump(&average, 2);                        // tick 10; bin 4 begins at tick 12
    bin_average_feed(&average, &(float){1});              // up to tick 15, the end of bin 4
    CU_ASSERT_EQUAL(average.bin, 4);
    const float *mean = bin_average_take(&average);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mean);
    CU_ASSERT(test_near((double)*mean, 1, 0));
    CU_ASSERT_PTR_NULL(bin_average_take(&average));
    bin_average_jump(&average, 3); // tick 15 is where bin 5 begins
    CU_ASSERT_EQUAL(average.bin, 5);
    bin_average_finish(&average);
}

/* ---- bins → refreshes */

/* Rates of bins: 90 spikes a second in bin 7 alone. */
static void check_row_shares(int64_t delay_ticks, int64_t frame, double share)
{
    RateWindow window;
    CU_ASSERT_FATAL(rate_window_init(&window, 1, 5, 3, delay_ticks, 0, &(float){0}));
    float row = -1;
    for (int64_t k = 0; k <= frame; k++) {
        while (window.next_bin * 3 < (k + 1) * 5 - delay_ticks) {
            float rate_hz = window.next_bin == 7 ? 90 : 0;
            *rate_window_push(&window) = rate_hz;
        }
        rate_window_row(&window, k, &row);
    }
    CU_ASSERT(test_near((double)row, 90 * share, 1e-5));
    rate_window_finish(&window);
}

static void row_is_its_share_of_bins(void)
{
    // bin 7 is ticks 21 … 24, refresh 4 is ticks 20 … 25
    check_row_shares(0, 4, 3.0 / 5);
    check_row_shares(0, 3, 0);
    check_row_shares(0, 5, 0);
    // one bin later: ticks 24 … 27, of which refresh 4 has the first, refresh 5 two
    check_row_shares(3, 4, 1.0 / 5);
    check_row_shares(3, 5, 2.0 / 5);
}

static void spikes_are_kept(void)
{
    float *rates = random_frames();
    for (int r = 0; r < RATES; r++) {
        int64_t f, b;
        CU_ASSERT_FATAL(resample_ticks(display_rates_hz[r], 100, &f, &b));
        RateWindow window;
        CU_ASSERT_FATAL(rate_window_init(&window, 1, f, b, 0, 1, &(float){0}));
        rates[0] = 0; // bin 0 is the resting one
        double in = 0, out = 0;
        for (int64_t k = 0; (k + 1) * f <= FRAMES * b; k++) {
            while (window.next_bin * b < (k + 1) * f) {
                float rate_hz = rates[window.next_bin];
                in += (double)rate_hz * (double)b;
                *rate_window_push(&window) = rate_hz;
            }
            float row = 0;
            rate_window_row(&window, k, &row);
            out += (double)row * (double)f;
            double under_way = (double)(window.next_bin * b - (k + 1) * f); // ticks of the last bin
            double later = under_way * (double)rates[window.next_bin - 1];
            CU_ASSERT(test_near(out + later, in, 1e-5 * in + 1e-9));
        }
        CU_ASSERT(out > 0);
        rate_window_finish(&window);
    }
    free(rates);
}

int main(void)
{
    static const TestCase cases[] = {
        {"ticks are in lowest terms", ticks_are_lowest_terms},
        {"rates that are none are refused", impossible_rates_are_refused},
        {"every bin is the time average of what was shown in it", bins_are_time_averages},
        {"bins keep luminance · time over 1000 refreshes", luminance_time_is_kept},
        {"a constant stays constant, bit for bit", constant_stays_constant},
        {"an hour at 59.94 Hz is 360,000 bins of 10 ms", nothing_drifts},
        {"rewinding leaves the same bins, bit for bit", rewinding_leaves_the_same_bins},
        {"after a jump the first bin is one seen whole", jump_waits_for_a_whole_bin},
        {"a refresh has its share of each bin's rate, delay included", row_is_its_share_of_bins},
        {"rows keep the spikes of the bins", spikes_are_kept},
    };
    return test_main("resample", cases, sizeof cases / sizeof cases[0]);
}
