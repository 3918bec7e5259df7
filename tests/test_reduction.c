#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/channel_card.h"
#include "model/cnn_file.h"
#include "model/reduction.h"
#include "model/reduction_pool.h"
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

static void check_filter(AttributionSymmetry symmetry, int means, int taps, double turn)
{
    RandomModel random;
    random_cnn(&random, &shape, 3);
    for (int t = 0; turn < 0 && t < random.file.tensor_count; t++)
        if (!strcmp(random.file.tensors[t].name, "scale1"))
            for (size_t i = 0; i < model_tensor_count(&random.file.tensors[t]); i++)
                random.arrays[t][i] *= -1;
    float light[5 * 12], filter[5 * 12];
    random_fill(&(uint32_t){7}, sizeof light / sizeof *light, -1, 1, light);
    CU_ASSERT_EQUAL_FATAL(reduction_taps(&random.file, symmetry), taps);
    reduction_filter(&random.file, symmetry, 1, filter);
    for (int place = 0; place <= means - taps; place++) {
        double got = 0;
        for (int i = 0; i < shape.history; i++)
            for (int k = 0; k < taps; k++)
                got += (double)filter[i * taps + k] * (double)light[i * means + place + k];
        CU_ASSERT(test_near(got, turn * plain_drive(&random.file, 1, symmetry, place, light, means),
                            1e-5));
    }
    random_model_finish(&random);
}

static void a_filter_is_the_convolution(void)
{
    check_filter(ATTRIBUTION_SYMMETRY_FULL, 1, 1, 1);
    check_filter(ATTRIBUTION_SYMMETRY_ALONG_Y, 12, 4, 1);
    check_filter(ATTRIBUTION_SYMMETRY_ALONG_X, 10, 3, 1);
}

static void a_turned_channel_is_turned_back(void)
{
    check_filter(ATTRIBUTION_SYMMETRY_ALONG_Y, 12, 4, -1);
}

static void a_pool_is_a_window_of_sum_one(void)
{
    enum { PLACES = 9 };
    double pool[PLACES], sum = 0;
    for (int p = 0; p < PLACES; p++)
        sum += exp(-0.5 * pow((p - 3.25) / 1.5, 2));
    reduction_pool(3.25, 1.5, PLACES, pool);
    for (int p = 0; p < PLACES; p++)
        CU_ASSERT(test_near(pool[p], exp(-0.5 * pow((p - 3.25) / 1.5, 2)) / sum, 1e-12));
    reduction_pool(-50, 0.2, PLACES, pool); // far off: the nearest place
    CU_ASSERT(test_near(pool[0], 1, 1e-9));
    reduction_pool(7, 3, 1, pool);
    CU_ASSERT(test_near(pool[0], 1, 1e-12));
}

/* ---- fits */

enum { BINS = 800, UNITS = 2, PLACES_MAX = 12 };

typedef struct {
    float outputs[BINS * UNITS * PLACES_MAX];
    double rest[UNITS];
    ReductionRow rows[BINS];
    ReductionTask task;
} Made;

static const ReductionNumbers truth = {.rise = {4, -3},
                                       .rise_threshold = {0.4, 0.1},
                                       .fall = {-1, 0.5},
                                       .fall_threshold = {0.1, -0.3},
                                       .centre = {4, 6},
                                       .spread = {1.5, 2},
                                       .offset = -1};
static const double from_centre[UNITS] = {5, 5}, from_spread[UNITS] = {2, 2};

/* The rate of a bin by the formula of reduced.h. */
static double plain_rate(const ReductionTask *task, const ReductionNumbers *numbers, int bin)
{
    double sum = numbers->offset;
    for (int u = 0; u < task->units; u++) {
        double window = 0, pooled = 0;
        for (int p = 0; p < task->places; p++) {
            double weight = exp(-0.5 * pow((p - numbers->centre[u]) / numbers->spread[u], 2));
            double v = (double)task->outputs[bin * task->stride + u * task->places + p];
            window += weight;
            pooled += weight * (numbers->rise[u] * fmax(v - numbers->rise_threshold[u], 0) +
                                numbers->fall[u] * fmax(numbers->fall_threshold[u] - v, 0));
        }
        sum += pooled / window;
    }
    return task->rate_scale_hz * log(1 + exp(sum));
}

static void make(Made *made, int places)
{
    random_fill(&(uint32_t){11}, BINS * UNITS * PLACES_MAX, -1, 1, made->outputs);
    made->rest[0] = 0.2;
    made->rest[1] = -0.1;
    for (int i = 0; i < BINS * UNITS * places; i++)
        made->outputs[i] += (float)made->rest[i / places % UNITS];
    made->task = (ReductionTask){.bins = BINS,
                                 .units = UNITS,
                                 .places = places,
                                 .stride = UNITS * places,
                                 .outputs = made->outputs,
                                 .rest = made->rest,
                                 .rows = made->rows,
                                 .rows_count = BINS,
                                 .centre = from_centre,
                                 .spread = from_spread,
                                 .rest_hz = 1,
                                 .rate_scale_hz = 5};
    for (int bin = 0; bin < BINS; bin++)
        made->rows[bin] = (ReductionRow){bin, 0, plain_rate(&made->task, &truth, bin), 1};
}

