#include "app/align_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/array.h"

enum { BLOCK = 1 << 20 };
static const double SAMPLE_MOST = 9007199254740992.0; // 2^53

static bool complain(const AlignSource *source, char *err, const char *what)
{
    snprintf(err, ALIGN_READ_ERR_BYTES, "%.300s: %s", source->where, what);
    return false;
}

/* Time first, as (samples) or (samples, channels). */
static Array *open_table(const AlignSource *source, char *err)
{
    Array *array = source->channels > 0 ? array_open_raw(source->where, source->channels, err)
                                        : array_open(source->where, err);
    if (!array)
        return NULL;
    if (source->channels == 0)
        array_squeeze(array);
    const ArrayInfo *info = array_info(array);
    if (info->rank == 2 && source->channels == 0 && info->dims[1] > info->dims[0])
        array_arrange(array, (int[]){1, 0});
    int64_t channels = info->rank == 2 ? info->dims[1] : 1;
    if (info->rank <= 2 && source->channel < channels)
        return array;
    if (info->rank > 2)
        complain(source, err,
                 "has more than two dimensions; allowed are samples, or samples by channels");
    else
        snprintf(err, ALIGN_READ_ERR_BYTES, "%.300s: there is no channel %d; allowed are 0 to %lld",
                 source->where, source->channel, (long long)channels - 1);
    array_close(array);
    return NULL;
}

bool align_read_samples(const AlignSource *source, float **samples, int64_t *count, char *err)
{
    Array *array = open_table(source, err);
    if (!array)
        return false;
    *count = array_info(array)->dims[0];
    *samples = malloc((size_t)*count * sizeof **samples);
    bool ok = *samples || complain(source, err, "not enough memory to read it");
    for (int64_t done = 0; ok && done < *count; done += BLOCK) {
        int64_t start[] = {done, source->channel},
                wide[] = {*count - done < BLOCK ? *count - done : BLOCK, 1};
        ok = array_read(array, start, wide, ARRAY_FLOAT, *samples + done) ||
             complain(source, err, "gives fewer samples than it promises");
    }
    array_close(array);
    if (!ok) {
        free(*samples);
        *samples = NULL;
    }
    return ok;
}

static bool fill_edges(const AlignSource *source, const double *values, int64_t columns,
                       SyncEdge *edges, int64_t count, char *err)
{
    for (int64_t i = 0; i < count; i++) {
        const double *row = values + i * columns;
        double before = i > 0 ? row[-columns] : 0;
        if (!(row[0] >= before && row[0] < SAMPLE_MOST)) {
            snprintf(err, ALIGN_READ_ERR_BYTES,
                     "%.300s: row %lld: %.15g must be a sample number, not below the one before",
                     source->where, (long long)i + 1, row[0]);
            return false;
        }
        float step = columns < 2 ? 0 : row[1] > 0 ? 1 : -1;
        edges[i] = (SyncEdge){llround(row[0]), step};
    }
    return true;
}

bool align_read_edges(const AlignSource *source, SyncEdge **edges, int64_t *count, char *err)
{
    AlignSource first = *source;
    first.channel = 0;
    Array *array = open_table(&first, err);
    if (!array)
        return false;
    const ArrayInfo *info = array_info(array);
    int64_t columns = info->rank == 2 ? info->dims[1] : 1, start[] = {0, 0};
    *count = info->dims[0];
    double *values = malloc((size_t)*count * (size_t)columns * sizeof *values);
    *edges = malloc((size_t)*count * sizeof **edges);
    bool ok = (values && *edges) || complain(source, err, "not enough memory to read it");
    ok = ok && (array_read(array, start, info->dims, ARRAY_DOUBLE, values) ||
                complain(source, err, "gives fewer edges than it promises"));
    ok = ok && fill_edges(source, values, columns, *edges, *count, err);
    array_close(array);
    free(values);
    if (!ok) {
        free(*edges);
        *edges = NULL;
    }
    return ok;
}
