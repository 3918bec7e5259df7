#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/arguments.h"
#include "app/eval.h"
#include "app/json.h"
#include "app/progress.h"
#include "app/stop.h"

typedef struct {
    EvalRequest request;
    EvalFigure figure;
    const char *json;
    const char
        *names[EVAL_MAX_MODELS + 1]; // arguments without a name: models, and the data set last
    int names_count;
    ArgumentInteger resamples, seed, span, noise_trials;
    bool is_lag_scan;
    char cells[256];
} Options;

static bool add_name(void *options, const char *text, char *err)
{
    Options *o = options;
    if (o->names_count == EVAL_MAX_MODELS + 1) {
        snprintf(err, ARGUMENTS_ERR_BYTES, "'%.200s': more than %d models", text, EVAL_MAX_MODELS);
        return false;
    }
    o->names[o->names_count++] = text;
    return true;
}

static bool add_model(void *options, const char *text, char *err)
{
    EvalRequest *r = &((Options *)options)->request;
    if (r->models_count == EVAL_MAX_MODELS) {
        snprintf(err, ARGUMENTS_ERR_BYTES, "--model: more than %d of them", EVAL_MAX_MODELS);
        return false;
    }
    r->models[r->models_count++] = text;
    return true;
}

static bool read_part(void *options, const char *text, char *err)
{
    EvalRequest *r = &((Options *)options)->request;
    bool is_train = !strcmp(text, "train");
    r->part = is_train ? DATASET_TRAIN : DATASET_TEST;
    if (is_train || !strcmp(text, "test"))
        return true;
    snprintf(err, ARGUMENTS_ERR_BYTES, "--part: '%.200s' is not known; allowed: test, train", text);
    return false;
}

static bool read_cells(void *options, const char *text, char *err)
{
    Options *o = options;
    EvalFigure *f = &o->figure;
    f->cells_count = 0;
    snprintf(o->cells, sizeof o->cells, "%s", text);
    for (char *name = strtok(o->cells, ","); name; name = strtok(NULL, ",")) {
        if (f->cells_count == EVAL_FIGURE_CELLS || strlen(text) >= sizeof o->cells) {
            snprintf(err, ARGUMENTS_ERR_BYTES, "--cells: '%.200s': at most %d names", text,
                     EVAL_FIGURE_CELLS);
            return false;
        }
        f->cells[f->cells_count++] = name;
    }
    return true;
}

