#include "app/eval.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/json.h"

static const char *const part_names[] = {[DATASET_TRAIN] = "train", [DATASET_TEST] = "test"};

/* What the predictions are held against, when there are no repeats. */
static const char *stand_in(const Eval *e)
{
    return e->response == DATASET_BINNED ? "response/binned" : "response/firing_rate_10ms";
}

static void talk_of_data(const Eval *e, FILE *talk)
{
    double hz = e->info->bin_hz;
    fprintf(talk,
            "data        %s%s, %s part, bins %" PRId64 " to %" PRId64 " of %" PRId64
            " (%.1f s at %g bins a second)\n",
            e->request.data, e->info->is_simulated ? ", simulated" : "",
            part_names[e->request.part], e->from, e->to - 1, dataset_bins(e->data, e->request.part),
            (double)(e->to - e->from) / hz, hz);
    fprintf(talk, "left out    %" PRId64 " bins before them, in which the models settle\n",
            e->from - e->first);
    if (e->repeats > 1)
        fprintf(talk, "responses   %d repeats; PSTH is their mean\n", e->repeats);
    else
        fprintf(talk, "responses   %s of a single run: no noise can be told from signal\n",
                stand_in(e));
    if (e->request.resamples > 0)
        fprintf(talk, "intervals   95 %%, of %d resamples of blocks of %g s%s, seed %" PRId64 "\n",
                e->request.resamples, e->block_bins / hz,
                e->request.has_repeats_resampled ? " and of repeats" : "", e->request.seed);
    if (e->was_stopped)
        fprintf(talk, "stopped     early: the scores are of the bins until then\n");
}

static void put_number(FILE *talk, int width, double value)
{
    char text[32];
    if (isnan(value))
        snprintf(text, sizeof text, "-");
    else
        snprintf(text, sizeof text, "%.3f", value);
    fprintf(talk, "%*s", width, text);
}

static void put_interval(FILE *talk, const BootstrapInterval *interval)
{
    char text[64];
    if (isnan(interval->low))
        snprintf(text, sizeof text, "-");
    else
        snprintf(text, sizeof text, "%.2f … %.2f", interval->low, interval->high);
    fprintf(talk, "  %-*s", isnan(interval->low) ? 13 : 15, text); // "…" takes three bytes
}

static void put_scores(FILE *talk, const EvalScore *scores, bool has_intervals)
{
    static const ScoreKind columns[] = {SCORE_CC,  SCORE_CC_MAX,         SCORE_CC_NORM,
                                        SCORE_FEV, SCORE_BITS_PER_SPIKE, SCORE_CC_RATE};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const EvalScore *score = &scores[columns[i]];
        put_number(talk, 8, score->value);
        if (has_intervals && (columns[i] == SCORE_CC_NORM || columns[i] == SCORE_FEV ||
                              columns[i] == SCORE_BITS_PER_SPIKE))
            put_interval(talk, &score->interval);
    }
}

static void put_heading(FILE *talk, const char *first, bool has_intervals)
{
    const char *room = has_intervals ? "  95 %         " : "";
    fprintf(talk, "%-18s%8s%8s%8s%s%8s%s%8s%s%8s", first, "cc", "cc_max", "cc_norm", room, "fev",
            room, "bits/sp", room, "cc_rate");
}

static const char *kind_of(const EvalModel *m)
{
    return model_info(m->model)->kind;
}

