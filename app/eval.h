#pragma once
/* Models against a data set: the stimulus goes through all models in one pass, and their rates are
 * scored against the responses, cell by cell (model/score.h), all on the same bins.
 *
 * eval_open(), eval_predict(), eval_score() in this order, each once, then eval_vary() where noise is
 * asked for; eval_close() also after a failure. Sentences go to err (EVAL_ERR_BYTES). One thread. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "app/bootstrap.h"
#include "app/digest.h"
#include "app/paths.h"
#include "model/dataset.h"
#include "model/score.h"

enum {
    EVAL_ERR_BYTES = MODEL_ERR_BYTES,
    EVAL_MAX_MODELS = 8,
    EVAL_SETTLING_BINS = 20,    // left out of the score after the history of the longest model
    EVAL_RECURSIVE_BINS = 1000, // shown before --from to a model whose memory has no fixed length
    EVAL_MAX_SHIFT_BINS = 100,
    EVAL_FANO_MS = 100,
    EVAL_NOTE_BYTES = 256,
    EVAL_FIGURE_CELLS = 4,
};

typedef struct {
    const char *data;
    const char *models[EVAL_MAX_MODELS]; // files, or names of built-in models
    int models_count;
    DatasetPart part;
    double from_s, seconds; // seconds 0: to the end
    int resamples;          // 0: no intervals
    double block_s;
    bool has_repeats_resampled; // beside the blocks of time: wider, for responses that drift
    int64_t seed;
    int shift_bins;  // of the lag scan; 0: none
    double noise_sd; // in front of hidden units' rectification; 0: none is asked for
    int noise_trials;
} EvalRequest;

/* What a cell of the data set did, under any model. */
typedef struct {
    double spikes, rate_hz;        // in all repeats; a second and repeat
    double variance_to_mean, fano; // of counts over repeats, in a bin and in EVAL_FANO_MS
} EvalResponse;

/* One score of one cell, or of the median cell. */
typedef struct {
    double value; // NaN or −∞: why says why
    BootstrapInterval interval;
    const char *why;
} EvalScore;

typedef struct {
    Model *model; // owned
    char path[PATH_BYTES];
    char sha256[DIGEST_BYTES];  // "" when it is built in
    int *model_cell;            // (data cells), owned; −1: the model has no such cell
    bool is_matched_by_order;   // for want of common names
    float *rates_hz;            // (data cells, bins), owned; NaN where there is no prediction
    EvalScore (*cells)[SCORES]; // (data cells), owned
    EvalScore median[SCORES];   // over the cells that all models have
    EvalScore ahead[SCORES];    // of the first model's median
    double *shift_cc;           // (2 shift_bins + 1), owned: median cc by shift of the responses
    int best_shift;             // highest of shift_cc
    double best_share;          // of the resamples in which it is above that of shift 0
    bool is_correlated;         // the best median is above 0 beyond chance
    bool is_varied;             // eval_vary() found hidden units to make noisy
    double noisy_variance_to_mean, noisy_fano; // of its expected counts over noise, median cell
} EvalModel;

typedef struct {
    EvalRequest request;
    Dataset *data; // owned
    const DatasetInfo *info;
    char data_sha256[DIGEST_BYTES];
    EvalModel models[EVAL_MAX_MODELS];
    int models_count;
    bool is_simulated; // the data or any model
    bool was_stopped;

    DatasetResponse response; // what stands in for repeats when there are none
    int repeats;              // 1: a single response
    bool is_counted;
    int block_bins, blocks;

    int64_t first, bins;           // stretch of the part that goes through the models
    int64_t from, to;              // of the part: the bins that are scored
    int common;                    // cells that all models have
    EvalResponse *responses;       // (cells), owned
    double variance_to_mean, fano; // of them, median cell
    float *psth;                   // (cells, to − from), owned: mean over repeats, spikes a bin
    float *truth_hz;               // likewise, owned: noise-free rate; NULL: not there
} Eval;

bool eval_open(Eval *eval, const EvalRequest *request, char *err);

/* Stops early at *stop: the bins so far are the ones to score. False also when they are too few. */
bool eval_predict(Eval *eval, const atomic_bool *stop,
                  void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx, char *err);
bool eval_score(Eval *eval, char *err);

/* The lag scan of eval_score(): all models against the responses of later and earlier bins. */
bool eval_scan_shifts(Eval *eval, char *err);

/* How variable the models' expected counts are over noise_trials of noise in their hidden units, by
 * the formula that the responses' variability has. Models without hidden units are left out. */
bool eval_vary(Eval *eval, const atomic_bool *stop,
               void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx, char *err);
void eval_close(Eval *eval);

/* spikes (repeats, to − from) of one cell, spikes a bin. After eval_score(). */
bool eval_read_spikes(Eval *eval, int cell, float *spikes, char *err);

/* True when all models have the cell. */
bool eval_is_common(const Eval *eval, int cell);

/* Tables and their legend; the summary for machines, a new reference. */
void eval_talk(const Eval *eval, FILE *talk);
json_t *eval_json(const Eval *eval);

/* What the lag scan found for a model; sentence holds EVAL_NOTE_BYTES. A shift is better than 0 only
 * if it is in 1 − 0.025 / shifts of the resamples. True: the lag is right, as far as can be told. */
bool eval_shift_verdict(const Eval *eval, int model, char *sentence);

typedef struct {
    const char *path; // .png, .svg or .pdf
    const char *cells
        [EVAL_FIGURE_CELLS]; // names; none: the best, the median and the worst cell of the first model
    int cells_count;
    double from_s, seconds; // of the part; from_s < 0: where the scored bins begin
} EvalFigure;

/* False with a sentence in err when a cell or time of the figure does not exist. After eval_open(). */
bool eval_check_figure(const Eval *eval, const EvalFigure *figure, char *err);

/* Prediction over PSTH, and the repeats as a raster, of a few cells. False with a sentence in err;
 * *is_input when no figure can have that name. */
bool eval_draw(Eval *eval, const EvalFigure *figure, bool *is_input, char *err);
