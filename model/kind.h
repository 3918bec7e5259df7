#pragma once
/* The seam between model.c and the model kinds: how a kind comes to life.
 *
 * A kind is one opener, declared here, and one row in the table of model.c. An opener fills
 * ModelParts: what the model is, its state, and the functions that work on the state. Kinds that
 * live in a file get it read and checked as far as a reader can that knows no kind (weights.h). */
#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"
#include "model/weights.h"

typedef struct {
    ModelInfo info;                  // everything it points to is owned by state
    void *state;                     // owned; interface->close(state) frees it
    const ModelInterface *interface; // settle and maps may be NULL, the rest must be there
} ModelParts;

/* On success the opener has taken over what *file owns and left it zeroed; on failure file is
 * untouched, nothing else is left behind, and err (MODEL_ERR_BYTES) holds one sentence. */
bool cnn_model_open(ModelFile *file, ModelParts *parts, char *err);
bool ln_model_open(ModelFile *file, ModelParts *parts, char *err);
bool reduced_model_open(ModelFile *file, ModelParts *parts, char *err);

/* Built-in, needs no file: a name of circuit_named(). */
bool circuit_model_open(const char *name, ModelParts *parts, char *err);

/* A model from parts that were made elsewhere (a circuit of other parameters, a stand-in in a
 * test), which it takes over; NULL without memory, the parts are then untouched. */
Model *model_from_parts(const ModelParts *parts, char *err);

/* Writes one sentence into err (MODEL_ERR_BYTES), cut if it is too long, and returns false. */
bool model_refuse(char *err, const char *format, ...);

/* Zeroed floats on a 64-byte boundary, for free(); NULL when there is no memory. count > 0. */
float *model_alloc(size_t count);

/* Arrays that live and die together: one block, each zeroed and on a 64-byte boundary. The block is
 * for free(); NULL, and the arrays are untouched, when there is no memory. */
typedef struct {
    float **array;
    size_t count;
} ModelArray;
float *model_alloc_arrays(const ModelArray *arrays, size_t count);
