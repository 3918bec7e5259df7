#include "model/cnn_history.h"

#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int slot_of(const CnnHistory *h, int64_t bin)
{
    // bins before the first count as 0: slots start like that
    return (int)((bin + h->slots) % h->slots);
}

static float *spectrum_of(const CnnHistory *h, int64_t bin)
{
    return h->ring + (size_t)slot_of(h, bin) * transform_spectrum_count(h->grid, 1);
}

/* The images from bin `first` on, and the most of their frequencies that count. */
static int look_back(const CnnHistory *h, int64_t first, int count)
{
    int extent = 1;
    for (int i = 0; i < count; i++) {
        h->window[i] = spectrum_of(h, first + i);
        extent = larger(extent, h->extents[slot_of(h, first + i)]);
    }
    return extent;
}

/* What a sum leaves out counts as 0: write it where it is going to be read. */
static void widen(const CnnHistory *h, float *values, int from, int to)
{
    size_t frequency = (size_t)(2 * h->lanes);
    if (to > from)
        memset(values + (size_t)from * frequency, 0,
               (size_t)(to - from) * frequency * sizeof *values);
}

static void correlate(const CnnHistory *h, const float *filters, int inputs, int bins,
                      const float *const *starts, float *const *sums, int from, int to)
{
    kernels()->correlate(&(KernelCorrelation){.filters = filters,
                                              .inputs = inputs,
                                              .lanes = h->lanes,
                                              .x = h->window,
                                              .x_step = 2,
                                              .im_step = 1,
                                              .bins = bins,
                                              .starts = starts,
                                              .sums = sums},
                         from, to);
}

/* ---- long lags */

/* The first `quarters` of a block's frequencies; the images up to the bin CNN_LONG_LAG before its last are known. */
static CnnBlockSum *sum_long(CnnHistory *h, int64_t block, int quarters)
{
    CnnBlockSum *sum = &h->long_sums[block % 2];
    int images = h->long_lags > 0 ? h->long_lags + KERNEL_BINS - 1 : 0;
    bool is_new = sum->block != block;
    if (is_new)
        *sum = (CnnBlockSum){
            {sum->values[0], sum->values[1], sum->values[2], sum->values[3]}, block, 0, 0};
    if (sum->done >= quarters)
        return sum;
    int extent = look_back(h, block * KERNEL_BINS - (h->bins - 1), images);
    if (is_new)
        sum->extent = extent;
    correlate(h, h->long_filters, h->long_lags, KERNEL_BINS, NULL, sum->values,
              sum->extent * sum->done / KERNEL_BINS, sum->extent * quarters / KERNEL_BINS);
    sum->done = quarters;
    return sum;
}

/* ---- short lags */

static void add_lags(CnnHistory *h, const float *filters, int64_t first, int count,
                     const CnnSum *start, CnnSum *sum)
{
    sum->extent = larger(start->extent, look_back(h, first, count));
    widen(h, start->values, start->extent, sum->extent);
    correlate(h, filters, count, 1, (const float *const[]){start->values},
              (float *const[]){sum->values}, 0, sum->extent);
}

static const CnnSum *sum_short(CnnHistory *h, int64_t bin)
{
    CnnSum *sum = &h->short_sums[bin % 2];
    if (sum->bin == bin)
        return sum;
    CnnBlockSum *block = sum_long(h, bin / KERNEL_BINS, KERNEL_BINS);
    const CnnSum start = {block->values[bin % KERNEL_BINS], bin, block->extent};
    add_lags(h, h->short_filters, bin - 1 - h->short_lags, h->short_lags, &start, sum);
    sum->bin = bin;
    return sum;
}

static void sum_past(CnnHistory *h)
{
    if (h->past.bin == h->head)
        return;
    add_lags(h, h->filters1, h->head - 1, h->bins > 1 ? 1 : 0, sum_short(h, h->head), &h->past);
    h->past.bin = h->head;
}

/* ---- bins */

void cnn_history_settle(CnnHistory *h)
{
    sum_past(h);
    sum_long(h, h->head / KERNEL_BINS + 1, (int)(h->head % KERNEL_BINS) + 1);
    sum_short(h, h->head + 1);
}

