#pragma once
/* What the fitter and a kind of network owe each other.
 *
 * A minibatch is `lanes` × `runs` runs, each a stretch of `bins` consecutive bins with the history
 * before it. The network works through it in phases: the lanes of a phase in parallel, then a join
 * alone. Lanes write only what is theirs and joins add up in lane order, so results do not depend
 * on the number of threads. All parameters stand in one vector, in tensors that the fitter need not
 * understand. */
#include <stdbool.h>
#include <stddef.h>

#include "model/fit.h"
#include "model/weights.h"

typedef struct {
    int lanes, runs, bins; // runs a lane, bins a run
    int frames;            // bins of stimulus a run: bins + history − 1
    int pixels, cells;
    float **stimulus;    // (lanes × runs) of (pixels, frames), normalised, time fastest
    float **target;      // (lanes × runs) of (cells, bins), in units of rate_scale_hz
    float **rate;        // (lanes × runs) of (cells, bins), written by the net, same unit
    double *loss;        // (lanes) sums over runs, cells and bins, written by the net
    int past_bins;       // of spikes before each bin, for a net that asks for them; else 0
    float **past;        // (lanes × runs) of (cells, past_bins + bins) spikes a bin
    float l1_activity;   // pull of the rates towards 0, in the loss
    int64_t step;        // minibatches fitted so far
    uint64_t noise_seed; // of what the net adds to its units in training
} FitBatch;

typedef struct {
    void (*lane)(void *net, int lane);
    void (*join)(void *net); // may be NULL
} FitPhase;

typedef struct {
    const char *name;
    size_t at, count;
    float size;  // of a typical value at the start: steps of the optimiser are in this unit
    bool decays; // pulled towards 0
} FitTensor;

enum { FIT_TENSORS_MAX = 24 };

typedef struct {
    FitTensor tensors[FIT_TENSORS_MAX];
    int tensor_count;
    size_t param_count, state_count;
    float *params;   // (param_count) owned by the net
    float *gradient; // (param_count) of the mean loss a cell and bin, after the train phases
    float *state;    // (state_count) what is learned without a gradient: running statistics
    const FitPhase *train, *predict;
    int train_count, predict_count;
    void (*changed)(void *net);                 // params were set from outside
    void (*begin)(void *net, bool is_training); // before phases of the other kind
    const FitPhase *survey;                     // once over the data before start(); may be NULL
    int survey_count;
    bool (*start)(void *net, const FitStart *start, char *err); // sets params for the first time
    /* Adds the tensors of a model file; they are lent by the net until it closes. */
    void (*describe)(void *net, ModelFile *file);
    void (*close)(void *net);
} FitNet;

/* Fills *parts and returns the net, or NULL with a sentence in err. batch is borrowed. */
void *fit_cnn_open(const FitSpec *spec, const ModelInfo *about, const FitBatch *batch,
                   FitNet *parts, char *err);
void *fit_ln_open(const FitSpec *spec, const ModelInfo *about, const FitBatch *batch, FitNet *parts,
                  char *err);

/* rate (cells, bins) := softplus(drive) and drive := d loss / d drive, per cell and bin of the
 * whole minibatch; returns the loss summed over cells and bins. Poisson: rate − target·ln rate,
 * and l1_activity · rate. */
double fit_poisson(const FitBatch *batch, const float *target, float *drive, float *rate);
