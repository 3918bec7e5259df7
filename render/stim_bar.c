#include <math.h>

#include "render/stimulus_type.h"

bool stimulus_bar_fits(const StimulusSpec *spec, const BarSpec *bar, char *err)
{
    const double farthest_um = 1e6, longest_step_um = 1e5, turn = 6.2831853071795865;
    return stimulus_in_range("width_um", bar->width_um, 1e-3, farthest_um, err) &&
           stimulus_in_range("speed_um_per_frame", bar->speed_um_per_frame, 0, longest_step_um,
                             err) &&
           stimulus_in_range("direction_rad", bar->direction_rad, -turn, turn, err) &&
           stimulus_in_range("start_um", bar->start_um, -farthest_um, farthest_um, err) &&
           stimulus_contrast_fits(spec, bar->contrast, err);
}

void stimulus_bar_scene(const StimulusSpec *spec, const BarSpec *bar, double centre_um,
                        Scene *scene)
{
    scene->kind = SCENE_STRIPE;
    scene->stripe = (SceneStripe){.lum = stimulus_lum(spec, bar->contrast),
                                  .normal_x = (float)cos(bar->direction_rad),
                                  .normal_y = (float)sin(bar->direction_rad),
                                  .centre_um = centre_um,
                                  .width_um = bar->width_um};
}

static bool check(const StimulusSpec *spec, char *err)
{
    return stimulus_bar_fits(spec, &spec->bar, err);
}

static void scene_at(void *state, const StimulusSpec *spec, int64_t frame, Scene *scene)
{
    (void)state;
    const BarSpec *bar = &spec->bar;
    stimulus_bar_scene(spec, bar, bar->start_um + bar->speed_um_per_frame * (double)frame, scene);
}

const StimulusType stim_bar = {.name = "bar", .check = check, .scene = scene_at};
