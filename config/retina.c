#include "config/retina.h"

#include <stdio.h>
#include <string.h>

#include "config/locate.h"
#include "config/schema.h"

enum { CELLS_MAX = 1024, SWITCHES_MAX = 32, SIDE_MAX_PX = 256 };

static const double SEED_MAX = 9007199254740992.0;

static const cyaml_schema_value_t switch_name = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 63)};

static const cyaml_schema_field_t field_fields[] = {
    CYAML_FIELD_INT("width_px", CYAML_FLAG_DEFAULT, RetinaField, width_px),
    CYAML_FIELD_INT("height_px", CYAML_FLAG_DEFAULT, RetinaField, height_px),
    CYAML_FIELD_FLOAT("um_per_px", CYAML_FLAG_DEFAULT, RetinaField, um_per_px),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t mix_fields[] = {
    CYAML_FIELD_FLOAT("natural", CYAML_FLAG_OPTIONAL, RetinaMix, natural),
    CYAML_FIELD_FLOAT("noise", CYAML_FLAG_OPTIONAL, RetinaMix, noise),
    CYAML_FIELD_FLOAT("full_field", CYAML_FLAG_OPTIONAL, RetinaMix, full_field),
    CYAML_FIELD_FLOAT("objects", CYAML_FLAG_OPTIONAL, RetinaMix, objects),
    CYAML_FIELD_FLOAT("flashes", CYAML_FLAG_OPTIONAL, RetinaMix, flashes),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t class_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, RetinaClass, name, 1, 48),
    CYAML_FIELD_FLOAT("off", CYAML_FLAG_DEFAULT, RetinaClass, off),
    CYAML_FIELD_FLOAT("on_fast", CYAML_FLAG_DEFAULT, RetinaClass, on_fast),
    CYAML_FIELD_FLOAT("on_slow", CYAML_FLAG_DEFAULT, RetinaClass, on_slow),
    CYAML_FIELD_FLOAT("threshold", CYAML_FLAG_DEFAULT, RetinaClass, threshold),
    CYAML_FIELD_FLOAT("alpha_hz", CYAML_FLAG_DEFAULT, RetinaClass, alpha_hz),
    CYAML_FIELD_FLOAT("pool_um", CYAML_FLAG_DEFAULT, RetinaClass, pool_um),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t class_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, RetinaClass, class_fields)};

static const cyaml_schema_field_t lattice_fields[] = {
    CYAML_FIELD_INT("sites", CYAML_FLAG_DEFAULT, RetinaLattice, sites),
    CYAML_FIELD_FLOAT("x_um", CYAML_FLAG_DEFAULT, RetinaLattice, x_um),
    CYAML_FIELD_FLOAT("y_um", CYAML_FLAG_DEFAULT, RetinaLattice, y_um),
    CYAML_FIELD_FLOAT("spacing_um", CYAML_FLAG_DEFAULT, RetinaLattice, spacing_um),
    CYAML_FIELD_FLOAT("jitter_um", CYAML_FLAG_DEFAULT, RetinaLattice, jitter_um),
    CYAML_FIELD_FLOAT("spread", CYAML_FLAG_DEFAULT, RetinaLattice, spread),
    CYAML_FIELD_INT("seed", CYAML_FLAG_DEFAULT, RetinaLattice, seed),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t cell_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, RetinaCell, name, 1, 63),
    CYAML_FIELD_STRING_PTR("class", CYAML_FLAG_POINTER, RetinaCell, kind, 1, 48),
    CYAML_FIELD_FLOAT("x_um", CYAML_FLAG_DEFAULT, RetinaCell, x_um),
    CYAML_FIELD_FLOAT("y_um", CYAML_FLAG_DEFAULT, RetinaCell, y_um),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t cell = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, RetinaCell, cell_fields)};

static const cyaml_strval_t spikings[] = {{"poisson", RETINA_POISSON},
                                          {"refractory", RETINA_REFRACTORY}};