static void talk_of_model(const Eval *e, int model, FILE *talk)
{
    const EvalModel *m = &e->models[model];
    bool has_intervals = e->request.resamples > 0;
    fprintf(talk, "\nmodel       %s (%s)%s\n", e->request.models[model], kind_of(m),
            model_info(m->model)->is_simulated ? ", simulated" : "");
    if (m->is_matched_by_order)
        fprintf(talk, "WARNING     its cells have other names than the data's: matched by order\n");
    put_heading(talk, "cell", has_intervals);
    fprintf(talk, "%8s%9s%8s\n", "Hz", "var/mean", "Fano");
    for (int cell = 0; cell < e->info->cells; cell++) {
        if (m->model_cell[cell] < 0)
            continue;
        fprintf(talk, "%-18.18s", e->info->cell_names[cell]);
        put_scores(talk, m->cells[cell], has_intervals);
        put_number(talk, 8, e->responses[cell].rate_hz);
        put_number(talk, 9, e->responses[cell].variance_to_mean);
        put_number(talk, 8, e->responses[cell].fano);
        fputc('\n', talk);
    }
    fprintf(talk, "median of %-8d", e->common);
    put_scores(talk, m->median, has_intervals);
    fputc('\n', talk);
    if (e->common < e->info->cells)
        fprintf(talk, "The data set has %d cells; medians are over those that every model has.\n",
                e->info->cells);
}

static bool is_shown(const Eval *e, ScoreKind kind)
{
    return kind != SCORE_CC_RATE || e->truth_hz;
}

static bool has_gap(const EvalModel *m, int cell, int kind, const char *why)
{
    return m->model_cell[cell] >= 0 && m->cells[cell][kind].why == why;
}

/* One line for one reason: which cells it befell. */
static void talk_of_gap(const Eval *e, const EvalModel *m, int first, int kind, FILE *talk)
{
    const char *why = m->cells[first][kind].why;
    int count = 0;
    for (int cell = 0; cell < e->info->cells; cell++) {
        bool is = has_gap(m, cell, kind, why);
        if (is && cell < first)
            return; // told already
        count += is;
    }
    fprintf(talk, "no %s in %d cell%s (%s%s): %s\n", score_name((ScoreKind)kind), count,
            count == 1 ? "" : "s", e->info->cell_names[first], count == 1 ? "" : " …", why);
}

static void talk_of_gaps(const Eval *e, int model, FILE *talk)
{
    const EvalModel *m = &e->models[model];
    for (int kind = 0; kind < SCORES; kind++)
        for (int cell = 0; cell < e->info->cells; cell++) {
            const EvalScore *score = &m->cells[cell][kind];
            if (m->model_cell[cell] < 0 || !is_shown(e, (ScoreKind)kind))
                continue;
            if (score->why)
                talk_of_gap(e, m, cell, kind, talk);
            else if (e->request.resamples > 0 && isnan(score->interval.low))
                fprintf(talk,
                        "no interval of the %s of %s: it has no value in %d of %d resamples\n",
                        score_name((ScoreKind)kind), e->info->cell_names[cell],
                        score->interval.undefined, e->request.resamples);
        }
}

static void talk_of_comparison(const Eval *e, FILE *talk)
{
    bool has_intervals = e->request.resamples > 0;
    fprintf(talk, "\nmedians of the %d cells that every model has\n", e->common);
    put_heading(talk, "model", has_intervals);
    fputc('\n', talk);
    for (int i = 0; i < e->models_count; i++) {
        fprintf(talk, "%-18.18s", model_info(e->models[i].model)->name);
        put_scores(talk, e->models[i].median, has_intervals);
        fputc('\n', talk);
    }
    fprintf(talk, "less those of %s\n", model_info(e->models[0].model)->name);
    for (int i = 1; i < e->models_count; i++) {
        fprintf(talk, "%-18.18s", model_info(e->models[i].model)->name);
        put_scores(talk, e->models[i].ahead, has_intervals);
        fputc('\n', talk);
    }
}

static void talk_of_formulas(const Eval *e, FILE *talk)
{
    fprintf(talk,
            "\nr_i spikes of repeat i, p predicted spikes, a bin; N repeats; Var, Cov over time\n");
    for (int kind = 0; kind < SCORES; kind++)
        if (is_shown(e, (ScoreKind)kind))
            fprintf(talk, "%-15s %s\n", score_name((ScoreKind)kind),
                    score_formula((ScoreKind)kind));
    fprintf(
        talk,
        "%-15s variance over repeats of the spikes in a bin / their mean; Fano: in %d ms; 1 for "
        "Poisson\n",
        "var/mean", EVAL_FANO_MS);
}

