/* Models scored against data sets whose truth is known, by the real program. */
#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "app/eval.h"
#include "render/philox.h"
#include "tests/program.h"
#include "tests/random_model.h"

enum { WIDTH = 12, HEIGHT = 10, PIXELS = WIDTH * HEIGHT, CELLS = 3, BINS = 2500, REPEATS = 4 };
static const double bin_hz = 100.0;

static char folder[512];
static ProgramResult result;

static int shell(const char *command)
{
    char line[2048];
    snprintf(line, sizeof line, "cd %s && %s", folder, command);
    program_run(line, &result);
    return result.status;
}

static bool complains(const char *command, const char *words)
{
    return shell(command) == 2 && strstr(result.err, words);
}

static json_t *summary(void)
{
    json_t *root = json_loads(result.out, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    return root;
}

static double number(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static RandomShape small(void)
{
    return (RandomShape){
        .width = WIDTH, .height = HEIGHT, .history = 6, .lag = 1, .cells = CELLS, .bin_hz = bin_hz};
}

/* name.h5, changed where a case wants it. */
static void write_model(const char *name, RandomShape shape, const char *const *cells)
{
    RandomModel model;
    random_ln(&model, &shape, 31);
    for (int i = 0; i < model.arrays_count; i++)
        for (int k = 0; i == 0 && k < shape.cells * shape.history * shape.width * shape.height; k++)
            model.arrays[i][k] *= 3.0f;
    for (int cell = 0; cells && cell < shape.cells; cell++)
        model.names[cell] = cells[cell];
    snprintf(model.file.info.name, sizeof model.file.info.name, "%s", name);
    random_model_save(&model, folder);
    random_model_finish(&model);
}

static uint8_t level_at(int bin, int pixel)
{
    PhiloxCounter at = {{(uint32_t)bin, (uint32_t)pixel, 0, 5}};
    double z = philox_normal(philox(at, (PhiloxKey){{1, 0}}).words[0]);
    return (uint8_t)lrint(fmin(254.0, fmax(0.0, 127.0 + 60.0 * z)));
}

static uint8_t spikes_at(int bin, int repeat, int cell, double mean)
{
    int count = -1;
    double product = 1.0;
    for (uint32_t draw = 0; product > exp(-mean); count++, draw++) {
        PhiloxCounter at = {{(uint32_t)bin, (uint32_t)(repeat * 64 + cell), draw, 6}};
        product *= philox_uniform(philox(at, (PhiloxKey){{1, 0}}).words[0]);
    }
    return (uint8_t)count;
}

/* rates_hz (BINS, CELLS) of the model below, in the bin that they are meant for. */
static void predict(const uint8_t *levels, float *rates_hz)
{
    char path[1024], err[MODEL_ERR_BYTES];
    snprintf(path, sizeof path, "%s/truth.h5", folder);
    Model *model = model_open(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    float lum[PIXELS];
    for (int bin = 0; bin + 1 < BINS; bin++) {
        for (int i = 0; i < PIXELS; i++)
            lum[i] = (float)levels[bin * PIXELS + i] / (float)DATASET_LEVEL_WHITE;
        model_step(model, lum, rates_hz + (bin + 1) * CELLS);
        model_settle(model);
    }
    model_close(model);
}

/* What the model in truth.h5 would do, with responses that come `late` bins later than it says. */
static void write_data(const char *name, int late, const char *const *cells, bool has_test)
{
    char path[1024], err[MODEL_ERR_BYTES];
    uint8_t *levels = malloc((size_t)BINS * PIXELS), *spikes = calloc(BINS, CELLS * REPEATS);
    uint8_t *single = calloc(BINS, CELLS);
    float *rates = calloc((size_t)BINS * CELLS, sizeof *rates),
          *shifted = calloc((size_t)BINS, CELLS * 4);
    CU_ASSERT_FATAL(levels && spikes && single && rates && shifted);
    for (int bin = 0; bin < BINS; bin++)
        for (int i = 0; i < PIXELS; i++)
            levels[bin * PIXELS + i] = level_at(bin, i);
    predict(levels, rates);
    for (int bin = late > 0 ? late : 0; bin < BINS && bin - late < BINS; bin++)
        for (int cell = 0; cell < CELLS; cell++) {
            double rate_hz = (double)rates[(bin - late) * CELLS + cell];
            shifted[bin * CELLS + cell] = (float)rate_hz;
            single[bin * CELLS + cell] = spikes_at(bin, REPEATS, cell, rate_hz / bin_hz);
            for (int i = 0; i < REPEATS; i++)
                spikes[(bin * REPEATS + i) * CELLS + cell] =
                    spikes_at(bin, i, cell, rate_hz / bin_hz);
        }
    DatasetInfo info = {.name = "made-up",
                        .width_px = WIDTH,
                        .height_px = HEIGHT,
                        .um_per_px = 50.0,
                        .bin_hz = bin_hz,
                        .lum_per_level = 1.0 / DATASET_LEVEL_WHITE,
                        .cells = CELLS,
                        .cell_names = cells,
                        .provenance = "random numbers of a test",
                        .is_simulated = true,
                        .repeats = REPEATS};
    snprintf(path, sizeof path, "%s/%s.h5", folder, name);
    DatasetWriter *writer = dataset_create(path, &info, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    DatasetBlock train = {BINS, levels, shifted, single}, test = {BINS, levels, shifted, spikes};
    CU_ASSERT(dataset_append(writer, DATASET_TRAIN, &train, err));
    CU_ASSERT(!has_test || dataset_append(writer, DATASET_TEST, &test, err));
    CU_ASSERT(dataset_finish(writer, err));
    free(levels);
    free(spikes);
    free(single);
    free(rates);
    free(shifted);
}

static const char *const abc[] = {"a", "b", "c"};

static void circuit_scores_perfectly_on_its_own_recording(void)
{
    char line[2048];
    snprintf(line, sizeof line,
             "sed -e 's/^minutes:.*/minutes: 0.02/' -e 's/^test_minutes:.*/test_minutes: 0.1/' "
             "config/simulated-retina.yaml > %s/short.yaml",
             folder);
    program_run(line, &result);
    CU_ASSERT_EQUAL_FATAL(shell("$RETRACE simulate short.yaml --out retina.h5"), 0);
    CU_ASSERT_EQUAL_FATAL(shell("$RETRACE eval circuit retina.h5 --lag-scan --json -"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "simulated"));
    json_t *root = summary(), *cell;
    CU_ASSERT(json_is_true(json_object_get(root, "is_simulated")));
    size_t i;
    CU_ASSERT(json_array_size(json_object_get(root, "cells")) > 1);
    json_array_foreach(json_object_get(root, "cells"), i, cell)
        CU_ASSERT(test_near(number(cell, "cc_rate"), 1.0, 1e-4));
    json_t *model = json_array_get(json_object_get(root, "models"), 0);
    CU_ASSERT(json_is_true(json_object_get(json_object_get(model, "lag_scan"), "is_right")));
    json_decref(root);
}

static void summary_has_the_scores_of_the_truth(void)
{
    CU_ASSERT_EQUAL_FATAL(shell("$RETRACE eval truth.h5 data.h5 --resamples 100 --json -"), 0);
    json_t *root = summary(), *cells = json_object_get(root, "cells");
    json_t *data = json_object_get(root, "data"), *median = json_object_get(root, "median");
    CU_ASSERT_EQUAL_FATAL(json_array_size(cells), CELLS);
    CU_ASSERT_EQUAL(number(data, "repeats"), REPEATS);
    CU_ASSERT_EQUAL(number(data, "settling_bins"), 6.0 + EVAL_SETTLING_BINS);
    CU_ASSERT_EQUAL(number(data, "bins"), BINS - 6.0 - EVAL_SETTLING_BINS);
    CU_ASSERT_EQUAL(strlen(json_string_value(json_object_get(data, "sha256"))), 64);
    for (int i = 0; i < CELLS; i++) {
        const json_t *cell = json_array_get(cells, (size_t)i);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(cell, "name")), abc[i]);
        CU_ASSERT(test_near(number(cell, "cc_rate"), 1.0, 1e-6));
        CU_ASSERT(test_near(number(cell, "cc_norm"), 1.0, 0.15));
        CU_ASSERT(test_near(number(cell, "fev"), 1.0, 0.3));
        CU_ASSERT(number(cell, "bits_per_spike") > 0.05);
        CU_ASSERT(
            test_near(number(cell, "cc"), number(cell, "cc_norm") * number(cell, "cc_max"), 1e-6));
        CU_ASSERT(number(cell, "cc_norm_low") < number(cell, "cc_norm"));
        CU_ASSERT(number(cell, "cc_norm_high") > number(cell, "cc_norm"));
        CU_ASSERT(test_near(number(cell, "fano"), 1.0, 0.2));
    }
    CU_ASSERT(test_near(number(median, "cc_norm"), 1.0, 0.1));
    json_decref(root);
}

static void stretch_of_the_data_is_predicted_from_what_came_before(void)
{
    CU_ASSERT_EQUAL_FATAL(
        shell("$RETRACE eval truth.h5 data.h5 --from 5 --seconds 10 --resamples 0 --json -"), 0);
    json_t *root = summary(), *data = json_object_get(root, "data");
    CU_ASSERT_EQUAL(number(data, "from_bin"), 500.0);
    CU_ASSERT_EQUAL(number(data, "bins"), 1000.0);
    for (size_t i = 0; i < CELLS; i++) {
        const json_t *cell = json_array_get(json_object_get(root, "cells"), i);
        CU_ASSERT(test_near(number(cell, "cc_rate"), 1.0, 1e-6));
        CU_ASSERT_PTR_NULL(json_object_get(cell, "cc_low"));
    }
    json_decref(root);
}

static void same_seed_gives_the_same_summary(void)
{
    static char first[PROGRAM_OUTPUT_BYTES];
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 data.h5 --resamples 50 --seed 4 --json -"), 0);
    strcpy(first, result.out);
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 data.h5 --resamples 50 --seed 4 --json -"), 0);
    CU_ASSERT_STRING_EQUAL(first, result.out);
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 data.h5 --resamples 50 --seed 5 --json -"), 0);
    CU_ASSERT_STRING_NOT_EQUAL(first, result.out);
}

static void lag_scan_finds_an_off_by_one(void)
{
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 data.h5 --lag-scan"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "the best shift is 0"));
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 late.h5 --lag-scan"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "best 1 bin later"));
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 early.h5 --lag-span 3 --resamples 0"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "best 2 bins earlier"));
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 late.h5 --lag-scan --part train"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "correlation with the response/binned"));
    CU_ASSERT_EQUAL(shell("$RETRACE eval other.h5 data.h5 --lag-scan"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "the lag cannot be told"));
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 late.h5"), 0);
}

static void models_stand_side_by_side(void)
{
    CU_ASSERT_EQUAL_FATAL(
        shell("$RETRACE eval truth.h5 data.h5 --model other.h5 --resamples 100 --json -"), 0);
    json_t *root = summary(), *models = json_object_get(root, "models");
    CU_ASSERT_EQUAL_FATAL(json_array_size(models), 2);
    json_t *ahead = json_object_get(json_array_get(models, 1), "median_less_first");
    CU_ASSERT(number(ahead, "cc_norm") < -0.2);
    CU_ASSERT(number(ahead, "cc_norm_high") < 0.0);
    CU_ASSERT_PTR_NULL(json_object_get(json_array_get(models, 0), "median_less_first"));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "less those of truth"));
    json_decref(root);
}

