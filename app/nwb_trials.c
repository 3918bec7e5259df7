#include "app/nwb.h"

#include <math.h>
#include <stdio.h>

#include "app/parameters.h"

static double seconds(int64_t ns)
{
    return ns < 0 ? (double)NAN : (double)ns * 1e-9;
}

static const ProtocolBlock *block_of(const Plan *plan, int64_t trial)
{
    return &plan->protocol->blocks[plan->trials[trial].block];
}

/* Arrays of (rows), zeroed, that live until the file is written. */
#define COLUMN(w, Type, rows) ((Type *)nwb_keep(w, (size_t)(rows) * sizeof(Type)))

static void add_times(NwbWriter *w, NwbTable *table)
{
    const Schedule *s = &w->export->schedule;
    double *start = COLUMN(w, double, table->rows), *stop = COLUMN(w, double, table->rows);
    double *onset = COLUMN(w, double, table->rows), *end = COLUMN(w, double, table->rows);
    int8_t *is_complete = COLUMN(w, int8_t, table->rows);
    if (w->is_out_of_memory)
        return;
    for (int64_t t = 0; t < table->rows; t++) {
        start[t] = seconds(s->trials[t].start_ns);
        stop[t] = seconds(s->trials[t].stop_ns);
        onset[t] = seconds(s->trials[t].onset_ns);
        end[t] = seconds(s->trials[t].end_ns);
        is_complete[t] = s->trials[t].is_complete;
    }
    nwb_column(table, "start_time", HDF5_TREE_DOUBLE, start, "first refresh of the trial, s");
    nwb_column(table, "stop_time", HDF5_TREE_DOUBLE, stop,
               "first refresh after the trial, or the end of the record, s");
    nwb_column(table, "stimulus_onset_time", HDF5_TREE_DOUBLE, onset,
               "first refresh of the stimulus, s; NaN: not reached");
    nwb_column(table, "stimulus_end_time", HDF5_TREE_DOUBLE, end,
               "first refresh without the stimulus, s; NaN: not reached");
    nwb_column(table, "is_complete", HDF5_TREE_BOOL, is_complete, "was shown to its end");
}

static void add_schedule(NwbWriter *w, NwbTable *table)
{
    const Plan *plan = w->export->plan;
    int32_t *block = COLUMN(w, int32_t, table->rows), *condition = COLUMN(w, int32_t, table->rows);
    int32_t *repeat = COLUMN(w, int32_t, table->rows), *code = COLUMN(w, int32_t, table->rows);
    int64_t *seed = COLUMN(w, int64_t, table->rows);
    double *background = COLUMN(w, double, table->rows), *value = COLUMN(w, double, table->rows);
    const char **names = COLUMN(w, const char *, table->rows);
    const char **stimuli = COLUMN(w, const char *, table->rows);
    if (w->is_out_of_memory)
        return;
    for (int64_t t = 0; t < table->rows; t++) {
        const PlanTrial *trial = &plan->trials[t];
        const ProtocolBlock *of = block_of(plan, t);
        block[t] = trial->block;
        names[t] = of->name;
        stimuli[t] = parameter_stimulus(of);
        condition[t] = trial->condition;
        value[t] = trial->value;
        repeat[t] = trial->repeat;
        seed[t] = trial->seed;
        code[t] = of->trigger_code;
        background[t] = of->background ? *of->background : plan->protocol->display.background;
    }
    nwb_column(table, "block", HDF5_TREE_INT32, block, "number of the block, from 0");
    nwb_column_texts(table, "block_name", names, "name of the block");
    nwb_column_texts(table, "stimulus", stimuli, "kind of stimulus");
    nwb_column(table, "condition", HDF5_TREE_INT32, condition,
               "which value of the block's list, from 0");
    nwb_column(table, "value", HDF5_TREE_DOUBLE, value,
               "that value: period in ms, contrast, speed in um/s or turn in um; 0: no list");
    nwb_column(table, "repeat", HDF5_TREE_INT32, repeat, "from 0");
    nwb_column(table, "seed", HDF5_TREE_INT64, seed, "of the trial's noise; 0: it has none");
    nwb_column(table, "trigger_code", HDF5_TREE_INT32, code, "due at the onset; 0: none");
    nwb_column(table, "background", HDF5_TREE_DOUBLE, background, "luminance, 0 to 1");
}