static void rates_are_those_of_the_formula(void)
{
    static Made made;
    float rates[BINS];
    for (int places = 1; places <= PLACES_MAX; places += PLACES_MAX - 1) {
        make(&made, places);
        reduction_rates(&made.task, &truth, NULL, rates);
        for (int bin = 0; bin < BINS; bin++)
            CU_ASSERT(test_near((double)rates[bin], made.rows[bin].rate_hz, 1e-5));
    }
}

static void check_sums(double (*of)(ReductionSums sums), double step_centre, double step_spread,
                       double slope)
{
    static ReductionPool before, after;
    static Made made;
    make(&made, PLACES_MAX);
    reduction_pool_fill(&before, 4 - step_centre, 1.5 * exp(-step_spread), PLACES_MAX);
    reduction_pool_fill(&after, 4 + step_centre, 1.5 * exp(step_spread), PLACES_MAX);
    double change = of(reduction_sums(&after, made.outputs, 0.4, 0.1, false)) -
                    of(reduction_sums(&before, made.outputs, 0.4, 0.1, false));
    CU_ASSERT(test_near(change / 2 / (step_centre + step_spread), slope, 1e-6));
}

static double rise_of(ReductionSums sums)
{
    return sums.rise;
}

static double fall_of(ReductionSums sums)
{
    return sums.fall;
}

static void pools_have_their_derivatives(void)
{
    static ReductionPool pool;
    static Made made;
    make(&made, PLACES_MAX);
    reduction_pool_fill(&pool, 4, 1.5, PLACES_MAX);
    ReductionSums sums = reduction_sums(&pool, made.outputs, 0.4, 0.1, true);
    check_sums(rise_of, 1e-4, 0, sums.rise_by_centre);
    check_sums(rise_of, 0, 1e-4, sums.rise_by_spread);
    check_sums(fall_of, 1e-4, 0, sums.fall_by_centre);
    check_sums(fall_of, 0, 1e-4, sums.fall_by_spread);
    ReductionSums shifted = reduction_sums(&pool, made.outputs, 0.4 + 1e-5, 0.1 + 1e-5, true);
    CU_ASSERT(test_near((shifted.rise - sums.rise) / 1e-5, -sums.rise_open, 1e-3));
    CU_ASSERT(test_near((shifted.fall - sums.fall) / 1e-5, sums.fall_open, 1e-3));
    CU_ASSERT(sums.rise_open > 0 && sums.rise_open < 1);
}

static void a_fit_finds_the_numbers_that_made_the_rate(void)
{
    static Made made;
    ReductionNumbers found;
    make(&made, 1);
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 8}, &found));
    CU_ASSERT(found.correlation > 0.999);
    CU_ASSERT(found.error_hz < 0.1);
    for (int u = 0; u < UNITS; u++) {
        CU_ASSERT(test_near(found.rise[u], truth.rise[u], 0.05));
        CU_ASSERT(test_near(found.rise_threshold[u], truth.rise_threshold[u], 0.1));
        CU_ASSERT(test_near(found.fall[u], truth.fall[u], 0.3));
    }
}

static void a_fit_finds_the_pools_too(void)
{
    static Made made;
    ReductionNumbers found;
    make(&made, PLACES_MAX);
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 4}, &found));
    CU_ASSERT(found.correlation > 0.999);
    for (int u = 0; u < UNITS; u++) {
        CU_ASSERT(test_near(found.centre[u], truth.centre[u], 0.1));
        CU_ASSERT(test_near(found.spread[u], truth.spread[u], 0.1));
    }
}

static void a_fit_is_the_same_every_time(void)
{
    static Made made;
    ReductionNumbers first, second;
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    make(&made, 1);
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 3}, &first));
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 3}, &second));
    CU_ASSERT(memcmp(&first, &second, sizeof first) == 0);
}

/* Alone the first unit cannot; begun with it, both are no worse, even without a start of their own. */
static void a_fit_goes_on_from_fewer_units(void)
{
    static Made made;
    ReductionNumbers one, two;
    make(&made, 1);
    ReductionTask alone = made.task;
    alone.units = 1;
    CU_ASSERT_FATAL(reduction_fit(&alone, &(ReductionStarts){.count = 4}, &one));
    CU_ASSERT(one.correlation < 0.95);
    CU_ASSERT_FATAL(
        reduction_fit(&made.task, &(ReductionStarts){.from = &one, .from_units = 1}, &two));
    CU_ASSERT(two.error_hz < one.error_hz);
}

