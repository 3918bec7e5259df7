/* The loops of kernels.h, compiled once for each kind of processor by a file that defines WIDTH, the floats in a
 * vector: KERNEL_LANES or half of it. Vectors are those of gcc and clang. Sums have names rather than indices:
 * gcc keeps arrays of vectors in memory. */
#include "model/kernels.h"

typedef float Vector __attribute__((vector_size(4 * WIDTH), may_alias));
typedef int Bits __attribute__((vector_size(4 * WIDTH)));

#define INLINE static inline __attribute__((always_inline))

INLINE Vector load(const float *from)
{
    return *(const Vector *)from;
}

INLINE void store(float *to, Vector value)
{
    *(Vector *)to = value;
}

/* ---- pairs of products */

enum { STRIP_BLOCKS = 2 * WIDTH / KERNEL_LANES }; // a strip is two vectors wide

/* From a strip's first vector to its second. */
INLINE ptrdiff_t across(const KernelPanel *p, ptrdiff_t block_step)
{
    return STRIP_BLOCKS == 1 ? WIDTH : p->blocks == 1 ? 0 : block_step;
}

/* strip (terms, a a b b) := the inputs, folded once for all rows. */
INLINE void fold_strip(bool folded_in, int terms, const KernelPanel *p, int block)
{
    const float *a = p->a + block * p->in_step, *b = p->b + block * p->in_step;
    ptrdiff_t next = across(p, p->in_step);
    float *strip = p->strip;
    for (int k = 0; k < terms; k++, a += p->a_step, b += p->b_step, strip += 4 * WIDTH) {
        Vector a0 = load(a), a1 = load(a + next), b0 = load(b), b1 = load(b + next);
        if (folded_in) {
            Vector difference0 = a0 - b0, difference1 = a1 - b1;
            a0 += b0;
            a1 += b1;
            b0 = difference0;
            b1 = difference1;
        }
        store(strip, a0);
        store(strip + WIDTH, a1);
        store(strip + 2 * WIDTH, b0);
        store(strip + 3 * WIDTH, b1);
    }
}

typedef struct {
    Vector even0, even1, odd0, odd1;
} RowSums;

INLINE void add_even(RowSums *sums, float weight, Vector x0, Vector x1)
{
    sums->even0 += weight * x0;
    sums->even1 += weight * x1;
}

INLINE void add_odd(RowSums *sums, float weight, Vector x0, Vector x1)
{
    sums->odd0 += weight * x0;
    sums->odd1 += weight * x1;
}

INLINE void store_row(bool folded_out, const RowSums *sums, const KernelPanel *p, int row,
                      int block)
{
    ptrdiff_t next = across(p, p->out_step);
    float *even = p->even + row * p->even_step + block * p->out_step;
    float *odd = p->odd + row * p->odd_step + block * p->out_step;
    if (folded_out) {
        store(even, sums->even0 + sums->odd0);
        store(even + next, sums->even1 + sums->odd1);
        store(odd, sums->even0 - sums->odd0);
        store(odd + next, sums->even1 - sums->odd1);
    } else {
        store(even, sums->even0);
        store(even + next, sums->even1);
        store(odd, sums->odd0);
        store(odd + next, sums->odd1);
    }
}

INLINE void pair_tile(bool folded_out, const KernelPair *pair, const KernelPanel *p, int row,
                      int block)
{
    const float *w = pair->tiles + (ptrdiff_t)2 * row * pair->terms, *x = p->strip;
    RowSums first = {{0}, {0}, {0}, {0}}, second = first, third = first;
#pragma GCC unroll 2
    for (int k = 0; k < pair->terms; k++, w += 2 * KERNEL_TILE_ROWS, x += 4 * WIDTH) {
        Vector a0 = load(x), a1 = load(x + WIDTH);
        add_even(&first, w[0], a0, a1);
        add_even(&second, w[1], a0, a1);
        add_even(&third, w[2], a0, a1);
        Vector b0 = load(x + 2 * WIDTH), b1 = load(x + 3 * WIDTH);
        add_odd(&first, w[3], b0, b1);
        add_odd(&second, w[4], b0, b1);
        add_odd(&third, w[5], b0, b1);
    }
    store_row(folded_out, &first, p, row, block);
    if (row + 1 < pair->rows)
        store_row(folded_out, &second, p, row + 1, block);
    if (row + 2 < pair->rows)
        store_row(folded_out, &third, p, row + 2, block);
}

