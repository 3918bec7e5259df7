#include "tests/random_model.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/harness.h"

RandomShape random_shape_published(int cells)
{
    return (RandomShape){.width = 50,
                         .height = 50,
                         .history = 40,
                         .lag = 1,
                         .cells = cells,
                         .bin_hz = 100,
                         .channels1 = 8,
                         .kernel1_width = 15,
                         .kernel1_height = 15,
                         .channels2 = 8,
                         .kernel2_width = 11,
                         .kernel2_height = 11,
                         .is_per_unit = true};
}

void random_fill(uint32_t *state, size_t count, float lowest, float highest, float *values)
{
    for (size_t i = 0; i < count; i++) {
        // the full-period congruence of Numerical Recipes; the upper 24 bits
        *state = *state * 1664525u + 1013904223u;
        values[i] = lowest + (highest - lowest) * (float)(*state >> 8) / 16777216.0f;
    }
}

static void add(RandomModel *model, const char *name, int rank, const int *dims, float lowest,
                float highest)
{
    size_t count = 1;
    for (int axis = 0; axis < rank; axis++)
        count *= (size_t)dims[axis];
    float *values = malloc(count * sizeof *values);
    CU_ASSERT_PTR_NOT_NULL_FATAL(values);
    random_fill(&model->state, count, lowest, highest, values);
    model->arrays[model->arrays_count++] = values;
    model_file_add(&model->file, name, rank, dims, values);
}

static void describe(RandomModel *model, const RandomShape *shape, const char *kind, uint32_t seed)
{
    static const char *const names[RANDOM_MODEL_CELLS_MAX] = {"a", "b", "c", "d",
                                                              "e", "f", "g", "h"};
    *model = (RandomModel){.state = seed};
    for (int cell = 0; cell < shape->cells; cell++)
        model->names[cell] = names[cell];
    model->file.rate_scale_hz = 20;
    model->file.info = (ModelInfo){.width_px = shape->width,
                                   .height_px = shape->height,
                                   .um_per_px = 50,
                                   .bin_hz = shape->bin_hz,
                                   .history_bins = shape->history,
                                   .lag_bins = shape->lag,
                                   .lum_mean = 0.5,
                                   .lum_sd = 0.25,
                                   .cells = shape->cells,
                                   .cell_names = model->names,
                                   .provenance = "random numbers of a test",
                                   .licence = "MIT"};
    snprintf(model->file.info.kind, sizeof model->file.info.kind, "%s", kind);
    snprintf(model->file.info.name, sizeof model->file.info.name, "random-%s", kind);
}

/* One convolution and its batch-norm; units (channels, height, width). */
static void add_layer(RandomModel *model, const RandomShape *s, int number, int inputs,
                      const int *kernel, const int *units)
{
    char names[4][MODEL_TENSOR_NAME_BYTES];
    static const char *const formats[] = {"conv%d_weight", "conv%d_bias", "scale%d", "shift%d"};
    for (int i = 0; i < 4; i++)
        snprintf(names[i], sizeof names[i], formats[i], number);
    int rank = s->is_per_unit ? 3 : 1;
    add(model, names[0], 4, (int[]){units[0], inputs, kernel[0], kernel[1]}, -0.05f, 0.05f);
    add(model, names[1], 1, units, -0.5f, 0.5f);
    add(model, names[2], rank, units, 0.2f, 1);
    add(model, names[3], rank, units, -0.5f, 0.5f);
}

static void add_readout(RandomModel *model, const RandomShape *s, const int *units)
{
    if (s->is_factorised) {
        add(model, "readout_mask", 3, (int[]){s->cells, units[1], units[2]}, -0.3f, 0.3f);
        add(model, "readout_feature", 2, (int[]){s->cells, units[0]}, -0.3f, 0.3f);
    } else {
        add(model, "dense_weight", 2, (int[]){s->cells, units[0] * units[1] * units[2]}, -0.1f,
            0.1f);
    }
    add(model, "dense_scale", 1, &s->cells, 0.5f, 1);
    add(model, "dense_shift", 1, &s->cells, -0.5f, 0.5f);
}

