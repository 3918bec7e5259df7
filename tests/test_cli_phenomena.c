#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/harness.h"
#include "tests/program.h"
#include "tests/random_model.h"

static ProgramResult result;

/* A linear-nonlinear model of random weights: whatever its filter, its step responses all peak at one
 * time. Valid until the next call. */
static const char *write_ln(const char *folder)
{
    RandomModel model;
    const RandomShape shape = random_shape_published(4);
    random_ln(&model, &shape, 1);
    const char *path = random_model_save(&model, folder);
    random_model_finish(&model);
    return path;
}

static const json_t *phenomenon_of(const json_t *root, size_t model, const char *name)
{
    const json_t *entry = json_array_get(json_object_get(root, "models"), model);
    return json_object_get(json_object_get(entry, "phenomena"), name);
}

static const char *verdict_of(const json_t *root, size_t model, const char *name)
{
    const char *verdict =
        json_string_value(json_object_get(phenomenon_of(root, model, name), "verdict"));
    return verdict ? verdict : "nothing";
}

static void models_stand_side_by_side(void)
{
    char command[1024], path[512];
    const char *folder = test_folder("cli_phenomena");
    snprintf(command, sizeof command,
             "$RETRACE phenomena circuit %s --only latency_coding --strict --out %s/out",
             write_ln(folder), folder);
    program_run(command, &result);
    CU_ASSERT_EQUAL(result.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "simulated"));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "Holds:"));
    snprintf(path, sizeof path, "%s/out/phenomena.json", folder);
    json_t *root = json_load_file(path, 0, NULL);
    CU_ASSERT_STRING_EQUAL(verdict_of(root, 0, "latency_coding"), "holds");
    CU_ASSERT_STRING_EQUAL(verdict_of(root, 1, "latency_coding"), "absent");
    CU_ASSERT_STRING_EQUAL(verdict_of(root, 0, "motion_reversal"), "nothing");
    const json_t *dark_ms = json_object_get(phenomenon_of(root, 0, "latency_coding"), "dark_ms");
    CU_ASSERT(json_is_null(json_array_get(dark_ms, 0)));
    CU_ASSERT(test_near(json_real_value(json_array_get(dark_ms, 11)), 87.0, 5.0));
    json_decref(root);
    snprintf(path, sizeof path, "%s/out/latency_coding.png", folder);
    CU_ASSERT_EQUAL(access(path, R_OK), 0);
}

static void strict_asks_the_first_model(void)
{
    char command[1024];
    snprintf(command, sizeof command, "$RETRACE phenomena %s --only latency_coding --strict",
             write_ln(test_folder("cli_phenomena_strict")));
    program_run(command, &result);
    CU_ASSERT_EQUAL(result.status, 1);
    snprintf(command, sizeof command, "$RETRACE phenomena %s --only latency_coding --json -",
             write_ln(test_folder("cli_phenomena_loose")));
    program_run(command, &result);
    CU_ASSERT_EQUAL(result.status, 0);
    json_t *root = json_loads(result.out, 0, NULL);
    CU_ASSERT_STRING_EQUAL(verdict_of(root, 0, "latency_coding"), "absent");
    json_decref(root);
}

static void what_is_not_known_is_named(void)
{
    program_run("$RETRACE phenomena circuit --only levitation", &result);
    CU_ASSERT_EQUAL(result.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "'levitation'"));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "omitted_stimulus"));
    program_run("$RETRACE phenomena no-such-model.h5", &result);
    CU_ASSERT_EQUAL(result.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "no-such-model.h5"));
    program_run("$RETRACE phenomena", &result);
    CU_ASSERT_EQUAL(result.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "which model"));
}

static void a_folder_that_cannot_be_made_is_an_io_error(void)
{
    char command[1024];
    snprintf(command, sizeof command,
             "$RETRACE phenomena %s --only latency_coding --out /dev/null/here",
             write_ln(test_folder("cli_phenomena_nowhere")));
    program_run(command, &result);
    CU_ASSERT_EQUAL(result.status, 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "/dev/null/here"));
}

static const TestCase cases[] = {
    {"the circuit codes contrast in latency, the LN does not, in JSON and as a figure",
     models_stand_side_by_side},
    {"under --strict a phenomenon the first model lacks is exit status 1",
     strict_asks_the_first_model},
    {"an unknown phenomenon or model is exit status 2 and is named", what_is_not_known_is_named},
    {"a folder that cannot be made is exit status 4", a_folder_that_cannot_be_made_is_an_io_error},
};

int main(void)
{
    return test_main("cli_phenomena", cases, sizeof cases / sizeof cases[0]);
}
