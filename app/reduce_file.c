#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/reduce_parts.h"

static double axis_um(const Reduce *reduce, double place)
{
    const AttributeJob *job = reduce->job;
    int places = attribution_places(job->attribute.attribution, reduce->symmetry);
    double um = (place - 0.5 * (places - 1)) * job->attribute.info->um_per_px;
    return reduce->symmetry == ATTRIBUTION_SYMMETRY_ALONG_X ? -um : um; // rows count down
}

static const ReductionNumbers *kept_numbers(const Reduce *reduce)
{
    return &reduce->steps[reduce->kept - 1].numbers;
}

double reduce_place_um(const Reduce *reduce, int unit)
{
    return reduce->places == 1 ? 0 : axis_um(reduce, kept_numbers(reduce)->centre[unit]);
}

double reduce_spread_um(const Reduce *reduce, int unit)
{
    return reduce->places == 1
               ? 0
               : kept_numbers(reduce)->spread[unit] * reduce->job->attribute.info->um_per_px;
}

double reduce_kept_share(const Reduce *reduce)
{
    double sum = 0;
    for (int i = 0; i < reduce->kept; i++)
        sum += reduce->share[reduce->order[i]];
    return sum;
}

typedef struct {
    float rise[REDUCED_UNITS_MAX], rise_threshold[REDUCED_UNITS_MAX];
    float fall[REDUCED_UNITS_MAX], fall_threshold[REDUCED_UNITS_MAX];
    float channel[REDUCED_UNITS_MAX], place_um[REDUCED_UNITS_MAX], spread_um[REDUCED_UNITS_MAX];
    float *pool; // owned (units, places)
    float offset, x_um, y_um;
    char provenance[512];
} Parts;

static void fill_parts(const Reduce *reduce, Parts *parts)
{
    const AttributeJob *job = reduce->job;
    const ReduceStep *step = &reduce->steps[reduce->kept - 1];
    for (int u = 0; u < reduce->kept; u++) {
        parts->rise[u] = (float)step->numbers.rise[u];
        parts->rise_threshold[u] = (float)step->numbers.rise_threshold[u];
        parts->fall[u] = (float)step->numbers.fall[u];
        parts->fall_threshold[u] = (float)step->numbers.fall_threshold[u];
        parts->channel[u] = (float)(reduce->order[u] + 1);
        parts->place_um[u] = (float)reduce_place_um(reduce, u);
        parts->spread_um[u] = (float)reduce_spread_um(reduce, u);
    }
    parts->offset = (float)step->numbers.offset;
    snprintf(parts->provenance, sizeof parts->provenance,
             "reduced from %s (%.200s) for protocol %.60s: %d channels that hold %.0f %% of the "
             "attribution, correlation %.3f with its rate",
             job->attribute.info->name, job->attribute.info->provenance, job->protocol->name,
             reduce->kept, 100 * reduce_kept_share(reduce), step->numbers.correlation);
}

static bool fill_pool(const Reduce *reduce, Parts *parts)
{
    size_t places = (size_t)reduce->places;
    double *pool = calloc(places, sizeof *pool);
    parts->pool = calloc((size_t)reduce->kept * places, sizeof *parts->pool);
    for (int u = 0; pool && parts->pool && u < reduce->kept; u++) {
        reduction_pool(kept_numbers(reduce)->centre[u], kept_numbers(reduce)->spread[u],
                       reduce->places, pool);
        for (size_t p = 0; p < places; p++)
            parts->pool[(size_t)u * places + p] = (float)pool[p];
    }
    free(pool);
    return pool && parts->pool;
}

static void fill_info(const Reduce *reduce, const char *name, Parts *parts, ModelFile *file)
{
    const AttributeJob *job = reduce->job;
    int cell = job->attribute.cell;
    const ModelInfo *full = job->attribute.info;
    file->info = *full;
    snprintf(file->info.kind, sizeof file->info.kind, "reduced");
    snprintf(file->info.name, sizeof file->info.name, "%s", name);
    file->info.stimulus = reduce->stimulus;
    file->info.provenance = parts->provenance;
    file->info.cells = 1;
    file->info.cell_names = &full->cell_names[cell];
    parts->x_um = full->cell_x_um ? full->cell_x_um[cell] : 0;
    parts->y_um = full->cell_y_um ? full->cell_y_um[cell] : 0;
    file->info.cell_x_um = full->cell_x_um ? &parts->x_um : NULL;
    file->info.cell_y_um = full->cell_y_um ? &parts->y_um : NULL;
    file->rate_scale_hz = job->file.rate_scale_hz;
}

static bool write_parts(const Reduce *reduce, const char *name, const char *path, Parts *parts,
                        char *err)
{
    ModelFile file = {0};
    ReducedAxis axis = reduction_axis(reduce->job->attribute.info, reduce->symmetry);
    int units = reduce->kept, history = reduce->job->attribute.info->history_bins;
    bool is_column = axis.rows > 1;
    const int filter[] = {units, history, is_column ? reduce->taps : 1,
                          is_column ? 1 : reduce->taps};
    const int pool[] = {1, units, is_column ? reduce->places : 1, is_column ? 1 : reduce->places};
    const int weights[] = {1, units};
    fill_parts(reduce, parts);
    fill_info(reduce, name, parts, &file);
    model_file_add(&file, "filter", 4, filter, reduce->filters);
    model_file_add(&file, "pool", 4, pool, parts->pool);
    model_file_add(&file, "rise", 2, weights, parts->rise);
    model_file_add(&file, "rise_threshold", 2, weights, parts->rise_threshold);
    model_file_add(&file, "fall", 2, weights, parts->fall);
    model_file_add(&file, "fall_threshold", 2, weights, parts->fall_threshold);
    model_file_add(&file, "offset", 1, weights, &parts->offset);
    model_file_add(&file, "channel", 1, &units, parts->channel);
    model_file_add(&file, "place_um", 1, &units, parts->place_um);
    model_file_add(&file, "spread_um", 1, &units, parts->spread_um);
    return model_file_write(path, &file, err);
}

bool reduce_write(const Reduce *reduce, const char *name, const char *path, char *err)
{
    Parts *parts = calloc(1, sizeof *parts);
    snprintf(err, MODEL_ERR_BYTES, "out of memory");
    bool is_written =
        parts && fill_pool(reduce, parts) && write_parts(reduce, name, path, parts, err);
    if (parts)
        free(parts->pool);
    free(parts);
    return is_written;
}
