#include "app/bar_noise.h"

#include <math.h>
#include <stdlib.h>

#include "app/draws.h"

enum { SEED = 1, STREAM = 30, KERNEL_MS = 400, PLACE_BINS = 6000, PLACE_REACH_PX = 3 };

typedef struct {
    const float *light; // (bins, stripes)
    int stripes;
    bool is_level;
} Noise;

static void draw_noise(const void *movie, int bin, const Raster *raster, float *contrast)
{
    const Noise *noise = movie;
    const float *light = noise->light + (ptrdiff_t)bin * noise->stripes;
    for (int row = 0; row < raster->height_px; row++)
        for (int col = 0; col < raster->width_px; col++)
            contrast[row * raster->width_px + col] = light[noise->is_level ? row : col];
}

static float *make_light(int bins, int stripes, bool is_level)
{
    size_t count = (size_t)bins * (size_t)stripes;
    float *light = malloc(count * sizeof *light);
    Draws draws = draws_start(SEED, STREAM, is_level);
    for (size_t i = 0; light && i < count; i++)
        light[i] = (float)draw_normal(&draws);
    return light;
}

// kernel (lags, stripes) of one cell += (rate − mean) × light, over the bins with a whole past
static void correlate(const BarKernel *k, int cell, const float *light, const float *rates,
                      int bins)
{
    double mean = 0.0, *kernel = k->kernel + (ptrdiff_t)cell * k->lags * k->columns;
    int count = bins - k->lags;
    for (int t = k->lags; t < bins; t++)
        mean += (double)rates[(ptrdiff_t)t * k->cells + cell] / count;
    for (int t = k->lags; t < bins; t++) {
        double weight = ((double)rates[(ptrdiff_t)t * k->cells + cell] - mean) / count;
        for (int lag = 0; lag < k->lags; lag++) {
            const float *past = light + (ptrdiff_t)(t - lag) * k->columns;
            double *row = kernel + (ptrdiff_t)lag * k->columns;
            for (int col = 0; col < k->columns; col++)
                row[col] += weight * (double)past[col];
        }
    }
}

static bool fit(Subject *subject, int bins, bool is_level, BarKernel *k)
{
    const Raster *raster = &subject->raster;
    *k = (BarKernel){.cells = subject->info->cells,
                     .lags = subject_bins(subject, KERNEL_MS),
                     .columns = is_level ? raster->height_px : raster->width_px};
    k->kernel = calloc((size_t)k->cells * (size_t)k->lags * (size_t)k->columns, sizeof *k->kernel);
    float *light = make_light(bins, k->columns, is_level);
    float *rates = malloc((size_t)bins * (size_t)k->cells * sizeof *rates);
    const Noise noise = {light, k->columns, is_level};
    bool ok = k->kernel && light && rates && subject_show(subject, draw_noise, &noise, bins, rates);
    for (int cell = 0; ok && cell < k->cells; cell++)
        correlate(k, cell, light, rates, bins);
    free(light);
    free(rates);
    if (!ok)
        bar_noise_finish(k);
    return ok;
}

bool bar_noise_fit(Subject *subject, int bins, BarKernel *kernel)
{
    return fit(subject, bins, false, kernel);
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
        if (!fit(subject, PLACE_BINS, is_level, &kernel))
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
