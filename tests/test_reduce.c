#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/reduce.h"
#include "app/reduce_truth.h"
#include "app/trial_bins.h"
#include "model/circuit.h"
#include "tests/harness.h"
#include "tests/random_model.h"

static const RandomShape shape = {.width = 12,
                                  .height = 10,
                                  .history = 20,
                                  .lag = 1,
                                  .cells = 2,
                                  .bin_hz = 100,
                                  .channels1 = 4,
                                  .kernel1_width = 5,
                                  .kernel1_height = 5,
                                  .channels2 = 3,
                                  .kernel2_width = 3,
                                  .kernel2_height = 3,
                                  .is_per_unit = true};

static const char flicker[] =
    "  - name: trains\n    before_ms: 200\n    after_ms: 400\n"
    "    flicker: {periods_ms: [50, 100], flash_ms: 20, flashes: 6, omitted: 6, contrast: -1}\n";
static const char bars[] = "  - name: bars\n    before_ms: 200\n    after_ms: 200\n"
                           "    bar: {speeds_um_per_s: [1000], width_um: 165, contrast: -1, "
                           "direction_deg: 0, travel_um: 900}\n";
static const char noise[] = "  - name: noise\n    after_ms: 200\n"
                            "    checkerboard: {columns: 6, rows: 5, check_um: 100, generator: "
                            "counter, contrast: 0.5, hold_ms: 20, duration_s: 0.2}\n";

typedef struct {
    RandomModel random;
    char model[600], protocol[600];
    AttributeAsked asked;
    AttributeJob job;
    Reduce reduce;
} Fixture;

static bool open_named(Fixture *f, const char *cell, const char *first, const char *second,
                       char *err)
{
    *f = (Fixture){0};
    random_cnn(&f->random, &shape, 5);
    if (cell)
        f->random.names[0] = cell;
    snprintf(f->model, sizeof f->model, "%s", random_model_save(&f->random, test_folder("reduce")));
    snprintf(f->protocol, sizeof f->protocol, "%s/protocol.yaml", test_folder("reduce"));
    FILE *file = fopen(f->protocol, "w");
    CU_ASSERT_FATAL(file != NULL);
    fprintf(file,
            "name: short\nseed: 1\ndisplay: {refresh_hz: 100, um_per_px: 5, width_px: 120, "
            "height_px: 100}\nblocks:\n%s%s",
            first, second);
    CU_ASSERT_FATAL(fclose(file) == 0);
    f->asked = (AttributeAsked){.model = f->model, .protocol = f->protocol, .cell = cell};
    return attribute_job_open(&f->job, &f->asked, err);
}

static bool open_blocks(Fixture *f, const char *first, const char *second, char *err)
{
    return open_named(f, NULL, first, second, err);
}

static void finish(Fixture *f)
{
    if (f->reduce.job)
        reduce_finish(&f->reduce);
    attribute_job_finish(&f->job);
    random_model_finish(&f->random);
}

static void measure(Fixture *f, const char *blocks, const ReduceRule *rule)
{
    char err[MODEL_ERR_BYTES] = "";
    if (!open_blocks(f, blocks, "", err) || !reduce_measure(&f->reduce, &f->job, rule, err))
        CU_FAIL_FATAL(err);
}

static void channels_come_by_share(void)
{
    Fixture f;
    measure(&f, flicker, &(ReduceRule){0.75, 0, 2});
    double sum = 0, before = 1, held = 0;
    for (int i = 0; i < f.reduce.channels; i++) {
        double share = f.reduce.share[f.reduce.order[i]];
        CU_ASSERT(share <= before);
        before = share;
        sum += share;
        CU_ASSERT(i == 0 || (held < 0.75) == (i < f.reduce.kept)); // no more than are needed
        held += share;
    }
    CU_ASSERT(test_near(sum, 1, 1e-9));
    finish(&f);
}

