#pragma once
/* Which first-layer units of a convolutional network make a response: integrated gradients
 * (Sundararajan, Taly & Yan 2017; Tanaka et al. 2019).
 *
 * A cell's rate r depends on the window s of the last history_bins images, (luminance − lum_mean) /
 * lum_sd. The path s(α) = s0 + α (s − s0), α from 0 to 1, leads from the baseline s0, a uniform
 * light that has been on for ever, to s. The output of the first convolution is linear in s, so
 * with d = W ⊛ (s − s0) (no bias: it cancels) and z(α) = z(0) + α d
 *
 *     r(s) − r(s0) = Σ_cxy A_cxy,   A_cxy = G_cxy · d_cxy,   G_cxy = ∫ ∂r/∂z_cxy dα,
 *
 * and per pixel and lag A_τyx = (s − s0)_τyx · (Wᵀ G)_τyx, of the same sum. The papers' baseline is
 * lum_mean, s0 = 0; here it is whatever grey the retina has adapted to, and r(s0) is not 0.
 *
 * The integral is a sum over panels of the path. In a panel the first layer's rectifiers are
 * integrated exactly, the rest at its middle. Completeness says what that misses, panel by panel:
 * the panel with the largest miss is halved until the sum, and its parts, miss less than allowed.
 *
 * Rates are in Hz, scale and softplus included. Kinds "cnn" and "subunit". Nothing but opening
 * allocates; one thread at a time. Layer order in all arrays here: (channels, height, width). */
#include <stdbool.h>

#include "model/cnn.h"
#include "model/cnn_file.h"

enum { ATTRIBUTION_STEPS_MAX = 512 };

typedef struct {
    int steps_least, steps_most; // panels: to begin with, 1 or more; at most, to
                                 // ATTRIBUTION_STEPS_MAX
    double tolerance; // |ΣA − (r(s) − r(s0))| ≤ tolerance · max(|r(s) − r(s0)|, floor_hz)
    double gross_tolerance; // the same for Σ|miss| over the panels: what one panel misses cancels
                            // that of another in the sum, but not in the parts
    double floor_hz;
} AttributionRule;

/* 0.2 % net and 1 % gross, from 4 steps to ATTRIBUTION_STEPS_MAX; differences below 0.1 Hz are
 * judged as if they were 0.1 Hz. */
extern const AttributionRule attribution_default;

typedef struct {
    double rest_hz, rate_hz;             // r(s0), r(s)
    double sum_hz;                       // ΣA
    double residual_hz;                  // ΣA − (r(s) − r(s0))
    double residual;                     // |residual_hz| / max(|r(s) − r(s0)|, floor_hz)
    int steps;                           // panels in the sum
    double channel_hz[CNN_CHANNELS_MAX]; // Σ_xy A_cxy
    const float *units_hz;               // A; lent until the next measurement, as the next two
    const float *weights;                // G, Hz for a unit of d
    const float *drive;                  // d
} AttributionResult;

typedef struct Attribution Attribution;

/* Copies what it needs; the file may go. NULL with a sentence in err (MODEL_ERR_BYTES). The
 * baseline is lum_mean until attribution_adapt(). Holds OpenBLAS to one thread, as model_open(). */
Attribution *attribution_open(const ModelFile *file, char *err);
void attribution_close(Attribution *attribution);

/* The first layer, and the cells. */
CnnUnits attribution_units(const Attribution *attribution);
int attribution_cells(const Attribution *attribution);

/* The baseline: lum everywhere, for ever; the window becomes it. */
void attribution_adapt(Attribution *attribution, double lum);

/* Channels (is_silent, one each; NULL: none) whose units stay as the baseline leaves them, whatever
 * is shown: ablation. Copied; holds until the next call. */
void attribution_silence(Attribution *attribution, const bool *is_silent);

/* One bin later: lum (height_px, width_px). */
void attribution_feed(Attribution *attribution, const float *lum);

/* rates_hz (cells) of the window: those of model_step(). */
void attribution_rates(Attribution *attribution, float *rates_hz);

/* Attributes the rate of one cell to the window. */
void attribution_measure(Attribution *attribution, int cell, const AttributionRule *rule,
                         AttributionResult *result);

/* pixels_hz (history_bins, height_px, width_px), oldest first, of the measurement just made. */
void attribution_pixels(Attribution *attribution, float *pixels_hz);

/* ---- symmetric stimuli
 *
 * A window that is the same everywhere drives all units of a channel alike: 8 numbers say all of
 * the published network's 8 × 36 × 36. A bar across the field needs one a channel and place. */
typedef enum {
    ATTRIBUTION_SYMMETRY_NONE,
    ATTRIBUTION_SYMMETRY_ALONG_Y, // an upright bar: places are columns
    ATTRIBUTION_SYMMETRY_ALONG_X, // a lying bar: places are rows
    ATTRIBUTION_SYMMETRY_FULL,    // full field: one place
} AttributionSymmetry;

/* By how much the window breaks the symmetry: the largest difference within a column, a row or an
 * image, in units of lum_sd. 0 for NONE. */
double attribution_deviation(const Attribution *attribution, AttributionSymmetry symmetry);

/* Places of the folded layer; the number of units for NONE is places · channels, as for all. */
int attribution_places(const Attribution *attribution, AttributionSymmetry symmetry);

/* The measurement just made, by the few numbers the symmetry leaves: with kernels summed along it
 * and one line (or pixel) of every image, folded_hz (channels, places) = d_c,place · Σ G. Returns
 * their sum. Right only where the window has the symmetry. Not for NONE. */
double attribution_fold(const Attribution *attribution, AttributionSymmetry symmetry,
                        float *folded_hz);