static const Argument rows[] = {
    {"model", "FILE", "a model beside the others; repeatable; or `circuit`",
     ARGUMENT_OWN(add_model)},
    {"part", "test|train", "of the data set (default test)", ARGUMENT_OWN(read_part)},
    {"from", "S", "score from this second of the part on",
     ARGUMENT_NUMBER(Options, request.from_s, 0, 1e6)},
    {"seconds", "S", "and for so long (default to the end)",
     ARGUMENT_NUMBER(Options, request.seconds, 0.1, 1e6)},
    {"resamples", "N", "of the bootstrap (default 500; 0: no intervals)",
     ARGUMENT_INTEGER(Options, resamples, 0, BOOTSTRAP_MAX_RESAMPLES)},
    {"block", "S", "what is resampled as one (default 1)",
     ARGUMENT_NUMBER(Options, request.block_s, 0.01, 1000)},
    {"resample-repeats", NULL, "resample repeats as well: wider, for responses that drift",
     ARGUMENT_FLAG(Options, request.has_repeats_resampled)},
    {"seed", "N", "of the bootstrap (default 1)",
     ARGUMENT_INTEGER(Options, seed, 0, 9007199254740992.0)},
    {"lag-scan", NULL, "score against shifted responses too; exit 1 when 0 is not best",
     ARGUMENT_FLAG(Options, is_lag_scan)},
    {"lag-span", "BINS", "shifts to either side (default 5)",
     ARGUMENT_INTEGER(Options, span, 1, EVAL_MAX_SHIFT_BINS)},
    {"noise-sd", "SD", "how variable a network's counts are with such noise in its hidden units",
     ARGUMENT_NUMBER(Options, request.noise_sd, 0, 100)},
    {"noise-trials", "N", "of that noise (default 10)",
     ARGUMENT_INTEGER(Options, noise_trials, 2, 1000)},
    {"figure", "FILE", "prediction, PSTH and raster, as .png, .svg or .pdf",
     ARGUMENT_TEXT(Options, figure.path)},
    {"cells", "A,B", "up to four for the figure (default best, median and worst)",
     ARGUMENT_OWN(read_cells)},
    {"figure-from", "S", "second of the part where the figure begins",
     ARGUMENT_NUMBER(Options, figure.from_s, 0, 1e6)},
    {"figure-seconds", "S", "and how much it shows (default 8)",
     ARGUMENT_NUMBER(Options, figure.seconds, 1, 60)},
    {"json", "FILE|-", "the summary for machines", ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "eval",
    .usage = "MODEL [MODEL …] DATA [options]",
    .about =
        "Scores models against the responses of a data set, cell by cell: correlation, normalised\n"
        "correlation and its ceiling, explained variance without the noise, bits a spike; with\n"
        "intervals. The formula of each stands below the table.\n",
    .example = "retrace eval model/weights/natural-cnn.h5 out/retina.h5 --figure out/eval.png",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "model and data set",
    .positional_read = add_name,
};

/* Models are what stands before the data set, then those of --model. */
static bool sort_names(Options *o)
{
    EvalRequest *r = &o->request;
    if (o->names_count == 0 || (o->names_count == 1 && r->models_count == 0)) {
        fprintf(stderr, "retrace eval: which model and which data set? e.g. %s\n", table.example);
        return false;
    }
    int before = o->names_count - 1;
    if (before + r->models_count > EVAL_MAX_MODELS) {
        fprintf(stderr, "retrace eval: more than %d models\n", EVAL_MAX_MODELS);
        return false;
    }
    memmove(r->models + before, r->models, (size_t)r->models_count * sizeof r->models[0]);
    memcpy(r->models, o->names, (size_t)before * sizeof r->models[0]);
    r->models_count += before;
    r->data = o->names[before];
    r->resamples = o->resamples.is_given ? (int)o->resamples.value : 500;
    r->seed = o->seed.is_given ? o->seed.value : 1;
    r->noise_trials = o->noise_trials.is_given ? (int)o->noise_trials.value : 10;
    int span = o->span.is_given ? (int)o->span.value : 5;
    r->shift_bins = o->is_lag_scan || o->span.is_given ? span : 0;
    return true;
}

/* Nothing that is read may be written over. */
static bool is_harmless(const Options *o)
{
    const char *written[] = {o->figure.path, o->json};
    for (int i = 0; i < 2; i++) {
        bool is_read = path_is_same(written[i], o->request.data);
        for (int k = 0; k < o->request.models_count; k++)
            is_read = is_read || path_is_same(written[i], o->request.models[k]);
        if (is_read) {
            fprintf(stderr, "retrace eval: --%s: %s: is what is being read; choose another name\n",
                    i == 0 ? "figure" : "json", written[i]);
            return false;
        }
    }
    return true;
}

static void show(void *ctx, int64_t done, int64_t total)
{
    progress_show(ctx, done, total);
}

static int report(const Options *o, Eval *eval, char *err)
{
    bool is_input = false;
    eval_talk(eval, json_talk(o->json));
    if (o->json) {
        json_t *summary = eval_json(eval);
        bool ok = json_write(summary, o->json, err);
        json_decref(summary);
        if (!ok)
            return EXIT_IO;
    }
    if (o->figure.path && !eval_draw(eval, &o->figure, &is_input, err))
        return is_input ? EXIT_BAD_INPUT : EXIT_IO;
    char sentence[EVAL_NOTE_BYTES];
    for (int i = 0; o->request.shift_bins > 0 && i < eval->models_count; i++)
        if (!eval_shift_verdict(eval, i, sentence))
            return EXIT_BAD_VERDICT;
    return EXIT_DONE;
}

static int evaluate(const Options *o, Eval *eval, char *err)
{
    if (!eval_open(eval, &o->request, err) || !eval_check_figure(eval, &o->figure, err))
        return EXIT_BAD_INPUT;
    Progress progress;
    progress_start(&progress, "eval", "bins");
    bool ok = eval_predict(eval, stop_catch_signals(), show, &progress, err);
    progress_end(&progress);
    ok = ok && eval_score(eval, err);
    if (ok && o->request.noise_sd > 0.0) {
        progress_start(&progress, "eval", "trials of noise");
        ok = eval_vary(eval, stop_catch_signals(), show, &progress, err);
        progress_end(&progress);
    }
    return ok ? report(o, eval, err) : EXIT_IO;
}

int cmd_eval(int argc, char **argv)
{
    static Eval eval; // too large for a stack
    Options options = {.request = {.part = DATASET_TEST, .block_s = 1.0},
                       .figure = {.from_s = -1.0, .seconds = 8.0}};
    char err[EVAL_ERR_BYTES];
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    if (!sort_names(&options) || !is_harmless(&options))
        return EXIT_BAD_INPUT;
    status = evaluate(&options, &eval, err);
    if (status != EXIT_DONE && status != EXIT_BAD_VERDICT)
        fprintf(stderr, "retrace eval: %s\n", err);
    eval_close(&eval);
    return status;
}
