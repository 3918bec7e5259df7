#pragma once
/* The innermost loops of the convolutions, in two builds: for any processor, and for those with AVX2 and fused
 * multiply-add. Their results differ by rounding only; on one machine they are always the same.
 *
 * Values of several channels lie side by side in lanes: a multiple of KERNEL_LANES floats, the channels and
 * then zeros. Strides and steps are in floats. Everything that is read or written a block of KERNEL_LANES at a
 * time lies on 32-byte boundaries. */
#include <stdbool.h>
#include <stddef.h>

enum { KERNEL_LANES = 8, KERNEL_BINS = 4, KERNEL_TILE_ROWS = 3, KERNEL_WEIGH_ROWS = 12 };

/* Two products of small matrices with tall stacks of lanes, side by side, as a transform needs them that
 * uses its symmetry about the middle:
 *
 *   even[r] = Σ_k E[r][k] a[k],   odd[r] = Σ_k O[r][k] b[k]
 *
 * Folded in: a and b are the sum and the difference of the two inputs. Folded out: what is written is
 * even + odd and even − odd. */
typedef struct {
    int rows, terms;
    const float *tiles; // kernel_pair_pack()
} KernelPair;

typedef struct {
    const float *a, *b;
    ptrdiff_t a_step, b_step, in_step; // from term to term, and from block to block, of both
    float *even, *odd;
    ptrdiff_t even_step, odd_step, out_step; // from row to row, and from block to block
    int blocks;                              // of KERNEL_LANES
    float *strip;                            // scratch (terms, 2, 2, KERNEL_LANES)
} KernelPanel;

/* Products of spectra: sums[b] = starts[b] + Σ_i filter[i] · x[i + b], complex, in the order of i, for every
 * frequency and lane. */
typedef struct {
    const float *filters; // (frequencies, lanes / KERNEL_LANES, inputs, 2, KERNEL_LANES)
    int inputs, lanes;
    const float *const *x;      // (inputs + bins − 1): the real part at frequency 0, …
    ptrdiff_t x_step, im_step;  // … from there to the next frequency, and to the imaginary part
    int bins;                   // 1 or KERNEL_BINS
    const float *const *starts; // (bins), or NULL for 0; like sums, may be sums
    float *const *sums;         // (bins) of (frequencies, 2, lanes)
} KernelCorrelation;

typedef struct {
    void (*pair)(const KernelPair *pair, const KernelPanel *panel, bool folded_in, bool folded_out);
    void (*correlate)(const KernelCorrelation *correlation, int from, int to); // frequencies
    /* (count) complex lanes each; up and down are the spectrum at a frequency and at its negative, cosine and
     * sine the sums over either side of the middle. up may be down: then it is what is written. */
    void (*unfold)(int count, int lanes, const float *cosine, const float *sine, float *up,
                   float *down);
    void (*fold)(int count, int lanes, const float *up, const float *down, float *cosine,
                 float *sine);
    /* sums (rows, KERNEL_LANES) := Σ_k weights[row][k] · x[k], x (terms) blocks that lie x_step apart. rows is a
     * multiple of KERNEL_WEIGH_ROWS; weights (rows / KERNEL_WEIGH_ROWS, terms, KERNEL_WEIGH_ROWS). */
    void (*weigh)(int rows, int terms, const float *weights, const float *x, ptrdiff_t x_step,
                  float *sums);
    /* sums := Σ_i at[i] · line[i][0] + line[i][1]; line i is (floats / KERNEL_LANES, 2, KERNEL_LANES) */
    void (*lines)(size_t floats, int terms, const float *const *lines, const float *at,
                  float *sums);
    /* sums += weight · x, rows of `floats`, a multiple of KERNEL_LANES */
    void (*add)(int rows, int floats, float weight, const float *x, ptrdiff_t x_step, float *sums,
                ptrdiff_t sums_step);
    /* values := max(0, scale · values + shift); count is a multiple of KERNEL_LANES */
    void (*rectify)(size_t count, const float *scale, const float *shift, float *values);
} Kernels;

/* The build for this processor. */
const Kernels *kernels(void);

/* Both, for tests; the second is NULL where this processor cannot run it. */
const Kernels *kernels_plain(void);
const Kernels *kernels_avx2(void);

/* Floats in the tiles of a pair; even and odd are (rows, terms). */
size_t kernel_pair_count(int rows, int terms);
void kernel_pair_pack(int rows, int terms, const float *even, const float *odd, float *tiles);
