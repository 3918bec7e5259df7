#pragma once
/* Model files: HDF5, one model a file, describing itself.
 *
 * Attributes of the root group (text is a string, variable or fixed length):
 *   format "retrace-model" · version 1 · kind "cnn", "subunit", "glm", "ln" or "reduced" · name · provenance · licence
 *   bin_hz          time bins a second, > 0
 *   history_bins    bins that shape a response, ≥ 1 · lag_bins ≥ 0, see ModelInfo
 *   history_order   "oldest first"; nothing else is read
 *   um_per_px > 0 · width_px · height_px   the model's raster
 *   lum_mean · lum_sd > 0   the input is (luminance − lum_mean) / lum_sd
 *   rate_scale_hz > 0       spikes a second for an output of 1; 1 when the model speaks Hz,
 *                           bin_hz when it was trained on spikes per bin
 *   is_simulated    0 or 1
 *   cell_names      (cells) text
 *   cell_x_um, cell_y_um    (cells), optional, both or none
 *   stimulus        optional text, see ModelInfo
 * Datasets of the root group are float arrays of at most four dimensions; which of them a model
 * needs, and their shapes, is said by its kind: cnn.h, ln.h, reduced.h. A dataset no kind asks for does no
 * harm.
 *
 * Not for the frame path. HDF5 keeps its own error stack quiet here; one thread at a time. */
#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"

enum {
    MODEL_FILE_VERSION = 1,
    MODEL_TENSORS_MAX = 24,
    MODEL_TENSOR_RANK_MAX = 4,
    MODEL_TENSOR_NAME_BYTES = 32,
};

typedef struct {
    char name[MODEL_TENSOR_NAME_BYTES];
    int rank;
    int dims[MODEL_TENSOR_RANK_MAX]; // the first `rank` of them
    const float *values;             // row-major; finite in a file that was read
} ModelTensor;

/* A model file in memory. To write one, fill it by hand: what it points to is then borrowed and
 * memory stays NULL. After model_file_read() the file owns all of it. */
typedef struct {
    const char *path; // for messages
    ModelInfo info;
    double rate_scale_hz;
    int tensor_count;
    ModelTensor tensors[MODEL_TENSORS_MAX];
    void *memory; // owned, what reading allocated
} ModelFile;

/* false with a sentence in err (MODEL_ERR_BYTES) that names file, attribute or dataset, what was
 * found and what is allowed; *file is then zeroed. */
bool model_file_read(const char *path, ModelFile *file, char *err);

/* Writes a file that model_file_read() gives back bit for bit. The same rules hold as for reading.
 * The file appears under its name only when it is complete. */
bool model_file_write(const char *path, const ModelFile *file, char *err);

/* Appends a tensor to a file that is being filled by hand. values are borrowed. */
void model_file_add(ModelFile *file, const char *name, int rank, const int *dims,
                    const float *values);

/* NULL when the file has none of that name. */
const ModelTensor *model_file_find(const ModelFile *file, const char *name);

/* The tensor of that name and exactly that shape, or NULL with a sentence in err. In dims 0 stands
 * for any length. */
const ModelTensor *model_file_need(const ModelFile *file, const char *name, int rank,
                                   const int *dims, char *err);

/* Product of the dimensions. */
size_t model_tensor_count(const ModelTensor *tensor);

/* Accepts a zeroed file, and a file twice. */
void model_file_finish(ModelFile *file);
