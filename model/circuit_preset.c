#include "model/circuit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static CircuitSpec spec_of(const CircuitVariant *variant, const CircuitCell *cells, int count)
{
    return (CircuitSpec){
        .width_px = 50,
        .height_px = 50,
        .um_per_px = 50.0,
        .lum_mean = 0.5,
        .lum_sd = 0.25,
        .params = variant->params,
        .cells = cells,
        .cell_count = count,
    };
}

/* cells (CIRCUIT_PRESET_CELLS) := a lattice of the cell, of the cell without slow ON, and without
 * fast ON. */
static void fill_classes(const CircuitCell *full, CircuitCell *cells)
{
    CircuitCell classes[] = {*full, *full, *full};
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
}

CircuitSpec circuit_preset(CircuitCell *cells)
{
    CircuitCell full = circuit_tuned_cell();
    full.thg = 0.006f;
    full.alpha_hz = 353.0f;
    fill_classes(&full, cells);
    CircuitVariant tuned = {.params = circuit_params()};
    CircuitSpec spec = spec_of(&tuned, cells, CIRCUIT_PRESET_CELLS);
    snprintf(spec.name, sizeof spec.name, "circuit");
    return spec;
}

/* The built-in circuit of a variant: a row of cells just as tuned, or classes. */
static CircuitSpec preset_of(const CircuitVariant *variant, CircuitCell *cells)
{
    enum { ROW = 22 };
    bool is_row = strcmp(variant->name, "tuned") == 0;
    if (!is_row)
        fill_classes(&variant->cell, cells);
    for (int i = 0; is_row && i < ROW; i++) {
        cells[i] = variant->cell;
        snprintf(cells[i].name, sizeof cells[i].name, "tuned-%d", i + 1);
        cells[i].x_um += -250.0f + 500.0f * (float)i / (ROW - 1);
    }
    CircuitSpec spec = spec_of(variant, cells, is_row ? ROW : CIRCUIT_PRESET_CELLS);
    snprintf(spec.note, sizeof spec.note, "parameters \"%s\"", variant->name);
    return spec;
}

static bool block_list(CircuitSpec *spec, const char *list, char *err)
{
    while (list) {
        const char *comma = strchr(list, ',');
        size_t length = comma ? (size_t)(comma - list) : strlen(list);
        char name[MODEL_NAME_BYTES];
        snprintf(name, sizeof name, "%.*s", (int)length, list);
        if (!circuit_block(spec, name, err))
            return false;
        list = comma ? comma + 1 : NULL;
    }
    return true;
}

bool circuit_named(const char *name, CircuitSpec *spec, CircuitCell *cells, char *err)
{
    enum { STEM = sizeof "circuit" - 1 };
    const char *slash = strchr(name, '/');
    size_t length = slash ? (size_t)(slash - name) : strlen(name);
    char variant_name[MODEL_NAME_BYTES] = "";
    if (length > STEM)
        snprintf(variant_name, sizeof variant_name, "%.*s", (int)(length - STEM - 1),
                 name + STEM + 1);
    const CircuitVariant *variant = length > STEM ? circuit_variant(variant_name, err) : NULL;
    if (length > STEM && !variant)
        return false;
    *spec = variant ? preset_of(variant, cells) : circuit_preset(cells);
    snprintf(spec->name, sizeof spec->name, "%.*s", MODEL_NAME_BYTES - 1, name);
    return !slash || block_list(spec, slash + 1, err);
}
