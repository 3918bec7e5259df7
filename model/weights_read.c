#include "model/weights.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "model/kind.h"
#include "model/weights_rules.h"

static bool refuse_memory(const ModelFile *file, char *err)
{
    return model_refuse(err, "%s: not enough memory to read this model", file->path);
}

static bool attribute_missing(const ModelFile *file, const char *name, char *err)
{
    return model_refuse(err, "%s: attribute %s is missing; every %s file has it", file->path, name,
                        WEIGHTS_FORMAT);
}

/* values (count) from an attribute that must hold exactly that many. */
static bool read_numbers(const ModelFile *file, hid_t root, const char *name, int count,
                         double *values, char *err)
{
    hid_t attribute = H5Aopen(root, name, H5P_DEFAULT);
    if (attribute < 0)
        return attribute_missing(file, name, err);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    H5T_class_t class = H5Tget_class(type);
    hssize_t found = H5Sget_simple_extent_npoints(space);
    // h5py stores a boolean as an enumeration
    bool is_number = class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_ENUM;
    bool is_read =
        is_number && found == count && H5Aread(attribute, H5T_NATIVE_DOUBLE, values) >= 0;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    if (is_read)
        return true;
    return model_refuse(err, "%s: attribute %s holds %lld value%s%s; allowed: %d number%s",
                        file->path, name, (long long)found, found == 1 ? "" : "s",
                        is_number ? "" : " that are no numbers", count, count == 1 ? "" : "s");
}

static bool read_number_rows(ModelFile *file, hid_t root, char *err)
{
    for (size_t i = 0; i < WEIGHTS_NUMBERS; i++) {
        double value = 0;
        if (!read_numbers(file, root, weights_numbers[i].name, 1, &value, err) ||
            !weights_number_check(file->path, &weights_numbers[i], value, err))
            return false;
        weights_number_set(file, &weights_numbers[i], value);
    }
    return true;
}

/* A copy of `count` strings as HDF5 laid them out, as an array of C strings; NULL without memory.
 */
static const char **copy_texts(ModelFile *file, const char *raw, int count, size_t bytes,
                               bool is_variable)
{
    const char **texts = weights_keep(file, calloc((size_t)count, sizeof *texts));
    for (int i = 0; texts != NULL && i < count; i++) {
        const char *source =
            is_variable ? ((char *const *)(const void *)raw)[i] : raw + (size_t)i * bytes;
        if (source == NULL)
            source = "";
        size_t length = is_variable ? strlen(source) : strnlen(source, bytes);
        char *text = weights_keep(file, calloc(length + 1, 1));
        if (text == NULL)
            return NULL;
        memcpy(text, source, length);
        texts[i] = text;
    }
    return texts;
}

/* All strings of an open attribute. *count is how many. */
static const char **read_open_texts(ModelFile *file, hid_t attribute, const char *name, int *count,
                                    char *err)
{
    const char **texts = NULL;
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hssize_t found = H5Sget_simple_extent_npoints(space);
    bool is_text = H5Tget_class(type) == H5T_STRING && found >= 1 && found <= MODEL_MAX_CELLS;
    bool is_variable = is_text && H5Tis_variable_str(type) > 0;
    size_t bytes = is_variable ? sizeof(char *) : H5Tget_size(type);
    char *raw = is_text ? calloc((size_t)found, bytes) : NULL;
    if (!is_text) {
        model_refuse(err, "%s: attribute %s holds no text; allowed are 1 to %d strings", file->path,
                     name, MODEL_MAX_CELLS);
    } else if (raw == NULL) {
        refuse_memory(file, err);
    } else if (H5Aread(attribute, type, raw) < 0) {
        model_refuse(err, "%s: attribute %s cannot be read; the file is damaged", file->path, name);
    } else {
        *count = (int)found;
        texts = copy_texts(file, raw, *count, bytes, is_variable);
        if (texts == NULL)
            refuse_memory(file, err);
        if (is_variable)
            H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw);
    }
    free(raw);
    H5Sclose(space);
    H5Tclose(type);
    return texts;
}

static const char **read_texts(ModelFile *file, hid_t root, const char *name, int *count, char *err)
{
    hid_t attribute = H5Aopen(root, name, H5P_DEFAULT);
    if (attribute < 0) {
        attribute_missing(file, name, err);
        return NULL;
    }
    const char **texts = read_open_texts(file, attribute, name, count, err);
    H5Aclose(attribute);
    return texts;
}

