#include "render/stimulus.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "render/stimulus_type.h"

struct Stimulus {
    const StimulusType *type;
    StimulusSpec spec;
    int64_t last_frame;
    void *state; // owned, type->state_bytes
};

static const StimulusType *const types[] = {
    [STIMULUS_BLANK] = &stim_blank,       [STIMULUS_FLICKER] = &stim_flicker,
    [STIMULUS_STEP] = &stim_step,         [STIMULUS_BAR] = &stim_bar,
    [STIMULUS_REVERSAL] = &stim_reversal, [STIMULUS_CHECKERBOARD] = &stim_checkerboard,
};

bool stimulus_in_range(const char *key, double value, double low, double high, char *err)
{
    if (value >= low && value <= high)
        return true;
    snprintf(err, STIMULUS_ERR_BYTES, "%s: %.9g is out of range; allowed are %.9g to %.9g", key,
             value, low, high);
    return false;
}

bool stimulus_contrast_fits(const StimulusSpec *spec, double contrast, char *err)
{
    double background = (double)spec->background_lum;
    double highest = background > 0 ? 1 / background - 1 : HUGE_VAL;
    // The background is a float: full contrast may end a rounding error above 1.
    if (contrast >= -1 && contrast <= highest + 1e-6)
        return true;
    snprintf(err, STIMULUS_ERR_BYTES,
             "contrast: %.9g takes the background %.6g outside 0 … 1; allowed are -1 to %.6g",
             contrast, background, highest);
    return false;
}

float stimulus_lum(const StimulusSpec *spec, double contrast)
{
    return (float)fmin(fmax((double)spec->background_lum * (1 + contrast), 0), 1);
}

Stimulus *stimulus_create(const StimulusSpec *spec, char *err)
{
    const StimulusType *type = types[spec->kind];
    if (!stimulus_in_range("background_lum", (double)spec->background_lum, 0, 1, err) ||
        (type->check && !type->check(spec, err)))
        return NULL;
    Stimulus *stimulus = calloc(1, sizeof *stimulus);
    if (!stimulus)
        goto out_of_memory;
    stimulus->type = type;
    stimulus->spec = *spec;
    stimulus->state = calloc(1, type->state_bytes + 1);
    if (!stimulus->state || (type->open && !type->open(stimulus->state, &stimulus->spec)))
        goto out_of_memory;
    return stimulus;
out_of_memory:
    stimulus_destroy(stimulus);
    snprintf(err, STIMULUS_ERR_BYTES, "%s: out of memory", type->name);
    return NULL;
}

void stimulus_scene(Stimulus *stimulus, int64_t frame, Scene *scene)
{
    assert(frame >= stimulus->last_frame);
    stimulus->last_frame = frame;
    *scene = (Scene){.kind = SCENE_UNIFORM, .background_lum = stimulus->spec.background_lum};
    if (stimulus->type->scene)
        stimulus->type->scene(stimulus->state, &stimulus->spec, frame, scene);
}

void stimulus_destroy(Stimulus *stimulus)
{
    if (!stimulus)
        return;
    if (stimulus->state && stimulus->type->close)
        stimulus->type->close(stimulus->state);
    free(stimulus->state);
    free(stimulus);
}

const char *stimulus_kind_name(StimulusKind kind)
{
    return types[kind]->name;
}
