#include "config/arrays.h"

#include <stdio.h>
#include <string.h>

#include "config/locate.h"
#include "config/schema.h"

enum {
    REQUIRED = CYAML_FLAG_DEFAULT,
    OPTIONAL = CYAML_FLAG_OPTIONAL,
    POINTER = CYAML_FLAG_POINTER,
    OPTIONAL_POINTER = CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
    CELLS_MAX = 1024,
};

static const cyaml_strval_t units[] = {{"spikes_per_bin", ARRAYS_SPIKES_PER_BIN},
                                       {"hz", ARRAYS_HZ}};
static const cyaml_strval_t axis_names[] = {{"time", ARRAYS_TIME},
                                            {"y", ARRAYS_Y},
                                            {"x", ARRAYS_X},
                                            {"cell", ARRAYS_CELL},
                                            {"repeat", ARRAYS_REPEAT}};
static const cyaml_schema_value_t axis = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, ArraysAxis, axis_names, 5)};
static const cyaml_schema_value_t cell_name = {CYAML_VALUE_STRING(POINTER, char, 1, 63)};

static const cyaml_schema_field_t axes_fields[] = {
    CYAML_FIELD_SEQUENCE("stimulus", OPTIONAL_POINTER, ArraysAxes, stimulus, &axis, 3, 3),
    CYAML_FIELD_SEQUENCE("response", OPTIONAL_POINTER, ArraysAxes, response, &axis, 2, 2),
    CYAML_FIELD_SEQUENCE("repeats", OPTIONAL_POINTER, ArraysAxes, repeats, &axis, 3, 3),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t part_fields[] = {
    CYAML_FIELD_STRING_PTR("stimulus", POINTER, ArraysPart, stimulus, 1, 1000),
    CYAML_FIELD_STRING_PTR("response", POINTER, ArraysPart, response, 1, 1000),
    CYAML_FIELD_STRING_PTR("time", OPTIONAL_POINTER, ArraysPart, time, 1, 1000),
    CYAML_FIELD_STRING_PTR("repeats", OPTIONAL_POINTER, ArraysPart, repeats, 1, 1000),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("name", POINTER, Arrays, name, 1, 63),
    CYAML_FIELD_STRING_PTR("about", OPTIONAL_POINTER, Arrays, about, 0, 10000),
    CYAML_FIELD_STRING_PTR("provenance", OPTIONAL_POINTER, Arrays, provenance, 0, 1000),
    CYAML_FIELD_STRING_PTR("licence", OPTIONAL_POINTER, Arrays, licence, 0, 1000),
    CYAML_FIELD_BOOL("simulated", OPTIONAL, Arrays, is_simulated),
    CYAML_FIELD_FLOAT("bin_hz", OPTIONAL, Arrays, bin_hz),
    CYAML_FIELD_FLOAT("um_per_px", OPTIONAL, Arrays, um_per_px),
    CYAML_FIELD_FLOAT("lum_per_level", OPTIONAL, Arrays, lum_per_level),
    CYAML_FIELD_SEQUENCE("cell_names", OPTIONAL_POINTER, Arrays, cell_names, &cell_name, 1,
                         CELLS_MAX),
    CYAML_FIELD_MAPPING_PTR("axes", OPTIONAL_POINTER, Arrays, axes, axes_fields),
    CYAML_FIELD_ENUM("response_unit", CYAML_FLAG_STRICT, Arrays, response_unit, units, 2),
    CYAML_FIELD_MAPPING_PTR("train", OPTIONAL_POINTER, Arrays, train, part_fields),
    CYAML_FIELD_MAPPING_PTR("test", OPTIONAL_POINTER, Arrays, test, part_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(POINTER, Arrays, fields)};

static bool check_numbers(const Locate *locate, const Arrays *a, char *err)
{
    const struct {
        const char *key;
        double value, most;
    } ranges[] = {{"bin_hz", a->bin_hz, 1e5},
                  {"um_per_px", a->um_per_px, 1e4},
                  {"lum_per_level", a->lum_per_level, 1e3}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        bool is_given = locate_find(locate, ranges[i].key).kind != LOCATE_NOTHING;
        if (is_given && !(ranges[i].value > 0 && ranges[i].value <= ranges[i].most))
            return locate_fail(locate, NULL, ranges[i].key, err, "is %g; above 0 up to %g",
                               ranges[i].value, ranges[i].most);
    }
    return true;
}

static bool check_order(const Locate *locate, const char *key, const ArraysAxis *axes, int count,
                        const ArraysAxis *wanted, const char *words, char *err)
{
    for (int i = 0; axes && i < count; i++) {
        int times = 0;
        for (int j = 0; j < count; j++)
            times += axes[j] == wanted[i];
        if (times != 1)
            return locate_fail(locate, NULL, key, err, "must name each of %s once", words);
    }
    return true;
}

static bool check_axes(const Locate *locate, const ArraysAxes *axes, char *err)
{
    static const ArraysAxis stimulus[] = {ARRAYS_TIME, ARRAYS_Y, ARRAYS_X};
    static const ArraysAxis response[] = {ARRAYS_CELL, ARRAYS_TIME};
    static const ArraysAxis repeats[] = {ARRAYS_CELL, ARRAYS_REPEAT, ARRAYS_TIME};
    return !axes ||
           (check_order(locate, "axes.stimulus", axes->stimulus, 3, stimulus, "time, y, x", err) &&
            check_order(locate, "axes.response", axes->response, 2, response, "cell, time", err) &&
            check_order(locate, "axes.repeats", axes->repeats, 3, repeats, "cell, repeat, time",
                        err));
}

static bool check_place(const Locate *locate, const char *part, const char *name, const char *place,
                        char *err)
{
    char key[LOCATE_KEY_BYTES], shown[48];
    if (!place)
        return true;
    size_t length = strlen(place);
    const char *colon = strrchr(place, ':');
    if ((length > 4 && strcmp(place + length - 4, ".npy") == 0) || (colon && colon[1] == '/'))
        return true;
    snprintf(key, sizeof key, "%s.%s", part, name);
    locate_printable(place, shown, sizeof shown);
    return locate_fail(locate, NULL, key, err,
                       "is %s; must be FILE.npy, FILE.mat:/variable or FILE.h5:/path", shown);
}

static bool check_part(const Locate *locate, const char *name, const ArraysPart *part, char *err)
{
    return !part || (check_place(locate, name, "stimulus", part->stimulus, err) &&
                     check_place(locate, name, "response", part->response, err) &&
                     check_place(locate, name, "time", part->time, err) &&
                     check_place(locate, name, "repeats", part->repeats, err));
}

static bool check(const Locate *locate, const Arrays *a, char *err)
{
    if (!check_numbers(locate, a, err) || !check_axes(locate, a->axes, err) ||
        !check_part(locate, "train", a->train, err) || !check_part(locate, "test", a->test, err))
        return false;
    if (!a->train && !a->test)
        return locate_fail(locate, NULL, "train", err,
                           "is missing, and so is test; a data set needs one of them");
    if (a->train && a->train->repeats)
        return locate_fail(locate, NULL, "train.repeats", err,
                           "must not be here; repeats are of "
                           "test");
    bool has_time = (a->train && a->train->time) || (a->test && a->test->time);
    return a->bin_hz > 0 || has_time ||
           locate_fail(
               locate, NULL, "bin_hz", err,
               "is missing, and no part has a time; one of them must say how long a bin is");
}

Arrays *arrays_load(const char *path, char *err)
{
    Locate *locate = locate_open(path, err);
    Arrays *arrays = locate ? schema_load(locate, &schema, err) : NULL;
    if (arrays && !check(locate, arrays, err)) {
        arrays_destroy(arrays);
        arrays = NULL;
    }
    locate_close(locate);
    return arrays;
}

void arrays_destroy(Arrays *arrays)
{
    schema_free(&schema, arrays);
}

bool arrays_is_meant(const char *path)
{
    char err[LOCATE_ERR_BYTES];
    Locate *locate = locate_open(path, err);
    bool is_meant = locate && (locate_find(locate, "train").kind != LOCATE_NOTHING ||
                               locate_find(locate, "test").kind != LOCATE_NOTHING);
    locate_close(locate);
    return is_meant;
}

void arrays_order(const ArraysAxis *axes, const ArraysAxis *wanted, int count, int *order)
{
    for (int i = 0; i < count; i++) {
        order[i] = i;
        for (int j = 0; axes && j < count; j++)
            if (axes[j] == wanted[i])
                order[i] = j;
    }
}
