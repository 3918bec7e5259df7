#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/trial.h"
#include "tests/harness.h"

static char err[CONFIG_ERR_BYTES];
static const double PI = 3.14159265358979323846;

typedef struct {
    Protocol *protocol;
    Plan *plan;
} Shipped;

static Shipped open_shipped(const char *name, double refresh_hz)
{
    char path[128];
    snprintf(path, sizeof path, "config/protocols/%s.yaml", name);
    Shipped shipped = {.protocol = protocol_load(path, err)};
    CU_ASSERT_PTR_NOT_NULL_FATAL(shipped.protocol);
    shipped.plan = plan_create(shipped.protocol, path, refresh_hz, 3000, 3000, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shipped.plan);
    return shipped;
}

static void close_shipped(Shipped *shipped)
{
    plan_destroy(shipped->plan);
    protocol_destroy(shipped->protocol);
}

static void every_shipped_trial_opens(void)
{
    static const char *const names[] = {"omitted-stimulus", "latency-coding", "motion-reversal",
                                        "motion-anticipation", "white-noise"};
    static const double rates_hz[] = {60, 75, 100, 120};
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 4; j++) {
            Shipped shipped = open_shipped(names[i], rates_hz[j]);
            for (int t = 0; t < shipped.plan->trials_count; t++) {
                StimulusSpec spec = trial_stimulus(shipped.plan, t);
                Stimulus *stimulus = stimulus_create(&spec, err);
                CU_ASSERT_PTR_NOT_NULL(stimulus);
                CU_ASSERT(test_near((double)spec.background_lum, 0.5, 0));
                stimulus_destroy(stimulus);
            }
            close_shipped(&shipped);
        }
    }
}

/* The refreshes at which a full-field trial turns from background to something else. */
static int64_t count_onsets(const Plan *plan, int trial, int64_t *onsets, int64_t capacity)
{
    StimulusSpec spec = trial_stimulus(plan, trial);
    Stimulus *stimulus = stimulus_create(&spec, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stimulus);
    const PlanTrial *planned = &plan->trials[trial];
    bool was_on = false;
    int64_t count = 0;
    for (int64_t frame = 0; frame < planned->stimulus_frames; frame++) {
        Scene scene;
        stimulus_scene(stimulus, frame, &scene);
        CU_ASSERT_EQUAL(scene.kind, SCENE_UNIFORM);
        bool is_on = scene.background_lum < 0.25f;
        if (is_on && !was_on && count < capacity)
            onsets[count++] = planned->first_refresh + planned->before_frames + frame;
        was_on = is_on;
    }
    stimulus_destroy(stimulus);
    return count;
}

static void flash_events_are_what_is_shown(void)
{
    Shipped shipped = open_shipped("omitted-stimulus", 60);
    for (int t = 0; t < shipped.plan->trials_count; t++) {
        int64_t onsets[32];
        int64_t shown = count_onsets(shipped.plan, t, onsets, 32), flashes = 0, omitted = 0;
        TrialEvent event;
        for (int64_t i = 0; trial_event(shipped.plan, t, i, &event); i++) {
            if (event.kind == TRIAL_EVENT_FLASH && flashes < shown)
                CU_ASSERT_EQUAL(event.refresh, onsets[flashes]);
            flashes += event.kind == TRIAL_EVENT_FLASH;
            if (event.kind != TRIAL_EVENT_OMITTED_FLASH)
                continue;
            omitted++;
            CU_ASSERT_EQUAL(event.number, 17);
            CU_ASSERT_EQUAL(event.refresh, onsets[15] + shipped.plan->trials[t].period_frames);
        }
        CU_ASSERT(shown == 16 && flashes == 16 && omitted == 1);
    }
    close_shipped(&shipped);
}

static double centre_at(const StimulusSpec *spec, int64_t frame)
{
    Stimulus *stimulus = stimulus_create(spec, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stimulus);
    Scene scene;
    stimulus_scene(stimulus, frame, &scene);
    CU_ASSERT_EQUAL(scene.kind, SCENE_STRIPE);
    stimulus_destroy(stimulus);
    return scene.stripe.centre_um;
}

static void turn_events_are_where_the_bar_turns(void)
{
    Shipped shipped = open_shipped("motion-reversal", 60);
    for (int t = 0; t < shipped.plan->trials_count; t++) {
        const PlanTrial *trial = &shipped.plan->trials[t];
        StimulusSpec spec = trial_stimulus(shipped.plan, t);
        int64_t farthest = 0;
        for (int64_t frame = 1; frame < trial->stimulus_frames; frame++)
            if (centre_at(&spec, frame) > centre_at(&spec, farthest))
                farthest = frame;
        TrialEvent event;
        CU_ASSERT_TRUE_FATAL(trial_event(shipped.plan, t, 2, &event));
        CU_ASSERT_EQUAL(event.kind, TRIAL_EVENT_TURN);
        CU_ASSERT_EQUAL(event.refresh, trial->first_refresh + trial->before_frames + farthest);
        CU_ASSERT(test_near(centre_at(&spec, farthest), trial->value, 1e-6));
        CU_ASSERT(test_near(centre_at(&spec, 0), trial->value - 1400, 1e-9));
    }
    close_shipped(&shipped);
}

