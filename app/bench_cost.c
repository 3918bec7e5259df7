#include "app/bench_cost.h"

#include <stdbool.h>

#include "model/cnn_history.h"
#include "model/cnn_uniform.h"

static const double BYTES = sizeof(float), COMPLEX = 8;

BenchNet bench_net_published(int cells)
{
    return (BenchNet){.width_px = 50,
                      .height_px = 50,
                      .history_bins = 40,
                      .cells = cells,
                      .channels = {8, 8},
                      .kernel_px = {15, 11}};
}

/* A layer in the frequency domain of its input. */
typedef struct {
    int width, height;         // input: the grid
    int out_width, out_height; // valid part
    int inputs, channels;
    int columns;        // width / 2 + 1
    double frequencies; // complex numbers in a spectrum
} Layer;

static Layer layer_of(const BenchNet *net, int which)
{
    int lost = which ? net->kernel_px[0] - 1 : 0, kernel = net->kernel_px[which];
    Layer layer = {.width = net->width_px - lost,
                   .height = net->height_px - lost,
                   .inputs = which ? net->channels[0] : net->history_bins,
                   .channels = net->channels[which]};
    layer.out_width = layer.width - kernel + 1;
    layer.out_height = layer.height - kernel + 1;
    layer.columns = layer.width / 2 + 1;
    layer.frequencies = (double)layer.height * layer.columns;
    return layer;
}

static double units_of(const Layer *layer)
{
    return (double)layer->channels * layer->out_width * layer->out_height;
}

/* Two products side by side, even and odd (kernels.h). */
static double pair_flops(int frequencies, int region, double width)
{
    return 2 * 2.0 * frequencies * ((region + 1) / 2) * width;
}

/* Either way between space (a region of the grid) and spectrum: along x for each row, along y for each of the
 * 2 · columns values of a row. */
static double transform_flops(const Layer *layer, int rows, int row_px, int channels)
{
    return pair_flops(layer->columns, row_px, (double)rows * channels) +
           pair_flops(layer->height / 2 + 1, rows, 2.0 * layer->columns * channels);
}

static double in_flops(const Layer *layer, int channels)
{
    return transform_flops(layer, layer->height, layer->width, channels);
}

static double out_flops(const Layer *layer)
{
    return transform_flops(layer, layer->out_height, layer->out_width, layer->channels);
}

/* The image, by plain products along either side. */
static double plane_flops(const Layer *layer)
{
    double row = 2.0 * layer->columns;
    return 2 * row * layer->width * layer->height +
           2 * row * 2 * (layer->height / 2 + 1) * layer->height;
}

static double product_flops(const Layer *layer, int inputs)
{
    return COMPLEX * layer->channels * inputs * layer->frequencies;
}

/* A spectrum of `planes` filters, inputs or sums. */
static double spectrum_bytes(const Layer *layer, int planes)
{
    return BYTES * 2 * layer->frequencies * planes;
}

static bool has_second(const BenchNet *net)
{
    return net->channels[1] > 0;
}

/* Weights of the readout. */
static double readout_numbers(const BenchNet *net)
{
    Layer last = layer_of(net, has_second(net));
    double units = units_of(&last), places = units / last.channels;
    return net->cells * (net->is_factorised ? places + last.channels : units);
}

/* Factorised: every channel's units under the mask, then the channels. */
static double readout_flops(const BenchNet *net)
{
    Layer last = layer_of(net, has_second(net));
    double features = net->is_factorised ? last.channels : 0;
    return 2.0 * net->cells * (units_of(&last) + features);
}

/* From the first layer's units on. */
static double second_flops(const Layer *second)
{
    return in_flops(second, second->inputs) + product_flops(second, second->inputs) +
           out_flops(second);
}

static double filters_bytes(const Layer *layer, double lags)
{
    return spectrum_bytes(layer, layer->channels) * lags;
}

/* From the first layer's sums on: its transform out is counted before. Read: scale and shift of every unit, the second
 * filters, the readout. */
