/* `retrace attribute` as a user starts it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "app/trial_bins.h"
#include "model/weights.h"
#include "tests/harness.h"
#include "tests/program.h"
#include "tests/random_model.h"

static const char MODEL[] = "model/weights/mixed-cnn.h5";
static ProgramResult result;

static int attribute(const char *arguments)
{
    char command[2400];
    snprintf(command, sizeof command, "\"$RETRACE\" attribute %s", arguments);
    program_run(command, &result);
    return result.status;
}

static json_t *summary(const char *arguments)
{
    if (attribute(arguments) != 0)
        CU_FAIL_FATAL(result.err);
    json_t *read = json_loads(result.out, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(read);
    return read;
}

static double number(const json_t *of, const char *key)
{
    return json_number_value(json_object_get(of, key));
}

static const char *text(const json_t *of, const char *key)
{
    return json_string_value(json_object_get(of, key));
}

static bool has_model(void)
{
    if (access(MODEL, R_OK) == 0)
        return true;
    test_skip("there is no fitted network");
    return false;
}

/* ---- a fitted network on shipped protocols */

static void check_trial(const json_t *trial, int numbers)
{
    const json_t *symmetry = json_object_get(trial, "symmetry"), *channel;
    size_t i;
    double at_peak_hz = 0, excitation = 0, inhibition = 0;
    double rise_hz = number(trial, "peak_hz") - number(trial, "rest_hz");
    json_array_foreach(json_object_get(trial, "channels"), i, channel)
    {
        at_peak_hz += number(channel, "at_peak_hz");
        excitation += number(channel, "excitation_share");
        inhibition += number(channel, "inhibition_share");
    }
    CU_ASSERT(test_near(at_peak_hz, rise_hz, 0.005 * fabs(rise_hz) + 1e-3));
    CU_ASSERT(test_near(excitation, 1, 1e-6));
    CU_ASSERT(test_near(inhibition, 1, 1e-6));
    CU_ASSERT(number(trial, "rest_hz") > 0);
    CU_ASSERT(number(trial, "peak_ms") > 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(symmetry, "numbers")), numbers);
    CU_ASSERT_STRING_EQUAL(text(symmetry, "claimed"), text(symmetry, "holds"));
    CU_ASSERT(number(symmetry, "total_gap") < 1e-4);
}

static json_t *check_protocol(const char *arguments, size_t trials, int numbers)
{
    char command[800];
    snprintf(command, sizeof command, "%s config/protocols/%s --json -", MODEL, arguments);
    json_t *read = summary(command), *trial;
    const json_t *residual = json_object_get(read, "completeness_residual");
    size_t t;
    CU_ASSERT(number(residual, "max") < 0.005 && number(residual, "max") > 0);
    CU_ASSERT(number(residual, "median") <= number(residual, "max"));
    CU_ASSERT(number(read, "steps") >= 4);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(read, "channels")), 8);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(read, "trials")), trials);
    json_array_foreach(json_object_get(read, "trials"), t, trial) check_trial(trial, numbers);
    return read;
}

static void a_flash_train_is_complete_and_takes_8_numbers(void)
{
    if (!has_model())
        return;
    json_t *read = check_protocol("omitted-stimulus.yaml --trial 3", 1, 8);
    CU_ASSERT_PTR_NOT_NULL(text(read, "cell"));
    CU_ASSERT_TRUE(json_is_true(json_object_get(json_object_get(read, "model"), "simulated")));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "simulated"));
    json_decref(read);
}

static void a_bar_is_complete_and_takes_288_numbers(void)
{
    if (!has_model())
        return;
    json_decref(check_protocol("demo.yaml --block \"dark bar to the left\"", 1, 288));
}

/* ---- a small network of random numbers */

/* 20 × 20 px of 100 um: it sees what the shipped protocols show. */
static const char *small_model(const char *folder)
{
    static char path[1024];
    const RandomShape shape = {.width = 20,
                               .height = 20,
                               .history = 12,
                               .lag = 1,
                               .cells = 2,
                               .bin_hz = 100,
                               .channels1 = 3,
                               .kernel1_width = 7,
                               .kernel1_height = 7,
                               .channels2 = 2,
                               .kernel2_width = 5,
                               .kernel2_height = 5,
                               .is_per_unit = true};
    RandomModel random;
    random_cnn(&random, &shape, 4);
    random.file.info.um_per_px = 100;
    snprintf(path, sizeof path, "%s", random_model_save(&random, folder));
    random_model_finish(&random);
    return path;
}

static bool exists(const char *folder, const char *name)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, R_OK) == 0;
}

