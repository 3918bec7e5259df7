#pragma once
/* What a run heard of its rig, as its events.tsv has it: edges and codes that came in, the run line,
 * losses, the device gone and back.
 *
 * Times are ns of the session clock, as in frames.tsv; −1 where there was none. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { RIG_HEARD_ERR_BYTES = 512, RIG_HEARD_NAME_BYTES = 32 };

typedef struct {
    char name[RIG_HEARD_NAME_BYTES]; // rig_event_name(), or run_line_high, run_line_low …
    int64_t refresh, trial;          // that was being worked on when it was heard
    int64_t line, bits;              // which changed, and all after it; −1: none
    int64_t count;                   // of a loss: messages
    int64_t time_ns;                 // the device's own time where it has a clock, else the host's
    int64_t device_ns;               // by the device's own clock
    int64_t error_ns;                // of time_ns, by the fit of the device's clock
    int64_t corrected_ns;            // time_ns by what `rig loop` measured
} RigHeard;

/* Rows of FOLDER's events.tsv that are no event of a trial, for free(); *count of them. NULL with a
 * sentence in err (RIG_HEARD_ERR_BYTES). */
RigHeard *rig_heard_read(const char *folder, int64_t *count, char *err);

/* The same as a table: CSV, times since zero_ns, an empty cell where there was none. */
void rig_heard_write(const RigHeard *heard, int64_t count, int64_t zero_ns, FILE *file);
