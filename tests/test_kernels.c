/* Both builds of the inner loops against their definitions in double. */
#include <stdlib.h>

#include "model/kernels.h"
#include "model/kind.h"
#include "tests/harness.h"
#include "tests/random_model.h"

enum { BUILDS = 2 };

static const Kernels *build(int which)
{
    return which ? kernels_avx2() : kernels_plain();
}

static float *fill(size_t count)
{
    static uint32_t state = 3;
    float *values = model_alloc(count);
    CU_ASSERT_PTR_NOT_NULL_FATAL(values);
    random_fill(&state, count, -1, 1, values);
    return values;
}

static void the_best_build_is_one_of_them(void)
{
    CU_ASSERT_PTR_NOT_NULL(kernels_plain());
    CU_ASSERT_PTR_EQUAL(kernels(), kernels_avx2() ? kernels_avx2() : kernels_plain());
    if (!kernels_avx2())
        puts("skipped for AVX2: this processor lacks it");
}

/* Σ_k matrix[row][k] input, of one float of a panel. */
static double plain_sum(const float *matrix, int terms, const float *a, const float *b,
                        double b_sign, ptrdiff_t step)
{
    double sum = 0;
    for (int k = 0; k < terms; k++)
        sum += (double)matrix[k] * ((double)a[k * step] + b_sign * (double)b[-k * step]);
    return sum;
}

/* Inputs upwards and downwards from the middle of a column of blocks, outputs likewise. */
static void check_pair(const Kernels *k, int rows, int terms, int blocks, bool folded_in,
                       bool folded_out)
{
    ptrdiff_t width = blocks * KERNEL_LANES;
    float *even = fill((size_t)(rows * terms)), *odd = fill((size_t)(rows * terms));
    float *tiles = fill(kernel_pair_count(rows, terms)),
          *strip = fill((size_t)(4 * KERNEL_LANES * terms));
    float *in = fill((size_t)(2 * terms * width)), *out = fill((size_t)(2 * rows * width));
    kernel_pair_pack(rows, terms, even, odd, tiles);
    const float *a = in + terms * width, *b = a - width;
    float *first = out + rows * width, *second = first - width;
    k->pair(&(KernelPair){rows, terms, tiles},
            &(KernelPanel){a, b, width, -width, KERNEL_LANES, first, second, width, -width,
                           KERNEL_LANES, blocks, strip},
            folded_in, folded_out);
    for (int row = 0; row < rows; row++)
        for (int i = 0; i < width; i++) {
            const float *e = even + row * terms, *o = odd + row * terms;
            double sum = folded_in ? plain_sum(e, terms, a + i, b + i, 1, width)
                                   : plain_sum(e, terms, a + i, b + i, 0, width);
            double other = folded_in ? plain_sum(o, terms, a + i, b + i, -1, width)
                                     : plain_sum(o, terms, a + i, b + i, 1, width) -
                                           plain_sum(o, terms, a + i, b + i, 0, width);
            double want_first = folded_out ? sum + other : sum,
                   want_second = folded_out ? sum - other : other;
            CU_ASSERT(test_near((double)first[row * width + i], want_first, 1e-5));
            CU_ASSERT(test_near((double)second[-row * width + i], want_second, 1e-5));
        }
    free(even);
    free(odd);
    free(tiles);
    free(strip);
    free(in);
    free(out);
}

static void pairs_are_two_matrix_products(void)
{
    static const int rows[] = {1, 2, 3, 7, 18}, blocks[] = {1, 2, 5};
    for (int which = 0; which < BUILDS; which++)
        for (int r = 0; r < 5 && build(which); r++)
            for (int b = 0; b < 3; b++)
                for (int fold = 0; fold < 4; fold++)
                    check_pair(build(which), rows[r], 1 + 2 * r, blocks[b], fold & 1, fold & 2);
}

/* One frequency and lane: Σ (wr + i wi)(re + i im). */
static void plain_product(const KernelCorrelation *c, int bin, int f, int lane, double *re,
                          double *im)
{
    int blocks = c->lanes / KERNEL_LANES, block = lane / KERNEL_LANES;
    ptrdiff_t at = (ptrdiff_t)2 * c->lanes * f + lane;
    *re = c->starts ? (double)c->starts[bin][at] : 0;
    *im = c->starts ? (double)c->starts[bin][at + c->lanes] : 0;
    for (int i = 0; i < c->inputs; i++) {
        const float *w = c->filters + ((f * blocks + block) * c->inputs + i) * 2 * KERNEL_LANES +
                         lane % KERNEL_LANES;
        const float *x = c->x[i + bin] + f * c->x_step;
        *re += (double)w[0] * (double)x[0] - (double)w[KERNEL_LANES] * (double)x[c->im_step];
        *im += (double)w[0] * (double)x[c->im_step] + (double)w[KERNEL_LANES] * (double)x[0];
    }
}

