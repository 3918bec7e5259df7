#include "app/commands.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/arguments.h"
#include "app/figure.h"
#include "app/json.h"
#include "app/paths.h"
#include "app/phenomena.h"
#include "app/phenomena_figure.h"
#include "app/progress.h"
#include "app/stop.h"

enum { MODELS_MAX = 8, PHENOMENA_MAX = 16 };

typedef struct {
    const char *models[MODELS_MAX];
    int models_count;
    const Phenomenon *asked[PHENOMENA_MAX];
    int asked_count;
    const char *out, *json;
    bool is_strict;
} Options;

static bool read_model(void *at, const char *text, char *err)
{
    Options *options = at;
    if (options->models_count == MODELS_MAX) {
        snprintf(err, ARGUMENTS_ERR_BYTES, "%.200s: at most %d models go side by side", text,
                 MODELS_MAX);
        return false;
    }
    options->models[options->models_count++] = text;
    return true;
}

static void list_names(char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; phenomena[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 phenomena[i]->name);
}

static bool add_asked(Options *options, const char *name, char *err)
{
    const Phenomenon *phenomenon = phenomenon_find(name);
    char names[320];
    list_names(names, sizeof names);
    for (int i = 0; phenomenon && i < options->asked_count; i++)
        if (options->asked[i] == phenomenon)
            return true;
    if (!phenomenon || options->asked_count == PHENOMENA_MAX) {
        snprintf(err, ARGUMENTS_ERR_BYTES, "--only: '%.60s' is no phenomenon; there are %s", name,
                 names);
        return false;
    }
    options->asked[options->asked_count++] = phenomenon;
    return true;
}

static bool read_only(void *at, const char *text, char *err)
{
    char list[256], *rest = NULL;
    snprintf(list, sizeof list, "%s", text);
    for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
        if (!add_asked(at, name, err))
            return false;
    return true;
}

