#pragma once
/* Makes up one trial of a segment of the mix. */
#include "app/draws.h"
#include "app/mix.h"
#include "render/stimulus.h"

typedef struct {
    StimulusSpec spec;
    int64_t frames; // the background after it included
} MixTrial;

/* For every kind but MIX_NATURAL. */
MixTrial mix_trial(MixKind kind, Draws *draws, const Raster *raster, double bin_hz);
