#include "app/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/align.h"
#include "app/align_read.h"
#include "app/align_report.h"
#include "app/arguments.h"
#include "app/json.h"
#include "app/paths.h"
#include "app/run_folder.h"
#include "config/run_file.h"

enum { FLIPS_MOST = 10000000 };

typedef enum { WHAT_LIGHT, WHAT_EDGES, WHAT_PULSES } What;

typedef struct {
    const char *names[2]; // RUN RECORDING; with --flips RECORDING alone
    int names_count;
    What what;
    double rate_hz, refresh_hz;
    ArgumentInteger channels, channel, every, flips, samples;
    const char *out, *json, *ttl;
    bool is_strict;
} Options;

static bool read_name(void *options, const char *text, char *err)
{
    Options *o = options;
    if (o->names_count < 2) {
        o->names[o->names_count++] = text;
        return true;
    }
    snprintf(err, ARGUMENTS_ERR_BYTES, "'%s' is one argument too many", text);
    return false;
}

static bool read_what(void *options, const char *text, char *err)
{
    static const char *const names[] = {
        [WHAT_LIGHT] = "light", [WHAT_EDGES] = "edges", [WHAT_PULSES] = "pulses"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(text, names[i])) {
            ((Options *)options)->what = (What)i;
            return true;
        }
    snprintf(err, ARGUMENTS_ERR_BYTES, "--as: '%s' is not known; allowed are light, edges, pulses",
             text);
    return false;
}

static const Argument rows[] = {
    {"as", "light|edges|pulses",
     "samples of a photodiode on the sync patch (default); sample\n"
     "                        numbers of the patch's turns, a second column says up 1 or down 0;\n"
     "                        sample numbers of one pulse a shown frame",
     ARGUMENT_OWN(read_what)},
    {"rate", "HZ", "samples a second of the recording, to 0.1 % (default 20000)",
     ARGUMENT_NUMBER(Options, rate_hz, 100, 10000000)},
    {"channel", "N", "column of the recording, from 0 (default 0)",
     ARGUMENT_INTEGER(Options, channel, 0, 65535)},
    {"raw", "CHANNELS", "the recording is int16, little-endian, so many channels interleaved",
     ARGUMENT_INTEGER(Options, channels, 1, 4096)},
    {"samples", "N", "length of the recording, for edges and pulses, whose end shows nothing",
     ARGUMENT_INTEGER(Options, samples, 1, 9007199254740992.0)},
    {"ttl", "FILE",
     "beside the light: sample numbers of one pulse a shown frame, to be held against it",
     ARGUMENT_TEXT(Options, ttl)},
    {"every", "N", "pulses: one for each refresh whose number is a multiple of N (default 1)",
     ARGUMENT_INTEGER(Options, every, 1, 1000)},
    {"flips", "N", "no run: N flips were commanded, one at each refresh of a display of",
     ARGUMENT_INTEGER(Options, flips, 2, FLIPS_MOST)},
    {"refresh", "HZ", "this rate, to 0.1 % (with --flips; default 60)",
     ARGUMENT_NUMBER(Options, refresh_hz, 1, 1000)},
    {"out", "FILE", "the table goes there as CSV (default: none is written)",
     ARGUMENT_TEXT(Options, out)},
    {"json", "FILE|-", "a machine-readable summary", ARGUMENT_TEXT(Options, json)},
    {"strict", NULL, "exit status 1 unless every frame was found as on record",
     ARGUMENT_FLAG(Options, is_strict)},
};

static const ArgumentTable table = {
    .command = "align",
    .usage = "RUN RECORDING [options], or --flips N RECORDING",
    .about =
        "At which sample of a recording each frame of a run reached the screen, and where the two\n"
        "disagree: frames dropped or doubled behind the record's back, edges nothing explains, "
        "the\n"
        "drift of the clocks. RECORDING is FILE.npy, FILE.csv, FILE.h5:/path, FILE.mat:/name, or "
        "raw\n"
        "int16. With --flips it is the black-and-white test: so many flips commanded, how many "
        "are\n"
        "there. What is assumed and when it refuses stands in app/align.h.\n",
    .example = "retrace align out/my-run day7.h5:/analog --channel 2 --rate 20000 --out frames.csv",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "run and recording",
    .positional_read = read_name,
    .is_positional_needed = true,
};

static int complain(const char *sentence, int status)
{
    fprintf(stderr, "retrace align: %s\n", sentence);
    return status;
}

/* The frames of the run folder, or of a run of flips that nobody recorded. */
static bool open_frames(const Options *options, Frames *frames, char *err)
{
    if (options->flips.is_given)
        return frames_plan(options->flips.value + 1, options->refresh_hz, frames) ||
               (snprintf(err, FRAMES_ERR_BYTES, "not enough memory for the flips"), false);
    char path[RUN_FOLDER_PATH_BYTES];
    run_folder_path(options->names[0], "run.yaml", path);
    RunFile *run = run_file_load(path, err);
    if (!run)
        return false;
    bool ok = frames_read(options->names[0], run->refresh_hz, frames, err);
    run_file_destroy(run);
    return ok;
}

