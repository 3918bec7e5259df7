#include "model/fit_cnn.h"

#include <math.h>

static double draw_uniform(const FitStart *start, uint32_t stream, uint64_t index)
{
    return (start->word(start->word_ctx, stream, index) + 0.5) * 0x1p-32;
}

/* Box and Muller. */
static float draw_normal(const FitStart *start, uint32_t stream, uint64_t index)
{
    double radius = sqrt(-2.0 * log(draw_uniform(start, stream, 2 * index)));
    return (float)(radius * cos(6.283185307179586 * draw_uniform(start, stream, 2 * index + 1)));
}

static void fill_normal(const FitStart *start, uint32_t stream, float size, float *values,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = size * draw_normal(start, stream, i);
}

/* values (outer, length, inner), smoothed along the middle by a Gaussian of SD sd. */
static void smooth_along(float *values, size_t outer, int length, size_t inner, double sd,
                         float *line)
{
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < inner; i++) {
            float *at = values + o * (size_t)length * inner + i;
            for (int j = 0; j < length; j++) {
                double sum = 0.0;
                for (int k = 0; k < length; k++)
                    sum +=
                        exp(-0.5 * (j - k) * (j - k) / (sd * sd)) * (double)at[(size_t)k * inner];
                line[j] = (float)sum;
            }
            for (int j = 0; j < length; j++)
                at[(size_t)j * inner] = line[j];
        }
}

/* Noise in which the stimulus has no power would stay in the filters for ever: they start smooth,
 * and faded towards the old end of the history. Each channel gets the wanted size. */
static void start_first_layer(FitCnn *net, const FitStart *start, float size)
{
    FitLayer *layer = &net->layer[0];
    size_t taps = (size_t)layer->kernel * (size_t)layer->kernel;
    size_t count = fit_layer_weights(layer) / (size_t)layer->channels;
    float line[256];
    fill_normal(start, 1, 1.0f, layer->weight, fit_layer_weights(layer));
    for (int c = 0; c < layer->channels; c++) {
        float *w = layer->weight + (size_t)c * count;
        smooth_along(w, 1, layer->inputs, taps, 1.5, line);
        smooth_along(w, (size_t)layer->inputs, layer->kernel, (size_t)layer->kernel, 1.2, line);
        smooth_along(w, (size_t)(layer->inputs * layer->kernel), layer->kernel, 1, 1.2, line);
        double square = 0.0;
        for (size_t i = 0; i < count; i++) {
            double age = (double)layer->inputs - 1.0 - (double)(i / taps);
            w[i] *= (float)exp(-0.5 * age * age / (12.0 * 12.0));
            square += (double)w[i] * (double)w[i];
        }
        float norm = size / sqrtf((float)(square / (double)count));
        for (size_t i = 0; i < count; i++)
            w[i] *= norm;
    }
}

bool fit_cnn_start(void *self, const FitStart *start, char *err)
{
    FitCnn *net = self;
    float *params = net->net->params;
    const FitTensor *tensors = net->net->tensors;
    (void)err;
    start_first_layer(net, start, tensors[0].size);
    fill_normal(start, 2, tensors[3].size, net->layer[1].weight, fit_layer_weights(&net->layer[1]));
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < net->layer[i].channels; c++) {
            net->layer[i].scale[c] = 1.0f;
            net->layer[i].shift[c] = 0.0f;
            net->layer[i].running_sd[c] = 1.0f;
        }
    fill_normal(start, 3, tensors[6].size, params + net->readout_at, tensors[6].count);
    for (int i = 0; i < net->batch->cells; i++) {
        double mean = fmax((double)start->target_mean[i], 1e-3);
        params[net->bias_at + (size_t)i] = (float)log(expm1(mean));
    }
    fit_cnn_changed(net);
    return true;
}
