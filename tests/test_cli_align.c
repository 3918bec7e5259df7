/* `retrace align` as a user starts it, on recordings that an independent script makes up from the
 * run folder and the patch's formula alone. */
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tests/program.h"

enum { REFRESHES_MAX = 4000 };

static const char protocol_text[] =
    "name: aligned\n"
    "seed: 3\n"
    "display: {refresh_hz: 60, um_per_px: 10, width_px: 300, height_px: 300, background: 0.5,\n"
    "          sync_patch: {size_px: 40}}\n"
    "blocks:\n"
    "  - name: train\n"
    "    repeats: 8\n"
    "    before_ms: 500\n"
    "    after_ms: 500\n"
    "    trigger_code: 3\n"
    "    flicker: {periods_ms: [100], flash_ms: 50, flashes: 6, contrast: -1}\n"
    "  - name: steps\n"
    "    repeats: 10\n"
    "    after_ms: 500\n"
    "    step: {contrasts: [-1, 1], duration_ms: 500}\n";

static const char *folder;
static ProgramResult result;
static json_t *summary;

static bool is_ready(void)
{
    char command[2000], path[600];
    program_run("python3 -c ''", &result);
    if (result.status != 0) {
        test_skip("there is no python3 to make a recording with");
        return false;
    }
    if (folder)
        return true;
    folder = test_folder("align");
    snprintf(path, sizeof path, "%s/aligned.yaml", folder);
    FILE *file = fopen(path, "w");
    fputs(protocol_text, file);
    fclose(file);
    snprintf(command, sizeof command, "\"$RETRACE\" predict %s --out %s/run", path, folder);
    program_run(command, &result);
    CU_ASSERT_EQUAL_FATAL(result.status, 0);
    return true;
}

/* FOLDER/NAME.i16 or .csv and FOLDER/NAME.truth. */
static void make(const char *name, const char *how)
{
    char command[2000];
    snprintf(command, sizeof command, "python3 tests/make_recording.py %s/run %s/%s %s", folder,
             folder, name, how);
    program_run(command, &result);
    if (result.status != 0)
        printf("said: %s\n", result.err);
    CU_ASSERT_EQUAL_FATAL(result.status, 0);
}

static int align(const char *name, const char *ending, const char *options)
{
    char command[2000];
    snprintf(command, sizeof command,
             "\"$RETRACE\" align %s/run %s/%s%s --out %s/%s.table --json - %s", folder, folder,
             name, ending, folder, name, options);
    program_run(command, &result);
    json_decref(summary);
    summary = json_loads(result.out, 0, NULL);
    return result.status;
}

static int64_t integer(const char *key)
{
    return json_integer_value(json_object_get(summary, key));
}

static double real(const char *key)
{
    return json_real_value(json_object_get(summary, key));
}

typedef struct {
    int64_t rows, dropped, doubled, shown, misnamed, far;
} Comparison;

/* The table beside the truth: a sample more than `tolerance` off, or another name, is wrong. */
static Comparison compare(const char *name, int64_t tolerance)
{
    char path[700], line[512], wanted[32], named[32], sample[32];
    Comparison c = {0};
    snprintf(path, sizeof path, "%s/%s.truth", folder, name);
    FILE *truth = fopen(path, "r");
    snprintf(path, sizeof path, "%s/%s.table", folder, name);
    FILE *table = fopen(path, "r");
    CU_ASSERT_FATAL(truth && table && fgets(line, sizeof line, table));
    long long refresh, at, row;
    while (fscanf(truth, "%lld %lld %31s", &refresh, &at, wanted) == 3 &&
           fgets(line, sizeof line, table)) {
        sample[0] = '\0';
        int read = sscanf(line, "%lld,%*d,%*d,%*d,%*d,%31[^,],%31[0-9]", &row, named, sample);
        CU_ASSERT_FATAL(read >= 2 && row == refresh);
        if (!strcmp(wanted, "partial"))
            continue;
        bool has_sample = at >= 0 && strcmp(wanted, "dropped") != 0;
        c.rows++;
        c.dropped += !strcmp(wanted, "dropped");
        c.doubled += !strcmp(wanted, "doubled");
        c.shown += has_sample;
        c.misnamed += strcmp(wanted, named) != 0;
        c.far += has_sample != (sample[0] != '\0') ||
                 (has_sample && llabs(atoll(sample) - at) > tolerance);
    }
    fclose(truth);
    fclose(table);
    return c;
}

