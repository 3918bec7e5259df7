#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/attribution.h"
#include "model/channel_card.h"
#include "tests/harness.h"
#include "tests/random_model.h"

/* A random net and its attribution. */
typedef struct {
    RandomModel random;
    RandomShape shape;
    Attribution *attribution;
    int pixels, units;
    float *lum; // owned (height, width)
    uint32_t state;
} Fixture;

static RandomShape small_shape(void)
{
    return (RandomShape){.width = 17,
                         .height = 14,
                         .history = 6,
                         .lag = 1,
                         .cells = 3,
                         .bin_hz = 60,
                         .channels1 = 3,
                         .kernel1_width = 5,
                         .kernel1_height = 4,
                         .channels2 = 4,
                         .kernel2_width = 3,
                         .kernel2_height = 6,
                         .is_per_unit = true};
}

static RandomShape subunit_shape(void)
{
    RandomShape shape = small_shape();
    shape.channels2 = 0;
    shape.is_per_unit = false;
    return shape;
}

static void open_again(Fixture *f)
{
    char err[MODEL_ERR_BYTES] = "";
    attribution_close(f->attribution);
    f->attribution = attribution_open(&f->random.file, err);
    if (f->attribution == NULL)
        CU_FAIL_FATAL(err);
}

static Fixture fixture(RandomShape shape)
{
    Fixture f = {.shape = shape, .pixels = shape.width * shape.height, .state = 5};
    if (shape.channels2 > 0)
        random_cnn(&f.random, &shape, 3);
    else
        random_subunit(&f.random, &shape, 3);
    f.random.file.path = "random.h5";
    open_again(&f);
    CnnUnits units = attribution_units(f.attribution);
    f.units = units.channels * units.height * units.width;
    f.lum = calloc((size_t)f.pixels, sizeof *f.lum);
    return f;
}

static void finish(Fixture *f)
{
    attribution_close(f->attribution);
    random_model_finish(&f->random);
    free(f->lum);
}

static void feed_noise(Fixture *f, float lowest, float highest)
{
    for (int i = 0; i < f->shape.history; i++) {
        random_fill(&f->state, (size_t)f->pixels, lowest, highest, f->lum);
        attribution_feed(f->attribution, f->lum);
    }
}

static float *array(Fixture *f, const char *name)
{
    const ModelTensor *found = model_file_find(&f->random.file, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    for (int i = 0; i < f->random.arrays_count; i++)
        if (f->random.arrays[i] == found->values)
            return f->random.arrays[i];
    return NULL;
}

static void fill(Fixture *f, const char *name, float value)
{
    size_t count = model_tensor_count(model_file_find(&f->random.file, name));
    for (size_t i = 0; i < count; i++)
        array(f, name)[i] = value;
}

static AttributionRule fixed(int steps)
{
    return (AttributionRule){steps, steps, 0, 0, 1e-9};
}

static double sum_of(const float *values, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)values[i];
    return sum;
}

/* ---- the path's end is the model */

