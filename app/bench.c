#include "app/bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "app/clock.h"
#include "model/yardstick.h"

static const double MEMORY_BYTES = 256e6; // beyond any cache

const char *bench_group_name(BenchGroup group)
{
    static const char *const names[] = {
        [BENCH_STEP] = "step",         [BENCH_PREDICT] = "predict",
        [BENCH_FIT] = "fit",           [BENCH_ATTRIBUTION] = "attribution",
        [BENCH_REDUCED] = "reduced",   [BENCH_LAYERS] = "layers",
        [BENCH_CELLS] = "cells",       [BENCH_SIZE] = "size",
        [BENCH_CHANNELS] = "channels",
    };
    return names[group];
}

bool bench_add(BenchLine *line, int64_t ns, char *err)
{
    if (series_add(&line->ns, ns))
        return true;
    snprintf(err, MODEL_ERR_BYTES, "not enough memory for the measurements");
    return false;
}

double bench_us(BenchLine *line, double fraction)
{
    if ((1 - fraction) * (double)line->ns.count < 1)
        return (double)NAN;
    return (double)series_percentile(&line->ns, fraction) * 1e-3;
}

BenchCase *bench_find(Bench *bench, BenchGroup group, const char *name)
{
    for (int i = 0; i < bench->cases_count; i++)
        if (bench->cases[i].group == group && !strcmp(bench->cases[i].name, name))
            return &bench->cases[i];
    return NULL;
}

/* ---- the cases */

enum { USUAL_LEAST = 34 }; // three rounds of them make a 99th percentile

static BenchCase *add(Bench *bench, BenchGroup group, const BenchWork *work, const BenchNet *net,
                      const char *format, ...)
{
    BenchCase *c = &bench->cases[bench->cases_count++];
    va_list arguments;
    *c = (BenchCase){.group = group, .work = work, .net = *net, .share = 1, .least = USUAL_LEAST};
    va_start(arguments, format);
    vsnprintf(c->name, sizeof c->name, format, arguments);
    va_end(arguments);
    return c;
}

static void add_predict(Bench *bench, const BenchNet *net)
{
    static const char *const names[] = {[BENCH_CHECKERBOARD] = "checkerboard",
                                        [BENCH_FULL_FIELD] = "full field",
                                        [BENCH_BARS] = "bar"};
    for (int s = BENCH_CHECKERBOARD; s <= BENCH_BARS; s++)
        add(bench, BENCH_PREDICT, &bench_predict, net, "%s", names[s])->stimulus = (BenchStimulus)s;
}

static void add_reduced(Bench *bench, const BenchNet *net)
{
    static const char *const names[] = {"omitted", "latency", "reversal", "anticipation"};
    for (int i = 0; i < BENCH_REDUCED_SHIPPED; i++) {
        char name[64], path[PATH_BYTES];
        snprintf(name, sizeof name, "model/weights/reduced-%s.h5", names[i]);
        if (!path_find(name, path))
            continue;
        BenchCase *c = add(bench, BENCH_REDUCED, &bench_reduced, net, "%s", names[i]);
        memcpy(c->path, path, sizeof path);
        c->share = 0.1;
    }
}

/* What a layer takes is what a network takes less without it: models are closed to the clock. */
static void add_layers(Bench *bench)
{
    BenchNet both = bench_net_published(1), first = both;
    first.channels[1] = 0;
    BenchNet wide = bench_net_published(101);
    add(bench, BENCH_LAYERS, &bench_step, &first, "first");
    add(bench, BENCH_LAYERS, &bench_step, &both, "both");
    add(bench, BENCH_LAYERS, &bench_step, &wide, "and 100 cells");
}

static void add_sweeps(Bench *bench)
{
    static const int cells[] = {1, 5, 24, 100, 1000}, sides[] = {50, 64, 80, 100};
    static const int channels[] = {8, 16, 32};
    for (int i = 0; i < 5; i++) {
        BenchNet net = bench_net_published(cells[i]);
        add(bench, BENCH_CELLS, &bench_step, &net, "%d", cells[i]);
    }
    BenchNet factorised = bench_net_published(1000);
    factorised.is_factorised = true;
    add(bench, BENCH_CELLS, &bench_step, &factorised, "1000, factorised");
    for (int i = 0; i < 4; i++) {
        BenchNet net = bench_net_published(5);
        net.width_px = net.height_px = sides[i];
        add(bench, BENCH_SIZE, &bench_step, &net, "%d", sides[i]);
    }
    for (int i = 0; i < 3; i++) {
        BenchNet net = bench_net_published(5);
        net.channels[0] = net.channels[1] = channels[i];
        add(bench, BENCH_CHANNELS, &bench_step, &net, "%d", channels[i]);
    }
}

