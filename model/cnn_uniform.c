#include "model/cnn_uniform.h"

#include <math.h>
#include <stdlib.h>

#include "model/kind.h"

static int places_of(const CnnUnits *units)
{
    return units->height * units->width;
}

static size_t anchor_floats(const CnnUniform *u)
{
    return 2 * cnn_units_floats(&u->second);
}

static float *anchor_at(const CnnUniform *u, int channel, int anchor)
{
    return u->anchors + (size_t)(channel * (CNN_UNIFORM_ANCHORS + 1) + anchor) * anchor_floats(u);
}

static int crossings_before(const CnnUniform *u, int anchor)
{
    int crossings = anchor * u->crossings_step, places = places_of(&u->first);
    return crossings < places ? crossings : places;
}

/* ---- where a unit is seen: rows of outputs and of taps, clipped at the border */

typedef struct {
    int rows, floats;          // of a row
    ptrdiff_t output, outputs; // first, and from row to row
    ptrdiff_t tap, taps;
} Patch;

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

static Patch patch_of(const CnnUniform *u, int channel, const CnnCrossing *unit)
{
    int lanes = transform_lanes(u->second.channels), kx = u->kernel_width;
    int top = most(0, unit->y - u->kernel_height + 1),
        bottom = least(unit->y, u->second.height - 1);
    int left = most(0, unit->x - kx + 1), right = least(unit->x, u->second.width - 1);
    int tap_x = left - (unit->x - kx + 1);
    // a lower output sees the unit through a higher tap
    return (Patch){.rows = bottom - top + 1,
                   .floats = (right - left + 1) * lanes,
                   .output = (ptrdiff_t)(top * u->second.width + left) * lanes,
                   .outputs = (ptrdiff_t)u->second.width * lanes,
                   .tap = (ptrdiff_t)((channel * u->kernel_height + unit->y - top) * kx + tap_x) *
                          lanes,
                   .taps = -(ptrdiff_t)kx * lanes};
}

/* ---- one bin */

/* Above its threshold; one of no slope, whose threshold is infinite, counts as such. */
static bool turns_on(const CnnCrossing *unit)
{
    return unit->scale >= 0;
}