static void score_without_repeats_is_null_with_its_reason(void)
{
    CU_ASSERT_EQUAL_FATAL(shell("$RETRACE eval truth.h5 data.h5 --part train --json -"), 0);
    json_t *root = summary(), *cell = json_array_get(json_object_get(root, "cells"), 0);
    CU_ASSERT(json_is_null(json_object_get(cell, "cc_norm")));
    const char *why =
        json_string_value(json_object_get(json_object_get(cell, "why_null"), "cc_norm"));
    CU_ASSERT(why && !strcmp(why, "one repeat"));
    CU_ASSERT(number(cell, "cc") > 0.1);
    CU_ASSERT(number(cell, "bits_per_spike") > 0.05);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "of a single run"));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "no fev in 3 cells (a …): one repeat"));
    json_decref(root);
}

static bool open_pair(Eval *eval, const char *model, const char *data)
{
    static char paths[2][1024];
    char err[EVAL_ERR_BYTES];
    snprintf(paths[0], sizeof paths[0], "%s/%s", folder, model);
    snprintf(paths[1], sizeof paths[1], "%s/%s", folder, data);
    EvalRequest request = {.data = paths[1],
                           .models = {paths[0]},
                           .models_count = 1,
                           .part = DATASET_TEST,
                           .block_s = 1.0};
    return eval_open(eval, &request, err);
}

