#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/scene.h"
#include "tests/harness.h"

enum { SAMPLES = 200 };

static const Raster raster = {12, 10, 50};

/* The definition: what a point of the retina sees. */
static double lum_at(const Scene *scene, double x_um, double y_um)
{
    const SceneStripe *stripe = &scene->stripe;
    const SceneGrid *grid = &scene->grid;
    if (scene->kind == SCENE_STRIPE) {
        double across = x_um * (double)stripe->normal_x + y_um * (double)stripe->normal_y;
        return fabs(across - stripe->centre_um) <= stripe->width_um / 2
                   ? (double)stripe->lum
                   : (double)scene->background_lum;
    }
    if (scene->kind == SCENE_GRID) {
        double column = floor((x_um - grid->centre_x_um) / grid->check_um + grid->columns / 2.0);
        double row = floor((grid->centre_y_um - y_um) / grid->check_um + grid->rows / 2.0);
        if (column >= 0 && column < grid->columns && row >= 0 && row < grid->rows)
            return (double)grid->lum[(int)row * grid->columns + (int)column];
    }
    return (double)scene->background_lum;
}

static double supersampled(const Scene *scene, int column, int row)
{
    double sum = 0;
    for (int i = 0; i < SAMPLES; i++)
        for (int j = 0; j < SAMPLES; j++) {
            double x = column + (i + 0.5) / SAMPLES - raster.width_px / 2.0;
            double y = raster.height_px / 2.0 - row - (j + 0.5) / SAMPLES;
            sum += lum_at(scene, x * raster.um_per_px, y * raster.um_per_px);
        }
    return sum / SAMPLES / SAMPLES;
}

static double worst_against_samples(const Scene *scene)
{
    float lum[12 * 10];
    double worst = 0;
    scene_average(scene, &raster, lum);
    for (int row = 0; row < raster.height_px; row++)
        for (int column = 0; column < raster.width_px; column++) {
            double error =
                (double)lum[row * raster.width_px + column] - supersampled(scene, column, row);
            worst = fmax(worst, isnan(error) ? HUGE_VAL : fabs(error));
        }
    return worst;
}

static Scene stripe_scene(double angle_rad, double centre_um, double width_um)
{
    return (Scene){.kind = SCENE_STRIPE,
                   .background_lum = 0.5f,
                   .stripe = {.lum = 0.1f,
                              .normal_x = (float)cos(angle_rad),
                              .normal_y = (float)sin(angle_rad),
                              .centre_um = centre_um,
                              .width_um = width_um}};
}

static void stripes_match_samples(void)
{
    const double angles_rad[] = {0, 1e-4, 0.3, 0.785398163397, 1.2, 1.570796326795, 2.5, 4, 5.9};
    const double widths_um[] = {7, 50, 133};
    for (size_t a = 0; a < sizeof angles_rad / sizeof *angles_rad; a++)
        for (size_t w = 0; w < 3; w++) {
            Scene scene = stripe_scene(angles_rad[a], 23.7 - 10.0 * (double)a, widths_um[w]);
            // Regular samples see an axis-parallel edge to one part in SAMPLES.
            CU_ASSERT(worst_against_samples(&scene) <= 2 * 0.4 / SAMPLES);
        }
}

static void upright_bar_is_analytic(void)
{
    Scene scene = stripe_scene(0, 10, 50); // −15 … 35 µm: 15 µm of one pixel, 35 of the next
    float lum[120];
    scene_average(&scene, &raster, lum);
    for (int row = 0; row < 10; row++) {
        CU_ASSERT(test_near((double)lum[row * 12 + 4], 0.5, 1e-7));
        CU_ASSERT(test_near((double)lum[row * 12 + 5], 0.5 - 0.4 * 0.3, 1e-7));
        CU_ASSERT(test_near((double)lum[row * 12 + 6], 0.5 - 0.4 * 0.7, 1e-7));
        CU_ASSERT(test_near((double)lum[row * 12 + 7], 0.5, 1e-7));
    }
}

static void diagonal_corner_is_analytic(void)
{
    const Raster one = {1, 1, 50};
    const double diagonal_um = 50 * sqrt(2);
    float lum;
    // An edge through the centre of a pixel on its diagonal halves it; one a quarter of the
    // diagonal further on cuts off a triangle of an eighth.
    Scene half = stripe_scene(0.785398163397448, 1000, 2000);
    scene_average(&half, &one, &lum);
    CU_ASSERT(test_near((double)lum, 0.5 - 0.4 * 0.5, 1e-7));
    Scene eighth = stripe_scene(0.785398163397448, 1000 + diagonal_um / 4, 2000);
    scene_average(&eighth, &one, &lum);
    CU_ASSERT(test_near((double)lum, 0.5 - 0.4 * 0.125, 1e-7));
}

