#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/channel_card.h"
#include "model/cnn_file.h"
#include "model/reduction.h"
#include "tests/harness.h"
#include "tests/random_model.h"

/* ---- filters */

static const RandomShape shape = {.width = 12,
                                  .height = 10,
                                  .history = 5,
                                  .lag = 1,
                                  .cells = 2,
                                  .bin_hz = 100,
                                  .channels1 = 3,
                                  .kernel1_width = 4,
                                  .kernel1_height = 3,
                                  .channels2 = 2,
                                  .kernel2_width = 3,
                                  .kernel2_height = 3};

/* The convolution of a light that varies along one axis only, at one place. */
static double plain_drive(const ModelFile *file, int channel, AttributionSymmetry symmetry,
                          int place, const float *light, int means)
{
    const ModelTensor *weights = model_file_find(file, "conv1_weight");
    double sum = 0;
    for (int i = 0; i < shape.history; i++)
        for (int y = 0; y < shape.kernel1_height; y++)
            for (int x = 0; x < shape.kernel1_width; x++) {
                int at = symmetry == ATTRIBUTION_SYMMETRY_FULL      ? 0
                         : symmetry == ATTRIBUTION_SYMMETRY_ALONG_Y ? place + x
                                                                    : place + y;
                sum +=
                    (double)
                        weights->values[((channel * shape.history + i) * shape.kernel1_height + y) *
                                            shape.kernel1_width +
                                        x] *
                    (double)light[i * means + at];
            }
    return sum;
}

static void check_filter(AttributionSymmetry symmetry, int means, int places, double turn)
{
    RandomModel random;
    random_cnn(&random, &shape, 3);
    for (int t = 0; turn < 0 && t < random.file.tensor_count; t++)
        if (!strcmp(random.file.tensors[t].name, "scale1"))
            for (size_t i = 0; i < model_tensor_count(&random.file.tensors[t]); i++)
                random.arrays[t][i] *= -1;
    float light[5 * 12], filter[5 * 12];
    random_fill(&(uint32_t){7}, sizeof light / sizeof *light, -1, 1, light);
    const ReductionUnit unit = {.channel = 1, .centre = 3.25, .spread = 1.5};
    reduction_filter(&random.file, symmetry, &unit, filter);
    double got = 0, wanted = 0, total = 0;
    for (int i = 0; i < shape.history * means; i++)
        got += (double)filter[i] * (double)light[i];
    for (int place = 0; place < places; place++) {
        double share = places == 1 ? 1 : exp(-0.5 * pow((place - 3.25) / 1.5, 2));
        wanted += share * plain_drive(&random.file, 1, symmetry, place, light, means);
        total += share;
    }
    CU_ASSERT(test_near(got, turn * wanted / total, 1e-6));
    random_model_finish(&random);
}

static void a_filter_is_the_windowed_convolution(void)
{
    check_filter(ATTRIBUTION_SYMMETRY_FULL, 1, 1, 1);
    check_filter(ATTRIBUTION_SYMMETRY_ALONG_Y, 12, 9, 1);
    check_filter(ATTRIBUTION_SYMMETRY_ALONG_X, 10, 8, 1);
}

static void a_turned_channel_is_turned_back(void)
{
    check_filter(ATTRIBUTION_SYMMETRY_ALONG_Y, 12, 9, -1);
}

/* ---- fits */

enum { BINS = 800, UNITS = 2 };

typedef struct {
    double outputs[BINS * UNITS], rest[UNITS], rates_hz[BINS];
    ReductionTask task;
} Made;

static const ReductionNumbers truth = {.rise = {4, -3},
                                       .rise_threshold = {0.4, 0.1},
                                       .fall = {-1, 0.5},
                                       .fall_threshold = {0.1, -0.3},
                                       .offset = -1};

static void make(Made *made)
{
    float noise[BINS * UNITS];
    random_fill(&(uint32_t){11}, BINS * UNITS, -1, 1, noise);
    *made = (Made){.rest = {0.2, -0.1}};
    for (int i = 0; i < BINS * UNITS; i++)
        made->outputs[i] = (double)noise[i] + made->rest[i % UNITS];
    made->task = (ReductionTask){.bins = BINS,
                                 .units = UNITS,
                                 .stride = UNITS,
                                 .outputs = made->outputs,
                                 .rest = made->rest,
                                 .rates_hz = made->rates_hz,
                                 .rest_hz = 1,
                                 .rate_scale_hz = 5};
    for (int bin = 0; bin < BINS; bin++) {
        double sum = truth.offset;
        for (int u = 0; u < UNITS; u++) {
            double v = made->outputs[bin * UNITS + u];
            sum += truth.rise[u] * fmax(v - truth.rise_threshold[u], 0) +
                   truth.fall[u] * fmax(truth.fall_threshold[u] - v, 0);
        }
        made->rates_hz[bin] = 5 * log(1 + exp(sum));
    }
}

