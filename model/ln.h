#pragma once
/* Linear-nonlinear models, one bin at a time: a space-time filter per cell, then a softplus.
 *
 *   rate_hz = rate_scale_hz · gain · softplus(Σ_lag Σ_px filter · x + offset)
 *
 * with x the normalised luminance. Datasets of a file of kind "ln":
 *   filter (cells, history_bins oldest first, height, width), or, separable,
 *   filter_time (cells, history_bins oldest first) and filter_space (cells, height, width)
 *   offset (cells)   gain (cells)
 *
 * Older bins are summed in settle; a step adds the newest bin only. */
#include "model/kind.h"