static void add_parameters(NwbWriter *w, NwbTable *table)
{
    const Plan *plan = w->export->plan;
    for (int p = 0; p < PARAMETERS; p++) {
        double *values =
            parameter_is_used(&parameters[p], plan) ? COLUMN(w, double, table->rows) : NULL;
        if (!values)
            continue;
        for (int64_t t = 0; t < table->rows; t++)
            values[t] = parameters[p].of(block_of(plan, t), &plan->trials[t]);
        nwb_column(table, parameters[p].name, HDF5_TREE_DOUBLE, values, parameters[p].about);
    }
}

static void write_trials(NwbWriter *w)
{
    NwbTable table = {.path = "/intervals/trials",
                      .type = "TimeIntervals",
                      .description = "Trials, background included, and their stimulus's parameters",
                      .rows = w->export->schedule.trials_count};
    add_times(w, &table);
    add_schedule(w, &table);
    add_parameters(w, &table);
    if (!w->is_out_of_memory)
        nwb_table(w->tree, &table);
}

static void write_blocks(NwbWriter *w)
{
    const Schedule *s = &w->export->schedule;
    const Plan *plan = w->export->plan;
    int64_t most = plan->protocol->blocks_count, rows = 0;
    double *start = COLUMN(w, double, most), *stop = COLUMN(w, double, most);
    int32_t *number = COLUMN(w, int32_t, most), *trials = COLUMN(w, int32_t, most);
    const char **names = COLUMN(w, const char *, most), **kinds = COLUMN(w, const char *, most);
    if (w->is_out_of_memory)
        return;
    for (int64_t t = 0; t < s->trials_count; t++) {
        if (t == 0 || plan->trials[t].block != plan->trials[t - 1].block) {
            start[rows] = seconds(s->trials[t].start_ns);
            number[rows] = plan->trials[t].block;
            names[rows] = block_of(plan, t)->name;
            kinds[rows++] = parameter_stimulus(block_of(plan, t));
        }
        stop[rows - 1] = seconds(s->trials[t].stop_ns);
        trials[rows - 1]++;
    }
    NwbTable table = {.path = "/intervals/blocks",
                      .type = "TimeIntervals",
                      .description = "Blocks of the protocol, from their first trial to their last",
                      .rows = rows};
    nwb_column(&table, "start_time", HDF5_TREE_DOUBLE, start, "start of the first trial, s");
    nwb_column(&table, "stop_time", HDF5_TREE_DOUBLE, stop, "end of the last trial that began, s");
    nwb_column(&table, "block", HDF5_TREE_INT32, number, "number of the block, from 0");
    nwb_column_texts(&table, "block_name", names, "name of the block");
    nwb_column_texts(&table, "stimulus", kinds, "kind of stimulus");
    nwb_column(&table, "trials_count", HDF5_TREE_INT32, trials, "trials that began");
    nwb_table(w->tree, &table);
}

