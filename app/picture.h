#pragma once
/* Pictures as PNG files: 8 bits, RGB, no alpha. Not for the frame path.
 *
 * A picture is written beside its place and moved there when whole, so that a file of that name is
 * never half a picture. False leaves one sentence in err (PICTURE_ERR_BYTES) that names the file.
 */
#include <stdbool.h>
#include <stdint.h>
#include <cairo.h>

enum { PICTURE_ERR_BYTES = 512 };

/* rgb (height_px, width_px, 3), row 0 on top. */
bool picture_write_rgb(const char *path, int width_px, int height_px, const uint8_t *rgb,
                       char *err);

/* An image surface of CAIRO_FORMAT_RGB24, or ARGB32 that is opaque everywhere. */
bool picture_write_surface(const char *path, cairo_surface_t *surface, char *err);
