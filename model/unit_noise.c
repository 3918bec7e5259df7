#include "model/unit_noise.h"

#include <math.h>

/* The x with Φ(x) = share, by bisection: run once, at the start. */
static double normal_quantile(double share)
{
    double low = -6.0, high = 6.0;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        if (0.5 * erfc(-middle / sqrt(2.0)) < share)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

void unit_noise_init(UnitNoise *noise)
{
    for (int i = 0; i < UNIT_NOISE_LEVELS; i++)
        noise->quantile[i] = (float)normal_quantile((i + 0.5) / UNIT_NOISE_LEVELS);
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void unit_noise_add(const UnitNoise *noise, uint64_t key, float sd, int count, float *values)
{
    enum { A_WORD = 5, BITS = 12 };
    uint64_t state = mix(key), bits = 0;
    for (int i = 0; i < count; i++) {
        if (i % A_WORD == 0)
            bits = mix(state += UINT64_C(0x9e3779b97f4a7c15));
        values[i] += sd * noise->quantile[bits % UNIT_NOISE_LEVELS];
        bits >>= BITS;
    }
}
