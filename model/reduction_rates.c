#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/moments.h"
#include "model/reduction_pool.h"

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

int reduction_numbers(int units, int places)
{
    return (places > 1 ? 6 : 4) * units + 1;
}

const float *reduction_outputs(const ReductionTask *task, int bin, int u)
{
    int which = task->which ? task->which[u] : u;
    return task->outputs + (size_t)bin * (size_t)task->stride + (size_t)(which * task->places);
}

void reduction_pool(double centre, double spread, int places, double *pool)
{
    ReductionPool filled;
    reduction_pool_fill(&filled, centre, spread, places);
    memcpy(pool, filled.weight, (size_t)places * sizeof *pool);
}

void reduction_rates(const ReductionTask *task, const ReductionNumbers *numbers,
                     const bool *is_silent, float *rates_hz)
{
    for (int bin = 0; bin < task->bins; bin++)
        rates_hz[bin] = (float)numbers->offset;
    for (int u = 0; u < task->units; u++) {
        ReductionPool pool;
        double up = numbers->rise_threshold[u], down = numbers->fall_threshold[u];
        reduction_pool_fill(&pool, numbers->centre[u], numbers->spread[u], task->places);
        for (int bin = 0; bin < task->bins; bin++) {
            ReductionSums sums =
                is_silent && is_silent[u]
                    ? reduction_sums_even(task->rest[u], up, down)
                    : reduction_sums(&pool, reduction_outputs(task, bin, u), up, down, false);
            rates_hz[bin] += (float)(numbers->rise[u] * sums.rise + numbers->fall[u] * sums.fall);
        }
    }
    for (int bin = 0; bin < task->bins; bin++)
        rates_hz[bin] = (float)(task->rate_scale_hz * softplus((double)rates_hz[bin]));
}

bool reduction_judge(const ReductionTask *task, ReductionNumbers *numbers)
{
    Moments moments = {0};
    double square = 0, count = 0;
    float *rates_hz = malloc((size_t)task->bins * sizeof *rates_hz);
    if (!rates_hz)
        return false;
    reduction_rates(task, numbers, NULL, rates_hz);
    for (int i = 0; i < task->rows_count; i++) {
        const ReductionRow *row = &task->rows[i];
        if (row->silent)
            continue;
        double fitted = (double)rates_hz[row->bin], miss = fitted - row->rate_hz;
        moments_add(&moments, fitted, row->rate_hz);
        square += miss * miss;
        count++;
    }
    numbers->correlation = moments_correlation(&moments);
    numbers->error_hz = sqrt(square / fmax(count, 1));
    free(rates_hz);
    return true;
}
