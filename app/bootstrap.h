#pragma once
/* A seeded bootstrap over blocks of time, and over repeats for who wants that too.
 *
 * Each resample draws as many blocks as there are, and as many repeats, with replacement, always
 * two different ones where there are two. Noise that is fresh in every bin shows already in the
 * blocks, and would be counted twice and more with the repeats as well (Owen 2007, "The pigeonhole
 * bootstrap"); drift from repeat to repeat shows in the repeats alone. One seed means one set of
 * draws: scores of two models on the same bins are resampled together, and their difference has an
 * interval of its own. */
#include <stdbool.h>
#include <stdint.h>

enum { BOOTSTRAP_MAX_RESAMPLES = 10000 };

typedef struct {
    int resamples, blocks, repeats;
    double *weights; // owned; (resamples, blocks + repeats), how often each was drawn
} Bootstrap;

/* False without memory. */
bool bootstrap_draw(Bootstrap *bootstrap, int64_t seed, int resamples, int blocks, int repeats);
const double *bootstrap_blocks(const Bootstrap *bootstrap, int resample);
const double *bootstrap_repeats(const Bootstrap *bootstrap, int resample);
void bootstrap_finish(Bootstrap *bootstrap);

typedef struct {
    double low, high; // of 95 %; NaN when there is none
    int undefined;    // resamples in which the score had no value
} BootstrapInterval;

/* The 2.5th and 97.5th percentile of values (count); none when more than 2.5 % of them are NaN.
 * Sorts values. */
BootstrapInterval bootstrap_interval(double *values, int count);
