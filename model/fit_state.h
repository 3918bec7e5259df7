#pragma once
/* The inside of a fit, shared by the files that open it (fit_open.c), feed it (fit_load.c), run it
 * (fit.c), judge it (fit_score.c) and store it (fit_store.c). */
#include <pthread.h>

#include "model/fit_crew.h"
#include "model/fit_net.h"

enum { FIT_STREAM_START = 0, FIT_STREAM_NOISE = 900, FIT_STREAM_SHUFFLE = 1000 };

/* How far a fit has come; numbers of one size, so that a checkpoint has no padding. */
typedef struct {
    int64_t epochs, steps;
    int64_t best_epoch, since_best, since_change; // epochs
    double best_loss, rate;                       // rate: of a plateau schedule
} FitProgress;

struct Fit {
    FitSpec spec;
    Dataset *data;                 // borrowed
    ModelInfo info;                // of the model to be; its pointers are the data set's
    int64_t used_bins, train_bins; // of the train part: in all; fitted, the rest is for validation
    float *target;                 // (cells, bins of the part) in units of rate_scale_hz
    float *spikes;                 // (cells, bins of the part) a bin, where the net asks; else NULL
    int64_t target_bins;
    float *target_mean; // (cells)
    FitBatch batch;
    FitNet net;
    void *state;
    float *first, *second; // (param_count) Adam's moments
    float *best;           // (param_count + state_count) of the best epoch
    FitProgress progress;
    FitCrew *crew;
    /* What the lanes load from: */
    pthread_mutex_t reading; // HDF5 serves one thread at a time
    DatasetPart part;
    const int64_t *run_from;                   // (lanes * runs) first frame of each run
    float *lum[FIT_LANES];                     // (frames, pixels) scratch
    char load_err[FIT_LANES][MODEL_ERR_BYTES]; // empty: loaded
};

/* lum_mean and lum_sd over the bins used. */
bool fit_measure_stimulus(Fit *fit, char *err);

/* A response of a whole part (cells, bins), to be freed; NULL with err set. */
float *fit_read_response(const Fit *fit, DatasetPart part, DatasetResponse response, char *err);

/* fit->target := the responses of a part, in units of rate_scale_hz, and the spikes. */
bool fit_load_target(Fit *fit, DatasetPart part, char *err);

/* Loads the runs that start at run_from (lanes * runs) and works through the phases. */
bool fit_run_phases(Fit *fit, const int64_t *run_from, const FitPhase *phases, int count,
                    char *err);

int64_t fit_batches_in_epoch(const Fit *fit);

/* order (runs) := where the runs of this epoch start, shuffled; they are shifted by a part of a run
 * every epoch. */
void fit_shuffle_runs(const Fit *fit, int64_t *order, int64_t runs);
