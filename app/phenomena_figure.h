#pragma once
/* One phenomenon as a figure: models side by side, panels below each other, one scale a row. */
#include <stdbool.h>

#include "app/phenomena.h"

typedef struct {
    const char *model; // its name
    bool is_simulated;
    const PhenomenonResult *result; // borrowed; without numbers: left out
} PhenomenonColumn;

/* False with a sentence in err (FIGURE_ERR_BYTES). count > 0. */
bool phenomenon_draw(const Phenomenon *phenomenon, const PhenomenonColumn *columns, int count,
                     const char *path, char *err);
