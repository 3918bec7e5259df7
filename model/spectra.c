#include "model/spectra.h"

#include <string.h>

enum { BLOCK = SPECTRA_BLOCK };

size_t spectra_packed_count(size_t stride, int outputs, int inputs)
{
    return 2 * stride * (size_t)outputs * (size_t)inputs;
}

void spectra_pack(float *packed, size_t stride, int outputs, int inputs, int output, int input,
                  const float *spectrum)
{
    for (size_t block = 0; block < stride / BLOCK; block++) {
        size_t place = (block * (size_t)outputs + (size_t)output) * (size_t)inputs + (size_t)input;
        float *re = packed + 2 * BLOCK * place, *im = re + BLOCK;
        for (size_t f = 0; f < BLOCK; f++) {
            re[f] = spectrum[block * BLOCK + f];
            im[f] = -spectrum[stride + block * BLOCK + f];
        }
    }
}

/* re, im (BLOCK) += Σ_i w_i · x_i, one block of frequencies. */
static void accumulate(const float *restrict w, int inputs, const float *const *x, size_t at,
                       size_t stride, float *restrict re, float *restrict im)
{
    enum { LANES = 8 }; // few enough that the sums stay in registers on plain SSE2
    for (size_t part = 0; part < BLOCK; part += LANES) {
        float sr[LANES], si[LANES];
        memcpy(sr, re + part, sizeof sr);
        memcpy(si, im + part, sizeof si);
        const float *restrict wp = w + part;
        for (int i = 0; i < inputs; i++, wp += 2 * BLOCK) {
            const float *restrict xr = x[i] + at + part, *restrict xi = xr + stride;
            for (size_t f = 0; f < LANES; f++) {
                sr[f] += wp[f] * xr[f] - wp[BLOCK + f] * xi[f];
                si[f] += wp[f] * xi[f] + wp[BLOCK + f] * xr[f];
            }
        }
        memcpy(re + part, sr, sizeof sr);
        memcpy(im + part, si, sizeof si);
    }
}

void spectra_correlate(const float *packed, size_t stride, int outputs, int inputs,
                       const float *const *x, const float *start, float *sum)
{
    size_t count = 2 * stride * (size_t)outputs;
    if (start == NULL)
        memset(sum, 0, count * sizeof *sum);
    else if (start != sum)
        memcpy(sum, start, count * sizeof *sum);
    size_t step = 2 * BLOCK * (size_t)inputs;
    for (size_t at = 0; at < stride; at += BLOCK)
        for (int o = 0; o < outputs; o++, packed += step) {
            float *re = sum + 2 * stride * (size_t)o + at;
            accumulate(packed, inputs, x, at, stride, re, re + stride);
        }
}
