#include "model/dataset_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/array_kind.h"
#include "model/dataset_names.h"
#include "model/kind.h"

static Array *open_in(hid_t group, const char *name)
{
    if (H5Lexists(group, name, H5P_DEFAULT) <= 0)
        return NULL;
    hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
    Array *array = dataset >= 0 ? array_from_hdf5(dataset, false) : NULL;
    if (dataset >= 0 && !array)
        H5Dclose(dataset);
    return array;
}

static hid_t open_group(hid_t group, const char *name)
{
    return H5Lexists(group, name, H5P_DEFAULT) > 0 ? H5Gopen2(group, name, H5P_DEFAULT) : -1;
}

static bool read_attribute(hid_t file, const char *name, hid_t type, int count, void *values)
{
    if (H5Aexists(file, name) <= 0)
        return false;
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    hid_t space = H5Aget_space(attribute);
    bool ok = H5Sget_simple_extent_npoints(space) == count && H5Aread(attribute, type, values) >= 0;
    H5Sclose(space);
    H5Aclose(attribute);
    return ok;
}

static bool get_number(hid_t file, const char *name, double *value)
{
    return read_attribute(file, name, H5T_NATIVE_DOUBLE, 1, value);
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
        free(texts[i]);
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

static bool open_part(Dataset *d, hid_t file, DatasetPart which, char *err)
{
    DatasetPartArrays *part = &d->parts[which];
    const char *name = dataset_part_names[which];
    hid_t group = open_group(file, name);
    if (group < 0)
        return true;
    part->stimulus = open_in(group, "stimulus");
    part->time = open_in(group, "time");
    hid_t response = open_group(group, "response");
    bool ok = true;
    if (!part->stimulus)
        ok = model_refuse(err, "%s: %s has no stimulus of (T, height, width) numbers", d->path,
                          name);
    else if (response < 0)
        ok = model_refuse(err, "%s: %s has no group response", d->path, name);
    for (int i = 0; ok && i < DATASET_RESPONSES; i++)
        part->responses[i] = open_in(response, dataset_response_names[i]);
    if (response >= 0)
        H5Gclose(response);
    H5Gclose(group);
    return ok;
}

/* The number of "cell07"; −1 for any other name. */
static int cell_number(const char *name)
{
    if (strncmp(name, "cell", 4) != 0 || !isdigit((unsigned char)name[4]))
        return -1;
    char *end;
    long number = strtol(name + 4, &end, 10);
    return *end == '\0' && number >= 0 && number < 1000000 ? (int)number : -1;
}

typedef struct {
    int number;
    char name[DATASET_CELL_BYTES];
} CellName;

static int by_number(const void *a, const void *b)
{
    return ((const CellName *)a)->number - ((const CellName *)b)->number;
}

/* cells (MODEL_MAX_CELLS) := the cells of the group by number, how many. */
static int list_cells(hid_t group, CellName *cells)
{
    H5G_info_t info;
    int count = 0;
    if (H5Gget_info(group, &info) < 0)
        return 0;
    for (hsize_t i = 0; i < info.nlinks && count < MODEL_MAX_CELLS; i++) {
        CellName *cell = &cells[count];
        ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, cell->name,
                                            sizeof cell->name, H5P_DEFAULT);
        cell->number =
            length > 0 && length < (ssize_t)sizeof cell->name ? cell_number(cell->name) : -1;
        count += cell->number >= 0;
    }
    qsort(cells, (size_t)count, sizeof *cells, by_number);
    return count;
}

static void open_by_cell(Dataset *d, hid_t group, const CellName *cells, int count)
{
    d->repeats_by_cell = calloc((size_t)count, sizeof(Array *));
    if (count == d->info.cells)
        d->names = calloc((size_t)count, sizeof *d->names);
    for (int i = 0; d->repeats_by_cell && i < count; i++) {
        d->repeats_by_cell[i] = open_in(group, cells[i].name);
        if (!d->repeats_by_cell[i])
            break;
        d->repeats_count++;
        if (d->names)
            d->names[i] = strdup(cells[i].name);
    }
    d->info.repeats_form = DATASET_REPEATS_BY_CELL;
    snprintf(d->repeats_name, sizeof d->repeats_name, "repeats/%s", cells[0].name);
}

