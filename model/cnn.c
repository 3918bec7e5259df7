#include "model/cnn.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/cnn_file.h"
#include "model/spectra.h"
#include "model/unit_noise.h"

typedef struct {
    ModelFile file;                // owned: names and texts of the info
    CnnUnits image, first, second; // second: no channels in a subunit model
    int history, slots, cells;
    double rate_scale_hz;
    float lum_mean, lum_sd;

    Transform image_in, first_out;  // grid of the image
    Transform first_in, second_out; // grid of the first layer

    float *block;                     // owned: all arrays below
    float *newest_filters;            // packed (1 input): lag 0
    float *recent_filters;            // packed (1 input, 0 if there is no lag 1): lag 1
    float *old_filters;               // packed (old_lags inputs): lags history − 1 … 2
    float *second_filters;            // packed (first.channels inputs)
    float *scale1, *shift1;           // (h1, c1, w1), bias in the shift
    float *scale2, *shift2;           // (h2, c2, w2)
    float *dense;                     // (cells, units of the last layer: h, c, w)
    float *dense_scale, *dense_shift; // (cells)

    float *ring;          // (slots, spectrum of the image), bin b in slot b % slots
    int64_t head, marked; // bins seen
    int old_lags;
    const float **old;     // owned (old_lags): scratch for their spectra
    float *old_sum[2];     // (c1, 2, stride): lags 2 … of bin b in [b % 2]
    int64_t old_sum_of[2]; // the bin it belongs to, -1 for none
    float *past_sum;       // (c1, 2, stride): lags 1 …
    int64_t past_sum_of;   // the bin it belongs to, -1 for none

    float *input;         // (height, 1, width), normalised
    float *sum1, *units1; // (c1, 2, stride), (h1, c1, w1)
    float *spectra1;      // (c1, 2, stride2)
    float *sum2, *units2; // (c2, 2, stride2), (h2, c2, w2)
    float *maps;          // (c1, h1, w1)

    float noise_sd; // added before each ReLU; 0: none
    uint64_t noise_seed;
    UnitNoise *noise; // owned; NULL until noise is asked for
} Cnn;

static bool has_second(const Cnn *cnn)
{
    return cnn->second.channels > 0;
}

static const CnnUnits *last_layer(const Cnn *cnn)
{
    return has_second(cnn) ? &cnn->second : &cnn->first;
}

/* ---- one bin */

static float *ring_slot(const Cnn *cnn, int64_t bin)
{
    // bins before the first count as the mean luminance: slots start as 0
    int64_t slot = (bin + cnn->slots) % cnn->slots;
    return cnn->ring + (size_t)slot * 2 * cnn->image_in.stride;
}

/* The older lags of a bin: known two bins ahead, so that they are off the critical path even where
 * a refresh completes two bins. The order of summation is always the same, from the oldest on. */
static const float *sum_old(Cnn *cnn, int64_t bin)
{
    float *sum = cnn->old_sum[bin % 2];
    if (cnn->old_sum_of[bin % 2] == bin)
        return sum;
    for (int i = 0; i < cnn->old_lags; i++)
        cnn->old[i] = ring_slot(cnn, bin - (cnn->history - 1 - i));
    spectra_correlate(cnn->old_filters, cnn->image_in.stride, cnn->first.channels, cnn->old_lags,
                      cnn->old, NULL, sum);
    cnn->old_sum_of[bin % 2] = bin;
    return sum;
}

static void sum_past(Cnn *cnn)
{
    if (cnn->past_sum_of == cnn->head)
        return;
    spectra_correlate(cnn->recent_filters, cnn->image_in.stride, cnn->first.channels,
                      cnn->history > 1 ? 1 : 0,
                      (const float *const[]){ring_slot(cnn, cnn->head - 1)},
                      sum_old(cnn, cnn->head), cnn->past_sum);
    cnn->past_sum_of = cnn->head;
}

static void cnn_settle(void *state)
{
    Cnn *cnn = state;
    sum_past(cnn);
    sum_old(cnn, cnn->head + 1);
}

