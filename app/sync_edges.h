#pragma once
/* Where the light under a photodiode changes, from its samples alone.
 *
 * An edge is where the mean over the next `window` samples differs most from the mean over those
 * before: exact to the sample for a step in noise, the same delay for every edge of one shape where
 * the photodiode or the screen is slow, and blind to slow drift of the baseline. It takes a level
 * to be held for a refresh: a screen whose backlight is strobed or dimmed by pulses must be
 * low-pass filtered before. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t sample; // the first of the new level
    float step; // change of level; of a line of which only edges are known: +1 up, −1 down, 0 not
                // known
} SyncEdge;

typedef struct {
    SyncEdge *edges; // owned, (count), in order of time
    size_t count;
    float step;     // what a typical toggle measures; 0: there is none
    double scatter; // samples by which noise throws a typical edge
} SyncEdges;

/* samples (count) of a patch that toggles every `refresh_samples`, at least 6, and about `toggles`
 * times in all: the steps above 0.35 of a typical one are kept. Samples that are no numbers count
 * as 0. False without memory. */
bool sync_edges_find(const float *samples, int64_t count, double refresh_samples, int64_t toggles,
                     SyncEdges *edges);

/* Mean of samples[from … until), cut to what there is; NaN when that is nothing. */
double sync_mean(const float *samples, int64_t count, double from, double until);

void sync_edges_finish(SyncEdges *edges);
