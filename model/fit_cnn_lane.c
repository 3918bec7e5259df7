#include "model/fit_cnn.h"

#include <string.h>

#include <cblas.h>

/* out (m, n) := a (m, k) · b (k, n) + beta · out, with b transposed where said. */
static void multiply(CBLAS_TRANSPOSE b_as, int m, int n, int k, const float *a, const float *b,
                     float beta, float *out)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, b_as, m, n, k, 1.0f, a, k, b,
                b_as == CblasTrans ? k : n, beta, out, n);
}

/* history (2 lags, bins) := for re and im, the frames of one frequency seen from every lag. */
static void unroll(const float *frequency, int lags, int frames, int bins, float *history)
{
    for (int part = 0; part < 2; part++)
        for (int lag = 0; lag < lags; lag++)
            memcpy(history + (size_t)(part * lags + lag) * (size_t)bins,
                   frequency + part * frames + lag, (size_t)bins * sizeof *history);
}

/* Which batch-norm the units of a row's first column have; those of the next follow, or repeat. */
static int norm_of(const FitLayer *layer, int y, int x)
{
    return layer->norms == layer->channels ? 0 : (y * layer->width + x) * layer->channels;
}

/* sums (2 norms) += value and square over row y (width, channels, bins). */
static void add_moments(const FitLayer *layer, int y, int bins, const float *row, double *sums)
{
    for (int x = 0; x < layer->width; x++)
        for (int c = 0; c < layer->channels; c++) {
            const float *z = row + (x * layer->channels + c) * bins;
            int norm = norm_of(layer, y, x) + c;
            float sum = 0.0f, square = 0.0f;
            for (int t = 0; t < bins; t++) {
                sum += z[t];
                square += z[t] * z[t];
            }
            sums[norm] += (double)sum;
            sums[layer->norms + norm] += (double)square;
        }
}

/* out := batch-norm of z, row y (width, channels, bins). */
static void normalise_row(const FitLayer *layer, int y, int bins, const float *restrict z,
                          float *restrict out)
{
    for (int x = 0; x < layer->width; x++)
        for (int c = 0; c < layer->channels; c++) {
            int norm = norm_of(layer, y, x) + c;
            float scale = layer->scale[norm] / layer->sd[norm];
            float shift = layer->shift[norm] - scale * layer->mean[norm];
            int at = (x * layer->channels + c) * bins;
            for (int t = at; t < at + bins; t++)
                out[t] = scale * z[t] + shift;
        }
}

/* A number of its own for the noise on row y of run r, of this layer in this minibatch. */
static uint64_t noise_key(const FitCnn *net, int which, int run, int y)
{
    const FitBatch *batch = net->batch;
    uint64_t runs = (uint64_t)batch->runs * (uint64_t)batch->lanes;
    uint64_t at = ((uint64_t)batch->step * runs + (uint64_t)run) * FIT_CNN_LAYERS_MAX;
    return batch->noise_seed ^ (((at + (uint64_t)which) << 12) + (uint64_t)y);
}

/* What ReLU sees: batch-norm of z, and in training the noise. */
static void see_row(const FitCnn *net, int which, int run, int y, const float *z, float *out)
{
    const FitLayer *layer = &net->layer[which];
    int bins = net->batch->bins;
    normalise_row(layer, y, bins, z, out);
    if (net->is_training && net->noise_sd > 0.0f)
        unit_noise_add(&net->noise, noise_key(net, which, run, y), net->noise_sd,
                      layer->width * layer->channels * bins, out);
}

/* a := ReLU of what it sees, a row (width, channels, bins). */
static void activate(const FitCnn *net, int which, int run, int y, const float *z, float *a)
{
    int count = net->layer[which].width * net->layer[which].channels * net->batch->bins;
    see_row(net, which, run, y, z, a);
    for (int i = 0; i < count; i++)
        a[i] = a[i] > 0.0f ? a[i] : 0.0f;
}

/* g := 0 where the unit was off; sums (2 norms) += g and g times the normalised value. */
static void gate(const FitCnn *net, int which, int run, int y, const float *restrict z,
                 float *restrict seen, float *restrict g, double *sums)
{
    const FitLayer *layer = &net->layer[which];
    int bins = net->batch->bins;
    see_row(net, which, run, y, z, seen);
    for (int x = 0; x < layer->width; x++)
        for (int c = 0; c < layer->channels; c++) {
            int norm = norm_of(layer, y, x) + c, at = (x * layer->channels + c) * bins;
            float inverse = 1.0f / layer->sd[norm], mean = layer->mean[norm];
            float sum = 0.0f, dot = 0.0f;
            for (int t = at; t < at + bins; t++) {
                g[t] = seen[t] > 0.0f ? g[t] : 0.0f;
                sum += g[t];
                dot += g[t] * (z[t] - mean) * inverse;
            }
            sums[norm] += (double)sum;
            sums[layer->norms + norm] += (double)dot;
        }
}

