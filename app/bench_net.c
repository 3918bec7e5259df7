#include "app/bench_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/draws.h"
#include "model/weights.h"

enum { STREAM_BENCH = 240, ARRAYS_MAX = 12, NAME_BYTES = 8, FOLDER_SIZE = 256, PATH_SIZE = 280 };
static const double BIN_HZ = 100, UM_PER_PX = 50;

static bool refuse(char *err, const char *why)
{
    snprintf(err, MODEL_ERR_BYTES, "%s", why);
    return false;
}

static bool make_folder(char *folder, char *err)
{
    const char *below = getenv("TMPDIR");
    below = below && *below ? below : "/tmp";
    int length = snprintf(folder, FOLDER_SIZE, "%s/retrace-bench-XXXXXX", below);
    if (length > 0 && length < FOLDER_SIZE && mkdtemp(folder))
        return true;
    snprintf(err, MODEL_ERR_BYTES,
             "%.200s: no temporary folder can be made here; TMPDIR says where", below);
    folder[0] = '\0';
    return false;
}

static void file_in(const char *folder, char *path)
{
    snprintf(path, PATH_SIZE, "%s/bench.h5", folder);
}

static void remove_folder(const char *folder)
{
    char path[PATH_SIZE];
    file_in(folder, path);
    remove(path);
    rmdir(folder);
}

/* ---- networks */

typedef struct {
    ModelFile file; // borrows all below
    float *arrays[ARRAYS_MAX];
    int count;
    char (*names)[NAME_BYTES]; // owned (cells)
    const char **cell_names;   // owned (cells)
    Draws draws;
    bool has_memory;
} Random;

/* Uniform around the middle. */
static void add(Random *r, const char *name, int rank, const int *dims, double middle, double half)
{
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    float *values = malloc(count * sizeof *values);
    r->has_memory = r->has_memory && values;
    if (!values)
        return;
    for (size_t i = 0; i < count; i++)
        values[i] = (float)draw_between(&r->draws, middle - half, middle + half);
    r->arrays[r->count++] = values;
    model_file_add(&r->file, name, rank, dims, values);
}

/* Weights whose sum over `inputs` inputs of variance 1 has variance 1. */
static double half_width(double inputs)
{
    return sqrt(3 / inputs);
}

static void add_layer(Random *r, int number, int inputs, int kernel, const int *units)
{
    static const char *const names[2][4] = {{"conv1_weight", "conv1_bias", "scale1", "shift1"},
                                            {"conv2_weight", "conv2_bias", "scale2", "shift2"}};
    const char *const *name = names[number - 1];
    add(r, name[0], 4, (int[]){units[0], inputs, kernel, kernel}, 0,
        half_width((double)inputs * kernel * kernel));
    add(r, name[1], 1, units, 0, 0.1);
    add(r, name[2], 3, units, 1, 0.2);
    add(r, name[3], 3, units, 0, 0.5);
}

static void name_cells(Random *r, int cells)
{
    r->names = calloc((size_t)cells, sizeof *r->names);
    r->cell_names = calloc((size_t)cells, sizeof *r->cell_names);
    r->has_memory = r->names && r->cell_names;
    for (int c = 0; r->has_memory && c < cells; c++) {
        snprintf(r->names[c], NAME_BYTES, "c%d", c % 10000);
        r->cell_names[c] = r->names[c];
    }
}

static int count_of(const int *units)
{
    return units[0] * units[1] * units[2];
}

static void fill(Random *r, const BenchNet *net)
{
    const int *c = net->channels, *k = net->kernel_px;
    const int first[] = {c[0], net->height_px - k[0] + 1, net->width_px - k[0] + 1};
    const int second[] = {c[1], first[1] - k[1] + 1, first[2] - k[1] + 1};
    const int *last = c[1] > 0 ? second : first;
    add_layer(r, 1, net->history_bins, k[0], first);
    if (c[1] > 0)
        add_layer(r, 2, c[0], k[1], second);
    if (net->is_factorised) {
        add(r, "readout_mask", 3, (int[]){net->cells, last[1], last[2]}, 0,
            half_width(last[1] * last[2]));
        add(r, "readout_feature", 2, (int[]){net->cells, last[0]}, 0, half_width(last[0]));
    } else {
        add(r, "dense_weight", 2, (int[]){net->cells, count_of(last)}, 0,
            half_width(count_of(last)));
    }
    add(r, "dense_scale", 1, &net->cells, 1, 0.2);
    add(r, "dense_shift", 1, &net->cells, 0, 0.5);
}

static void random_make(Random *r, const BenchNet *net)
{
    *r = (Random){.draws = draws_start(1, STREAM_BENCH, 0)};
    name_cells(r, net->cells);
    r->file = (ModelFile){.rate_scale_hz = 20,
                          .info = {.name = "random",
                                   .kind = "cnn",
                                   .width_px = net->width_px,
                                   .height_px = net->height_px,
                                   .um_per_px = UM_PER_PX,
                                   .bin_hz = BIN_HZ,
                                   .history_bins = net->history_bins,
                                   .lag_bins = 1,
                                   .lum_mean = 0.5,
                                   .lum_sd = 0.5,
                                   .cells = net->cells,
                                   .cell_names = r->cell_names,
                                   .provenance = "random weights, for timing alone",
                                   .licence = "MIT",
                                   .is_simulated = true}};
    if (net->channels[1] == 0)
        snprintf(r->file.info.kind, sizeof r->file.info.kind, "subunit");
    if (r->has_memory)
        fill(r, net);
}

