#include "tests/harness.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <cairo.h>

#include "app/plot.h"

enum { WIDTH_PX = 120, HEIGHT_PX = 80 };

static const PlotColour red = {1.0, 0.0, 0.0};
static const PlotArea area = {{20.0, 10.0, 80.0, 60.0}, {0.0, 8.0}, {0.0, 6.0}};

typedef struct {
    cairo_surface_t *surface;
    cairo_t *cairo;
} Canvas;

static Canvas canvas_create(void)
{
    Canvas canvas = {.surface =
                         cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH_PX, HEIGHT_PX)};
    canvas.cairo = cairo_create(canvas.surface);
    return canvas;
}

static void canvas_destroy(Canvas *canvas)
{
    cairo_destroy(canvas->cairo);
    cairo_surface_destroy(canvas->surface);
}

/* 0xRRGGBB */
static uint32_t pixel(const Canvas *canvas, int x, int y)
{
    cairo_surface_flush(canvas->surface);
    const unsigned char *row = cairo_image_surface_get_data(canvas->surface) +
                               y * cairo_image_surface_get_stride(canvas->surface);
    uint32_t value;
    memcpy(&value, row + 4 * x, sizeof value);
    return value & 0xFFFFFFU;
}

/* Painted pixels in rows [y0, y1) and columns [x0, x1). */
static int painted(const Canvas *canvas, int x0, int x1, int y0, int y1)
{
    int count = 0;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            count += pixel(canvas, x, y) != 0;
    return count;
}

static void area_ends_are_box_ends(void)
{
    CU_ASSERT(test_near(plot_x_px(&area, 0.0), 20.0, 1e-12));
    CU_ASSERT(test_near(plot_x_px(&area, 8.0), 100.0, 1e-12));
    CU_ASSERT(test_near(plot_y_px(&area, 0.0), 70.0, 1e-12));
    CU_ASSERT(test_near(plot_y_px(&area, 6.0), 10.0, 1e-12));
}

static void constant_trace_is_level(void)
{
    Canvas canvas = canvas_create();
    const double x[] = {0.0, 2.0, 4.0, 8.0};
    const double y[] = {3.0, 3.0, 3.0, 3.0};
    plot_trace(canvas.cairo, &area, red, 2.0, x, y, 4);
    // y = 3 is the middle of rows 10 … 69: a line 2 px wide fills rows 39 and 40
    for (int column = 20; column < 100; column++) {
        CU_ASSERT_EQUAL(pixel(&canvas, column, 39), 0xFF0000U);
        CU_ASSERT_EQUAL(pixel(&canvas, column, 40), 0xFF0000U);
    }
    CU_ASSERT_EQUAL(painted(&canvas, 0, WIDTH_PX, 0, HEIGHT_PX), 160);
    canvas_destroy(&canvas);
}

static void nan_leaves_a_gap(void)
{
    Canvas canvas = canvas_create();
    const double x[] = {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0};
    const double y[] = {3.0, 3.0, 3.0, (double)NAN, (double)NAN, (double)NAN, 3.0, 3.0, 3.0};
    plot_trace(canvas.cairo, &area, red, 2.0, x, y, 9);
    CU_ASSERT(painted(&canvas, 20, 40, 0, HEIGHT_PX) > 0);
    CU_ASSERT_EQUAL(painted(&canvas, 43, 78, 0, HEIGHT_PX), 0);
    CU_ASSERT(painted(&canvas, 82, 100, 0, HEIGHT_PX) > 0);
    canvas_destroy(&canvas);
}

static void lone_point_is_seen(void)
{
    Canvas canvas = canvas_create();
    const double x[] = {3.0, 4.0, 5.0};
    const double y[] = {(double)NAN, 3.0, (double)NAN};
    plot_trace(canvas.cairo, &area, red, 4.0, x, y, 3);
    CU_ASSERT_EQUAL(pixel(&canvas, 60, 40), 0xFF0000U);
    CU_ASSERT_EQUAL(painted(&canvas, 0, 57, 0, HEIGHT_PX), 0);
    CU_ASSERT_EQUAL(painted(&canvas, 63, WIDTH_PX, 0, HEIGHT_PX), 0);
    canvas_destroy(&canvas);
}

