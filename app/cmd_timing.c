#include "app/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/arguments.h"
#include "app/digest.h"
#include "app/json.h"
#include "app/paths.h"
#include "app/trial.h"
#include "config/plan.h"

typedef struct {
    const char *protocol; // the positional argument
    const char *out;      // NULL: standard output
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
    {"out", "FILE", "the table goes there (default: standard output)", ARGUMENT_TEXT(Options, out)},
    {"json", "FILE|-", "a machine-readable summary; with - the table needs --out",
     ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "timing",
    .usage = "PROTOCOL [options]",
    .about =
        "Every trial, onset, flash, omission, turn and trigger of a protocol as a CSV table, "
        "before\n"
        "anything runs: the refresh it falls on, and its time on a display that keeps its rate.\n",
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

static void write_quoted(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void write_event(FILE *file, const Plan *plan, int t, const TrialEvent *event)
{
    const PlanTrial *trial = &plan->trials[t];
    int64_t ns = trial_refresh_ns(plan, event->refresh);
    fprintf(file, "%s,%" PRId64 ",%" PRId64 ".%09" PRId64 ",%" PRId64 ",%d,%d,",
            trial_event_name(event->kind), event->refresh, ns / 1000000000, ns % 1000000000, ns, t,
            trial->block);
    write_quoted(file, plan->protocol->blocks[trial->block].name);
    fprintf(file, ",%d,%.15g,%d,%" PRId64 ",%d,%" PRId64 "\n", trial->condition, trial->value,
            trial->repeat, event->number, event->trigger_code, trial->seed);
}

static Totals count_or_write(const Plan *plan, FILE *file)
{
    Totals totals = {0};
    TrialEvent event;
    for (int t = 0; t < plan->trials_count; t++) {
        for (int64_t i = 0; trial_event(plan, t, i, &event); i++) {
            totals.events++;
            totals.flashes += event.kind == TRIAL_EVENT_FLASH;
            totals.omitted_flashes += event.kind == TRIAL_EVENT_OMITTED_FLASH;
            totals.turns += event.kind == TRIAL_EVENT_TURN;
            totals.triggers += event.trigger_code != 0;
            if (file)
                write_event(file, plan, t, &event);
        }
    }
    return totals;
}

static bool write_table(const Plan *plan, const char *path, char *err)
{
    FILE *file = path ? fopen(path, "w") : stdout;
    if (file) {
        fputs("event,refresh,time_s,time_ns,trial,block,block_name,condition,value,repeat,flash,"
              "trigger_code,seed\n",
              file);
        count_or_write(plan, file);
        bool is_written = !ferror(file);
        is_written = (path ? fclose(file) : fflush(file)) == 0 && is_written;
        if (is_written)
            return true;
    }
    snprintf(err, CONFIG_ERR_BYTES, "%.400s: cannot write the table: %s",
             path ? path : "standard output", strerror(errno));
    return false;
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
    FILE *to = options->out ? json_talk(options->json) : stderr;
    for (int i = 0; i < plan->warnings_count; i++)
        fprintf(stderr, "warning: %s\n", plan->warnings[i]);
    fprintf(to,
            "%s at %.6g Hz: %d trials, %" PRId64 " refreshes, %.3f s; %" PRId64 " events, %" PRId64
            " triggers%s%s\n",
            plan->protocol->name, plan->refresh_hz, plan->trials_count, plan->refreshes,
            (double)plan->refreshes / plan->refresh_hz, totals->events, totals->triggers,
            options->out ? " in " : "", options->out ? options->out : "");
}

static int report(const Options *options, const Plan *plan, const char *path)
{
    char err[CONFIG_ERR_BYTES];
    bool has_summary_on_stdout = options->json && !strcmp(options->json, "-");
    if (!options->out && has_summary_on_stdout)
        fprintf(stderr, "the table is not shown, as the summary takes standard output; --out FILE "
                        "keeps it\n");
    else if (!write_table(plan, options->out, err))
        return complain(err, EXIT_IO);
    Totals totals = count_or_write(plan, NULL);
    talk(options, plan, &totals);
    if (!options->json)
        return EXIT_DONE;
    json_t *summary = summary_of(plan, &totals, path);
    bool is_written = json_write(summary, options->json, err);
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
    if (path_is_same(options.out, path) || path_is_same(options.json, path))
        return complain("--out, --json: that is the protocol itself, which would be lost",
                        EXIT_BAD_INPUT);
    Protocol *protocol = protocol_load(path, err);
    if (protocol && options.seed.is_given)
        protocol->seed = options.seed.value;
    Plan *plan = protocol ? trial_plan(protocol, path, options.refresh_hz, err) : NULL;
    status = plan ? report(&options, plan, path) : complain(err, EXIT_BAD_INPUT);
    plan_destroy(plan);
    protocol_destroy(protocol);
    return status;
}
