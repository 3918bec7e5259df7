#include "model/fit_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/kind.h"

typedef struct {
    float *seen;         // (cells, frames) stimulus through the filters in space
    float *drive;        // (cells, bins)
    float *past;         // (cells, frames) d loss / d seen
    float *time, *space; // gradients, (cells, lags) and (cells, pixels)
    double *bias;        // (cells)
    float *average;      // (cells, lags, pixels) response-weighted stimulus; NULL after the start
} Lane;

typedef struct {
    const FitBatch *batch;
    FitNet *net;
    int lags;
    float *time, *space, *bias; // in the parameter vector: (cells, lags), (cells, pixels), (cells)
    float *gain;                // (cells) ones, for the model file
    Lane lanes[FIT_LANES];
} FitLn;

static float *gradient_of(const FitLn *net, const float *param)
{
    return net->net->gradient + (param - net->net->params);
}

/* drive (cells, bins) := filters on the run, plus bias. */
static void filter_run(const FitLn *net, const Lane *lane, const float *stimulus)
{
    const FitBatch *b = net->batch;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, b->cells, b->frames, b->pixels, 1.0f,
                net->space, b->pixels, stimulus, b->frames, 0.0f, lane->seen, b->frames);
    for (int cell = 0; cell < b->cells; cell++) {
        const float *seen = lane->seen + cell * b->frames, *time = net->time + cell * net->lags;
        for (int t = 0; t < b->bins; t++) {
            float sum = net->bias[cell];
            for (int lag = 0; lag < net->lags; lag++)
                sum += time[lag] * seen[t + lag];
            lane->drive[cell * b->bins + t] = sum;
        }
    }
}

static void judge_run(const FitLn *net, int which, int r)
{
    const FitBatch *b = net->batch;
    const Lane *lane = &net->lanes[which];
    int index = which * b->runs + r, count = b->cells * b->bins;
    filter_run(net, lane, b->stimulus[index]);
    float share = 1.0f / (float)(count * b->lanes * b->runs);
    b->loss[which] += fit_poisson(count, share, b->target[index], lane->drive, b->rate[index]);
}

static void predict(void *self, int which)
{
    const FitLn *net = self;
    net->batch->loss[which] = 0.0;
    for (int r = 0; r < net->batch->runs; r++)
        judge_run(net, which, r);
}

/* Adds one run's share of the gradient; lane->drive holds d loss / d drive. */
static void back_run(const FitLn *net, const Lane *lane, const float *stimulus)
{
    const FitBatch *b = net->batch;
    memset(lane->past, 0, (size_t)(b->cells * b->frames) * sizeof *lane->past);
    for (int cell = 0; cell < b->cells; cell++) {
        const float *seen = lane->seen + cell * b->frames, *time = net->time + cell * net->lags;
        const float *slope = lane->drive + cell * b->bins;
        float *past = lane->past + cell * b->frames, *grad = lane->time + cell * net->lags;
        for (int t = 0; t < b->bins; t++) {
            lane->bias[cell] += (double)slope[t];
            for (int lag = 0; lag < net->lags; lag++) {
                past[t + lag] += time[lag] * slope[t];
                grad[lag] += seen[t + lag] * slope[t];
            }
        }
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, b->cells, b->pixels, b->frames, 1.0f,
                lane->past, b->frames, stimulus, b->frames, 1.0f, lane->space, b->pixels);
}

static void train(void *self, int which)
{
    const FitLn *net = self;
    const FitBatch *b = net->batch;
    const Lane *lane = &net->lanes[which];
    b->loss[which] = 0.0;
    memset(lane->time, 0, (size_t)(b->cells * net->lags) * sizeof *lane->time);
    memset(lane->space, 0, (size_t)(b->cells * b->pixels) * sizeof *lane->space);
    memset(lane->bias, 0, (size_t)b->cells * sizeof *lane->bias);
    for (int r = 0; r < b->runs; r++) {
        judge_run(net, which, r);
        back_run(net, lane, b->stimulus[which * b->runs + r]);
    }
}