void random_cnn(RandomModel *model, const RandomShape *s, uint32_t seed)
{
    describe(model, s, "cnn", seed);
    const int kernel1[] = {s->kernel1_height, s->kernel1_width};
    const int kernel2[] = {s->kernel2_height, s->kernel2_width};
    const int units1[] = {s->channels1, s->height - kernel1[0] + 1, s->width - kernel1[1] + 1};
    const int units2[] = {s->channels2, units1[1] - kernel2[0] + 1, units1[2] - kernel2[1] + 1};
    add_layer(model, s, 1, s->history, kernel1, units1);
    add_layer(model, s, 2, s->channels1, kernel2, units2);
    add_readout(model, s, units2);
}

void random_subunit(RandomModel *model, const RandomShape *s, uint32_t seed)
{
    describe(model, s, "subunit", seed);
    const int kernel[] = {s->kernel1_height, s->kernel1_width};
    const int units[] = {s->channels1, s->height - kernel[0] + 1, s->width - kernel[1] + 1};
    add_layer(model, s, 1, s->history, kernel, units);
    add_readout(model, s, units);
}

void random_ln(RandomModel *model, const RandomShape *s, uint32_t seed)
{
    describe(model, s, "ln", seed);
    int dims[] = {s->cells, s->history, s->height, s->width};
    add(model, "filter", 4, dims, -0.02f, 0.02f);
    add(model, "offset", 1, dims, -0.5f, 0.5f);
    add(model, "gain", 1, dims, 0.5f, 1);
}

void random_glm(RandomModel *model, const RandomShape *s, int window, int memory_bins,
                uint32_t seed)
{
    describe(model, s, "glm", seed);
    int dims[] = {s->cells, s->history, window, window};
    add(model, "filter", 4, dims, -0.2f, 0.2f);
    static const char *const corners[] = {"filter_left", "filter_top"};
    for (int i = 0; i < 2; i++) {
        add(model, corners[i], 1, dims, 0, 1);
        for (int cell = 0; cell < s->cells; cell++)
            model->arrays[model->arrays_count - 1][cell] = (float)(cell + i);
    }
    add(model, "offset", 1, dims, -0.5f, 0.5f);
    add(model, "gain", 1, dims, 0.5f, 1);
    add(model, "memory", 2, (int[]){s->cells, memory_bins}, -2.0f, 0.5f);
}

void random_reduced(RandomModel *model, const RandomShape *s, int units, int rows, int columns,
                    uint32_t seed)
{
    describe(model, s, "reduced", seed);
    const int weights[] = {s->cells, units};
    add(model, "filter", 4, (int[]){units, s->history, s->kernel1_height, s->kernel1_width}, -0.2f,
        0.2f);
    add(model, "pool", 4, (int[]){s->cells, units, rows, columns}, 0,
        2.0f / (float)(rows * columns));
    add(model, "rise", 2, weights, -2, 2);
    add(model, "rise_threshold", 2, weights, -0.1f, 0.1f);
    add(model, "fall", 2, weights, -2, 2);
    add(model, "fall_threshold", 2, weights, -0.1f, 0.1f);
    add(model, "offset", 1, weights, -0.5f, 0.5f);
    add(model, "channel", 1, &units, 0, 0);
    add(model, "place_um", 1, &units, 0, 0);
    add(model, "spread_um", 1, &units, 0, 0);
}

void random_model_finish(RandomModel *model)
{
    for (int i = 0; i < model->arrays_count; i++)
        free(model->arrays[i]);
    *model = (RandomModel){0};
}

const char *random_model_save(const RandomModel *model, const char *folder)
{
    static char path[1024];
    char err[MODEL_ERR_BYTES];
    snprintf(path, sizeof path, "%s/%s.h5", folder, model->file.info.name);
    if (!model_file_write(path, &model->file, err))
        CU_FAIL_FATAL(err);
    return path;
}
