#include "app/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/arguments.h"
#include "app/attribute_report.h"
#include "app/json.h"
#include "app/paths.h"
#include "app/progress.h"
#include "app/stop.h"

typedef struct {
    const char *model, *protocol;
    const char *cell, *block;
    ArgumentInteger trial, steps;
    double tolerance, refresh_hz;
    double from_ms, to_ms;
    const char *out, *json;
} Options;

static bool read_file(void *at, const char *text, char *err)
{
    Options *options = at;
    if (options->protocol) {
        snprintf(err, ARGUMENTS_ERR_BYTES,
                 "%.200s: one model and one protocol are what is attributed", text);
        return false;
    }
    *(options->model ? &options->protocol : &options->model) = text;
    return true;
}

static const Argument rows[] = {
    {"cell", "NAME", "the cell (default: the one whose rate rises highest)",
     ARGUMENT_TEXT(Options, cell)},
    {"block", "NAME", "only this block of the protocol", ARGUMENT_TEXT(Options, block)},
    {"trial", "N",
     "only this trial, from 0 as `retrace timing` counts (default: the first of every "
     "condition)",
     ARGUMENT_INTEGER(Options, trial, 0, 1e9)},
    {"steps", "N", "that many even steps along the path, and no more where they miss",
     ARGUMENT_INTEGER(Options, steps, 1, ATTRIBUTION_STEPS_MAX)},
    {"tolerance", "P",
     "share of the response, or of 0.1 Hz, that the sum may miss (default: 0.002)",
     ARGUMENT_NUMBER(Options, tolerance, 1e-6, 0.5)},
    {"from", "MS", "count the peak and the shares from here, from the onset (default: 0)",
     ARGUMENT_NUMBER(Options, from_ms, 0, 1e7)},
    {"to", "MS", "and to here (default: the end of the trial)",
     ARGUMENT_NUMBER(Options, to_ms, 0, 1e7)},
    {"refresh", "HZ", "rate of the display (default: the protocol's display.refresh_hz)",
     ARGUMENT_NUMBER(Options, refresh_hz, 30, 240)},
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
    char model_path[PATH_BYTES], protocol_path[PATH_BYTES];
    ModelFile file;
    Protocol *protocol;
    Plan *plan;
    Attribute attribute;
    ChannelCard cards[CNN_CHANNELS_MAX];
    float *kernels; // owned (channels, history)
    int *trials;    // owned: those attributed
    int trials_count, done;
    AttributeTrial *results; // owned (trials_count), the first `done` are there
    Progress progress;
    int64_t bins_done, bins_total;
} Work;

static int complain(const char *sentence, int status)
{
    fprintf(stderr, "retrace attribute: %s\n", sentence);
    return status;
}

/* ---- what is asked */

static bool make_plan(Work *work, char *err)
{
    work->protocol = protocol_load(work->protocol_path, err);
    if (work->protocol)
        work->plan =
            trial_plan(work->protocol, work->protocol_path, work->options->refresh_hz, err);
    return work->plan != NULL;
}

static bool open_model(Work *work, char *err)
{
    if (!path_find(work->options->model, work->model_path) &&
        model_is_built_in(work->options->model)) {
        snprintf(err, MODEL_ERR_BYTES,
                 "%.200s: has no first layer of channels; allowed are files of kind cnn and "
                 "subunit",
                 work->options->model);
        return false;
    }
    if (!model_file_read(work->model_path, &work->file, err))
        return false;
    work->attribute.info = &work->file.info;
    work->attribute.attribution = attribution_open(&work->file, err);
    if (!work->attribute.attribution)
        return false;
    int channels = attribution_units(work->attribute.attribution).channels;
    work->kernels =
        calloc((size_t)(channels * work->file.info.history_bins), sizeof *work->kernels);
    snprintf(err, MODEL_ERR_BYTES, "out of memory");
    if (work->kernels)
        channel_cards(&work->file, work->cards, work->kernels);
    return work->kernels != NULL;
}

static int first_trial(const Plan *plan, int block, int condition)
{
    for (int t = 0; t < plan->trials_count; t++)
        if (plan->trials[t].block == block && plan->trials[t].condition == condition)
            return t;
    return -1;
}

static bool is_block_wanted(const Work *work, int block)
{
    const char *name = work->options->block;
    return !name || !strcmp(name, work->protocol->blocks[block].name);
}

