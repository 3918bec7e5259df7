#pragma once
/* A file of HDF5 written name by name: groups, text, tables of numbers, attributes, links. It knows
 * no layout; what makes a file an NWB file stands in app/nwb.h.
 *
 * Paths are absolute and groups in them are made as needed. Everything is little-endian; text is
 * variable-length UTF-8, and bytes that are none become U+FFFD. The first thing that fails is
 * remembered and what follows does nothing, so that only hdf5_tree_finish() has to be asked. The
 * file is PATH.part until then. One thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

typedef enum {
    HDF5_TREE_INT8, // int8_t, uint8_t, …: the type in memory and in the file
    HDF5_TREE_UINT8,
    HDF5_TREE_INT32,
    HDF5_TREE_UINT32,
    HDF5_TREE_INT64,
    HDF5_TREE_FLOAT,
    HDF5_TREE_DOUBLE,
    HDF5_TREE_BOOL, // int8_t 0 or 1; an enum of FALSE and TRUE, as h5py has it
} Hdf5TreeType;

enum { HDF5_TREE_MAX_RANK = 4 };

typedef struct Hdf5Tree Hdf5Tree;

/* NULL with a sentence in err (MODEL_ERR_BYTES). */
Hdf5Tree *hdf5_tree_create(const char *path, char *err);

void hdf5_tree_group(Hdf5Tree *tree, const char *path);
void hdf5_tree_text(Hdf5Tree *tree, const char *path, const char *text);
void hdf5_tree_texts(Hdf5Tree *tree, const char *path, const char *const *texts, int64_t count);

/* values (dims[0], …, dims[rank − 1]); rank 0 is one number. From 4096 numbers on chunked and
 * compressed. */
void hdf5_tree_numbers(Hdf5Tree *tree, const char *path, Hdf5TreeType type, int rank,
                       const int64_t *dims, const void *values);

/* Attributes of the group or data set at path, "/" for the file. */
void hdf5_tree_attribute(Hdf5Tree *tree, const char *path, const char *name, Hdf5TreeType type,
                         const void *value);
void hdf5_tree_attribute_text(Hdf5Tree *tree, const char *path, const char *name, const char *text);
void hdf5_tree_attribute_texts(Hdf5Tree *tree, const char *path, const char *name,
                               const char *const *texts, int64_t count);

/* A soft link at path to target, an absolute path. */
void hdf5_tree_link(Hdf5Tree *tree, const char *path, const char *target);

/* The caller could not make what was to be written: the file has failed. */
void hdf5_tree_fail(Hdf5Tree *tree, const char *what);

/* Ends the file and gives it its name; frees the tree. False with a sentence in err
 * (MODEL_ERR_BYTES), and nothing is left, when anything failed. */
bool hdf5_tree_finish(Hdf5Tree *tree, char *err);

/* Leaves nothing behind; frees the tree. */
void hdf5_tree_abandon(Hdf5Tree *tree);
