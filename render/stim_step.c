#include "render/stimulus_type.h"

static bool check(const StimulusSpec *spec, char *err)
{
    return stimulus_contrast_fits(spec, spec->step.contrast, err);
}

static void scene_at(void *state, const StimulusSpec *spec, int64_t frame, Scene *scene)
{
    (void)state;
    (void)frame;
    scene->background_lum = stimulus_lum(spec, spec->step.contrast);
}

const StimulusType stim_step = {.name = "step", .check = check, .scene = scene_at};