/* dz (width, channels, bins) := gradient before batch-norm, from g after it, row y. */
static void through_norm(const FitLayer *layer, int y, int bins, const float *restrict z,
                         const float *restrict g, float *restrict dz)
{
    for (int x = 0; x < layer->width; x++)
        for (int c = 0; c < layer->channels; c++) {
            int norm = norm_of(layer, y, x) + c, at = (x * layer->channels + c) * bins;
            float inverse = 1.0f / layer->sd[norm], mean = layer->mean[norm];
            float gain = layer->scale[norm] * inverse;
            float grad_mean = layer->grad_mean[norm], grad_dot = layer->grad_dot[norm];
            for (int t = at; t < at + bins; t++)
                dz[t] = gain * (g[t] - grad_mean - (z[t] - mean) * inverse * grad_dot);
        }
}

static size_t row_count(const FitLayer *layer, int bins)
{
    return (size_t)layer->width * (size_t)layer->channels * (size_t)bins;
}

static size_t spectrum_row_count(const FitLayer *layer, int batch)
{
    return (size_t)(2 * layer->dft.half) * (size_t)batch;
}

static const float *product_at(const FitLayer *layer, const float *products, int kx, int ky)
{
    size_t size = 4 * (size_t)layer->channels * (size_t)layer->inputs;
    return products + ((size_t)kx * (size_t)layer->dft.ny + (size_t)ky) * size;
}

static void transform_stimulus(const FitCnn *net, const FitCnnLane *lane, const float *stimulus,
                               FitCnnRun *run)
{
    const FitLayer *layer = &net->layer[0];
    int frames = net->batch->frames;
    size_t row = spectrum_row_count(layer, frames);
    for (int y = 0; y < layer->in_height; y++)
        fit_dft_row(&layer->dft, layer->in_width, frames,
                    stimulus + (size_t)y * (size_t)layer->in_width * (size_t)frames,
                    lane->rows + (size_t)y * row);
    for (int kx = 0; kx < layer->dft.half; kx++)
        fit_dft_column(&layer->dft, layer->in_height, frames, kx, lane->rows,
                       run->stimulus + (size_t)kx * (size_t)(2 * layer->dft.ny * frames));
}

static void finish_layer(const FitCnn *net, int which, const FitCnnLane *lane, float *z)
{
    const FitLayer *layer = &net->layer[which];
    int bins = net->batch->bins, batch = layer->channels * bins;
    for (int y = 0; y < layer->height; y++) {
        float *row = z + (size_t)y * row_count(layer, bins);
        fit_dft_row_back(&layer->dft, layer->width, batch,
                         lane->rows + (size_t)y * spectrum_row_count(layer, batch), row);
        if (net->is_training)
            add_moments(layer, y, bins, row, lane->sums[which]);
    }
}

static void clear_sums(const FitCnn *net, int which, const FitCnnLane *lane)
{
    memset(lane->sums[which], 0, 2 * (size_t)net->layer[which].norms * sizeof(double));
}

/* The two layers differ in where a frequency's inputs come from: lags of the stimulus, or
 * channels. */
void fit_cnn_forward1(void *self, int which)
{
    const FitCnn *net = self;
    const FitCnnLane *lane = &net->lanes[which];
    const FitLayer *layer = &net->layer[0];
    int bins = net->batch->bins, frames = net->batch->frames, ny = layer->dft.ny;
    clear_sums(net, 0, lane);
    for (int r = 0; r < net->batch->runs; r++) {
        FitCnnRun *run = &lane->runs[r];
        transform_stimulus(net, lane, net->batch->stimulus[which * net->batch->runs + r], run);
        for (int kx = 0; kx < layer->dft.half; kx++) {
            for (int ky = 0; ky < ny; ky++) {
                unroll(run->stimulus + (size_t)(kx * ny + ky) * 2 * (size_t)frames, layer->inputs,
                       frames, bins, lane->history);
                multiply(CblasNoTrans, 2 * layer->channels, bins, 2 * layer->inputs,
                         product_at(layer, layer->product, kx, ky), lane->history, 0.0f,
                         lane->part + (size_t)ky * 2 * (size_t)(layer->channels * bins));
            }
            fit_dft_column_back(&layer->dft, layer->height, layer->channels * bins, kx, lane->part,
                                lane->rows);
        }
        finish_layer(net, 0, lane, run->z[0]);
    }
}

