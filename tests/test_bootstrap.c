#include "tests/harness.h"

#include <math.h>
#include <string.h>

#include "app/bootstrap.h"
#include "app/draws.h"
#include "model/score.h"

static void one_seed_means_one_set_of_draws(void)
{
    enum { RESAMPLES = 40, BLOCKS = 30, REPEATS = 6 };
    Bootstrap a, same, other;
    size_t bytes = RESAMPLES * (BLOCKS + REPEATS) * sizeof(double);
    CU_ASSERT_FATAL(bootstrap_draw(&a, 5, RESAMPLES, BLOCKS, REPEATS));
    CU_ASSERT_FATAL(bootstrap_draw(&same, 5, RESAMPLES, BLOCKS, REPEATS));
    CU_ASSERT_FATAL(bootstrap_draw(&other, 6, RESAMPLES, BLOCKS, REPEATS));
    CU_ASSERT(memcmp(a.weights, same.weights, bytes) == 0);
    CU_ASSERT(memcmp(a.weights, other.weights, bytes) != 0);
    CU_ASSERT(memcmp(bootstrap_blocks(&a, 0), bootstrap_blocks(&a, 1), BLOCKS * sizeof(double)));
    bootstrap_finish(&a);
    bootstrap_finish(&same);
    bootstrap_finish(&other);
}

static void as_many_are_drawn_as_there_are(void)
{
    enum { RESAMPLES = 200, BLOCKS = 7, REPEATS = 3 };
    Bootstrap b;
    double drawn[BLOCKS] = {0};
    CU_ASSERT_FATAL(bootstrap_draw(&b, 1, RESAMPLES, BLOCKS, REPEATS));
    for (int k = 0; k < RESAMPLES; k++) {
        double blocks = 0.0, repeats = 0.0, most = 0.0;
        for (int i = 0; i < BLOCKS; i++) {
            blocks += bootstrap_blocks(&b, k)[i];
            drawn[i] += bootstrap_blocks(&b, k)[i];
        }
        for (int i = 0; i < REPEATS; i++) {
            repeats += bootstrap_repeats(&b, k)[i];
            most = fmax(most, bootstrap_repeats(&b, k)[i]);
        }
        CU_ASSERT_EQUAL(blocks, (double)BLOCKS);
        CU_ASSERT_EQUAL(repeats, (double)REPEATS);
        CU_ASSERT(most < REPEATS); // two different ones at least
    }
    for (int i = 0; i < BLOCKS; i++)
        CU_ASSERT(test_near(drawn[i], RESAMPLES, 60.0)); // SD 13
    bootstrap_finish(&b);
}

static void interval_holds_what_lies_between_the_tails(void)
{
    double values[401];
    for (int i = 0; i <= 400; i++)
        values[i] = (double)((i * 7) % 401);
    BootstrapInterval interval = bootstrap_interval(values, 401);
    CU_ASSERT(test_near(interval.low, 10.0, 1e-9));
    CU_ASSERT(test_near(interval.high, 390.0, 1e-9));
    CU_ASSERT_EQUAL(interval.undefined, 0);
}

static void interval_of_a_score_that_often_has_no_value_is_none(void)
{
    double values[100];
    for (int i = 0; i < 100; i++)
        values[i] = i < 2 ? (double)NAN : 1.0;
    BootstrapInterval few = bootstrap_interval(values, 100);
    CU_ASSERT_EQUAL(few.low, 1.0);
    CU_ASSERT_EQUAL(few.undefined, 2);
    for (int i = 0; i < 100; i++)
        values[i] = i < 3 ? (double)NAN : 1.0;
    CU_ASSERT(isnan(bootstrap_interval(values, 100).low));
    CU_ASSERT(isnan(bootstrap_interval(values, 0).high));
}

/* A cell whose rate changes every five bins, in repeats with noise of their own, and a prediction of
 * known correlation with it. */
enum { BINS = 2000, REPEATS = 8, HELD_BINS = 5 };

static void make(Draws *draws, float *rate_hz, float *prediction_hz, float *spikes)
{
    double signal = 0.0, error = 0.0;
    for (int t = 0; t < BINS; t++) {
        if (t % HELD_BINS == 0) {
            signal = draw_normal(draws);
            error = draw_normal(draws);
        }
        rate_hz[t] = (float)(20.0 + 5.0 * signal);
        prediction_hz[t] = (float)(20.0 + 4.0 * signal + 3.0 * error); // correlation 0.8
        for (int i = 0; i < REPEATS; i++)
            spikes[i * BINS + t] = (float)((double)rate_hz[t] / 100.0 + 0.15 * draw_normal(draws));
    }
}

enum { RESAMPLES = 200, BLOCK = 50 };

static bool covers(const Bootstrap *b, ScoreSums *sums, bool has_repeats)
{
    double drawn[RESAMPLES], values[SCORES];
    for (int k = 0; k < RESAMPLES; k++) {
        score_values(sums, bootstrap_blocks(b, k), has_repeats ? bootstrap_repeats(b, k) : NULL,
                     values);
        drawn[k] = values[SCORE_CC_NORM];
    }
    BootstrapInterval interval = bootstrap_interval(drawn, RESAMPLES);
    return interval.low <= 0.8 && interval.high >= 0.8;
}

static void interval_covers_the_truth_as_often_as_it_says(void)
{
    enum { CELLS = 200 };
    static float rate_hz[BINS], prediction_hz[BINS], spikes[REPEATS * BINS];
    Draws draws = draws_start(9, 1, 2);
    Bootstrap bootstrap;
    CU_ASSERT_FATAL(bootstrap_draw(&bootstrap, 3, RESAMPLES, BINS / BLOCK, REPEATS));
    int of_time = 0, of_both = 0;
    for (int cell = 0; cell < CELLS; cell++) {
        make(&draws, rate_hz, prediction_hz, spikes);
        ScoreInput in = {.bins = BINS,
                         .repeats = REPEATS,
                         .bin_hz = 100.0,
                         .rate_hz = prediction_hz,
                         .spikes = spikes,
                         .block_bins = BLOCK};
        ScoreSums *sums = score_sums_create(&in);
        CU_ASSERT_PTR_NOT_NULL_FATAL(sums);
        of_time += covers(&bootstrap, sums, false);
        of_both += covers(&bootstrap, sums, true);
        score_sums_destroy(sums);
    }
    CU_ASSERT(of_time >= 0.89 * CELLS && of_time <= 0.98 * CELLS); // 92 % of 600, measured once
    CU_ASSERT(of_both > of_time);
    bootstrap_finish(&bootstrap);
}

static const TestCase cases[] = {
    {"one seed means one set of draws", one_seed_means_one_set_of_draws},
    {"as many are drawn as there are, two different repeats among them",
     as_many_are_drawn_as_there_are},
    {"the interval holds what lies between the tails", interval_holds_what_lies_between_the_tails},
    {"a score that often has no value has no interval",
     interval_of_a_score_that_often_has_no_value_is_none},
    {"the interval covers the truth as often as it says",
     interval_covers_the_truth_as_often_as_it_says},
};

int main(void)
{
    return test_main("bootstrap", cases, sizeof cases / sizeof cases[0]);
}
