/* `retrace reduce` as a user starts it, and the models that ship from it. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "app/trial_bins.h"
#include "model/model.h"
#include "tests/harness.h"
#include "tests/program.h"

static const char MODEL[] = "model/weights/mixed-cnn.h5";
static const double FRAME_MS = 1e3 / 60;
static ProgramResult result;

static int reduce(const char *arguments)
{
    char command[2400];
    snprintf(command, sizeof command, "\"$RETRACE\" reduce %s", arguments);
    program_run(command, &result);
    return result.status;
}

static double number(const json_t *of, const char *key)
{
    const json_t *found = json_object_get(of, key);
    return json_is_number(found) ? json_number_value(found) : (double)NAN;
}

/* Two trains, short enough for every day. */
static const char *short_protocol(void)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/trains.yaml", test_folder("cli-reduce"));
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs(
        "name: trains\nseed: 1\ndisplay: {refresh_hz: 60, um_per_px: 5, width_px: 600, height_px: "
        "600}\nblocks:\n  - name: trains\n    before_ms: 100\n    after_ms: 500\n    flicker: "
        "{periods_ms: [50, 83.3], flash_ms: 16.7, flashes: 9, omitted: 9, contrast: -1}\n",
        file);
    CU_ASSERT_FATAL(fclose(file) == 0);
    return path;
}

static void a_network_comes_down_to_three_channels(void)
{
    char arguments[2000], folder[600];
    if (access(MODEL, R_OK) != 0) {
        test_skip("there is no fitted network");
        return;
    }
    snprintf(folder, sizeof folder, "%s", test_folder("cli-reduce"));
    snprintf(arguments, sizeof arguments,
             "%s %s --channels 3 --out %s/r.h5 --figure %s/r.svg --truth circuit --json -", MODEL,
             short_protocol(), folder, folder);
    if (reduce(arguments) != 0)
        CU_FAIL_FATAL(result.err);
    json_t *found = json_loads(result.out, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    const json_t *three = json_array_get(json_object_get(found, "k"), 2), *ablation;
    CU_ASSERT_EQUAL(json_array_size(json_object_get(three, "channels")), 3);
    CU_ASSERT(number(three, "correlation") >= 0.9);
    CU_ASSERT(number(three, "peak_error_most_ms") <= FRAME_MS);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(found, "channels")), 8);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(found, "ablations")), 4);
    size_t i;
    int late = 0;
    json_array_foreach(json_object_get(found, "ablations"), i, ablation)
    {
        const json_t *without = json_object_get(ablation, "fitted_without");
        CU_ASSERT(number(without, "correlation") < number(three, "correlation"));
        late += number(without, "peak_error_most_ms") > 2 * number(three, "peak_error_most_ms");
    }
    CU_ASSERT(late >= 2);
    const json_t *truth = json_object_get(found, "truth");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(truth, "pathways")), 5);
    const json_t *slow = json_array_get(json_object_get(truth, "pathways"), 2);
    CU_ASSERT(number(slow, "change") < 0.05); // inert in the circuit, and not to be found
    CU_ASSERT(json_is_false(json_object_get(slow, "reported")));
    const json_t *gain = json_array_get(json_object_get(truth, "pathways"), 4);
    CU_ASSERT(number(gain, "change") > 0.2 && number(gain, "found") > number(gain, "least"));
    CU_ASSERT(number(truth, "correlation") > 0.9);
    CU_ASSERT(json_is_true(json_object_get(truth, "known")));
    json_decref(found);
    snprintf(arguments, sizeof arguments, "\"$RETRACE\" describe %s/r.h5 && test -s %s/r.svg",
             folder, folder);
    program_run(arguments, &result);
    CU_ASSERT_EQUAL(result.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "model r (reduced): simulated"));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "stands for  a flicker, no other stimulus"));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "units       channel "));
}

/* ---- what ships */

typedef struct {
    double n, a, b, aa, bb, ab;
} Sums;

static void add(Sums *sums, double a, double b)
{
    sums->n++;
    sums->a += a;
    sums->b += b;
    sums->aa += a * a;
    sums->bb += b * b;
    sums->ab += a * b;
}

