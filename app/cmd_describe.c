#include "app/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "app/arguments.h"
#include "app/describe.h"
#include "app/json.h"
#include "app/paths.h"
#include "model/model.h"

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length >= tail && !strcmp(name + length - tail, ending);
}

// A file that means to be neither is told of as a model, the commoner mistake.
static DescribeVerdict describe_hdf5(const char *path, FILE *talk, json_t *summary, char *err)
{
    DescribeVerdict verdict = describe_dataset(path, talk, summary, err);
    return verdict == DESCRIBE_OTHER ? describe_model(path, talk, summary, err) : verdict;
}

static DescribeVerdict describe_yaml(const char *path, FILE *talk, json_t *summary, char *err)
{
    char ignored[DESCRIBE_ERR_BYTES];
    DescribeVerdict verdict = describe_dataset(path, talk, summary, err);
    if (verdict != DESCRIBE_OTHER)
        return verdict;
    if (describe_preparation(path, talk, summary, ignored) == DESCRIBE_WHOLE ||
        describe_fit(path, talk, summary, ignored) == DESCRIBE_WHOLE)
        return DESCRIBE_WHOLE;
    return describe_protocol(path, talk, summary, err);
}

static DescribeVerdict describe_any(const char *name, FILE *talk, json_t *summary, char *err)
{
    char path[PATH_BYTES];
    struct stat status;
    if (!path_find(name, path) || stat(path, &status) != 0) {
        if (model_is_built_in(name))
            return describe_model(name, talk, summary, err);
        snprintf(err, DESCRIBE_ERR_BYTES, "%.900s: %s", name, strerror(errno));
        return DESCRIBE_REFUSED;
    }
    if (S_ISDIR(status.st_mode))
        return describe_run(path, talk, summary, err);
    if (ends_in(path, ".yaml") || ends_in(path, ".yml"))
        return describe_yaml(path, talk, summary, err);
    return describe_hdf5(path, talk, summary, err);
}

typedef struct {
    const char *file, *json;
} Options;

static const Argument rows[] = {
    {"json", "FILE|-", "the same for machines", ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "describe",
    .usage = "FILE [options]",
    .about =
        "Says what a run folder, protocol, simulated preparation, model or data set is, and "
        "what is\n"
        "wrong with it. Exit status 0: whole; 1: a run that was cut short, or a data set that no "
        "model\n"
        "should be fitted to; 2: not usable.\n",
    .example = "retrace describe model/weights/mixed-cnn.h5",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "file or run folder",
    .positional_offset = offsetof(Options, file),
    .is_positional_needed = true,
};

int cmd_describe(int argc, char **argv)
{
    Options options = {0};
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    if (path_is_same(options.json, options.file)) {
        fprintf(stderr, "retrace describe: --json: that is the file itself, which would be lost\n");
        return EXIT_BAD_INPUT;
    }
    char err[DESCRIBE_ERR_BYTES] = "";
    json_t *summary = json_object();
    DescribeVerdict verdict = describe_any(options.file, json_talk(options.json), summary, err);
    if (verdict >= DESCRIBE_REFUSED) {
        fprintf(stderr, "retrace: %s\n", err);
        json_object_set_new(summary, "error", json_string(err));
    }
    status = verdict == DESCRIBE_WHOLE     ? EXIT_DONE
             : verdict >= DESCRIBE_REFUSED ? EXIT_BAD_INPUT
                                           : EXIT_BAD_VERDICT;
    if (options.json && !json_write(summary, options.json, err)) {
        fprintf(stderr, "retrace: %s\n", err);
        status = EXIT_IO;
    }
    json_decref(summary);
    return status;
}