static void check_all(const char *name, bool has_faults)
{
    Comparison c = compare(name, 1);
    CU_ASSERT(c.rows > 1900 && c.misnamed == 0 && c.far == 0);
    CU_ASSERT(!has_faults || (c.dropped > 5 && c.doubled > 5));
    CU_ASSERT_EQUAL(integer("dropped"), c.dropped);
    CU_ASSERT_EQUAL(integer("doubled"), c.doubled);
    CU_ASSERT_EQUAL(integer("unexplained"), 0);
    CU_ASSERT_EQUAL(integer("found"), c.shown);
}

static void every_frame_is_within_a_sample_and_every_fault_named(void)
{
    if (!is_ready())
        return;
    make("a", "--noise 0.05 --drift 50 --dropped 0.01 --doubled 0.01 --lose 700");
    CU_ASSERT_EQUAL(align("a", ".i16", "--raw 1 --strict"), 1);
    check_all("a", true);
    CU_ASSERT(test_near(real("drift_ppm"), 50, 1));
    json_t *residual = json_object_get(summary, "residual_us");
    CU_ASSERT(json_real_value(json_object_get(residual, "p50")) < 50);
    CU_ASSERT(json_real_value(json_object_get(residual, "max")) < 500);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(summary, "faults")),
                    (size_t)(integer("dropped") + integer("doubled")));
}

static void a_late_start_and_an_early_end_lose_no_place(void)
{
    if (!is_ready())
        return;
    make("late", "--noise 0.1 --drift -50 --dropped 0.01 --doubled 0.01 --start -7.7 --tail -9 "
                 "--seed 5");
    CU_ASSERT_EQUAL(align("late", ".i16", "--raw 1"), 0);
    Comparison c = compare("late", 1);
    CU_ASSERT(c.misnamed == 0 && c.far == 0 && c.shown > 500);
    CU_ASSERT(integer("unrecorded") > 900);
    CU_ASSERT_EQUAL(integer("unexplained"), 0);
}

static void skipped_frames_and_heavy_noise_are_no_hindrance(void)
{
    if (!is_ready())
        return;
    make("skip", "--noise 0.3 --drift 20 --dropped 0.01 --doubled 0.01 --how skip --seed 6");
    CU_ASSERT_EQUAL(align("skip", ".i16", "--raw 1"), 0);
    check_all("skip", true);
}

static void an_ac_coupled_photodiode_is_no_hindrance(void)
{
    if (!is_ready())
        return;
    make("ac", "--noise 0.03 --drift 50 --highpass 0.3 --dropped 0.01 --doubled 0.01 --seed 9");
    CU_ASSERT_EQUAL(align("ac", ".i16", "--raw 1"), 0);
    check_all("ac", true);
}

static void a_patch_that_only_toggles_is_aligned_by_its_start(void)
{
    if (!is_ready())
        return;
    make("plain", "--patch toggle --noise 0.05 --drift 50 --dropped 0.01 --doubled 0.01 --seed 7");
    CU_ASSERT_EQUAL(align("plain", ".i16", "--raw 1"), 0);
    check_all("plain", true);
    make("middle", "--patch toggle --noise 0.05 --start -2 --tail -2");
    CU_ASSERT_EQUAL(align("middle", ".i16", "--raw 1"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "ambiguous"));
}

static void nothing_is_invented_in_a_run_without_faults(void)
{
    if (!is_ready())
        return;
    make("whole", "--noise 0.1 --drift 50 --rate 10000");
    CU_ASSERT_EQUAL(align("whole", ".i16", "--raw 1 --rate 10000 --strict"), 0);
    check_all("whole", false);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(summary, "verdict")), "ok");
    json_t *flips = json_object_get(summary, "flips");
    json_int_t commanded = json_integer_value(json_object_get(flips, "commanded"));
    CU_ASSERT_EQUAL(commanded, integer("frames") - 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(flips, "detected")), commanded);
}

static void edges_and_pulses_are_recordings_too(void)
{
    if (!is_ready())
        return;
    make("edges", "--kind edges --drift 50 --dropped 0.01 --seed 8");
    CU_ASSERT_EQUAL(align("edges", ".csv", "--as edges"), 0);
    Comparison c = compare("edges", 1);
    CU_ASSERT(c.dropped > 5 && c.misnamed == 0 && c.far == 0);
    make("pulses", "--kind pulses --drift 50 --lose_edge 321");
    CU_ASSERT_EQUAL(align("pulses", ".csv", "--as pulses --strict"), 1);
    CU_ASSERT_EQUAL(integer("dropped"), 1);
    c = compare("pulses", 1);
    CU_ASSERT(c.misnamed == 1 && c.far == 1); // the frame was shown, and only its pulse lacks
}

