#include "model/fit_cnn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

static const float VARIANCE_FLOOR = 1e-3f; // as in the published networks
static const float RUNNING_SHARE = 0.02f;

size_t fit_layer_weights(const FitLayer *layer)
{
    return (size_t)layer->channels * (size_t)layer->inputs * (size_t)layer->kernel *
           (size_t)layer->kernel;
}

size_t fit_layer_products(const FitLayer *layer)
{
    return (size_t)layer->dft.half * (size_t)layer->dft.ny * 4 * (size_t)layer->channels *
           (size_t)layer->inputs;
}

/* planes (kernel, kernel, channels * inputs) from or to weights (channels, inputs, kernel,
 * kernel). */
static void reorder(const FitLayer *layer, const float *from, float *to, bool to_planes)
{
    int filters = layer->channels * layer->inputs, taps = layer->kernel * layer->kernel;
    for (int filter = 0; filter < filters; filter++)
        for (int tap = 0; tap < taps; tap++) {
            if (to_planes)
                to[tap * filters + filter] = from[filter * taps + tap];
            else
                to[filter * taps + tap] = from[tap * filters + filter];
        }
}

/* The product matrix of a frequency is conj(W) on (re, im) of the inputs:
 *     re out |  Wr  Wi |
 *     im out | -Wi  Wr |                                                                      */
static void fill_product(FitLayer *layer)
{
    int c_count = layer->channels, i_count = layer->inputs, filters = c_count * i_count;
    int frequencies = layer->dft.half * layer->dft.ny;
    for (int f = 0; f < frequencies; f++) {
        const float *re = layer->spectrum + (size_t)f * 2 * (size_t)filters, *im = re + filters;
        float *product = layer->product + (size_t)f * 4 * (size_t)filters;
        for (int c = 0; c < c_count; c++) {
            float *row_re = product + c * 2 * i_count, *row_im = row_re + 2 * filters;
            for (int i = 0; i < i_count; i++) {
                row_re[i] = row_im[i_count + i] = re[c * i_count + i];
                row_re[i_count + i] = im[c * i_count + i];
                row_im[i] = -im[c * i_count + i];
            }
        }
    }
}

static void transform_weights(FitLayer *layer)
{
    int filters = layer->channels * layer->inputs, kernel = layer->kernel;
    reorder(layer, layer->weight, layer->transpose, true);
    for (int y = 0; y < kernel; y++)
        fit_dft_row(&layer->dft, kernel, filters,
                    layer->transpose + (size_t)y * (size_t)(kernel * filters),
                    layer->rows + (size_t)y * (size_t)(2 * layer->dft.half * filters));
    for (int kx = 0; kx < layer->dft.half; kx++)
        fit_dft_column(&layer->dft, kernel, filters, kx, layer->rows,
                       layer->spectrum + (size_t)kx * (size_t)(2 * layer->dft.ny * filters));
    fill_product(layer);
}

void fit_cnn_changed(void *self)
{
    FitCnn *net = self;
    for (int i = 0; i < net->layers; i++) {
        FitLayer *layer = &net->layer[i];
        if (layer->stack.factors > 0)
            fit_stack_collapse(&layer->stack, net->net->params + layer->weight_at, layer->weight);
        transform_weights(layer);
    }
}

void fit_cnn_begin(void *self, bool is_training)
{
    FitCnn *net = self;
    net->is_training = is_training;
    for (int i = 0; i < net->layers && !is_training; i++) {
        size_t bytes = (size_t)net->layer[i].norms * sizeof(float);
        memcpy(net->layer[i].mean, net->layer[i].running_mean, bytes);
        memcpy(net->layer[i].sd, net->layer[i].running_sd, bytes);
    }
}

static double lane_sum(const FitCnn *net, int which, int index)
{
    double sum = 0.0;
    for (int lane = 0; lane < net->batch->lanes; lane++)
        sum += net->lanes[lane].sums[which][index];
    return sum;
}

static double normalised_count(const FitCnn *net, const FitLayer *layer)
{
    const FitBatch *batch = net->batch;
    double values = (double)layer->width * layer->height * layer->channels * batch->bins;
    return values * batch->runs * batch->lanes / layer->norms;
}

static void normalise(FitCnn *net, int which)
{
    FitLayer *layer = &net->layer[which];
    double count = normalised_count(net, layer);
    for (int c = 0; c < layer->norms; c++) {
        double mean = lane_sum(net, which, c) / count;
        double square = lane_sum(net, which, layer->norms + c) / count;
        layer->mean[c] = (float)mean;
        layer->sd[c] = sqrtf((float)fmax(square - mean * mean, 0.0) + VARIANCE_FLOOR);
        layer->running_mean[c] += RUNNING_SHARE * (layer->mean[c] - layer->running_mean[c]);
        layer->running_sd[c] += RUNNING_SHARE * (layer->sd[c] - layer->running_sd[c]);
    }
}

static void normalise1(void *self)
{
    normalise(self, 0);
}

