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
            rows[i * n + j] =
                weight_of(exp(-0.5 * (i - j) * (i - j) / (sigma_px * sigma_px)) / sum);
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
    float **blocks[] = {&c->excitation, &c->wide,   &c->state,     &c->marked,   &c->contrast,
                        &c->centre,     &c->outer,  &c->input,     &c->drive,    &c->pooled,
                        &c->scratch,    &c->pulled, &c->cell_x_um, &c->cell_y_um};
    const size_t counts[] = {cells * points, cells * points, c->state_count,
                             c->state_count, points,         points,
                             points,         points,         CIRCUIT_PATHWAYS * points,
                             points,         points,         (CIRCUIT_PATHWAYS + 1) * cells,
                             cells,          cells};
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
    for (int i = 0; i < spec->cell_count; i++) {
        size_t at = (size_t)i * (size_t)c->points;
        fill_pool(c, &c->cells[i], (double)c->cells[i].sg_um, c->excitation + at);
        fill_pool(c, &c->cells[i], (double)c->params.sw_um, c->wide + at);
    }
    circuit_reset(c);
    circuit_mark(c);
    return c;
}

void circuit_destroy(Circuit *c)
{
    if (!c)
        return;
    float *blocks[] = {c->excitation, c->wide,   c->state,     c->marked,   c->contrast,
                       c->centre,     c->outer,  c->input,     c->drive,    c->pooled,
                       c->scratch,    c->pulled, c->cell_x_um, c->cell_y_um};
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
