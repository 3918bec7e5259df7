#include "app/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/arguments.h"
#include "app/digest.h"
#include "app/export.h"
#include "app/json.h"
#include "app/paths.h"
#include "app/trial.h"
#include "config/plan.h"

typedef struct {
    const char *protocol; // the positional argument
    const char *csv;      // NULL: standard output, unless there is an NWB file
    const char *nwb;      // NULL: none
    const char *json;     // NULL: no summary
    double refresh_hz;    // 0: the protocol's
    ArgumentInteger seed;
} Options;

typedef struct {
    int64_t events, flashes, omitted_flashes, turns, triggers;
} Totals;

static const Argument rows[] = {
    {"refresh", "HZ", "rate of the display (default: the protocol's display.refresh_hz)",
     ARGUMENT_NUMBER(Options, refresh_hz, 30, 240)},
    {"seed", "N", "instead of the protocol's",
     ARGUMENT_INTEGER(Options, seed, -9007199254740992.0, 9007199254740992.0)},
    {"out", "FILE", "the table goes there as CSV (default: standard output)",
     ARGUMENT_TEXT(Options, csv)},
    {"csv", "FILE", "the same as --out", ARGUMENT_TEXT(Options, csv)},
    {"nwb", "FILE", "an NWB 2.7 file of the planned trials, events and pulses",
     ARGUMENT_TEXT(Options, nwb)},
    {"json", "FILE|-", "a machine-readable summary; with - the table needs --out",
     ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "timing",
    .usage = "PROTOCOL [options]",
    .about = "Every trial, onset, flash, omission, turn and trigger of a protocol as a CSV table "
             "or an NWB\n"
             "file, before anything runs: the refresh it falls on, and its time on a display that "
             "keeps\n"
             "its rate.\n",
    .example = "retrace timing config/protocols/omitted-stimulus.yaml --refresh 60 --out t.csv",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "protocol",
    .positional_offset = offsetof(Options, protocol),
    .is_positional_needed = true,
};

static int complain(const char *sentence, int status)
{
    fprintf(stderr, "retrace timing: %s\n", sentence);
    return status;
}

static Totals count(const Schedule *schedule)
{
    Totals totals = {.events = schedule->events_count, .triggers = schedule->pulses_count};
    for (int64_t i = 0; i < schedule->events_count; i++) {
        const char *name = schedule->events[i].name;
        totals.flashes += !strcmp(name, trial_event_name(TRIAL_EVENT_FLASH));
        totals.omitted_flashes += !strcmp(name, trial_event_name(TRIAL_EVENT_OMITTED_FLASH));
        totals.turns += !strcmp(name, trial_event_name(TRIAL_EVENT_TURN));
    }
    return totals;
}

static json_t *summary_of(const Plan *plan, const Totals *totals, const char *path)
{
    char sha256[DIGEST_BYTES] = "";
    digest_file(path, sha256);
    json_t *warnings = json_array();
    for (int i = 0; i < plan->warnings_count; i++)
        json_array_append_new(warnings, json_string(plan->warnings[i]));
    return json_pack(
        "{s:s, s:{s:s, s:s, s:s}, s:I, s:f, s:i, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:o}",
        "retrace", RETRACE_VERSION, "protocol", "name", plan->protocol->name, "path", path,
        "sha256", sha256, "seed", (json_int_t)plan->protocol->seed, "refresh_hz", plan->refresh_hz,
        "trials", plan->trials_count, "refreshes", (json_int_t)plan->refreshes, "duration_s",
        (double)plan->refreshes / plan->refresh_hz, "events", (json_int_t)totals->events, "flashes",
        (json_int_t)totals->flashes, "omitted_flashes", (json_int_t)totals->omitted_flashes,
        "turns", (json_int_t)totals->turns, "triggers", (json_int_t)totals->triggers, "warnings",
        warnings);
}

static void talk(const Options *options, const Plan *plan, const Totals *totals)
{
    FILE *to = options->csv || options->nwb ? json_talk(options->json) : stderr;
    for (int i = 0; i < plan->warnings_count; i++)
        fprintf(stderr, "warning: %s\n", plan->warnings[i]);
    fprintf(to,
            "%s at %.6g Hz: %d trials, %" PRId64 " refreshes, %.3f s; %" PRId64 " events, %" PRId64
            " triggers%s%s\n",
            plan->protocol->name, plan->refresh_hz, plan->trials_count, plan->refreshes,
            (double)plan->refreshes / plan->refresh_hz, totals->events, totals->triggers,
            options->csv ? " in " : "", options->csv ? options->csv : "");
}

static bool write_files(const Options *options, const Export *export, char *err)
{
    bool has_summary_on_stdout = options->json && !strcmp(options->json, "-");
    if (options->nwb && !export_nwb(export, options->nwb, err))
        return false;
    if (options->csv)
        return export_csv(export, options->csv, err);
    if (has_summary_on_stdout && !options->nwb)
        fprintf(stderr, "the table is not shown, as the summary takes standard output; --out FILE "
                        "keeps it\n");
    return has_summary_on_stdout || options->nwb || export_csv(export, NULL, err);
}

static int report(const Options *options, Plan *plan, Protocol *protocol, const char *path)
{
    char err[CONFIG_ERR_BYTES];
    Export export;
    if (!export_open_plan(plan, protocol, path, &export, err))
        return complain(err, EXIT_IO);
    Totals totals = count(&export.schedule);
    bool is_written = write_files(options, &export, err);
    export_close(&export);
    if (!is_written)
        return complain(err, EXIT_IO);
    talk(options, plan, &totals);
    if (!options->json)
        return EXIT_DONE;
    json_t *summary = summary_of(plan, &totals, path);
    is_written = json_write(summary, options->json, err);
    json_decref(summary);
    return is_written ? EXIT_DONE : complain(err, EXIT_IO);
}

int cmd_timing(int argc, char **argv)
{
    Options options = {0};
    char err[CONFIG_ERR_BYTES], path[PATH_BYTES];
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    path_find(options.protocol, path);
    if (path_is_same(options.csv, path) || path_is_same(options.nwb, path) ||
        path_is_same(options.json, path))
        return complain("--out, --nwb, --json: that is the protocol itself, which would be lost",
                        EXIT_BAD_INPUT);
    Protocol *protocol = protocol_load(path, err);
    if (protocol && options.seed.is_given)
        protocol->seed = options.seed.value;
    Plan *plan = protocol ? trial_plan(protocol, path, options.refresh_hz, err) : NULL;
    status = plan ? report(&options, plan, protocol, path) : complain(err, EXIT_BAD_INPUT);
    plan_destroy(plan);
    protocol_destroy(protocol);
    return status;
}
