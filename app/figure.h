#pragma once
/* A figure on paper: one page, drawn with Cairo in points (1/72 inch), kept as PNG, SVG or PDF by
 * the ending of its name.
 *
 * Written beside its place and moved there when whole, so that a file of that name is never half a
 * figure. Not for the frame path. */
#include <stdbool.h>

#include <cairo.h>

enum { FIGURE_ERR_BYTES = 512, FIGURE_PNG_SCALE = 2 }; // pixels a point in a PNG

typedef struct Figure Figure;

/* A white page. NULL with a sentence in err (FIGURE_ERR_BYTES) that names the file and the endings
 * allowed. */
Figure *figure_open(const char *path, double width_pt, double height_pt, char *err);

/* Lent until figure_close(). */
cairo_t *figure_cairo(Figure *figure);

/* Writes the file and frees the figure either way. False with a sentence in err. */
bool figure_close(Figure *figure, char *err);
