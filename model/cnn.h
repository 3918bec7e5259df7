#pragma once
/* The three-layer CNN of McIntosh 2016, Maheswaranathan 2018 and Tanaka 2019, one bin at a time;
 * and the subunit model, which is the same without its second convolution.
 *
 * conv1 → scale, shift → ReLU → conv2 → scale, shift → ReLU → dense → scale, shift → softplus.
 * Convolutions are valid cross-correlations, as in torch and keras; batch-norm is folded into scale
 * and shift: y = scale · (conv + bias) + shift. Rates are rate_scale_hz · softplus.
 *
 * Datasets of a file of kind "cnn", or "subunit", which lacks those with a 2 (height, width: the
 * raster; K: kernel sizes, all from the file; L the last layer):
 *   conv1_weight (c1, history_bins oldest first, K1y, K1x)     conv1_bias (c1)
 *   scale1, shift1 (c1) or (c1, h1, w1)                        h1 = height − K1y + 1, w1 likewise
 *   conv2_weight (c2, c1, K2y, K2x)                            conv2_bias (c2)
 *   scale2, shift2 (c2) or (c2, h2, w2)                        h2 = h1 − K2y + 1, w2 likewise
 *   dense_weight (cells, cL·hL·wL), flattened channel, y, x    dense_scale, dense_shift (cells)
 *   or, in place of dense_weight, a factorised readout (cnn_readout.h):
 *   readout_mask (cells, hL, wL)                               readout_feature (cells, cL)
 *
 * It is exact: convolutions are products in the frequency domain (transform.h), the first layer's
 * sum over lags is made ready before the image is known (cnn_history.h), and the past is a ring of
 * spectra, so that rewinding is moving the head back. Under a full field the second layer is a sum of
 * piecewise linear functions, kept as tables (cnn_uniform.h). */
#include "model/kind.h"

enum { CNN_CHANNELS_MAX = 128 };
