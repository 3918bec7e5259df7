#pragma once
/* A protocol made concrete for one display: trials in whole refreshes, in the order they are shown.
 *
 * Deterministic: same protocol, seed and refresh give the same plan everywhere. A duration must be
 * a whole number of frames (to 0.01 of a frame) at the protocol's own display.refresh_hz, or, where
 * that is 0, at the display's. On a display of another rate durations are rounded to its frames,
 * one warning for each changed value; rates within 0.5 % count as the same, and then the protocol's
 * is used.
 *
 * Order: blocks as in the file; in a block every condition comes once before any comes again, in
 * the file's order or in a new random one for each repeat (Fisher and Yates, by splitmix64 from the
 * block's seed: Steele, Lea & Flood, OOPSLA 2014).
 *
 * Seeds: a block without one takes the protocol's, mixed with the block's number so that no
 * two blocks show the same noise; block 0 has it as it is. Repeat 0 has the block's seed, and so
 * has every repeat of frozen noise; running noise has a new one for each repeat, mixed from the
 * block's. A mixed seed is 0 … 2^53 − 1, for ran1 −(2^31 − 2) … −1. */
#include <stdint.h>

#include "config/protocol.h"

enum { PLAN_TRIALS_MAX = 100000, PLAN_HOURS_MAX = 24 };

typedef struct {
    int block, condition, repeat; // from 0
    int64_t first_refresh;        // of the whole trial, before_frames included
    int64_t before_frames, stimulus_frames, after_frames;
    double value; // the condition's: period in ms, contrast, speed in µm/s, turn in µm; 0 for none
    int64_t seed;                                     // of this trial's noise, 0 where it has none
    int64_t period_frames, flash_frames, hold_frames; // where the stimulus has them, else 0
} PlanTrial;

typedef struct {
    const Protocol *protocol; // borrowed
    double refresh_hz;        // one frame of the plan lasts 1 / refresh_hz
    double field_width_um, field_height_um;
    PlanTrial *trials;
    int trials_count;
    int64_t refreshes; // of the whole plan
    char **warnings;   // one sentence each, `FILE:LINE: key: …`
    int warnings_count;
} Plan;

/* NULL with `FILE:LINE: key: what is wrong; what is allowed (nearest …)` in err (CONFIG_ERR_BYTES):
 * durations that are not whole frames; a bar that turns back outside the field; a bar whose step
 * from frame to frame is wider than itself, because it would leave places on its path untouched and
 * be a row of flashed bars, not motion; a ran1 block whose seed is not negative; more than
 * PLAN_TRIALS_MAX trials or PLAN_HOURS_MAX hours. Bars and checks narrower than a screen pixel and
 * boards larger than the field are warnings. path is the file, for the lines in messages; where it
 * cannot be read again they carry none. */
Plan *plan_create(const Protocol *protocol, const char *path, double refresh_hz,
                  double field_width_um, double field_height_um, char *err);
void plan_destroy(Plan *plan);
