#include "model/circuit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

/* States that decay would pass through the subnormal numbers, where arithmetic is a hundred times
 * slower; a resting input far below every threshold keeps them out. The gain state is raised to the
 * fourth power, so its own rest is higher. */
#define REST      1e-20f
#define GAIN_REST 1e-8f

static const float STEP_MS = 1.0f;

/* Planes of the state, each (height_px, width_px). */
enum {
    PLANE_SURROUND,
    PLANE_CROSSOVER,
    PLANE_CURRENT,
    PLANE_RESOURCE,
    PLANE_PATHWAYS, // from here on STAGES planes a pathway
    STAGES = 6,     // four low-passes, slow copy, gain
    PLANES = PLANE_PATHWAYS + STAGES * CIRCUIT_PATHWAYS,
};

/* States of a ganglion cell, each (cells). */
enum { CELL_WIDE, CELL_WIDE_LATE, CELL_POTENTIAL, CELL_GAIN, CELL_STATES };

struct Circuit {
    ModelInfo info;
    CircuitParams params;
    CircuitCell *cells; // (cells)
    const char **names; // (cells)
    float *cell_x_um, *cell_y_um;
    int width_px, height_px, points;
    float *pool_x[3], *pool_y[3]; // Gaussian rows: (width, width), (height, height); POOL_*
    float *excitation;            // (cells, points), the ganglion cell's pool
    float *wide;                  // (cells, points), the wide-field amacrine's pool there
    float *state, *marked;        // (PLANES * points + CELL_STATES * cells)
    size_t state_count;
    float *contrast, *centre, *outer; // (points) input; after the centre and surround pools
    float *input;                     // (points) centre less surround
    float *drive;                     // (CIRCUIT_PATHWAYS, points) what the terminals release
    float *pooled, *scratch;          // (points)
    float *pulled;                    // (CIRCUIT_PATHWAYS + 1, cells) pooled drives, wide last
};

enum { POOL_CENTRE, POOL_SURROUND, POOL_CROSSOVER };

CircuitParams circuit_params(void)
{
    return (CircuitParams){
        .pathway =
            {
                [CIRCUIT_OFF] = {30.84f, 0.9954f, 80.7f, 0.001652f, 40.14f, 397.9f, 0.0f},
                [CIRCUIT_ON_FAST] = {29.92f, 0.9971f, 32.72f, 0.0004997f, 46.9f, 339.9f, 13.51f},
                [CIRCUIT_ON_SLOW] = {59.22f, 0.3404f, 123.5f, 0.04043f, 1.1f, 336.8f, 14.31f},
            },
        .sc_um = 48.1f,
        .ss_um = 150.8f,
        .ts_ms = 5.626f,
        .ws = 0.5746f,
        .sam_um = 184.5f,
        .tam_ms = 18.33f,
        .tham = 0.001248f,
        .tr_ms = 154.4f,
        .u_per_ms = 0.04847f,
        .ti_ms = 24.78f,
        .sw_um = 106.2f,
        .tw_ms = 25.8f,
        .twin_ms = 2.066f,
        .ww = 0.2821f,
        .sg_um = 144.0f,
        .tm_ms = 10.3f,
        .hg = 14.37f,
        .tg_ms = 258.8f,
    };
}

CircuitCell circuit_tuned_cell(void)
{
    return (CircuitCell){
        .name = "tuned",
        .x_um = 25.0f,
        .y_um = 25.0f,
        .w = {1.0f, 1.57f, 0.6409f},
        .thg = 0.001146f,
        .alpha_hz = 1412.0f,
    };
}

CircuitSpec circuit_preset(CircuitCell *cells)
{
    static const char *const classes[] = {"full", "fast", "slow"};
    static const CircuitPathwayName missing[] = {CIRCUIT_PATHWAYS, CIRCUIT_ON_SLOW,
                                                 CIRCUIT_ON_FAST};
    static const float places_um[][2] = {{25.0f, 25.0f}, {-225.0f, 125.0f}, {175.0f, -225.0f}};
    for (int i = 0; i < CIRCUIT_PRESET_CELLS; i++) {
        CircuitCell cell = circuit_tuned_cell();
        snprintf(cell.name, sizeof cell.name, "%s-%d", classes[i / 3], i % 3 + 1);
        cell.x_um = places_um[i % 3][0];
        cell.y_um = places_um[i % 3][1];
        if (missing[i / 3] != CIRCUIT_PATHWAYS)
            cell.w[missing[i / 3]] = 0.0f;
        cell.alpha_hz *= 0.25f;
        cells[i] = cell;
    }
    return (CircuitSpec){
        .name = "circuit",
        .width_px = 50,
        .height_px = 50,
        .um_per_px = 50.0,
        .lum_mean = 0.5,
        .lum_sd = 0.25,
        .params = circuit_params(),
        .cells = cells,
        .cell_count = CIRCUIT_PRESET_CELLS,
    };
}