static void direction_up_is_row_zero(void)
{
    Scene scene = stripe_scene(1.5707963267948966, 225, 50);
    float lum[120];
    scene_average(&scene, &raster, lum);
    CU_ASSERT(test_near((double)lum[5], 0.1, 1e-6));
    CU_ASSERT(test_near((double)lum[9 * 12 + 5], 0.5, 1e-6));
}

static void light_of_a_bar_is_preserved(void)
{
    const Raster wide = {80, 60, 37};
    float lum[80 * 60];
    // Upright, wholly inside: its light is width × height, at every sub-pixel place.
    for (int step = 0; step < 50; step++) {
        Scene scene = stripe_scene(0, -200 + 7.3 * step, 123.4);
        double missing = 0;
        scene_average(&scene, &wide, lum);
        for (int i = 0; i < 80 * 60; i++)
            missing += 0.5 - (double)lum[i];
        CU_ASSERT(
            test_near(missing * 37 * 37, 0.4 * 123.4 * 60 * 37, 0.4 * 123.4 * 60 * 37 * 1e-6));
    }
}

static Scene grid_scene(float *checks, int columns, int rows, double check_um)
{
    for (int i = 0; i < columns * rows; i++)
        checks[i] = (float)(i * 7 % 11) / 11.0f;
    return (Scene){.kind = SCENE_GRID,
                   .background_lum = 0.25f,
                   .grid = {.lum = checks,
                            .columns = columns,
                            .rows = rows,
                            .check_um = check_um,
                            .centre_x_um = 12.5,
                            .centre_y_um = -31}};
}

static void grids_match_samples(void)
{
    float checks[40 * 30];
    const double checks_um[] = {11, 37, 50, 80, 400};
    for (size_t i = 0; i < sizeof checks_um / sizeof *checks_um; i++) {
        Scene scene = grid_scene(checks, 40 >> i, 30 >> i, checks_um[i]);
        CU_ASSERT(worst_against_samples(&scene) <= 0.02);
    }
}

static void aligned_grid_is_copied(void)
{
    const Raster same = {8, 6, 50};
    float checks[48], lum[48];
    Scene scene = grid_scene(checks, 8, 6, 50);
    scene.grid.centre_x_um = scene.grid.centre_y_um = 0;
    scene_average(&scene, &same, lum);
    for (int i = 0; i < 48; i++)
        CU_ASSERT(test_near((double)lum[i], (double)checks[i], 1e-7));
}

static void light_of_a_grid_is_preserved(void)
{
    const Raster wide = {40, 40, 50};
    float checks[20 * 17], lum[1600];
    Scene scene = grid_scene(checks, 20, 17, 61.7);
    double wanted = 0, got = 0;
    for (int i = 0; i < 20 * 17; i++)
        wanted += ((double)checks[i] - 0.25) * 61.7 * 61.7;
    scene_average(&scene, &wide, lum);
    for (int i = 0; i < 1600; i++)
        got += ((double)lum[i] - 0.25) * 50 * 50;
    CU_ASSERT(test_near(got, wanted, fabs(wanted) * 1e-5));
}

static void uniform_is_uniform(void)
{
    Scene scene = {.kind = SCENE_UNIFORM, .background_lum = 0.3f};
    float lum[120];
    scene_average(&scene, &raster, lum);
    for (int i = 0; i < 120; i++)
        CU_ASSERT(lum[i] == 0.3f);
}

static void same_bits_twice(void)
{
    float checks[20 * 17], first[120], second[120];
    Scene scenes[2] = {stripe_scene(0.7, 11, 80), grid_scene(checks, 20, 17, 61.7)};
    for (int i = 0; i < 2; i++) {
        scene_average(&scenes[i], &raster, first);
        scene_average(&scenes[i], &raster, second);
        CU_ASSERT(memcmp(first, second, sizeof first) == 0);
    }
}

static const TestCase cases[] = {
    {"a stripe at any angle averages to what fine sampling finds", stripes_match_samples},
    {"an upright bar's edge pixels are the covered fraction", upright_bar_is_analytic},
    {"a diagonal edge cuts triangles of the right area", diagonal_corner_is_analytic},
    {"direction up moves towards row 0", direction_up_is_row_zero},
    {"a bar keeps its light at every sub-pixel place", light_of_a_bar_is_preserved},
    {"checks of any size average to what fine sampling finds", grids_match_samples},
    {"checks that are pixels are copied", aligned_grid_is_copied},
    {"a grid keeps its light", light_of_a_grid_is_preserved},
    {"a uniform scene is its background", uniform_is_uniform},
    {"the same scene gives the same bits", same_bits_twice},
};

int main(void)
{
    return test_main("scene", cases, sizeof cases / sizeof cases[0]);
}
