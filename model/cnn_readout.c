#include "model/cnn_readout.h"

#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/kind.h"

/* Cells filled up to whole tiles. */
static size_t rows_of(const CnnReadout *r)
{
    size_t tile = KERNEL_WEIGH_ROWS;
    return ((size_t)r->cells + tile - 1) / tile * tile;
}

static void load_factors(CnnReadout *r, const ModelFile *file, int channels)
{
    const float *mask = model_file_find(file, "readout_mask")->values;
    const float *feature = model_file_find(file, "readout_feature")->values;
    for (int cell = 0; cell < r->cells; cell++) {
        float *tile =
            r->masks + (ptrdiff_t)(cell / KERNEL_WEIGH_ROWS) * r->places * KERNEL_WEIGH_ROWS;
        for (int place = 0; place < r->places; place++)
            tile[place * KERNEL_WEIGH_ROWS + cell % KERNEL_WEIGH_ROWS] = *mask++;
        for (int c = 0; c < channels; c++)
            r->features[cell * r->lanes + c] = *feature++;
    }
}

bool cnn_readout_init(CnnReadout *r, const ModelFile *file, const CnnUnits *last)
{
    bool is_factorised = cnn_file_is_factorised(file);
    *r = (CnnReadout){.cells = file->info.cells,
                      .places = last->height * last->width,
                      .lanes = transform_lanes(last->channels)};
    size_t cells = (size_t)r->cells, places = (size_t)r->places, lanes = (size_t)r->lanes;
    const ModelArray dense[] = {
        {&r->scale, cells}, {&r->shift, cells}, {&r->dense, cells * places * lanes}};
    const ModelArray factors[] = {{&r->scale, cells},
                                  {&r->shift, cells},
                                  {&r->masks, rows_of(r) * places},
                                  {&r->features, cells * lanes},
                                  {&r->sums, rows_of(r) * KERNEL_LANES}};
    r->block = is_factorised ? model_alloc_arrays(factors, sizeof factors / sizeof factors[0])
                             : model_alloc_arrays(dense, sizeof dense / sizeof dense[0]);
    if (r->block == NULL)
        return false;
    memcpy(r->scale, model_file_find(file, "dense_scale")->values, cells * sizeof *r->scale);
    memcpy(r->shift, model_file_find(file, "dense_shift")->values, cells * sizeof *r->shift);
    if (is_factorised)
        load_factors(r, file, last->channels);
    else
        cnn_file_dense(file, last, r->dense);
    return true;
}

void cnn_readout_finish(CnnReadout *r)
{
    free(r->block);
    *r = (CnnReadout){0};
}

static void add_features(const CnnReadout *r, int lane, float *drive)
{
    for (int cell = 0; cell < r->cells; cell++) {
        const float *sum = r->sums + cell * KERNEL_LANES,
                    *feature = r->features + cell * r->lanes + lane;
        for (int i = 0; i < KERNEL_LANES; i++)
            drive[cell] += feature[i] * sum[i];
    }
}

void cnn_readout_drive(CnnReadout *r, const float *units, float *drive)
{
    if (r->dense) {
        int count = r->places * r->lanes;
        cblas_sgemv(CblasRowMajor, CblasNoTrans, r->cells, count, 1, r->dense, count, units, 1, 0,
                    drive, 1);
    } else {
        memset(drive, 0, (size_t)r->cells * sizeof *drive);
        for (int lane = 0; lane < r->lanes; lane += KERNEL_LANES) {
            kernels()->weigh((int)rows_of(r), r->places, r->masks, units + lane, r->lanes, r->sums);
            add_features(r, lane, drive);
        }
    }
    for (int cell = 0; cell < r->cells; cell++)
        drive[cell] = r->scale[cell] * drive[cell] + r->shift[cell];
}
