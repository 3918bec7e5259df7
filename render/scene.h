#pragma once
/* One frame of a stimulus as a description, before anybody has drawn it.
 *
 * A scene has two faces that must agree: the GPU draws it at screen resolution (painter.h), and
 * scene_average() gives its exact area average on a model's grid. Both work from the same few
 * numbers in micrometres on the retina: x to the right, y up, origin at the centre of the screen.
 * Luminance is linear light, 0 black … 1 the brightest the display can do. */
#include <stdint.h>

enum { SCENE_MAX_CHECKS = 1024 }; // columns of a grid, or rows

typedef enum {
    SCENE_UNIFORM, // background_lum everywhere
    SCENE_STRIPE,  // an infinitely long bar on the background
    SCENE_GRID,    // rectangular checks, background outside them
} SceneKind;

typedef struct {
    float lum;
    float normal_x, normal_y; // unit vector across the bar
    double centre_um;         // the bar is all p with |p·normal − centre_um| <= width_um / 2
    double width_um;
} SceneStripe;

typedef struct {
    const float *lum; // (rows, columns), row 0 on top; lent until the stimulus's next scene
    int columns, rows;
    double check_um;                 // side of one square check
    double centre_x_um, centre_y_um; // middle of the whole grid
} SceneGrid;

typedef struct {
    SceneKind kind;
    float background_lum;
    SceneStripe stripe;
    SceneGrid grid;
} Scene;

/* A raster of square pixels centred on the origin: the screen, or the input of a model. */
typedef struct {
    int width_px, height_px;
    double um_per_px;
} Raster;

/* lum (height_px, width_px), row 0 on top := mean luminance of the scene over each pixel, exact
 * for every kind. Allocates nothing; the same bits on every call. */
void scene_average(const Scene *scene, const Raster *raster, float *lum);
