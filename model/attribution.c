#include "model/attribution.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/cnn_file.h"
#include "model/spectra.h"

const AttributionRule attribution_default = {4, ATTRIBUTION_STEPS_MAX, 2e-3, 1e-2, 0.1};

/* A piece of the path, and what its gradient misses of the rate's change along it. */
typedef struct {
    double from, to;             // α
    double rate_from, rate_to;   // Hz
    double rate_middle, miss_hz; // Σ over the panel − (rate_to − rate_from)
} Panel;

struct Attribution {
    CnnLayers layers;
    int history, cells;
    double rate_scale_hz, lum_mean, lum_sd;

    Transform image, first_out;  // grid of the image
    Transform first, second_out; // grid of the first layer

    float *block;                        // owned: all arrays below
    float *filters1, *filters1_back;     // packed: history → c1 and back
    float *filters2, *filters2_back;     // packed: c1 → c2 and back
    float *kernel_sums;                  // (c1, history)
    float *column_sums, *row_sums;       // (c1, history, K1x) and (c1, history, K1y)
    float *scale1, *shift1;              // (h1, c1, w1), bias in the shift
    float *scale2, *shift2;              // (h2, c2, w2)
    float *dense;                        // (cells, units of the last layer: h, c, w)
    float *dense_scale, *dense_shift;    // (cells)
    float *images;                       // (history, height, width), s − s0, bin b in b % history
    float *spectra;                      // (history, 2, stride) of the same
    float *uneven_x, *uneven_y, *uneven; // (history): differences within rows, columns, images
    float *base, *slope;        // (h1, c1, w1): units before rectification at α 0, and per α
    float *drive;               // (h1, c1, w1): d
    float *units1, *units2;     // (h1, c1, w1), (h2, c2, w2)
    float *back2, *back1;       // gradients of the same
    float *sum1, *sum1_history; // spectra (c1), (history)
    float *in2, *sum2;          // spectra (c1), (c2), grid of the first layer
    float *gradients;           // (ATTRIBUTION_STEPS_MAX, h1, c1, w1): one a panel
    float *mean_gradient;       // (h1, c1, w1): G
    float *pixels;              // (height, history, width)
    float *weights_out, *drive_out, *units_out; // (c1, h1, w1), as a result lends them
    const float **window;                       // owned (history): spectra, oldest first

    int kernel_height, kernel_width;
    double grey_lum; // of the baseline
    int64_t head;    // bins fed
    bool is_driven;  // drive and slope belong to the window
    bool is_silent[CNN_CHANNELS_MAX];
    Panel panels[ATTRIBUTION_STEPS_MAX];
    int panels_count;
};

static bool has_second(const Attribution *a)
{
    return a->layers.second.channels > 0;
}

static const CnnUnits *last_layer(const Attribution *a)
{
    return has_second(a) ? &a->layers.second : &a->layers.first;
}

static size_t slot_of(const Attribution *a, int lag_from_oldest)
{
    return (size_t)((a->head + lag_from_oldest) % a->history);
}

/* ---- the window */

static void silence_units(Attribution *a)
{
    const CnnUnits *first = &a->layers.first;
    size_t width = (size_t)first->width;
    for (int y = 0; y < first->height; y++)
        for (int c = 0; c < first->channels; c++)
            if (a->is_silent[c])
                memset(a->drive + (size_t)(y * first->channels + c) * width, 0,
                       width * sizeof *a->drive);
}

/* drive := W ⊛ (s − s0); slope, how fast the units go along the path. */
static void drive_units(Attribution *a)
{
    if (a->is_driven)
        return;
    size_t stride = a->image.stride, units = cnn_units_count(&a->layers.first);
    for (int i = 0; i < a->history; i++)
        a->window[i] = a->spectra + slot_of(a, i) * 2 * stride;
    spectra_correlate(a->filters1, stride, a->layers.first.channels, a->history, a->window, NULL,
                      a->sum1);
    transform_inverse(&a->first_out, a->layers.first.channels, a->sum1, a->drive);
    silence_units(a);
    for (size_t i = 0; i < units; i++)
        a->slope[i] = a->scale1[i] * a->drive[i];
    a->is_driven = true;
}

