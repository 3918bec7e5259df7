#include "app/bar_noise.h"

#include <math.h>
#include <stdlib.h>

enum {
    LONG_DEGREE = 13,
    SHORT_DEGREE = 11,
    CYCLE_MAX = (1 << LONG_DEGREE) - 1, // bins
    KERNEL_MS = 400,
    PLACE_REACH_PX = 3,
};

static const double CONTRAST = 0.3;

typedef enum { STRIPES_UPRIGHT, STRIPES_LEVEL, STRIPES_NONE } Stripes;

typedef struct {
    int8_t sign[CYCLE_MAX];
    int cycle; // bins
    int shift; // bins from one stripe to the next
    double contrast;
    Stripes stripes;
} Noise;

/* A maximum-length sequence: the shift register of x^13 + x^4 + x^3 + x + 1, or x^11 + x^2 + 1. */
static void fill_sequence(Noise *noise, int degree)
{
    unsigned state = 1;
    noise->cycle = (1 << degree) - 1;
    for (int t = 0; t < noise->cycle; t++) {
        noise->sign[t] = state & 1U ? 1 : -1;
        unsigned fed = degree == LONG_DEGREE ? state ^ state >> 1 ^ state >> 3 ^ state >> 4
                                             : state ^ state >> 2;
        state = state >> 1 | (fed & 1U) << (degree - 1);
    }
}

static void draw_noise(const void *movie, int bin, const Raster *raster, float *contrast)
{
    const Noise *noise = movie;
    for (int row = 0; row < raster->height_px; row++)
        for (int col = 0; col < raster->width_px; col++) {
            int stripe = noise->stripes == STRIPES_UPRIGHT ? col
                         : noise->stripes == STRIPES_LEVEL ? row
                                                           : 0;
            int at = (bin + noise->shift * stripe) % noise->cycle;
            contrast[row * raster->width_px + col] = (float)(noise->contrast * noise->sign[at]);
        }
}

/* kernel (lags, stripes) of one cell += rate × light over the last cycle of rates (lags + cycle,
 * cells), half of what both polarities make of it. */
static void correlate(const BarKernel *k, int cell, const Noise *noise, const float *rates)
{
    double *kernel = k->kernel + (ptrdiff_t)cell * k->lags * k->columns;
    double scale = 0.5 / (noise->contrast * noise->cycle);
    for (int t = k->lags; t < k->lags + noise->cycle; t++) {
        double weight = scale * (double)rates[(ptrdiff_t)t * k->cells + cell];
        for (int col = 0; col < k->columns; col++) {
            int at = (t + noise->shift * col) % noise->cycle;
            for (int lag = 0; lag < k->lags; lag++)
                kernel[lag * k->columns + col] +=
                    weight * noise->sign[at >= lag ? at - lag : at - lag + noise->cycle];
        }
    }
}

static bool show_both(Subject *subject, double contrast, Noise *noise, BarKernel *k, float *rates)
{
    for (int polarity = 0; polarity < 2; polarity++) {
        noise->contrast = polarity == 0 ? contrast : -contrast;
        if (!subject_show(subject, draw_noise, noise, k->lags + noise->cycle, rates))
            return false;
        for (int cell = 0; cell < k->cells; cell++)
            correlate(k, cell, noise, rates);
    }
    return true;
}

static bool fit(Subject *subject, Stripes stripes, double contrast, BarKernel *k)
{
    const Raster *raster = &subject->raster;
    Noise *noise = calloc(1, sizeof *noise);
    *k = (BarKernel){.cells = subject->info->cells,
                     .columns = stripes == STRIPES_UPRIGHT ? raster->width_px
                                : stripes == STRIPES_LEVEL ? raster->height_px
                                                           : 1};
    if (!noise)
        return false;
    fill_sequence(noise, stripes == STRIPES_NONE ? SHORT_DEGREE : LONG_DEGREE);
    noise->stripes = stripes;
    noise->shift = noise->cycle / k->columns;
    int lags = subject_bins(subject, KERNEL_MS);
    k->lags = lags < noise->shift ? lags : noise->shift;
    k->kernel = calloc((size_t)k->cells * (size_t)k->lags * (size_t)k->columns, sizeof *k->kernel);
    float *rates = malloc((size_t)(k->lags + noise->cycle) * (size_t)k->cells * sizeof *rates);
    bool ok = k->kernel && rates && show_both(subject, contrast, noise, k, rates);
    free(noise);
    free(rates);
    if (!ok)
        bar_noise_finish(k);
    return ok;
}

bool bar_noise_fit(Subject *subject, BarKernel *kernel)
{
    return fit(subject, STRIPES_UPRIGHT, CONTRAST, kernel);
}

bool flicker_noise_fit(Subject *subject, double contrast, BarKernel *kernel)
{
    return fit(subject, STRIPES_NONE, contrast, kernel);
}

void bar_noise_finish(BarKernel *kernel)
{
    free(kernel->kernel);
    *kernel = (BarKernel){0};
}

void bar_noise_predict(const BarKernel *k, const float *light, int bins, float *response)
{
    for (int t = 0; t < bins; t++)
        for (int cell = 0; cell < k->cells; cell++) {
            const double *kernel = k->kernel + (ptrdiff_t)cell * k->lags * k->columns;
            double sum = 0.0;
            for (int lag = 0; lag < k->lags && lag <= t; lag++)
                for (int col = 0; col < k->columns; col++)
                    sum += kernel[lag * k->columns + col] *
                           (double)light[(ptrdiff_t)(t - lag) * k->columns + col];
            response[(ptrdiff_t)t * k->cells + cell] = (float)sum;
        }
}

// in pixels from the left, or from the top, of the raster
static double place_px(const BarKernel *k, int cell)
{
    const double *kernel = k->kernel + (ptrdiff_t)cell * k->lags * k->columns;
    int top = 0;
    for (int i = 0; i < k->lags * k->columns; i++)
        top = fabs(kernel[i]) > fabs(kernel[top]) ? i : top;
    double weight = 0.0, moment = 0.0;
    for (int col = 0; col < k->columns; col++) {
        if (abs(col - top % k->columns) > PLACE_REACH_PX)
            continue;
        double value = kernel[top / k->columns * k->columns + col];
        weight += value * value;
        moment += value * value * (col + 0.5);
    }
    return weight > 0.0 ? moment / weight : 0.5 * k->columns;
}

bool bar_noise_places(Subject *subject)
{
    const Raster *raster = &subject->raster;
    for (int is_level = 0; is_level < 2; is_level++) {
        BarKernel kernel;
        if (!fit(subject, is_level ? STRIPES_LEVEL : STRIPES_UPRIGHT, CONTRAST, &kernel))
            return false;
        for (int cell = 0; cell < kernel.cells; cell++) {
            double from_middle = place_px(&kernel, cell) - 0.5 * kernel.columns;
            if (is_level)
                subject->y_um[cell] = -from_middle * raster->um_per_px;
            else
                subject->x_um[cell] = from_middle * raster->um_per_px;
        }
        bar_noise_finish(&kernel);
    }
    return true;
}