void fit_cnn_forward2(void *self, int which)
{
    const FitCnn *net = self;
    const FitCnnLane *lane = &net->lanes[which];
    const FitLayer *first = &net->layer[0], *layer = &net->layer[1];
    int bins = net->batch->bins, ny = layer->dft.ny, inputs = layer->inputs * bins;
    clear_sums(net, 1, lane);
    for (int r = 0; r < net->batch->runs; r++) {
        FitCnnRun *run = &lane->runs[r];
        for (int y = 0; y < first->height; y++) {
            activate(net, 0, which * net->batch->runs + r, y,
                     run->z[0] + (size_t)y * row_count(first, bins), lane->plane_row);
            fit_dft_row(&layer->dft, first->width, inputs, lane->plane_row,
                        lane->rows + (size_t)y * spectrum_row_count(layer, inputs));
        }
        for (int kx = 0; kx < layer->dft.half; kx++)
            fit_dft_column(&layer->dft, first->height, inputs, kx, lane->rows,
                           run->a1 + (size_t)kx * (size_t)(2 * ny * inputs));
        for (int kx = 0; kx < layer->dft.half; kx++) {
            for (int ky = 0; ky < ny; ky++)
                multiply(CblasNoTrans, 2 * layer->channels, bins, 2 * layer->inputs,
                         product_at(layer, layer->product, kx, ky),
                         run->a1 + (size_t)(kx * ny + ky) * (size_t)(2 * inputs), 0.0f,
                         lane->part + (size_t)ky * 2 * (size_t)(layer->channels * bins));
            fit_dft_column_back(&layer->dft, layer->height, layer->channels * bins, kx, lane->part,
                                lane->rows);
        }
        finish_layer(net, 1, lane, run->z[1]);
    }
}

/* rate and loss of one run; the last layer's g holds its activations, lane->drive d loss / d
 * drive. */
static void read_out(const FitCnn *net, int which, const FitCnnLane *lane, int r)
{
    const FitBatch *batch = net->batch;
    FitCnnRun *run = &lane->runs[r];
    int last = net->layers - 1;
    int index = which * batch->runs + r, count = batch->cells * batch->bins;
    for (int y = 0; y < net->layer[last].height; y++) {
        size_t at = (size_t)y * row_count(&net->layer[last], batch->bins);
        activate(net, last, index, y, run->z[last] + at, run->g[last] + at);
    }
    multiply(CblasNoTrans, batch->cells, batch->bins, net->units,
             net->net->params + net->readout_at, run->g[last], 0.0f, lane->drive);
    for (int i = 0; i < count; i++)
        lane->drive[i] += net->net->params[net->bias_at + (size_t)(i / batch->bins)];
    batch->loss[which] += fit_poisson(batch, batch->target[index], lane->drive, batch->rate[index]);
}

void fit_cnn_readout_only(void *self, int which)
{
    const FitCnn *net = self;
    net->batch->loss[which] = 0.0;
    for (int r = 0; r < net->batch->runs; r++)
        read_out(net, which, &net->lanes[which], r);
}

void fit_cnn_readout(void *self, int which)
{
    const FitCnn *net = self;
    const FitBatch *batch = net->batch;
    const FitCnnLane *lane = &net->lanes[which];
    int last = net->layers - 1, bins = batch->bins, cells = batch->cells;
    batch->loss[which] = 0.0;
    clear_sums(net, last, lane);
    memset(lane->bias, 0, (size_t)cells * sizeof *lane->bias);
    for (int r = 0; r < batch->runs; r++) {
        FitCnnRun *run = &lane->runs[r];
        float *g = run->g[last];
        read_out(net, which, lane, r);
        for (int i = 0; i < cells * bins; i++)
            lane->bias[i / bins] += (double)lane->drive[i];
        multiply(CblasTrans, cells, net->units, bins, lane->drive, g, r ? 1.0f : 0.0f,
                 lane->readout);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, net->units, bins, cells, 1.0f,
                    net->net->params + net->readout_at, net->units, lane->drive, bins, 0.0f, g,
                    bins);
        for (int y = 0; y < net->layer[last].height; y++) {
            size_t at = (size_t)y * row_count(&net->layer[last], bins);
            gate(net, last, which * batch->runs + r, y, run->z[last] + at, lane->noise, g + at,
                 lane->sums[last]);
        }
    }
}

