#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/export.h"
#include "model/hdf5_tree.h"

enum { PATH_BYTES = 256 };

/* A data set a column: each fills one array from the rows, and is done with it. */
typedef struct {
    Hdf5Tree *tree;
    const char *group;
    int64_t rows;
    void *values; // (rows), 8 bytes each
} Columns;

#define WRITE(columns, name, Type, type, expression)                                               \
    do {                                                                                           \
        char path[PATH_BYTES];                                                                     \
        Type *out = (columns)->values;                                                             \
        for (int64_t i = 0; i < (columns)->rows; i++)                                              \
            out[i] = (Type)(expression);                                                           \
        snprintf(path, sizeof path, "/%s/%s", (columns)->group, name);                             \
        hdf5_tree_numbers((columns)->tree, path, type, 1, &(columns)->rows, out);                  \
    } while (0)

static bool start(Columns *columns, Hdf5Tree *tree, const char *group, int64_t rows)
{
    *columns = (Columns){tree, group, rows, calloc((size_t)rows + 1, 8)};
    return columns->values && rows > 0;
}

static void write_frames(Hdf5Tree *tree, const Frames *frames)
{
    Columns c;
    if (start(&c, tree, "frames", frames->count)) {
        const Frame *f = frames->frames;
        WRITE(&c, "refresh", int64_t, HDF5_TREE_INT64, i);
        WRITE(&c, "image", int64_t, HDF5_TREE_INT64, f[i].image);
        WRITE(&c, "missed", uint8_t, HDF5_TREE_UINT8, f[i].is_missed);
        WRITE(&c, "trial", int32_t, HDF5_TREE_INT32, f[i].trial);
        WRITE(&c, "block", int32_t, HDF5_TREE_INT32, f[i].block);
        WRITE(&c, "time_ns", int64_t, HDF5_TREE_INT64, f[i].slot_ns - f[0].slot_ns);
        WRITE(&c, "vblank_ns", int64_t, HDF5_TREE_INT64, f[i].vblank_ns);
    }
    free(c.values);
}

/* Names of what happened: name is the first of them, each `bytes` behind the one before. */
static void write_names(Hdf5Tree *tree, const char *path, const char *name, size_t bytes,
                        int64_t count)
{
    const char **names = calloc((size_t)count + 1, sizeof *names);
    for (int64_t i = 0; names && i < count; i++)
        names[i] = name + (size_t)i * bytes;
    if (names)
        hdf5_tree_texts(tree, path, names, count);
    else
        hdf5_tree_fail(tree, "not enough memory for the names of its events");
    free(names);
}

static void write_events(Hdf5Tree *tree, const Schedule *s)
{
    Columns c;
    if (start(&c, tree, "events", s->events_count)) {
        const ScheduleEvent *e = s->events;
        WRITE(&c, "refresh", int64_t, HDF5_TREE_INT64, e[i].refresh);
        WRITE(&c, "time_ns", int64_t, HDF5_TREE_INT64, e[i].time_ns);
        WRITE(&c, "trial", int32_t, HDF5_TREE_INT32, e[i].trial);
        WRITE(&c, "flash", int64_t, HDF5_TREE_INT64, e[i].number);
        WRITE(&c, "trigger_code", int32_t, HDF5_TREE_INT32, e[i].trigger_code);
        WRITE(&c, "missed", uint8_t, HDF5_TREE_UINT8, e[i].is_missed);
        write_names(tree, "/events/event", e->name, sizeof *e, s->events_count);
    }
    free(c.values);
}

static void write_trials(Hdf5Tree *tree, const Schedule *s)
{
    Columns c;
    if (start(&c, tree, "trials", s->trials_count)) {
        const ScheduleTrial *t = s->trials;
        const PlanTrial *p = s->plan->trials;
        WRITE(&c, "start_ns", int64_t, HDF5_TREE_INT64, t[i].start_ns);
        WRITE(&c, "onset_ns", int64_t, HDF5_TREE_INT64, t[i].onset_ns);
        WRITE(&c, "end_ns", int64_t, HDF5_TREE_INT64, t[i].end_ns);
        WRITE(&c, "stop_ns", int64_t, HDF5_TREE_INT64, t[i].stop_ns);
        WRITE(&c, "complete", uint8_t, HDF5_TREE_UINT8, t[i].is_complete);
        WRITE(&c, "block", int32_t, HDF5_TREE_INT32, p[i].block);
        WRITE(&c, "condition", int32_t, HDF5_TREE_INT32, p[i].condition);
        WRITE(&c, "repeat", int32_t, HDF5_TREE_INT32, p[i].repeat);
        WRITE(&c, "value", double, HDF5_TREE_DOUBLE, p[i].value);
        WRITE(&c, "seed", int64_t, HDF5_TREE_INT64, p[i].seed);
    }
    free(c.values);
}

