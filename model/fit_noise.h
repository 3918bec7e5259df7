#pragma once
/* Gaussian noise for the units of a network under fitting: the same numbers for the same key,
 * whichever thread asks and however often, so that the way back meets the noise of the way there.
 *
 * Each value is one of 4096 quantiles of the normal distribution, chosen by twelve bits of a
 * splitmix64 sequence (Steele, Lea & Flood 2014); mean 0 and SD 1 to 1e-3. */
#include <stdint.h>

enum { FIT_NOISE_LEVELS = 4096 };

typedef struct {
    float quantile[FIT_NOISE_LEVELS];
} FitNoise;

void fit_noise_init(FitNoise *noise);

/* values (count) += sd · noise of that key. */
void fit_noise_add(const FitNoise *noise, uint64_t key, float sd, int count, float *values);
