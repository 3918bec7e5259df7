#include <stdio.h>
#include <string.h>

#include <SDL2/SDL.h>
#include <epoxy/gl.h>

#include "render/display_driver.h"
#include "render/ladder.h"
#include "render/painter.h"
#include "render/x11_guard.h"

enum { OLDEST_GL = 33, ASSUMED_HZ = 60 };

typedef struct {
    bool has_video;
    SDL_Window *window;    // owned
    SDL_GLContext context; // owned
    Painter *painter;      // owned
    Ladder ladder;
    int width_px;     // of the whole window, panel included
    Scene background; // shown until refresh 0
    char detail[256];
} SdlDisplay;

static bool start_video(SdlDisplay *self, const DisplayOptions *options, char *err)
{
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_MINIMIZE_ON_FOCUS_LOSS, "0");
    if (SDL_InitSubSystem(SDL_INIT_VIDEO) != 0) {
        snprintf(err, DISPLAY_ERR_BYTES,
                 "display: no screen can be opened (%s); set DISPLAY to a running X server, or "
                 "choose the null display",
                 SDL_GetError());
        return false;
    }
    self->has_video = true;
    // Asked for nothing and finding nothing, SDL draws into memory that no screen shows.
    if (!SDL_GetHint(SDL_HINT_VIDEODRIVER) &&
        strcmp(SDL_GetCurrentVideoDriver(), "offscreen") == 0) {
        snprintf(err, DISPLAY_ERR_BYTES,
                 "display: no screen was found; set DISPLAY to a running X server, or choose the "
                 "null display");
        return false;
    }
    int screens = SDL_GetNumVideoDisplays();
    if (options->screen >= 0 && options->screen < screens)
        return true;
    snprintf(err, DISPLAY_ERR_BYTES, "display: screen: %d is not there; allowed are 0 to %d",
             options->screen, screens - 1);
    return false;
}

static bool open_window(SdlDisplay *self, const DisplayOptions *options, char *err)
{
    SDL_GL_SetAttribute(SDL_GL_CONTEXT_PROFILE_MASK, SDL_GL_CONTEXT_PROFILE_CORE);
    SDL_GL_SetAttribute(SDL_GL_CONTEXT_MAJOR_VERSION, OLDEST_GL / 10);
    SDL_GL_SetAttribute(SDL_GL_CONTEXT_MINOR_VERSION, OLDEST_GL % 10);
    SDL_GL_SetAttribute(SDL_GL_DEPTH_SIZE, 0);
    SDL_GL_SetAttribute(SDL_GL_DOUBLEBUFFER, 1);
    int place = (int)SDL_WINDOWPOS_CENTERED_DISPLAY((unsigned)options->screen);
    Uint32 flags = SDL_WINDOW_OPENGL | SDL_WINDOW_ALLOW_HIGHDPI;
    int width_px = options->width_px + options->panel_width_px, height_px = options->height_px;
    SDL_Rect bounds = {.w = width_px, .h = height_px};
    SDL_GetDisplayBounds(options->screen, &bounds);
    if (options->is_fullscreen) {
        flags |= SDL_WINDOW_FULLSCREEN_DESKTOP;
        width_px = bounds.w;
        height_px = bounds.h;
    }
    if (width_px > bounds.w || height_px > bounds.h) {
        snprintf(err, DISPLAY_ERR_BYTES,
                 "display: a window of %d × %d px does not fit the screen of %d × %d; choose a "
                 "smaller width_px and height_px, or full screen",
                 width_px, height_px, bounds.w, bounds.h);
        return false;
    }
    self->window = SDL_CreateWindow(options->title ? options->title : "Retrace", place, place,
                                    width_px, height_px, flags);
    if (self->window)
        self->context = SDL_GL_CreateContext(self->window);
    if (!self->context) {
        snprintf(
            err, DISPLAY_ERR_BYTES,
            "display: no window with OpenGL %d.%d core (%s); update the graphics driver (Mesa's "
            "llvmpipe has it too), or choose the null display",
            OLDEST_GL / 10, OLDEST_GL % 10, SDL_GetError());
        return false;
    }
    if (epoxy_gl_version() < OLDEST_GL) {
        snprintf(err, DISPLAY_ERR_BYTES,
                 "display: OpenGL %d.%d core is needed and %s offers %d.%d; update the graphics "
                 "driver (Mesa's llvmpipe has it too), or choose the null display",
                 OLDEST_GL / 10, OLDEST_GL % 10, (const char *)glGetString(GL_RENDERER),
                 epoxy_gl_version() / 10, epoxy_gl_version() % 10);
        return false;
    }
    x11_guard(self->window);
    SDL_ShowCursor(SDL_DISABLE);
    SDL_DisableScreenSaver();
    return true;
}

/* What the window turned out to be: a full screen, or a high-density one, has its own size. */
static bool measure_window(SdlDisplay *self, Display *display, const DisplayOptions *options,
                           char *err)
{
    int width_px, height_px;
    SDL_GL_GetDrawableSize(self->window, &width_px, &height_px);
    Raster *raster = &display->info.raster;
    self->width_px = width_px;
    raster->width_px = width_px - options->panel_width_px;
    raster->height_px = height_px;
    const SyncPatch *patch = &options->patch;
    int side_px = patch->size_px + 2 * patch->border_px;
    if (raster->width_px <= 0) {
        snprintf(err, DISPLAY_ERR_BYTES,
                 "display: panel_width_px: %d leaves no stimulus area in a window of %d",
                 options->panel_width_px, width_px);
        return false;
    }
    if (patch->is_on &&
        (patch->x_px + side_px > raster->width_px || patch->y_px + side_px > raster->height_px)) {
        snprintf(err, DISPLAY_ERR_BYTES,
                 "display: patch: %d px at (%d, %d) lie outside the stimulus area of %d x %d px",
                 side_px, patch->x_px, patch->y_px, raster->width_px, raster->height_px);
        return false;
    }
    snprintf(self->detail, sizeof self->detail, "%s, %s, OpenGL %d.%d", SDL_GetCurrentVideoDriver(),
             (const char *)glGetString(GL_RENDERER), epoxy_gl_version() / 10,
             epoxy_gl_version() % 10);
    display->info.detail = self->detail;
    return true;
}