static double correlation(const Sums *s)
{
    double cross = s->ab - s->a * s->b / s->n;
    return cross / sqrt((s->aa - s->a * s->a / s->n) * (s->bb - s->b * s->b / s->n));
}

/* Both models on the first trial of the protocol's first blocks, stepped as any run steps them. */
static void check_shipped(const char *reduced_path, const char *protocol_path)
{
    char err[1024];
    Model *full = model_open(MODEL, err), *reduced = model_open(reduced_path, err);
    Protocol *protocol = protocol_load(protocol_path, err);
    Plan *plan = protocol ? trial_plan(protocol, protocol_path, 0, err) : NULL;
    if (!full || !reduced || !plan)
        CU_FAIL_FATAL(err);
    const ModelInfo *info = model_info(full);
    int cell = -1;
    for (int c = 0; c < info->cells; c++)
        if (!strcmp(info->cell_names[c], model_info(reduced)->cell_names[0]))
            cell = c;
    CU_ASSERT_FATAL(cell >= 0);
    Sums sums = {0};
    float rates[MODEL_MAX_CELLS], rate;
    for (int t = 0; t < plan->trials_count && t < 6; t++) {
        TrialBins bins;
        CU_ASSERT_FATAL(trial_bins_open(&bins, plan, t, info, err));
        for (int bin = 0; bin < bins.bins; bin++) {
            const float *lum = trial_bins_next(&bins);
            model_step(full, lum, rates);
            model_step(reduced, lum, &rate);
            add(&sums, (double)rates[cell], (double)rate);
        }
        trial_bins_close(&bins);
    }
    CU_ASSERT(correlation(&sums) >= 0.9);
    plan_destroy(plan);
    protocol_destroy(protocol);
    model_close(full);
    model_close(reduced);
}

static void reduced_models_follow_the_network(void)
{
    if (access(MODEL, R_OK) != 0) {
        test_skip("there is no fitted network");
        return;
    }
    check_shipped("model/weights/reduced-omitted.h5", "config/protocols/omitted-stimulus.yaml");
    check_shipped("model/weights/reduced-latency.h5", "config/protocols/latency-coding.yaml");
    check_shipped("model/weights/reduced-reversal.h5", "config/protocols/motion-reversal.yaml");
    check_shipped("model/weights/reduced-anticipation.h5",
                  "config/protocols/motion-anticipation.yaml");
}

/* ---- input */

static void faults_have_their_status(void)
{
    static const struct {
        const char *arguments, *says;
        int status;
    } faults[] = {
        {"", "which model and protocol?", 2},
        {"circuit config/protocols/demo.yaml", "circuit: has no first layer", 2},
        {"model/weights/natural-ln.h5 config/protocols/demo.yaml", "of kind ln has no first layer",
         2},
        {"model/weights/mixed-cnn.h5 config/protocols/demo.yaml", "choose by --block", 2},
        {"model/weights/mixed-cnn.h5 %s --channels 0", "--channels", 2},
        {"model/weights/mixed-cnn.h5 %s --share 2", "--share", 2},
        {"model/weights/mixed-cnn.h5 %s --truth model/weights/natural-ln.h5", "is no circuit", 2},
        {"model/weights/mixed-cnn.h5 %s --out no/such/folder/r.h5", "no/such/folder", 4},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char arguments[2000];
        const char *hole = strstr(faults[i].arguments, "%s");
        int before = hole ? (int)(hole - faults[i].arguments) : 0;
        snprintf(arguments, sizeof arguments, "%.*s%s%s", before, faults[i].arguments,
                 hole ? short_protocol() : "", hole ? hole + 2 : faults[i].arguments);
        CU_ASSERT_EQUAL(reduce(arguments), faults[i].status);
        bool is_said = strstr(result.err, faults[i].says) != NULL;
        CU_ASSERT(is_said);
        if (!is_said)
            printf("\n    wanted \"%s\", got \"%s\"\n", faults[i].says, result.err);
    }
}

static const TestCase cases[] = {
    {"a network comes down to three channels, each of which is missed",
     a_network_comes_down_to_three_channels},
    {"the reduced models that ship follow the network", reduced_models_follow_the_network},
    {"what cannot be reduced is refused with its status", faults_have_their_status},
};

int main(void)
{
    return test_main("cli_reduce", cases, sizeof cases / sizeof cases[0]);
}
