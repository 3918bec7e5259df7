#include "model/reduction_pool.h"

#include <assert.h>
#include <math.h>

void reduction_pool_fill(ReductionPool *pool, double centre, double spread, int places)
{
    double total = 0, mean = 0, square = 0;
    assert(places >= 1 && places <= REDUCTION_PLACES_MAX);
    pool->places = places;
    // from the nearest place, so that a window far off is that place alone, not nothing at all
    double nearest = fmin(fmax(round(centre), 0), places - 1), least = (nearest - centre) / spread;
    for (int p = 0; p < places; p++) {
        double off = (p - centre) / spread;
        pool->weight[p] = exp(-0.5 * (off * off - least * least));
        total += pool->weight[p];
    }
    for (int p = 0; p < places; p++) {
        double off = (p - centre) / spread;
        pool->weight[p] /= total;
        mean += pool->weight[p] * off;
        square += pool->weight[p] * off * off;
    }
    for (int p = 0; p < places; p++) {
        double off = (p - centre) / spread;
        pool->by_centre[p] = pool->weight[p] * (off - mean) / spread;
        pool->by_spread[p] = pool->weight[p] * (off * off - square);
    }
}

ReductionSums reduction_sums(const ReductionPool *pool, const float *drive, double rise_threshold,
                             double fall_threshold, bool has_derivatives)
{
    ReductionSums sums = {0};
    for (int p = 0; p < pool->places; p++) {
        double above = (double)drive[p] - rise_threshold, below = fall_threshold - (double)drive[p];
        above = above > 0 ? above : 0;
        below = below > 0 ? below : 0;
        sums.rise += pool->weight[p] * above;
        sums.fall += pool->weight[p] * below;
        if (!has_derivatives)
            continue;
        sums.rise_open += above > 0 ? pool->weight[p] : 0;
        sums.fall_open += below > 0 ? pool->weight[p] : 0;
        sums.rise_by_centre += pool->by_centre[p] * above;
        sums.fall_by_centre += pool->by_centre[p] * below;
        sums.rise_by_spread += pool->by_spread[p] * above;
        sums.fall_by_spread += pool->by_spread[p] * below;
    }
    return sums;
}

ReductionSums reduction_sums_even(double drive, double rise_threshold, double fall_threshold)
{
    double above = drive - rise_threshold, below = fall_threshold - drive;
    return (ReductionSums){.rise = above > 0 ? above : 0,
                           .fall = below > 0 ? below : 0,
                           .rise_open = above > 0,
                           .fall_open = below > 0};
}
