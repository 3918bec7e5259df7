#include "model/circuit_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <cblas.h>

#include "model/kind.h"

/* The far tail of a Gaussian is cut: it weighs nothing, and its products would be subnormal. */
static float weight_of(double share)
{
    return share > 1e-12 ? (float)share : 0.0f;
}

/* weights (n, stride apart) := the Gaussian around a place, px from the first pixel's middle, summing
 * to 1 over the pixels there are. */
static void fill_gaussian(int n, double place_px, double sigma_px, float *weights, int stride)
{
    double sum = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n; i++) {
            double away = (i - place_px) / sigma_px, g = exp(-0.5 * away * away);
            if (pass == 0)
                sum += g;
            else
                weights[i * stride] = weight_of(g / sum);
        }
}

/* rows (n, n): row i holds the Gaussian around pixel i. */
static float *gaussian_rows(int n, double sigma_px)
{
    float *rows = malloc((size_t)n * (size_t)n * sizeof *rows);
    for (int i = 0; rows && i < n; i++)
        fill_gaussian(n, i, sigma_px, rows + i * n, 1);
    return rows;
}

/* The pools of one cell, of a round Gaussian: one factor along x and one along y. */
static void fill_pools(Circuit *c, int cell)
{
    const CircuitCell *at = &c->cells[cell];
    double um_per_px = c->info.um_per_px;
    double x_px = (double)at->x_um / um_per_px + 0.5 * c->width_px - 0.5;
    double y_px = 0.5 * c->height_px - (double)at->y_um / um_per_px - 0.5;
    double own_px = (double)at->sg_um / um_per_px, wide_px = (double)c->params.sw_um / um_per_px;
    int cells = c->info.cells;
    fill_gaussian(c->width_px, x_px, own_px, c->own_x + cell, cells);
    fill_gaussian(c->height_px, y_px, own_px, c->own_y + cell, cells);
    fill_gaussian(c->width_px, x_px, wide_px, c->wide_x + cell, cells);
    fill_gaussian(c->height_px, y_px, wide_px, c->wide_y + cell, cells);
}

static const char *wrong_param(const CircuitParams *p)
{
    const float times[] = {p->ts_ms, p->tam_ms,  p->tr_ms, p->ti_ms,
                           p->tw_ms, p->twin_ms, p->tm_ms, p->tg_ms};
    const float widths[] = {p->sc_um, p->ss_um, p->sam_um, p->sw_um};
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
    if (wrong)
        return model_refuse(err, "circuit: %s", wrong);
    if (spec->cell_count < 1 || spec->cell_count > MODEL_MAX_CELLS)
        return model_refuse(err, "circuit: %d cells; 1 to %d are allowed", spec->cell_count,
                            MODEL_MAX_CELLS);
    if (spec->width_px < 1 || spec->height_px < 1 || !(spec->um_per_px > 0.0) ||
        !(spec->lum_sd > 0.0))
        return model_refuse(
            err, "circuit: raster %d by %d px of %g um, luminance SD %g; all must be above 0",
            spec->width_px, spec->height_px, spec->um_per_px, spec->lum_sd);
    for (int i = 0; i < spec->cell_count; i++) {
        const CircuitCell *cell = &spec->cells[i];
        double x = fabs((double)cell->x_um), y = fabs((double)cell->y_um);
        if (!(x <= 0.5 * spec->width_px * spec->um_per_px &&
              y <= 0.5 * spec->height_px * spec->um_per_px))
            return model_refuse(
                err, "circuit: cell %s at (%g, %g) um lies outside the field of %g by %g um",
                cell->name, (double)cell->x_um, (double)cell->y_um,
                spec->width_px * spec->um_per_px, spec->height_px * spec->um_per_px);
        if (!(cell->sg_um > 0.0f))
            return model_refuse(err, "circuit: cell %s pools over %g um; above 0 is allowed",
                                cell->name, (double)cell->sg_um);
    }
    return true;
}

static bool allocate(Circuit *c, const CircuitSpec *spec)
{
    size_t points = (size_t)c->points, cells = (size_t)spec->cell_count;
    const double sigma_um[] = {(double)spec->params.sc_um, (double)spec->params.ss_um,
                               (double)spec->params.sam_um};
    bool ok = true;
    for (int i = 0; i < POOLS; i++) {
        c->pool_x[i] = gaussian_rows(c->width_px, sigma_um[i] / spec->um_per_px);
        c->pool_y[i] = gaussian_rows(c->height_px, sigma_um[i] / spec->um_per_px);
        ok = ok && c->pool_x[i] && c->pool_y[i];
    }
    c->state_count = PLANES * points + CELL_STATES * cells;
    size_t wide = (size_t)c->width_px * cells, high = (size_t)c->height_px * cells;
    const struct {
        float **block;
        size_t count;
    } blocks[] = {
        {&c->own_x, wide},
        {&c->own_y, high},
        {&c->wide_x, wide},
        {&c->wide_y, high},
        {&c->across, CIRCUIT_PATHWAYS * high},
        {&c->state, c->state_count},
        {&c->marked, c->state_count},
        {&c->contrast, points},
        {&c->centre, points},
        {&c->outer, points},
        {&c->input, points},
        {&c->drive, CIRCUIT_PATHWAYS * points},
        {&c->pooled, points},
        {&c->scratch, points},
        {&c->pulled, (CIRCUIT_PATHWAYS + 1) * cells},
        {&c->cell_x_um, cells},
        {&c->cell_y_um, cells},
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        *blocks[i].block = calloc(blocks[i].count, sizeof(float));
        ok = ok && *blocks[i].block;
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
    snprintf(c->provenance, sizeof c->provenance,
             "simulated retina: a circuit tuned by an optimiser on the four predictive phenomena, "
             "not fitted to any recording%s%s",
             spec->note[0] ? "; " : "", spec->note);
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
        .provenance = c->provenance,
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
        model_refuse(err, "circuit: out of memory for %d by %d px and %d cells", spec->width_px,
                     spec->height_px, spec->cell_count);
        circuit_destroy(c);
        return NULL;
    }
    fill_info(c, spec);
    for (int i = 0; i < spec->cell_count; i++)
        fill_pools(c, i);
    circuit_reset(c);
    circuit_mark(c);
    return c;
}

void circuit_destroy(Circuit *c)
{
    if (!c)
        return;
    float *blocks[] = {c->own_x,  c->own_y,    c->wide_x, c->wide_y,    c->across,   c->state,
                       c->marked, c->contrast, c->centre, c->outer,     c->input,    c->drive,
                       c->pooled, c->scratch,  c->pulled, c->cell_x_um, c->cell_y_um};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    for (int i = 0; i < POOLS; i++) {
        free(c->pool_x[i]);
        free(c->pool_y[i]);
    }
    free(c->cells);
    free(c->names);
    free(c);
}
