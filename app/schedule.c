#include "app/schedule.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/run_folder.h"
#include "app/table.h"
#include "app/trial.h"
#include "app/triggers.h"

enum { EVENT_COLUMNS = 6, PULSE_COLUMNS = 5 };

static bool complain(char *err, const char *what)
{
    snprintf(err, SCHEDULE_ERR_BYTES, "%s", what);
    return false;
}

enum { LAST_EVENTS = 4 }; // at most, that fall on the refresh behind the last

static int64_t count_events(const Plan *plan)
{
    int64_t count = 0;
    TrialEvent event;
    for (int t = 0; t < plan->trials_count; t++)
        for (int64_t i = 0; trial_event(plan, t, i, &event); i++)
            count++;
    return count;
}

static void add_planned(Schedule *s, int trial, const TrialEvent *event)
{
    ScheduleEvent *to = &s->events[s->events_count++];
    *to = (ScheduleEvent){.refresh = event->refresh,
                          .time_ns = trial_refresh_ns(s->plan, event->refresh),
                          .trial = trial,
                          .number = event->number,
                          .trigger_code = event->trigger_code};
    snprintf(to->name, sizeof to->name, "%s", trial_event_name(event->kind));
    if (event->trigger_code != 0)
        s->pulses[s->pulses_count++] =
            (SchedulePulse){.start_ns = to->time_ns,
                            .stop_ns = to->time_ns + SCHEDULE_PULSE_US * 1000,
                            .line = -1,
                            .code = event->trigger_code};
}

bool schedule_of_plan(const Plan *plan, Schedule *s)
{
    int64_t count = count_events(plan);
    *s = (Schedule){.plan = plan, .trials_count = plan->trials_count};
    s->duration_ns = trial_refresh_ns(plan, plan->refreshes);
    s->events = calloc((size_t)count + 1, sizeof *s->events);
    s->pulses = calloc((size_t)count + 1, sizeof *s->pulses);
    s->trials = calloc((size_t)plan->trials_count + 1, sizeof *s->trials);
    if (!s->events || !s->pulses || !s->trials) {
        schedule_finish(s);
        return false;
    }
    TrialEvent event;
    for (int t = 0; t < plan->trials_count; t++) {
        const PlanTrial *trial = &plan->trials[t];
        int64_t onset = trial->first_refresh + trial->before_frames;
        int64_t end = onset + trial->stimulus_frames;
        s->trials[t] = (ScheduleTrial){trial_refresh_ns(plan, trial->first_refresh),
                                       trial_refresh_ns(plan, onset), trial_refresh_ns(plan, end),
                                       trial_refresh_ns(plan, end + trial->after_frames), true};
        for (int64_t i = 0; trial_event(plan, t, i, &event); i++)
            add_planned(s, t, &event);
    }
    return true;
}

/* Time of a refresh since refresh 0; the one behind the last has that one's end. */
static int64_t time_of(const Frames *frames, int64_t refresh)
{
    int64_t last = frames->count - 1, known = refresh < last ? refresh : last;
    return frames->frames[known].slot_ns - frames->frames[0].slot_ns +
           llround((double)(refresh - known) * frames->period_ns);
}

static bool read_event(const Table *table, int64_t row, const int *columns, const Frames *frames,
                       const Plan *plan, ScheduleEvent *event)
{
    int64_t values[EVENT_COLUMNS] = {0};
    for (int c = 0; c < EVENT_COLUMNS; c++)
        if (c != 1 && !table_integer(table, row, columns[c], &values[c]))
            return false;
    int trials = plan ? plan->trials_count : INT32_MAX;
    if (values[0] < 0 || values[0] >= frames->count || values[2] < 0 || values[2] >= trials)
        return false;
    *event = (ScheduleEvent){.refresh = values[0],
                             .time_ns = time_of(frames, values[0]),
                             .trial = (int)values[2],
                             .number = values[3],
                             .trigger_code = (int)values[4],
                             .is_missed = values[5] != 0};
    snprintf(event->name, sizeof event->name, "%s", table_text(table, row, columns[1]));
    return true;
}

/* What ends with the last refresh of a run that came to its end falls on the one behind it, which
 * no row has. */