static float spread_of(const float *values, int count, int step)
{
    float low = values[0], high = values[0];
    for (int i = 1; i < count; i++) {
        low = fminf(low, values[i * step]);
        high = fmaxf(high, values[i * step]);
    }
    return high - low;
}

static void measure_unevenness(Attribution *a, size_t slot, const float *image)
{
    int height = a->layers.image.height, width = a->layers.image.width;
    float along_x = 0, along_y = 0;
    for (int y = 0; y < height; y++)
        along_x = fmaxf(along_x, spread_of(image + y * width, width, 1));
    for (int x = 0; x < width; x++)
        along_y = fmaxf(along_y, spread_of(image + x, height, width));
    a->uneven_x[slot] = along_x;
    a->uneven_y[slot] = along_y;
    a->uneven[slot] = spread_of(image, height * width, 1);
}

void attribution_adapt(Attribution *a, double lum)
{
    size_t history = (size_t)a->history, pixels = cnn_units_count(&a->layers.image);
    double grey = (lum - a->lum_mean) / a->lum_sd;
    const CnnUnits *first = &a->layers.first;
    memset(a->images, 0, history * pixels * sizeof *a->images);
    memset(a->spectra, 0, history * 2 * a->image.stride * sizeof *a->spectra);
    memset(a->uneven_x, 0, history * sizeof *a->uneven_x);
    memset(a->uneven_y, 0, history * sizeof *a->uneven_y);
    memset(a->uneven, 0, history * sizeof *a->uneven);
    size_t unit = 0;
    for (int y = 0; y < first->height; y++)
        for (int c = 0; c < first->channels; c++) {
            double sum = 0;
            for (int i = 0; i < a->history; i++)
                sum += (double)a->kernel_sums[c * a->history + i];
            for (int x = 0; x < first->width; x++, unit++)
                a->base[unit] = a->scale1[unit] * (float)(grey * sum) + a->shift1[unit];
        }
    a->grey_lum = lum;
    a->head = 0;
    a->is_driven = false;
}

void attribution_silence(Attribution *a, const bool *is_silent)
{
    for (int c = 0; c < a->layers.first.channels; c++)
        a->is_silent[c] = is_silent && is_silent[c];
    a->is_driven = false;
}

void attribution_feed(Attribution *a, const float *lum)
{
    size_t pixels = cnn_units_count(&a->layers.image), slot = slot_of(a, 0);
    float *image = a->images + slot * pixels;
    for (size_t i = 0; i < pixels; i++)
        image[i] = (float)(((double)lum[i] - a->grey_lum) / a->lum_sd);
    measure_unevenness(a, slot, image);
    transform_forward(&a->image, 1, image, a->spectra + slot * 2 * a->image.stride);
    a->head++;
    a->is_driven = false;
}

/* ---- the network at one place of the path */

static void convolve(Attribution *a)
{
    int c1 = a->layers.first.channels, c2 = a->layers.second.channels;
    size_t stride = a->first.stride, units = cnn_units_count(&a->layers.second);
    const float *inputs[CNN_CHANNELS_MAX];
    for (int c = 0; c < c1; c++)
        inputs[c] = a->in2 + 2 * stride * (size_t)c;
    transform_forward(&a->first, c1, a->units1, a->in2);
    spectra_correlate(a->filters2, stride, c2, c1, inputs, NULL, a->sum2);
    transform_inverse(&a->second_out, c2, a->sum2, a->units2);
    for (size_t i = 0; i < units; i++) {
        float value = a->scale2[i] * a->units2[i] + a->shift2[i];
        a->units2[i] = value > 0 ? value : 0;
    }
}

