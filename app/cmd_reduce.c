#include "app/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/json.h"
#include "app/progress.h"
#include "app/reduce_report.h"
#include "app/reduce_truth.h"
#include "app/stop.h"

typedef struct {
    AttributeAsked asked;
    ArgumentInteger channels;
    double share;
    const char *truth, *out, *figure, *json;
} Options;

static bool read_file(void *options, const char *text, char *err)
{
    return attribute_job_read(&((Options *)options)->asked, text, err);
}

static const Argument rows[] = {
    {"out", "FILE.h5", "the reduced model goes there", ARGUMENT_TEXT(Options, out)},
    {"figure", "FILE", "a page that shows it as a circuit: .png, .svg or .pdf",
     ARGUMENT_TEXT(Options, figure)},
    {"share", "S", "keep the fewest channels that hold this share (default: 0.75)",
     ARGUMENT_NUMBER(Options, share, 0.01, 1)},
    {"channels", "K", "keep that many, whatever they hold",
     ARGUMENT_INTEGER(Options, channels, 1, REDUCE_CHANNELS_MOST)},
    ATTRIBUTE_ROWS(Options),
    {"truth", "CIRCUIT",
     "hold the pathways found against the circuit the network was fitted to: circuit, "
     "circuit/no-on-fast, …, or the file that simulate read",
     ARGUMENT_TEXT(Options, truth)},
    {"json", "FILE|-", "the numbers for machines", ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "reduce",
    .usage = "MODEL PROTOCOL [options]",
    .about =
        "The one-hidden-layer model that a network comes down to for one cell and one kind of\n"
        "stimulus: the few first-layer channels that make the response, by integrated\n"
        "gradients, rectified, weighted and fitted to the network's rate; how well 1, 2, 3 …\n"
        "channels do; and what silencing each does to both models.\n",
    .example = "retrace reduce model/weights/mixed-cnn.h5 config/protocols/omitted-stimulus.yaml "
               "--out out/reduced.h5 --figure out/reduced.png",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "model and protocol",
    .positional_read = read_file,
    .is_positional_needed = true,
};

typedef struct {
    const Options *options;
    AttributeJob job;
    Reduce reduce;
    ReduceTruth truth;
    Progress progress;
    int64_t bins_done, bins_total;
} Work;

static int complain(const char *sentence, int status)
{
    fprintf(stderr, "retrace reduce: %s\n", sentence);
    return status;
}

static void show_progress(void *ctx)
{
    Work *work = ctx;
    progress_show(&work->progress, ++work->bins_done, work->bins_total);
}

static bool measure(Work *work, const ReduceRule *rule, char *err)
{
    work->job.attribute.progress = show_progress;
    work->job.attribute.progress_ctx = work;
    work->job.attribute.stop = stop_catch_signals();
    work->bins_total =
        attribute_count_bins(&work->job.attribute, work->job.trials, work->job.trials_count) *
        (work->options->asked.cell ? 1 : 2);
    progress_start(&work->progress, "reduce", "bins");
    bool ok = reduce_measure(&work->reduce, &work->job, rule, err) &&
              (!work->options->truth ||
               reduce_ask_circuit(&work->reduce, work->options->truth, &work->truth, err));
    progress_end(&work->progress);
    return ok;
}

/* The model's name: that of its file, without folders and ending. */
static void name_of(const char *path, char *name)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, MODEL_NAME_BYTES, "%.60s", slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot > name)
        *dot = '\0';
}

static void talk_of_truth(const Work *work, FILE *talk)
{
    const ReduceTruth *truth = &work->truth;
    fprintf(talk,
            "\nagainst %s: the network's rate correlates %.3f with the circuit's%s\n"
            "%-19s  circuit changes without it    holds of the attribution (reported from)\n",
            work->options->truth, truth->correlation,
            truth->correlation >= reduce_truth_known
                ? ""
                : "; it does not know this response well enough to be asked",
            "");
    for (int p = 0; p < REDUCE_PATHWAYS; p++) {
        const ReduceFinding *finding = &truth->pathways[p];
        fprintf(talk, "%-19s  %6.0f %%  %-12s        %6.1f %% (%2.0f %%)  %-12s  %s\n",
                reduce_pathway_name((ReducePathway)p), 100 * finding->change,
                finding->is_there ? "really there" : "absent", 100 * finding->found,
                100 * reduce_pathway_least((ReducePathway)p),
                finding->is_reported ? "reported" : "not reported",
                finding->is_there == finding->is_reported ? "right" : "WRONG");
    }
    fprintf(talk, "%-19s  %6.0f %%  a network has nothing to tell it by\n",
            reduce_pathway_name(REDUCE_AMACRINE), 100 * truth->pathways[REDUCE_AMACRINE].change);
}

static json_t *truth_json(const Work *work)
{
    json_t *found = json_array();
    const ReduceTruth *truth = &work->truth;
    int right = 0;
    for (int p = 0; p < REDUCE_PATHWAYS; p++) {
        const ReduceFinding *finding = &truth->pathways[p];
        right += finding->is_there == finding->is_reported;
        json_array_append_new(found, json_pack("{ss sf sb sf sf sb}", "pathway",
                                               reduce_pathway_name((ReducePathway)p), "change",
                                               finding->change, "there", (int)finding->is_there,
                                               "found", finding->found, "least",
                                               reduce_pathway_least((ReducePathway)p), "reported",
                                               (int)finding->is_reported));
    }
    return json_pack("{ss so sb sf si si so sf}", "circuit", work->options->truth, "correlation",
                     json_number(truth->correlation), "known",
                     (int)(truth->correlation >= reduce_truth_known), "border", reduce_truth_border,
                     "right", right, "of", REDUCE_PATHWAYS, "pathways", found,
                     "amacrine_inhibition", truth->pathways[REDUCE_AMACRINE].change);
}

static int report(const Work *work)
{
    char err[MODEL_ERR_BYTES], name[MODEL_NAME_BYTES];
    const Options *options = work->options;
    reduce_talk(&work->reduce, json_talk(options->json));
    if (options->truth)
        talk_of_truth(work, json_talk(options->json));
    if (options->out)
        name_of(options->out, name);
    json_t *summary = reduce_summary(&work->reduce);
    if (options->truth)
        json_object_set_new(summary, "truth", truth_json(work));
    bool is_written = (!options->json || json_write(summary, options->json, err)) &&
                      (!options->out || reduce_write(&work->reduce, name, options->out, err)) &&
                      (!options->figure || reduce_draw(&work->reduce, options->figure, err));
    json_decref(summary);
    return is_written ? EXIT_DONE : complain(err, EXIT_IO);
}

static int reduce_all(Work *work)
{
    char err[MODEL_ERR_BYTES];
    ReduceRule rule = reduce_default;
    if (work->options->share > 0)
        rule.share = work->options->share;
    if (work->options->channels.is_given)
        rule.kept = (int)work->options->channels.value;
    if (!attribute_job_open(&work->job, &work->options->asked, err))
        return complain(err, EXIT_BAD_INPUT);
    if (!measure(work, &rule, err))
        return complain(err,
                        atomic_load(work->job.attribute.stop) ? EXIT_BAD_VERDICT : EXIT_BAD_INPUT);
    return report(work);
}

int cmd_reduce(int argc, char **argv)
{
    Options options = {0};
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    Work *work = calloc(1, sizeof *work);
    if (!work)
        return complain("out of memory", EXIT_IO);
    work->options = &options;
    status = reduce_all(work);
    if (work->reduce.job)
        reduce_finish(&work->reduce);
    attribute_job_finish(&work->job);
    free(work);
    return status;
}
