#include "render/painter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/gl.h"
#include "render/sync_patch.h"

/* One triangle covers the viewport. */
static const char vertex_source[] =
    "#version 330 core\n"
    "void main()\n"
    "{\n"
    "    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);\n"
    "    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);\n"
    "}\n";

static const char gamma_source[] =
    "#version 330 core\n"
    "uniform sampler2D gamma;\n"
    "uniform float levels;\n"
    "out vec4 pixel;\n"
    "void show(float lum)\n"
    "{\n"
    "    if (levels > 0.0)\n"
    "        lum = textureLod(gamma, vec2((lum * (levels - 1.0) + 0.5) / levels, 0.5), 0.0).r;\n"
    "    pixel = vec4(lum, lum, lum, 1.0);\n"
    "}\n";

static const char uniform_source[] = "uniform float lum;\n"
                                     "void main() { show(lum); }\n";

/* The closed form of half_plane_coverage() in scene.c. All lengths in screen pixels. */
static const char stripe_source[] =
    "uniform vec2 normal;\n"
    "uniform vec2 edges;\n" // of the bar, along the normal, from the lower left of the viewport
    "uniform vec2 lums;\n"  // background, bar
    "float coverage(float distance)\n"
    "{\n"
    "    float major = max(abs(normal.x), abs(normal.y));\n"
    "    float minor = min(abs(normal.x), abs(normal.y));\n"
    "    float away = abs(distance);\n"
    "    float short_of = max(0.5 * (major + minor) - away, 0.0);\n"
    "    float part = away <= 0.5 * (major - minor)\n"
    "        ? 0.5 - away / major\n"
    "        : short_of * short_of / max(2.0 * major * minor, 1e-30);\n"
    "    return distance < 0.0 ? part : 1.0 - part;\n"
    "}\n"
    "void main()\n"
    "{\n"
    "    float along = dot(gl_FragCoord.xy, normal);\n"
    "    float inside = coverage(along - edges.x) - coverage(along - edges.y);\n"
    "    show(mix(lums.x, lums.y, inside));\n"
    "}\n";

/* A pixel covers checks low … high; overlaps of intervals weigh them, the background has the rest.
 */
static const char grid_source[] =
    "uniform sampler2D checks;\n"
    "uniform ivec2 counts;\n"
    "uniform vec2 corner;\n" // upper left of the grid, pixels from the lower left of the viewport
    "uniform float per_check;\n" // pixels
    "uniform float background;\n"
    "void main()\n"
    "{\n"
    "    vec2 middle = vec2(gl_FragCoord.x - corner.x, corner.y - gl_FragCoord.y);\n"
    "    vec2 low = (middle - 0.5) / per_check, high = (middle + 0.5) / per_check;\n"
    "    ivec2 first = max(ivec2(floor(low)), 0);\n"
    "    ivec2 last = min(ivec2(ceil(high)), counts) - 1;\n"
    "    float light = background;\n"
    "    for (int row = first.y; row <= last.y; row++) {\n"
    "        float height = min(high.y, float(row + 1)) - max(low.y, float(row));\n"
    "        for (int column = first.x; column <= last.x; column++) {\n"
    "            float width = min(high.x, float(column + 1)) - max(low.x, float(column));\n"
    "            float share = width * height * per_check * per_check;\n"
    "            light += share * (texelFetch(checks, ivec2(column, row), 0).r - background);\n"
    "        }\n"
    "    }\n"
    "    show(light);\n"
    "}\n";

static const char panel_source[] =
    "#version 330 core\n"
    "uniform sampler2D panel;\n"
    "uniform ivec2 corner;\n" // upper left of the panel, pixels from the lower left of the window
    "out vec4 pixel;\n"
    "void main()\n"
    "{\n"
    "    ivec2 at = ivec2(int(gl_FragCoord.x) - corner.x, corner.y - 1 - int(gl_FragCoord.y));\n"
    "    pixel = texelFetch(panel, at, 0);\n"
    "}\n";

