#pragma once
/* Data sets: a stimulus and what a retina answered, in the HDF5 layout of the Baccus lab.
 *
 * Groups train and test, each with
 *   stimulus                    (T, height_px, width_px) 8-bit levels, or floats; row 0 on top
 *   time                        (T) seconds, start of each bin
 *   response/binned             (cells, T) spikes in the bin; in test the mean over the repeats
 *   response/firing_rate_10ms   (cells, T) Hz: binned, smoothed by a Gaussian of SD 10 ms
 *   response/rate_hz            (cells, T) Hz, only of a simulated retina: its noise-free rate
 *   repeats/cell01 …            (repeats, T) spikes, in test: the same stimulus shown again
 *                               and again
 *
 * Root attributes that Retrace adds, so that a file describes itself; all but the first two may be
 * missing in files of others: format "retrace-dataset", version 1, name, provenance, is_simulated,
 * bin_hz, um_per_px, lum_per_level (luminance = level × this), cell_names, cell_x_um, cell_y_um.
 *
 * Memory is bounded by one block, whatever the length. HDF5 keeps its error stack quiet. One thread
 * at a time for all data sets together, except where said. */
#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

enum {
    DATASET_LEVEL_WHITE = 254, // the level of luminance 1: luminance ½ is a whole level
    DATASET_MAX_REPEATS = 1000,
};

typedef enum { DATASET_TRAIN, DATASET_TEST, DATASET_PARTS } DatasetPart;

typedef enum {
    DATASET_BINNED,      // spikes a bin
    DATASET_FIRING_RATE, // Hz, smoothed spikes
    DATASET_RATE,        // Hz, noise-free, simulated only
    DATASET_RESPONSES
} DatasetResponse;

typedef struct {
    char name[MODEL_NAME_BYTES];
    int width_px, height_px;
    double um_per_px; // 0: the file does not say
    double bin_hz;
    double lum_per_level;
    int cells;
    const char *const *cell_names;      // (cells)
    const float *cell_x_um, *cell_y_um; // (cells), NULL when the file does not say
    const char *provenance;             // "" when the file does not say
    bool is_simulated;
    int repeats; // of the test part; 0: none
} DatasetInfo;

/* A stretch of recording to append. */
typedef struct {
    int bins;
    const uint8_t *levels; // (bins, height_px, width_px)
    const float *rates_hz; // (bins, cells), noise-free
    const uint8_t *spikes; // (bins, cells) in train, (bins, repeats, cells) in test
} DatasetBlock;

typedef struct DatasetWriter DatasetWriter;

/* Writes into path with ".part" behind it until dataset_finish(). NULL with a sentence in err
 * (MODEL_ERR_BYTES). info is copied. */
DatasetWriter *dataset_create(const char *path, const DatasetInfo *info, char *err);
bool dataset_append(DatasetWriter *writer, DatasetPart part, const DatasetBlock *block, char *err);

/* Adds the smoothed rates, closes the file and gives it its name. The writer is gone either way; on
 * failure the .part file stays. */
bool dataset_finish(DatasetWriter *writer, char *err);

/* Gives up: the .part file is removed. */
void dataset_abandon(DatasetWriter *writer);

typedef struct Dataset Dataset;

/* NULL with a sentence in err that names the file and what it lacks. */
Dataset *dataset_open(const char *path, char *err);
const DatasetInfo *dataset_info(const Dataset *dataset);
int64_t dataset_bins(const Dataset *dataset, DatasetPart part); // 0: the part is not there
bool dataset_has(const Dataset *dataset, DatasetPart part, DatasetResponse response);

/* lum (bins, height_px, width_px) := luminance from bin `from` on. */
bool dataset_read_lum(Dataset *dataset, DatasetPart part, int64_t from, int bins, float *lum,
                      char *err);

/* values (cells, bins), in the unit of the response. */
bool dataset_read_response(Dataset *dataset, DatasetPart part, DatasetResponse response,
                           int64_t from, int bins, float *values, char *err);

/* spikes (repeats, bins) of one cell of the test part. */
bool dataset_read_repeats(Dataset *dataset, int cell, int64_t from, int bins, float *spikes,
                          char *err);
void dataset_close(Dataset *dataset);
