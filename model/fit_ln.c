#include "model/fit_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/kind.h"

typedef struct {
    float *window; // (pixels of the window, frames) of one cell
    float *seen;  // (lags, frames) the window through the filter of each lag; back: d loss / d seen
    float *drive; // (cells, bins)
    float *filter, *memory; // gradients, (cells, lags, pixels of the window) and (cells, past bins)
    double *bias;           // (cells) likewise
    float *average; // (cells, lags, pixels) response-weighted stimulus; NULL after the start
} Lane;

/* LN, and GLM where the batch brings the past spikes. */
typedef struct {
    const FitBatch *batch;
    FitNet *net;
    int lags, width, height, side, taps; // raster; window and its pixels
    float *filter, *memory, *bias;       // parameters: (cells, lags, taps), (cells, past), (cells)
    float *left, *top;                   // (cells) the window's corner, in the state vector
    float *gain;                         // (cells) ones, for the model file
    Lane lanes[FIT_LANES];
} FitLn;

static float *gradient_of(const FitLn *net, const float *param)
{
    return net->net->gradient + (param - net->net->params);
}

static void cut_window(const FitLn *net, int cell, const float *stimulus, float *window)
{
    size_t frames = (size_t)net->batch->frames, row = (size_t)net->side * frames;
    for (int y = 0; y < net->side; y++) {
        int from = ((int)net->top[cell] + y) * net->width + (int)net->left[cell];
        memcpy(window + (size_t)y * row, stimulus + (size_t)from * frames, row * sizeof *window);
    }
}

/* drive (bins) of one cell := bias + Σ filter · stimulus + Σ memory · past spikes */
static void drive_cell(const FitLn *net, const Lane *lane, int index, int cell)
{
    const FitBatch *b = net->batch;
    float *drive = lane->drive + cell * b->bins;
    cut_window(net, cell, b->stimulus[index], lane->window);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, net->lags, b->frames, net->taps, 1.0f,
                net->filter + cell * net->lags * net->taps, net->taps, lane->window, b->frames,
                0.0f, lane->seen, b->frames);
    for (int t = 0; t < b->bins; t++)
        drive[t] = net->bias[cell];
    for (int lag = 0; lag < net->lags; lag++)
        for (int t = 0; t < b->bins; t++)
            drive[t] += lane->seen[lag * b->frames + t + lag];
    const float *past = b->past[index] + cell * (b->past_bins + b->bins);
    for (int i = 0; i < b->past_bins; i++)
        for (int t = 0; t < b->bins; t++)
            drive[t] += net->memory[cell * b->past_bins + i] * past[t + i];
}

static void judge_run(const FitLn *net, int which, int r)
{
    const FitBatch *b = net->batch;
    const Lane *lane = &net->lanes[which];
    int index = which * b->runs + r;
    for (int cell = 0; cell < b->cells; cell++)
        drive_cell(net, lane, index, cell);
    b->loss[which] += fit_poisson(b, b->target[index], lane->drive, b->rate[index]);
}

static void predict(void *self, int which)
{
    const FitLn *net = self;
    net->batch->loss[which] = 0.0;
    for (int r = 0; r < net->batch->runs; r++)
        judge_run(net, which, r);
}

/* Adds one cell's share of one run to the gradient; lane->drive holds d loss / d drive. */
static void back_cell(const FitLn *net, const Lane *lane, int index, int cell)
{
    const FitBatch *b = net->batch;
    const float *slope = lane->drive + cell * b->bins;
    memset(lane->seen, 0, (size_t)(net->lags * b->frames) * sizeof *lane->seen);
    for (int lag = 0; lag < net->lags; lag++)
        memcpy(lane->seen + lag * b->frames + lag, slope, (size_t)b->bins * sizeof *slope);
    for (int t = 0; t < b->bins; t++)
        lane->bias[cell] += (double)slope[t];
    const float *past = b->past[index] + cell * (b->past_bins + b->bins);
    for (int i = 0; i < b->past_bins; i++)
        lane->memory[cell * b->past_bins + i] += cblas_sdot(b->bins, slope, 1, past + i, 1);
    cut_window(net, cell, b->stimulus[index], lane->window);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, net->lags, net->taps, b->frames, 1.0f,
                lane->seen, b->frames, lane->window, b->frames, 1.0f,
                lane->filter + cell * net->lags * net->taps, net->taps);
}