static void add_all(Bench *bench)
{
    const BenchNet net = bench_net_published(5);
    // first, while the process holds nothing else
    add(bench, BENCH_STEP, &bench_step, &net, "published net")->share = 3;
    add_predict(bench, &net);
    BenchCase *fit = add(bench, BENCH_FIT, &bench_fit, &net, "published net");
    fit->share = 4;
    fit->least = 1;
    BenchCase *attribution =
        add(bench, BENCH_ATTRIBUTION, &bench_attribution, &net, "checkerboard");
    attribution->least = 2;
    add_reduced(bench, &net);
    add_layers(bench);
    add_sweeps(bench);
    int kept = 0;
    for (int i = 0; i < bench->cases_count; i++)
        if (bench->is_wanted[bench->cases[i].group])
            bench->cases[kept++] = bench->cases[i];
    bench->cases_count = kept;
}

/* ---- the clock */

static double peak_bytes(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024;
}

static void keep_best(double *best, double amount, int64_t start_ns)
{
    *best = fmax(*best, amount * 1e9 / (double)(session_now_ns(NULL) - start_ns));
}

static void measure_machine(BenchMachine *machine, Yardstick *yardstick)
{
    enum { REPEATS = 32 };
    for (int i = 0; i < REPEATS; i++) {
        int64_t start_ns = session_now_ns(NULL);
        keep_best(&machine->sgemm_flops_s, yardstick_multiply(yardstick), start_ns);
        start_ns = session_now_ns(NULL);
        keep_best(&machine->memory_bytes_s, yardstick_read_memory(yardstick), start_ns);
        start_ns = session_now_ns(NULL);
        keep_best(&machine->cache_bytes_s, yardstick_read_cache(yardstick), start_ns);
    }
}

static bool run_for(BenchCase *c, double seconds, int least, char *err)
{
    int64_t until_ns = session_now_ns(NULL) + (int64_t)(seconds * 1e9);
    for (int i = 0; i < least || session_now_ns(NULL) < until_ns; i++)
        if (!c->work->once(c, err))
            return false;
    return true;
}

static void forget(BenchCase *c)
{
    for (int i = 0; i < c->lines_count; i++)
        c->lines[i].ns.count = 0;
}

/* Opens all, and has each do what it does once more than it is measured: caches and pages filled. */
static bool open_all(Bench *bench, char *err)
{
    for (int i = 0; i < bench->cases_count; i++) {
        BenchCase *c = &bench->cases[i];
        if (!c->work->open(c, err) || !run_for(c, 0, c->least, err))
            return false;
        forget(c);
        if (c->group == BENCH_STEP)
            bench->published_bytes = peak_bytes();
    }
    return true;
}

static bool run_rounds(Bench *bench, Yardstick *yardstick, char *err)
{
    double shares = 0;
    for (int i = 0; i < bench->cases_count; i++)
        shares += bench->cases[i].share;
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        measure_machine(&bench->machine, yardstick);
        for (int i = 0; i < bench->cases_count; i++) {
            BenchCase *c = &bench->cases[i];
            double seconds = bench->seconds * c->share / shares / BENCH_ROUNDS;
            if (!run_for(c, seconds, c->least, err))
                return false;
        }
    }
    return true;
}

bool bench_run(Bench *bench, char *err)
{
    add_all(bench);
    if (!open_all(bench, err))
        return false;
    Yardstick *yardstick = yardstick_open(MEMORY_BYTES);
    if (!yardstick) {
        snprintf(err, MODEL_ERR_BYTES, "not enough memory to measure the speed of memory");
        return false;
    }
    bench->most_bytes = peak_bytes();
    bool ok = run_rounds(bench, yardstick, err);
    yardstick_close(yardstick);
    return ok;
}

void bench_finish(Bench *bench)
{
    for (int i = 0; i < bench->cases_count; i++) {
        BenchCase *c = &bench->cases[i];
        c->work->close(c);
        for (int line = 0; line < c->lines_count; line++)
            series_finish(&c->lines[line].ns);
    }
    bench->cases_count = 0;
}