/* Both in one recording, the pulses 300 us late: the light says that the frame was there. */
static void pulses_are_held_against_the_light(void)
{
    if (!is_ready())
        return;
    char options[700];
    make("both", "--noise 0.05 --drift 50");
    make("lines", "--kind pulses --drift 50 --start 2.0003 --jitter_us 50 --lose_edge 321 900");
    snprintf(options, sizeof options, "--raw 1 --ttl %s/lines.csv --strict", folder);
    CU_ASSERT_EQUAL(align("both", ".i16", options), 1);
    CU_ASSERT_EQUAL(integer("dropped") + integer("unexplained"), 0);
    json_t *ttl = json_object_get(summary, "ttl"), *latency = json_object_get(ttl, "latency_us");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(ttl, "lost")), 2);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(ttl, "extra")), 0);
    CU_ASSERT(test_near(json_real_value(json_object_get(latency, "p50")), 300, 51));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "2 pulses lost"));
}

static void a_thousand_flips_are_counted(void)
{
    if (!is_ready())
        return;
    char path[600], command[1200];
    snprintf(path, sizeof path, "%s/flips.csv", folder);
    FILE *file = fopen(path, "w");
    for (int k = 1; k <= 1000; k++)
        if (k != 400 && k != 401) // one frame never came
            fprintf(file, "%d,%d\n", 5000 + (int)(k * 20000.0 / 60), k % 2);
    fclose(file);
    snprintf(command, sizeof command, "\"$RETRACE\" align --flips 1000 %s --as edges --json -",
             path);
    program_run(command, &result);
    CU_ASSERT_EQUAL(result.status, 0);
    json_decref(summary);
    summary = json_loads(result.out, 0, NULL);
    json_t *flips = json_object_get(summary, "flips");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(flips, "commanded")), 1000);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(flips, "detected")), 998);
    CU_ASSERT_EQUAL(integer("dropped"), 1);
}

static void faults_have_their_status(void)
{
    if (!is_ready())
        return;
    static const struct {
        const char *arguments;
        int status;
    } calls[] = {
        {"", 2},
        {"FOLDER/run", 2},
        {"FOLDER/run FOLDER/nothing.csv", 2},
        {"FOLDER/nowhere FOLDER/flips.csv", 2},
        {"FOLDER/run FOLDER/flips.csv --as light --rate 200", 2},
        {"FOLDER/run FOLDER/flips.csv --as light --channel 9", 2},
        {"FOLDER/run FOLDER/flips.csv --as nonsense", 2},
        {"FOLDER/run FOLDER/aligned.yaml", 2},
        {"--flips 10 FOLDER/run FOLDER/flips.csv", 2},
        {"FOLDER/run FOLDER/flips.csv --as pulses --out FOLDER/flips.csv", 2},
        {"FOLDER/run FOLDER/flips.csv --as light", 1},
        {"--help", 0},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        char command[2000];
        snprintf(command, sizeof command, "\"$RETRACE\" align $(echo '%s' | sed 's,FOLDER,%s,g')",
                 calls[i].arguments, folder);
        program_run(command, &result);
        if (result.status != calls[i].status)
            printf("%s gave %d: %s\n", calls[i].arguments, result.status, result.err);
        CU_ASSERT_EQUAL(result.status, calls[i].status);
    }
}

static const TestCase cases[] = {
    {"every frame is within a sample and every fault named",
     every_frame_is_within_a_sample_and_every_fault_named},
    {"a late start and an early end lose no frame's place",
     a_late_start_and_an_early_end_lose_no_place},
    {"frames skipped without a trace are named, in heavy noise",
     skipped_frames_and_heavy_noise_are_no_hindrance},
    {"an AC-coupled photodiode is no hindrance", an_ac_coupled_photodiode_is_no_hindrance},
    {"a patch that only toggles is aligned by its start, or refused",
     a_patch_that_only_toggles_is_aligned_by_its_start},
    {"nothing is invented in a run without faults", nothing_is_invented_in_a_run_without_faults},
    {"edges and pulses are recordings too", edges_and_pulses_are_recordings_too},
    {"pulses are held against the light", pulses_are_held_against_the_light},
    {"a thousand flips are counted without a run", a_thousand_flips_are_counted},
    {"every fault of the call has its exit status", faults_have_their_status},
};

int main(void)
{
    int status = test_main("cli_align", cases, sizeof cases / sizeof cases[0]);
    json_decref(summary);
    return status;
}
