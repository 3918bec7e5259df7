#pragma once
/* A retina model as the frame loop sees it: one time bin of luminance in, one rate per cell out.
 *
 * A model keeps its own past. model_step() appends a bin and returns the rates that bin makes
 * known; model_settle() does the part of the next bins' work that needs no new luminance. mark and
 * rewind let the loop take back the bins of a frame that did not reach the screen when it was meant
 * to. One thread at a time per model. After model_open() nothing allocates, locks or prints. */
#include <stdbool.h>
#include <stdint.h>

enum {
    MODEL_ERR_BYTES = 512,
    MODEL_NAME_BYTES = 64,
    MODEL_MAX_CELLS = 1024,
    MODEL_MAX_REWIND_BINS = 8, // bins between mark and rewind
};

typedef struct {
    char name[MODEL_NAME_BYTES];
    char kind[16]; // "cnn", "subunit", "glm", "ln", "reduced", "circuit"
    int width_px, height_px;
    double um_per_px;
    double bin_hz;           // time bins a second
    int history_bins;        // bins that shape a response; 0: recursive, no fixed length
    int lag_bins;            // the bins up to t make the rate of bin t + lag_bins known; 0 or more
    double lum_mean, lum_sd; // the model's input is (luminance − lum_mean) / lum_sd
    int cells;
    const char *const *cell_names;      // (cells)
    const float *cell_x_um, *cell_y_um; // (cells) receptive-field centres, x right, y up, centre of
                                        // the raster 0; NULL when the file does not say
    const char *stimulus;   // the one kind of stimulus it stands for, as protocols name it ("flicker",
                            // "step", "bar", "reversal"); NULL for any
    const char *provenance; // where it came from, e.g. "fitted to the simulated retina …"
    const char *licence;
    bool is_simulated; // the model is, or was fitted to, the simulated retina
} ModelInfo;

/* First-layer maps for the console; lent until the next step. channels 0: the model has none. */
typedef struct {
    int channels, width_px, height_px;
    const float *activity; // (channels, height_px, width_px), after rectification
} ModelMaps;

typedef struct Model Model;

/* What a model kind must bring. state is the model's own; all entries run on the frame thread and
 * none may block. settle, maps and set_noise are optional. */
typedef struct {
    void (*step)(void *state, const float *lum, float *rates_hz);
    void (*settle)(void *state);
    void (*mark)(void *state);
    void (*rewind)(void *state);
    void (*reset)(void *state);
    void (*maps)(const void *state, ModelMaps *maps);
    bool (*set_noise)(void *state, double sd, uint64_t seed);
    void (*close)(void *state);
} ModelInterface;

/* Whether the name is that of a built-in model, which needs no file: "circuit", or this followed by
 * '-' or '/' and no dot (circuit.h lists them). */
bool model_is_built_in(const char *name);

/* Opens a model file or a built-in model. NULL with one sentence in err (MODEL_ERR_BYTES) that
 * names the file, the key and what is allowed. Holds OpenBLAS, in the whole process, to one
 * thread: more only add jitter. */
Model *model_open(const char *name_or_path, char *err);
const ModelInfo *model_info(const Model *model);

/* lum (height_px, width_px), row 0 on top, linear luminance 0 … 1, mean over the bin.
 * rates_hz (cells), spikes a second in bin t + lag_bins. */
void model_step(Model *model, const float *lum, float *rates_hz);
void model_settle(Model *model);

/* mark remembers the present; rewind returns to it, at most MODEL_MAX_REWIND_BINS later; any number
 * of bins later when history_bins is 0. */
void model_mark(Model *model);
void model_rewind(Model *model);

/* Forgets the past: as if lum_mean had been shown for ever. */
void model_reset(Model *model);
void model_maps(const Model *model, ModelMaps *maps);

/* Gaussian noise of SD sd in front of every hidden unit's rectification, as networks are fitted with
 * it (McIntosh 2016: what makes the variability of their rates); 0 turns it off. The same seed
 * gives the same noise. Not while stepping: it may allocate. False when the kind has no hidden units,
 * or no memory is left. */
bool model_set_noise(Model *model, double sd, uint64_t seed);
void model_close(Model *model);
