#include "app/eval.h"

#include <math.h>
#include <stdlib.h>

#include "model/kind.h"

/* The share of the resamples that is beyond chance for the best of all shifts (Bonferroni). */
static double certain(const Eval *e)
{
    return 1.0 - 0.025 / (2 * e->request.shift_bins + 1);
}

typedef struct {
    Bootstrap bootstrap;
    double *drawn;   // owned; (cells, resamples), cc at one shift
    double *medians; // owned; (shifts, resamples)
    double *sorted;  // owned; (cells)
} Scan;

/* One cell at one shift of the responses, always the same rates. */
static bool scan_cell(const Eval *e, const Scan *scan, const EvalModel *m, int cell, int shift,
                      double *cc)
{
    int most = e->request.shift_bins;
    int64_t bins = e->to - e->from;
    ScoreInput in = {.bins = bins - 2 * most,
                     .repeats = 1,
                     .bin_hz = e->info->bin_hz,
                     .rate_hz = m->rates_hz + cell * e->bins + (e->from - e->first) + most,
                     .spikes = e->psth + cell * bins + most + shift,
                     .block_bins = e->block_bins};
    ScoreSums *sums = score_sums_create(&in);
    double values[SCORES];
    if (!sums)
        return false;
    score_values(sums, NULL, NULL, values);
    *cc = values[SCORE_CC];
    for (int k = 0; k < e->request.resamples; k++) {
        score_values(sums, bootstrap_blocks(&scan->bootstrap, k), NULL, values);
        scan->drawn[(size_t)cell * (size_t)e->request.resamples + (size_t)k] = values[SCORE_CC];
    }
    score_sums_destroy(sums);
    return true;
}

static bool scan_shift(const Eval *e, const Scan *scan, EvalModel *m, int shift)
{
    int at = shift + e->request.shift_bins, resamples = e->request.resamples, count = 0;
    for (int cell = 0; cell < e->info->cells; cell++)
        if (m->model_cell[cell] >= 0 && !scan_cell(e, scan, m, cell, shift, &scan->sorted[count++]))
            return false;
    m->shift_cc[at] = score_median(scan->sorted, count);
    for (int k = 0; k < resamples; k++) {
        count = 0;
        for (int cell = 0; cell < e->info->cells; cell++)
            if (m->model_cell[cell] >= 0)
                scan->sorted[count++] = scan->drawn[(size_t)cell * (size_t)resamples + (size_t)k];
        scan->medians[(size_t)at * (size_t)resamples + (size_t)k] =
            score_median(scan->sorted, count);
    }
    return true;
}

static void judge(const Eval *e, const Scan *scan, EvalModel *m)
{
    int most = e->request.shift_bins, resamples = e->request.resamples;
    m->best_shift = 0;
    for (int shift = -most; shift <= most; shift++)
        if (m->shift_cc[shift + most] > m->shift_cc[m->best_shift + most])
            m->best_shift = shift;
    const double *best = scan->medians + (ptrdiff_t)(m->best_shift + most) * resamples;
    const double *still = scan->medians + (ptrdiff_t)most * resamples;
    int above = 0, positive = 0;
    for (int k = 0; k < resamples; k++) {
        above += best[k] > still[k];
        positive += best[k] > 0.0;
    }
    m->best_share = resamples > 0 ? (double)above / resamples : 1.0;
    m->is_correlated = resamples > 0 ? positive >= certain(e) * resamples
                                     : m->shift_cc[m->best_shift + most] > 0.0;
}

bool eval_scan_shifts(Eval *e, char *err)
{
    int most = e->request.shift_bins;
    size_t resamples = (size_t)e->request.resamples, cells = (size_t)e->info->cells;
    int64_t bins = e->to - e->from - 2 * most;
    Scan scan = {.drawn = calloc(cells * resamples + 1, sizeof *scan.drawn),
                 .medians = calloc((2 * (size_t)most + 1) * resamples + 1, sizeof *scan.medians),
                 .sorted = calloc(cells, sizeof *scan.sorted)};
    bool ok = scan.drawn && scan.medians && scan.sorted &&
              bootstrap_draw(&scan.bootstrap, e->request.seed, e->request.resamples,
                             (int)((bins + e->block_bins - 1) / e->block_bins), 1);
    for (int i = 0; ok && i < e->models_count; i++) {
        for (int shift = -most; ok && shift <= most; shift++)
            ok = scan_shift(e, &scan, &e->models[i], shift);
        judge(e, &scan, &e->models[i]);
    }
    bootstrap_finish(&scan.bootstrap);
    free(scan.drawn);
    free(scan.medians);
    free(scan.sorted);
    return ok || model_refuse(err, "not enough memory for the lag scan");
}

bool eval_shift_verdict(const Eval *e, int model, char *sentence)
{
    const EvalModel *m = &e->models[model];
    int off = abs(m->best_shift), most = e->request.shift_bins;
    bool is_better = off > 0 && m->best_share >= certain(e);
    if (!m->is_correlated)
        snprintf(sentence, EVAL_NOTE_BYTES,
                 "at no shift is there a correlation beyond chance, the lag cannot be told");
    else if (off == 0)
        snprintf(sentence, EVAL_NOTE_BYTES, "the best shift is 0, lag_bins is right");
    else if (!is_better)
        snprintf(
            sentence, EVAL_NOTE_BYTES,
            "no shift is better than 0 beyond chance, lag_bins may be right (%+d is above it by "
            "%.4f, in %.0f %% of the resamples)",
            m->best_shift, m->shift_cc[m->best_shift + most] - m->shift_cc[most],
            100.0 * m->best_share);
    else
        snprintf(sentence, EVAL_NOTE_BYTES,
                 "the responses fit best %d bin%s %s: lag_bins of the model or the data is off by "
                 "%d%s",
                 off, off == 1 ? "" : "s", m->best_shift > 0 ? "later" : "earlier", off,
                 off == most ? " or more" : "");
    return m->is_correlated && !is_better;
}