static const char *read_text(ModelFile *file, hid_t root, const char *name, char *err)
{
    int count = 0;
    const char **texts = read_texts(file, root, name, &count, err);
    if (texts == NULL)
        return NULL;
    if (count == 1)
        return texts[0];
    model_refuse(err, "%s: attribute %s holds %d strings; allowed is one", file->path, name, count);
    return NULL;
}

/* Text that must be `wanted` and nothing else. */
static bool read_fixed_text(ModelFile *file, hid_t root, const char *name, const char *wanted,
                            char *err)
{
    const char *text = read_text(file, root, name, err);
    if (text == NULL)
        return false;
    if (strcmp(text, wanted) == 0)
        return true;
    return model_refuse(err, "%s: attribute %s is \"%.60s\"; allowed is \"%s\"", file->path, name,
                        text, wanted);
}

/* Text that has to fit into a field of ModelInfo. */
static bool read_short_text(ModelFile *file, hid_t root, const char *name, char *field,
                            size_t bytes, char *err)
{
    const char *text = read_text(file, root, name, err);
    if (text == NULL)
        return false;
    size_t length = strlen(text);
    if (length == 0 || length >= bytes)
        return model_refuse(err, "%s: attribute %s has %zu bytes; allowed are 1 to %zu", file->path,
                            name, length, bytes - 1);
    memcpy(field, text, length + 1);
    return true;
}

static bool read_format(ModelFile *file, hid_t root, char *err)
{
    static const NumberRow version = {.name = "version",
                                      .type = NUMBER_WHOLE,
                                      .above = MODEL_FILE_VERSION - 1,
                                      .most = MODEL_FILE_VERSION,
                                      .allowed = "1"};
    double value = 0;
    if (H5Aexists(root, "format") <= 0)
        return model_refuse(
            err, "%s: HDF5, but no model: attribute format is missing; allowed is \"%s\"",
            file->path, WEIGHTS_FORMAT);
    return read_fixed_text(file, root, "format", WEIGHTS_FORMAT, err) &&
           read_numbers(file, root, version.name, 1, &value, err) &&
           weights_number_check(file->path, &version, value, err);
}

/* NULL for an attribute that is not there. */
static bool read_stimulus(ModelFile *file, hid_t root, char *err)
{
    if (H5Aexists(root, "stimulus") <= 0)
        return true;
    file->info.stimulus = read_text(file, root, "stimulus", err);
    return file->info.stimulus != NULL;
}

static bool read_all_texts(ModelFile *file, hid_t root, char *err)
{
    ModelInfo *info = &file->info;
    return read_short_text(file, root, "kind", info->kind, sizeof info->kind, err) &&
           read_short_text(file, root, "name", info->name, sizeof info->name, err) &&
           read_fixed_text(file, root, "history_order", WEIGHTS_HISTORY_ORDER, err) &&
           (info->provenance = read_text(file, root, "provenance", err)) != NULL &&
           (info->licence = read_text(file, root, "licence", err)) != NULL &&
           read_stimulus(file, root, err) &&
           (info->cell_names = read_texts(file, root, "cell_names", &info->cells, err)) != NULL;
}

/* NULL for an attribute that is not there. */
static bool read_places(ModelFile *file, hid_t root, const char *name, const float **places,
                        char *err)
{
    *places = NULL;
    if (H5Aexists(root, name) <= 0)
        return true;
    size_t cells = (size_t)file->info.cells;
    double *values = weights_keep(file, calloc(cells, sizeof *values));
    float *floats = weights_keep(file, calloc(cells, sizeof *floats));
    if (values == NULL || floats == NULL)
        return refuse_memory(file, err);
    if (!read_numbers(file, root, name, file->info.cells, values, err))
        return false;
    for (size_t i = 0; i < cells; i++)
        floats[i] = (float)values[i];
    *places = floats;
    return true;
}

static bool shape_from_dims(const ModelFile *file, ModelTensor *tensor, const hsize_t *dims,
                            char *err)
{
    hsize_t count = 1;
    for (int axis = 0; axis < tensor->rank; axis++) {
        if (dims[axis] < 1 || dims[axis] > WEIGHTS_VALUES_MAX / count)
            return model_refuse(
                err,
                "%s: dataset %s has %llu along axis %d; allowed are 1 and more, %d values in all",
                file->path, tensor->name, (unsigned long long)dims[axis], axis, WEIGHTS_VALUES_MAX);
        tensor->dims[axis] = (int)dims[axis];
        count *= dims[axis];
    }
    return true;
}

