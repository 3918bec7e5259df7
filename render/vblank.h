#pragma once
/* The grid of vertical blanks as plain arithmetic: no clock, no display.
 *
 * Blanks are numbered by ticks, one each, shown or missed. A grid is either exact (vblank_init
 * alone: the simulated rungs) or follows stamps that carry jitter: a least-squares line through the
 * stamps so far that slowly forgets once it has seen VBLANK_MEMORY_STAMPS of them. */
#include <stdint.h>

enum { VBLANK_MEMORY_STAMPS = 128 };

typedef struct {
    int64_t tick, time_ns;
} VblankSample;

typedef struct {
    double period_ns;
    int64_t tick;     // the newest one stamped
    double tick_ns;   // its time, as estimated
    int stamps_count; // up to VBLANK_MEMORY_STAMPS
} VblankGrid;

/* tick happens at time_ns, and every other one whole periods from it. */
void vblank_init(VblankGrid *grid, int64_t tick, int64_t time_ns, double period_ns);

/* The display said that tick, newer than all before, happened at about time_ns. One stamp can
 * move the grid by no more than if it were a quarter of a period off. */
void vblank_stamp(VblankGrid *grid, int64_t tick, int64_t time_ns);

int64_t vblank_time_ns(const VblankGrid *grid, int64_t tick);

/* The newest tick at or before time_ns; the first one strictly after it; the closest one. */
int64_t vblank_last(const VblankGrid *grid, int64_t time_ns);
int64_t vblank_next(const VblankGrid *grid, int64_t time_ns);
int64_t vblank_nearest(const VblankGrid *grid, int64_t time_ns);