static float keep_of(float t_ms)
{
    return 1.0f - expf(-STEP_MS / t_ms);
}

/* The far tail of a Gaussian is cut: it weighs nothing, and its products would be subnormal. */
static float weight_of(double share)
{
    return share > 1e-12 ? (float)share : 0.0f;
}

/* rows (n, n): row i holds the Gaussian around pixel i, summing to 1 over the pixels there are. */
static float *gaussian_rows(int n, double sigma_px)
{
    float *rows = malloc((size_t)n * (size_t)n * sizeof *rows);
    if (!rows)
        return NULL;
    for (int i = 0; i < n; i++) {
        double sum = 0.0;
        for (int j = 0; j < n; j++)
            sum += exp(-0.5 * (i - j) * (i - j) / (sigma_px * sigma_px));
        for (int j = 0; j < n; j++)
            rows[i * n + j] = weight_of(exp(-0.5 * (i - j) * (i - j) / (sigma_px * sigma_px)) / sum);
    }
    return rows;
}

/* weights (points) := the Gaussian around the cell, summing to 1 over the raster. */
static void fill_pool(const Circuit *c, const CircuitCell *cell, double sigma_um, float *weights)
{
    double um_per_px = c->info.um_per_px, sum = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (int row = 0; row < c->height_px; row++)
            for (int col = 0; col < c->width_px; col++) {
                double x = (col + 0.5 - 0.5 * c->width_px) * um_per_px - (double)cell->x_um;
                double y = (0.5 * c->height_px - row - 0.5) * um_per_px - (double)cell->y_um;
                double g = exp(-0.5 * (x * x + y * y) / (sigma_um * sigma_um));
                if (pass == 0)
                    sum += g;
                else
                    weights[row * c->width_px + col] = weight_of(g / sum);
            }
}

static const char *wrong_param(const CircuitParams *p)
{
    const float times[] = {p->ts_ms, p->tam_ms,  p->tr_ms, p->ti_ms,
                           p->tw_ms, p->twin_ms, p->tm_ms, p->tg_ms};
    const float widths[] = {p->sc_um, p->ss_um, p->sam_um, p->sw_um, p->sg_um};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (!(times[i] > 0.0f))
            return "every time constant must be above 0 ms";
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (!(widths[i] > 0.0f))
            return "every pool must be wider than 0 um";
    for (int k = 0; k < CIRCUIT_PATHWAYS; k++)
        if (!(p->pathway[k].tau_ms > 0.0f && p->pathway[k].tb_ms > 0.0f &&
              p->pathway[k].ta_ms > 0.0f))
            return "every time constant of a pathway must be above 0 ms";
    return p->u_per_ms >= 0.0f ? NULL : "u_per_ms must be 0 or more";
}

static bool check_spec(const CircuitSpec *spec, char *err)
{
    const char *wrong = wrong_param(&spec->params);
    if (wrong) {
        snprintf(err, MODEL_ERR_BYTES, "circuit: %s", wrong);
        return false;
    }
    if (spec->cell_count < 1 || spec->cell_count > MODEL_MAX_CELLS) {
        snprintf(err, MODEL_ERR_BYTES, "circuit: %d cells; 1 to %d are allowed", spec->cell_count,
                 MODEL_MAX_CELLS);
        return false;
    }
    if (spec->width_px < 1 || spec->height_px < 1 || !(spec->um_per_px > 0.0) ||
        !(spec->lum_sd > 0.0)) {
        snprintf(err, MODEL_ERR_BYTES,
                 "circuit: raster %d by %d px of %g um, luminance SD %g; all must be above 0",
                 spec->width_px, spec->height_px, spec->um_per_px, spec->lum_sd);
        return false;
    }
    for (int i = 0; i < spec->cell_count; i++) {
        const CircuitCell *cell = &spec->cells[i];
        double x = fabs((double)cell->x_um), y = fabs((double)cell->y_um);
        if (!(x <= 0.5 * spec->width_px * spec->um_per_px &&
              y <= 0.5 * spec->height_px * spec->um_per_px)) {
            snprintf(err, MODEL_ERR_BYTES,
                     "circuit: cell %s at (%g, %g) um lies outside the field of %g by %g um",
                     cell->name, (double)cell->x_um, (double)cell->y_um,
                     spec->width_px * spec->um_per_px, spec->height_px * spec->um_per_px);
            return false;
        }
    }
    return true;
}

