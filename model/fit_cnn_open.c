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

/* norms values, folded, in the order of the file: (channels) or (channels, height, width). */
static void fold_norm(const FitLayer *layer, float *scale, float *shift)
{
    int pixels = layer->norms / layer->channels;
    for (int c = 0; c < layer->channels; c++)
        for (int i = 0; i < pixels; i++) {
            int from = i * layer->channels + c, to = c * pixels + i;
            scale[to] = layer->scale[from] / layer->running_sd[from];
            shift[to] = layer->shift[from] - scale[to] * layer->running_mean[from];
        }
}

static void describe_layer(FitCnn *net, int which, size_t *used, ModelFile *file)
{
    static const char *const names[2][4] = {{"conv1_weight", "conv1_bias", "scale1", "shift1"},
                                            {"conv2_weight", "conv2_bias", "scale2", "shift2"}};
    FitLayer *layer = &net->layer[which];
    const int weight_dims[] = {layer->channels, layer->inputs, layer->kernel, layer->kernel};
    const int norm_dims[] = {layer->channels, layer->height, layer->width};
    int norm_rank = layer->norms == layer->channels ? 1 : 3;
    float *bias = put(net, used, (size_t)layer->channels);
    float *scale = put(net, used, (size_t)layer->norms);
    float *shift = put(net, used, (size_t)layer->norms);
    for (int c = 0; c < layer->channels; c++)
        bias[c] = 0.0f; // batch-norm would take any away again
    fold_norm(layer, scale, shift);
    model_file_add(file, names[which][0], 4, weight_dims, layer->weight);
    model_file_add(file, names[which][1], 1, weight_dims, bias);
    model_file_add(file, names[which][2], norm_rank, norm_dims, scale);
    model_file_add(file, names[which][3], norm_rank, norm_dims, shift);
}

static void describe(void *self, ModelFile *file)
{
    FitCnn *net = self;
    const FitLayer *layer = &net->layer[net->layers - 1];
    int cells = net->batch->cells, pixels = layer->height * layer->width;
    const int dense_dims[] = {cells, net->units};
    size_t used = 0;
    for (int i = 0; i < net->layers; i++)
        describe_layer(net, i, &used, file);
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
        float *blocks[] = {run->stimulus, run->a1, run->z[0], run->z[1], run->g[0], run->g[1]};
        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
            free(blocks[i]);
    }
    float *blocks[] = {lane->rows,  lane->plane_row,  lane->noise,      lane->part,   lane->history,
                       lane->drive, lane->product[0], lane->product[1], lane->readout};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    free(lane->runs);
    free(lane->bias);
    free(lane->sums[0]);
    free(lane->sums[1]);
}