static void talk_of_shifts(const Eval *e, FILE *talk)
{
    int most = e->request.shift_bins;
    fprintf(talk, "\nlag scan: median correlation with the %s, shifted\nbins        ",
            e->repeats > 1 ? "PSTH" : stand_in(e));
    for (int shift = -most; shift <= most; shift++)
        fprintf(talk, "%+8d", shift);
    fputc('\n', talk);
    for (int i = 0; i < e->models_count; i++) {
        const EvalModel *m = &e->models[i];
        fprintf(talk, "%-12.12s", model_info(m->model)->name);
        for (int shift = 0; shift <= 2 * most; shift++)
            put_number(talk, 8, m->shift_cc[shift]);
        fputc('\n', talk);
    }
    for (int i = 0; i < e->models_count; i++) {
        char sentence[EVAL_NOTE_BYTES];
        eval_shift_verdict(e, i, sentence);
        fprintf(talk, "%s: %s\n", model_info(e->models[i].model)->name, sentence);
    }
}

static void talk_of_noise(const Eval *e, FILE *talk)
{
    fprintf(talk, "\nvariability, median cell       var/mean    Fano\nresponses, %3d repeats     ",
            e->repeats);
    put_number(talk, 13, e->variance_to_mean);
    put_number(talk, 8, e->fano);
    fputc('\n', talk);
    for (int i = 0; i < e->models_count; i++) {
        const EvalModel *m = &e->models[i];
        fprintf(talk, "%-27.27s", model_info(m->model)->name);
        if (m->is_varied) {
            put_number(talk, 13, m->noisy_variance_to_mean);
            put_number(talk, 8, m->noisy_fano);
        } else {
            fprintf(talk, "  no hidden units to make noisy");
        }
        fputc('\n', talk);
    }
    fprintf(talk,
            "of the counts a model expects, over %d trials of noise of SD %g in its hidden units;\n"
            "Poisson spikes drawn from them would add 1\n",
            e->request.noise_trials, e->request.noise_sd);
}

void eval_talk(const Eval *e, FILE *talk)
{
    talk_of_data(e, talk);
    for (int i = 0; i < e->models_count; i++) {
        talk_of_model(e, i, talk);
        talk_of_gaps(e, i, talk);
    }
    if (e->models_count > 1)
        talk_of_comparison(e, talk);
    talk_of_formulas(e, talk);
    if (e->request.shift_bins > 0)
        talk_of_shifts(e, talk);
    if (e->request.noise_sd > 0.0)
        talk_of_noise(e, talk);
}

/* The scores as keys of an object, with _low and _high behind them; and why there is none. */
static void add_scores(const Eval *e, json_t *object, const EvalScore *scores)
{
    json_t *why = json_object();
    for (int kind = 0; kind < SCORES; kind++) {
        const char *name = score_name((ScoreKind)kind);
        char key[64];
        json_object_set_new(object, name, json_number(scores[kind].value));
        if (scores[kind].why)
            json_object_set_new(why, name, json_string(scores[kind].why));
        if (e->request.resamples == 0)
            continue;
        snprintf(key, sizeof key, "%s_low", name);
        json_object_set_new(object, key, json_number(scores[kind].interval.low));
        snprintf(key, sizeof key, "%s_high", name);
        json_object_set_new(object, key, json_number(scores[kind].interval.high));
    }
    if (json_object_size(why) > 0)
        json_object_set(object, "why_null", why);
    json_decref(why);
}

static json_t *scores_json(const Eval *e, const EvalScore *scores)
{
    json_t *object = json_object();
    add_scores(e, object, scores);
    return object;
}

static json_t *cells_json(const Eval *e, const EvalModel *m)
{
    json_t *cells = json_array();
    for (int cell = 0; cell < e->info->cells; cell++) {
        const EvalResponse *r = &e->responses[cell];
        if (m->model_cell[cell] < 0)
            continue;
        json_t *one = json_pack("{s:s}", "name", e->info->cell_names[cell]);
        add_scores(e, one, m->cells[cell]);
        json_object_set_new(one, "rate_hz", json_number(r->rate_hz));
        json_object_set_new(one, "spikes", json_number(r->spikes));
        json_object_set_new(one, "variance_to_mean", json_number(r->variance_to_mean));
        json_object_set_new(one, "fano", json_number(r->fano));
        json_array_append_new(cells, one);
    }
    return cells;
}

