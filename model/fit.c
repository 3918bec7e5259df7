#include "model/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/fit_state.h"
#include "model/kind.h"

enum { SURVEY_BATCHES = 24, STATISTICS_BINS = 500 };

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
    if (s->kind == FIT_CNN &&
        (s->channels[0] < 1 || s->channels[0] > 128 || s->channels[1] < 1 || s->channels[1] > 128))
        return model_refuse(err, "%d and %d channels; 1 to 128 each", s->channels[0],
                            s->channels[1]);
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

/* lum_mean and lum_sd over the whole train part. */
static bool measure_stimulus(Fit *fit, char *err)
{
    int64_t bins = dataset_bins(fit->data, DATASET_TRAIN);
    size_t pixels = (size_t)fit->batch.pixels;
    float *lum = malloc(STATISTICS_BINS * pixels * sizeof *lum);
    double sum = 0.0, square = 0.0, count = (double)bins * (double)pixels;
    bool ok = lum || model_refuse(err, "not enough memory to read the stimulus");
    for (int64_t at = 0; ok && at < bins; at += STATISTICS_BINS) {
        int n = (int)(bins - at < STATISTICS_BINS ? bins - at : STATISTICS_BINS);
        ok = dataset_read_lum(fit->data, DATASET_TRAIN, at, n, lum, err);
        for (size_t i = 0; ok && i < (size_t)n * pixels; i++) {
            sum += (double)lum[i];
            square += (double)lum[i] * (double)lum[i];
        }
    }
    free(lum);
    fit->info.lum_mean = sum / count;
    fit->info.lum_sd = sqrt(fmax(square / count - fit->info.lum_mean * fit->info.lum_mean, 0.0));
    if (ok && !(fit->info.lum_sd > 0.0))
        return model_refuse(err, "the stimulus never changes; nothing can be fitted to it");
    return ok;
}

bool fit_load_target(Fit *fit, DatasetPart part, char *err)
{
    int64_t bins = dataset_bins(fit->data, part);
    size_t count = (size_t)bins * (size_t)fit->batch.cells;
    free(fit->target);
    fit->target = malloc(count * sizeof *fit->target);
    if (!fit->target)
        return model_refuse(err, "not enough memory for the responses");
    if (!dataset_read_response(fit->data, part, fit->spec.target, 0, (int)bins, fit->target, err))
        return false;
    double unit_hz = fit->spec.target == DATASET_BINNED ? fit->info.bin_hz : 1.0;
    for (size_t i = 0; i < count; i++)
        fit->target[i] *= (float)(unit_hz / fit->spec.rate_scale_hz);
    fit->target_bins = bins;
    fit->part = part;
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
    snprintf(fit->info.kind, sizeof fit->info.kind, "%s", fit->spec.kind == FIT_CNN ? "cnn" : "ln");
}

static bool open_batch(Fit *fit)
{
    FitBatch *b = &fit->batch;
    b->lanes = FIT_LANES;
    b->runs = fit->spec.batch_runs / FIT_LANES;
    b->bins = fit->spec.run_bins;
    b->frames = b->bins + fit->spec.history_bins - 1;
    size_t runs = (size_t)fit->spec.batch_runs, answers = (size_t)(b->cells * b->bins);
    b->stimulus = calloc(runs, sizeof *b->stimulus);
    b->target = calloc(runs, sizeof *b->target);
    b->rate = calloc(runs, sizeof *b->rate);
    b->loss = calloc(FIT_LANES, sizeof *b->loss);
    fit->target_mean = calloc((size_t)b->cells, sizeof *fit->target_mean);
    bool ok = b->stimulus && b->target && b->rate && b->loss && fit->target_mean;
    for (size_t i = 0; ok && i < runs; i++) {
        b->stimulus[i] = model_alloc((size_t)b->pixels * (size_t)b->frames);
        b->target[i] = model_alloc(answers);
        b->rate[i] = model_alloc(answers);
        ok = b->stimulus[i] && b->target[i] && b->rate[i];
    }
    for (int i = 0; ok && i < FIT_LANES; i++) {
        fit->lum[i] = model_alloc((size_t)b->pixels * (size_t)b->frames);
        ok = fit->lum[i] != NULL;
    }
    return ok;
}

/* ---- one minibatch */

/* stimulus (pixels, frames) := normalised lum (frames, pixels), in tiles that stay in the cache. */
static void turn(const Fit *fit, const float *lum, float *stimulus)
{
    enum { TILE = 32 };
    int pixels = fit->batch.pixels, frames = fit->batch.frames;
    float mean = (float)fit->info.lum_mean, scale = (float)(1.0 / fit->info.lum_sd);
    for (int from = 0; from < pixels; from += TILE)
        for (int frame = 0; frame < frames; frame++)
            for (int i = from; i < pixels && i < from + TILE; i++)
                stimulus[i * frames + frame] = (lum[frame * pixels + i] - mean) * scale;
}

