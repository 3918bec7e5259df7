#include <math.h>
#include <stdio.h>

#include "render/stimulus_type.h"

static bool check(const StimulusSpec *spec, char *err)
{
    const ReversalSpec *reversal = &spec->reversal;
    if (!stimulus_bar_fits(spec, &reversal->bar, err))
        return false;
    if (!(reversal->bar.speed_um_per_frame > 0)) {
        snprintf(err, STIMULUS_ERR_BYTES,
                 "speed_um_per_frame: a bar at rest cannot turn back; allowed is more than 0");
        return false;
    }
    return stimulus_in_range("turn_um", reversal->turn_um, reversal->bar.start_um, 1e6, err);
}

/* Outward until the turn, then back at the same speed; the turn may fall between two frames. */
static void scene_at(void *state, const StimulusSpec *spec, int64_t frame, Scene *scene)
{
    (void)state;
    const ReversalSpec *reversal = &spec->reversal;
    const BarSpec *bar = &reversal->bar;
    double onward_um = bar->start_um + bar->speed_um_per_frame * (double)frame;
    double centre_um = reversal->turn_um - fabs(onward_um - reversal->turn_um);
    stimulus_bar_scene(spec, bar, centre_um, scene);
}

const StimulusType stim_reversal = {.name = "reversal", .check = check, .scene = scene_at};
