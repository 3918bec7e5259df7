#pragma once
/* A data set in arrays of one's own: which file holds what, along which axes, in which unit.
 *
 *     name: retina of the 7th
 *     bin_hz: 100
 *     axes: {stimulus: [time, y, x], response: [cell, time], repeats: [cell, repeat, time]}
 *     response_unit: spikes_per_bin
 *     train: {stimulus: train.npy, response: spikes.npy}
 *     test: {stimulus: day7.mat:/test, response: day7.mat:/psth, repeats: day7.mat:/trials}
 *
 * Axes are in the order that numpy or MATLAB shows; those above hold where a file says nothing. */
#include <stdbool.h>

#include "config/protocol.h"

typedef enum { ARRAYS_TIME, ARRAYS_Y, ARRAYS_X, ARRAYS_CELL, ARRAYS_REPEAT } ArraysAxis;
typedef enum { ARRAYS_SPIKES_PER_BIN, ARRAYS_HZ } ArraysUnit;

typedef struct {
    char *stimulus, *response; // FILE.npy, FILE.mat:/variable or FILE.h5:/path
    char *time, *repeats;      // NULL where the file does not say
} ArraysPart;

typedef struct {
    ArraysAxis *stimulus, *response, *repeats; // NULL: as above
    unsigned stimulus_count, response_count, repeats_count;
} ArraysAxes;

typedef struct {
    char *name, *about, *provenance, *licence; // NULL where the file does not say, but for name
    bool is_simulated;
    double bin_hz;        // 0: the time stamps say
    double um_per_px;     // 0: not said
    double lum_per_level; // 0: 1/255 for integers, 1 for floats
    char **cell_names;
    unsigned cell_names_count; // 0: not said
    ArraysAxes *axes;          // NULL: all as above
    ArraysUnit response_unit;
    ArraysPart *train, *test; // NULL: no such part; one is there
} Arrays;

/* NULL with `FILE:LINE: key: what is wrong; what is allowed` in err (CONFIG_ERR_BYTES). */
Arrays *arrays_load(const char *path, char *err);
void arrays_destroy(Arrays *arrays);

/* True when the file means to be one of these, sound or not: it has a train or test part. */
bool arrays_is_meant(const char *path);

/* order (count): which dimension of the file holds wanted[i]. axes may be NULL: wanted's own order. */
void arrays_order(const ArraysAxis *axes, const ArraysAxis *wanted, int count, int *order);
