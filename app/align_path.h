#pragma once
/* Which refresh of the run stood on the screen in which slot of the recording.
 *
 * A slot shows a row of the run. From slot to slot the row goes on by one; that it stays (a frame
 * was held) or skips (frames were lost) has a price, and so has each slot that does not look as its
 * row should. The cheapest path through all slots is the answer (Viterbi), so no decision hangs on
 * a single edge. The prices are logarithms of odds: faults in about 1 of 50 frames, a look at 2σ².
 * What the recording shows before row 0 and behind the last one must only be without toggles.
 *
 * Where to start: a coded patch says it in any second of it, by least squares over windows of 64
 * slots; what only toggles is laid over the run at every offset, and if another offset explains it
 * as well (a recording with neither start nor end, of a run without a missed refresh), the
 * alignment is ambiguous and refused. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    ALIGN_CODED,   // levels of a patch that names its refreshes (render/sync_patch.h)
    ALIGN_LEVELS,  // bright and dark, of any patch that toggles
    ALIGN_TOGGLES, // edges of unknown direction
    ALIGN_PULSES,  // one a shown frame, or every n-th
} AlignLook;

/* A slot of the recording. */
typedef struct {
    float level;   // luminance about the middle of the patch's range, −0.5 … 0.5
    int turn;      // 1: an edge to bright was found at its start, −1: to dark, 0: none
    bool has_edge; // of any direction; a pulse
} AlignSeen;

/* A row of the run: what a slot with it should look like. */
typedef struct {
    float lum;      // of the coded patch, 0 … 1
    bool is_bright; // of the toggling one
    bool is_new;    // has an image of its own, and a pulse
} AlignRow;

typedef struct {
    const AlignSeen *seen; // (slots)
    int64_t slots;
    const AlignRow *rows; // (rows_count)
    int64_t rows_count;
    AlignLook look;
} AlignProblem;

typedef enum { ALIGN_FOUND, ALIGN_AMBIGUOUS, ALIGN_LOST, ALIGN_NO_MEMORY } AlignOutcome;

/* row (slots) := the row each slot shows; below 0 and from rows_count on: before and behind the
 * run. other: by how many refreshes the next best answer differs, where ambiguous. */
AlignOutcome align_path_find(const AlignProblem *problem, int64_t *row, int64_t *other);

/* Whether the levels carry the patch's code rather than toggles alone. */
bool align_path_is_coded(const AlignProblem *problem);

/* The slot begins with a turn from dark to bright or back; with an edge or a pulse. */
bool align_path_toggles(const AlignProblem *problem, int64_t slot);

typedef enum {
    ALIGN_FITS,
    ALIGN_STANDS_IN, // the row's image was lost, and the one before it stayed for this slot
    ALIGN_DIFFERS,   // looks like neither; of edges: one lacks, or is too many
} AlignFit;

/* How the slot looks beside its row. */
AlignFit align_path_fit(const AlignProblem *problem, const int64_t *row, int64_t slot);
