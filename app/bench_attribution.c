#include <stdio.h>
#include <stdlib.h>

#include "app/bench.h"
#include "app/clock.h"

typedef struct {
    Attribution *attribution; // owned
    float *frames;            // owned (BENCH_FRAMES, pixels)
    size_t pixels;
    int64_t frame;
    BenchCost cost; // sum over all that was measured
    double measured;
} State;

static bool attribution_work_open(BenchCase *c, char *err)
{
    State *s = c->state = calloc(1, sizeof *s);
    c->lines[0] = (BenchLine){.what = "frame"};
    c->lines_count = 1;
    if (s && !(s->attribution = bench_net_attribution(&c->net, err)))
        return false;
    if (s)
        s->frames = bench_frames(c->net.width_px, c->net.height_px, c->stimulus);
    if (!s || !s->frames) {
        snprintf(err, MODEL_ERR_BYTES, "not enough memory for frames to time");
        return false;
    }
    s->pixels = (size_t)c->net.width_px * (size_t)c->net.height_px;
    for (int i = 0; i < c->net.history_bins; i++)
        attribution_feed(s->attribution, s->frames + (size_t)(s->frame++) * s->pixels);
    return true;
}

/* What it needs goes with the panels it took: the line has the mean. */
static void count_cost(BenchCase *c, State *s, int steps)
{
    BenchCost cost = bench_cost_attribution(&c->net, attribution_default.steps_least, steps);
    s->cost.flops += cost.flops;
    s->cost.bytes += cost.bytes;
    s->measured++;
    c->lines[0].cost = (BenchCost){s->cost.flops / s->measured, s->cost.bytes / s->measured};
}

static bool attribution_once(BenchCase *c, char *err)
{
    State *s = c->state;
    AttributionResult result;
    const float *lum = s->frames + (size_t)(s->frame++ % BENCH_FRAMES) * s->pixels;
    int64_t start_ns = session_now_ns(NULL);
    attribution_feed(s->attribution, lum);
    attribution_measure(s->attribution, 0, &attribution_default, &result);
    int64_t end_ns = session_now_ns(NULL);
    count_cost(c, s, result.steps);
    return bench_add(&c->lines[0], end_ns - start_ns, err);
}

static void attribution_work_close(BenchCase *c)
{
    State *s = c->state;
    if (!s)
        return;
    attribution_close(s->attribution);
    free(s->frames);
    free(s);
    c->state = NULL;
}

const BenchWork bench_attribution = {attribution_work_open, attribution_once,
                                     attribution_work_close};
