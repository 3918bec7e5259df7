#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "tests/harness.h"
#include "tests/random_model.h"

enum { BINS_MAX = 64 };

/* A random net, opened from its file, and a stimulus of random images. */
typedef struct {
    RandomModel random;
    RandomShape shape;
    Model *model;
    float *lum; // owned (BINS_MAX, height, width)
    int pixels;
} Fixture;

static Fixture fixture(RandomShape shape)
{
    Fixture f = {.shape = shape, .pixels = shape.width * shape.height};
    char err[MODEL_ERR_BYTES] = "";
    if (shape.channels2 > 0)
        random_cnn(&f.random, &shape, 3);
    else
        random_subunit(&f.random, &shape, 3);
    f.model = model_open(random_model_save(&f.random, test_folder("cnn")), err);
    if (f.model == NULL)
        CU_FAIL_FATAL(err);
    f.lum = calloc((size_t)(BINS_MAX * f.pixels), sizeof *f.lum);
    uint32_t state = 11;
    random_fill(&state, (size_t)(BINS_MAX * f.pixels), 0, 1, f.lum);
    return f;
}

static void finish(Fixture *f)
{
    model_close(f->model);
    random_model_finish(&f->random);
    free(f->lum);
}

static const float *image(const Fixture *f, int bin)
{
    return f->lum + bin * f->pixels;
}

static RandomShape small_shape(bool is_per_unit)
{
    return (RandomShape){.width = 21,
                         .height = 16,
                         .history = 6,
                         .cells = 3,
                         .bin_hz = 60,
                         .channels1 = 3,
                         .kernel1_width = 5,
                         .kernel1_height = 4,
                         .channels2 = 5,
                         .kernel2_width = 3,
                         .kernel2_height = 6,
                         .is_per_unit = is_per_unit};
}

/* With long lags (cnn_history.h) and several blocks of lanes. */
static RandomShape long_shape(void)
{
    RandomShape shape = small_shape(true);
    shape.history = 13;
    shape.channels1 = 11;
    shape.channels2 = 9;
    return shape;
}

/* ---- the definition */

static const ModelTensor *tensor(const Fixture *f, const char *name)
{
    return model_file_find(&f->random.file, name);
}

static double unit_value(const ModelTensor *values, int channel, int unit)
{
    return (double)values->values[values->rank == 1 ? channel : unit];
}

/* One layer as its formula says: kernel (outputs, inputs, kh, kw), in (inputs, height, width). */
static double *plain_layer(const Fixture *f, const char *number, const double *in, int height,
                           int width)
{
    char name[32];
    const ModelTensor *part[4];
    const char *const names[] = {"conv%s_weight", "conv%s_bias", "scale%s", "shift%s"};
    for (int i = 0; i < 4; i++) {
        strcpy(name, names[i]);
        memmove(strchr(name, '%') + 1, strchr(name, '%') + 2, strlen(strchr(name, '%') + 2) + 1);
        *strchr(name, '%') = number[0];
        part[i] = tensor(f, name);
    }
    const ModelTensor *kernel = part[0];
    int kh = kernel->dims[2], kw = kernel->dims[3], inputs = kernel->dims[1];
    int oh = height - kh + 1, ow = width - kw + 1;
    double *out = calloc((size_t)(kernel->dims[0] * oh * ow), sizeof *out);
    for (int unit = 0; unit < kernel->dims[0] * oh * ow; unit++) {
        int channel = unit / (oh * ow), y = unit / ow % oh, x = unit % ow;
        double sum = (double)part[1]->values[channel];
        const float *w = kernel->values + channel * inputs * kh * kw;
        for (int i = 0; i < inputs; i++)
            for (int j = 0; j < kh; j++)
                for (int k = 0; k < kw; k++)
                    sum += (double)*w++ * in[(i * height + y + j) * width + x + k];
        double value =
            unit_value(part[2], channel, unit) * sum + unit_value(part[3], channel, unit);
        out[unit] = value > 0 ? value : 0;
    }
    return out;
}

/* The weight of a unit (channel, y, x). */
static double plain_readout(const Fixture *f, int cell, int channels, int places, int unit)
{
    if (!f->shape.is_factorised)
        return (double)tensor(f, "dense_weight")->values[cell * channels * places + unit];
    return (double)tensor(f, "readout_mask")->values[cell * places + unit % places] *
           (double)tensor(f, "readout_feature")->values[cell * channels + unit / places];
}

