#pragma once
/* What the reader and the writer of model files hold each other to; nobody else needs this. */
#include <stdbool.h>
#include <stddef.h>

#include "model/weights.h"

#define WEIGHTS_FORMAT        "retrace-model"
#define WEIGHTS_HISTORY_ORDER "oldest first"

enum { WEIGHTS_VALUES_MAX = 1 << 26, WEIGHTS_NUMBERS = 10 };

typedef enum { NUMBER_REAL, NUMBER_WHOLE, NUMBER_FLAG } NumberType;
/* One number of the root group: where it lives in ModelFile and what it may be. */
typedef struct {
    const char *name;
    size_t offset;
    NumberType type;
    double above, most; // above < value <= most
    const char *allowed;
} NumberRow;

extern const NumberRow weights_numbers[WEIGHTS_NUMBERS];

double weights_number_get(const ModelFile *file, const NumberRow *row);
void weights_number_set(ModelFile *file, const NumberRow *row, double value);

/* false with a sentence in err when a rule is broken. */
bool weights_number_check(const char *path, const NumberRow *row, double value, char *err);
bool weights_cells_check(const ModelFile *file, char *err);
bool weights_tensor_check(const char *path, const ModelTensor *tensor, char *err);

/* Hands bytes to the file, freed by model_file_finish(); NULL, and bytes are freed, when there is
 * no memory or bytes is NULL. */
void *weights_keep(ModelFile *file, void *bytes);
