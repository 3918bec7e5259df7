#pragma once
/* The frame loop: one pass a refresh, from what to show next to what is kept of it.
 *
 * Everything it uses is opened by the caller and borrowed; the session only owns the stimuli of the
 * plan's trials and the models' luminance. After session_create() it allocates, locks, prints and
 * opens nothing. What shaped refresh k is everything known at k−1. The schedule belongs to the
 * refreshes: an image that came late is on record as late, the images it displaced are never shown,
 * and the next one is the one its refresh was meant to have. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/console.h"
#include "app/progress.h"
#include "app/recorder.h"
#include "app/triggers.h"
#include "config/plan.h"
#include "model/lockstep.h"
#include "render/display.h"

enum { SESSION_ERR_BYTES = 512 };

/* A documented test aid: sleep `ms` before every `every`-th swap. every 0: none. */
typedef struct {
    int64_t every, ms;
} SessionFault;

typedef struct {
    const Plan *plan;
    Display *display;
    Model *const *models; // (models_count)
    int models_count;
    Lockstep *lockstep;
    Recorder *recorder;
    Triggers *triggers; // or NULL: no rig
    Console *console;   // or NULL
    bool has_panel;     // the console's picture belongs into the display's panel
    int64_t refreshes;  // how many to play, at most the plan's
    SessionFault fault;
    bool is_offline;         // no display to keep up with: models have all the time they want
    Progress *progress;      // offline only, else NULL
    const atomic_bool *stop; // set by a signal: end after this refresh
} SessionParts;

typedef enum {
    SESSION_COMPLETE,
    SESSION_STOPPED, // the stop flag
    SESSION_CLOSED,  // the window
    SESSION_LOST,    // the display went away
    SESSION_DISK,    // the recorder failed
} SessionEnd;

typedef struct Session Session;

/* NULL with a sentence in err (SESSION_ERR_BYTES) when a stimulus cannot be made. */
Session *session_create(const SessionParts *parts, char *err);
SessionEnd session_run(Session *session);
void session_destroy(Session *session);
