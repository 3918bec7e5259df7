#include "model/attribution_parts.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

const AttributionRule attribution_default = {4, ATTRIBUTION_STEPS_MAX, 2e-3, 1e-2, 0.1};

bool attribution_has_second(const Attribution *a)
{
    return a->layers.second.channels > 0;
}

const CnnUnits *attribution_last_layer(const Attribution *a)
{
    return attribution_has_second(a) ? &a->layers.second : &a->layers.first;
}

size_t attribution_slot(const Attribution *a, int lag_from_oldest)
{
    return (size_t)((a->head + lag_from_oldest) % a->history);
}

/* ---- the window */

static void silence_units(Attribution *a)
{
    const CnnUnits *first = &a->layers.first;
    int lanes = transform_lanes(first->channels);
    for (int place = 0; place < first->height * first->width; place++)
        for (int c = 0; c < first->channels; c++)
            if (a->is_silent[c])
                a->drive[place * lanes + c] = 0;
}

/* sums (frequencies, 2, lanes of outputs) := Σ filter · x. x (inputs), as KernelCorrelation has it. */
static void correlate(const Transform *grid, const float *filters, int outputs, int inputs,
                      const float *const *x, int x_lanes, float *sums)
{
    kernels()->correlate(&(KernelCorrelation){.filters = filters,
                                              .inputs = inputs,
                                              .lanes = transform_lanes(outputs),
                                              .x = x,
                                              .x_step = 2 * x_lanes,
                                              .im_step = x_lanes,
                                              .bins = 1,
                                              .sums = (float *const[]){sums}},
                         0, grid->frequencies);
}

/* The same from all channels of one spectrum. */
static void correlate_channels(const Transform *grid, const float *filters, int outputs, int inputs,
                               const float *spectrum, float *sums)
{
    const float *x[CNN_CHANNELS_MAX];
    for (int c = 0; c < inputs; c++)
        x[c] = spectrum + c;
    correlate(grid, filters, outputs, inputs, x, transform_lanes(inputs), sums);
}

