#pragma once
/* Model kind "reduced": a network with one hidden layer, what attribution leaves of a deep one for
 * one kind of stimulus (Tanaka et al. 2019). `retrace reduce` makes the files.
 *
 * A unit filters light averaged along the stimulus's symmetry: the mean of the whole image for a
 * full field, the means of its columns or rows for a bar. It is rectified either way:
 * what lies above one threshold counts with one weight, what lies below another with another:
 *
 *     v_u = Σ_τ,place filter[u, τ, place] · s_τ,place
 *     rate = rate_scale_hz · softplus(offset + Σ_u rise_u max(v_u − θ_u, 0) + fall_u max(φ_u − v_u, 0))
 *
 * with s = (mean luminance − lum_mean) / lum_sd. It is right for stimuli of that symmetry alone, and
 * blind to what an image holds beyond those means.
 *
 * Datasets, beside what weights.h asks for:
 *   filter     (units, history_bins, rows, columns) oldest first; 1 × 1: the whole image's mean;
 *              1 × width_px: columns; height_px × 1: rows
 *   rise, rise_threshold, fall, fall_threshold   (cells, units)
 *   offset     (cells)
 *   channel    (units) first-layer channel of the full model it came from, from 1
 *   place_um   (units) where it looks along the axis, from the middle of the field; right and up
 *              count up. 0 for a full field
 * The two last ones are for people: the rate does not depend on them. */
#include <stdbool.h>

#include "model/weights.h"

enum { REDUCED_UNITS_MAX = 32 };

/* False with a sentence in err (MODEL_ERR_BYTES) when a dataset is missing or of another shape. */
bool reduced_check(const ModelFile *file, char *err);

/* Which means of an image a model sees: rows × columns of them, each 1 or the image's own. */
typedef struct {
    int rows, columns;
} ReducedAxis;

/* means (rows · columns) := those of lum (height, width). */
void reduced_average(ReducedAxis axis, const float *lum, int height, int width, float *means);
