#include "model/fit_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

int64_t fit_batches_in_epoch(const Fit *fit)
{
    const FitBatch *b = &fit->batch;
    int64_t usable = fit->train_bins - fit->spec.history_bins - fit->spec.lag_bins - b->bins;
    return usable / b->bins / (b->lanes * b->runs);
}

/* In units of a tensor's initial size. */
static double rate_now(const Fit *fit)
{
    if (fit->spec.schedule == FIT_PLATEAU)
        return fit->progress.rate;
    double total = (double)fit_batches_in_epoch(fit) * fit->spec.epochs;
    double share = fmin(1.0, (double)fit->progress.steps / total);
    return 0.5 * fit->spec.learning_rate * (1.0 + cos(3.141592653589793 * share));
}

/* Adam with decoupled decay (Kingma & Ba 2015; Loshchilov & Hutter 2019), its steps in the unit of
 * each tensor. Returns the rate it took. */
static double update(Fit *fit)
{
    const float keep1 = 0.9f, keep2 = 0.999f, floor_gradient = 1e-12f;
    double rate = rate_now(fit);
    fit->batch.step = ++fit->progress.steps;
    double unbias1 = 1.0 - pow((double)keep1, (double)fit->progress.steps);
    double unbias2 = 1.0 - pow((double)keep2, (double)fit->progress.steps);
    for (int i = 0; i < fit->net.tensor_count; i++) {
        const FitTensor *tensor = &fit->net.tensors[i];
        float step = (float)(rate * (double)tensor->size / unbias1);
        float pull = tensor->decays ? (float)(rate * fit->spec.decay) : 0.0f;
        float square = tensor->decays ? (float)(2.0 * fit->spec.l2) : 0.0f;
        float scale = (float)(1.0 / unbias2);
        for (size_t j = tensor->at; j < tensor->at + tensor->count; j++) {
            float g = fit->net.gradient[j] + square * fit->net.params[j];
            fit->first[j] = keep1 * fit->first[j] + (1.0f - keep1) * g;
            fit->second[j] = keep2 * fit->second[j] + (1.0f - keep2) * g * g;
            fit->net.params[j] -=
                pull * fit->net.params[j] +
                step * fit->first[j] / (sqrtf(fit->second[j] * scale) + floor_gradient);
        }
    }
    fit->net.changed(fit->state);
    return rate;
}

static uint32_t draw(const Fit *fit, uint64_t index)
{
    return fit->spec.word(fit->spec.word_ctx, FIT_STREAM_SHUFFLE + (uint32_t)fit->progress.epochs,
                          index);
}

void fit_shuffle_runs(const Fit *fit, int64_t *order, int64_t runs)
{
    int64_t shift = draw(fit, 0) % (uint32_t)fit->batch.bins;
    for (int64_t i = 0; i < runs; i++)
        order[i] = shift + i * fit->batch.bins;
    for (int64_t i = runs - 1; i > 0; i--) {
        int64_t j = (int64_t)(draw(fit, (uint64_t)i) % (uint64_t)(i + 1));
        int64_t other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
}

static FitOutcome fit_batches(Fit *fit, const int64_t *order, const FitWatch *watch,
                              FitEpoch *epoch, char *err)
{
    int64_t batches = fit_batches_in_epoch(fit), runs = (int64_t)FIT_LANES * fit->batch.runs;
    double sum = 0.0;
    fit->net.begin(fit->state, true);
    for (int64_t i = 0; i < batches; i++) {
        if (watch->stop && atomic_load(watch->stop))
            return FIT_STOPPED;
        if (!fit_run_phases(fit, order + i * runs, fit->net.train, fit->net.train_count, err))
            return FIT_FAILED;
        for (int lane = 0; lane < FIT_LANES; lane++)
            sum += fit->batch.loss[lane];
        epoch->learning_rate = update(fit);
        if (watch->progress)
            watch->progress(watch->ctx, fit->progress.epochs * batches + i + 1,
                            batches * fit->spec.epochs);
    }
    epoch->train_loss = sum / ((double)batches * (double)runs * fit->batch.bins * fit->batch.cells);
    if (isfinite(epoch->train_loss))
        return FIT_DONE;
    model_refuse(err, "the fit ran away (loss %g); a smaller learning_rate may hold it",
                 epoch->train_loss);
    return FIT_FAILED;
}

/* Keeps the best model so far; on a plateau the steps become smaller. */
static void judge(Fit *fit, double validation_loss)
{
    FitProgress *p = &fit->progress;
    p->since_best++;
    p->since_change++;
    if (validation_loss < p->best_loss) {
        p->best_loss = validation_loss;
        p->best_epoch = p->epochs;
        p->since_best = p->since_change = 0;
        memcpy(fit->best, fit->net.params, fit->net.param_count * sizeof *fit->best);
        memcpy(fit->best + fit->net.param_count, fit->net.state,
               fit->net.state_count * sizeof *fit->best);
    } else if (fit->spec.schedule == FIT_PLATEAU && p->since_change >= fit->spec.plateau_epochs) {
        p->rate *= fit->spec.plateau_factor;
        p->since_change = 0;
    }
}

FitOutcome fit_epoch(Fit *fit, const FitWatch *watch, FitEpoch *epoch, char *err)
{
    int64_t runs = fit_batches_in_epoch(fit) * FIT_LANES * fit->batch.runs;
    int64_t *order = malloc((size_t)runs * sizeof *order);
    if (!order || (fit->part != DATASET_TRAIN && !fit_load_target(fit, DATASET_TRAIN, err))) {
        if (!order)
            model_refuse(err, "not enough memory for the order of %lld runs", (long long)runs);
        free(order);
        return FIT_FAILED;
    }
    fit_shuffle_runs(fit, order, runs);
    FitOutcome outcome = fit_batches(fit, order, watch, epoch, err);
    free(order);
    if (outcome != FIT_DONE)
        return outcome;
    epoch->epoch = (int)++fit->progress.epochs;
    if (!fit_score(fit, DATASET_TRAIN, fit->train_bins, fit->used_bins - fit->train_bins,
                   &epoch->validation, err))
        return FIT_FAILED;
    judge(fit, epoch->validation.loss);
    return FIT_DONE;
}

int fit_epochs_done(const Fit *fit)
{
    return (int)fit->progress.epochs;
}

int fit_best_epoch(const Fit *fit)
{
    return (int)fit->progress.best_epoch;
}

bool fit_is_over(const Fit *fit)
{
    int patience = fit->spec.patience_epochs;
    return fit->progress.epochs >= fit->spec.epochs ||
           (patience > 0 && fit->progress.since_best >= patience);
}
