#include "app/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Series after Okabe & Ito, "Color Universal Design" (2008), lightened or darkened to the ground.
 */
const PlotTheme plot_on_screen = {
    .paper = {0.055, 0.067, 0.086},
    .ink = {0.93, 0.94, 0.95},
    .faint = {0.60, 0.64, 0.69},
    .grid = {0.19, 0.22, 0.26},
    .good = {0.16, 0.75, 0.55},
    .warning = {0.95, 0.73, 0.25},
    .bad = {1.0, 0.27, 0.23},
    .series = {{0.93, 0.94, 0.95},
               {0.34, 0.71, 0.91},
               {0.90, 0.62, 0.0},
               {0.80, 0.47, 0.74},
               {0.94, 0.89, 0.26},
               {0.40, 0.50, 1.0},
               {0.72, 0.60, 0.48},
               {0.45, 0.82, 0.82}},
};

const PlotTheme plot_on_paper = {
    .paper = {1.0, 1.0, 1.0},
    .ink = {0.10, 0.11, 0.13},
    .faint = {0.42, 0.45, 0.49},
    .grid = {0.88, 0.89, 0.90},
    .good = {0.0, 0.52, 0.36},
    .warning = {0.75, 0.50, 0.0},
    .bad = {0.80, 0.10, 0.08},
    .series = {{0.10, 0.11, 0.13},
               {0.0, 0.45, 0.70},
               {0.85, 0.55, 0.0},
               {0.70, 0.36, 0.60},
               {0.45, 0.42, 0.05},
               {0.30, 0.35, 0.85},
               {0.50, 0.38, 0.26},
               {0.15, 0.55, 0.58}},
};

double plot_x_px(const PlotArea *area, double x)
{
    return area->box.x_px + (x - area->x.low) / (area->x.high - area->x.low) * area->box.width_px;
}

double plot_y_px(const PlotArea *area, double y)
{
    const double up = (y - area->y.low) / (area->y.high - area->y.low);
    return area->box.y_px + (1.0 - up) * area->box.height_px;
}

static void set_colour(cairo_t *cairo, PlotColour colour)
{
    cairo_set_source_rgb(cairo, colour.red, colour.green, colour.blue);
}

void plot_fill(cairo_t *cairo, PlotColour colour, const PlotBox *box)
{
    set_colour(cairo, colour);
    cairo_rectangle(cairo, box->x_px, box->y_px, box->width_px, box->height_px);
    cairo_fill(cairo);
}

void plot_line(cairo_t *cairo, PlotColour colour, double width_px, double x0_px, double y0_px,
               double x1_px, double y1_px)
{
    set_colour(cairo, colour);
    cairo_set_line_width(cairo, width_px);
    cairo_move_to(cairo, x0_px, y0_px);
    cairo_line_to(cairo, x1_px, y1_px);
    cairo_stroke(cairo);
}

static void set_font(cairo_t *cairo, const PlotText *style)
{
    cairo_select_font_face(cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           style->is_bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, style->size_px);
}

static double advance_px(cairo_t *cairo, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(cairo, text, &extents);
    return extents.x_advance;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0U) == 0x80U;
}

/* text := the longest beginning of itself that fits, with "…" after it. Returns its width. */
static double shorten(cairo_t *cairo, char *text, double max_width_px)
{
    static const char ellipsis[] = "…";
    size_t length = strlen(text);
    double width_px = advance_px(cairo, text);
    while (width_px > max_width_px && length > 0) {
        do {
            length--;
        } while (length > 0 && is_continuation(text[length]));
        memcpy(text + length, ellipsis, sizeof ellipsis);
        width_px = advance_px(cairo, text);
    }
    return width_px;
}

double plot_text(cairo_t *cairo, const PlotText *style, double x_px, double y_px, const char *text)
{
    char line[PLOT_LABEL_BYTES + 4]; // room for the ellipsis
    snprintf(line, PLOT_LABEL_BYTES, "%s", text);
    set_font(cairo, style);
    const double limit_px = style->max_width_px > 0.0 ? style->max_width_px : HUGE_VAL;
    const double width_px = shorten(cairo, line, limit_px);
    const double shift = style->align == PLOT_LEFT ? 0.0 : style->align == PLOT_CENTRE ? 0.5 : 1.0;
    set_colour(cairo, style->colour);
    cairo_move_to(cairo, x_px - shift * width_px, y_px);
    cairo_show_text(cairo, line);
    cairo_new_path(cairo);
    return width_px;
}

double plot_text_width_px(cairo_t *cairo, const PlotText *style, const char *text)
{
    set_font(cairo, style);
    return advance_px(cairo, text);
}

void plot_text_up(cairo_t *cairo, const PlotText *style, double x_px, double y_px, const char *text)
{
    PlotText centred = *style;
    centred.align = PLOT_CENTRE;
    cairo_save(cairo);
    cairo_translate(cairo, x_px, y_px);
    cairo_rotate(cairo, -acos(-1.0) / 2.0);
    plot_text(cairo, &centred, 0.0, 0.0, text);
    cairo_restore(cairo);
}

