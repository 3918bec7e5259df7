#include "model/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/array_kind.h"
#include "model/kind.h"

enum { PATH_BYTES = 4096 };

struct Array {
    ArrayInfo info;
    const ArrayInterface *interface;
    void *state; // owned
    int file_rank;
    int at[ARRAY_MAX_RANK]; // dimension i is the file's dimension at[i]
};

Array *array_create(const ArrayInfo *info, const ArrayInterface *interface, void *state)
{
    Array *array = calloc(1, sizeof *array);
    if (!array)
        return NULL;
    array->info = *info;
    array->interface = interface;
    array->state = state;
    array->file_rank = info->rank;
    for (int i = 0; i < info->rank; i++)
        array->at[i] = i;
    return array;
}

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

Array *array_open(const char *where, char *err)
{
    char file[PATH_BYTES];
    snprintf(file, sizeof file, "%s", where);
    if (ends_in(file, ".npy"))
        return array_open_npy(file, err);
    if (ends_in(file, ".csv") || ends_in(file, ".tsv") || ends_in(file, ".txt"))
        return array_open_text(file, err);
    char *colon = strrchr(file, ':');
    if (colon && colon[1] == '/') {
        *colon = '\0';
        return array_open_hdf5(file, colon + 1, err);
    }
    model_refuse(err,
                 "%s: does not name an array; allowed are FILE.npy, FILE.csv, FILE.tsv, "
                 "FILE.txt, FILE.mat:/variable and FILE.h5:/path/of/dataset",
                 where);
    return NULL;
}

const ArrayInfo *array_info(const Array *array)
{
    return &array->info;
}

void array_arrange(Array *array, const int *order)
{
    Array before = *array;
    for (int i = 0; i < array->info.rank; i++) {
        array->info.dims[i] = before.info.dims[order[i]];
        array->at[i] = before.at[order[i]];
    }
}

void array_squeeze(Array *array)
{
    int rank = 0;
    for (int i = 0; i < array->info.rank; i++)
        if (array->info.dims[i] != 1 || (rank == 0 && i == array->info.rank - 1)) {
            array->info.dims[rank] = array->info.dims[i];
            array->at[rank++] = array->at[i];
        }
    array->info.rank = rank;
}

char *array_shape(const int64_t *dims, int rank, char *shape)
{
    size_t used = 0;
    for (int i = 0; i < rank && used < ARRAY_SHAPE_BYTES; i++)
        used += (size_t)snprintf(shape + used, ARRAY_SHAPE_BYTES - used, "%s%lld", i ? ", " : "(",
                                 (long long)dims[i]);
    if (used < ARRAY_SHAPE_BYTES)
        snprintf(shape + used, ARRAY_SHAPE_BYTES - used, ")");
    return shape;
}

static size_t size_of(ArrayType type)
{
    return type == ARRAY_FLOAT ? sizeof(float) : sizeof(double);
}

/* out (count, as the caller sees it) := box (wide, as the file has it). */
static void rearrange(const Array *array, const int64_t *count, const int64_t *wide, size_t bytes,
                      const char *box, char *out)
{
    size_t strides[ARRAY_MAX_RANK], stride = bytes;
    for (int i = array->file_rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= (size_t)wide[i];
    }
    int rank = array->info.rank;
    int64_t index[ARRAY_MAX_RANK] = {0};
    size_t step = strides[array->at[rank - 1]];
    do {
        const char *from = box;
        for (int i = 0; i < rank - 1; i++)
            from += (size_t)index[i] * strides[array->at[i]];
        for (int64_t j = 0; j < count[rank - 1]; j++, from += step, out += bytes)
            memcpy(out, from, bytes);
        int i = rank - 2;
        while (i >= 0 && ++index[i] == count[i])
            index[i--] = 0;
        if (i < 0)
            return;
    } while (true);
}

bool array_read(const Array *array, const int64_t *start, const int64_t *count, ArrayType type,
                void *out)
{
    int64_t from[ARRAY_MAX_RANK] = {0}, wide[ARRAY_MAX_RANK] = {1, 1, 1, 1};
    bool is_in_order = true;
    size_t values = 1;
    for (int i = 0; i < array->info.rank; i++) {
        if (start[i] < 0 || count[i] < 1 || start[i] > array->info.dims[i] - count[i])
            return false;
        from[array->at[i]] = start[i];
        wide[array->at[i]] = count[i];
        is_in_order = is_in_order && (i == 0 || array->at[i] > array->at[i - 1]);
        values *= (size_t)count[i];
    }
    if (is_in_order)
        return array->interface->read(array->state, from, wide, type, out);
    char *box = malloc(values * size_of(type));
    bool ok = box && array->interface->read(array->state, from, wide, type, box);
    if (ok)
        rearrange(array, count, wide, size_of(type), box, out);
    free(box);
    return ok;
}

void array_close(Array *array)
{
    if (!array)
        return;
    array->interface->close(array->state);
    free(array);
}
