#include "model/dataset_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/dataset_names.h"
#include "model/kind.h"

enum {
    SLACK_BINS = 10,      // the published files differ by one; more is no rounding
    PIXELS_MAX = 4096,    // a side
    STEPS_MAX = 65536,    // time steps whose median is the bin
    UNIT_BINS_MAX = 4096, // bins of each repeat that tell spikes from rates
};

Dataset *dataset_begin(const char *path, char *err)
{
    Dataset *d = calloc(1, sizeof *d);
    if (!d)
        model_refuse(err, "%s: not enough memory to read a data set", path);
    else
        snprintf(d->path, sizeof d->path, "%s", path);
    return d;
}

static bool is_as_long(int64_t a, int64_t b)
{
    int64_t longer = a > b ? a : b, slack = longer / 100 < SLACK_BINS ? longer / 100 : SLACK_BINS;
    return llabs(a - b) <= slack;
}

static void add_item(Dataset *d, DatasetPart part, const char *name, const Array *array,
                     int time_at)
{
    const ArrayInfo *info = array_info(array);
    DatasetItem *item = &d->items[d->items_count++];
    *item = (DatasetItem){
        .part = part, .rank = info->rank, .time_at = time_at, .is_whole = info->is_whole};
    memcpy(item->dims, info->dims, sizeof item->dims);
    snprintf(item->name, sizeof item->name, "%s/%s", dataset_part_names[part], name);
}

static bool check_stimulus(Dataset *d, DatasetPart which, char *err)
{
    const ArrayInfo *info = array_info(d->parts[which].stimulus);
    char shape[ARRAY_SHAPE_BYTES];
    const char *part = dataset_part_names[which];
    array_shape(info->dims, info->rank, shape);
    if (info->rank != 3)
        return model_refuse(err, "%s: %s/stimulus is %s; must be (T, height, width)", d->path, part,
                            shape);
    if (info->dims[0] < 1 || info->dims[1] < 1 || info->dims[2] < 1)
        return model_refuse(err, "%s: %s/stimulus is %s; must not be empty", d->path, part, shape);
    return true;
}

/* The sentence for a response (a, b) that does not run along stimulus (T, y, x) as it should. */
static bool refuse_length(const Dataset *d, DatasetPart which, const char *name, const int64_t *r,
                          const int64_t *s, char *err)
{
    const char *part = dataset_part_names[which];
    char shape[ARRAY_SHAPE_BYTES], fit[ARRAY_SHAPE_BYTES];
    const char *by = d->has_axes ? " by its axes" : "";
    if (is_as_long(r[0], s[0]))
        return model_refuse(
            err, "%s: %s/response/%s is %s%s, time first; must be (cells, T), here %s: %s", d->path,
            part, name, array_shape(r, 2, shape), by, array_shape((int64_t[]){r[1], r[0]}, 2, fit),
            d->has_axes ? "say them the other way round" : "transpose it");
    int64_t bins = is_as_long(r[1], s[2]) || is_as_long(r[1], s[1]) ? r[1] : r[0];
    array_shape(s, 3, shape);
    if (is_as_long(bins, s[2]))
        return model_refuse(
            err, "%s: %s/stimulus is %s%s, time last; must be (T, height, width), here %s: %s",
            d->path, part, shape, by, array_shape((int64_t[]){s[2], s[0], s[1]}, 3, fit),
            d->has_axes ? "say other axes" : "move the last axis to the front");
    if (is_as_long(bins, s[1]))
        return model_refuse(err,
                            "%s: %s/stimulus is %s%s, time in the middle; must be (T, height, "
                            "width), here %s: %s",
                            d->path, part, shape, by,
                            array_shape((int64_t[]){s[1], s[0], s[2]}, 3, fit),
                            d->has_axes ? "say other axes" : "swap the first two axes");
    return model_refuse(err,
                        "%s: %s/response/%s is %s and %s/stimulus %s; must be (cells, T) and (T, "
                        "height, width) with the same T, give or take %d bins",
                        d->path, part, name, array_shape(r, 2, fit), part, shape, SLACK_BINS);
}