static void rounded_path(cairo_t *cairo, const PlotBox *box)
{
    const double quarter = acos(-1.0) / 2.0;
    const double radius_px = box->height_px / 2.0;
    const double middle_px = box->y_px + radius_px;
    cairo_new_path(cairo);
    cairo_arc(cairo, box->x_px + box->width_px - radius_px, middle_px, radius_px, -quarter,
              quarter);
    cairo_arc(cairo, box->x_px + radius_px, middle_px, radius_px, quarter, 3.0 * quarter);
    cairo_close_path(cairo);
}

double plot_badge(cairo_t *cairo, const PlotText *style, bool is_filled, PlotColour colour,
                  double x_px, double y_px, const char *text)
{
    const double pad_px = 0.6 * style->size_px;
    const double full_px = plot_text_width_px(cairo, style, text);
    const double text_px = style->max_width_px > 0.0 ? fmin(full_px, style->max_width_px) : full_px;
    const double width_px = text_px + 2.0 * pad_px;
    const PlotBox box = {x_px - width_px, y_px - 1.15 * style->size_px, width_px,
                         1.6 * style->size_px};
    rounded_path(cairo, &box);
    set_colour(cairo, colour);
    cairo_set_line_width(cairo, 1.0);
    if (is_filled)
        cairo_fill(cairo);
    else
        cairo_stroke(cairo);
    PlotText inside = *style;
    inside.align = PLOT_LEFT;
    plot_text(cairo, &inside, box.x_px + pad_px, y_px, text);
    return box.x_px;
}

double plot_round_up(double value)
{
    const double decade = pow(10.0, floor(log10(value)));
    const double digits[] = {1.0, 2.0, 5.0};
    for (int i = 0; i < 3; i++)
        if (digits[i] * decade >= value * (1.0 - 1e-12))
            return digits[i] * decade;
    return 10.0 * decade;
}

double plot_tick_step(PlotRange range, int most)
{
    return plot_round_up((range.high - range.low) / most);
}

void plot_tick_label(double value, double step, char *text)
{
    const int decimals = (int)fmax(0.0, ceil(-log10(step) - 1e-9));
    const double shown = fabs(value) < step * 1e-6 ? 0.0 : value;
    const char *sign = shown < 0.0 ? "−" : "";
    snprintf(text, PLOT_LABEL_BYTES, "%s%.*f", sign, decimals, fabs(shown));
}

void plot_x_axis(cairo_t *cairo, const PlotTheme *theme, const PlotArea *area, double step,
                 double text_px)
{
    const PlotText style = {theme->faint, text_px, false, PLOT_CENTRE, 0.0};
    const double bottom_px = area->box.y_px + area->box.height_px;
    const double last = floor(area->x.high / step + 1e-6);
    char label[PLOT_LABEL_BYTES];
    for (double i = ceil(area->x.low / step - 1e-6); i <= last; i++) {
        const double x_px = floor(plot_x_px(area, i * step)) + 0.5;
        plot_line(cairo, theme->grid, 1.0, x_px, area->box.y_px, x_px, bottom_px);
        plot_tick_label(i * step, step, label);
        plot_text(cairo, &style, x_px, bottom_px + 1.25 * text_px, label);
    }
}

void plot_y_axis(cairo_t *cairo, const PlotTheme *theme, const PlotArea *area, double step,
                 double text_px)
{
    const PlotText style = {theme->faint, text_px, false, PLOT_RIGHT, 0.0};
    const double left_px = area->box.x_px;
    const double last = floor(area->y.high / step + 1e-6);
    char label[PLOT_LABEL_BYTES];
    for (double i = ceil(area->y.low / step - 1e-6); i <= last; i++) {
        const double y_px = floor(plot_y_px(area, i * step)) + 0.5;
        plot_line(cairo, theme->grid, 1.0, left_px, y_px, left_px + area->box.width_px, y_px);
        plot_tick_label(i * step, step, label);
        plot_text(cairo, &style, left_px - 0.45 * text_px, y_px + 0.36 * text_px, label);
    }
}

static bool is_point(const double *x, const double *y, size_t count, size_t i)
{
    return i < count && !isnan(x[i]) && !isnan(y[i]);
}

void plot_trace(cairo_t *cairo, const PlotArea *area, PlotColour colour, double width_px,
                const double *x, const double *y, size_t count)
{
    cairo_save(cairo);
    cairo_rectangle(cairo, area->box.x_px, area->box.y_px, area->box.width_px, area->box.height_px);
    cairo_clip(cairo);
    set_colour(cairo, colour);
    cairo_set_line_width(cairo, width_px);
    cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_BEVEL);
    bool is_drawing = false;
    for (size_t i = 0; i < count; i++) {
        if (!is_point(x, y, count, i)) {
            is_drawing = false;
            continue;
        }
        const double x_px = plot_x_px(area, x[i]);
        const double y_px = plot_y_px(area, y[i]);
        if (is_drawing)
            cairo_line_to(cairo, x_px, y_px);
        else
            cairo_move_to(cairo, x_px, y_px);
        if (!is_drawing && !is_point(x, y, count, i + 1))
            cairo_close_path(cairo); // with round caps a closed single point is a dot
        is_drawing = true;
    }
    cairo_stroke(cairo);
    cairo_restore(cairo);
}