static const cyaml_schema_field_t retina_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, Retina, name, 1, 63),
    CYAML_FIELD_STRING_PTR("about", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, Retina, about, 0,
                           10000),
    CYAML_FIELD_INT("seed", CYAML_FLAG_DEFAULT, Retina, seed),
    CYAML_FIELD_FLOAT("minutes", CYAML_FLAG_DEFAULT, Retina, minutes),
    CYAML_FIELD_FLOAT("test_minutes", CYAML_FLAG_DEFAULT, Retina, test_minutes),
    CYAML_FIELD_INT("test_repeats", CYAML_FLAG_DEFAULT, Retina, test_repeats),
    CYAML_FIELD_FLOAT("segment_s", CYAML_FLAG_DEFAULT, Retina, segment_s),
    CYAML_FIELD_MAPPING("field", CYAML_FLAG_DEFAULT, Retina, field, field_fields),
    CYAML_FIELD_MAPPING("mix", CYAML_FLAG_DEFAULT, Retina, mix, mix_fields),
    CYAML_FIELD_STRING_PTR("photographs", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, Retina,
                           photographs, 1, 4000),
    CYAML_FIELD_ENUM("spiking", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, Retina, spiking, spikings,
                     sizeof spikings / sizeof *spikings),
    CYAML_FIELD_STRING_PTR("circuit", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, Retina, circuit, 1,
                           63),
    CYAML_FIELD_SEQUENCE("blocked", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, Retina, blocked,
                         &switch_name, 0, SWITCHES_MAX),
    CYAML_FIELD_SEQUENCE("classes", CYAML_FLAG_POINTER, Retina, classes, &class_value, 1,
                         CELLS_MAX),
    CYAML_FIELD_MAPPING_PTR("lattice", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, Retina, lattice,
                            lattice_fields),
    CYAML_FIELD_SEQUENCE("cells", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, Retina, cells, &cell, 0,
                         CELLS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t retina_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, Retina, retina_fields)};

typedef struct {
    const char *key;
    double value, least, most;
} Range;

static bool check_range(const Locate *locate, const Range *range, char *err)
{
    if (range->value >= range->least && range->value <= range->most)
        return true;
    return locate_fail(locate, NULL, range->key, err, "is %g; %g to %g", range->value, range->least,
                       range->most);
}

/* Ranges of the entry `index` of a list; each key is that of the entry. */
static bool check_entry(const Locate *locate, const char *list, unsigned index, const Range *ranges,
                        size_t count, char *err)
{
    for (size_t i = 0; i < count; i++) {
        char key[LOCATE_KEY_BYTES];
        snprintf(key, sizeof key, "%s[%u].%s", list, index, ranges[i].key);
        Range range = ranges[i];
        range.key = key;
        if (!check_range(locate, &range, err))
            return false;
    }
    return true;
}

static bool check_classes(const Locate *locate, const Retina *retina, char *err)
{
    for (unsigned i = 0; i < retina->classes_count; i++) {
        const RetinaClass *c = &retina->classes[i];
        const Range ranges[] = {
            {"off", c->off, 0, 100},           {"on_fast", c->on_fast, 0, 100},
            {"on_slow", c->on_slow, 0, 100},   {"threshold", c->threshold, 0, 100},
            {"alpha_hz", c->alpha_hz, 0, 1e6}, {"pool_um", c->pool_um, 0.1, 10000},
        };
        if (!check_entry(locate, "classes", i, ranges, sizeof ranges / sizeof *ranges, err))
            return false;
        char key[LOCATE_KEY_BYTES];
        snprintf(key, sizeof key, "classes[%u].name", i);
        if (retina_class(retina, c->name) != c)
            return locate_fail(locate, NULL, key, err, "%s is another class already", c->name);
    }
    return true;
}