/* The share of a channel by its definition, from the attribution of each bin. */
static void a_share_is_that_of_the_attribution(void)
{
    Fixture f;
    measure(&f, flicker, &(ReduceRule){0.75, 0, 1});
    double shares[CNN_CHANNELS_MAX] = {0}, whole = 0;
    for (int t = 0; t < f.job.trials_count; t++)
        for (int bin = 0; bin < f.reduce.trials[t].bins; bin++) {
            if (f.reduce.trials[t].times_s[bin] < 0)
                continue;
            for (int c = 0; c < f.reduce.channels; c++) {
                double value =
                    fabs((double)f.reduce.trials[t].channels_hz[c * f.reduce.trials[t].bins + bin]);
                shares[c] += value;
                whole += value;
            }
        }
    for (int c = 0; c < f.reduce.channels; c++)
        CU_ASSERT(test_near(f.reduce.share[c], shares[c] / whole, 1e-4));
    finish(&f);
}

/* The file, run as any model is, against the curve that was fitted. */
static void check_file(const char *blocks)
{
    Fixture f;
    char err[MODEL_ERR_BYTES] = "", path[700];
    measure(&f, blocks, &(ReduceRule){0.75, 0, 2});
    snprintf(path, sizeof path, "%s/reduced.h5", test_folder("reduce"));
    if (!reduce_write(&f.reduce, "reduced", path, err))
        CU_FAIL_FATAL(err);
    Model *model = model_open(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    const ModelInfo *info = model_info(model);
    CU_ASSERT_STRING_EQUAL(info->kind, "reduced");
    CU_ASSERT_STRING_EQUAL(info->stimulus, f.reduce.stimulus);
    CU_ASSERT_EQUAL(info->cells, 1);
    double highest = 0, worst = 0;
    for (int t = 0; t < f.job.trials_count; t++) {
        float rate, grey[120];
        TrialBins bins;
        for (int i = 0; i < 120; i++)
            grey[i] = (float)f.reduce.trials[t].background_lum;
        for (int i = 0; i < shape.history; i++)
            model_step(model, grey, &rate);
        CU_ASSERT_FATAL(trial_bins_open(&bins, f.job.plan, f.job.trials[t], info, err));
        for (int bin = 0; bin < f.reduce.trials[t].bins; bin++) {
            model_step(model, trial_bins_next(&bins), &rate);
            double wanted = (double)f.reduce.reduced.rates_hz[f.reduce.first_bins[t] + bin];
            worst = fmax(worst, fabs((double)rate - wanted));
            highest = fmax(highest, wanted);
        }
        trial_bins_close(&bins);
    }
    CU_ASSERT(highest > 0);
    CU_ASSERT(worst <= 1e-4 * highest);
    model_close(model);
    finish(&f);
}

static void the_file_makes_the_rates_that_were_fitted(void)
{
    check_file(flicker);
    check_file(bars);
}

static void all_channels_follow_the_network(void)
{
    Fixture f;
    measure(&f, flicker, &(ReduceRule){1, 0, 4});
    CU_ASSERT_EQUAL(f.reduce.kept, 4);
    CU_ASSERT(f.reduce.steps[3].numbers.correlation > 0.95);
    finish(&f);
}

/* A channel whose units no weight leads on is silenced without effect; with it the rate is another. */
static void silencing_is_in_the_network_too(void)
{
    Fixture f;
    measure(&f, flicker, &(ReduceRule){1, 0, 1});
    double change = 0;
    for (int i = 0; i < f.reduce.kept; i++)
        change = fmax(change, f.reduce.ablations[i].full_change);
    CU_ASSERT(change > 0.05);
    bool is_silent[CNN_CHANNELS_MAX];
    for (int c = 0; c < CNN_CHANNELS_MAX; c++)
        is_silent[c] = true;
    Attribution *attribution = f.job.attribute.attribution;
    float rest[2], rates[2], black[120] = {0};
    attribution_silence(attribution, is_silent);
    attribution_adapt(attribution, 0.5);
    attribution_rates(attribution, rest);
    attribution_feed(attribution, black);
    attribution_rates(attribution, rates);
    CU_ASSERT(memcmp(rest, rates, sizeof rest) == 0);
    attribution_silence(attribution, NULL);
    attribution_rates(attribution, rates);
    CU_ASSERT(memcmp(rest, rates, sizeof rest) != 0);
    finish(&f);
}

static void name_and_measure(Fixture *f, const char *cell)
{
    char err[MODEL_ERR_BYTES] = "";
    if (!open_named(f, cell, flicker, "", err) ||
        !reduce_measure(&f->reduce, &f->job, &(ReduceRule){0.75, 0, 1}, err))
        CU_FAIL_FATAL(err);
}

/* The preparation that goes by the name "circuit" is that of the file: so are the answers. */
static void the_file_of_simulate_is_asked_like_a_circuit(void)
{
    Fixture f;
    char err[MODEL_ERR_BYTES] = "";
    ReduceTruth named, filed, bare;
    name_and_measure(&f, "full-1");
    CU_ASSERT_FATAL(reduce_ask_circuit(&f.reduce, "circuit", &named, err));
    CU_ASSERT_FATAL(reduce_ask_circuit(&f.reduce, "config/simulated-retina.yaml", &filed, err));
    CU_ASSERT_FATAL(reduce_ask_circuit(&f.reduce, "circuit/no-on-fast", &bare, err));
    for (int p = 0; p < REDUCE_TRUTHS; p++)
        CU_ASSERT(test_near(filed.pathways[p].change, named.pathways[p].change, 1e-4));
    CU_ASSERT(named.pathways[REDUCE_ON].change > 0.2);
    CU_ASSERT(test_near(bare.pathways[REDUCE_ON].change, 0, 1e-12));
    finish(&f);
}

static void what_is_blocked_is_not_there(void)
{
    static const struct {
        const char *circuit;
        bool amacrine, gain;
    } circuits[] = {{"circuit", true, true},
                    {"circuit/no-gain", true, false},
                    {"circuit/no-inhibition", false, true},
                    {"circuit/no-gain,no-inhibition", false, false}};
    Fixture f;
    char err[MODEL_ERR_BYTES] = "";
    name_and_measure(&f, "full-1");
    for (size_t i = 0; i < sizeof circuits / sizeof circuits[0]; i++) {
        ReduceTruth truth;
        CU_ASSERT_FATAL(reduce_ask_circuit(&f.reduce, circuits[i].circuit, &truth, err));
        const ReduceFinding *amacrine = &truth.pathways[REDUCE_AMACRINE];
        CU_ASSERT_EQUAL(amacrine->change > 0, circuits[i].amacrine);
        CU_ASSERT_EQUAL(truth.pathways[REDUCE_GAIN].change > 0, circuits[i].gain);
        CU_ASSERT(amacrine->found == 0 && !amacrine->is_reported);
    }
    finish(&f);
}

/* Of ∫|A|, channel by channel, over all trials. */
static void a_pathway_is_found_by_its_share(void)
{
    Fixture f;
    char err[MODEL_ERR_BYTES] = "";
    ReduceTruth truth;
    name_and_measure(&f, "full-1");
    CU_ASSERT_FATAL(reduce_ask_circuit(&f.reduce, "circuit", &truth, err));
    double share[REDUCE_PATHWAYS] = {0}, negative = 0, all = 0;
    for (int c = 0; c < f.reduce.channels; c++) {
        const ChannelCard *cards = f.job.cards;
        int strongest = -1;
        for (int other = 0; other < f.reduce.channels; other++)
            if (!reduce_inhibits(&f.reduce, other) && cards[other].is_on == cards[c].is_on &&
                (strongest < 0 || f.reduce.share[other] > f.reduce.share[strongest]))
                strongest = other;
        for (int t = 0; t < f.job.trials_count; t++)
            for (int bin = 0; bin < f.reduce.trials[t].bins; bin++) {
                double a =
                    (double)f.reduce.trials[t].channels_hz[c * f.reduce.trials[t].bins + bin];
                bool counts = f.reduce.trials[t].times_s[bin] >= 0;
                all += counts ? fabs(a) : 0;
                negative += counts && a < 0 ? -a : 0;
            }
        if (reduce_inhibits(&f.reduce, c))
            continue;
        bool is_slow = cards[c].peak_ms > 1.4 * cards[strongest].peak_ms;
        share[cards[c].is_on ? (is_slow ? REDUCE_SLOW_ON : REDUCE_ON)
                             : (is_slow ? REDUCE_SLOW_OFF : REDUCE_OFF)] += f.reduce.share[c];
    }
    const ReduceFinding *found = truth.pathways;
    CU_ASSERT(test_near(found[REDUCE_ON].found + found[REDUCE_SLOW_ON].found,
                        share[REDUCE_ON] + share[REDUCE_SLOW_ON], 1e-9));
    CU_ASSERT(test_near(found[REDUCE_OFF].found + found[REDUCE_SLOW_OFF].found,
                        share[REDUCE_OFF] + share[REDUCE_SLOW_OFF], 1e-9));
    share[REDUCE_GAIN] = negative / all;
    CU_ASSERT(negative > 0);
    for (int p = 0; p < REDUCE_PATHWAYS; p++) {
        const ReduceFinding *finding = &truth.pathways[p];
        CU_ASSERT(test_near(finding->found, share[p], 1e-4));
        CU_ASSERT_EQUAL(finding->is_reported, finding->found >= (p == REDUCE_GAIN ? 0.1 : 0.2));
        CU_ASSERT_EQUAL(finding->is_there, finding->change >= 0.2);
    }
    finish(&f);
}

static void all_that_inhibits_is_silenced_at_once(void)
{
    Fixture f;
    name_and_measure(&f, "full-1");
    const ReduceAblation *all = &f.reduce.ablations[f.reduce.steps_count];
    double mean = 0, square = 0, miss = 0;
    for (int c = 0; c < f.reduce.channels; c++)
        CU_ASSERT_EQUAL(all->is_silent[c], reduce_inhibits(&f.reduce, c));
    for (int bin = 0; bin < f.reduce.bins; bin++)
        mean += (double)f.reduce.full.rates_hz[bin] / f.reduce.bins;
    for (int bin = 0; bin < f.reduce.bins; bin++) {
        double rate_hz = (double)f.reduce.full.rates_hz[bin];
        square += pow(rate_hz - mean, 2);
        miss += pow(rate_hz - (double)all->full.rates_hz[bin], 2);
    }
    CU_ASSERT(miss > 0);
    CU_ASSERT(test_near(all->full_change, sqrt(miss / square), 1e-6));
    finish(&f);
}

/* The rates of the circuit's first cell over a trial, after a long background. */
static int ask_by_hand(const Fixture *f, int trial, float *rates_hz)
{
    char err[MODEL_ERR_BYTES] = "";
    CircuitSpec spec;
    CircuitCell cells[CIRCUIT_PRESET_CELLS];
    float rates[CIRCUIT_PRESET_CELLS], grey[50 * 50];
    TrialBins bins;
    CU_ASSERT_FATAL(circuit_named("circuit", &spec, cells, err));
    Circuit *circuit = circuit_create(&spec, err);
    CU_ASSERT_FATAL(circuit != NULL);
    for (int i = 0; i < 50 * 50; i++)
        grey[i] = 0.5f;
    for (int bin = 0; bin < 500; bin++)
        circuit_step(circuit, grey, rates);
    CU_ASSERT_FATAL(
        trial_bins_open(&bins, f->job.plan, f->job.trials[trial], circuit_info(circuit), err));
    int count = 0;
    for (const float *lum; (lum = trial_bins_next(&bins));) {
        circuit_step(circuit, lum, rates);
        rates_hz[count++] = rates[0];
    }
    trial_bins_close(&bins);
    circuit_destroy(circuit);
    return count;
}

/* The network of the fixture predicts a bin ahead (lag 1). */
static void a_rate_is_held_against_that_of_its_bin(void)
{
    Fixture f;
    char err[MODEL_ERR_BYTES] = "";
    ReduceTruth truth;
    float circuit_hz[500];
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    name_and_measure(&f, "full-1");
    CU_ASSERT_FATAL(reduce_ask_circuit(&f.reduce, "circuit", &truth, err));
    for (int t = 0; t < f.job.trials_count; t++) {
        int bins = ask_by_hand(&f, t, circuit_hz);
        for (int bin = 1; bin < bins; bin++) {
            double a = (double)circuit_hz[bin];
            double b = f.reduce.rates_hz[f.reduce.first_bins[t] + bin - 1];
            n++, x += a, y += b, xx += a * a, yy += b * b, xy += a * b;
        }
    }
    double r = (xy - x * y / n) / sqrt((xx - x * x / n) * (yy - y * y / n));
    CU_ASSERT(test_near(truth.correlation, r, 1e-4));
    finish(&f);
}

static void check_truth_refused(const char *cell, const char *circuit, const char *told)
{
    Fixture f;
    char err[MODEL_ERR_BYTES] = "";
    ReduceTruth truth;
    name_and_measure(&f, cell);
    CU_ASSERT(!reduce_ask_circuit(&f.reduce, circuit, &truth, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, told));
    finish(&f);
}

static void another_cell_or_no_circuit_is_refused(void)
{
    check_truth_refused("a", "circuit", "the circuit has no cell 'a'");
    check_truth_refused("full-1", "circuit-tuned", "the circuit has no cell 'full-1'");
    check_truth_refused("a", "model/weights/mixed-cnn.h5", "mixed-cnn.h5: is no circuit");
    check_truth_refused("a", "nowhere.yaml", "--truth: nowhere.yaml");
}

static void check_refused(const char *first, const char *second, const char *told)
{
    Fixture f;
    char err[MODEL_ERR_BYTES] = "";
    if (!open_blocks(&f, first, second, err)) {
        printf("\n    %s\n", err);
        CU_FAIL_FATAL("not opened");
    }
    CU_ASSERT(!reduce_measure(&f.reduce, &f.job, &reduce_default, err));
    bool is_told = strstr(err, told) != NULL;
    CU_ASSERT(is_told);
    if (!is_told)
        printf("\n    wanted \"%s\", got \"%s\"\n", told, err);
    finish(&f);
}

static void what_has_no_symmetry_is_refused(void)
{
    check_refused(noise, "", "'noise': the stimulus has no symmetry");
}

static void two_kinds_are_refused(void)
{
    check_refused(flicker, bars, "'trains' shows a flicker, 'bars' a bar");
}

int main(void)
{
    static const TestCase cases[] = {
        {"channels come by share, and no more are kept than hold it", channels_come_by_share},
        {"a share is that of the attribution", a_share_is_that_of_the_attribution},
        {"the file makes the rates that were fitted", the_file_makes_the_rates_that_were_fitted},
        {"all channels together follow the network", all_channels_follow_the_network},
        {"silencing holds units at rest in the network", silencing_is_in_the_network_too},
        {"the file of simulate is asked like a circuit",
         the_file_of_simulate_is_asked_like_a_circuit},
        {"what is blocked is not there", what_is_blocked_is_not_there},
        {"a pathway is found by its share", a_pathway_is_found_by_its_share},
        {"all that inhibits is silenced at once", all_that_inhibits_is_silenced_at_once},
        {"a rate is held against that of its bin", a_rate_is_held_against_that_of_its_bin},
        {"another cell, or what is no circuit, is refused", another_cell_or_no_circuit_is_refused},
        {"what has no symmetry is refused", what_has_no_symmetry_is_refused},
        {"two kinds of stimulus are refused", two_kinds_are_refused},
    };
    return test_main("reduce", cases, sizeof cases / sizeof cases[0]);
}