static void a_fit_finds_the_numbers_that_made_the_rate(void)
{
    Made made;
    ReductionNumbers found;
    make(&made);
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 8}, &found));
    CU_ASSERT(found.correlation > 0.999);
    CU_ASSERT(found.error_hz < 0.1);
    for (int u = 0; u < UNITS; u++) {
        CU_ASSERT(test_near(found.rise[u], truth.rise[u], 0.05));
        CU_ASSERT(test_near(found.rise_threshold[u], truth.rise_threshold[u], 0.1));
        CU_ASSERT(test_near(found.fall[u], truth.fall[u], 0.3));
    }
}

static void a_fit_is_the_same_every_time(void)
{
    Made made;
    ReductionNumbers first, second;
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    make(&made);
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 3}, &first));
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 3}, &second));
    CU_ASSERT(memcmp(&first, &second, sizeof first) == 0);
}

/* Alone the first unit cannot; begun with it, both are no worse, even without a start of their own. */
static void a_fit_goes_on_from_fewer_units(void)
{
    Made made;
    ReductionNumbers one, two;
    make(&made);
    ReductionTask alone = made.task;
    alone.units = 1;
    CU_ASSERT_FATAL(reduction_fit(&alone, &(ReductionStarts){.count = 4}, &one));
    CU_ASSERT(one.correlation < 0.95);
    CU_ASSERT_FATAL(
        reduction_fit(&made.task, &(ReductionStarts){.from = &one, .from_units = 1}, &two));
    CU_ASSERT(two.error_hz < one.error_hz);
}

static void bins_count_by_their_weight(void)
{
    Made made;
    ReductionNumbers all, half;
    double weights[BINS];
    make(&made);
    for (int bin = 0; bin < BINS; bin++) {
        weights[bin] = bin < BINS / 2;
        if (bin >= BINS / 2)
            made.rates_hz[bin] = 20; // nonsense
    }
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 8}, &all));
    made.task.weights = weights;
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 8}, &half));
    made.task.bins = BINS / 2;
    reduction_judge(&made.task, &all);
    reduction_judge(&made.task, &half);
    CU_ASSERT(half.correlation > 0.999);
    CU_ASSERT(all.error_hz > 10 * half.error_hz);
}

static void a_silent_unit_stays_at_rest(void)
{
    Made made;
    float rates[BINS];
    const bool is_silent[UNITS] = {true, false};
    make(&made);
    reduction_rates(&made.task, &truth, is_silent, rates);
    for (int bin = 0; bin < BINS; bin++)
        made.outputs[bin * UNITS] = made.rest[0];
    float wanted[BINS];
    reduction_rates(&made.task, &truth, NULL, wanted);
    CU_ASSERT(memcmp(rates, wanted, sizeof rates) == 0);
}

static void a_constant_rate_is_fitted(void)
{
    Made made;
    ReductionNumbers found;
    make(&made);
    for (int bin = 0; bin < BINS; bin++)
        made.rates_hz[bin] = 3;
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 1}, &found));
    CU_ASSERT(found.error_hz < 0.01);
}

int main(void)
{
    static const TestCase cases[] = {
        {"a unit's filter is the convolution, summed along the symmetry, under its window",
         a_filter_is_the_windowed_convolution},
        {"a channel that batch-norm turns over is turned back", a_turned_channel_is_turned_back},
        {"a fit finds the numbers that made the rate", a_fit_finds_the_numbers_that_made_the_rate},
        {"a fit is the same every time, to the bit", a_fit_is_the_same_every_time},
        {"a fit goes on from one of fewer units, and is no worse", a_fit_goes_on_from_fewer_units},
        {"bins of weight 0 do not count", bins_count_by_their_weight},
        {"a silent unit stays at rest", a_silent_unit_stays_at_rest},
        {"a constant rate is fitted too", a_constant_rate_is_fitted},
    };
    return test_main("reduction", cases, sizeof cases / sizeof cases[0]);
}
