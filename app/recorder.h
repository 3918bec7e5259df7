#pragma once
/* The recorder: a thread that takes what the frame loop says and keeps it in the run folder.
 *
 * Writes frames.tsv, events.tsv and rates.f32, synced every second, so that a power cut costs at most the last
 * second. rates.f32 has one row per refresh: all cells of the first model, then of the second …;
 * NaN where a model had no answer. It also collects the figures for summary.json.
 * The ring between has one writer (the frame thread) and one reader (this thread). */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/record.h"
#include "model/lockstep.h"

enum { RECORDER_ERR_BYTES = 512, RECORDER_FRAMES_WAITING = 64 };

typedef struct {
    int64_t p50, p99, max; // µs; -1 when nothing was measured
} RecorderSpread;

typedef struct {
    int64_t refreshes, shown, missed;
    RecorderSpread interval_us; // between images that reached the screen one refresh apart or more
    RecorderSpread latency_us;  // of all models together
    RecorderSpread work_us;     // of all models in one frame, their luminance included
    RecorderSpread model_latency_us[LOCKSTEP_MAX_MODELS];
    int64_t model_late[LOCKSTEP_MAX_MODELS];
    int64_t late;                           // sum over models
    uint64_t lost;                          // messages the ring had no room for
    int64_t triggers_sent, triggers_failed; // of frames
    RecorderSpread trigger_us;              // from the flip to the device having it
    int64_t rig_events, rig_events_lost;
    RecorderSpread rig_error_us; // of edges with a device clock: how far off their times may be
} RecorderFigures;

typedef struct Recorder Recorder;

/* folder exists and is empty. cells[m] for each of `models` models. Starts the thread. NULL with a
 * sentence in err (RECORDER_ERR_BYTES) that names the file. */
Recorder *recorder_create(const char *folder, int models, const int *cells, char *err);

/* Frame thread: queue one record; never waits, a full ring is counted. */
void recorder_frame(Recorder *recorder, const FrameRecord *frame);
void recorder_rates(Recorder *recorder, const LockstepRow *row);
void recorder_event(Recorder *recorder, const EventRecord *event);

/* A frame's row waits for the fate of its trigger, for at most RECORDER_FRAMES_WAITING frames. */
void recorder_trigger(Recorder *recorder, const TriggerRecord *trigger);
void recorder_rig(Recorder *recorder, const RigRecord *rig);

/* Waits until the ring is at most half full: for loops with no display to keep up with. */
void recorder_catch_up(Recorder *recorder);

/* True once a write failed; what was written before is kept and nothing more is. */
bool recorder_has_failed(const Recorder *recorder);

/* Writes what is queued, joins the thread, fills the figures. False when a write failed, with what
 * failed and what was saved in err. */
bool recorder_finish(Recorder *recorder, RecorderFigures *figures, char *err);
void recorder_destroy(Recorder *recorder);