static void figures_and_tables_go_where_asked(void)
{
    const char *folder = test_folder("attribute");
    char arguments[2300], path[1200], line[1024];
    snprintf(arguments, sizeof arguments,
             "%s config/protocols/demo.yaml --block \"dark step\" --out %s", small_model(folder),
             folder);
    CU_ASSERT_EQUAL_FATAL(attribute(arguments), 0);
    CU_ASSERT(exists(folder, "attribution-dark-step.png"));
    snprintf(path, sizeof path, "%s/attribution-dark-step.tsv", folder);
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    int rows = 0;
    while (fgets(line, sizeof line, file)) {
        double time_ms, rest_hz, rate_hz, sum_hz, residual, parts[3];
        int steps;
        if (sscanf(line, "%*d\t%*[^\t]\t%lf\t%lf\t%lf\t%lf\t%lf\t%d\t%lf\t%lf\t%lf", &time_ms,
                   &rest_hz, &rate_hz, &sum_hz, &residual, &steps, &parts[0], &parts[1],
                   &parts[2]) != 9)
            continue;
        rows++;
        CU_ASSERT(test_near(parts[0] + parts[1] + parts[2], sum_hz, 1e-3));
        CU_ASSERT(test_near(sum_hz, rate_hz - rest_hz, 0.003 * fmax(0.1, fabs(rate_hz - rest_hz))));
    }
    fclose(file);
    // three contrasts, 500 + 500 + 800 ms of 10 ms bins; one may lie across the trial's edge
    CU_ASSERT(rows >= 3 * 179 && rows <= 3 * 180);
}

static void noise_has_no_symmetry_and_a_turned_bar_lies(void)
{
    const char *folder = test_folder("attribute");
    char arguments[2300], path[1200];
    snprintf(path, sizeof path, "%s/turned.yaml", folder);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs("name: turned\nseed: 1\n"
          "display: {refresh_hz: 60, um_per_px: 5, width_px: 600, height_px: 600}\n"
          "blocks:\n"
          "  - name: up\n"
          "    bar: {speeds_um_per_s: [3000], width_um: 300, contrast: -0.5, direction_deg: 90,\n"
          "          travel_um: 3000}\n"
          "  - name: oblique\n"
          "    bar: {speeds_um_per_s: [3000], width_um: 300, contrast: -0.5, direction_deg: 30,\n"
          "          travel_um: 3000}\n"
          "  - name: noise\n"
          "    checkerboard: {columns: 20, rows: 20, check_um: 100, contrast: 0.5, hold_ms: 50,\n"
          "                   duration_s: 0.5}\n",
          file);
    fclose(file);
    snprintf(arguments, sizeof arguments, "%s %s --cell a --json -", small_model(folder), path);
    json_t *read = summary(arguments);
    static const char *const claims[] = {"lying bar", "none", "none"};
    static const int numbers[] = {3 * 14, 3 * 14 * 14, 3 * 14 * 14};
    for (size_t t = 0; t < 3; t++) {
        const json_t *trial = json_array_get(json_object_get(read, "trials"), t);
        const json_t *symmetry = json_object_get(trial, "symmetry");
        CU_ASSERT_STRING_EQUAL(text(symmetry, "claimed"), claims[t]);
        CU_ASSERT_STRING_EQUAL(text(symmetry, "holds"), claims[t]);
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(symmetry, "numbers")), numbers[t]);
        CU_ASSERT(number(symmetry, "total_gap") < 1e-4);
    }
    json_decref(read);
}

static void fewer_steps_miss_more(void)
{
    const char *folder = test_folder("attribute");
    double residuals[2];
    static const int steps[] = {2, 128};
    for (int i = 0; i < 2; i++) {
        char arguments[2300];
        snprintf(arguments, sizeof arguments,
                 "%s config/protocols/latency-coding.yaml --trial 0 --cell b --steps %d --json -",
                 small_model(folder), steps[i]);
        json_t *read = summary(arguments);
        residuals[i] = number(json_object_get(read, "completeness_residual"), "max");
        CU_ASSERT_EQUAL((int)number(read, "steps"), steps[i]);
        json_decref(read);
    }
    CU_ASSERT(residuals[0] > 0 && residuals[1] < 0.25 * residuals[0]);
}

static void the_window_holds_the_peak(void)
{
    char arguments[2300];
    double peaks_ms[2], spikes[2];
    static const char *const windows[] = {"--from 0 --to 150", "--from 150 --to 300"};
    for (int i = 0; i < 2; i++) {
        snprintf(arguments, sizeof arguments,
                 "%s config/protocols/latency-coding.yaml --trial 0 --cell b %s --json -",
                 small_model(test_folder("attribute")), windows[i]);
        json_t *read = summary(arguments);
        const json_t *trial = json_array_get(json_object_get(read, "trials"), 0), *channel;
        size_t c;
        peaks_ms[i] = number(trial, "peak_ms");
        spikes[i] = 0;
        json_array_foreach(json_object_get(trial, "channels"), c, channel) spikes[i] +=
            number(channel, "excited_spikes");
        json_decref(read);
    }
    CU_ASSERT(peaks_ms[0] >= 0 && peaks_ms[0] <= 150);
    CU_ASSERT(peaks_ms[1] >= 150 && peaks_ms[1] <= 300);
    CU_ASSERT(fabs(spikes[0] - spikes[1]) > 1e-6);
}

