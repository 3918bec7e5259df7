#include "model/array_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

static bool read_box(void *state, const int64_t *start, const int64_t *count, ArrayType type,
                     void *out)
{
    hid_t dataset = *(const hid_t *)state;
    hid_t space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_ndims(space);
    hsize_t from[ARRAY_MAX_RANK], wide[ARRAY_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        from[i] = (hsize_t)start[i];
        wide[i] = (hsize_t)count[i];
    }
    hid_t memory = H5Screate_simple(rank, wide, NULL);
    hid_t wanted = type == ARRAY_FLOAT ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
    bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, wide, NULL) >= 0 &&
              H5Dread(dataset, wanted, memory, space, H5P_DEFAULT, out) >= 0;
    H5Sclose(memory);
    H5Sclose(space);
    return ok;
}

static void close_dataset(void *state)
{
    H5Dclose(*(hid_t *)state);
    free(state);
}

static const ArrayInterface interface = {read_box, close_dataset};

/* HDF5 converts between numbers; anything else (text, references, cells) is no array. */
static bool read_info(hid_t dataset, ArrayInfo *info)
{
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    H5T_class_t class = H5Tget_class(type);
    hsize_t dims[ARRAY_MAX_RANK];
    info->rank = H5Sget_simple_extent_ndims(space);
    info->is_whole = class == H5T_INTEGER;
    bool ok = (class == H5T_INTEGER || class == H5T_FLOAT) && info->rank >= 1 &&
              info->rank <= ARRAY_MAX_RANK && H5Sget_simple_extent_dims(space, dims, NULL) >= 0;
    for (int i = 0; ok && i < info->rank; i++)
        info->dims[i] = (int64_t)dims[i];
    H5Tclose(type);
    H5Sclose(space);
    return ok;
}

Array *array_from_hdf5(hid_t dataset, bool is_matlab)
{
    ArrayInfo info = {0};
    hid_t *state = read_info(dataset, &info) ? malloc(sizeof *state) : NULL;
    if (!state)
        return NULL;
    *state = dataset;
    Array *array = array_create(&info, &interface, state);
    if (!array)
        free(state);
    else if (is_matlab) {
        int order[ARRAY_MAX_RANK];
        for (int i = 0; i < info.rank; i++)
            order[i] = info.rank - 1 - i;
        array_arrange(array, order);
    }
    return array;
}

/* MAT files up to version 7 are no HDF5, and say what they are in their first bytes. */
static bool is_old_mat(const char *path)
{
    static const char mark[] = "MATLAB 5.0 MAT-file";
    char head[sizeof mark] = "";
    FILE *file = fopen(path, "rb");
    size_t got = file ? fread(head, 1, sizeof mark - 1, file) : 0;
    if (file)
        fclose(file);
    return got == sizeof mark - 1 && strcmp(head, mark) == 0;
}

Array *array_open_hdf5(const char *name, const char *path, char *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = H5Fopen(name, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        model_refuse(err, "%s: %s", name,
                     is_old_mat(name) ? "is a MAT file of an older version; allowed is version "
                                        "7.3, in MATLAB save(…, '-v7.3')"
                                      : "could not be opened as an HDF5 file");
        return NULL;
    }
    Array *array = NULL;
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    size_t length = strlen(name);
    bool is_matlab = (length > 4 && strcmp(name + length - 4, ".mat") == 0) ||
                     (dataset >= 0 && H5Aexists(dataset, "MATLAB_class") > 0);
    if (dataset < 0)
        model_refuse(err, "%s: holds nothing named %s", name, path);
    else if (!(array = array_from_hdf5(dataset, is_matlab)))
        model_refuse(err, "%s:%s: must be numbers in 1 to %d dimensions", name, path,
                     ARRAY_MAX_RANK);
    if (dataset >= 0 && !array)
        H5Dclose(dataset);
    H5Fclose(file);
    return array;
}
