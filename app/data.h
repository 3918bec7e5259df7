#pragma once
/* Data sets as people name them: an HDF5 file of the layout, or a YAML file that names arrays. */
#include <stdbool.h>
#include <stdio.h>

#include "model/dataset_check.h"

enum { DATA_ERR_BYTES = 512 };

/* NULL with one sentence in err (DATA_ERR_BYTES). Arrays are looked for as they are named, then
 * beside the YAML. */
Dataset *data_open(const char *path, char *err);

/* True when the file means to be a data set, sound or not: it has a train or test part. */
bool data_is_meant(const char *path);

/* One line a finding, after the word error or warning. */
void data_talk_of_findings(const DatasetReport *report, FILE *talk);

/* Checks the set and talks of what is found. False with a sentence in err (DATA_ERR_BYTES) when a
 * model fitted to it would be worthless, or it cannot be read. */
bool data_is_fit(Dataset *dataset, FILE *talk, char *err);
