#include "model/circuit_state.h"

#include <math.h>
#include <string.h>

#include <cblas.h>

#include "model/kind.h"

/* States that decay would pass through the subnormal numbers, where arithmetic is a hundred times
 * slower; a resting input far below every threshold keeps them out. The gain state is raised to the
 * fourth power, so its own rest is higher. */
#define REST      1e-20f
#define GAIN_REST 1e-8f

static const float STEP_MS = 1.0f;

static float keep_of(float t_ms)
{
    return 1.0f - expf(-STEP_MS / t_ms);
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
    float kap = p->kap, th = p->th, wi = p->wi, h = p->h, floor = p->floor;
    for (int i = 0; i < n; i++) {
        l1[i] += a * (input[i] - l1[i]);
        l2[i] += a * (l1[i] - l2[i]);
        l3[i] += a * (l2[i] - l3[i]);
        l4[i] += a * (l3[i] - l4[i]);
        slow[i] += ab * (l4[i] - slow[i]);
        float above = sign * (l4[i] - kap * slow[i]) - th - wi * current[i];
        float r = above > floor ? above : floor;
        float g2 = gain[i] * gain[i];
        drive[i] = r / (1.0f + g2 * g2);
        gain[i] += aa * (h * r + GAIN_REST - gain[i]);
    }
}

/* exp(−x) for x >= 0 as the inverse of the series of exp(x) to the fifth power: to 2e-6 below x =
 * 0.3, where the resource lives, and never above 1 nor below 0 beyond it. */
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

/* pulled (planes, cells) := Σ_y y_weight Σ_x x_weight · plane (height, width), for every cell. */
static void pull(const Circuit *c, const float *x_weights, const float *y_weights,
                 const float *planes, int count, float *restrict pulled)
{
    int cells = c->info.cells, rows = count * c->height_px;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, cells, c->width_px, 1.0f, planes,
                c->width_px, x_weights, cells, 0.0f, c->across, cells);
    memset(pulled, 0, (size_t)(count * cells) * sizeof *pulled);
    for (int row = 0; row < rows; row++) {
        const float *restrict across = c->across + row * cells;
        const float *restrict weight = y_weights + row % c->height_px * cells;
        float *restrict sum = pulled + row / c->height_px * cells;
        for (int cell = 0; cell < cells; cell++)
            sum[cell] += weight[cell] * across[cell];
    }
}

/* rates_hz (cells) of this sub-step. */
static void step_cells(const Circuit *c, float *rates_hz)
{
    const CircuitParams *p = &c->params;
    int n = c->points, cells = c->info.cells;
    float *wide_pool = c->pulled + CIRCUIT_PATHWAYS * cells;
    pull(c, c->own_x, c->own_y, c->drive, CIRCUIT_PATHWAYS, c->pulled);
    pull(c, c->wide_x, c->wide_y, c->drive + CIRCUIT_OFF * n, 1, wide_pool);
    float *wide = c->state + PLANES * n, *wide_late = wide + CELL_WIDE_LATE * cells;
    float *potential = wide + CELL_POTENTIAL * cells, *gain = wide + CELL_GAIN * cells;
    float aw = keep_of(p->tw_ms), awin = keep_of(p->twin_ms);
    float am = keep_of(p->tm_ms), ag = keep_of(p->tg_ms);
    for (int i = 0; i < cells; i++) {
        wide[i] += aw * (wide_pool[i] + REST - wide[i]);
        wide_late[i] += awin * (wide[i] - wide_late[i]);
        float e = 0.0f;
        for (int k = 0; k < CIRCUIT_PATHWAYS; k++)
            e += p->pathway[k].share * c->cells[i].w[k] * c->pulled[k * cells + i];
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

size_t circuit_state_bytes(const Circuit *c)
{
    return c->state_count * sizeof *c->state;
}

void circuit_keep(const Circuit *c, void *state)
{
    memcpy(state, c->state, circuit_state_bytes(c));
}

void circuit_restore(Circuit *c, const void *state)
{
    memcpy(c->state, state, circuit_state_bytes(c));
}

void circuit_mark(Circuit *c)
{
    circuit_keep(c, c->marked);
}

void circuit_rewind(Circuit *c)
{
    circuit_restore(c, c->marked);
}

void circuit_reset(Circuit *c)
{
    memset(c->state, 0, c->state_count * sizeof *c->state);
    float *resource = c->state + PLANE_RESOURCE * c->points;
    for (int i = 0; i < c->points; i++)
        resource[i] = 1.0f;
}

static void kind_step(void *state, const float *lum, float *rates_hz)
{
    circuit_step(state, lum, rates_hz);
}

static void kind_mark(void *state)
{
    circuit_mark(state);
}

static void kind_rewind(void *state)
{
    circuit_rewind(state);
}

static void kind_reset(void *state)
{
    circuit_reset(state);
}

static void kind_close(void *state)
{
    circuit_destroy(state);
}

static const ModelInterface circuit_interface = {
    .step = kind_step,
    .mark = kind_mark,
    .rewind = kind_rewind,
    .reset = kind_reset,
    .close = kind_close,
};

bool circuit_model_open(const char *name, ModelParts *parts, char *err)
{
    CircuitCell cells[CIRCUIT_PRESET_CELLS];
    CircuitSpec spec;
    Circuit *circuit = circuit_named(name, &spec, cells, err) ? circuit_create(&spec, err) : NULL;
    if (!circuit)
        return false;
    *parts = (ModelParts){
        .info = *circuit_info(circuit), .state = circuit, .interface = &circuit_interface};
    return true;
}
