#include "app/reduce_truth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/recording.h"
#include "app/reduce_parts.h"
#include "app/trial_bins.h"

const double reduce_truth_border = 0.2;

static const double SLOWER = 1.4, WEAK = 0.05, ADAPT_S = 5;

enum { BLOCKED_MOST = 2 };

static const struct {
    const char *name,
        *without[BLOCKED_MOST]; // the circuit's switches; none: it has no such pathway
} pathways[REDUCE_TRUTHS] = {
    [REDUCE_OFF] = {"OFF excitation", {"no-off"}},
    [REDUCE_ON] = {"ON excitation", {"no-on-fast"}},
    [REDUCE_SLOW_ON] = {"slow ON excitation", {"no-on-slow"}},
    [REDUCE_SLOW_OFF] = {"slow OFF excitation", {NULL}},
    [REDUCE_SUPPRESSION] = {"suppression", {"no-inhibition", "no-gain"}},
    [REDUCE_AMACRINE] = {"amacrine inhibition", {"no-inhibition"}},
    [REDUCE_GAIN] = {"gain control", {"no-gain"}},
};

const char *reduce_pathway_name(ReducePathway pathway)
{
    return pathways[pathway].name;
}

bool reduce_pathway_is_silenced(ReducePathway pathway)
{
    return pathway >= REDUCE_SUPPRESSION;
}

/* ---- what the circuit says */

typedef struct {
    CircuitSpec spec;
    CircuitCell cells[MODEL_MAX_CELLS]; // the spec's
} Asked;

static bool read_file(const char *path, Asked *asked, char *err)
{
    char why[RECORDING_ERR_BYTES];
    Retina *retina = retina_load(path, why);
    bool ok = retina && recording_circuit(retina, &asked->spec, asked->cells, why);
    if (!ok)
        snprintf(err, MODEL_ERR_BYTES, "--truth: %.480s", why);
    retina_destroy(retina);
    return ok;
}

static bool read_circuit(const char *circuit, Asked *asked, char *err)
{
    const char *dot = strrchr(circuit, '.');
    if (model_is_built_in(circuit))
        return circuit_named(circuit, &asked->spec, asked->cells, err);
    if (dot && !strcmp(dot, ".yaml"))
        return read_file(circuit, asked, err);
    snprintf(err, MODEL_ERR_BYTES,
             "--truth %.200s: is no circuit; allowed are circuit, circuit/no-on-fast, … and the "
             "file that simulate read (.yaml)",
             circuit);
    return false;
}

static int find_cell(const ModelInfo *info, const char *name)
{
    for (int cell = 0; cell < info->cells; cell++)
        if (!strcmp(info->cell_names[cell], name))
            return cell;
    return -1;
}

/* From the state that follows a long background. */
static bool show_trial(const Reduce *reduce, Circuit *circuit, int cell, int t, float *rates_hz,
                       char *err)
{
    float rates[MODEL_MAX_CELLS];
    TrialBins bins;
    if (!trial_bins_open(&bins, reduce->job->plan, reduce->trials[t].trial, circuit_info(circuit),
                         err))
        return false;
    circuit_rewind(circuit);
    for (int bin = 0; bin < bins.bins && bin < reduce->trials[t].bins; bin++) {
        circuit_step(circuit, trial_bins_next(&bins), rates);
        rates_hz[bin] = rates[cell];
    }
    trial_bins_close(&bins);
    return !reduce_is_stopped(reduce);
}

static bool adapt(const Reduce *reduce, Circuit *circuit)
{
    const ModelInfo *info = circuit_info(circuit);
    size_t pixels = (size_t)info->width_px * (size_t)info->height_px;
    float rates[MODEL_MAX_CELLS];
    float *grey = calloc(pixels, sizeof *grey);
    if (!grey)
        return false;
    for (size_t i = 0; i < pixels; i++)
        grey[i] = (float)reduce->trials[0].background_lum;
    for (int bin = 0; bin < (int)(ADAPT_S * info->bin_hz); bin++)
        circuit_step(circuit, grey, rates);
    circuit_mark(circuit);
    free(grey);
    return true;
}

