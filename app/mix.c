#include "app/mix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/leaves.h"
#include "app/mix_trial.h"
#include "app/photographs.h"
#include "model/dataset.h"
#include "render/stimulus.h"

struct Mix {
    MixSpec spec;
    double shown[MIX_KINDS]; // bins
    double bins;
    int64_t segment, segment_left; // bins left of this segment
    MixKind kind;
    Draws draws; // of this segment
    Leaves *leaves;
    Photographs *photographs; // NULL: leaves
    Stimulus *stimulus;       // of this trial; NULL in natural segments
    int64_t frame, frames;
    float *lum; // (height_px, width_px)
};

static bool refuse(char *err, const char *why)
{
    snprintf(err, MIX_ERR_BYTES, "%s", why);
    return false;
}

static bool allocate(Mix *mix, char *err)
{
    const Raster *raster = &mix->spec.raster;
    mix->leaves = leaves_create(raster, mix->spec.bin_hz);
    mix->lum = malloc((size_t)raster->width_px * (size_t)raster->height_px * sizeof *mix->lum);
    if (!mix->leaves || !mix->lum)
        return refuse(err, "out of memory for the stimulus");
    if (mix->spec.photographs)
        mix->photographs = photographs_open(mix->spec.photographs, leaves_side(mix->leaves), err);
    return mix->photographs || !mix->spec.photographs;
}

Mix *mix_create(const MixSpec *spec, char *err)
{
    Mix *mix = calloc(1, sizeof *mix);
    if (!mix) {
        refuse(err, "out of memory for the stimulus");
        return NULL;
    }
    mix->spec = *spec;
    if (allocate(mix, err))
        return mix;
    mix_destroy(mix);
    return NULL;
}

static MixKind furthest_behind(const Mix *mix)
{
    double total = 0.0, worst = -HUGE_VAL;
    MixKind behind = MIX_NATURAL;
    for (int k = 0; k < MIX_KINDS; k++)
        total += mix->spec.share[k];
    for (int k = 0; k < MIX_KINDS; k++) {
        double missing = mix->spec.share[k] / total * (mix->bins + 1.0) - mix->shown[k];
        if (mix->spec.share[k] > 0.0 && missing > worst) {
            worst = missing;
            behind = (MixKind)k;
        }
    }
    return behind;
}

static bool show_photograph(Mix *mix, double contrast, char *err)
{
    int which = draw_int(&mix->draws, 0, photographs_count(mix->photographs) - 1);
    if (!photographs_read(mix->photographs, which, leaves_image(mix->leaves), err))
        return false;
    leaves_show_image(mix->leaves, contrast);
    return true;
}

static bool start_segment(Mix *mix, char *err)
{
    mix->kind = furthest_behind(mix);
    mix->draws = draws_start(mix->spec.seed, mix->spec.stream, (uint32_t)mix->segment++);
    mix->segment_left = (int64_t)ceil(mix->spec.segment_s * mix->spec.bin_hz);
    mix->frames = mix->frame = 0;
    if (mix->kind != MIX_NATURAL)
        return true;
    double contrast = draw_log_between(&mix->draws, 0.1, 0.4);
    if (mix->photographs)
        return show_photograph(mix, contrast, err);
    leaves_lay(mix->leaves, &mix->draws, contrast);
    return true;
}

static bool start_trial(Mix *mix, char *err)
{
    MixTrial trial = mix_trial(mix->kind, &mix->draws, &mix->spec.raster, mix->spec.bin_hz);
    stimulus_destroy(mix->stimulus);
    mix->stimulus = stimulus_create(&trial.spec, err);
    mix->frame = 0;
    mix->frames = trial.frames;
    return mix->stimulus != NULL;
}

bool mix_next(Mix *mix, uint8_t *levels, char *err)
{
    if (mix->segment_left == 0 && !start_segment(mix, err))
        return false;
    if (mix->kind == MIX_NATURAL) {
        leaves_view(mix->leaves, &mix->draws, mix->lum);
    } else {
        if (mix->frame == mix->frames && !start_trial(mix, err))
            return false;
        Scene scene;
        stimulus_scene(mix->stimulus, mix->frame++, &scene);
        scene_average(&scene, &mix->spec.raster, mix->lum);
    }
    for (int i = 0; i < mix->spec.raster.width_px * mix->spec.raster.height_px; i++)
        levels[i] = (uint8_t)lrintf(mix->lum[i] * (float)DATASET_LEVEL_WHITE);
    mix->segment_left--;
    mix->shown[mix->kind] += 1.0;
    mix->bins += 1.0;
    return true;
}

void mix_destroy(Mix *mix)
{
    if (!mix)
        return;
    leaves_destroy(mix->leaves);
    stimulus_destroy(mix->stimulus);
    photographs_close(mix->photographs);
    free(mix->lum);
    free(mix);
}
