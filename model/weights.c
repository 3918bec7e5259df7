#include "model/weights.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"
#include "model/weights_rules.h"

const NumberRow weights_numbers[WEIGHTS_NUMBERS] = {
    {"bin_hz", offsetof(ModelFile, info.bin_hz), NUMBER_REAL, 0, 1e4, "above 0, at most 10000"},
    {"history_bins", offsetof(ModelFile, info.history_bins), NUMBER_WHOLE, 0, 1e4,
     "a whole number from 1 to 10000"},
    {"lag_bins", offsetof(ModelFile, info.lag_bins), NUMBER_WHOLE, -1, 1e3,
     "a whole number from 0 to 1000"},
    {"um_per_px", offsetof(ModelFile, info.um_per_px), NUMBER_REAL, 0, 1e6, "above 0"},
    {"width_px", offsetof(ModelFile, info.width_px), NUMBER_WHOLE, 0, 1024,
     "a whole number from 1 to 1024"},
    {"height_px", offsetof(ModelFile, info.height_px), NUMBER_WHOLE, 0, 1024,
     "a whole number from 1 to 1024"},
    {"lum_mean", offsetof(ModelFile, info.lum_mean), NUMBER_REAL, -1e9, 1e9, "a finite number"},
    {"lum_sd", offsetof(ModelFile, info.lum_sd), NUMBER_REAL, 0, 1e9, "above 0"},
    {"rate_scale_hz", offsetof(ModelFile, rate_scale_hz), NUMBER_REAL, 0, 1e9, "above 0"},
    {"is_simulated", offsetof(ModelFile, info.is_simulated), NUMBER_FLAG, -1, 1, "0 or 1"},
};

/* What reading allocates hangs in one chain, so that one call frees it after any failure. */
typedef struct Block {
    struct Block *next;
    void *bytes; // owned
} Block;

void *weights_keep(ModelFile *file, void *bytes)
{
    Block *block = malloc(sizeof *block);
    if (bytes == NULL || block == NULL) {
        free(bytes);
        free(block);
        return NULL;
    }
    *block = (Block){.next = file->memory, .bytes = bytes};
    file->memory = block;
    return bytes;
}

void model_file_finish(ModelFile *file)
{
    for (Block *block = file->memory; block != NULL;) {
        Block *next = block->next;
        free(block->bytes);
        free(block);
        block = next;
    }
    *file = (ModelFile){0};
}

double weights_number_get(const ModelFile *file, const NumberRow *row)
{
    const char *field = (const char *)file + row->offset;
    if (row->type == NUMBER_REAL)
        return *(const double *)(const void *)field;
    if (row->type == NUMBER_WHOLE)
        return *(const int *)(const void *)field;
    return *(const bool *)(const void *)field;
}

void weights_number_set(ModelFile *file, const NumberRow *row, double value)
{
    char *field = (char *)file + row->offset;
    if (row->type == NUMBER_REAL)
        *(double *)(void *)field = value;
    else if (row->type == NUMBER_WHOLE)
        *(int *)(void *)field = (int)value;
    else
        *(bool *)(void *)field = value > 0;
}

bool weights_number_check(const char *path, const NumberRow *row, double value, char *err)
{
    bool is_whole = row->type == NUMBER_REAL || value == floor(value);
    if (value > row->above && value <= row->most && is_whole)
        return true;
    return model_refuse(err, "%s: attribute %s is %g; allowed is %s", path, row->name, value,
                        row->allowed);
}

bool weights_cells_check(const ModelFile *file, char *err)
{
    const ModelInfo *info = &file->info;
    if (info->cells < 1 || info->cells > MODEL_MAX_CELLS)
        return model_refuse(err, "%s: attribute cell_names has %d names; allowed are 1 to %d",
                            file->path, info->cells, MODEL_MAX_CELLS);
    if ((info->cell_x_um == NULL) != (info->cell_y_um == NULL))
        return model_refuse(
            err, "%s: one of cell_x_um and cell_y_um is missing; allowed are both or none",
            file->path);
    for (int cell = 0; cell < info->cells && info->cell_x_um != NULL; cell++)
        if (!isfinite(info->cell_x_um[cell]) || !isfinite(info->cell_y_um[cell]))
            return model_refuse(
                err,
                "%s: cell_x_um or cell_y_um of cell %d is not finite; allowed are finite numbers",
                file->path, cell);
    return true;
}

static void index_text(const ModelTensor *tensor, size_t flat, char *text, size_t bytes)
{
    size_t rest = model_tensor_count(tensor), used = 0;
    for (int axis = 0; axis < tensor->rank && used < bytes; axis++) {
        rest /= (size_t)tensor->dims[axis];
        int written =
            snprintf(text + used, bytes - used, "%s%zu", axis > 0 ? ", " : "", flat / rest);
        used += (size_t)written;
        flat %= rest;
    }
}

bool weights_tensor_check(const char *path, const ModelTensor *tensor, char *err)
{
    size_t count = model_tensor_count(tensor);
    for (size_t i = 0; i < count; i++) {
        if (isfinite(tensor->values[i]))
            continue;
        char index[64];
        index_text(tensor, i, index, sizeof index);
        return model_refuse(err, "%s: dataset %s[%s] is %g; allowed are finite numbers", path,
                            tensor->name, index, (double)tensor->values[i]);
    }
    return true;
}

size_t model_tensor_count(const ModelTensor *tensor)
{
    size_t count = 1;
    for (int axis = 0; axis < tensor->rank; axis++)
        count *= (size_t)tensor->dims[axis];
    return count;
}

void model_file_add(ModelFile *file, const char *name, int rank, const int *dims,
                    const float *values)
{
    assert(file->tensor_count < MODEL_TENSORS_MAX && strlen(name) < MODEL_TENSOR_NAME_BYTES);
    assert(rank >= 1 && rank <= MODEL_TENSOR_RANK_MAX);
    ModelTensor *tensor = &file->tensors[file->tensor_count++];
    *tensor = (ModelTensor){.rank = rank, .values = values};
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    memcpy(tensor->dims, dims, (size_t)rank * sizeof *dims);
}

const ModelTensor *model_file_find(const ModelFile *file, const char *name)
{
    for (int i = 0; i < file->tensor_count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

static void dims_text(int rank, const int *dims, char *text, size_t bytes)
{
    size_t used = 0;
    for (int axis = 0; axis < rank && used < bytes; axis++) {
        const char *comma = axis > 0 ? ", " : "";
        int written = dims[axis] > 0
                          ? snprintf(text + used, bytes - used, "%s%d", comma, dims[axis])
                          : snprintf(text + used, bytes - used, "%sany", comma);
        used += (size_t)written;
    }
}

const ModelTensor *model_file_need(const ModelFile *file, const char *name, int rank,
                                   const int *dims, char *err)
{
    char wanted[64] = "", found[64] = "";
    dims_text(rank, dims, wanted, sizeof wanted);
    const ModelTensor *tensor = model_file_find(file, name);
    if (tensor == NULL) {
        model_refuse(err, "%s: dataset %s is missing; a %s model needs it with shape (%s)",
                     file->path, name, file->info.kind, wanted);
        return NULL;
    }
    bool fits = tensor->rank == rank;
    for (int axis = 0; fits && axis < rank; axis++)
        fits = dims[axis] == 0 || tensor->dims[axis] == dims[axis];
    if (fits)
        return tensor;
    dims_text(tensor->rank, tensor->dims, found, sizeof found);
    model_refuse(err, "%s: dataset %s has shape (%s); allowed is (%s)", file->path, name, found,
                 wanted);
    return NULL;
}
