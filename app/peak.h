#pragma once
/* Peaks of binned curves, and the few statistics that experiments on models report. What there is
 * none of is NaN, and NaN in is left out. Pure functions. */
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    double at;     // in bins, between bins by a parabola through the peak and its neighbours; NaN:
                   // no peak
    double height; // of the highest bin; NaN: no peak
} Peak;

/* The highest local maximum of values[0], values[stride], … among bins from … to − 1: a bin above
 * the one before it and not below the one after. Both neighbours must be within from … to − 1, so a
 * curve still rising or falling at an end has no peak there. */
Peak peak_find(const float *values, size_t stride, int from, int to);

/* The highest value among bins from … to − 1; NaN when there are none. */
double peak_highest(const float *values, size_t stride, int from, int to);

/* Median, mean and standard deviation (n − 1) over values[0], values[stride], …; NaN of none. */
double stat_median(const double *values, size_t stride, size_t count);
double stat_mean(const double *values, size_t count);
double stat_sd(const double *values, size_t count);

/* Slope of the least-squares line through (x, y); NaN with fewer than two points. */
double stat_slope(const double *x, const double *y, size_t count);
