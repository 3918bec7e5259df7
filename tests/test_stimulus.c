#include <math.h>
#include <string.h>

#include "render/philox.h"
#include "render/ran1.h"
#include "render/stimulus.h"
#include "tests/harness.h"

static Scene scene_of(Stimulus *stimulus, int64_t frame)
{
    Scene scene;
    stimulus_scene(stimulus, frame, &scene);
    return scene;
}

static Stimulus *created(const StimulusSpec *spec)
{
    char err[STIMULUS_ERR_BYTES] = "";
    Stimulus *stimulus = stimulus_create(spec, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stimulus);
    return stimulus;
}

static bool is_uniform(Scene scene, double lum)
{
    return scene.kind == SCENE_UNIFORM && test_near((double)scene.background_lum, lum, 1e-7);
}

static void blank_and_step_hold(void)
{
    StimulusSpec blank = {.kind = STIMULUS_BLANK, .background_lum = 0.5f};
    StimulusSpec step = {.kind = STIMULUS_STEP, .background_lum = 0.5f, .step = {-0.4}};
    Stimulus *stimuli[2] = {created(&blank), created(&step)};
    for (int64_t frame = 0; frame < 100; frame += 33) {
        CU_ASSERT(is_uniform(scene_of(stimuli[0], frame), 0.5));
        CU_ASSERT(is_uniform(scene_of(stimuli[1], frame), 0.3));
    }
    stimulus_destroy(stimuli[0]);
    stimulus_destroy(stimuli[1]);
}

static void flicker_omits_one(void)
{
    StimulusSpec spec = {.kind = STIMULUS_FLICKER,
                         .background_lum = 0.5f,
                         .flicker = {.period_frames = 5,
                                     .flash_frames = 2,
                                     .flash_count = 4,
                                     .omitted_flash = 3,
                                     .contrast = -1}};
    const char *wanted = "##...##........##........"; // # dark
    Stimulus *stimulus = created(&spec);
    for (int64_t frame = 0; wanted[frame]; frame++)
        CU_ASSERT(is_uniform(scene_of(stimulus, frame), wanted[frame] == '#' ? 0 : 0.5));
    stimulus_destroy(stimulus);
}

static const BarSpec bar = {.contrast = -0.6,
                            .width_um = 160,
                            .speed_um_per_frame = 12.5,
                            .direction_rad = 0.5,
                            .start_um = -900};

static bool is_bar_at(Scene scene, double centre_um)
{
    return scene.kind == SCENE_STRIPE && test_near(scene.stripe.centre_um, centre_um, 1e-9) &&
           test_near(scene.stripe.width_um, 160, 0) &&
           test_near((double)scene.stripe.lum, 0.5 * 0.4, 1e-7) &&
           test_near((double)scene.background_lum, 0.5, 0) &&
           test_near((double)scene.stripe.normal_x, cos(0.5), 1e-7) &&
           test_near((double)scene.stripe.normal_y, sin(0.5), 1e-7);
}

static void bar_moves_evenly(void)
{
    StimulusSpec spec = {.kind = STIMULUS_BAR, .background_lum = 0.5f, .bar = bar};
    Stimulus *stimulus = created(&spec);
    for (int64_t frame = 0; frame < 200; frame++)
        CU_ASSERT(is_bar_at(scene_of(stimulus, frame), -900 + 12.5 * (double)frame));
    stimulus_destroy(stimulus);
}

static void reversal_turns_between_frames(void)
{
    StimulusSpec spec = {.kind = STIMULUS_REVERSAL,
                         .background_lum = 0.5f,
                         .reversal = {.bar = bar, .turn_um = 105}}; // after 80.4 frames
    Stimulus *stimulus = created(&spec);
    for (int64_t frame = 0; frame <= 80; frame++)
        CU_ASSERT(is_bar_at(scene_of(stimulus, frame), -900 + 12.5 * (double)frame));
    for (int64_t frame = 81; frame < 200; frame++)
        CU_ASSERT(is_bar_at(scene_of(stimulus, frame), 105 - 12.5 * ((double)frame - 80.4)));
    stimulus_destroy(stimulus);
}

static StimulusSpec board(NoiseGenerator generator, NoiseDistribution distribution)
{
    return (StimulusSpec){.kind = STIMULUS_CHECKERBOARD,
                          .background_lum = 0.5f,
                          .checkerboard = {.columns = 17,
                                           .rows = 13,
                                           .check_um = 55,
                                           .distribution = distribution,
                                           .generator = generator,
                                           .contrast = 0.35,
                                           .hold_frames = 3,
                                           .seed = -1000}};
}

