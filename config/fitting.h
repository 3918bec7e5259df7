#pragma once
/* A fit: which model, to which data set, and how; as the file has it. */
#include <stdbool.h>
#include <stdint.h>

#include "config/protocol.h"

typedef enum { FITTING_CNN, FITTING_LN } FittingKind;
typedef enum { FITTING_BINNED, FITTING_FIRING_RATE, FITTING_RATE } FittingTarget;

typedef struct {
    char *name; // of the model
    char *about;
    char *data; // the data set's file
    FittingKind kind;
    FittingTarget target; // of response: binned, firing_rate_10ms or rate_hz
    int64_t seed;
    int epochs;
    int history_bins, lag_bins;
    int *channels, *kernel_px; // (2) of a CNN's two convolutions; NULL for LN
    unsigned channels_count, kernel_px_count;
    int run_bins, batch_runs; // consecutive bins a run, runs a minibatch
    double learning_rate, decay;
    double rate_scale_hz;
    double validation_share; // of the train part
    double um_per_px;        // 0: the data set says
    int threads;             // 0: as many as the machine has
} Fitting;

/* NULL with `FILE:LINE: key: what is wrong; what is allowed` in err (CONFIG_ERR_BYTES). */
Fitting *fitting_load(const char *path, char *err);
void fitting_destroy(Fitting *fitting);
