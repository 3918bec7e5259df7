#pragma once
/* The mixed stimulus of a simulated recording: segments of several kinds on one raster, each
 * a run of made-up trials.
 *
 * Deterministic: spec and seed give the same levels everywhere. The kind that is furthest behind
 * its share is shown next, so the shares hold in short recordings too. All is around luminance ½.
 */
#include <stdbool.h>
#include <stdint.h>

#include "render/scene.h"

typedef enum {
    MIX_NATURAL,    // leaves.h
    MIX_NOISE,      // binary and Gaussian checkerboards of several sizes
    MIX_FULL_FIELD, // Gaussian flicker
    MIX_OBJECTS,    // dark and bright bars that pass or turn back, 0.2 to 4 mm/s
    MIX_FLASHES,    // trains of flashes, some with one omitted, and steps
    MIX_KINDS
} MixKind;

typedef struct {
    double share[MIX_KINDS]; // of the time; any scale
    double segment_s;
    int64_t seed;
    uint32_t stream; // recordings of one seed and different streams are independent
    Raster raster;
    double bin_hz;
} MixSpec;

typedef struct Mix Mix;

/* NULL when out of memory. */
Mix *mix_create(const MixSpec *spec);

/* levels (height_px, width_px) := the next bin, 0 … DATASET_LEVEL_WHITE. False when out of memory.
 */
bool mix_next(Mix *mix, uint8_t *levels);
void mix_destroy(Mix *mix);
