#include "app/leaves.h"

#include <math.h>
#include <stdlib.h>

enum { FINE = 2 }; // image points a model pixel, each way

struct Leaves {
    Raster raster;
    double bin_hz;
    int side;       // image points each way
    float *image;   // (side, side)
    double *area;   // (side + 1, side + 1) integral of the image from its corner
    double *corner; // (height_px + 1, width_px + 1) integral up to each pixel corner of the view
    double x, y;    // view's corner in image points
    double vx, vy;  // drift, image points a bin
    double jitter;  // SD of a bin's random step, image points
    int bins_left;  // of this fixation
    int bins_to_turn;
};

Leaves *leaves_create(const Raster *raster, double bin_hz)
{
    Leaves *leaves = calloc(1, sizeof *leaves);
    if (!leaves)
        return NULL;
    int widest = raster->width_px > raster->height_px ? raster->width_px : raster->height_px;
    leaves->raster = *raster;
    leaves->bin_hz = bin_hz;
    leaves->side = 3 * FINE * widest;
    size_t side = (size_t)leaves->side;
    leaves->image = malloc(side * side * sizeof *leaves->image);
    leaves->area = calloc((side + 1) * (side + 1), sizeof *leaves->area);
    leaves->corner = malloc((size_t)(raster->width_px + 1) * (size_t)(raster->height_px + 1) *
                            sizeof *leaves->corner);
    if (leaves->image && leaves->area && leaves->corner)
        return leaves;
    leaves_destroy(leaves);
    return NULL;
}

typedef struct {
    double x, y, radius;
    double cosine, sine, aspect; // of a rectangle; aspect 0 for a disc
    float lum;
} Leaf;

/* The radius r has density r^-3 between one image point and a tenth of the image. */
static Leaf draw_leaf(const Leaves *leaves, Draws *draws)
{
    double least = 1.0, most = 0.1 * leaves->side;
    double share = draw_between(draws, 0.0, 1.0 - (least * least) / (most * most));
    double turn = draw_between(draws, 0.0, 3.14159265358979);
    return (Leaf){
        .x = draw_between(draws, 0.0, leaves->side),
        .y = draw_between(draws, 0.0, leaves->side),
        .radius = least / sqrt(1.0 - share),
        .cosine = cos(turn),
        .sine = sin(turn),
        .aspect = draw_chance(draws, 0.5) ? draw_between(draws, 0.3, 1.0) : 0.0,
        .lum = (float)draw_between(draws, -1.0, 1.0),
    };
}

static bool covers(const Leaf *leaf, double dx, double dy)
{
    if (leaf->aspect <= 0.0)
        return dx * dx + dy * dy <= leaf->radius * leaf->radius;
    double along = dx * leaf->cosine + dy * leaf->sine;
    double across = dy * leaf->cosine - dx * leaf->sine;
    return fabs(along) <= leaf->radius && fabs(across) <= leaf->radius * leaf->aspect;
}

static void paint(Leaves *leaves, const Leaf *leaf)
{
    double reach = leaf->radius * (leaf->aspect > 0.0 ? 1.4143 : 1.0);
    int top = (int)fmax(0.0, floor(leaf->y - reach)), left = (int)fmax(0.0, floor(leaf->x - reach));
    int bottom = (int)fmin(leaves->side - 1, leaf->y + reach);
    int right = (int)fmin(leaves->side - 1, leaf->x + reach);
    for (int row = top; row <= bottom; row++)
        for (int col = left; col <= right; col++)
            if (covers(leaf, col + 0.5 - leaf->x, row + 0.5 - leaf->y))
                leaves->image[row * leaves->side + col] = leaf->lum;
}

/* Mean ½ and the wanted SD, then the integral over every upper left rectangle. */
static void finish_image(Leaves *leaves, double contrast)
{
    int side = leaves->side, count = side * side;
    double sum = 0.0, square = 0.0;
    for (int i = 0; i < count; i++) {
        sum += (double)leaves->image[i];
        square += (double)leaves->image[i] * (double)leaves->image[i];
    }
    double mean = sum / count, sd = sqrt(fmax(square / count - mean * mean, 1e-12));
    for (int row = 0; row < side; row++) {
        double line = 0.0;
        for (int col = 0; col < side; col++) {
            double z = ((double)leaves->image[row * side + col] - mean) / sd;
            line += fmin(1.0, fmax(0.0, 0.5 * (1.0 + contrast * z)));
            leaves->area[(row + 1) * (side + 1) + col + 1] =
                leaves->area[row * (side + 1) + col + 1] + line;
        }
    }
}

