#include "model/ln.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

typedef struct {
    ModelFile file; // owned: names and texts of the info
    int cells, pixels, history, slots;
    double rate_scale_hz;
    size_t slot_floats; // pixels, rounded up to a cache line
    float lum_mean, lum_sd;
    float *filter;        // owned (history by lag, cells, pixels)
    float *offset, *gain; // owned (cells)
    float *ring;          // owned (slots, pixels) normalised, bin b in slot b % slots
    float *past_sum;      // owned (cells): lags 1 … of bin `head`, where it is settled
    int64_t head, marked; // bins seen
    bool is_settled;
} Ln;

static float *ring_slot(const Ln *ln, int64_t bin)
{
    // bins before the first count as the mean luminance: slots start as 0
    return ln->ring + (size_t)((bin + ln->slots) % ln->slots) * ln->slot_floats;
}

/* sum (cells) += filter of that lag (cells, pixels) · image (pixels) */
static void add_lag(const Ln *ln, int lag, const float *image, float *sum)
{
    const float *filter = ln->filter + (size_t)lag * (size_t)ln->cells * (size_t)ln->pixels;
    cblas_sgemv(CblasRowMajor, CblasNoTrans, ln->cells, ln->pixels, 1, filter, ln->pixels, image, 1,
                1, sum, 1);
}

static void ln_settle(void *state)
{
    Ln *ln = state;
    if (ln->is_settled)
        return;
    memset(ln->past_sum, 0, (size_t)ln->cells * sizeof *ln->past_sum);
    for (int lag = 1; lag < ln->history; lag++)
        add_lag(ln, lag, ring_slot(ln, ln->head - lag), ln->past_sum);
    ln->is_settled = true;
}

static float softplus(float x)
{
    return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

static void ln_step(void *state, const float *lum, float *rates_hz)
{
    Ln *ln = state;
    ln_settle(ln);
    float *newest = ring_slot(ln, ln->head);
    for (int i = 0; i < ln->pixels; i++)
        newest[i] = (lum[i] - ln->lum_mean) / ln->lum_sd;
    memcpy(rates_hz, ln->past_sum, (size_t)ln->cells * sizeof *rates_hz);
    add_lag(ln, 0, newest, rates_hz);
    for (int cell = 0; cell < ln->cells; cell++)
        rates_hz[cell] =
            (float)ln->rate_scale_hz * ln->gain[cell] * softplus(rates_hz[cell] + ln->offset[cell]);
    ln->head++;
    ln->is_settled = false;
}

static void ln_mark(void *state)
{
    Ln *ln = state;
    ln->marked = ln->head;
}

static void ln_rewind(void *state)
{
    Ln *ln = state;
    ln->is_settled = ln->is_settled && ln->head == ln->marked;
    ln->head = ln->marked;
}

static void ln_reset(void *state)
{
    Ln *ln = state;
    memset(ln->ring, 0, (size_t)ln->slots * ln->slot_floats * sizeof *ln->ring);
    ln->head = ln->marked = 0;
    ln->is_settled = false;
}

static void ln_close(void *state)
{
    Ln *ln = state;
    if (ln == NULL)
        return;
    free(ln->filter);
    free(ln->offset);
    free(ln->gain);
    free(ln->ring);
    free(ln->past_sum);
    model_file_finish(&ln->file);
    free(ln);
}

static const ModelInterface ln_interface = {
    .step = ln_step,
    .settle = ln_settle,
    .mark = ln_mark,
    .rewind = ln_rewind,
    .reset = ln_reset,
    .close = ln_close,
};

static bool check_file(const ModelFile *file, char *err)
{
    const ModelInfo *info = &file->info;
    const int full[] = {info->cells, info->history_bins, info->height_px, info->width_px};
    const int space[] = {info->cells, info->height_px, info->width_px};
    bool is_separable = model_file_find(file, "filter_time") != NULL ||
                        model_file_find(file, "filter_space") != NULL;
    if (is_separable && model_file_find(file, "filter") != NULL)
        return model_refuse(err,
                            "%s: datasets filter and filter_time or filter_space together; allowed "
                            "is filter alone or the other two",
                            file->path);
    bool has_filter = is_separable ? model_file_need(file, "filter_time", 2, full, err) &&
                                         model_file_need(file, "filter_space", 3, space, err)
                                   : model_file_need(file, "filter", 4, full, err) != NULL;
    return has_filter && model_file_need(file, "offset", 1, full, err) &&
           model_file_need(file, "gain", 1, full, err);
}

static bool allocate(Ln *ln)
{
    size_t cells = (size_t)ln->cells, pixels = (size_t)ln->pixels;
    ln->filter = model_alloc((size_t)ln->history * cells * pixels);
    ln->offset = model_alloc(cells);
    ln->gain = model_alloc(cells);
    ln->ring = model_alloc((size_t)ln->slots * ln->slot_floats);
    ln->past_sum = model_alloc(cells);
    return ln->filter && ln->offset && ln->gain && ln->ring && ln->past_sum;
}

/* filter (pixels) of one cell and lag, from either form. */
static void load_filter(const ModelFile *file, const Ln *ln, size_t cell, size_t lag, float *filter)
{
    size_t pixels = (size_t)ln->pixels, history = (size_t)ln->history;
    size_t bin = cell * history + (history - 1 - lag); // oldest first in the file
    const ModelTensor *full = model_file_find(file, "filter");
    if (full != NULL) {
        memcpy(filter, full->values + bin * pixels, pixels * sizeof *filter);
        return;
    }
    float time = model_file_find(file, "filter_time")->values[bin];
    const float *space = model_file_find(file, "filter_space")->values + cell * pixels;
    for (size_t i = 0; i < pixels; i++)
        filter[i] = time * space[i];
}

static void load(Ln *ln, const ModelFile *file)
{
    size_t cells = (size_t)ln->cells, pixels = (size_t)ln->pixels;
    for (size_t lag = 0; lag < (size_t)ln->history; lag++)
        for (size_t cell = 0; cell < cells; cell++)
            load_filter(file, ln, cell, lag, ln->filter + (lag * cells + cell) * pixels);
    memcpy(ln->offset, model_file_find(file, "offset")->values, cells * sizeof(float));
    memcpy(ln->gain, model_file_find(file, "gain")->values, cells * sizeof(float));
}

bool ln_model_open(ModelFile *file, ModelParts *parts, char *err)
{
    if (!check_file(file, err))
        return false;
    Ln *ln = calloc(1, sizeof *ln);
    if (ln == NULL)
        return model_refuse(err, "%s: not enough memory for this model", file->path);
    ln->cells = file->info.cells;
    ln->pixels = file->info.width_px * file->info.height_px;
    ln->slot_floats = ((size_t)ln->pixels + 15) / 16 * 16;
    ln->history = file->info.history_bins;
    ln->slots = ln->history + MODEL_MAX_REWIND_BINS;
    ln->rate_scale_hz = file->rate_scale_hz;
    ln->lum_mean = (float)file->info.lum_mean;
    ln->lum_sd = (float)file->info.lum_sd;
    if (!allocate(ln)) {
        ln_close(ln);
        return model_refuse(err, "%s: not enough memory for this model", file->path);
    }
    load(ln, file);
    ln->file = *file;
    *file = (ModelFile){0};
    *parts = (ModelParts){ln->file.info, ln, &ln_interface};
    return true;
}
