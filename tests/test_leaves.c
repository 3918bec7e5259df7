#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/leaves.h"

enum { SIDE = 48, POINTS = SIDE * SIDE, IMAGES = 6 };

static Leaves *open_leaves(void)
{
    Raster raster = {SIDE, SIDE, 50.0};
    Leaves *leaves = leaves_create(&raster, 100.0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(leaves);
    return leaves;
}

/* SD of a view after averaging blocks of side × side pixels. */
static double sd_of_blocks(const float *lum, int side)
{
    double sum = 0.0, square = 0.0, n = 0.0;
    for (int y = 0; y < SIDE; y += side)
        for (int x = 0; x < SIDE; x += side) {
            double block = 0.0;
            for (int i = 0; i < side * side; i++)
                block += (double)lum[(y + i / side) * SIDE + x + i % side] / (side * side);
            sum += block;
            square += block * block;
            n += 1.0;
        }
    return sqrt(square / n - sum / n * (sum / n));
}

static void views_keep_mean_and_contrast(void)
{
    Leaves *leaves = open_leaves();
    Draws draws = draws_start(1, 2, 3);
    static float lum[POINTS];
    double mean = 0.0, sd = 0.0;
    for (int image = 0; image < IMAGES; image++) {
        leaves_lay(leaves, &draws, 0.4);
        leaves_view(leaves, &draws, lum);
        for (int i = 0; i < POINTS; i++) {
            CU_ASSERT_FATAL(lum[i] >= 0.0f && lum[i] <= 1.0f);
            mean += (double)lum[i] / (POINTS * IMAGES);
        }
        sd += sd_of_blocks(lum, 1) / IMAGES;
    }
    CU_ASSERT(test_near(mean, 0.5, 0.05));
    CU_ASSERT(sd > 0.12 && sd < 0.22); // 0.2, less what a pixel averages away
    leaves_destroy(leaves);
}

/* White noise loses half its SD with every doubling of the block; natural images lose much less. */
static void there_is_structure_at_every_scale(void)
{
    Leaves *leaves = open_leaves();
    Draws draws = draws_start(1, 2, 3);
    static float lum[POINTS];
    double sd[4] = {0};
    for (int image = 0; image < IMAGES; image++) {
        leaves_lay(leaves, &draws, 0.4);
        leaves_view(leaves, &draws, lum);
        for (int k = 0; k < 4; k++)
            sd[k] += sd_of_blocks(lum, 1 << k);
    }
    for (int k = 1; k < 4; k++)
        CU_ASSERT(sd[k] / sd[k - 1] > 0.55 && sd[k] / sd[k - 1] < 0.95);
    leaves_destroy(leaves);
}

/* The image holds still between two bins but for the jitter: neighbours in time are alike, and a
 * second apart, after a saccade, they are not. */
static void the_view_moves_a_little_and_then_jumps(void)
{
    Leaves *leaves = open_leaves();
    Draws draws = draws_start(4, 2, 3);
    static float now[POINTS], before[POINTS];
    int jumps = 0, bins = 1000;
    leaves_lay(leaves, &draws, 0.4);
    leaves_view(leaves, &draws, before);
    for (int bin = 1; bin < bins; bin++) {
        leaves_view(leaves, &draws, now);
        double difference = 0.0;
        for (int i = 0; i < POINTS; i++)
            difference += fabs((double)now[i] - (double)before[i]) / POINTS;
        jumps += difference > 0.1;
        memcpy(before, now, sizeof now);
    }
    CU_ASSERT(jumps >= 5 && jumps <= 34); // fixations last 0.3 to 1.8 s
    leaves_destroy(leaves);
}

static void the_same_draws_give_the_same_bits(void)
{
    static float lum[2][POINTS];
    for (int i = 0; i < 2; i++) {
        Leaves *leaves = open_leaves();
        Draws draws = draws_start(9, 0, 0);
        leaves_lay(leaves, &draws, 0.3);
        for (int bin = 0; bin < 50; bin++)
            leaves_view(leaves, &draws, lum[i]);
        leaves_destroy(leaves);
    }
    CU_ASSERT(memcmp(lum[0], lum[1], sizeof lum[0]) == 0);
}

static const TestCase cases[] = {
    {"views keep mean and contrast", views_keep_mean_and_contrast},
    {"there is structure at every scale", there_is_structure_at_every_scale},
    {"the view moves a little and then jumps", the_view_moves_a_little_and_then_jumps},
    {"the same draws give the same bits", the_same_draws_give_the_same_bits},
};

int main(void)
{
    return test_main("leaves", cases, sizeof cases / sizeof cases[0]);
}