/* units := max(0, scale · units + shift) */
static void rectify(size_t count, const float *restrict scale, const float *restrict shift,
                    float *restrict units)
{
    for (size_t i = 0; i < count; i++) {
        float value = scale[i] * units[i] + shift[i];
        units[i] = value > 0 ? value : 0;
    }
}

/* The same with noise in between: with seed, bin and layer the same numbers. */
static void rectify_noisy(const Cnn *cnn, int layer, size_t count, const float *scale,
                          const float *shift, float *units)
{
    for (size_t i = 0; i < count; i++)
        units[i] = scale[i] * units[i] + shift[i];
    unit_noise_add(cnn->noise, cnn->noise_seed + 2 * (uint64_t)cnn->head + (uint64_t)layer,
                   cnn->noise_sd, (int)count, units);
    for (size_t i = 0; i < count; i++)
        units[i] = units[i] > 0 ? units[i] : 0;
}

static void activate(const Cnn *cnn, int layer, size_t count, const float *scale,
                     const float *shift, float *units)
{
    if (cnn->noise_sd > 0)
        rectify_noisy(cnn, layer, count, scale, shift, units);
    else
        rectify(count, scale, shift, units);
}

static void first_layer(Cnn *cnn, const float *lum)
{
    size_t pixels = cnn_units_count(&cnn->image);
    for (size_t i = 0; i < pixels; i++)
        cnn->input[i] = (lum[i] - cnn->lum_mean) / cnn->lum_sd;
    float *newest = ring_slot(cnn, cnn->head);
    transform_forward(&cnn->image_in, 1, cnn->input, newest);
    spectra_correlate(cnn->newest_filters, cnn->image_in.stride, cnn->first.channels, 1,
                      (const float *const[]){newest}, cnn->past_sum, cnn->sum1);
    transform_inverse(&cnn->first_out, cnn->first.channels, cnn->sum1, cnn->units1);
    activate(cnn, 0, cnn_units_count(&cnn->first), cnn->scale1, cnn->shift1, cnn->units1);
}

static void second_layer(Cnn *cnn)
{
    size_t stride = cnn->first_in.stride;
    const float *inputs[CNN_CHANNELS_MAX];
    transform_forward(&cnn->first_in, cnn->first.channels, cnn->units1, cnn->spectra1);
    for (int c = 0; c < cnn->first.channels; c++)
        inputs[c] = cnn->spectra1 + 2 * stride * (size_t)c;
    spectra_correlate(cnn->second_filters, stride, cnn->second.channels, cnn->first.channels,
                      inputs, NULL, cnn->sum2);
    transform_inverse(&cnn->second_out, cnn->second.channels, cnn->sum2, cnn->units2);
    activate(cnn, 1, cnn_units_count(&cnn->second), cnn->scale2, cnn->shift2, cnn->units2);
}

