#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/fit.h"
#include "model/weights.h"
#include "render/philox.h"

/* A made-up cell with a known filter under noise: enough to tell a fit that learns from one that
 * does not. */
enum { SIDE = 9, POINTS = SIDE * SIDE, LAGS = 5, BINS = 2600, TEST_BINS = 300, CELLS = 2 };

static uint32_t word(void *ctx, uint32_t stream, uint64_t index)
{
    PhiloxCounter at = {{(uint32_t)(index / 4), 0, stream, 3}};
    return philox(at, (PhiloxKey){{*(const uint32_t *)ctx, 0}}).words[index % 4];
}

static const char *folder(void)
{
    static char path[512];
    if (!*path)
        snprintf(path, sizeof path, "%s", test_folder("fit"));
    return path;
}

static uint8_t level_at(uint32_t stream, int64_t bin, int pixel)
{
    uint32_t seed = 11;
    double z = philox_normal(word(&seed, stream, (uint64_t)(bin * POINTS + pixel)));
    return (uint8_t)lrint(fmin(254.0, fmax(0.0, 127.0 + 50.0 * z)));
}

/* Cell 0 answers to darkness in the middle two to three bins ago; cell 1 to either sign there. */
static void append_part(DatasetWriter *writer, DatasetPart part, int bins)
{
    char err[MODEL_ERR_BYTES];
    uint8_t *levels = malloc((size_t)bins * POINTS), *spikes = calloc((size_t)bins, CELLS);
    float *rates_hz = calloc((size_t)bins * CELLS, sizeof *rates_hz);
    CU_ASSERT_FATAL(levels && spikes && rates_hz);
    for (int bin = 0; bin < bins; bin++) {
        for (int i = 0; i < POINTS; i++)
            levels[bin * POINTS + i] = level_at((uint32_t)part, bin, i);
        double drive = 0.0;
        for (int y = 3; bin >= 3 && y <= 5; y++)
            for (int x = 3; x <= 5; x++)
                drive += (127.0 - levels[(bin - 2) * POINTS + y * SIDE + x]) / 100.0 +
                         (127.0 - levels[(bin - 3) * POINTS + y * SIDE + x]) / 100.0;
        rates_hz[bin * CELLS] = (float)(10.0 * log1p(exp(drive)));
        rates_hz[bin * CELLS + 1] = (float)(5.0 * fabs(drive));
        uint32_t seed = 12;
        for (int cell = 0; cell < CELLS; cell++)
            spikes[bin * CELLS + cell] =
                word(&seed, (uint32_t)part, (uint64_t)(bin * CELLS + cell)) * 0x1p-32 <
                (double)rates_hz[bin * CELLS + cell] / 100.0;
    }
    DatasetBlock block = {bins, levels, rates_hz, spikes};
    CU_ASSERT_FATAL(dataset_append(writer, part, &block, err));
    free(levels);
    free(spikes);
    free(rates_hz);
}

