#include "app/eval.h"

#include <math.h>
#include <stdlib.h>

#include "model/kind.h"

enum { NOISE_BINS = 64 };

/* What one model expects in every trial of noise, spikes a bin: counts (model cells, trials, bins). */
typedef struct {
    Eval *eval;
    EvalModel *model;
    float *counts; // owned
    float *lum;    // owned (NOISE_BINS, pixels)
    int64_t bins;  // scored ones
} Trials;

static float *counts_of(const Trials *t, int cell, int trial)
{
    size_t row = (size_t)cell * (size_t)t->eval->request.noise_trials + (size_t)trial;
    return t->counts + row * (size_t)t->bins;
}

static void step(const Trials *t, int trial, int64_t bin, const float *lum)
{
    const ModelInfo *info = model_info(t->model->model);
    float rates_hz[MODEL_MAX_CELLS];
    model_step(t->model->model, lum, rates_hz);
    model_settle(t->model->model);
    int64_t at = t->eval->first + bin + info->lag_bins - t->eval->from;
    for (int cell = 0; cell < info->cells && at >= 0 && at < t->bins; cell++)
        counts_of(t, cell, trial)[at] = rates_hz[cell] / (float)info->bin_hz;
}

static bool run_trial(const Trials *t, int trial, char *err)
{
    const Eval *e = t->eval;
    int64_t bins = e->to - e->first;
    size_t pixels = (size_t)e->info->width_px * (size_t)e->info->height_px;
    uint64_t seed = (uint64_t)e->request.seed * 1000003u + (uint64_t)trial;
    model_reset(t->model->model);
    if (!model_set_noise(t->model->model, e->request.noise_sd, seed))
        return model_refuse(err, "not enough memory for the noise");
    for (int64_t bin = 0; bin < bins; bin += NOISE_BINS) {
        int count = (int)(bins - bin < NOISE_BINS ? bins - bin : NOISE_BINS);
        if (!dataset_read_lum(e->data, e->request.part, e->first + bin, count, t->lum, err))
            return false;
        for (int i = 0; i < count; i++)
            step(t, trial, bin + i, t->lum + (size_t)i * pixels);
    }
    return true;
}

static void judge(const Trials *t)
{
    Eval *e = t->eval;
    int window = (int)llrint(EVAL_FANO_MS * 1e-3 * e->info->bin_hz), count = 0;
    double bin_values[MODEL_MAX_CELLS], window_values[MODEL_MAX_CELLS];
    for (int cell = 0; cell < e->info->cells; cell++) {
        int from = t->model->model_cell[cell];
        if (from < 0)
            continue;
        const float *counts = counts_of(t, from, 0);
        bin_values[count] = score_fano(counts, e->request.noise_trials, t->bins, 1);
        window_values[count++] = score_fano(counts, e->request.noise_trials, t->bins, window);
    }
    t->model->noisy_variance_to_mean = score_median(bin_values, count);
    t->model->noisy_fano = score_median(window_values, count);
}

static bool vary_model(Trials *t, const atomic_bool *stop,
                       void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx,
                       char *err)
{
    const EvalRequest *r = &t->eval->request;
    int64_t done = (t->model - t->eval->models) * r->noise_trials;
    for (int trial = 0; trial < r->noise_trials; trial++) {
        if (atomic_load(stop))
            return model_refuse(err, "stopped before the trials of noise were done");
        if (!run_trial(t, trial, err))
            return false;
        progress(ctx, done + trial + 1, (int64_t)t->eval->models_count * r->noise_trials);
    }
    model_set_noise(t->model->model, 0.0, 0);
    judge(t);
    return true;
}

/* Medians over the cells of what the repeats have. */
static void judge_responses(Eval *e)
{
    double bin_values[MODEL_MAX_CELLS], window_values[MODEL_MAX_CELLS];
    for (int cell = 0; cell < e->info->cells; cell++) {
        bin_values[cell] = e->responses[cell].variance_to_mean;
        window_values[cell] = e->responses[cell].fano;
    }
    e->variance_to_mean = score_median(bin_values, e->info->cells);
    e->fano = score_median(window_values, e->info->cells);
}

bool eval_vary(Eval *e, const atomic_bool *stop,
               void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx, char *err)
{
    size_t pixels = (size_t)e->info->width_px * (size_t)e->info->height_px;
    bool ok = true;
    judge_responses(e);
    for (int i = 0; ok && i < e->models_count; i++) {
        EvalModel *m = &e->models[i];
        m->is_varied = model_set_noise(m->model, e->request.noise_sd, 0);
        if (!m->is_varied)
            continue;
        Trials t = {.eval = e, .model = m, .bins = e->to - e->from};
        size_t rows = (size_t)model_info(m->model)->cells * (size_t)e->request.noise_trials;
        t.counts = malloc(rows * (size_t)t.bins * sizeof *t.counts);
        t.lum = model_alloc(NOISE_BINS * pixels);
        ok = t.counts && t.lum ? vary_model(&t, stop, progress, ctx, err)
                               : model_refuse(err, "not enough memory for %d trials of noise",
                                              e->request.noise_trials);
        free(t.counts);
        free(t.lum);
    }
    return ok;
}
