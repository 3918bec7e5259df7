#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/score.h"
#include "render/philox.h"

enum { BINS = 400, REPEATS = 5, BLOCK = 50, BLOCKS = BINS / BLOCK };
static const double bin_hz = 100.0;

typedef struct {
    float rate_hz[BINS], truth_hz[BINS], spikes[REPEATS * BINS];
    uint64_t drawn;
    uint32_t seed;
} Made;

static double uniform(Made *m)
{
    PhiloxCounter at = {{(uint32_t)m->drawn++, 0, 0, 77}};
    return philox_uniform(philox(at, (PhiloxKey){{m->seed, 0}}).words[0]);
}

static double normal(Made *m)
{
    PhiloxCounter at = {{(uint32_t)m->drawn++, 1, 0, 77}};
    return philox_normal(philox(at, (PhiloxKey){{m->seed, 0}}).words[0]);
}

static int poisson(Made *m, double mean)
{
    int count = -1;
    for (double product = 1.0; product > exp(-mean); count++)
        product *= uniform(m);
    return count;
}

/* Truth that varies, spikes of it, and a prediction that is half of it and half its own mind. */
static void make(Made *m, uint32_t seed)
{
    memset(m, 0, sizeof *m);
    m->seed = seed;
    for (int t = 0; t < BINS; t++) {
        m->truth_hz[t] = (float)(40.0 * fabs(normal(m)));
        m->rate_hz[t] = (float)(0.5 * (double)m->truth_hz[t] + 15.0 * fabs(normal(m)) + 1.0);
    }
    for (int i = 0; i < REPEATS; i++)
        for (int t = 0; t < BINS; t++)
            m->spikes[i * BINS + t] = (float)poisson(m, (double)m->truth_hz[t] / bin_hz);
}

static ScoreInput input_of(const Made *m)
{
    return (ScoreInput){.bins = BINS,
                        .repeats = REPEATS,
                        .bin_hz = bin_hz,
                        .rate_hz = m->rate_hz,
                        .spikes = m->spikes,
                        .is_counted = true,
                        .truth_hz = m->truth_hz,
                        .block_bins = BLOCK};
}

static void score(const ScoreInput *in, double *values)
{
    ScoreSums *sums = score_sums_create(in);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sums);
    score_values(sums, NULL, NULL, values);
    score_sums_destroy(sums);
}

static bool is_undefined_because(const ScoreInput *in, ScoreKind kind, const char *words)
{
    ScoreSums *sums = score_sums_create(in);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sums);
    const char *why = score_undefined(sums, kind);
    bool is = why && strstr(why, words);
    score_sums_destroy(sums);
    return is;
}

static void two_equal_repeats_are_predicted_without_a_flaw(void)
{
    const float spikes[] = {1, 0, 1, 0, 1, 0, 1, 0}, rate[] = {100, 0, 100, 0};
    ScoreInput in = {4, 2, 100.0, rate, spikes, true, rate, 2};
    double values[SCORES];
    score(&in, values);
    CU_ASSERT(test_near(values[SCORE_CC], 1.0, 1e-12));
    CU_ASSERT(test_near(values[SCORE_CC_MAX], 1.0, 1e-12));
    CU_ASSERT(test_near(values[SCORE_CC_NORM], 1.0, 1e-12));
    CU_ASSERT(test_near(values[SCORE_FEV], 1.0, 1e-12));
    CU_ASSERT(test_near(values[SCORE_CC_RATE], 1.0, 1e-12));
    CU_ASSERT(
        test_near(values[SCORE_BITS_PER_SPIKE], 1.0, 1e-12)); // half of the bins are ruled out
}

static double variance(const double *x)
{
    double mean = 0.0, square = 0.0;
    for (int t = 0; t < BINS; t++)
        mean += x[t] / BINS;
    for (int t = 0; t < BINS; t++)
        square += (x[t] - mean) * (x[t] - mean) / BINS;
    return square;
}

static double covariance(const double *x, const double *y)
{
    double sum[BINS];
    for (int t = 0; t < BINS; t++)
        sum[t] = x[t] + y[t];
    return 0.5 * (variance(sum) - variance(x) - variance(y));
}