static void bars_travel_at_their_speed(void)
{
    Shipped shipped = open_shipped("motion-anticipation", 60);
    int flashed = 0;
    for (int t = 0; t < shipped.plan->trials_count; t++) {
        const PlanTrial *trial = &shipped.plan->trials[t];
        StimulusSpec spec = trial_stimulus(shipped.plan, t);
        double seconds = (double)trial->stimulus_frames / 60;
        double path_um = centre_at(&spec, trial->stimulus_frames) - centre_at(&spec, 0);
        CU_ASSERT(test_near(path_um, trial->value * seconds, 1e-6));
        CU_ASSERT(test_near(spec.bar.direction_rad, trial->block == 0 ? 0 : PI, 1e-12));
        flashed += !(trial->value > 0);
        if (trial->value > 0) {
            CU_ASSERT(test_near(centre_at(&spec, 0), -1600, 0));
            CU_ASSERT(path_um >= 3200 - 1e-6 && path_um < 3200 + trial->value / 60);
        } else {
            CU_ASSERT(trial->stimulus_frames == 1 && test_near(centre_at(&spec, 0), 0, 0));
        }
    }
    CU_ASSERT_EQUAL(flashed, 3);
    close_shipped(&shipped);
}

static void noise_and_steps_keep_their_numbers(void)
{
    Shipped shipped = open_shipped("white-noise", 60);
    StimulusSpec binary = trial_stimulus(shipped.plan, 0), gauss = trial_stimulus(shipped.plan, 1),
                 ran1 = trial_stimulus(shipped.plan, 5);
    CU_ASSERT_EQUAL(binary.checkerboard.distribution, NOISE_BINARY);
    CU_ASSERT(binary.checkerboard.seed == 5 && binary.checkerboard.hold_frames == 2);
    CU_ASSERT(binary.checkerboard.columns == 50 && binary.checkerboard.rows == 50);
    CU_ASSERT(test_near(binary.checkerboard.check_um, 50, 0));
    CU_ASSERT_EQUAL(gauss.checkerboard.distribution, NOISE_GAUSSIAN);
    CU_ASSERT(test_near(gauss.checkerboard.contrast, 0.3, 0));
    CU_ASSERT_EQUAL(ran1.checkerboard.generator, NOISE_RAN1);
    CU_ASSERT(ran1.checkerboard.seed == -1000 && ran1.checkerboard.hold_frames == 2);
    close_shipped(&shipped);
    shipped = open_shipped("latency-coding", 60);
    for (int t = 0; t < shipped.plan->trials_count; t++) {
        StimulusSpec spec = trial_stimulus(shipped.plan, t);
        CU_ASSERT_EQUAL(spec.kind, STIMULUS_STEP);
        CU_ASSERT(test_near(spec.step.contrast, shipped.plan->trials[t].value, 0));
    }
    close_shipped(&shipped);
}

static void events_are_in_order_and_join(void)
{
    Shipped shipped = open_shipped("omitted-stimulus", 75);
    int64_t refresh = 0;
    for (int t = 0; t < shipped.plan->trials_count; t++) {
        TrialEvent event;
        int64_t count = 0, triggers = 0;
        for (; trial_event(shipped.plan, t, count, &event); count++) {
            CU_ASSERT(event.refresh >= refresh);
            CU_ASSERT((count == 0) == (event.kind == TRIAL_EVENT_TRIAL_START));
            CU_ASSERT(count > 0 || event.refresh == refresh);
            triggers += event.trigger_code == 1 && event.kind == TRIAL_EVENT_STIMULUS_ONSET;
            refresh = event.refresh;
        }
        CU_ASSERT(count == 21 && triggers == 1);
    }
    CU_ASSERT_EQUAL(refresh, shipped.plan->refreshes);
    close_shipped(&shipped);
}

static void times_do_not_drift(void)
{
    Plan plan = {.refresh_hz = 60};
    CU_ASSERT_EQUAL(trial_refresh_ns(&plan, 1), 16666667);
    CU_ASSERT_EQUAL(trial_refresh_ns(&plan, 3), 50000000);
    CU_ASSERT_EQUAL(trial_refresh_ns(&plan, INT64_C(60) * 86400), INT64_C(86400000000000));
}

static const TestCase cases[] = {
    {"every trial of the shipped protocols is a stimulus render accepts",
     every_shipped_trial_opens},
    {"flash events stand at the refreshes that show a flash", flash_events_are_what_is_shown},
    {"the turn event stands where the bar is farthest", turn_events_are_where_the_bar_turns},
    {"bars cover their path at their speed, and a flashed bar stands still",
     bars_travel_at_their_speed},
    {"noise and steps reach render with their numbers", noise_and_steps_keep_their_numbers},
    {"events are in order, join from trial to trial and end with the plan",
     events_are_in_order_and_join},
    {"the time of a refresh is exact after a day", times_do_not_drift},
};

int main(void)
{
    return test_main("trial", cases, sizeof cases / sizeof cases[0]);
}
