#include "app/bootstrap.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "app/draws.h"

enum { STREAM_BLOCKS = 300, STREAM_REPEATS = 301 };

static double *weights_of(const Bootstrap *b, int resample)
{
    return b->weights + (ptrdiff_t)resample * (b->blocks + b->repeats);
}

static void draw_repeats(Draws *draws, int repeats, double *weights)
{
    int different;
    do {
        for (int i = 0; i < repeats; i++)
            weights[i] = 0.0;
        for (int i = 0; i < repeats; i++)
            weights[draw_int(draws, 0, repeats - 1)] += 1.0;
        different = 0;
        for (int i = 0; i < repeats; i++)
            different += weights[i] > 0.0;
    } while (different < 2 && repeats > 1);
}

bool bootstrap_draw(Bootstrap *b, int64_t seed, int resamples, int blocks, int repeats)
{
    *b = (Bootstrap){resamples, blocks, repeats, NULL};
    b->weights = calloc((size_t)resamples, (size_t)(blocks + repeats) * sizeof *b->weights);
    for (int k = 0; b->weights && k < resamples; k++) {
        Draws of_blocks = draws_start(seed, STREAM_BLOCKS, (uint32_t)k);
        Draws of_repeats = draws_start(seed, STREAM_REPEATS, (uint32_t)k);
        for (int i = 0; i < blocks; i++)
            weights_of(b, k)[draw_int(&of_blocks, 0, blocks - 1)] += 1.0;
        draw_repeats(&of_repeats, repeats, weights_of(b, k) + blocks);
    }
    return b->weights != NULL || resamples == 0;
}

const double *bootstrap_blocks(const Bootstrap *b, int resample)
{
    return weights_of(b, resample);
}

const double *bootstrap_repeats(const Bootstrap *b, int resample)
{
    return weights_of(b, resample) + b->blocks;
}

void bootstrap_finish(Bootstrap *b)
{
    free(b->weights);
    *b = (Bootstrap){0};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const double *sorted, int count, double fraction)
{
    double at = fraction * (count - 1);
    int below = (int)floor(at), above = below + 1 < count ? below + 1 : below;
    if (sorted[below] == sorted[above])
        return sorted[below];
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

BootstrapInterval bootstrap_interval(double *values, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (!isnan(values[i]))
            values[kept++] = values[i];
    BootstrapInterval interval = {(double)NAN, (double)NAN, count - kept};
    if (kept == 0 || interval.undefined > 0.025 * count)
        return interval;
    qsort(values, (size_t)kept, sizeof *values, by_value);
    interval.low = percentile(values, kept, 0.025);
    interval.high = percentile(values, kept, 0.975);
    return interval;
}
