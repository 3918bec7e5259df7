#include "model/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "model/dataset_names.h"
#include "model/kind.h"

enum { PATH_BYTES = 4096 };

const char *const dataset_part_names[DATASET_PARTS] = {"train", "test"};
const char *const dataset_response_names[DATASET_RESPONSES] = {"binned", "firing_rate_10ms",
                                                               "rate_hz"};

typedef struct {
    hid_t stimulus;                     // −1: no such part
    hid_t responses[DATASET_RESPONSES]; // −1: none of this kind
    int64_t bins;
} Part;

struct Dataset {
    char path[PATH_BYTES];
    hid_t file;
    DatasetInfo info;
    Part parts[DATASET_PARTS];
    char **names;       // (cells), owned
    float *x_um, *y_um; // (cells), owned
    char *provenance;   // owned
};

void dataset_cell_name(int cell, char *name)
{
    snprintf(name, DATASET_CELL_BYTES, "cell%02d", cell + 1);
}

static hid_t open_in(hid_t group, const char *name)
{
    return H5Lexists(group, name, H5P_DEFAULT) > 0 ? H5Dopen2(group, name, H5P_DEFAULT) : -1;
}

/* dims (3) of a data set; its rank, or 0 when it has over three. */
static int shape_of(hid_t dataset, hsize_t *dims)
{
    hid_t space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_ndims(space);
    if (rank > 3 || H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        rank = 0;
    H5Sclose(space);
    return rank;
}

static bool get_number(hid_t file, const char *name, double *value)
{
    if (H5Aexists(file, name) <= 0)
        return false;
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    hid_t space = H5Aget_space(attribute);
    bool ok = H5Sget_simple_extent_npoints(space) == 1 &&
              H5Aread(attribute, H5T_NATIVE_DOUBLE, value) >= 0;
    H5Sclose(space);
    H5Aclose(attribute);
    return ok;
}

static bool get_floats(hid_t file, const char *name, int count, float *values)
{
    if (H5Aexists(file, name) <= 0)
        return false;
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    hid_t space = H5Aget_space(attribute);
    bool ok = H5Sget_simple_extent_npoints(space) == count &&
              H5Aread(attribute, H5T_NATIVE_FLOAT, values) >= 0;
    H5Sclose(space);
    H5Aclose(attribute);
    return ok;
}

/* texts (count) := copies for free(), of variable-length strings, the only ones Retrace writes. */
static bool get_texts(hid_t file, const char *name, int count, char **texts)
{
    if (H5Aexists(file, name) <= 0)
        return false;
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    hid_t space = H5Aget_space(attribute), type = H5Aget_type(attribute);
    char **lent = calloc((size_t)count, sizeof *lent);
    bool ok = lent && H5Tis_variable_str(type) > 0 &&
              H5Sget_simple_extent_npoints(space) == count && H5Aread(attribute, type, lent) >= 0;
    for (int i = 0; ok && i < count; i++) {
        texts[i] = strdup(lent[i] ? lent[i] : "");
        ok = texts[i] != NULL;
    }
    if (lent && lent[0])
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, lent);
    free(lent);
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(attribute);
    return ok;
}

static bool open_responses(Dataset *d, Part *part, hid_t group, DatasetPart which, char *err)
{
    hid_t response = H5Lexists(group, "response", H5P_DEFAULT) > 0
                         ? H5Gopen2(group, "response", H5P_DEFAULT)
                         : -1;
    if (response < 0)
        return model_refuse(err, "%s: %s has no group response", d->path,
                            dataset_part_names[which]);
    bool ok = true;
    for (int i = 0; i < DATASET_RESPONSES; i++) {
        part->responses[i] = open_in(response, dataset_response_names[i]);
        hsize_t dims[3];
        if (!ok || part->responses[i] < 0)
            continue;
        if (shape_of(part->responses[i], dims) != 2 || dims[0] < 1 || dims[0] > MODEL_MAX_CELLS ||
            (int64_t)dims[1] != part->bins || (d->info.cells > 0 && (int)dims[0] != d->info.cells))
            ok = model_refuse(err,
                              "%s: %s/response/%s must be (cells, T) with the %lld bins of the "
                              "stimulus and the same 1 to %d cells everywhere",
                              d->path, dataset_part_names[which], dataset_response_names[i],
                              (long long)part->bins, MODEL_MAX_CELLS);
        else
            d->info.cells = (int)dims[0];
    }
    H5Gclose(response);
    return ok;
}