static void random_finish(Random *r)
{
    for (int i = 0; i < r->count; i++)
        free(r->arrays[i]);
    free(r->names);
    free(r->cell_names);
}

/* A model wants its file; the folder is removed again by the caller. */
static bool write_net(const BenchNet *net, char *folder, char *path, char *err)
{
    Random random;
    if (!make_folder(folder, err))
        return false;
    file_in(folder, path);
    random_make(&random, net);
    bool ok = random.has_memory ? model_file_write(path, &random.file, err)
                                : refuse(err, "not enough memory for a network to time");
    random_finish(&random);
    if (!ok)
        remove_folder(folder);
    return ok;
}

Model *bench_net_open(const BenchNet *net, char *err)
{
    char folder[FOLDER_SIZE], path[PATH_SIZE];
    if (!write_net(net, folder, path, err))
        return NULL;
    Model *model = model_open(path, err);
    remove_folder(folder);
    return model;
}

Attribution *bench_net_attribution(const BenchNet *net, char *err)
{
    char folder[FOLDER_SIZE], path[PATH_SIZE];
    ModelFile file;
    if (!write_net(net, folder, path, err))
        return NULL;
    bool is_read = model_file_read(path, &file, err);
    remove_folder(folder);
    Attribution *attribution = is_read ? attribution_open(&file, err) : NULL;
    if (is_read)
        model_file_finish(&file);
    return attribution;
}

/* ---- what is shown */

static bool is_light(BenchStimulus stimulus, int frame, int x, int width_px, Draws *draws)
{
    enum { BAR_PX = 4 };
    if (stimulus == BENCH_BARS)
        return (x - frame % width_px + width_px) % width_px < BAR_PX;
    return draw_chance(draws, 0.5);
}

float *bench_frames(int width_px, int height_px, BenchStimulus stimulus)
{
    size_t pixels = (size_t)width_px * (size_t)height_px;
    float *frames = malloc(BENCH_FRAMES * pixels * sizeof *frames);
    Draws draws = draws_start(1, STREAM_BENCH, 1);
    for (int f = 0; frames && f < BENCH_FRAMES; f++) {
        float *frame = frames + (size_t)f * pixels;
        for (size_t i = 0; i < pixels; i++)
            if (i > 0 && stimulus == BENCH_FULL_FIELD)
                frame[i] = frame[0];
            else
                frame[i] = is_light(stimulus, f, (int)(i % (size_t)width_px), width_px, &draws);
    }
    return frames;
}

/* ---- data */

static bool append_part(DatasetWriter *writer, DatasetPart part, const BenchNet *net, int bins,
                        char *err)
{
    size_t values = (size_t)bins * (size_t)(net->width_px * net->height_px);
    size_t answers = (size_t)bins * (size_t)net->cells;
    uint8_t *levels = malloc(values), *spikes = malloc(answers);
    float *rates_hz = malloc(answers * sizeof *rates_hz);
    Draws draws = draws_start(1, STREAM_BENCH, 2 + (uint32_t)part);
    bool ok = levels && spikes && rates_hz;
    for (size_t i = 0; ok && i < values; i++)
        levels[i] = draw_chance(&draws, 0.5) ? DATASET_LEVEL_WHITE : 0;
    for (size_t i = 0; ok && i < answers; i++) {
        rates_hz[i] = (float)draw_between(&draws, 0, 20);
        spikes[i] = draw_chance(&draws, 0.1);
    }
    ok = ok ? dataset_append(writer, part, &(DatasetBlock){bins, levels, rates_hz, spikes}, err)
            : refuse(err, "not enough memory for data to time a fit");
    free(levels);
    free(spikes);
    free(rates_hz);
    return ok;
}

static bool write_data(const BenchNet *net, const char *path, int bins, char *err)
{
    enum { TEST_BINS = 100 };
    Random random = {0};
    name_cells(&random, net->cells);
    DatasetInfo info = {.name = "noise",
                        .width_px = net->width_px,
                        .height_px = net->height_px,
                        .um_per_px = UM_PER_PX,
                        .bin_hz = BIN_HZ,
                        .lum_per_level = 1.0 / DATASET_LEVEL_WHITE,
                        .cells = net->cells,
                        .cell_names = random.cell_names,
                        .provenance = "random numbers, for timing alone",
                        .is_simulated = true,
                        .repeats = 1};
    DatasetWriter *writer = random.has_memory ? dataset_create(path, &info, err) : NULL;
    bool ok = writer && append_part(writer, DATASET_TEST, net, TEST_BINS, err) &&
              append_part(writer, DATASET_TRAIN, net, bins, err);
    if (writer && ok)
        ok = dataset_finish(writer, err);
    else if (writer)
        dataset_abandon(writer);
    else if (!random.has_memory)
        refuse(err, "not enough memory for data to time a fit");
    random_finish(&random);
    return ok;
}

Dataset *bench_data_open(const BenchNet *net, int bins, char *err)
{
    char folder[FOLDER_SIZE], path[PATH_SIZE];
    if (!make_folder(folder, err))
        return NULL;
    file_in(folder, path);
    Dataset *data = write_data(net, path, bins, err) ? dataset_open(path, err) : NULL;
    remove_folder(folder); // the open file stays readable
    return data;
}
