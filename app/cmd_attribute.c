#include "app/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/arguments.h"
#include "app/attribute.h"
#include "app/figure.h"
#include "app/json.h"
#include "app/paths.h"
#include "app/peak.h"
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

typedef struct {
    double residual_max, residual_median;
    int steps, missed; // most steps; bins that miss more than the tolerance
    int bins;
} Totals;

static Totals totals_of(const Work *work)
{
    Totals totals = {0};
    size_t count = 0;
    for (int t = 0; t < work->done; t++)
        totals.bins += work->results[t].bins;
    double *residuals = calloc((size_t)totals.bins + 1, sizeof *residuals);
    for (int t = 0; residuals && t < work->done; t++) {
        const AttributeTrial *trial = &work->results[t];
        for (int bin = 0; bin < trial->bins; bin++) {
            residuals[count++] = trial->residuals[bin];
            totals.missed += trial->residuals[bin] > 1.01 * work->attribute.rule.tolerance;
        }
        totals.residual_max = fmax(totals.residual_max, trial->residual_max);
        totals.steps = trial->steps_max > totals.steps ? trial->steps_max : totals.steps;
    }
    totals.residual_median = residuals ? stat_median(residuals, 1, count) : (double)NAN;
    free(residuals);
    return totals;
}

static void talk_of_channels(const Work *work)
{
    int channels = attribution_units(work->attribute.attribution).channels;
    fprintf(work->talk, "channel  polarity  peak ms  order  biphasic  radius um  centre\n");
    for (int c = 0; c < channels; c++) {
        const ChannelCard *card = &work->cards[c];
        fprintf(work->talk, "%7d  %8s  %7.1f  %5d  %8.2f  %9.0f  %5.0f%%\n", c + 1,
                card->is_on ? "ON" : "OFF", card->peak_ms, card->speed_rank, card->biphasic,
                card->radius_um, 100 * card->centre_share);
    }
}

static double excitation_of(const AttributeTrial *trial)
{
    double sum = 0;
    for (int c = 0; c < trial->channels; c++)
        sum += trial->channel[c].excited_spikes;
    return sum;
}

static double inhibition_of(const AttributeTrial *trial)
{
    double sum = 0;
    for (int c = 0; c < trial->channels; c++)
        sum += trial->channel[c].inhibited_spikes;
    return sum;
}

static double share_of(double part, double whole)
{
    return fabs(part) > 0 ? part / whole : 0;
}

static void talk_of_symmetry(const Work *work, const AttributeTrial *trial)
{
    if (trial->claimed == ATTRIBUTION_SYMMETRY_NONE)
        fprintf(work->talk, "  no symmetry\n");
    else if (trial->is_symmetric)
        fprintf(work->talk,
                "  %s, checked: %d numbers in place of %d, totals agree to %.1e (largest deviation "
                "of the frames %.1e SD)\n",
                attribute_symmetry_name(trial->claimed), trial->places * trial->channels,
                attribution_places(work->attribute.attribution, ATTRIBUTION_SYMMETRY_NONE) *
                    trial->channels,
                trial->fold_gap, trial->deviation);
    else
        fprintf(work->talk, "  not the %s it should be: the frames deviate by %.2g SD\n",
                attribute_symmetry_name(trial->claimed), trial->deviation);
}

static void talk_of_trial(const Work *work, const AttributeTrial *trial)
{
    const PlanTrial *planned = &work->plan->trials[trial->trial];
    double excited = excitation_of(trial), inhibited = inhibition_of(trial);
    fprintf(work->talk, "\n%s%s%s, trial %d: rest %.3f Hz, peak %.3f Hz at %.0f ms\n",
            work->protocol->blocks[planned->block].name, trial->condition[0] ? ", " : "",
            trial->condition, trial->trial, trial->rest_hz, trial->rates_hz[trial->peak_bin],
            1e3 * trial->times_s[trial->peak_bin]);
    fprintf(work->talk,
            "  completeness residual: largest %.3f %%, median %.4f %%; steps: median %g, most %d\n",
            100 * trial->residual_max, 100 * trial->residual_median, trial->steps_median,
            trial->steps_max);
    talk_of_symmetry(work, trial);
    fprintf(work->talk, "  channel         ");
    for (int c = 0; c < trial->channels; c++)
        fprintf(work->talk, "%8d", c + 1);
    fprintf(work->talk, "\n  at the peak, Hz ");
    for (int c = 0; c < trial->channels; c++)
        fprintf(work->talk, "%+8.2f", trial->channel[c].at_peak_hz);
    fprintf(work->talk, "\n  excitation      ");
    for (int c = 0; c < trial->channels; c++)
        fprintf(work->talk, "%7.0f%%", 100 * share_of(trial->channel[c].excited_spikes, excited));
    fprintf(work->talk, "  of %+.3f spikes\n  inhibition      ", excited);
    for (int c = 0; c < trial->channels; c++)
        fprintf(work->talk, "%7.0f%%",
                100 * share_of(trial->channel[c].inhibited_spikes, inhibited));
    fprintf(work->talk, "  of %+.3f spikes\n", inhibited);
}