enum { UNIT_GAMMA, UNIT_CHECKS, UNIT_PANEL };

struct Painter {
    PainterOptions options;
    GLuint vertex_array, gamma, checks, panel; // owned
    GLuint uniform, stripe, grid, side;        // programs, owned
    GLint uniform_lum;
    GLint stripe_normal, stripe_edges, stripe_lums;
    GLint grid_counts, grid_corner, grid_per_check, grid_background;
    float *uploaded; // owned, (SCENE_MAX_CHECKS²): what the texture of checks holds
    int uploaded_columns, uploaded_rows;
    Scene scene; // drawn last
    int64_t refresh, block;
};

static GLuint shading_program(const Painter *painter, const char *const *parts, int count,
                              char *err)
{
    GLuint program = gl_program(vertex_source, parts, count, err);
    if (!program)
        return 0;
    glUseProgram(program);
    glUniform1i(glGetUniformLocation(program, "gamma"), UNIT_GAMMA);
    glUniform1f(glGetUniformLocation(program, "levels"),
                painter->options.gamma ? (float)DISPLAY_GAMMA_LEVELS : 0);
    glUniform1i(glGetUniformLocation(program, "checks"), UNIT_CHECKS);
    return program;
}

static bool create_programs(Painter *painter, char *err)
{
    const char *uniform_parts[] = {gamma_source, uniform_source};
    const char *stripe_parts[] = {gamma_source, stripe_source};
    const char *grid_parts[] = {gamma_source, grid_source};
    painter->uniform = shading_program(painter, uniform_parts, 2, err);
    if (!painter->uniform)
        return false;
    painter->stripe = shading_program(painter, stripe_parts, 2, err);
    if (!painter->stripe)
        return false;
    painter->grid = shading_program(painter, grid_parts, 2, err);
    if (!painter->grid)
        return false;
    painter->uniform_lum = glGetUniformLocation(painter->uniform, "lum");
    painter->stripe_normal = glGetUniformLocation(painter->stripe, "normal");
    painter->stripe_edges = glGetUniformLocation(painter->stripe, "edges");
    painter->stripe_lums = glGetUniformLocation(painter->stripe, "lums");
    painter->grid_counts = glGetUniformLocation(painter->grid, "counts");
    painter->grid_corner = glGetUniformLocation(painter->grid, "corner");
    painter->grid_per_check = glGetUniformLocation(painter->grid, "per_check");
    painter->grid_background = glGetUniformLocation(painter->grid, "background");
    return true;
}

static bool create_panel(Painter *painter, char *err)
{
    const PainterOptions *options = &painter->options;
    if (options->panel_width_px == 0)
        return true;
    const char *parts[] = {panel_source};
    painter->side = gl_program(vertex_source, parts, 1, err);
    if (!painter->side)
        return false;
    glUseProgram(painter->side);
    glUniform1i(glGetUniformLocation(painter->side, "panel"), UNIT_PANEL);
    glUniform2i(glGetUniformLocation(painter->side, "corner"), options->raster.width_px,
                options->raster.height_px);
    size_t pixels = (size_t)options->panel_width_px * (size_t)options->raster.height_px;
    uint32_t *black = calloc(pixels, sizeof *black);
    if (!black) {
        snprintf(err, DISPLAY_ERR_BYTES, "display: out of memory");
        return false;
    }
    glActiveTexture(GL_TEXTURE0 + UNIT_PANEL);
    painter->panel = gl_texture(GL_RGBA8, options->panel_width_px, options->raster.height_px,
                                GL_BGRA, GL_UNSIGNED_INT_8_8_8_8_REV, GL_NEAREST, black);
    free(black);
    return true;
}