/* units1 and units2 at α. */
static void run_layers(Attribution *a, double alpha)
{
    size_t units = cnn_units_count(&a->layers.first);
    float at = (float)alpha;
    for (size_t i = 0; i < units; i++) {
        float value = a->base[i] + at * a->slope[i];
        a->units1[i] = value > 0 ? value : 0;
    }
    if (has_second(a))
        convolve(a);
}

/* The argument of a cell's softplus. */
static double read_out(const Attribution *a, int cell)
{
    size_t units = cnn_units_count(last_layer(a));
    const float *values = has_second(a) ? a->units2 : a->units1;
    float sum = cblas_sdot((int)units, a->dense + (size_t)cell * units, 1, values, 1);
    return (double)a->dense_scale[cell] * (double)sum + (double)a->dense_shift[cell];
}

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double rate_at(Attribution *a, int cell, double alpha)
{
    run_layers(a, alpha);
    return a->rate_scale_hz * softplus(read_out(a, cell));
}

void attribution_rates(Attribution *a, float *rates_hz)
{
    drive_units(a);
    run_layers(a, 1.0);
    for (int cell = 0; cell < a->cells; cell++)
        rates_hz[cell] = (float)(a->rate_scale_hz * softplus(read_out(a, cell)));
}

/* back1 := ∂(cell's softplus argument)/∂units1, the second layer being as run_layers() left it. */
static void convolve_back(Attribution *a, const float *dense)
{
    int c1 = a->layers.first.channels, c2 = a->layers.second.channels;
    size_t stride = a->first.stride, units = cnn_units_count(&a->layers.second);
    const float *inputs[CNN_CHANNELS_MAX];
    for (size_t i = 0; i < units; i++)
        a->back2[i] = a->units2[i] > 0 ? dense[i] * a->scale2[i] : 0;
    for (int c = 0; c < c2; c++)
        inputs[c] = a->sum2 + 2 * stride * (size_t)c;
    transform_inverse_adjoint(&a->second_out, c2, a->back2, a->sum2);
    spectra_correlate(a->filters2_back, stride, c1, c2, inputs, NULL, a->in2);
    transform_forward_adjoint(&a->first, c1, a->in2, a->back1);
}

/* ∂rate/∂z (h1, c1, w1) in a panel: at its middle, but for the share of it in which the unit itself
 * is above 0, which is exact. Returns the rate in the middle. */
static double differentiate(Attribution *a, int cell, const Panel *panel, float *gradient)
{
    size_t units = cnn_units_count(&a->layers.first);
    run_layers(a, 0.5 * (panel->from + panel->to));
    double argument = read_out(a, cell);
    const float *dense = a->dense + (size_t)cell * cnn_units_count(last_layer(a));
    const float *back = has_second(a) ? a->back1 : dense;
    if (has_second(a))
        convolve_back(a, dense);
    float outer = (float)(a->rate_scale_hz * (double)a->dense_scale[cell] / (1 + exp(-argument)));
    float from = (float)panel->from, to = (float)panel->to;
    for (size_t i = 0; i < units; i++) {
        float p = a->base[i] + from * a->slope[i], q = a->base[i] + to * a->slope[i];
        float share = p > 0 && q > 0 ? 1 : p <= 0 && q <= 0 ? 0 : fmaxf(p, q) / fabsf(q - p);
        gradient[i] = outer * a->scale1[i] * back[i] * share;
    }
    return a->rate_scale_hz * softplus(argument);
}

/* ---- the path */

static float *gradient_of(const Attribution *a, int panel)
{
    return a->gradients + (size_t)panel * cnn_units_count(&a->layers.first);
}

