#include "model/fit_state.h"

#include <math.h>
#include <stdlib.h>

#include "model/kind.h"
#include "model/moments.h"

/* Correlates the rates of the minibatch's first `runs` runs with a response (cells, bins) of the
 * part. */
static void correlate(const Fit *fit, const int64_t *run_from, int runs, const float *response,
                      Moments *moments)
{
    const FitBatch *b = &fit->batch;
    for (int i = 0; i < runs; i++) {
        int64_t at = run_from[i] + fit->spec.history_bins - 1 + fit->spec.lag_bins;
        for (int cell = 0; cell < b->cells; cell++)
            for (int t = 0; t < b->bins; t++)
                moments_add(&moments[cell], (double)b->rate[i][cell * b->bins + t],
                            (double)response[(int64_t)cell * fit->target_bins + at + t]);
    }
}

/* Mean over the cells that have a correlation. */
static double finish_cc(int cells, const Moments *moments, double *cc)
{
    double sum = 0.0;
    int count = 0;
    for (int cell = 0; cell < cells; cell++) {
        cc[cell] = moments[cell].n > 0.0 ? moments_correlation(&moments[cell]) : (double)NAN;
        if (isfinite(cc[cell])) {
            sum += cc[cell];
            count++;
        }
    }
    return count > 0 ? sum / count : (double)NAN;
}

typedef struct {
    float *rate;                  // (cells, bins) noise-free; NULL: not in the data
    Moments *by_rate, *by_target; // (cells)
} Judge;

/* Loss and moments over consecutive runs from `from` on; the last minibatch is filled up with runs
 * that do not count. */
static bool judge_runs(Fit *fit, const Judge *judge, int64_t from, int64_t runs, double *loss,
                       char *err)
{
    const FitBatch *b = &fit->batch;
    int per_batch = FIT_LANES * b->runs;
    int64_t order[1024];
    fit->net.begin(fit->state, false);
    for (int64_t done = 0; done < runs; done += per_batch) {
        int count = (int)(runs - done < per_batch ? runs - done : per_batch);
        for (int i = 0; i < per_batch; i++)
            order[i] = from + (done + (i < count ? i : 0)) * b->bins;
        if (!fit_run_phases(fit, order, fit->net.predict, fit->net.predict_count, err))
            return false;
        for (int i = 0; i < count; i++)
            for (int j = 0; j < b->cells * b->bins; j++)
                *loss +=
                    (double)b->rate[i][j] - (double)b->target[i][j] * log((double)b->rate[i][j]);
        correlate(fit, order, count, fit->target, judge->by_target);
        if (judge->rate)
            correlate(fit, order, count, judge->rate, judge->by_rate);
    }
    return true;
}

bool fit_score(Fit *fit, DatasetPart part, int64_t from, int64_t bins, FitScore *score, char *err)
{
    const FitBatch *b = &fit->batch;
    int64_t window = fit->spec.history_bins - 1 + fit->spec.lag_bins;
    int64_t runs = (bins - window) / b->bins;
    if (runs < 1)
        return model_refuse(err, "%lld bins are too few to judge a model by", (long long)bins);
    if (fit->part != part && !fit_load_target(fit, part, err))
        return false;
    size_t cells = (size_t)b->cells;
    Judge judge = {.by_rate = calloc(cells, sizeof(Moments)),
                   .by_target = calloc(cells, sizeof(Moments))};
    bool has_rate = dataset_has(fit->data, part, DATASET_RATE);
    if (has_rate)
        judge.rate = fit_read_response(fit, part, DATASET_RATE, err);
    bool ok = judge.by_rate && judge.by_target && (judge.rate || !has_rate);
    double loss = 0.0;
    ok = ok && judge_runs(fit, &judge, from, runs, &loss, err);
    if (ok) {
        score->bins = runs * b->bins;
        score->loss = loss / ((double)score->bins * b->cells);
        score->cc_rate_mean = finish_cc(b->cells, judge.by_rate, score->cc_rate);
        score->cc_target_mean = finish_cc(b->cells, judge.by_target, score->cc_target);
    }
    free(judge.rate);
    free(judge.by_rate);
    free(judge.by_target);
    return ok;
}
