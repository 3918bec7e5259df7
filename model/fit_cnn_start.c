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

/* The factors of a stack are smooth enough together; only the history needs it, and is smoothed in
 * the first of them. */
static void start_stack(const FitLayer *layer, const FitTensor *tensors, float *params)
{
    float line[256];
    const FitTensor *first = &tensors[0];
    size_t count = first->count / (size_t)layer->channels;
    for (int c = 0; layer->inputs > layer->channels && c < layer->channels; c++)
        smooth_along(params + first->at + (size_t)c * count, 1, layer->inputs,
                     count / (size_t)layer->inputs, 1.5, line);
}

bool fit_cnn_start(void *self, const FitStart *start, char *err)
{
    FitCnn *net = self;
    float *params = net->net->params;
    const FitTensor *tensor = net->net->tensors;
    (void)err;
    for (int i = 0; i < net->layers; i++) {
        FitLayer *layer = &net->layer[i];
        int factors = layer->stack.factors > 0 ? layer->stack.factors : 1;
        for (int f = 0; f < factors; f++)
            fill_normal(start, (uint32_t)(2 + 16 * i + f), tensor[f].size, params + tensor[f].at,
                        tensor[f].count);
        if (layer->stack.factors > 0)
            start_stack(layer, tensor, params);
        else if (i == 0)
            start_first_layer(net, start, tensor[0].size);
        for (int norm = 0; norm < layer->norms; norm++) {
            layer->scale[norm] = layer->running_sd[norm] = 1.0f;
            layer->shift[norm] = 0.0f;
        }
        tensor += factors + 2;
    }
    fill_normal(start, 0, tensor[0].size, params + tensor[0].at, tensor[0].count);
    for (int i = 0; i < net->batch->cells; i++) {
        double mean = fmax((double)start->target_mean[i], 1e-3);
        params[net->bias_at + (size_t)i] = (float)log(expm1(mean));
    }
    fit_cnn_changed(net);
    return true;
}
