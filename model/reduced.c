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
    int units, cells, history, slots, means, taps, places; // means = taps + places − 1
    int frequencies;                                       // of a line of means: means / 2 + 1
    float lum_mean, lum_sd;
    const float *pool; // (cells, units, places), of the file
    const float *rise, *rise_threshold, *fall, *fall_threshold; // (cells, units), of the file
    const float *offset;                                        // (cells), of the file
    float *block;                                               // owned: the arrays below
    float *kernel;        // (units, history, 2, frequencies): real and imaginary parts
    float *forward;       // (2, frequencies, means)
    float *inverse;       // (2, frequencies, places)
    float *line;          // (means): of the newest bin
    float *ring;          // (2 · slots, 2, frequencies): bin b at b % slots and again
                          // at b % slots + slots, so that a window lies in one piece
    float *products;      // (units, 2, frequencies)
    float *outputs;       // (units, places)
    int64_t head, marked; // bins seen
} Reduced;

/* In as many sums at a time as a processor adds at once. */
static float sum_of(const float *values, int count)
{
    enum { SUMS = 16 };
    float sums[SUMS] = {0}, sum = 0;
    int i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (int k = 0; k < SUMS; k++)
            sums[k] += values[i + k];
    for (int k = 0; k < SUMS; k++)
        sum += sums[k];
    for (; i < count; i++)
        sum += values[i];
    return sum;
}

static void sum_columns(const float *restrict lum, int height, int width, float *restrict sums)
{
    memset(sums, 0, (size_t)width * sizeof *sums);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            sums[x] += lum[y * width + x];
}

void reduced_average(ReducedAxis axis, const float *lum, int height, int width, float *means)
{
    int count = axis.rows * axis.columns;
    float share = (float)count / (float)(height * width);
    if (axis.columns > 1)
        sum_columns(lum, height, width, means);
    else
        for (int row = 0; row < axis.rows; row++)
            means[row] = sum_of(lum + row * width, height * width / axis.rows);
    for (int i = 0; i < count; i++)
        means[i] *= share;
}

static float softplus(float x)
{
    return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

/* sums += line · conj(kernel), frequency by frequency. */
static void add_product(int frequencies, const float *restrict line, const float *restrict kernel,
                        float *restrict sums)
{
    const float *line_i = line + frequencies, *kernel_i = kernel + frequencies;
    float *restrict sums_i = sums + frequencies;
    for (int k = 0; k < frequencies; k++) {
        sums[k] += line[k] * kernel[k] + line_i[k] * kernel_i[k];
        sums_i[k] += line_i[k] * kernel[k] - line[k] * kernel_i[k];
    }
}

/* A correlation along the axis, as a product of spectra: a quarter of the work. The places that kernels reach do
 * not wrap around. */
static void filter_window(Reduced *r, const float *window)
{
    int count = 2 * r->frequencies;
    memset(r->products, 0, (size_t)(r->units * count) * sizeof *r->products);
    for (int u = 0; u < r->units; u++)
        for (int i = 0; i < r->history; i++)
            add_product(r->frequencies, window + i * count,
                        r->kernel + (u * r->history + i) * count, r->products + u * count);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, r->units, r->places, count, 1,
                r->products, count, r->inverse, r->places, 0, r->outputs, r->places);
}

static float rate_of(const Reduced *r, int cell)
{
    float sum = r->offset[cell];
    const float *pool = r->pool + cell * r->units * r->places, *output = r->outputs;
    for (int u = 0, i = cell * r->units; u < r->units; u++, i++) {
        float above = 0, below = 0;
        for (int p = 0; p < r->places; p++, pool++, output++) {
            float over = *output - r->rise_threshold[i], under = r->fall_threshold[i] - *output;
            above += *pool * (over > 0 ? over : 0);
            below += *pool * (under > 0 ? under : 0);
        }
        sum += r->rise[i] * above + r->fall[i] * below;
    }
    return (float)r->file.rate_scale_hz * softplus(sum);
}

static void reduced_step(void *state, const float *lum, float *rates_hz)
{
    Reduced *r = state;
    const ModelInfo *info = &r->file.info;
    int count = 2 * r->frequencies;
    float *newest = r->ring + (int)(r->head % r->slots) * count;
    reduced_average(r->axis, lum, info->height_px, info->width_px, r->line);
    for (int i = 0; i < r->means; i++)
        r->line[i] = (r->line[i] - r->lum_mean) / r->lum_sd;
    cblas_sgemv(CblasRowMajor, CblasNoTrans, count, r->means, 1, r->forward, r->means, r->line, 1,
                0, newest, 1);
    memcpy(newest + r->slots * count, newest, (size_t)count * sizeof *newest);
    r->head++;
    filter_window(r, r->ring + (int)((r->head + r->slots - r->history) % r->slots) * count);
    for (int cell = 0; cell < r->cells; cell++)
        rates_hz[cell] = rate_of(r, cell);
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
    size_t count = 4 * (size_t)reduced->slots * (size_t)reduced->frequencies;
    memset(reduced->ring, 0, count * sizeof *reduced->ring);
    reduced->head = reduced->marked = 0;
}

