#include "model/yardstick.h"

#include <stdlib.h>

#include <cblas.h>

#include "model/kind.h"

/* Each piece of work is over in a millisecond or so, less than a slice of time on a busy machine. */
enum { SIDE = 384, CACHE_ROUNDS = 16, CHUNK = 1 << 20, CHUNKS_A_READ = 4 };

struct Yardstick {
    float *a, *b, *product; // owned (SIDE, SIDE)
    float *memory;          // owned (memory_count)
    size_t memory_count, next;
    volatile float sink; // keeps the reads from being left out
};

Yardstick *yardstick_open(double memory_bytes)
{
    openblas_set_num_threads(1);
    Yardstick *y = calloc(1, sizeof *y);
    size_t matrix = (size_t)SIDE * SIDE, least = (size_t)CHUNKS_A_READ * CHUNK;
    if (!y)
        return NULL;
    y->memory_count = (size_t)(memory_bytes / sizeof(float)) / CHUNK * CHUNK;
    if (y->memory_count < least)
        y->memory_count = least;
    y->a = model_alloc(matrix);
    y->b = model_alloc(matrix);
    y->product = model_alloc(matrix);
    y->memory = model_alloc(y->memory_count);
    if (!y->a || !y->b || !y->product || !y->memory) {
        yardstick_close(y);
        return NULL;
    }
    for (size_t i = 0; i < matrix; i++)
        y->a[i] = y->b[i] = 1.0f / (float)(i % 7 + 1);
    // untouched pages would all be the one page of zeros
    for (size_t i = 0; i < y->memory_count; i++)
        y->memory[i] = 1.0f / (float)(i % 7 + 1);
    return y;
}

double yardstick_multiply(Yardstick *y)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, y->a, SIDE, y->b,
                SIDE, 0, y->product, SIDE);
    return 2.0 * SIDE * SIDE * SIDE;
}

/* Both halves of count floats at once. */
static float read_block(const float *values, size_t count)
{
    float sum = 0;
    size_t half = count / 2;
    for (size_t at = 0; at < half; at += CHUNK) {
        size_t left = half - at < CHUNK ? half - at : CHUNK;
        sum += cblas_sdot((int)left, values + at, 1, values + half + at, 1);
    }
    return sum;
}

double yardstick_read_memory(Yardstick *y)
{
    size_t count = (size_t)CHUNKS_A_READ * CHUNK;
    if (y->next + count > y->memory_count)
        y->next = 0;
    y->sink = read_block(y->memory + y->next, count);
    y->next += count;
    return (double)count * sizeof(float);
}

double yardstick_read_cache(Yardstick *y)
{
    for (int i = 0; i < CACHE_ROUNDS; i++)
        y->sink = read_block(y->memory, YARDSTICK_CACHE_BYTES / sizeof(float));
    return (double)CACHE_ROUNDS * YARDSTICK_CACHE_BYTES;
}

void yardstick_close(Yardstick *y)
{
    if (!y)
        return;
    free(y->a);
    free(y->b);
    free(y->product);
    free(y->memory);
    free(y);
}