static bool open_part(Dataset *d, DatasetPart which, char *err)
{
    Part *part = &d->parts[which];
    const char *name = dataset_part_names[which];
    if (H5Lexists(d->file, name, H5P_DEFAULT) <= 0)
        return true;
    hid_t group = H5Gopen2(d->file, name, H5P_DEFAULT);
    part->stimulus = group < 0 ? -1 : open_in(group, "stimulus");
    hsize_t dims[3] = {0};
    bool ok = part->stimulus >= 0 && shape_of(part->stimulus, dims) == 3 && dims[1] > 0 &&
              dims[2] > 0 && dims[1] <= 4096 && dims[2] <= 4096 &&
              (d->info.width_px == 0 ||
               ((int)dims[2] == d->info.width_px && (int)dims[1] == d->info.height_px));
    if (!ok)
        model_refuse(err, "%s: %s/stimulus must be (T, height, width), the same size in every part",
                     d->path, name);
    if (ok) {
        d->info.height_px = (int)dims[1];
        d->info.width_px = (int)dims[2];
        part->bins = (int64_t)dims[0];
        ok = open_responses(d, part, group, which, err);
    }
    if (group >= 0)
        H5Gclose(group);
    return ok;
}

/* 8-bit levels of files that do not say run to 255; floats are luminance as they stand. */
static double default_lum_per_level(const Dataset *d)
{
    hid_t stimulus =
        d->parts[d->parts[DATASET_TRAIN].stimulus >= 0 ? DATASET_TRAIN : DATASET_TEST].stimulus;
    hid_t type = H5Dget_type(stimulus);
    bool is_whole = H5Tget_class(type) == H5T_INTEGER;
    H5Tclose(type);
    return is_whole ? 1.0 / 255.0 : 1.0;
}

static void read_repeats_count(Dataset *d)
{
    if (H5Lexists(d->file, "test", H5P_DEFAULT) <= 0 ||
        H5Lexists(d->file, "test/repeats", H5P_DEFAULT) <= 0 ||
        H5Lexists(d->file, "test/repeats/cell01", H5P_DEFAULT) <= 0)
        return;
    hid_t trials = H5Dopen2(d->file, "test/repeats/cell01", H5P_DEFAULT);
    hsize_t dims[3];
    if (trials >= 0 && shape_of(trials, dims) == 2 && dims[0] <= DATASET_MAX_REPEATS &&
        (int64_t)dims[1] == d->parts[DATASET_TEST].bins)
        d->info.repeats = (int)dims[0];
    if (trials >= 0)
        H5Dclose(trials);
}

static bool read_info(Dataset *d, char *err)
{
    DatasetInfo *info = &d->info;
    size_t cells = (size_t)info->cells;
    d->names = calloc(cells, sizeof *d->names);
    d->x_um = calloc(cells, sizeof *d->x_um);
    d->y_um = calloc(cells, sizeof *d->y_um);
    bool ok = d->names && d->x_um && d->y_um;
    if (ok && !get_texts(d->file, "cell_names", info->cells, d->names))
        for (int i = 0; ok && i < info->cells; i++) {
            char name[DATASET_CELL_BYTES];
            dataset_cell_name(i, name);
            free(d->names[i]);
            d->names[i] = strdup(name);
            ok = d->names[i] != NULL;
        }
    if (!ok)
        return model_refuse(err, "%s: not enough memory for %d cells", d->path, info->cells);
    info->cell_names = (const char *const *)d->names;
    if (get_floats(d->file, "cell_x_um", info->cells, d->x_um) &&
        get_floats(d->file, "cell_y_um", info->cells, d->y_um)) {
        info->cell_x_um = d->x_um;
        info->cell_y_um = d->y_um;
    }
    char *name = NULL;
    if (get_texts(d->file, "name", 1, &name))
        snprintf(info->name, sizeof info->name, "%.*s", MODEL_NAME_BYTES - 1, name);
    free(name);
    get_texts(d->file, "provenance", 1, &d->provenance);
    info->provenance = d->provenance ? d->provenance : "";
    double is_simulated = 0.0;
    info->is_simulated = get_number(d->file, "is_simulated", &is_simulated) && is_simulated > 0.0;
    if (!get_number(d->file, "bin_hz", &info->bin_hz))
        info->bin_hz = 100.0;
    if (!get_number(d->file, "lum_per_level", &info->lum_per_level))
        info->lum_per_level = default_lum_per_level(d);
    get_number(d->file, "um_per_px", &info->um_per_px);
    read_repeats_count(d);
    return info->bin_hz > 0.0 && info->lum_per_level > 0.0 && info->um_per_px >= 0.0
               ? true
               : model_refuse(err, "%s: bin_hz and lum_per_level must be above 0", d->path);
}

