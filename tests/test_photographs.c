#include "tests/harness.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <png.h>

#include "app/photographs.h"

enum { WIDTH = 60, HEIGHT = 40, SIDE = 10 };

/* format is one of PNG_FORMAT_*; pixels as that wants them. */
static void write_png(const char *folder, const char *name, unsigned width, unsigned height,
                      png_uint_32 format, const void *pixels)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = format};
    CU_ASSERT_FATAL(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
}

/* The definition of the sRGB curve. */
static double linear_of(double level)
{
    double v = level / 255.0;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static void grey_and_colour_come_out_as_linear_luminance(void)
{
    static uint8_t grey[WIDTH * HEIGHT], colour[WIDTH * HEIGHT * 3];
    static uint16_t deep[WIDTH * HEIGHT];
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        grey[i] = 100;
        colour[3 * i] = 200;
        colour[3 * i + 1] = 100;
        colour[3 * i + 2] = 50;
        deep[i] = 20000;
    }
    const char *folder = test_folder("photographs");
    write_png(folder, "a.png", WIDTH, HEIGHT, PNG_FORMAT_GRAY, grey);
    write_png(folder, "b.png", WIDTH, HEIGHT, PNG_FORMAT_RGB, colour);
    write_png(folder, "c.png", WIDTH, HEIGHT, PNG_FORMAT_LINEAR_Y, deep);
    char err[PHOTOGRAPHS_ERR_BYTES] = "";
    float image[SIDE * SIDE];
    Photographs *photographs = photographs_open(folder, SIDE, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(photographs);
    CU_ASSERT_EQUAL_FATAL(photographs_count(photographs), 3);
    const double wanted[] = {
        linear_of(100),
        0.2126 * linear_of(200) + 0.7152 * linear_of(100) + 0.0722 * linear_of(50),
        20000.0 / 65535.0,
    };
    for (int k = 0; k < 3; k++) {
        CU_ASSERT(photographs_read(photographs, k, image, err));
        for (int i = 0; i < SIDE * SIDE; i++)
            CU_ASSERT(test_near((double)image[i], wanted[k], 1e-5));
    }
    photographs_close(photographs);
}

/* A ramp of 60 by 40: the middle 40 columns, each of 10 points over 4 of them. */
static void the_middle_square_is_averaged_by_area(void)
{
    static uint16_t ramp[WIDTH * HEIGHT];
    for (int row = 0; row < HEIGHT; row++)
        for (int col = 0; col < WIDTH; col++)
            ramp[row * WIDTH + col] = (uint16_t)(1000 * col + 10 * row);
    const char *folder = test_folder("photographs");
    write_png(folder, "ramp.png", WIDTH, HEIGHT, PNG_FORMAT_LINEAR_Y, ramp);
    char err[PHOTOGRAPHS_ERR_BYTES] = "";
    float image[SIDE * SIDE], third[3 * 3];
    Photographs *photographs = photographs_open(folder, SIDE, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(photographs);
    CU_ASSERT(photographs_read(photographs, 0, image, err));
    for (int row = 0; row < SIDE; row++)
        for (int col = 0; col < SIDE; col++) {
            double wanted = 1000.0 * (10 + 4 * col + 1.5) + 10.0 * (4 * row + 1.5);
            CU_ASSERT(test_near((double)image[row * SIDE + col], wanted / 65535.0, 1e-4));
        }
    photographs_close(photographs);
    photographs = photographs_open(folder, 3, err); // 40 / 3 is no whole number
    CU_ASSERT(photographs_read(photographs, 0, third, err));
    CU_ASSERT(test_near((double)third[4], (29500.0 + 195.0) / 65535.0, 1e-4));
    CU_ASSERT(test_near((double)(third[5] - third[3]), 1000.0 * 26.65 / 65535.0, 1e-4));
    photographs_close(photographs);
}

static void what_is_no_use_is_refused_by_name(void)
{
    static uint8_t small[8 * 30];
    char err[PHOTOGRAPHS_ERR_BYTES] = "", path[600];
    const char *folder = test_folder("photographs");
    CU_ASSERT_PTR_NULL(photographs_open(folder, SIDE, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "holds no photograph"));
    write_png(folder, "small.png", 30, 8, PNG_FORMAT_GRAY, small);
    CU_ASSERT_PTR_NULL(photographs_open(folder, SIDE, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "small.png: a photograph of 30 by 8 px"));
    folder = test_folder("photographs");
    snprintf(path, sizeof path, "%s/text.png", folder);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs("no picture", file);
    fclose(file);
    CU_ASSERT_PTR_NULL(photographs_open(folder, SIDE, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "text.png"));
    CU_ASSERT_PTR_NULL(photographs_open("/no/such/folder", SIDE, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "/no/such/folder: No such file"));
}

static const TestCase cases[] = {
    {"grey and colour come out as linear luminance", grey_and_colour_come_out_as_linear_luminance},
    {"the middle square is averaged by area", the_middle_square_is_averaged_by_area},
    {"what is no use is refused by name", what_is_no_use_is_refused_by_name},
};

int main(void)
{
    return test_main("photographs", cases, sizeof cases / sizeof cases[0]);
}