static bool check_response(Dataset *d, DatasetPart which, int response, char *err)
{
    DatasetPartArrays *part = &d->parts[which];
    const ArrayInfo *info = array_info(part->responses[response]);
    const int64_t *stimulus = array_info(part->stimulus)->dims;
    const char *name = dataset_response_names[response];
    char shape[ARRAY_SHAPE_BYTES];
    if (info->rank != 2)
        return model_refuse(err, "%s: %s/response/%s is %s; must be (cells, T)", d->path,
                            dataset_part_names[which], name,
                            array_shape(info->dims, info->rank, shape));
    if (!is_as_long(info->dims[1], stimulus[0]))
        return refuse_length(d, which, name, info->dims, stimulus, err);
    if (info->dims[0] < 1 || info->dims[0] > MODEL_MAX_CELLS ||
        (d->info.cells > 0 && info->dims[0] != d->info.cells))
        return model_refuse(err,
                            "%s: %s/response/%s is %s; must be (cells, T) with the same 1 to %d "
                            "cells everywhere",
                            d->path, dataset_part_names[which], name,
                            array_shape(info->dims, 2, shape), MODEL_MAX_CELLS);
    d->info.cells = (int)info->dims[0];
    if (info->dims[1] < part->bins)
        part->bins = info->dims[1];
    return true;
}

static bool check_time(Dataset *d, DatasetPart which, char *err)
{
    DatasetPartArrays *part = &d->parts[which];
    if (!part->time)
        return true;
    array_squeeze(part->time);
    const ArrayInfo *info = array_info(part->time);
    char shape[ARRAY_SHAPE_BYTES];
    if (info->rank != 1 || !is_as_long(info->dims[0], part->bins))
        return model_refuse(err, "%s: %s/time is %s; must be (T), one start a bin, here (%lld)",
                            d->path, dataset_part_names[which],
                            array_shape(info->dims, info->rank, shape), (long long)part->bins);
    add_item(d, which, "time", part->time, 0);
    if (info->dims[0] < part->bins)
        part->bins = info->dims[0];
    return true;
}

/* A part of no bins, as a recording that was stopped early has, is a part that is not there. */
static void drop_if_empty(DatasetPartArrays *part)
{
    const ArrayInfo *info = part->stimulus ? array_info(part->stimulus) : NULL;
    if (!info || info->rank != 3 || info->dims[0] > 0)
        return;
    array_close(part->stimulus);
    array_close(part->time);
    for (int i = 0; i < DATASET_RESPONSES; i++)
        array_close(part->responses[i]);
    *part = (DatasetPartArrays){0};
}

static bool settle_part(Dataset *d, DatasetPart which, char *err)
{
    DatasetPartArrays *part = &d->parts[which];
    drop_if_empty(part);
    if (!part->stimulus)
        return true;
    if (!check_stimulus(d, which, err))
        return false;
    const int64_t *dims = array_info(part->stimulus)->dims;
    part->bins = dims[0];
    add_item(d, which, "stimulus", part->stimulus, 0);
    bool has_response = false;
    for (int i = 0; i < DATASET_RESPONSES; i++) {
        char name[40];
        if (!part->responses[i])
            continue;
        if (!check_response(d, which, i, err))
            return false;
        snprintf(name, sizeof name, "response/%s", dataset_response_names[i]);
        add_item(d, which, name, part->responses[i], 1);
        has_response = true;
    }
    if (!has_response)
        return model_refuse(err,
                            "%s: %s/response holds none of binned, firing_rate_10ms, rate_hz, "
                            "firing_rate_5ms, firing_rate_20ms; one is needed",
                            d->path, dataset_part_names[which]);
    if (dims[1] > PIXELS_MAX || dims[2] > PIXELS_MAX)
        return model_refuse(
            err, "%s: %s/stimulus has %lld × %lld pixels; allowed are 1 to %d a side", d->path,
            dataset_part_names[which], (long long)dims[2], (long long)dims[1], PIXELS_MAX);
    if (d->info.width_px > 0 && (dims[2] != d->info.width_px || dims[1] != d->info.height_px))
        return model_refuse(err,
                            "%s: %s/stimulus has %lld × %lld pixels where train has %d × %d; must "
                            "be the same size",
                            d->path, dataset_part_names[which], (long long)dims[2],
                            (long long)dims[1], d->info.width_px, d->info.height_px);
    d->info.height_px = (int)dims[1];
    d->info.width_px = (int)dims[2];
    return check_time(d, which, err);
}

