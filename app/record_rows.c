#include "app/record_rows.h"

#include <inttypes.h>

#include "app/summary.h"

static void write_number(FILE *file, int64_t number)
{
    fprintf(file, "%" PRId64 "\t", number);
}

static void write_numbers(FILE *file, const int64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        write_number(file, numbers[i]);
}

static const char *fate(const FrameRecord *frame, const TriggerRecord *trigger)
{
    if (!frame->trigger_lines)
        return "none";
    if (!trigger)
        return "unknown";
    return trigger->failure ? rig_failure_name(trigger->failure) : "sent";
}

void record_write_frame(FILE *frames, const FrameRecord *f, const TriggerRecord *trigger)
{
    const int64_t schedule[] = {f->refresh,   f->image,  f->missed,      f->trial,       f->block,
                                f->condition, f->repeat, f->trial_frame, f->trigger_code};
    const int64_t times[] = {f->start_ns,     f->drawn_ns,  f->modelled_ns,
                             f->requested_ns, f->vblank_ns, f->margin_ns};
    bool has_fate = f->trigger_lines && trigger;
    write_numbers(frames, schedule, sizeof schedule / sizeof schedule[0]);
    write_numbers(frames, times, sizeof times / sizeof times[0]);
    fprintf(frames, "%s\t%d\t%d\t%s\t", summary_time_source(f->time_source), f->models_late,
            f->trigger_lines, fate(f, trigger));
    write_number(frames, f->trigger_lines ? f->trigger_ns : -1);
    write_number(frames, has_fate ? trigger->submitted_ns : -1);
    write_number(frames, has_fate ? trigger->completed_ns : -1);
    fprintf(frames, "%" PRId64 "\n", has_fate ? trigger->corrected_ns : -1);
}

void record_write_event(FILE *events, const EventRecord *e)
{
    fprintf(events,
            "%" PRId64 "\t%s\t%d\t%" PRId64 "\t%d\t%d\t%" PRId64
            "\t-1\t-1\t0\t-1\t-1\t-1\t-1\t-1\n",
            e->refresh, trial_event_name(e->event.kind), e->trial, e->event.number,
            e->event.trigger_code, e->missed, e->vblank_ns);
}

void record_write_rig(FILE *events, const RigRecord *e)
{
    const int64_t heard[] = {e->line,      e->bits,       e->count,   e->host_ns,
                             e->device_ns, e->session_ns, e->error_ns};
    fprintf(events, "%" PRId64 "\t%s\t%d\t0\t0\t0\t-1\t", e->refresh, e->name, e->trial);
    write_numbers(events, heard, sizeof heard / sizeof heard[0]);
    fprintf(events, "%" PRId64 "\n", e->corrected_ns);
}