static bool allocate(Circuit *c, const CircuitSpec *spec)
{
    size_t points = (size_t)c->points, cells = (size_t)spec->cell_count;
    const double sigma_um[] = {(double)spec->params.sc_um, (double)spec->params.ss_um,
                               (double)spec->params.sam_um};
    bool ok = true;
    for (int i = 0; i < 3; i++) {
        c->pool_x[i] = gaussian_rows(c->width_px, sigma_um[i] / spec->um_per_px);
        c->pool_y[i] = gaussian_rows(c->height_px, sigma_um[i] / spec->um_per_px);
        ok = ok && c->pool_x[i] && c->pool_y[i];
    }
    c->state_count = PLANES * points + CELL_STATES * cells;
    float **blocks[] = {&c->excitation, &c->wide,  &c->state,  &c->marked,
                        &c->contrast,   &c->centre, &c->outer, &c->input,
                        &c->drive,      &c->pooled, &c->scratch, &c->pulled,
                        &c->cell_x_um,  &c->cell_y_um};
    const size_t counts[] = {cells * points, cells * points,          c->state_count, c->state_count,
                             points,         points,                  points,         points,
                             CIRCUIT_PATHWAYS * points, points,       points,
                             (CIRCUIT_PATHWAYS + 1) * cells, cells,   cells};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        *blocks[i] = calloc(counts[i], sizeof **blocks[i]);
        ok = ok && *blocks[i];
    }
    c->cells = calloc(cells, sizeof *c->cells);
    c->names = calloc(cells, sizeof *c->names);
    return ok && c->cells && c->names;
}

static void fill_info(Circuit *c, const CircuitSpec *spec)
{
    for (int i = 0; i < spec->cell_count; i++) {
        c->cells[i] = spec->cells[i];
        c->names[i] = c->cells[i].name;
        c->cell_x_um[i] = c->cells[i].x_um;
        c->cell_y_um[i] = c->cells[i].y_um;
    }
    c->info = (ModelInfo){
        .kind = "circuit",
        .width_px = spec->width_px,
        .height_px = spec->height_px,
        .um_per_px = spec->um_per_px,
        .bin_hz = 100.0,
        .lum_mean = spec->lum_mean,
        .lum_sd = spec->lum_sd,
        .cells = spec->cell_count,
        .cell_names = c->names,
        .cell_x_um = c->cell_x_um,
        .cell_y_um = c->cell_y_um,
        .provenance = "simulated retina: a circuit tuned by hand of an optimiser on the four "
                      "predictive phenomena, not fitted to any recording",
        .licence = "MIT",
        .is_simulated = true,
    };
    snprintf(c->info.name, sizeof c->info.name, "%.*s", MODEL_NAME_BYTES - 1, spec->name);
}

Circuit *circuit_create(const CircuitSpec *spec, char *err)
{
    if (!check_spec(spec, err))
        return NULL;
    openblas_set_num_threads(1);
    Circuit *c = calloc(1, sizeof *c);
    if (c) {
        c->params = spec->params;
        c->width_px = spec->width_px;
        c->height_px = spec->height_px;
        c->points = spec->width_px * spec->height_px;
    }
    if (!c || !allocate(c, spec)) {
        snprintf(err, MODEL_ERR_BYTES, "circuit: out of memory for %d by %d px and %d cells",
                 spec->width_px, spec->height_px, spec->cell_count);
        circuit_destroy(c);
        return NULL;
    }
    fill_info(c, spec);
    for (int i = 0; i < spec->cell_count; i++) {
        size_t at = (size_t)i * (size_t)c->points;
        fill_pool(c, &c->cells[i], (double)c->params.sg_um, c->excitation + at);
        fill_pool(c, &c->cells[i], (double)c->params.sw_um, c->wide + at);
    }
    circuit_reset(c);
    circuit_mark(c);
    return c;
}

