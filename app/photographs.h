#pragma once
/* A folder of somebody's photographs as natural light: PNG files, grey or RGB, 8 or 16 bits.
 *
 * Luminance is linear: the sRGB curve is undone, or the gamma that the file names; 16 bits that
 * name neither are taken as linear. RGB is weighed as sRGB primaries are, transparency is ignored.
 * Of each, the square in the middle is used, averaged by area. */
#include <stdbool.h>

enum { PHOTOGRAPHS_ERR_BYTES = 512 };

typedef struct Photographs Photographs;

/* Every *.png of the folder, in the order of their names; each must be at least side_px on its
 * shorter side. NULL with a sentence in err (PHOTOGRAPHS_ERR_BYTES) that names the file. */
Photographs *photographs_open(const char *folder, int side_px, char *err);
int photographs_count(const Photographs *photographs);
const char *photographs_path(const Photographs *photographs, int which);

/* image (side_px, side_px), row 0 on top, linear. One photograph at a time is in memory. */
bool photographs_read(const Photographs *photographs, int which, float *image, char *err);
void photographs_close(Photographs *photographs);
