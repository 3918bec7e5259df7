#pragma once
/* Data sets as people name them: an HDF5 file of the layout, or a YAML file that names arrays. */
#include <stdbool.h>

#include "model/dataset.h"

enum { DATA_ERR_BYTES = 512 };

/* NULL with one sentence in err (DATA_ERR_BYTES). Arrays are looked for as they are named, then
 * beside the YAML. */
Dataset *data_open(const char *path, char *err);
