#include "model/fit_cnn.h"

#include <math.h>
#include <stdlib.h>

#include "model/kind.h"

static float *put(FitCnn *net, size_t *used, size_t count)
{
    float *at = net->file + *used;
    *used += count;
    return at;
}

static void describe_layer(FitCnn *net, int which, size_t *used, ModelFile *file)
{
    static const char *const names[2][4] = {{"conv1_weight", "conv1_bias", "scale1", "shift1"},
                                            {"conv2_weight", "conv2_bias", "scale2", "shift2"}};
    FitLayer *layer = &net->layer[which];
    int c_count = layer->channels;
    const int weight_dims[] = {c_count, layer->inputs, layer->kernel, layer->kernel};
    float *bias = put(net, used, (size_t)c_count), *scale = put(net, used, (size_t)c_count);
    float *shift = put(net, used, (size_t)c_count);
    for (int c = 0; c < c_count; c++) {
        bias[c] = 0.0f; // batch-norm would take any away again
        scale[c] = layer->scale[c] / layer->running_sd[c];
        shift[c] = layer->shift[c] - scale[c] * layer->running_mean[c];
    }
    model_file_add(file, names[which][0], 4, weight_dims, layer->weight);
    model_file_add(file, names[which][1], 1, &c_count, bias);
    model_file_add(file, names[which][2], 1, &c_count, scale);
    model_file_add(file, names[which][3], 1, &c_count, shift);
}

static void describe(void *self, ModelFile *file)
{
    FitCnn *net = self;
    const FitLayer *layer = &net->layer[1];
    int cells = net->batch->cells, pixels = layer->height * layer->width;
    const int dense_dims[] = {cells, net->units};
    size_t used = 0;
    describe_layer(net, 0, &used, file);
    describe_layer(net, 1, &used, file);
    float *dense = put(net, &used, (size_t)cells * (size_t)net->units);
    float *scale = put(net, &used, (size_t)cells), *shift = put(net, &used, (size_t)cells);
    const float *readout = net->net->params + net->readout_at;
    for (int cell = 0; cell < cells; cell++) {
        for (int c = 0; c < layer->channels; c++)
            for (int i = 0; i < pixels; i++)
                dense[(cell * layer->channels + c) * pixels + i] =
                    readout[(cell * pixels + i) * layer->channels + c];
        scale[cell] = 1.0f;
        shift[cell] = net->net->params[net->bias_at + (size_t)cell];
    }
    model_file_add(file, "dense_weight", 2, dense_dims, dense);
    model_file_add(file, "dense_scale", 1, &cells, scale);
    model_file_add(file, "dense_shift", 1, &cells, shift);
}

static void close_lane(FitCnnLane *lane, int runs)
{
    for (int r = 0; lane->runs && r < runs; r++) {
        FitCnnRun *run = &lane->runs[r];
        float *blocks[] = {run->stimulus, run->z1, run->g1, run->a1, run->z2, run->g2};
        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
            free(blocks[i]);
    }
    float *blocks[] = {lane->rows,  lane->plane_row, lane->part,     lane->history,
                       lane->drive, lane->product1,  lane->product2, lane->readout};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    free(lane->runs);
    free(lane->bias);
    free(lane->sums[0]);
    free(lane->sums[1]);
}

static void close_net(void *self)
{
    FitCnn *net = self;
    if (!net)
        return;
    for (int i = 0; i < 2; i++) {
        FitLayer *layer = &net->layer[i];
        fit_dft_finish(&layer->dft);
        float *blocks[] = {layer->product,  layer->mean,      layer->sd,       layer->grad_mean,
                           layer->grad_dot, layer->transpose, layer->spectrum, layer->rows};
        for (size_t j = 0; j < sizeof blocks / sizeof *blocks; j++)
            free(blocks[j]);
    }
    for (int i = 0; i < FIT_LANES; i++)
        close_lane(&net->lanes[i], net->batch->runs);
    free(net->file);
    free(net->net->params);
    free(net->net->gradient);
    free(net->net->state);
    free(net);
}

