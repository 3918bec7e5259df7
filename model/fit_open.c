#include "model/fit_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <cblas.h>

#include "model/kind.h"

enum { SURVEY_BATCHES = 24 };

static const char *const kind_names[FIT_KINDS] = {"ln", "glm", "subunit", "cnn"};

static int layers_of(const FitSpec *spec)
{
    return spec->kind == FIT_CNN ? 2 : spec->kind == FIT_SUBUNIT ? 1 : 0;
}

static bool check_spec(const FitSpec *s, const ModelInfo *info, int64_t bins, char *err)
{
    if (s->history_bins < 1 || s->history_bins > 200 || s->lag_bins < 0 || s->lag_bins > 100)
        return model_refuse(err, "history of %d and lag of %d bins; 1 to 200 and 0 to 100",
                            s->history_bins, s->lag_bins);
    if (s->run_bins < 1 || s->run_bins > 4096 || s->batch_runs < FIT_LANES ||
        s->batch_runs % FIT_LANES != 0 || s->batch_runs > 1024)
        return model_refuse(err,
                            "%d runs of %d bins a minibatch; runs must be a multiple of %d up to "
                            "1024, bins 1 to 4096",
                            s->batch_runs, s->run_bins, FIT_LANES);
    if (!(s->learning_rate > 0.0 && s->learning_rate <= 1.0 && s->decay >= 0.0 &&
          s->rate_scale_hz > 0.0 && s->validation_share > 0.0 && s->validation_share < 1.0))
        return model_refuse(err,
                            "learning rate %g (above 0, at most 1), decay %g (0 or more), "
                            "rate scale %g Hz (above 0), validation share %g (between 0 and 1)",
                            s->learning_rate, s->decay, s->rate_scale_hz, s->validation_share);
    for (int i = 0; i < layers_of(s); i++)
        if (s->channels[i] < 1 || s->channels[i] > 128)
            return model_refuse(err, "layer %d has %d channels; 1 to 128 are allowed", i + 1,
                                s->channels[i]);
    if (s->kind == FIT_GLM && s->target != DATASET_BINNED)
        return model_refuse(err, "a GLM remembers spikes, so its target must be the binned spikes");
    if (!(info->um_per_px > 0.0))
        return model_refuse(err, "the data set does not say its um_per_px; the spec must");
    int64_t needed = s->history_bins + s->lag_bins + (int64_t)s->run_bins * (s->batch_runs + 1);
    if (bins < needed)
        return model_refuse(err,
                            "%lld bins are left to fit, one minibatch needs %lld; record longer or "
                            "make run_bins or batch_runs smaller",
                            (long long)bins, (long long)needed);
    return true;
}

static void measure_target(Fit *fit)
{
    for (int cell = 0; cell < fit->batch.cells; cell++) {
        double sum = 0.0;
        for (int64_t t = 0; t < fit->train_bins; t++)
            sum += (double)fit->target[(int64_t)cell * fit->target_bins + t];
        fit->target_mean[cell] = (float)(sum / (double)fit->train_bins);
    }
}

static void fill_info(Fit *fit)
{
    const DatasetInfo *from = dataset_info(fit->data);
    fit->info = (ModelInfo){
        .width_px = from->width_px,
        .height_px = from->height_px,
        .um_per_px = fit->spec.um_per_px > 0.0 ? fit->spec.um_per_px : from->um_per_px,
        .bin_hz = from->bin_hz,
        .history_bins = fit->spec.history_bins,
        .lag_bins = fit->spec.lag_bins,
        .cells = from->cells,
        .cell_names = from->cell_names,
        .cell_x_um = from->cell_x_um,
        .cell_y_um = from->cell_y_um,
        .licence = from->is_simulated ? "MIT" : "not stated",
        .is_simulated = from->is_simulated,
    };
    snprintf(fit->info.kind, sizeof fit->info.kind, "%s", kind_names[fit->spec.kind]);
}

static bool open_batch(Fit *fit)
{
    FitBatch *b = &fit->batch;
    b->lanes = FIT_LANES;
    b->runs = fit->spec.batch_runs / FIT_LANES;
    b->bins = fit->spec.run_bins;
    b->frames = b->bins + fit->spec.history_bins - 1;
    b->past_bins = fit->spec.kind == FIT_GLM ? fit->spec.spike_bins : 0;
    b->l1_activity = (float)fit->spec.l1_activity;
    size_t runs = (size_t)fit->spec.batch_runs, answers = (size_t)(b->cells * b->bins);
    b->stimulus = calloc(runs, sizeof *b->stimulus);
    b->target = calloc(runs, sizeof *b->target);
    b->rate = calloc(runs, sizeof *b->rate);
    b->past = calloc(runs, sizeof *b->past);
    b->loss = calloc(FIT_LANES, sizeof *b->loss);
    fit->target_mean = calloc((size_t)b->cells, sizeof *fit->target_mean);
    bool ok = b->stimulus && b->target && b->rate && b->past && b->loss && fit->target_mean;
    for (size_t i = 0; ok && i < runs; i++) {
        b->stimulus[i] = model_alloc((size_t)b->pixels * (size_t)b->frames);
        b->target[i] = model_alloc(answers);
        b->rate[i] = model_alloc(answers);
        b->past[i] = model_alloc((size_t)(b->cells * (b->past_bins + b->bins)));
        ok = b->stimulus[i] && b->target[i] && b->rate[i] && b->past[i];
    }
    for (int i = 0; ok && i < FIT_LANES; i++) {
        fit->lum[i] = model_alloc((size_t)b->pixels * (size_t)b->frames);
        ok = fit->lum[i] != NULL;
    }
    return ok;
}