static void train(void *self, int which)
{
    const FitLn *net = self;
    const FitBatch *b = net->batch;
    const Lane *lane = &net->lanes[which];
    b->loss[which] = 0.0;
    memset(lane->filter, 0, (size_t)(b->cells * net->lags * net->taps) * sizeof *lane->filter);
    memset(lane->memory, 0, (size_t)(b->cells * b->past_bins) * sizeof *lane->memory);
    memset(lane->bias, 0, (size_t)b->cells * sizeof *lane->bias);
    for (int r = 0; r < b->runs; r++) {
        judge_run(net, which, r);
        for (int cell = 0; cell < b->cells; cell++)
            back_cell(net, lane, which * b->runs + r, cell);
    }
}

static void gather(void *self)
{
    FitLn *net = self;
    const FitBatch *b = net->batch;
    memset(net->net->gradient, 0, net->net->param_count * sizeof *net->net->gradient);
    float *filter = gradient_of(net, net->filter), *memory = gradient_of(net, net->memory);
    float *bias = gradient_of(net, net->bias);
    for (int which = 0; which < b->lanes; which++) {
        const Lane *lane = &net->lanes[which];
        cblas_saxpy(b->cells * net->lags * net->taps, 1.0f, lane->filter, 1, filter, 1);
        cblas_saxpy(b->cells * b->past_bins, 1.0f, lane->memory, 1, memory, 1);
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

/* Σ of sta² over lags and a window with its corner there. */
static double window_power(const FitLn *net, const float *power, int left, int top)
{
    double sum = 0.0;
    for (int y = top; y < top + net->side; y++)
        for (int x = left; x < left + net->side; x++)
            sum += (double)power[y * net->width + x];
    return sum;
}

/* The window is laid where the spike-triggered average sta (lags, pixels) has most power; power
 * (pixels) is scratch. */
static void place_window(FitLn *net, int cell, const float *sta, float *power)
{
    double most = -1.0;
    for (int i = 0; i < net->batch->pixels; i++) {
        power[i] = 0.0f;
        for (int lag = 0; lag < net->lags; lag++) {
            float value = sta[lag * net->batch->pixels + i];
            power[i] += value * value;
        }
    }
    for (int top = 0; top + net->side <= net->height; top++)
        for (int left = 0; left + net->side <= net->width; left++) {
            double sum = window_power(net, power, left, top);
            if (sum > most) {
                most = sum;
                net->left[cell] = (float)left;
                net->top[cell] = (float)top;
            }
        }
}

/* filter (lags, taps) := the average within the window, at a length at which the drive neither
 * saturates nor vanishes. */
static void start_filter(FitLn *net, int cell, const float *sta)
{
    const float length = 0.1f;
    float *filter = net->filter + cell * net->lags * net->taps;
    for (int lag = 0; lag < net->lags; lag++)
        for (int i = 0; i < net->taps; i++) {
            int y = (int)net->top[cell] + i / net->side, x = (int)net->left[cell] + i % net->side;
            filter[lag * net->taps + i] = sta[(lag * net->height + y) * net->width + x];
        }
    float norm = cblas_snrm2(net->lags * net->taps, filter, 1);
    if (norm > 0.0f)
        cblas_sscal(net->lags * net->taps, length / norm, filter, 1);
}

static bool start_net(void *self, const FitStart *start, char *err)
{
    FitLn *net = self;
    const FitBatch *b = net->batch;
    float *average = net->lanes[0].average;
    int count = net->lags * b->pixels;
    float *power = model_alloc((size_t)b->pixels);
    if (!power)
        return model_refuse(err, "not enough memory to lay the windows");
    for (int which = 1; which < b->lanes; which++)
        cblas_saxpy(b->cells * count, 1.0f, net->lanes[which].average, 1, average, 1);
    for (int cell = 0; cell < b->cells; cell++) {
        const float *sta = average + (size_t)cell * (size_t)count;
        place_window(net, cell, sta, power);
        start_filter(net, cell, sta);
        double mean = fmax((double)start->target_mean[cell], 1e-3);
        net->bias[cell] = (float)log(expm1(mean));
    }
    free(power);
    for (int which = 0; which < b->lanes; which++) {
        free(net->lanes[which].average);
        net->lanes[which].average = NULL;
    }
    return true;
}

static void describe(void *self, ModelFile *file)
{
    FitLn *net = self;
    int cells = file->info.cells;
    const int filter_dims[] = {cells, net->lags, net->side, net->side};
    const int memory_dims[] = {cells, net->batch->past_bins};
    model_file_add(file, "filter", 4, filter_dims, net->filter);
    model_file_add(file, "filter_left", 1, &cells, net->left);
    model_file_add(file, "filter_top", 1, &cells, net->top);
    model_file_add(file, "offset", 1, &cells, net->bias);
    model_file_add(file, "gain", 1, &cells, net->gain);
    if (net->batch->past_bins > 0)
        model_file_add(file, "memory", 2, memory_dims, net->memory);
}

static void close_net(void *self)
{
    FitLn *net = self;
    if (!net)
        return;
    for (int i = 0; i < FIT_LANES; i++) {
        Lane *lane = &net->lanes[i];
        float *blocks[] = {lane->window, lane->seen,   lane->drive,
                           lane->filter, lane->memory, lane->average};
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
    lane->window = model_alloc((size_t)net->taps * frames);
    lane->seen = model_alloc(lags * frames);
    lane->drive = model_alloc(cells * (size_t)net->batch->bins);
    lane->filter = model_alloc(cells * lags * (size_t)net->taps);
    lane->memory = model_alloc(cells * (size_t)net->batch->past_bins + 1);
    lane->average = model_alloc(cells * lags * pixels);
    lane->bias = calloc(cells, sizeof *lane->bias);
    return lane->window && lane->seen && lane->drive && lane->filter && lane->memory &&
           lane->average && lane->bias;
}

static bool open_params(FitLn *net)
{
    FitNet *parts = net->net;
    size_t cells = (size_t)net->batch->cells, filters = cells * (size_t)(net->lags * net->taps);
    size_t memories = cells * (size_t)net->batch->past_bins;
    parts->tensors[0] = (FitTensor){"filter", 0, filters, 0.01f, true};
    parts->tensors[1] = (FitTensor){"bias", filters, cells, 0.2f, false};
    parts->tensors[2] = (FitTensor){"memory", filters + cells, memories, 0.1f, true};
    parts->tensor_count = memories > 0 ? 3 : 2;
    parts->param_count = filters + cells + memories;
    parts->state_count = 2 * cells;
    parts->params = model_alloc(parts->param_count);
    parts->gradient = model_alloc(parts->param_count);
    parts->state = model_alloc(parts->state_count);
    net->gain = model_alloc(cells);
    if (!parts->params || !parts->gradient || !parts->state || !net->gain)
        return false;
    for (size_t i = 0; i < cells; i++)
        net->gain[i] = 1.0f;
    net->filter = parts->params;
    net->bias = parts->params + parts->tensors[1].at;
    net->memory = parts->params + parts->tensors[2].at;
    net->left = parts->state;
    net->top = parts->state + cells;
    return true;
}

static const FitPhase survey_phases[] = {{add_average, NULL}};
static const FitPhase train_phases[] = {{train, gather}};
static const FitPhase predict_phases[] = {{predict, NULL}};

static bool check_window(const FitSpec *spec, const ModelInfo *about, char *err)
{
    int most = about->width_px < about->height_px ? about->width_px : about->height_px;
    if (spec->window_px >= 1 && spec->window_px <= most)
        return true;
    return model_refuse(err, "a window of %d px on a raster of %d by %d px; 1 to %d are allowed",
                        spec->window_px, about->width_px, about->height_px, most);
}

void *fit_ln_open(const FitSpec *spec, const ModelInfo *about, const FitBatch *batch, FitNet *parts,
                  char *err)
{
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
    if (!check_window(spec, about, err))
        return NULL;
    FitLn *net = calloc(1, sizeof *net);
    if (net) {
        net->batch = batch;
        net->net = parts;
        net->lags = spec->history_bins;
        net->width = about->width_px;
        net->height = about->height_px;
        net->side = spec->window_px;
        net->taps = net->side * net->side;
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
