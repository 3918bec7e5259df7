#include "model/transform.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/kind.h"

enum { PLANE_MULTIPLE = 16 };

static double angle_of(int frequency, int place, int length)
{
    // reduced first, so that large products keep full precision
    const double turn = 6.283185307179586476925286766559;
    return turn * ((int)((long)frequency * place % length)) / length;
}

static void fill_along_y(Transform *t)
{
    int cosines = t->height / 2 + 1;
    for (int row = 0; row < t->height; row++) {
        int frequency = row < cosines ? row : row - cosines + 1;
        for (int y = 0; y < t->region_height; y++) {
            double angle = angle_of(frequency, y, t->height);
            t->along_y[row * t->region_height + y] =
                (float)(row < cosines ? cos(angle) : sin(angle));
        }
    }
}

static void fill_along_x(Transform *t)
{
    int columns = t->columns;
    double pixels = (double)t->height * t->width;
    for (int k = 0; k < columns; k++) {
        // every frequency but the self-conjugate ones stands for two
        bool is_alone = k == 0 || 2 * k == t->width;
        double weight = (is_alone ? 1 : 2) / pixels;
        for (int x = 0; x < t->region_width; x++) {
            double angle = angle_of(k, x, t->width);
            t->along_x[x * 2 * columns + k] = (float)cos(angle);
            t->along_x[x * 2 * columns + columns + k] = (float)-sin(angle);
            t->back_x[k * t->region_width + x] = (float)(weight * cos(angle));
            t->back_x[(columns + k) * t->region_width + x] = (float)(-weight * sin(angle));
        }
    }
}

bool transform_init(Transform *t, int height, int width, int region_height, int region_width,
                    int channels_max)
{
    assert(region_height >= 1 && region_height <= height);
    assert(region_width >= 1 && region_width <= width && channels_max >= 1);
    int columns = width / 2 + 1;
    size_t plane = (size_t)height * (size_t)columns;
    *t = (Transform){
        .height = height,
        .width = width,
        .region_height = region_height,
        .region_width = region_width,
        .columns = columns,
        .stride = (plane + PLANE_MULTIPLE - 1) / PLANE_MULTIPLE * PLANE_MULTIPLE,
        .channels_max = channels_max,
    };
    size_t row = 2 * (size_t)columns, channels = (size_t)channels_max;
    t->along_y = model_alloc((size_t)height * (size_t)region_height);
    t->along_x = model_alloc((size_t)region_width * row);
    t->back_x = model_alloc((size_t)region_width * row);
    t->rows = model_alloc((size_t)region_height * channels * row);
    t->folded = model_alloc((size_t)height * channels * row);
    if (!t->along_y || !t->along_x || !t->back_x || !t->rows || !t->folded) {
        transform_finish(t);
        return false;
    }
    fill_along_y(t);
    fill_along_x(t);
    return true;
}

/* folded (height, channels, 2 columns) → spectrum: with C and S the cosine and sine rows of one
 * frequency f, X(f) = C − iS and X(−f) = C + iS. */
static void unfold(const Transform *t, int channels, float *spectrum)
{
    int columns = t->columns, cosines = t->height / 2 + 1;
    size_t row = 2 * (size_t)columns * (size_t)channels;
    for (int f = 0; f < cosines; f++) {
        int mirror = (t->height - f) % t->height;
        const float *cos_row = t->folded + (size_t)f * row;
        const float *sin_row = t->folded + (size_t)(cosines + f - 1) * row;
        for (int c = 0; c < channels; c++) {
            const float *cr = cos_row + 2 * columns * c, *ci = cr + columns;
            float *re = spectrum + 2 * t->stride * (size_t)c, *im = re + t->stride;
            float *re_up = re + f * columns, *im_up = im + f * columns;
            if (mirror == f) {
                memcpy(re_up, cr, (size_t)columns * sizeof *re);
                memcpy(im_up, ci, (size_t)columns * sizeof *im);
                continue;
            }
            const float *sr = sin_row + 2 * columns * c, *si = sr + columns;
            float *re_down = re + mirror * columns, *im_down = im + mirror * columns;
            for (int k = 0; k < columns; k++) {
                re_up[k] = cr[k] + si[k];
                im_up[k] = ci[k] - sr[k];
                re_down[k] = cr[k] - si[k];
                im_down[k] = ci[k] + sr[k];
            }
        }
    }
    size_t plane = (size_t)t->height * (size_t)columns;
    for (size_t p = 0; p < 2 * (size_t)channels; p++)
        memset(spectrum + p * t->stride + plane, 0, (t->stride - plane) * sizeof *spectrum);
}

