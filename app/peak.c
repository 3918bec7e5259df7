#include "app/peak.h"

#include <math.h>
#include <stdlib.h>

static double at(const float *values, size_t stride, int bin)
{
    return (double)values[(size_t)bin * stride];
}

Peak peak_find(const float *values, size_t stride, int from, int to)
{
    Peak peak = {(double)NAN, (double)NAN};
    for (int bin = from + 1; bin < to - 1; bin++) {
        double before = at(values, stride, bin - 1), here = at(values, stride, bin);
        double after = at(values, stride, bin + 1);
        if (!(here > before && here >= after) || here <= peak.height)
            continue;
        peak.at = bin + 0.5 * (before - after) / (before - 2.0 * here + after);
        peak.height = here;
    }
    return peak;
}

double peak_highest(const float *values, size_t stride, int from, int to)
{
    double highest = (double)NAN;
    for (int bin = from; bin < to; bin++)
        highest = fmax(highest, at(values, stride, bin));
    return highest;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stat_median(const double *values, size_t stride, size_t count)
{
    double *sorted = malloc((count + 1) * sizeof *sorted);
    size_t n = 0;
    for (size_t i = 0; sorted && i < count; i++)
        if (!isnan(values[i * stride]))
            sorted[n++] = values[i * stride];
    if (n > 0)
        qsort(sorted, n, sizeof *sorted, ascending);
    double median = n == 0 ? (double)NAN : 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]);
    free(sorted);
    return median;
}

double stat_mean(const double *values, size_t count)
{
    double sum = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i])) {
            sum += values[i];
            n++;
        }
    return n > 0 ? sum / (double)n : (double)NAN;
}

double stat_sd(const double *values, size_t count)
{
    double mean = stat_mean(values, count), sum = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i])) {
            sum += (values[i] - mean) * (values[i] - mean);
            n++;
        }
    return n > 1 ? sqrt(sum / (double)(n - 1)) : (double)NAN;
}

double stat_slope(const double *x, const double *y, size_t count)
{
    double n = 0.0, mean_x = 0.0, mean_y = 0.0, xx = 0.0, xy = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(x[i]) || isnan(y[i]))
            continue;
        n += 1.0;
        double from_x = x[i] - mean_x;
        mean_x += from_x / n;
        mean_y += (y[i] - mean_y) / n;
        xx += from_x * (x[i] - mean_x);
        xy += from_x * (y[i] - mean_y);
    }
    return xx > 0.0 ? xy / xx : (double)NAN;
}
