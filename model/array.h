#pragma once
/* Numbers in a file, read a box at a time: one face for HDF5, MAT v7.3, NPY, text and raw
 * samples.
 *
 * The dimensions are those the file's own program shows: a MATLAB array, which HDF5 holds with its
 * dimensions the other way round, is turned back. Memory is what one box needs (a text file is read
 * whole). One thread at a time. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

enum {
    ARRAY_MAX_RANK = 4,
    ARRAY_SHAPE_BYTES = 96,
    ARRAY_TEXT_COLUMNS_MAX = 256,
    ARRAY_RAW_CHANNELS_MAX = 4096,
};

typedef enum { ARRAY_FLOAT, ARRAY_DOUBLE } ArrayType;

typedef struct {
    int rank;
    int64_t dims[ARRAY_MAX_RANK];
    bool is_whole; // the file holds integers
} ArrayInfo;

/* What a kind of file must bring. A box is start and count in each dimension of the file, last one
 * fastest; out is floats or doubles. False when the file gives less. */
typedef struct {
    bool (*read)(void *state, const int64_t *start, const int64_t *count, ArrayType type,
                 void *out);
    void (*close)(void *state);
} ArrayInterface;

typedef struct Array Array;

/* where is FILE.npy, FILE.csv (.tsv, .txt), FILE.mat:/variable or FILE.h5:/path/of/dataset. NULL
 * with a sentence in err (MODEL_ERR_BYTES) that names it. */
Array *array_open(const char *where, char *err);

/* Little-endian int16 without a head, channels interleaved: (samples, channels). As above. */
Array *array_open_raw(const char *file, int channels, char *err);

/* From what a kind of file has opened: state is taken over. NULL without memory, state untouched.
 */
Array *array_create(const ArrayInfo *info, const ArrayInterface *interface, void *state);
const ArrayInfo *array_info(const Array *array);

/* Dimension i becomes what was dimension order[i]; order (rank) names each dimension once. */
void array_arrange(Array *array, const int *order);

/* Drops the dimensions of length 1, down to a rank of 1. */
void array_squeeze(Array *array);

/* shape (ARRAY_SHAPE_BYTES) := "(5, 36000)", and returns it. */
char *array_shape(const int64_t *dims, int rank, char *shape);

/* out (count[0], …), last dimension fastest. False where the box lies outside, the file gives less
 * than it promised or memory is short. */
bool array_read(const Array *array, const int64_t *start, const int64_t *count, ArrayType type,
                void *out);
void array_close(Array *array);