/* By value, here and below: what is stored might be the very struct, for all the compiler knows. */
INLINE void pair_panel(bool folded_in, bool folded_out, const KernelPair pair, const KernelPanel p)
{
    for (int block = 0; block < p.blocks; block += STRIP_BLOCKS) {
        // the last strip of an odd number works on the block before it once more
        int start = block + STRIP_BLOCKS > p.blocks && block > 0 ? block - 1 : block;
        fold_strip(folded_in, pair.terms, &p, start);
        for (int row = 0; row < pair.rows; row += KERNEL_TILE_ROWS)
            pair_tile(folded_out, &pair, &p, row, start);
    }
}

static void pair_product(const KernelPair *pair, const KernelPanel *panel, bool folded_in,
                         bool folded_out)
{
    if (folded_in && folded_out)
        pair_panel(true, true, *pair, *panel);
    else if (folded_in)
        pair_panel(true, false, *pair, *panel);
    else if (folded_out)
        pair_panel(false, true, *pair, *panel);
    else
        pair_panel(false, false, *pair, *panel);
}

/* ---- spectra */

typedef struct {
    Vector re, im;
} Complex;

INLINE Complex start_at(const KernelCorrelation *c, int bin, ptrdiff_t at)
{
    if (c->starts == NULL)
        return (Complex){{0}, {0}};
    return (Complex){load(c->starts[bin] + at), load(c->starts[bin] + at + c->lanes)};
}

INLINE void add_product(Complex *sum, Vector wr, Vector wi, const float *x, ptrdiff_t im_step)
{
    float re = x[0], im = x[im_step];
    sum->re += wr * re;
    sum->im += wr * im;
    sum->re -= wi * im;
    sum->im += wi * re;
}

INLINE void store_sum(const KernelCorrelation *c, int bin, ptrdiff_t at, Complex sum)
{
    store(c->sums[bin] + at, sum.re);
    store(c->sums[bin] + at + c->lanes, sum.im);
}

/* One frequency, one vector of lanes; w (inputs, 2, KERNEL_LANES). Four chains of additions instead of two, for a
 * sum waits for the one before it. */
INLINE void correlate_one(const KernelCorrelation *c, const float *w, ptrdiff_t x_at, ptrdiff_t at)
{
    Complex sum = start_at(c, 0, at), other = {{0}, {0}};
    for (int i = 0; i < c->inputs; i++, w += 2 * KERNEL_LANES) {
        Vector wr = load(w), wi = load(w + KERNEL_LANES);
        const float *x = c->x[i] + x_at;
        float re = x[0], im = x[c->im_step];
        sum.re += wr * re;
        sum.im += wr * im;
        other.re -= wi * im;
        other.im += wi * re;
    }
    store_sum(c, 0, at, (Complex){sum.re + other.re, sum.im + other.im});
}

INLINE void correlate_four(const KernelCorrelation *c, const float *w, ptrdiff_t x_at, ptrdiff_t at)
{
    Complex sum0 = start_at(c, 0, at), sum1 = start_at(c, 1, at);
    Complex sum2 = start_at(c, 2, at), sum3 = start_at(c, 3, at);
    for (int i = 0; i < c->inputs; i++, w += 2 * KERNEL_LANES) {
        Vector wr = load(w), wi = load(w + KERNEL_LANES);
        add_product(&sum0, wr, wi, c->x[i] + x_at, c->im_step);
        add_product(&sum1, wr, wi, c->x[i + 1] + x_at, c->im_step);
        add_product(&sum2, wr, wi, c->x[i + 2] + x_at, c->im_step);
        add_product(&sum3, wr, wi, c->x[i + 3] + x_at, c->im_step);
    }
    store_sum(c, 0, at, sum0);
    store_sum(c, 1, at, sum1);
    store_sum(c, 2, at, sum2);
    store_sum(c, 3, at, sum3);
}

INLINE void correlate_bins(int bins, const KernelCorrelation c, int from, int to)
{
    int blocks = c.lanes / KERNEL_LANES;
    ptrdiff_t step = (ptrdiff_t)2 * KERNEL_LANES * c.inputs;
    const float *w = c.filters + from * blocks * step;
    for (int f = from; f < to; f++)
        for (int block = 0; block < blocks; block++, w += step)
            for (int lane = 0; lane < KERNEL_LANES; lane += WIDTH) {
                ptrdiff_t at = (ptrdiff_t)2 * c.lanes * f + block * KERNEL_LANES + lane;
                if (bins == 1)
                    correlate_one(&c, w + lane, f * c.x_step, at);
                else
                    correlate_four(&c, w + lane, f * c.x_step, at);
            }
}

