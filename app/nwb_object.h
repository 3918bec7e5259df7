#pragma once
/* The typed objects of NWB 2.7 over an HDF5 tree: what every one of them must carry.
 *
 * A typed object has the attributes namespace, neurodata_type and object_id (a random UUID).
 * Columns of a table are collected first and written together, so that a table without rows, which
 * readers choke on, is left out whole. Sources: NWB core 2.7.0, hdmf-common 1.8.0. */
#include "model/hdf5_tree.h"

enum { NWB_PATH_BYTES = 512, NWB_COLUMNS_MAX = 48, NWB_UUID_BYTES = 37 };

/* A random UUID, version 4, lower case; uuid holds NWB_UUID_BYTES. */
void nwb_uuid(char *uuid);

/* Makes the group at path an object of the type. description NULL: it has none. */
void nwb_object(Hdf5Tree *tree, const char *path, const char *namespace, const char *type,
                const char *description);

/* Writes text, unless there is none. */
void nwb_text(Hdf5Tree *tree, const char *path, const char *text);

/* A column: name and description borrowed until the table is written, values too. */
typedef struct {
    const char *name, *description;
    Hdf5TreeType type;
    const void *values;       // (rows) of the type; or
    const char *const *texts; // (rows)
} NwbColumn;

typedef struct {
    const char *path, *type; // "/intervals/trials", "TimeIntervals"
    const char *description;
    NwbColumn columns[NWB_COLUMNS_MAX];
    int columns_count;
    int64_t rows;
} NwbTable;

void nwb_column(NwbTable *table, const char *name, Hdf5TreeType type, const void *values,
                const char *description);
void nwb_column_texts(NwbTable *table, const char *name, const char *const *texts,
                      const char *description);
void nwb_table(Hdf5Tree *tree, const NwbTable *table);

/* A series over time; either timestamps (count) in seconds or, where NULL, start and rate. */
typedef struct {
    const char *path, *description, *unit, *continuity; // continuity NULL: none is said
    Hdf5TreeType type;
    const void *data; // (count), or (count, columns) where columns > 0
    int64_t count, columns;
    const double *timestamps;
    double start_s;
    float rate_hz;
} NwbSeries;

void nwb_series(Hdf5Tree *tree, const NwbSeries *series);
