/* A rig with nothing behind it: every trigger that changes a line comes back as an edge on that
 * line, late, jittered, drifting and lossy as the spec asks. */
#include <stdio.h>
#include <string.h>

#include "rig/rig_driver.h"

enum { WAITING = 1024 };

typedef struct {
    RigEvent queue[WAITING]; // in the order they fall due
    int first, count;
    uint64_t random;
    int64_t opened_ns;
    uint8_t pins;
} Null;

// splitmix64 (Steele, Lea & Flood, OOPSLA 2014), as a number in 0 … 1
static double draw(Null *null)
{
    uint64_t z = null->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static RigEvent *at(Null *null, int place)
{
    return &null->queue[(null->first + place) % WAITING];
}

// Behind all that are due no later; a full queue loses, and says so in the newest event.
static void add(Null *null, RigEvent event)
{
    if (null->count == WAITING) {
        RigEvent *last = at(null, WAITING - 1);
        *last = (RigEvent){.kind = RIG_EVENT_LOST,
                           .host_ns = last->host_ns,
                           .count = last->kind == RIG_EVENT_LOST ? last->count + 1 : 2};
        return;
    }
    int place = null->count++;
    for (; place > 0 && at(null, place - 1)->host_ns > event.host_ns; place--)
        *at(null, place) = *at(null, place - 1);
    *at(null, place) = event;
}

static bool open_null(Rig *rig, char *err)
{
    (void)err;
    Null *null = rig->state;
    null->random = (uint64_t)rig->spec.seed;
    null->opened_ns = rig_now_ns(rig);
    null->pins = rig->idle;
    snprintf(rig->info.name, sizeof rig->info.name, "null device, its outputs looped back");
    rig->info.outputs = rig->info.inputs = RIG_LINES;
    rig->info.has_clock = true;
    rig->info.is_pulse_timed_inside = true;
    return true;
}

static int64_t device_clock_ns(const Rig *rig, int64_t session_ns)
{
    const Null *null = rig->state;
    double since_ns = (double)(session_ns - null->opened_ns);
    return (int64_t)(since_ns * (1 + rig->spec.drift_ppm * 1e-6));
}

static void loop_back(Rig *rig, uint8_t pins, int64_t moved_ns)
{
    Null *null = rig->state;
    uint8_t changed = null->pins ^ pins;
    null->pins = pins;
    for (int line = 0; line < RIG_LINES; line++) {
        if (!(changed >> line & 1))
            continue;
        double late_us = rig->spec.delay_us + rig->spec.jitter_us * draw(null);
        bool is_lost = draw(null) < rig->spec.loss;
        add(null, (RigEvent){.kind = is_lost ? RIG_EVENT_LOST : RIG_EVENT_EDGE,
                             .host_ns = moved_ns + (int64_t)(late_us * 1e3),
                             .line = line,
                             .bits = pins,
                             .device_ns = device_clock_ns(rig, moved_ns),
                             .session_ns = moved_ns,
                             .count = is_lost});
    }
}

static bool trigger(Rig *rig, const RigTrigger *trigger)
{
    Null *null = rig->state;
    int64_t now_ns = rig_now_ns(rig);
    bool has_failed = draw(null) < rig->spec.fail;
    add(null, (RigEvent){.kind = has_failed ? RIG_EVENT_FAILED : RIG_EVENT_SENT,
                         .host_ns = now_ns,
                         .tag = trigger->tag,
                         .submitted_ns = now_ns,
                         .failure = has_failed ? RIG_FAILURE_REFUSED : RIG_FAILURE_NONE});
    if (has_failed)
        return true;
    loop_back(rig, trigger->lines, now_ns);
    loop_back(rig, trigger->rest, now_ns + (int64_t)rig->info.pulse_us * 1000);
    return true;
}

static bool poll_null(Rig *rig, RigEvent *event)
{
    Null *null = rig->state;
    if (null->count == 0 || at(null, 0)->host_ns > rig_now_ns(rig))
        return false;
    *event = *at(null, 0);
    null->first = (null->first + 1) % WAITING;
    null->count--;
    return true;
}

static void close_null(Rig *rig, uint8_t idle)
{
    ((Null *)rig->state)->pins = idle;
}

const RigDriver rig_null = {
    .state_bytes = sizeof(Null),
    .open = open_null,
    .trigger = trigger,
    .poll = poll_null,
    .close = close_null,
};
