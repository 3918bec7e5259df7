#include "model/cnn.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/cnn_file.h"
#include "model/cnn_history.h"
#include "model/cnn_readout.h"
#include "model/cnn_uniform.h"
#include "model/unit_noise.h"

typedef struct {
    ModelFile file;                // owned: names and texts of the info
    CnnUnits image, first, second; // second: no channels in a subunit model
    int cells;
    double rate_scale_hz;
    float lum_mean, lum_sd;

    Transform image_in, first_out;  // grid of the image
    Transform first_in, second_out; // grid of the first layer
    CnnHistory history;
    CnnReadout readout;
    CnnUniform uniform;
    bool is_uniform; // units1 are not there: all units of a channel have one drive
    int64_t marked;  // bins seen

    float *block;           // owned: all arrays below
    float *second_filters;  // packed (first.channels inputs)
    float *scale1, *shift1; // (floats of the first layer), bias in the shift
    float *scale2, *shift2; // (floats of the second layer)

    float *input;         // (height, width), normalised
    float *drives1;       // (lanes), where the bin is uniform
    float *units1;        // (h1, w1, lanes)
    float *spectra1;      // (frequencies, 2, lanes) of the grid of the first layer
    float *sum2, *units2; // (frequencies, 2, lanes), (h2, w2, lanes)
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

static void cnn_settle(void *state)
{
    cnn_history_settle(&((Cnn *)state)->history);
}

/* As Kernels.rectify, with noise in between: with seed, bin and layer the same numbers. */
static void rectify_noisy(const Cnn *cnn, int layer, size_t count, const float *scale,
                          const float *shift, float *units)
{
    for (size_t i = 0; i < count; i++)
        units[i] = scale[i] * units[i] + shift[i];
    unit_noise_add(cnn->noise, cnn->noise_seed + 2 * (uint64_t)cnn->history.head + (uint64_t)layer,
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
        kernels()->rectify(count, scale, shift, units);
}

/* Whether every row is like the first: a full field, or an upright bar. */
static bool is_even_along_y(const CnnUnits *image, const float *lum)
{
    size_t row = (size_t)image->width * sizeof *lum;
    for (int y = 1; y < image->height; y++)
        if (memcmp(lum, lum + y * image->width, row) != 0)
            return false;
    return true;
}

/* Whether the first row is like its first pixel. */
static bool is_even_along_x(const CnnUnits *image, const float *lum)
{
    return memcmp(lum, lum + 1, (size_t)(image->width - 1) * sizeof *lum) == 0;
}

/* The image's spectrum into the history; of how many frequencies. */
static int transform_image(Cnn *cnn, const float *lum)
{
    Transform *grid = &cnn->image_in;
    float *spectrum = cnn_history_next(&cnn->history);
    bool is_even = is_even_along_y(&cnn->image, lum);
    bool is_uniform = is_even && is_even_along_x(&cnn->image, lum);
    int pixels = is_uniform ? 1 : is_even ? cnn->image.width : cnn->image.width * cnn->image.height;
    for (int i = 0; i < pixels; i++)
        cnn->input[i] = (lum[i] - cnn->lum_mean) / cnn->lum_sd;
    if (is_uniform)
        transform_forward_constant(grid, cnn->input[0], spectrum);
    else if (is_even)
        transform_forward_row(grid, cnn->input, spectrum);
    else
        transform_forward_plane(grid, cnn->input, spectrum);
    return is_uniform ? 1 : is_even ? grid->columns : grid->frequencies;
}

/* The mean over the grid, at frequency 0, is then all there is. */
static void take_drives(Cnn *cnn)
{
    const Transform *grid = &cnn->image_in;
    for (int c = 0; c < cnn->first.channels; c++)
        cnn->drives1[c] = cnn->history.sum.values[c] / (float)(grid->height * grid->width);
}

static void first_layer(Cnn *cnn, const float *lum)
{
    cnn_history_add(&cnn->history, transform_image(cnn, lum));
    int extent = cnn->history.sum.extent;
    cnn->is_uniform = extent <= 1 && cnn_uniform_is_there(&cnn->uniform) && cnn->noise_sd <= 0;
    if (cnn->is_uniform) {
        take_drives(cnn);
        return;
    }
    if (extent <= cnn->image_in.columns)
        transform_inverse_rows(&cnn->first_out, cnn->history.sum.values, cnn->units1);
    else
        transform_inverse(&cnn->first_out, cnn->history.sum.values, cnn->units1);
    activate(cnn, 0, cnn_units_floats(&cnn->first), cnn->scale1, cnn->shift1, cnn->units1);
}

static void convolve_second(Cnn *cnn)
{
    const float *inputs[CNN_CHANNELS_MAX];
    transform_forward(&cnn->first_in, cnn->units1, cnn->spectra1);
    for (int c = 0; c < cnn->first.channels; c++)
        inputs[c] = cnn->spectra1 + c;
    kernels()->correlate(&(KernelCorrelation){.filters = cnn->second_filters,
                                              .inputs = cnn->first.channels,
                                              .lanes = cnn->second_out.lanes,
                                              .x = inputs,
                                              .x_step = 2 * cnn->first_in.lanes,
                                              .im_step = cnn->first_in.lanes,
                                              .bins = 1,
                                              .sums = (float *const[]){cnn->sum2}},
                         0, cnn->first_in.frequencies);
    transform_inverse(&cnn->second_out, cnn->sum2, cnn->units2);
}

static void second_layer(Cnn *cnn)
{
    if (cnn->is_uniform)
        cnn_uniform_sum(&cnn->uniform, cnn->drives1, cnn->units2);
    else
        convolve_second(cnn);
    activate(cnn, 1, cnn_units_floats(&cnn->second), cnn->scale2, cnn->shift2, cnn->units2);
}

static float softplus(float x)
{
    return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

static void readout(Cnn *cnn, float *rates_hz)
{
    cnn_readout_drive(&cnn->readout, has_second(cnn) ? cnn->units2 : cnn->units1, rates_hz);
    for (int cell = 0; cell < cnn->cells; cell++)
        rates_hz[cell] = (float)cnn->rate_scale_hz * softplus(rates_hz[cell]);
}

static void cnn_step(void *state, const float *lum, float *rates_hz)
{
    Cnn *cnn = state;
    first_layer(cnn, lum);
    if (has_second(cnn))
        second_layer(cnn);
    readout(cnn, rates_hz);
}

static void cnn_mark(void *state)
{
    Cnn *cnn = state;
    cnn->marked = cnn->history.head;
}

static void cnn_rewind(void *state)
{
    Cnn *cnn = state;
    cnn_history_rewind(&cnn->history, cnn->marked);
}

static void cnn_reset(void *state)
{
    Cnn *cnn = state;
    cnn_history_reset(&cnn->history);
    cnn->is_uniform = false;
    memset(cnn->units1, 0, cnn_units_floats(&cnn->first) * sizeof *cnn->units1);
    cnn->marked = 0;
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

static float unit_of(const Cnn *cnn, int unit, int channel)
{
    if (!cnn->is_uniform)
        return cnn->units1[unit];
    float value = cnn->scale1[unit] * cnn->drives1[channel] + cnn->shift1[unit];
    return value > 0 ? value : 0;
}

static void cnn_maps(const void *state, ModelMaps *maps)
{
    const Cnn *cnn = state;
    int channels = cnn->first.channels, height = cnn->first.height, width = cnn->first.width;
    int places = height * width, lanes = transform_lanes(channels);
    for (int c = 0; c < channels; c++)
        for (int place = 0; place < places; place++)
            cnn->maps[c * places + place] = unit_of(cnn, place * lanes + c, c);
    *maps = (ModelMaps){channels, width, height, cnn->maps};
}

static void cnn_close(void *state)
{
    Cnn *cnn = state;
    if (cnn == NULL)
        return;
    cnn_history_finish(&cnn->history);
    cnn_readout_finish(&cnn->readout);
    cnn_uniform_finish(&cnn->uniform);
    transform_finish(&cnn->image_in);
    transform_finish(&cnn->first_out);
    transform_finish(&cnn->first_in);
    transform_finish(&cnn->second_out);
    free(cnn->block);
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
                        0) ||
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
    int c1 = cnn->first.channels, c2 = cnn->second.channels;
    size_t units1 = cnn_units_floats(&cnn->first), units2 = cnn_units_floats(&cnn->second);
    const Transform *grid = &cnn->first_in; // zeroed in a subunit model, and so are the counts
    const ModelArray arrays[] = {
        {&cnn->second_filters, cnn_packed_count(grid, c2, c1)},
        {&cnn->scale1, units1},
        {&cnn->shift1, units1},
        {&cnn->scale2, units2},
        {&cnn->shift2, units2},
        {&cnn->input, cnn_units_count(&cnn->image)},
        {&cnn->drives1, (size_t)transform_lanes(c1)},
        {&cnn->units1, units1},
        {&cnn->spectra1, transform_spectrum_count(grid, grid->lanes)},
        {&cnn->sum2, transform_spectrum_count(grid, cnn->second_out.lanes)},
        {&cnn->units2, units2},
        {&cnn->maps, cnn_units_count(&cnn->first)},
    };
    cnn->block = model_alloc_arrays(arrays, sizeof arrays / sizeof arrays[0]);
    return cnn->block != NULL;
}

static bool load(Cnn *cnn, const ModelFile *file)
{
    const ModelTensor *conv2 = has_second(cnn) ? model_file_find(file, "conv2_weight") : NULL;
    if (!init_transforms(cnn) || !allocate(cnn) ||
        !cnn_history_init(&cnn->history, &cnn->image_in, model_file_find(file, "conv1_weight")) ||
        (conv2 &&
         !cnn_file_pack(conv2, &cnn->first_in, 0, cnn->first.channels, cnn->second_filters)) ||
        !cnn_readout_init(&cnn->readout, file, last_layer(cnn)))
        return false;
    cnn_file_units(file, 1, &cnn->first, cnn->scale1, cnn->shift1);
    if (conv2) {
        cnn_file_units(file, 2, &cnn->second, cnn->scale2, cnn->shift2);
        if (!cnn_uniform_init(&cnn->uniform, conv2, &cnn->first, &cnn->second, cnn->scale1,
                              cnn->shift1))
            return false;
    }
    cnn_reset(cnn);
    return true;
}

bool cnn_model_open(ModelFile *file, ModelParts *parts, char *err)
{
    Cnn *cnn = calloc(1, sizeof *cnn);
    if (cnn == NULL)
        return model_refuse(err, "%s: not enough memory for this model", file->path);
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