Dataset *dataset_open(const char *path, char *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    Dataset *d = calloc(1, sizeof *d);
    if (!d) {
        model_refuse(err, "%s: not enough memory to read a data set", path);
        return NULL;
    }
    snprintf(d->path, sizeof d->path, "%s", path);
    for (int i = 0; i < DATASET_PARTS; i++) {
        d->parts[i].stimulus = -1;
        for (int j = 0; j < DATASET_RESPONSES; j++)
            d->parts[i].responses[j] = -1;
    }
    d->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    bool ok = d->file >= 0;
    if (!ok)
        model_refuse(err, "%s: could not be opened as an HDF5 file", path);
    for (int i = 0; ok && i < DATASET_PARTS; i++)
        ok = open_part(d, (DatasetPart)i, err);
    if (ok && d->info.cells == 0)
        ok = model_refuse(err,
                          "%s: holds neither train nor test with a stimulus and a response; a "
                          "data set needs one of them",
                          path);
    if (ok && read_info(d, err))
        return d;
    dataset_close(d);
    return NULL;
}

const DatasetInfo *dataset_info(const Dataset *d)
{
    return &d->info;
}

int64_t dataset_bins(const Dataset *d, DatasetPart part)
{
    return d->parts[part].bins;
}

bool dataset_has(const Dataset *d, DatasetPart part, DatasetResponse response)
{
    return d->parts[part].responses[response] >= 0;
}

static bool read_slab(hid_t data, int rank, const hsize_t *start, const hsize_t *count, float *out)
{
    hid_t space = H5Dget_space(data);
    hid_t memory = H5Screate_simple(rank, count, NULL);
    bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              H5Sselect_valid(space) > 0 &&
              H5Dread(data, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, out) >= 0;
    H5Sclose(memory);
    H5Sclose(space);
    return ok;
}

bool dataset_read_lum(Dataset *d, DatasetPart part, int64_t from, int bins, float *lum, char *err)
{
    const hsize_t start[] = {(hsize_t)from, 0, 0};
    const hsize_t count[] = {(hsize_t)bins, (hsize_t)d->info.height_px, (hsize_t)d->info.width_px};
    if (d->parts[part].stimulus < 0 || !read_slab(d->parts[part].stimulus, 3, start, count, lum))
        return model_refuse(err, "%s: bins %lld to %lld of %s/stimulus could not be read", d->path,
                            (long long)from, (long long)from + bins, dataset_part_names[part]);
    float scale = (float)d->info.lum_per_level;
    for (size_t i = 0; i < count[0] * count[1] * count[2]; i++)
        lum[i] *= scale;
    return true;
}

bool dataset_read_response(Dataset *d, DatasetPart part, DatasetResponse response, int64_t from,
                           int bins, float *values, char *err)
{
    const hsize_t start[] = {0, (hsize_t)from};
    const hsize_t count[] = {(hsize_t)d->info.cells, (hsize_t)bins};
    hid_t data = d->parts[part].responses[response];
    if (data >= 0 && read_slab(data, 2, start, count, values))
        return true;
    return model_refuse(err, "%s: %s/response/%s %s", d->path, dataset_part_names[part],
                        dataset_response_names[response],
                        data < 0 ? "is not there" : "could not be read");
}

bool dataset_read_repeats(Dataset *d, int cell, int64_t from, int bins, float *spikes, char *err)
{
    char name[DATASET_CELL_BYTES], path[64];
    dataset_cell_name(cell, name);
    snprintf(path, sizeof path, "test/repeats/%s", name);
    const hsize_t start[] = {0, (hsize_t)from};
    const hsize_t count[] = {(hsize_t)d->info.repeats, (hsize_t)bins};
    hid_t trials = d->info.repeats > 0 ? H5Dopen2(d->file, path, H5P_DEFAULT) : -1;
    bool ok = trials >= 0 && read_slab(trials, 2, start, count, spikes);
    if (trials >= 0)
        H5Dclose(trials);
    return ok || model_refuse(err, "%s: %s could not be read", d->path, path);
}

void dataset_close(Dataset *d)
{
    if (!d)
        return;
    for (int i = 0; i < DATASET_PARTS; i++) {
        if (d->parts[i].stimulus >= 0)
            H5Dclose(d->parts[i].stimulus);
        for (int j = 0; j < DATASET_RESPONSES; j++)
            if (d->parts[i].responses[j] >= 0)
                H5Dclose(d->parts[i].responses[j]);
    }
    if (d->file >= 0)
        H5Fclose(d->file);
    for (int i = 0; d->names && i < d->info.cells; i++)
        free(d->names[i]);
    free(d->names);
    free(d->x_um);
    free(d->y_um);
    free(d->provenance);
    free(d);
}
