#include "app/triggers.h"

#include <stdlib.h>
#include <string.h>

#include "app/clock.h"

enum { TAG_RUN_HIGH = -1, TAG_RUN_LOW = -2 };
static const int64_t END_NS = 1000000000, STEP_NS = 1000000;

struct Triggers {
    RigSpec spec;
    RigDelay delay;
    bool has_delay;
    Rig *rig;           // owned
    Recorder *recorder; // borrowed
    int pending_code;   // fell on a missed frame; 0: none
    int64_t under_way;  // triggers without a fate yet
    RigEvent dropped;   // a trigger the rig did not take: told once its frame's row is there
    bool has_dropped;
    bool has_started; // the start line rose, or there is none
    int64_t refresh;  // that is being worked on, and its trial
    int trial;
    ConsoleRig counts;
};

Triggers *triggers_open(const RigSpec *spec, const RigDelay *delay, char *err)
{
    const RigClock clock = {session_now_ns, NULL};
    Triggers *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->spec = *spec;
    t->has_delay = delay != NULL;
    if (delay)
        t->delay = *delay;
    t->has_started = spec->start_line < 0;
    t->rig = rig_open(spec, &clock, err);
    if (t->rig)
        return t;
    free(t);
    return NULL;
}

const RigInfo *triggers_rig(const Triggers *t)
{
    return rig_info(t->rig);
}

const RigDelay *triggers_delay(const Triggers *t)
{
    return t->has_delay ? &t->delay : NULL;
}

int triggers_code_most(const Triggers *t)
{
    int outputs = rig_info(t->rig)->outputs;
    return t->spec.code == RIG_CODE_BYTE ? (1 << outputs) - 1
                                         : (1 << (outputs - TRIGGER_CODE_SHIFT)) - 1;
}

void triggers_record(Triggers *t, Recorder *recorder)
{
    if (t)
        t->recorder = recorder;
}

static uint8_t rest(const Triggers *t)
{
    return t->spec.code == RIG_CODE_BYTE ? 0 : TRIGGER_RUN_LINE;
}

static int64_t corrected_ns(const Triggers *t, int64_t ns, int64_t delay_ns)
{
    return t->has_delay && ns >= 0 ? ns + delay_ns : -1;
}

static void keep_fate(Triggers *t, const RigEvent *event)
{
    bool is_frame = event->tag >= 0, is_sent = event->kind == RIG_EVENT_SENT;
    t->under_way--;
    t->counts.triggers_sent += is_frame && is_sent;
    t->counts.triggers_failed += is_frame && !is_sent;
    recorder_trigger(t->recorder,
                     &(TriggerRecord){
                         .refresh = event->tag,
                         .failure = event->failure,
                         .submitted_ns = event->submitted_ns,
                         .completed_ns = event->host_ns,
                         .corrected_ns = corrected_ns(t, event->submitted_ns, t->delay.out_ns),
                     });
}

static void keep_event(Triggers *t, const char *name, const RigEvent *event)
{
    bool is_edge = event->kind == RIG_EVENT_EDGE;
    // what the device stamped itself was not late
    int64_t late_ns = event->device_ns >= 0 && event->error_ns >= 0 ? 0 : t->delay.in_ns;
    recorder_rig(t->recorder,
                 &(RigRecord){
                     .refresh = t->refresh,
                     .trial = t->trial,
                     .name = name,
                     .is_input = is_edge,
                     .line = is_edge ? event->line : -1,
                     .bits = is_edge ? event->bits : -1,
                     .count = event->count,
                     .host_ns = event->host_ns,
                     .device_ns = is_edge ? event->device_ns : -1,
                     .session_ns = is_edge ? event->session_ns : event->host_ns,
                     .error_ns = is_edge ? event->error_ns : -1,
                     .corrected_ns = is_edge ? corrected_ns(t, event->session_ns, -late_ns) : -1,
                 });
}

// The run line as the recording will show it: its level from this moment on.
static void keep_run_line(Triggers *t, const RigEvent *event)
{
    bool is_high = event->tag == TAG_RUN_HIGH;
    t->under_way--;
    recorder_rig(t->recorder,
                 &(RigRecord){
                     .refresh = t->refresh,
                     .trial = t->trial,
                     .name = event->kind == RIG_EVENT_FAILED ? "run_line_failed"
                             : is_high                       ? "run_line_high"
                                                             : "run_line_low",
                     .line = 1,
                     .bits = is_high ? TRIGGER_RUN_LINE : 0,
                     .host_ns = event->host_ns,
                     .device_ns = -1,
                     .session_ns = event->submitted_ns,
                     .error_ns = -1,
                     .corrected_ns = corrected_ns(t, event->submitted_ns, t->delay.out_ns),
                 });
}

