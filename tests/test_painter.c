#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "render/display.h"
#include "render/sync_patch.h"
#include "render/painter.h"
#include "render/stimulus.h"
#include "tests/harness.h"

/* The screen is read back from a real OpenGL context without a screen, so this needs no X server.
 * */

typedef struct {
    Display *display;
    Raster raster;
    int panel_width_px;
    uint8_t *rgb;
    float *lum;
} Screen;

static bool open_screen(Screen *screen, DisplayOptions options)
{
    setenv("SDL_VIDEODRIVER", "offscreen", 1);
    const DisplayClock clock = clock_real();
    char err[DISPLAY_ERR_BYTES];
    options.kind = DISPLAY_SDL;
    screen->display = display_open(&options, &clock, err);
    if (!screen->display) {
        test_skip(err);
        return false;
    }
    screen->raster = display_info(screen->display)->raster;
    screen->panel_width_px = options.panel_width_px;
    size_t pixels = (size_t)(options.width_px + options.panel_width_px) * (size_t)options.height_px;
    screen->rgb = malloc(3 * pixels);
    screen->lum = malloc(sizeof(float) * pixels);
    display_start(screen->display);
    return true;
}

static void close_screen(Screen *screen)
{
    display_close(screen->display);
    free(screen->rgb);
    free(screen->lum);
}

static const uint8_t *pixel_at(const Screen *screen, int column, int row)
{
    int width_px = screen->raster.width_px + screen->panel_width_px;
    return screen->rgb + 3 * ((ptrdiff_t)row * width_px + column);
}

static void draw_and_read(Screen *screen, const Scene *scene, int64_t refresh, int64_t block)
{
    display_draw(screen->display, scene, refresh, block);
    CU_ASSERT(display_read(screen->display, screen->rgb));
}

/* Largest difference between the screen and the exact average over each screen pixel. */
static double worst_pixel(Screen *screen, const Scene *scene)
{
    const Raster *raster = &screen->raster;
    double worst = 0;
    scene_average(scene, raster, screen->lum);
    for (int row = 0; row < raster->height_px; row++)
        for (int column = 0; column < raster->width_px; column++) {
            const uint8_t *pixel = pixel_at(screen, column, row);
            double wanted = (double)screen->lum[row * raster->width_px + column];
            worst = fmax(worst, fabs(pixel[0] / 255.0 - wanted));
            if (pixel[0] != pixel[1] || pixel[0] != pixel[2])
                worst = 1;
        }
    return worst;
}

/* Share of screen pixel `index` that lies in model pixel `model`, along one axis. */
static double share(int index, int pixels, double um_per_px, int model, int model_pixels,
                    double model_um)
{
    double low = (index - 0.5 * pixels) * um_per_px;
    double model_low = (model - 0.5 * model_pixels) * model_um;
    double inside = fmin(low + um_per_px, model_low + model_um) - fmax(low, model_low);
    return fmax(0, inside / um_per_px);
}

/* Screen pixels averaged over a model pixel, those on its border by their share in it. */
static double block_mean(const Screen *screen, const Raster *model, int model_column, int model_row)
{
    const Raster *raster = &screen->raster;
    double light = 0, area = 0;
    for (int row = 0; row < raster->height_px; row++) {
        double height = share(row, raster->height_px, raster->um_per_px, model_row,
                              model->height_px, model->um_per_px);
        for (int column = 0; height > 0 && column < raster->width_px; column++) {
            double weight = height * share(column, raster->width_px, raster->um_per_px,
                                           model_column, model->width_px, model->um_per_px);
            light += weight * pixel_at(screen, column, row)[0] / 255.0;
            area += weight;
        }
    }
    return light / area;
}

static const Raster model_raster = {8, 6, 50};

static double worst_block(const Screen *screen, const Scene *scene)
{
    float lum[8 * 6];
    double worst = 0;
    scene_average(scene, &model_raster, lum);
    for (int row = 0; row < model_raster.height_px; row++)
        for (int column = 0; column < model_raster.width_px; column++)
            worst = fmax(worst, fabs(block_mean(screen, &model_raster, column, row) -
                                     (double)lum[row * model_raster.width_px + column]));
    return worst;
}