static void add_last(const Frames *frames, Schedule *s)
{
    TrialEvent event;
    int last = s->plan ? s->plan->trials_count - 1 : 0, added = 0;
    for (int64_t i = 0;
         s->plan && frames->count == s->plan->refreshes && trial_event(s->plan, last, i, &event);
         i++) {
        if (event.refresh < frames->count || added++ >= LAST_EVENTS)
            continue;
        ScheduleEvent *to = &s->events[s->events_count++];
        *to = (ScheduleEvent){.refresh = event.refresh,
                              .time_ns = time_of(frames, event.refresh),
                              .trial = last,
                              .number = event.number,
                              .trigger_code = event.trigger_code};
        snprintf(to->name, sizeof to->name, "%s", trial_event_name(event.kind));
    }
}

static bool read_events(const char *folder, const Frames *frames, Schedule *s, char *err)
{
    static const char *const names[EVENT_COLUMNS] = {"refresh", "event",        "trial",
                                                     "flash",   "trigger_code", "missed"};
    char path[RUN_FOLDER_PATH_BYTES];
    int columns[EVENT_COLUMNS];
    run_folder_path(folder, "events.tsv", path);
    Table *table = table_read(path, err);
    if (!table)
        return false;
    bool ok = true;
    for (int c = 0; ok && c < EVENT_COLUMNS; c++)
        if ((columns[c] = table_column(table, names[c])) < 0)
            ok = complain(err, "events.tsv: lacks a column of events");
    s->events = calloc((size_t)table_rows(table) + LAST_EVENTS, sizeof *s->events);
    ok = ok && (s->events || complain(err, "events.tsv: not enough memory to read it"));
    for (int64_t row = 0; ok && row < table_rows(table); row++) {
        ScheduleEvent *event = &s->events[s->events_count];
        if (!trial_event_is_name(table_text(table, row, columns[1])))
            continue; // the rig's (rig_heard.h)
        if (read_event(table, row, columns, frames, s->plan, event))
            s->events_count++;
        else
            snprintf(err, SCHEDULE_ERR_BYTES, "%.300s:%lld: is not an event of this run", path,
                     (long long)row + 2);
        ok = s->events_count > 0 && event == &s->events[s->events_count - 1];
    }
    table_destroy(table);
    if (ok)
        add_last(frames, s);
    return ok;
}

/* Trials that began; one that was cut short ends where the record does. */
static bool fill_trials(const Frames *frames, Schedule *s, char *err)
{
    const Plan *plan = s->plan;
    if (!plan)
        return true;
    s->trials = calloc((size_t)plan->trials_count + 1, sizeof *s->trials);
    if (!s->trials)
        return complain(err, "not enough memory for the trials");
    for (int t = 0; t < plan->trials_count; t++) {
        const PlanTrial *trial = &plan->trials[t];
        int64_t first = trial->first_refresh, onset = first + trial->before_frames;
        int64_t end = onset + trial->stimulus_frames, stop = end + trial->after_frames;
        if (first >= frames->count)
            break;
        s->trials[s->trials_count++] = (ScheduleTrial){
            .start_ns = time_of(frames, first),
            .onset_ns = onset < frames->count ? time_of(frames, onset) : -1,
            .end_ns = end <= frames->count ? time_of(frames, end) : -1,
            .stop_ns = time_of(frames, stop < frames->count ? stop : frames->count),
            .is_complete = stop <= frames->count,
        };
    }
    return true;
}

/* What the pulses of a run are read with. */
typedef struct {
    int pulse_us;
    bool is_byte; // a code has all eight lines, and there is no run line
    int64_t due;  // with code=byte: the code that goes out with the next shown frame
} Wiring;

/* Which of the lines pulsed: all that were raised but the run line, which was high before. */
static int pulsed_lines(const Wiring *wiring, int64_t raised)
{
    return (int)raised & (wiring->is_byte ? 0xFF : 0xFF & ~TRIGGER_RUN_LINE);
}

/* The code that these lines carry, as triggers.h lays it on them. */
static int code_of(const Wiring *wiring, int lines)
{
    if (!wiring->is_byte)
        return lines >> TRIGGER_CODE_SHIFT;
    return wiring->due == lines ? lines : 0; // or else it is a frame's line
}

