#include "model/ln.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ModelFile file; // owned: names and texts of the info
    int cells, width, history, slots;
    int side_x, side_y, taps; // of the window
    int memory_bins;          // of a GLM; else 0
    double rate_scale_hz, bin_hz;
    float lum_mean, lum_sd;
    const float *filter;        // (cells, history oldest first, side_y, side_x), of the file
    const float *memory;        // (cells, memory_bins oldest first), of the file
    const float *offset, *gain; // (cells), of the file
    int *corner;                // owned (cells): the window's first pixel
    float *ring;                // owned (slots, cells, taps) normalised, bin b in slot b % slots
    float *expected;            // owned (slots of memory, cells) spikes a bin predicted by bin b
    float *past_sum;            // owned (cells): lags 1 … of bin `head`, where it is settled
    float *sums;                // owned (taps): products, tap by tap over the lags
    int memory_slots;
    int64_t head, marked; // bins seen
    bool is_settled;
} Ln;

/* (cells, taps): what each cell's window showed in that bin. */
static float *ring_slot(const Ln *ln, int64_t bin)
{
    // bins before the first count as the mean luminance: slots start as 0
    return ln->ring + (bin + ln->slots) % ln->slots * ln->cells * ln->taps;
}

/* The numbers expected from what was seen up to that bin; 0 before the first. */
static float *expected_slot(const Ln *ln, int64_t bin)
{
    int64_t slot = (bin + ln->memory_slots) % ln->memory_slots;
    return ln->expected + (size_t)(slot * ln->cells);
}

/* sums (taps) += filter · window of that bin, tap by tap: the loop has no order to keep. */
static void add_lag(const Ln *ln, int cell, int lag, int64_t bin, float *restrict sums)
{
    const float *restrict filter =
        ln->filter + (cell * ln->history + ln->history - 1 - lag) * ln->taps;
    const float *restrict window = ring_slot(ln, bin) + cell * ln->taps;
    for (int i = 0; i < ln->taps; i++)
        sums[i] += filter[i] * window[i];
}

static float total(const float *sums, int count)
{
    float sum = 0.0f;
    for (int i = 0; i < count; i++)
        sum += sums[i];
    return sum;
}

static void clear_sums(const Ln *ln)
{
    memset(ln->sums, 0, (size_t)ln->taps * sizeof *ln->sums);
}

static void ln_settle(void *state)
{
    Ln *ln = state;
    if (ln->is_settled)
        return;
    for (int cell = 0; cell < ln->cells; cell++) {
        clear_sums(ln);
        for (int lag = 1; lag < ln->history; lag++)
            add_lag(ln, cell, lag, ln->head - lag, ln->sums);
        ln->past_sum[cell] = total(ln->sums, ln->taps);
        for (int i = 0; i < ln->memory_bins; i++)
            ln->past_sum[cell] += ln->memory[cell * ln->memory_bins + i] *
                                  expected_slot(ln, ln->head - ln->memory_bins + i)[cell];
    }
    ln->is_settled = true;
}

