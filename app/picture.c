#include "app/picture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <png.h>

enum { PATH_BYTES = 4096 };

static bool fail(char *err, const char *path, const char *why)
{
    snprintf(err, PICTURE_ERR_BYTES, "%.300s: cannot write the picture: %.150s", path, why);
    return false;
}

/* libpng tells of an error by a jump back to here; nothing that lives across it changes after it.
 */
static bool encode(png_structp png, png_infop info, FILE *file, int width_px, int height_px,
                   const uint8_t *rgb)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)width_px, (png_uint_32)height_px, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < height_px; y++)
        png_write_row(png, rgb + (size_t)y * (size_t)width_px * 3);
    png_write_end(png, info);
    return true;
}

static void be_quiet(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void give_up(png_structp png, png_const_charp message)
{
    (void)message;
    png_longjmp(png, 1);
}

static bool write_file(FILE *file, int width_px, int height_px, const uint8_t *rgb)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, give_up, be_quiet);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    const bool is_written = info && encode(png, info, file, width_px, height_px, rgb);
    png_destroy_write_struct(&png, &info);
    return is_written;
}

bool picture_write_rgb(const char *path, int width_px, int height_px, const uint8_t *rgb, char *err)
{
    char part[PATH_BYTES];
    if (width_px < 1 || height_px < 1)
        return fail(err, path, "it has no pixels");
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return fail(err, path, "the name is too long");
    FILE *file = fopen(part, "wb");
    if (!file)
        return fail(err, path, strerror(errno));
    errno = 0;
    const bool is_written = write_file(file, width_px, height_px, rgb);
    const bool is_closed = fclose(file) == 0;
    if (!is_written || !is_closed || rename(part, path) != 0) {
        const int why = errno;
        remove(part);
        return fail(err, path, why ? strerror(why) : "the PNG library refused it");
    }
    return true;
}

/* rgb (height, width, 3) := the surface's 32-bit pixels, whose bytes are in the machine's order. */
static void unpack(cairo_surface_t *surface, int width_px, int height_px, uint8_t *rgb)
{
    const unsigned char *pixels = cairo_image_surface_get_data(surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (int y = 0; y < height_px; y++) {
        for (int x = 0; x < width_px; x++) {
            uint32_t pixel;
            memcpy(&pixel, pixels + (size_t)y * stride + 4 * (size_t)x, sizeof pixel);
            *rgb++ = (uint8_t)(pixel >> 16);
            *rgb++ = (uint8_t)(pixel >> 8);
            *rgb++ = (uint8_t)pixel;
        }
    }
}

bool picture_write_surface(const char *path, cairo_surface_t *surface, char *err)
{
    cairo_surface_flush(surface);
    const cairo_format_t format = cairo_image_surface_get_format(surface);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS ||
        (format != CAIRO_FORMAT_RGB24 && format != CAIRO_FORMAT_ARGB32))
        return fail(err, path, "the drawing is not an RGB24 or ARGB32 image");
    const int width_px = cairo_image_surface_get_width(surface);
    const int height_px = cairo_image_surface_get_height(surface);
    uint8_t *rgb = malloc((size_t)width_px * (size_t)height_px * 3 + 1);
    if (!rgb)
        return fail(err, path, "out of memory");
    unpack(surface, width_px, height_px, rgb);
    const bool is_written = picture_write_rgb(path, width_px, height_px, rgb, err);
    free(rgb);
    return is_written;
}
