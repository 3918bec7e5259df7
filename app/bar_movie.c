#include "app/bar_movie.h"

#include <math.h>

enum { TAIL_MS = 400 };

BarMovie bar_movie_sweep(const Subject *subject, double width_um, double contrast,
                         double speed_mm_per_s, int *bins)
{
    double path_um = subject->raster.width_px * subject->raster.um_per_px + width_um;
    double um_per_bin = speed_mm_per_s * subject->bin_ms;
    *bins = (int)ceil(path_um / fabs(um_per_bin)) + subject_bins(subject, TAIL_MS);
    return (BarMovie){width_um, contrast, copysign(0.5 * path_um, -um_per_bin), um_per_bin,
                      BAR_NEVER_TURNS};
}

double bar_movie_um(const BarMovie *movie, double bin)
{
    double steps = bin <= movie->turn_bin ? bin : 2.0 * movie->turn_bin - bin;
    return movie->start_um + movie->um_per_bin * steps;
}

void bar_movie_draw(const void *movie, int bin, const Raster *raster, float *contrast)
{
    const BarMovie *bar = movie;
    subject_bar(raster, bar_movie_um(bar, bin), bar->width_um, bar->contrast, contrast);
}
