#include "app/trial_bins.h"

#include <stdio.h>
#include <stdlib.h>

static int64_t trial_frames(const PlanTrial *trial)
{
    return trial->before_frames + trial->stimulus_frames + trial->after_frames;
}

static bool open_parts(TrialBins *bins, char *err)
{
    StimulusSpec spec = trial_stimulus(bins->plan, bins->trial);
    char why[STIMULUS_ERR_BYTES];
    int64_t frame_ticks, bin_ticks;
    int pixels = bins->raster.width_px * bins->raster.height_px;
    bins->stimulus = stimulus_create(&spec, why);
    if (!bins->stimulus) {
        snprintf(err, MODEL_ERR_BYTES, "trial %d: %s", bins->trial, why);
        return false;
    }
    if (!resample_ticks(bins->plan->refresh_hz, bins->bin_hz, &frame_ticks, &bin_ticks)) {
        snprintf(err, MODEL_ERR_BYTES, "bins of %g Hz do not go with a display of %g Hz",
                 bins->bin_hz, bins->plan->refresh_hz);
        return false;
    }
    snprintf(err, MODEL_ERR_BYTES, "out of memory for the light of trial %d", bins->trial);
    bins->lum = calloc((size_t)pixels, sizeof *bins->lum);
    return bins->lum && bin_average_init(&bins->average, pixels, frame_ticks, bin_ticks);
}

bool trial_bins_open(TrialBins *bins, const Plan *plan, int trial, const ModelInfo *info, char *err)
{
    const PlanTrial *planned = &plan->trials[trial];
    *bins = (TrialBins){.plan = plan,
                        .trial = trial,
                        .bin_hz = info->bin_hz,
                        .raster = {info->width_px, info->height_px, info->um_per_px}};
    if (!open_parts(bins, err)) {
        trial_bins_close(bins);
        return false;
    }
    bin_average_jump(&bins->average, planned->first_refresh);
    int64_t end = planned->first_refresh + trial_frames(planned);
    int64_t onset = planned->first_refresh + planned->before_frames;
    bins->first_bin = bins->average.bin;
    bins->bins = end * bins->average.frame_ticks / bins->average.bin_ticks - bins->first_bin;
    bins->onset_s = (double)onset / plan->refresh_hz - (double)bins->first_bin / bins->bin_hz;
    return true;
}

static void feed_frame(TrialBins *bins)
{
    Scene scene;
    trial_scene(bins->plan, bins->trial, bins->stimulus, bins->frame++, &scene);
    scene_average(&scene, &bins->raster, bins->lum);
    bin_average_feed(&bins->average, bins->lum);
}

const float *trial_bins_next(TrialBins *bins)
{
    int64_t frames = trial_frames(&bins->plan->trials[bins->trial]);
    const float *mean = bins->average.source ? bin_average_take(&bins->average) : NULL;
    while (!mean && bins->frame < frames) {
        feed_frame(bins);
        mean = bin_average_take(&bins->average);
    }
    return mean;
}

void trial_bins_close(TrialBins *bins)
{
    stimulus_destroy(bins->stimulus);
    bin_average_finish(&bins->average);
    free(bins->lum);
    *bins = (TrialBins){0};
}