static BenchCost after_first(const BenchNet *net)
{
    Layer first = layer_of(net, 0), second = layer_of(net, 1);
    double flops = readout_flops(net),
           bytes = BYTES * (2 * units_of(&first) + readout_numbers(net));
    if (has_second(net)) {
        flops += second_flops(&second);
        bytes += filters_bytes(&second, second.inputs) + BYTES * 2 * units_of(&second);
    }
    return (BenchCost){flops, bytes};
}

/* Transform the new frame, multiply with the lag-0 filters, add to the sum over the past; the rest. */
BenchCost bench_cost_critical(const BenchNet *net)
{
    Layer first = layer_of(net, 0);
    BenchCost rest = after_first(net);
    return (BenchCost){
        rest.flops + plane_flops(&first) + product_flops(&first, 1) + out_flops(&first),
        rest.bytes + filters_bytes(&first, 1) + spectrum_bytes(&first, first.channels)};
}

/* A bin's share of cnn_history.h. Long lags, a KERNEL_BINSth of a block: filters, frames, KERNEL_BINS sums. Short
 * lags and lag 1: filters, frames, a sum read and one written each. */
BenchCost bench_cost_settle(const BenchNet *net)
{
    Layer first = layer_of(net, 0);
    int lags = net->history_bins - 1, at_once = KERNEL_BINS;
    int short_lags = lags < CNN_LONG_LAG - 1 ? lags : CNN_LONG_LAG - 1,
        long_lags = lags - short_lags;
    double sum = spectrum_bytes(&first, first.channels), frame = spectrum_bytes(&first, 1);
    double frames = long_lags > 0 ? long_lags + at_once - 1 : 0;
    double block = filters_bytes(&first, long_lags) + frames * frame + at_once * sum;
    return (BenchCost){product_flops(&first, lags), block / at_once +
                                                        filters_bytes(&first, short_lags) +
                                                        short_lags * frame + 4 * sum};
}

/* One frequency of every column in place of all, one row in and out. */
BenchCost bench_cost_rows_alike(const BenchNet *net)
{
    Layer first = layer_of(net, 0), line = first;
    BenchCost rest = after_first(net);
    line.frequencies = first.columns;
    double out = pair_flops(first.columns, first.out_width, first.channels);
    double in = 2.0 * 2 * first.columns * first.width;
    return (BenchCost){rest.flops + in + product_flops(&line, net->history_bins) + out,
                       rest.bytes + filters_bytes(&line, net->history_bins)};
}

/* On average a quarter of a step of thresholds lies between. */
BenchCost bench_cost_uniform(const BenchNet *net)
{
    Layer first = layer_of(net, 0), second = layer_of(net, 1);
    double places = units_of(&first) / first.channels, taps = net->kernel_px[1] * net->kernel_px[1];
    double between = first.channels * places / CNN_UNIFORM_ANCHORS / 4;
    double lines = 2.0 * first.channels * units_of(&second);
    return (BenchCost){COMPLEX * first.channels * net->history_bins + 2 * lines +
                           2 * between * taps * second.channels + readout_flops(net),
                       BYTES * (lines + 2 * units_of(&second) + readout_numbers(net))};
}

static double plain_flops(const BenchNet *net, int which)
{
    Layer layer = layer_of(net, which);
    return 2.0 * units_of(&layer) * layer.inputs * net->kernel_px[which] * net->kernel_px[which];
}

double bench_flops_plain(const BenchNet *net)
{
    double second = has_second(net) ? plain_flops(net, 1) : 0;
    return plain_flops(net, 0) + second + readout_flops(net);
}

/* Backwards every layer has two products of its forward size, for its weights and for its input;
 * the image needs no gradient. */
double bench_flops_fit_plain(const BenchNet *net)
{
    return 2 * plain_flops(net, 0) + 3 * plain_flops(net, 1) + 3 * readout_flops(net);
}

/* ---- fitting: fit_dft.h has full complex columns, along which all of ny are computed */

