#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/spiking.h"

enum { STEPS = 10, TRIALS = 400, BINS = 400, WINDOW = 20 };

static Spiking *open_one(SpikingKind kind, int trials)
{
    SpikingSpec spec = {
        .kind = kind, .seed = 3, .part = 1, .trials = trials, .cells = 1, .steps = STEPS};
    Spiking *spiking = spiking_create(&spec);
    CU_ASSERT_PTR_NOT_NULL_FATAL(spiking);
    return spiking;
}

/* counts (BINS, TRIALS) of a rate that swings between 0 and twice mean_hz at 2 Hz. */
static void swing(Spiking *spiking, double mean_hz, double depth, uint8_t *counts)
{
    for (int bin = 0; bin < BINS; bin++) {
        float rates_hz[STEPS];
        for (int i = 0; i < STEPS; i++)
            rates_hz[i] = (float)(mean_hz * (1.0 + depth * sin(0.04 * 3.14159265 * bin)));
        spiking_draw(spiking, bin, rates_hz, counts + bin * TRIALS);
    }
}

/* Variance over trials of the count in windows of 0.2 s, over its mean; the mean over windows. */
static double fano(const uint8_t *counts)
{
    double sum = 0.0;
    for (int from = 0; from < BINS; from += WINDOW) {
        double mean = 0.0, square = 0.0;
        for (int trial = 0; trial < TRIALS; trial++) {
            double count = 0.0;
            for (int bin = from; bin < from + WINDOW; bin++)
                count += counts[bin * TRIALS + trial];
            mean += count / TRIALS;
            square += count * count / TRIALS;
        }
        sum += (square - mean * mean) / mean * WINDOW / BINS;
    }
    return sum;
}

static void poisson_counts_vary_as_their_mean_and_refractory_ones_less(void)
{
    static uint8_t counts[BINS * TRIALS];
    Spiking *poisson = open_one(SPIKING_POISSON, TRIALS);
    Spiking *refractory = open_one(SPIKING_REFRACTORY, TRIALS);
    swing(poisson, 40.0, 0.0, counts);
    CU_ASSERT(test_near(fano(counts), 1.0, 0.05));
    swing(refractory, 40.0, 0.0, counts);
    double dense = fano(counts);
    CU_ASSERT(dense > 0.2 && dense < 0.6);
    spiking_destroy(refractory);
    refractory = open_one(SPIKING_REFRACTORY, TRIALS);
    swing(refractory, 4.0, 0.0, counts);
    double sparse = fano(counts);
    CU_ASSERT(sparse > 0.8 && sparse < 1.0); // rare spikes know little of each other
    spiking_destroy(poisson);
    spiking_destroy(refractory);
}

/* In every tenth of a second, also where the rate rises from nothing. */
static void the_mean_over_trials_is_the_rate(void)
{
    static uint8_t counts[BINS * TRIALS];
    for (int kind = SPIKING_POISSON; kind <= SPIKING_REFRACTORY; kind++) {
        Spiking *spiking = open_one((SpikingKind)kind, TRIALS);
        swing(spiking, 40.0, 1.0, counts);
        for (int from = 0; from < BINS; from += 10) {
            double got = 0.0, wanted = 0.0;
            for (int bin = from; bin < from + 10; bin++) {
                wanted += 0.4 * (1.0 + sin(0.04 * 3.14159265 * bin));
                for (int trial = 0; trial < TRIALS; trial++)
                    got += (double)counts[bin * TRIALS + trial] / TRIALS;
            }
            CU_ASSERT(test_near(got, wanted, 5.0 * sqrt(wanted / TRIALS) + 1e-3));
        }
        spiking_destroy(spiking);
    }
}

static void no_two_spikes_are_within_the_dead_time(void)
{
    enum { LONG = 20000 };
    SpikingSpec spec = {.kind = SPIKING_REFRACTORY, .seed = 1, .trials = 1, .cells = 1, .steps = 1};
    Spiking *spiking = spiking_create(&spec);
    CU_ASSERT_PTR_NOT_NULL_FATAL(spiking);
    int shortest = LONG, last = -LONG, spikes = 0;
    for (int ms = 0; ms < LONG; ms++) {
        float rate_hz = 100.0f;
        uint8_t fires;
        spiking_draw(spiking, ms, &rate_hz, &fires);
        if (fires) {
            shortest = ms - last < shortest ? ms - last : shortest;
            last = ms;
        }
        spikes += fires;
    }
    CU_ASSERT(test_near(spikes, 0.1 * LONG, 0.03 * 0.1 * LONG));
    CU_ASSERT(shortest == 3); // the two ms after a spike stay empty
    spiking_destroy(spiking);
}

static void a_state_put_back_goes_on_alike(void)
{
    enum { CELLS = 5, REPEATS = 3, EACH = 40 };
    SpikingSpec spec = {
        .kind = SPIKING_REFRACTORY, .seed = 9, .trials = REPEATS, .cells = CELLS, .steps = STEPS};
    float rates_hz[STEPS * CELLS];
    for (int i = 0; i < STEPS * CELLS; i++)
        rates_hz[i] = 20.0f * (float)(i % CELLS + 1);
    Spiking *whole = spiking_create(&spec), *second = spiking_create(&spec);
    CU_ASSERT_FATAL(whole != NULL && second != NULL);
    uint8_t once[CELLS * REPEATS], again[CELLS * REPEATS];
    for (int bin = 0; bin < EACH; bin++)
        spiking_draw(whole, bin, rates_hz, once);
    void *state = malloc(spiking_state_bytes(whole));
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    spiking_keep(whole, state);
    spiking_restore(second, state);
    int spikes = 0;
    for (int bin = EACH; bin < 2 * EACH; bin++) {
        spiking_draw(whole, bin, rates_hz, once);
        spiking_draw(second, bin, rates_hz, again);
        CU_ASSERT(memcmp(once, again, sizeof once) == 0);
        spikes += once[0];
    }
    CU_ASSERT(spikes > 0);
    free(state);
    spiking_destroy(whole);
    spiking_destroy(second);
}

static const TestCase cases[] = {
    {"Poisson counts vary as their mean, and refractory ones less",
     poisson_counts_vary_as_their_mean_and_refractory_ones_less},
    {"the mean over trials is the rate", the_mean_over_trials_is_the_rate},
    {"no two spikes are within the dead time", no_two_spikes_are_within_the_dead_time},
    {"a state put back goes on alike", a_state_put_back_goes_on_alike},
};

int main(void)
{
    return test_main("spiking", cases, sizeof cases / sizeof cases[0]);
}
