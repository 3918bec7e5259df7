#pragma once
/* What a display was measured to do, turned round: the drive level for each wanted luminance.
 *
 * The table file has a row a measurement, `level<TAB>luminance`: level 0 … 1 or 0 … 255, rising
 * from the lowest to the highest the display takes; luminance in any unit, never falling. Lines
 * that begin with # and empty ones do not count, and a first line `level<TAB>luminance` may name
 * the columns.
 *
 * Luminance is a share of the brightest that was measured, so Weber contrasts come out as asked; a
 * display cannot go below its own black, and whatever asks for less gets black. */
#include <stdbool.h>

enum { GAMMA_ERR_BYTES = 512, GAMMA_LEVELS = 1024, GAMMA_ROWS_MAX = 4096 };

/* drive (GAMMA_LEVELS) := drive level 0 … 1 at which the display shows luminance
 * i / (GAMMA_LEVELS − 1), by linear interpolation between measurements. False with
 * `FILE:LINE: what is wrong; what is allowed` in err (GAMMA_ERR_BYTES); drive is then untouched. */
bool gamma_load(const char *path, float *drive, char *err);