/* One of each kind, bars at several angles, checks smaller, larger and unlike the pixels. */
static const BarSpec bar = {.contrast = -0.7,
                            .width_um = 73,
                            .speed_um_per_frame = 7.3,
                            .direction_rad = 0.37,
                            .start_um = -150};
static const CheckerboardSpec board = {.columns = 9,
                                       .rows = 7,
                                       .check_um = 37,
                                       .distribution = NOISE_GAUSSIAN,
                                       .contrast = 0.3,
                                       .hold_frames = 2,
                                       .seed = 7};

static StimulusSpec specs[12];
static int specs_count;

static void add_bar(double direction_rad)
{
    StimulusSpec *spec = &specs[specs_count++];
    *spec = (StimulusSpec){.kind = STIMULUS_BAR, .background_lum = 0.5f, .bar = bar};
    spec->bar.direction_rad = direction_rad;
}

static void add_board(NoiseGenerator generator, NoiseDistribution distribution, double check_um)
{
    StimulusSpec *spec = &specs[specs_count++];
    *spec = (StimulusSpec){
        .kind = STIMULUS_CHECKERBOARD, .background_lum = 0.5f, .checkerboard = board};
    spec->checkerboard.generator = generator;
    spec->checkerboard.distribution = distribution;
    spec->checkerboard.check_um = check_um;
    spec->checkerboard.seed = -7;
}

static void list_stimuli(void)
{
    specs_count = 0;
    specs[specs_count++] = (StimulusSpec){.kind = STIMULUS_BLANK, .background_lum = 0.3f};
    specs[specs_count++] =
        (StimulusSpec){.kind = STIMULUS_STEP, .background_lum = 0.4f, .step = {0.9}};
    specs[specs_count++] = (StimulusSpec){
        .kind = STIMULUS_FLICKER, .background_lum = 0.5f, .flicker = {5, 2, 6, 3, -0.8}};
    for (int i = 0; i < 4; i++)
        add_bar((const double[]){0, 0.37, 0.785398163, 1.570796327}[i]);
    specs[specs_count++] =
        (StimulusSpec){.kind = STIMULUS_REVERSAL, .background_lum = 0.5f, .reversal = {bar, -20}};
    add_board(NOISE_COUNTER, NOISE_BINARY, 50);
    add_board(NOISE_COUNTER, NOISE_GAUSSIAN, 37);
    add_board(NOISE_RAN1, NOISE_BINARY, 2.3);
    add_board(NOISE_RAN1, NOISE_GAUSSIAN, 61.7);
}

