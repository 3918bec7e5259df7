#include "model/cnn_file.h"

#include <stdlib.h>
#include <string.h>

#include "model/cnn.h"

static const char *const layer_names[2][4] = {{"conv1_weight", "conv1_bias", "scale1", "shift1"},
                                              {"conv2_weight", "conv2_bias", "scale2", "shift2"}};

size_t cnn_units_count(const CnnUnits *units)
{
    return (size_t)units->channels * (size_t)units->height * (size_t)units->width;
}

size_t cnn_units_floats(const CnnUnits *units)
{
    return (size_t)units->height * (size_t)units->width * (size_t)transform_lanes(units->channels);
}

/* ---- shapes */

/* The weights of one convolution, and what its output units look like. */
static bool check_convolution(const ModelFile *file, const char *name, int inputs,
                              const CnnUnits *from, CnnUnits *to, char *err)
{
    const ModelTensor *kernel = model_file_need(file, name, 4, (const int[]){0, inputs, 0, 0}, err);
    if (kernel == NULL)
        return false;
    *to = (CnnUnits){kernel->dims[0], from->height - kernel->dims[2] + 1,
                     from->width - kernel->dims[3] + 1};
    if (to->channels > CNN_CHANNELS_MAX)
        return model_refuse(err, "%s: dataset %s has %d channels; allowed are 1 to %d", file->path,
                            name, to->channels, CNN_CHANNELS_MAX);
    if (to->height >= 1 && to->width >= 1)
        return true;
    return model_refuse(
        err, "%s: dataset %s has kernels of %d × %d px; allowed are at most %d × %d", file->path,
        name, kernel->dims[2], kernel->dims[3], from->height, from->width);
}

/* (channels) or (channels, height, width) */
static bool check_units(const ModelFile *file, const char *name, const CnnUnits *units, char *err)
{
    const ModelTensor *tensor = model_file_find(file, name);
    if (tensor != NULL && tensor->rank == 1)
        return model_file_need(file, name, 1, &units->channels, err) != NULL;
    const int dims[] = {units->channels, units->height, units->width};
    return model_file_need(file, name, 3, dims, err) != NULL;
}

static bool check_layer(const ModelFile *file, int layer, int inputs, const CnnUnits *from,
                        CnnUnits *to, char *err)
{
    const char *const *names = layer_names[layer - 1];
    return check_convolution(file, names[0], inputs, from, to, err) &&
           model_file_need(file, names[1], 1, &to->channels, err) &&
           check_units(file, names[2], to, err) && check_units(file, names[3], to, err);
}

bool cnn_file_is_factorised(const ModelFile *file)
{
    return model_file_find(file, "readout_mask") != NULL;
}

static bool check_readout(const ModelFile *file, const CnnUnits *last, char *err)
{
    int cells = file->info.cells;
    if (cnn_file_is_factorised(file))
        return model_file_need(file, "readout_mask", 3,
                               (const int[]){cells, last->height, last->width}, err) &&
               model_file_need(file, "readout_feature", 2, (const int[]){cells, last->channels},
                               err);
    return model_file_need(file, "dense_weight", 2,
                           (const int[]){cells, (int)cnn_units_count(last)}, err);
}

bool cnn_file_check(const ModelFile *file, CnnLayers *layers, char *err)
{
    const ModelInfo *info = &file->info;
    bool has_second = strcmp(info->kind, "cnn") == 0;
    *layers = (CnnLayers){.image = {1, info->height_px, info->width_px}};
    if (!check_layer(file, 1, info->history_bins, &layers->image, &layers->first, err) ||
        (has_second &&
         !check_layer(file, 2, layers->first.channels, &layers->first, &layers->second, err)))
        return false;
    const CnnUnits *last = has_second ? &layers->second : &layers->first;
    return check_readout(file, last, err) &&
           model_file_need(file, "dense_scale", 1, &info->cells, err) &&
           model_file_need(file, "dense_shift", 1, &info->cells, err);
}

/* ---- kernels */

size_t cnn_packed_count(const Transform *grid, int outputs, int inputs)
{
    return transform_spectrum_count(grid, transform_lanes(outputs)) * (size_t)inputs;
}

