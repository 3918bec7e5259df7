/* `retrace timing` as a user starts it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/harness.h"
#include "tests/program.h"

static ProgramResult result;

static int timing(const char *arguments)
{
    char command[1200];
    snprintf(command, sizeof command, "\"$RETRACE\" timing %s", arguments);
    program_run(command, &result);
    return result.status;
}

static json_t *summary(const char *arguments)
{
    CU_ASSERT_EQUAL_FATAL(timing(arguments), 0);
    json_t *read = json_loads(result.out, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(read);
    return read;
}

static int64_t integer(const json_t *of, const char *key)
{
    return json_integer_value(json_object_get(of, key));
}

static double real(const json_t *of, const char *key)
{
    return json_real_value(json_object_get(of, key));
}

/* 5 periods of 2 to 6 frames, 17 places each, 2 s of background a trial, 5 repeats. */
static void totals_are_those_of_the_protocol(void)
{
    json_t *read = summary("config/protocols/omitted-stimulus.yaml --json -");
    const int64_t refreshes = 5 * (17 * (2 + 3 + 4 + 5 + 6) + 5 * 120);
    CU_ASSERT_EQUAL(integer(read, "trials"), 25);
    CU_ASSERT_EQUAL(integer(read, "refreshes"), refreshes);
    CU_ASSERT(test_near(real(read, "duration_s"), (double)refreshes / 60, 1e-6));
    CU_ASSERT_EQUAL(integer(read, "flashes"), 25 * 16);
    CU_ASSERT_EQUAL(integer(read, "omitted_flashes"), 25);
    CU_ASSERT_EQUAL(integer(read, "triggers"), 25);
    CU_ASSERT_EQUAL(integer(read, "events"), 25 * (4 + 17));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(read, "warnings")), 0);
    const char *sha256 =
        json_string_value(json_object_get(json_object_get(read, "protocol"), "sha256"));
    CU_ASSERT(sha256 != NULL && strlen(sha256) == 64);
    json_decref(read);
}

typedef struct {
    char event[32];
    long long refresh, seconds, fraction, ns;
    int trial, block;
} Row;

static bool read_row(const char *line, Row *row)
{
    return sscanf(line, "%31[^,],%lld,%lld.%lld,%lld,%d,%d,", row->event, &row->refresh,
                  &row->seconds, &row->fraction, &row->ns, &row->trial, &row->block) == 7;
}

static void rows_are_in_order_and_exact(void)
{
    CU_ASSERT_EQUAL_FATAL(timing("config/protocols/motion-reversal.yaml --refresh 75"), 0);
    const char *line = result.out;
    CU_ASSERT(strncmp(line, "event,refresh,time_s,time_ns,trial,block,", 40) == 0);
    long long last = 0, rows = 0, turns = 0;
    while ((line = strchr(line, '\n')) && line[1] != '\0') {
        Row row;
        CU_ASSERT_TRUE_FATAL(read_row(++line, &row));
        CU_ASSERT(row.refresh >= last);
        CU_ASSERT_EQUAL(row.seconds * 1000000000 + row.fraction, row.ns);
        CU_ASSERT(test_near((double)row.ns, (double)row.refresh * 1e9 / 75, 0.5));
        last = row.refresh;
        rows++;
        turns += !strcmp(row.event, "turn");
    }
    CU_ASSERT(turns == 30 && rows == 30 * 5);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "warning: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "30 trials"));
}

static void the_same_table_twice(void)
{
    static ProgramResult first;
    CU_ASSERT_EQUAL_FATAL(timing("config/protocols/latency-coding.yaml --seed 9"), 0);
    first = result;
    CU_ASSERT_EQUAL_FATAL(timing("config/protocols/latency-coding.yaml --seed 9"), 0);
    CU_ASSERT_STRING_EQUAL(first.out, result.out);
    CU_ASSERT_EQUAL_FATAL(timing("config/protocols/latency-coding.yaml --seed 10"), 0);
    CU_ASSERT_STRING_NOT_EQUAL(first.out, result.out);
}

static void the_table_goes_where_asked(void)
{
    char arguments[700], path[600];
    snprintf(path, sizeof path, "%s/t.csv", test_folder("timing"));
    snprintf(arguments, sizeof arguments, "config/protocols/white-noise.yaml --out %s --json -",
             path);
    json_t *read = summary(arguments);
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    int64_t lines = 0;
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    CU_ASSERT_EQUAL(lines, integer(read, "events") + 1);
    json_decref(read);
}

static void faults_have_their_status(void)
{
    CU_ASSERT_EQUAL(timing(""), 2);
    CU_ASSERT_EQUAL(timing("nowhere.yaml"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "nowhere.yaml: could not be opened"));
    CU_ASSERT_EQUAL(timing("config/protocols/white-noise.yaml --refresh fast"), 2);
    CU_ASSERT_EQUAL(timing("config/protocols/white-noise.yaml --refresh 0"), 2);
    CU_ASSERT_EQUAL(timing("config/protocols/white-noise.yaml --seed 1.5"), 2);
    CU_ASSERT_EQUAL(timing("config/protocols/white-noise.yaml --unknown"), 2);
    CU_ASSERT_EQUAL(timing("config/protocols/white-noise.yaml another.yaml"), 2);
    CU_ASSERT_EQUAL(timing("LICENSE"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "LICENSE:"));
    CU_ASSERT_EQUAL(timing("config/protocols/white-noise.yaml --out /nonexistent/t.csv"), 4);
    CU_ASSERT_EQUAL(timing("config/protocols/white-noise.yaml --json /nonexistent/t.json"), 4);
    CU_ASSERT_EQUAL(timing("--help"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "example: retrace timing"));
}

static const TestCase cases[] = {
    {"totals are those the protocol's numbers add up to", totals_are_those_of_the_protocol},
    {"rows are in order and their times exact to the ns", rows_are_in_order_and_exact},
    {"a seed gives the same table twice and another seed another", the_same_table_twice},
    {"the table goes to its file and the summary to standard output", the_table_goes_where_asked},
    {"every fault has its exit status and sentence", faults_have_their_status},
};

int main(void)
{
    return test_main("cli_timing", cases, sizeof cases / sizeof cases[0]);
}