static void check_correlation(const Kernels *k, int inputs, int bins, int lanes, bool starts)
{
    enum { FREQUENCIES = 9, FROM = 2, TO = 8, IMAGES_MAX = 16 };
    size_t spectrum = (size_t)(2 * FREQUENCIES * lanes);
    const float *x[IMAGES_MAX], *start[KERNEL_BINS];
    float *images = fill((size_t)(IMAGES_MAX * 2 * FREQUENCIES)), *sums[KERNEL_BINS];
    float *filters = fill(spectrum * (size_t)(inputs + 1));
    for (int i = 0; i < IMAGES_MAX; i++)
        x[i] = images + i * 2 * FREQUENCIES;
    for (int b = 0; b < bins; b++) {
        start[b] = fill(spectrum);
        sums[b] = model_alloc(spectrum);
    }
    KernelCorrelation c = {filters, inputs, lanes, x, 2, 1, bins, starts ? start : NULL, sums};
    k->correlate(&c, FROM, TO);
    for (int b = 0; b < bins; b++)
        for (int f = 0; f < FREQUENCIES; f++)
            for (int lane = 0; lane < lanes; lane++) {
                double re = 0, im = 0;
                if (f >= FROM && f < TO)
                    plain_product(&c, b, f, lane, &re, &im);
                CU_ASSERT(test_near((double)sums[b][2 * lanes * f + lane], re, 1e-5));
                CU_ASSERT(test_near((double)sums[b][2 * lanes * f + lanes + lane], im, 1e-5));
            }
    for (int b = 0; b < bins; b++) {
        free((float *)start[b]);
        free(sums[b]);
    }
    free(images);
    free(filters);
}

static void correlations_are_complex_sums_of_a_range(void)
{
    for (int which = 0; which < BUILDS; which++)
        for (int inputs = 0; inputs < 12 && build(which); inputs += 3)
            for (int lanes = KERNEL_LANES; lanes <= 2 * KERNEL_LANES; lanes += KERNEL_LANES) {
                check_correlation(build(which), inputs, 1, lanes, false);
                check_correlation(build(which), inputs, 1, lanes, true);
                check_correlation(build(which), inputs, KERNEL_BINS, lanes, false);
                check_correlation(build(which), inputs, KERNEL_BINS, lanes, true);
            }
}

