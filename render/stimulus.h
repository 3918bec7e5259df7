#pragma once
/* A stimulus: what a trial shows, frame by frame, as scenes.
 *
 * A stimulus is opened once per trial condition from a StimulusSpec, outside the frame path, and
 * then asked for frames 0, 1, 2 … of its trial. Frames may be skipped (a refresh was missed) but
 * never asked for backwards. Contrast is Weber contrast on the trial's background: lum = background
 * * (1 + contrast). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/scene.h"

enum { STIMULUS_ERR_BYTES = 256 };

typedef enum {
    STIMULUS_BLANK,        // background only
    STIMULUS_FLICKER,      // a train of full-field flashes, one of which may be omitted
    STIMULUS_STEP,         // one full-field step or flash
    STIMULUS_BAR,          // a bar moving at constant speed
    STIMULUS_REVERSAL,     // a bar that moves to a place and turns back
    STIMULUS_CHECKERBOARD, // binary or Gaussian white noise
} StimulusKind;

typedef struct {
    int64_t period_frames, flash_frames; // onset to onset; 0 < flash_frames <= period_frames
    int64_t flash_count;                 // places in the train, the omitted one included
    int64_t omitted_flash;               // 1 … flash_count, 0 for none
    double contrast;
} FlickerSpec;

typedef struct {
    double contrast; // held for the whole trial
} StepSpec;

typedef struct {
    double contrast, width_um;
    double speed_um_per_frame;
    double direction_rad; // 0 to the right, π/2 up
    double start_um;      // bar centre at frame 0, along the direction
} BarSpec;

typedef struct {
    BarSpec bar;
    double turn_um; // where the bar centre turns back, not before start_um; reached at
                    // (turn − start) / speed frames
} ReversalSpec;

typedef enum { NOISE_BINARY, NOISE_GAUSSIAN } NoiseDistribution;
typedef enum {
    NOISE_COUNTER, // philox.h: any frame without the ones before it
    NOISE_RAN1,    // ran1.h: the published streams of retina labs; seed must be negative
} NoiseGenerator;

/* Counter-based noise is drawn along x, then down the rows from the top; ran1 noise down each
 * column from the top, then along x, then from pattern to pattern, as the package retinawhitenoise
 * fills (x, y, frames). Which end of y its authors' screen has on top is not published.
 *
 * NOISE_COUNTER: pattern n (frame / hold_frames) takes its words from philox({block, 0, n mod 2^32,
 * n / 2^32}, {seed mod 2^32, seed / 2^32}). Binary: check i is bright when bit i mod 32 of word
 * (i / 32) mod 4 of block i / 128 is set. Gaussian: check i is philox_normal(word i mod 4 of block
 * i / 4). NOISE_RAN1: one ran1_uniform() >= ½ (bright) or one ran1_normal() a check. */
typedef struct {
    int columns, rows; // 1 … SCENE_MAX_CHECKS
    double check_um;
    NoiseDistribution distribution;
    NoiseGenerator generator;
    double contrast;     // binary: ±contrast; Gaussian: SD, clipped to what the display can do
    int64_t hold_frames; // refreshes one pattern stays
    int64_t seed;
} CheckerboardSpec;

typedef struct {
    StimulusKind kind;
    float background_lum;
    union {
        FlickerSpec flicker;
        StepSpec step;
        BarSpec bar;
        ReversalSpec reversal;
        CheckerboardSpec checkerboard;
    };
} StimulusSpec;

typedef struct Stimulus Stimulus;

/* NULL with a sentence in err (STIMULUS_ERR_BYTES) when a number is out of range. */
Stimulus *stimulus_create(const StimulusSpec *spec, char *err);

/* Fills scene for frame 0, 1, … of the trial. On the frame path: no allocation, bounded work. What
 * the scene points to is lent until the next call. */
void stimulus_scene(Stimulus *stimulus, int64_t frame, Scene *scene);

void stimulus_destroy(Stimulus *stimulus);

const char *stimulus_kind_name(StimulusKind kind);
