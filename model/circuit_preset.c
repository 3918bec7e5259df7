#include "model/circuit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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
        .sg_um = 144.0f,
    };
}

/* A point of the triangular lattice, in steps along two axes 60° apart. */
typedef struct {
    int a, b;
} Site;

static int order_of(Site s, Site t)
{
    int difference = s.a * s.a + s.a * s.b + s.b * s.b - t.a * t.a - t.a * t.b - t.b * t.b;
    if (difference == 0)
        difference = s.b != t.b ? s.b - t.b : s.a - t.a;
    return difference;
}

/* The site that follows `last`, from the centre outward. */
static Site next_site(Site last)
{
    int reach = abs(last.a) + abs(last.b) + 2;
    Site best = {reach, reach};
    for (int b = -reach; b <= reach; b++)
        for (int a = -reach; a <= reach; a++) {
            Site site = {a, b};
            if (order_of(site, last) > 0 && order_of(site, best) < 0)
                best = site;
        }
    return best;
}

/* Uniform on −1 … 1, a hash of what it is for (the mixer of Steele, Lea & Flood, OOPSLA 2014). */
static double draw(const CircuitLattice *lattice, int cell, int which)
{
    uint64_t index = (uint64_t)cell * 16 + (uint64_t)which + 1;
    uint64_t z = lattice->seed * 0xd1342543de82ef95u + index * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-52 - 1.0;
}

static void vary(const CircuitLattice *lattice, int index, CircuitCell *cell)
{
    float *const values[] = {&cell->w[CIRCUIT_OFF],     &cell->w[CIRCUIT_ON_FAST],
                             &cell->w[CIRCUIT_ON_SLOW], &cell->thg,
                             &cell->alpha_hz,           &cell->sg_um};
    enum { VALUES = sizeof values / sizeof *values };
    for (int i = 0; i < VALUES; i++)
        *values[i] *= (float)(1.0 + lattice->spread * draw(lattice, index, i));
    cell->x_um += (float)(lattice->jitter_um * draw(lattice, index, VALUES));
    cell->y_um += (float)(lattice->jitter_um * draw(lattice, index, VALUES + 1));
}

void circuit_fill_lattice(const CircuitLattice *lattice, CircuitCell *cells)
{
    Site site = {0, 0};
    for (int i = 0; i < lattice->sites; i++) {
        for (int class = 0; class < lattice->class_count; class ++) {
            int index = class * lattice->sites + i;
            CircuitCell cell = lattice->classes[class];
            snprintf(cell.name, sizeof cell.name, "%.48s-%d", lattice->classes[class].name, i + 1);
            cell.x_um = (float)(lattice->x_um + lattice->spacing_um * (site.a + 0.5 * site.b));
            cell.y_um = (float)(lattice->y_um + lattice->spacing_um * sqrt(0.75) * site.b);
            if (i > 0)
                vary(lattice, index, &cell);
            cells[index] = cell;
        }
        site = next_site(site);
    }
}

CircuitSpec circuit_preset(CircuitCell *cells)
{
    CircuitCell full = circuit_tuned_cell();
    full.thg = 0.006f;
    full.alpha_hz = 353.0f;
    CircuitCell classes[] = {full, full, full};
    snprintf(classes[0].name, sizeof classes[0].name, "full");
    snprintf(classes[1].name, sizeof classes[1].name, "fast");
    snprintf(classes[2].name, sizeof classes[2].name, "slow");
    classes[1].w[CIRCUIT_ON_SLOW] = 0.0f;
    classes[2].w[CIRCUIT_ON_FAST] = 0.0f;
    const CircuitLattice lattice = {
        .classes = classes,
        .class_count = 3,
        .sites = CIRCUIT_PRESET_CELLS / 3,
        .x_um = 25.0,
        .y_um = 25.0,
        .spacing_um = 250.0,
        .jitter_um = 40.0,
        .spread = 0.15,
        .seed = 1,
    };
    circuit_fill_lattice(&lattice, cells);
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
