#pragma once
/* Small real 2-D Fourier transforms as matrix products, for correlations in the frequency domain.
 *
 * On a circular grid of height × width px a correlation of an input with a kernel (input size −
 * kernel size + 1 valid places) never wraps in its valid part, so the grid needs no padding beyond
 * the input. A plan belongs to one region of region_height × region_width px on the grid: the rest
 * is taken as zero on the way in and never computed on the way out. Input, kernel and output of a
 * layer are three plans on one grid.
 *
 * Space:    (region_height, region_width, lanes): the channels, and zeros up to a multiple of
 *           KERNEL_LANES.
 * Spectrum: (height, columns, 2, lanes): real and imaginary parts, columns = width / 2 + 1; the other
 *           half is the conjugate. frequency = ky · columns + kx.
 * A plane is one channel by itself: lanes is 1.
 *
 *   forward  X(k) = Σ_p x(p) e^(−2πi k·(p − m))      inverse  x(p) = 1/N Σ_k X(k) e^(+2πi k·(p − m)),
 *
 * k·p in units of the grid, N = height·width. m, the middle of the region, is what makes the sums
 * symmetric: every length is halved by adding and subtracting what mirrors each other. forward of
 * the input times the conjugate of forward of a kernel, then inverse, is the correlation
 * Σ_j kernel(j) input(p + j) as in torch and keras: the middles of kernel and output add up to that of
 * the input.
 *
 * The adjoints are those of the real linear maps between the arrays (real and imaginary parts count
 * as two numbers): <forward x, Y> = <x, forward_adjoint Y>, and likewise for inverse. They are what
 * gradients need. */
#include <stdbool.h>
#include <stddef.h>

#include "model/kernels.h"

typedef struct {
    int height, width;                   // grid
    int region_height, region_width;     // ≤ grid
    int columns, frequencies;            // width / 2 + 1, height · columns
    int lanes;                           // 0: planes only
    KernelPair in_y, in_x, in_x_adjoint; // from space to spectrum; the adjoint is that of inverse
    KernelPair out_y, out_x, out_x_adjoint; // and back; that of forward
    float *block;                           // owned: all arrays below, and the tiles of the pairs
    float *plane_x, *plane_y; // (region_width, columns, 2), (2, height / 2 + 1, region_height)
    float *rows;              // scratch (region_height, columns, 2, lanes)
    float *folded;            // scratch (2, height / 2 + 1, columns, 2, lanes): cosines, sines
    float *strip;             // scratch
    float *zeros;             // (columns, 2, lanes)
} Transform;

/* channels → lanes */
int transform_lanes(int channels);

/* channels 0: for planes only. False when there is no memory; *transform is then zeroed. Other sizes
 * ≥ 1. */
bool transform_init(Transform *transform, int height, int width, int region_height,
                    int region_width, int channels);

/* Nothing below allocates; arrays of one call must not overlap, and lie on 32-byte boundaries. */
void transform_forward(Transform *transform, const float *space, float *spectrum);
void transform_inverse(Transform *transform, const float *spectrum, float *space);
void transform_forward_adjoint(Transform *transform, const float *spectrum, float *space);
void transform_inverse_adjoint(Transform *transform, const float *space, float *spectrum);

/* A plane (region_height, region_width) → spectrum with lanes 1. */
void transform_forward_plane(Transform *transform, const float *plane, float *spectrum);

/* The same of a plane that is `value` everywhere: all of it is at frequency 0. */
void transform_forward_constant(Transform *transform, float value, float *spectrum);

/* The same where all rows are alike: row (region_width). And the way back from a
 * spectrum of which only ky = 0 is not zero, or is read. */
void transform_forward_row(Transform *transform, const float *row, float *spectrum);
void transform_inverse_rows(Transform *transform, const float *spectrum, float *space);

/* Floats in a spectrum of `lanes` lanes. */
size_t transform_spectrum_count(const Transform *transform, int lanes);

/* Accepts a zeroed transform, and one twice. */
void transform_finish(Transform *transform);
