#include "render/stimulus_type.h"

static bool check(const StimulusSpec *spec, char *err)
{
    const FlickerSpec *flicker = &spec->flicker;
    const double most = 1e9;
    return stimulus_in_range("period_frames", (double)flicker->period_frames, 1, most, err) &&
           stimulus_in_range("flash_frames", (double)flicker->flash_frames, 1,
                             (double)flicker->period_frames, err) &&
           stimulus_in_range("flash_count", (double)flicker->flash_count, 1, most, err) &&
           stimulus_in_range("omitted_flash", (double)flicker->omitted_flash, 0,
                             (double)flicker->flash_count, err) &&
           stimulus_contrast_fits(spec, flicker->contrast, err);
}

static bool is_lit(const FlickerSpec *flicker, int64_t frame)
{
    int64_t flash = frame / flicker->period_frames + 1;
    return frame % flicker->period_frames < flicker->flash_frames &&
           flash <= flicker->flash_count && flash != flicker->omitted_flash;
}

static void scene_at(void *state, const StimulusSpec *spec, int64_t frame, Scene *scene)
{
    (void)state;
    if (is_lit(&spec->flicker, frame))
        scene->background_lum = stimulus_lum(spec, spec->flicker.contrast);
}

const StimulusType stim_flicker = {.name = "flicker", .check = check, .scene = scene_at};
