#include "app/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/arguments.h"
#include "app/json.h"
#include "app/paths.h"
#include "app/phenomena.h"
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
    PhenomenonResult *results; // (models, asked); owned
    json_t *models;            // owned
} Work;

static void print_result(const Work *work, const Phenomenon *phenomenon,
                         const PhenomenonResult *result)
{
    fprintf(work->talk, "  %-20s %-6s  %d of %d cells hold, %d partly: %s\n", phenomenon->name,
            phenomenon_verdicts[result->verdict], result->holding, result->cells, result->partly,
            result->sentence);
}

static void add_json(json_t *object, const Phenomenon *phenomenon, const PhenomenonResult *result)
{
    json_t *entry = json_pack("{ss si si si si}", "verdict", phenomenon_verdicts[result->verdict],
                              "cells_total", result->cells, "cells_holding", result->holding,
                              "cells_partly", result->partly, "cells_answering", result->answering);
    json_object_update(entry, result->numbers);
    json_object_set_new(object, phenomenon->name, entry);
}

static Model *open_model(const char *name, char *err)
{
    char path[PATH_BYTES];
    return model_open(path_find(name, path) ? path : name, err);
}

static bool run_experiments(Work *work, Subject *subject, int m, json_t *found)
{
    for (int k = 0; k < work->options->asked_count; k++) {
        const Phenomenon *phenomenon = work->options->asked[k];
        PhenomenonResult *result = &work->results[m * PHENOMENA_MAX + k];
        progress_show(&work->progress, work->done, work->total);
        if (!phenomenon->measure(subject, result))
            return false;
        work->done++;
        progress_end(&work->progress);
        print_result(work, phenomenon, result);
        add_json(found, phenomenon, result);
    }
    return true;
}

static int run_model(Work *work, int m)
{
    char err[MODEL_ERR_BYTES];
    Model *model = open_model(work->options->models[m], err);
    if (!model) {
        fprintf(stderr, "retrace phenomena: %s\n", err);
        return EXIT_BAD_INPUT;
    }
    const ModelInfo *info = model_info(model);
    Subject subject;
    json_t *found = json_object();
    fprintf(work->talk, "%s (%s)%s, %d cells\n", info->name, info->kind,
            info->is_simulated ? ", simulated" : "", info->cells);
    bool ok = subject_open(&subject, model, stop_catch_signals()) &&
              run_experiments(work, &subject, m, found);
    json_array_append_new(work->models,
                          json_pack("{ss ss sb sb si so}", "name", info->name, "kind", info->kind,
                                    "simulated", (int)info->is_simulated, "cell_places_measured",
                                    (int)subject.is_place_measured, "bins", (int)subject.bins,
                                    "phenomena", found));
    if (!ok)
        fprintf(stderr, "retrace phenomena: stopped, or out of memory; what is above is done\n");
    subject_close(&subject);
    model_close(model);
    return ok ? EXIT_DONE : EXIT_BAD_VERDICT;
}

static int finish(const Work *work, int status)
{
    char err[JSON_ERR_BYTES];
    json_t *rules = json_object();
    for (int k = 0; k < work->options->asked_count; k++)
        json_object_set_new(rules, work->options->asked[k]->name,
                            json_string(work->options->asked[k]->rule));
    json_t *root = json_pack("{ss ss so sO}", "retrace", RETRACE_VERSION, "share_rule",
                             PHENOMENA_SHARE_RULE, "rules", rules, "models", work->models);
    if (work->options->json && !json_write(root, work->options->json, err)) {
        fprintf(stderr, "retrace phenomena: %s\n", err);
        status = EXIT_IO;
    }
    json_decref(root);
    return status;
}

int cmd_phenomena(int argc, char **argv)
{
    static Options options;
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    for (int i = 0; options.asked_count == 0 && phenomena[i]; i++)
        options.asked[i] = phenomena[i];
    if (options.asked_count == 0)
        while (phenomena[options.asked_count])
            options.asked_count++;
    Work work = {.options = &options, .talk = json_talk(options.json), .models = json_array()};
    work.results = calloc(MODELS_MAX * PHENOMENA_MAX, sizeof *work.results);
    work.total = (int64_t)options.models_count * options.asked_count;
    progress_start(&work.progress, "phenomena", "experiments");
    for (int m = 0; status == EXIT_DONE && m < options.models_count; m++)
        status = run_model(&work, m);
    status = finish(&work, status);
    json_decref(work.models);
    free(work.results);
    return status;
}
