#pragma once
/* The second layer of a convolutional network while the image is uniform and has been for its whole history (a
 * full field): exact, without a convolution.
 *
 * All units of a first-layer channel then have one drive d_c between them, and a unit is max(0, scale · d_c + shift).
 * What a channel adds to the second layer is therefore piecewise linear in its drive,
 *
 *   d_c · P + Q,   P = Σ scale · taps,   Q = Σ shift · taps   over the units that are on,
 *
 * and changes where the drive crosses a unit's threshold. P and Q are kept for every CNN_UNIFORM_ANCHORS-th part of
 * a channel's thresholds; the units between the drive and the nearest are put in, or taken out, one by one. The
 * result depends on the drives alone. */
#include <stdbool.h>

#include "model/cnn_file.h"

enum { CNN_UNIFORM_ANCHORS = 16, CNN_UNIFORM_MBYTES_MOST = 12, CNN_UNIFORM_CHANNELS_MOST = 32 };

/* A unit where the drive crosses its threshold. */
typedef struct {
    float threshold, scale, shift;
    short y, x;
} CnnCrossing;

typedef struct {
    CnnUnits first, second;
    int kernel_height, kernel_width;
    int crossings_step; // from anchor to anchor
    CnnCrossing
        *crossings; // owned (channels, places), by threshold; NULL: the tables are not there
    float *block;   // owned: all arrays below
    float *anchors; // (channels, anchors + 1, outputs / KERNEL_LANES, P Q, KERNEL_LANES)
    float *taps;    // (channels, K2y, K2x from the last, lanes of the second layer)
} CnnUniform;

/* conv2 as in the file; scale1, shift1 in the order of the layer. Where the tables would take more than
 * CNN_UNIFORM_MBYTES_MOST, or there are more channels, they are not made. False without memory; finish() either way. */
bool cnn_uniform_init(CnnUniform *uniform, const ModelTensor *conv2, const CnnUnits *first,
                      const CnnUnits *second, const float *scale1, const float *shift1);
bool cnn_uniform_is_there(const CnnUniform *uniform);
void cnn_uniform_finish(CnnUniform *uniform);

/* drives (channels) → sums (h2, w2, lanes) of the second convolution, before scale and shift. */
void cnn_uniform_sum(const CnnUniform *uniform, const float *drives, float *sums);