static float softplus(float x)
{
    return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

static void readout(const Cnn *cnn, float *rates_hz)
{
    int units = (int)cnn_units_count(last_layer(cnn));
    const float *values = has_second(cnn) ? cnn->units2 : cnn->units1;
    cblas_sgemv(CblasRowMajor, CblasNoTrans, cnn->cells, units, 1, cnn->dense, units, values, 1, 0,
                rates_hz, 1);
    for (int cell = 0; cell < cnn->cells; cell++)
        rates_hz[cell] = (float)cnn->rate_scale_hz *
                         softplus(cnn->dense_scale[cell] * rates_hz[cell] + cnn->dense_shift[cell]);
}

static void cnn_step(void *state, const float *lum, float *rates_hz)
{
    Cnn *cnn = state;
    sum_past(cnn);
    first_layer(cnn, lum);
    if (has_second(cnn))
        second_layer(cnn);
    readout(cnn, rates_hz);
    cnn->head++;
}

static void cnn_mark(void *state)
{
    Cnn *cnn = state;
    cnn->marked = cnn->head;
}

static void forget_sums(Cnn *cnn)
{
    cnn->old_sum_of[0] = cnn->old_sum_of[1] = cnn->past_sum_of = -1;
}

static void cnn_rewind(void *state)
{
    Cnn *cnn = state;
    if (cnn->head == cnn->marked)
        return;
    cnn->head = cnn->marked;
    forget_sums(cnn);
}

static void cnn_reset(void *state)
{
    Cnn *cnn = state;
    memset(cnn->ring, 0, (size_t)cnn->slots * 2 * cnn->image_in.stride * sizeof *cnn->ring);
    memset(cnn->units1, 0, cnn_units_count(&cnn->first) * sizeof *cnn->units1);
    cnn->head = cnn->marked = 0;
    forget_sums(cnn);
}

static bool cnn_set_noise(void *state, double sd, uint64_t seed)
{
    Cnn *cnn = state;
    if (sd > 0 && cnn->noise == NULL) {
        cnn->noise = malloc(sizeof *cnn->noise);
        if (cnn->noise == NULL)
            return false;
        unit_noise_init(cnn->noise);
    }
    cnn->noise_sd = (float)sd;
    cnn->noise_seed = seed << 32; // room for the bins of one seed
    return true;
}

static void cnn_maps(const void *state, ModelMaps *maps)
{
    const Cnn *cnn = state;
    int channels = cnn->first.channels, height = cnn->first.height, width = cnn->first.width;
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < height; y++)
            memcpy(cnn->maps + (c * height + y) * width, cnn->units1 + (y * channels + c) * width,
                   (size_t)width * sizeof *cnn->maps);
    *maps = (ModelMaps){channels, width, height, cnn->maps};
}

static void cnn_close(void *state)
{
    Cnn *cnn = state;
    if (cnn == NULL)
        return;
    transform_finish(&cnn->image_in);
    transform_finish(&cnn->first_out);
    transform_finish(&cnn->first_in);
    transform_finish(&cnn->second_out);
    free(cnn->block);
    free(cnn->old);
    free(cnn->noise);
    model_file_finish(&cnn->file);
    free(cnn);
}

static const ModelInterface cnn_interface = {
    .step = cnn_step,
    .settle = cnn_settle,
    .mark = cnn_mark,
    .rewind = cnn_rewind,
    .reset = cnn_reset,
    .maps = cnn_maps,
    .set_noise = cnn_set_noise,
    .close = cnn_close,
};

/* ---- from the file */

static bool init_transforms(Cnn *cnn)
{
    const CnnUnits *image = &cnn->image, *first = &cnn->first, *second = &cnn->second;
    if (!transform_init(&cnn->image_in, image->height, image->width, image->height, image->width,
                        1) ||
        !transform_init(&cnn->first_out, image->height, image->width, first->height, first->width,
                        first->channels))
        return false;
    if (!has_second(cnn))
        return true;
    return transform_init(&cnn->first_in, first->height, first->width, first->height, first->width,
                          first->channels) &&
           transform_init(&cnn->second_out, first->height, first->width, second->height,
                          second->width, second->channels);
}

