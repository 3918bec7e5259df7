#pragma once
/* A growing list of measurements and its percentiles. Not for the frame path: it allocates. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t *values; // owned
    size_t count, capacity;
} Series;

/* False when out of memory; the series stays as it was. */
bool series_add(Series *series, int64_t value);

/* Nearest-rank percentile, fraction in 0 … 1; -1 when the series is empty. Sorts the series. */
int64_t series_percentile(Series *series, double fraction);

bool series_append(Series *series, const Series *other);
void series_finish(Series *series);
