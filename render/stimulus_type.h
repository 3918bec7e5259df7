#pragma once
/* What one kind of stimulus brings to the table in stimulus.c. Private to the stim_*.c files.
 *
 * check() says in err (STIMULUS_ERR_BYTES) what is out of range and what is allowed. open() gets
 * zeroed memory of state_bytes and may allocate; false when out of memory, and then close() is
 * still called. scene() gets a scene of kind SCENE_UNIFORM with the background filled in. NULL
 * entries do nothing. */
#include "render/stimulus.h"

typedef struct {
    const char *name;
    size_t state_bytes;
    bool (*check)(const StimulusSpec *spec, char *err);
    bool (*open)(void *state, const StimulusSpec *spec);
    void (*scene)(void *state, const StimulusSpec *spec, int64_t frame, Scene *scene);
    void (*close)(void *state);
} StimulusType;

extern const StimulusType stim_blank, stim_flicker, stim_step, stim_bar, stim_reversal,
    stim_checkerboard;

/* False, with a sentence in err, when value is not within low … high (NaN is not). key is the name
 * the sentence uses. */
bool stimulus_in_range(const char *key, double value, double low, double high, char *err);

/* False, with a sentence in err, when background·(1 + contrast) is not a luminance 0 … 1. */
bool stimulus_contrast_fits(const StimulusSpec *spec, double contrast, char *err);

/* background·(1 + contrast), kept within 0 … 1. */
float stimulus_lum(const StimulusSpec *spec, double contrast);

/* What a moving bar and a reversing one share. */
bool stimulus_bar_fits(const StimulusSpec *spec, const BarSpec *bar, char *err);
void stimulus_bar_scene(const StimulusSpec *spec, const BarSpec *bar, double centre_um,
                        Scene *scene);
