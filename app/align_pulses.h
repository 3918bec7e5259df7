#pragma once
/* The rig's pulses in the same recording as the photodiode: which frame each belongs to, once the
 * light has said when the frames were. A pulse is its nearest frame's, within half a refresh. */
#include "app/align.h"

typedef struct {
    int64_t *pulse_of; // owned, (answer's count): sample of each refresh's pulse; −1: it has none
    int64_t wanted;    // frames that were seen and should have one
    int64_t matched, lost; // of them, with and without
    int64_t extra;         // pulses of no frame, or of one that should have none, or a second one
    double latency_us_min, latency_us_p50, latency_us_max; // pulse after light; NaN: none matched
} AlignPulses;

/* pulses (count) in order of time; every: as AlignOrder has it. False without memory. */
bool align_pulses_match(const AlignOrder *order, const AlignAnswer *answer, const SyncEdge *pulses,
                        int64_t count, AlignPulses *matched);
void align_pulses_finish(AlignPulses *matched);
