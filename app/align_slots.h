#pragma once
/* The refreshes of the screen as the recording has them: edges put on a grid of whole refreshes.
 *
 * A display refreshes evenly, so the distance of two edges is a whole number of refreshes: counting
 * them needs no common clock, and what the recording's clock drifts against the run's cancels out.
 * The count is sure while a clock is off by less than 0.3 refreshes over the longest gap between
 * edges (at 1000 ppm, 300 refreshes); a longer gap ends the grid, and the longest stretch is taken
 * for the run. Edges off the grid are set aside, each one known by its sample. Once the run's own
 * times are tied to samples, the grid can be that of these times, which need not be even.
 *
 * Where the edges scatter about the grid no more than the noise of the recording throws them, the
 * scatter is taken for noise, and each edge is put where those near it and the grid say. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/sync_edges.h"

typedef struct {
    double expected; // sample at which the grid has it, but for what all near it are off
    double start;    // at which the refresh began, the lateness of its edge's direction taken off
    double at;       // at which it was seen to: with that lateness, where it has an edge
    double edge;     // of its own edge, as detected; NaN: it has none
    float step;      // of that edge, as SyncEdge has it
} AlignSlot;

typedef struct {
    AlignSlot *slots; // owned, (count), from the first edge of the grid to its last
    int64_t count;
    double period;  // samples a refresh, as measured
    double scatter; // samples: the edges' median distance from the grid as those near them have it
    double up_minus_down; // samples by which rising edges come later than falling ones
    double *strays;       // owned, (strays_count): samples of edges off the grid, in its span
    size_t strays_count;
} AlignSlots;

/* period: samples a refresh as the run and the nominal rate have it. False without memory, or, with
 * count 0, when there are not two edges on one grid. */
bool align_slots_make(const SyncEdges *edges, double period, AlignSlots *slots);

/* The same on a given grid: expected (count) is the sample at which each refresh of the run should
 * begin. *first
 * := the refresh of slot 0. */
bool align_slots_follow(const SyncEdges *edges, const double *expected, int64_t count,
                        AlignSlots *slots, int64_t *first);

/* Where slot n would begin, within the grid and beyond. */
double align_slot_start(const AlignSlots *slots, int64_t n);
void align_slots_finish(AlignSlots *slots);