static json_t *shifts_json(const Eval *e, int model)
{
    const EvalModel *m = &e->models[model];
    int most = e->request.shift_bins;
    char sentence[EVAL_NOTE_BYTES];
    json_t *shifts = json_array();
    for (int shift = -most; shift <= most; shift++)
        json_array_append_new(shifts, json_pack("{s:i, s:o}", "shift_bins", shift, "median_cc",
                                                json_number(m->shift_cc[shift + most])));
    bool is_right = eval_shift_verdict(e, model, sentence);
    return json_pack("{s:b, s:i, s:s, s:o}", "is_right", is_right, "best_shift_bins", m->best_shift,
                     "verdict", sentence, "shifts", shifts);
}

static json_t *model_json(const Eval *e, int model)
{
    const EvalModel *m = &e->models[model];
    const ModelInfo *info = model_info(m->model);
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:b, s:i, s:b, s:o, s:o}", "name", info->name,
                               "kind", info->kind, "file", e->request.models[model], "sha256",
                               m->sha256, "is_simulated", info->is_simulated, "lag_bins",
                               info->lag_bins, "matched_by_order", m->is_matched_by_order, "cells",
                               cells_json(e, m), "median", scores_json(e, m->median));
    if (model > 0)
        json_object_set_new(object, "median_less_first", scores_json(e, m->ahead));
    if (e->request.shift_bins > 0)
        json_object_set_new(object, "lag_scan", shifts_json(e, model));
    if (m->is_varied)
        json_object_set_new(object, "noise",
                            json_pack("{s:f, s:i, s:o, s:o}", "sd", e->request.noise_sd, "trials",
                                      e->request.noise_trials, "variance_to_mean",
                                      json_number(m->noisy_variance_to_mean), "fano",
                                      json_number(m->noisy_fano)));
    return object;
}

static json_t *data_json(const Eval *e)
{
    return json_pack(
        "{s:s, s:s, s:s, s:b, s:s, s:f, s:I, s:I, s:I, s:i, s:s}", "file", e->request.data, "name",
        e->info->name, "sha256", e->data_sha256, "is_simulated", e->info->is_simulated, "part",
        part_names[e->request.part], "bin_hz", e->info->bin_hz, "from_bin", (json_int_t)e->from,
        "bins", (json_int_t)(e->to - e->from), "settling_bins", (json_int_t)(e->from - e->first),
        "repeats", e->repeats, "responses", e->repeats > 1 ? "repeats" : stand_in(e));
}

json_t *eval_json(const Eval *e)
{
    json_t *models = json_array(), *formulas = json_object();
    for (int i = 0; i < e->models_count; i++)
        json_array_append_new(models, model_json(e, i));
    for (int kind = 0; kind < SCORES; kind++)
        json_object_set_new(formulas, score_name((ScoreKind)kind),
                            json_string(score_formula((ScoreKind)kind)));
    return json_pack("{s:s, s:b, s:b, s:o, s:{s:i, s:f, s:b, s:I, s:f}, s:o, s:i, s:o, s:o, s:o}",
                     "retrace", RETRACE_VERSION, "is_simulated", e->is_simulated, "stopped_early",
                     e->was_stopped, "data", data_json(e), "bootstrap", "resamples",
                     e->request.resamples, "block_s", e->block_bins / e->info->bin_hz,
                     "repeats_too", e->request.has_repeats_resampled, "seed",
                     (json_int_t)e->request.seed, "level", 0.95, "formulas", formulas,
                     "cells_in_all_models", e->common, "cells", cells_json(e, &e->models[0]),
                     "median", scores_json(e, e->models[0].median), "models", models);
}