static void measure_panel(Attribution *a, int cell, int index)
{
    Panel *panel = &a->panels[index];
    size_t units = cnn_units_count(&a->layers.first);
    float *gradient = gradient_of(a, index);
    panel->rate_middle = differentiate(a, cell, panel, gradient);
    double sum = 0;
    for (size_t i = 0; i < units; i++)
        sum += (double)gradient[i] * (double)a->drive[i];
    panel->miss_hz = sum * (panel->to - panel->from) - (panel->rate_to - panel->rate_from);
}

static void cut_evenly(Attribution *a, int cell, int count, const AttributionResult *ends)
{
    a->panels_count = count;
    for (int p = 0; p < count; p++) {
        Panel *panel = &a->panels[p];
        *panel = (Panel){.from = (double)p / count, .to = (double)(p + 1) / count};
        panel->rate_from = p > 0 ? panel[-1].rate_to : ends->rest_hz;
        panel->rate_to = p + 1 < count ? rate_at(a, cell, panel->to) : ends->rate_hz;
    }
    for (int p = 0; p < count; p++)
        measure_panel(a, cell, p);
}

static void halve_worst(Attribution *a, int cell)
{
    int worst = 0, added = a->panels_count++;
    for (int p = 1; p < added; p++)
        if (fabs(a->panels[p].miss_hz) > fabs(a->panels[worst].miss_hz))
            worst = p;
    Panel *lower = &a->panels[worst], *upper = &a->panels[added];
    *upper = *lower;
    lower->to = upper->from = 0.5 * (lower->from + lower->to);
    lower->rate_to = upper->rate_from = lower->rate_middle;
    measure_panel(a, cell, worst);
    measure_panel(a, cell, added);
}

static bool is_close(const Attribution *a, const AttributionRule *rule, double scale_hz)
{
    double net = 0, gross = 0;
    for (int p = 0; p < a->panels_count; p++) {
        net += a->panels[p].miss_hz;
        gross += fabs(a->panels[p].miss_hz);
    }
    return fabs(net) <= rule->tolerance * scale_hz && gross <= rule->gross_tolerance * scale_hz;
}

static void average_gradient(Attribution *a)
{
    int units = (int)cnn_units_count(&a->layers.first);
    memset(a->mean_gradient, 0, (size_t)units * sizeof *a->mean_gradient);
    for (int p = 0; p < a->panels_count; p++)
        cblas_saxpy(units, (float)(a->panels[p].to - a->panels[p].from), gradient_of(a, p), 1,
                    a->mean_gradient, 1);
}

/* From the order of the layer to (channels, height, width). */
static void hand_out(Attribution *a, AttributionResult *result)
{
    const CnnUnits *first = &a->layers.first;
    const float *g = a->mean_gradient, *d = a->drive;
    for (int y = 0; y < first->height; y++)
        for (int c = 0; c < first->channels; c++)
            for (int x = 0; x < first->width; x++, g++, d++) {
                int unit = (c * first->height + y) * first->width + x;
                a->weights_out[unit] = *g;
                a->drive_out[unit] = *d;
                a->units_out[unit] = *g * *d;
                result->channel_hz[c] += (double)*g * (double)*d;
            }
    for (int c = 0; c < first->channels; c++)
        result->sum_hz += result->channel_hz[c];
    result->units_hz = a->units_out;
    result->weights = a->weights_out;
    result->drive = a->drive_out;
}

void attribution_measure(Attribution *a, int cell, const AttributionRule *rule,
                         AttributionResult *result)
{
    assert(cell >= 0 && cell < a->cells && rule->steps_least >= 1);
    assert(rule->steps_most >= rule->steps_least && rule->steps_most <= ATTRIBUTION_STEPS_MAX);
    drive_units(a);
    *result =
        (AttributionResult){.rest_hz = rate_at(a, cell, 0.0), .rate_hz = rate_at(a, cell, 1.0)};
    double change_hz = result->rate_hz - result->rest_hz;
    double scale_hz = fmax(fabs(change_hz), rule->floor_hz);
    cut_evenly(a, cell, rule->steps_least, result);
    while (a->panels_count < rule->steps_most && !is_close(a, rule, scale_hz))
        halve_worst(a, cell);
    average_gradient(a);
    hand_out(a, result);
    result->steps = a->panels_count;
    result->residual_hz = result->sum_hz - change_hz;
    result->residual = fabs(result->residual_hz) / scale_hz;
}