static void gather(void *self)
{
    FitLn *net = self;
    const FitBatch *b = net->batch;
    memset(net->net->gradient, 0, net->net->param_count * sizeof *net->net->gradient);
    float *time = gradient_of(net, net->time), *space = gradient_of(net, net->space);
    float *bias = gradient_of(net, net->bias);
    for (int which = 0; which < b->lanes; which++) {
        const Lane *lane = &net->lanes[which];
        for (int i = 0; i < b->cells * net->lags; i++)
            time[i] += lane->time[i];
        for (int i = 0; i < b->cells * b->pixels; i++)
            space[i] += lane->space[i];
        for (int i = 0; i < b->cells; i++)
            bias[i] += (float)lane->bias[i];
    }
}

/* average (cells, lags, pixels) += Σ_t (target − its mean) · stimulus at every lag */
static void add_average(void *self, int which)
{
    const FitLn *net = self;
    const FitBatch *b = net->batch;
    const Lane *lane = &net->lanes[which];
    for (int r = 0; r < b->runs; r++) {
        int index = which * b->runs + r;
        for (int cell = 0; cell < b->cells; cell++) {
            const float *target = b->target[index] + cell * b->bins;
            float mean = 0.0f;
            for (int t = 0; t < b->bins; t++)
                mean += target[t] / (float)b->bins;
            for (int t = 0; t < b->bins; t++)
                lane->drive[cell * b->bins + t] = target[t] - mean;
        }
        for (int lag = 0; lag < net->lags; lag++)
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, b->cells, b->pixels, b->bins, 1.0f,
                        lane->drive, b->bins, b->stimulus[index] + lag, b->frames, 1.0f,
                        lane->average + lag * b->pixels, net->lags * b->pixels);
    }
}

static void nothing(void *self)
{
    (void)self;
}

static void begin(void *self, bool is_training)
{
    (void)self;
    (void)is_training;
}

/* values (count) := values scaled to length `length`; all zero stays zero. */
static void normalise(float *values, int count, float length)
{
    float norm = cblas_snrm2(count, values, 1);
    if (norm > 0.0f)
        cblas_sscal(count, length / norm, values, 1);
}

/* Best product of a filter in time and one in space, by power iteration on the spike-triggered
 * average. */
static bool start_net(void *self, const FitStart *start, char *err)
{
    enum { ITERATIONS = 30 };
    FitLn *net = self;
    const FitBatch *b = net->batch;
    float *average = net->lanes[0].average;
    (void)err;
    for (int which = 1; which < b->lanes; which++)
        cblas_saxpy(b->cells * net->lags * b->pixels, 1.0f, net->lanes[which].average, 1, average,
                    1);
    for (int cell = 0; cell < b->cells; cell++) {
        const float *sta = average + (size_t)cell * (size_t)(net->lags * b->pixels);
        float *time = net->time + cell * net->lags, *space = net->space + cell * b->pixels;
        for (int lag = 0; lag < net->lags; lag++)
            time[lag] = lag == net->lags - 1 - net->lags / 5 ? 1.0f : 0.1f;
        for (int i = 0; i < ITERATIONS; i++) {
            cblas_sgemv(CblasRowMajor, CblasTrans, net->lags, b->pixels, 1.0f, sta, b->pixels, time,
                        1, 0.0f, space, 1);
            normalise(space, b->pixels, 1.0f);
            cblas_sgemv(CblasRowMajor, CblasNoTrans, net->lags, b->pixels, 1.0f, sta, b->pixels,
                        space, 1, 0.0f, time, 1);
            normalise(time, net->lags, 1.0f);
        }
        normalise(space, b->pixels, 0.1f);
        double mean = fmax((double)start->target_mean[cell], 1e-3);
        net->bias[cell] = (float)log(expm1(mean));
    }
    for (int which = 0; which < b->lanes; which++) {
        free(net->lanes[which].average);
        net->lanes[which].average = NULL;
    }
    return true;
}

