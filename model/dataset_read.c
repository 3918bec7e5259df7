#include "model/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    const Array *array = d->parts[part].responses[response];
    bool ok = array && is_inside(d, part, from, bins);
    int rows = d->kept ? 1 : d->info.cells; // at a time
    for (int cell = 0; ok && cell < d->info.cells; cell += rows) {
        const int64_t start[] = {d->kept ? d->kept[cell] : cell, from}, count[] = {rows, bins};
        ok = array_read(array, start, count, ARRAY_FLOAT, values + (ptrdiff_t)cell * bins);
    }
    if (ok)
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
    bool ok = d->info.repeats > 0 && cell >= 0 && cell < d->info.cells &&
              is_inside(d, DATASET_TEST, from, bins);
    int row = ok && d->kept ? d->kept[cell] : cell;
    const int64_t start[] = {row, 0, from}, count[] = {1, d->info.repeats, bins};
    ok = ok &&
         (d->repeats_together
              ? array_read(d->repeats_together, start, count, ARRAY_FLOAT, spikes)
              : array_read(d->repeats_by_cell[row], start + 1, count + 1, ARRAY_FLOAT, spikes));
    return ok ||
           model_refuse(err, "%s: bins %lld to %lld of cell %d in test/repeats could not be read",
                        d->path, (long long)from, (long long)from + bins, cell);
}

static int index_of(const Dataset *d, const char *name)
{
    for (int i = 0; i < d->info.cells; i++)
        if (strcmp(d->names[i], name) == 0)
            return i;
    return -1;
}

/* Moves what belongs to cell kept[i] to place i; the names of the others are gone. */
static void rearrange(Dataset *d, const int *kept, int count, char **names, float *place_um)
{
    for (int i = 0; i < count; i++) {
        names[i] = d->names[kept[i]];
        d->names[kept[i]] = NULL;
    }
    for (int i = 0; i < d->info.cells; i++)
        free(d->names[i]);
    memcpy(d->names, names, (size_t)count * sizeof *names);
    float *const places[] = {d->x_um, d->y_um};
    for (int axis = 0; axis < 2 && places[axis]; axis++) {
        for (int i = 0; i < count; i++)
            place_um[i] = places[axis][kept[i]];
        memcpy(places[axis], place_um, (size_t)count * sizeof *place_um);
    }
    d->info.cells = count;
}

bool dataset_keep_cells(Dataset *d, const char *const *names, int count, char *err)
{
    int *kept = calloc((size_t)count + 1, sizeof *kept);
    char **moved = calloc((size_t)count + 1, sizeof *moved);
    float *place_um = calloc((size_t)count + 1, sizeof *place_um);
    bool ok = (kept && moved && place_um && !d->kept) ||
              model_refuse(err, "%s: not enough memory to choose %d cells", d->path, count);
    for (int i = 0; ok && i < count; i++) {
        kept[i] = index_of(d, names[i]);
        for (int j = 0; j < i && kept[i] >= 0; j++)
            if (kept[j] == kept[i])
                ok = model_refuse(err, "%s: cell %s is named twice; once", d->path, names[i]);
        if (kept[i] < 0)
            ok = model_refuse(err, "%s: has no cell %s; it has %d, %s to %s", d->path, names[i],
                              d->info.cells, d->names[0], d->names[d->info.cells - 1]);
    }
    if (ok) {
        rearrange(d, kept, count, moved, place_um);
        d->kept = kept;
        kept = NULL;
    }
    free(kept);
    free(moved);
    free(place_um);
    return ok;
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
    free(d->kept);
    free(d->x_um);
    free(d->y_um);
    free(d->provenance);
    free(d->licence);
    free(d);
}