static void add_pulses(Schedule *s, const Wiring *wiring, int lines, int64_t start_ns,
                       int64_t corrected_ns)
{
    int code = code_of(wiring, lines);
    for (int line = 0; line < RIG_LINES; line++)
        if (lines >> line & 1)
            s->pulses[s->pulses_count++] =
                (SchedulePulse){.start_ns = start_ns,
                                .stop_ns = start_ns + wiring->pulse_us * 1000,
                                .corrected_ns = corrected_ns,
                                .line = line,
                                .code = !wiring->is_byte && line < TRIGGER_CODE_SHIFT ? 0 : code};
}

static int by_start(const void *a, const void *b)
{
    const SchedulePulse *x = a, *y = b;
    return x->start_ns != y->start_ns ? (x->start_ns > y->start_ns ? 1 : -1) : x->line - y->line;
}

/* The row of one frame; columns: trigger_lines, trigger_completed_ns, trigger_corrected_ns,
 * trigger_code, missed. */
static void read_pulse(const Table *table, int64_t row, const int *columns, bool is_sent,
                       int64_t zero_ns, Wiring *wiring, Schedule *s)
{
    int64_t values[PULSE_COLUMNS] = {0, -1, -1, 0, 0};
    for (int c = 0; c < PULSE_COLUMNS; c++)
        table_integer(table, row, columns[c], &values[c]);
    wiring->due = values[3] > 0 ? values[3] : wiring->due;
    if (is_sent && values[1] >= 0) {
        s->has_correction = s->has_correction || values[2] >= 0;
        add_pulses(s, wiring, pulsed_lines(wiring, values[0]), values[1] - zero_ns,
                   values[2] >= 0 ? values[2] - zero_ns : 0);
    }
    if (!values[4])
        wiring->due = 0;
}

/* What a run with a rig has in its frames.tsv: the lines each frame raised, and when the device had
 * them. */
static bool read_pulses(const char *folder, const Frames *frames, const RunRig *rig, Schedule *s,
                        char *err)
{
    static const char *const names[PULSE_COLUMNS] = {
        "trigger_lines", "trigger_completed_ns", "trigger_corrected_ns", "trigger_code", "missed"};
    char path[RUN_FOLDER_PATH_BYTES];
    int columns[PULSE_COLUMNS];
    RigSpec spec;
    if (!rig)
        return true;
    run_folder_path(folder, "frames.tsv", path);
    if (!rig_spec_read(rig->spec, &spec, err))
        return false;
    Table *table = table_read(path, err);
    if (!table)
        return false;
    int fate = table_column(table, "trigger");
    bool ok = fate >= 0;
    for (int c = 0; c < PULSE_COLUMNS; c++)
        ok = (columns[c] = table_column(table, names[c])) >= 0 && ok;
    ok = ok || complain(err, "frames.tsv: lacks a column of triggers, though there was a rig");
    if (ok)
        s->pulses = calloc((size_t)table_rows(table) * RIG_LINES + 1, sizeof *s->pulses);
    ok = ok && (s->pulses || complain(err, "frames.tsv: not enough memory for its pulses"));
    Wiring wiring = {.pulse_us = rig->pulse_us, .is_byte = spec.code == RIG_CODE_BYTE};
    for (int64_t row = 0; ok && row < table_rows(table); row++)
        read_pulse(table, row, columns, !strcmp(table_text(table, row, fate), "sent"),
                   frames->frames[0].slot_ns, &wiring, s);
    table_destroy(table);
    if (ok)
        qsort(s->pulses, (size_t)s->pulses_count, sizeof *s->pulses, by_start);
    return ok;
}

bool schedule_of_run(const char *folder, const Frames *frames, const Plan *plan, const RunRig *rig,
                     Schedule *s, char *err)
{
    *s = (Schedule){.plan = plan, .duration_ns = time_of(frames, frames->count)};
    if (read_events(folder, frames, s, err) && fill_trials(frames, s, err) &&
        read_pulses(folder, frames, rig, s, err))
        return true;
    schedule_finish(s);
    return false;
}

void schedule_finish(Schedule *s)
{
    free(s->events);
    free(s->trials);
    free(s->pulses);
    *s = (Schedule){0};
}
