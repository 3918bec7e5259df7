#pragma once
/* Model kind "reduced": a network with one hidden layer, what attribution leaves of a deep one for
 * one kind of stimulus (Tanaka et al. 2019). `retrace reduce` makes the files.
 *
 * A unit filters light averaged along the stimulus's symmetry: the mean of the whole image for a
 * full field; for a bar the means of its columns or rows, with the same kernel at every place along
 * the axis. At every place it is rectified either way, what lies above one threshold and what
 * lies below another, and what comes of that is pooled over the places:
 *
 *     v_up = Σ_τ,i filter[u, τ, i] · s_τ,p+i
 *     rate = rate_scale_hz · softplus(offset + Σ_u (rise_u Σ_p pool_up max(v_up − θ_u, 0)
 *                                                 + fall_u Σ_p pool_up max(φ_u − v_up, 0)))
 *
 * with s = (mean luminance − lum_mean) / lum_sd. A full field has one place, with a pool of 1. It is
 * right for stimuli of that symmetry alone, and blind to what an image holds beyond those means.
 *
 * Datasets, beside what weights.h asks for:
 *   filter     (units, history_bins, rows, columns) oldest first
 *   pool       (cells, units, rows, columns): both datasets' rows, less one, add up to the means there
 *              are, 1 or height_px; columns likewise; one of the two is 1
 *   rise, rise_threshold, fall, fall_threshold   (cells, units)
 *   offset     (cells)
 *   channel    (units) first-layer channel of the full model it came from, from 1
 *   place_um, spread_um   (units) centre and SD of its pool along the axis, from the middle of the field;
 *              right and up count up. 0 for a full field
 * The three last ones are for people: the rate does not depend on them. */
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
