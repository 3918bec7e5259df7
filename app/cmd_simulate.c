#include "app/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "app/arguments.h"
#include "app/digest.h"
#include "app/json.h"
#include "app/paths.h"
#include "app/progress.h"
#include "app/recording.h"
#include "app/stop.h"
#include "model/dataset.h"

typedef struct {
    const char *spec, *out, *json;
    ArgumentInteger seed;
    double minutes; // 0: the spec's
} Options;

static const Argument rows[] = {
    {"out", "FILE.h5", "where the data set goes", ARGUMENT_TEXT(Options, out)},
    {"seed", "N", "instead of the spec's", ARGUMENT_INTEGER(Options, seed, 0, 9007199254740992.0)},
    {"minutes", "M", "of recording to train on, instead of the spec's",
     ARGUMENT_NUMBER(Options, minutes, 0.01, 10000)},
    {"json", "FILE|-", "the summary for machines", ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "simulate",
    .usage = "SPEC --out FILE.h5 [options]",
    .about =
        "A recording of the simulated retina: what SPEC shows, and the spikes of its cells, as an\n"
        "HDF5 data set in the layout of the Baccus lab. Ctrl-C keeps what is done; after it, or "
        "after a\n"
        "kill, the same command goes on from FILE.h5.resume.\n",
    .example = "retrace simulate config/simulated-retina.yaml --out out/retina.h5 --minutes 5",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "spec",
    .positional_offset = offsetof(Options, spec),
    .is_positional_needed = true,
};

static void show(void *ctx, int64_t done, int64_t total)
{
    progress_show(ctx, done, total);
}

static int report(const Options *options, const Retina *retina, const RecordingSummary *summary)
{
    FILE *talk = json_talk(options->json);
    if (summary->resumed_bins > 0)
        fprintf(talk, "went on after %" PRId64 " bins of an earlier run\n", summary->resumed_bins);
    fprintf(talk,
            "%s: %" PRId64 " bins to fit, %" PRId64 " to test on %d repeats, %u simulated "
            "cells at %.1f Hz on average%s\n",
            options->out, summary->train_bins, summary->test_bins, retina->test_repeats,
            retina_cells(retina), summary->mean_rate_hz,
            summary->was_stopped ? " (stopped early; the same command goes on)" : "");
    if (!options->json)
        return EXIT_DONE;
    char sha256[DIGEST_BYTES] = "", err[JSON_ERR_BYTES];
    digest_file(options->spec, sha256);
    json_t *root = json_pack(
        "{s:s, s:s, s:{s:s, s:s}, s:I, s:I, s:I, s:i, s:i, s:f, s:I, s:b, s:b}", "retrace",
        RETRACE_VERSION, "out", options->out, "spec", "name", retina->name, "sha256", sha256,
        "seed", (json_int_t)retina->seed, "train_bins", (json_int_t)summary->train_bins,
        "test_bins", (json_int_t)summary->test_bins, "test_repeats", retina->test_repeats, "cells",
        (int)retina_cells(retina), "mean_rate_hz", summary->mean_rate_hz, "resumed_bins",
        (json_int_t)summary->resumed_bins, "stopped_early", summary->was_stopped, "is_simulated",
        1);
    bool ok = json_write(root, options->json, err);
    json_decref(root);
    if (!ok)
        fprintf(stderr, "retrace simulate: %s\n", err);
    return ok ? EXIT_DONE : EXIT_IO;
}

static int simulate(const Options *options)
{
    char err[RECORDING_ERR_BYTES];
    Retina *retina = retina_load(options->spec, err);
    if (!retina) {
        fprintf(stderr, "retrace simulate: %s\n", err);
        return EXIT_BAD_INPUT;
    }
    if (options->seed.is_given)
        retina->seed = options->seed.value;
    if (options->minutes > 0.0)
        retina->minutes = options->minutes;
    Progress progress;
    RecordingSummary summary;
    bool is_input;
    progress_start(&progress, "simulate", "bins");
    char photographs[PATH_BYTES] = "";
    if (retina->photographs)
        path_find_near(options->spec, retina->photographs, photographs);
    const RecordingOrder order = {
        .retina = retina,
        .photographs = retina->photographs ? photographs : NULL,
        .path = options->out,
        .stop = stop_catch_signals(),
        .progress = show,
        .progress_ctx = &progress,
    };
    bool ok = recording_make(&order, &summary, &is_input, err);
    progress_end(&progress);
    if (!ok)
        fprintf(stderr, "retrace simulate: %s\n", err);
    int status = ok ? report(options, retina, &summary) : is_input ? EXIT_BAD_INPUT : EXIT_IO;
    retina_destroy(retina);
    return status;
}

int cmd_simulate(int argc, char **argv)
{
    Options options = {0};
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    if (!options.out) {
        fprintf(stderr, "retrace simulate: --out FILE is missing: where does the data set go?\n");
        return EXIT_BAD_INPUT;
    }
    char err[MODEL_ERR_BYTES];
    if (access(options.out, F_OK) == 0) {
        Dataset *older = dataset_open(options.out, err);
        dataset_close(older);
        if (!older) {
            fprintf(stderr,
                    "retrace simulate: --out: %s: exists and is no data set; choose another name\n",
                    options.out);
            return EXIT_BAD_INPUT;
        }
    }
    return simulate(&options);
}
