#pragma once
/* What the frame loop hands to the recorder: one message a refresh, one for each model's row, one for each
 * event of the protocol, and what the rig had to say: the fate of each trigger, and its events.
 *
 * Times are ns of the session clock; -1 where nothing was measured. Refreshes are numbered as
 * in render/display.h. */
#include <stdbool.h>
#include <stdint.h>

#include "app/trial.h"
#include "render/display.h"
#include "rig/rig.h"

typedef struct {
    int64_t refresh;
    int64_t image; // the refresh whose image was on screen; its own when on time, -1: none yet
    int missed;    // 1: this refresh showed the image of the one before
    int trial;     // from 0
    int block, condition, repeat;
    int64_t trial_frame; // 0 at the trial's first refresh, its background before included
    int trigger_code;    // the code due at this refresh, 0 for none
    int64_t start_ns, drawn_ns, modelled_ns, requested_ns, vblank_ns;
    int64_t margin_ns; // deadline minus the moment the swap was asked for
    FlipTimeSource time_source;
    int models_late;    // models that had not answered when the swap was asked for
    int trigger_lines;  // that this frame raised; 0: it had no trigger
    int64_t trigger_ns; // when it was handed to the rig
} FrameRecord;

typedef struct {
    int64_t refresh;
    int model;
    int is_late;
    int64_t latency_ns; // -1: the model had lost the frame
} RatesRecord;

/* Something the protocol had for this refresh. */
typedef struct {
    int64_t refresh;
    int trial; // from 0
    TrialEvent event;
    int missed; // 1: the refresh showed another image than its own
    int64_t vblank_ns;
} EventRecord;

/* What became of the trigger of a frame. */
typedef struct {
    int64_t refresh;
    RigFailure failure;
    int64_t submitted_ns; // to the kernel; -1: it never was
    int64_t completed_ns; // when the device had it, or it was given up
    int64_t corrected_ns; // when the line moved, by what `rig loop` measured; -1: not measured
} TriggerRecord;

/* Something the rig had to say, heard during this refresh. */
typedef struct {
    int64_t refresh;
    int trial;
    const char *name;                                 // a constant
    bool is_input;                                    // an edge that came in
    int line, bits;                                   // -1: none
    int64_t count;                                    // of a loss
    int64_t host_ns, device_ns, session_ns, error_ns; // as RigEvent has them
    int64_t corrected_ns;                             // session_ns by what `rig loop` measured
} RigRecord;

typedef enum {
    RECORD_FRAME,
    RECORD_RATES,
    RECORD_EVENT,
    RECORD_TRIGGER,
    RECORD_RIG,
} RecordKind;

/* A slot of the recorder's ring; rates_hz holds the cells of the model, as many as the largest has.
 */
typedef struct {
    RecordKind kind;
    union {
        FrameRecord frame;
        RatesRecord rates;
        EventRecord event;
        TriggerRecord trigger;
        RigRecord rig;
    };
    float rates_hz[];
} RecordSlot;
