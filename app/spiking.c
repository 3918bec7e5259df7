#include "app/spiking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/philox.h"

/* The last age stands for all later ones; the recovery is within 0.3 % of whole there. */
enum { AGES = 61, STREAM_POISSON = 100, STREAM_REFRACTORY = 110 };

static const double DEAD_MS = 2.0, RECOVERY_MS = 10.0, STEP_S = 1e-3;

struct Spiking {
    SpikingSpec spec;
    double recovery[AGES]; // w at an age in ms
    float *share;          // (cells, AGES) of an endless number of trials that have an age
    uint8_t *age;          // (trials, cells)
    double *chance;        // (cells) that a wholly recovered trial fires in this step
};

Spiking *spiking_create(const SpikingSpec *spec)
{
    Spiking *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->spec = *spec;
    for (int age = 0; age < AGES; age++)
        s->recovery[age] = age < DEAD_MS ? 0.0 : 1.0 - exp((DEAD_MS - age - 1.0) / RECOVERY_MS);
    size_t cells = (size_t)spec->cells, trials = (size_t)spec->trials;
    s->share = calloc(cells * AGES, sizeof *s->share);
    s->age = malloc(cells * trials);
    s->chance = calloc(cells, sizeof *s->chance);
    if (!s->share || !s->age || !s->chance) {
        spiking_destroy(s);
        return NULL;
    }
    memset(s->age, AGES - 1, cells * trials);
    for (size_t cell = 0; cell < cells; cell++)
        s->share[cell * AGES + AGES - 1] = 1.0f;
    return s;
}

/* The number k with P(less than k) <= u < P(at most k), for a mean far below 255. */
static uint8_t poisson_quantile(double u, double mean)
{
    double term = exp(-mean), sum = term;
    int k = 0;
    while (u >= sum && k < 255) {
        k++;
        term *= mean / k;
        sum += term;
    }
    return (uint8_t)k;
}

/* The uniform number of a draw; words keeps the last four from cell to cell. */
static double uniform(const SpikingSpec *spec, int64_t bin, uint32_t row, int trial, int cell,
                      uint32_t stream, PhiloxCounter *words)
{
    uint64_t seed = (uint64_t)spec->seed;
    PhiloxKey key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    if (cell % 4 == 0)
        *words = philox((PhiloxCounter){{(uint32_t)bin, row + (uint32_t)(cell / 4), (uint32_t)trial,
                                         stream + spec->part}},
                        key);
    return philox_uniform(words->words[cell % 4]);
}

static void draw_poisson(const Spiking *s, int64_t bin, const float *rates_hz, uint8_t *spikes)
{
    int cells = s->spec.cells, steps = s->spec.steps;
    for (int cell = 0; cell < cells; cell++) {
        s->chance[cell] = 0.0;
        for (int step = 0; step < steps; step++)
            s->chance[cell] += (double)rates_hz[step * cells + cell] * STEP_S;
    }
    PhiloxCounter words = {{0}};
    for (int trial = 0; trial < s->spec.trials; trial++)
        for (int cell = 0; cell < cells; cell++)
            spikes[trial * cells + cell] = poisson_quantile(
                uniform(&s->spec, bin, 0, trial, cell, STREAM_POISSON, &words), s->chance[cell]);
}

/* The cell's chance of this step, and its ages moved on by the step. */
static double step_ages(const Spiking *s, int cell, double rate_hz)
{
    float *share = s->share + (size_t)cell * AGES;
    double ready = 0.0, fired = 0.0;
    for (int age = 0; age < AGES; age++)
        ready += (double)share[age] * s->recovery[age];
    double chance = ready > 0.0 ? rate_hz * STEP_S / ready : 0.0;
    double carried = 0.0; // of the age before, to move up
    for (int age = 0; age < AGES; age++) {
        double fire = (double)share[age] * fmin(1.0, chance * s->recovery[age]);
        double stay = (double)share[age] - fire;
        fired += fire;
        share[age] = (float)(age == AGES - 1 ? carried + stay : carried);
        carried = stay;
    }
    share[0] = (float)fired;
    return chance;
}

static void draw_refractory(Spiking *s, int64_t bin, const float *rates_hz, uint8_t *spikes)
{
    int cells = s->spec.cells;
    uint32_t rows = (uint32_t)(cells + 3) / 4;
    PhiloxCounter words = {{0}};
    memset(spikes, 0, (size_t)s->spec.trials * (size_t)cells);
    for (int step = 0; step < s->spec.steps; step++) {
        for (int cell = 0; cell < cells; cell++)
            s->chance[cell] = step_ages(s, cell, (double)rates_hz[step * cells + cell]);
        for (int trial = 0; trial < s->spec.trials; trial++)
            for (int cell = 0; cell < cells; cell++) {
                uint8_t *age = &s->age[trial * cells + cell];
                double u = uniform(&s->spec, bin, rows * (uint32_t)step, trial, cell,
                                   STREAM_REFRACTORY, &words);
                bool fires = u < s->chance[cell] * s->recovery[*age];
                spikes[trial * cells + cell] += fires;
                *age = fires ? 0 : (uint8_t)(*age < AGES - 1 ? *age + 1 : AGES - 1);
            }
    }
}

void spiking_draw(Spiking *s, int64_t bin, const float *rates_hz, uint8_t *spikes)
{
    if (s->spec.kind == SPIKING_POISSON)
        draw_poisson(s, bin, rates_hz, spikes);
    else
        draw_refractory(s, bin, rates_hz, spikes);
}

static size_t share_bytes(const Spiking *s)
{
    return (size_t)s->spec.cells * AGES * sizeof *s->share;
}

size_t spiking_state_bytes(const Spiking *s)
{
    if (s->spec.kind == SPIKING_POISSON)
        return 0;
    return share_bytes(s) + (size_t)s->spec.cells * (size_t)s->spec.trials;
}

void spiking_keep(const Spiking *s, void *state)
{
    if (s->spec.kind == SPIKING_POISSON)
        return;
    memcpy(state, s->share, share_bytes(s));
    memcpy((char *)state + share_bytes(s), s->age, spiking_state_bytes(s) - share_bytes(s));
}

void spiking_restore(Spiking *s, const void *state)
{
    if (s->spec.kind == SPIKING_POISSON)
        return;
    memcpy(s->share, state, share_bytes(s));
    memcpy(s->age, (const char *)state + share_bytes(s), spiking_state_bytes(s) - share_bytes(s));
}

void spiking_destroy(Spiking *s)
{
    if (!s)
        return;
    free(s->share);
    free(s->age);
    free(s->chance);
    free(s);
}