void attribution_pixels(Attribution *a, float *pixels_hz)
{
    int c1 = a->layers.first.channels, height = a->layers.image.height;
    int width = a->layers.image.width, history = a->history;
    size_t stride = a->image.stride;
    const float *inputs[CNN_CHANNELS_MAX];
    for (int c = 0; c < c1; c++)
        inputs[c] = a->sum1 + 2 * stride * (size_t)c;
    transform_inverse_adjoint(&a->first_out, c1, a->mean_gradient, a->sum1);
    spectra_correlate(a->filters1_back, stride, history, c1, inputs, NULL, a->sum1_history);
    transform_forward_adjoint(&a->image, history, a->sum1_history, a->pixels);
    for (int i = 0; i < history; i++) {
        const float *image = a->images + slot_of(a, i) * (size_t)(height * width);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                *pixels_hz++ = image[y * width + x] *
                               a->pixels[((size_t)y * (size_t)history + (size_t)i) * (size_t)width +
                                         (size_t)x];
    }
}

/* ---- symmetric stimuli */

double attribution_deviation(const Attribution *a, AttributionSymmetry symmetry)
{
    const float *const uneven[] = {
        [ATTRIBUTION_SYMMETRY_ALONG_Y] = a->uneven_y,
        [ATTRIBUTION_SYMMETRY_ALONG_X] = a->uneven_x,
        [ATTRIBUTION_SYMMETRY_FULL] = a->uneven,
    };
    double largest = 0;
    if (symmetry == ATTRIBUTION_SYMMETRY_NONE)
        return 0;
    for (int i = 0; i < a->history; i++)
        largest = fmax(largest, (double)uneven[symmetry][i]);
    return largest;
}

int attribution_places(const Attribution *a, AttributionSymmetry symmetry)
{
    const CnnUnits *first = &a->layers.first;
    const int places[] = {
        [ATTRIBUTION_SYMMETRY_NONE] = first->height * first->width,
        [ATTRIBUTION_SYMMETRY_ALONG_Y] = first->width,
        [ATTRIBUTION_SYMMETRY_ALONG_X] = first->height,
        [ATTRIBUTION_SYMMETRY_FULL] = 1,
    };
    return places[symmetry];
}

/* How a symmetry folds: the kernels summed along it, and how a line of the image lies. */
typedef struct {
    const float *sums; // (c1, history, taps)
    int taps, step;    // of the kernel; in the image, from place to place
} Fold;

static Fold fold_of(const Attribution *a, AttributionSymmetry symmetry)
{
    if (symmetry == ATTRIBUTION_SYMMETRY_FULL)
        return (Fold){a->kernel_sums, 1, 1};
    if (symmetry == ATTRIBUTION_SYMMETRY_ALONG_Y)
        return (Fold){a->column_sums, a->kernel_width, 1};
    return (Fold){a->row_sums, a->kernel_height, a->layers.image.width};
}

static double folded_drive(const Attribution *a, const Fold *fold, int channel, int place)
{
    size_t pixels = cnn_units_count(&a->layers.image);
    const float *kernel = fold->sums + channel * a->history * fold->taps;
    double sum = 0;
    for (int i = 0; i < a->history; i++) {
        const float *line = a->images + slot_of(a, i) * pixels + place * fold->step;
        for (int k = 0; k < fold->taps; k++)
            sum += (double)*kernel++ * (double)line[k * fold->step];
    }
    return sum;
}

