#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/arguments.h"
#include "app/export.h"
#include "app/json.h"

typedef struct {
    const char *run; // the positional argument
    const char *nwb, *hdf5, *csv, *rig_csv, *json;
} Options;

static const Argument rows[] = {
    {"nwb", "FILE", "NWB 2.7: trials, events, pulses, inputs, frame times, rates, protocol",
     ARGUMENT_TEXT(Options, nwb)},
    {"hdf5", "FILE", "plain HDF5: a data set a column", ARGUMENT_TEXT(Options, hdf5)},
    {"csv", "FILE", "the events, with the columns of `retrace timing`",
     ARGUMENT_TEXT(Options, csv)},
    {"rig-csv", "FILE", "what came in from the rig: edges and codes, their times and errors",
     ARGUMENT_TEXT(Options, rig_csv)},
    {"json", "FILE|-", "a machine-readable summary", ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "export",
    .usage = "RUN --nwb FILE [options]",
    .about =
        "A run folder, also one that was cut short, as a file other programs open. Times are\n"
        "seconds since refresh 0. Of a run that was cut short all there is is written, and said.\n",
    .example = "retrace export out/my-run --nwb day7.nwb",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "run folder",
    .positional_offset = offsetof(Options, run),
    .is_positional_needed = true,
};

static int complain(const char *sentence, int status)
{
    fprintf(stderr, "retrace export: %s\n", sentence);
    return status;
}

static json_t *summary_of(const Export *export)
{
    const Schedule *s = &export->schedule;
    return json_pack("{sssssbsIsIsIsIsIsIsi}", "retrace", RETRACE_VERSION, "protocol",
                     export->run->protocol.name, "complete", (int)export->is_complete, "frames",
                     (json_int_t) export->frames.count, "events", (json_int_t)s->events_count,
                     "trials", (json_int_t)s->trials_count, "pulses", (json_int_t)s->pulses_count,
                     "rig_events", (json_int_t) export->heard_count, "rates_rows",
                     (json_int_t) export->rates_rows, "models", (int)export->run->models_count);
}

static bool write_files(const Options *options, const Export *export, char *err)
{
    return (!options->nwb || export_nwb(export, options->nwb, err)) &&
           (!options->hdf5 || export_hdf5(export, options->hdf5, err)) &&
           (!options->csv || export_csv(export, options->csv, err)) &&
           (!options->rig_csv || export_rig_csv(export, options->rig_csv, err));
}

static int report(const Options *options, const Export *export)
{
    char err[EXPORT_ERR_BYTES];
    if (!write_files(options, export, err))
        return complain(err, EXIT_IO);
    fprintf(json_talk(options->json),
            "%s: %lld refreshes, %d trials, %lld events, %lld pulses, rates of %u models%s\n",
            export->run->protocol.name, (long long)export->frames.count,
            export->schedule.trials_count, (long long)export->schedule.events_count,
            (long long)export->schedule.pulses_count, export->run->models_count,
            export->is_complete ? "" : "; the run was cut short");
    if (!options->json)
        return EXIT_DONE;
    json_t *summary = summary_of(export);
    bool is_written = json_write(summary, options->json, err);
    json_decref(summary);
    return is_written ? EXIT_DONE : complain(err, EXIT_IO);
}

int cmd_export(int argc, char **argv)
{
    Options options = {0};
    char err[EXPORT_ERR_BYTES];
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    if (!options.nwb && !options.hdf5 && !options.csv && !options.rig_csv)
        return complain("to what? --nwb FILE, --hdf5 FILE, --csv FILE or --rig-csv FILE",
                        EXIT_BAD_INPUT);
    Export export;
    if (!export_open_run(options.run, &export, err))
        return complain(err, EXIT_BAD_INPUT);
    status = report(&options, &export);
    export_close(&export);
    return status;
}