static void rows_count_by_their_weight(void)
{
    static Made made;
    ReductionNumbers all, half;
    make(&made, 1);
    for (int bin = BINS / 2; bin < BINS; bin++)
        made.rows[bin].rate_hz = 20; // nonsense
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 8}, &all));
    for (int bin = BINS / 2; bin < BINS; bin++)
        made.rows[bin].weight = 0;
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 8}, &half));
    double all_off = 0, half_off = 0;
    for (int bin = 0; bin < BINS / 2; bin++) {
        all_off = fmax(all_off, fabs(plain_rate(&made.task, &all, bin) - made.rows[bin].rate_hz));
        half_off =
            fmax(half_off, fabs(plain_rate(&made.task, &half, bin) - made.rows[bin].rate_hz));
    }
    CU_ASSERT(half_off < 0.5);
    CU_ASSERT(all_off > 10 * half_off);
}

/* Rows in which a unit is silent tell what that unit does, where the sum alone does not: the second unit's
 * outputs are the first's. */
static void silent_rows_tell_units_apart(void)
{
    static Made made;
    static ReductionRow rows[2 * BINS];
    ReductionNumbers found, twin = {.rise = {3, 1}, .rise_threshold = {0.4, 0.1}, .offset = -1};
    make(&made, 1);
    for (int i = 0; i < BINS * UNITS; i++)
        made.outputs[i] -= (float)made.rest[i % UNITS];
    made.rest[0] = made.rest[1] = 0;
    for (int i = 0; i < BINS * UNITS; i += 2)
        made.outputs[i + 1] = made.outputs[i];
    for (int bin = 0; bin < BINS; bin++) {
        double v = (double)made.outputs[UNITS * bin],
               both = 3 * fmax(v - 0.4, 0) + fmax(v - 0.1, 0);
        rows[bin] = (ReductionRow){bin, 0, 5 * log(1 + exp(both + twin.offset)), 1};
        rows[BINS + bin] =
            (ReductionRow){bin, 1, 5 * log(1 + exp(fmax(v - 0.1, 0) + twin.offset)), 1};
    }
    made.task.rows = rows;
    made.task.rows_count = 2 * BINS;
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 8}, &found));
    CU_ASSERT(test_near(found.rise[0], twin.rise[0], 0.1));
    CU_ASSERT(test_near(found.rise[1], twin.rise[1], 0.1));
}

static void some_units_can_be_left_out(void)
{
    static Made made;
    ReductionNumbers numbers = {.rise = {2}, .rise_threshold = {0.1}, .spread = {1}, .offset = -1};
    float rates[BINS], wanted[BINS];
    make(&made, 1);
    ReductionTask second = made.task;
    second.units = 1;
    second.which = (const int[]){1};
    second.rest = made.rest + 1;
    reduction_rates(&second, &numbers, NULL, rates);
    for (int bin = 0; bin < BINS; bin++)
        made.outputs[bin * UNITS] = made.outputs[bin * UNITS + 1];
    second.which = NULL;
    reduction_rates(&second, &numbers, NULL, wanted);
    CU_ASSERT(memcmp(rates, wanted, sizeof rates) == 0);
}

static void a_silent_unit_stays_at_rest(void)
{
    static Made made;
    float rates[BINS];
    const bool is_silent[UNITS] = {true, false};
    make(&made, 1);
    reduction_rates(&made.task, &truth, is_silent, rates);
    for (int bin = 0; bin < BINS; bin++)
        made.outputs[bin * UNITS] = (float)made.rest[0];
    float wanted[BINS];
    reduction_rates(&made.task, &truth, NULL, wanted);
    for (int bin = 0; bin < BINS; bin++)
        CU_ASSERT(test_near((double)rates[bin], (double)wanted[bin], 1e-5));
}

static void a_constant_rate_is_fitted(void)
{
    static Made made;
    ReductionNumbers found;
    make(&made, 1);
    for (int bin = 0; bin < BINS; bin++)
        made.rows[bin].rate_hz = 3;
    CU_ASSERT_FATAL(reduction_fit(&made.task, &(ReductionStarts){.count = 1}, &found));
    CU_ASSERT(found.error_hz < 0.01);
}

int main(void)
{
    static const TestCase cases[] = {
        {"a unit's filter is the convolution, summed along the symmetry",
         a_filter_is_the_convolution},
        {"a channel that batch-norm turns over is turned back", a_turned_channel_is_turned_back},
        {"a pool is a window of sum one", a_pool_is_a_window_of_sum_one},
        {"rates are those of the formula", rates_are_those_of_the_formula},
        {"pools have their derivatives", pools_have_their_derivatives},
        {"a fit finds the numbers that made the rate", a_fit_finds_the_numbers_that_made_the_rate},
        {"a fit finds the pools too", a_fit_finds_the_pools_too},
        {"a fit is the same every time, to the bit", a_fit_is_the_same_every_time},
        {"a fit goes on from one of fewer units, and is no worse", a_fit_goes_on_from_fewer_units},
        {"rows of weight 0 do not count", rows_count_by_their_weight},
        {"silent rows tell units apart", silent_rows_tell_units_apart},
        {"some units can be left out", some_units_can_be_left_out},
        {"a silent unit stays at rest", a_silent_unit_stays_at_rest},
        {"a constant rate is fitted too", a_constant_rate_is_fitted},
    };
    return test_main("reduction", cases, sizeof cases / sizeof cases[0]);
}
