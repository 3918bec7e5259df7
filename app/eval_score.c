#include "app/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

/* Scores of all resamples, (resamples, models, cells, SCORES), and the responses of one cell. */
typedef struct {
    Bootstrap bootstrap;
    double *drawn;  // owned
    double *sorted; // owned, (resamples) or (cells), whichever is more
    float *spikes;  // owned, (repeats, bins)
} Work;

static bool read_all(Eval *e, DatasetResponse which, float **values, char *err)
{
    int64_t bins = e->to - e->from;
    *values = malloc((size_t)bins * (size_t)e->info->cells * sizeof **values);
    if (!*values)
        return model_refuse(err, "not enough memory for the responses of %lld bins",
                            (long long)bins);
    if (which == DATASET_BINNED && e->repeats > 1)
        return true; // made from the repeats
    return dataset_read_response(e->data, e->request.part, which, e->from, (int)bins, *values, err);
}

static bool read_responses(Eval *e, char *err)
{
    if (dataset_has(e->data, e->request.part, DATASET_RATE) &&
        !read_all(e, DATASET_RATE, &e->truth_hz, err))
        return false;
    if (!read_all(e, e->response, &e->psth, err))
        return false;
    int64_t count = (e->to - e->from) * e->info->cells;
    for (int64_t i = 0; e->response == DATASET_FIRING_RATE && i < count; i++)
        e->psth[i] /= (float)e->info->bin_hz;
    return true;
}

bool eval_read_spikes(Eval *e, int cell, float *spikes, char *err)
{
    int64_t bins = e->to - e->from;
    if (e->repeats > 1) {
        if (!dataset_read_repeats(e->data, cell, e->from, (int)bins, spikes, err))
            return false;
        for (int64_t i = 0; !e->is_counted && i < e->repeats * bins; i++)
            spikes[i] /= (float)e->info->bin_hz;
        return true;
    }
    memcpy(spikes, e->psth + cell * bins, (size_t)bins * sizeof *spikes);
    return true;
}

static void describe_response(Eval *e, int cell, const float *spikes)
{
    EvalResponse *r = &e->responses[cell];
    int64_t bins = e->to - e->from;
    for (int64_t i = 0; i < e->repeats * bins; i++)
        r->spikes += (double)spikes[i];
    r->rate_hz = r->spikes * e->info->bin_hz / (double)(e->repeats * bins);
    int window = (int)llrint(EVAL_FANO_MS * 1e-3 * e->info->bin_hz);
    r->variance_to_mean = r->fano = (double)NAN;
    if (e->is_counted) {
        r->variance_to_mean = score_fano(spikes, e->repeats, bins, 1);
        r->fano = score_fano(spikes, e->repeats, bins, window);
    }
}

static double *drawn_at(const Eval *e, const Work *w, int resample, int model, int cell)
{
    size_t row = (size_t)resample * (size_t)e->models_count + (size_t)model;
    return w->drawn + (row * (size_t)e->info->cells + (size_t)cell) * SCORES;
}

static BootstrapInterval interval_of(const Eval *e, const Work *w, int model, int cell, int kind)
{
    for (int k = 0; k < e->request.resamples; k++)
        w->sorted[k] = drawn_at(e, w, k, model, cell)[kind];
    return bootstrap_interval(w->sorted, e->request.resamples);
}

static bool score_cell(Eval *e, Work *w, int model, int cell, char *err)
{
    EvalModel *m = &e->models[model];
    ScoreInput in = {.bins = e->to - e->from,
                     .repeats = e->repeats,
                     .bin_hz = e->info->bin_hz,
                     .rate_hz = m->rates_hz + cell * e->bins + (e->from - e->first),
                     .spikes = w->spikes,
                     .is_counted = e->is_counted,
                     .truth_hz = e->truth_hz ? e->truth_hz + cell * (e->to - e->from) : NULL,
                     .block_bins = e->block_bins};
    ScoreSums *sums = score_sums_create(&in);
    if (!sums)
        return model_refuse(err, "not enough memory for the scores of %d repeats", e->repeats);
    double values[SCORES];
    score_values(sums, NULL, NULL, values);
    for (int k = 0; k < e->request.resamples; k++)
        score_values(sums, bootstrap_blocks(&w->bootstrap, k),
                     e->request.has_repeats_resampled ? bootstrap_repeats(&w->bootstrap, k) : NULL,
                     drawn_at(e, w, k, model, cell));
    for (int i = 0; i < SCORES; i++)
        m->cells[cell][i] = (EvalScore){values[i], interval_of(e, w, model, cell, i),
                                        score_undefined(sums, (ScoreKind)i)};
    score_sums_destroy(sums);
    return true;
}