static bool show_all(const Reduce *reduce, Circuit *circuit, float *rates_hz, char *err)
{
    const AttributeJob *job = reduce->job;
    const char *name = job->attribute.info->cell_names[job->attribute.cell];
    int cell = find_cell(circuit_info(circuit), name);
    if (cell < 0) {
        snprintf(err, MODEL_ERR_BYTES,
                 "--truth: the circuit has no cell '%.60s', which the network was asked for", name);
        return false;
    }
    bool ok = adapt(reduce, circuit);
    for (int t = 0; ok && t < job->trials_count; t++)
        ok = show_trial(reduce, circuit, cell, t, rates_hz + reduce->first_bins[t], err);
    return ok;
}

/* rates_hz (bins of the reduction) of the circuit's cell, with switches (BLOCKED_MOST) thrown, or NULL
 * for none. */
static bool run_circuit(const Reduce *reduce, const Asked *asked, const char *const *without,
                        float *rates_hz, char *err)
{
    CircuitSpec spec = asked->spec;
    for (int i = 0; without && i < BLOCKED_MOST; i++)
        if (without[i] && !circuit_block(&spec, without[i], err))
            return false;
    Circuit *circuit = circuit_create(&spec, err);
    bool ok = circuit && show_all(reduce, circuit, rates_hz, err);
    circuit_destroy(circuit);
    return ok;
}

/* ---- what the reduction says */

static double fastest_excitation_ms(const Reduce *reduce)
{
    double fastest_ms = HUGE_VAL;
    for (int c = 0; c < reduce->channels; c++)
        if (!reduce_inhibits(reduce, c) && reduce->share[c] >= WEAK)
            fastest_ms = fmin(fastest_ms, reduce->job->cards[c].peak_ms);
    return fastest_ms;
}

static void find_pathways(const Reduce *reduce, ReduceTruth *truth)
{
    double fastest_ms = fastest_excitation_ms(reduce);
    for (int c = 0; c < reduce->channels; c++) {
        const ChannelCard *card = &reduce->job->cards[c];
        bool is_slow = card->peak_ms > SLOWER * fastest_ms;
        ReducePathway pathway = card->is_on ? (is_slow ? REDUCE_SLOW_ON : REDUCE_ON)
                                            : (is_slow ? REDUCE_SLOW_OFF : REDUCE_OFF);
        if (!reduce_inhibits(reduce, c))
            truth[pathway].found += reduce->share[c];
    }
    truth[REDUCE_SUPPRESSION].found = reduce->ablations[reduce->steps_count].full_change;
}

static bool change_circuit(const Reduce *reduce, const Asked *asked, float *rates_hz,
                           ReduceTruth *truth, char *err)
{
    float *without_hz = rates_hz + reduce->bins;
    bool ok = run_circuit(reduce, asked, NULL, rates_hz, err);
    for (int p = 0; ok && p < REDUCE_TRUTHS; p++) {
        if (!pathways[p].without[0])
            continue;
        ok = run_circuit(reduce, asked, pathways[p].without, without_hz, err);
        truth[p].change = ok ? reduce_change(rates_hz, without_hz, reduce->bins) : 0;
    }
    return ok;
}

bool reduce_ask_circuit(const Reduce *reduce, const char *circuit, ReduceTruth *truth, char *err)
{
    Asked *asked = calloc(1, sizeof *asked);
    float *rates_hz = calloc(2 * (size_t)reduce->bins, sizeof *rates_hz);
    memset(truth, 0, REDUCE_TRUTHS * sizeof *truth);
    snprintf(err, MODEL_ERR_BYTES, "stopped, or out of memory");
    bool ok = asked && rates_hz && read_circuit(circuit, asked, err) &&
              change_circuit(reduce, asked, rates_hz, truth, err);
    if (ok)
        find_pathways(reduce, truth);
    for (int p = 0; p < REDUCE_TRUTHS; p++) {
        truth[p].is_there = truth[p].change >= reduce_truth_border;
        truth[p].is_reported = truth[p].found >= reduce_truth_border;
    }
    free(rates_hz);
    free(asked);
    return ok;
}
