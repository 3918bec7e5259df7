#pragma once
/* Draws a scene at screen resolution, the GPU's face of scene_average().
 *
 * Every screen pixel gets the exact mean luminance of its own square, by the closed forms of
 * scene.c, then goes through the gamma table once, in the shader. So averaging screen pixels over a
 * model pixel gives what the model sees, up to the screen's 8 bits. The sync patch is drawn over
 * the scene and through the same gamma. Needs a current OpenGL 3.3 core context; one thread. */
#include <stdbool.h>
#include <stdint.h>

#include "render/display.h"

typedef struct Painter Painter;

typedef struct {
    Raster raster;      // stimulus area, at the left of the window
    int panel_width_px; // right of it; 0 for none
    SyncPatch patch;
    const float *gamma; // (DISPLAY_GAMMA_LEVELS) or NULL; copied
} PainterOptions;

/* NULL with a sentence in err (DISPLAY_ERR_BYTES). */
Painter *painter_create(const PainterOptions *options, char *err);

/* The commands of one frame; the GPU may run them later. Uploads the checks of a grid when they
 * differ from the ones before. */
void painter_draw(Painter *painter, const Scene *scene, int64_t refresh, int64_t block);

/* pixels (height_px, panel_width_px), BGRX, row 0 on top; shown from the next draw on. */
void painter_panel(Painter *painter, const uint32_t *pixels);

/* rgb (height_px, width_px + panel_width_px, 3), row 0 on top := what was drawn last, drawn once
 * more: after a swap the back buffer holds anything. */
void painter_read(Painter *painter, uint8_t *rgb);

/* Accepts NULL. */
void painter_destroy(Painter *painter);
