#pragma once
/* Running sums for Pearson's correlation of pairs that come one by one. Start from {0}. */

typedef struct {
    double n, x, y, xx, yy, xy;
} Moments;

void moments_add(Moments *moments, double x, double y);

/* NaN where either does not vary. */
double moments_correlation(const Moments *moments);