static Dataset *open_data(void)
{
    static char path[600];
    char err[MODEL_ERR_BYTES];
    static const char *const names[CELLS] = {"linear", "squarer"};
    if (!*path) {
        snprintf(path, sizeof path, "%s/data.h5", folder());
        DatasetInfo info = {.name = "made up",
                            .width_px = SIDE,
                            .height_px = SIDE,
                            .um_per_px = 50.0,
                            .bin_hz = 100.0,
                            .lum_per_level = 1.0 / DATASET_LEVEL_WHITE,
                            .cells = CELLS,
                            .cell_names = names,
                            .provenance = "written in a test",
                            .is_simulated = true,
                            .repeats = 1};
        DatasetWriter *writer = dataset_create(path, &info, err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
        append_part(writer, DATASET_TEST, TEST_BINS);
        append_part(writer, DATASET_TRAIN, BINS);
        CU_ASSERT_FATAL(dataset_finish(writer, err));
    }
    Dataset *data = dataset_open(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    return data;
}

static FitSpec spec_of(FitKind kind, int epochs, uint32_t *seed)
{
    return (FitSpec){.kind = kind,
                     .target = kind == FIT_GLM ? DATASET_BINNED : DATASET_RATE,
                     .history_bins = LAGS,
                     .lag_bins = 1,
                     .channels = {4, 3},
                     .kernel_px = {5, 3},
                     .window_px = 5,
                     .spike_bins = 3,
                     .epochs = epochs,
                     .run_bins = 40,
                     .batch_runs = 4,
                     .learning_rate = 0.1,
                     .decay = 0.01,
                     .rate_scale_hz = 10.0,
                     .validation_share = 0.1,
                     .threads = 2,
                     .word = word,
                     .word_ctx = seed};
}

static Fit *open_fit(const FitSpec *spec, Dataset *data)
{
    char err[MODEL_ERR_BYTES] = "";
    Fit *fit = fit_create(spec, data, err);
    if (!fit)
        printf("%s\n", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fit);
    return fit;
}

static FitEpoch *run_epochs(Fit *fit, int count)
{
    static FitEpoch epoch;
    char err[MODEL_ERR_BYTES];
    FitWatch watch = {0};
    for (int i = 0; i < count; i++)
        CU_ASSERT_FATAL(fit_epoch(fit, &watch, &epoch, err) == FIT_DONE);
    return &epoch;
}

/* What a fit has learned, as the bytes of its checkpoint. */
static unsigned char *bytes_of(const Fit *fit, size_t *count)
{
    char path[600], err[MODEL_ERR_BYTES];
    snprintf(path, sizeof path, "%s/bytes.ckpt", folder());
    CU_ASSERT_FATAL(fit_save(fit, path, err));
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    *count = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*count);
    CU_ASSERT_FATAL(bytes && fread(bytes, 1, *count, file) == *count);
    fclose(file);
    return bytes;
}

static bool are_same(const Fit *a, const Fit *b)
{
    size_t count_a, count_b;
    unsigned char *bytes_a = bytes_of(a, &count_a), *bytes_b = bytes_of(b, &count_b);
    bool same = count_a == count_b && memcmp(bytes_a, bytes_b, count_a) == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
}

static void a_cnn_learns_what_a_linear_model_cannot(void)
{
    uint32_t seed = 1;
    Dataset *data = open_data();
    FitSpec cnn_spec = spec_of(FIT_CNN, 12, &seed), ln_spec = spec_of(FIT_LN, 40, &seed);
    Fit *cnn = open_fit(&cnn_spec, data), *ln = open_fit(&ln_spec, data);
    FitScore by_cnn, by_ln;
    char err[MODEL_ERR_BYTES];
    run_epochs(cnn, 12);
    run_epochs(ln, 40);
    CU_ASSERT(fit_score(cnn, DATASET_TEST, 0, TEST_BINS, &by_cnn, err));
    CU_ASSERT(fit_score(ln, DATASET_TEST, 0, TEST_BINS, &by_ln, err));
    CU_ASSERT(by_ln.cc_rate[0] > 0.95);
    CU_ASSERT(by_ln.cc_rate[1] < 0.5);
    CU_ASSERT(by_cnn.cc_rate[0] > 0.8);
    CU_ASSERT(by_cnn.cc_rate[1] > 0.7);
    fit_destroy(cnn);
    fit_destroy(ln);
    dataset_close(data);
}

static void the_seed_alone_decides_whatever_the_threads(void)
{
    uint32_t one = 1, two = 2;
    Dataset *data = open_data();
    FitSpec spec = spec_of(FIT_CNN, 4, &one), alone = spec, other = spec;
    alone.threads = 1;
    other.word_ctx = &two;
    Fit *a = open_fit(&spec, data), *b = open_fit(&alone, data), *c = open_fit(&other, data);
    run_epochs(a, 2);
    run_epochs(b, 2);
    run_epochs(c, 2);
    CU_ASSERT(are_same(a, b));
    CU_ASSERT_FALSE(are_same(a, c));
    fit_destroy(a);
    fit_destroy(b);
    fit_destroy(c);
    dataset_close(data);
}

static void a_fit_that_was_killed_and_resumed_ends_as_if_undisturbed(void)
{
    char path[600], err[MODEL_ERR_BYTES];
    uint32_t seed = 1;
    atomic_bool stop = true;
    FitWatch watch = {.stop = &stop};
    static FitEpoch epoch;
    Dataset *data = open_data();
    FitSpec spec = spec_of(FIT_CNN, 3, &seed);
    Fit *whole = open_fit(&spec, data), *killed = open_fit(&spec, data);
    run_epochs(whole, 3);
    run_epochs(killed, 1);
    snprintf(path, sizeof path, "%s/killed.ckpt", folder());
    CU_ASSERT(fit_save(killed, path, err));
    CU_ASSERT(fit_epoch(killed, &watch, &epoch, err) == FIT_STOPPED);
    fit_destroy(killed);
    Fit *resumed = open_fit(&spec, data);
    CU_ASSERT_FATAL(fit_resume(resumed, path, err));
    CU_ASSERT_EQUAL(fit_epochs_done(resumed), 1);
    run_epochs(resumed, 2);
    CU_ASSERT(are_same(whole, resumed));
    fit_destroy(whole);
    fit_destroy(resumed);
    dataset_close(data);
}

static bool has_same_filter(const char *a, const char *b)
{
    char err[MODEL_ERR_BYTES];
    ModelFile first, second;
    CU_ASSERT_FATAL(model_file_read(a, &first, err));
    CU_ASSERT_FATAL(model_file_read(b, &second, err));
    const ModelTensor *one = model_file_find(&first, "filter");
    const ModelTensor *other = model_file_find(&second, "filter");
    bool same = memcmp(one->values, other->values, model_tensor_count(one) * sizeof(float)) == 0;
    model_file_finish(&first);
    model_file_finish(&second);
    return same;
}

/* Steps so large that the loss soon stops falling; what is kept is the model of the best epoch. */
static void a_fit_on_a_plateau_slows_down_and_ends(void)
{
    uint32_t seed = 1;
    Dataset *data = open_data();
    FitSpec spec = spec_of(FIT_LN, 20, &seed);
    spec.schedule = FIT_PLATEAU;
    spec.learning_rate = 1.0;
    spec.plateau_factor = 0.1;
    spec.plateau_epochs = 1;
    spec.patience_epochs = 5;
    spec.decay = 0.0;
    Fit *fit = open_fit(&spec, data);
    static FitEpoch epoch;
    char err[MODEL_ERR_BYTES];
    FitWatch watch = {0};
    double least = HUGE_VAL;
    int best = 0, reductions = 0;
    double rate = spec.learning_rate;
    char best_path[600], last_path[600];
    snprintf(best_path, sizeof best_path, "%s/best.h5", folder());
    snprintf(last_path, sizeof last_path, "%s/last.h5", folder());
    while (!fit_is_over(fit)) {
        CU_ASSERT_FATAL(fit_epoch(fit, &watch, &epoch, err) == FIT_DONE);
        if (epoch.validation.loss < least)
            CU_ASSERT_FATAL(fit_write_model(fit, best_path, "best", "fitted in a test", err));
        if (epoch.validation.loss < least) {
            least = epoch.validation.loss;
            best = epoch.epoch;
        }
        reductions += epoch.learning_rate < 0.5 * rate;
        rate = epoch.learning_rate;
        CU_ASSERT_EQUAL(fit_best_epoch(fit), best);
    }
    CU_ASSERT(epoch.epoch == spec.epochs || epoch.epoch - best == spec.patience_epochs);
    CU_ASSERT(reductions > 0);
    CU_ASSERT_FATAL(best < epoch.epoch); // else nothing is told by what follows
    CU_ASSERT_FATAL(fit_write_model(fit, last_path, "last", "fitted in a test", err));
    CU_ASSERT(has_same_filter(best_path, last_path));
    fit_destroy(fit);
    dataset_close(data);
}

static void fewer_minutes_leave_the_rest_unread(void)
{
    char err[MODEL_ERR_BYTES];
    uint32_t seed = 1;
    Dataset *data = open_data();
    FitSpec spec = spec_of(FIT_LN, 1, &seed), half = spec, none = spec;
    half.minutes = 0.2;
    none.minutes = 0.01;
    Fit *whole = open_fit(&spec, data), *part = open_fit(&half, data);
    CU_ASSERT_FALSE(are_same(whole, part));
    CU_ASSERT_PTR_NULL(fit_create(&none, data, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "record longer"));
    fit_destroy(whole);
    fit_destroy(part);
    dataset_close(data);
}

static void a_checkpoint_of_another_spec_is_refused(void)
{
    char path[600], err[MODEL_ERR_BYTES] = "";
    uint32_t seed = 1;
    Dataset *data = open_data();
    FitSpec spec = spec_of(FIT_LN, 3, &seed), other = spec;
    other.learning_rate = 0.2;
    Fit *fit = open_fit(&spec, data), *stranger = open_fit(&other, data);
    snprintf(path, sizeof path, "%s/other.ckpt", folder());
    CU_ASSERT(fit_save(fit, path, err));
    CU_ASSERT_FALSE(fit_resume(stranger, path, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "other.ckpt"));
    fit_destroy(fit);
    fit_destroy(stranger);
    dataset_close(data);
}

/* Correlation of cell 0 of a model file, played one bin at a time over so many bins of the test part,
 * with the truth. */
static double cc_of_file(const char *path, Dataset *data, double bins)
{
    char err[MODEL_ERR_BYTES] = "";
    Model *model = model_open(path, err);
    if (!model)
        printf("%s\n", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    CU_ASSERT(model_info(model)->is_simulated);
    CU_ASSERT_EQUAL(model_info(model)->lag_bins, 1);
    static float lum[TEST_BINS * POINTS], truth[CELLS * TEST_BINS];
    CU_ASSERT_FATAL(dataset_read_lum(data, DATASET_TEST, 0, TEST_BINS, lum, err));
    CU_ASSERT_FATAL(
        dataset_read_response(data, DATASET_TEST, DATASET_RATE, 0, TEST_BINS, truth, err));
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (int bin = 0; bin + 1 < TEST_BINS && n < bins; bin++) {
        float rates_hz[CELLS];
        model_step(model, lum + bin * POINTS, rates_hz);
        model_settle(model);
        if (bin < LAGS - 1)
            continue;
        double r = (double)rates_hz[0], t = (double)truth[bin + 1];
        n += 1, x += r, y += t, xx += r * r, yy += t * t, xy += r * t;
    }
    CU_ASSERT(test_near(n, bins, 0.0));
    model_close(model);
    return (xy - x * y / n) / sqrt((xx - x * x / n) * (yy - y * y / n));
}

/* The fitted rates, and those of the model file, correlate alike with the truth. */
static void check_model_file(FitKind kind, const char *name)
{
    char path[600], err[MODEL_ERR_BYTES] = "";
    uint32_t seed = 1;
    Dataset *data = open_data();
    FitSpec spec = spec_of(kind, 1, &seed);
    spec.norm = kind == FIT_LN ? FIT_NORM_CHANNEL : FIT_NORM_UNIT;
    Fit *fit = open_fit(&spec, data);
    run_epochs(fit, 1);
    FitScore score;
    CU_ASSERT_FATAL(fit_score(fit, DATASET_TEST, 0, TEST_BINS, &score, err));
    snprintf(path, sizeof path, "%s/%s.h5", folder(), name);
    CU_ASSERT_FATAL(fit_write_model(fit, path, name, "fitted in a test", err));
    CU_ASSERT(test_near(cc_of_file(path, data, (double)score.bins), score.cc_rate[0], 1e-4));
    fit_destroy(fit);
    dataset_close(data);
}

static void a_written_cnn_answers_as_the_fitted_one(void)
{
    check_model_file(FIT_CNN, "cnn");
}

static void a_written_ln_model_answers_as_the_fitted_one(void)
{
    check_model_file(FIT_LN, "ln");
}

static void a_written_subunit_model_answers_as_the_fitted_one(void)
{
    check_model_file(FIT_SUBUNIT, "subunit");
}

/* Fitted with the spikes that were recorded, played with those it expects: not the same, but it must
 * follow the same light. */
static void a_written_glm_follows_the_light(void)
{
    char path[600], err[MODEL_ERR_BYTES] = "";
    uint32_t seed = 1;
    Dataset *data = open_data();
    FitSpec spec = spec_of(FIT_GLM, 20, &seed);
    Fit *fit = open_fit(&spec, data);
    run_epochs(fit, 20);
    snprintf(path, sizeof path, "%s/glm.h5", folder());
    CU_ASSERT_FATAL(fit_write_model(fit, path, "glm", "fitted in a test", err));
    CU_ASSERT(cc_of_file(path, data, TEST_BINS - LAGS) > 0.5);
    fit_destroy(fit);
    dataset_close(data);
}

static void a_spec_that_cannot_be_fitted_is_refused_with_the_reason(void)
{
    char err[MODEL_ERR_BYTES] = "";
    uint32_t seed = 1;
    Dataset *data = open_data();
    FitSpec spec = spec_of(FIT_CNN, 1, &seed);
    spec.kernel_px[1] = 6;
    CU_ASSERT_PTR_NULL(fit_create(&spec, data, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "layer 2"));
    spec = spec_of(FIT_CNN, 1, &seed);
    spec.batch_runs = 400;
    CU_ASSERT_PTR_NULL(fit_create(&spec, data, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "record longer"));
    dataset_close(data);
}

static const TestCase cases[] = {
    {"a CNN learns what a linear model cannot", a_cnn_learns_what_a_linear_model_cannot},
    {"the seed alone decides, whatever the threads", the_seed_alone_decides_whatever_the_threads},
    {"a fit that was killed and resumed ends as if undisturbed",
     a_fit_that_was_killed_and_resumed_ends_as_if_undisturbed},
    {"a checkpoint of another spec is refused", a_checkpoint_of_another_spec_is_refused},
    {"a written CNN answers as the fitted one", a_written_cnn_answers_as_the_fitted_one},
    {"a written LN model answers as the fitted one", a_written_ln_model_answers_as_the_fitted_one},
    {"a written subunit model answers as the fitted one",
     a_written_subunit_model_answers_as_the_fitted_one},
    {"a written GLM follows the light", a_written_glm_follows_the_light},
    {"a fit on a plateau slows down and ends", a_fit_on_a_plateau_slows_down_and_ends},
    {"fewer minutes leave the rest unread", fewer_minutes_leave_the_rest_unread},
    {"a spec that cannot be fitted is refused with the reason",
     a_spec_that_cannot_be_fitted_is_refused_with_the_reason},
};

int main(void)
{
    return test_main("fit", cases, sizeof cases / sizeof cases[0]);
}
