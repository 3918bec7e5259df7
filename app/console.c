#include "app/console.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/console_block.h"
#include "app/console_draw.h"
#include "app/picture.h"

extern char **environ;

enum { START_MS = 10000, STOP_MS = 1000, POLL_MS = 5, SHM_ATTEMPTS = 16 };

struct Console {
    ConsoleState state;  // the frame thread's own copy, always whole
    ConsoleBlock *block; // owned, mapped; NULL in CONSOLE_PNG
    size_t block_bytes;
    pid_t process;  // 0: none, or gone and waited for
    char *png_path; // owned; NULL: no picture
};

static bool fail(char *err, const char *what, const char *why)
{
    snprintf(err, CONSOLE_ERR_BYTES, "console: %s: %s", what, why);
    return false;
}

static void sleep_ms(long ms)
{
    session_sleep_until_ns(NULL, session_now_ns(NULL) + ms * 1000000);
}

/* A nameless shared memory object. Its room is claimed now: without, a full /dev/shm would be a bus
 * error in the middle of a run. */
static int create_memory(size_t bytes, char *err)
{
    int fd = -1;
    for (int i = 0; i < SHM_ATTEMPTS && fd < 0; i++) {
        char name[64];
        snprintf(name, sizeof name, "/retrace-console-%ld-%lld", (long)getpid(),
                 (long long)session_now_ns(NULL));
        fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0)
            shm_unlink(name);
        else if (errno != EEXIST)
            break;
    }
    if (fd < 0) {
        fail(err, "no shared memory", strerror(errno));
        return -1;
    }
    const int claimed = posix_fallocate(fd, 0, (off_t)bytes);
    if (claimed != 0) {
        fail(err, "no room in shared memory", strerror(claimed));
        close(fd);
        return -1;
    }
    return fd;
}