static void scores_are_those_of_the_formulas(void)
{
    static Made m;
    double values[SCORES], p[BINS], psth[BINS] = {0}, sum[BINS] = {0}, noise = 0.0, mse = 0.0;
    double sum_of_variances = 0.0, spikes = 0.0, likelihood = 0.0;
    make(&m, 3);
    ScoreInput in = input_of(&m);
    score(&in, values);
    for (int i = 0; i < REPEATS; i++) {
        double one[BINS];
        for (int t = 0; t < BINS; t++) {
            one[t] = (double)m.spikes[i * BINS + t];
            sum[t] += one[t];
            spikes += one[t];
        }
        sum_of_variances += variance(one);
    }
    for (int t = 0; t < BINS; t++) {
        double square = 0.0;
        p[t] = (double)m.rate_hz[t] / bin_hz;
        psth[t] = sum[t] / REPEATS;
        for (int i = 0; i < REPEATS; i++)
            square += pow((double)m.spikes[i * BINS + t] - psth[t], 2.0);
        noise += square / (REPEATS - 1) / BINS;
        mse += (psth[t] - p[t]) * (psth[t] - p[t]) / BINS;
    }
    double signal = (variance(sum) - sum_of_variances) / (REPEATS * (REPEATS - 1));
    double mean = spikes / (REPEATS * BINS);
    for (int i = 0; i < REPEATS; i++)
        for (int t = 0; t < BINS; t++) {
            double n = (double)m.spikes[i * BINS + t];
            likelihood += n * log(p[t]) - p[t] - n * log(mean) + mean;
        }
    CU_ASSERT(test_near(values[SCORE_CC], covariance(p, psth) / sqrt(variance(p) * variance(psth)),
                        1e-10));
    CU_ASSERT(test_near(values[SCORE_CC_MAX], sqrt(signal / variance(psth)), 1e-10));
    CU_ASSERT(
        test_near(values[SCORE_CC_NORM], covariance(p, psth) / sqrt(variance(p) * signal), 1e-10));
    CU_ASSERT(test_near(values[SCORE_FEV],
                        1.0 - (mse - noise / REPEATS) / (variance(psth) - noise / REPEATS), 1e-10));
    CU_ASSERT(test_near(values[SCORE_BITS_PER_SPIKE], likelihood / log(2.0) / spikes, 1e-10));
    CU_ASSERT(test_near(values[SCORE_CC_RATE], score_pearson(m.rate_hz, m.truth_hz, BINS), 1e-10));
    CU_ASSERT(test_near(score_fano(m.spikes, REPEATS, BINS, 1), noise / mean, 1e-10));
}

static void resampled_blocks_score_like_the_recording_they_spell(void)
{
    static Made m, spelt;
    static const double weights[BLOCKS] = {2, 0, 1, 1, 3, 0, 1, 0};
    double values[SCORES], wanted[SCORES];
    make(&m, 4);
    int to = 0;
    for (int b = 0; b < BLOCKS; b++)
        for (int k = 0; k < (int)weights[b]; k++, to += BLOCK) {
            size_t bytes = BLOCK * sizeof(float);
            memcpy(spelt.rate_hz + to, m.rate_hz + b * BLOCK, bytes);
            memcpy(spelt.truth_hz + to, m.truth_hz + b * BLOCK, bytes);
            for (int i = 0; i < REPEATS; i++)
                memcpy(spelt.spikes + i * BINS + to, m.spikes + i * BINS + b * BLOCK, bytes);
        }
    CU_ASSERT_EQUAL_FATAL(to, BINS);
    ScoreInput in = input_of(&m), as_spelt = input_of(&spelt);
    ScoreSums *sums = score_sums_create(&in);
    score_values(sums, weights, NULL, values);
    score(&as_spelt, wanted);
    for (int i = 0; i < SCORES; i++)
        CU_ASSERT(test_near(values[i], wanted[i], 1e-9));
    score_sums_destroy(sums);
}

/* Cov over time of what two repeats, or a repeat and the prediction, did. */
static double covariance_of(const float *x, const float *y)
{
    double a[BINS], b[BINS];
    for (int t = 0; t < BINS; t++) {
        a[t] = (double)x[t];
        b[t] = (double)y[t];
    }
    return covariance(a, b);
}

/* Mean over time of (x − p)(y − p). */
static double product_about(const float *x, const float *y, const double *p)
{
    double sum = 0.0;
    for (int t = 0; t < BINS; t++)
        sum += ((double)x[t] - p[t]) * ((double)y[t] - p[t]) / BINS;
    return sum;
}

