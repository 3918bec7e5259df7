#pragma once
/* A small recording made up for a test, in the layout as others write it: no attributes, no words.
 *
 * Binary noise of 6 × 5 px, a new frame every bin; cell c fires with a fixed chance eight bins after
 * pixel 7 c + 3 was dark. Sound as it comes; a test spoils what it is about and writes the file. */
#include <stdbool.h>
#include <stdint.h>

#include "model/dataset.h"

enum {
    MADE_UP_WIDTH_PX = 6,
    MADE_UP_HEIGHT_PX = 5,
    MADE_UP_PIXELS = MADE_UP_WIDTH_PX * MADE_UP_HEIGHT_PX,
    MADE_UP_CELLS = 3,
    MADE_UP_REPEATS = 4,
    MADE_UP_LAG_BINS = 8,
};

typedef struct {
    int64_t bins[DATASET_PARTS];
    float *levels[DATASET_PARTS];   // (bins, height, width), 0 or 255
    double *time_s[DATASET_PARTS];  // (bins); NULL: not written
    float *binned[DATASET_PARTS];   // (cells, bins); NULL: not written
    float *rates_hz[DATASET_PARTS]; // (cells, bins), firing_rate_10ms; NULL: not written
    float *trials;                  // (cells, repeats, bins of test); NULL: not written
    DatasetRepeatsForm form;        // BY_CELL, BY_RESPONSE under the name binned, ARRAY
    bool is_float;                  // the stimulus, which is of bytes
    bool is_time_last;              // stimulus (height, width, T)
    bool is_transposed;             // responses (T, cells)
    int response_bins_more;         // of responses and repeats, past the stimulus
    int64_t repeats_bins; // of the trials, where they are not of the length of test; else 0
} MadeUp;

/* 100 bins a second; exits the test on failure. */
MadeUp *made_up_create(double train_s, double test_s, uint32_t seed);

/* Binned, seen anew: rates_hz from binned, after a test has changed it. */
void made_up_smooth(MadeUp *made_up);
void made_up_write(const MadeUp *made_up, const char *path);
void made_up_destroy(MadeUp *made_up);