static void load_lane(void *context, int lane)
{
    Fit *fit = context;
    const FitBatch *b = &fit->batch;
    fit->load_err[lane][0] = '\0';
    for (int r = 0; r < b->runs; r++) {
        int index = lane * b->runs + r;
        int64_t from = fit->run_from[index];
        int64_t answer = from + fit->spec.history_bins - 1 + fit->spec.lag_bins;
        pthread_mutex_lock(&fit->reading);
        bool ok = dataset_read_lum(fit->data, fit->part, from, b->frames, fit->lum[lane],
                                   fit->load_err[lane]);
        pthread_mutex_unlock(&fit->reading);
        if (!ok)
            return;
        turn(fit, fit->lum[lane], b->stimulus[index]);
        for (int cell = 0; cell < b->cells; cell++)
            memcpy(b->target[index] + cell * b->bins,
                   fit->target + (int64_t)cell * fit->target_bins + answer,
                   (size_t)b->bins * sizeof(float));
    }
}

typedef struct {
    void *net;
    void (*lane)(void *net, int lane);
} Errand;

static void run_errand(void *context, int lane)
{
    const Errand *errand = context;
    errand->lane(errand->net, lane);
}

bool fit_run_phases(Fit *fit, const int64_t *run_from, const FitPhase *phases, int count, char *err)
{
    fit->run_from = run_from;
    fit_crew_run(fit->crew, FIT_LANES, load_lane, fit);
    for (int lane = 0; lane < FIT_LANES; lane++)
        if (fit->load_err[lane][0])
            return model_refuse(err, "%s", fit->load_err[lane]);
    for (int i = 0; i < count; i++) {
        Errand errand = {fit->state, phases[i].lane};
        fit_crew_run(fit->crew, FIT_LANES, run_errand, &errand);
        if (phases[i].join)
            phases[i].join(fit->state);
    }
    return true;
}

static float softplus(float x)
{
    return x > 20.0f ? x : log1pf(expf(x));
}

double fit_poisson(int count, float share, const float *target, float *drive, float *rate)
{
    const float least = 1e-6f;
    double loss = 0.0;
    for (int i = 0; i < count; i++) {
        float slope = 1.0f / (1.0f + expf(-drive[i]));
        rate[i] = softplus(drive[i]) + least;
        loss += (double)rate[i] - (double)target[i] * log((double)rate[i]);
        drive[i] = share * slope * (1.0f - target[i] / rate[i]);
    }
    return loss;
}

/* ---- epochs */

static int64_t batches_in_epoch(const Fit *fit)
{
    const FitBatch *b = &fit->batch;
    int64_t usable = fit->train_bins - fit->spec.history_bins - fit->spec.lag_bins - b->bins;
    return usable / b->bins / (b->lanes * b->runs);
}

/* Adam with decoupled decay (Kingma & Ba 2015; Loshchilov & Hutter 2019), its steps in the unit of
 * each tensor; the rate falls to 0 by a half cosine. */
static void update(Fit *fit)
{
    const float keep1 = 0.9f, keep2 = 0.999f, floor_gradient = 1e-12f;
    double total = (double)batches_in_epoch(fit) * fit->spec.epochs;
    double share = fmin(1.0, (double)fit->steps / total);
    double rate = 0.5 * fit->spec.learning_rate * (1.0 + cos(3.141592653589793 * share));
    fit->steps++;
    double unbias1 = 1.0 - pow((double)keep1, (double)fit->steps);
    double unbias2 = 1.0 - pow((double)keep2, (double)fit->steps);
    for (int i = 0; i < fit->net.tensor_count; i++) {
        const FitTensor *tensor = &fit->net.tensors[i];
        float step = (float)(rate * (double)tensor->size / unbias1);
        float pull = tensor->decays ? (float)(rate * fit->spec.decay) : 0.0f;
        float scale = (float)(1.0 / unbias2);
        for (size_t j = tensor->at; j < tensor->at + tensor->count; j++) {
            float g = fit->net.gradient[j];
            fit->first[j] = keep1 * fit->first[j] + (1.0f - keep1) * g;
            fit->second[j] = keep2 * fit->second[j] + (1.0f - keep2) * g * g;
            fit->net.params[j] -=
                pull * fit->net.params[j] +
                step * fit->first[j] / (sqrtf(fit->second[j] * scale) + floor_gradient);
        }
    }
    fit->net.changed(fit->state);
}

static uint32_t draw(const Fit *fit, uint64_t index)
{
    return fit->spec.word(fit->spec.word_ctx, FIT_STREAM_SHUFFLE + (uint32_t)fit->epochs, index);
}

