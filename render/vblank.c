#include "render/vblank.h"

#include <math.h>

void vblank_init(VblankGrid *grid, int64_t tick, int64_t time_ns, double period_ns)
{
    *grid = (VblankGrid){.period_ns = period_ns, .tick = tick, .tick_ns = (double)time_ns};
}

/* The gains of a least-squares line through n points, taken one point at a time (the
 * expanding-memory filter of first order: Morrison, Introduction to Sequential Smoothing and
 * Prediction, 1969). Held at n = VBLANK_MEMORY_STAMPS they become a filter that forgets. */
void vblank_stamp(VblankGrid *grid, int64_t tick, int64_t time_ns)
{
    if (grid->stamps_count < VBLANK_MEMORY_STAMPS)
        grid->stamps_count++;
    double n = grid->stamps_count;
    double position_gain = 2 * (2 * n - 1) / (n * (n + 1));
    double period_gain = n > 1 ? 6 / (n * (n + 1)) : 0;
    double ticks = (double)(tick - grid->tick);
    double predicted_ns = grid->tick_ns + ticks * grid->period_ns;
    double limit_ns = grid->period_ns / 4;
    double error_ns = (double)time_ns - predicted_ns;
    if (n > 1)
        error_ns = fmin(fmax(error_ns, -limit_ns), limit_ns);
    grid->tick = tick;
    grid->tick_ns = predicted_ns + position_gain * error_ns;
    grid->period_ns += period_gain * error_ns / fmax(ticks, 1);
}

int64_t vblank_time_ns(const VblankGrid *grid, int64_t tick)
{
    return llround(grid->tick_ns + (double)(tick - grid->tick) * grid->period_ns);
}

int64_t vblank_last(const VblankGrid *grid, int64_t time_ns)
{
    double ticks = ((double)time_ns - grid->tick_ns) / grid->period_ns;
    int64_t tick = grid->tick + (int64_t)floor(ticks);
    // Division and rounding may disagree with vblank_time_ns() by a nanosecond.
    if (vblank_time_ns(grid, tick + 1) <= time_ns)
        return tick + 1;
    return vblank_time_ns(grid, tick) > time_ns ? tick - 1 : tick;
}

int64_t vblank_next(const VblankGrid *grid, int64_t time_ns)
{
    return vblank_last(grid, time_ns) + 1;
}

int64_t vblank_nearest(const VblankGrid *grid, int64_t time_ns)
{
    return grid->tick + llround(((double)time_ns - grid->tick_ns) / grid->period_ns);
}
