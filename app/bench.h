#pragma once
/* Every speed figure, measured: what a model takes a frame, a fit a sample, and how far that is from
 * what the machine can do.
 *
 * A case is a piece of work that is done again and again, each time on the clock. Cases take turns
 * in a few rounds, so that what else the machine does meets all of them alike; the machine's own
 * speed is measured in every round, and the best counts. One thread. */
#include <stdbool.h>
#include <stdint.h>

#include "app/bench_cost.h"
#include "app/bench_net.h"
#include "app/paths.h"
#include "app/series.h"

typedef enum {
    BENCH_STEP,
    BENCH_PREDICT,
    BENCH_FIT,
    BENCH_ATTRIBUTION,
    BENCH_REDUCED,
    BENCH_LAYERS,
    BENCH_CELLS,
    BENCH_SIZE,
    BENCH_CHANNELS,
    BENCH_GROUPS
} BenchGroup;

enum { BENCH_CASES_MAX = 32, BENCH_LINES_MAX = 2, BENCH_ROUNDS = 3, BENCH_REDUCED_SHIPPED = 4 };

/* One figure. */
typedef struct {
    const char *what;   // "critical path", "whole step", "frame", "sample"
    Series ns;          // owned
    BenchCost cost;     // of one
    double plain_flops; // of the network's definition; 0: it has none
} BenchLine;

typedef struct BenchCase BenchCase;

/* once: one measurement, into the case's lines. All false with a sentence in err (MODEL_ERR_BYTES).
 * close accepts a case that failed to open. */
typedef struct {
    bool (*open)(BenchCase *c, char *err);
    bool (*once)(BenchCase *c, char *err);
    void (*close)(BenchCase *c);
} BenchWork;

struct BenchCase {
    BenchGroup group;
    char name[48];
    const BenchWork *work;
    BenchNet net;
    BenchStimulus stimulus;
    char path[PATH_BYTES]; // of a model that ships, for bench_reduced; else ""
    double share;          // of the time
    int least;             // measurements a round
    BenchLine lines[BENCH_LINES_MAX];
    int lines_count;
    void *state; // the work's own
};

/* Critical path and whole step; predict's time a frame, through lockstep.h; a minibatch of a fit
 * by its samples; a bin and a cell attributed; a reduced model's step. */
extern const BenchWork bench_step, bench_predict, bench_fit, bench_attribution, bench_reduced;

typedef struct {
    double sgemm_flops_s, memory_bytes_s, cache_bytes_s; // best of the rounds; 0: not yet
} BenchMachine;

typedef struct {
    double seconds; // in all, for what is measured; every case has its least besides
    bool is_wanted[BENCH_GROUPS];
    BenchCase cases[BENCH_CASES_MAX];
    int cases_count;
    BenchMachine machine;
    double published_bytes; // most memory of the process when it held the published net alone; 0:
                            // not measured
    double most_bytes;      // and of everything here
} Bench;

const char *bench_group_name(BenchGroup group);

/* False with a sentence in err (MODEL_ERR_BYTES); bench_finish() either way. Reduced models that
 * are not found are left out. */
bool bench_run(Bench *bench, char *err);
void bench_finish(Bench *bench);

/* Adds a time to a line; false with a sentence in err. */
bool bench_add(BenchLine *line, int64_t ns, char *err);

/* Microseconds; NaN where so far out a percentile needs more measurements than there are: 1/(1 −
 * fraction) of them. Sorts. */
double bench_us(BenchLine *line, double fraction);

/* The case of that group and name, or NULL. */
BenchCase *bench_find(Bench *bench, BenchGroup group, const char *name);
