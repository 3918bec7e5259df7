#include "app/series.h"

#include <math.h>
#include <stdlib.h>

bool series_add(Series *series, int64_t value)
{
    if (series->count == series->capacity) {
        size_t capacity = series->capacity ? 2 * series->capacity : 1024;
        int64_t *grown = realloc(series->values, capacity * sizeof *grown);
        if (!grown)
            return false;
        series->values = grown;
        series->capacity = capacity;
    }
    series->values[series->count++] = value;
    return true;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t series_percentile(Series *series, double fraction)
{
    if (series->count == 0)
        return -1;
    qsort(series->values, series->count, sizeof *series->values, by_value);
    double rank = ceil(fraction * (double)series->count);
    return series->values[rank < 1 ? 0 : (size_t)rank - 1];
}

bool series_append(Series *series, const Series *other)
{
    for (size_t i = 0; i < other->count; i++)
        if (!series_add(series, other->values[i]))
            return false;
    return true;
}

void series_finish(Series *series)
{
    free(series->values);
    *series = (Series){0};
}