static void take_edge(Triggers *t, const RigEvent *event)
{
    bool is_rising = event->bits >> event->line & 1;
    t->has_started |= is_rising && event->line == t->spec.start_line;
    t->counts.events_received++;
    keep_event(t, rig_event_name(event->kind), event);
}

static void take(Triggers *t, const RigEvent *event)
{
    switch (event->kind) {
    case RIG_EVENT_SENT:
    case RIG_EVENT_FAILED:
        if (event->tag >= 0)
            keep_fate(t, event);
        else
            keep_run_line(t, event);
        break;
    case RIG_EVENT_EDGE:
        take_edge(t, event);
        break;
    case RIG_EVENT_LOST:
        t->counts.events_lost += event->count;
        keep_event(t, rig_event_name(event->kind), event);
        break;
    case RIG_EVENT_GONE:
    case RIG_EVENT_BACK:
        t->counts.is_gone = event->kind == RIG_EVENT_GONE;
        keep_event(t, rig_event_name(event->kind), event);
        break;
    }
}

static void tell_dropped(Triggers *t)
{
    if (t->has_dropped)
        take(t, &t->dropped);
    t->has_dropped = false;
}

void triggers_take(Triggers *t, int64_t refresh, int trial)
{
    RigEvent event;
    if (!t)
        return;
    t->refresh = refresh;
    t->trial = trial;
    tell_dropped(t);
    while (rig_poll(t->rig, &event))
        take(t, &event);
}

bool triggers_may_start(Triggers *t)
{
    if (!t)
        return true;
    triggers_take(t, 0, 0);
    return t->has_started;
}

static void send(Triggers *t, int64_t tag, uint8_t lines, uint8_t after)
{
    tell_dropped(t);
    t->under_way++;
    t->has_dropped = !rig_trigger(t->rig, &(RigTrigger){tag, lines, after});
    if (t->has_dropped)
        t->dropped = (RigEvent){.kind = RIG_EVENT_FAILED,
                                .host_ns = session_now_ns(NULL),
                                .tag = tag,
                                .submitted_ns = -1,
                                .failure = RIG_FAILURE_FULL};
}

void triggers_begin(Triggers *t)
{
    if (t && rest(t))
        send(t, TAG_RUN_HIGH, rest(t), rest(t));
}

// The lines that this frame raises, 0 for none; takes the code that was waiting for it.
static uint8_t lines_of(Triggers *t, const FrameRecord *frame)
{
    bool has_pulse = frame->refresh % t->spec.every == 0;
    int code = t->pending_code <= triggers_code_most(t) ? t->pending_code : 0;
    t->pending_code = 0;
    if (t->spec.code == RIG_CODE_BYTE)
        return (uint8_t)(code ? code : has_pulse ? TRIGGER_FRAME_LINE : 0);
    return (uint8_t)((has_pulse ? TRIGGER_FRAME_LINE : 0) | code << TRIGGER_CODE_SHIFT);
}

void triggers_frame(Triggers *t, FrameRecord *frame)
{
    if (!t)
        return;
    if (frame->trigger_code)
        t->pending_code = frame->trigger_code;
    uint8_t lines = frame->missed ? 0 : lines_of(t, frame);
    if (!lines)
        return;
    frame->trigger_lines = lines | rest(t);
    frame->trigger_ns = session_now_ns(NULL);
    send(t, frame->refresh, lines | rest(t), rest(t));
}

void triggers_end(Triggers *t)
{
    if (!t)
        return;
    if (rest(t))
        send(t, TAG_RUN_LOW, 0, 0);
    int64_t until_ns = session_now_ns(NULL) + END_NS;
    while (t->under_way > 0 && session_now_ns(NULL) < until_ns) {
        session_sleep_until_ns(NULL, session_now_ns(NULL) + STEP_NS);
        triggers_take(t, t->refresh, t->trial);
    }
}

ConsoleRig triggers_counts(const Triggers *t)
{
    return t ? t->counts : (ConsoleRig){0};
}

void triggers_close(Triggers *t)
{
    if (!t)
        return;
    rig_close(t->rig);
    free(t);
}