/* rates (cells) of the window that ends with `bin`; first, if wanted, is the first layer (owned by
 * the caller). */
static void plain_rates(const Fixture *f, int bin, double *rates, double **first)
{
    const RandomShape *s = &f->shape;
    double *window = calloc((size_t)(s->history * f->pixels), sizeof *window);
    for (int i = 0; i < s->history; i++)
        for (int p = 0; p < f->pixels; p++) {
            int seen = bin - s->history + 1 + i;
            window[i * f->pixels + p] = seen < 0 ? 0 : ((double)image(f, seen)[p] - 0.5) / 0.25;
        }
    int h1 = s->height - s->kernel1_height + 1, w1 = s->width - s->kernel1_width + 1;
    double *units1 = plain_layer(f, "1", window, s->height, s->width);
    double *units2 = s->channels2 > 0 ? plain_layer(f, "2", units1, h1, w1) : units1;
    int h2 = s->channels2 > 0 ? h1 - s->kernel2_height + 1 : h1;
    int w2 = s->channels2 > 0 ? w1 - s->kernel2_width + 1 : w1;
    int places = h2 * w2, channels = s->channels2 > 0 ? s->channels2 : s->channels1;
    for (int cell = 0; cell < s->cells; cell++) {
        double sum = 0;
        for (int i = 0; i < channels * places; i++)
            sum += plain_readout(f, cell, channels, places, i) * units2[i];
        double drive = (double)tensor(f, "dense_scale")->values[cell] * sum +
                       (double)tensor(f, "dense_shift")->values[cell];
        rates[cell] = 20 * log(1 + exp(drive));
    }
    free(window);
    if (units2 != units1)
        free(units2);
    if (first != NULL)
        *first = units1;
    else
        free(units1);
}

static void check_bin(const Fixture *f, int bin, const float *rates)
{
    double wanted[RANDOM_MODEL_CELLS_MAX];
    plain_rates(f, bin, wanted, NULL);
    for (int cell = 0; cell < f->shape.cells; cell++)
        CU_ASSERT(test_near((double)rates[cell], wanted[cell], 1e-4 * wanted[cell]));
}

static void published_net_is_exact(void)
{
    Fixture f = fixture(random_shape_published(5));
    float rates[5];
    for (int bin = 0; bin < 45; bin++) {
        model_step(f.model, image(&f, bin), rates);
        model_settle(f.model);
        if (bin == 0 || bin == 44)
            check_bin(&f, bin, rates);
    }
    finish(&f);
}

static void check_small_net(RandomShape shape)
{
    Fixture f = fixture(shape);
    float rates[RANDOM_MODEL_CELLS_MAX];
    for (int bin = 0; bin < 20; bin++) {
        model_step(f.model, image(&f, bin), rates);
        check_bin(&f, bin, rates);
    }
    finish(&f);
}

static void small_net_is_exact_per_unit(void)
{
    check_small_net(small_shape(true));
}

static void small_net_is_exact_per_channel(void)
{
    check_small_net(small_shape(false));
}

static void a_subunit_model_is_exact(void)
{
    RandomShape shape = small_shape(true);
    shape.channels2 = 0;
    check_small_net(shape);
}

static void short_histories_are_exact(void)
{
    for (int history = 1; history <= 3; history++) {
        RandomShape shape = small_shape(true);
        shape.history = history;
        Fixture f = fixture(shape);
        float rates[RANDOM_MODEL_CELLS_MAX];
        for (int bin = 0; bin < 6; bin++) {
            if (bin % 3 == 1)
                model_settle(f.model);
            model_step(f.model, image(&f, bin), rates);
            check_bin(&f, bin, rates);
        }
        finish(&f);
    }
}

static void a_factorised_readout_is_exact(void)
{
    RandomShape shape = small_shape(true);
    shape.is_factorised = true;
    check_small_net(shape);
    shape = long_shape();
    shape.is_factorised = true;
    check_small_net(shape);
    shape.channels2 = 0;
    check_small_net(shape);
}