static void create_textures(Painter *painter)
{
    glActiveTexture(GL_TEXTURE0 + UNIT_CHECKS);
    painter->checks =
        gl_texture(GL_R32F, SCENE_MAX_CHECKS, SCENE_MAX_CHECKS, GL_RED, GL_FLOAT, GL_NEAREST, NULL);
    glActiveTexture(GL_TEXTURE0 + UNIT_GAMMA);
    if (painter->options.gamma)
        painter->gamma = gl_texture(GL_R32F, DISPLAY_GAMMA_LEVELS, 1, GL_RED, GL_FLOAT, GL_LINEAR,
                                    painter->options.gamma);
}

static void fill(void)
{
    glDrawArrays(GL_TRIANGLES, 0, 3);
}

static void draw_uniform(const Painter *painter, float lum)
{
    glUseProgram(painter->uniform);
    glUniform1f(painter->uniform_lum, lum);
    fill();
}

static void draw_stripe(const Painter *painter, const Scene *scene)
{
    const SceneStripe *stripe = &scene->stripe;
    const Raster *raster = &painter->options.raster;
    double middle_px = 0.5 * raster->width_px * (double)stripe->normal_x +
                       0.5 * raster->height_px * (double)stripe->normal_y +
                       stripe->centre_um / raster->um_per_px;
    double half_px = 0.5 * stripe->width_um / raster->um_per_px;
    glUseProgram(painter->stripe);
    glUniform2f(painter->stripe_normal, stripe->normal_x, stripe->normal_y);
    glUniform2f(painter->stripe_edges, (float)(middle_px - half_px), (float)(middle_px + half_px));
    glUniform2f(painter->stripe_lums, scene->background_lum, stripe->lum);
    fill();
}

static void upload_checks(Painter *painter, const SceneGrid *grid)
{
    size_t bytes = (size_t)grid->columns * (size_t)grid->rows * sizeof(float);
    bool is_same_size =
        grid->columns == painter->uploaded_columns && grid->rows == painter->uploaded_rows;
    if (is_same_size && memcmp(painter->uploaded, grid->lum, bytes) == 0)
        return;
    memcpy(painter->uploaded, grid->lum, bytes);
    painter->uploaded_columns = grid->columns;
    painter->uploaded_rows = grid->rows;
    glActiveTexture(GL_TEXTURE0 + UNIT_CHECKS);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, grid->columns, grid->rows, GL_RED, GL_FLOAT,
                    painter->uploaded);
}

static void draw_grid(const Painter *painter, const Scene *scene)
{
    const SceneGrid *grid = &scene->grid;
    const Raster *raster = &painter->options.raster;
    double per_check = grid->check_um / raster->um_per_px;
    double left_px = 0.5 * (raster->width_px - grid->columns * per_check) +
                     grid->centre_x_um / raster->um_per_px;
    double top_px =
        0.5 * (raster->height_px + grid->rows * per_check) + grid->centre_y_um / raster->um_per_px;
    glUseProgram(painter->grid);
    glUniform2i(painter->grid_counts, grid->columns, grid->rows);
    glUniform2f(painter->grid_corner, (float)left_px, (float)top_px);
    glUniform1f(painter->grid_per_check, (float)per_check);
    glUniform1f(painter->grid_background, scene->background_lum);
    fill();
}

static void draw_patch(const Painter *painter)
{
    const SyncPatch *patch = &painter->options.patch;
    int side_px = patch->size_px + 2 * patch->border_px;
    glEnable(GL_SCISSOR_TEST);
    glScissor(patch->x_px, patch->y_px, side_px, side_px);
    draw_uniform(painter, 0);
    glScissor(patch->x_px + patch->border_px, patch->y_px + patch->border_px, patch->size_px,
              patch->size_px);
    draw_uniform(painter, sync_patch_lum(painter->refresh, painter->block));
    glDisable(GL_SCISSOR_TEST);
}

static void draw_panel(const Painter *painter)
{
    const PainterOptions *options = &painter->options;
    glViewport(options->raster.width_px, 0, options->panel_width_px, options->raster.height_px);
    glUseProgram(painter->side);
    fill();
}