/* resample < 0: of the scores themselves. */
static double median_of(const Eval *e, const Work *w, int resample, int model, int kind)
{
    int count = 0;
    for (int cell = 0; cell < e->info->cells; cell++)
        if (eval_is_common(e, cell))
            w->sorted[count++] = resample < 0 ? e->models[model].cells[cell][kind].value
                                              : drawn_at(e, w, resample, model, cell)[kind];
    return score_median(w->sorted, count);
}

/* medians (resamples) of one model, less those of the first when is_ahead. */
static EvalScore score_median_cell(const Eval *e, const Work *w, int model, int kind, bool is_ahead,
                                   double *medians)
{
    EvalScore score = {.value = median_of(e, w, -1, model, kind)};
    if (is_ahead)
        score.value -= median_of(e, w, -1, 0, kind);
    for (int k = 0; k < e->request.resamples; k++) {
        medians[k] = median_of(e, w, k, model, kind);
        if (is_ahead)
            medians[k] -= median_of(e, w, k, 0, kind);
    }
    score.interval = bootstrap_interval(medians, e->request.resamples);
    score.why = isfinite(score.value) ? NULL : "no cell has a value";
    return score;
}

static bool score_medians(Eval *e, const Work *w, char *err)
{
    double *medians = calloc((size_t)e->request.resamples + 1, sizeof *medians);
    if (!medians)
        return model_refuse(err, "not enough memory for the medians");
    for (int model = 0; model < e->models_count; model++)
        for (int kind = 0; kind < SCORES; kind++) {
            EvalModel *m = &e->models[model];
            m->median[kind] = score_median_cell(e, w, model, kind, false, medians);
            m->ahead[kind] = score_median_cell(e, w, model, kind, true, medians);
        }
    free(medians);
    return true;
}

static void average_repeats(Eval *e, int cell, const float *spikes)
{
    int64_t bins = e->to - e->from;
    for (int64_t t = 0; e->repeats > 1 && t < bins; t++) {
        float sum = 0.0f;
        for (int i = 0; i < e->repeats; i++)
            sum += spikes[i * bins + t];
        e->psth[cell * bins + t] = sum / (float)e->repeats;
    }
}

static bool start_work(Eval *e, Work *w, char *err)
{
    int64_t bins = e->to - e->from;
    size_t cells = (size_t)e->info->cells, resamples = (size_t)e->request.resamples;
    e->blocks = (int)((bins + e->block_bins - 1) / e->block_bins);
    w->drawn = calloc(resamples * (size_t)e->models_count * cells * SCORES + 1, sizeof *w->drawn);
    w->sorted = calloc(resamples > cells ? resamples : cells, sizeof *w->sorted);
    w->spikes = calloc((size_t)e->repeats * (size_t)bins, sizeof *w->spikes);
    if (w->drawn && w->sorted && w->spikes &&
        bootstrap_draw(&w->bootstrap, e->request.seed, e->request.resamples, e->blocks, e->repeats))
        return true;
    return model_refuse(err, "not enough memory for %d resamples of %d cells", e->request.resamples,
                        e->info->cells);
}

static bool score_cells(Eval *e, Work *w, char *err)
{
    for (int cell = 0; cell < e->info->cells; cell++) {
        if (!eval_read_spikes(e, cell, w->spikes, err))
            return false;
        describe_response(e, cell, w->spikes);
        average_repeats(e, cell, w->spikes);
        for (int i = 0; i < e->models_count; i++)
            if (e->models[i].model_cell[cell] >= 0 && !score_cell(e, w, i, cell, err))
                return false;
    }
    return true;
}

bool eval_score(Eval *e, char *err)
{
    Work w = {0};
    bool ok = start_work(e, &w, err) && read_responses(e, err) && score_cells(e, &w, err) &&
              score_medians(e, &w, err);
    bootstrap_finish(&w.bootstrap);
    free(w.drawn);
    free(w.sorted);
    free(w.spikes);
    return ok && (e->request.shift_bins == 0 || eval_scan_shifts(e, err));
}
