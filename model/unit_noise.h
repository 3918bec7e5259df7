#pragma once
/* Gaussian noise for the units of a network, in fitting and, where it is asked for, in playing: the
 * same numbers for the same key, whichever thread asks and however often, so that the way back meets
 * the noise of the way there.
 *
 * Each value is one of 4096 quantiles of the normal distribution, chosen by twelve bits of a
 * splitmix64 sequence (Steele, Lea & Flood 2014); mean 0 and SD 1 to 1e-3. */
#include <stdint.h>

enum { UNIT_NOISE_LEVELS = 4096 };

typedef struct {
    float quantile[UNIT_NOISE_LEVELS];
} UnitNoise;

void unit_noise_init(UnitNoise *noise);

/* values (count) += sd · noise of that key. */
void unit_noise_add(const UnitNoise *noise, uint64_t key, float sd, int count, float *values);
