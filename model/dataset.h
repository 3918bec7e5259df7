#pragma once
/* Data sets: a stimulus and what a retina answered, in the HDF5 layout of the Baccus lab, or in
 * arrays of one's own.
 *
 * Groups train and test, each with
 *   stimulus                    (T, height_px, width_px) 8-bit levels, or floats; row 0 on top
 *   time                        (T) seconds, start of each bin
 *   response/binned             (cells, T) spikes in the bin; in test the mean over the repeats
 *   response/firing_rate_10ms   (cells, T) Hz: binned, smoothed by a Gaussian of SD 10 ms
 *   response/firing_rate_5ms, firing_rate_20ms   (cells, T) Hz, likewise; only in files of others
 *   response/rate_hz            (cells, T) Hz, only of a simulated retina: its noise-free rate
 *   repeats                     in test: the same stimulus shown again and again, in one of the
 *                               forms of DatasetRepeatsForm, as spikes or in Hz
 *
 * At least one response is there; time may be missing. Responses and repeats may be longer or
 * shorter than the stimulus by up to ten bins, or one in a hundred (the published files have one bin
 * more): a part is as long as the shortest of them.
 *
 * Root attributes that Retrace adds, so that a file describes itself; all may be missing in files
 * of others: format "retrace-dataset", version 1, name, provenance, licence, is_simulated, bin_hz,
 * um_per_px, lum_per_level (luminance = level × this), cell_names, cell_x_um, cell_y_um.
 *
 * Memory is bounded by one block, whatever the length. HDF5 keeps its error stack quiet. One thread
 * at a time for all data sets together, except where said. */
#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

enum {
    DATASET_LEVEL_WHITE = 254, // the level of luminance 1: luminance ½ is a whole level
    DATASET_MAX_REPEATS = 1000,
    DATASET_MAX_ITEMS = 20,
    DATASET_PROBLEM_BYTES = 256,
};

typedef enum { DATASET_TRAIN, DATASET_TEST, DATASET_PARTS } DatasetPart;

typedef enum {
    DATASET_BINNED,      // spikes a bin
    DATASET_FIRING_RATE, // Hz, smoothed spikes
    DATASET_RATE,        // Hz, noise-free, simulated only
    DATASET_FIRING_RATE_5MS,
    DATASET_FIRING_RATE_20MS,
    DATASET_RESPONSES
} DatasetResponse;

typedef enum {
    DATASET_REPEATS_NONE,
    DATASET_REPEATS_BY_CELL,     // a group of cell01 … by number, each (repeats, T)
    DATASET_REPEATS_BY_RESPONSE, // a group of binned, firing_rate_10ms …: (repeats, cells, T)
    DATASET_REPEATS_ARRAY,       // one array; (repeats, cells, T) or (cells, repeats, T), by shape
} DatasetRepeatsForm;

typedef enum { DATASET_SPIKES_PER_BIN, DATASET_HZ } DatasetUnit;

/* Where the bin rate is known from. */
typedef enum { DATASET_BIN_HZ_SAID, DATASET_BIN_HZ_TIMED, DATASET_BIN_HZ_ASSUMED } DatasetBinSource;

typedef struct {
    char name[MODEL_NAME_BYTES];
    int width_px, height_px;
    double um_per_px; // 0: the file does not say
    double bin_hz;
    DatasetBinSource bin_hz_source; // 100 Hz is assumed where nothing says
    double lum_per_level;
    int cells;
    const char *const *cell_names;      // (cells)
    const float *cell_x_um, *cell_y_um; // (cells), NULL when the file does not say
    const char *provenance;             // "" when the file does not say
    bool is_simulated;
    int repeats; // of the test part; 0: none
    DatasetRepeatsForm repeats_form;
    DatasetUnit repeats_unit; // Hz where they are no whole numbers, or multiples of bin_hz
    const char *licence;      // "" when the file does not say; the writer leaves it out
    const char
        *repeats_problem; // why repeats that are there are not used, "" when nothing is wrong
} DatasetInfo;

/* One array of the set as it lies in the file, for those who describe it. */
typedef struct {
    char name[64]; // "train/stimulus"
    DatasetPart part;
    int rank;
    int64_t dims[4];
    int time_at;   // which dimension is time
    bool is_whole; // integers
} DatasetItem;

/* Arrays that were never a data set, and what a person has to say about them. */
typedef struct {
    const char *stimulus, *response; // as array_open() takes them, NULL: the part is not there
    const char *time, *repeats;      // NULL: not there
} DatasetPlaces;

typedef struct {
    const char *path;                        // names the set in messages
    const char *name, *provenance, *licence; // NULL: not said
    bool is_simulated;
    double bin_hz;        // 0: from time
    double um_per_px;     // 0: not said
    double lum_per_level; // 0: 1/255 for integers, 1 for floats
    const char *const *cell_names;
    int cell_names_count;      // 0: cell01 …
    int stimulus_order[3];     // which dimension is time, y, x
    int response_order[2];     // which is cell, time
    int repeats_order[3];      // which is cell, repeat, time
    DatasetUnit response_unit; // read back as DATASET_BINNED or, in Hz, DATASET_FIRING_RATE
    DatasetPlaces parts[DATASET_PARTS];
} DatasetArrays;

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

/* True when an HDF5 file has a group train or test: it means to be a data set, sound or not. */
bool dataset_is_meant(const char *path);

/* NULL with a sentence in err that names the file, the array, its shape and the one that would fit.
 */
Dataset *dataset_open(const char *path, char *err);
Dataset *dataset_open_arrays(const DatasetArrays *arrays, char *err);
/* From here on the set has these cells only, in this order: those of a recording that are worth it.
 * False with a sentence in err that names the one it lacks; the set is then as it was. */
bool dataset_keep_cells(Dataset *dataset, const char *const *names, int count, char *err);
const DatasetInfo *dataset_info(const Dataset *dataset);
const char *dataset_path(const Dataset *dataset);

/* Item i from 0 on, lent; NULL past the last. */
const DatasetItem *dataset_item(const Dataset *dataset, int i);
const char *dataset_part_name(DatasetPart part);
const char *dataset_response_name(DatasetResponse response);
int64_t dataset_bins(const Dataset *dataset, DatasetPart part); // 0: the part is not there
bool dataset_has(const Dataset *dataset, DatasetPart part, DatasetResponse response);

/* lum (bins, height_px, width_px) := luminance from bin `from` on. */
bool dataset_read_lum(Dataset *dataset, DatasetPart part, int64_t from, int bins, float *lum,
                      char *err);

/* values (cells, bins), in the unit of the response. */
bool dataset_read_response(Dataset *dataset, DatasetPart part, DatasetResponse response,
                           int64_t from, int bins, float *values, char *err);

/* time_s (bins) := start of each bin. False, too, when the part has no time. */
bool dataset_has_time(const Dataset *dataset, DatasetPart part);
bool dataset_read_time(Dataset *dataset, DatasetPart part, int64_t from, int bins, double *time_s,
                       char *err);

/* spikes (repeats, bins) of one cell of the test part, in info's repeats_unit. */
bool dataset_read_repeats(Dataset *dataset, int cell, int64_t from, int bins, float *spikes,
                          char *err);
void dataset_close(Dataset *dataset);
