#pragma once
/* The product of stored filter spectra with input spectra, summed over the inputs: the heart of a
 * convolution layer in the frequency domain. Spectra are laid out as in transform.h.
 *
 * Filters are packed in the order they are read: memory bandwidth decides the speed.
 *   packed (stride / SPECTRA_BLOCK, outputs, inputs, 2, SPECTRA_BLOCK) */
#include <stddef.h>

enum { SPECTRA_BLOCK = 16 }; // divides every stride of transform.h

/* Floats in the packed filters of a layer. */
size_t spectra_packed_count(size_t stride, int outputs, int inputs);

/* Puts the spectrum (2, stride) of one kernel, conjugated, in its place. */
void spectra_pack(float *packed, size_t stride, int outputs, int inputs, int output, int input,
                  const float *spectrum);

/* sum (outputs, 2, stride) = start + Σ_i conj(filter_oi) · x_i, in the order of i.
 * x (inputs) spectra (2, stride); start like sum, or NULL for 0; may be sum itself. */
void spectra_correlate(const float *packed, size_t stride, int outputs, int inputs,
                       const float *const *x, const float *start, float *sum);