static int model_cell(const char *model, const char *data, int cell)
{
    static Eval eval;
    int found = open_pair(&eval, model, data) ? eval.models[0].model_cell[cell] : -2;
    eval_close(&eval);
    return found;
}

typedef struct {
    atomic_bool stop;
    int64_t at; // bins
} Patience;

static void lose_patience(void *ctx, int64_t done, int64_t total)
{
    Patience *patience = ctx;
    (void)total;
    if (done >= patience->at)
        atomic_store(&patience->stop, true);
}

static void stopped_early_scores_what_there_is(void)
{
    static Eval eval;
    char err[EVAL_ERR_BYTES];
    Patience patience = {.at = 1000}, none = {.at = 1};
    CU_ASSERT_FATAL(open_pair(&eval, "truth.h5", "data.h5"));
    CU_ASSERT_FATAL(eval_predict(&eval, &patience.stop, lose_patience, &patience, err));
    CU_ASSERT(eval.was_stopped && eval.to >= 1000 && eval.to < 1200);
    CU_ASSERT_FATAL(eval_score(&eval, err));
    CU_ASSERT(test_near(eval.models[0].cells[0][SCORE_CC_RATE].value, 1.0, 1e-6));
    eval_close(&eval);
    CU_ASSERT_FATAL(open_pair(&eval, "truth.h5", "data.h5"));
    CU_ASSERT_FALSE(eval_predict(&eval, &none.stop, lose_patience, &none, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "stopped before"));
    eval_close(&eval);
}