static PlotColour mix(PlotColour a, PlotColour b, double share)
{
    return (PlotColour){a.red + share * (b.red - a.red), a.green + share * (b.green - a.green),
                        a.blue + share * (b.blue - a.blue)};
}

PlotColour plot_scale_colour(PlotScale scale, double value)
{
    enum { ANCHORS = 5 };
    static const PlotColour activity[ANCHORS] = {{0.02, 0.02, 0.04},
                                                 {0.12, 0.17, 0.44},
                                                 {0.13, 0.47, 0.58},
                                                 {0.55, 0.77, 0.48},
                                                 {1.0, 0.96, 0.72}};
    static const PlotColour diverging[ANCHORS] = {{0.05, 0.19, 0.42},
                                                  {0.33, 0.59, 0.80},
                                                  {0.96, 0.96, 0.95},
                                                  {0.87, 0.55, 0.35},
                                                  {0.45, 0.10, 0.06}};
    static const PlotColour on_dark[ANCHORS] = {{0.55, 0.83, 1.0},
                                                {0.15, 0.44, 0.72},
                                                {0.04, 0.05, 0.07},
                                                {0.72, 0.33, 0.16},
                                                {1.0, 0.76, 0.48}};
    const double clipped = value < 0.0 ? 0.0 : value > 1.0 ? 1.0 : value;
    if (scale == PLOT_GREY)
        return (PlotColour){clipped, clipped, clipped};
    const PlotColour *anchors = scale == PLOT_ACTIVITY    ? activity
                                : scale == PLOT_DIVERGING ? diverging
                                                          : on_dark;
    const int below = clipped >= 1.0 ? ANCHORS - 2 : (int)(clipped * (ANCHORS - 1));
    return mix(anchors[below], anchors[below + 1], clipped * (ANCHORS - 1) - below);
}

static uint32_t packed(PlotColour colour)
{
    return (uint32_t)lrint(255.0 * colour.red) << 16 | (uint32_t)lrint(255.0 * colour.green) << 8 |
           (uint32_t)lrint(255.0 * colour.blue);
}

enum { SCALE_LEVELS = 256 };

static void fill_pixels(cairo_surface_t *surface, const PlotTheme *theme, const PlotImage *image)
{
    uint32_t levels[SCALE_LEVELS];
    for (int i = 0; i < SCALE_LEVELS; i++)
        levels[i] = packed(plot_scale_colour(image->scale, i / (SCALE_LEVELS - 1.0)));
    const uint32_t nothing = packed(theme->grid);
    const double gain = (SCALE_LEVELS - 1) / (image->range.high - image->range.low);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (int y = 0; y < image->height; y++) {
        for (int x = 0; x < image->width; x++) {
            const double value =
                (double)image->values[(size_t)y * (size_t)image->width + (size_t)x];
            const double level =
                fmin(fmax((value - image->range.low) * gain, 0.0), SCALE_LEVELS - 1.0);
            const uint32_t pixel = isnan(value) ? nothing : levels[(int)(level + 0.5)];
            memcpy(pixels + (size_t)y * stride + 4 * (size_t)x, &pixel, sizeof pixel);
        }
    }
}

void plot_image(cairo_t *cairo, const PlotTheme *theme, const PlotBox *box, const PlotImage *image)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->width, image->height);
    if (cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS) {
        cairo_surface_flush(surface);
        fill_pixels(surface, theme, image);
        cairo_surface_mark_dirty(surface);
        cairo_save(cairo);
        cairo_rectangle(cairo, box->x_px, box->y_px, box->width_px, box->height_px);
        cairo_clip(cairo);
        cairo_translate(cairo, box->x_px, box->y_px);
        cairo_scale(cairo, box->width_px / image->width, box->height_px / image->height);
        cairo_set_source_surface(cairo, surface, 0.0, 0.0);
        cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
        cairo_paint(cairo);
        cairo_restore(cairo);
    }
    cairo_surface_destroy(surface);
}

void plot_scale_bar(cairo_t *cairo, const PlotBox *box, PlotScale scale)
{
    enum { STEPS = 64 };
    float values[STEPS];
    for (int i = 0; i < STEPS; i++)
        values[i] = (float)i / (STEPS - 1);
    const PlotImage image = {values, STEPS, 1, scale, {0.0, 1.0}};
    plot_image(cairo, &plot_on_screen, box, &image);
}
