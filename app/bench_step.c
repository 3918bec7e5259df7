#include <stdio.h>
#include <stdlib.h>

#include "app/bench.h"
#include "app/clock.h"
#include "model/lockstep.h"
#include "model/weights.h"

typedef struct {
    Model *model;       // owned
    Lockstep *lockstep; // owned, of predict
    float *frames;      // owned (BENCH_FRAMES, pixels)
    float rates[MODEL_MAX_CELLS];
    size_t pixels;
    int64_t frame;
} State;

static void close_state(BenchCase *c)
{
    State *s = c->state;
    if (!s)
        return;
    lockstep_destroy(s->lockstep);
    model_close(s->model);
    free(s->frames);
    free(s);
    c->state = NULL;
}

static bool open_state(BenchCase *c, char *err)
{
    State *s = c->state = calloc(1, sizeof *s);
    if (s && !(s->model = *c->path ? model_open(c->path, err) : bench_net_open(&c->net, err)))
        return false;
    const ModelInfo *info = s ? model_info(s->model) : NULL;
    if (s)
        s->frames = bench_frames(info->width_px, info->height_px, c->stimulus);
    if (!s || !s->frames) {
        snprintf(err, MODEL_ERR_BYTES, "not enough memory for frames to time");
        return false;
    }
    s->pixels = (size_t)info->width_px * (size_t)info->height_px;
    return true;
}

static const float *next_frame(State *s)
{
    return s->frames + (size_t)(s->frame++ % BENCH_FRAMES) * s->pixels;
}

static BenchCost both(BenchCost a, BenchCost b)
{
    return (BenchCost){a.flops + b.flops, a.bytes + b.bytes};
}

static BenchCost whole_cost(const BenchNet *net)
{
    return both(bench_cost_critical(net), bench_cost_settle(net));
}

/* ---- a step */

static bool step_open(BenchCase *c, char *err)
{
    double plain = bench_flops_plain(&c->net);
    c->lines[0] = (BenchLine){
        .what = "critical path", .cost = bench_cost_critical(&c->net), .plain_flops = plain};
    c->lines[1] =
        (BenchLine){.what = "whole step", .cost = whole_cost(&c->net), .plain_flops = plain};
    c->lines_count = 2;
    return open_state(c, err);
}

static bool step_once(BenchCase *c, char *err)
{
    State *s = c->state;
    const float *lum = next_frame(s);
    int64_t known_ns = session_now_ns(NULL);
    model_step(s->model, lum, s->rates);
    int64_t rates_ns = session_now_ns(NULL);
    model_settle(s->model);
    int64_t settled_ns = session_now_ns(NULL);
    return bench_add(&c->lines[0], rates_ns - known_ns, err) &&
           bench_add(&c->lines[1], settled_ns - known_ns, err);
}

const BenchWork bench_step = {step_open, step_once, close_state};

/* ---- a reduced model: too short for the clock one by one */

enum { REDUCED_STEPS = 16 };

static bool reduced_cost(BenchCase *c, char *err)
{
    ModelFile file;
    if (!model_file_read(c->path, &file, err))
        return false;
    const ModelTensor *filter = model_file_need(&file, "filter", 4, (int[4]){0}, err);
    const ModelTensor *pool = filter ? model_file_need(&file, "pool", 4, (int[4]){0}, err) : NULL;
    if (pool)
        c->lines[0].cost = bench_cost_reduced(
            file.info.width_px * file.info.height_px, filter->dims[0], filter->dims[1],
            filter->dims[2] * filter->dims[3], pool->dims[2] * pool->dims[3], file.info.cells);
    model_file_finish(&file);
    return pool != NULL;
}

static bool reduced_open(BenchCase *c, char *err)
{
    c->lines[0] = (BenchLine){.what = "whole step"};
    c->lines_count = 1;
    return reduced_cost(c, err) && open_state(c, err);
}

static bool reduced_once(BenchCase *c, char *err)
{
    State *s = c->state;
    int64_t start_ns = session_now_ns(NULL);
    for (int i = 0; i < REDUCED_STEPS; i++) {
        model_step(s->model, next_frame(s), s->rates);
        model_settle(s->model);
    }
    return bench_add(&c->lines[0], (session_now_ns(NULL) - start_ns) / REDUCED_STEPS, err);
}

const BenchWork bench_reduced = {reduced_open, reduced_once, close_state};

/* ---- predict */

static bool predict_open(BenchCase *c, char *err)
{
    c->lines[0] =
        (BenchLine){.what = "frame",
                    .cost = c->stimulus == BENCH_CHECKERBOARD ? whole_cost(&c->net)
                            : c->stimulus == BENCH_FULL_FIELD ? bench_cost_uniform(&c->net)
                                                              : bench_cost_rows_alike(&c->net),
                    .plain_flops = bench_flops_plain(&c->net)};
    c->lines_count = 1;
    if (!open_state(c, err))
        return false;
    State *s = c->state;
    double frame_hz = model_info(s->model)->bin_hz;
    s->lockstep = lockstep_create(&s->model, 1, frame_hz, 0.5, session_now_ns, NULL, err);
    return s->lockstep != NULL;
}

/* A refresh as `retrace predict` has it. */
static bool predict_once(BenchCase *c, char *err)
{
    State *s = c->state;
    LockstepRow row;
    int64_t start_ns = session_now_ns(NULL), refresh = s->frame;
    lockstep_offer(s->lockstep, refresh, (const float *const[]){next_frame(s)}, INT64_MAX);
    lockstep_shown(s->lockstep, 0);
    while (lockstep_take(s->lockstep, &row))
        continue;
    return bench_add(&c->lines[0], session_now_ns(NULL) - start_ns, err);
}

const BenchWork bench_predict = {predict_open, predict_once, close_state};