bool dataset_settle_shapes(Dataset *d, char *err)
{
    for (int i = 0; i < DATASET_PARTS; i++)
        if (!settle_part(d, (DatasetPart)i, err))
            return false;
    return d->info.cells > 0 ||
           model_refuse(err,
                        "%s: holds neither train nor test with a stimulus and a response; a data "
                        "set needs one of them",
                        d->path);
}

static void drop_repeats(Dataset *d)
{
    array_close(d->repeats_together);
    for (int i = 0; d->repeats_by_cell && i < d->repeats_count; i++)
        array_close(d->repeats_by_cell[i]);
    free(d->repeats_by_cell);
    d->repeats_together = NULL;
    d->repeats_by_cell = NULL;
    d->info.repeats = 0;
    d->info.repeats_form = DATASET_REPEATS_NONE;
}

/* The array as (cells, repeats, T); published ones are (repeats, cells, T). */
static bool turn_together(Dataset *d)
{
    const ArrayInfo *info = array_info(d->repeats_together);
    if (info->rank != 3)
        return false;
    if (info->dims[1] == d->info.cells)
        array_arrange(d->repeats_together, (int[]){1, 0, 2});
    return info->dims[0] == d->info.cells;
}

static bool use_repeats(Dataset *d, const Array *array, int rank)
{
    const ArrayInfo *info = array_info(array);
    DatasetPartArrays *test = &d->parts[DATASET_TEST];
    int64_t repeats = info->rank == rank ? info->dims[rank - 2] : 0;
    if (repeats < 1 || repeats > DATASET_MAX_REPEATS ||
        !is_as_long(info->dims[rank - 1], test->bins) ||
        (d->info.repeats > 0 && repeats != d->info.repeats))
        return false;
    d->info.repeats = (int)repeats;
    if (info->dims[rank - 1] < test->bins)
        test->bins = info->dims[rank - 1];
    return true;
}

static bool problem(Dataset *d, const Array *array, const char *allowed)
{
    char shape[ARRAY_SHAPE_BYTES];
    const ArrayInfo *info = array_info(array);
    snprintf(d->repeats_problem, sizeof d->repeats_problem,
             "test/%s is %s; must be %s with %d cells, %lld bins and 1 to %d repeats",
             d->repeats_name, array_shape(info->dims, info->rank, shape), allowed, d->info.cells,
             (long long)d->parts[DATASET_TEST].bins, DATASET_MAX_REPEATS);
    return false;
}

static bool fit_repeats(Dataset *d)
{
    if (d->repeats_together) {
        bool is_turned = d->info.repeats_form == DATASET_REPEATS_NONE || turn_together(d);
        return (is_turned && use_repeats(d, d->repeats_together, 3)) ||
               problem(d, d->repeats_together, "(repeats, cells, T)");
    }
    if (d->repeats_count != d->info.cells) {
        snprintf(d->repeats_problem, sizeof d->repeats_problem,
                 "test/repeats holds %d cells where test/response has %d; must be the same",
                 d->repeats_count, d->info.cells);
        return false;
    }
    for (int i = 0; i < d->repeats_count; i++)
        if (!use_repeats(d, d->repeats_by_cell[i], 2))
            return problem(d, d->repeats_by_cell[i], "(repeats, T), the same for every cell,");
    return true;
}

