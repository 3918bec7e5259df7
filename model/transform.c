#include "model/transform.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/kind.h"
#include "model/transform_basis.h"

int transform_lanes(int channels)
{
    return (channels + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

size_t transform_spectrum_count(const Transform *t, int lanes)
{
    return (size_t)2 * (size_t)t->frequencies * (size_t)lanes;
}

static int cosines(const Transform *t)
{
    return t->height / 2 + 1;
}

/* Floats in a row of complex lanes. */
static ptrdiff_t row_of(const Transform *t, int lanes)
{
    return (ptrdiff_t)2 * t->columns * lanes;
}

/* ---- one way along each side */

/* The places right of the middle, or on it, and those that mirror them. */
static int right_of_middle(int region)
{
    return region / 2;
}

static int left_of_middle(int region)
{
    return (region - 1) / 2;
}

/* space → rows, a line of blocks at a time. */
static void along_x_in(Transform *t, const KernelPair *pair, const float *space)
{
    ptrdiff_t lanes = t->lanes;
    for (ptrdiff_t lane = 0; lane < lanes; lane += KERNEL_LANES)
        kernels()->pair(pair,
                        &(KernelPanel){.a = space + lane + right_of_middle(t->region_width) * lanes,
                                       .b = space + lane + left_of_middle(t->region_width) * lanes,
                                       .a_step = lanes,
                                       .b_step = -lanes,
                                       .in_step = t->region_width * lanes,
                                       .even = t->rows + lane,
                                       .odd = t->rows + lane + lanes,
                                       .even_step = 2 * lanes,
                                       .odd_step = 2 * lanes,
                                       .out_step = row_of(t, t->lanes),
                                       .blocks = t->region_height,
                                       .strip = t->strip},
                        true, false);
}

/* rows → space: `lines` of either */
static void along_x_out(Transform *t, const KernelPair *pair, const float *rows, int lines,
                        float *space)
{
    ptrdiff_t lanes = t->lanes;
    for (ptrdiff_t lane = 0; lane < lanes; lane += KERNEL_LANES)
        kernels()->pair(
            pair,
            &(KernelPanel){.a = rows + lane,
                           .b = rows + lane + lanes,
                           .a_step = 2 * lanes,
                           .b_step = 2 * lanes,
                           .in_step = row_of(t, t->lanes),
                           .even = space + lane + right_of_middle(t->region_width) * lanes,
                           .odd = space + lane + left_of_middle(t->region_width) * lanes,
                           .even_step = lanes,
                           .odd_step = -lanes,
                           .out_step = t->region_width * lanes,
                           .blocks = lines,
                           .strip = t->strip},
            false, true);
}

/* rows → folded */
static void along_y_in(Transform *t)
{
    ptrdiff_t row = row_of(t, t->lanes);
    kernels()->pair(&t->in_y,
                    &(KernelPanel){.a = t->rows + right_of_middle(t->region_height) * row,
                                   .b = t->rows + left_of_middle(t->region_height) * row,
                                   .a_step = row,
                                   .b_step = -row,
                                   .in_step = KERNEL_LANES,
                                   .even = t->folded,
                                   .odd = t->folded + cosines(t) * row,
                                   .even_step = row,
                                   .odd_step = row,
                                   .out_step = KERNEL_LANES,
                                   .blocks = (int)(row / KERNEL_LANES),
                                   .strip = t->strip},
                    true, false);
}

/* folded → rows */
static void along_y_out(Transform *t)
{
    ptrdiff_t row = row_of(t, t->lanes);
    kernels()->pair(&t->out_y,
                    &(KernelPanel){.a = t->folded,
                                   .b = t->folded + cosines(t) * row,
                                   .a_step = row,
                                   .b_step = row,
                                   .in_step = KERNEL_LANES,
                                   .even = t->rows + right_of_middle(t->region_height) * row,
                                   .odd = t->rows + left_of_middle(t->region_height) * row,
                                   .even_step = row,
                                   .odd_step = -row,
                                   .out_step = KERNEL_LANES,
                                   .blocks = (int)(row / KERNEL_LANES),
                                   .strip = t->strip},
                    false, true);
}

/* ---- between the sums over either side of the middle and the spectrum
 *
 * With C and S the sums with the cosines and sines of frequency f, X(f) = C − iS and X(−f) = C + iS. */

static void unfold(const Transform *t, float *spectrum)
{
    ptrdiff_t row = row_of(t, t->lanes);
    memcpy(spectrum, t->folded, (size_t)row * sizeof *spectrum);
    for (int f = 1; f < cosines(t); f++)
        kernels()->unfold(t->columns, t->lanes, t->folded + f * row,
                          t->folded + (cosines(t) + f) * row, spectrum + f * row,
                          spectrum + (t->height - f) * row);
}

/* The transpose of unfold. */
static void fold(const Transform *t, const float *spectrum)
{
    ptrdiff_t row = row_of(t, t->lanes);
    memcpy(t->folded, spectrum, (size_t)row * sizeof *spectrum);
    memset(t->folded + cosines(t) * row, 0, (size_t)row * sizeof *spectrum);
    for (int f = 1; f < cosines(t); f++) {
        bool is_alone = 2 * f == t->height;
        kernels()->fold(t->columns, t->lanes, spectrum + f * row,
                        is_alone ? t->zeros : spectrum + (t->height - f) * row, t->folded + f * row,
                        t->folded + (cosines(t) + f) * row);
    }
}

/* ---- whole transforms */

static void to_spectrum(Transform *t, const KernelPair *along_x, const float *space,
                        float *spectrum)
{
    assert(t->lanes > 0);
    along_x_in(t, along_x, space);
    along_y_in(t);
    unfold(t, spectrum);
}

static void to_space(Transform *t, const KernelPair *along_x, const float *spectrum, float *space)
{
    assert(t->lanes > 0);
    fold(t, spectrum);
    along_y_out(t);
    along_x_out(t, along_x, t->rows, t->region_height, space);
}

void transform_forward(Transform *t, const float *space, float *spectrum)
{
    to_spectrum(t, &t->in_x, space, spectrum);
}

void transform_inverse(Transform *t, const float *spectrum, float *space)
{
    to_space(t, &t->out_x, spectrum, space);
}

void transform_forward_adjoint(Transform *t, const float *spectrum, float *space)
{
    to_space(t, &t->out_x_adjoint, spectrum, space);
}

void transform_inverse_adjoint(Transform *t, const float *space, float *spectrum)
{
    to_spectrum(t, &t->in_x_adjoint, space, spectrum);
}

void transform_inverse_rows(Transform *t, const float *spectrum, float *space)
{
    size_t row = (size_t)t->region_width * (size_t)t->lanes;
    along_x_out(t, &t->out_x, spectrum, 1, space);
    for (size_t y = 1; y < (size_t)t->region_height; y++)
        memcpy(space + y * row, space, row * sizeof *space);
}

/* ---- planes: too narrow for lanes, and so by plain products */

/* C (m, n) = A (m, k) · B (k, n) */
static void multiply(int m, int n, int k, const float *a, const float *b, float *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n, 0, c, n);
}

void transform_forward_plane(Transform *t, const float *plane, float *spectrum)
{
    int row = 2 * t->columns, sines = cosines(t) * row;
    multiply(t->region_height, row, t->region_width, plane, t->plane_x, t->rows);
    multiply(2 * cosines(t), row, t->region_height, t->plane_y, t->rows, t->folded);
    memcpy(spectrum, t->folded, (size_t)row * sizeof *spectrum);
    for (int f = 1; f < cosines(t); f++) {
        const float *c = t->folded + f * row, *s = c + sines;
        float *up = spectrum + f * row, *down = spectrum + (t->height - f) * row;
        for (int k = 0; k < row; k += 2) {
            down[k] = c[k] - s[k + 1];
            down[k + 1] = c[k + 1] + s[k];
        }
        for (int k = 0; k < row; k += 2) {
            up[k] = c[k] + s[k + 1];
            up[k + 1] = c[k + 1] - s[k];
        }
    }
}

void transform_forward_constant(Transform *t, float value, float *spectrum)
{
    memset(spectrum, 0, transform_spectrum_count(t, 1) * sizeof *spectrum);
    spectrum[0] = (float)(t->region_height * t->region_width) * value;
}

void transform_forward_row(Transform *t, const float *row, float *spectrum)
{
    memset(spectrum, 0, transform_spectrum_count(t, 1) * sizeof *spectrum);
    cblas_sgemv(CblasRowMajor, CblasTrans, t->region_width, 2 * t->columns, (float)t->region_height,
                t->plane_x, 2 * t->columns, row, 1, 0, spectrum, 1);
}

/* ---- life */

bool transform_init(Transform *t, int height, int width, int region_height, int region_width,
                    int channels)
{
    assert(region_height >= 1 && region_height <= height);
    assert(region_width >= 1 && region_width <= width && channels >= 0);
    *t = (Transform){.height = height,
                     .width = width,
                     .region_height = region_height,
                     .region_width = region_width,
                     .columns = width / 2 + 1,
                     .frequencies = height * (width / 2 + 1),
                     .lanes = transform_lanes(channels)};
    if (transform_basis_init(t))
        return true;
    transform_finish(t);
    return false;
}

void transform_finish(Transform *t)
{
    free(t->block);
    *t = (Transform){0};
}