/* Checks every stimulus on one screen; slack: what splitting border pixels may cost. */
static void compare_on(int width_px, int height_px, double um_per_px, double slack)
{
    Screen screen;
    if (!open_screen(
            &screen,
            (DisplayOptions){.width_px = width_px, .height_px = height_px, .um_per_px = um_per_px}))
        return;
    list_stimuli();
    for (int i = 0; i < specs_count; i++) {
        char err[STIMULUS_ERR_BYTES];
        Stimulus *stimulus = stimulus_create(&specs[i], err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(stimulus);
        for (int64_t frame = 0; frame < 30; frame += 7) {
            Scene scene;
            stimulus_scene(stimulus, frame, &scene);
            draw_and_read(&screen, &scene, frame, 0);
            CU_ASSERT(worst_pixel(&screen, &scene) <= 0.51 / 255);
            CU_ASSERT(worst_block(&screen, &scene) <= 1.0 / 255 + slack);
        }
        stimulus_destroy(stimulus);
    }
    close_screen(&screen);
}

static void even_screens_agree(void)
{
    compare_on(400, 300, 2, 0);
    compare_on(200, 150, 5, 0);
}

static void uneven_screens_agree(void)
{
    // A border pixel's light is shared out evenly though it may all lie on one side: with weight w
    // off by up to w(1 − w) <= ¼ of its light on each of four sides, times the largest contrast.
    compare_on(331, 257, 3.7, 0.5 * 3.7 / 50);
    compare_on(250, 190, 4, 0.5 * 4.0 / 50);
}

static float table[DISPLAY_GAMMA_LEVELS];

static void make_table(void)
{
    for (int i = 0; i < DISPLAY_GAMMA_LEVELS; i++)
        table[i] = (float)sqrt(i / (DISPLAY_GAMMA_LEVELS - 1.0));
}

static double worst_gamma(Screen *screen, const Scene *scene)
{
    const Raster *raster = &screen->raster;
    double worst = 0;
    scene_average(scene, raster, screen->lum);
    for (int row = 0; row < raster->height_px; row++)
        for (int column = 0; column < raster->width_px; column++) {
            double lum = (double)screen->lum[row * raster->width_px + column];
            double drive = pixel_at(screen, column, row)[0] / 255.0;
            worst = fmax(worst, fabs(drive - sqrt(lum)));
        }
    return worst;
}

static void gamma_is_applied_once(void)
{
    make_table();
    Screen screen;
    if (!open_screen(
            &screen,
            (DisplayOptions){.width_px = 200, .height_px = 150, .um_per_px = 5, .gamma = table}))
        return;
    memset(table, 0, sizeof table); // the display has its own copy
    const float checks[4] = {0.2f, 0.9f, 0.5f, 1};
    for (int step = 1; step <= 10; step++) {
        float lum = (float)step / 10;
        Scene uniform = {.kind = SCENE_UNIFORM, .background_lum = lum};
        Scene stripe = {
            .kind = SCENE_STRIPE,
            .background_lum = lum,
            .stripe = {
                .lum = 0.3f, .normal_x = 0.6f, .normal_y = 0.8f, .centre_um = 3, .width_um = 171}};
        Scene grid = {
            .kind = SCENE_GRID, .background_lum = lum, .grid = {checks, 2, 2, 123, 17, -31}};
        const Scene *scenes[] = {&uniform, &stripe, &grid};
        for (int i = 0; i < 3; i++) {
            draw_and_read(&screen, scenes[i], 0, 0);
            CU_ASSERT(worst_gamma(&screen, scenes[i]) <= 0.6 / 255);
        }
    }
    close_screen(&screen);
}

static bool is_level(const Screen *screen, int column, int row, double level)
{
    return test_near(pixel_at(screen, column, row)[0], 255 * level, 0.51);
}

static void patch_shows_its_refresh(void)
{
    make_table();
    for (int with_gamma = 0; with_gamma < 2; with_gamma++) {
        Screen screen;
        if (!open_screen(&screen, (DisplayOptions){.width_px = 120,
                                                   .height_px = 100,
                                                   .um_per_px = 5,
                                                   .gamma = with_gamma ? table : NULL,
                                                   .patch = {true, 20, 6, 9, 15}}))
            return;
        const Scene scene = {.kind = SCENE_UNIFORM, .background_lum = 1};
        for (int64_t i = 0; i < 8; i++) {
            draw_and_read(&screen, &scene, i, i / 2);
            double lum = (double)sync_patch_lum(i, i / 2);
            double level = with_gamma ? sqrt(lum) : lum;
            int dark = 0, lit = 0;
            for (int row = 0; row < 100; row++)
                for (int column = 0; column < 120; column++) {
                    int x = column - 9, y = 99 - row - 15;
                    bool in_border = x >= 0 && x < 32 && y >= 0 && y < 32;
                    bool in_patch = x >= 6 && x < 26 && y >= 6 && y < 26;
                    double wanted = in_patch ? level : in_border ? 0 : 1;
                    dark += !is_level(&screen, column, row, wanted);
                    lit += is_level(&screen, column, row, wanted);
                }
            CU_ASSERT_EQUAL(dark, 0);
            CU_ASSERT_EQUAL(lit, 12000);
        }
        close_screen(&screen);
    }
}

static void changed_checks_are_seen(void)
{
    Screen screen;
    if (!open_screen(&screen, (DisplayOptions){.width_px = 60, .height_px = 40, .um_per_px = 10}))
        return;
    float checks[6] = {0, 0.2f, 0.4f, 0.6f, 0.8f, 1};
    Scene scene = {.kind = SCENE_GRID, .grid = {checks, 3, 2, 200, 0, 0}};
    draw_and_read(&screen, &scene, 0, 0);
    CU_ASSERT(worst_pixel(&screen, &scene) <= 0.51 / 255);
    checks[4] = 0.1f;
    draw_and_read(&screen, &scene, 0, 0);
    CU_ASSERT(worst_pixel(&screen, &scene) <= 0.51 / 255);
    scene.grid.columns = 2; // the same numbers, another shape
    scene.grid.rows = 3;
    draw_and_read(&screen, &scene, 0, 0);
    CU_ASSERT(worst_pixel(&screen, &scene) <= 0.51 / 255);
    close_screen(&screen);
}

static void panel_stands_beside(void)
{
    Screen screen;
    if (!open_screen(&screen,
                     (DisplayOptions){
                         .width_px = 50, .height_px = 40, .um_per_px = 10, .panel_width_px = 30}))
        return;
    uint32_t pixels[40 * 30];
    for (uint32_t i = 0; i < 40 * 30; i++)
        pixels[i] = i * 2654435761u;
    const Scene scene = {.kind = SCENE_UNIFORM, .background_lum = 0.4f};
    display_panel(screen.display, pixels);
    draw_and_read(&screen, &scene, 0, 0);
    int wrong = 0;
    for (int row = 0; row < 40; row++)
        for (int column = 0; column < 30; column++) {
            const uint8_t *pixel = pixel_at(&screen, 50 + column, row);
            uint32_t wanted = pixels[row * 30 + column] & 0xffffff;
            wrong += (uint32_t)(pixel[0] << 16 | pixel[1] << 8 | pixel[2]) != wanted;
        }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(worst_pixel(&screen, &scene) <= 0.51 / 255);
    close_screen(&screen);
}

static void reading_survives_a_swap(void)
{
    Screen screen;
    if (!open_screen(&screen, (DisplayOptions){.width_px = 60,
                                               .height_px = 40,
                                               .um_per_px = 10,
                                               .patch = {true, 8, 2, 0, 0}}))
        return;
    const Scene scene = {
        .kind = SCENE_STRIPE, .background_lum = 0.5f, .stripe = {0.1f, 0.6f, 0.8f, 10, 130}};
    uint8_t before[60 * 40 * 3];
    Flip flip;
    draw_and_read(&screen, &scene, 5, 2);
    memcpy(before, screen.rgb, sizeof before);
    display_present(screen.display, &flip);
    CU_ASSERT(display_read(screen.display, screen.rgb));
    CU_ASSERT(memcmp(before, screen.rgb, sizeof before) == 0);
    close_screen(&screen);
}

static void bad_areas_are_refused(void)
{
    setenv("SDL_VIDEODRIVER", "offscreen", 1);
    const DisplayClock clock = clock_real();
    char err[DISPLAY_ERR_BYTES];
    DisplayOptions options = {.kind = DISPLAY_SDL,
                              .width_px = 60,
                              .height_px = 40,
                              .um_per_px = 10,
                              .patch = {true, 30, 6, 0, 0}};
    Display *display = display_open(&options, &clock, err);
    CU_ASSERT_PTR_NULL(display);
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "display: "));
    options.patch.is_on = false;
    options.screen = 7;
    CU_ASSERT_PTR_NULL(display_open(&options, &clock, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "display: "));
}

static const TestCase cases[] = {
    {"screen pixels are exact averages and add up to model pixels", even_screens_agree},
    {"the same holds where model pixels cut screen pixels", uneven_screens_agree},
    {"gamma is applied exactly once", gamma_is_applied_once},
    {"the sync patch shows what names its refresh, in a black border", patch_shows_its_refresh},
    {"changed checks reach the screen", changed_checks_are_seen},
    {"the panel stands beside the stimulus, row 0 on top", panel_stands_beside},
    {"what was drawn can be read after the swap", reading_survives_a_swap},
    {"a patch or screen that is not there is refused", bad_areas_are_refused},
};

int main(void)
{
    return test_main("painter", cases, sizeof cases / sizeof cases[0]);
}
