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
    MIX_NATURAL,    // leaves.h, or photographs seen by the same eye
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
    const char *photographs; // folder of what to show instead of leaves; NULL: none
} MixSpec;

enum { MIX_ERR_BYTES = 512 };

typedef struct Mix Mix;

/* NULL with a sentence in err (MIX_ERR_BYTES). */
Mix *mix_create(const MixSpec *spec, char *err);

/* levels (height_px, width_px) := the next bin, 0 … DATASET_LEVEL_WHITE. False with a sentence in
 * err. */
bool mix_next(Mix *mix, uint8_t *levels, char *err);
void mix_destroy(Mix *mix);