static void talk_of_all(const Work *work, const Totals *totals)
{
    const ModelInfo *info = &work->file.info;
    fprintf(work->talk,
            "%s (%s)%s, cell %s; path from the background of each block, on for ever\n\n",
            info->name, info->kind, info->is_simulated ? ", simulated" : "",
            info->cell_names[work->attribute.cell]);
    talk_of_channels(work);
    for (int t = 0; t < work->done; t++)
        talk_of_trial(work, &work->results[t]);
    fprintf(work->talk,
            "\n%d bins: completeness residual largest %.3f %%, median %.4f %%; at most %d steps\n",
            totals->bins, 100 * totals->residual_max, 100 * totals->residual_median, totals->steps);
}

/* ---- for machines */

static json_t *card_json(const Work *work, int c)
{
    const ChannelCard *card = &work->cards[c];
    int history = work->file.info.history_bins;
    double excited = 0, inhibited = 0, all_excited = 0, all_inhibited = 0;
    for (int t = 0; t < work->done; t++) {
        excited += work->results[t].channel[c].excited_spikes;
        inhibited += work->results[t].channel[c].inhibited_spikes;
        all_excited += excitation_of(&work->results[t]);
        all_inhibited += inhibition_of(&work->results[t]);
    }
    json_t *kernel = json_array();
    for (int i = 0; i < history; i++)
        json_array_append_new(kernel, json_real((double)work->kernels[c * history + i]));
    return json_pack("{si ss sf sf si sf sf sf sf sf sf so}", "channel", c + 1, "polarity",
                     card->is_on ? "on" : "off", "peak_ms", card->peak_ms, "biphasic",
                     card->biphasic, "speed_rank", card->speed_rank, "centre_x_um",
                     card->centre_x_um, "centre_y_um", card->centre_y_um, "radius_um",
                     card->radius_um, "centre_share", card->centre_share, "excitation_share",
                     share_of(excited, all_excited), "inhibition_share",
                     share_of(inhibited, all_inhibited), "kernel", kernel);
}

static json_t *symmetry_json(const Work *work, const AttributeTrial *trial)
{
    AttributionSymmetry holds = trial->is_symmetric ? trial->claimed : ATTRIBUTION_SYMMETRY_NONE;
    int units = attribution_places(work->attribute.attribution, ATTRIBUTION_SYMMETRY_NONE);
    return json_pack("{ss ss si sf sf}", "claimed", attribute_symmetry_name(trial->claimed),
                     "holds", attribute_symmetry_name(holds), "numbers",
                     trial->channels * (trial->is_symmetric ? trial->places : units),
                     "deviation_sd", trial->deviation, "total_gap", trial->fold_gap);
}

static json_t *trial_json(const Work *work, const AttributeTrial *trial)
{
    const PlanTrial *planned = &work->plan->trials[trial->trial];
    double excited = excitation_of(trial), inhibited = inhibition_of(trial);
    json_t *channels = json_array();
    for (int c = 0; c < trial->channels; c++) {
        const AttributeChannel *channel = &trial->channel[c];
        json_array_append_new(
            channels, json_pack("{si sf sf sf sf sf}", "channel", c + 1, "at_peak_hz",
                                channel->at_peak_hz, "excited_spikes", channel->excited_spikes,
                                "inhibited_spikes", channel->inhibited_spikes, "excitation_share",
                                share_of(channel->excited_spikes, excited), "inhibition_share",
                                share_of(channel->inhibited_spikes, inhibited)));
    }
    return json_pack(
        "{ss si ss sf si sf sf sf s{sf sf} si sf so so}", "block",
        work->protocol->blocks[planned->block].name, "trial", trial->trial, "condition",
        trial->condition, "baseline_lum", trial->background_lum, "bins", trial->bins, "rest_hz",
        trial->rest_hz, "peak_hz", trial->rates_hz[trial->peak_bin], "peak_ms",
        1e3 * trial->times_s[trial->peak_bin], "completeness_residual", "max", trial->residual_max,
        "median", trial->residual_median, "steps", trial->steps_max, "steps_median",
        trial->steps_median, "symmetry", symmetry_json(work, trial), "channels", channels);
}

