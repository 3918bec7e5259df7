#pragma once
/* What was shown when, as tables for other programs: events, trials and pulses of a run, or of a
 * plan before it is run, in one form.
 *
 * Times are ns since refresh 0. Of a run they are those of its record: an event of a refresh that
 * was missed has the time at which that refresh began, and says so. */
#include <stdbool.h>
#include <stdint.h>

#include "app/frames.h"
#include "config/plan.h"
#include "config/run_file.h"

enum { SCHEDULE_ERR_BYTES = 512, SCHEDULE_EVENT_BYTES = 32, SCHEDULE_PULSE_US = 500 };

typedef struct {
    char name[SCHEDULE_EVENT_BYTES]; // as trial_event_name() has it
    int64_t refresh, time_ns;
    int trial;
    int64_t number; // of a flash, from 1; else 0
    int trigger_code;
    bool is_missed;
} ScheduleEvent;

typedef struct {
    int64_t start_ns, onset_ns, end_ns,
        stop_ns;      // of trial and stimulus; onset and end −1: not reached
    bool is_complete; // was shown to its end
} ScheduleTrial;

typedef struct {
    int64_t start_ns, stop_ns;
    int64_t corrected_ns; // of a run whose delay was measured: when the line moved by that; else 0
    int line, code;       // line from 0, −1: whichever the rig has for codes; code 0: none
} SchedulePulse;

typedef struct {
    const Plan *plan;      // borrowed; NULL: a movie, which has no trials
    ScheduleEvent *events; // owned, (events_count)
    int64_t events_count;
    ScheduleTrial *trials; // owned, (trials_count): those that began, in the plan's order
    int trials_count;
    SchedulePulse *pulses; // owned, (pulses_count): sent, or planned
    int64_t pulses_count;
    bool has_correction; // pulses have a corrected_ns
    int64_t duration_ns;
} Schedule;

/* Everything at its time on a display that keeps the plan's rate; a pulse of
 * SCHEDULE_PULSE_US for each trigger code. False without memory. */
bool schedule_of_plan(const Plan *plan, Schedule *schedule);

/* From FOLDER's events.tsv, and the pulses its frames.tsv has as sent, of the width the rig had; rig
 * NULL: none. The line that is high for the whole run makes no pulses. plan may be NULL. False with
 * a sentence in err (SCHEDULE_ERR_BYTES). */
bool schedule_of_run(const char *folder, const Frames *frames, const Plan *plan, const RunRig *rig,
                     Schedule *schedule, char *err);
void schedule_finish(Schedule *schedule);