static void open_by_response(Dataset *d, hid_t group)
{
    for (int i = 0; i < DATASET_RESPONSES && !d->repeats_together; i++) {
        d->repeats_together = open_in(group, dataset_response_names[i]);
        snprintf(d->repeats_name, sizeof d->repeats_name, "repeats/%s", dataset_response_names[i]);
    }
    if (d->repeats_together)
        d->info.repeats_form = DATASET_REPEATS_BY_RESPONSE;
    else
        snprintf(d->repeats_problem, sizeof d->repeats_problem,
                 "test/repeats holds neither cell01, cell02 … nor binned, firing_rate_10ms …");
}

static void open_repeats(Dataset *d, hid_t file)
{
    hid_t test = open_group(file, "test");
    hid_t group = test >= 0 ? open_group(test, "repeats") : -1;
    CellName *cells = calloc(MODEL_MAX_CELLS, sizeof *cells);
    int count = group >= 0 && cells ? list_cells(group, cells) : 0;
    if (count > 0)
        open_by_cell(d, group, cells, count);
    else if (group >= 0)
        open_by_response(d, group);
    else if (test >= 0 && (d->repeats_together = open_in(test, "repeats"))) {
        d->info.repeats_form = DATASET_REPEATS_ARRAY;
        snprintf(d->repeats_name, sizeof d->repeats_name, "repeats");
    }
    free(cells);
    if (group >= 0)
        H5Gclose(group);
    if (test >= 0)
        H5Gclose(test);
}

static void read_places(Dataset *d, hid_t file)
{
    int cells = d->info.cells;
    d->x_um = calloc((size_t)cells, sizeof *d->x_um);
    d->y_um = calloc((size_t)cells, sizeof *d->y_um);
    if (!d->x_um || !d->y_um ||
        !read_attribute(file, "cell_x_um", H5T_NATIVE_FLOAT, cells, d->x_um) ||
        !read_attribute(file, "cell_y_um", H5T_NATIVE_FLOAT, cells, d->y_um))
        return;
    d->info.cell_x_um = d->x_um;
    d->info.cell_y_um = d->y_um;
}

static bool read_attributes(Dataset *d, hid_t file, char *err)
{
    DatasetInfo *info = &d->info;
    char *name = NULL;
    double is_simulated = 0.0;
    if (!d->names)
        d->names = calloc((size_t)info->cells, sizeof *d->names);
    if (!d->names)
        return model_refuse(err, "%s: not enough memory for %d cells", d->path, info->cells);
    get_texts(file, "cell_names", info->cells, d->names);
    read_places(d, file);
    if (get_texts(file, "name", 1, &name))
        snprintf(info->name, sizeof info->name, "%.*s", MODEL_NAME_BYTES - 1, name);
    free(name);
    get_texts(file, "provenance", 1, &d->provenance);
    get_texts(file, "licence", 1, &d->licence);
    info->is_simulated = get_number(file, "is_simulated", &is_simulated) && is_simulated > 0.0;
    if (get_number(file, "bin_hz", &info->bin_hz) && !(info->bin_hz > 0.0))
        return model_refuse(err, "%s: bin_hz is %g; must be above 0", d->path, info->bin_hz);
    if (get_number(file, "lum_per_level", &info->lum_per_level) && !(info->lum_per_level > 0.0))
        return model_refuse(err, "%s: lum_per_level is %g; must be above 0", d->path,
                            info->lum_per_level);
    get_number(file, "um_per_px", &info->um_per_px);
    return true;
}

bool dataset_is_meant(const char *path)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    bool is_meant = false;
    for (int i = 0; file >= 0 && i < DATASET_PARTS; i++)
        is_meant = is_meant || H5Lexists(file, dataset_part_names[i], H5P_DEFAULT) > 0;
    if (file >= 0)
        H5Fclose(file);
    return is_meant;
}

Dataset *dataset_open(const char *path, char *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    Dataset *d = dataset_begin(path, err);
    if (!d)
        return NULL;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    bool ok = file >= 0 || model_refuse(err, "%s: could not be opened as an HDF5 file", path);
    for (int i = 0; ok && i < DATASET_PARTS; i++)
        ok = open_part(d, file, (DatasetPart)i, err);
    ok = ok && dataset_settle_shapes(d, err);
    if (ok) {
        open_repeats(d, file);
        dataset_settle_repeats(d);
    }
    ok = ok && read_attributes(d, file, err) && dataset_settle_rest(d, err);
    if (file >= 0)
        H5Fclose(file);
    if (ok)
        return d;
    dataset_close(d);
    return NULL;
}