/* The transpose of unfold. */
static void fold(const Transform *t, int channels, const float *spectrum)
{
    int columns = t->columns, cosines = t->height / 2 + 1;
    size_t row = 2 * (size_t)columns * (size_t)channels;
    for (int f = 0; f < cosines; f++) {
        int mirror = (t->height - f) % t->height;
        float *cos_row = t->folded + (size_t)f * row;
        float *sin_row = t->folded + (size_t)(cosines + f - 1) * row;
        for (int c = 0; c < channels; c++) {
            float *cr = cos_row + 2 * columns * c, *ci = cr + columns;
            const float *re = spectrum + 2 * t->stride * (size_t)c, *im = re + t->stride;
            const float *re_up = re + f * columns, *im_up = im + f * columns;
            if (mirror == f) {
                memcpy(cr, re_up, (size_t)columns * sizeof *re);
                memcpy(ci, im_up, (size_t)columns * sizeof *im);
                continue;
            }
            float *sr = sin_row + 2 * columns * c, *si = sr + columns;
            const float *re_down = re + mirror * columns, *im_down = im + mirror * columns;
            for (int k = 0; k < columns; k++) {
                cr[k] = re_up[k] + re_down[k];
                ci[k] = im_up[k] + im_down[k];
                sr[k] = im_down[k] - im_up[k];
                si[k] = re_up[k] - re_down[k];
            }
        }
    }
}

/* C (m,n) = op(A) (m,k) · op(B) (k,n), all row-major and dense. */
static void multiply(CBLAS_TRANSPOSE a_order, CBLAS_TRANSPOSE b_order, int m, int n, int k,
                     const float *a, const float *b, float *c)
{
    cblas_sgemm(CblasRowMajor, a_order, b_order, m, n, k, 1, a, a_order == CblasNoTrans ? k : m, b,
                b_order == CblasNoTrans ? n : k, 0, c, n);
}

/* space → rows = space · X → folded = along_y · rows → spectrum */
static void to_spectrum(Transform *t, int channels, const float *space, CBLAS_TRANSPOSE order,
                        const float *x, float *spectrum)
{
    assert(channels >= 1 && channels <= t->channels_max);
    int row = 2 * t->columns;
    multiply(CblasNoTrans, order, t->region_height * channels, row, t->region_width, space, x,
             t->rows);
    multiply(CblasNoTrans, CblasNoTrans, t->height, channels * row, t->region_height, t->along_y,
             t->rows, t->folded);
    unfold(t, channels, spectrum);
}

/* The way back, each step transposed. */
static void to_space(Transform *t, int channels, const float *spectrum, CBLAS_TRANSPOSE order,
                     const float *x, float *space)
{
    assert(channels >= 1 && channels <= t->channels_max);
    int row = 2 * t->columns;
    fold(t, channels, spectrum);
    multiply(CblasTrans, CblasNoTrans, t->region_height, channels * row, t->height, t->along_y,
             t->folded, t->rows);
    multiply(CblasNoTrans, order, t->region_height * channels, t->region_width, row, t->rows, x,
             space);
}

void transform_forward(Transform *t, int channels, const float *space, float *spectrum)
{
    to_spectrum(t, channels, space, CblasNoTrans, t->along_x, spectrum);
}

void transform_inverse(Transform *t, int channels, const float *spectrum, float *space)
{
    to_space(t, channels, spectrum, CblasNoTrans, t->back_x, space);
}

void transform_forward_adjoint(Transform *t, int channels, const float *spectrum, float *space)
{
    to_space(t, channels, spectrum, CblasTrans, t->along_x, space);
}

void transform_inverse_adjoint(Transform *t, int channels, const float *space, float *spectrum)
{
    to_spectrum(t, channels, space, CblasTrans, t->back_x, spectrum);
}

size_t transform_spectrum_count(const Transform *t, int channels)
{
    return 2 * t->stride * (size_t)channels;
}

void transform_finish(Transform *t)
{
    free(t->along_y);
    free(t->along_x);
    free(t->back_x);
    free(t->rows);
    free(t->folded);
    *t = (Transform){0};
}