static void repeat_drawn_twice_makes_no_pair_with_itself(void)
{
    static Made m;
    static const double weights[REPEATS] = {2, 1, 0, 1, 1}, none[BINS];
    double values[SCORES], p[BINS], signal = 0.0, pairs = 0.0, along = 0.0, noisy = 0.0;
    double about_p = 0.0, about_none = 0.0, mean = 0.0;
    make(&m, 5);
    for (int t = 0; t < BINS; t++)
        p[t] = (double)m.rate_hz[t] / bin_hz;
    for (int i = 0; i < REPEATS; i++) {
        const float *r = m.spikes + i * BINS;
        along += weights[i] / REPEATS * covariance_of(m.rate_hz, r) / bin_hz;
        noisy += weights[i] / REPEATS * covariance_of(r, r);
        for (int j = 0; j < REPEATS; j++) {
            double both = i == j ? 0.0 : weights[i] * weights[j];
            signal += both * covariance_of(r, m.spikes + j * BINS);
            about_p += both * product_about(r, m.spikes + j * BINS, p);
            about_none += both * product_about(r, m.spikes + j * BINS, none);
            for (int t = 0; t < BINS; t++)
                mean += both * (double)r[t] / BINS;
            pairs += both;
        }
    }
    signal /= pairs;
    mean /= pairs;
    ScoreInput in = input_of(&m);
    ScoreSums *sums = score_sums_create(&in);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sums);
    score_values(sums, NULL, weights, values);
    double power = covariance(p, p), psth = signal + (noisy - signal) / REPEATS;
    CU_ASSERT(test_near(values[SCORE_CC], along / sqrt(power * psth), 1e-9));
    CU_ASSERT(test_near(values[SCORE_CC_MAX], sqrt(signal / psth), 1e-9));
    CU_ASSERT(test_near(values[SCORE_CC_NORM], along / sqrt(power * signal), 1e-9));
    CU_ASSERT(test_near(values[SCORE_FEV],
                        1.0 - about_p / pairs / (about_none / pairs - mean * mean), 1e-9));
    score_sums_destroy(sums);
}

static void known_signal_under_known_noise_is_scored_right(void)
{
    enum { CELLS = 200 };
    static Made m;
    double norm = 0.0, perfect_norm = 0.0, perfect_fev = 0.0, truth = 0.0;
    int above = 0;
    for (uint32_t cell = 0; cell < CELLS; cell++) {
        double values[SCORES];
        make(&m, 100 + cell);
        ScoreInput in = input_of(&m);
        score(&in, values);
        norm += values[SCORE_CC_NORM] / CELLS;
        truth += values[SCORE_CC_RATE] / CELLS;
        in.rate_hz = m.truth_hz;
        score(&in, values);
        perfect_norm += values[SCORE_CC_NORM] / CELLS;
        perfect_fev += values[SCORE_FEV] / CELLS;
        above += values[SCORE_CC_NORM] > 1.0;
    }
    CU_ASSERT(truth > 0.6 && truth < 0.9);
    CU_ASSERT(test_near(norm, truth, 0.01));
    CU_ASSERT(test_near(perfect_norm, 1.0, 0.01));
    CU_ASSERT(test_near(perfect_fev, 1.0, 0.02));
    CU_ASSERT(above > CELLS / 4 && above < 3 * CELLS / 4);
}

static void constant_model_explains_nothing(void)
{
    static Made m;
    double values[SCORES], mean = 0.0;
    make(&m, 6);
    for (int i = 0; i < REPEATS * BINS; i++)
        mean += (double)m.spikes[i] / (REPEATS * BINS);
    for (int t = 0; t < BINS; t++)
        m.rate_hz[t] = (float)(mean * bin_hz);
    ScoreInput in = input_of(&m);
    score(&in, values);
    CU_ASSERT(isnan(values[SCORE_CC]) && isnan(values[SCORE_CC_NORM]));
    CU_ASSERT(is_undefined_because(&in, SCORE_CC_NORM, "prediction is constant"));
    CU_ASSERT(test_near(values[SCORE_FEV], 0.0, 1e-6));
    CU_ASSERT(test_near(values[SCORE_BITS_PER_SPIKE], 0.0, 1e-6));
    CU_ASSERT(isnan(score_pearson(m.rate_hz, m.truth_hz, BINS)));
    for (int t = 0; t < BINS; t++)
        m.rate_hz[t] = (float)(5.0 * mean * bin_hz);
    score(&in, values);
    CU_ASSERT(values[SCORE_FEV] < -1.0);
}

