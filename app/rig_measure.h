#pragma once
/* How good a rig is: pulse trains sent, and pulses timed there and back. Not for the frame path. */
#include <stdatomic.h>

#include "app/rig_delay.h"
#include "rig/rig.h"

/* On the session clock. NULL as rig_open(). */
Rig *rig_measure_open(const RigSpec *spec, char *err);

typedef struct {
    double p50_us, p99_us, max_us; // -1: nothing was measured
} RigSpread;

typedef struct {
    double seconds, rate_hz; // wanted
    int sent, failed, edges;
    RigSpread latency; // from submission to the device having it
} RigTrain;

/* Line 0 with every pulse, the others in turn. Ends early when stop is set. */
void rig_measure_train(Rig *rig, RigTrain *train, const atomic_bool *stop);

typedef struct {
    int events, input; // wanted
    int returned;
    RigSpread round_trip; // from submission to the host's learning of the edge
    double jitter_us;     // SD of that
    RigDelay delay;       // p50 of each way
} RigLoop;

/* One pulse after the other, each waited for, the time between them varied so that no rhythm of the
 * bus goes unseen. On an early stop, events is what was begun. */
void rig_measure_loop(Rig *rig, RigLoop *loop, const atomic_bool *stop);