static bool read_shape(const ModelFile *file, hid_t dataset, ModelTensor *tensor, char *err)
{
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    bool is_float = H5Tget_class(type) == H5T_FLOAT;
    int rank = H5Sget_simple_extent_ndims(space);
    hsize_t dims[MODEL_TENSOR_RANK_MAX] = {0};
    bool is_array = is_float && rank >= 1 && rank <= MODEL_TENSOR_RANK_MAX &&
                    H5Sget_simple_extent_dims(space, dims, NULL) == rank;
    H5Sclose(space);
    H5Tclose(type);
    tensor->rank = rank;
    if (!is_array)
        return model_refuse(err,
                            "%s: dataset %s is %s of %d dimensions; allowed are floats of 1 to %d",
                            file->path, tensor->name, is_float ? "a float array" : "no float array",
                            rank, MODEL_TENSOR_RANK_MAX);
    return shape_from_dims(file, tensor, dims, err);
}

static bool read_tensor(ModelFile *file, hid_t dataset, const char *name, char *err)
{
    if (strlen(name) >= MODEL_TENSOR_NAME_BYTES || file->tensor_count == MODEL_TENSORS_MAX)
        return model_refuse(err,
                            "%s: dataset %.60s is one too many, or its name is too long; allowed "
                            "are %d of %d bytes",
                            file->path, name, MODEL_TENSORS_MAX, MODEL_TENSOR_NAME_BYTES - 1);
    ModelTensor *tensor = &file->tensors[file->tensor_count];
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    if (!read_shape(file, dataset, tensor, err))
        return false;
    float *values = weights_keep(file, model_alloc(model_tensor_count(tensor)));
    if (values == NULL)
        return refuse_memory(file, err);
    if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        return model_refuse(err, "%s: dataset %s cannot be read; the file is truncated or damaged",
                            file->path, name);
    tensor->values = values;
    file->tensor_count++;
    return weights_tensor_check(file->path, tensor, err);
}

/* Object number `index` of the root group, if it is a dataset. */
static bool read_object(ModelFile *file, hid_t root, hsize_t index, char *err)
{
    char name[256] = "";
    ssize_t length = H5Lget_name_by_idx(root, ".", H5_INDEX_NAME, H5_ITER_INC, index, name,
                                        sizeof name, H5P_DEFAULT);
    hid_t object = length > 0 ? H5Oopen(root, name, H5P_DEFAULT) : -1;
    if (object < 0)
        return model_refuse(err, "%s: object %.60s cannot be opened; the file is damaged",
                            file->path, name);
    bool is_read = H5Iget_type(object) != H5I_DATASET || read_tensor(file, object, name, err);
    H5Oclose(object);
    return is_read;
}

static bool read_tensors(ModelFile *file, hid_t root, char *err)
{
    H5G_info_t group;
    if (H5Gget_info(root, &group) < 0)
        return model_refuse(err, "%s: the root group cannot be read; the file is damaged",
                            file->path);
    for (hsize_t i = 0; i < group.nlinks; i++)
        if (!read_object(file, root, i, err))
            return false;
    return true;
}

static bool read_root(ModelFile *file, hid_t root, char *err)
{
    return read_format(file, root, err) && read_all_texts(file, root, err) &&
           read_number_rows(file, root, err) &&
           read_places(file, root, "cell_x_um", &file->info.cell_x_um, err) &&
           read_places(file, root, "cell_y_um", &file->info.cell_y_um, err) &&
           weights_cells_check(file, err) && read_tensors(file, root, err);
}

static hid_t open_hdf5(const char *path, char *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        model_refuse(err, "%s: %s; a model file or \"circuit\" is wanted", path, strerror(errno));
        return -1;
    }
    fclose(file);
    if (H5Fis_hdf5(path) <= 0) {
        model_refuse(err, "%s: this is not an HDF5 file; a model file is wanted", path);
        return -1;
    }
    hid_t hdf5 = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (hdf5 < 0)
        model_refuse(err, "%s: this HDF5 file is truncated or damaged; a whole one is wanted",
                     path);
    return hdf5;
}

bool model_file_read(const char *path, ModelFile *file, char *err)
{
    *file = (ModelFile){.path = path};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t hdf5 = open_hdf5(path, err);
    if (hdf5 < 0) {
        *file = (ModelFile){0};
        return false;
    }
    size_t bytes = strlen(path) + 1;
    char *own_path = weights_keep(file, malloc(bytes));
    if (own_path != NULL)
        file->path = memcpy(own_path, path, bytes);
    hid_t root = H5Gopen2(hdf5, "/", H5P_DEFAULT);
    bool is_read = own_path != NULL ? read_root(file, root, err) : refuse_memory(file, err);
    H5Gclose(root);
    H5Fclose(hdf5);
    if (!is_read)
        model_file_finish(file);
    return is_read;
}
