#pragma once
/* A run against a recording of its sync patch or its pulses: the sample at which every refresh of
 * the run reached the screen, and where recording and record disagree.
 *
 * Assumes: a display that refreshes evenly, or as the record has it, a sampling rate known to 0.1
 * %, a patch whose level is held for its refresh. The record counts every refresh, so the n-th
 * refresh of the recording is the n-th of the run plus a whole number, and what is to be found is
 * that number and where the screen departed from the record. A sample is where the edge was
 * detected, made even where only noise makes it uneven (align_slots.h); a refresh without an edge
 * of its own gets the place between its neighbours'. The clock (offset, drift) is fitted to the
 * edges and the run's own times, and only reported: it moves no sample. An edge that no refresh
 * accounts for is told of, never used.
 *
 * What cannot be told apart: with a patch of two levels, a frame held from one skipped (by the
 * run's end alone), and one lost beside a refresh that was missed on record; with edges of unknown
 * direction, a frame held from an edge lost; with pulses, a frame lost from its pulse lost. The
 * coded patch tells all of them, if the recording keeps slow changes of light (tried: a high-pass
 * of 0.3 Hz; at 3 Hz faults are misnamed) and the screen settles (a time constant of up to a fifth
 * of a refresh; slower, frames become odd).
 *
 * Refuses (AlignAnswer.outcome): no edges on a grid of the run's rate; a code that is another
 * run's; a place in the run that another explains as well; a fifth of the slots not looking as they
 * should. */
#include <stdbool.h>
#include <stdint.h>

#include "app/align_path.h"
#include "app/frames.h"
#include "app/sync_edges.h"

enum { ALIGN_REFRESH_SAMPLES_LEAST = 6 };

typedef enum {
    ALIGN_SHOWN,      // as on record
    ALIGN_MISSED,     // the record itself says that the older image stayed
    ALIGN_DROPPED,    // on record as shown, and never on the screen; of pulses: none came
    ALIGN_DOUBLED,    // stayed `held` refreshes longer than on record, and what followed came later
    ALIGN_SKIPPED,    // a missed refresh on record that the screen did without
    ALIGN_ODD,        // unexplained: the slot does not look as this image should
    ALIGN_UNRECORDED, // before the recording began, or after it ended
} AlignWhat;

typedef struct {
    double sample;      // NaN where there is none: dropped, unrecorded
    double residual_us; // of its own edge about the fitted clock; NaN: no edge of its own
    AlignWhat what;
    int32_t lag;  // refreshes later than on record
    int32_t held; // refreshes longer than on record
} AlignPlace;

typedef struct {
    const Frames *frames;
    double rate_hz;        // samples a second, nominal
    const float *samples;  // (samples_count) of the photodiode; NULL: edges only
    int64_t samples_count; // of the recording; of edges 0 where its end is not known
    const SyncEdge *edges; // (edges_count): where there are no samples
    int64_t edges_count;
    bool is_pulses; // edges are one a shown frame, not the turns of the patch
    int every;      // a pulse for refreshes that are multiples of this
} AlignOrder;

typedef struct {
    AlignOutcome outcome;
    AlignLook look;
    bool is_foreign;    // lost: the patch carries a code that is not this run's
    int64_t other;      // ambiguous: refreshes between the two best answers
    AlignPlace *places; // owned, (count) one a refresh of the run
    int64_t count;
    double *strays; // owned, (strays_count): samples of edges that no refresh accounts for
    int64_t strays_count;
    int64_t frames;     // images on record as shown
    int64_t found;      // of them, with a sample
    int64_t unrecorded; // of them, outside of the recording
    int64_t dropped, doubled;
    int64_t unexplained; // odd slots and stray edges
    int64_t lost_edges;  // edges of unknown direction that lack though the frame was there
    int64_t toggles_wanted,
        toggles_found;     // edges the record asks for within the recording, and those found
    double drift_ppm;      // of the recording's clock against the run's
    double offset_samples; // sample at the session's time of refresh 0
    double residual_us_p50, residual_us_max; // absolute
    double up_minus_down_us;
} AlignAnswer;

/* False without memory. The answer is for align_finish(), also when it refuses. */
bool align_run(const AlignOrder *order, AlignAnswer *answer);
void align_finish(AlignAnswer *answer);

/* "shown", "missed" …: what, as the table has it. */
const char *align_what_name(AlignWhat what);