int leaves_side(const Leaves *leaves)
{
    return leaves->side;
}

float *leaves_image(Leaves *leaves)
{
    return leaves->image;
}

void leaves_show_image(Leaves *leaves, double contrast)
{
    finish_image(leaves, contrast);
    leaves->bins_left = 0;
}

void leaves_lay(Leaves *leaves, Draws *draws, double contrast)
{
    const double coverage = 6.0, mean_leaf_area = 18.0; // image points; hardly a gap is left
    int count = (int)(coverage * leaves->side * leaves->side / mean_leaf_area);
    for (int i = 0; i < leaves->side * leaves->side; i++)
        leaves->image[i] = 0.0f;
    for (int i = 0; i < count; i++) {
        Leaf leaf = draw_leaf(leaves, draws);
        paint(leaves, &leaf);
    }
    leaves_show_image(leaves, contrast);
}

static void fixate(Leaves *leaves, Draws *draws)
{
    double point_um = leaves->raster.um_per_px / FINE;
    leaves->x = draw_between(draws, 0.0, leaves->side - FINE * leaves->raster.width_px);
    leaves->y = draw_between(draws, 0.0, leaves->side - FINE * leaves->raster.height_px);
    leaves->jitter = draw_between(draws, 0.0, 15.0) / point_um;
    leaves->vx = leaves->vy = 0.0;
    if (draw_chance(draws, 0.4)) {
        double speed = draw_log_between(draws, 200.0, 2500.0) / point_um / leaves->bin_hz;
        double angle = draw_between(draws, 0.0, 6.28318530717959);
        leaves->vx = speed * cos(angle);
        leaves->vy = speed * sin(angle);
    }
    leaves->bins_left = (int)(draw_between(draws, 0.3, 1.8) * leaves->bin_hz);
    leaves->bins_to_turn = draw_chance(draws, 0.4)
                               ? (int)(draw_between(draws, 0.3, 0.9) * leaves->bin_hz)
                               : leaves->bins_left;
}

/* One step of the view, turned back at the image's edge. */
static void step_axis(double *at, double *speed, double step, double most)
{
    *at += *speed + step;
    if (*at < 0.0 || *at > most) {
        *speed = -*speed;
        *at = *at < 0.0 ? fmin(most, -*at) : fmax(0.0, 2.0 * most - *at);
    }
}

static double integral_to(const Leaves *leaves, double x, double y)
{
    int col = (int)fmin(leaves->side - 1, x), row = (int)fmin(leaves->side - 1, y);
    double fx = x - col, fy = y - row;
    const double *a = leaves->area + row * (leaves->side + 1) + col;
    const double *b = a + leaves->side + 1;
    return (1.0 - fy) * ((1.0 - fx) * a[0] + fx * a[1]) + fy * ((1.0 - fx) * b[0] + fx * b[1]);
}

void leaves_view(Leaves *leaves, Draws *draws, float *lum)
{
    int w = leaves->raster.width_px, h = leaves->raster.height_px;
    if (leaves->bins_left-- <= 0)
        fixate(leaves, draws);
    if (leaves->bins_to_turn-- == 0) {
        leaves->vx = -leaves->vx;
        leaves->vy = -leaves->vy;
    }
    step_axis(&leaves->x, &leaves->vx, leaves->jitter * draw_normal(draws),
              leaves->side - FINE * w);
    step_axis(&leaves->y, &leaves->vy, leaves->jitter * draw_normal(draws),
              leaves->side - FINE * h);
    for (int row = 0; row <= h; row++)
        for (int col = 0; col <= w; col++)
            leaves->corner[row * (w + 1) + col] =
                integral_to(leaves, leaves->x + FINE * col, leaves->y + FINE * row);
    for (int row = 0; row < h; row++) {
        const double *above = leaves->corner + row * (w + 1), *below = above + w + 1;
        for (int col = 0; col < w; col++)
            lum[row * w + col] =
                (float)((below[col + 1] - below[col] - above[col + 1] + above[col]) /
                        (FINE * FINE));
    }
}

void leaves_destroy(Leaves *leaves)
{
    if (!leaves)
        return;
    free(leaves->image);
    free(leaves->area);
    free(leaves->corner);
    free(leaves);
}