static void normalise2(void *self)
{
    normalise(self, 1);
}

static void gather_norm(FitCnn *net, int which)
{
    FitLayer *layer = &net->layer[which];
    double count = normalised_count(net, layer);
    for (int c = 0; c < layer->norms; c++) {
        double shift = lane_sum(net, which, c), scale = lane_sum(net, which, layer->norms + c);
        net->net->gradient[layer->shift_at + (size_t)c] = (float)shift;
        net->net->gradient[layer->scale_at + (size_t)c] = (float)scale;
        // batch-norm scales after normalising: the mean over what is normalised carries the scale
        layer->grad_mean[c] = (float)(shift / count);
        layer->grad_dot[c] = (float)(scale / count);
    }
}

static void gather_readout(void *self)
{
    FitCnn *net = self;
    size_t cells = (size_t)net->batch->cells, count = cells * (size_t)net->units;
    gather_norm(net, net->layers - 1);
    float *readout = net->net->gradient + net->readout_at;
    float *bias = net->net->gradient + net->bias_at;
    memset(readout, 0, count * sizeof *readout);
    memset(bias, 0, cells * sizeof *bias);
    for (int lane = 0; lane < net->batch->lanes; lane++) {
        for (size_t i = 0; i < count; i++)
            readout[i] += net->lanes[lane].readout[i];
        for (size_t i = 0; i < cells; i++)
            bias[i] += (float)net->lanes[lane].bias[i];
    }
}

static void gather_norm1(void *self)
{
    gather_norm(self, 0);
}

/* spectrum := conj(G) · X from the four real products, summed over the lanes. */
static void gather_product(FitLayer *layer, float *const *products)
{
    int c_count = layer->channels, i_count = layer->inputs, filters = c_count * i_count;
    int frequencies = layer->dft.half * layer->dft.ny;
    size_t total = fit_layer_products(layer);
    for (int lane = 1; lane < FIT_LANES; lane++)
        for (size_t i = 0; i < total; i++)
            products[0][i] += products[lane][i];
    for (int f = 0; f < frequencies; f++) {
        const float *product = products[0] + (size_t)f * 4 * (size_t)filters;
        float *re = layer->spectrum + (size_t)f * 2 * (size_t)filters, *im = re + filters;
        for (int c = 0; c < c_count; c++) {
            const float *row_re = product + c * 2 * i_count, *row_im = row_re + 2 * filters;
            for (int i = 0; i < i_count; i++) {
                re[c * i_count + i] = row_re[i] + row_im[i_count + i];
                im[c * i_count + i] = row_re[i_count + i] - row_im[i];
            }
        }
    }
}

static void gather_weights(FitCnn *net, FitLayer *layer, float *const *products)
{
    int filters = layer->channels * layer->inputs, kernel = layer->kernel;
    gather_product(layer, products);
    for (int kx = 0; kx < layer->dft.half; kx++)
        fit_dft_column_back(&layer->dft, kernel, filters, kx,
                            layer->spectrum + (size_t)kx * (size_t)(2 * layer->dft.ny * filters),
                            layer->rows);
    for (int y = 0; y < kernel; y++)
        fit_dft_row_back(&layer->dft, kernel, filters,
                         layer->rows + (size_t)y * (size_t)(2 * layer->dft.half * filters),
                         layer->transpose + (size_t)y * (size_t)(kernel * filters));
    reorder(layer, layer->transpose, layer->weight_gradient, false);
    if (layer->stack.factors > 0)
        fit_stack_back(&layer->stack, net->net->params + layer->weight_at, layer->weight_gradient,
                       net->net->gradient + layer->weight_at);
}

static void gather_all(void *self)
{
    FitCnn *net = self;
    for (int i = 0; i < net->layers; i++) {
        float *products[FIT_LANES];
        for (int lane = 0; lane < FIT_LANES; lane++)
            products[lane] = net->lanes[lane].product[i];
        gather_weights(net, &net->layer[i], products);
    }
}

void fit_cnn_plan(int layers, FitNet *parts)
{
    static const FitPhase train[] = {
        {fit_cnn_forward1, normalise1},    {fit_cnn_forward2, normalise2},
        {fit_cnn_readout, gather_readout}, {fit_cnn_back2, gather_norm1},
        {fit_cnn_back1, gather_all},
    };
    static const FitPhase train_single[] = {
        {fit_cnn_forward1, normalise1},
        {fit_cnn_readout, gather_readout},
        {fit_cnn_back1, gather_all},
    };
    static const FitPhase predict[] = {
        {fit_cnn_forward1, NULL}, {fit_cnn_forward2, NULL}, {fit_cnn_readout_only, NULL}};
    static const FitPhase predict_single[] = {{fit_cnn_forward1, NULL},
                                              {fit_cnn_readout_only, NULL}};
    bool is_single = layers == 1;
    parts->train = is_single ? train_single : train;
    parts->train_count = is_single ? 3 : 5;
    parts->predict = is_single ? predict_single : predict;
    parts->predict_count = is_single ? 2 : 3;
}
