#pragma once
/* Where in a run a recording may begin: row of its first slot, before any fault is thought of. */
#include "app/align_path.h"

enum { ALIGN_PLACES = 8 };

typedef struct {
    int64_t offset[ALIGN_PLACES]; // row that slot 0 would show; best first
    int count;
} AlignPlaces;

/* By the patch's code: the offset most windows agree on. False when they show no code, or not this
 * run's. */
bool align_place_coded(const AlignProblem *problem, AlignPlaces *places);

/* The levels carry the code of some run: they repeat after four refreshes better than after two. */
bool align_place_shows_code(const AlignProblem *problem);

/* By the pattern of edges over the whole of both: every offset within 3 mismatches of the
 * best, and those that lay first on first edge and last on last. False without memory. */
bool align_place_toggles(const AlignProblem *problem, AlignPlaces *places);