static bool check(const Options *options, char *err)
{
    const char *what = NULL;
    if (options->flips.is_given && options->names_count != 1)
        what = "--flips: takes the recording alone, no run";
    else if (!options->flips.is_given && options->names_count != 2)
        what = "names a run folder and a recording; see --help";
    else if (options->channels.is_given && options->what != WHAT_LIGHT)
        what = "--raw: goes with --as light; edges and pulses are tables of sample numbers";
    else if (options->ttl && options->what == WHAT_PULSES)
        what = "--ttl: goes beside the light or edges of the patch; pulses alone are --as pulses";
    if (what)
        snprintf(err, ALIGN_READ_ERR_BYTES, "%s", what);
    return what == NULL;
}

/* An order over what was read; both are for free(). */
static bool read_recording(const Options *options, AlignOrder *order, float **samples,
                           SyncEdge **edges, char *err)
{
    AlignSource source = {.where = options->names[options->names_count - 1],
                          .channels = (int)options->channels.value,
                          .channel = (int)options->channel.value};
    order->samples_count = options->samples.value;
    order->is_pulses = options->what == WHAT_PULSES;
    bool ok = options->what == WHAT_LIGHT
                  ? align_read_samples(&source, samples, &order->samples_count, err)
                  : align_read_edges(&source, edges, &order->edges_count, err);
    order->samples = *samples;
    order->edges = *edges;
    double refresh_samples = order->frames->period_ns * 1e-9 * order->rate_hz;
    if (ok && refresh_samples < ALIGN_REFRESH_SAMPLES_LEAST) {
        snprintf(err, ALIGN_READ_ERR_BYTES,
                 "--rate: %g Hz gives %.1f samples a refresh; at least %d are needed",
                 order->rate_hz, refresh_samples, ALIGN_REFRESH_SAMPLES_LEAST);
        ok = false;
    }
    return ok;
}

static int report(const Options *options, const AlignOrder *order, const AlignAnswer *answer,
                  const AlignPulses *pulses)
{
    char err[ALIGN_REPORT_ERR_BYTES], verdict[ALIGN_VERDICT_BYTES];
    AlignReport about = {order, answer, pulses};
    bool is_ok = align_verdict(&about, verdict);
    if (options->out && answer->outcome == ALIGN_FOUND &&
        !align_write_table(&about, options->out, err))
        return complain(err, EXIT_IO);
    align_talk(&about, verdict, json_talk(options->json));
    if (options->json) {
        json_t *summary = align_summary(&about, verdict);
        bool is_written = json_write(summary, options->json, err);
        json_decref(summary);
        if (!is_written)
            return complain(err, EXIT_IO);
    }
    if (answer->outcome != ALIGN_FOUND)
        return EXIT_BAD_VERDICT; // there is no alignment to work with, strict or not
    return options->is_strict && !is_ok ? EXIT_BAD_VERDICT : EXIT_DONE;
}

/* With the pulses beside it, where they were given. */
static int match_and_report(const Options *options, const AlignOrder *order,
                            const AlignAnswer *answer)
{
    char err[ALIGN_READ_ERR_BYTES];
    AlignSource source = {.where = options->ttl};
    AlignPulses matched = {0};
    SyncEdge *pulses = NULL;
    int64_t count;
    if (!options->ttl || answer->outcome != ALIGN_FOUND)
        return report(options, order, answer, NULL);
    if (!align_read_edges(&source, &pulses, &count, err))
        return complain(err, EXIT_BAD_INPUT);
    int status = align_pulses_match(order, answer, pulses, count, &matched)
                     ? report(options, order, answer, &matched)
                     : complain("not enough memory for the pulses", EXIT_IO);
    align_pulses_finish(&matched);
    free(pulses);
    return status;
}

static int align(const Options *options)
{
    char err[ALIGN_READ_ERR_BYTES + ARGUMENTS_ERR_BYTES] = "";
    Frames frames = {0};
    float *samples = NULL;
    SyncEdge *edges = NULL;
    if (!check(options, err) || !open_frames(options, &frames, err))
        return complain(err, EXIT_BAD_INPUT);
    AlignOrder order = {.frames = &frames,
                        .rate_hz = options->rate_hz,
                        .every = options->every.is_given ? (int)options->every.value : 1};
    int status = EXIT_DONE;
    if (!read_recording(options, &order, &samples, &edges, err))
        status = complain(err, EXIT_BAD_INPUT);
    AlignAnswer answer = {0};
    if (status == EXIT_DONE)
        status = align_run(&order, &answer) ? match_and_report(options, &order, &answer)
                                            : complain("not enough memory to align", EXIT_IO);
    align_finish(&answer);
    free(samples);
    free(edges);
    frames_finish(&frames);
    return status;
}

int cmd_align(int argc, char **argv)
{
    Options options = {.rate_hz = 20000, .refresh_hz = 60};
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    for (int i = 0; i < options.names_count; i++)
        if (path_is_same(options.out, options.names[i]) ||
            path_is_same(options.json, options.names[i]))
            return complain("--out, --json: that is the recording itself, which would be lost",
                            EXIT_BAD_INPUT);
    return align(&options);
}