static void paint(const Painter *painter)
{
    const Raster *raster = &painter->options.raster;
    glViewport(0, 0, raster->width_px, raster->height_px);
    switch (painter->scene.kind) {
    case SCENE_UNIFORM:
        draw_uniform(painter, painter->scene.background_lum);
        break;
    case SCENE_STRIPE:
        draw_stripe(painter, &painter->scene);
        break;
    case SCENE_GRID:
        draw_grid(painter, &painter->scene);
        break;
    }
    if (painter->options.patch.is_on)
        draw_patch(painter);
    if (painter->options.panel_width_px > 0)
        draw_panel(painter);
}

void painter_draw(Painter *painter, const Scene *scene, int64_t refresh, int64_t block)
{
    painter->scene = *scene;
    painter->refresh = refresh;
    painter->block = block;
    if (scene->kind == SCENE_GRID)
        upload_checks(painter, &scene->grid);
    paint(painter);
    glFlush();
}

/* Drivers compile a program when it is first drawn with, and take many frames for it. */
static void warm_up(Painter *painter)
{
    const float check = 0;
    const Scene scenes[] = {
        {.kind = SCENE_GRID, .grid = {.lum = &check, .columns = 1, .rows = 1, .check_um = 1}},
        {.kind = SCENE_STRIPE, .stripe = {.normal_x = 1, .width_um = 1}},
        {.kind = SCENE_UNIFORM},
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        painter_draw(painter, &scenes[i], 0, 0);
    glFinish();
}

Painter *painter_create(const PainterOptions *options, char *err)
{
    Painter *painter = calloc(1, sizeof *painter);
    if (painter)
        painter->uploaded = calloc(SCENE_MAX_CHECKS, SCENE_MAX_CHECKS * sizeof(float));
    if (!painter || !painter->uploaded) {
        snprintf(err, DISPLAY_ERR_BYTES, "display: out of memory");
        goto failed;
    }
    painter->options = *options;
    glGenVertexArrays(1, &painter->vertex_array);
    glBindVertexArray(painter->vertex_array);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glDisable(GL_DITHER);
    glDisable(GL_DEPTH_TEST);
    glDisable(GL_BLEND);
    create_textures(painter);
    if (!create_programs(painter, err) || !create_panel(painter, err))
        goto failed;
    warm_up(painter);
    if (!gl_is_fine("preparing to draw", err))
        goto failed;
    return painter;
failed:
    painter_destroy(painter);
    return NULL;
}

void painter_panel(Painter *painter, const uint32_t *pixels)
{
    glActiveTexture(GL_TEXTURE0 + UNIT_PANEL);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, painter->options.panel_width_px,
                    painter->options.raster.height_px, GL_BGRA, GL_UNSIGNED_INT_8_8_8_8_REV,
                    pixels);
}

void painter_read(Painter *painter, uint8_t *rgb)
{
    const PainterOptions *options = &painter->options;
    int width_px = options->raster.width_px + options->panel_width_px;
    int height_px = options->raster.height_px;
    paint(painter);
    glReadBuffer(GL_BACK);
    for (int row = 0; row < height_px; row++)
        glReadPixels(0, height_px - 1 - row, width_px, 1, GL_RGB, GL_UNSIGNED_BYTE,
                     rgb + (ptrdiff_t)row * width_px * 3);
}

void painter_destroy(Painter *painter)
{
    if (!painter)
        return;
    const GLuint textures[] = {painter->gamma, painter->checks, painter->panel};
    glDeleteTextures(3, textures);
    glDeleteProgram(painter->uniform);
    glDeleteProgram(painter->stripe);
    glDeleteProgram(painter->grid);
    glDeleteProgram(painter->side);
    glDeleteVertexArrays(1, &painter->vertex_array);
    free(painter->uploaded);
    free(painter);
}
