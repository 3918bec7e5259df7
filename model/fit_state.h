#pragma once
/* The inside of a fit, shared by the files that run it and store it. */
#include <pthread.h>

#include "model/fit_crew.h"
#include "model/fit_net.h"

enum { FIT_STREAM_START = 0, FIT_STREAM_SHUFFLE = 1000 };

struct Fit {
    FitSpec spec;
    Dataset *data;      // borrowed
    ModelInfo info;     // of the model to be; its pointers are the data set's
    int64_t train_bins; // fitted; the validation bins follow
    float *target;      // (cells, bins of the part) in units of rate_scale_hz
    int64_t target_bins;
    float *target_mean; // (cells)
    FitBatch batch;
    FitNet net;
    void *state;
    float *first, *second; // (param_count) Adam's moments
    int64_t steps;
    int epochs;
    FitCrew *crew;
    /* What the lanes load from: */
    pthread_mutex_t reading; // HDF5 serves one thread at a time
    DatasetPart part;
    const int64_t *run_from;                   // (lanes * runs) first frame of each run
    float *lum[FIT_LANES];                     // (frames, pixels) scratch
    char load_err[FIT_LANES][MODEL_ERR_BYTES]; // empty: loaded
};

/* fit->target := the responses of a part, in units of rate_scale_hz. */
bool fit_load_target(Fit *fit, DatasetPart part, char *err);

/* Loads the runs that start at run_from (lanes * runs) and works through the phases. */
bool fit_run_phases(Fit *fit, const int64_t *run_from, const FitPhase *phases, int count,
                    char *err);