static void cells_are_matched_by_name(void)
{
    CU_ASSERT_EQUAL(model_cell("truth.h5", "data.h5", 1), 1);
    CU_ASSERT_EQUAL(model_cell("turned.h5", "data.h5", 0), 2);
    CU_ASSERT_EQUAL(model_cell("turned.h5", "data.h5", 1), 0);
    CU_ASSERT_EQUAL(model_cell("fewer.h5", "data.h5", 0), -1);
    CU_ASSERT_EQUAL(model_cell("fewer.h5", "data.h5", 2), 0);
    CU_ASSERT_EQUAL(model_cell("renamed.h5", "data.h5", 2), 2);
    CU_ASSERT_EQUAL(shell("$RETRACE eval renamed.h5 data.h5 --resamples 0"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "matched by order"));
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 fewer.h5 data.h5 --resamples 0"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "medians of the 1 cell"));
}

static void pairs_that_do_not_fit_are_told(void)
{
    CU_ASSERT(complains("$RETRACE eval wide.h5 data.h5", "sees 13 × 10 px"));
    CU_ASSERT(complains("$RETRACE eval slow.h5 data.h5", "60 bins a second, the data set 100"));
    CU_ASSERT(complains("$RETRACE eval strange.h5 data.h5", "no name is shared"));
    CU_ASSERT(complains("$RETRACE eval truth.h5 untested.h5", "has no test part"));
    CU_ASSERT(complains("$RETRACE eval truth.h5 data.h5 --from 24.5", "the least is 100"));
    CU_ASSERT(complains("$RETRACE eval truth.h5 nothing.h5", "nothing.h5"));
    CU_ASSERT(complains("$RETRACE eval data.h5 truth.h5", "truth.h5"));
    CU_ASSERT(complains("$RETRACE eval data.h5", "which model and which data set"));
    CU_ASSERT(complains("$RETRACE eval", "which model and which data set"));
    CU_ASSERT(complains("$RETRACE eval truth.h5 data.h5 --part both", "allowed: test, train"));
    CU_ASSERT(complains("$RETRACE eval truth.h5 data.h5 --json data.h5", "choose another name"));
}