/* Puts the spectrum (frequencies, 2) of one kernel in its place; sign −1 conjugates it. */
static void pack_one(const Transform *grid, int outputs, int inputs, int output, int input,
                     float sign, const float *spectrum, float *packed)
{
    size_t blocks = (size_t)transform_lanes(outputs) / KERNEL_LANES;
    size_t block = (size_t)output / KERNEL_LANES, lane = (size_t)output % KERNEL_LANES;
    for (size_t f = 0; f < (size_t)grid->frequencies; f++) {
        float *place = packed +
                       ((f * blocks + block) * (size_t)inputs + (size_t)input) * 2 * KERNEL_LANES +
                       lane;
        place[0] = spectrum[2 * f];
        place[KERNEL_LANES] = sign * spectrum[2 * f + 1];
    }
}

static bool pack(const ModelTensor *kernels, const Transform *grid, int first, int inputs,
                 bool is_back, float *packed)
{
    int outputs = kernels->dims[0], all = kernels->dims[1], height = kernels->dims[2],
        width = kernels->dims[3];
    Transform transform;
    float *spectrum = model_alloc(transform_spectrum_count(grid, 1));
    bool is_ready = transform_init(&transform, grid->height, grid->width, height, width, 0);
    for (int o = 0; is_ready && spectrum != NULL && o < outputs; o++)
        for (int i = first; i < first + inputs; i++) {
            size_t kernel = (size_t)o * (size_t)all + (size_t)i;
            transform_forward_plane(
                &transform, kernels->values + kernel * (size_t)height * (size_t)width, spectrum);
            if (is_back)
                pack_one(grid, all, outputs, i, o, 1, spectrum, packed);
            else
                pack_one(grid, outputs, inputs, o, i - first, -1, spectrum, packed);
        }
    transform_finish(&transform);
    free(spectrum);
    return is_ready && spectrum != NULL;
}

bool cnn_file_pack(const ModelTensor *kernels, const Transform *grid, int first, int inputs,
                   float *packed)
{
    return pack(kernels, grid, first, inputs, false, packed);
}

bool cnn_file_pack_back(const ModelTensor *kernels, const Transform *grid, float *packed)
{
    return pack(kernels, grid, 0, kernels->dims[1], true, packed);
}

/* ---- units */

/* One value a unit, in the order of the layer, from one a unit or one a channel. */
static void spread(const ModelTensor *tensor, const CnnUnits *units, float *values)
{
    int lanes = transform_lanes(units->channels);
    for (int y = 0; y < units->height; y++)
        for (int x = 0; x < units->width; x++, values += lanes)
            for (int c = 0; c < units->channels; c++) {
                int unit = (c * units->height + y) * units->width + x;
                values[c] = tensor->values[tensor->rank == 1 ? c : unit];
            }
}

/* scale · (conv + bias) + shift = scale · conv + (shift + scale · bias) */
static void fold_bias(const float *bias, const CnnUnits *units, const float *scale, float *shift)
{
    int lanes = transform_lanes(units->channels);
    for (int place = 0; place < units->height * units->width;
         place++, scale += lanes, shift += lanes)
        for (int c = 0; c < units->channels; c++)
            shift[c] += scale[c] * bias[c];
}

void cnn_file_units(const ModelFile *file, int layer, const CnnUnits *units, float *scale,
                    float *shift)
{
    const char *const *names = layer_names[layer - 1];
    spread(model_file_find(file, names[2]), units, scale);
    spread(model_file_find(file, names[3]), units, shift);
    fold_bias(model_file_find(file, names[1])->values, units, scale, shift);
}

/* (cells, places, lanes) */
static void multiply_factors(const ModelFile *file, const CnnUnits *last, float *dense)
{
    const float *masks = model_file_find(file, "readout_mask")->values;
    const float *features = model_file_find(file, "readout_feature")->values;
    int places = last->height * last->width, lanes = transform_lanes(last->channels);
    for (int i = 0; i < file->info.cells * places; i++, dense += lanes)
        for (int c = 0; c < last->channels; c++)
            dense[c] = masks[i] * features[i / places * last->channels + c];
}

void cnn_file_dense(const ModelFile *file, const CnnUnits *last, float *dense)
{
    size_t units = cnn_units_count(last);
    ModelTensor row = {.rank = 3};
    if (cnn_file_is_factorised(file)) {
        multiply_factors(file, last, dense);
        return;
    }
    for (size_t cell = 0; cell < (size_t)file->info.cells; cell++) {
        row.values = model_file_find(file, "dense_weight")->values + cell * units;
        spread(&row, last, dense + cell * cnn_units_floats(last));
    }
}