static void close_layer(FitLayer *layer)
{
    fit_dft_finish(&layer->dft);
    if (layer->stack.factors > 0) { // else both are places in the vectors
        free(layer->weight);
        free(layer->weight_gradient);
    }
    fit_stack_finish(&layer->stack);
    float *blocks[] = {layer->product,  layer->mean,      layer->sd,       layer->grad_mean,
                       layer->grad_dot, layer->transpose, layer->spectrum, layer->rows};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

static void close_net(void *self)
{
    FitCnn *net = self;
    if (!net)
        return;
    for (int i = 0; i < net->layers; i++)
        close_layer(&net->layer[i]);
    for (int i = 0; i < FIT_LANES; i++)
        close_lane(&net->lanes[i], net->batch->runs);
    free(net->file);
    free(net->net->params);
    free(net->net->gradient);
    free(net->net->state);
    free(net);
}

static bool open_layer(FitLayer *layer, bool is_stacked)
{
    size_t filters = (size_t)layer->channels * (size_t)layer->inputs;
    size_t norms = (size_t)layer->norms, kernel = (size_t)layer->kernel;
    if (!fit_dft_init(&layer->dft, layer->in_width, layer->in_height) ||
        (is_stacked &&
         !fit_stack_init(&layer->stack, layer->inputs, layer->channels, layer->kernel)))
        return false;
    if (is_stacked) {
        layer->weight = model_alloc(fit_layer_weights(layer));
        layer->weight_gradient = model_alloc(fit_layer_weights(layer));
    }
    layer->product = model_alloc(fit_layer_products(layer));
    layer->mean = model_alloc(norms);
    layer->sd = model_alloc(norms);
    layer->grad_mean = model_alloc(norms);
    layer->grad_dot = model_alloc(norms);
    layer->transpose = model_alloc(fit_layer_weights(layer));
    layer->spectrum = model_alloc(fit_layer_products(layer) / 2);
    layer->rows = model_alloc(kernel * 2 * (size_t)layer->dft.half * filters);
    return (!is_stacked || (layer->weight && layer->weight_gradient)) && layer->product &&
           layer->mean && layer->sd && layer->grad_mean && layer->grad_dot && layer->transpose &&
           layer->spectrum && layer->rows;
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t layer_units(const FitLayer *layer)
{
    return (size_t)(layer->width * layer->height * layer->channels);
}

static bool open_run(const FitCnn *net, FitCnnRun *run)
{
    const FitLayer *first = &net->layer[0], *second = &net->layer[1];
    size_t bins = (size_t)net->batch->bins, frames = (size_t)net->batch->frames;
    bool ok = true;
    run->stimulus = model_alloc((size_t)(2 * first->dft.half * first->dft.ny) * frames);
    for (int i = 0; i < net->layers; i++) {
        run->z[i] = model_alloc(layer_units(&net->layer[i]) * bins);
        run->g[i] = model_alloc(layer_units(&net->layer[i]) * bins);
        ok = ok && run->z[i] && run->g[i];
    }
    if (net->layers > 1) {
        int planes = 2 * second->dft.half * second->dft.ny * second->inputs;
        run->a1 = model_alloc((size_t)planes * bins);
        ok = ok && run->a1;
    }
    return ok && run->stimulus;
}

/* The scratch that every layer shares is as large as the largest wants it. */
static bool open_scratch(const FitCnn *net, FitCnnLane *lane)
{
    const FitLayer *first = &net->layer[0];
    size_t bins = (size_t)net->batch->bins, frames = (size_t)net->batch->frames;
    size_t rows = (size_t)(2 * first->dft.ny * first->dft.half) * frames, row = 0, part = 0;
    for (int i = 0; i < net->layers; i++) {
        const FitLayer *layer = &net->layer[i];
        size_t batch = (size_t)layer->channels * bins, half = 2 * (size_t)layer->dft.half;
        size_t inputs = i > 0 ? (size_t)layer->inputs * bins : 0;
        rows = most(rows, (size_t)layer->dft.ny * half * most(batch, inputs));
        row = most(row, (size_t)layer->width * batch);
        part = most(part, 2 * (size_t)layer->dft.ny * batch);
    }
    lane->rows = model_alloc(rows);
    lane->plane_row = model_alloc(row);
    lane->noise = model_alloc(row);
    lane->part = model_alloc(part);
    lane->history = model_alloc(2 * (size_t)first->inputs * bins);
    return lane->rows && lane->plane_row && lane->noise && lane->part && lane->history;
}

static bool open_lane(const FitCnn *net, FitCnnLane *lane)
{
    size_t cells = (size_t)net->batch->cells;
    bool ok = open_scratch(net, lane);
    lane->drive = model_alloc(cells * (size_t)net->batch->bins);
    lane->readout = model_alloc(cells * (size_t)net->units);
    lane->bias = calloc(cells, sizeof *lane->bias);
    lane->runs = calloc((size_t)net->batch->runs, sizeof *lane->runs);
    ok = ok && lane->drive && lane->readout && lane->bias && lane->runs;
    for (int i = 0; i < net->layers; i++) {
        lane->product[i] = model_alloc(fit_layer_products(&net->layer[i]));
        lane->sums[i] = calloc(2 * (size_t)net->layer[i].norms, sizeof *lane->sums[i]);
        ok = ok && lane->product[i] && lane->sums[i];
    }
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

/* One tensor for the kernels, or one for each factor of their stack: weights start as 1/√inputs. */
static void plan_weights(FitNet *parts, FitLayer *layer, const char *name)
{
    static const char *const factors[] = {"first factor", "factor"};
    layer->weight_at = parts->param_count;
    if (layer->stack.factors == 0) {
        size_t count = fit_layer_weights(layer), inputs = count / (size_t)layer->channels;
        add_tensor(parts, name, count, 1.0f / sqrtf((float)inputs), true);
    }
    for (int f = 0; f < layer->stack.factors; f++) {
        size_t count = fit_stack_at(&layer->stack, f + 1) - fit_stack_at(&layer->stack, f);
        size_t inputs = count / (size_t)layer->channels;
        add_tensor(parts, factors[f > 0], count, 1.0f / sqrtf((float)inputs), true);
    }
}

/* Initial sizes: batch-norm and bias move slower than their value of about 1, and each of the many
 * readout weights much slower, since they all move together. */
static void plan_tensors(FitCnn *net)
{
    static const char *const names[2][3] = {{"weight1", "scale1", "shift1"},
                                            {"weight2", "scale2", "shift2"}};
    FitNet *parts = net->net;
    for (int i = 0; i < net->layers; i++) {
        FitLayer *layer = &net->layer[i];
        plan_weights(parts, layer, names[i][0]);
        layer->scale_at = parts->param_count;
        add_tensor(parts, names[i][1], (size_t)layer->norms, 0.2f, false);
        layer->shift_at = parts->param_count;
        add_tensor(parts, names[i][2], (size_t)layer->norms, 0.2f, false);
        parts->state_count += 2 * (size_t)layer->norms;
    }
    size_t cells = (size_t)net->batch->cells;
    net->readout_at = parts->param_count;
    add_tensor(parts, "readout", cells * (size_t)net->units, 0.1f / sqrtf((float)net->units), true);
    net->bias_at = parts->param_count;
    add_tensor(parts, "bias", cells, 0.2f, false);
}

/* What the model file holds that the parameters do not have as they stand. */
static size_t file_count(const FitCnn *net)
{
    size_t cells = (size_t)net->batch->cells, count = cells * (size_t)(net->units + 2);
    for (int i = 0; i < net->layers; i++)
        count += (size_t)(net->layer[i].channels + 2 * net->layer[i].norms);
    return count;
}

static bool open_params(FitCnn *net)
{
    FitNet *parts = net->net;
    plan_tensors(net);
    parts->params = model_alloc(parts->param_count);
    parts->gradient = model_alloc(parts->param_count);
    parts->state = model_alloc(parts->state_count);
    net->file = model_alloc(file_count(net));
    if (!parts->params || !parts->gradient || !parts->state || !net->file)
        return false;
    float *state = parts->state;
    for (int i = 0; i < net->layers; i++) {
        FitLayer *layer = &net->layer[i];
        if (layer->stack.factors == 0) {
            layer->weight = parts->params + layer->weight_at;
            layer->weight_gradient = parts->gradient + layer->weight_at;
        }
        layer->scale = parts->params + layer->scale_at;
        layer->shift = parts->params + layer->shift_at;
        layer->running_mean = state;
        layer->running_sd = state + layer->norms;
        state += 2 * layer->norms;
    }
    return true;
}

static bool plan_layers(FitCnn *net, const FitSpec *spec, const ModelInfo *about, char *err)
{
    int width = about->width_px, height = about->height_px;
    net->layers = spec->kind == FIT_SUBUNIT ? 1 : 2;
    for (int i = 0; i < net->layers; i++) {
        FitLayer *layer = &net->layer[i];
        int kernel = spec->kernel_px[i];
        if (kernel < 1 || kernel > width || kernel > height)
            return model_refuse(err,
                                "layer %d has kernels of %d px on planes of %d by %d px; 1 to %d "
                                "px are allowed",
                                i + 1, kernel, width, height, width < height ? width : height);
        if (spec->is_stacked && (kernel < 3 || kernel % 2 == 0))
            return model_refuse(err,
                                "layer %d has kernels of %d px; a stack of 3 by 3 px makes odd "
                                "ones of 3 px and more",
                                i + 1, kernel);
        layer->in_width = width;
        layer->in_height = height;
        layer->kernel = kernel;
        layer->inputs = i == 0 ? spec->history_bins : spec->channels[0];
        layer->channels = spec->channels[i];
        width = layer->width = width - kernel + 1;
        height = layer->height = height - kernel + 1;
        layer->norms = layer->channels * (spec->norm == FIT_NORM_UNIT ? width * height : 1);
        net->units = width * height * layer->channels;
    }
    return true;
}

void *fit_cnn_open(const FitSpec *spec, const ModelInfo *about, const FitBatch *batch,
                   FitNet *parts, char *err)
{
    FitCnn *net = calloc(1, sizeof *net);
    *parts = (FitNet){.changed = fit_cnn_changed,
                      .begin = fit_cnn_begin,
                      .start = fit_cnn_start,
                      .describe = describe,
                      .close = close_net};
    bool ok = net != NULL;
    if (net) {
        net->batch = batch;
        net->net = parts;
        net->noise_sd = (float)spec->noise_sd;
        unit_noise_init(&net->noise);
        if (!plan_layers(net, spec, about, err)) {
            free(net);
            return NULL;
        }
        fit_cnn_plan(net->layers, parts);
    }
    for (int i = 0; ok && i < net->layers; i++)
        ok = open_layer(&net->layer[i], spec->is_stacked);
    ok = ok && open_params(net);
    for (int i = 0; ok && i < FIT_LANES; i++)
        ok = open_lane(net, &net->lanes[i]);
    if (ok)
        return net;
    model_refuse(err, "not enough memory to fit this network with %d runs of %d bins at a time",
                 batch->lanes * batch->runs, batch->bins);
    close_net(net);
    return NULL;
}