static void figure_shows_what_was_asked_for(void)
{
    char head[8] = "", path[1024];
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 data.h5 --resamples 0 --figure a.png"), 0);
    snprintf(path, sizeof path, "%s/a.png", folder);
    FILE *file = fopen(path, "rb");
    CU_ASSERT(file && fread(head, 1, 4, file) == 4 && !memcmp(head, "\211PNG", 4));
    if (file)
        fclose(file);
    CU_ASSERT_EQUAL(shell("$RETRACE eval truth.h5 data.h5 --resamples 0 --part train "
                          "--cells c,a --figure-from 3 --figure a.pdf"),
                    0);
    CU_ASSERT(
        complains("$RETRACE eval truth.h5 data.h5 --cells a,x --figure a.png", "x: is not a cell"));
    CU_ASSERT(complains("$RETRACE eval truth.h5 data.h5 --figure-from 24.5 --figure a.png",
                        "--figure-from: 24.5 s"));
    CU_ASSERT(complains("$RETRACE eval truth.h5 data.h5 --cells a,b,c,a,b", "at most 4"));
    CU_ASSERT(complains("$RETRACE eval truth.h5 data.h5 --resamples 0 --figure a.jpg", "a.jpg"));
}

static void models_and_data_sets_are_written(void)
{
    static const char *const turned[] = {"b", "c", "a"}, *const renamed[] = {"x", "y", "z"};
    RandomShape shape = small(), wide = small(), slow = small(), fewer = small(), other = small();
    wide.width = 13;
    slow.bin_hz = 60.0;
    fewer.cells = 1;
    other.history = 5; // the same numbers, cut otherwise
    write_model("truth", shape, NULL);
    write_model("turned", shape, turned);
    write_model("renamed", shape, renamed);
    write_model("wide", wide, NULL);
    write_model("slow", slow, NULL);
    write_model("fewer", fewer, &turned[1]);
    write_model("strange", fewer, renamed);
    write_model("other", other, NULL);
    write_data("data", 0, abc, true);
    write_data("late", 1, abc, true);
    write_data("early", -2, abc, true);
    write_data("untested", 0, abc, false);
}

static const TestCase cases[] = {
    {"models and data sets to try are written", models_and_data_sets_are_written},
    {"the circuit scores perfectly on its own recording",
     circuit_scores_perfectly_on_its_own_recording},
    {"the summary has the scores of the truth", summary_has_the_scores_of_the_truth},
    {"a stretch of the data is predicted from what came before",
     stretch_of_the_data_is_predicted_from_what_came_before},
    {"the same seed gives the same summary", same_seed_gives_the_same_summary},
    {"the lag scan finds an off-by-one", lag_scan_finds_an_off_by_one},
    {"models stand side by side", models_stand_side_by_side},
    {"a score without repeats is null with its reason",
     score_without_repeats_is_null_with_its_reason},
    {"stopped early, it scores what there is", stopped_early_scores_what_there_is},
    {"cells are matched by name", cells_are_matched_by_name},
    {"pairs that do not fit are told", pairs_that_do_not_fit_are_told},
    {"the figure shows what was asked for", figure_shows_what_was_asked_for},
};

int main(void)
{
    snprintf(folder, sizeof folder, "%s", test_folder("eval"));
    return test_main("cli_eval", cases, sizeof cases / sizeof cases[0]);
}
