#include "app/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/data.h"
#include "model/kind.h"

enum { LEAST_BINS = 100, PREDICT_BINS = 64 };

static const char *part_name(DatasetPart part)
{
    return part == DATASET_TRAIN ? "train" : "test";
}

static int index_of(const char *name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}

/* By name; in order of the file when no name is shared and the numbers agree. */
static bool match_cells(const DatasetInfo *data, EvalModel *m, const char *name, char *err)
{
    const ModelInfo *info = model_info(m->model);
    int shared = 0;
    for (int i = 0; i < data->cells; i++) {
        m->model_cell[i] = index_of(data->cell_names[i], info->cell_names, info->cells);
        shared += m->model_cell[i] >= 0;
    }
    if (shared > 0)
        return true;
    if (info->cells != data->cells)
        return model_refuse(
            err,
            "%s: has %d cells (%s …) and the data set %d (%s …): no name is shared, "
            "and only as many cells could be matched by order",
            name, info->cells, info->cell_names[0], data->cells, data->cell_names[0]);
    m->is_matched_by_order = true;
    for (int i = 0; i < data->cells; i++)
        m->model_cell[i] = i;
    return true;
}

static bool check_fit(const DatasetInfo *data, const ModelInfo *model, const char *name, char *err)
{
    if (model->width_px != data->width_px || model->height_px != data->height_px)
        return model_refuse(err, "%s: sees %d × %d px, the data set shows %d × %d", name,
                            model->width_px, model->height_px, data->width_px, data->height_px);
    if (fabs(model->bin_hz / data->bin_hz - 1.0) > 1e-3)
        return model_refuse(err,
                            "%s: has %g bins a second, the data set %g; only equal rates can be "
                            "compared",
                            name, model->bin_hz, data->bin_hz);
    if (model->um_per_px > 0.0 && data->um_per_px > 0.0 &&
        fabs(model->um_per_px / data->um_per_px - 1.0) > 0.01)
        return model_refuse(err, "%s: a pixel is %g um, in the data set %g um", name,
                            model->um_per_px, data->um_per_px);
    return true;
}

static bool open_model(Eval *e, const char *name, char *err)
{
    EvalModel *m =
        &e->models[e->models_count++]; // counted at once: eval_close() closes what is there
    bool is_file = path_find(name, m->path);
    m->model = model_open(is_file ? m->path : name, err);
    if (!m->model)
        return false;
    if (is_file)
        digest_file(m->path, m->sha256);
    else
        m->path[0] = '\0';
    size_t cells = (size_t)e->info->cells;
    m->model_cell = calloc(cells, sizeof *m->model_cell);
    m->cells = calloc(cells, sizeof *m->cells);
    m->shift_cc = calloc(2 * (size_t)e->request.shift_bins + 1, sizeof *m->shift_cc);
    if (!m->model_cell || !m->cells || !m->shift_cc)
        return model_refuse(err, "%s: not enough memory for its scores", name);
    e->is_simulated = e->is_simulated || model_info(m->model)->is_simulated;
    return check_fit(e->info, model_info(m->model), name, err) &&
           match_cells(e->info, m, name, err);
}

static bool choose_responses(Eval *e, char *err)
{
    DatasetPart part = e->request.part;
    bool has_repeats = part == DATASET_TEST && e->info->repeats > 1;
    e->repeats = has_repeats ? e->info->repeats : 1;
    bool has_binned = dataset_has(e->data, part, DATASET_BINNED);
    e->is_counted = has_repeats ? e->info->repeats_unit != DATASET_HZ : has_binned;
    e->response = has_repeats || has_binned ? DATASET_BINNED : DATASET_FIRING_RATE;
    if (e->response == DATASET_BINNED || dataset_has(e->data, part, DATASET_FIRING_RATE))
        return true;
    return model_refuse(err,
                        "%s: %s holds neither repeats nor response/binned nor "
                        "response/firing_rate_10ms to score against",
                        e->request.data, part_name(part));
}

static bool choose_bins(Eval *e, char *err)
{
    const EvalRequest *r = &e->request;
    int64_t all = dataset_bins(e->data, r->part), warm = 0, history = 0;
    for (int i = 0; i < e->models_count; i++) {
        const ModelInfo *info = model_info(e->models[i].model);
        int64_t need = info->history_bins + EVAL_SETTLING_BINS;
        if (need < info->history_bins + info->lag_bins)
            need = info->history_bins + info->lag_bins;
        int64_t before = info->history_bins > 0 ? need : EVAL_RECURSIVE_BINS;
        history = need > history ? need : history;
        warm = before > warm ? before : warm;
    }
    int64_t from = (int64_t)llrint(r->from_s * e->info->bin_hz);
    e->first = from > warm ? from - warm : 0;
    e->from = from > e->first + history ? from : e->first + history;
    e->to = r->seconds > 0.0 ? from + (int64_t)llrint(r->seconds * e->info->bin_hz) : all;
    e->to = e->to < all ? e->to : all;
    e->bins = e->to - e->first;
    e->block_bins = (int)llrint(r->block_s * e->info->bin_hz);
    e->block_bins = e->block_bins > 0 ? e->block_bins : 1;
    if (e->to - e->from - 2 * r->shift_bins >= LEAST_BINS)
        return true;
    return model_refuse(err,
                        "%s: of the %lld bins of %s, %lld are left to score after the first %lld "
                        "(history of the models and %d more); the least is %d",
                        r->data, (long long)all, part_name(r->part),
                        (long long)(e->to > e->from ? e->to - e->from : 0), (long long)history,
                        EVAL_SETTLING_BINS, LEAST_BINS + 2 * r->shift_bins);
}

