#pragma once
/* The simulated retina: one small streaming circuit of outer retina, bipolar cells, amacrine cells
 * and ganglion cells on the pixel lattice.
 *
 * An existence proof, tuned on the four predictive phenomena (omitted stimulus, latency
 * coding, motion anticipation, motion reversal), not fitted to any recording; whatever it feeds is
 * to be labelled simulated. Its stages and where their form comes from:
 *   photoreceptor and bipolar   four one-pole low-passes, then a partial high-pass, on a centre
 *                               minus a delayed surround
 *   bipolar terminal            rectified, divided by 1 + A^4 of its own leaky past (Berry et al.
 *                               1999; adaptive cascade of Chen et al. 2013, 2014); the two ON
 *                               pathways are inhibited by the OFF pathway
 *   crossover amacrine          OFF-driven, glycinergic, through a depressing synapse (Ebert et
 *                               al. 2024)
 *   wide-field amacrine         feed-forward onto the ganglion cell
 *   ganglion cell               pools the three pathways (Tanaka et al. 2019), thresholds, divides
 *                               by its own leaky past
 * The update runs in sub-steps of 1 ms; the luminance of a bin is held through them and the rate of
 * a bin is the mean over them. All is causal: the rates of a bin are known with its luminance.
 *
 * Borders: every Gaussian pool is an average over the pixels there are (each row of weights
 * sums to 1), so a full-field stimulus acts as on an endless retina, and a bar that spans the field
 * acts as on one endless along the bar. No light is invented outside; a cell within
 * about 0.4 mm of the border sees a surround cut short.
 *
 * What the tuning left of the literature: the depressing synapse changes nothing in this set of
 * parameters, and without crossover inhibition the reversal response is gone, against Chen et al.
 * 2014; forms are taken from reviews of these papers, numbers from no paper.
 *
 * Every mechanism has a switch (circuit_block()), and every one works by numbers of CircuitParams
 * alone. One thread at a time per circuit. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

enum {
    CIRCUIT_SUBSTEPS = 10, // a bin
    CIRCUIT_PRESET_CELLS = 24,
};

typedef enum { CIRCUIT_OFF, CIRCUIT_ON_FAST, CIRCUIT_ON_SLOW, CIRCUIT_PATHWAYS } CircuitPathwayName;

typedef struct {
    float tau_ms;   // each of the four low-passes
    float kap;      // share of the slow copy taken away: 1 fully transient
    float tb_ms;    // of the slow copy
    float th;       // threshold of the terminal, contrast
    float h, ta_ms; // gain control: strength and memory
    float wi;       // crossover inhibition received
    float floor;    // least release: 0 rectifies, −∞ does not
    float share;    // of the release that ganglion cells get: 1, or 0 blocked
} CircuitPathway;

typedef struct {
    CircuitPathway pathway[CIRCUIT_PATHWAYS];
    float sc_um, ss_um, ts_ms, ws;   // centre and surround pools, surround delay, weight
    float sam_um, tam_ms, tham;      // crossover amacrine: pool, low-pass, threshold
    float tr_ms, u_per_ms, ti_ms;    // its synapse: recovery, depression, current decay
    float sw_um, tw_ms, twin_ms, ww; // wide-field amacrine: pool, two low-passes, weight
    float tm_ms, hg, tg_ms;          // ganglion cell: membrane, gain control
} CircuitParams;

typedef struct {
    char name[MODEL_NAME_BYTES];
    float x_um, y_um;          // receptive-field centre; x right, y up, centre of the raster 0
    float w[CIRCUIT_PATHWAYS]; // of each pathway
    float thg, alpha_hz;       // threshold, and rate for a unit above it
    float sg_um;               // pool
} CircuitCell;

/* Classes of ganglion cells, each on a triangular lattice of its own around one centre. */
typedef struct {
    const CircuitCell *classes; // (class_count) named as the class; their places are not used
    int class_count;
    int sites; // of each class: the nearest to the centre
    double x_um, y_um, spacing_um;
    double jitter_um; // most that a site is off, in x and in y
    double spread;    // weights, threshold, alpha and pool are off by factors of 1 ± spread
    uint64_t seed;
} CircuitLattice;