static void choose_trials(Work *work)
{
    const ArgumentInteger *asked = &work->options->trial;
    if (asked->is_given) {
        if (asked->value < work->plan->trials_count &&
            is_block_wanted(work, work->plan->trials[asked->value].block))
            work->trials[work->trials_count++] = (int)asked->value;
        return;
    }
    for (int block = 0; block < (int)work->protocol->blocks_count; block++)
        for (int condition = 0, t = 0; is_block_wanted(work, block) && t >= 0; condition++) {
            t = first_trial(work->plan, block, condition);
            if (t >= 0)
                work->trials[work->trials_count++] = t;
        }
}

static bool open_trials(Work *work, char *err)
{
    size_t count = (size_t)work->plan->trials_count;
    work->trials = calloc(count, sizeof *work->trials);
    work->results = calloc(count, sizeof *work->results);
    snprintf(err, MODEL_ERR_BYTES, "out of memory");
    if (!work->trials || !work->results)
        return false;
    choose_trials(work);
    if (work->trials_count > 0)
        return true;
    if (work->options->trial.is_given)
        snprintf(err, MODEL_ERR_BYTES,
                 "--trial %" PRId64 ": the protocol has 0 to %d%s, `retrace timing` lists them",
                 work->options->trial.value, work->plan->trials_count - 1,
                 work->options->block ? ", not all in that block" : "");
    else
        snprintf(err, MODEL_ERR_BYTES,
                 "--block: the protocol has no block '%.100s'; its first is '%s'",
                 work->options->block, work->protocol->blocks[0].name);
    return false;
}

static bool check_cell(Work *work, char *err)
{
    const ModelInfo *info = &work->file.info;
    work->attribute.cell = work->options->cell ? -1 : 0;
    for (int cell = 0; work->options->cell && cell < info->cells; cell++)
        if (!strcmp(info->cell_names[cell], work->options->cell))
            work->attribute.cell = cell;
    if (work->attribute.cell >= 0)
        return true;
    snprintf(err, MODEL_ERR_BYTES, "--cell: %s has no cell '%.100s'; its first is '%s'", info->name,
             work->options->cell, info->cell_names[0]);
    return false;
}

static bool check_window(Work *work, char *err)
{
    const Options *options = work->options;
    work->attribute.from_s = 1e-3 * options->from_ms;
    work->attribute.to_s = options->to_ms > 0 ? 1e-3 * options->to_ms : HUGE_VAL;
    if (work->attribute.from_s < work->attribute.to_s)
        return true;
    snprintf(err, MODEL_ERR_BYTES, "--to %g: must be after --from %g", options->to_ms,
             options->from_ms);
    return false;
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
    if (!work->options->cell)
        work->attribute.cell =
            attribute_find_cell(&work->attribute, work->trials, work->trials_count, err);
    return work->attribute.cell >= 0;
}

/* False when it did not get to the end; what is done is kept. */
static bool measure(Work *work, char *err)
{
    snprintf(err, MODEL_ERR_BYTES, "stopped");
    progress_start(&work->progress, "attribute", "bins");
    work->bins_total = attribute_count_bins(&work->attribute, work->trials, work->trials_count) *
                       (work->options->cell ? 1 : 2);
    bool ok = find_cell(work, err);
    while (ok && work->done < work->trials_count) {
        ok = attribute_trial(&work->attribute, work->trials[work->done], &work->results[work->done],
                             err);
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
        .attribute = &work->attribute,
        .model_path = work->model_path,
        .protocol_path = work->protocol_path,
        .cards = work->cards,
        .kernels = work->kernels,
        .trials = work->results,
        .count = work->done,
        .wanted = work->trials_count,
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
    path_find(work->options->protocol, work->protocol_path);
    if (!open_model(work, err) || !make_plan(work, err) || !open_trials(work, err) ||
        !check_cell(work, err) || !check_window(work, err))
        return false;
    work->attribute.plan = work->plan;
    work->attribute.rule = rule_of(work->options);
    work->attribute.progress = show_progress;
    work->attribute.progress_ctx = work;
    work->attribute.stop = stop_catch_signals();
    return true;
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
    if (!options.protocol)
        return complain("which protocol? e.g. config/protocols/omitted-stimulus.yaml",
                        EXIT_BAD_INPUT);
    Work *work = calloc(1, sizeof *work);
    if (!work)
        return complain("out of memory", EXIT_IO);
    work->options = &options;
    work->talk = json_talk(options.json);
    status = attribute_all(work);
    for (int t = 0; t < work->done; t++)
        attribute_trial_finish(&work->results[t]);
    free(work->results);
    free(work->trials);
    free(work->kernels);
    attribution_close(work->attribute.attribution);
    model_file_finish(&work->file);
    plan_destroy(work->plan);
    protocol_destroy(work->protocol);
    free(work);
    return status;
}
