#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "render/philox.h"
#include "render/ran1.h"
#include "render/stimulus_type.h"

typedef struct {
    float *lum;      // owned, (rows, columns)
    int64_t pattern; // the one in lum; −1 before the first
    Ran1 ran1;
} Checkerboard;

static const CheckerboardSpec *board_of(const StimulusSpec *spec)
{
    return &spec->checkerboard;
}

static bool contrast_fits(const StimulusSpec *spec, char *err)
{
    double contrast = board_of(spec)->contrast;
    if (board_of(spec)->distribution == NOISE_GAUSSIAN)
        return stimulus_in_range("contrast", contrast, 0, 10, err);
    return stimulus_in_range("contrast", contrast, 0, 1, err) &&
           stimulus_contrast_fits(spec, contrast, err);
}

static bool check(const StimulusSpec *spec, char *err)
{
    const CheckerboardSpec *board = board_of(spec);
    const double seed_limit = board->generator == NOISE_RAN1 ? 2147483646 : 9007199254740992;
    if (board->generator == NOISE_RAN1 && board->seed >= 0) {
        snprintf(err, STIMULUS_ERR_BYTES,
                 "seed: %lld is no seed of a ran1 stream; allowed are -2147483646 to -1",
                 (long long)board->seed);
        return false;
    }
    return stimulus_in_range("columns", board->columns, 1, SCENE_MAX_CHECKS, err) &&
           stimulus_in_range("rows", board->rows, 1, SCENE_MAX_CHECKS, err) &&
           stimulus_in_range("check_um", board->check_um, 1e-3, 1e6, err) &&
           stimulus_in_range("hold_frames", (double)board->hold_frames, 1, 1e9, err) &&
           stimulus_in_range("seed", (double)board->seed, -seed_limit, seed_limit, err) &&
           contrast_fits(spec, err);
}

static bool open_board(void *state, const StimulusSpec *spec)
{
    Checkerboard *self = state;
    const CheckerboardSpec *board = board_of(spec);
    self->pattern = -1;
    self->lum = calloc((size_t)board->columns * (size_t)board->rows, sizeof *self->lum);
    if (board->generator == NOISE_RAN1)
        ran1_init(&self->ran1, board->seed);
    return self->lum != NULL;
}

static void close_board(void *state)
{
    Checkerboard *self = state;
    free(self->lum);
}

static PhiloxCounter words_at(const CheckerboardSpec *board, int64_t pattern, int block)
{
    uint64_t seed = (uint64_t)board->seed, index = (uint64_t)pattern;
    PhiloxCounter counter = {{(uint32_t)block, 0, (uint32_t)index, (uint32_t)(index >> 32)}};
    return philox(counter, (PhiloxKey){{(uint32_t)seed, (uint32_t)(seed >> 32)}});
}

/* Binary: check i is bit i mod 32 of word (i / 32) mod 4 of counter block i / 128. */
static void fill_counter_binary(Checkerboard *self, const StimulusSpec *spec, int64_t pattern)
{
    const CheckerboardSpec *board = board_of(spec);
    const float lum[2] = {stimulus_lum(spec, -board->contrast),
                          stimulus_lum(spec, board->contrast)};
    int checks = board->columns * board->rows;
    PhiloxCounter words = {{0}};
    for (int i = 0; i < checks; i++) {
        if (i % 128 == 0)
            words = words_at(board, pattern, i / 128);
        self->lum[i] = lum[words.words[i / 32 % 4] >> (i % 32) & 1];
    }
}

/* Gaussian: check i is word i mod 4 of counter block i / 4. */
static void fill_counter_gaussian(Checkerboard *self, const StimulusSpec *spec, int64_t pattern)
{
    const CheckerboardSpec *board = board_of(spec);
    int checks = board->columns * board->rows;
    PhiloxCounter words = {{0}};
    for (int i = 0; i < checks; i++) {
        if (i % 4 == 0)
            words = words_at(board, pattern, i / 4);
        self->lum[i] = stimulus_lum(spec, board->contrast * philox_normal(words.words[i % 4]));
    }
}

static void fill_ran1(Checkerboard *self, const StimulusSpec *spec)
{
    const CheckerboardSpec *board = board_of(spec);
    bool is_binary = board->distribution == NOISE_BINARY;
    for (int column = 0; column < board->columns; column++)
        for (int row = 0; row < board->rows; row++) {
            double deviate =
                is_binary ? (ran1_uniform(&self->ran1) >= 0.5 ? 1 : -1) : ran1_normal(&self->ran1);
            self->lum[row * board->columns + column] =
                stimulus_lum(spec, board->contrast * deviate);
        }
}

static void make_pattern(Checkerboard *self, const StimulusSpec *spec, int64_t pattern)
{
    const CheckerboardSpec *board = board_of(spec);
    if (board->generator == NOISE_COUNTER) {
        if (self->pattern != pattern && board->distribution == NOISE_BINARY)
            fill_counter_binary(self, spec, pattern);
        else if (self->pattern != pattern)
            fill_counter_gaussian(self, spec, pattern);
    } else {
        for (int64_t drawn = self->pattern; drawn < pattern; drawn++)
            fill_ran1(self, spec);
    }
    self->pattern = pattern;
}

static void scene_at(void *state, const StimulusSpec *spec, int64_t frame, Scene *scene)
{
    Checkerboard *self = state;
    const CheckerboardSpec *board = board_of(spec);
    make_pattern(self, spec, frame / board->hold_frames);
    scene->kind = SCENE_GRID;
    scene->grid = (SceneGrid){.lum = self->lum,
                              .columns = board->columns,
                              .rows = board->rows,
                              .check_um = board->check_um};
}

const StimulusType stim_checkerboard = {.name = "checkerboard",
                                        .state_bytes = sizeof(Checkerboard),
                                        .check = check,
                                        .open = open_board,
                                        .scene = scene_at,
                                        .close = close_board};