const ModelInfo *circuit_info(const Circuit *c)
{
    return &c->info;
}

/* out := G_y · in · G_xᵀ, both (height, width). */
static void pool(const Circuit *c, int which, const float *in, float *scratch, float *out)
{
    int w = c->width_px, h = c->height_px;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, h, w, w, 1.0f, in, w, c->pool_x[which], w,
                0.0f, scratch, w);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, h, w, h, 1.0f, c->pool_y[which], h,
                scratch, w, 0.0f, out, w);
}

static void step_surround(const Circuit *c)
{
    float a = keep_of(c->params.ts_ms), ws = c->params.ws;
    float *restrict s = c->state + PLANE_SURROUND * c->points;
    float *restrict input = c->input;
    const float *restrict outer = c->outer, *restrict centre = c->centre;
    for (int i = 0; i < c->points; i++) {
        s[i] += a * (outer[i] - s[i]);
        input[i] = centre[i] - ws * s[i];
    }
}

static void step_pathway(const Circuit *c, CircuitPathwayName k)
{
    const CircuitPathway *p = &c->params.pathway[k];
    int n = c->points;
    float *restrict l1 = c->state + (PLANE_PATHWAYS + STAGES * (int)k) * n;
    float *restrict l2 = l1 + n, *restrict l3 = l2 + n, *restrict l4 = l3 + n;
    float *restrict slow = l4 + n, *restrict gain = slow + n;
    float *restrict drive = c->drive + (int)k * n;
    const float *restrict input = c->input;
    const float *restrict current = c->state + PLANE_CURRENT * n;
    float a = keep_of(p->tau_ms), ab = keep_of(p->tb_ms), aa = keep_of(p->ta_ms);
    float sign = k == CIRCUIT_OFF ? -1.0f : 1.0f;
    float kap = p->kap, th = p->th, wi = p->wi, h = p->h;
    for (int i = 0; i < n; i++) {
        l1[i] += a * (input[i] - l1[i]);
        l2[i] += a * (l1[i] - l2[i]);
        l3[i] += a * (l2[i] - l3[i]);
        l4[i] += a * (l3[i] - l4[i]);
        slow[i] += ab * (l4[i] - slow[i]);
        float above = sign * (l4[i] - kap * slow[i]) - th - wi * current[i];
        float r = above > 0.0f ? above : 0.0f;
        float g2 = gain[i] * gain[i];
        drive[i] = r / (1.0f + g2 * g2);
        gain[i] += aa * (h * r + GAIN_REST - gain[i]);
    }
}

/* exp(−x) for x >= 0 as the inverse of the series of exp(x) to the fifth power: to 2e-6 below x = 0.3,
 * where the resource lives, and never above 1 nor below 0 beyond it. */
static inline float decay(float x)
{
    float series = 1.0f + x * 0.2f;
    series = 1.0f + x * 0.25f * series;
    series = 1.0f + x * (1.0f / 3.0f) * series;
    series = 1.0f + x * 0.5f * series;
    return 1.0f / (1.0f + x * series);
}

static void step_crossover(const Circuit *c)
{
    const CircuitParams *p = &c->params;
    int n = c->points;
    pool(c, POOL_CROSSOVER, c->drive + CIRCUIT_OFF * n, c->scratch, c->pooled);
    float *restrict crossover = c->state + PLANE_CROSSOVER * n;
    float *restrict current = c->state + PLANE_CURRENT * n;
    float *restrict resource = c->state + PLANE_RESOURCE * n;
    const float *restrict pooled = c->pooled;
    float a = keep_of(p->tam_ms), ai = keep_of(p->ti_ms);
    float tham = p->tham, u = p->u_per_ms, recovery = 1.0f / p->tr_ms;
    for (int i = 0; i < n; i++) {
        crossover[i] += a * (pooled[i] + REST - crossover[i]);
        float above = crossover[i] - tham;
        float q = above > 0.0f ? above : 0.0f;
        current[i] += ai * (q * resource[i] + REST - current[i]);
        float rate = recovery + u * q;
        float level = recovery / rate;
        resource[i] = level + (resource[i] - level) * decay(STEP_MS * rate);
    }
}

