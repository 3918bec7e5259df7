#pragma once
/* How well a predicted rate fits the responses of one cell: pure functions on bare arrays.
 *
 * r_i(t) are the spikes of repeat i in bin t, p(t) the predicted spikes of that bin, N repeats, PSTH
 * the mean over the repeats; Var and Cov are over time, m is the mean of r over both, and "pairs"
 * are all pairs of two different repeats. Then
 *
 *   S               mean over pairs of Cov(r_i, r_j), the signal power; it equals
 *                   (Var(Σ r_i) − Σ Var(r_i)) / (N (N − 1))  (Sahani & Linden 2003)
 *   cc              Cov(p, PSTH) / √(Var(p) Var(PSTH))  (Pearson)
 *   cc_max          √(S / Var(PSTH))  (Hsu et al. 2004, Schoppe et al. 2016)
 *   cc_norm         Cov(p, PSTH) / √(Var(p) S) = cc / cc_max; above 1 by chance, never clipped
 *   fev             1 − E / D, where E is the mean over pairs and time of (r_i − p)(r_j − p) and D
 *                   that of (r_i − m)(r_j − m); it equals 1 − (MSE(PSTH, p) − s²/N) /
 *                   (Var(PSTH) − s²/N) with s² the variance over repeats, mean over time. 0 for a
 *                   model that says m, below 0 for a worse one; never clipped
 *   bits_per_spike  (log2 likelihood of the spikes were they Poisson with mean p, less that with
 *                   mean m) / spikes
 *   cc_rate         Pearson's of p with the noise-free rate
 *
 * A score that has no value is NaN, and score_undefined() says why. */
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    SCORE_CC,
    SCORE_CC_NORM,
    SCORE_CC_MAX,
    SCORE_FEV,
    SCORE_BITS_PER_SPIKE,
    SCORE_CC_RATE,
    SCORES
} ScoreKind;

/* One cell under one model. */
typedef struct {
    int64_t bins;
    int repeats; // 1: a single response, or a PSTH of unknown repeats
    double bin_hz;
    const float *rate_hz;  // (bins), predicted
    const float *spikes;   // (repeats, bins), spikes a bin
    bool is_counted;       // false: spikes are smoothed rates, and no likelihood is made of them
    const float *truth_hz; // (bins), noise-free rate; NULL: not known
    int block_bins;        // what is resampled as one
} ScoreInput;

/* All that the scores need of the input, block by block: any resample of blocks and repeats is
 * scored without going through the bins again. */
typedef struct ScoreSums ScoreSums;

/* NULL without memory, or when there is not a bin, a repeat or a bin in a block. */
ScoreSums *score_sums_create(const ScoreInput *input);
int score_blocks(const ScoreSums *sums);

/* values (SCORES). block_weights (blocks) and repeat_weights (repeats) say how often each was drawn;
 * NULL: each once. A repeat drawn twice makes no pair with itself, for its noise would pass for
 * signal; and Var(PSTH) = S + (mean Var(r_i) − S) / N is that of a PSTH of all N repeats. Uses
 * memory of sums: one thread at a time. */
void score_values(ScoreSums *sums, const double *block_weights, const double *repeat_weights,
                  double *values);

/* Why the score of the whole input is not finite, as half a sentence; NULL when it is. */
const char *score_undefined(ScoreSums *sums, ScoreKind kind);
void score_sums_destroy(ScoreSums *sums);

/* "cc_norm", and the formula above on one line. */
const char *score_name(ScoreKind kind);
const char *score_formula(ScoreKind kind);

/* Variance over repeats of the counts in windows, summed over windows, over their mean likewise: 1
 * for Poisson spikes. NaN with fewer than two repeats, no whole window or no spike. */
double score_fano(const float *spikes, int repeats, int64_t bins, int window_bins);

/* NaN when either is constant. */
double score_pearson(const float *x, const float *y, int64_t count);

/* The median of the finite ones and of −∞; NaN when there is none. Sorts values. */
double score_median(double *values, int count);
