#pragma once
/* What the files of attribution.h share: attribution.c walks the path, attribution_fold.c folds what
 * it found along a symmetry, attribution_open.c makes one from a model file. */
#include <stdint.h>

#include "model/attribution.h"

/* A piece of the path, and what its gradient misses of the rate's change along it. */
typedef struct {
    double from, to;             // α
    double rate_from, rate_to;   // Hz
    double rate_middle, miss_hz; // Σ over the panel − (rate_to − rate_from)
} Panel;

struct Attribution {
    CnnLayers layers;
    int history, cells;
    double rate_scale_hz, lum_mean, lum_sd;

    Transform image, first_out;  // grid of the image
    Transform first, second_out; // grid of the first layer

    float *block;                        // owned: all arrays below
    float *filters1, *filters1_back;     // packed: history → c1 and back
    float *filters2, *filters2_back;     // packed: c1 → c2 and back
    float *kernel_sums;                  // (c1, history)
    float *column_sums, *row_sums;       // (c1, history, K1x) and (c1, history, K1y)
    float *scale1, *shift1;              // (h1, w1, lanes), bias in the shift
    float *scale2, *shift2;              // (h2, w2, lanes)
    float *dense;                        // (cells, floats of the last layer)
    float *dense_scale, *dense_shift;    // (cells)
    float *images;                       // (history, height, width), s − s0, bin b in b % history
    float *spectra;                      // (history, frequencies, 2) of the same
    float *uneven_x, *uneven_y, *uneven; // (history): differences within rows, columns, images
    float *base, *slope;        // (h1, w1, lanes): units before rectification at α 0, and per α
    float *drive;               // (h1, w1, lanes): d
    float *units1, *units2;     // (h1, w1, lanes), (h2, w2, lanes)
    float *back2, *back1;       // gradients of the same
    float *sum1, *sum1_history; // spectra (c1), (history)
    float *in2, *sum2;          // spectra (c1), (c2), grid of the first layer
    float *gradients;           // (ATTRIBUTION_STEPS_MAX, h1, w1, lanes): one a panel
    float *mean_gradient;       // (h1, w1, lanes): G
    float *pixels;              // (height, width, lanes of history)
    float *weights_out, *drive_out, *units_out; // (c1, h1, w1), as a result lends them
    const float **window;                       // owned (history): spectra, oldest first

    int kernel_height, kernel_width;
    double grey_lum; // of the baseline
    int64_t head;    // bins fed
    bool is_driven;  // drive and slope belong to the window
    bool is_silent[CNN_CHANNELS_MAX];
    Panel panels[ATTRIBUTION_STEPS_MAX];
    int panels_count;
};

bool attribution_has_second(const Attribution *attribution);

/* The one the readout sees. */
const CnnUnits *attribution_last_layer(const Attribution *attribution);

/* Where images and spectra of a bin of the window lie, 0 being the oldest. */
size_t attribution_slot(const Attribution *attribution, int lag_from_oldest);
