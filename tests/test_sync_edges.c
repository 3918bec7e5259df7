#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/sync_edges.h"

enum { SAMPLES = 40000, PERIOD = 333 };

static float samples[SAMPLES];
static uint64_t dice;

/* Uniform in −1 … 1; splitmix64 (Steele, Lea & Flood 2014). */
static double throw_dice(void)
{
    uint64_t z = dice += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (double)(int64_t)(z ^ z >> 31) / 9.3e18;
}

/* Turns at sample 1000 + k · PERIOD, k = 0 … 99, of sizes 0.4 … 1 in turn. */
static void fill(double noise, double wander)
{
    dice = 7;
    for (int i = 0; i < SAMPLES; i++) {
        int turns = i < 1000 ? 0 : (i - 1000) / PERIOD + 1;
        turns = turns > 100 ? 100 : turns;
        double level = turns % 2 ? 0.7 + 0.1 * (turns / 2 % 4) : 0.1 * (turns / 2 % 4);
        samples[i] = (float)(level + noise * throw_dice() + wander * sin(i / 3000.0));
    }
}

static void check_turns(const SyncEdges *edges, int64_t tolerance)
{
    CU_ASSERT_EQUAL_FATAL(edges->count, 100);
    for (int k = 0; k < 100; k++) {
        CU_ASSERT(llabs(edges->edges[k].sample - (1000 + k * PERIOD)) <= tolerance);
        CU_ASSERT((edges->edges[k].step > 0) == (k % 2 == 0));
    }
}

static void steps_are_found_to_the_sample(void)
{
    SyncEdges edges;
    fill(0.05, 0);
    CU_ASSERT(sync_edges_find(samples, SAMPLES, PERIOD, 100, &edges));
    check_turns(&edges, 0);
    sync_edges_finish(&edges);
}

static void a_wandering_baseline_makes_no_edges(void)
{
    SyncEdges edges;
    fill(0.05, 5);
    CU_ASSERT(sync_edges_find(samples, SAMPLES, PERIOD, 100, &edges));
    check_turns(&edges, 2);
    sync_edges_finish(&edges);
}

static void noise_is_told_of(void)
{
    SyncEdges quiet, noisy;
    fill(0.01, 0);
    CU_ASSERT(sync_edges_find(samples, SAMPLES, PERIOD, 100, &quiet));
    fill(0.5, 0);
    CU_ASSERT(sync_edges_find(samples, SAMPLES, PERIOD, 100, &noisy));
    CU_ASSERT(quiet.scatter < 0.6 && noisy.scatter > 0.7);
    CU_ASSERT(noisy.count >= 95 && noisy.count <= 105);
    sync_edges_finish(&quiet);
    sync_edges_finish(&noisy);
}

static void a_flat_or_broken_recording_has_none_or_nonsense_but_no_crash(void)
{
    SyncEdges edges;
    memset(samples, 0, sizeof samples);
    CU_ASSERT(sync_edges_find(samples, SAMPLES, PERIOD, 100, &edges));
    CU_ASSERT_EQUAL(edges.count, 0);
    sync_edges_finish(&edges);
    for (int i = 0; i < SAMPLES; i++)
        samples[i] = i % 3 ? NAN : INFINITY;
    CU_ASSERT(sync_edges_find(samples, SAMPLES, PERIOD, 100, &edges));
    CU_ASSERT_EQUAL(edges.count, 0);
    sync_edges_finish(&edges);
    CU_ASSERT(sync_edges_find(samples, 1, PERIOD, 100, &edges));
    sync_edges_finish(&edges);
}

static void means_stop_at_the_ends(void)
{
    for (int i = 0; i < SAMPLES; i++)
        samples[i] = (float)i;
    CU_ASSERT(test_near(sync_mean(samples, SAMPLES, 10, 21), 15, 1e-9));
    CU_ASSERT(test_near(sync_mean(samples, SAMPLES, -5, 3), 1, 1e-9));
    CU_ASSERT(isnan(sync_mean(samples, SAMPLES, SAMPLES + 1.0, SAMPLES + 5.0)));
    CU_ASSERT(isnan(sync_mean(samples, SAMPLES, -9, -1)));
}

static const TestCase cases[] = {
    {"steps of any size are found to the sample", steps_are_found_to_the_sample},
    {"a wandering baseline makes no edges", a_wandering_baseline_makes_no_edges},
    {"what noise does to an edge is told of", noise_is_told_of},
    {"a flat or broken recording has no edges",
     a_flat_or_broken_recording_has_none_or_nonsense_but_no_crash},
    {"means stop at the ends of the recording", means_stop_at_the_ends},
};

int main(void)
{
    return test_main("sync_edges", cases, sizeof cases / sizeof cases[0]);
}
