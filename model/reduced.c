#include "model/reduced.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/kind.h"

typedef struct {
    ModelFile file; // owned
    ReducedAxis axis;
    int units, cells, history, slots, places;
    float lum_mean, lum_sd;
    const float *filter; // (units, history, places), of the file
    const float *rise, *rise_threshold, *fall, *fall_threshold; // (cells, units), of the file
    const float *offset;                                        // (cells), of the file
    float *ring;          // owned (2 · slots, places): bin b at b % slots and again
                          // at b % slots + slots, so that a window lies in one piece
    int64_t head, marked; // bins seen
} Reduced;

void reduced_average(ReducedAxis axis, const float *lum, int height, int width, float *means)
{
    int places = axis.rows * axis.columns;
    float share = (float)places / (float)(height * width);
    memset(means, 0, (size_t)places * sizeof *means);
    for (int y = 0; y < height; y++) {
        const float *row = lum + y * width;
        if (axis.columns > 1) {
            for (int x = 0; x < width; x++)
                means[x] += row[x];
            continue;
        }
        float sum = 0;
        for (int x = 0; x < width; x++)
            sum += row[x];
        means[axis.rows > 1 ? y : 0] += sum;
    }
    for (int i = 0; i < places; i++)
        means[i] *= share;
}

static float softplus(float x)
{
    return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

static float rate_of(const Reduced *reduced, int cell, const float *outputs)
{
    float sum = reduced->offset[cell];
    for (int u = 0, i = cell * reduced->units; u < reduced->units; u++, i++) {
        float above = outputs[u] - reduced->rise_threshold[i];
        float below = reduced->fall_threshold[i] - outputs[u];
        sum += reduced->rise[i] * fmaxf(above, 0) + reduced->fall[i] * fmaxf(below, 0);
    }
    return (float)reduced->file.rate_scale_hz * softplus(sum);
}

static void reduced_step(void *state, const float *lum, float *rates_hz)
{
    Reduced *reduced = state;
    const ModelInfo *info = &reduced->file.info;
    size_t places = (size_t)reduced->places, slots = (size_t)reduced->slots;
    size_t slot = (size_t)(reduced->head % reduced->slots);
    float outputs[REDUCED_UNITS_MAX];
    float *newest = reduced->ring + slot * places;
    reduced_average(reduced->axis, lum, info->height_px, info->width_px, newest);
    for (size_t i = 0; i < places; i++)
        newest[i] = (newest[i] - reduced->lum_mean) / reduced->lum_sd;
    memcpy(newest + slots * places, newest, places * sizeof *newest);
    reduced->head++;
    const float *window =
        reduced->ring +
        (size_t)((reduced->head + reduced->slots - reduced->history) % reduced->slots) * places;
    int taps = reduced->history * reduced->places;
    cblas_sgemv(CblasRowMajor, CblasNoTrans, reduced->units, taps, 1, reduced->filter, taps, window,
                1, 0, outputs, 1);
    for (int cell = 0; cell < reduced->cells; cell++)
        rates_hz[cell] = rate_of(reduced, cell, outputs);
}

static void reduced_mark(void *state)
{
    Reduced *reduced = state;
    reduced->marked = reduced->head;
}

static void reduced_rewind(void *state)
{
    Reduced *reduced = state;
    reduced->head = reduced->marked;
}

static void reduced_reset(void *state)
{
    Reduced *reduced = state;
    size_t count = 2 * (size_t)reduced->slots * (size_t)reduced->places;
    memset(reduced->ring, 0, count * sizeof *reduced->ring);
    reduced->head = reduced->marked = 0;
}

static void reduced_close(void *state)
{
    Reduced *reduced = state;
    if (reduced == NULL)
        return;
    free(reduced->ring);
    model_file_finish(&reduced->file);
    free(reduced);
}

static const ModelInterface reduced_interface = {
    .step = reduced_step,
    .mark = reduced_mark,
    .rewind = reduced_rewind,
    .reset = reduced_reset,
    .close = reduced_close,
};

/* ---- from the file */

static bool check_axis(const ModelFile *file, const ModelTensor *filter, char *err)
{
    int rows = filter->dims[2], columns = filter->dims[3];
    int height = file->info.height_px, width = file->info.width_px;
    if ((rows == 1 && (columns == 1 || columns == width)) || (rows == height && columns == 1))
        return true;
    return model_refuse(err,
                        "%s: dataset filter is over %d × %d means of the image; allowed are 1 × 1, "
                        "1 × %d and %d × 1",
                        file->path, rows, columns, width, height);
}

bool reduced_check(const ModelFile *file, char *err)
{
    const int any[] = {0, file->info.history_bins, 0, 0};
    const ModelTensor *filter = model_file_need(file, "filter", 4, any, err);
    if (filter == NULL || !check_axis(file, filter, err))
        return false;
    int units = filter->dims[0];
    if (units > REDUCED_UNITS_MAX)
        return model_refuse(err, "%s: dataset filter has %d units; allowed are 1 to %d", file->path,
                            units, REDUCED_UNITS_MAX);
    const int weights[] = {file->info.cells, units};
    return model_file_need(file, "rise", 2, weights, err) &&
           model_file_need(file, "rise_threshold", 2, weights, err) &&
           model_file_need(file, "fall", 2, weights, err) &&
           model_file_need(file, "fall_threshold", 2, weights, err) &&
           model_file_need(file, "offset", 1, weights, err) &&
           model_file_need(file, "channel", 1, &units, err) &&
           model_file_need(file, "place_um", 1, &units, err);
}

static const float *values_of(const Reduced *reduced, const char *name)
{
    return model_file_find(&reduced->file, name)->values;
}

static void load(Reduced *reduced)
{
    const ModelTensor *filter = model_file_find(&reduced->file, "filter");
    reduced->filter = filter->values;
    reduced->rise = values_of(reduced, "rise");
    reduced->rise_threshold = values_of(reduced, "rise_threshold");
    reduced->fall = values_of(reduced, "fall");
    reduced->fall_threshold = values_of(reduced, "fall_threshold");
    reduced->offset = values_of(reduced, "offset");
    reduced->lum_mean = (float)reduced->file.info.lum_mean;
    reduced->lum_sd = (float)reduced->file.info.lum_sd;
}

static void measure(Reduced *reduced, const ModelFile *file)
{
    const ModelTensor *filter = model_file_find(file, "filter");
    reduced->axis = (ReducedAxis){filter->dims[2], filter->dims[3]};
    reduced->units = filter->dims[0];
    reduced->cells = file->info.cells;
    reduced->history = file->info.history_bins;
    reduced->slots = reduced->history + MODEL_MAX_REWIND_BINS;
    reduced->places = filter->dims[2] * filter->dims[3];
}

bool reduced_model_open(ModelFile *file, ModelParts *parts, char *err)
{
    if (!reduced_check(file, err))
        return false;
    Reduced *reduced = calloc(1, sizeof *reduced);
    if (reduced != NULL) {
        measure(reduced, file);
        reduced->ring = model_alloc(2 * (size_t)reduced->slots * (size_t)reduced->places);
    }
    if (reduced == NULL || reduced->ring == NULL) {
        reduced_close(reduced);
        return model_refuse(err, "%s: not enough memory for this model", file->path);
    }
    reduced->file = *file;
    *file = (ModelFile){0};
    load(reduced);
    *parts = (ModelParts){reduced->file.info, reduced, &reduced_interface};
    return true;
}