static bool allocate(Cnn *cnn)
{
    size_t stride1 = cnn->image_in.stride, stride2 = cnn->first_in.stride;
    int c1 = cnn->first.channels, c2 = cnn->second.channels;
    size_t units1 = cnn_units_count(&cnn->first), units2 = cnn_units_count(&cnn->second);
    size_t cells = (size_t)cnn->cells;
    size_t sum2 = has_second(cnn) ? transform_spectrum_count(&cnn->first_in, c2) : 0;
    size_t spectra1 = has_second(cnn) ? transform_spectrum_count(&cnn->first_in, c1) : 0;
    const ModelArray arrays[] = {
        {&cnn->newest_filters, spectra_packed_count(stride1, c1, 1)},
        {&cnn->recent_filters, spectra_packed_count(stride1, c1, 1)},
        {&cnn->old_filters, spectra_packed_count(stride1, c1, cnn->old_lags)},
        {&cnn->second_filters, spectra_packed_count(stride2, c2, c1)},
        {&cnn->scale1, units1},
        {&cnn->shift1, units1},
        {&cnn->scale2, units2},
        {&cnn->shift2, units2},
        {&cnn->dense, cells * cnn_units_count(last_layer(cnn))},
        {&cnn->dense_scale, cells},
        {&cnn->dense_shift, cells},
        {&cnn->ring, (size_t)cnn->slots * 2 * stride1},
        {&cnn->old_sum[0], transform_spectrum_count(&cnn->image_in, c1)},
        {&cnn->old_sum[1], transform_spectrum_count(&cnn->image_in, c1)},
        {&cnn->past_sum, transform_spectrum_count(&cnn->image_in, c1)},
        {&cnn->input, cnn_units_count(&cnn->image)},
        {&cnn->sum1, transform_spectrum_count(&cnn->image_in, c1)},
        {&cnn->units1, units1},
        {&cnn->spectra1, spectra1},
        {&cnn->sum2, sum2},
        {&cnn->units2, units2},
        {&cnn->maps, units1},
    };
    cnn->block = model_alloc_arrays(arrays, sizeof arrays / sizeof arrays[0]);
    cnn->old = calloc((size_t)cnn->history, sizeof *cnn->old);
    return cnn->block != NULL && cnn->old != NULL;
}

static void load_units(Cnn *cnn, const ModelFile *file)
{
    size_t bytes = (size_t)cnn->cells * sizeof(float);
    cnn_file_units(file, 1, &cnn->first, cnn->scale1, cnn->shift1);
    if (has_second(cnn))
        cnn_file_units(file, 2, &cnn->second, cnn->scale2, cnn->shift2);
    cnn_file_dense(file, last_layer(cnn), cnn->dense);
    memcpy(cnn->dense_scale, model_file_find(file, "dense_scale")->values, bytes);
    memcpy(cnn->dense_shift, model_file_find(file, "dense_shift")->values, bytes);
}

static bool load(Cnn *cnn, const ModelFile *file)
{
    const ModelTensor *conv1 = model_file_find(file, "conv1_weight");
    const ModelTensor *conv2 = has_second(cnn) ? model_file_find(file, "conv2_weight") : NULL;
    int newest = cnn->history - 1, first_channels = cnn->first.channels;
    if (!init_transforms(cnn) || !allocate(cnn) ||
        !cnn_file_pack(conv1, &cnn->image_in, newest, 1, cnn->newest_filters) ||
        !cnn_file_pack(conv1, &cnn->image_in, newest - 1, newest > 0, cnn->recent_filters) ||
        !cnn_file_pack(conv1, &cnn->image_in, 0, cnn->old_lags, cnn->old_filters) ||
        (conv2 && !cnn_file_pack(conv2, &cnn->first_in, 0, first_channels, cnn->second_filters)))
        return false;
    load_units(cnn, file);
    cnn_reset(cnn);
    return true;
}

bool cnn_model_open(ModelFile *file, ModelParts *parts, char *err)
{
    Cnn *cnn = calloc(1, sizeof *cnn);
    if (cnn == NULL)
        return model_refuse(err, "%s: not enough memory for this model", file->path);
    cnn->history = file->info.history_bins;
    cnn->old_lags = cnn->history > 2 ? cnn->history - 2 : 0;
    cnn->slots = cnn->history + MODEL_MAX_REWIND_BINS;
    cnn->cells = file->info.cells;
    cnn->rate_scale_hz = file->rate_scale_hz;
    cnn->lum_mean = (float)file->info.lum_mean;
    cnn->lum_sd = (float)file->info.lum_sd;
    CnnLayers layers;
    bool is_good = cnn_file_check(file, &layers, err);
    cnn->image = layers.image;
    cnn->first = layers.first;
    cnn->second = layers.second;
    if (is_good && !load(cnn, file))
        is_good = model_refuse(err, "%s: not enough memory for this model", file->path);
    if (!is_good) {
        cnn_close(cnn);
        return false;
    }
    cnn->file = *file;
    *file = (ModelFile){0};
    *parts = (ModelParts){cnn->file.info, cnn, &cnn_interface};
    return true;
}