static void find_refresh(SdlDisplay *self, Display *display, const DisplayOptions *options)
{
    SDL_DisplayMode mode = {0};
    SDL_GetCurrentDisplayMode(SDL_GetWindowDisplayIndex(self->window), &mode);
    double simulated_hz = options->refresh_hz > 0 ? options->refresh_hz
                          : mode.refresh_rate > 0 ? mode.refresh_rate
                                                  : ASSUMED_HZ;
    ladder_open(&self->ladder, display, self->window, mode.refresh_rate, simulated_hz);
}

static bool open_display(Display *display, const DisplayOptions *options, char *err)
{
    SdlDisplay *self = display->state;
    if (!start_video(self, options, err) || !open_window(self, options, err) ||
        !measure_window(self, display, options, err))
        return false;
    const PainterOptions painting = {display->info.raster, options->panel_width_px, options->patch,
                                     options->gamma};
    self->painter = painter_create(&painting, err);
    if (!self->painter)
        return false;
    self->background = (Scene){.kind = SCENE_UNIFORM, .background_lum = options->background_lum};
    for (int buffer = 0; buffer < 2; buffer++) { // measuring swaps both without drawing
        painter_draw(self->painter, &self->background, 0, 0);
        SDL_GL_SwapWindow(self->window);
    }
    find_refresh(self, display, options);
    if (!x11_is_lost())
        return true;
    snprintf(err, DISPLAY_ERR_BYTES,
             "display: the X server went away while its refresh was measured");
    return false;
}

static int64_t show(Display *display, Flip *flip)
{
    SdlDisplay *self = display->state;
    return ladder_show(&self->ladder, display, flip);
}

static int64_t wait(Display *display)
{
    SdlDisplay *self = display->state;
    Flip flip;
    SDL_RaiseWindow(self->window); // the console's window came later and may lie above
    painter_draw(self->painter, &self->background, 0, 0);
    return show(display, &flip);
}

static void draw(Display *display, const Scene *scene, int64_t refresh, int64_t block)
{
    SdlDisplay *self = display->state;
    if (!x11_is_lost())
        painter_draw(self->painter, scene, refresh, block);
}

static bool is_closing(const SDL_Event *event)
{
    if (event->type == SDL_KEYDOWN)
        return event->key.keysym.sym == SDLK_ESCAPE || event->key.keysym.sym == SDLK_q;
    return event->type == SDL_QUIT ||
           (event->type == SDL_WINDOWEVENT && event->window.event == SDL_WINDOWEVENT_CLOSE);
}

/* What happened to the window while images were shown goes into the verdict: the record cannot know
 * which of them nobody saw. */
static void judge_event(const SdlDisplay *self, DisplayInfo *info, const SDL_Event *event)
{
    if (event->type != SDL_WINDOWEVENT)
        return;
    Uint8 what = event->window.event;
    int width_px, height_px;
    SDL_GL_GetDrawableSize(self->window, &width_px, &height_px);
    if (what == SDL_WINDOWEVENT_HIDDEN || what == SDL_WINDOWEVENT_MINIMIZED)
        snprintf(info->verdict, sizeof info->verdict,
                 "unsafe: the window was hidden during the run");
    else if (what == SDL_WINDOWEVENT_SIZE_CHANGED &&
             (width_px != self->width_px || height_px != info->raster.height_px))
        snprintf(info->verdict, sizeof info->verdict,
                 "unsafe: the window's size was changed during the run");
}

static DisplayState poll_events(Display *display)
{
    SdlDisplay *self = display->state;
    DisplayState state = DISPLAY_OPEN;
    SDL_Event event;
    if (x11_is_lost())
        return DISPLAY_LOST;
    while (SDL_PollEvent(&event)) {
        judge_event(self, &display->info, &event);
        if (is_closing(&event))
            state = DISPLAY_CLOSED_BY_USER;
    }
    return x11_is_lost() ? DISPLAY_LOST : state;
}

static void panel(Display *display, const uint32_t *pixels)
{
    SdlDisplay *self = display->state;
    painter_panel(self->painter, pixels);
}

static bool read_pixels(Display *display, uint8_t *rgb)
{
    SdlDisplay *self = display->state;
    if (!x11_is_lost())
        painter_read(self->painter, rgb);
    return !x11_is_lost();
}

static void close_display(Display *display)
{
    SdlDisplay *self = display->state;
    if (x11_is_lost())
        return; // nobody is there to answer, and SDL would wait for it
    x11_release();
    ladder_close(&self->ladder);
    painter_destroy(self->painter);
    if (self->context)
        SDL_GL_DeleteContext(self->context);
    if (self->window)
        SDL_DestroyWindow(self->window);
    if (self->has_video)
        SDL_QuitSubSystem(SDL_INIT_VIDEO);
}

const DisplayDriver display_sdl = {
    .name = "sdl",
    .state_bytes = sizeof(SdlDisplay),
    .open = open_display,
    .wait = wait,
    .show = show,
    .draw = draw,
    .poll = poll_events,
    .panel = panel,
    .read = read_pixels,
    .close = close_display,
};
