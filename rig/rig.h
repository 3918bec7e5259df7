#pragma once
/* A rig: trigger lines out, edges in.
 *
 * One interface for every device (rig.c has the table); the null device, which loops its own
 * triggers back, is one of them. Nothing here waits for a device: rig_trigger() leaves a word for
 * the device's own thread, rig_poll() takes what that thread has to say. What becomes of a trigger
 * comes back as an event, one for each, also when the device has gone. Both belong to one thread,
 * the frame thread of a run; neither allocates, locks or opens anything. Times are ns of the
 * session clock, which is handed in. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rig/rig_spec.h"

enum { RIG_ERR_BYTES = 512, RIG_NAME_BYTES = 128 };

typedef struct {
    int64_t (*now_ns)(void *ctx);
    void *ctx;
} RigClock;

/* What a device turned out to be. */
typedef struct {
    char name[RIG_NAME_BYTES];  // as people know it, with its serial number and place
    int outputs;                // lines it drives, from 0
    int inputs;                 // lines it reads, from 0; 0: none
    bool has_clock;             // it stamps edges with a clock of its own
    bool is_pulse_timed_inside; // else the host ends a pulse: never shorter than asked, but longer
    int pulse_us;               // in force: what was asked for, rounded up to what it can do
} RigInfo;

/* Lines are bits, line 0 the lowest; a 1 is active, whatever polarity the spec gave it. A trigger that
 * comes before the pulse of the last one has ended takes its place at once. */
typedef struct {
    int64_t tag;   // the caller's: comes back with what became of it
    uint8_t lines; // for the length of a pulse …
    uint8_t rest;  // … and these from then on; the same as lines: no pulse, just a level
} RigTrigger;

typedef enum {
    RIG_EVENT_SENT,   // a trigger reached the device
    RIG_EVENT_FAILED, // a trigger did not; `failure` says why
    RIG_EVENT_EDGE,   // an input line changed
    RIG_EVENT_LOST,   // `count` messages from the device did not reach us whole
    RIG_EVENT_GONE,   // the device went away; triggers fail until it is back
    RIG_EVENT_BACK,   // it is back, its lines at rest as they were last
} RigEventKind;

typedef enum {
    RIG_FAILURE_NONE,
    RIG_FAILURE_STALL,   // the endpoint refused it
    RIG_FAILURE_TIMEOUT, // not taken, or not answered, in time
    RIG_FAILURE_SHORT,   // only a part was taken
    RIG_FAILURE_REFUSED, // the device answered with an error
    RIG_FAILURE_GONE,    // no device
    RIG_FAILURE_FULL,    // more triggers were waiting than are kept
} RigFailure;

typedef struct {
    RigEventKind kind;
    int64_t host_ns; // when the host learned of it; of a trigger: when its transfer was complete
    // a trigger
    int64_t tag;
    int64_t submitted_ns; // just before it was handed to the kernel; -1: it never was
    RigFailure failure;
    // an edge
    int line;           // which changed
    uint8_t bits;       // all input lines after it
    int64_t device_ns;  // by the device's own clock, counted on past its wraps; -1: it has none
    int64_t session_ns; // device_ns on the session clock (device_clock.h); without one, host_ns
    int64_t error_ns;   // of session_ns by that fit; -1: not known
    // a loss
    int64_t count;
} RigEvent;

typedef struct Rig Rig;

/* Opens the device that the spec names, its lines at rest. May take seconds. NULL with a sentence
 * and advice in err (RIG_ERR_BYTES) when there is none, it is not allowed, or it does not answer. */
Rig *rig_open(const RigSpec *spec, const RigClock *clock, char *err);
const RigInfo *rig_info(const Rig *rig);

/* Sends a trigger on its way; its SENT or FAILED will be polled. False when too many are waiting:
 * this one is dropped, and nothing more is heard of it. */
bool rig_trigger(Rig *rig, const RigTrigger *trigger);

/* The oldest event not yet taken; false when there is none. */
bool rig_poll(Rig *rig, RigEvent *event);

/* Brings all lines to inactive, gives the device back and frees the rig. Waits for what is under
 * way, at most about a second; three more while a device is just being plugged in again. What became
 * of it is lost unless polled before. NULL: nothing. */
void rig_close(Rig *rig);

const char *rig_failure_name(RigFailure failure);
const char *rig_event_name(RigEventKind kind);

/* A device that is plugged in, whether or not it may be used. */
typedef struct {
    char device[RIG_DEVICE_BYTES]; // as a spec names it
    char name[RIG_NAME_BYTES];
    int vid, pid;
    char serial[RIG_SERIAL_BYTES]; // "" when it has none or it cannot be read
    char path[RIG_PATH_BYTES];     // bus and ports, "1-4.2"
    char problem[RIG_NAME_BYTES];  // "" when it can be opened
} RigFound;

/* Fills found with at most `most` of the devices we know; how many there were. -1 with a sentence in err
 * (RIG_ERR_BYTES) when USB cannot be asked. */
int rig_list(RigFound *found, int most, char *err);
