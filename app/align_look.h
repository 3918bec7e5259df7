#pragma once
/* A recording cut into the slots of align_path.h: edges, grid, and what each slot looks like. For
 * align.c and align_fit.c. */
#include "app/align.h"
#include "app/align_slots.h"

typedef struct {
    const AlignOrder *order; // borrowed
    SyncEdges edges;         // owned where they were found in samples
    AlignSlots slots;        // owned
    AlignProblem problem;    // borrows the two below
    AlignSeen *seen;         // owned, (problem.slots)
    AlignRow *rows;          // owned, (problem.rows_count)
    double *expected;        // owned: the run's times in samples, where the grid is theirs; or NULL
    int64_t first;           // index there of the grid's first slot
    int64_t before;          // slots of the problem before the grid's first edge
    int64_t in_step;         // slot n began with refresh n + in_step of the run
    bool is_foreign;         // the levels carry a code, which is not this run's
} AlignView;

/* With problem.slots 0 where there is no grid to be found. False without memory. */
bool align_view_make(const AlignOrder *order, AlignView *view);

/* Puts the view on the grid of the run's own times, sample = offset + rate_hz · seconds since
 * refresh 0, where the edges scatter less about that than about an even grid: *is_changed, and the
 * path is to be found again. False without memory. */
bool align_view_follow(AlignView *view, double offset, double rate_hz, bool *is_changed);

/* From the path: which refreshes the slots were in step with, by its start if the recording has it,
 * or else by most slots. */
void align_view_step(AlignView *view, const int64_t *row);

double align_view_start(const AlignView *view, int64_t slot);
double align_view_at(const AlignView *view, int64_t slot);     // sample to report
double align_view_edge(const AlignView *view, int64_t slot);   // NaN: none
int64_t align_view_slot(const AlignView *view, double sample); // that holds it
bool align_view_wants(const AlignView *view, int64_t row);     // the record has an edge there
void align_view_finish(AlignView *view);
