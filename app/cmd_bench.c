#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/arguments.h"
#include "app/bench_report.h"
#include "app/json.h"

typedef struct {
    const char *json;
    double seconds;
    bool is_wanted[BENCH_GROUPS];
} Options;

static int find_group(const char *text, size_t length)
{
    for (int group = 0; group < BENCH_GROUPS; group++) {
        const char *name = bench_group_name((BenchGroup)group);
        if (strlen(name) == length && !strncmp(name, text, length))
            return group;
    }
    return -1;
}

static bool read_only(void *into, const char *text, char *err)
{
    Options *options = into;
    for (size_t length; true; text += length + 1) {
        length = strcspn(text, ",");
        int group = find_group(text, length);
        if (group < 0) {
            snprintf(err, ARGUMENTS_ERR_BYTES,
                     "--only: there is no group '%.*s'; step, predict, fit, attribution, reduced, "
                     "layers, cells, size and channels are there",
                     (int)(length < 40 ? length : 40), text);
            return false;
        }
        options->is_wanted[group] = true;
        if (!text[length])
            return true;
    }
}

static const Argument rows[] = {
    {"seconds", "S", "to measure for, in all; every figure has a least number besides (default 30)",
     ARGUMENT_NUMBER(Options, seconds, 0, 3600)},
    {"only", "A,B",
     "step, predict, fit, attribution, reduced, layers, cells, size, "
     "channels (default all)",
     ARGUMENT_OWN(read_only)},
    {"json", "FILE|-", "the figures for machines", ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "bench",
    .usage = "[options]",
    .about =
        "How long the published network takes on this machine: from the frame known to the rates\n"
        "known (critical path) and in all (whole step), a frame of predict, a sample of fit, a\n"
        "frame attributed; reduced models; single layers; other sizes. Each with the arithmetic "
        "and the bytes it\n"
        "needs, and how much of the machine's own speed, measured in the same run, it reaches.\n"
        "Weights and data are random; one thread.\n",
    .example = "retrace bench --seconds 10 --only step,predict --json out/bench.json",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

static void choose(Bench *bench, const Options *options)
{
    bool is_any = false;
    for (int group = 0; group < BENCH_GROUPS; group++)
        is_any |= options->is_wanted[group];
    for (int group = 0; group < BENCH_GROUPS; group++)
        bench->is_wanted[group] = !is_any || options->is_wanted[group];
}

static int report(Bench *bench, const Options *options)
{
    char err[JSON_ERR_BYTES];
    bench_print(bench, json_talk(options->json));
    if (!options->json)
        return EXIT_DONE;
    json_t *found = bench_json(bench);
    bool is_written = json_write(found, options->json, err);
    json_decref(found);
    if (is_written)
        return EXIT_DONE;
    fprintf(stderr, "retrace bench: %s\n", err);
    return EXIT_IO;
}

int cmd_bench(int argc, char **argv)
{
    static Bench bench; // too large for a stack
    Options options = {.seconds = 30};
    char err[MODEL_ERR_BYTES];
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    bench = (Bench){.seconds = options.seconds};
    choose(&bench, &options);
    if (bench_run(&bench, err)) {
        status = report(&bench, &options);
    } else {
        fprintf(stderr, "retrace bench: %s\n", err);
        status = EXIT_IO;
    }
    bench_finish(&bench);
    return status;
}