static void write_events(NwbWriter *w)
{
    const Schedule *s = &w->export->schedule;
    int64_t rows = s->events_count;
    double *time = COLUMN(w, double, rows);
    const char **names = COLUMN(w, const char *, rows);
    int64_t *refresh = COLUMN(w, int64_t, rows);
    int32_t *trial = COLUMN(w, int32_t, rows), *flash = COLUMN(w, int32_t, rows);
    int32_t *code = COLUMN(w, int32_t, rows);
    int8_t *is_missed = COLUMN(w, int8_t, rows);
    if (w->is_out_of_memory)
        return;
    for (int64_t i = 0; i < rows; i++) {
        const ScheduleEvent *event = &s->events[i];
        time[i] = seconds(event->time_ns);
        names[i] = event->name;
        refresh[i] = event->refresh;
        trial[i] = event->trial;
        flash[i] = (int32_t)event->number;
        code[i] = event->trigger_code;
        is_missed[i] = event->is_missed;
    }
    NwbTable table = {.path = "/intervals/stimulus_events",
                      .type = "TimeIntervals",
                      .description =
                          "What the protocol has at which refresh; events have no length",
                      .rows = rows};
    nwb_column(&table, "start_time", HDF5_TREE_DOUBLE, time, "start of the refresh, s");
    nwb_column(&table, "stop_time", HDF5_TREE_DOUBLE, time, "the same");
    nwb_column_texts(&table, "event", names, "what happens: stimulus_onset, flash, turn ...");
    nwb_column(&table, "refresh", HDF5_TREE_INT64, refresh, "refresh of the run, from 0");
    nwb_column(&table, "trial", HDF5_TREE_INT32, trial, "row of trials");
    nwb_column(&table, "flash", HDF5_TREE_INT32, flash, "place in the train, from 1; 0: no flash");
    nwb_column(&table, "trigger_code", HDF5_TREE_INT32, code, "due with this refresh; 0: none");
    nwb_column(&table, "is_missed", HDF5_TREE_BOOL, is_missed,
               "the refresh showed an older image: the event came late, or never");
    nwb_table(w->tree, &table);
}

/* Of a run, what its rig can do about the length of a pulse. */
static const char *describe_pulses(const Export *export)
{
    if (!export->run)
        return "Pulses that are due, of 500 us; none has been sent";
    if (export->run->rig && !export->run->rig->is_pulse_timed_inside)
        return "Pulses that were sent: from when the device had each, for the width it was told; "
               "the host ends them, so that they may have been longer";
    return "Pulses that were sent: from when the device had each, for the width it was told";
}

static void write_pulses(NwbWriter *w)
{
    static const char *const lines[] = {"code", "0", "1", "2", "3", "4", "5", "6", "7"};
    const Schedule *s = &w->export->schedule;
    int64_t rows = s->pulses_count;
    double *start = COLUMN(w, double, rows), *stop = COLUMN(w, double, rows);
    const char **line = COLUMN(w, const char *, rows);
    double *corrected = COLUMN(w, double, rows);
    int32_t *code = COLUMN(w, int32_t, rows);
    if (w->is_out_of_memory)
        return;
    for (int64_t i = 0; i < rows; i++) {
        start[i] = (double)s->pulses[i].start_ns * 1e-9;
        stop[i] = (double)s->pulses[i].stop_ns * 1e-9;
        corrected[i] = (double)s->pulses[i].corrected_ns * 1e-9;
        line[i] = lines[s->pulses[i].line + 1];
        code[i] = s->pulses[i].code;
    }
    NwbTable table = {.path = "/intervals/ttl_pulses", .type = "TimeIntervals", .rows = rows};
    table.description = describe_pulses(w->export);
    nwb_column(&table, "start_time", HDF5_TREE_DOUBLE, start, "rising edge, s");
    nwb_column(&table, "stop_time", HDF5_TREE_DOUBLE, stop, "falling edge, s");
    nwb_column_texts(&table, "line", line,
                     "number of the line; code: the lines that carry the code");
    nwb_column(&table, "code", HDF5_TREE_INT32, code, "trigger code it is part of; 0: none");
    if (s->has_correction)
        nwb_column(&table, "corrected_start_time", HDF5_TREE_DOUBLE, corrected,
                   "rising edge by the delay that `rig loop` measured, s");
    nwb_table(w->tree, &table);
}

void nwb_write_trials(NwbWriter *w)
{
    if (w->export->plan) {
        write_trials(w);
        write_blocks(w);
    }
    write_events(w);
    write_pulses(w);
}
