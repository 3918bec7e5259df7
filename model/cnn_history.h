#pragma once
/* The first layer of a convolutional network in time: the sum over all lags of the images' spectra times the
 * kernels' spectra, exact, with as little of it as possible left to do when an image arrives.
 *
 * Lags of LONG_LAG bins and more are summed for KERNEL_BINS bins at a time, the block of bins after the
 * present one, so that the many kernels are read once for all of them; a quarter of the frequencies in each bin.
 * Of the short lags, those from 2 on are summed one bin ahead, since a refresh may complete two bins, lag 1 when
 * the bin before is known, lag 0 last. Whatever was not made ready in time is made when it is needed, in
 * the same order: the sum never depends on it.
 *
 * Where an image's rows are all alike (a full field, an upright bar) only ky = 0 is not zero, the first `columns`
 * frequencies; where the whole image is, only the first. As long as that holds of the whole history, no other is
 * touched: `extent`. */
#include <stdint.h>

#include "model/cnn_file.h"

enum { CNN_LONG_LAG = 2 * KERNEL_BINS };

typedef struct {
    float *values; // (frequencies, 2, lanes)
    int64_t bin;   // it belongs to, −1 for none
    int extent;    // frequencies from here on count as 0, whatever is there
} CnnSum;

/* Sums of a block of bins over the long lags. */
typedef struct {
    float *values[KERNEL_BINS];
    int64_t block; // −1 for none
    int extent, done;
} CnnBlockSum;

typedef struct {
    const Transform *grid; // of the image; borrowed
    int bins, slots, lanes;
    int64_t head;         // bins seen
    float *block;         // owned: all arrays below
    float *long_filters;  // packed: lags bins − 1 … CNN_LONG_LAG
    float *short_filters; // … 2
    float *filters1, *filters0;
    int long_lags, short_lags;
    float *ring;              // (slots, spectrum of a plane), bin b in slot b % slots
    int *extents;             // owned (slots)
    const float **window;     // owned scratch
    CnnBlockSum long_sums[2]; // block b in [b % 2]
    CnnSum short_sums[2];     // bin b in [b % 2]
    CnnSum past;              // all lags but 0
    CnnSum sum;               // all
} CnnHistory;

/* kernels (channels, bins, K, K), oldest first. False without memory; finish() either way. */
bool cnn_history_init(CnnHistory *history, const Transform *grid, const ModelTensor *kernels);
void cnn_history_finish(CnnHistory *history);

/* Before the first bin all images were 0. */
void cnn_history_reset(CnnHistory *history);

/* Back to the state of `head` bins, at most MODEL_MAX_REWIND_BINS fewer. */
void cnn_history_rewind(CnnHistory *history, int64_t head);

/* The part of the coming bins' work that needs no new image. */
void cnn_history_settle(CnnHistory *history);

/* Where the spectrum of the next image goes, a plane. */
float *cnn_history_next(const CnnHistory *history);

/* With it in place: history->sum of the bin, of which at least the first `columns` frequencies may be read; the next
 * bin is then at the head. extent: how many of the new spectrum's frequencies may differ from 0; the others are 0. */
void cnn_history_add(CnnHistory *history, int extent);