static double dot(const float *a, const float *b, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* unfold is C ∓ iS; <unfold x, y> = <x, fold y>. */
static void unfold_and_fold_are_transposes(void)
{
    enum { COUNT = 3, LANES = 2 * KERNEL_LANES, SIZE = 2 * COUNT * LANES };
    for (int which = 0; which < BUILDS && build(which); which++) {
        float *c = fill(SIZE), *s = fill(SIZE), *up = fill(SIZE), *down = fill(SIZE);
        float *up2 = fill(SIZE), *down2 = fill(SIZE), *c2 = fill(SIZE), *s2 = fill(SIZE);
        build(which)->unfold(COUNT, LANES, c, s, up, down);
        for (int i = 0; i < SIZE; i++) {
            bool is_re = i / LANES % 2 == 0;
            double turned = is_re ? (double)s[i + LANES] : -(double)s[i - LANES]; // −i · S
            CU_ASSERT(test_near((double)up[i], (double)c[i] + turned, 1e-6));
            CU_ASSERT(test_near((double)down[i], (double)c[i] - turned, 1e-6));
        }
        build(which)->fold(COUNT, LANES, up2, down2, c2, s2);
        double there = dot(up, up2, SIZE) + dot(down, down2, SIZE);
        CU_ASSERT(test_near(dot(c, c2, SIZE) + dot(s, s2, SIZE), there, 1e-5));
        build(which)->unfold(COUNT, LANES, c, s, down, down);
        for (int i = 0; i < SIZE; i++)
            CU_ASSERT(test_near((double)down[i], (double)up[i], 0));
        float *const all[] = {c, s, up, down, up2, down2, c2, s2};
        for (int i = 0; i < 8; i++)
            free(all[i]);
    }
}

static void weights_sum_and_rectifiers_cut(void)
{
    enum {
        ROWS = 2 * KERNEL_WEIGH_ROWS,
        TERMS = 7,
        STEP = 2 * KERNEL_LANES,
        COUNT = 5 * KERNEL_LANES
    };
    for (int which = 0; which < BUILDS && build(which); which++) {
        float *weights = fill(ROWS * TERMS), *x = fill(TERMS * STEP),
              *sums = fill(ROWS * KERNEL_LANES);
        build(which)->weigh(ROWS, TERMS, weights, x, STEP, sums);
        for (int row = 0; row < ROWS; row++)
            for (int lane = 0; lane < KERNEL_LANES; lane++) {
                double sum = 0;
                const float *tile = weights + row / KERNEL_WEIGH_ROWS * TERMS * KERNEL_WEIGH_ROWS;
                for (int k = 0; k < TERMS; k++)
                    sum += (double)tile[k * KERNEL_WEIGH_ROWS + row % KERNEL_WEIGH_ROWS] *
                           (double)x[k * STEP + lane];
                CU_ASSERT(test_near((double)sums[row * KERNEL_LANES + lane], sum, 1e-5));
            }
        float *scale = fill(COUNT), *shift = fill(COUNT), *values = fill(COUNT), *old = fill(COUNT);
        for (int i = 0; i < COUNT; i++)
            old[i] = values[i];
        build(which)->rectify(COUNT, scale, shift, values);
        for (int i = 0; i < COUNT; i++) {
            double value = (double)scale[i] * (double)old[i] + (double)shift[i];
            CU_ASSERT(test_near((double)values[i], value > 0 ? value : 0, 1e-6));
        }
        float *const all[] = {weights, x, sums, scale, shift, values, old};
        for (int i = 0; i < 7; i++)
            free(all[i]);
    }
}

static void lines_and_rows_add_up(void)
{
    enum { ROWS = 3, FLOATS = 3 * KERNEL_LANES, TERMS = 5, STEP = FLOATS + KERNEL_LANES };
    for (int which = 0; which < BUILDS && build(which); which++) {
        float *tables = fill(TERMS * 2 * FLOATS), *at = fill(TERMS), *sums = fill(FLOATS);
        const float *lines[TERMS];
        for (int i = 0; i < TERMS; i++)
            lines[i] = tables + i * 2 * FLOATS;
        build(which)->lines(FLOATS, TERMS, lines, at, sums);
        for (int k = 0; k < FLOATS; k++) {
            int place = k / KERNEL_LANES * 2 * KERNEL_LANES + k % KERNEL_LANES;
            double sum = 0;
            for (int i = 0; i < TERMS; i++)
                sum += (double)at[i] * (double)lines[i][place] +
                       (double)lines[i][place + KERNEL_LANES];
            CU_ASSERT(test_near((double)sums[k], sum, 1e-5));
        }
        float *x = fill(ROWS * FLOATS), *rows = fill(ROWS * STEP), *old = fill(ROWS * STEP);
        for (int i = 0; i < ROWS * STEP; i++)
            old[i] = rows[i];
        // rows of x from the last to the first
        build(which)->add(ROWS, FLOATS, 0.75f, x + (ROWS - 1) * FLOATS, -FLOATS, rows, STEP);
        for (int row = 0; row < ROWS; row++)
            for (int i = 0; i < STEP; i++) {
                double more = i < FLOATS ? 0.75 * (double)x[(ROWS - 1 - row) * FLOATS + i] : 0;
                CU_ASSERT(test_near((double)rows[row * STEP + i],
                                    (double)old[row * STEP + i] + more, 1e-6));
            }
        float *const all[] = {tables, at, sums, x, rows, old};
        for (int i = 0; i < 6; i++)
            free(all[i]);
    }
}

int main(void)
{
    static const TestCase cases[] = {
        {"the build for this processor is one of the two", the_best_build_is_one_of_them},
        {"a pair is two matrix products, folded or not", pairs_are_two_matrix_products},
        {"correlations are complex sums over a range of frequencies",
         correlations_are_complex_sums_of_a_range},
        {"unfolding and folding are transposes", unfold_and_fold_are_transposes},
        {"weights sum and rectifiers cut", weights_sum_and_rectifiers_cut},
        {"lines and rows add up", lines_and_rows_add_up},
    };
    return test_main("kernels", cases, sizeof cases / sizeof cases[0]);
}