static bool open_layer(FitLayer *layer)
{
    size_t filters = (size_t)layer->channels * (size_t)layer->inputs;
    size_t channels = (size_t)layer->channels, kernel = (size_t)layer->kernel;
    if (!fit_dft_init(&layer->dft, layer->in_width, layer->in_height))
        return false;
    layer->product = model_alloc(fit_layer_products(layer));
    layer->mean = model_alloc(channels);
    layer->sd = model_alloc(channels);
    layer->grad_mean = model_alloc(channels);
    layer->grad_dot = model_alloc(channels);
    layer->transpose = model_alloc(fit_layer_weights(layer));
    layer->spectrum = model_alloc(fit_layer_products(layer) / 2);
    layer->rows = model_alloc(kernel * 2 * (size_t)layer->dft.half * filters);
    return layer->product && layer->mean && layer->sd && layer->grad_mean && layer->grad_dot &&
           layer->transpose && layer->spectrum && layer->rows;
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool open_run(const FitCnn *net, FitCnnRun *run)
{
    const FitLayer *first = &net->layer[0], *second = &net->layer[1];
    size_t bins = (size_t)net->batch->bins, frames = (size_t)net->batch->frames;
    size_t units1 = (size_t)(first->width * first->height * first->channels) * bins;
    size_t units2 = (size_t)net->units * bins;
    run->stimulus = model_alloc((size_t)(2 * first->dft.half * first->dft.ny) * frames);
    run->z1 = model_alloc(units1);
    run->g1 = model_alloc(units1);
    run->a1 = model_alloc((size_t)(2 * second->dft.half * second->dft.ny * second->inputs) * bins);
    run->z2 = model_alloc(units2);
    run->g2 = model_alloc(units2);
    return run->stimulus && run->z1 && run->g1 && run->a1 && run->z2 && run->g2;
}

static bool open_lane(const FitCnn *net, FitCnnLane *lane)
{
    const FitLayer *first = &net->layer[0], *second = &net->layer[1];
    size_t bins = (size_t)net->batch->bins, frames = (size_t)net->batch->frames;
    size_t cells = (size_t)net->batch->cells;
    size_t c1 = (size_t)first->channels * bins, c2 = (size_t)second->channels * bins;
    size_t half1 = 2 * (size_t)first->dft.half, half2 = 2 * (size_t)second->dft.half;
    size_t ny1 = (size_t)first->dft.ny, ny2 = (size_t)second->dft.ny;
    lane->rows = model_alloc(most(most(ny1 * half1 * frames, ny2 * half1 * c1),
                                  most(ny2 * half2 * c1, ny2 * half2 * c2)));
    lane->plane_row = model_alloc(most((size_t)first->width * c1, (size_t)second->width * c2));
    lane->part = model_alloc(2 * most(ny1 * c1, ny2 * c2));
    lane->history = model_alloc(2 * (size_t)first->inputs * bins);
    lane->drive = model_alloc(cells * bins);
    lane->product1 = model_alloc(fit_layer_products(first));
    lane->product2 = model_alloc(fit_layer_products(second));
    lane->readout = model_alloc(cells * (size_t)net->units);
    lane->bias = calloc(cells, sizeof *lane->bias);
    lane->sums[0] = calloc(2 * (size_t)first->channels, sizeof *lane->sums[0]);
    lane->sums[1] = calloc(2 * (size_t)second->channels, sizeof *lane->sums[1]);
    lane->runs = calloc((size_t)net->batch->runs, sizeof *lane->runs);
    bool ok = lane->rows && lane->plane_row && lane->part && lane->history && lane->drive &&
              lane->product1 && lane->product2 && lane->readout && lane->bias && lane->sums[0] &&
              lane->sums[1] && lane->runs;
    for (int r = 0; ok && r < net->batch->runs; r++)
        ok = open_run(net, &lane->runs[r]);
    return ok;
}

static void add_tensor(FitNet *net, const char *name, size_t count, float size, bool decays)
{
    net->tensors[net->tensor_count++] = (FitTensor){
        .name = name, .at = net->param_count, .count = count, .size = size, .decays = decays};
    net->param_count += count;
}

/* Initial sizes: weights as 1/√inputs; batch-norm and bias move slower than their value of about 1,
 * and each of the many readout weights much slower, since they all move together. */
static void plan_tensors(FitCnn *net)
{
    static const char *const names[2][3] = {{"weight1", "scale1", "shift1"},
                                            {"weight2", "scale2", "shift2"}};
    FitNet *parts = net->net;
    for (int i = 0; i < 2; i++) {
        FitLayer *layer = &net->layer[i];
        size_t channels = (size_t)layer->channels;
        layer->weight_at = parts->param_count;
        add_tensor(parts, names[i][0], fit_layer_weights(layer),
                   1.0f / sqrtf((float)fit_layer_weights(layer) / (float)channels), true);
        layer->scale_at = parts->param_count;
        add_tensor(parts, names[i][1], channels, 0.2f, false);
        layer->shift_at = parts->param_count;
        add_tensor(parts, names[i][2], channels, 0.2f, false);
    }
    size_t cells = (size_t)net->batch->cells;
    net->readout_at = parts->param_count;
    add_tensor(parts, "readout", cells * (size_t)net->units, 0.1f / sqrtf((float)net->units), true);
    net->bias_at = parts->param_count;
    add_tensor(parts, "bias", cells, 0.2f, false);
    parts->state_count = 2 * (size_t)(net->layer[0].channels + net->layer[1].channels);
}

static bool open_params(FitCnn *net)
{
    FitNet *parts = net->net;
    plan_tensors(net);
    parts->params = model_alloc(parts->param_count);
    parts->gradient = model_alloc(parts->param_count);
    parts->state = model_alloc(parts->state_count);
    net->file = model_alloc(parts->param_count + 64 + 8 * (size_t)net->batch->cells +
                            6 * parts->state_count);
    if (!parts->params || !parts->gradient || !parts->state || !net->file)
        return false;
    float *state = parts->state;
    for (int i = 0; i < 2; i++) {
        FitLayer *layer = &net->layer[i];
        layer->weight = parts->params + layer->weight_at;
        layer->scale = parts->params + layer->scale_at;
        layer->shift = parts->params + layer->shift_at;
        layer->running_mean = state;
        layer->running_sd = state + layer->channels;
        state += 2 * layer->channels;
    }
    return true;
}

static bool plan_layers(FitCnn *net, const FitSpec *spec, const ModelInfo *about, char *err)
{
    int width = about->width_px, height = about->height_px;
    for (int i = 0; i < 2; i++) {
        FitLayer *layer = &net->layer[i];
        int kernel = spec->kernel_px[i];
        if (kernel < 1 || kernel > width || kernel > height)
            return model_refuse(err,
                                "layer %d has kernels of %d px on planes of %d by %d px; 1 to %d "
                                "px are allowed",
                                i + 1, kernel, width, height, width < height ? width : height);
        layer->in_width = width;
        layer->in_height = height;
        layer->kernel = kernel;
        layer->inputs = i == 0 ? spec->history_bins : spec->channels[0];
        layer->channels = spec->channels[i];
        width = layer->width = width - kernel + 1;
        height = layer->height = height - kernel + 1;
    }
    net->units = width * height * spec->channels[1];
    return true;
}

void *fit_cnn_open(const FitSpec *spec, const ModelInfo *about, const FitBatch *batch,
                   FitNet *parts, char *err)
{
    FitCnn *net = calloc(1, sizeof *net);
    *parts = (FitNet){.train = fit_cnn_train,
                      .train_count = FIT_CNN_TRAIN_PHASES,
                      .predict = fit_cnn_predict,
                      .predict_count = FIT_CNN_PREDICT_PHASES,
                      .changed = fit_cnn_changed,
                      .begin = fit_cnn_begin,
                      .start = fit_cnn_start,
                      .describe = describe,
                      .close = close_net};
    if (net) {
        net->batch = batch;
        net->net = parts;
        if (!plan_layers(net, spec, about, err)) {
            free(net);
            return NULL;
        }
    }
    bool ok = net && open_layer(&net->layer[0]) && open_layer(&net->layer[1]) && open_params(net);
    for (int i = 0; ok && i < FIT_LANES; i++)
        ok = open_lane(net, &net->lanes[i]);
    if (ok)
        return net;
    model_refuse(err, "not enough memory to fit this network with %d runs of %d bins at a time",
                 batch->lanes * batch->runs, batch->bins);
    close_net(net);
    return NULL;
}
