#pragma once
/* What a run says to its rig, and what it hears from it; the frame thread's part.
 *
 * By default line 0 pulses with every shown frame, line 1 is high for the whole run, and a block's
 * code goes out on lines 2 to 7 with the pulse of the frame that begins its stimulus; with
 * code=byte the code has all eight lines, and line 1 is no run line. A frame that was missed has no
 * pulse; a code that fell on one goes out with the next frame shown. What becomes of each trigger,
 * and every edge that comes in, goes to the recorder. Nothing here waits but triggers_end().
 *
 * A Triggers of NULL is a run without a rig: every function accepts it. */
#include "app/console.h"
#include "app/recorder.h"
#include "app/rig_delay.h"
#include "rig/rig.h"

enum { TRIGGER_FRAME_LINE = 0x01, TRIGGER_RUN_LINE = 0x02, TRIGGER_CODE_SHIFT = 2 };

typedef struct Triggers Triggers;

/* Opens the device. delay: what `rig loop` measured, copied; NULL: nothing was. NULL with a
 * sentence and advice in err (RIG_ERR_BYTES). */
Triggers *triggers_open(const RigSpec *spec, const RigDelay *delay, char *err);
const RigInfo *triggers_rig(const Triggers *triggers);

/* NULL: nothing was measured. */
const RigDelay *triggers_delay(const Triggers *triggers);

/* The largest code that the wiring can carry. */
int triggers_code_most(const Triggers *triggers);

/* From now on, events go to this recorder. */
void triggers_record(Triggers *triggers, Recorder *recorder);

/* True once the run may begin: at once, or with the rising edge of the spec's start line. */
bool triggers_may_start(Triggers *triggers);

/* The run line goes high, before refresh 0. */
void triggers_begin(Triggers *triggers);

/* Hands what the rig had to say to the recorder, as heard during this refresh of this trial. */
void triggers_take(Triggers *triggers, int64_t refresh, int trial);

/* The frame just shown, or just missed, as its row describes it: sends what is due and notes in the
 * row what that was. */
void triggers_frame(Triggers *triggers, FrameRecord *frame);

/* The run line goes low; waits up to a second until the fate of every trigger is known. */
void triggers_end(Triggers *triggers);

ConsoleRig triggers_counts(const Triggers *triggers);

/* Brings all lines to inactive and gives the device back. */
void triggers_close(Triggers *triggers);