/* Settled now and then, with a few bins taken back at times, every bin against its definition. */
static void check_whatever_was_settled(Fixture *f)
{
    float rates[RANDOM_MODEL_CELLS_MAX];
    uint32_t state = 5;
    for (int bin = 0; bin < BINS_MAX; bin++) {
        float chance[3];
        random_fill(&state, 3, 0, 1, chance);
        if (chance[0] < 0.2f) {
            model_mark(f->model);
            for (int i = 0; i < (int)(chance[1] * (MODEL_MAX_REWIND_BINS + 1)); i++) {
                model_step(f->model, image(f, (7 * bin + i) % BINS_MAX), rates);
                if (i % 2 == 0)
                    model_settle(f->model);
            }
            model_rewind(f->model);
        }
        model_step(f->model, image(f, bin), rates);
        check_bin(f, bin, rates);
        if (chance[2] < 0.6f)
            model_settle(f->model);
    }
}

static void long_histories_are_exact(void)
{
    static const int histories[] = {7, 8, 9, 10, 13, 21};
    for (int i = 0; i < 6; i++) {
        RandomShape shape = small_shape(true);
        shape.history = histories[i];
        Fixture f = fixture(shape);
        check_whatever_was_settled(&f);
        finish(&f);
    }
    Fixture f = fixture(long_shape());
    check_whatever_was_settled(&f);
    finish(&f);
}

/* Full fields, upright bars, noise, for longer and shorter than the history. */
static void like_rows_are_exact(void)
{
    static const int noise_from[] = {20, 44, 60}, noise_to[] = {23, 45, BINS_MAX};
    Fixture f = fixture(long_shape());
    for (int bin = 0, stretch = 0; bin < BINS_MAX; bin++) {
        if (stretch < 2 && bin == noise_to[stretch])
            stretch++;
        float *lum = f.lum + bin * f.pixels;
        for (int p = 0; bin < noise_from[stretch] && p < f.pixels; p++)
            lum[p] = bin % 3 ? lum[p % f.shape.width] : lum[0];
    }
    check_whatever_was_settled(&f);
    finish(&f);
}

/* Uniform images for longer than the history, now and then broken by noise. */
static void uniform_images_are_exact(void)
{
    RandomShape shapes[] = {long_shape(), small_shape(false), small_shape(true), small_shape(true)};
    shapes[2].is_factorised = true;
    shapes[3].channels2 = 0;
    for (int i = 0; i < 4; i++) {
        Fixture f = fixture(shapes[i]);
        for (int bin = 0; bin < BINS_MAX; bin++)
            for (int p = 0; bin % 30 != 20 && p < f.pixels; p++)
                f.lum[bin * f.pixels + p] = f.lum[bin * f.pixels];
        check_whatever_was_settled(&f);
        finish(&f);
    }
}

static void check_maps(bool is_uniform)
{
    Fixture f = fixture(small_shape(true));
    for (int i = 0; is_uniform && i < 9 * f.pixels; i++)
        f.lum[i] = f.lum[i / f.pixels * f.pixels];
    float rates[RANDOM_MODEL_CELLS_MAX];
    double plain[RANDOM_MODEL_CELLS_MAX], *first = NULL;
    for (int bin = 0; bin < 9; bin++)
        model_step(f.model, image(&f, bin), rates);
    plain_rates(&f, 8, plain, &first);
    ModelMaps maps;
    model_maps(f.model, &maps);
    CU_ASSERT_EQUAL_FATAL(maps.channels * maps.height_px * maps.width_px, 3 * 13 * 17);
    for (int unit = 0; unit < 3 * 13 * 17; unit++)
        CU_ASSERT(test_near((double)maps.activity[unit], first[unit], 1e-4));
    free(first);
    finish(&f);
}

static void maps_are_the_first_layer(void)
{
    check_maps(false);
    check_maps(true);
}

/* 72,008 + 20,736 + 7,752 + 10,816 + 5 · 5,408 + 2 · 5, with a batch-norm a unit */
static void the_published_net_has_138362_numbers(void)
{
    Fixture f = fixture(random_shape_published(5));
    size_t count = 0;
    for (int i = 0; i < f.random.file.tensor_count; i++)
        count += model_tensor_count(&f.random.file.tensors[i]);
    CU_ASSERT_EQUAL(count, 138362);
    finish(&f);
}