static bool map_block(Console *console, int fd, char *err)
{
    void *memory = mmap(NULL, console->block_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return fail(err, "cannot map shared memory", strerror(errno));
    memset(memory, 0, console->block_bytes); // touches every page before the first frame does
    console->block = memory;
    console->block->bytes = console->block_bytes;
    console->block->frame_pid = getpid();
    console_shared_begin(&console->block->state);
    console_shared_put(&console->block->state, &console->state, &console->state,
                       sizeof console->state);
    console_shared_end(&console->block->state);
    return true;
}

/* The new process starts in the ordinary scheduling class, whatever this thread's is. */
static int spawn(pid_t *process, int fd, ConsoleMode mode)
{
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    char *const arguments[] = {(char[]){"retrace"}, (char[]){"console-process"}, number,
                               mode == CONSOLE_PANEL ? (char[]){"panel"} : (char[]){"window"},
                               NULL};
    const struct sched_param ordinary = {0};
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_setschedpolicy(&attributes, SCHED_OTHER);
    posix_spawnattr_setschedparam(&attributes, &ordinary);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSCHEDULER | POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_adddup2(&files, fd, fd); // takes close-on-exec off
    const int result =
        posix_spawn(process, "/proc/self/exe", &files, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return result;
}

/* Notes it when the process has ended, so that no zombie stays. */
static bool is_gone(Console *console)
{
    if (console->process > 0) {
        const pid_t ended = waitpid(console->process, NULL, WNOHANG);
        if (ended == console->process || (ended < 0 && errno == ECHILD))
            console->process = 0;
    }
    return console->process == 0;
}

static bool wait_for_start(Console *console, char *err)
{
    for (int waited_ms = 0; waited_ms < START_MS; waited_ms += POLL_MS) {
        const bool is_ended = is_gone(console); // looked at first: it may say why, then end
        const int progress = atomic_load_explicit(&console->block->progress, memory_order_acquire);
        if (progress == CONSOLE_DRAWING)
            return true;
        if (progress == CONSOLE_FAILED)
            return fail(err, "cannot be shown", console->block->problem);
        if (is_ended)
            return fail(err, "cannot be shown", "its process ended at once");
        sleep_ms(POLL_MS);
    }
    return fail(err, "cannot be shown", "its process did not answer within 10 s");
}

static bool start(Console *console, ConsoleMode mode, char *err)
{
    const ConsoleSetup *setup = &console->state.setup;
    console->block_bytes = console_block_pixels_at();
    if (mode == CONSOLE_PANEL)
        console->block_bytes += 2 * console_block_half_bytes(setup->width_px, setup->height_px);
    const int fd = create_memory(console->block_bytes, err);
    if (fd < 0)
        return false;
    bool is_started = map_block(console, fd, err);
    if (is_started) {
        const int result = spawn(&console->process, fd, mode);
        is_started = result == 0 || fail(err, "cannot start its process", strerror(result));
    }
    close(fd);
    return is_started && wait_for_start(console, err);
}

Console *console_open(const ConsoleSetup *setup, ConsoleMode mode, const char *png_path, char *err)
{
    Console *console = calloc(1, sizeof *console);
    if (!console) {
        fail(err, "cannot be opened", "out of memory");
        return NULL;
    }
    bool is_open = console_state_init(&console->state, setup, err);
    if (is_open && mode != CONSOLE_PNG)
        is_open = start(console, mode, err);
    if (is_open && png_path) {
        console->png_path = malloc(strlen(png_path) + 1);
        is_open = console->png_path || fail(err, "cannot be opened", "out of memory");
    }
    if (!is_open) {
        char ignored[CONSOLE_ERR_BYTES];
        console_close(console, ignored);
        return NULL;
    }
    if (png_path)
        strcpy(console->png_path, png_path);
    return console;
}

static void begin(Console *console)
{
    if (console->block)
        console_shared_begin(&console->block->state);
}

static void put(Console *console, const void *from, size_t bytes)
{
    if (console->block)
        console_shared_put(&console->block->state, &console->state, from, bytes);
}

static void end(Console *console)
{
    if (console->block)
        console_shared_end(&console->block->state);
}

void console_trial(Console *console, const ConsoleTrial *trial)
{
    if (!console)
        return;
    console->state.trial = *trial;
    begin(console);
    put(console, &console->state.trial, sizeof console->state.trial);
    end(console);
}

static void put_refreshes(Console *console, int64_t first, int64_t last)
{
    const int64_t oldest = last - CONSOLE_REFRESHES + 1;
    int64_t refresh = first > oldest ? first : oldest;
    for (refresh = refresh > 0 ? refresh : 0; refresh <= last; refresh++) {
        const ConsoleRefresh *slot = &console->state.ring[refresh % CONSOLE_REFRESHES];
        put(console, slot, sizeof *slot);
    }
}

void console_frame(Console *console, const ConsoleFrame *frame)
{
    if (!console)
        return;
    ConsoleState *state = &console->state;
    const ConsoleSetup *setup = &state->setup;
    const bool has_pictures = console_state_frame(state, frame);
    const size_t image_bytes =
        sizeof(float) * (size_t)setup->raster.width_px * (size_t)setup->raster.height_px;
    const float *image = console_state_image(state, frame->refresh);
    begin(console);
    put(console, &state->live, sizeof state->live);
    put_refreshes(console, frame->refresh - frame->missed, frame->refresh);
    if (image)
        put(console, image, image_bytes);
    if (has_pictures) {
        put(console, state->lum, image_bytes);
        put(console, state->maps,
            sizeof(float) * (size_t)setup->map_channels * (size_t)setup->map_width_px *
                (size_t)setup->map_height_px);
    }
    end(console);
}

void console_rates(Console *console, int model, int64_t refresh, const float *rates_hz,
                   int64_t latency_ns, bool is_late)
{
    if (!console)
        return;
    ConsoleState *state = &console->state;
    const bool is_kept = console_state_rates(state, model, refresh, rates_hz, latency_ns, is_late);
    begin(console);
    put(console, &state->live, sizeof state->live);
    if (is_kept)
        put_refreshes(console, refresh, refresh);
    end(console);
}

void console_verdict(Console *console, const char *verdict)
{
    if (!console)
        return;
    char *kept = console->state.setup.verdict;
    snprintf(kept, CONSOLE_VERDICT_BYTES, "%s", verdict);
    begin(console);
    put(console, kept, CONSOLE_VERDICT_BYTES);
    end(console);
}

const uint32_t *console_panel(Console *console)
{
    if (!console || !console->block)
        return NULL;
    ConsoleBlock *block = console->block;
    // acquire: the picture's pixels come with its number
    const uint32_t newest = atomic_load_explicit(&block->published, memory_order_acquire);
    if (newest == atomic_load_explicit(&block->taken, memory_order_relaxed))
        return NULL;
    // release: the older picture is not looked at any more
    atomic_store_explicit(&block->taken, newest, memory_order_release);
    const ConsoleSetup *setup = &console->state.setup;
    const size_t half_bytes = console_block_half_bytes(setup->width_px, setup->height_px);
    const unsigned char *base = (const unsigned char *)block;
    return (const uint32_t *)(const void *)(base + console_block_pixels_at() +
                                            newest % 2 * half_bytes);
}

int64_t console_process_id(const Console *console)
{
    return console ? console->process : 0;
}

static void wait_for_end(Console *console)
{
    for (int waited_ms = 0; waited_ms < STOP_MS && !is_gone(console); waited_ms += POLL_MS)
        sleep_ms(POLL_MS);
}

static void stop(Console *console)
{
    if (console->block)
        atomic_store_explicit(&console->block->should_stop, 1, memory_order_release);
    wait_for_end(console);
    if (!is_gone(console)) {
        kill(console->process, SIGKILL);
        wait_for_end(console);
    }
}

static bool write_png(const Console *console, char *err)
{
    const ConsoleSetup *setup = &console->state.setup;
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, setup->width_px, setup->height_px);
    cairo_t *cairo = cairo_create(surface);
    ConsoleAttribution *attribution = console_attribution_open(setup);
    console_attribution_follow(attribution, &console->state);
    console_draw(cairo, &console->state, console_attribution_shares(attribution));
    console_attribution_close(attribution);
    cairo_destroy(cairo);
    const bool is_written = picture_write_surface(console->png_path, surface, err);
    cairo_surface_destroy(surface);
    return is_written;
}

_Static_assert((int)PICTURE_ERR_BYTES <= (int)CONSOLE_ERR_BYTES, "err takes either sentence");

bool console_close(Console *console, char *err)
{
    if (!console)
        return true;
    stop(console);
    const bool is_written = !console->png_path || write_png(console, err);
    if (console->block)
        munmap(console->block, console->block_bytes);
    free(console->png_path);
    free(console);
    return is_written;
}
