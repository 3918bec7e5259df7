#include "app/commands.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/arguments.h"
#include "app/attribute_job.h"
#include "app/attribute_report.h"
#include "app/json.h"
#include "app/progress.h"
#include "app/stop.h"

typedef struct {
    AttributeAsked asked;
    ArgumentInteger steps;
    double tolerance;
    const char *out, *json;
} Options;

static bool read_file(void *options, const char *text, char *err)
{
    return attribute_job_read(&((Options *)options)->asked, text, err);
}

static const Argument rows[] = {
    ATTRIBUTE_ROWS(Options),
    {"trial", "N",
     "only this trial, from 0 as `retrace timing` counts (default: the first of every "
     "condition)",
     ARGUMENT_INTEGER(Options, asked.trial, 0, 1e9)},
    {"steps", "N", "that many even steps along the path, and no more where they miss",
     ARGUMENT_INTEGER(Options, steps, 1, ATTRIBUTION_STEPS_MAX)},
    {"tolerance", "P",
     "share of the response, or of 0.1 Hz, that the sum may miss (default: 0.002)",
     ARGUMENT_NUMBER(Options, tolerance, 1e-6, 0.5)},
    {"out", "DIR", "a figure and a table of every bin go there for each block",
     ARGUMENT_TEXT(Options, out)},
    {"json", "FILE|-", "the numbers for machines", ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "attribute",
    .usage = "MODEL PROTOCOL [options]",
    .about =
        "Which channels of a network's first layer make a cell's response: integrated gradients\n"
        "along the path from the block's background, on for ever, to what is shown. The parts sum\n"
        "to the rate less the rate at rest; what they miss is said (completeness residual).\n",
    .example = "retrace attribute model/weights/mixed-cnn.h5 "
               "config/protocols/omitted-stimulus.yaml --out out/attribution",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "model and protocol",
    .positional_read = read_file,
    .is_positional_needed = true,
};

typedef struct {
    const Options *options;
    FILE *talk;
    AttributeJob job;
    AttributeTrial *results; // owned (job.trials_count), the first `done` are there
    int done;
    Progress progress;
    int64_t bins_done, bins_total;
} Work;

static int complain(const char *sentence, int status)
{
    fprintf(stderr, "retrace attribute: %s\n", sentence);
    return status;
}

static AttributionRule rule_of(const Options *options)
{
    AttributionRule rule = attribution_default;
    if (options->tolerance > 0) {
        rule.gross_tolerance *= options->tolerance / rule.tolerance;
        rule.tolerance = options->tolerance;
    }
    if (options->steps.is_given)
        rule.steps_least = rule.steps_most = (int)options->steps.value;
    return rule;
}

/* ---- measuring */

static void show_progress(void *ctx)
{
    Work *work = ctx;
    progress_show(&work->progress, ++work->bins_done, work->bins_total);
}

static bool find_cell(Work *work, char *err)
{
    if (!work->options->asked.cell)
        work->job.attribute.cell = attribute_find_cell(&work->job.attribute, work->job.trials,
                                                       work->job.trials_count, err);
    return work->job.attribute.cell >= 0;
}

/* False when it did not get to the end; what is done is kept. */
static bool measure(Work *work, char *err)
{
    snprintf(err, MODEL_ERR_BYTES, "stopped");
    progress_start(&work->progress, "attribute", "bins");
    work->bins_total =
        attribute_count_bins(&work->job.attribute, work->job.trials, work->job.trials_count) *
        (work->options->asked.cell ? 1 : 2);
    bool ok = find_cell(work, err);
    while (ok && work->done < work->job.trials_count) {
        ok = attribute_trial(&work->job.attribute, work->job.trials[work->done],
                             &work->results[work->done], err);
        work->done += ok;
    }
    progress_end(&work->progress);
    return ok;
}

/* ---- telling */

/* *missed := bins that miss more than the tolerance. */
static int report(const Work *work, int *missed)
{
    char err[JSON_ERR_BYTES];
    const Options *options = work->options;
    const AttributeReport found = {
        .attribute = &work->job.attribute,
        .model_path = work->job.model_path,
        .protocol_path = work->job.protocol_path,
        .cards = work->job.cards,
        .kernels = work->job.kernels,
        .trials = work->results,
        .count = work->done,
        .wanted = work->job.trials_count,
    };
    AttributeTotals totals = attribute_totals(&found);
    *missed = totals.missed;
    attribute_talk(&found, &totals, work->talk);
    json_t *summary = attribute_summary(&found, &totals);
    bool is_written = (!options->json || json_write(summary, options->json, err)) &&
                      (!options->out || attribute_write_blocks(&found, options->out, err));
    json_decref(summary);
    return is_written ? EXIT_DONE : complain(err, EXIT_IO);
}

/* ---- the command */

static bool open_all(Work *work, char *err)
{
    if (!attribute_job_open(&work->job, &work->options->asked, err))
        return false;
    work->job.attribute.rule = rule_of(work->options);
    work->job.attribute.progress = show_progress;
    work->job.attribute.progress_ctx = work;
    work->job.attribute.stop = stop_catch_signals();
    work->results = calloc((size_t)work->job.trials_count, sizeof *work->results);
    snprintf(err, MODEL_ERR_BYTES, "out of memory");
    return work->results != NULL;
}

static int attribute_all(Work *work)
{
    char err[MODEL_ERR_BYTES];
    if (!open_all(work, err))
        return complain(err, EXIT_BAD_INPUT);
    if (work->options->out && mkdir(work->options->out, 0777) != 0 && errno != EEXIST) {
        snprintf(err, sizeof err, "--out: %.300s: %s", work->options->out, strerror(errno));
        return complain(err, EXIT_IO);
    }
    bool is_whole = measure(work, err);
    if (!is_whole)
        complain(err, EXIT_BAD_VERDICT);
    if (work->done == 0)
        return EXIT_BAD_VERDICT;
    int missed;
    int status = report(work, &missed);
    bool is_short = missed > 0 && !work->options->steps.is_given;
    if (is_short)
        fprintf(stderr, "retrace attribute: %d bins miss more than the tolerance\n", missed);
    return status == EXIT_DONE && (is_short || !is_whole) ? EXIT_BAD_VERDICT : status;
}

int cmd_attribute(int argc, char **argv)
{
    Options options = {0};
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    Work *work = calloc(1, sizeof *work);
    if (!work)
        return complain("out of memory", EXIT_IO);
    work->options = &options;
    work->talk = json_talk(options.json);
    status = attribute_all(work);
    for (int t = 0; t < work->done; t++)
        attribute_trial_finish(&work->results[t]);
    free(work->results);
    attribute_job_finish(&work->job);
    free(work);
    return status;
}
