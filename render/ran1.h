#pragma once
/* The sequential generator behind the noise streams that retina laboratories publish: the "minimal
 * standard" x ← 16807·x mod 2^31 − 1 (Park & Miller, Comm. ACM 31:1192, 1988), its output shuffled
 * through a table of 32 (Bays & Durham, ACM Trans. Math. Softw. 2:59, 1976), and normals by the
 * polar method (Marsaglia & Bray, SIAM Rev. 6:260, 1964). Known in the field as ran1 and gasdev. */
#include <stdbool.h>
#include <stdint.h>

enum { RAN1_SHUFFLE_ENTRIES = 32 };

typedef struct {
    int64_t state;
    int64_t shuffle[RAN1_SHUFFLE_ENTRIES];
    int64_t last; // what left the table last; picks the next entry
    double spare_normal;
    bool has_spare_normal;
} Ran1;

/* seed < 0, as the published streams have it, and above −2^31. */
void ran1_init(Ran1 *ran1, int64_t seed);

/* Uniform, 0 < u < 1. */
double ran1_uniform(Ran1 *ran1);

/* Standard normal; draws two or more uniforms on every other call. */
double ran1_normal(Ran1 *ran1);