/* ---- the light of a trial */

static void a_trials_bins_are_those_of_the_whole_plan(void)
{
    char err[CONFIG_ERR_BYTES];
    Protocol *protocol = protocol_load("config/protocols/demo.yaml", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(protocol);
    Plan *plan = plan_create(protocol, "demo.yaml", 60, 2720, 2720, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const ModelInfo info = {.width_px = 6, .height_px = 5, .um_per_px = 200, .bin_hz = 100};
    BinAverage whole;
    CU_ASSERT_TRUE_FATAL(bin_average_init(&whole, 30, 5, 3));
    float lum[30];
    int64_t compared = 0;
    for (int t = 0; t < plan->trials_count; t++) {
        TrialBins bins;
        CU_ASSERT_TRUE_FATAL(trial_bins_open(&bins, plan, t, &info, err));
        StimulusSpec spec = trial_stimulus(plan, t);
        Stimulus *stimulus = stimulus_create(&spec, err);
        const PlanTrial *trial = &plan->trials[t];
        int64_t seen = 0,
                frames = trial->before_frames + trial->stimulus_frames + trial->after_frames;
        for (int64_t frame = 0; frame < frames; frame++) {
            Scene scene;
            trial_scene(plan, t, stimulus, frame, &scene);
            scene_average(&scene, &bins.raster, lum);
            bin_average_feed(&whole, lum);
            for (const float *mean; (mean = bin_average_take(&whole));) {
                if (whole.bin - 1 < bins.first_bin)
                    continue; // began in the trial before
                const float *alone = trial_bins_next(&bins);
                CU_ASSERT_PTR_NOT_NULL_FATAL(alone);
                CU_ASSERT_EQUAL(memcmp(alone, mean, sizeof lum), 0);
                seen++;
            }
        }
        CU_ASSERT_EQUAL(seen, bins.bins);
        CU_ASSERT_PTR_NULL(trial_bins_next(&bins));
        CU_ASSERT_PTR_NULL(trial_bins_next(&bins));
        compared += seen;
        stimulus_destroy(stimulus);
        trial_bins_close(&bins);
    }
    CU_ASSERT(compared > 1000);
    bin_average_finish(&whole);
    plan_destroy(plan);
    protocol_destroy(protocol);
}

/* ---- input */

static void faults_have_their_status(void)
{
    static const struct {
        const char *arguments, *says;
    } faults[] = {
        {"", "which model and protocol?"},
        {"no.h5 config/protocols/demo.yaml", "no.h5"},
        {"circuit config/protocols/demo.yaml", "circuit: has no first layer"},
        {"%s", "which protocol?"},
        {"%s config/protocols/none.yaml", "none.yaml"},
        {"%s config/protocols/demo.yaml --cell z", "no cell 'z'; its first is 'a'"},
        {"%s config/protocols/demo.yaml --block z", "no block 'z'"},
        {"%s config/protocols/demo.yaml --trial 99", "--trial 99"},
        {"%s config/protocols/demo.yaml --steps 0", "--steps"},
        {"%s config/protocols/demo.yaml --from 300 --to 200", "--to 200: must be after --from 300"},
        {"%s config/protocols/demo.yaml extra", "extra"},
    };
    const char *model = small_model(test_folder("attribute"));
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char arguments[2000];
        const char *hole = strstr(faults[i].arguments, "%s");
        snprintf(arguments, sizeof arguments, "%s%s", hole ? model : "",
                 hole ? hole + 2 : faults[i].arguments);
        CU_ASSERT_EQUAL(attribute(arguments), 2);
        CU_ASSERT_PTR_NOT_NULL(strstr(result.err, faults[i].says));
    }
}

static const TestCase cases[] = {
    {"a flash train is complete to 0.5 % and takes 8 numbers",
     a_flash_train_is_complete_and_takes_8_numbers},
    {"a bar is complete to 0.5 % and takes 288 numbers", a_bar_is_complete_and_takes_288_numbers},
    {"figures and tables go where asked, the parts sum to the rates",
     figures_and_tables_go_where_asked},
    {"noise has no symmetry, a bar that moves up has its own",
     noise_has_no_symmetry_and_a_turned_bar_lies},
    {"fewer steps miss more", fewer_steps_miss_more},
    {"peak and shares are those of the window asked", the_window_holds_the_peak},
    {"the light of a trial alone is that of the whole plan",
     a_trials_bins_are_those_of_the_whole_plan},
    {"what cannot be attributed is refused with status 2", faults_have_their_status},
};

int main(void)
{
    return test_main("cli_attribute", cases, sizeof cases / sizeof cases[0]);
}