static void trace_stays_in_its_box(void)
{
    Canvas canvas = canvas_create();
    const double x[] = {-4.0, 2.0, 5.0, 12.0};
    const double y[] = {-9.0, 30.0, -30.0, 40.0};
    plot_trace(canvas.cairo, &area, red, 3.0, x, y, 4);
    CU_ASSERT(painted(&canvas, 20, 100, 10, 70) > 50);
    CU_ASSERT_EQUAL(painted(&canvas, 0, WIDTH_PX, 0, HEIGHT_PX), painted(&canvas, 20, 100, 10, 70));
    canvas_destroy(&canvas);
}

static void image_pixels_fall_where_they_belong(void)
{
    Canvas canvas = canvas_create();
    const float values[] = {0.0F, 1.0F, 0.0F, 5.0F, -5.0F, NAN};
    const PlotImage image = {values, 3, 2, PLOT_GREY, {0.0, 1.0}};
    const PlotBox box = {30.0, 20.0, 30.0, 20.0};
    plot_fill(canvas.cairo, red, &(PlotBox){0.0, 0.0, WIDTH_PX, HEIGHT_PX});
    plot_image(canvas.cairo, &plot_on_paper, &box, &image);
    CU_ASSERT_EQUAL(pixel(&canvas, 35, 25), 0x000000U);
    CU_ASSERT_EQUAL(pixel(&canvas, 40, 20), 0xFFFFFFU);
    CU_ASSERT_EQUAL(pixel(&canvas, 49, 29), 0xFFFFFFU);
    CU_ASSERT_EQUAL(pixel(&canvas, 35, 35), 0xFFFFFFU); // above the range
    CU_ASSERT_EQUAL(pixel(&canvas, 45, 35), 0x000000U); // below it
    CU_ASSERT_EQUAL(pixel(&canvas, 55, 35), 0xE0E3E6U); // NaN: the grid's colour
    CU_ASSERT_EQUAL(pixel(&canvas, 29, 25), 0xFF0000U);
    CU_ASSERT_EQUAL(pixel(&canvas, 60, 25), 0xFF0000U);
    CU_ASSERT_EQUAL(pixel(&canvas, 35, 40), 0xFF0000U);
    canvas_destroy(&canvas);
}

static double lightness(PlotColour colour)
{
    return 0.2126 * colour.red + 0.7152 * colour.green + 0.0722 * colour.blue;
}

static void activity_gets_lighter_all_the_way(void)
{
    for (int i = 1; i <= 100; i++) {
        CU_ASSERT(lightness(plot_scale_colour(PLOT_ACTIVITY, i / 100.0)) >
                  lightness(plot_scale_colour(PLOT_ACTIVITY, (i - 1) / 100.0)));
    }
}

static void diverging_is_lightest_at_zero(void)
{
    const double middle = lightness(plot_scale_colour(PLOT_DIVERGING, 0.5));
    for (int i = 0; i <= 20; i++)
        CU_ASSERT(lightness(plot_scale_colour(PLOT_DIVERGING, i / 20.0)) <= middle);
    CU_ASSERT(plot_scale_colour(PLOT_DIVERGING, 0.1).blue >
              plot_scale_colour(PLOT_DIVERGING, 0.1).red);
    CU_ASSERT(plot_scale_colour(PLOT_DIVERGING, 0.9).red >
              plot_scale_colour(PLOT_DIVERGING, 0.9).blue);
}

static void diverging_on_dark_is_darkest_at_zero(void)
{
    for (int i = 1; i <= 50; i++) {
        const double at = i / 100.0, before = (i - 1) / 100.0;
        CU_ASSERT(lightness(plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.5 + at)) >
                  lightness(plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.5 + before)));
        CU_ASSERT(lightness(plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.5 - at)) >
                  lightness(plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.5 - before)));
    }
    CU_ASSERT(plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.2).blue >
              plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.2).red);
    CU_ASSERT(plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.8).red >
              plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.8).blue);
}