static void write_pulses(Hdf5Tree *tree, const Schedule *s)
{
    Columns c;
    if (start(&c, tree, "pulses", s->pulses_count)) {
        const SchedulePulse *p = s->pulses;
        WRITE(&c, "start_ns", int64_t, HDF5_TREE_INT64, p[i].start_ns);
        WRITE(&c, "stop_ns", int64_t, HDF5_TREE_INT64, p[i].stop_ns);
        WRITE(&c, "line", int32_t, HDF5_TREE_INT32, p[i].line);
        WRITE(&c, "code", int32_t, HDF5_TREE_INT32, p[i].code);
        if (s->has_correction)
            WRITE(&c, "corrected_ns", int64_t, HDF5_TREE_INT64, p[i].corrected_ns);
    }
    free(c.values);
}

/* Times are since refresh 0. −1 is what was not there; of corrected_ns INT64_MIN. */
static void write_heard(Hdf5Tree *tree, const Export *export)
{
    Columns c;
    if (start(&c, tree, "rig_events", export->heard_count)) {
        const RigHeard *h = export->heard;
        int64_t zero_ns = export->frames.frames[0].slot_ns;
        write_names(tree, "/rig_events/event", h->name, sizeof *h, export->heard_count);
        WRITE(&c, "refresh", int64_t, HDF5_TREE_INT64, h[i].refresh);
        WRITE(&c, "trial", int64_t, HDF5_TREE_INT64, h[i].trial);
        WRITE(&c, "time_ns", int64_t, HDF5_TREE_INT64, h[i].time_ns - zero_ns);
        WRITE(&c, "error_ns", int64_t, HDF5_TREE_INT64, h[i].error_ns);
        WRITE(&c, "device_ns", int64_t, HDF5_TREE_INT64, h[i].device_ns);
        WRITE(&c, "corrected_ns", int64_t, HDF5_TREE_INT64,
              h[i].corrected_ns >= 0 ? h[i].corrected_ns - zero_ns : INT64_MIN);
        WRITE(&c, "line", int32_t, HDF5_TREE_INT32, h[i].line);
        WRITE(&c, "bits", int32_t, HDF5_TREE_INT32, h[i].bits);
        WRITE(&c, "count", int64_t, HDF5_TREE_INT64, h[i].count);
    }
    free(c.values);
}

static bool write_rates(Hdf5Tree *tree, const Export *export, unsigned m)
{
    const RunModel *model = &export->run->models[m];
    int64_t dims[] = {export->rates_rows, model->cells_count};
    char path[PATH_BYTES];
    float *rates = malloc((size_t)dims[0] * (size_t)dims[1] * sizeof *rates + 1);
    for (int64_t k = 0; rates && k < dims[0]; k++)
        memcpy(rates + k * dims[1],
               export->rates_hz + k * export->run->rates_columns + model->first_column,
               (size_t)dims[1] * sizeof *rates);
    if (rates) {
        int32_t is_simulated = model->is_simulated;
        int used = snprintf(path, sizeof path, "/rates/%.200s", model->name);
        for (char *c = path + strlen("/rates/"); c < path + used; c++)
            *c = *c == '/' ? '_' : *c;
        hdf5_tree_numbers(tree, path, HDF5_TREE_FLOAT, 2, dims, rates);
        hdf5_tree_attribute_text(tree, path, "unit", "Hz");
        hdf5_tree_attribute(tree, path, "is_simulated", HDF5_TREE_INT32, &is_simulated);
        hdf5_tree_attribute_text(tree, path, "provenance", model->provenance);
        hdf5_tree_attribute_texts(tree, path, "cells", model->cells, model->cells_count);
    }
    free(rates);
    return rates != NULL;
}

static void write_head(Hdf5Tree *tree, const Export *export)
{
    hdf5_tree_attribute_text(tree, "/", "format", export->run ? "retrace run" : "retrace plan");
    hdf5_tree_attribute_text(tree, "/", "retrace",
                             export->run ? export->run->retrace : RETRACE_VERSION);
    hdf5_tree_attribute(tree, "/", "start_unix_ns", HDF5_TREE_INT64, &export->start_unix_ns);
    int32_t is_complete = export->is_complete;
    hdf5_tree_attribute(tree, "/", "is_complete", HDF5_TREE_INT32, &is_complete);
    if (export->source)
        hdf5_tree_attribute_text(tree, "/", "protocol", export->source);
    if (export->run)
        hdf5_tree_attribute_text(tree, "/", "time_source", export->run->display.time_source);
}

bool export_hdf5(const Export *export, const char *path, char *err)
{
    Hdf5Tree *tree = hdf5_tree_create(path, err);
    if (!tree)
        return false;
    bool ok = true;
    write_head(tree, export);
    write_frames(tree, &export->frames);
    write_events(tree, &export->schedule);
    if (export->plan)
        write_trials(tree, &export->schedule);
    write_pulses(tree, &export->schedule);
    write_heard(tree, export);
    for (unsigned m = 0; ok && export->rates_rows > 0 && m < export->run->models_count; m++)
        ok = write_rates(tree, export, m);
    if (ok)
        return hdf5_tree_finish(tree, err);
    hdf5_tree_abandon(tree);
    snprintf(err, EXPORT_ERR_BYTES, "%.400s: not enough memory to write it", path);
    return false;
}