/* rows of lane := the row transforms of the gradient before batch-norm. */
static void transform_gradient(const FitCnn *net, const FitCnnLane *lane, int which, const float *z,
                               const float *g)
{
    const FitLayer *layer = &net->layer[which];
    int bins = net->batch->bins, batch = layer->channels * bins;
    for (int y = 0; y < layer->height; y++) {
        size_t at = (size_t)y * row_count(layer, bins);
        through_norm(layer, y, bins, z + at, g + at, lane->plane_row);
        fit_dft_row(&layer->dft, layer->width, batch, lane->plane_row,
                    lane->rows + (size_t)y * spectrum_row_count(layer, batch));
    }
}

/* da (2 inputs, bins) := W · G: the product matrix is conj(W), so its transpose is what is
 * wanted. */
static void back_product(const FitLayer *layer, int bins, const float *product, const float *part,
                         float *da)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, 2 * layer->inputs, bins,
                2 * layer->channels, 1.0f, product, 2 * layer->inputs, part, bins, 0.0f, da, bins);
}

static void back2_run(const FitCnn *net, const FitCnnLane *lane, int index, FitCnnRun *run,
                      float beta)
{
    const FitLayer *first = &net->layer[0], *layer = &net->layer[1];
    int bins = net->batch->bins, ny = layer->dft.ny, batch = layer->channels * bins;
    int inputs = layer->inputs * bins;
    transform_gradient(net, lane, 1, run->z[1], run->g[1]);
    for (int kx = 0; kx < layer->dft.half; kx++) {
        fit_dft_column(&layer->dft, layer->height, batch, kx, lane->rows, lane->part);
        for (int ky = 0; ky < ny; ky++) {
            size_t at = (size_t)(kx * ny + ky);
            const float *part = lane->part + (size_t)ky * 2 * (size_t)batch;
            float *a1 = run->a1 + at * (size_t)(2 * inputs);
            float *product = lane->product[1] + at * (size_t)(4 * layer->channels * layer->inputs);
            multiply(CblasTrans, 2 * layer->channels, 2 * layer->inputs, bins, part, a1, beta,
                     product);
            back_product(layer, bins, product_at(layer, layer->product, kx, ky), part, a1);
        }
    }
    for (int kx = 0; kx < layer->dft.half; kx++)
        fit_dft_column_back(&layer->dft, first->height, inputs, kx,
                            run->a1 + (size_t)kx * (size_t)(2 * ny * inputs), lane->rows);
    for (int y = 0; y < first->height; y++) {
        size_t at = (size_t)y * row_count(first, bins);
        fit_dft_row_back(&layer->dft, first->width, inputs,
                         lane->rows + (size_t)y * spectrum_row_count(layer, inputs),
                         run->g[0] + at);
        gate(net, 0, index, y, run->z[0] + at, lane->noise, run->g[0] + at, lane->sums[0]);
    }
}

void fit_cnn_back2(void *self, int which)
{
    const FitCnn *net = self;
    const FitCnnLane *lane = &net->lanes[which];
    clear_sums(net, 0, lane);
    for (int r = 0; r < net->batch->runs; r++)
        back2_run(net, lane, which * net->batch->runs + r, &lane->runs[r], r ? 1.0f : 0.0f);
}

void fit_cnn_back1(void *self, int which)
{
    const FitCnn *net = self;
    const FitCnnLane *lane = &net->lanes[which];
    const FitLayer *layer = &net->layer[0];
    int bins = net->batch->bins, frames = net->batch->frames, ny = layer->dft.ny;
    int batch = layer->channels * bins;
    for (int r = 0; r < net->batch->runs; r++) {
        const FitCnnRun *run = &lane->runs[r];
        transform_gradient(net, lane, 0, run->z[0], run->g[0]);
        for (int kx = 0; kx < layer->dft.half; kx++) {
            fit_dft_column(&layer->dft, layer->height, batch, kx, lane->rows, lane->part);
            for (int ky = 0; ky < ny; ky++) {
                size_t at = (size_t)(kx * ny + ky);
                unroll(run->stimulus + at * 2 * (size_t)frames, layer->inputs, frames, bins,
                       lane->history);
                multiply(CblasTrans, 2 * layer->channels, 2 * layer->inputs, bins,
                         lane->part + (size_t)ky * 2 * (size_t)batch, lane->history,
                         r ? 1.0f : 0.0f,
                         lane->product[0] + at * (size_t)(4 * layer->channels * layer->inputs));
            }
        }
    }
}
