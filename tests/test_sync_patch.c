#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/sync_patch.h"

/* The definition of sync_patch.h, spelt out. */
static double defined(int64_t refresh, int64_t block)
{
    int64_t word = (0x9E37 * (refresh / 32) + 0x79B9 * (block + 1)) % 65536;
    for (int64_t i = 0; i < refresh / 2 % 16; i++)
        word /= 2;
    return 0.7 * (double)(refresh % 2) + 0.2 * (double)(refresh / 2 % 2) + 0.1 * (double)(word % 2);
}

static void levels_are_the_defined_ones(void)
{
    for (int64_t block = 0; block < 300; block += 7)
        for (int64_t refresh = 0; refresh < 5000; refresh++)
            CU_ASSERT(
                test_near((double)sync_patch_lum(refresh, block), defined(refresh, block), 1e-6));
    CU_ASSERT(test_near((double)sync_patch_lum(5000000, 99999), defined(5000000, 99999), 1e-6));
}

static void every_refresh_has_an_edge(void)
{
    for (int64_t refresh = 1; refresh < 100000; refresh++) {
        double step = (double)(sync_patch_lum(refresh, 0) - sync_patch_lum(refresh - 1, 0));
        CU_ASSERT(refresh % 2 ? step > 0.69 : step < -0.39);
        double held = (double)(sync_patch_lum(refresh + 1, 0) - sync_patch_lum(refresh - 1, 0));
        CU_ASSERT(fabs(held) > 0.09); // a frame that was lost is not one that was held
    }
}

static int by_word(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* b1 and c of 32 pairs of refreshes. */
static void any_second_is_unlike_any_other(void)
{
    enum { REFRESHES = 4 * 3600 * 60 };
    uint64_t *windows = malloc(REFRESHES / 2 * sizeof *windows), window = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(windows);
    size_t count = 0;
    for (int64_t refresh = 0; refresh < REFRESHES; refresh += 2) {
        int tenths = (int)lround(10 * (double)sync_patch_lum(refresh, 0));
        window = window << 2 | (uint64_t)tenths;
        if (refresh >= 64)
            windows[count++] = window;
    }
    qsort(windows, count, sizeof *windows, by_word);
    size_t twins = 0;
    for (size_t i = 1; i < count; i++)
        twins += windows[i] == windows[i - 1];
    free(windows);
    CU_ASSERT_EQUAL(twins, 0);
}

static const TestCase cases[] = {
    {"levels are those of the formula in the header", levels_are_the_defined_ones},
    {"every refresh has an edge, and two refreshes on is another level", every_refresh_has_an_edge},
    {"no second of four hours looks like another", any_second_is_unlike_any_other},
};

int main(void)
{
    return test_main("sync_patch", cases, sizeof cases / sizeof cases[0]);
}
