#include "model/dataset_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

/* NULL with a sentence in err. Where the rank is not the one said, the shape is left to be judged
 * with all the others, as it stands. */
static Array *open_arranged(const char *where, const int *order, int rank, char *err)
{
    Array *array = array_open(where, err);
    if (array && array_info(array)->rank == rank)
        array_arrange(array, order);
    return array;
}

static bool open_part(Dataset *d, const DatasetArrays *a, DatasetPart which, char *err)
{
    const DatasetPlaces *places = &a->parts[which];
    DatasetPartArrays *part = &d->parts[which];
    DatasetResponse kind = a->response_unit == DATASET_HZ ? DATASET_FIRING_RATE : DATASET_BINNED;
    if (!places->stimulus || !places->response)
        return true;
    part->stimulus = open_arranged(places->stimulus, a->stimulus_order, 3, err);
    part->responses[kind] =
        part->stimulus ? open_arranged(places->response, a->response_order, 2, err) : NULL;
    if (!part->responses[kind])
        return false;
    if (places->time && !(part->time = array_open(places->time, err)))
        return false;
    if (which != DATASET_TEST || !places->repeats)
        return true;
    d->repeats_together = open_arranged(places->repeats, a->repeats_order, 3, err);
    d->info.repeats_form = DATASET_REPEATS_NONE;
    snprintf(d->repeats_name, sizeof d->repeats_name, "repeats");
    return d->repeats_together != NULL;
}

static bool take_names(Dataset *d, const DatasetArrays *a, char *err)
{
    if (a->cell_names_count == 0)
        return true;
    if (a->cell_names_count != d->info.cells)
        return model_refuse(err,
                            "%s: cell_names has %d entries; must have one for each of the %d "
                            "cells",
                            d->path, a->cell_names_count, d->info.cells);
    d->names = calloc((size_t)d->info.cells, sizeof *d->names);
    for (int i = 0; d->names && i < d->info.cells; i++)
        d->names[i] = strdup(a->cell_names[i]);
    return true;
}

static void take_words(Dataset *d, const DatasetArrays *a)
{
    snprintf(d->info.name, sizeof d->info.name, "%s", a->name ? a->name : "");
    d->provenance = a->provenance ? strdup(a->provenance) : NULL;
    d->licence = a->licence ? strdup(a->licence) : NULL;
    d->has_axes = true;
    d->info.is_simulated = a->is_simulated;
    d->info.bin_hz = a->bin_hz;
    d->info.um_per_px = a->um_per_px;
    d->info.lum_per_level = a->lum_per_level;
}

Dataset *dataset_open_arrays(const DatasetArrays *a, char *err)
{
    Dataset *d = dataset_begin(a->path, err);
    bool ok = d != NULL;
    if (ok)
        take_words(d, a);
    for (int i = 0; ok && i < DATASET_PARTS; i++)
        ok = open_part(d, a, (DatasetPart)i, err);
    ok = ok && dataset_settle_shapes(d, err) && take_names(d, a, err);
    if (ok)
        dataset_settle_repeats(d);
    if (ok && d->info.repeats > 0)
        d->info.repeats_form = DATASET_REPEATS_ARRAY;
    if (ok && dataset_settle_rest(d, err))
        return d;
    dataset_close(d);
    return NULL;
}