static bool check_cells(const Locate *locate, const Retina *retina, char *err)
{
    double half_width_um = 0.5 * retina->field.width_px * retina->field.um_per_px;
    double half_height_um = 0.5 * retina->field.height_px * retina->field.um_per_px;
    for (unsigned i = 0; i < retina->cells_count; i++) {
        const RetinaCell *c = &retina->cells[i];
        const Range ranges[] = {
            {"x_um", c->x_um, -half_width_um, half_width_um},
            {"y_um", c->y_um, -half_height_um, half_height_um},
        };
        if (!check_entry(locate, "cells", i, ranges, sizeof ranges / sizeof *ranges, err))
            return false;
        char key[LOCATE_KEY_BYTES];
        snprintf(key, sizeof key, "cells[%u].class", i);
        if (!retina_class(retina, c->kind))
            return locate_fail(locate, NULL, key, err, "%s is none of the classes", c->kind);
    }
    return true;
}

static bool check_lattice(const Locate *locate, const Retina *retina, char *err)
{
    const RetinaLattice *lattice = retina->lattice;
    const Range ranges[] = {
        {"lattice.sites", lattice->sites, 1, CELLS_MAX / retina->classes_count},
        {"lattice.x_um", lattice->x_um, -1e5, 1e5},
        {"lattice.y_um", lattice->y_um, -1e5, 1e5},
        {"lattice.spacing_um", lattice->spacing_um, 1, 1e5},
        {"lattice.jitter_um", lattice->jitter_um, 0, 1e5},
        {"lattice.spread", lattice->spread, 0, 0.9},
        {"lattice.seed", (double)lattice->seed, 0, SEED_MAX},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (!check_range(locate, &ranges[i], err))
            return false;
    return true;
}

static bool check_retina(const Locate *locate, const Retina *r, char *err)
{
    const RetinaMix *mix = &r->mix;
    const Range ranges[] = {
        {"seed", (double)r->seed, 0, SEED_MAX},
        {"minutes", r->minutes, 0.01, 10000},
        {"test_minutes", r->test_minutes, 0.01, 1000},
        {"test_repeats", r->test_repeats, 1, 100},
        {"segment_s", r->segment_s, 1, 3600},
        {"field.width_px", r->field.width_px, 1, SIDE_MAX_PX},
        {"field.height_px", r->field.height_px, 1, SIDE_MAX_PX},
        {"field.um_per_px", r->field.um_per_px, 0.1, 1000},
        {"mix.natural", mix->natural, 0, 1e6},
        {"mix.noise", mix->noise, 0, 1e6},
        {"mix.full_field", mix->full_field, 0, 1e6},
        {"mix.objects", mix->objects, 0, 1e6},
        {"mix.flashes", mix->flashes, 0, 1e6},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (!check_range(locate, &ranges[i], err))
            return false;
    if (!(mix->natural + mix->noise + mix->full_field + mix->objects + mix->flashes > 0.0))
        return locate_fail(locate, NULL, "mix", err,
                           "every share is 0; at least one kind must have a share above 0");
    if (!check_classes(locate, r, err) || !check_cells(locate, r, err) ||
        (r->lattice && !check_lattice(locate, r, err)))
        return false;
    if (retina_cells(r) < 1 || retina_cells(r) > CELLS_MAX)
        return locate_fail(locate, NULL, "classes", err,
                           "%u cells in lattice and list; 1 to %d are allowed", retina_cells(r),
                           CELLS_MAX);
    return true;
}

unsigned retina_cells(const Retina *retina)
{
    unsigned sites = retina->lattice ? (unsigned)retina->lattice->sites : 0;
    return retina->classes_count * sites + retina->cells_count;
}

const RetinaClass *retina_class(const Retina *retina, const char *name)
{
    for (unsigned i = 0; i < retina->classes_count; i++)
        if (strcmp(retina->classes[i].name, name) == 0)
            return &retina->classes[i];
    return NULL;
}

Retina *retina_load(const char *path, char *err)
{
    Locate *locate = locate_open(path, err);
    Retina *retina = locate ? schema_load(locate, &retina_schema, err) : NULL;
    if (retina && !check_retina(locate, retina, err)) {
        retina_destroy(retina);
        retina = NULL;
    }
    locate_close(locate);
    return retina;
}

void retina_destroy(Retina *retina)
{
    schema_free(&retina_schema, retina);
}