static const Argument rows[] = {
    {"only", "NAME[,NAME…]", "these phenomena; may be given again", ARGUMENT_OWN(read_only)},
    {"out", "DIR", "phenomena.json and one figure a phenomenon go there",
     ARGUMENT_TEXT(Options, out)},
    {"strict", NULL, "exit status 1 unless every phenomenon asked holds for the first model",
     ARGUMENT_FLAG(Options, is_strict)},
    {"json", "FILE|-", "the numbers for machines", ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "phenomena",
    .usage = "MODEL [MODEL…] [options]",
    .about =
        "The in-silico experiments of the papers on models side by side: \"circuit\" or model\n"
        "files. Contrast is in units of the model's own input, (luminance - mean) / SD, and the\n"
        "light it makes need not be within 0 … 1. Rates are those of 10 ms bins, a bin stands for\n"
        "its middle, and a peak lies between bins by a parabola. Every verdict comes with its\n"
        "rule.\n",
    .example = "retrace phenomena circuit model/weights/mixed-cnn.h5 --out out/phenomena",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "model",
    .positional_read = read_model,
    .is_positional_needed = true,
};

typedef struct {
    const Options *options;
    FILE *talk;
    Progress progress;
    int64_t done, total;       // experiments
    PhenomenonResult *results; // (models, PHENOMENA_MAX); owned
    char names[MODELS_MAX][MODEL_NAME_BYTES];
    bool is_simulated[MODELS_MAX];
    json_t *models; // owned
    const atomic_bool *stop;
} Work;

static bool is_stopped(const Work *work)
{
    return atomic_load_explicit(work->stop, memory_order_relaxed);
}

static void print_result(const Work *work, const Phenomenon *phenomenon,
                         const PhenomenonResult *result)
{
    fprintf(work->talk, "  %-20s %-6s  %d of %d cells, %d partly: %s\n", phenomenon->name,
            phenomenon_verdicts[result->verdict], result->holding, result->cells, result->partly,
            result->sentence);
    fflush(work->talk); // the next may take a minute
}

static void add_json(json_t *object, const Phenomenon *phenomenon, const PhenomenonResult *result)
{
    json_t *entry = json_pack("{ss si si si si}", "verdict", phenomenon_verdicts[result->verdict],
                              "cells_total", result->cells, "cells_holding", result->holding,
                              "cells_partly", result->partly, "cells_answering", result->answering);
    json_object_update(entry, result->numbers);
    json_object_set_new(object, phenomenon->name, entry);
}

static void show_progress(void *ctx, int64_t bins)
{
    (void)bins;
    Work *work = ctx;
    progress_show(&work->progress, work->done, work->total);
}

static bool run_experiments(Work *work, Subject *subject, int m, json_t *found)
{
    for (int k = 0; k < work->options->asked_count; k++) {
        const Phenomenon *phenomenon = work->options->asked[k];
        PhenomenonResult *result = &work->results[m * PHENOMENA_MAX + k];
        if (!phenomenon->measure(subject, result))
            return false;
        work->done++;
        progress_end(&work->progress);
        print_result(work, phenomenon, result);
        add_json(found, phenomenon, result);
    }
    return true;
}

/* Takes the model over. */
static int run_model(Work *work, int m, Model *model)
{
    const ModelInfo *info = model_info(model);
    json_t *found = json_object();
    snprintf(work->names[m], sizeof work->names[m], "%s", info->name);
    work->is_simulated[m] = info->is_simulated;
    fprintf(work->talk, "%s (%s)%s, %d cells\n", info->name, info->kind,
            info->is_simulated ? ", simulated" : "", info->cells);
    Subject subject;
    bool ok = subject_open(&subject, model, work->stop);
    subject.progress = show_progress;
    subject.progress_ctx = work;
    ok = ok && run_experiments(work, &subject, m, found);
    json_array_append_new(work->models,
                          json_pack("{ss ss sb sb si so}", "name", info->name, "kind", info->kind,
                                    "simulated", (int)info->is_simulated, "cell_places_measured",
                                    (int)subject.is_place_measured, "bins", (int)subject.bins,
                                    "phenomena", found));
    if (!ok)
        fprintf(stderr, "retrace phenomena: %s; what is above is done\n",
                is_stopped(work) ? "stopped" : "out of memory");
    subject_close(&subject);
    model_close(model);
    return ok || is_stopped(work) ? EXIT_DONE : EXIT_IO;
}

static void print_wrapped(FILE *talk, const char *text)
{
    enum { COLUMNS = 92 };
    while (*text) {
        size_t length = strcspn(text, " "), used = length;
        fprintf(talk, "    %.*s", (int)length, text);
        for (text += length; *text == ' '; text += 1 + length) {
            length = strcspn(text + 1, " ");
            if (used + 1 + length > COLUMNS)
                break;
            fprintf(talk, " %.*s", (int)length, text + 1);
            used += 1 + length;
        }
        text += *text == ' ';
        fprintf(talk, "\n");
    }
}

static void print_rules(const Work *work)
{
    fprintf(work->talk, "\nrules\n");
    for (int k = 0; k < work->options->asked_count; k++) {
        fprintf(work->talk, "  %s\n", work->options->asked[k]->name);
        print_wrapped(work->talk, work->options->asked[k]->rule);
    }
    fprintf(work->talk, "  of a model\n");
    print_wrapped(work->talk, PHENOMENA_SHARE_RULE);
}

static json_t *summary_of(const Work *work)
{
    json_t *rules = json_object();
    for (int k = 0; k < work->options->asked_count; k++)
        json_object_set_new(rules, work->options->asked[k]->name,
                            json_string(work->options->asked[k]->rule));
    return json_pack("{ss sb ss so sO}", "retrace", RETRACE_VERSION, "stopped_early",
                     (int)is_stopped(work), "share_rule", PHENOMENA_SHARE_RULE, "rules", rules,
                     "models", work->models);
}

/* The figures of what has been measured. */
static bool draw_figures(const Work *work, char *err)
{
    for (int k = 0; k < work->options->asked_count; k++) {
        const Phenomenon *phenomenon = work->options->asked[k];
        PhenomenonColumn columns[MODELS_MAX];
        int count = 0;
        for (int m = 0; m < work->options->models_count; m++)
            if (work->results[m * PHENOMENA_MAX + k].numbers)
                columns[count++] = (PhenomenonColumn){work->names[m], work->is_simulated[m],
                                                      &work->results[m * PHENOMENA_MAX + k]};
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/%s.png", work->options->out, phenomenon->name);
        if (count > 0 && !phenomenon_draw(phenomenon, columns, count, path, err))
            return false;
    }
    return true;
}

static bool write_out(const Work *work, const json_t *summary, char *err)
{
    const Options *options = work->options;
    if (options->json && !json_write(summary, options->json, err))
        return false;
    if (!options->out)
        return true;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/phenomena.json", options->out);
    return json_write(summary, path, err) && draw_figures(work, err);
}

static bool is_missing(const Work *work)
{
    for (int k = 0; k < work->options->asked_count; k++)
        if (work->results[k].verdict != PHENOMENON_HOLDS)
            return true;
    return false;
}

static int run_all(Work *work, Model **models)
{
    char err[JSON_ERR_BYTES];
    int status = EXIT_DONE;
    progress_start(&work->progress, "phenomena", "experiments");
    for (int m = 0; m < work->options->models_count; m++) {
        if (status == EXIT_DONE && !is_stopped(work))
            status = run_model(work, m, models[m]);
        else
            model_close(models[m]);
    }
    print_rules(work);
    json_t *summary = summary_of(work);
    if (!write_out(work, summary, err)) {
        fprintf(stderr, "retrace phenomena: %s\n", err);
        status = EXIT_IO;
    }
    json_decref(summary);
    if (status == EXIT_DONE && work->options->is_strict && is_missing(work))
        status = EXIT_BAD_VERDICT;
    return status;
}

static void close_models(Model **models, int count)
{
    for (int m = 0; m < count; m++)
        model_close(models[m]);
}

static bool open_models(const Options *options, Model **models)
{
    for (int m = 0; m < options->models_count; m++) {
        char path[PATH_BYTES], err[MODEL_ERR_BYTES];
        models[m] =
            model_open(path_find(options->models[m], path) ? path : options->models[m], err);
        if (models[m])
            continue;
        fprintf(stderr, "retrace phenomena: %s\n", err);
        close_models(models, m);
        return false;
    }
    return true;
}

static bool make_folder(const char *path)
{
    if (!path || mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    fprintf(stderr, "retrace phenomena: --out: %s: %s\n", path, strerror(errno));
    return false;
}

int cmd_phenomena(int argc, char **argv)
{
    Options options = {0};
    Model *models[MODELS_MAX];
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    for (int i = 0; phenomena[i] && options.asked_count <= i; i++)
        options.asked[options.asked_count++] = phenomena[i];
    if (!open_models(&options, models))
        return EXIT_BAD_INPUT;
    if (!make_folder(options.out)) {
        close_models(models, options.models_count);
        return EXIT_IO;
    }
    Work work = {.options = &options,
                 .talk = json_talk(options.json),
                 .models = json_array(),
                 .stop = stop_catch_signals()};
    work.results = calloc((size_t)MODELS_MAX * PHENOMENA_MAX, sizeof *work.results);
    work.total = (int64_t)options.models_count * options.asked_count;
    status = work.results ? run_all(&work, models) : EXIT_IO;
    for (int i = 0; work.results && i < MODELS_MAX * PHENOMENA_MAX; i++)
        phenomenon_finish(&work.results[i]);
    free(work.results);
    json_decref(work.models);
    return status;
}
