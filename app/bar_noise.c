#include "app/bar_noise.h"

#include <math.h>
#include <stdlib.h>

enum {
    DEGREE = 13,
    CYCLE = (1 << DEGREE) - 1, // bins
    KERNEL_MS = 400,
    PLACE_REACH_PX = 3,
};

static const double CONTRAST = 0.3;

typedef struct {
    int8_t sign[CYCLE];
    int shift; // bins from one stripe to the next
    double contrast;
    bool is_level;
} Noise;

// a maximum-length sequence: the shift register of x^13 + x^4 + x^3 + x + 1
static void fill_sequence(int8_t *sign)
{
    unsigned state = 1;
    for (int t = 0; t < CYCLE; t++) {
        sign[t] = state & 1U ? 1 : -1;
        unsigned fed = (state ^ state >> 1 ^ state >> 3 ^ state >> 4) & 1U;
        state = state >> 1 | fed << (DEGREE - 1);
    }
}

static double light_at(const Noise *noise, int bin, int stripe)
{
    return noise->contrast * noise->sign[(bin + noise->shift * stripe) % CYCLE];
}

static void draw_noise(const void *movie, int bin, const Raster *raster, float *contrast)
{
    const Noise *noise = movie;
    for (int row = 0; row < raster->height_px; row++)
        for (int col = 0; col < raster->width_px; col++)
            contrast[row * raster->width_px + col] =
                (float)light_at(noise, bin, noise->is_level ? row : col);
}

/* kernel (lags, stripes) of one cell += rate × light over the last cycle of rates (lags + CYCLE,
 * cells), half of what both polarities make of it. */
static void correlate(const BarKernel *k, int cell, const Noise *noise, const float *rates)
{
    double *kernel = k->kernel + (ptrdiff_t)cell * k->lags * k->columns;
    double scale = 0.5 / (noise->contrast * noise->contrast * CYCLE);
    for (int t = k->lags; t < k->lags + CYCLE; t++) {
        double weight = scale * noise->contrast * (double)rates[(ptrdiff_t)t * k->cells + cell];
        for (int col = 0; col < k->columns; col++) {
            const int8_t *sign = noise->sign;
            int at = (t + noise->shift * col) % CYCLE;
            for (int lag = 0; lag < k->lags; lag++)
                kernel[lag * k->columns + col] +=
                    weight * sign[at >= lag ? at - lag : at - lag + CYCLE];
        }
    }
}

static bool fit(Subject *subject, bool is_level, BarKernel *k)
{
    const Raster *raster = &subject->raster;
    int columns = is_level ? raster->height_px : raster->width_px, shift = CYCLE / columns;
    int lags = subject_bins(subject, KERNEL_MS);
    *k = (BarKernel){subject->info->cells, lags < shift ? lags : shift, columns, NULL};
    k->kernel = calloc((size_t)k->cells * (size_t)k->lags * (size_t)columns, sizeof *k->kernel);
    int bins = k->lags + CYCLE;
    float *rates = malloc((size_t)bins * (size_t)k->cells * sizeof *rates);
    Noise *noise = calloc(1, sizeof *noise);
    bool ok = k->kernel && rates && noise;
    for (int polarity = 0; ok && polarity < 2; polarity++) {
        fill_sequence(noise->sign);
        noise->shift = shift;
        noise->is_level = is_level;
        noise->contrast = polarity == 0 ? CONTRAST : -CONTRAST;
        ok = subject_show(subject, draw_noise, noise, bins, rates);
        for (int cell = 0; ok && cell < k->cells; cell++)
            correlate(k, cell, noise, rates);
    }
    free(noise);
    free(rates);
    if (!ok)
        bar_noise_finish(k);
    return ok;
}

bool bar_noise_fit(Subject *subject, BarKernel *kernel)
{
    return fit(subject, false, kernel);
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
        if (!fit(subject, is_level, &kernel))
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
