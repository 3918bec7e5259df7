#pragma once
/* An upright bar that moves at constant speed across the field, and may turn back once. The place
 * of a bin is the bar's centre in the middle of the bin. */
#include <limits.h>

#include "app/subject.h"

enum { BAR_NEVER_TURNS = INT_MAX };

typedef struct {
    double width_um, contrast;
    double start_um, um_per_bin; // centre at bin 0; to the right is positive
    int turn_bin;                // the bin in which it has come farthest
} BarMovie;

/* From just outside one border of the field to just outside the other and a little on, at
 * `speed_mm_per_s` (negative: to the left); bins is set. */
BarMovie bar_movie_sweep(const Subject *subject, double width_um, double contrast,
                         double speed_mm_per_s, int *bins);

double bar_movie_um(const BarMovie *movie, double bin);
void bar_movie_draw(const void *movie, int bin, const Raster *raster, float *contrast);
