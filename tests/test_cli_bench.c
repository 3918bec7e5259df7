/* `retrace bench` as a user starts it. How fast anything is, is never asserted. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/harness.h"
#include "tests/program.h"

static ProgramResult result;

static int bench(const char *arguments)
{
    char command[1200];
    snprintf(command, sizeof command, "\"$RETRACE\" bench %s", arguments);
    program_run(command, &result);
    return result.status;
}

static double number(const json_t *of, const char *key)
{
    const json_t *found = json_object_get(of, key);
    return json_is_number(found) ? json_number_value(found) : (double)NAN;
}

static json_t *figures(const char *arguments)
{
    if (bench(arguments) != 0)
        CU_FAIL_FATAL(result.err);
    json_t *found = json_loads(result.out, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    return found;
}

static void check_line(const json_t *line, const json_t *machine)
{
    const json_t *us = json_object_get(line, "us");
    double p50 = number(us, "p50"), flops = number(line, "flops"), bytes = number(line, "bytes");
    double gflops = flops / p50 * 1e-3, gb_s = bytes / p50 * 1e-3;
    CU_ASSERT(p50 > 0 && number(line, "measurements") >= 3);
    CU_ASSERT(flops > 0 && bytes > 0);
    CU_ASSERT(test_near(number(line, "gflops"), gflops, 1e-6 * gflops));
    CU_ASSERT(test_near(number(line, "sgemm_share") * number(machine, "sgemm_gflops"), gflops,
                        1e-6 * gflops));
    CU_ASSERT(test_near(number(line, "memory_share") * number(machine, "memory_gb_s"), gb_s,
                        1e-6 * gb_s));
    CU_ASSERT(
        test_near(number(line, "cache_share") * number(machine, "cache_gb_s"), gb_s, 1e-6 * gb_s));
    if (json_is_number(json_object_get(us, "p99")))
        CU_ASSERT(number(us, "p99") >= p50);
}

static const json_t *line_of(const json_t *found, const char *group, const char *what)
{
    size_t i;
    const json_t *line;
    json_array_foreach(json_object_get(found, "lines"), i, line)
    {
        if (!strcmp(json_string_value(json_object_get(line, "group")), group) &&
            !strcmp(json_string_value(json_object_get(line, "what")), what))
            return line;
    }
    return NULL;
}

static void the_figures_others_rely_on_are_there(void)
{
    json_t *found =
        figures("--seconds 0.2 --only step,predict,fit,attribution,reduced,layers --json -");
    const json_t *cnn = json_object_get(found, "cnn"), *line;
    const json_t *machine = json_object_get(found, "machine");
    const json_t *critical = json_object_get(cnn, "critical_us");
    const json_t *step = json_object_get(cnn, "step_us");
    static const char *const keys[] = {"predict_us_per_frame", "predict_full_field_us_per_frame",
                                       "predict_bar_us_per_frame", "fit_us_per_sample",
                                       "attribution_us_per_frame"};
    CU_ASSERT(number(critical, "p50") > 0 && number(critical, "p99") > 0);
    CU_ASSERT(number(critical, "p50") <= number(step, "p50"));
    CU_ASSERT(number(critical, "p99") <= number(step, "p99"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        CU_ASSERT(number(cnn, keys[i]) > 0);
    CU_ASSERT(number(machine, "sgemm_gflops") > 0 && number(machine, "memory_gb_s") > 0);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(found, "weights")), "random");
    const json_t *layers = json_object_get(found, "layers");
    CU_ASSERT(number(layers, "first_us") > 0);
    CU_ASSERT_PTR_NOT_NULL(json_object_get(layers, "second_us")); // a difference: null in noise
    CU_ASSERT_PTR_NOT_NULL(json_object_get(layers, "readout_us_per_cell"));
    const json_t *memory = json_object_get(found, "memory");
    CU_ASSERT(number(memory, "published_mb") > 0);
    CU_ASSERT(number(memory, "published_mb") <= number(memory, "bench_mb"));
    size_t i;
    json_array_foreach(json_object_get(found, "lines"), i, line)
    {
        check_line(line, machine);
    }
    if (access("model/weights/reduced-omitted.h5", R_OK) == 0)
        CU_ASSERT(number(line_of(found, "reduced", "whole step"), "step_share") > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "only time is measured"));
    json_decref(found);
}

static void all_sizes_are_measured(void)
{
    json_t *found = figures("--seconds 0 --only cells,size,channels --json -");
    const json_t *machine = json_object_get(found, "machine"), *line;
    static const char *const wanted[] = {
        "cells 1",    "cells 5", "cells 24", "cells 100", "cells 1000", "cells 1000, factorised",
        "size 50",    "size 64", "size 80",  "size 100",  "channels 8", "channels 16",
        "channels 32"};
    size_t i;
    json_array_foreach(json_object_get(found, "lines"), i, line)
    {
        char name[100];
        snprintf(name, sizeof name, "%s %s", json_string_value(json_object_get(line, "group")),
                 json_string_value(json_object_get(line, "case")));
        CU_ASSERT_FATAL(i / 2 < sizeof wanted / sizeof wanted[0]);
        CU_ASSERT_STRING_EQUAL(name, wanted[i / 2]);
        check_line(line, machine);
    }
    CU_ASSERT_EQUAL(i, 2 * sizeof wanted / sizeof wanted[0]);
    CU_ASSERT(json_is_null(json_object_get(json_object_get(found, "cnn"), "step_us")));
    json_decref(found);
}

static void nothing_stays_behind(void)
{
    char command[1400];
    const char *folder = test_folder("cli-bench");
    snprintf(command, sizeof command,
             "mkdir -p %s/tmp && TMPDIR=%s/tmp \"$RETRACE\" bench --seconds 0 --only step,fit && "
             "rmdir %s/tmp",
             folder, folder, folder);
    program_run(command, &result);
    CU_ASSERT_EQUAL(result.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "critical path"));
}

static void faults_have_their_status(void)
{
    static const struct {
        const char *arguments, *says;
        int status;
    } faults[] = {
        {"--seconds -1", "--seconds", 2},
        {"--seconds soon", "--seconds", 2},
        {"--only steps", "there is no group 'steps'", 2},
        {"--only step,", "there is no group ''", 2},
        {"--only ''", "there is no group ''", 2},
        {"--frames 3", "--frames", 2},
        {"model.h5", "model.h5", 2},
        {"--seconds 0 --only reduced --json no/such/folder/b.json", "no/such/folder", 4},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        CU_ASSERT_EQUAL(bench(faults[i].arguments), faults[i].status);
        bool is_said = strstr(result.err, faults[i].says) != NULL;
        CU_ASSERT(is_said);
        if (!is_said)
            printf("\n    wanted \"%s\", got \"%s\"\n", faults[i].says, result.err);
    }
    program_run("TMPDIR=/no/such/folder \"$RETRACE\" bench --seconds 0 --only step", &result);
    CU_ASSERT_EQUAL(result.status, 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "/no/such/folder"));
}

static const TestCase cases[] = {
    {"the figures others rely on are there, and agree with one another",
     the_figures_others_rely_on_are_there},
    {"all sizes are measured", all_sizes_are_measured},
    {"nothing stays behind", nothing_stays_behind},
    {"what is not understood is refused with its status", faults_have_their_status},
};

int main(void)
{
    return test_main("cli_bench", cases, sizeof cases / sizeof cases[0]);
}
