#include "app/console.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <SDL.h>

#include "app/clock.h"
#include "app/console_block.h"
#include "app/console_draw.h"

enum { EXIT_DONE = 0, EXIT_BAD_INPUT = 2, EXIT_NO_DISPLAY = 3 };
enum { PICTURE_NS = 50000000, LEAST_PX = 480, NICENESS = 10 };

typedef struct {
    ConsoleBlock *block;
    ConsoleState *state;             // owned; the last whole copy
    uint64_t seen;                   // sequence of that copy
    ConsoleAttribution *attribution; // owned; NULL for none
} Drawer;

static bool should_go_on(const ConsoleBlock *block)
{
    return !atomic_load_explicit(&block->should_stop, memory_order_acquire) &&
           getppid() == (pid_t)block->frame_pid;
}

/* Whether there is news, and state holds it. */
static bool fetch(Drawer *drawer)
{
    const uint64_t now = atomic_load_explicit(&drawer->block->state.sequence, memory_order_relaxed);
    if (now == drawer->seen || !console_shared_read(&drawer->block->state, drawer->state))
        return false;
    drawer->seen = now;
    console_attribution_follow(drawer->attribution, drawer->state);
    return true;
}

static void sleep_until_next(int64_t *next_ns)
{
    int64_t now_ns = session_now_ns(NULL);
    *next_ns += PICTURE_NS;
    if (*next_ns < now_ns)
        *next_ns = now_ns; // too slow for the pace: do not try to catch up
    session_sleep_until_ns(NULL, *next_ns);
}

static void draw_into(unsigned char *pixels, int stride, const Drawer *drawer)
{
    const ConsoleState *state = drawer->state;
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        pixels, CAIRO_FORMAT_RGB24, state->setup.width_px, state->setup.height_px, stride);
    cairo_t *cairo = cairo_create(surface);
    console_draw(cairo, state, console_attribution_shares(drawer->attribution));
    cairo_destroy(cairo);
    cairo_surface_finish(surface);
    cairo_surface_destroy(surface);
}

static int serve_panel(Drawer *drawer)
{
    ConsoleBlock *block = drawer->block;
    int64_t next_ns = session_now_ns(NULL);
    atomic_store_explicit(&block->progress, CONSOLE_DRAWING, memory_order_release);
    while (should_go_on(block)) {
        const uint32_t published = atomic_load_explicit(&block->published, memory_order_relaxed);
        // acquire: the half to be drawn over is not looked at any more
        const uint32_t taken = atomic_load_explicit(&block->taken, memory_order_acquire);
        if (taken == published && fetch(drawer)) {
            const ConsoleSetup *setup = &drawer->state->setup;
            const size_t half_bytes = console_block_half_bytes(setup->width_px, setup->height_px);
            unsigned char *pixels = (unsigned char *)block + console_block_pixels_at();
            draw_into(pixels + (published + 1) % 2 * half_bytes, setup->width_px * 4, drawer);
            atomic_store_explicit(&block->published, published + 1, memory_order_release);
        }
        sleep_until_next(&next_ns);
    }
    return EXIT_DONE;
}

static int refuse(ConsoleBlock *block, const char *why)
{
    snprintf(block->problem, CONSOLE_PROBLEM_BYTES, "%s", why);
    atomic_store_explicit(&block->progress, CONSOLE_FAILED, memory_order_release);
    return EXIT_NO_DISPLAY;
}

/* On another screen than the stimulus where there is one, and without taking the keyboard. */
static SDL_Window *open_window(const ConsoleSetup *setup)
{
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_WINDOW_NO_ACTIVATION_WHEN_SHOWN, "1");
    SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    if (SDL_Init(SDL_INIT_VIDEO) != 0)
        return NULL;
    const int screens = SDL_GetNumVideoDisplays();
    const unsigned screen = screens > 1 && setup->stimulus_screen == 0 ? 1U : 0U;
    const int place = (int)SDL_WINDOWPOS_CENTERED_DISPLAY(screen);
    char title[2 * CONSOLE_TEXT_BYTES];
    snprintf(title, sizeof title, "retrace: %s", setup->protocol);
    SDL_Window *window = SDL_CreateWindow(title, place, place, setup->width_px, setup->height_px,
                                          SDL_WINDOW_RESIZABLE);
    if (window)
        SDL_SetWindowMinimumSize(window, LEAST_PX, LEAST_PX);
    return window;
}

