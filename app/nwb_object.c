#include "app/nwb_object.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

static const char CORE[] = "core", COMMON[] = "hdmf-common";

void nwb_uuid(char *uuid)
{
    unsigned char b[16];
    randombytes_buf(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40); // version 4, variant 1 (RFC 4122)
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    char *to = uuid;
    for (int i = 0; i < 16; i++)
        to += sprintf(to, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
}

static void name_type(Hdf5Tree *tree, const char *path, const char *namespace, const char *type,
                      const char *description)
{
    char uuid[NWB_UUID_BYTES];
    nwb_uuid(uuid);
    hdf5_tree_attribute_text(tree, path, "namespace", namespace);
    hdf5_tree_attribute_text(tree, path, "neurodata_type", type);
    hdf5_tree_attribute_text(tree, path, "object_id", uuid);
    if (description)
        hdf5_tree_attribute_text(tree, path, "description", description);
}

void nwb_object(Hdf5Tree *tree, const char *path, const char *namespace, const char *type,
                const char *description)
{
    hdf5_tree_group(tree, path);
    name_type(tree, path, namespace, type, description);
}

void nwb_text(Hdf5Tree *tree, const char *path, const char *text)
{
    if (text && text[0])
        hdf5_tree_text(tree, path, text);
}

static NwbColumn *add(NwbTable *table, const char *name, const char *description)
{
    assert(table->columns_count < NWB_COLUMNS_MAX);
    NwbColumn *column = &table->columns[table->columns_count++];
    *column = (NwbColumn){.name = name, .description = description};
    return column;
}

void nwb_column(NwbTable *table, const char *name, Hdf5TreeType type, const void *values,
                const char *description)
{
    NwbColumn *column = add(table, name, description);
    column->type = type;
    column->values = values;
}

void nwb_column_texts(NwbTable *table, const char *name, const char *const *texts,
                      const char *description)
{
    add(table, name, description)->texts = texts;
}

static void write_ids(Hdf5Tree *tree, const NwbTable *table)
{
    char path[NWB_PATH_BYTES];
    int64_t *ids = malloc((size_t)table->rows * sizeof *ids);
    snprintf(path, sizeof path, "%s/id", table->path);
    if (!ids) {
        hdf5_tree_fail(tree, path);
        return;
    }
    for (int64_t i = 0; i < table->rows; i++)
        ids[i] = i;
    hdf5_tree_numbers(tree, path, HDF5_TREE_INT64, 1, &table->rows, ids);
    name_type(tree, path, COMMON, "ElementIdentifiers", NULL);
    free(ids);
}

void nwb_table(Hdf5Tree *tree, const NwbTable *table)
{
    const char *names[NWB_COLUMNS_MAX];
    if (table->rows == 0)
        return;
    bool is_common = !strcmp(table->type, "DynamicTable");
    nwb_object(tree, table->path, is_common ? COMMON : CORE, table->type, table->description);
    write_ids(tree, table);
    for (int c = 0; c < table->columns_count; c++) {
        const NwbColumn *column = &table->columns[c];
        char path[NWB_PATH_BYTES];
        snprintf(path, sizeof path, "%s/%s", table->path, column->name);
        if (column->texts)
            hdf5_tree_texts(tree, path, column->texts, table->rows);
        else
            hdf5_tree_numbers(tree, path, column->type, 1, &table->rows, column->values);
        name_type(tree, path, COMMON, "VectorData", column->description);
        names[c] = column->name;
    }
    hdf5_tree_attribute_texts(tree, table->path, "colnames", names, table->columns_count);
}

static void write_times(Hdf5Tree *tree, const NwbSeries *series)
{
    static const int32_t every = 1;
    char path[NWB_PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", series->path,
             series->timestamps ? "timestamps" : "starting_time");
    if (series->timestamps) {
        hdf5_tree_numbers(tree, path, HDF5_TREE_DOUBLE, 1, &series->count, series->timestamps);
        hdf5_tree_attribute(tree, path, "interval", HDF5_TREE_INT32, &every);
    } else {
        hdf5_tree_numbers(tree, path, HDF5_TREE_DOUBLE, 0, NULL, &series->start_s);
        hdf5_tree_attribute(tree, path, "rate", HDF5_TREE_FLOAT, &series->rate_hz);
    }
    hdf5_tree_attribute_text(tree, path, "unit", "seconds");
}

void nwb_series(Hdf5Tree *tree, const NwbSeries *series)
{
    static const float one = 1, zero = 0, unknown = -1;
    char path[NWB_PATH_BYTES];
    int64_t dims[] = {series->count, series->columns};
    if (series->count == 0)
        return;
    nwb_object(tree, series->path, CORE, "TimeSeries", series->description);
    hdf5_tree_attribute_text(tree, series->path, "comments", "written by Retrace");
    snprintf(path, sizeof path, "%s/data", series->path);
    hdf5_tree_numbers(tree, path, series->type, series->columns > 0 ? 2 : 1, dims, series->data);
    hdf5_tree_attribute_text(tree, path, "unit", series->unit);
    hdf5_tree_attribute(tree, path, "conversion", HDF5_TREE_FLOAT, &one);
    hdf5_tree_attribute(tree, path, "offset", HDF5_TREE_FLOAT, &zero);
    hdf5_tree_attribute(tree, path, "resolution", HDF5_TREE_FLOAT, &unknown);
    if (series->continuity)
        hdf5_tree_attribute_text(tree, path, "continuity", series->continuity);
    write_times(tree, series);
}
