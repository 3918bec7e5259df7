#pragma once
/* The kinds of file that arrays come from; for array.c and the data set's own layout. */
#include <hdf5.h>

#include "model/array.h"

/* A simple data set of numbers, which the array takes over. is_matlab: its dimensions are reversed.
 * NULL, with the data set untouched, when it is nothing of the kind. */
Array *array_from_hdf5(hid_t dataset, bool is_matlab);

/* NULL with a sentence in err (MODEL_ERR_BYTES). */
Array *array_open_hdf5(const char *file, const char *path, char *err);
Array *array_open_npy(const char *file, char *err);

/* Lines of numbers, equally many on each; a first line of names, empty lines and those that begin
 * with # do not count. (rows) where there is one column, else (rows, columns). */
Array *array_open_text(const char *file, char *err);
