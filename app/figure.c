#include "app/figure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo-pdf.h>
#include <cairo-svg.h>

#include "app/picture.h"
#include "app/plot.h"

enum { PATH_BYTES = 4096 };

typedef enum { FIGURE_PNG, FIGURE_SVG, FIGURE_PDF, FIGURE_KINDS } FigureKind;

struct Figure {
    FigureKind kind;
    char path[PATH_BYTES], part[PATH_BYTES + 8];
    cairo_surface_t *surface; // owned
    cairo_t *cairo;           // owned
};

static bool refuse(char *err, const char *path, const char *why)
{
    snprintf(err, FIGURE_ERR_BYTES, "%.300s: cannot write the figure: %.150s", path, why);
    return false;
}

static FigureKind kind_of(const char *path)
{
    static const char *const endings[FIGURE_KINDS] = {".png", ".svg", ".pdf"};
    size_t length = strlen(path);
    for (int kind = 0; kind < FIGURE_KINDS; kind++)
        if (length > 4 && strcmp(path + length - 4, endings[kind]) == 0)
            return (FigureKind)kind;
    return FIGURE_KINDS;
}

static cairo_surface_t *open_surface(const Figure *figure, double width_pt, double height_pt)
{
    if (figure->kind == FIGURE_SVG)
        return cairo_svg_surface_create(figure->part, width_pt, height_pt);
    if (figure->kind == FIGURE_PDF)
        return cairo_pdf_surface_create(figure->part, width_pt, height_pt);
    return cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width_pt * FIGURE_PNG_SCALE),
                                      (int)(height_pt * FIGURE_PNG_SCALE));
}

static void discard(Figure *figure)
{
    cairo_destroy(figure->cairo);
    cairo_surface_destroy(figure->surface);
    free(figure);
}

Figure *figure_open(const char *path, double width_pt, double height_pt, char *err)
{
    FigureKind kind = kind_of(path);
    if (kind == FIGURE_KINDS || strlen(path) >= PATH_BYTES) {
        refuse(err, path, "its name must end in .png, .svg or .pdf and be no longer than a path");
        return NULL;
    }
    Figure *figure = calloc(1, sizeof *figure);
    if (!figure) {
        refuse(err, path, "out of memory");
        return NULL;
    }
    figure->kind = kind;
    snprintf(figure->path, sizeof figure->path, "%s", path);
    snprintf(figure->part, sizeof figure->part, "%s.part", path);
    errno = 0;
    figure->surface = open_surface(figure, width_pt, height_pt);
    figure->cairo = cairo_create(figure->surface);
    if (cairo_status(figure->cairo) != CAIRO_STATUS_SUCCESS) {
        refuse(err, path,
               errno ? strerror(errno) : cairo_status_to_string(cairo_status(figure->cairo)));
        discard(figure);
        return NULL;
    }
    if (kind == FIGURE_PNG)
        cairo_scale(figure->cairo, FIGURE_PNG_SCALE, FIGURE_PNG_SCALE);
    plot_fill(figure->cairo, plot_on_paper.paper, &(PlotBox){0, 0, width_pt, height_pt});
    return figure;
}

cairo_t *figure_cairo(Figure *figure)
{
    return figure->cairo;
}

bool figure_close(Figure *figure, char *err)
{
    bool ok;
    if (figure->kind == FIGURE_PNG) {
        ok = picture_write_surface(figure->path, figure->surface, err);
    } else {
        errno = 0;
        cairo_surface_finish(figure->surface);
        ok = cairo_surface_status(figure->surface) == CAIRO_STATUS_SUCCESS &&
             rename(figure->part, figure->path) == 0;
        if (!ok) {
            remove(figure->part);
            refuse(err, figure->path, errno ? strerror(errno) : "the drawing library refused it");
        }
    }
    discard(figure);
    return ok;
}