typedef struct {
    char name[MODEL_NAME_BYTES];
    int width_px, height_px;
    double um_per_px;
    double lum_mean, lum_sd; // contrast = (luminance − lum_mean) / lum_sd
    CircuitParams params;
    char note[256];           // what is not as tuned, for the provenance; "" when nothing
    const CircuitCell *cells; // (cell_count), copied
    int cell_count;
} CircuitSpec;

typedef struct Circuit Circuit;

/* A set of parameters, and the cell that was tuned with it, at the centre of the pixel right of and
 * above the middle:
 *   tuned       all four phenomena at once; alpha 1412 Hz
 *   equal-tau   the same with OFF and fast ON equally slow
 *   depressing  a rival: the depressing synapse does the scaling of the omitted-stimulus latency
 *               (Ebert et al. 2024); full field only: its pools in space are those of "tuned"
 *   reversal    a rival: motion reversal alone, by bipolar gain control, hardly any inhibition
 *               (Chen et al. 2014)
 * The rivals were tuned in steps of 5 ms; at 1 ms their latencies are some ms longer. */
typedef struct {
    const char *name;
    CircuitParams params;
    CircuitCell cell;
} CircuitVariant;

/* NULL with a sentence in err (MODEL_ERR_BYTES) that lists the names there are. */
const CircuitVariant *circuit_variant(const char *name, char *err);

/* Switches off what `name` stands for, and notes it in the spec:
 *   no-surround no-crossover no-depression no-wide-field no-inhibition
 *   no-gain-off no-gain-on no-gain-ganglion no-gain
 *   no-off no-on-fast no-on-slow no-on        excitation of the ganglion cells by a pathway
 *   linear linear-on-fast linear-on-slow linear-all    only the kernel of OFF (of another, of all):
 *        no terminal threshold, gain control nor inhibition; what is left is an LN model
 * False with a sentence in err that lists the names there are. */
bool circuit_block(CircuitSpec *spec, const char *name, char *err);

/* The tuned parameters and their cell: the variant "tuned". */
CircuitParams circuit_params(void);
CircuitCell circuit_tuned_cell(void);

/* cells (class_count × sites), class after class, named CLASS-1, CLASS-2 …: the first of a class is
 * the class itself, at the centre and neither jittered nor varied. */
void circuit_fill_lattice(const CircuitLattice *lattice, CircuitCell *cells);

/* The preparation that goes by the model name "circuit": eight cells each of three classes (full:
 * tuned; fast: without slow ON, its reversal response to bright bars is deficient; slow: without
 * fast ON, no omitted-stimulus and no dark reversal response), 50×50 pixels of 50 µm. Threshold and
 * rate are not the tuning's, which fires at 40 Hz in natural-like noise: 0.006 instead of 0.001146,
 * and a quarter of the spikes. cells (CIRCUIT_PRESET_CELLS) is filled. */
CircuitSpec circuit_preset(CircuitCell *cells);

/* A built-in circuit by its model name; cells (CIRCUIT_PRESET_CELLS) is filled:
 *   circuit          circuit_preset()
 *   circuit-tuned    22 cells just as tuned, in a row within ±250 µm of (25, 25)
 *   circuit-equal-tau circuit-depressing circuit-reversal
 *                    three classes of the variant's cell, as in circuit_preset()
 * and, after a slash, switches with commas between them: circuit/no-crossover,no-gain. */
bool circuit_named(const char *name, CircuitSpec *spec, CircuitCell *cells, char *err);

/* NULL with a sentence in err (MODEL_ERR_BYTES) that names the parameter or the cell. */
Circuit *circuit_create(const CircuitSpec *spec, char *err);
const ModelInfo *circuit_info(const Circuit *circuit);

/* lum (height_px, width_px), row 0 on top; rates_hz (cells) of this very bin. */
void circuit_step(Circuit *circuit, const float *lum, float *rates_hz);

/* As circuit_step(), but keeps the rate of every sub-step: rates_hz (CIRCUIT_SUBSTEPS, cells). */
void circuit_step_fine(Circuit *circuit, const float *lum, float *rates_hz);

/* What is carried from sub-step to sub-step, for keeping outside and putting back. */
size_t circuit_state_bytes(const Circuit *circuit);
void circuit_keep(const Circuit *circuit, void *state);
void circuit_restore(Circuit *circuit, const void *state);

void circuit_mark(Circuit *circuit);
void circuit_rewind(Circuit *circuit);
void circuit_reset(Circuit *circuit);
void circuit_destroy(Circuit *circuit);
