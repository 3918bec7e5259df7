#include "app/reduce_truth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/recording.h"
#include "app/reduce_parts.h"
#include "app/trial_bins.h"
#include "model/moments.h"

const double reduce_truth_border = 0.2, reduce_truth_known = 0.8;

static const double SLOWER = 1.4, ADAPT_S = 5;

static const struct {
    const char *name, *without; // the circuit's switch; NULL: it has no such pathway
    double least;
} pathways[REDUCE_TRUTHS] = {
    [REDUCE_OFF] = {"OFF excitation", "no-off", 0.2},
    [REDUCE_ON] = {"ON excitation", "no-on-fast", 0.2},
    [REDUCE_SLOW_ON] = {"slow ON excitation", "no-on-slow", 0.2},
    [REDUCE_SLOW_OFF] = {"slow OFF excitation", NULL, 0.2},
    [REDUCE_GAIN] = {"gain control", "no-gain", 0.1},
    [REDUCE_AMACRINE] = {"amacrine inhibition", "no-inhibition", HUGE_VAL},
};

const char *reduce_pathway_name(ReducePathway pathway)
{
    return pathways[pathway].name;
}

double reduce_pathway_least(ReducePathway pathway)
{
    return pathways[pathway].least;
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

/* rates_hz (bins of the reduction) of the circuit's cell, with a switch thrown, or NULL for none. */
static bool run_circuit(const Reduce *reduce, const Asked *asked, const char *without,
                        float *rates_hz, char *err)
{
    CircuitSpec spec = asked->spec;
    if (without && !circuit_block(&spec, without, err))
        return false;
    Circuit *circuit = circuit_create(&spec, err);
    bool ok = circuit && show_all(reduce, circuit, rates_hz, err);
    circuit_destroy(circuit);
    return ok;
}

static bool change_circuit(const Reduce *reduce, const Asked *asked, float *rates_hz,
                           ReduceFinding *findings, char *err)
{
    float *without_hz = rates_hz + reduce->bins;
    bool ok = run_circuit(reduce, asked, NULL, rates_hz, err);
    for (int p = 0; ok && p < REDUCE_TRUTHS; p++) {
        if (!pathways[p].without)
            continue;
        ok = run_circuit(reduce, asked, pathways[p].without, without_hz, err);
        findings[p].change = ok ? reduce_change(rates_hz, without_hz, reduce->bins) : 0;
    }
    return ok;
}

/* ---- what the reduction says */

/* The rate that a network makes of a bin is meant for lag_bins later. */
static double follow_circuit(const Reduce *reduce, const float *circuit_hz)
{
    int lag = reduce->job->attribute.info->lag_bins;
    Moments moments = {0};
    for (int t = 0; t < reduce->job->trials_count; t++)
        for (int i = 0; i + lag < reduce->trials[t].bins; i++)
            moments_add(&moments, (double)circuit_hz[reduce->first_bins[t] + i + lag],
                        (double)reduce->full.rates_hz[reduce->first_bins[t] + i]);
    return moments_correlation(&moments);
}

/* When the channel of a polarity peaks that excites most. */
static double strongest_peak_ms(const Reduce *reduce, bool is_on)
{
    double peak_ms = HUGE_VAL, most = 0;
    for (int c = 0; c < reduce->channels; c++) {
        const ChannelCard *card = &reduce->job->cards[c];
        if (card->is_on != is_on || reduce_inhibits(reduce, c) || !(reduce->share[c] > most))
            continue;
        most = reduce->share[c];
        peak_ms = card->peak_ms;
    }
    return peak_ms;
}

static double negative_share(const Reduce *reduce)
{
    double negative = 0, all = 1e-300;
    for (int c = 0; c < reduce->channels; c++) {
        negative -= reduce->inhibited[c];
        all += reduce->excited[c] - reduce->inhibited[c];
    }
    return negative / all;
}

static void find_pathways(const Reduce *reduce, ReduceFinding *findings)
{
    for (int c = 0; c < reduce->channels; c++) {
        const ChannelCard *card = &reduce->job->cards[c];
        bool is_slow = card->peak_ms > SLOWER * strongest_peak_ms(reduce, card->is_on);
        ReducePathway pathway = card->is_on ? (is_slow ? REDUCE_SLOW_ON : REDUCE_ON)
                                            : (is_slow ? REDUCE_SLOW_OFF : REDUCE_OFF);
        if (!reduce_inhibits(reduce, c))
            findings[pathway].found += reduce->share[c];
    }
    findings[REDUCE_GAIN].found = negative_share(reduce);
}

bool reduce_ask_circuit(const Reduce *reduce, const char *circuit, ReduceTruth *truth, char *err)
{
    Asked *asked = calloc(1, sizeof *asked);
    float *rates_hz = calloc(2 * (size_t)reduce->bins, sizeof *rates_hz);
    *truth = (ReduceTruth){0};
    snprintf(err, MODEL_ERR_BYTES, "stopped, or out of memory");
    bool ok = asked && rates_hz && read_circuit(circuit, asked, err) &&
              change_circuit(reduce, asked, rates_hz, truth->pathways, err);
    if (ok) {
        truth->correlation = follow_circuit(reduce, rates_hz);
        find_pathways(reduce, truth->pathways);
    }
    for (int p = 0; p < REDUCE_TRUTHS; p++) {
        ReduceFinding *finding = &truth->pathways[p];
        finding->is_there = finding->change >= reduce_truth_border;
        finding->is_reported = finding->found >= pathways[p].least;
    }
    free(rates_hz);
    free(asked);
    return ok;
}