static json_t *summary_of(const Work *work, const Totals *totals)
{
    const ModelInfo *info = &work->file.info;
    json_t *cards = json_array(), *trials = json_array();
    for (int c = 0; c < attribution_units(work->attribute.attribution).channels; c++)
        json_array_append_new(cards, card_json(work, c));
    for (int t = 0; t < work->done; t++)
        json_array_append_new(trials, trial_json(work, &work->results[t]));
    return json_pack(
        "{ss s{ss ss ss sb} s{ss ss} ss sf so sf sf s{sf sf} si si sb so so}", "retrace",
        RETRACE_VERSION, "model", "name", info->name, "kind", info->kind, "path", work->model_path,
        "simulated", (int)info->is_simulated, "protocol", "name", work->protocol->name, "path",
        work->protocol_path, "cell", info->cell_names[work->attribute.cell], "from_ms",
        work->options->from_ms, "to_ms",
        work->options->to_ms > 0 ? json_real(work->options->to_ms) : json_null(), "tolerance",
        work->attribute.rule.tolerance, "floor_hz", work->attribute.rule.floor_hz,
        "completeness_residual", "max", totals->residual_max, "median", totals->residual_median,
        "steps", totals->steps, "bins", totals->bins, "whole",
        (int)(work->done == work->trials_count), "channels", cards, "trials", trials);
}

/* ---- files */

static bool write_rows(const Work *work, int from, int count, FILE *file)
{
    fprintf(file,
            "# %s%s, cell %s; path from the block's background\n"
            "trial\tcondition\ttime_ms\trest_hz\trate_hz\tsum_hz\tresidual\tsteps",
            work->file.info.name, work->file.info.is_simulated ? ", simulated" : "",
            work->file.info.cell_names[work->attribute.cell]);
    for (int c = 0; c < work->results[from].channels; c++)
        fprintf(file, "\tchannel_%d_hz", c + 1);
    fputc('\n', file);
    for (int t = from; t < from + count; t++) {
        const AttributeTrial *trial = &work->results[t];
        for (int bin = 0; bin < trial->bins; bin++) {
            fprintf(file, "%d\t%s\t%.3f\t%.6g\t%.6g\t%.6g\t%.3g\t%d", trial->trial,
                    trial->condition, 1e3 * trial->times_s[bin], trial->rest_hz,
                    trial->rates_hz[bin], trial->sums_hz[bin], trial->residuals[bin],
                    trial->steps[bin]);
            for (int c = 0; c < trial->channels; c++)
                fprintf(file, "\t%.6g", (double)trial->channels_hz[c * trial->bins + bin]);
            fputc('\n', file);
        }
    }
    return !ferror(file);
}

static bool write_table(const Work *work, int from, int count, const char *path, char *err)
{
    FILE *file = fopen(path, "w");
    bool is_written = file && write_rows(work, from, count, file);
    is_written = file && fclose(file) == 0 && is_written;
    if (!is_written)
        snprintf(err, JSON_ERR_BYTES, "%.300s: %s", path, strerror(errno));
    return is_written;
}

/* DIR/attribution-<block>.<ending>, the block's name as a file may be called. */
static void name_file(const Work *work, int block, const char *ending, char *path)
{
    char name[80];
    snprintf(name, sizeof name, "%.70s", work->protocol->blocks[block].name);
    for (char *c = name; *c; c++)
        if (strchr("/ ,;:", *c))
            *c = '-';
    for (int earlier = 0; earlier < block; earlier++)
        if (!strcmp(work->protocol->blocks[earlier].name, work->protocol->blocks[block].name)) {
            snprintf(name + strlen(name), sizeof name - strlen(name), "-%d", block + 1);
            break;
        }
    snprintf(path, PATH_BYTES, "%s/attribution-%s.%s", work->options->out, name, ending);
}

static bool write_block(const Work *work, int from, int count, char *err)
{
    char path[PATH_BYTES];
    int block = work->plan->trials[work->results[from].trial].block;
    name_file(work, block, "tsv", path);
    if (!write_table(work, from, count, path, err))
        return false;
    name_file(work, block, "png", path);
    return attribute_draw(&work->attribute, work->cards, work->results + from, count, path, err);
}

static bool write_blocks(const Work *work, char *err)
{
    for (int from = 0, count = 0; from < work->done; from += count) {
        int block = work->plan->trials[work->results[from].trial].block;
        for (count = 1; from + count < work->done; count++)
            if (work->plan->trials[work->results[from + count].trial].block != block)
                break;
        if (!write_block(work, from, count, err))
            return false;
    }
    return true;
}

static int report(const Work *work, const Totals *totals)
{
    char err[JSON_ERR_BYTES];
    const Options *options = work->options;
    talk_of_all(work, totals);
    json_t *summary = summary_of(work, totals);
    bool is_written = (!options->json || json_write(summary, options->json, err)) &&
                      (!options->out || write_blocks(work, err));
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
    Totals totals = totals_of(work);
    int status = report(work, &totals);
    bool is_short = totals.missed > 0 && !work->options->steps.is_given;
    if (is_short)
        fprintf(stderr, "retrace attribute: %d of %d bins miss more than the tolerance\n",
                totals.missed, totals.bins);
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