static void describe(void *self, ModelFile *file)
{
    FitLn *net = self;
    const ModelInfo *info = &file->info;
    const int time_dims[] = {info->cells, net->lags};
    const int space_dims[] = {info->cells, info->height_px, info->width_px};
    model_file_add(file, "filter_time", 2, time_dims, net->time);
    model_file_add(file, "filter_space", 3, space_dims, net->space);
    model_file_add(file, "offset", 1, &info->cells, net->bias);
    model_file_add(file, "gain", 1, &info->cells, net->gain);
}

static void close_net(void *self)
{
    FitLn *net = self;
    if (!net)
        return;
    for (int i = 0; i < FIT_LANES; i++) {
        Lane *lane = &net->lanes[i];
        float *blocks[] = {lane->seen, lane->drive, lane->past,
                           lane->time, lane->space, lane->average};
        for (size_t j = 0; j < sizeof blocks / sizeof *blocks; j++)
            free(blocks[j]);
        free(lane->bias);
    }
    free(net->gain);
    free(net->net->params);
    free(net->net->gradient);
    free(net->net->state);
    free(net);
}

static bool open_lane(const FitLn *net, Lane *lane)
{
    size_t cells = (size_t)net->batch->cells, frames = (size_t)net->batch->frames;
    size_t pixels = (size_t)net->batch->pixels, lags = (size_t)net->lags;
    lane->seen = model_alloc(cells * frames);
    lane->past = model_alloc(cells * frames);
    lane->drive = model_alloc(cells * (size_t)net->batch->bins);
    lane->time = model_alloc(cells * lags);
    lane->space = model_alloc(cells * pixels);
    lane->average = model_alloc(cells * lags * pixels);
    lane->bias = calloc(cells, sizeof *lane->bias);
    return lane->seen && lane->past && lane->drive && lane->time && lane->space && lane->average &&
           lane->bias;
}

static bool open_params(FitLn *net)
{
    FitNet *parts = net->net;
    size_t cells = (size_t)net->batch->cells, pixels = (size_t)net->batch->pixels;
    size_t lags = (size_t)net->lags;
    parts->tensors[0] = (FitTensor){"time", 0, cells * lags, 0.1f, true};
    parts->tensors[1] = (FitTensor){"space", cells * lags, cells * pixels, 0.01f, true};
    parts->tensors[2] = (FitTensor){"bias", cells * (lags + pixels), cells, 0.2f, false};
    parts->tensor_count = 3;
    parts->param_count = cells * (lags + pixels + 1);
    parts->params = model_alloc(parts->param_count);
    parts->gradient = model_alloc(parts->param_count);
    parts->state = model_alloc(1);
    net->gain = model_alloc(cells);
    if (!parts->params || !parts->gradient || !parts->state || !net->gain)
        return false;
    for (size_t i = 0; i < cells; i++)
        net->gain[i] = 1.0f;
    net->time = parts->params;
    net->space = parts->params + parts->tensors[1].at;
    net->bias = parts->params + parts->tensors[2].at;
    return true;
}

static const FitPhase survey_phases[] = {{add_average, NULL}};
static const FitPhase train_phases[] = {{train, gather}};
static const FitPhase predict_phases[] = {{predict, NULL}};

void *fit_ln_open(const FitSpec *spec, const ModelInfo *about, const FitBatch *batch, FitNet *parts,
                  char *err)
{
    FitLn *net = calloc(1, sizeof *net);
    (void)about;
    *parts = (FitNet){.survey = survey_phases,
                      .survey_count = 1,
                      .train = train_phases,
                      .train_count = 1,
                      .predict = predict_phases,
                      .predict_count = 1,
                      .changed = nothing,
                      .begin = begin,
                      .start = start_net,
                      .describe = describe,
                      .close = close_net};
    if (net) {
        net->batch = batch;
        net->net = parts;
        net->lags = spec->history_bins;
    }
    bool ok = net && open_params(net);
    for (int i = 0; ok && i < FIT_LANES; i++)
        ok = open_lane(net, &net->lanes[i]);
    if (ok)
        return net;
    model_refuse(err, "not enough memory to fit an LN model of %d cells", batch->cells);
    close_net(net);
    return NULL;
}
