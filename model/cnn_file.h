#pragma once
/* What the file of a convolutional network holds (cnn.h), the way code that runs it wants it: sizes
 * checked, kernels as packed spectra, batch-norm one number a unit with the bias in the shift. Not
 * for the frame path. */
#include <stdbool.h>
#include <stddef.h>

#include "model/transform.h"
#include "model/weights.h"

/* A layer of units lies as its transform leaves it: (height, width, lanes), the channels and then
 * zeros. */
typedef struct {
    int channels, height, width;
} CnnUnits;

typedef struct {
    CnnUnits image, first, second; // second: no channels in a subunit model
} CnnLayers;

size_t cnn_units_count(const CnnUnits *units);

/* Floats in a layer, filled up to whole lanes. */
size_t cnn_units_floats(const CnnUnits *units);

/* False with a sentence in err (MODEL_ERR_BYTES) when a dataset is missing or of another shape. */
bool cnn_file_check(const ModelFile *file, CnnLayers *layers, char *err);

/* Floats in packed kernels. */
size_t cnn_packed_count(const Transform *grid, int outputs, int inputs);

/* Kernels (outputs, all inputs, K, K) → filters of a KernelCorrelation for `inputs` inputs from
 * `first` on, on the grid: with them it is the convolution. False without memory. */
bool cnn_file_pack(const ModelTensor *kernels, const Transform *grid, int first, int inputs,
                   float *packed);

/* The transposed convolution: from the spectra of all outputs those of all inputs, with the adjoint
 * transforms on either side. */
bool cnn_file_pack_back(const ModelTensor *kernels, const Transform *grid, float *packed);

/* scale and shift (height, width, lanes) of layer 1 or 2: units = scale · conv without bias +
 * shift. */
void cnn_file_units(const ModelFile *file, int layer, const CnnUnits *units, float *scale,
                    float *shift);

/* Whether the readout is a mask times a weight a channel (cnn_readout.h). */
bool cnn_file_is_factorised(const ModelFile *file);

/* dense (cells, floats of the last layer), of either kind of readout. */
void cnn_file_dense(const ModelFile *file, const CnnUnits *last, float *dense);
