#pragma once
/* The rows of frames.tsv and events.tsv. Columns are only ever added, at the end: readers go by name
 * or by place from the left. -1 where there is nothing to say. */
#include <stdio.h>

#include "app/record.h"

#define RECORD_FRAMES_HEADER                                                                       \
    "refresh\timage\tmissed\ttrial\tblock\tcondition\trepeat\ttrial_frame\ttrigger_code\t"         \
    "start_ns\tdrawn_ns\tmodelled_ns\trequested_ns\tvblank_ns\tmargin_ns\ttime_source\t"           \
    "models_late\ttrigger_lines\ttrigger\ttrigger_ns\ttrigger_submitted_ns\t"                      \
    "trigger_completed_ns\ttrigger_corrected_ns\n"
#define RECORD_EVENTS_HEADER                                                                       \
    "refresh\tevent\ttrial\tflash\ttrigger_code\tmissed\tvblank_ns\tline\tbits\tcount\thost_ns\t"  \
    "device_ns\tsession_ns\terror_ns\tcorrected_ns\n"

/* trigger: what became of the frame's; NULL: it had none, or nobody knows. */
void record_write_frame(FILE *frames, const FrameRecord *frame, const TriggerRecord *trigger);
void record_write_event(FILE *events, const EventRecord *event);
void record_write_rig(FILE *events, const RigRecord *rig);