/* order (runs) := where the runs of this epoch start, shuffled; they are shifted by a part of a run
 * every epoch. */
static void shuffle_runs(const Fit *fit, int64_t *order, int64_t runs)
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

static FitOutcome fit_batches(Fit *fit, const int64_t *order, const FitWatch *watch, double *loss,
                              char *err)
{
    int64_t batches = batches_in_epoch(fit), runs = (int64_t)FIT_LANES * fit->batch.runs;
    double sum = 0.0;
    fit->net.begin(fit->state, true);
    for (int64_t i = 0; i < batches; i++) {
        if (watch->stop && atomic_load(watch->stop))
            return FIT_STOPPED;
        if (!fit_run_phases(fit, order + i * runs, fit->net.train, fit->net.train_count, err))
            return FIT_FAILED;
        for (int lane = 0; lane < FIT_LANES; lane++)
            sum += fit->batch.loss[lane];
        update(fit);
        if (watch->progress)
            watch->progress(watch->ctx, fit->epochs * batches + i + 1, batches * fit->spec.epochs);
    }
    *loss = sum / ((double)batches * (double)runs * fit->batch.bins * fit->batch.cells);
    if (!isfinite(*loss)) {
        model_refuse(err, "the fit ran away (loss %g); a smaller learning_rate may hold it", *loss);
        return FIT_FAILED;
    }
    return FIT_DONE;
}

FitOutcome fit_epoch(Fit *fit, const FitWatch *watch, FitEpoch *epoch, char *err)
{
    int64_t runs = batches_in_epoch(fit) * FIT_LANES * fit->batch.runs;
    int64_t *order = malloc((size_t)runs * sizeof *order);
    if (!order || (fit->part != DATASET_TRAIN && !fit_load_target(fit, DATASET_TRAIN, err))) {
        if (!order)
            model_refuse(err, "not enough memory for the order of %lld runs", (long long)runs);
        free(order);
        return FIT_FAILED;
    }
    shuffle_runs(fit, order, runs);
    FitOutcome outcome = fit_batches(fit, order, watch, &epoch->train_loss, err);
    free(order);
    if (outcome != FIT_DONE)
        return outcome;
    epoch->epoch = ++fit->epochs;
    int64_t left = dataset_bins(fit->data, DATASET_TRAIN) - fit->train_bins;
    return fit_score(fit, DATASET_TRAIN, fit->train_bins, left, &epoch->validation, err)
               ? FIT_DONE
               : FIT_FAILED;
}

int fit_epochs_done(const Fit *fit)
{
    return fit->epochs;
}

/* ---- opening and closing */

static bool survey(Fit *fit, char *err)
{
    int64_t runs = (int64_t)FIT_LANES * fit->batch.runs, batches = batches_in_epoch(fit);
    int64_t count = batches < SURVEY_BATCHES ? batches : SURVEY_BATCHES;
    int64_t *order = malloc((size_t)(batches * runs) * sizeof *order);
    bool ok = order || model_refuse(err, "not enough memory for the order of the runs");
    if (ok)
        shuffle_runs(fit, order, batches * runs);
    for (int64_t i = 0; ok && fit->net.survey && i < count; i++)
        ok = fit_run_phases(fit, order + i * runs, fit->net.survey, fit->net.survey_count, err);
    free(order);
    return ok;
}

static bool open_net(Fit *fit, char *err)
{
    fit->state = fit->spec.kind == FIT_CNN
                     ? fit_cnn_open(&fit->spec, &fit->info, &fit->batch, &fit->net, err)
                     : fit_ln_open(&fit->spec, &fit->info, &fit->batch, &fit->net, err);
    if (!fit->state)
        return false;
    fit->first = model_alloc(fit->net.param_count);
    fit->second = model_alloc(fit->net.param_count);
    if (!fit->first || !fit->second)
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
    fit->train_bins =
        (int64_t)((double)dataset_bins(data, DATASET_TRAIN) * (1.0 - spec->validation_share));
    bool ok = check_spec(spec, &fit->info, fit->train_bins, err);
    if (ok && !open_batch(fit))
        ok = model_refuse(err, "not enough memory for a minibatch");
    ok = ok && measure_stimulus(fit, err) && fit_load_target(fit, DATASET_TRAIN, err);
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
    }
    free(b->stimulus);
    free(b->target);
    free(b->rate);
    free(b->loss);
    for (int i = 0; i < FIT_LANES; i++)
        free(fit->lum[i]);
    free(fit->target);
    free(fit->target_mean);
    free(fit->first);
    free(fit->second);
    pthread_mutex_destroy(&fit->reading);
    free(fit);
}