/* rates_hz (cells) of this sub-step. */
static void step_cells(const Circuit *c, float *rates_hz)
{
    const CircuitParams *p = &c->params;
    int n = c->points, cells = c->info.cells;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, CIRCUIT_PATHWAYS, cells, n, 1.0f, c->drive,
                n, c->excitation, n, 0.0f, c->pulled, cells);
    float *wide_pool = c->pulled + CIRCUIT_PATHWAYS * cells;
    cblas_sgemv(CblasRowMajor, CblasNoTrans, cells, n, 1.0f, c->wide, n, c->drive + CIRCUIT_OFF * n,
                1, 0.0f, wide_pool, 1);
    float *wide = c->state + PLANES * n, *wide_late = wide + CELL_WIDE_LATE * cells;
    float *potential = wide + CELL_POTENTIAL * cells, *gain = wide + CELL_GAIN * cells;
    float aw = keep_of(p->tw_ms), awin = keep_of(p->twin_ms);
    float am = keep_of(p->tm_ms), ag = keep_of(p->tg_ms);
    for (int i = 0; i < cells; i++) {
        wide[i] += aw * (wide_pool[i] + REST - wide[i]);
        wide_late[i] += awin * (wide[i] - wide_late[i]);
        float e = 0.0f;
        for (int k = 0; k < CIRCUIT_PATHWAYS; k++)
            e += c->cells[i].w[k] * c->pulled[k * cells + i];
        potential[i] += am * (e + REST - p->ww * wide_late[i] - potential[i]);
        float above = potential[i] - c->cells[i].thg;
        float spiking = above > 0.0f ? above : 0.0f;
        rates_hz[i] = c->cells[i].alpha_hz * spiking / (1.0f + gain[i]);
        gain[i] += ag * (p->hg * spiking + REST - gain[i]);
    }
}

void circuit_step_fine(Circuit *c, const float *lum, float *rates_hz)
{
    float mean = (float)c->info.lum_mean, scale = (float)(1.0 / c->info.lum_sd);
    for (int i = 0; i < c->points; i++)
        c->contrast[i] = (lum[i] - mean) * scale + REST;
    pool(c, POOL_CENTRE, c->contrast, c->scratch, c->centre);
    pool(c, POOL_SURROUND, c->contrast, c->scratch, c->outer);
    for (int sub = 0; sub < CIRCUIT_SUBSTEPS; sub++) {
        step_surround(c);
        for (int k = 0; k < CIRCUIT_PATHWAYS; k++)
            step_pathway(c, (CircuitPathwayName)k);
        step_crossover(c);
        step_cells(c, rates_hz + sub * c->info.cells);
    }
}

void circuit_step(Circuit *c, const float *lum, float *rates_hz)
{
    int cells = c->info.cells;
    float fine[CIRCUIT_SUBSTEPS * MODEL_MAX_CELLS];
    circuit_step_fine(c, lum, fine);
    for (int i = 0; i < cells; i++) {
        float sum = 0.0f;
        for (int sub = 0; sub < CIRCUIT_SUBSTEPS; sub++)
            sum += fine[sub * cells + i];
        rates_hz[i] = sum / (float)CIRCUIT_SUBSTEPS;
    }
}

void circuit_mark(Circuit *c)
{
    memcpy(c->marked, c->state, c->state_count * sizeof *c->state);
}

void circuit_rewind(Circuit *c)
{
    memcpy(c->state, c->marked, c->state_count * sizeof *c->state);
}

void circuit_reset(Circuit *c)
{
    memset(c->state, 0, c->state_count * sizeof *c->state);
    float *resource = c->state + PLANE_RESOURCE * c->points;
    for (int i = 0; i < c->points; i++)
        resource[i] = 1.0f;
}

void circuit_destroy(Circuit *c)
{
    if (!c)
        return;
    float *blocks[] = {c->excitation, c->wide,   c->state,   c->marked, c->contrast,
                       c->centre,     c->outer,  c->input,   c->drive,  c->pooled,
                       c->scratch,    c->pulled, c->cell_x_um, c->cell_y_um};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    for (int i = 0; i < 3; i++) {
        free(c->pool_x[i]);
        free(c->pool_y[i]);
    }
    free(c->cells);
    free(c->names);
    free(c);
}