static void correlate(const KernelCorrelation *c, int from, int to)
{
    if (c->bins == 1)
        correlate_bins(1, *c, from, to);
    else
        correlate_bins(KERNEL_BINS, *c, from, to);
}

static void unfold(int count, int lanes, const float *cosine, const float *sine, float *up,
                   float *down)
{
    for (int k = 0; k < count; k++)
        for (int lane = 0; lane < lanes; lane += WIDTH) {
            ptrdiff_t re = (ptrdiff_t)2 * k * lanes + lane, im = re + lanes;
            Vector cr = load(cosine + re), ci = load(cosine + im), sr = load(sine + re),
                   si = load(sine + im);
            store(down + re, cr - si); // first: both may be the same
            store(down + im, ci + sr);
            store(up + re, cr + si);
            store(up + im, ci - sr);
        }
}

static void fold(int count, int lanes, const float *up, const float *down, float *cosine,
                 float *sine)
{
    for (int k = 0; k < count; k++)
        for (int lane = 0; lane < lanes; lane += WIDTH) {
            ptrdiff_t re = (ptrdiff_t)2 * k * lanes + lane, im = re + lanes;
            Vector ur = load(up + re), ui = load(up + im), dr = load(down + re),
                   di = load(down + im);
            store(cosine + re, ur + dr);
            store(cosine + im, ui + di);
            store(sine + re, di - ui);
            store(sine + im, ur - dr);
        }
}

/* ---- weighted sums */

typedef struct {
    Vector a, b, c, d, e, f;
} Six;

INLINE void add_six(Six *sums, const float *w, Vector x)
{
    sums->a += w[0] * x;
    sums->b += w[1] * x;
    sums->c += w[2] * x;
    sums->d += w[3] * x;
    sums->e += w[4] * x;
    sums->f += w[5] * x;
}

INLINE void store_six(float *to, Six sums)
{
    store(to, sums.a);
    store(to + KERNEL_LANES, sums.b);
    store(to + 2 * KERNEL_LANES, sums.c);
    store(to + 3 * KERNEL_LANES, sums.d);
    store(to + 4 * KERNEL_LANES, sums.e);
    store(to + 5 * KERNEL_LANES, sums.f);
}

static void weigh(int rows, int terms, const float *weights, const float *x, ptrdiff_t x_step,
                  float *sums)
{
    for (int row = 0; row < rows;
         row += KERNEL_WEIGH_ROWS, sums += KERNEL_WEIGH_ROWS * KERNEL_LANES) {
        const float *w = weights + (ptrdiff_t)row * terms;
        for (int lane = 0; lane < KERNEL_LANES; lane += WIDTH) {
            Six upper = {{0}, {0}, {0}, {0}, {0}, {0}}, lower = upper;
            for (ptrdiff_t k = 0; k < terms; k++) {
                Vector value = load(x + k * x_step + lane);
                add_six(&upper, w + k * KERNEL_WEIGH_ROWS, value);
                add_six(&lower, w + k * KERNEL_WEIGH_ROWS + KERNEL_WEIGH_ROWS / 2, value);
            }
            store_six(sums + lane, upper);
            store_six(sums + KERNEL_WEIGH_ROWS / 2 * KERNEL_LANES + lane, lower);
        }
    }
}

static void lines(size_t floats, int terms, const float *const *lines, const float *at, float *sums)
{
    for (size_t block = 0; block < floats; block += KERNEL_LANES)
        for (int half = 0; half < KERNEL_LANES; half += WIDTH) {
            Vector slopes = {0}, rests = {0};
            for (int i = 0; i < terms; i++) {
                const float *line = lines[i] + 2 * block + half;
                slopes += at[i] * load(line);
                rests += load(line + KERNEL_LANES);
            }
            store(sums + block + half, slopes + rests);
        }
}

static void add(int rows, int floats, float weight, const float *x, ptrdiff_t x_step, float *sums,
                ptrdiff_t sums_step)
{
    for (; rows > 0; rows--, x += x_step, sums += sums_step)
        for (int i = 0; i < floats; i += WIDTH)
            store(sums + i, load(sums + i) + weight * load(x + i));
}

static void rectify(size_t count, const float *scale, const float *shift, float *values)
{
    for (size_t i = 0; i < count; i += WIDTH) {
        Vector value = load(scale + i) * load(values + i) + load(shift + i);
        store(values + i, (Vector)((Bits)value & (value > 0)));
    }
}

static const Kernels table = {pair_product, correlate, unfold, fold, weigh, lines, add, rectify};