/* Σ G over the units of one place. */
static double folded_weight(const Attribution *a, AttributionSymmetry symmetry, int channel,
                            int place)
{
    const CnnUnits *first = &a->layers.first;
    const float *g = a->weights_out + channel * first->height * first->width;
    bool is_column = symmetry == ATTRIBUTION_SYMMETRY_ALONG_Y;
    int count = is_column                                  ? first->height
                : symmetry == ATTRIBUTION_SYMMETRY_ALONG_X ? first->width
                                                           : first->height * first->width;
    int start = is_column ? place : place * first->width, step = is_column ? first->width : 1;
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)g[start + i * step];
    return sum;
}

double attribution_fold(const Attribution *a, AttributionSymmetry symmetry, float *folded_hz)
{
    assert(symmetry != ATTRIBUTION_SYMMETRY_NONE);
    const Fold fold = fold_of(a, symmetry);
    int places = attribution_places(a, symmetry);
    double total = 0;
    for (int c = 0; c < a->layers.first.channels; c++)
        for (int place = 0; place < places; place++) {
            double value = folded_drive(a, &fold, c, place) * folded_weight(a, symmetry, c, place);
            *folded_hz++ = (float)value;
            total += value;
        }
    return total;
}

/* ---- from the file */

CnnUnits attribution_units(const Attribution *a)
{
    return a->layers.first;
}

int attribution_cells(const Attribution *a)
{
    return a->cells;
}

static bool init_transforms(Attribution *a)
{
    const CnnUnits *image = &a->layers.image, *first = &a->layers.first;
    const CnnUnits *second = &a->layers.second;
    if (!transform_init(&a->image, image->height, image->width, image->height, image->width,
                        a->history) ||
        !transform_init(&a->first_out, image->height, image->width, first->height, first->width,
                        first->channels))
        return false;
    return !has_second(a) || (transform_init(&a->first, first->height, first->width, first->height,
                                             first->width, first->channels) &&
                              transform_init(&a->second_out, first->height, first->width,
                                             second->height, second->width, second->channels));
}

static bool allocate(Attribution *a)
{
    int c1 = a->layers.first.channels, c2 = a->layers.second.channels, history = a->history;
    size_t units1 = cnn_units_count(&a->layers.first), cells = (size_t)a->cells;
    size_t units2 = cnn_units_count(&a->layers.second), taps = (size_t)(c1 * history);
    size_t pixels = (size_t)history * cnn_units_count(&a->layers.image);
    size_t stride1 = a->image.stride, stride2 = a->first.stride;
    size_t filters1 = spectra_packed_count(stride1, c1, history);
    size_t filters2 = spectra_packed_count(stride2, c2, c1);
    const ModelArray arrays[] = {
        {&a->filters1, filters1},
        {&a->filters1_back, filters1},
        {&a->filters2, filters2},
        {&a->filters2_back, filters2},
        {&a->kernel_sums, taps},
        {&a->column_sums, taps * (size_t)a->kernel_width},
        {&a->row_sums, taps * (size_t)a->kernel_height},
        {&a->scale1, units1},
        {&a->shift1, units1},
        {&a->scale2, units2},
        {&a->shift2, units2},
        {&a->dense, cells * cnn_units_count(last_layer(a))},
        {&a->dense_scale, cells},
        {&a->dense_shift, cells},
        {&a->images, pixels},
        {&a->spectra, (size_t)history * 2 * stride1},
        {&a->uneven_x, (size_t)history},
        {&a->uneven_y, (size_t)history},
        {&a->uneven, (size_t)history},
        {&a->base, units1},
        {&a->slope, units1},
        {&a->drive, units1},
        {&a->units1, units1},
        {&a->units2, units2},
        {&a->back1, units1},
        {&a->back2, units2},
        {&a->sum1, (size_t)c1 * 2 * stride1},
        {&a->sum1_history, (size_t)history * 2 * stride1},
        {&a->in2, (size_t)c1 * 2 * stride2},
        {&a->sum2, (size_t)c2 * 2 * stride2},
        {&a->gradients, ATTRIBUTION_STEPS_MAX * units1},
        {&a->mean_gradient, units1},
        {&a->pixels, pixels},
        {&a->weights_out, units1},
        {&a->drive_out, units1},
        {&a->units_out, units1},
    };
    a->block = model_alloc_arrays(arrays, sizeof arrays / sizeof arrays[0]);
    a->window = calloc((size_t)history, sizeof *a->window);
    return a->block != NULL && a->window != NULL;
}

