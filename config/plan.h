#pragma once
/* A protocol made concrete for one display: trials in whole refreshes, in the order they are shown.
 *
 * Deterministic: same protocol, seed and refresh give the same plan everywhere. A duration must be
 * a whole number of frames (to 0.01 of a frame) at the protocol's own display.refresh_hz, or, where that is
 * 0, at the display's. On a display of another rate durations are rounded to its frames, one
 * warning for each changed value; rates within 0.5 % count as the same. */
#include <stdint.h>

#include "config/protocol.h"

typedef struct {
    int block, condition, repeat; // from 0
    int64_t first_refresh;        // of the whole trial, before_frames included
    int64_t before_frames, stimulus_frames, after_frames;
    double value; // the condition's: period in ms, contrast, speed in µm/s, turn in µm; 0 for none
    int64_t seed; // of this trial's noise
    int64_t period_frames, flash_frames, hold_frames; // where the stimulus has them, else 0
} PlanTrial;

typedef struct {
    const Protocol *protocol; // borrowed
    double refresh_hz;        // the display's nominal rate
    double field_width_um, field_height_um;
    PlanTrial *trials;
    int trials_count;
    int64_t refreshes; // of the whole plan
    char **warnings;   // one sentence each, `FILE:LINE: key: …`
    int warnings_count;
} Plan;

/* NULL with `FILE:LINE: key: what is wrong; what is allowed (nearest …)` in err (CONFIG_ERR_BYTES): durations that
 * are not whole frames, a bar that never touches the field, a speed that jumps more than … ;
 * a bar narrower than a screen pixel is a warning. path is the file, for the messages. */
Plan *plan_create(const Protocol *protocol, const char *path, double refresh_hz,
                  double field_width_um, double field_height_um, char *err);
void plan_destroy(Plan *plan);
