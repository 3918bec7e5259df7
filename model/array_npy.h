#pragma once
/* The head of an NPY file, as numpy's "NPY format" note describes versions 1.0 and 2.0: the magic,
 * the length of a Python dictionary, and in it descr, fortran_order and shape. */
#include "model/array.h"

enum { NPY_HEAD_BYTES_MAX = 65536 };

typedef struct {
    char kind;       // 'u', 'i', 'f' or 'b'
    int value_bytes; // 1, 2, 4 or 8
    bool is_fortran; // the first dimension is the fastest
    int rank;
    int64_t dims[ARRAY_MAX_RANK];
    int64_t data_at; // where the values start
} NpyHead;

/* From the first `bytes` of a file; whatever they are, nothing past them is read. False with what
 * is wrong, to follow the file's name, in err (MODEL_ERR_BYTES). */
bool npy_read_head(const unsigned char *text, size_t bytes, NpyHead *head, char *err);

/* Values the shape promises; −1 when their bytes do not fit 63 bits. */
int64_t npy_values(const NpyHead *head);