void dataset_settle_repeats(Dataset *d)
{
    d->info.repeats_problem = d->repeats_problem;
    if (!d->repeats_together && !d->repeats_by_cell)
        return;
    if (!d->parts[DATASET_TEST].stimulus || !fit_repeats(d)) {
        drop_repeats(d);
        return;
    }
    add_item(d, DATASET_TEST, d->repeats_name,
             d->repeats_together ? d->repeats_together : d->repeats_by_cell[0],
             d->repeats_together ? 2 : 1);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The rate of the median step of time; a whole number within a thousandth of one. 0: no telling. */
static double timed_rate_hz(const Array *time)
{
    int64_t bins = time ? array_info(time)->dims[0] : 0;
    int count = bins > STEPS_MAX ? STEPS_MAX : (int)bins;
    double *at = count > 2 ? malloc((size_t)count * sizeof *at) : NULL;
    double rate = 0.0;
    if (at && array_read(time, (int64_t[]){0}, (int64_t[]){count}, ARRAY_DOUBLE, at)) {
        for (int i = 0; i + 1 < count; i++)
            at[i] = at[i + 1] - at[i];
        qsort(at, (size_t)count - 1, sizeof *at, by_size);
        double step = at[(count - 1) / 2];
        rate = step > 0.0 ? 1.0 / step : 0.0;
        if (fabs(rate - round(rate)) < 1e-3 * rate)
            rate = round(rate);
    }
    free(at);
    return isfinite(rate) ? rate : 0.0;
}

static void settle_bin_rate(DatasetInfo *info, const DatasetPartArrays *parts)
{
    if (info->bin_hz > 0.0)
        return;
    for (int i = 0; i < DATASET_PARTS && !(info->bin_hz > 0.0); i++)
        info->bin_hz = timed_rate_hz(parts[i].time);
    info->bin_hz_source = info->bin_hz > 0.0 ? DATASET_BIN_HZ_TIMED : DATASET_BIN_HZ_ASSUMED;
    if (!(info->bin_hz > 0.0))
        info->bin_hz = 100.0;
}

/* Spike counts are whole and not all multiples of the bin rate; anything else is a rate. */
static DatasetUnit unit_of(const float *values, size_t count, double bin_hz)
{
    bool is_all_multiples = true, is_any = false;
    for (size_t i = 0; i < count; i++) {
        double value = (double)values[i], bins = value / bin_hz;
        if (isnan(value))
            continue;
        if (fabs(value - round(value)) > 1e-6)
            return DATASET_HZ;
        is_any = is_any || value > 0.0;
        is_all_multiples = is_all_multiples && fabs(bins - round(bins)) < 1e-6;
    }
    return is_any && is_all_multiples && bin_hz > 1.5 ? DATASET_HZ : DATASET_SPIKES_PER_BIN;
}

/* Silent cells tell nothing, so that the first one that speaks decides. */
static bool settle_unit(Dataset *d, char *err)
{
    int64_t test_bins = d->parts[DATASET_TEST].bins;
    int bins = test_bins > UNIT_BINS_MAX ? UNIT_BINS_MAX : (int)test_bins;
    if (d->info.repeats == 0)
        return true;
    size_t count = (size_t)d->info.repeats * (size_t)bins;
    float *values = malloc(count * sizeof *values);
    bool ok = values != NULL;
    for (int cell = 0; ok && cell < d->info.cells && d->info.repeats_unit != DATASET_HZ; cell++) {
        ok = dataset_read_repeats(d, cell, 0, bins, values, err);
        if (ok)
            d->info.repeats_unit = unit_of(values, count, d->info.bin_hz);
    }
    free(values);
    return ok || (values == NULL &&
                  model_refuse(err, "%s: not enough memory to read the repeats", d->path));
}

static bool settle_names(Dataset *d, char *err)
{
    if (!d->names)
        d->names = calloc((size_t)d->info.cells, sizeof *d->names);
    bool ok = d->names != NULL;
    for (int i = 0; ok && i < d->info.cells; i++) {
        char name[DATASET_CELL_BYTES];
        dataset_cell_name(i, name);
        if (!d->names[i])
            d->names[i] = strdup(name);
        ok = d->names[i] != NULL;
    }
    d->info.cell_names = (const char *const *)d->names;
    d->info.provenance = d->provenance ? d->provenance : "";
    d->info.licence = d->licence ? d->licence : "";
    return ok || model_refuse(err, "%s: not enough memory for %d cells", d->path, d->info.cells);
}

bool dataset_settle_rest(Dataset *d, char *err)
{
    DatasetInfo *info = &d->info;
    settle_bin_rate(info, d->parts);
    const Array *stimulus =
        d->parts[d->parts[DATASET_TRAIN].stimulus ? DATASET_TRAIN : DATASET_TEST].stimulus;
    // 8-bit levels of files that do not say run to 255; floats are luminance as they stand.
    if (info->lum_per_level == 0.0)
        info->lum_per_level = array_info(stimulus)->is_whole ? 1.0 / 255.0 : 1.0;
    if (!(info->lum_per_level > 0.0 && info->um_per_px >= 0.0))
        return model_refuse(err, "%s: lum_per_level is %g and um_per_px %g; must be above 0",
                            d->path, info->lum_per_level, info->um_per_px);
    return settle_names(d, err) && settle_unit(d, err);
}
