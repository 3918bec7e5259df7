#pragma once
/* The names inside a data set file, shared by its writer and its reader. */
#include "model/dataset.h"

#define DATASET_FORMAT "retrace-dataset"

enum { DATASET_VERSION = 1, DATASET_CELL_BYTES = 24 };

extern const char *const dataset_part_names[DATASET_PARTS];
extern const char *const dataset_response_names[DATASET_RESPONSES];

/* name (DATASET_CELL_BYTES) := "cell01" for cell 0, and so on. */
void dataset_cell_name(int cell, char *name);