static void grey_is_the_value(void)
{
    // IEC 61966-2-1: 21.4 % of the light is the middle of the scale
    CU_ASSERT(test_near(plot_scale_colour(PLOT_GREY, 0.2140).red, 0.2140, 1e-12));
    CU_ASSERT(test_near(plot_scale_colour(PLOT_GREY, 0.0).red, 0.0, 1e-12));
    CU_ASSERT(test_near(plot_scale_colour(PLOT_GREY, 1.0).red, 1.0, 1e-12));
}

static void ticks_are_round(void)
{
    CU_ASSERT(test_near(plot_tick_step((PlotRange){0.0, 100.0}, 5), 20.0, 1e-9));
    CU_ASSERT(test_near(plot_tick_step((PlotRange){0.0, 0.3}, 4), 0.1, 1e-12));
    CU_ASSERT(test_near(plot_tick_step((PlotRange){-4.0, 0.0}, 4), 1.0, 1e-12));
    CU_ASSERT(test_near(plot_round_up(1000.0), 1000.0, 1e-9));
    CU_ASSERT(test_near(plot_round_up(1001.0), 2000.0, 1e-9));
    CU_ASSERT(test_near(plot_round_up(0.06), 0.1, 1e-12));
}

static void labels_have_the_decimals_they_need(void)
{
    char label[PLOT_LABEL_BYTES];
    plot_tick_label(20.0, 20.0, label);
    CU_ASSERT_STRING_EQUAL(label, "20");
    plot_tick_label(0.30000000000000004, 0.1, label);
    CU_ASSERT_STRING_EQUAL(label, "0.3");
    plot_tick_label(-0.25, 0.05, label);
    CU_ASSERT_STRING_EQUAL(label, "−0.25");
    plot_tick_label(-1e-18, 0.5, label);
    CU_ASSERT_STRING_EQUAL(label, "0.0");
}

static void long_text_is_cut_to_fit(void)
{
    Canvas canvas = canvas_create();
    const PlotText style = {red, 12.0, false, PLOT_LEFT, 60.0};
    const double width_px =
        plot_text(canvas.cairo, &style, 10.0, 40.0, "a much too long µµµ sentence");
    CU_ASSERT(width_px <= 60.0 && width_px > 40.0);
    CU_ASSERT_EQUAL(painted(&canvas, 71, WIDTH_PX, 0, HEIGHT_PX), 0);
    CU_ASSERT(painted(&canvas, 10, 71, 0, HEIGHT_PX) > 0);
    canvas_destroy(&canvas);
}

static void right_aligned_text_ends_where_told(void)
{
    Canvas canvas = canvas_create();
    const PlotText style = {red, 12.0, false, PLOT_RIGHT, 0.0};
    plot_text(canvas.cairo, &style, 80.0, 40.0, "HHH");
    CU_ASSERT_EQUAL(painted(&canvas, 81, WIDTH_PX, 0, HEIGHT_PX), 0);
    CU_ASSERT(painted(&canvas, 70, 80, 0, HEIGHT_PX) > 0);
    canvas_destroy(&canvas);
}

static const TestCase cases[] = {
    {"the ends of a range are the ends of the box", area_ends_are_box_ends},
    {"the trace of a constant is a level line at its height", constant_trace_is_level},
    {"NaN leaves a gap in a trace", nan_leaves_a_gap},
    {"a point between gaps is a dot", lone_point_is_seen},
    {"a trace never leaves its box", trace_stays_in_its_box},
    {"image values fall on their own squares, row 0 on top", image_pixels_fall_where_they_belong},
    {"the activity scale gets lighter all the way", activity_gets_lighter_all_the_way},
    {"the diverging scale for dark grounds gets lighter from the middle to both ends",
     diverging_on_dark_is_darkest_at_zero},
    {"the diverging scale is lightest in the middle, blue below, red above",
     diverging_is_lightest_at_zero},
    {"the grey scale is the drive level of the stimulus window", grey_is_the_value},
    {"tick steps are 1, 2 or 5 times a power of ten", ticks_are_round},
    {"tick labels have the decimals their step needs", labels_have_the_decimals_they_need},
    {"text longer than its room is cut to fit", long_text_is_cut_to_fit},
    {"right-aligned text ends where it is told to", right_aligned_text_ends_where_told},
};

int main(void)
{
    return test_main("plot", cases, sizeof cases / sizeof cases[0]);
}