static void published_shapes_hold(void)
{
    Fixture f = fixture(random_shape_published(2));
    ModelMaps maps;
    model_maps(f.model, &maps);
    CU_ASSERT_EQUAL(maps.width_px, 36);
    CU_ASSERT_EQUAL(maps.height_px, 36);
    CU_ASSERT_EQUAL(maps.channels * maps.width_px * maps.height_px, 10368);
    CU_ASSERT_EQUAL(tensor(&f, "dense_weight")->dims[1], 8 * 26 * 26);
    CU_ASSERT_EQUAL(tensor(&f, "dense_weight")->dims[1], 5408);
    finish(&f);
}

/* ---- time */

static void run(const Fixture *f, int first, int count, bool settles, float *rates)
{
    for (int i = 0; i < count; i++) {
        model_step(f->model, image(f, first + i), rates + i * f->shape.cells);
        if (settles)
            model_settle(f->model);
    }
}

enum { RATES = BINS_MAX * RANDOM_MODEL_CELLS_MAX };

static void check_settling(RandomShape shape)
{
    Fixture f = fixture(shape);
    float with[RATES] = {0}, without[RATES] = {0};
    run(&f, 0, 30, true, with);
    model_reset(f.model);
    run(&f, 0, 30, false, without);
    CU_ASSERT(memcmp(with, without, sizeof with) == 0);
    finish(&f);
}

static void settling_changes_nothing(void)
{
    check_settling(small_shape(true));
    check_settling(long_shape());
}

static void check_rewind(RandomShape shape, int seen, int taken_back, bool settles,
                         bool settles_after)
{
    Fixture f = fixture(shape);
    float straight[RATES] = {0}, again[RATES] = {0}, wasted[RATES] = {0};
    run(&f, 0, seen + 20, true, straight);
    model_reset(f.model);
    run(&f, 0, seen, settles, again);
    model_mark(f.model);
    run(&f, 40, taken_back, settles, wasted);
    model_rewind(f.model);
    run(&f, seen, 20, settles_after, again + seen * f.shape.cells);
    CU_ASSERT(memcmp(straight, again, sizeof straight) == 0);
    finish(&f);
}

static void rewind_forgets(void)
{
    static const int seen[] = {20, 0, 1, 5, 18, 19};
    for (int taken_back = 0; taken_back <= MODEL_MAX_REWIND_BINS; taken_back++)
        for (int i = 0; i < 6; i++)
            for (int settled = 0; settled < 4; settled++) {
                check_rewind(small_shape(true), seen[i], taken_back, settled & 1, settled & 2);
                check_rewind(long_shape(), seen[i], taken_back, settled & 1, settled & 2);
            }
}

static void check_future(RandomShape shape)
{
    Fixture f = fixture(shape);
    float before[RATES] = {0}, after[RATES] = {0};
    enum { CHANGED = 12, LENGTH = 30 };
    run(&f, 0, LENGTH, true, before);
    random_fill(&(uint32_t){99}, (size_t)f.pixels, 0, 1, f.lum + CHANGED * f.pixels);
    model_reset(f.model);
    run(&f, 0, LENGTH, true, after);
    size_t row = (size_t)f.shape.cells * sizeof(float);
    CU_ASSERT(memcmp(before, after, CHANGED * row) == 0);
    for (int bin = CHANGED; bin < CHANGED + f.shape.history; bin++)
        CU_ASSERT(memcmp(before + bin * f.shape.cells, after + bin * f.shape.cells, row) != 0);
    int gone = CHANGED + f.shape.history;
    CU_ASSERT(memcmp(before + gone * f.shape.cells, after + gone * f.shape.cells,
                     (size_t)(LENGTH - gone) * row) == 0);
    finish(&f);
}

static void future_has_no_effect(void)
{
    check_future(small_shape(true));
    check_future(long_shape());
}

static void reset_is_the_mean_for_ever(void)
{
    Fixture f = fixture(small_shape(false));
    float rates[RATES] = {0}, *grey = f.lum + 40 * f.pixels;
    for (int i = 0; i < f.pixels; i++)
        grey[i] = 0.5f;
    run(&f, 0, 10, true, rates);
    model_reset(f.model);
    model_step(f.model, grey, rates);
    for (int bin = 1; bin < 10; bin++) {
        model_step(f.model, grey, rates + 3);
        CU_ASSERT(memcmp(rates, rates + 3, 3 * sizeof *rates) == 0);
    }
    finish(&f);
}

