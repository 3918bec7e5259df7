#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cairo.h>
#include <png.h>

#include "app/picture.h"

enum { PATH_BYTES = 600 };

/* Reads a PNG back with libpng's own simple reader, as RGB. */
static bool read_back(const char *path, uint8_t *rgb, size_t rgb_bytes, unsigned *width,
                      unsigned *height)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&image, path))
        return false;
    image.format = PNG_FORMAT_RGB;
    *width = image.width;
    *height = image.height;
    return PNG_IMAGE_SIZE(image) <= rgb_bytes && png_image_finish_read(&image, NULL, rgb, 0, NULL);
}

static void rgb_round_trip(void)
{
    char path[PATH_BYTES], err[PICTURE_ERR_BYTES] = "";
    uint8_t rgb[5 * 3 * 3], back[5 * 3 * 3];
    unsigned width = 0, height = 0;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(i * 37);
    snprintf(path, sizeof path, "%s/a.png", test_folder("picture"));
    CU_ASSERT(picture_write_rgb(path, 5, 3, rgb, err));
    CU_ASSERT_STRING_EQUAL(err, "");
    CU_ASSERT_FATAL(read_back(path, back, sizeof back, &width, &height));
    CU_ASSERT_EQUAL(width, 5);
    CU_ASSERT_EQUAL(height, 3);
    CU_ASSERT_EQUAL(memcmp(rgb, back, sizeof rgb), 0);
}

static void surface_round_trip(void)
{
    char path[PATH_BYTES], err[PICTURE_ERR_BYTES] = "";
    uint8_t back[7 * 2 * 3];
    unsigned width = 0, height = 0;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 7, 2);
    cairo_t *cairo = cairo_create(surface);
    cairo_set_source_rgb(cairo, 1.0, 0.6, 0.2); // 255, 153, 51
    cairo_rectangle(cairo, 6.0, 1.0, 1.0, 1.0);
    cairo_fill(cairo);
    cairo_destroy(cairo);
    snprintf(path, sizeof path, "%s/a.png", test_folder("picture"));
    CU_ASSERT(picture_write_surface(path, surface, err));
    cairo_surface_destroy(surface);
    CU_ASSERT_FATAL(read_back(path, back, sizeof back, &width, &height));
    CU_ASSERT_EQUAL(width, 7);
    CU_ASSERT_EQUAL(back[0], 0);
    CU_ASSERT_EQUAL(back[13 * 3], 255);
    CU_ASSERT_EQUAL(back[13 * 3 + 1], 153);
    CU_ASSERT_EQUAL(back[13 * 3 + 2], 51);
}

static void unwritable_place_is_named(void)
{
    char err[PICTURE_ERR_BYTES] = "";
    const uint8_t rgb[3] = {1, 2, 3};
    CU_ASSERT(!picture_write_rgb("/nonexistent/folder/a.png", 1, 1, rgb, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "/nonexistent/folder/a.png"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "No such file"));
}

static void failure_leaves_the_old_picture(void)
{
    char path[PATH_BYTES], err[PICTURE_ERR_BYTES] = "";
    const uint8_t rgb[3] = {9, 8, 7};
    uint8_t back[3];
    unsigned width = 0, height = 0;
    snprintf(path, sizeof path, "%s/a.png", test_folder("picture"));
    CU_ASSERT(picture_write_rgb(path, 1, 1, rgb, err));
    CU_ASSERT(!picture_write_rgb(path, 0, 1, rgb, err));
    CU_ASSERT_FATAL(read_back(path, back, sizeof back, &width, &height));
    CU_ASSERT_EQUAL(memcmp(rgb, back, sizeof rgb), 0);
}

static void full_disk_is_told(void)
{
    if (access("/dev/full", W_OK) != 0) {
        test_skip("no /dev/full");
        return;
    }
    char path[PATH_BYTES], part[PATH_BYTES + 8], err[PICTURE_ERR_BYTES] = "";
    static const uint8_t rgb[64 * 64 * 3];
    snprintf(path, sizeof path, "%s/a.png", test_folder("picture"));
    snprintf(part, sizeof part, "%s.part", path);
    CU_ASSERT_EQUAL_FATAL(symlink("/dev/full", part), 0);
    CU_ASSERT(!picture_write_rgb(path, 64, 64, rgb, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "No space left"));
    CU_ASSERT(access(path, F_OK) != 0);
}

static const TestCase cases[] = {
    {"an RGB picture is read back bit for bit", rgb_round_trip},
    {"a Cairo surface is read back with its colours in place", surface_round_trip},
    {"a place that cannot be written is named with the reason", unwritable_place_is_named},
    {"a failed picture leaves the old one whole", failure_leaves_the_old_picture},
    {"a full disk is told and leaves no picture", full_disk_is_told},
};

int main(void)
{
    return test_main("picture", cases, sizeof cases / sizeof cases[0]);
}
