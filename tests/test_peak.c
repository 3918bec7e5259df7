#include <math.h>

#include "app/peak.h"
#include "tests/harness.h"

static void a_peak_lies_between_bins(void)
{
    float values[9];
    for (int i = 0; i < 9; i++)
        values[i] = (float)(5.0 - (i - 4.3) * (i - 4.3));
    Peak peak = peak_find(values, 1, 0, 9);
    CU_ASSERT(test_near(peak.at, 4.3, 1e-5));
    CU_ASSERT(test_near(peak.height, (double)values[4], 0.0));
}

static void an_end_is_no_peak(void)
{
    static const float rising[] = {0, 1, 2, 3}, flat[] = {1, 1, 1, 1};
    static const float two[] = {0, 2, 1, 3, 0, 9};
    CU_ASSERT(isnan(peak_find(rising, 1, 0, 4).at));
    CU_ASSERT(isnan(peak_find(flat, 1, 0, 4).at));
    CU_ASSERT(test_near(peak_find(two, 1, 0, 6).height, 3.0, 0.0));
    CU_ASSERT(test_near(peak_find(two, 2, 0, 3).height, (double)NAN, 0.0) == false);
    CU_ASSERT(isnan(peak_highest(two, 1, 2, 2)));
}

static void what_is_missing_is_left_out(void)
{
    const double nan = (double)NAN;
    const double x[] = {1, 2, 3, 4}, y[] = {3, nan, 7, 9}, none[] = {nan, nan};
    CU_ASSERT(test_near(stat_slope(x, y, 4), 2.0, 1e-12));
    CU_ASSERT(test_near(stat_median(y, 1, 4), 7.0, 0.0));
    CU_ASSERT(test_near(stat_median(x, 1, 4), 2.5, 0.0));
    CU_ASSERT(test_near(stat_median(x, 2, 2), 2.0, 0.0));
    CU_ASSERT(test_near(stat_mean(y, 4), 19.0 / 3.0, 1e-12));
    CU_ASSERT(test_near(stat_sd(x, 4), sqrt(5.0 / 3.0), 1e-12));
    CU_ASSERT(isnan(stat_median(none, 1, 2)));
    CU_ASSERT(isnan(stat_mean(none, 2)));
    CU_ASSERT(isnan(stat_sd(x, 1)));
    CU_ASSERT(isnan(stat_slope(x, none, 2)));
}

static const TestCase cases[] = {
    {"the peak of a parabola is found between bins", a_peak_lies_between_bins},
    {"a curve still rising at its end, or flat, has no peak", an_end_is_no_peak},
    {"statistics leave out what is NaN and are NaN of nothing", what_is_missing_is_left_out},
};

int main(void)
{
    return test_main("peak", cases, sizeof cases / sizeof cases[0]);
}