static float softplus(float x)
{
    return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

/* window (taps) := what a cell sees of the light, normalised. */
static void cut_window(const Ln *ln, int cell, const float *lum, float *window)
{
    const float *corner = lum + ln->corner[cell];
    for (int y = 0; y < ln->side_y; y++)
        for (int x = 0; x < ln->side_x; x++)
            *window++ = (corner[y * ln->width + x] - ln->lum_mean) / ln->lum_sd;
}

static void ln_step(void *state, const float *lum, float *rates_hz)
{
    Ln *ln = state;
    ln_settle(ln);
    float *newest = ring_slot(ln, ln->head), *expected = expected_slot(ln, ln->head);
    for (int cell = 0; cell < ln->cells; cell++) {
        cut_window(ln, cell, lum, newest + cell * ln->taps);
        clear_sums(ln);
        add_lag(ln, cell, 0, ln->head, ln->sums);
        float drive = ln->past_sum[cell] + total(ln->sums, ln->taps) + ln->offset[cell];
        rates_hz[cell] = (float)ln->rate_scale_hz * ln->gain[cell] * softplus(drive);
        expected[cell] = rates_hz[cell] / (float)ln->bin_hz;
    }
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
    size_t windows = (size_t)ln->slots * (size_t)ln->cells;
    memset(ln->ring, 0, windows * (size_t)ln->taps * sizeof *ln->ring);
    memset(ln->expected, 0, (size_t)(ln->memory_slots * ln->cells) * sizeof *ln->expected);
    ln->head = ln->marked = 0;
    ln->is_settled = false;
}

static void ln_close(void *state)
{
    Ln *ln = state;
    if (ln == NULL)
        return;
    free(ln->corner);
    free(ln->ring);
    free(ln->expected);
    free(ln->past_sum);
    free(ln->sums);
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

/* values[cell], whole and from 0 to most; true without the dataset. */
static bool check_corner(const ModelFile *file, const char *name, int most, char *err)
{
    const ModelTensor *corner = model_file_find(file, name);
    if (corner == NULL)
        return true;
    if (model_file_need(file, name, 1, &file->info.cells, err) == NULL)
        return false;
    for (int cell = 0; cell < file->info.cells; cell++) {
        float value = corner->values[cell];
        if (!(value >= 0.0f && value <= (float)most && value == floorf(value)))
            return model_refuse(err, "%s: dataset %s[%d] is %g; allowed are whole numbers, 0 to %d",
                                file->path, name, cell, (double)value, most);
    }
    return true;
}

static bool check_file(const ModelFile *file, char *err)
{
    const ModelInfo *info = &file->info;
    const int any[] = {info->cells, info->history_bins, 0, 0};
    const ModelTensor *filter = model_file_need(file, "filter", 4, any, err);
    if (filter == NULL)
        return false;
    if (filter->dims[2] > info->height_px || filter->dims[3] > info->width_px)
        return model_refuse(err, "%s: dataset filter has windows of %d by %d px; at most %d by %d",
                            file->path, filter->dims[3], filter->dims[2], info->width_px,
                            info->height_px);
    bool is_glm = strcmp(info->kind, "glm") == 0;
    return check_corner(file, "filter_left", info->width_px - filter->dims[3], err) &&
           check_corner(file, "filter_top", info->height_px - filter->dims[2], err) &&
           model_file_need(file, "offset", 1, any, err) &&
           model_file_need(file, "gain", 1, any, err) &&
           (!is_glm || model_file_need(file, "memory", 2, (const int[]){info->cells, 0}, err));
}

static bool allocate(Ln *ln)
{
    ln->corner = calloc((size_t)ln->cells, sizeof *ln->corner);
    ln->ring = model_alloc((size_t)ln->slots * (size_t)ln->cells * (size_t)ln->taps);
    ln->expected = model_alloc((size_t)(ln->memory_slots * ln->cells));
    ln->past_sum = model_alloc((size_t)ln->cells);
    ln->sums = model_alloc((size_t)ln->taps);
    return ln->corner && ln->ring && ln->expected && ln->past_sum && ln->sums;
}

static void load(Ln *ln)
{
    const ModelTensor *left = model_file_find(&ln->file, "filter_left");
    const ModelTensor *top = model_file_find(&ln->file, "filter_top");
    for (int cell = 0; cell < ln->cells; cell++)
        ln->corner[cell] =
            (top ? (int)top->values[cell] : 0) * ln->width + (left ? (int)left->values[cell] : 0);
    ln->filter = model_file_find(&ln->file, "filter")->values;
    ln->offset = model_file_find(&ln->file, "offset")->values;
    ln->gain = model_file_find(&ln->file, "gain")->values;
    if (ln->memory_bins > 0)
        ln->memory = model_file_find(&ln->file, "memory")->values;
}

static void measure(Ln *ln, const ModelFile *file)
{
    const ModelTensor *filter = model_file_find(file, "filter");
    const ModelTensor *memory = model_file_find(file, "memory");
    ln->cells = file->info.cells;
    ln->width = file->info.width_px;
    ln->side_y = filter->dims[2];
    ln->side_x = filter->dims[3];
    ln->taps = ln->side_x * ln->side_y;
    ln->history = file->info.history_bins;
    ln->slots = ln->history + MODEL_MAX_REWIND_BINS;
    ln->memory_bins = strcmp(file->info.kind, "glm") == 0 ? memory->dims[1] : 0;
    ln->memory_slots = ln->memory_bins + MODEL_MAX_REWIND_BINS;
    ln->rate_scale_hz = file->rate_scale_hz;
    ln->bin_hz = file->info.bin_hz;
    ln->lum_mean = (float)file->info.lum_mean;
    ln->lum_sd = (float)file->info.lum_sd;
}

bool ln_model_open(ModelFile *file, ModelParts *parts, char *err)
{
    if (!check_file(file, err))
        return false;
    Ln *ln = calloc(1, sizeof *ln);
    if (ln == NULL)
        return model_refuse(err, "%s: not enough memory for this model", file->path);
    measure(ln, file);
    if (!allocate(ln)) {
        ln_close(ln);
        return model_refuse(err, "%s: not enough memory for this model", file->path);
    }
    ln->file = *file;
    *file = (ModelFile){0};
    load(ln);
    *parts = (ModelParts){ln->file.info, ln, &ln_interface};
    return true;
}
