#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/bench.h"
#include "app/clock.h"
#include "model/fit.h"
#include "render/philox.h"

/* As the shipped networks are fitted. */
enum { RUN_BINS = 64, BATCH_RUNS = 16, BATCHES = 3, STREAM_FIT = 241 };

typedef struct {
    Dataset *data; // owned
    Fit *fit;      // owned
    atomic_bool stop;
    int64_t batch_ns; // end of the minibatch
} State;

static uint32_t word(void *ctx, uint32_t stream, uint64_t index)
{
    (void)ctx;
    PhiloxCounter at = {{(uint32_t)(index / 4), (uint32_t)(index / 4 >> 32), stream, STREAM_FIT}};
    return philox(at, (PhiloxKey){{1, 0}}).words[index % 4];
}

static FitSpec spec_of(const BenchNet *net)
{
    return (FitSpec){.kind = FIT_CNN,
                     .target = DATASET_BINNED,
                     .history_bins = net->history_bins,
                     .lag_bins = 1,
                     .channels = {net->channels[0], net->channels[1]},
                     .kernel_px = {net->kernel_px[0], net->kernel_px[1]},
                     .norm = FIT_NORM_UNIT,
                     .noise_sd = 0.05,
                     .validation_share = 0.05,
                     .run_bins = RUN_BINS,
                     .batch_runs = BATCH_RUNS,
                     .learning_rate = 1e-4, // the weights need not go anywhere
                     .schedule = FIT_COSINE,
                     .epochs = 1000,
                     .decay = 0.01,
                     .rate_scale_hz = 5,
                     .threads = 1,
                     .word = word};
}

static bool fit_open(BenchCase *c, char *err)
{
    // a minibatch more for the history, the shuffled start and the validation bins
    const int bins = (BATCHES + 1) * RUN_BINS * BATCH_RUNS;
    State *s = c->state = calloc(1, sizeof *s);
    c->lines[0] = (BenchLine){.what = "sample",
                              .cost = bench_cost_fit(&c->net, RUN_BINS),
                              .plain_flops = bench_flops_fit_plain(&c->net)};
    c->lines_count = 1;
    if (!s) {
        snprintf(err, MODEL_ERR_BYTES, "not enough memory for a fit to time");
        return false;
    }
    FitSpec spec = spec_of(&c->net);
    s->data = bench_data_open(&c->net, bins, err);
    s->fit = s->data ? fit_create(&spec, s->data, err) : NULL;
    return s->fit != NULL;
}

static void end_of_batch(void *ctx, int64_t done, int64_t total)
{
    State *s = ctx;
    (void)done;
    (void)total;
    s->batch_ns = session_now_ns(NULL);
    atomic_store(&s->stop, true);
}

/* The first minibatch of an epoch, which ends there: data read, forwards, backwards, update. */
static bool fit_once(BenchCase *c, char *err)
{
    State *s = c->state;
    FitWatch watch = {.stop = &s->stop, .progress = end_of_batch, .ctx = s};
    FitEpoch epoch;
    atomic_store(&s->stop, false);
    int64_t start_ns = session_now_ns(NULL);
    if (fit_epoch(s->fit, &watch, &epoch, err) == FIT_FAILED)
        return false;
    return bench_add(&c->lines[0], (s->batch_ns - start_ns) / (RUN_BINS * BATCH_RUNS), err);
}

static void fit_close(BenchCase *c)
{
    State *s = c->state;
    if (!s)
        return;
    fit_destroy(s->fit);
    dataset_close(s->data);
    free(s);
    c->state = NULL;
}

const BenchWork bench_fit = {fit_open, fit_once, fit_close};
