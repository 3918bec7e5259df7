#pragma once
/* A fit: which model, to which data set, and how; as the file has it. */
#include <stdbool.h>
#include <stdint.h>

#include "config/protocol.h"

typedef enum { FITTING_LN, FITTING_GLM, FITTING_SUBUNIT, FITTING_CNN } FittingKind;
typedef enum { FITTING_BINNED, FITTING_FIRING_RATE, FITTING_RATE } FittingTarget;
typedef enum { FITTING_NORM_CHANNEL, FITTING_NORM_UNIT } FittingNorm;
typedef enum { FITTING_COSINE, FITTING_PLATEAU } FittingSchedule;

typedef struct {
    char *name; // of the model
    char *about;
    char *data;   // the data set's file
    char **cells; // the cells to fit, by name; NULL: all
    unsigned cells_count;
    FittingKind kind;
    FittingTarget target; // of response: binned, firing_rate_10ms or rate_hz
    int64_t seed;
    int epochs;
    int history_bins, lag_bins;
    int *channels, *kernel_px; // of the convolutions, two of a CNN, one of subunit; else NULL
    unsigned channels_count, kernel_px_count;
    FittingNorm norm; // what has a batch-norm of its own
    bool stacked;     // kernels are stacks of 3×3
    double noise_sd;
    int window_px;            // of LN and GLM: side of the window around the receptive field
    int spike_bins;           // of GLM: its own last bins that it remembers
    int run_bins, batch_runs; // consecutive bins a run, runs a minibatch
    double learning_rate, decay, l2, l1_activity;
    FittingSchedule schedule;
    double plateau_factor;               // of the learning rate after
    int plateau_epochs, patience_epochs; // these without a better one; end after these, 0 never
    double rate_scale_hz;
    double minutes;          // of the train part, from its start; 0: all
    double validation_share; // of these
    double um_per_px;        // 0: the data set says
    int threads;             // 0: as many as the machine has
} Fitting;

/* NULL with `FILE:LINE: key: what is wrong; what is allowed` in err (CONFIG_ERR_BYTES). */
Fitting *fitting_load(const char *path, char *err);
void fitting_destroy(Fitting *fitting);