/* drive := W ⊛ (s − s0); slope, how fast the units go along the path. */
static void drive_units(Attribution *a)
{
    if (a->is_driven)
        return;
    size_t spectrum = transform_spectrum_count(&a->image, 1);
    size_t units = cnn_units_floats(&a->layers.first);
    for (int i = 0; i < a->history; i++)
        a->window[i] = a->spectra + attribution_slot(a, i) * spectrum;
    correlate(&a->image, a->filters1, a->layers.first.channels, a->history, a->window, 1, a->sum1);
    transform_inverse(&a->first_out, a->sum1, a->drive);
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
    memset(a->spectra, 0, history * transform_spectrum_count(&a->image, 1) * sizeof *a->spectra);
    memset(a->uneven_x, 0, history * sizeof *a->uneven_x);
    memset(a->uneven_y, 0, history * sizeof *a->uneven_y);
    memset(a->uneven, 0, history * sizeof *a->uneven);
    int lanes = transform_lanes(first->channels);
    for (int c = 0; c < first->channels; c++) {
        double sum = 0;
        for (int i = 0; i < a->history; i++)
            sum += (double)a->kernel_sums[c * a->history + i];
        for (int unit = c; unit < first->height * first->width * lanes; unit += lanes)
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
    size_t pixels = cnn_units_count(&a->layers.image), slot = attribution_slot(a, 0);
    float *image = a->images + slot * pixels;
    for (size_t i = 0; i < pixels; i++)
        image[i] = (float)(((double)lum[i] - a->grey_lum) / a->lum_sd);
    measure_unevenness(a, slot, image);
    transform_forward_plane(&a->image, image,
                            a->spectra + slot * transform_spectrum_count(&a->image, 1));
    a->head++;
    a->is_driven = false;
}

/* ---- the network at one place of the path */

static void convolve(Attribution *a)
{
    int c1 = a->layers.first.channels, c2 = a->layers.second.channels;
    transform_forward(&a->first, a->units1, a->in2);
    correlate_channels(&a->first, a->filters2, c2, c1, a->in2, a->sum2);
    transform_inverse(&a->second_out, a->sum2, a->units2);
    kernels()->rectify(cnn_units_floats(&a->layers.second), a->scale2, a->shift2, a->units2);
}

/* units1 and units2 at α. */
static void run_layers(Attribution *a, double alpha)
{
    size_t units = cnn_units_floats(&a->layers.first);
    float at = (float)alpha;
    for (size_t i = 0; i < units; i++) {
        float value = a->base[i] + at * a->slope[i];
        a->units1[i] = value > 0 ? value : 0;
    }
    if (attribution_has_second(a))
        convolve(a);
}

/* The argument of a cell's softplus. */
static double read_out(const Attribution *a, int cell)
{
    size_t units = cnn_units_floats(attribution_last_layer(a));
    const float *values = attribution_has_second(a) ? a->units2 : a->units1;
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
    size_t units = cnn_units_floats(&a->layers.second);
    for (size_t i = 0; i < units; i++)
        a->back2[i] = a->units2[i] > 0 ? dense[i] * a->scale2[i] : 0;
    transform_inverse_adjoint(&a->second_out, a->back2, a->sum2);
    correlate_channels(&a->first, a->filters2_back, c1, c2, a->sum2, a->in2);
    transform_forward_adjoint(&a->first, a->in2, a->back1);
}

/* ∂rate/∂z (h1, w1, lanes) in a panel: at its middle, but for the share of it in which the unit itself
 * is above 0, which is exact. Returns the rate in the middle. */
static double differentiate(Attribution *a, int cell, const Panel *panel, float *gradient)
{
    size_t units = cnn_units_floats(&a->layers.first);
    run_layers(a, 0.5 * (panel->from + panel->to));
    double argument = read_out(a, cell);
    const float *dense = a->dense + (size_t)cell * cnn_units_floats(attribution_last_layer(a));
    const float *back = attribution_has_second(a) ? a->back1 : dense;
    if (attribution_has_second(a))
        convolve_back(a, dense);
    float outer = (float)(a->rate_scale_hz * (double)a->dense_scale[cell] / (1 + exp(-argument)));
    float from = (float)panel->from, to = (float)panel->to;
    for (size_t i = 0; i < units; i++) {
        float p = a->base[i] + from * a->slope[i], q = a->base[i] + to * a->slope[i];
        float high = p > q ? p : q, low = p > q ? q : p, rise = high - low;
        float share = high / (rise > FLT_MIN ? rise : FLT_MIN);
        share = share < 1 ? share : 1;
        share = share > 0 ? share : 0;
        gradient[i] = outer * a->scale1[i] * back[i] * share;
    }
    return a->rate_scale_hz * softplus(argument);
}

/* ---- the path */

static float *gradient_of(const Attribution *a, int panel)
{
    return a->gradients + (size_t)panel * cnn_units_floats(&a->layers.first);
}

static void measure_panel(Attribution *a, int cell, int index)
{
    Panel *panel = &a->panels[index];
    size_t units = cnn_units_floats(&a->layers.first);
    float *gradient = gradient_of(a, index);
    panel->rate_middle = differentiate(a, cell, panel, gradient);
    double sum = cblas_dsdot((int)units, gradient, 1, a->drive, 1);
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
    int units = (int)cnn_units_floats(&a->layers.first);
    memset(a->mean_gradient, 0, (size_t)units * sizeof *a->mean_gradient);
    for (int p = 0; p < a->panels_count; p++)
        cblas_saxpy(units, (float)(a->panels[p].to - a->panels[p].from), gradient_of(a, p), 1,
                    a->mean_gradient, 1);
}

/* From the order of the layer to (channels, height, width). */
static void hand_out(Attribution *a, AttributionResult *result)
{
    const CnnUnits *first = &a->layers.first;
    int places = first->height * first->width, lanes = transform_lanes(first->channels);
    for (int c = 0; c < first->channels; c++)
        for (int place = 0; place < places; place++) {
            int unit = c * places + place;
            float g = a->mean_gradient[place * lanes + c], d = a->drive[place * lanes + c];
            a->weights_out[unit] = g;
            a->drive_out[unit] = d;
            a->units_out[unit] = g * d;
            result->channel_hz[c] += (double)g * (double)d;
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
    int pixels = (int)cnn_units_count(&a->layers.image), history = a->history;
    int lanes = transform_lanes(history);
    transform_inverse_adjoint(&a->first_out, a->mean_gradient, a->sum1);
    correlate_channels(&a->image, a->filters1_back, history, a->layers.first.channels, a->sum1,
                       a->sum1_history);
    transform_forward_adjoint(&a->image, a->sum1_history, a->pixels);
    for (int i = 0; i < history; i++) {
        const float *image = a->images + attribution_slot(a, i) * (size_t)pixels;
        for (int p = 0; p < pixels; p++)
            *pixels_hz++ = image[p] * a->pixels[p * lanes + i];
    }
}