static void score_without_a_value_says_why(void)
{
    static Made m;
    double values[SCORES];
    make(&m, 7);
    ScoreInput in = input_of(&m);
    in.repeats = 1;
    CU_ASSERT(is_undefined_because(&in, SCORE_CC_NORM, "one repeat"));
    CU_ASSERT(is_undefined_because(&in, SCORE_FEV, "one repeat"));
    score(&in, values);
    CU_ASSERT(test_near(values[SCORE_CC], score_pearson(m.rate_hz, m.spikes, BINS), 1e-10));
    in = input_of(&m);
    in.is_counted = false;
    in.truth_hz = NULL;
    CU_ASSERT(is_undefined_because(&in, SCORE_BITS_PER_SPIKE, "counts"));
    CU_ASSERT(is_undefined_because(&in, SCORE_CC_RATE, "not known"));
    in = input_of(&m);
    for (int t = 0; t < BINS; t++)
        m.rate_hz[t] = m.spikes[t] > 0.0f ? 0.0f : 10.0f;
    score(&in, values);
    CU_ASSERT(isinf(values[SCORE_BITS_PER_SPIKE]) && values[SCORE_BITS_PER_SPIKE] < 0.0);
    CU_ASSERT(is_undefined_because(&in, SCORE_BITS_PER_SPIKE, "0 Hz"));
    memset(m.spikes, 0, sizeof m.spikes);
    CU_ASSERT(is_undefined_because(&in, SCORE_CC, "no spikes"));
    CU_ASSERT(is_undefined_because(&in, SCORE_BITS_PER_SPIKE, "no spikes"));
    CU_ASSERT(isnan(score_fano(m.spikes, REPEATS, BINS, 10)));
    const float apart[] = {1, 0, 1, 0, 1, 0, 0, 1}, rate[] = {90, 10, 80, 20};
    ScoreInput noise = {4, 2, 100.0, rate, apart, true, NULL, 2};
    CU_ASSERT(is_undefined_because(&noise, SCORE_CC_MAX, "signal power"));
}

static void fano_factor_tells_regular_from_random(void)
{
    static Made m;
    make(&m, 8);
    CU_ASSERT(test_near(score_fano(m.spikes, REPEATS, BINS, 10), 1.0, 0.2));
    for (int i = 1; i < REPEATS; i++)
        memcpy(m.spikes + i * BINS, m.spikes, BINS * sizeof(float));
    CU_ASSERT(test_near(score_fano(m.spikes, REPEATS, BINS, 10), 0.0, 1e-12));
    const float counts[] = {3, 0, 1, 0}; // over two repeats: variance 2, mean 2; and nothing
    CU_ASSERT(test_near(score_fano(counts, 2, 2, 1), 1.0, 1e-12));
}

static void median_leaves_out_what_has_no_value(void)
{
    double three[] = {3.0, (double)NAN, 1.0, 2.0}, two[] = {4.0, 1.0}, none[] = {(double)NAN};
    double low[] = {-HUGE_VAL, -HUGE_VAL, 1.0};
    CU_ASSERT_EQUAL(score_median(three, 4), 2.0);
    CU_ASSERT_EQUAL(score_median(two, 2), 2.5);
    CU_ASSERT(isnan(score_median(none, 1)));
    CU_ASSERT_EQUAL(score_median(low, 3), -HUGE_VAL);
}

static const TestCase cases[] = {
    {"two equal repeats are predicted without a flaw",
     two_equal_repeats_are_predicted_without_a_flaw},
    {"the scores are those of the formulas, in plain loops", scores_are_those_of_the_formulas},
    {"resampled blocks score like the recording they spell",
     resampled_blocks_score_like_the_recording_they_spell},
    {"a repeat drawn twice makes no pair with itself",
     repeat_drawn_twice_makes_no_pair_with_itself},
    {"a known signal under known noise is scored right",
     known_signal_under_known_noise_is_scored_right},
    {"a constant model explains nothing", constant_model_explains_nothing},
    {"a score without a value says why", score_without_a_value_says_why},
    {"the Fano factor tells regular from random", fano_factor_tells_regular_from_random},
    {"a median leaves out what has no value", median_leaves_out_what_has_no_value},
};

int main(void)
{
    return test_main("score", cases, sizeof cases / sizeof cases[0]);
}