bool eval_is_common(const Eval *e, int cell)
{
    for (int i = 0; i < e->models_count; i++)
        if (e->models[i].model_cell[cell] < 0)
            return false;
    return true;
}

bool eval_open(Eval *e, const EvalRequest *request, char *err)
{
    *e = (Eval){.request = *request};
    e->data = data_open(request->data, err);
    if (!e->data)
        return false;
    e->info = dataset_info(e->data);
    e->is_simulated = e->info->is_simulated;
    digest_file(request->data, e->data_sha256);
    if (dataset_bins(e->data, request->part) == 0)
        return model_refuse(err, "%s: has no %s part; choose the other one with --part",
                            request->data, part_name(request->part));
    for (int i = 0; i < request->models_count; i++)
        if (!open_model(e, request->models[i], err))
            return false;
    for (int cell = 0; cell < e->info->cells; cell++)
        e->common += eval_is_common(e, cell);
    if (e->common == 0)
        return model_refuse(err, "%s: no cell of it is in all of the models", request->data);
    e->responses = calloc((size_t)e->info->cells, sizeof *e->responses);
    if (!e->responses)
        return model_refuse(err, "%s: not enough memory for the scores", request->data);
    return choose_responses(e, err) && choose_bins(e, err);
}

static void step(EvalModel *m, int cells, int64_t bins, int64_t bin, const float *lum, float *rates)
{
    const ModelInfo *info = model_info(m->model);
    model_step(m->model, lum, rates);
    model_settle(m->model);
    int64_t at = bin + info->lag_bins;
    for (int cell = 0; cell < cells && at < bins; cell++)
        if (m->model_cell[cell] >= 0)
            m->rates_hz[cell * bins + at] = rates[m->model_cell[cell]];
}

static bool make_room(Eval *e, char *err)
{
    size_t count = (size_t)e->info->cells * (size_t)e->bins;
    for (int i = 0; i < e->models_count; i++) {
        float *rates = malloc(count * sizeof *rates);
        if (!rates)
            return model_refuse(err, "%s: not enough memory for the rates of %lld bins",
                                e->request.data, (long long)e->bins);
        for (size_t k = 0; k < count; k++)
            rates[k] = NAN;
        e->models[i].rates_hz = rates;
        model_reset(e->models[i].model);
    }
    return true;
}

bool eval_predict(Eval *e, const atomic_bool *stop,
                  void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx, char *err)
{
    size_t pixels = (size_t)e->info->width_px * (size_t)e->info->height_px;
    float *lum = model_alloc(PREDICT_BINS * pixels), *rates = model_alloc(MODEL_MAX_CELLS);
    bool ok = lum && rates
                  ? make_room(e, err)
                  : model_refuse(err, "%s: not enough memory for the stimulus", e->request.data);
    int64_t bin = 0;
    while (ok && bin < e->bins && !atomic_load(stop)) {
        int count = (int)(e->bins - bin < PREDICT_BINS ? e->bins - bin : PREDICT_BINS);
        ok = dataset_read_lum(e->data, e->request.part, e->first + bin, count, lum, err);
        for (int i = 0; ok && i < e->models_count; i++)
            for (int k = 0; k < count; k++)
                step(&e->models[i], e->info->cells, e->bins, bin + k, lum + (size_t)k * pixels,
                     rates);
        bin += ok ? count : 0;
        progress(ctx, bin, e->bins);
    }
    free(lum);
    free(rates);
    e->was_stopped = ok && bin < e->bins;
    e->to = e->first + bin;
    if (ok && e->to - e->from - 2 * e->request.shift_bins < LEAST_BINS)
        return model_refuse(err, "stopped before there were %d bins to score", LEAST_BINS);
    return ok;
}

void eval_close(Eval *e)
{
    for (int i = 0; i < e->models_count; i++) {
        EvalModel *m = &e->models[i];
        model_close(m->model);
        free(m->model_cell);
        free(m->rates_hz);
        free(m->cells);
        free(m->shift_cc);
    }
    dataset_close(e->data);
    free(e->responses);
    free(e->psth);
    free(e->truth_hz);
    *e = (Eval){0};
}