static void check_rates(RandomShape shape)
{
    Fixture f = fixture(shape);
    char err[MODEL_ERR_BYTES] = "";
    f.random.file.info.cell_names = f.random.names; // the fixture has moved
    Model *model = model_open(random_model_save(&f.random, test_folder("attribution")), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    for (int bin = 0; bin < 2 * shape.history; bin++) {
        float wanted[RANDOM_MODEL_CELLS_MAX], got[RANDOM_MODEL_CELLS_MAX];
        random_fill(&f.state, (size_t)f.pixels, 0, 1, f.lum);
        model_step(model, f.lum, wanted);
        attribution_feed(f.attribution, f.lum);
        attribution_rates(f.attribution, got);
        for (int cell = 0; cell < shape.cells; cell++)
            CU_ASSERT(
                test_near((double)got[cell], (double)wanted[cell], 1e-4 * (double)wanted[cell]));
    }
    model_close(model);
    finish(&f);
}

static void the_end_of_the_path_is_the_models_rate(void)
{
    RandomShape by_channel = small_shape();
    by_channel.is_per_unit = false;
    check_rates(small_shape());
    check_rates(by_channel);
    check_rates(subunit_shape());
}

/* ---- completeness */

static void completeness_shrinks_with_steps(void)
{
    static const int steps[] = {1, 4, 16, 64, 256};
    Fixture f = fixture(small_shape());
    double misses[5] = {0};
    for (int window = 0; window < 8; window++) {
        feed_noise(&f, -1, 2);
        for (int i = 0; i < 5; i++) {
            AttributionRule rule = fixed(steps[i]);
            AttributionResult result;
            attribution_measure(f.attribution, window % 3, &rule, &result);
            CU_ASSERT_EQUAL(result.steps, steps[i]);
            CU_ASSERT(test_near(result.residual_hz,
                                result.sum_hz - (result.rate_hz - result.rest_hz), 1e-9));
            misses[i] += fabs(result.residual_hz);
        }
    }
    CU_ASSERT(misses[0] > 1e-2);
    for (int i = 1; i < 5; i++)
        CU_ASSERT(misses[i] < 0.6 * misses[i - 1]);
    CU_ASSERT(misses[4] < 0.01 * misses[0]);
    finish(&f);
}

static void steps_are_raised_until_the_tolerance_is_met(void)
{
    RandomShape shapes[] = {small_shape(), subunit_shape()};
    AttributionRule rule = {1, ATTRIBUTION_STEPS_MAX, 1e-3, 5e-3, 0.01};
    for (int s = 0; s < 2; s++) {
        Fixture f = fixture(shapes[s]);
        int most = 0;
        for (int window = 0; window < 6; window++) {
            AttributionResult result;
            feed_noise(&f, -1, 2);
            attribution_measure(f.attribution, 0, &rule, &result);
            CU_ASSERT(result.residual <= 1.1e-3);
            CU_ASSERT(fabs(result.rate_hz - result.rest_hz) > 0.1);
            most = result.steps > most ? result.steps : most;
        }
        CU_ASSERT(most > 1);
        finish(&f);
    }
}

static void blank_is_zero_at_any_grey(void)
{
    Fixture f = fixture(small_shape());
    attribution_adapt(f.attribution, 0.7);
    for (int i = 0; i < f.pixels; i++)
        f.lum[i] = 0.7F;
    for (int bin = 0; bin < 9; bin++)
        attribution_feed(f.attribution, f.lum);
    AttributionResult result;
    attribution_measure(f.attribution, 1, &attribution_default, &result);
    CU_ASSERT(result.rest_hz > 0.1);
    CU_ASSERT(test_near(result.rate_hz, result.rest_hz, 1e-4));
    for (int i = 0; i < f.units; i++)
        CU_ASSERT(test_near((double)result.units_hz[i], 0, 1e-5));
    finish(&f);
}

/* ---- the linear net */

/* ∂rate/∂z of a net in which every rectifier and the softplus let all through:
 * rate_scale · dense_scale · Σ dense · scale2 · W2 · scale1. */
static double linear_weight(const Fixture *f, int cell, int c, int y, int x)
{
    const RandomShape *s = &f->shape;
    int h1 = s->height - s->kernel1_height + 1, w1 = s->width - s->kernel1_width + 1;
    int h2 = h1 - s->kernel2_height + 1, w2 = w1 - s->kernel2_width + 1;
    const ModelFile *file = &f->random.file;
    const float *dense = model_file_find(file, "dense_weight")->values;
    const float *scale2 = model_file_find(file, "scale2")->values;
    const float *kernel = model_file_find(file, "conv2_weight")->values;
    double sum = 0;
    for (int o = 0; o < s->channels2; o++)
        for (int j = 0; j < s->kernel2_height; j++)
            for (int k = 0; k < s->kernel2_width; k++) {
                int y2 = y - j, x2 = x - k, unit = (o * h2 + y2) * w2 + x2;
                if (y2 < 0 || y2 >= h2 || x2 < 0 || x2 >= w2)
                    continue;
                int tap = ((o * s->channels1 + c) * s->kernel2_height + j) * s->kernel2_width + k;
                sum += (double)dense[cell * s->channels2 * h2 * w2 + unit] * (double)scale2[unit] *
                       (double)kernel[tap];
            }
    return 20 * (double)model_file_find(file, "dense_scale")->values[cell] * sum *
           (double)model_file_find(file, "scale1")->values[(c * h1 + y) * w1 + x];
}

static void without_nonlinearities_it_is_the_exact_product(void)
{
    Fixture f = fixture(small_shape());
    fill(&f, "shift1", 20);
    fill(&f, "shift2", 200);
    fill(&f, "dense_weight", 0.02F);
    fill(&f, "dense_shift", 30);
    open_again(&f);
    feed_noise(&f, 0, 1);
    CnnUnits units = attribution_units(f.attribution);
    const AttributionRule rule = fixed(2);
    AttributionResult result;
    attribution_measure(f.attribution, 1, &rule, &result);
    for (int i = 0; i < f.units; i++) {
        int c = i / (units.height * units.width), y = i / units.width % units.height;
        double wanted = linear_weight(&f, 1, c, y, i % units.width);
        CU_ASSERT(test_near((double)result.weights[i], wanted, 1e-4 * fmax(1, fabs(wanted))));
        CU_ASSERT(test_near((double)result.units_hz[i], wanted * (double)result.drive[i],
                            1e-4 * fmax(1, fabs(wanted))));
    }
    // rates are near 1000 Hz here, so what remains is their rounding
    CU_ASSERT(test_near(result.residual_hz, 0, 2e-6 * result.rate_hz));
    finish(&f);
}

/* ---- product forms */

static void drive_is_the_first_convolution_without_its_bias(void)
{
    Fixture f = fixture(small_shape());
    const RandomShape *s = &f.shape;
    float *window = calloc((size_t)(s->history * f.pixels), sizeof *window);
    attribution_adapt(f.attribution, 0.6);
    for (int i = 0; i < s->history; i++) {
        random_fill(&f.state, (size_t)f.pixels, 0, 1, window + i * f.pixels);
        attribution_feed(f.attribution, window + i * f.pixels);
    }
    AttributionResult result;
    attribution_measure(f.attribution, 0, &attribution_default, &result);
    CnnUnits units = attribution_units(f.attribution);
    const float *w = array(&f, "conv1_weight");
    for (int i = 0; i < f.units; i++) {
        int c = i / (units.height * units.width), y = i / units.width % units.height;
        double wanted = 0;
        for (int t = 0; t < s->history; t++)
            for (int j = 0; j < s->kernel1_height; j++)
                for (int k = 0; k < s->kernel1_width; k++)
                    wanted +=
                        (double)
                            w[((c * s->history + t) * s->kernel1_height + j) * s->kernel1_width +
                              k] *
                        ((double)window[t * f.pixels + (y + j) * s->width + i % units.width + k] -
                         0.6) /
                        0.25;
        CU_ASSERT(test_near((double)result.drive[i], wanted, 1e-5));
        CU_ASSERT(test_near((double)result.units_hz[i],
                            (double)result.weights[i] * (double)result.drive[i], 1e-6));
    }
    free(window);
    finish(&f);
}

static void pixels_units_and_channels_sum_to_the_same(void)
{
    RandomShape shapes[] = {small_shape(), subunit_shape()};
    for (int s = 0; s < 2; s++) {
        Fixture f = fixture(shapes[s]);
        size_t count = (size_t)(f.shape.history * f.pixels);
        float *pixels = calloc(count, sizeof *pixels);
        feed_noise(&f, -1, 2);
        feed_noise(&f, -1, 2);
        AttributionResult result;
        attribution_measure(f.attribution, 2, &attribution_default, &result);
        attribution_pixels(f.attribution, pixels);
        double channels = 0;
        for (int c = 0; c < f.shape.channels1; c++)
            channels += result.channel_hz[c];
        CU_ASSERT(fabs(result.sum_hz) > 0.1);
        CU_ASSERT(test_near(sum_of(pixels, (int)count), result.sum_hz, 1e-4));
        CU_ASSERT(test_near(sum_of(result.units_hz, f.units), result.sum_hz, 1e-4));
        CU_ASSERT(test_near(channels, result.sum_hz, 1e-9));
        free(pixels);
        finish(&f);
    }
}

/* Near the baseline a pixel's attribution is its contrast times the gradient there. */
static void small_windows_give_the_gradient_of_finite_differences(void)
{
    Fixture f = fixture(small_shape());
    const float step = 0.004F;
    size_t count = (size_t)(f.shape.history * f.pixels);
    float *pixels = calloc(count, sizeof *pixels), *window = calloc(count, sizeof *window);
    random_fill(&f.state, count, 0.4999F, 0.5001F, window);
    for (int i = 0; i < f.shape.history; i++)
        attribution_feed(f.attribution, window + i * f.pixels);
    AttributionResult result;
    attribution_measure(f.attribution, 0, &attribution_default, &result);
    attribution_pixels(f.attribution, pixels);
    for (size_t p = 7; p < count; p += 131) {
        float rates[2][RANDOM_MODEL_CELLS_MAX];
        for (int side = 0; side < 2; side++) {
            attribution_adapt(f.attribution, 0.5);
            for (size_t i = 0; i < (size_t)f.shape.history; i++) {
                for (size_t k = 0; k < (size_t)f.pixels; k++)
                    f.lum[k] = i * (size_t)f.pixels + k == p ? 0.5F + (side ? step : -step) : 0.5F;
                attribution_feed(f.attribution, f.lum);
            }
            attribution_rates(f.attribution, rates[side]);
        }
        double gradient = ((double)rates[1][0] - (double)rates[0][0]) / (2 * (double)step);
        double got = (double)pixels[p] / ((double)window[p] - 0.5);
        CU_ASSERT(test_near(got, gradient, 0.02 * fabs(gradient) + 0.02));
        CU_ASSERT(fabs(gradient) > 1e-3);
    }
    free(pixels);
    free(window);
    finish(&f);
}

/* ∫ ∂rate/∂z dα of a subunit net by 4000 even steps, as the formula says; d is the drive. */
static void plain_weights(const Fixture *f, int cell, const float *d, double *weights)
{
    enum { STEPS = 4000 };
    const ModelFile *file = &f->random.file;
    const float *scale = model_file_find(file, "scale1")->values;
    const float *shift = model_file_find(file, "shift1")->values;
    const float *bias = model_file_find(file, "conv1_bias")->values;
    const float *dense = model_file_find(file, "dense_weight")->values + cell * f->units;
    double gain = (double)model_file_find(file, "dense_scale")->values[cell];
    double offset = (double)model_file_find(file, "dense_shift")->values[cell];
    int area = f->units / f->shape.channels1;
    for (int step = 0; step < STEPS; step++) {
        double alpha = (step + 0.5) / STEPS, sum = 0;
        for (int i = 0; i < f->units; i++)
            sum +=
                (double)dense[i] *
                fmax(0, (double)scale[i / area] * (alpha * (double)d[i] + (double)bias[i / area]) +
                            (double)shift[i / area]);
        double slope = 20 * gain / (1 + exp(-(gain * sum + offset)));
        for (int i = 0; i < f->units; i++)
            if ((double)scale[i / area] * (alpha * (double)d[i] + (double)bias[i / area]) +
                    (double)shift[i / area] >
                0)
                weights[i] += slope * (double)dense[i] * (double)scale[i / area] / STEPS;
    }
}

static void a_subunit_net_has_the_weights_of_the_definition(void)
{
    Fixture f = fixture(subunit_shape());
    double *weights = calloc((size_t)f.units, sizeof *weights);
    const AttributionRule rule = fixed(64);
    AttributionResult result;
    int partly = 0;
    feed_noise(&f, -2, 3);
    attribution_measure(f.attribution, 1, &rule, &result);
    plain_weights(&f, 1, result.drive, weights);
    for (int i = 0; i < f.units; i++) {
        CU_ASSERT(test_near((double)result.weights[i], weights[i], 2e-3));
        partly += fabs(weights[i]) > 0.01;
    }
    CU_ASSERT(partly > f.units / 2);
    free(weights);
    finish(&f);
}

/* ---- symmetry */

static void feed_columns(Fixture *f, bool is_lying)
{
    float profile[64];
    for (int i = 0; i < f->shape.history; i++) {
        random_fill(&f->state, 64, 0, 1, profile);
        for (int p = 0; p < f->pixels; p++)
            f->lum[p] = profile[is_lying ? p / f->shape.width : p % f->shape.width];
        attribution_feed(f->attribution, f->lum);
    }
}

static void feed_uniform(Fixture *f)
{
    for (int i = 0; i < f->shape.history; i++) {
        float lum;
        random_fill(&f->state, 1, 0, 1, &lum);
        for (int p = 0; p < f->pixels; p++)
            f->lum[p] = lum;
        attribution_feed(f->attribution, f->lum);
    }
}

static void check_fold(Fixture *f, AttributionSymmetry symmetry, int numbers)
{
    CnnUnits units = attribution_units(f->attribution);
    int places = attribution_places(f->attribution, symmetry);
    float *folded = calloc((size_t)(units.channels * places), sizeof *folded);
    AttributionResult result;
    attribution_measure(f->attribution, 0, &attribution_default, &result);
    double total = attribution_fold(f->attribution, symmetry, folded);
    CU_ASSERT_EQUAL(units.channels * places, numbers);
    CU_ASSERT(fabs(result.sum_hz) > 0.05);
    CU_ASSERT(test_near(total, sum_of(result.units_hz, f->units), 1e-4));
    for (int c = 0; c < units.channels; c++)
        CU_ASSERT(test_near(sum_of(folded + c * places, places), result.channel_hz[c], 1e-4));
    CU_ASSERT(attribution_deviation(f->attribution, symmetry) < 1e-6);
    free(folded);
}

static void the_published_net_needs_8_288_or_10368_numbers(void)
{
    Fixture f = fixture(random_shape_published(2));
    CU_ASSERT_EQUAL(f.units, 10368);
    CU_ASSERT_EQUAL(8 * attribution_places(f.attribution, ATTRIBUTION_SYMMETRY_NONE), 10368);
    feed_uniform(&f);
    check_fold(&f, ATTRIBUTION_SYMMETRY_FULL, 8);
    check_fold(&f, ATTRIBUTION_SYMMETRY_ALONG_Y, 288);
    feed_columns(&f, false);
    check_fold(&f, ATTRIBUTION_SYMMETRY_ALONG_Y, 288);
    finish(&f);
}

static void a_lying_bar_folds_along_x(void)
{
    Fixture f = fixture(small_shape());
    feed_columns(&f, true);
    check_fold(&f, ATTRIBUTION_SYMMETRY_ALONG_X, 3 * 11);
    CU_ASSERT(attribution_deviation(f.attribution, ATTRIBUTION_SYMMETRY_ALONG_Y) > 0.5);
    CU_ASSERT(attribution_deviation(f.attribution, ATTRIBUTION_SYMMETRY_FULL) > 0.5);
    finish(&f);
}

static void a_symmetry_is_found_and_refused(void)
{
    Fixture f = fixture(small_shape());
    feed_columns(&f, false);
    CU_ASSERT(attribution_deviation(f.attribution, ATTRIBUTION_SYMMETRY_ALONG_Y) < 1e-6);
    CU_ASSERT(attribution_deviation(f.attribution, ATTRIBUTION_SYMMETRY_ALONG_X) > 0.5);
    for (int p = 0; p < f.pixels; p++)
        f.lum[p] = (p / f.shape.width + p % f.shape.width) % 2 ? 0.25F : 0.75F;
    attribution_feed(f.attribution, f.lum);
    CU_ASSERT(
        test_near(attribution_deviation(f.attribution, ATTRIBUTION_SYMMETRY_ALONG_Y), 2, 1e-6));
    CU_ASSERT(attribution_deviation(f.attribution, ATTRIBUTION_SYMMETRY_ALONG_X) >= 2);
    CU_ASSERT(attribution_deviation(f.attribution, ATTRIBUTION_SYMMETRY_FULL) >= 2);
    feed_uniform(&f); // until the board has left the window
    CU_ASSERT(attribution_deviation(f.attribution, ATTRIBUTION_SYMMETRY_FULL) < 1e-6);
    finish(&f);
}

/* ---- channel cards */

enum { TAPS = 40, SIDE = 15 };

/* A kernel that is amplitude · time(tap) · Gaussian of SD 2 px at (1, 2) px from the middle. */
static void set_kernel(Fixture *f, int channel, double amplitude, double peak, double late_share)
{
    float *w = array(f, "conv1_weight") + channel * TAPS * SIDE * SIDE;
    for (int i = 0; i < TAPS * SIDE * SIDE; i++) {
        double lag = TAPS - 1 - i / (SIDE * SIDE), x = i % SIDE - 7 - 1,
               y = 7 - i / SIDE % SIDE - 2;
        double time =
            exp(-pow((lag - peak) / 2, 2)) - late_share * exp(-pow((lag - peak - 8) / 2, 2));
        w[i] = (float)(amplitude * time * exp(-(x * x + y * y) / 8));
    }
}

static void cards_say_what_the_kernels_are(void)
{
    Fixture f = fixture(random_shape_published(1));
    ChannelCard cards[8];
    float kernels[8 * TAPS];
    for (int c = 0; c < 8; c++)
        set_kernel(&f, c, c % 2 ? 0.1 : -0.1, 5 + c, 0.125 * c);
    channel_cards(&f.random.file, cards, kernels);
    for (int c = 0; c < 8; c++) {
        CU_ASSERT_EQUAL(cards[c].is_on, c % 2 == 1);
        CU_ASSERT_EQUAL(cards[c].speed_rank, c / 2 + 1);
        CU_ASSERT(test_near(cards[c].peak_ms, 10 * (5 + c + 1), 0.2)); // the net answers a bin late
        CU_ASSERT(test_near(cards[c].biphasic, 0.125 * c, 0.01));
        CU_ASSERT(test_near(cards[c].centre_x_um, 50, 0.5));
        CU_ASSERT(test_near(cards[c].centre_y_um, 100, 0.5));
        CU_ASSERT(test_near(cards[c].radius_um, 100, 1.5));
        CU_ASSERT(test_near(cards[c].centre_share, 1, 1e-3));
    }
    finish(&f);
}

static void polarity_is_that_of_the_newest_taps_and_flips_with_the_kernel(void)
{
    Fixture f = fixture(random_shape_published(1));
    ChannelCard cards[8];
    float kernels[8 * TAPS];
    set_kernel(&f, 0, 0.1, 6, 0);
    set_kernel(&f, 1, -0.1, 6, 0);
    set_kernel(&f, 2, 0.1, 6, 0);
    set_kernel(&f, 3, 0.1, 6, 0);
    float *w = array(&f, "conv1_weight") + 2 * TAPS * SIDE * SIDE;
    for (int i = 0; i < 15 * SIDE * SIDE; i++)
        w[i] = -1; // taps 0 … 14 have no say
    for (int i = 0; i < 36 * 36; i++)
        array(&f, "scale1")[3 * 36 * 36 + i] = -1; // batch-norm turns channel 3 over
    channel_cards(&f.random.file, cards, kernels);
    CU_ASSERT_TRUE(cards[0].is_on);
    CU_ASSERT_FALSE(cards[1].is_on);
    CU_ASSERT_TRUE(cards[2].is_on);
    CU_ASSERT_FALSE(cards[3].is_on);
    finish(&f);
}

/* ---- input */

static void other_kinds_are_refused(void)
{
    RandomShape shape = small_shape();
    RandomModel ln;
    random_ln(&ln, &shape, 1);
    ln.file.path = "ln.h5";
    char err[MODEL_ERR_BYTES] = "";
    CU_ASSERT_PTR_NULL(attribution_open(&ln.file, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "ln.h5: a model of kind ln"));
    random_model_finish(&ln);
}

static const TestCase cases[] = {
    {"the end of the path is the model's rate", the_end_of_the_path_is_the_models_rate},
    {"what completeness misses shrinks with the steps", completeness_shrinks_with_steps},
    {"steps are raised until the tolerance is met", steps_are_raised_until_the_tolerance_is_met},
    {"a blank attributes nothing, at any grey, though the cell fires", blank_is_zero_at_any_grey},
    {"without nonlinearities two steps give the exact product",
     without_nonlinearities_it_is_the_exact_product},
    {"the drive is the first convolution of the difference, without bias",
     drive_is_the_first_convolution_without_its_bias},
    {"pixels, units and channels sum to the same", pixels_units_and_channels_sum_to_the_same},
    {"small windows give the gradient that finite differences give",
     small_windows_give_the_gradient_of_finite_differences},
    {"a subunit net has the weights of the definition",
     a_subunit_net_has_the_weights_of_the_definition},
    {"the published net needs 8, 288 or 10,368 numbers, of one total",
     the_published_net_needs_8_288_or_10368_numbers},
    {"a lying bar folds along x", a_lying_bar_folds_along_x},
    {"a bar's symmetry is found, a checkerboard's is refused", a_symmetry_is_found_and_refused},
    {"cards say what the kernels are", cards_say_what_the_kernels_are},
    {"polarity is that of the newest taps and flips with the kernel",
     polarity_is_that_of_the_newest_taps_and_flips_with_the_kernel},
    {"models without a first layer are refused", other_kinds_are_refused},
};

int main(void)
{
    return test_main("attribution", cases, sizeof cases / sizeof cases[0]);
}
