#include "model/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/kind.h"

struct Model {
    ModelParts parts;
};

static const char built_in[] = "circuit";

static const struct {
    const char *kind;
    bool (*open)(ModelFile *file, ModelParts *parts, char *err);
} file_kinds[] = {
    {"cnn", cnn_model_open},
    {"subunit", cnn_model_open},
    {"glm", ln_model_open},
    {"ln", ln_model_open},
    {"reduced", reduced_model_open},
};

enum { FILE_KINDS = sizeof file_kinds / sizeof file_kinds[0] };

static bool open_kind(ModelFile *file, ModelParts *parts, char *err)
{
    for (size_t i = 0; i < FILE_KINDS; i++)
        if (strcmp(file->info.kind, file_kinds[i].kind) == 0)
            return file_kinds[i].open(file, parts, err);
    return model_refuse(err, "%s: kind \"%s\" is not known; cnn, subunit, glm, ln and reduced are",
                        file->path, file->info.kind);
}

static bool open_file(const char *path, ModelParts *parts, char *err)
{
    ModelFile file;
    if (!model_file_read(path, &file, err))
        return false;
    bool is_open = open_kind(&file, parts, err);
    model_file_finish(&file);
    return is_open;
}

Model *model_from_parts(const ModelParts *parts, char *err)
{
    Model *model = malloc(sizeof *model);
    if (model == NULL)
        model_refuse(err, "%s: not enough memory for this model", parts->info.name);
    else
        model->parts = *parts;
    return model;
}

bool model_is_built_in(const char *name)
{
    size_t stem = strlen(built_in);
    return strncmp(name, built_in, stem) == 0 && strchr(name, '.') == NULL &&
           (name[stem] == '\0' || name[stem] == '-' || name[stem] == '/');
}

Model *model_open(const char *name_or_path, char *err)
{
    // The frame loop has one core for the models: a second BLAS thread only adds jitter.
    openblas_set_num_threads(1);
    ModelParts parts;
    bool is_open = model_is_built_in(name_or_path) ? circuit_model_open(name_or_path, &parts, err)
                                                   : open_file(name_or_path, &parts, err);
    Model *model = is_open ? model_from_parts(&parts, err) : NULL;
    if (is_open && model == NULL)
        parts.interface->close(parts.state);
    return model;
}

const ModelInfo *model_info(const Model *model)
{
    return &model->parts.info;
}

void model_step(Model *model, const float *lum, float *rates_hz)
{
    model->parts.interface->step(model->parts.state, lum, rates_hz);
}

void model_settle(Model *model)
{
    if (model->parts.interface->settle != NULL)
        model->parts.interface->settle(model->parts.state);
}

void model_mark(Model *model)
{
    model->parts.interface->mark(model->parts.state);
}

void model_rewind(Model *model)
{
    model->parts.interface->rewind(model->parts.state);
}

void model_reset(Model *model)
{
    model->parts.interface->reset(model->parts.state);
}

void model_maps(const Model *model, ModelMaps *maps)
{
    *maps = (ModelMaps){0};
    if (model->parts.interface->maps != NULL)
        model->parts.interface->maps(model->parts.state, maps);
}

bool model_set_noise(Model *model, double sd, uint64_t seed)
{
    return model->parts.interface->set_noise != NULL &&
           model->parts.interface->set_noise(model->parts.state, sd, seed);
}

void model_close(Model *model)
{
    if (model == NULL)
        return;
    model->parts.interface->close(model->parts.state);
    free(model);
}

bool model_refuse(char *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err, MODEL_ERR_BYTES, format, arguments);
    va_end(arguments);
    return false;
}

float *model_alloc(size_t count)
{
    enum { ALIGNMENT = 64 };
    size_t bytes = (count * sizeof(float) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    float *values = aligned_alloc(ALIGNMENT, bytes);
    if (values != NULL)
        memset(values, 0, bytes);
    return values;
}

float *model_alloc_arrays(const ModelArray *arrays, size_t count)
{
    enum { FLOATS_A_LINE = 16 };
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += (arrays[i].count + FLOATS_A_LINE - 1) / FLOATS_A_LINE * FLOATS_A_LINE;
    float *block = model_alloc(total), *next = block;
    for (size_t i = 0; block != NULL && i < count; i++) {
        *arrays[i].array = next;
        next += (arrays[i].count + FLOATS_A_LINE - 1) / FLOATS_A_LINE * FLOATS_A_LINE;
    }
    return block;
}
