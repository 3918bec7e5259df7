#pragma once
/* Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror & Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011.
 *
 * The output is a pure function of counter and key, so any frame of a noise stimulus can be
 * rebuilt without the ones before it, by anybody with the seed and the paper. Integer arithmetic
 * only. */
#include <stdint.h>

typedef struct {
    uint32_t words[4];
} PhiloxCounter;

typedef struct {
    uint32_t words[2];
} PhiloxKey;

/* Ten rounds: four words, each uniform on 0 … 2^32 − 1. */
PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key);

/* The middle of the word's cell of the unit interval: (word + ½) / 2^32, never 0 or 1. */
double philox_uniform(uint32_t word);

/* The standard normal quantile of philox_uniform(word), by algorithm AS 241 (PPND16) of Wichura,
 * Appl. Statist. 37:477, 1988; relative error about 1e-15, range ±6.34. One word gives one number,
 * so numbers stay addressable. Made only of operations that IEEE 754 rounds exactly (no libm but
 * sqrt), so that every machine gets the same bits. */
double philox_normal(uint32_t word);
