#pragma once
/* What `retrace bench` found: a table for people, the same for machines. Both sort the series. */
#include <stdio.h>

#include <jansson.h>

#include "app/bench.h"

void bench_print(Bench *bench, FILE *to);

/* A new reference; NULL without memory. Keys:
 *   weights   "random": only time is measured
 *   machine   cpu, cores, kernel, threads, sgemm_gflops, memory_gb_s, cache_gb_s
 *   cnn       of the published net, each null when it was left out: critical_us and step_us {p50,
 *             p99, p99_9}, predict_us_per_frame, predict_full_field_us_per_frame,
 *             predict_bar_us_per_frame, fit_us_per_sample, attribution_us_per_frame
 *   layers    first_us, second_us, readout_us_per_cell: differences of medians of critical paths,
 *             null when they were left out or the machine was not steady enough for one above 0
 *   memory    published_mb, bench_mb: peak of the process
 *   lines     group, case, what, us {p50, p99, p99_9}, measurements, flops, bytes, plain_flops,
 *             gflops, gb_s, sgemm_share, memory_share, cache_share; step_share of reduced models
 * A percentile is null where there are too few measurements for it. */
json_t *bench_json(Bench *bench);
