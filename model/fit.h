#pragma once
/* Fitting models to data sets: Poisson loss, Adam, whole epochs that can be interrupted and
 * resumed.
 *
 * What is learned comes from the spec, the data set and the seed alone: the same three give the
 * same bits, with any number of threads, and a fit that was stopped and resumed ends where an
 * undisturbed one ends. The model kept is that of the epoch with the least validation loss.
 *
 * Kinds, from plain to deep; all end in a softplus:
 *   LN       a filter in time and space a cell, on a square window around its receptive field, from
 *            the spike-triggered average
 *   GLM      the same and a filter on the cell's own last spikes (Pillow et al. 2008)
 *   subunit  one layer of convolution, rectified, pooled by each cell with weights of its own
 *   CNN      the three-layer network of McIntosh 2016, Maheswaranathan 2018 and Tanaka 2019 (cnn.h)
 * Convolutions are fitted on runs of consecutive bins, so that each new frame is transformed once
 * and the first layer is a sum over lags at every spatial frequency (fit_dft.h); nothing is
 * approximated. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/dataset.h"
#include "model/model.h"

typedef enum { FIT_LN, FIT_GLM, FIT_SUBUNIT, FIT_CNN, FIT_KINDS } FitKind;
typedef enum { FIT_NORM_CHANNEL, FIT_NORM_UNIT } FitNorm; // what has a batch-norm of its own
typedef enum { FIT_COSINE, FIT_PLATEAU } FitSchedule;

typedef struct {
    FitKind kind;
    DatasetResponse target;
    int history_bins, lag_bins; // see ModelInfo
    /* Of subunit (its one layer) and CNN: */
    int channels[2], kernel_px[2];
    FitNorm norm;
    bool is_stacked; // kernels are stacks of linear 3×3 ones, collapsed in the model file
    double noise_sd; // added to every unit between batch-norm and ReLU, in training
    /* Of LN and GLM: */
    int window_px;  // side of the window
    int spike_bins; // of a GLM: its own last bins that it remembers; the target must be spikes

    double minutes;          // of the train part, from its start; 0: all
    double validation_share; // of these, their end, never fitted
    int run_bins;            // consecutive bins fitted together
    int batch_runs;          // runs a minibatch, a multiple of FIT_LANES
    double learning_rate;    // of the first step, in units of each tensor's initial size
    FitSchedule schedule;    // cosine: falls to 0 by a half cosine over all epochs; plateau: times
    double plateau_factor;   // this after
    int plateau_epochs;      // so many epochs without a smaller validation loss
    int patience_epochs;     // without one until the fit ends early; 0: never
    int epochs;              // at most
    double decay;            // pull of the weights towards 0, per unit of learning rate
    double l2;               // loss of Σ weight², as Keras has it
    double l1_activity;      // loss of the mean rate
    double rate_scale_hz;    // Hz for an output of 1
    double um_per_px;        // for a data set that does not say; else 0
    int threads;
    uint32_t (*word)(void *ctx, uint32_t stream,
                     uint64_t index); // random bits, the same for the same arguments
    void *word_ctx;
} FitSpec;

enum { FIT_LANES = 4 };

/* What the parameters are started from. */
typedef struct {
    const float *target_mean; // (cells), in units of rate_scale_hz
    uint32_t (*word)(void *ctx, uint32_t stream, uint64_t index);
    void *word_ctx;
} FitStart;

typedef struct {
    double loss;                     // mean over cells and bins, Poisson, in units of rate_scale_hz
    double cc_rate[MODEL_MAX_CELLS]; // Pearson against the noise-free rate; NaN: not in the data
    double cc_target[MODEL_MAX_CELLS];   // against what is fitted
    double cc_rate_mean, cc_target_mean; // over the cells that have one
    int64_t bins;
} FitScore;

typedef struct {
    int epoch; // epochs done
    double train_loss;
    double learning_rate; // of its last step
    FitScore validation;
} FitEpoch;

typedef enum { FIT_DONE, FIT_STOPPED, FIT_FAILED } FitOutcome;

typedef struct {
    const atomic_bool *stop; // asked between minibatches; an epoch that is stopped is forgotten
    void (*progress)(void *ctx, int64_t done,
                     int64_t total); // minibatches of all epochs; may be NULL
    void *ctx;
} FitWatch;

typedef struct Fit Fit;

/* Reads the statistics of the data set, which is borrowed. NULL with a sentence in err
 * (MODEL_ERR_BYTES). */
Fit *fit_create(const FitSpec *spec, Dataset *data, char *err);
int fit_epochs_done(const Fit *fit);
int fit_best_epoch(const Fit *fit); // whose model is kept; 0: none yet

/* All epochs are done, or none was better for patience_epochs. */
bool fit_is_over(const Fit *fit);

/* One more epoch, then the score on the validation bins. */
FitOutcome fit_epoch(Fit *fit, const FitWatch *watch, FitEpoch *epoch, char *err);

/* The model as it is now (a GLM with the spikes that were recorded before each bin), on `bins` bins
 * of a part from bin `from` on (whole runs; score->bins says how many). */
bool fit_score(Fit *fit, DatasetPart part, int64_t from, int64_t bins, FitScore *score, char *err);

/* Everything needed to go on. fit_resume() refuses a checkpoint of another spec or data set. */
bool fit_save(const Fit *fit, const char *path, char *err);
bool fit_resume(Fit *fit, const char *path, char *err);

/* The model file (weights.h), of the best epoch. */
bool fit_write_model(Fit *fit, const char *path, const char *name, const char *provenance,
                     char *err);
void fit_destroy(Fit *fit);