float *cnn_history_next(const CnnHistory *h)
{
    return spectrum_of(h, h->head);
}

void cnn_history_add(CnnHistory *h, int extent)
{
    sum_past(h);
    h->extents[slot_of(h, h->head)] = extent;
    add_lags(h, h->filters0, h->head, 1, &h->past, &h->sum);
    widen(h, h->sum.values, h->sum.extent, h->grid->columns);
    h->head++;
}

void cnn_history_rewind(CnnHistory *h, int64_t head)
{
    h->head = head;
    for (int i = 0; i < 2; i++) {
        // a block's images end before the block ahead of it
        if ((h->long_sums[i].block - 1) * KERNEL_BINS > head)
            h->long_sums[i].block = -1;
        if (h->short_sums[i].bin > head + 1)
            h->short_sums[i].bin = -1;
    }
    if (h->past.bin > head)
        h->past.bin = -1;
}

void cnn_history_reset(CnnHistory *h)
{
    memset(h->ring, 0, (size_t)h->slots * transform_spectrum_count(h->grid, 1) * sizeof *h->ring);
    for (int slot = 0; slot < h->slots; slot++)
        h->extents[slot] = 1;
    h->head = 0;
    h->past.bin = -1;
    for (int i = 0; i < 2; i++)
        h->long_sums[i].block = h->short_sums[i].bin = -1;
}

/* ---- life */

static bool allocate(CnnHistory *h, int channels)
{
    size_t sum = transform_spectrum_count(h->grid, h->lanes);
    const ModelArray arrays[] = {
        {&h->long_filters, cnn_packed_count(h->grid, channels, h->long_lags)},
        {&h->short_filters, cnn_packed_count(h->grid, channels, h->short_lags)},
        {&h->filters1, cnn_packed_count(h->grid, channels, 1)},
        {&h->filters0, cnn_packed_count(h->grid, channels, 1)},
        {&h->ring, (size_t)h->slots * transform_spectrum_count(h->grid, 1)},
        {&h->long_sums[0].values[0], sum},
        {&h->long_sums[0].values[1], sum},
        {&h->long_sums[0].values[2], sum},
        {&h->long_sums[0].values[3], sum},
        {&h->long_sums[1].values[0], sum},
        {&h->long_sums[1].values[1], sum},
        {&h->long_sums[1].values[2], sum},
        {&h->long_sums[1].values[3], sum},
        {&h->short_sums[0].values, sum},
        {&h->short_sums[1].values, sum},
        {&h->past.values, sum},
        {&h->sum.values, sum},
    };
    h->block = model_alloc_arrays(arrays, sizeof arrays / sizeof arrays[0]);
    h->extents = calloc((size_t)h->slots, sizeof *h->extents);
    h->window = calloc((size_t)(h->bins + KERNEL_BINS), sizeof *h->window);
    return h->block && h->extents && h->window;
}

bool cnn_history_init(CnnHistory *h, const Transform *grid, const ModelTensor *kernels)
{
    int channels = kernels->dims[0], bins = kernels->dims[1];
    int short_lags = bins < CNN_LONG_LAG ? bins - 2 : CNN_LONG_LAG - 2;
    *h = (CnnHistory){.grid = grid,
                      .bins = bins,
                      .slots = bins + KERNEL_BINS + MODEL_MAX_REWIND_BINS,
                      .lanes = transform_lanes(channels),
                      .long_lags = larger(bins - CNN_LONG_LAG, 0),
                      .short_lags = larger(short_lags, 0)};
    if (!allocate(h, channels) || !cnn_file_pack(kernels, grid, 0, h->long_lags, h->long_filters) ||
        !cnn_file_pack(kernels, grid, h->long_lags, h->short_lags, h->short_filters) ||
        !cnn_file_pack(kernels, grid, bins - 2, bins > 1, h->filters1) ||
        !cnn_file_pack(kernels, grid, bins - 1, 1, h->filters0))
        return false;
    cnn_history_reset(h);
    return true;
}

void cnn_history_finish(CnnHistory *h)
{
    free(h->block);
    free(h->extents);
    free(h->window);
    *h = (CnnHistory){0};
}
