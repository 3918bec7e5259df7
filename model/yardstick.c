#include "model/yardstick.h"

#include <stdlib.h>

#include <cblas.h>

#include "model/kind.h"

enum { SIDE = 768, CACHE_ROUNDS = 32, CHUNK = 1 << 20 };

struct Yardstick {
    float *a, *b, *product; // owned (SIDE, SIDE)
    float *memory;          // owned (memory_count)
    size_t memory_count;
    volatile float sink; // keeps the reads from being left out
};

Yardstick *yardstick_open(double memory_bytes)
{
    openblas_set_num_threads(1);
    Yardstick *y = calloc(1, sizeof *y);
    size_t matrix = (size_t)SIDE * SIDE, least = YARDSTICK_CACHE_BYTES / sizeof(float);
    if (!y)
        return NULL;
    y->memory_count = (size_t)(memory_bytes / sizeof(float)) / (2 * CHUNK) * (2 * CHUNK);
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
    y->sink = read_block(y->memory, y->memory_count);
    return (double)y->memory_count * sizeof(float);
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
