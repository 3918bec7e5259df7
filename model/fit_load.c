#include "model/fit_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

enum { STATISTICS_BINS = 500 };

bool fit_measure_stimulus(Fit *fit, char *err)
{
    int64_t bins = fit->used_bins;
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

float *fit_read_response(const Fit *fit, DatasetPart part, DatasetResponse response, char *err)
{
    int64_t bins = dataset_bins(fit->data, part);
    float *values = malloc((size_t)bins * (size_t)fit->batch.cells * sizeof *values);
    if (!values)
        model_refuse(err, "not enough memory for the responses");
    else if (dataset_read_response(fit->data, part, response, 0, (int)bins, values, err))
        return values;
    free(values);
    return NULL;
}

bool fit_load_target(Fit *fit, DatasetPart part, char *err)
{
    free(fit->target);
    free(fit->spikes);
    fit->target_bins = dataset_bins(fit->data, part);
    fit->target = fit_read_response(fit, part, fit->spec.target, err);
    fit->spikes =
        fit->batch.past_bins > 0 ? fit_read_response(fit, part, DATASET_BINNED, err) : NULL;
    if (!fit->target || (fit->batch.past_bins > 0 && !fit->spikes))
        return false;
    double unit_hz = fit->spec.target == DATASET_BINNED ? fit->info.bin_hz : 1.0;
    for (int64_t i = 0; i < fit->target_bins * fit->batch.cells; i++)
        fit->target[i] *= (float)(unit_hz / fit->spec.rate_scale_hz);
    fit->part = part;
    return true;
}

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

/* The spikes of a run and the past_bins before it; none before the first bin of the part. */
static void copy_past(const Fit *fit, int index, int cell, int64_t answer)
{
    const FitBatch *b = &fit->batch;
    int count = b->past_bins > 0 ? b->past_bins + b->bins : 0;
    for (int i = 0; i < count; i++) {
        int64_t bin = answer - b->past_bins + i;
        b->past[index][cell * count + i] =
            bin < 0 ? 0.0f : fit->spikes[(int64_t)cell * fit->target_bins + bin];
    }
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
        for (int cell = 0; cell < b->cells; cell++) {
            int64_t at = (int64_t)cell * fit->target_bins + answer;
            memcpy(b->target[index] + cell * b->bins, fit->target + at,
                   (size_t)b->bins * sizeof(float));
            copy_past(fit, index, cell, answer);
        }
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

double fit_poisson(const FitBatch *batch, const float *target, float *drive, float *rate)
{
    int count = batch->cells * batch->bins;
    float share = 1.0f / (float)(count * batch->lanes * batch->runs);
    const float least = 1e-6f;
    double loss = 0.0;
    for (int i = 0; i < count; i++) {
        float slope = 1.0f / (1.0f + expf(-drive[i]));
        rate[i] = softplus(drive[i]) + least;
        loss += (double)rate[i] * (1.0 + (double)batch->l1_activity) -
                (double)target[i] * log((double)rate[i]);
        drive[i] = share * slope * (1.0f + batch->l1_activity - target[i] / rate[i]);
    }
    return loss;
}
