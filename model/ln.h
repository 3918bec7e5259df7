#pragma once
/* Linear-nonlinear models and GLMs, one bin at a time: a space-time filter per cell on a window of
 * the raster, and in a GLM a filter on the cell's own past; then a softplus.
 *
 *   rate_hz = rate_scale_hz · gain · softplus(Σ_lag Σ_px filter · x + Σ_i memory_i · n_i + offset)
 *
 * with x the normalised luminance and n_i the cell's spikes a bin, oldest first, the last in the bin
 * before the one predicted (Pillow et al. 2008). A GLM that predicts has no spikes to remember: it
 * remembers the numbers it expected (mean field), so its rates are not noisy and need no seed.
 *
 * Datasets of a file of kind "ln" or "glm":
 *   filter (cells, history_bins oldest first, window height, window width)
 *   filter_left, filter_top (cells), the window's corner on the raster, px; missing: 0
 *   offset (cells)   gain (cells)
 *   memory (cells, bins oldest first), of a GLM only
 *
 * Older bins are summed in settle; a step adds the newest bin only. */
#include "model/kind.h"
#include "model/weights.h"