static bool survey(Fit *fit, char *err)
{
    int64_t runs = (int64_t)FIT_LANES * fit->batch.runs, batches = fit_batches_in_epoch(fit);
    int64_t count = batches < SURVEY_BATCHES ? batches : SURVEY_BATCHES;
    int64_t *order = malloc((size_t)(batches * runs) * sizeof *order);
    bool ok = order || model_refuse(err, "not enough memory for the order of the runs");
    if (ok)
        fit_shuffle_runs(fit, order, batches * runs);
    for (int64_t i = 0; ok && fit->net.survey && i < count; i++)
        ok = fit_run_phases(fit, order + i * runs, fit->net.survey, fit->net.survey_count, err);
    free(order);
    return ok;
}

static bool open_net(Fit *fit, char *err)
{
    fit->state = (layers_of(&fit->spec) > 0 ? fit_cnn_open : fit_ln_open)(
        &fit->spec, &fit->info, &fit->batch, &fit->net, err);
    if (!fit->state)
        return false;
    fit->first = model_alloc(fit->net.param_count);
    fit->second = model_alloc(fit->net.param_count);
    fit->best = model_alloc(fit->net.param_count + fit->net.state_count);
    if (!fit->first || !fit->second || !fit->best)
        return model_refuse(err, "not enough memory for %zu parameters", fit->net.param_count);
    FitStart start = {fit->target_mean, fit->spec.word, fit->spec.word_ctx};
    return survey(fit, err) && fit->net.start(fit->state, &start, err);
}

Fit *fit_create(const FitSpec *spec, Dataset *data, char *err)
{
    openblas_set_num_threads(1);
    Fit *fit = calloc(1, sizeof *fit);
    if (!fit) {
        model_refuse(err, "not enough memory for a fit");
        return NULL;
    }
    pthread_mutex_init(&fit->reading, NULL);
    fit->spec = *spec;
    fit->data = data;
    fill_info(fit);
    fit->batch.cells = fit->info.cells;
    fit->batch.pixels = fit->info.width_px * fit->info.height_px;
    fit->used_bins = dataset_bins(data, DATASET_TRAIN);
    if (spec->minutes > 0.0)
        fit->used_bins =
            (int64_t)fmin((double)fit->used_bins, spec->minutes * 60.0 * fit->info.bin_hz);
    fit->train_bins = (int64_t)((double)fit->used_bins * (1.0 - spec->validation_share));
    fit->progress = (FitProgress){.best_loss = HUGE_VAL, .rate = spec->learning_rate};
    fit->batch.noise_seed = (uint64_t)spec->word(spec->word_ctx, FIT_STREAM_NOISE, 0) << 32 |
                            spec->word(spec->word_ctx, FIT_STREAM_NOISE, 1);
    bool ok = check_spec(spec, &fit->info, fit->train_bins, err);
    if (ok && !open_batch(fit))
        ok = model_refuse(err, "not enough memory for a minibatch");
    ok = ok && fit_measure_stimulus(fit, err) && fit_load_target(fit, DATASET_TRAIN, err);
    if (ok) {
        measure_target(fit);
        fit->crew = fit_crew_create(spec->threads);
        if (!fit->crew)
            ok = model_refuse(err, "could not start %d threads", spec->threads);
    }
    if (ok && open_net(fit, err))
        return fit;
    fit_destroy(fit);
    return NULL;
}

void fit_destroy(Fit *fit)
{
    if (!fit)
        return;
    fit_crew_destroy(fit->crew);
    if (fit->state)
        fit->net.close(fit->state);
    FitBatch *b = &fit->batch;
    for (int i = 0; i < fit->spec.batch_runs; i++) {
        free(b->stimulus ? b->stimulus[i] : NULL);
        free(b->target ? b->target[i] : NULL);
        free(b->rate ? b->rate[i] : NULL);
        free(b->past ? b->past[i] : NULL);
    }
    free(b->stimulus);
    free(b->target);
    free(b->rate);
    free(b->past);
    free(b->loss);
    for (int i = 0; i < FIT_LANES; i++)
        free(fit->lum[i]);
    free(fit->target);
    free(fit->spikes);
    free(fit->target_mean);
    free(fit->first);
    free(fit->second);
    free(fit->best);
    pthread_mutex_destroy(&fit->reading);
    free(fit);
}
