#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/attribution_parts.h"
#include "model/kind.h"

CnnUnits attribution_units(const Attribution *a)
{
    return a->layers.first;
}

int attribution_cells(const Attribution *a)
{
    return a->cells;
}

static bool init_transforms(Attribution *a)
{
    const CnnUnits *image = &a->layers.image, *first = &a->layers.first;
    const CnnUnits *second = &a->layers.second;
    if (!transform_init(&a->image, image->height, image->width, image->height, image->width,
                        a->history) ||
        !transform_init(&a->first_out, image->height, image->width, first->height, first->width,
                        first->channels))
        return false;
    return !attribution_has_second(a) ||
           (transform_init(&a->first, first->height, first->width, first->height, first->width,
                           first->channels) &&
            transform_init(&a->second_out, first->height, first->width, second->height,
                           second->width, second->channels));
}

static bool allocate(Attribution *a)
{
    int c1 = a->layers.first.channels, c2 = a->layers.second.channels, history = a->history;
    size_t units1 = cnn_units_floats(&a->layers.first), cells = (size_t)a->cells;
    size_t units2 = cnn_units_floats(&a->layers.second), taps = (size_t)(c1 * history);
    size_t pixels = cnn_units_count(&a->layers.image),
           units_out = cnn_units_count(&a->layers.first);
    const Transform *image = &a->image, *first = &a->first; // first: zeroed without a second layer
    size_t lanes = (size_t)transform_lanes(history);
    const ModelArray arrays[] = {
        {&a->filters1, cnn_packed_count(image, c1, history)},
        {&a->filters1_back, cnn_packed_count(image, history, c1)},
        {&a->filters2, cnn_packed_count(first, c2, c1)},
        {&a->filters2_back, cnn_packed_count(first, c1, c2)},
        {&a->kernel_sums, taps},
        {&a->column_sums, taps * (size_t)a->kernel_width},
        {&a->row_sums, taps * (size_t)a->kernel_height},
        {&a->scale1, units1},
        {&a->shift1, units1},
        {&a->scale2, units2},
        {&a->shift2, units2},
        {&a->dense, cells * cnn_units_floats(attribution_last_layer(a))},
        {&a->dense_scale, cells},
        {&a->dense_shift, cells},
        {&a->images, (size_t)history * pixels},
        {&a->spectra, (size_t)history * transform_spectrum_count(image, 1)},
        {&a->uneven_x, (size_t)history},
        {&a->uneven_y, (size_t)history},
        {&a->uneven, (size_t)history},
        {&a->base, units1},
        {&a->slope, units1},
        {&a->drive, units1},
        {&a->units1, units1},
        {&a->units2, units2},
        {&a->back1, units1},
        {&a->back2, units2},
        {&a->sum1, transform_spectrum_count(image, transform_lanes(c1))},
        {&a->sum1_history, transform_spectrum_count(image, (int)lanes)},
        {&a->in2, transform_spectrum_count(first, transform_lanes(c1))},
        {&a->sum2, transform_spectrum_count(first, transform_lanes(c2))},
        {&a->gradients, ATTRIBUTION_STEPS_MAX * units1},
        {&a->mean_gradient, units1},
        {&a->pixels, pixels * lanes},
        {&a->weights_out, units_out},
        {&a->drive_out, units_out},
        {&a->units_out, units_out},
    };
    a->block = model_alloc_arrays(arrays, sizeof arrays / sizeof arrays[0]);
    a->window = calloc((size_t)history, sizeof *a->window);
    return a->block != NULL && a->window != NULL;
}

/* The first kernels summed over their columns, their rows and both. */
static void sum_kernels(Attribution *a, const ModelTensor *kernels)
{
    const float *w = kernels->values;
    for (int kernel = 0; kernel < kernels->dims[0] * kernels->dims[1]; kernel++)
        for (int y = 0; y < a->kernel_height; y++)
            for (int x = 0; x < a->kernel_width; x++, w++) {
                a->kernel_sums[kernel] += *w;
                a->column_sums[kernel * a->kernel_width + x] += *w;
                a->row_sums[kernel * a->kernel_height + y] += *w;
            }
}

static bool load(Attribution *a, const ModelFile *file)
{
    const ModelTensor *conv1 = model_file_find(file, "conv1_weight");
    const ModelTensor *conv2 =
        attribution_has_second(a) ? model_file_find(file, "conv2_weight") : NULL;
    size_t bytes = (size_t)a->cells * sizeof(float);
    a->kernel_height = conv1->dims[2];
    a->kernel_width = conv1->dims[3];
    if (!init_transforms(a) || !allocate(a) ||
        !cnn_file_pack(conv1, &a->image, 0, a->history, a->filters1) ||
        !cnn_file_pack_back(conv1, &a->image, a->filters1_back) ||
        (conv2 && (!cnn_file_pack(conv2, &a->first, 0, conv2->dims[1], a->filters2) ||
                   !cnn_file_pack_back(conv2, &a->first, a->filters2_back))))
        return false;
    sum_kernels(a, conv1);
    cnn_file_units(file, 1, &a->layers.first, a->scale1, a->shift1);
    if (conv2)
        cnn_file_units(file, 2, &a->layers.second, a->scale2, a->shift2);
    cnn_file_dense(file, attribution_last_layer(a), a->dense);
    memcpy(a->dense_scale, model_file_find(file, "dense_scale")->values, bytes);
    memcpy(a->dense_shift, model_file_find(file, "dense_shift")->values, bytes);
    attribution_adapt(a, a->lum_mean);
    return true;
}

static bool is_network(const ModelFile *file)
{
    return strcmp(file->info.kind, "cnn") == 0 || strcmp(file->info.kind, "subunit") == 0;
}

Attribution *attribution_open(const ModelFile *file, char *err)
{
    if (!is_network(file)) {
        model_refuse(err, "%s: a model of kind %s has no first layer; allowed are cnn and subunit",
                     file->path, file->info.kind);
        return NULL;
    }
    openblas_set_num_threads(1); // products this small only get slower by more
    Attribution *a = calloc(1, sizeof *a);
    if (a == NULL) {
        model_refuse(err, "%s: not enough memory to attribute to this model", file->path);
        return NULL;
    }
    a->history = file->info.history_bins;
    a->cells = file->info.cells;
    a->rate_scale_hz = file->rate_scale_hz;
    a->lum_mean = file->info.lum_mean;
    a->lum_sd = file->info.lum_sd;
    bool is_good = cnn_file_check(file, &a->layers, err);
    if (is_good && !load(a, file))
        is_good = model_refuse(err, "%s: not enough memory to attribute to this model", file->path);
    if (is_good)
        return a;
    attribution_close(a);
    return NULL;
}

void attribution_close(Attribution *a)
{
    if (a == NULL)
        return;
    transform_finish(&a->image);
    transform_finish(&a->first_out);
    transform_finish(&a->first);
    transform_finish(&a->second_out);
    free(a->block);
    free(a->window);
    free(a);
}