/* Draws at the window's present size and shows it. */
static void draw_window(SDL_Window *window, Drawer *drawer)
{
    SDL_Surface *shown = SDL_GetWindowSurface(window);
    if (!shown || shown->w < LEAST_PX || shown->h < LEAST_PX)
        return;
    SDL_Surface *drawn =
        SDL_CreateRGBSurfaceWithFormat(0, shown->w, shown->h, 32, SDL_PIXELFORMAT_RGB888);
    if (!drawn)
        return;
    drawer->state->setup.width_px = shown->w;
    drawer->state->setup.height_px = shown->h;
    draw_into(drawn->pixels, drawn->pitch, drawer);
    SDL_BlitSurface(drawn, NULL, shown, NULL);
    SDL_UpdateWindowSurface(window);
    SDL_FreeSurface(drawn);
}

/* False when the user has closed the window; is_exposed when it must be drawn again. */
static bool take_events(bool *is_exposed)
{
    SDL_Event event;
    while (SDL_PollEvent(&event)) {
        if (event.type == SDL_QUIT)
            return false;
        *is_exposed = *is_exposed || event.type == SDL_WINDOWEVENT;
    }
    return true;
}

static int serve_window(Drawer *drawer)
{
    SDL_Window *window = open_window(&drawer->state->setup);
    if (!window)
        return refuse(drawer->block, SDL_GetError());
    int64_t next_ns = session_now_ns(NULL);
    atomic_store_explicit(&drawer->block->progress, CONSOLE_DRAWING, memory_order_release);
    bool is_exposed = true;
    while (should_go_on(drawer->block) && take_events(&is_exposed)) {
        const bool has_news = fetch(drawer);
        if (has_news || is_exposed) {
            draw_window(window, drawer);
            is_exposed = false;
        }
        sleep_until_next(&next_ns);
    }
    SDL_DestroyWindow(window);
    SDL_Quit();
    return EXIT_DONE;
}

/* The block behind the descriptor; NULL when it is something else. */
static ConsoleBlock *map_block(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || status.st_size < (off_t)sizeof(ConsoleBlock))
        return NULL;
    const size_t bytes = (size_t)status.st_size;
    ConsoleBlock *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (block == MAP_FAILED)
        return NULL;
    return block->bytes == bytes ? block : NULL;
}

/* Dies with the frame thread, gives way to it, and leaves Ctrl-C to it. */
static void be_humble(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpriority(PRIO_PROCESS, 0, NICENESS);
    signal(SIGINT, SIG_IGN);
}

int console_process_main(int argc, char **argv)
{
    char *end = NULL;
    const long fd = argc == 3 ? strtol(argv[1], &end, 10) : -1;
    ConsoleBlock *block = fd > 2 && *end == '\0' ? map_block((int)fd) : NULL;
    if (!block) {
        fputs("retrace: console-process: is started by retrace itself; try --console on\n", stderr);
        return EXIT_BAD_INPUT;
    }
    be_humble();
    Drawer drawer = {.block = block, .state = malloc(sizeof(ConsoleState))};
    if (!drawer.state || !console_shared_read(&block->state, drawer.state))
        return refuse(block, "out of memory");
    drawer.attribution = console_attribution_open(&drawer.state->setup);
    const int status = strcmp(argv[2], "panel") == 0 ? serve_panel(&drawer) : serve_window(&drawer);
    console_attribution_close(drawer.attribution);
    free(drawer.state);
    return status;
}