static void reduced_close(void *state)
{
    Reduced *reduced = state;
    if (reduced == NULL)
        return;
    free(reduced->block);
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

/* The means that kernels of a filter reach from the places of a pool. */
static ReducedAxis axis_of(const ModelTensor *filter, const ModelTensor *pool)
{
    return (ReducedAxis){filter->dims[2] + pool->dims[2] - 1, filter->dims[3] + pool->dims[3] - 1};
}

static bool check_axis(const ModelFile *file, const ModelTensor *filter, const ModelTensor *pool,
                       char *err)
{
    ReducedAxis axis = axis_of(filter, pool);
    int rows = axis.rows, columns = axis.columns;
    int height = file->info.height_px, width = file->info.width_px;
    if ((rows == 1 && (columns == 1 || columns == width)) || (rows == height && columns == 1))
        return true;
    return model_refuse(
        err,
        "%s: datasets filter and pool are over %d × %d means of the image; allowed are 1 × 1, "
        "1 × %d and %d × 1",
        file->path, rows, columns, width, height);
}

bool reduced_check(const ModelFile *file, char *err)
{
    const int any[] = {0, file->info.history_bins, 0, 0};
    const ModelTensor *filter = model_file_need(file, "filter", 4, any, err);
    if (filter == NULL)
        return false;
    int units = filter->dims[0];
    if (units > REDUCED_UNITS_MAX)
        return model_refuse(err, "%s: dataset filter has %d units; allowed are 1 to %d", file->path,
                            units, REDUCED_UNITS_MAX);
    const int weights[] = {file->info.cells, units}, places[] = {file->info.cells, units, 0, 0};
    const ModelTensor *pool = model_file_need(file, "pool", 4, places, err);
    return pool != NULL && check_axis(file, filter, pool, err) &&
           model_file_need(file, "rise", 2, weights, err) &&
           model_file_need(file, "rise_threshold", 2, weights, err) &&
           model_file_need(file, "fall", 2, weights, err) &&
           model_file_need(file, "fall_threshold", 2, weights, err) &&
           model_file_need(file, "offset", 1, weights, err) &&
           model_file_need(file, "channel", 1, &units, err) &&
           model_file_need(file, "place_um", 1, &units, err) &&
           model_file_need(file, "spread_um", 1, &units, err);
}

static const float *values_of(const Reduced *reduced, const char *name)
{
    return model_file_find(&reduced->file, name)->values;
}

static double turn(const Reduced *reduced, int k, int x)
{
    const double circle = 6.283185307179586;
    return circle * (k * x % reduced->means) / reduced->means;
}

static void make_transforms(Reduced *r)
{
    for (int k = 0; k < r->frequencies; k++) {
        double weight = (k == 0 || 2 * k == r->means ? 1.0 : 2.0) / r->means;
        for (int x = 0; x < r->means; x++) {
            r->forward[k * r->means + x] = (float)cos(turn(r, k, x));
            r->forward[(r->frequencies + k) * r->means + x] = (float)-sin(turn(r, k, x));
        }
        for (int place = 0; place < r->places; place++) {
            r->inverse[k * r->places + place] = (float)(weight * cos(turn(r, k, place)));
            r->inverse[(r->frequencies + k) * r->places + place] =
                (float)(-weight * sin(turn(r, k, place)));
        }
    }
}

/* kernel (2, frequencies) := the spectrum of taps. */
static void transform_taps(const Reduced *r, const float *taps, float *kernel)
{
    for (int k = 0; k < r->frequencies; k++) {
        double re = 0, im = 0;
        for (int tap = 0; tap < r->taps; tap++) {
            re += (double)taps[tap] * cos(turn(r, k, tap));
            im -= (double)taps[tap] * sin(turn(r, k, tap));
        }
        kernel[k] = (float)re;
        kernel[r->frequencies + k] = (float)im;
    }
}

static void load(Reduced *reduced)
{
    const float *filter = values_of(reduced, "filter");
    make_transforms(reduced);
    for (int i = 0; i < reduced->units * reduced->history; i++)
        transform_taps(reduced, filter + i * reduced->taps,
                       reduced->kernel + i * 2 * reduced->frequencies);
    reduced->pool = values_of(reduced, "pool");
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
    const ModelTensor *filter = model_file_find(file, "filter"),
                      *pool = model_file_find(file, "pool");
    reduced->axis = axis_of(filter, pool);
    reduced->units = filter->dims[0];
    reduced->cells = file->info.cells;
    reduced->history = file->info.history_bins;
    reduced->slots = reduced->history + MODEL_MAX_REWIND_BINS;
    reduced->means = reduced->axis.rows * reduced->axis.columns;
    reduced->frequencies = reduced->means / 2 + 1;
    reduced->taps = filter->dims[2] * filter->dims[3];
    reduced->places = pool->dims[2] * pool->dims[3];
}

static bool allocate(Reduced *reduced)
{
    size_t units = (size_t)reduced->units, means = (size_t)reduced->means,
           places = (size_t)reduced->places, count = 2 * (size_t)reduced->frequencies;
    const ModelArray arrays[] = {
        {&reduced->kernel, units * (size_t)reduced->history * count},
        {&reduced->forward, count * means},
        {&reduced->inverse, count * places},
        {&reduced->line, means},
        {&reduced->ring, 2 * (size_t)reduced->slots * count},
        {&reduced->products, units * count},
        {&reduced->outputs, units * places},
    };
    reduced->block = model_alloc_arrays(arrays, sizeof arrays / sizeof arrays[0]);
    return reduced->block != NULL;
}

bool reduced_model_open(ModelFile *file, ModelParts *parts, char *err)
{
    if (!reduced_check(file, err))
        return false;
    Reduced *reduced = calloc(1, sizeof *reduced);
    if (reduced != NULL)
        measure(reduced, file);
    if (reduced == NULL || !allocate(reduced)) {
        reduced_close(reduced);
        return model_refuse(err, "%s: not enough memory for this model", file->path);
    }
    reduced->file = *file;
    *file = (ModelFile){0};
    load(reduced);
    *parts = (ModelParts){reduced->file.info, reduced, &reduced_interface};
    return true;
}
