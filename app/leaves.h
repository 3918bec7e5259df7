#pragma once
/* Natural-like light: a "dead leaves" image seen by an eye that never rests.
 *
 * Discs and rectangles of one luminance each lie on top of one another, their sizes by a power law
 * (density r^-3), so the image has the scale invariance and, what matters more here, the occlusion
 * edges of natural images (Lee, Mumford & Huang 2001). The eye jitters about, jumps every second or
 * so, and on some fixations drifts at constant speed and turns back. */
#include <stdbool.h>

#include "app/draws.h"
#include "render/scene.h"

typedef struct Leaves Leaves;

/* For one raster and bin rate; NULL when out of memory. */
Leaves *leaves_create(const Raster *raster, double bin_hz);

/* Lays a new image; contrast is the SD of luminance over its mean of ½, before clipping to 0 … 1.
 */
void leaves_lay(Leaves *leaves, Draws *draws, double contrast);

/* The image may also be someone else's: points on each side of it, two a pixel of the raster; and
 * image (side, side), any scale, that takes the place of leaves. */
int leaves_side(const Leaves *leaves);
float *leaves_image(Leaves *leaves);
void leaves_show_image(Leaves *leaves, double contrast);

/* lum (height_px, width_px) := the exact area average of the next bin's view. */
void leaves_view(Leaves *leaves, Draws *draws, float *lum);
void leaves_destroy(Leaves *leaves);
