#include "render/scene.h"

#include <math.h>
#include <stddef.h>

typedef struct {
    double low, high;
} Interval;

static double clamp(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

/* Fraction of a unit square, centred on 0, on the side x·n <= distance of a straight line; n is a
 * unit vector. Between the two inner corners the fraction is linear in the distance, and beyond
 * them what is missing is a right-angled triangle. */
static double half_plane_coverage(double distance, double normal_x, double normal_y)
{
    double major = fmax(fabs(normal_x), fabs(normal_y));
    double minor = fmin(fabs(normal_x), fabs(normal_y));
    double reach = 0.5 * (major + minor);
    double away = fabs(distance);
    double smaller_part = 0;
    if (away <= 0.5 * (major - minor))
        smaller_part = 0.5 - away / major;
    else if (away < reach)
        smaller_part = (reach - away) * (reach - away) / (2 * major * minor);
    return distance < 0 ? smaller_part : 1 - smaller_part;
}

static double stripe_coverage(const SceneStripe *stripe, const Raster *raster, double x_um,
                              double y_um)
{
    double nx = (double)stripe->normal_x, ny = (double)stripe->normal_y;
    double distance_px = (x_um * nx + y_um * ny - stripe->centre_um) / raster->um_per_px;
    double half_width_px = 0.5 * stripe->width_um / raster->um_per_px;
    return half_plane_coverage(distance_px + half_width_px, nx, ny) -
           half_plane_coverage(distance_px - half_width_px, nx, ny);
}

static void average_stripe(const Scene *scene, const Raster *raster, float *lum)
{
    double background = (double)scene->background_lum;
    double contrast = (double)scene->stripe.lum - background;
    for (int row = 0; row < raster->height_px; row++) {
        double y_um = (0.5 * (raster->height_px - 1) - row) * raster->um_per_px;
        for (int column = 0; column < raster->width_px; column++) {
            double x_um = (column - 0.5 * (raster->width_px - 1)) * raster->um_per_px;
            double coverage = stripe_coverage(&scene->stripe, raster, x_um, y_um);
            *lum++ = (float)(background + contrast * coverage);
        }
    }
}

/* Pixel index of a raster in units of checks from the grid's first edge, along one axis. */
static Interval pixel_in_checks(int index, int pixels, double offset_um, const Raster *raster,
                                double check_um, int checks)
{
    double low_um = (index - 0.5 * pixels) * raster->um_per_px - offset_um;
    double low = low_um / check_um + 0.5 * checks;
    return (Interval){low, low + raster->um_per_px / check_um};
}

static double overlap(Interval pixel, int check)
{
    return fmax(0, fmin(pixel.high, check + 1) - fmax(pixel.low, check));
}

static double grid_mean(const Scene *scene, Interval x, Interval y)
{
    const SceneGrid *grid = &scene->grid;
    int first_column = (int)clamp(floor(x.low), 0, grid->columns);
    int end_column = (int)clamp(ceil(x.high), 0, grid->columns);
    int first_row = (int)clamp(floor(y.low), 0, grid->rows);
    int end_row = (int)clamp(ceil(y.high), 0, grid->rows);
    double light = 0, covered = 0;
    for (int row = first_row; row < end_row; row++) {
        const float *checks = grid->lum + (ptrdiff_t)row * grid->columns;
        double height = overlap(y, row);
        for (int column = first_column; column < end_column; column++) {
            double area = height * overlap(x, column);
            light += area * (double)checks[column];
            covered += area;
        }
    }
    double pixel_area = (x.high - x.low) * (y.high - y.low);
    return (light + (pixel_area - covered) * (double)scene->background_lum) / pixel_area;
}

static void average_grid(const Scene *scene, const Raster *raster, float *lum)
{
    const SceneGrid *grid = &scene->grid;
    for (int row = 0; row < raster->height_px; row++) {
        Interval y = pixel_in_checks(row, raster->height_px, -grid->centre_y_um, raster,
                                     grid->check_um, grid->rows);
        for (int column = 0; column < raster->width_px; column++) {
            Interval x = pixel_in_checks(column, raster->width_px, grid->centre_x_um, raster,
                                         grid->check_um, grid->columns);
            *lum++ = (float)grid_mean(scene, x, y);
        }
    }
}

void scene_average(const Scene *scene, const Raster *raster, float *lum)
{
    switch (scene->kind) {
    case SCENE_UNIFORM:
        for (ptrdiff_t i = 0; i < (ptrdiff_t)raster->width_px * raster->height_px; i++)
            lum[i] = scene->background_lum;
        break;
    case SCENE_STRIPE:
        average_stripe(scene, raster, lum);
        break;
    case SCENE_GRID:
        average_grid(scene, raster, lum);
        break;
    }
}
