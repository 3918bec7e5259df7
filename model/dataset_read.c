#include "model/dataset.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/dataset_names.h"
#include "model/dataset_parts.h"
#include "model/kind.h"

const char *const dataset_part_names[DATASET_PARTS] = {"train", "test"};
const char *const dataset_response_names[DATASET_RESPONSES] = {
    "binned", "firing_rate_10ms", "rate_hz", "firing_rate_5ms", "firing_rate_20ms"};

void dataset_cell_name(int cell, char *name)
{
    snprintf(name, DATASET_CELL_BYTES, "cell%02d", cell + 1);
}

const char *dataset_part_name(DatasetPart part)
{
    return dataset_part_names[part];
}

const char *dataset_response_name(DatasetResponse response)
{
    return dataset_response_names[response];
}

const DatasetInfo *dataset_info(const Dataset *d)
{
    return &d->info;
}

const char *dataset_path(const Dataset *d)
{
    return d->path;
}

const DatasetItem *dataset_item(const Dataset *d, int i)
{
    return i < d->items_count ? &d->items[i] : NULL;
}

int64_t dataset_bins(const Dataset *d, DatasetPart part)
{
    return d->parts[part].bins;
}

bool dataset_has(const Dataset *d, DatasetPart part, DatasetResponse response)
{
    return d->parts[part].responses[response] != NULL;
}

bool dataset_has_time(const Dataset *d, DatasetPart part)
{
    return d->parts[part].time != NULL;
}

static bool is_inside(const Dataset *d, DatasetPart part, int64_t from, int bins)
{
    return from >= 0 && bins > 0 && from <= d->parts[part].bins - bins;
}

bool dataset_read_lum(Dataset *d, DatasetPart part, int64_t from, int bins, float *lum, char *err)
{
    const int64_t start[] = {from, 0, 0};
    const int64_t count[] = {bins, d->info.height_px, d->info.width_px};
    const Array *stimulus = d->parts[part].stimulus;
    if (!stimulus || !is_inside(d, part, from, bins) ||
        !array_read(stimulus, start, count, ARRAY_FLOAT, lum))
        return model_refuse(err, "%s: bins %lld to %lld of %s/stimulus could not be read", d->path,
                            (long long)from, (long long)from + bins, dataset_part_names[part]);
    float scale = (float)d->info.lum_per_level;
    for (int64_t i = 0; i < count[0] * count[1] * count[2]; i++)
        lum[i] *= scale;
    return true;
}

bool dataset_read_response(Dataset *d, DatasetPart part, DatasetResponse response, int64_t from,
                           int bins, float *values, char *err)
{
    const int64_t start[] = {0, from}, count[] = {d->info.cells, bins};
    const Array *array = d->parts[part].responses[response];
    if (array && is_inside(d, part, from, bins) &&
        array_read(array, start, count, ARRAY_FLOAT, values))
        return true;
    return model_refuse(err, "%s: %s/response/%s %s", d->path, dataset_part_names[part],
                        dataset_response_names[response],
                        array ? "could not be read" : "is not there");
}

bool dataset_read_time(Dataset *d, DatasetPart part, int64_t from, int bins, double *time_s,
                       char *err)
{
    const int64_t start[] = {from}, count[] = {bins};
    const Array *time = d->parts[part].time;
    return (time && is_inside(d, part, from, bins) &&
            array_read(time, start, count, ARRAY_DOUBLE, time_s)) ||
           model_refuse(err, "%s: %s/time %s", d->path, dataset_part_names[part],
                        time ? "could not be read" : "is not there");
}

bool dataset_read_repeats(Dataset *d, int cell, int64_t from, int bins, float *spikes, char *err)
{
    const int64_t start[] = {cell, 0, from}, count[] = {1, d->info.repeats, bins};
    bool ok =
        d->info.repeats > 0 && cell >= 0 && cell < d->info.cells &&
        is_inside(d, DATASET_TEST, from, bins) &&
        (d->repeats_together
             ? array_read(d->repeats_together, start, count, ARRAY_FLOAT, spikes)
             : array_read(d->repeats_by_cell[cell], start + 1, count + 1, ARRAY_FLOAT, spikes));
    return ok ||
           model_refuse(err, "%s: bins %lld to %lld of cell %d in test/repeats could not be read",
                        d->path, (long long)from, (long long)from + bins, cell);
}

void dataset_close(Dataset *d)
{
    if (!d)
        return;
    for (int i = 0; i < DATASET_PARTS; i++) {
        array_close(d->parts[i].stimulus);
        array_close(d->parts[i].time);
        for (int j = 0; j < DATASET_RESPONSES; j++)
            array_close(d->parts[i].responses[j]);
    }
    array_close(d->repeats_together);
    for (int i = 0; d->repeats_by_cell && i < d->repeats_count; i++)
        array_close(d->repeats_by_cell[i]);
    for (int i = 0; d->names && i < d->info.cells; i++)
        free(d->names[i]);
    free(d->repeats_by_cell);
    free(d->names);
    free(d->x_um);
    free(d->y_um);
    free(d->provenance);
    free(d->licence);
    free(d);
}