static double clipped(double lum)
{
    return fmin(fmax(lum, 0), 1);
}

static void counter_noise_is_addressable(void)
{
    for (int kind = 0; kind < 2; kind++) {
        StimulusSpec spec = board(NOISE_COUNTER, kind ? NOISE_GAUSSIAN : NOISE_BINARY);
        Stimulus *stimulus = created(&spec);
        Scene scene = scene_of(stimulus, 3 * 77 + 2); // pattern 77, none before it drawn
        CU_ASSERT(scene.kind == SCENE_GRID && scene.grid.columns == 17 && scene.grid.rows == 13);
        CU_ASSERT(scene.grid.check_um == 55);
        const PhiloxKey key = {{(uint32_t)-1000, 0xffffffff}};
        for (uint32_t i = 0; i < 17 * 13; i++) {
            uint32_t bits = philox((PhiloxCounter){{i / 128, 0, 77, 0}}, key).words[i / 32 % 4];
            uint32_t word = philox((PhiloxCounter){{i / 4, 0, 77, 0}}, key).words[i % 4];
            double deviate = kind ? philox_normal(word) : (bits >> i % 32 & 1) ? 1 : -1;
            CU_ASSERT(
                test_near((double)scene.grid.lum[i], clipped(0.5 * (1 + 0.35 * deviate)), 1e-7));
        }
        stimulus_destroy(stimulus);
    }
}

static void ran1_noise_is_sequential(void)
{
    for (int kind = 0; kind < 2; kind++) {
        StimulusSpec spec = board(NOISE_RAN1, kind ? NOISE_GAUSSIAN : NOISE_BINARY);
        Stimulus *stimulus = created(&spec);
        Ran1 ran1;
        ran1_init(&ran1, -1000);
        for (int pattern = 0; pattern < 6; pattern++) {
            Scene scene = scene_of(stimulus, 3 * pattern + pattern % 3);
            for (int i = 0; i < 17 * 13; i++) { // down each of the 17 columns, then along x
                int at = i % 13 * 17 + i / 13;
                double deviate = kind ? ran1_normal(&ran1) : ran1_uniform(&ran1) >= 0.5 ? 1 : -1;
                CU_ASSERT(test_near((double)scene.grid.lum[at], clipped(0.5 * (1 + 0.35 * deviate)),
                                    1e-7));
            }
        }
        stimulus_destroy(stimulus);
    }
}

static void skipped_frames_change_nothing(void)
{
    for (int kind = 0; kind < 4; kind++) {
        StimulusSpec spec =
            board(kind & 1 ? NOISE_RAN1 : NOISE_COUNTER, kind & 2 ? NOISE_GAUSSIAN : NOISE_BINARY);
        Stimulus *every = created(&spec), *some = created(&spec);
        for (int64_t frame = 0; frame < 60; frame++) {
            Scene whole = scene_of(every, frame);
            if (frame != 7 && frame % 13 < 6)
                continue;
            Scene jumped = scene_of(some, frame);
            CU_ASSERT(memcmp(whole.grid.lum, jumped.grid.lum, 17 * 13 * sizeof(float)) == 0);
        }
        stimulus_destroy(every);
        stimulus_destroy(some);
    }
}

static void patterns_are_held(void)
{
    StimulusSpec spec = board(NOISE_COUNTER, NOISE_BINARY);
    Stimulus *stimulus = created(&spec);
    float before[17 * 13] = {0};
    for (int64_t frame = 0; frame < 30; frame++) {
        Scene scene = scene_of(stimulus, frame);
        bool is_same = memcmp(before, scene.grid.lum, sizeof before) == 0;
        CU_ASSERT(is_same == (frame % 3 != 0));
        memcpy(before, scene.grid.lum, sizeof before);
    }
    stimulus_destroy(stimulus);
}

static void seeds_differ(void)
{
    StimulusSpec specs[2] = {board(NOISE_COUNTER, NOISE_BINARY),
                             board(NOISE_COUNTER, NOISE_BINARY)};
    specs[1].checkerboard.seed = -999;
    Stimulus *stimuli[2] = {created(&specs[0]), created(&specs[1])};
    Scene first = scene_of(stimuli[0], 0), second = scene_of(stimuli[1], 0);
    CU_ASSERT(memcmp(first.grid.lum, second.grid.lum, 17 * 13 * sizeof(float)) != 0);
    stimulus_destroy(stimuli[0]);
    stimulus_destroy(stimuli[1]);
}