static int count_below(const CnnCrossing *crossings, int count, float drive)
{
    int from = 0;
    while (count > 0) {
        int half = count / 2;
        if (crossings[from + half].threshold < drive) {
            from += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return from;
}

static void correct(const CnnUniform *u, int channel, int from, int to, float drive, float *sums)
{
    const CnnCrossing *crossings = u->crossings + channel * places_of(&u->first);
    float way = from <= to ? 1 : -1;
    for (int i = least(from, to); i < most(from, to); i++) {
        const CnnCrossing *unit = &crossings[i];
        Patch patch = patch_of(u, channel, unit);
        float value = unit->scale * drive + unit->shift;
        kernels()->add(patch.rows, patch.floats, turns_on(unit) ? way * value : -way * value,
                       u->taps + patch.tap, patch.taps, sums + patch.output, patch.outputs);
    }
}

void cnn_uniform_sum(const CnnUniform *u, const float *drives, float *sums)
{
    const float *anchors[CNN_UNIFORM_CHANNELS_MOST];
    int below[CNN_UNIFORM_CHANNELS_MOST], nearest[CNN_UNIFORM_CHANNELS_MOST];
    int places = places_of(&u->first);
    for (int c = 0; c < u->first.channels; c++) {
        below[c] = count_below(u->crossings + c * places, places, drives[c]);
        int anchor = (below[c] + u->crossings_step / 2) / u->crossings_step;
        nearest[c] = crossings_before(u, anchor);
        anchors[c] = anchor_at(u, c, anchor);
    }
    kernels()->lines(cnn_units_floats(&u->second), u->first.channels, anchors, drives, sums);
    for (int c = 0; c < u->first.channels; c++)
        correct(u, c, nearest[c], below[c], drives[c], sums);
}

/* ---- the tables */

static int by_threshold(const void *a, const void *b)
{
    float first = ((const CnnCrossing *)a)->threshold, second = ((const CnnCrossing *)b)->threshold;
    return (first > second) - (first < second);
}

static void find_crossings(CnnUniform *u, int channel, const float *scale, const float *shift)
{
    int places = places_of(&u->first), lanes = transform_lanes(u->first.channels);
    CnnCrossing *crossings = u->crossings + channel * places;
    for (int place = 0; place < places; place++) {
        float slope = scale[place * lanes + channel], rest = shift[place * lanes + channel];
        float always = rest > 0 ? -HUGE_VALF : HUGE_VALF;
        crossings[place] = (CnnCrossing){.threshold = slope != 0 ? -rest / slope : always,
                                         .scale = slope,
                                         .shift = rest,
                                         .y = (short)(place / u->first.width),
                                         .x = (short)(place % u->first.width)};
    }
    qsort(crossings, (size_t)places, sizeof *crossings, by_threshold);
}

static void copy_taps(CnnUniform *u, const ModelTensor *conv2)
{
    int lanes = transform_lanes(u->second.channels), inputs = u->first.channels;
    int ky = u->kernel_height, kx = u->kernel_width;
    for (int o = 0; o < u->second.channels; o++)
        for (int c = 0; c < inputs; c++)
            for (int i = 0; i < ky; i++)
                for (int j = 0; j < kx; j++)
                    u->taps[((c * ky + i) * kx + kx - 1 - j) * lanes + o] =
                        conv2->values[((o * inputs + c) * ky + i) * kx + j];
}

/* lines (P, then Q, of all outputs) in double: thousands are put in and taken out */
static void add_unit(const CnnUniform *u, int channel, const CnnCrossing *unit, double sign,
                     double *lines)
{
    size_t outputs = cnn_units_floats(&u->second);
    Patch patch = patch_of(u, channel, unit);
    for (int row = 0; row < patch.rows; row++)
        for (int i = 0; i < patch.floats; i++) {
            double *line = lines + patch.output + row * patch.outputs + i;
            double tap = sign * (double)u->taps[patch.tap + row * patch.taps + i];
            line[0] += tap * (double)unit->scale;
            line[outputs] += tap * (double)unit->shift;
        }
}

static void keep_anchor(const CnnUniform *u, const double *lines, float *anchor)
{
    size_t outputs = cnn_units_floats(&u->second);
    for (size_t i = 0; i < outputs; i++) {
        size_t block = i / KERNEL_LANES, lane = i % KERNEL_LANES;
        anchor[2 * block * KERNEL_LANES + lane] = (float)lines[i];
        anchor[(2 * block + 1) * KERNEL_LANES + lane] = (float)lines[outputs + i];
    }
}

static void make_anchors(CnnUniform *u, int channel, double *lines)
{
    int places = places_of(&u->first);
    const CnnCrossing *crossings = u->crossings + channel * places;
    for (size_t i = 0; i < anchor_floats(u); i++)
        lines[i] = 0;
    for (int i = 0; i < places; i++) // on where the drive is lowest
        if (!turns_on(&crossings[i]))
            add_unit(u, channel, &crossings[i], 1, lines);
    for (int anchor = 0, i = 0; anchor <= CNN_UNIFORM_ANCHORS; anchor++) {
        for (; i < crossings_before(u, anchor); i++)
            add_unit(u, channel, &crossings[i], turns_on(&crossings[i]) ? 1 : -1, lines);
        keep_anchor(u, lines, anchor_at(u, channel, anchor));
    }
}

bool cnn_uniform_init(CnnUniform *u, const ModelTensor *conv2, const CnnUnits *first,
                      const CnnUnits *second, const float *scale1, const float *shift1)
{
    int places = places_of(first);
    *u = (CnnUniform){.first = *first,
                      .second = *second,
                      .kernel_height = conv2->dims[2],
                      .kernel_width = conv2->dims[3],
                      .crossings_step = (places + CNN_UNIFORM_ANCHORS - 1) / CNN_UNIFORM_ANCHORS};
    size_t channels = (size_t)first->channels;
    size_t table = channels * (CNN_UNIFORM_ANCHORS + 1) * anchor_floats(u);
    if (table * sizeof(float) > (size_t)CNN_UNIFORM_MBYTES_MOST << 20 ||
        channels > CNN_UNIFORM_CHANNELS_MOST)
        return true;
    const ModelArray arrays[] = {
        {&u->anchors, table},
        {&u->taps, channels * (size_t)(u->kernel_height * u->kernel_width *
                                       transform_lanes(second->channels))},
    };
    double *lines = calloc(anchor_floats(u), sizeof *lines);
    u->block = model_alloc_arrays(arrays, sizeof arrays / sizeof arrays[0]);
    u->crossings = calloc(channels * (size_t)places, sizeof *u->crossings);
    bool ok = lines && u->block && u->crossings;
    if (ok)
        copy_taps(u, conv2);
    for (int c = 0; ok && c < first->channels; c++) {
        find_crossings(u, c, scale1, shift1);
        make_anchors(u, c, lines);
    }
    free(lines);
    return ok;
}

bool cnn_uniform_is_there(const CnnUniform *u)
{
    return u->crossings != NULL;
}

void cnn_uniform_finish(CnnUniform *u)
{
    free(u->crossings);
    free(u->block);
    *u = (CnnUniform){0};
}