static double fit_transform_flops(const Layer *layer, double rows, double row_px, double planes)
{
    double row = 2.0 * layer->columns;
    return 2 * rows * row_px * row * planes + 2 * rows * 2.0 * layer->height * row * planes;
}

static double fit_in_flops(const Layer *layer, double planes)
{
    return fit_transform_flops(layer, layer->height, layer->width, planes);
}

static double fit_out_flops(const Layer *layer)
{
    return fit_transform_flops(layer, layer->out_height, layer->out_width, layer->channels);
}

static double fit_product_flops(const Layer *layer)
{
    return COMPLEX * layer->inputs * layer->channels * layer->columns * layer->height;
}

/* Filters as real matrices (2 channels, 2 inputs) of every frequency. */
static double fit_product_bytes(const Layer *layer)
{
    return BYTES * 4 * layer->inputs * layer->channels * layer->columns * layer->height;
}

/* A bin's share of a run. First layer: frames in (history − 1 more than bins), product, out; on the
 * way back gradient in, and its product with the frames. Second: the same, and the gradient of its
 * input with a product and a transform out. Bytes: what a run leaves for its way back, written and
 * read once; the filters once a run forwards, their gradient read and written. */
BenchCost bench_cost_fit(const BenchNet *net, int run_bins)
{
    Layer first = layer_of(net, 0), second = layer_of(net, 1);
    double frames = (double)(run_bins + net->history_bins - 1) / run_bins;
    double kept = 2.0 * first.columns * first.height * frames +
                  2.0 * second.columns * second.height * second.inputs +
                  2 * (units_of(&first) + units_of(&second));
    double products = 3 * fit_product_bytes(&first) + 4 * fit_product_bytes(&second);
    return (BenchCost){.flops = fit_in_flops(&first, frames) + 2 * fit_product_flops(&first) +
                                2 * fit_out_flops(&first) +
                                2 * fit_in_flops(&second, second.inputs) +
                                3 * fit_product_flops(&second) + 2 * fit_out_flops(&second) +
                                3 * readout_flops(net),
                       .bytes = 2 * BYTES * kept + products / run_bins};
}

/* The frame's transform; all lags of the first layer; then the rest of the network at both ends of
 * the path and between the first panels, and forwards and backwards in the middle of each: a panel
 * that is halved was measured for nothing. */
BenchCost bench_cost_attribution(const BenchNet *net, int steps_least, int steps)
{
    Layer first = layer_of(net, 0), second = layer_of(net, 1);
    double units = units_of(&second), filters = second.inputs * second.channels;
    double measured = steps_least + 2.0 * (steps - steps_least), ends = 1.0 + steps_least;
    double once = second_flops(&second), times = ends + 2 * measured;
    return (BenchCost){.flops = plane_flops(&first) + product_flops(&first, net->history_bins) +
                                out_flops(&first) + times * once + (ends + measured) * 2 * units,
                       .bytes = spectrum_bytes(&first, (first.channels + 1) * net->history_bins) +
                                spectrum_bytes(&second, (int)(times * filters)) +
                                BYTES * 2 * units_of(&first)};
}

/* The means; the spectrum of their line; its product with every lag of every unit; back to the places; both sides
 * of each unit's rectifier there, pooled. */
BenchCost bench_cost_reduced(int pixels, int units, int history_bins, int taps, int places,
                             int cells)
{
    int means = taps + places - 1, spectrum = 2 * (means / 2 + 1); // real and imaginary parts
    double kernel = (double)units * history_bins * spectrum;
    double pooled = (double)units * places * cells;
    return (BenchCost){.flops = pixels + 2.0 * spectrum * means + 4 * kernel +
                                2.0 * units * spectrum * places + 6 * pooled + 4.0 * units * cells,
                       .bytes = BYTES *
                                (pixels + (double)spectrum * (means + places) + kernel +
                                 (double)history_bins * spectrum + pooled + 4.0 * units * cells)};
}
