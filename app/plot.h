#pragma once
/* Drawing quantities with Cairo: what the live console and the printed figures share.
 *
 * Everything is drawn in device pixels with y down, as Cairo has it. A PlotArea ties a box of
 * pixels to two ranges of values; nothing drawn through it leaves its box, tick labels aside.
 * Colours come from a theme, one for screens and one for paper, whose series stay apart for
 * colour-blind readers and never look like `good` or `bad`. The functions keep no state and change
 * nothing of the cairo_t but its current path. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cairo.h>

enum { PLOT_SERIES = 8, PLOT_LABEL_BYTES = 256 };

typedef struct {
    double red, green, blue; // sRGB, 0 … 1
} PlotColour;

typedef struct {
    PlotColour paper, ink, faint, grid; // background, text and axes, minor text, hairlines
    PlotColour good, warning, bad;
    PlotColour series[PLOT_SERIES];
} PlotTheme;

extern const PlotTheme plot_on_screen; // light on dark
extern const PlotTheme plot_on_paper;  // dark on white

typedef struct {
    double x_px, y_px, width_px, height_px; // upper left corner and size
} PlotBox;

typedef struct {
    double low, high; // low < high
} PlotRange;

typedef struct {
    PlotBox box;
    PlotRange x, y;
} PlotArea;

double plot_x_px(const PlotArea *area, double x);
double plot_y_px(const PlotArea *area, double y);

typedef enum { PLOT_LEFT, PLOT_CENTRE, PLOT_RIGHT } PlotAlign;

typedef struct {
    PlotColour colour;
    double size_px;
    bool is_bold;
    PlotAlign align;     // which end of the text stands at x_px
    double max_width_px; // longer text is cut and ends in "…"; 0 for any width
} PlotText;

void plot_fill(cairo_t *cairo, PlotColour colour, const PlotBox *box);
void plot_line(cairo_t *cairo, PlotColour colour, double width_px, double x0_px, double y0_px,
               double x1_px, double y1_px);

/* One line of UTF-8, its baseline at y_px. Returns the width it took. */
double plot_text(cairo_t *cairo, const PlotText *style, double x_px, double y_px, const char *text);
double plot_text_width_px(cairo_t *cairo, const PlotText *style, const char *text);

/* The same, reading upwards; centred on y_px, its baseline at x_px. */
void plot_text_up(cairo_t *cairo, const PlotText *style, double x_px, double y_px,
                  const char *text);

/* Text in a rounded, filled or outlined badge whose right end is at x_px; returns its left end. */
double plot_badge(cairo_t *cairo, const PlotText *style, bool is_filled, PlotColour colour,
                  double x_px, double y_px, const char *text);

/* The step of 1, 2 or 5 × 10^n that gives at most `most` intervals in the range. */
double plot_tick_step(PlotRange range, int most);

/* The smallest 1, 2 or 5 × 10^n that is not below value; value > 0. */
double plot_round_up(double value);

/* "12.5" with the decimals the step needs and no more; text holds PLOT_LABEL_BYTES. */
void plot_tick_label(double value, double step, char *text);

/* Ticks and numbers below or left of the box, a hairline across it at each tick. */
void plot_x_axis(cairo_t *cairo, const PlotTheme *theme, const PlotArea *area, double step,
                 double text_px);
void plot_y_axis(cairo_t *cairo, const PlotTheme *theme, const PlotArea *area, double step,
                 double text_px);

/* A polyline through (x, y)[count]; where either is NaN the line is interrupted, and a point alone
 * between gaps is drawn as a dot. */
void plot_trace(cairo_t *cairo, const PlotArea *area, PlotColour colour, double width_px,
                const double *x, const double *y, size_t count);

/* Colour scales over 0 … 1. */
typedef enum {
    PLOT_GREY,      // the value itself as drive level, as the stimulus window without a gamma table
    PLOT_ACTIVITY,  // black to pale yellow, lightness rising all the way
    PLOT_DIVERGING, // blue, nearly white at 0.5, red-brown
    PLOT_DIVERGING_ON_DARK, // bright blue, nearly black at 0.5, bright orange
} PlotScale;

PlotColour plot_scale_colour(PlotScale scale, double value);

/* values (height, width), row 0 on top, painted into box; NaN is painted as theme->grid. */
typedef struct {
    const float *values;
    int width, height;
    PlotScale scale;
    PlotRange range; // what maps to 0 and 1; values outside are clipped
} PlotImage;

void plot_image(cairo_t *cairo, const PlotTheme *theme, const PlotBox *box, const PlotImage *image);

/* The scale itself as a bar, low at the left, high at the right. */
void plot_scale_bar(cairo_t *cairo, const PlotBox *box, PlotScale scale);
