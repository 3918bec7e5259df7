#include "model/weights.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "model/kind.h"
#include "model/weights_rules.h"

enum { PATH_BYTES = 4096 };

static bool write_attribute(hid_t root, const char *name, hid_t type, hid_t space,
                            const void *bytes)
{
    hid_t attribute = H5Acreate2(root, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool is_written = attribute >= 0 && H5Awrite(attribute, type, bytes) >= 0;
    if (attribute >= 0)
        H5Aclose(attribute);
    return is_written;
}

/* Fixed-length strings: the heap that HDF5 keeps variable ones in is what it reads least safely
 * when a file is damaged. */
static bool write_texts(hid_t root, const char *name, const char *const *texts, int count,
                        bool is_scalar)
{
    size_t bytes = 1;
    for (int i = 0; i < count; i++)
        if (strlen(texts[i]) + 1 > bytes)
            bytes = strlen(texts[i]) + 1;
    char *padded = calloc((size_t)count, bytes);
    if (padded == NULL)
        return false;
    for (int i = 0; i < count; i++)
        memcpy(padded + (size_t)i * bytes, texts[i], strlen(texts[i]));
    hsize_t length = (hsize_t)count;
    hid_t type = H5Tcopy(H5T_C_S1);
    hid_t space = is_scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &length, NULL);
    H5Tset_size(type, bytes);
    H5Tset_cset(type, H5T_CSET_UTF8);
    bool is_written = write_attribute(root, name, type, space, padded);
    H5Sclose(space);
    H5Tclose(type);
    free(padded);
    return is_written;
}

static bool write_text(hid_t root, const char *name, const char *text)
{
    return write_texts(root, name, &text, 1, true);
}

static bool write_number(hid_t root, const char *name, NumberType type, double value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    int whole = (int)value;
    bool is_written = type == NUMBER_REAL
                          ? write_attribute(root, name, H5T_NATIVE_DOUBLE, space, &value)
                          : write_attribute(root, name, H5T_NATIVE_INT, space, &whole);
    H5Sclose(space);
    return is_written;
}

static bool write_places(hid_t root, const char *name, const float *places, int cells)
{
    if (places == NULL)
        return true;
    hsize_t length = (hsize_t)cells;
    hid_t space = H5Screate_simple(1, &length, NULL);
    bool is_written = write_attribute(root, name, H5T_NATIVE_FLOAT, space, places);
    H5Sclose(space);
    return is_written;
}

static bool write_tensor(hid_t root, const ModelTensor *tensor)
{
    hsize_t dims[MODEL_TENSOR_RANK_MAX];
    for (int axis = 0; axis < tensor->rank; axis++)
        dims[axis] = (hsize_t)tensor->dims[axis];
    hid_t space = H5Screate_simple(tensor->rank, dims, NULL);
    hid_t dataset = H5Dcreate2(root, tensor->name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT,
                               H5P_DEFAULT);
    bool is_written = dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL,
                                               H5P_DEFAULT, tensor->values) >= 0;
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Sclose(space);
    return is_written;
}

static bool write_root(hid_t root, const ModelFile *file)
{
    const ModelInfo *info = &file->info;
    bool is_written = write_text(root, "format", WEIGHTS_FORMAT) &&
                      write_number(root, "version", NUMBER_WHOLE, MODEL_FILE_VERSION) &&
                      write_text(root, "kind", info->kind) &&
                      write_text(root, "name", info->name) &&
                      write_text(root, "history_order", WEIGHTS_HISTORY_ORDER) &&
                      write_text(root, "provenance", info->provenance) &&
                      write_text(root, "licence", info->licence) &&
                      (!info->stimulus || write_text(root, "stimulus", info->stimulus)) &&
                      write_texts(root, "cell_names", info->cell_names, info->cells, false) &&
                      write_places(root, "cell_x_um", info->cell_x_um, info->cells) &&
                      write_places(root, "cell_y_um", info->cell_y_um, info->cells);
    for (size_t i = 0; is_written && i < WEIGHTS_NUMBERS; i++)
        is_written = write_number(root, weights_numbers[i].name, weights_numbers[i].type,
                                  weights_number_get(file, &weights_numbers[i]));
    for (int i = 0; is_written && i < file->tensor_count; i++)
        is_written = write_tensor(root, &file->tensors[i]);
    return is_written;
}

static bool write_whole_file(const char *path, const ModelFile *file)
{
    hid_t hdf5 = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (hdf5 < 0)
        return false;
    hid_t root = H5Gopen2(hdf5, "/", H5P_DEFAULT);
    bool is_written = write_root(root, file);
    H5Gclose(root);
    bool is_flushed = H5Fflush(hdf5, H5F_SCOPE_LOCAL) >= 0;
    bool is_closed = H5Fclose(hdf5) >= 0;
    return is_written && is_flushed && is_closed;
}

static bool file_check(const ModelFile *file, char *err)
{
    const ModelInfo *info = &file->info;
    if (info->kind[0] == '\0' || info->name[0] == '\0' || info->provenance == NULL ||
        info->licence == NULL || info->cell_names == NULL)
        return model_refuse(
            err,
            "%s: a model without kind, name, provenance, licence or cell_names; all are needed",
            file->path);
    for (size_t i = 0; i < WEIGHTS_NUMBERS; i++)
        if (!weights_number_check(file->path, &weights_numbers[i],
                                  weights_number_get(file, &weights_numbers[i]), err))
            return false;
    for (int i = 0; i < file->tensor_count; i++)
        if (!weights_tensor_check(file->path, &file->tensors[i], err))
            return false;
    return weights_cells_check(file, err);
}

bool model_file_write(const char *path, const ModelFile *source, char *err)
{
    ModelFile file = *source;
    file.path = path;
    char part[PATH_BYTES];
    int length = snprintf(part, sizeof part, "%s.part", path);
    if (length < 0 || (size_t)length >= sizeof part)
        return model_refuse(err, "%.100s…: the path is longer than %d bytes", path, PATH_BYTES);
    if (!file_check(&file, err))
        return false;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    errno = 0;
    if (write_whole_file(part, &file) && rename(part, path) == 0)
        return true;
    const char *why = errno != 0 ? strerror(errno) : "HDF5 could not write it";
    remove(part);
    return model_refuse(err, "%s: could not be written: %s; nothing was saved there", path, why);
}