/* The variance of the rates over seeds, and that a seed decides. */
static void noise_has_a_seed_and_goes_away(void)
{
    enum { SEEDS = 200 };
    Fixture f = fixture(small_shape(true));
    float quiet[RANDOM_MODEL_CELLS_MAX], again[RANDOM_MODEL_CELLS_MAX];
    double sum = 0, square = 0;
    model_step(f.model, image(&f, 0), quiet);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        float noisy[RANDOM_MODEL_CELLS_MAX];
        for (int i = 0; i < 2; i++) {
            model_reset(f.model);
            CU_ASSERT(model_set_noise(f.model, 0.1, seed));
            model_step(f.model, image(&f, 0), i ? again : noisy);
        }
        CU_ASSERT(memcmp(noisy, again, (size_t)f.shape.cells * sizeof *noisy) == 0);
        sum += (double)noisy[0];
        square += (double)noisy[0] * (double)noisy[0];
    }
    double mean = sum / SEEDS, sd = sqrt(square / SEEDS - mean * mean);
    CU_ASSERT(sd > 1e-3 * mean);
    model_reset(f.model);
    CU_ASSERT(model_set_noise(f.model, 0, 0));
    model_step(f.model, image(&f, 0), again);
    CU_ASSERT(memcmp(quiet, again, (size_t)f.shape.cells * sizeof *quiet) == 0);
    finish(&f);
}

/* A uniform image has a short way through the net, on which no unit of the first layer could be disturbed. */
static void noise_is_there_under_a_uniform_image(void)
{
    enum { UNITS = 3 * 13 * 17 };
    Fixture f = fixture(small_shape(true));
    float rates[RANDOM_MODEL_CELLS_MAX], quiet[UNITS];
    ModelMaps maps;
    int changed = 0;
    for (int p = 0; p < f.pixels; p++)
        f.lum[p] = 0.75f;
    model_step(f.model, image(&f, 0), rates);
    model_maps(f.model, &maps);
    memcpy(quiet, maps.activity, sizeof quiet);
    model_reset(f.model);
    CU_ASSERT(model_set_noise(f.model, 0.1, 1));
    model_step(f.model, image(&f, 0), rates);
    model_maps(f.model, &maps);
    for (int unit = 0; unit < UNITS; unit++) {
        changed += maps.activity[unit] != quiet[unit];
        CU_ASSERT(test_near((double)maps.activity[unit], (double)quiet[unit], 0.6));
    }
    CU_ASSERT(changed > UNITS / 4);
    finish(&f);
}

int main(void)
{
    static const TestCase cases[] = {
        {"the published net equals the plain sum over its window", published_net_is_exact},
        {"a small odd net equals it bin by bin, scale per unit", small_net_is_exact_per_unit},
        {"a small odd net equals it bin by bin, scale per channel", small_net_is_exact_per_channel},
        {"a subunit model is the same without the second layer", a_subunit_model_is_exact},
        {"histories of 1, 2 and 3 bins are exact too", short_histories_are_exact},
        {"long histories are, whatever was settled and taken back", long_histories_are_exact},
        {"images of like rows and others, in turn, are exact", like_rows_are_exact},
        {"uniform images, and what breaks them, are exact", uniform_images_are_exact},
        {"a factorised readout is its mask times its features", a_factorised_readout_is_exact},
        {"maps are the rectified first layer, channel by channel", maps_are_the_first_layer},
        {"50 px shrink to 36 and 26: 10,368 and 5,408 units", published_shapes_hold},
        {"with 5 cells it holds 138,362 numbers", the_published_net_has_138362_numbers},
        {"settling in the slack changes no bit", settling_changes_nothing},
        {"rewinding up to 8 bins leaves the same future, bit for bit", rewind_forgets},
        {"noise has a seed, and goes away", noise_has_a_seed_and_goes_away},
        {"noise is there under a uniform image", noise_is_there_under_a_uniform_image},
        {"a bin shapes its own and history − 1 later rates, none before", future_has_no_effect},
        {"a reset net answers as if the mean had been shown for ever", reset_is_the_mean_for_ever},
    };
    return test_main("cnn", cases, sizeof cases / sizeof cases[0]);
}