/* The first kernels summed over their columns, their rows and both. */
static void sum_kernels(Attribution *a, const ModelTensor *kernels)
{
    const float *w = kernels->values;
    for (int kernel = 0; kernel < kernels->dims[0] * kernels->dims[1]; kernel++)
        for (int y = 0; y < a->kernel_height; y++)
            for (int x = 0; x < a->kernel_width; x++, w++) {
                a->kernel_sums[kernel] += *w;
                a->column_sums[kernel * a->kernel_width + x] += *w;
                a->row_sums[kernel * a->kernel_height + y] += *w;
            }
}

static bool load(Attribution *a, const ModelFile *file)
{
    const ModelTensor *conv1 = model_file_find(file, "conv1_weight");
    const ModelTensor *conv2 = has_second(a) ? model_file_find(file, "conv2_weight") : NULL;
    size_t bytes = (size_t)a->cells * sizeof(float);
    a->kernel_height = conv1->dims[2];
    a->kernel_width = conv1->dims[3];
    if (!init_transforms(a) || !allocate(a) ||
        !cnn_file_pack(conv1, &a->image, 0, a->history, a->filters1) ||
        !cnn_file_pack_back(conv1, &a->image, a->filters1_back) ||
        (conv2 && (!cnn_file_pack(conv2, &a->first, 0, conv2->dims[1], a->filters2) ||
                   !cnn_file_pack_back(conv2, &a->first, a->filters2_back))))
        return false;
    sum_kernels(a, conv1);
    cnn_file_units(file, 1, &a->layers.first, a->scale1, a->shift1);
    if (conv2)
        cnn_file_units(file, 2, &a->layers.second, a->scale2, a->shift2);
    cnn_file_dense(file, last_layer(a), a->dense);
    memcpy(a->dense_scale, model_file_find(file, "dense_scale")->values, bytes);
    memcpy(a->dense_shift, model_file_find(file, "dense_shift")->values, bytes);
    attribution_adapt(a, a->lum_mean);
    return true;
}

static bool is_network(const ModelFile *file)
{
    return strcmp(file->info.kind, "cnn") == 0 || strcmp(file->info.kind, "subunit") == 0;
}

Attribution *attribution_open(const ModelFile *file, char *err)
{
    if (!is_network(file)) {
        model_refuse(err, "%s: a model of kind %s has no first layer; allowed are cnn and subunit",
                     file->path, file->info.kind);
        return NULL;
    }
    openblas_set_num_threads(1); // products this small only get slower by more
    Attribution *a = calloc(1, sizeof *a);
    if (a == NULL) {
        model_refuse(err, "%s: not enough memory to attribute to this model", file->path);
        return NULL;
    }
    a->history = file->info.history_bins;
    a->cells = file->info.cells;
    a->rate_scale_hz = file->rate_scale_hz;
    a->lum_mean = file->info.lum_mean;
    a->lum_sd = file->info.lum_sd;
    bool is_good = cnn_file_check(file, &a->layers, err);
    if (is_good && !load(a, file))
        is_good = model_refuse(err, "%s: not enough memory to attribute to this model", file->path);
    if (is_good)
        return a;
    attribution_close(a);
    return NULL;
}

void attribution_close(Attribution *a)
{
    if (a == NULL)
        return;
    transform_finish(&a->image);
    transform_finish(&a->first_out);
    transform_finish(&a->first);
    transform_finish(&a->second_out);
    free(a->block);
    free(a->window);
    free(a);
}
