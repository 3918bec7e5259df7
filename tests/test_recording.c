#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <png.h>

#include "app/mix.h"
#include "app/recording.h"
#include "model/dataset.h"

enum { SIDE = 50, POINTS = SIDE * SIDE };

static const char spec_text[] =
    "name: tiny\nseed: 7\nminutes: 0.2\ntest_minutes: 0.05\ntest_repeats: 3\nsegment_s: 1\n"
    "field: {width_px: 50, height_px: 50, um_per_px: 50}\n"
    "mix: {natural: 1, noise: 1, full_field: 1, objects: 1, flashes: 1}\n"
    "classes:\n"
    "  - {name: full, off: 1, on_fast: 1.57, on_slow: 0.6409, "
    "threshold: 0.001146, alpha_hz: 353, pool_um: 144}\n"
    "cells: [{name: one, class: full, x_um: 25, y_um: 25}]\n";

static const char *folder(void)
{
    static char path[512];
    if (!*path)
        snprintf(path, sizeof path, "%s", test_folder("recording"));
    return path;
}

static Retina *load_text(const char *text, char *err)
{
    char path[600];
    snprintf(path, sizeof path, "%s/spec.yaml", folder());
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
    return retina_load(path, err);
}

static const char *recorded(const char *name, int64_t seed, RecordingSummary *summary)
{
    static char path[600];
    char err[RECORDING_ERR_BYTES];
    atomic_bool stop = false;
    bool is_input;
    Retina *retina = load_text(spec_text, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(retina);
    retina->seed = seed;
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    RecordingOrder order = {.retina = retina, .path = path, .stop = &stop};
    CU_ASSERT_FATAL(recording_make(&order, summary, &is_input, err));
    retina_destroy(retina);
    return path;
}

enum { TRAIN_BINS = 1200 };

typedef struct {
    float lum[100 * POINTS], binned[TRAIN_BINS], rate_hz[TRAIN_BINS];
} Read;

static Read *read_back(const char *path)
{
    char err[MODEL_ERR_BYTES];
    Read *read = malloc(sizeof *read);
    Dataset *set = dataset_open(path, err);
    CU_ASSERT_FATAL(read != NULL && set != NULL);
    CU_ASSERT(dataset_read_lum(set, DATASET_TRAIN, 0, 100, read->lum, err));
    CU_ASSERT(dataset_read_response(set, DATASET_TRAIN, DATASET_BINNED, 0, TRAIN_BINS, read->binned,
                                    err));
    CU_ASSERT(
        dataset_read_response(set, DATASET_TRAIN, DATASET_RATE, 0, TRAIN_BINS, read->rate_hz, err));
    dataset_close(set);
    return read;
}

static void the_same_seed_makes_the_same_recording(void)
{
    RecordingSummary summary;
    Read *one = read_back(recorded("one.h5", 7, &summary));
    CU_ASSERT(summary.train_bins == TRAIN_BINS && summary.test_bins == 300);
    CU_ASSERT_FALSE(summary.was_stopped);
    Read *again = read_back(recorded("again.h5", 7, &summary));
    Read *other = read_back(recorded("other.h5", 8, &summary));
    CU_ASSERT(memcmp(one, again, sizeof *one) == 0);
    CU_ASSERT(memcmp(one->lum, other->lum, sizeof one->lum) != 0);
    CU_ASSERT(memcmp(one->binned, other->binned, sizeof one->binned) != 0);
    free(one);
    free(again);
    free(other);
}

/* The circuit, shown what the file says was shown, gives the rate the file says. */
static void the_stored_rate_is_the_circuits_answer_to_the_stored_stimulus(void)
{
    RecordingSummary summary;
    char err[RECORDING_ERR_BYTES];
    Read *read = read_back(recorded("truth.h5", 7, &summary));
    Retina *retina = load_text(spec_text, err);
    CircuitCell cell;
    CircuitSpec spec;
    CU_ASSERT_FATAL(recording_circuit(retina, &spec, &cell, err));
    Circuit *circuit = circuit_create(&spec, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(circuit);
    for (int bin = 0; bin < 100; bin++) {
        float rate_hz;
        circuit_step(circuit, read->lum + bin * POINTS, &rate_hz);
        CU_ASSERT(test_near((double)read->rate_hz[bin], (double)rate_hz, 1e-3));
    }
    circuit_destroy(circuit);
    retina_destroy(retina);
    free(read);
}

/* Spikes are Poisson draws of the rate: their sum is within five SD of its integral. */
static void spikes_add_up_to_the_rate(void)
{
    RecordingSummary summary;
    Read *read = read_back(recorded("sum.h5", 3, &summary));
    double spikes = 0.0, wanted = 0.0;
    for (int bin = 0; bin < TRAIN_BINS; bin++) {
        spikes += (double)read->binned[bin];
        wanted += (double)read->rate_hz[bin] / 100.0;
    }
    CU_ASSERT(wanted > 5.0);
    CU_ASSERT(test_near(spikes, wanted, 5.0 * sqrt(wanted)));
    CU_ASSERT(test_near(summary.mean_rate_hz, wanted * 100.0 / TRAIN_BINS, 1e-3));
    free(read);
}

static void stop_at_once(void *stop, int64_t done, int64_t total)
{
    (void)done;
    (void)total;
    atomic_store((atomic_bool *)stop, true);
}

static void a_stopped_recording_keeps_what_is_done(void)
{
    char err[RECORDING_ERR_BYTES], path[600];
    atomic_bool stop = false;
    bool is_input;
    RecordingSummary summary;
    Retina *retina = load_text(spec_text, err);
    snprintf(path, sizeof path, "%s/stopped.h5", folder());
    RecordingOrder order = {.retina = retina,
                            .path = path,
                            .stop = &stop,
                            .progress = stop_at_once,
                            .progress_ctx = &stop};
    CU_ASSERT(recording_make(&order, &summary, &is_input, err));
    CU_ASSERT(summary.was_stopped && summary.train_bins == 0);
    Dataset *set = dataset_open(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    CU_ASSERT(summary.test_bins > 0);
    CU_ASSERT_EQUAL(dataset_bins(set, DATASET_TEST), summary.test_bins);
    CU_ASSERT_EQUAL(dataset_bins(set, DATASET_TRAIN), 0);
    dataset_close(set);
    retina_destroy(retina);
}

static void a_blocked_mechanism_is_zero_in_the_circuit(void)
{
    char err[RECORDING_ERR_BYTES], text[sizeof spec_text + 64];
    snprintf(text, sizeof text, "blocked: [no-crossover, no-gain-off]\n%s", spec_text);
    Retina *retina = load_text(text, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(retina);
    CircuitCell cell;
    CircuitSpec spec;
    CU_ASSERT_FATAL(recording_circuit(retina, &spec, &cell, err));
    CU_ASSERT(test_near((double)spec.params.pathway[CIRCUIT_ON_FAST].wi, 0.0, 0.0));
    CU_ASSERT(test_near((double)spec.params.pathway[CIRCUIT_ON_SLOW].wi, 0.0, 0.0));
    CU_ASSERT(test_near((double)spec.params.pathway[CIRCUIT_OFF].h, 0.0, 0.0));
    CU_ASSERT(spec.params.ww > 0.0f);
    retina_destroy(retina);
}

/* What `simulate` records by default is what the model "circuit" plays. */
static void the_shipped_preparation_is_the_built_in_circuit(void)
{
    char err[RECORDING_ERR_BYTES] = "";
    Retina *retina = retina_load("config/simulated-retina.yaml", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(retina);
    CircuitCell preset[CIRCUIT_PRESET_CELLS], cells[CIRCUIT_PRESET_CELLS];
    CircuitSpec built_in = circuit_preset(preset);
    CU_ASSERT_EQUAL_FATAL(retina_cells(retina), CIRCUIT_PRESET_CELLS);
    CircuitSpec shipped;
    CU_ASSERT_FATAL(recording_circuit(retina, &shipped, cells, err));
    CU_ASSERT(memcmp(&shipped.params, &built_in.params, sizeof built_in.params) == 0);
    for (int i = 0; i < CIRCUIT_PRESET_CELLS; i++) {
        CU_ASSERT_STRING_EQUAL(cells[i].name, preset[i].name);
        CU_ASSERT(test_near((double)cells[i].x_um, (double)preset[i].x_um, 0.0));
        CU_ASSERT(test_near((double)cells[i].y_um, (double)preset[i].y_um, 0.0));
        CU_ASSERT(memcmp(cells[i].w, preset[i].w, sizeof cells[i].w) == 0);
        CU_ASSERT(test_near((double)cells[i].thg, (double)preset[i].thg, 0.0));
        CU_ASSERT(test_near((double)cells[i].alpha_hz, (double)preset[i].alpha_hz, 0.0));
        CU_ASSERT(test_near((double)cells[i].sg_um, (double)preset[i].sg_um, 0.0));
    }
    retina_destroy(retina);
}

/* Loading fails, with `says` in the sentence, when `was` of the spec is replaced. */
static void refuses(const char *was, const char *is, const char *says)
{
    char err[RECORDING_ERR_BYTES] = "", text[2 * sizeof spec_text];
    const char *at = strstr(spec_text, was);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - spec_text), spec_text, is, at + strlen(was));
    CU_ASSERT_PTR_NULL(load_text(text, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, says));
}

static void a_wrong_spec_is_refused_with_its_line(void)
{
    refuses("minutes: 0.2\n", "", "spec.yaml:1: minutes");
    refuses("alpha_hz: 353", "alpha_hz: -53", "spec.yaml:10: classes[0].alpha_hz");
    refuses("class: full", "class: other", "spec.yaml:11: cells[0].class: other is none of");
    refuses("cells:",
            "  - {name: full, off: 1, on_fast: 1, on_slow: 1, threshold: 0, alpha_hz: 1, "
            "pool_um: 9}\ncells:",
            "spec.yaml:11: classes[1].name: full is another class");
    refuses("cells: [{name: one, class: full, x_um: 25, y_um: 25}]", "", "0 cells");
    refuses("seed: 7", "seed: 7\nspiking: regular", "spec.yaml:3");
    refuses(
        "cells:",
        "lattice: {sites: 0, x_um: 0, y_um: 0, spacing_um: 9, jitter_um: 0, spread: 0, seed: 1}\n"
        "cells:",
        "spec.yaml:11: lattice.sites");
}

static void the_shares_of_the_mix_hold(void)
{
    MixSpec spec = {.share = {[MIX_FULL_FIELD] = 3.0, [MIX_NOISE] = 1.0},
                    .segment_s = 1.0,
                    .seed = 1,
                    .raster = {SIDE, SIDE, 50.0},
                    .bin_hz = 100.0};
    char err[MIX_ERR_BYTES];
    Mix *mix = mix_create(&spec, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mix);
    static uint8_t levels[POINTS];
    int uniform = 0, bins = 2000;
    for (int bin = 0; bin < bins; bin++) {
        CU_ASSERT_FATAL(mix_next(mix, levels, err));
        int differing = 0;
        for (int i = 1; i < POINTS; i++)
            differing += levels[i] != levels[0];
        uniform += differing == 0;
    }
    CU_ASSERT(test_near((double)uniform / bins, 0.75, 0.01));
    mix_destroy(mix);
}

/* A picture that changes from left to right only. */
static void write_stripes(const char *name, int side)
{
    char path[600];
    uint8_t *levels = malloc((size_t)side * (size_t)side);
    CU_ASSERT_PTR_NOT_NULL_FATAL(levels);
    for (int i = 0; i < side * side; i++)
        levels[i] = (uint8_t)(128.0 + 100.0 * sin(0.1 * (i % side)));
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (unsigned)side,
                       .height = (unsigned)side,
                       .format = PNG_FORMAT_GRAY};
    CU_ASSERT_FATAL(png_image_write_to_file(&image, path, 0, levels, 0, NULL));
    free(levels);
}

static void photographs_are_looked_at_instead_of_leaves(void)
{
    char err[MIX_ERR_BYTES] = "";
    MixSpec spec = {.share = {[MIX_NATURAL] = 1.0},
                    .segment_s = 0.5,
                    .seed = 1,
                    .raster = {SIDE, SIDE, 50.0},
                    .bin_hz = 100.0,
                    .photographs = folder()};
    write_stripes("stripes.png", 6 * SIDE + 50);
    Mix *mix = mix_create(&spec, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mix);
    static uint8_t levels[POINTS];
    double mean = 0.0;
    int bins = 500, differing = 0, most = 0;
    for (int bin = 0; bin < bins; bin++) {
        CU_ASSERT_FATAL(mix_next(mix, levels, err));
        for (int i = 0; i < POINTS; i++) {
            differing += abs(levels[i] - levels[i % SIDE]) > 1;
            most = abs(levels[i] - levels[0]) > most ? abs(levels[i] - levels[0]) : most;
            mean += (double)levels[i] / DATASET_LEVEL_WHITE / POINTS / bins;
        }
    }
    CU_ASSERT_EQUAL(differing, 0);
    CU_ASSERT(most > 40);
    CU_ASSERT(test_near(mean, 0.5, 0.03));
    mix_destroy(mix);
    write_stripes("small.png", 6 * SIDE - 1);
    CU_ASSERT_PTR_NULL(mix_create(&spec, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "small.png: a photograph of 299 by 299 px"));
}

static const TestCase cases[] = {
    {"the same seed makes the same recording", the_same_seed_makes_the_same_recording},
    {"the stored rate is the circuit's answer to the stored stimulus",
     the_stored_rate_is_the_circuits_answer_to_the_stored_stimulus},
    {"spikes add up to the rate", spikes_add_up_to_the_rate},
    {"a stopped recording keeps what is done", a_stopped_recording_keeps_what_is_done},
    {"a blocked mechanism is zero in the circuit", a_blocked_mechanism_is_zero_in_the_circuit},
    {"the shipped preparation is the built-in circuit",
     the_shipped_preparation_is_the_built_in_circuit},
    {"a wrong spec is refused with its line", a_wrong_spec_is_refused_with_its_line},
    {"photographs are looked at instead of leaves", photographs_are_looked_at_instead_of_leaves},
    {"the shares of the mix hold", the_shares_of_the_mix_hold},
};

int main(void)
{
    return test_main("recording", cases, sizeof cases / sizeof cases[0]);
}
