#pragma once
/* Inside a data set that is read: what the two ways of opening one fill, and what both are then
 * held to. */
#include "model/array.h"
#include "model/dataset.h"

enum { DATASET_PATH_BYTES = 4096 };

typedef struct {
    Array *stimulus;                     // (T, y, x); NULL: no such part
    Array *time;                         // (T); NULL: not there
    Array *responses[DATASET_RESPONSES]; // (cells, T); NULL: none of this kind
    int64_t bins;
} DatasetPartArrays;

struct Dataset {
    char path[DATASET_PATH_BYTES];
    bool has_axes; // a person said which dimension is which; shapes are those after that
    DatasetInfo info;
    DatasetPartArrays parts[DATASET_PARTS];
    Array *repeats_together; // (cells, repeats, T), or NULL
    Array **repeats_by_cell; // (repeats_count), each (repeats, T), or NULL
    int repeats_count;
    char repeats_name[48];
    char repeats_problem[DATASET_PROBLEM_BYTES];
    char **names;               // (cells), owned, or NULL
    char *provenance, *licence; // owned
    float *x_um, *y_um;         // (cells), owned, or NULL
    int *kept;                  // (cells), owned: their places in the arrays; NULL: all, in order
    DatasetItem items[DATASET_MAX_ITEMS];
    int items_count;
};

/* An empty set named path; NULL with a sentence in err. */
Dataset *dataset_begin(const char *path, char *err);

/* Holds stimulus and responses to one another; parts[].bins, width, height and cells follow. False
 * with the sentence in err. */
bool dataset_settle_shapes(Dataset *dataset, char *err);

/* Then: repeats that do not fit are dropped, with the reason in repeats_problem. */
void dataset_settle_repeats(Dataset *dataset);

/* Then: info.bin_hz and lum_per_level, where they are still 0, and names, where they are NULL. */
bool dataset_settle_rest(Dataset *dataset, char *err);