static bool refused(StimulusSpec spec, const char *key)
{
    char err[STIMULUS_ERR_BYTES] = "";
    Stimulus *stimulus = stimulus_create(&spec, err);
    bool said_why = !stimulus && strstr(err, key) == err && strstr(err, "allowed");
    stimulus_destroy(stimulus);
    return said_why;
}

static void bad_numbers_are_refused(void)
{
    CU_ASSERT(refused((StimulusSpec){.background_lum = 1.5f}, "background_lum"));
    CU_ASSERT(refused((StimulusSpec){.background_lum = NAN}, "background_lum"));
    StimulusSpec step = {.kind = STIMULUS_STEP, .background_lum = 0.6f, .step = {0.7}};
    CU_ASSERT(refused(step, "contrast"));
    StimulusSpec flicker = {.kind = STIMULUS_FLICKER,
                            .background_lum = 0.5f,
                            .flicker = {.period_frames = 5, .flash_frames = 6, .flash_count = 1}};
    CU_ASSERT(refused(flicker, "flash_frames"));
    flicker.flicker.flash_frames = 5;
    flicker.flicker.omitted_flash = 2;
    CU_ASSERT(refused(flicker, "omitted_flash"));
    StimulusSpec moving = {.kind = STIMULUS_BAR, .background_lum = 0.5f, .bar = bar};
    moving.bar.width_um = 0;
    CU_ASSERT(refused(moving, "width_um"));
    moving.bar.width_um = 10;
    moving.bar.direction_rad = (double)NAN;
    CU_ASSERT(refused(moving, "direction_rad"));
    StimulusSpec reversal = {.kind = STIMULUS_REVERSAL,
                             .background_lum = 0.5f,
                             .reversal = {.bar = bar, .turn_um = -901}};
    CU_ASSERT(refused(reversal, "turn_um"));
    reversal.reversal.turn_um = 0;
    reversal.reversal.bar.speed_um_per_frame = 0;
    CU_ASSERT(refused(reversal, "speed_um_per_frame"));
}

static void bad_boards_are_refused(void)
{
    StimulusSpec spec = board(NOISE_RAN1, NOISE_BINARY);
    spec.checkerboard.seed = 1000;
    CU_ASSERT(refused(spec, "seed"));
    spec = board(NOISE_COUNTER, NOISE_BINARY);
    spec.checkerboard.columns = SCENE_MAX_CHECKS + 1;
    CU_ASSERT(refused(spec, "columns"));
    spec.checkerboard.columns = 8;
    spec.checkerboard.hold_frames = 0;
    CU_ASSERT(refused(spec, "hold_frames"));
    spec.checkerboard.hold_frames = 1;
    spec.checkerboard.contrast = 1.01;
    CU_ASSERT(refused(spec, "contrast"));
}

static void kinds_have_names(void)
{
    CU_ASSERT_STRING_EQUAL(stimulus_kind_name(STIMULUS_BLANK), "blank");
    CU_ASSERT_STRING_EQUAL(stimulus_kind_name(STIMULUS_FLICKER), "flicker");
    CU_ASSERT_STRING_EQUAL(stimulus_kind_name(STIMULUS_STEP), "step");
    CU_ASSERT_STRING_EQUAL(stimulus_kind_name(STIMULUS_BAR), "bar");
    CU_ASSERT_STRING_EQUAL(stimulus_kind_name(STIMULUS_REVERSAL), "reversal");
    CU_ASSERT_STRING_EQUAL(stimulus_kind_name(STIMULUS_CHECKERBOARD), "checkerboard");
}

static const TestCase cases[] = {
    {"blank and step stay at their luminance", blank_and_step_hold},
    {"flicker flashes on its period and leaves one place empty", flicker_omits_one},
    {"a bar moves evenly along its direction", bar_moves_evenly},
    {"a reversing bar turns between two frames", reversal_turns_between_frames},
    {"counter noise is a function of seed and frame alone", counter_noise_is_addressable},
    {"ran1 noise runs along x, then y, then frames", ran1_noise_is_sequential},
    {"skipped frames do not change the ones shown", skipped_frames_change_nothing},
    {"a pattern stays for hold_frames", patterns_are_held},
    {"another seed is another noise", seeds_differ},
    {"numbers out of range are refused with the key and what is allowed", bad_numbers_are_refused},
    {"boards out of range are refused", bad_boards_are_refused},
    {"every kind has its name", kinds_have_names},
};

int main(void)
{
    return test_main("stimulus", cases, sizeof cases / sizeof cases[0]);
}
