#pragma once
/* Fitting models to data sets: Poisson loss, Adam, whole epochs that can be interrupted and
 * resumed.
 *
 * What is learned comes from the spec, the data set and the seed alone: the same three give the
 * same bits, with any number of threads, and a fit that was stopped and resumed ends where an
 * undisturbed one ends.
 *
 * The CNN is the three-layer network of McIntosh 2016, Maheswaranathan 2018 and Tanaka 2019 (cnn.h)
 * with batch-norm per channel. It is fitted on runs of consecutive bins, so that each new frame is
 * transformed once and the first layer is a sum over lags at every spatial frequency (fit_dft.h);
 * nothing is approximated. The LN model is separable, one filter in time and one in space a cell,
 * and starts from the spike-triggered average. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/dataset.h"
#include "model/model.h"

typedef enum { FIT_CNN, FIT_LN } FitKind;

typedef struct {
    FitKind kind;
    DatasetResponse target;
    int history_bins, lag_bins;    // see ModelInfo
    int channels[2], kernel_px[2]; // of the CNN's layers
    int epochs;
    int run_bins;            // consecutive bins fitted together
    int batch_runs;          // runs a minibatch, a multiple of FIT_LANES
    double learning_rate;    // of the first step, in units of each tensor's initial size; falls
                             // to 0 by a half cosine
    double decay;            // pull of the weights towards 0, per unit of learning rate
    double rate_scale_hz;    // Hz for an output of 1
    double validation_share; // of the train part, its end, never fitted
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
    double cc_binned[MODEL_MAX_CELLS]; // against the spikes of each bin, or their mean over repeats
    double cc_rate_mean, cc_binned_mean;
    int64_t bins;
} FitScore;

typedef struct {
    int epoch; // epochs done
    double train_loss;
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

/* One more epoch, then the score on the validation bins. */
FitOutcome fit_epoch(Fit *fit, const FitWatch *watch, FitEpoch *epoch, char *err);

/* The model as it is now, on `bins` bins of a part from bin `from` on (whole runs; score->bins says
 * how many). */
bool fit_score(Fit *fit, DatasetPart part, int64_t from, int64_t bins, FitScore *score, char *err);

/* Everything needed to go on. fit_resume() refuses a checkpoint of another spec or data set. */
bool fit_save(const Fit *fit, const char *path, char *err);
bool fit_resume(Fit *fit, const char *path, char *err);

/* The model file (weights.h). */
bool fit_write_model(Fit *fit, const char *path, const char *name, const char *provenance,
                     char *err);
void fit_destroy(Fit *fit);
