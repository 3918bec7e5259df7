#pragma once
/* Small real 2-D DFTs as matrix products, for correlations in the frequency domain.
 *
 * On a circular grid of height × width px a correlation of an input with a kernel (input size −
 * kernel size + 1 valid places) never wraps in its valid part, so the grid needs no padding beyond
 * the input. A plan belongs to one region, the top left region_height × region_width px of the
 * grid: the rest is taken as zero on the way in and never computed on the way out. Input, kernel
 * and output of a layer are three plans on one grid.
 *
 * Space:    (region_height, channels, region_width), the channels' rows interleaved.
 * Spectrum: (channels, 2, stride): real parts, then imaginary parts, each grid height rows of
 *           columns = width/2 + 1 values; the other half is the conjugate. stride rounds
 *           height·columns up to a multiple of 16; the padding is written as 0.
 *
 *   forward  X(k) = Σ_p x(p) e^(−2πi k·p)        inverse  x(p) = 1/N Σ_k X(k) e^(+2πi k·p),
 *
 * p·k in units of the grid, N = height·width. forward of an image region times the conjugate of
 * forward of a kernel, then inverse, is the correlation Σ_j kernel(j) image(p + j) as in torch and
 * keras.
 *
 * The adjoints are those of the real linear maps between the arrays (real and imaginary parts count
 * as two numbers): <forward x, Y> = <x, forward_adjoint Y>, and likewise for inverse. They are what
 * gradients need. The largest part of the work is two sgemm calls each way (a DFT along columns of
 * length n as one n × n product: cosines and sines of half the frequencies). */
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    int height, width;               // grid
    int region_height, region_width; // ≤ grid
    int columns;                     // width / 2 + 1
    size_t stride;                   // floats in one real or imaginary plane
    int channels_max;
    float *along_y; // owned (height, region_height): cos rows 0 … height/2, then sin rows 1 …
    float *along_x; // owned (region_width, 2 columns): cos | −sin
    float *back_x; // owned (2 columns, region_width): the same transposed, weighted for the inverse
    float *rows;   // owned scratch (region_height, channels_max, 2 columns)
    float *folded; // owned scratch (height, channels_max, 2 columns)
} Transform;

/* false when there is no memory; *transform is then zeroed. Every size ≥ 1. */
bool transform_init(Transform *transform, int height, int width, int region_height,
                    int region_width, int channels_max);

/* channels ≤ channels_max. Nothing below allocates; arrays of one call must not overlap. */
void transform_forward(Transform *transform, int channels, const float *space, float *spectrum);
void transform_inverse(Transform *transform, int channels, const float *spectrum, float *space);
void transform_forward_adjoint(Transform *transform, int channels, const float *spectrum,
                               float *space);
void transform_inverse_adjoint(Transform *transform, int channels, const float *space,
                               float *spectrum);

/* Floats in the spectrum of that many channels. */
size_t transform_spectrum_count(const Transform *transform, int channels);

/* Accepts a zeroed transform, and one twice. */
void transform_finish(Transform *transform);
