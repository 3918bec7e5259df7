#pragma once
/* Small random models, in memory and as files, and random stimuli for them. */
#include <stdint.h>

#include "model/weights.h"

enum { RANDOM_MODEL_ARRAYS = 16, RANDOM_MODEL_CELLS_MAX = 8 };

typedef struct {
    int width, height, history, lag, cells;
    double bin_hz;
    int channels1, kernel1_width, kernel1_height;
    int channels2, kernel2_width, kernel2_height;
    bool is_per_unit;   // batch-norm: one scale and shift a unit, or a channel
    bool is_factorised; // readout: a mask and a weight a channel, or a weight a unit
} RandomShape;

typedef struct {
    ModelFile file; // borrows the arrays
    const char *names[RANDOM_MODEL_CELLS_MAX];
    float *arrays[RANDOM_MODEL_ARRAYS]; // owned
    int arrays_count;
    uint32_t state; // of the generator
} RandomModel;

/* The published net: 40 × 50 × 50 → 8 × 36 × 36 → 8 × 26 × 26 → cells. */
RandomShape random_shape_published(int cells);

/* lum_mean 0.5, lum_sd 0.25. */
void random_cnn(RandomModel *model, const RandomShape *shape, uint32_t seed);
void random_subunit(RandomModel *model, const RandomShape *shape, uint32_t seed);

/* A filter on the whole raster, without window corners. */
void random_ln(RandomModel *model, const RandomShape *shape, uint32_t seed);

/* Windows of `window` px at corners 0, 1, 2 …, and a memory of `memory_bins`. */
void random_glm(RandomModel *model, const RandomShape *shape, int window, int memory_bins,
                uint32_t seed);

/* `units` units with kernels of rows × columns (kernel1_height, kernel1_width of the shape), pooled over
 * rows × columns of places; with channel and place 0. */
void random_reduced(RandomModel *model, const RandomShape *shape, int units, int rows, int columns,
                    uint32_t seed);
void random_model_finish(RandomModel *model);

/* Writes it below folder (test_folder) and returns the path, valid until the next call; the file
 * must be writable, or the running case fails. */
const char *random_model_save(const RandomModel *model, const char *folder);

/* values (count) uniform in lowest … highest; the same for the same state. */
void random_fill(uint32_t *state, size_t count, float lowest, float highest, float *values);
