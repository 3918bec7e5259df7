#include <math.h>
#include <stdio.h>

#include "app/landmark.h"
#include "config/protocol.h"
#include "tests/harness.h"

/* One protocol with a block of every kind; 100 Hz, so that frames are bins of 10 ms. */
static const char text[] =
    "name: landmarks\n"
                           "seed: 1\n"
    "display: {refresh_hz: 100, um_per_px: 5, width_px: 600, height_px: 600}\n"
    "blocks:\n"
    "  - name: train\n"
    "    before_ms: 100\n"
    "    after_ms: 500\n"
    "    flicker: {periods_ms: [100], flash_ms: 20, flashes: 5, omitted: 5, contrast: -1}\n"
    "  - name: step\n"
    "    before_ms: 100\n"
    "    after_ms: 500\n"
    "    step: {contrasts: [-0.5], duration_ms: 300}\n"
    "  - name: turn\n"
    "    before_ms: 100\n"
    "    after_ms: 500\n"
    "    reversal: {turns_um: [100], speed_um_per_s: 1000, width_um: 165, contrast: -0.5,"
    " direction_deg: 0, approach_um: 1000}\n"
    "  - name: bar\n"
    "    before_ms: 100\n"
    "    after_ms: 500\n"
    "    bar: {speeds_um_per_s: [1000, 0], width_um: 165, contrast: -0.5, direction_deg: 180,"
    " travel_um: 2000, flash_ms: 20}\n";

static Protocol *protocol;
static Plan *plan;

static void open_plan(void)
{
    char err[CONFIG_ERR_BYTES], path[600];
    if (plan)
        return;
    snprintf(path, sizeof path, "%s/landmarks.yaml", test_folder("landmark"));
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file && fputs(text, file) >= 0 && fclose(file) == 0);
    protocol = protocol_load(path, err);
    plan = protocol ? trial_plan(protocol, path, 0, err) : NULL;
    if (!plan)
        CU_FAIL_FATAL(err);
}

static void check(int trial, double x_um, double at_s, double from_s, double to_s)
{
    open_plan();
    Landmark mark = landmark_of(plan, trial, x_um, 0);
    CU_ASSERT(test_near(mark.at_s, at_s, 1e-9));
    CU_ASSERT(test_near(mark.from_s, from_s, 1e-9));
    CU_ASSERT(test_near(mark.to_s, to_s, 1e-9));
}

static void a_train_is_timed_from_its_last_flash(void)
{
    check(0, 0, 0.3, 0.44, 0.7); // flashes at 0 … 0.3 s, the fifth, due at 0.4 s, is left out
}

static void a_step_is_timed_from_its_onset(void)
{
    check(1, 0, 0, 0, 0.3);
}

static void a_reversal_is_timed_from_its_turn(void)
{
    check(2, 0, 1.0, 1.07, 1.3); // 1000 um at 1 mm/s
}

static void a_bar_is_timed_from_passing_the_cell(void)
{
    check(3, 0, 1.0, 0, 2.0);
    check(3, 200, 0.8, 0, 2.0); // it comes from the right
    check(3, (double)NAN, 1.0, 0, 2.0);
    check(4, 200, 0, 0, 0.3);
}

static void a_peak_is_found_where_the_response_is_looked_for(void)
{
    float rates[100] = {0};
    const Landmark mark = {"here", 0.2, 0.3, 0.6};
    rates[10] = 9; // before
    rates[39] = rates[41] = 3;
    rates[40] = 4;
    rates[80] = 9; // after
    LandmarkPeak peak = landmark_peak(&mark, 0, 0.01, rates, 100);
    CU_ASSERT(test_near(peak.time_ms, 200, 1e-6));
    CU_ASSERT(test_near(peak.height_hz, 4, 1e-6));
}

/* A top of 9, 10, 9.5 and 9.5 Hz: above 8 Hz stand 1, 2, 1.5, 1.5, at 40 … 43. */
static void a_broad_top_is_timed_by_its_centroid(void)
{
    float rates[100] = {0};
    const Landmark mark = {"here", 0, 0, 1};
    rates[40] = 9;
    rates[41] = 10;
    rates[42] = rates[43] = 9.5F;
    rates[50] = 9.9F; // apart from it
    LandmarkPeak peak = landmark_peak(&mark, 0, 0.01, rates, 100);
    CU_ASSERT(test_near(peak.time_ms, 10 * (1 * 40 + 2 * 41 + 1.5 * 42 + 1.5 * 43) / 6.0, 1e-4));
}

static void a_curve_without_a_peak_has_none(void)
{
    float rates[100];
    const Landmark mark = {"here", 0, 0.2, 0.5};
    for (int bin = 0; bin < 100; bin++)
        rates[bin] = (float)bin;
    LandmarkPeak peak = landmark_peak(&mark, 0, 0.01, rates, 100);
    CU_ASSERT(isnan(peak.time_ms) && isnan(peak.height_hz));
}

int main(void)
{
    static const TestCase cases[] = {
        {"a train is timed from its last flash", a_train_is_timed_from_its_last_flash},
        {"a step is timed from its onset", a_step_is_timed_from_its_onset},
        {"a reversal is timed from its turn", a_reversal_is_timed_from_its_turn},
        {"a bar is timed from passing the cell", a_bar_is_timed_from_passing_the_cell},
        {"a peak counts only where the response is looked for",
         a_peak_is_found_where_the_response_is_looked_for},
        {"a broad top is timed by its centroid", a_broad_top_is_timed_by_its_centroid},
        {"a curve that only rises has no peak", a_curve_without_a_peak_has_none},
    };
    int status = test_main("landmark", cases, sizeof cases / sizeof cases[0]);
    plan_destroy(plan);
    protocol_destroy(protocol);
    return status;
}
