#include "app/reduce_truth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/reduce_parts.h"
#include "app/trial_bins.h"

const double reduce_truth_border = 0.2;

static const double SLOWER = 1.4, WEAK = 0.05, ADAPT_S = 5;

static const struct {
    const char *name, *without; // the circuit's switch; NULL: it has no such pathway
} pathways[REDUCE_PATHWAYS] = {
    [REDUCE_OFF] = {"OFF excitation", "no-off"},
    [REDUCE_ON] = {"ON excitation", "no-on-fast"},
    [REDUCE_SLOW_ON] = {"slow ON excitation", "no-on-slow"},
    [REDUCE_SLOW_OFF] = {"slow OFF excitation", NULL},
    [REDUCE_INHIBITION] = {"amacrine inhibition", "no-inhibition"},
    [REDUCE_GAIN] = {"gain control", "no-gain"},
};

const char *reduce_pathway_name(ReducePathway pathway)
{
    return pathways[pathway].name;
}

/* ---- what the circuit says */

static int find_cell(const ModelInfo *info, const char *name)
{
    for (int cell = 0; cell < info->cells; cell++)
        if (!strcmp(info->cell_names[cell], name))
            return cell;
    return 0;
}

/* From the state that follows a long background. */
static bool show_trial(const Reduce *reduce, Model *model, int cell, int t, float *rates_hz,
                       int *count, char *err)
{
    float rates[MODEL_MAX_CELLS];
    TrialBins bins;
    if (!trial_bins_open(&bins, reduce->job->plan, reduce->trials[t].trial, model_info(model), err))
        return false;
    model_rewind(model);
    model_mark(model);
    for (int bin = 0; bin < bins.bins && bin < reduce->trials[t].bins; bin++) {
        model_step(model, trial_bins_next(&bins), rates);
        rates_hz[(*count)++] = rates[cell];
    }
    trial_bins_close(&bins);
    return !reduce_is_stopped(reduce);
}

static void adapt(const Reduce *reduce, Model *model)
{
    const ModelInfo *info = model_info(model);
    size_t pixels = (size_t)info->width_px * (size_t)info->height_px;
    float rates[MODEL_MAX_CELLS];
    float *grey = calloc(pixels, sizeof *grey);
    for (size_t i = 0; grey && i < pixels; i++)
        grey[i] = (float)reduce->trials[0].background_lum;
    for (int bin = 0; grey && bin < (int)(ADAPT_S * info->bin_hz); bin++)
        model_step(model, grey, rates);
    model_mark(model);
    free(grey);
}

/* *count rates of the circuit's cell over all trials. */
static bool run_circuit(const Reduce *reduce, const char *circuit, float *rates_hz, int *count,
                        char *err)
{
    const AttributeJob *job = reduce->job;
    Model *model = model_open(circuit, err);
    if (!model)
        return false;
    bool ok = model_info(model)->history_bins == 0;
    if (!ok)
        snprintf(err, MODEL_ERR_BYTES,
                 "--truth %.200s: is no circuit; allowed are circuit, "
                 "circuit-depressing, circuit/no-on-fast, …",
                 circuit);
    int cell = find_cell(model_info(model), job->attribute.info->cell_names[job->attribute.cell]);
    *count = 0;
    if (ok)
        adapt(reduce, model);
    for (int t = 0; ok && t < job->trials_count; t++)
        ok = show_trial(reduce, model, cell, t, rates_hz, count, err);
    model_close(model);
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

static void add_shares(const Reduce *reduce, ReduceTruth *truth)
{
    double fastest_ms = fastest_excitation_ms(reduce);
    for (int c = 0; c < reduce->channels; c++) {
        const ChannelCard *card = &reduce->job->cards[c];
        bool is_slow = card->peak_ms > SLOWER * fastest_ms;
        ReducePathway pathway = reduce_inhibits(reduce, c) ? REDUCE_INHIBITION
                                : card->is_on              ? (is_slow ? REDUCE_SLOW_ON : REDUCE_ON)
                                              : (is_slow ? REDUCE_SLOW_OFF : REDUCE_OFF);
        truth[pathway].share += reduce->share[c];
    }
    truth[REDUCE_GAIN].share = truth[REDUCE_INHIBITION].share;
}

bool reduce_ask_circuit(const Reduce *reduce, const char *circuit, ReduceTruth *truth, char *err)
{
    size_t bins = (size_t)reduce->bins;
    float *with_hz = calloc(2 * bins, sizeof *with_hz), *without_hz = with_hz + bins;
    int count = 0;
    snprintf(err, MODEL_ERR_BYTES, "stopped, or out of memory");
    bool ok = with_hz && run_circuit(reduce, circuit, with_hz, &count, err);
    memset(truth, 0, REDUCE_PATHWAYS * sizeof *truth);
    for (int p = 0; ok && p < REDUCE_PATHWAYS; p++) {
        char name[256];
        if (!pathways[p].without)
            continue;
        snprintf(name, sizeof name, "%.200s%c%s", circuit, strchr(circuit, '/') ? ',' : '/',
                 pathways[p].without);
        ok = run_circuit(reduce, name, without_hz, &count, err);
        truth[p].change = ok ? reduce_change(with_hz, without_hz, count) : 0;
        truth[p].is_there = truth[p].change >= reduce_truth_border;
    }
    if (ok)
        add_shares(reduce, truth);
    for (int p = 0; p < REDUCE_PATHWAYS; p++)
        truth[p].is_reported = truth[p].share >= reduce_truth_border;
    free(with_hz);
    return ok;
}
