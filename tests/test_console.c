#include "tests/harness.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/console.h"
#include "app/console_draw.h"
#include "app/console_shared.h"
#include "tests/random_model.h"

enum { RASTER = 20, WIDTH_PX = 640, HEIGHT_PX = 720, PATIENCE_MS = 20000, FRAME_NS = 16666667 };

static void nap_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

static ConsoleSetup plain_setup(void)
{
    ConsoleSetup setup = {
        .protocol = "test",
        .models = {{"full", "cnn", false}, {"reduced", "ln", false}},
        .models_count = 2,
        .cells = {{.name = "first", .x_um = NAN, .y_um = NAN}},
        .cells_count = 1,
        .raster = {RASTER, RASTER, 50.0},
        .map_model = -1,
        .refresh_hz = 60.0,
        .verdict = "ok",
        .width_px = WIDTH_PX,
        .height_px = HEIGHT_PX,
    };
    setup.cells[0].of_model[0] = 2;
    return setup;
}

static ConsoleState *plain_state(void)
{
    const ConsoleSetup setup = plain_setup();
    char err[CONSOLE_ERR_BYTES];
    ConsoleState *state = malloc(sizeof *state);
    CU_ASSERT_FATAL(state && console_state_init(state, &setup, err));
    return state;
}

static ConsoleFrame plain_frame(int64_t refresh, int missed)
{
    static const float lum[RASTER * RASTER] = {0.5F};
    return (ConsoleFrame){.refresh = refresh,
                          .missed = missed,
                          .vblank_ns = refresh * FRAME_NS,
                          .margin_ns = 5000000,
                          .lum = lum};
}

static void unmeasured_is_nan(void)
{
    ConsoleState *state = plain_state();
    const ConsoleFrame frame = plain_frame(0, 0);
    console_state_frame(state, &frame);
    const ConsoleRefresh *record = console_state_refresh(state, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    CU_ASSERT(record->is_shown);
    CU_ASSERT(isnan(record->interval_ms)); // no image before it
    CU_ASSERT(isnan(record->rates_hz[0][0]));
    CU_ASSERT(isnan(record->latency_us[1]));
    CU_ASSERT(test_near((double)record->margin_ms, 5.0, 1e-6));
    CU_ASSERT_PTR_NULL(console_state_refresh(state, 1));
    free(state);
}

static void misses_are_marked_before_the_image(void)
{
    ConsoleState *state = plain_state();
    const ConsoleFrame frames[] = {plain_frame(10, 0), plain_frame(13, 2)};
    console_state_frame(state, &frames[0]);
    console_state_frame(state, &frames[1]);
    CU_ASSERT(console_state_refresh(state, 11)->is_missed);
    CU_ASSERT(console_state_refresh(state, 12)->is_missed);
    CU_ASSERT(!console_state_refresh(state, 12)->is_shown);
    CU_ASSERT(!console_state_refresh(state, 13)->is_missed);
    CU_ASSERT(test_near((double)console_state_refresh(state, 13)->interval_ms, 50.0, 1e-3));
    CU_ASSERT_EQUAL(state->live.missed, 2);
    CU_ASSERT_EQUAL(state->live.shown, 2);
    free(state);
}

static void rates_come_before_or_after_their_frame(void)
{
    ConsoleState *state = plain_state();
    const float rates_hz[] = {1.0F, 2.0F, 3.0F};
    const ConsoleFrame frame = plain_frame(5, 0);
    CU_ASSERT(console_state_rates(state, 0, 5, rates_hz, 7000, false));
    console_state_frame(state, &frame);
    CU_ASSERT(console_state_rates(state, 1, 5, rates_hz, 9000, true));
    const ConsoleRefresh *record = console_state_refresh(state, 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(record);
    CU_ASSERT(test_near((double)record->rates_hz[0][0], 3.0, 0.0)); // the model's cell 2
    CU_ASSERT(test_near((double)record->rates_hz[1][0], 1.0, 0.0)); // the model's cell 0
    CU_ASSERT(test_near((double)record->latency_us[0], 7.0, 1e-6));
    CU_ASSERT_EQUAL(state->live.late[0], 0);
    CU_ASSERT_EQUAL(state->live.late[1], 1);
    free(state);
}

static void other_models_of_a_block_are_silent(void)
{
    ConsoleState *state = plain_state();
    const float rates_hz[] = {1.0F, 2.0F, 3.0F};
    snprintf(state->setup.models[1].stimulus, CONSOLE_STIMULUS_BYTES, "flicker");
    static const char *const shown[] = {"flicker", "step", "flicker"};
    for (int k = 0; k < 3; k++) {
        const ConsoleFrame frame = plain_frame(k, 0);
        state->trial.trial = k;
        snprintf(state->trial.stimulus, CONSOLE_STIMULUS_BYTES, "%s", shown[k]);
        console_state_frame(state, &frame);
    }
    for (int k = 0; k < 3; k++) { // after all three trials have begun
        console_state_rates(state, 0, k, rates_hz, 7000, false);
        console_state_rates(state, 1, k, rates_hz, 7000, false);
    }
    for (int k = 0; k < 3; k++) {
        const ConsoleRefresh *record = console_state_refresh(state, k);
        CU_ASSERT(test_near((double)record->rates_hz[0][0], 3.0, 0.0));
        CU_ASSERT_EQUAL(isnan(record->rates_hz[1][0]), k == 1);
        CU_ASSERT(test_near((double)record->latency_us[1], 7.0, 1e-6));
        CU_ASSERT_EQUAL(record->in_play, k == 1 ? 1U : 3U);
    }
    free(state);
}

static void stale_rates_do_not_overwrite(void)
{
    ConsoleState *state = plain_state();
    const float rates_hz[] = {1.0F, 2.0F, 3.0F};
    const ConsoleFrame frame = plain_frame(CONSOLE_REFRESHES + 3, 0);
    console_state_frame(state, &frame);
    CU_ASSERT(!console_state_rates(state, 0, 3, rates_hz, 7000, true));
    CU_ASSERT_PTR_NULL(console_state_refresh(state, 3));
    CU_ASSERT(isnan(console_state_refresh(state, CONSOLE_REFRESHES + 3)->rates_hz[0][0]));
    CU_ASSERT_EQUAL(state->live.late[0], 1);
    free(state);
}

static void a_stall_of_an_hour_is_survived(void)
{
    ConsoleState *state = plain_state();
    const int missed = 60 * 3600;
    const ConsoleFrame frames[] = {plain_frame(0, 0), plain_frame(missed + 1, missed)};
    console_state_frame(state, &frames[0]);
    console_state_frame(state, &frames[1]);
    CU_ASSERT_EQUAL(state->live.missed, missed);
    CU_ASSERT(console_state_refresh(state, missed)->is_missed);
    CU_ASSERT(console_state_refresh(state, missed + 1)->is_shown);
    free(state);
}

static void profile_follows_the_motion(void)
{
    ConsoleState *state = plain_state();
    float lum[RASTER * RASTER];
    for (int i = 0; i < RASTER * RASTER; i++)
        lum[i] = (float)(i % RASTER) / RASTER; // rises along x, is constant along y
    ConsoleFrame frame = plain_frame(0, 0);
    frame.lum = lum;
    console_state_frame(state, &frame);
    state->trial.is_profile_vertical = true;
    frame.refresh = 1;
    console_state_frame(state, &frame);
    const ConsoleRefresh *along_x = console_state_refresh(state, 0);
    const ConsoleRefresh *along_y = console_state_refresh(state, 1);
    CU_ASSERT_EQUAL(along_x->profile_px, RASTER);
    CU_ASSERT_EQUAL(along_x->profile[0], 0);
    CU_ASSERT_EQUAL(along_x->profile[RASTER - 1], 242); // 255 · 19 / 20
    CU_ASSERT_EQUAL(along_y->profile[0], along_y->profile[RASTER - 1]);
    free(state);
}

static void too_much_is_refused(void)
{
    char err[CONSOLE_ERR_BYTES] = "";
    ConsoleSetup setup = plain_setup();
    setup.raster = (Raster){200, 200, 10.0};
    CU_ASSERT_PTR_NULL(console_open(&setup, CONSOLE_PNG, NULL, err));
    CU_ASSERT_STRING_EQUAL(err,
                           "console: number of raster pixels is 40000; 1 to 16384 can be shown");
}

typedef struct {
    ConsoleShared *shared;
    int rest_ms; // long enough for a copy to be made, however slow copies are here
    atomic_bool should_stop;
} Writing;

enum { FAR_APART = CONSOLE_CHANNELS * CONSOLE_MAP_PX - 1 };

/* Bursts of writes that keep the state's first and last numbers equal, with rests between. */
static void *write_bursts(void *context)
{
    Writing *writing = context;
    ConsoleState *state = calloc(1, sizeof *state);
    for (int i = 1; state && !atomic_load(&writing->should_stop); i++) {
        state->setup.models_count = i;
        state->maps[FAR_APART] = (float)(i % 65536);
        console_shared_begin(writing->shared);
        console_shared_put(writing->shared, state, &state->setup, sizeof state->setup);
        console_shared_put(writing->shared, state, &state->maps[FAR_APART], sizeof(float));
        console_shared_end(writing->shared);
        if (i % 64 == 0)
            nap_ms(writing->rest_ms);
    }
    free(state);
    return NULL;
}

static void copies_are_whole(void)
{
    Writing writing = {.shared = calloc(1, sizeof(ConsoleShared))};
    ConsoleState *state = malloc(sizeof *state);
    CU_ASSERT_FATAL(writing.shared && state);
    int64_t before_ns = session_now_ns(NULL);
    console_shared_read(writing.shared, state);
    writing.rest_ms = 3 + (int)(4 * (session_now_ns(NULL) - before_ns) / 1000000);
    pthread_t writer;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&writer, NULL, write_bursts, &writing), 0);
    int whole = 0, torn = 0, last = 0, changes = 0;
    for (int i = 0; i < 100000 && changes < 100; i++) {
        if (console_shared_read(writing.shared, state)) {
            whole++;
            torn +=
                test_near(state->setup.models_count % 65536, (double)state->maps[FAR_APART], 0.0)
                    ? 0
                    : 1;
            changes += state->setup.models_count != last;
            last = state->setup.models_count;
        }
    }
    atomic_store(&writing.should_stop, true);
    pthread_join(writer, NULL);
    CU_ASSERT(whole >= 100);
    CU_ASSERT_EQUAL(changes, 100);
    CU_ASSERT_EQUAL(torn, 0);
    free(state);
    free(writing.shared);
}

/* Feeds frames until a picture comes that differs from `than` somewhere, or patience ends. */
static const uint32_t *await_panel(Console *console, int64_t *refresh, const uint32_t *than)
{
    const size_t bytes = sizeof(uint32_t) * WIDTH_PX * HEIGHT_PX;
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 5) {
        const ConsoleFrame frame = plain_frame((*refresh)++, 0);
        console_frame(console, &frame);
        const uint32_t *panel = console_panel(console);
        if (panel && (!than || memcmp(panel, than, bytes) != 0))
            return panel;
        nap_ms(5);
    }
    return NULL;
}

static void panel_shows_what_was_fed(void)
{
    const ConsoleSetup setup = plain_setup();
    char err[CONSOLE_ERR_BYTES] = "";
    Console *console = console_open(&setup, CONSOLE_PANEL, NULL, err);
    CU_ASSERT_STRING_EQUAL(err, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(console);
    int64_t refresh = 0;
    uint32_t *kept = malloc(sizeof(uint32_t) * WIDTH_PX * HEIGHT_PX);
    const uint32_t *panel = await_panel(console, &refresh, NULL);
    CU_ASSERT_FATAL(panel && kept);
    CU_ASSERT_EQUAL(panel[WIDTH_PX * HEIGHT_PX - 1] & 0xFFFFFFU, 0x0E1116U); // the paper
    memcpy(kept, panel, sizeof(uint32_t) * WIDTH_PX * HEIGHT_PX);
    const ConsoleTrial trial = {
        .blocks = 3, .trials = 9, .block_name = "block", .condition = "5 µm"};
    console_trial(console, &trial);
    CU_ASSERT_PTR_NOT_NULL(await_panel(console, &refresh, kept));
    free(kept);
    CU_ASSERT(console_close(console, err));
}

static bool is_level(uint32_t got, double wanted)
{
    return fabs((double)(got & 255U) - 255.0 * wanted) <= 2.0;
}

static int count_pixels(const uint32_t *panel, PlotColour colour)
{
    int count = 0;
    for (int i = 0; i < WIDTH_PX * HEIGHT_PX; i++)
        count += is_level(panel[i] >> 16, colour.red) && is_level(panel[i] >> 8, colour.green) &&
                 is_level(panel[i], colour.blue);
    return count;
}

/* A panel of a subunit model of RASTER × RASTER px, whose maps are shown. */
static ConsoleSetup attributed_setup(void)
{
    const RandomShape shape = {.width = RASTER,
                               .height = RASTER,
                               .history = 4,
                               .cells = 3,
                               .bin_hz = 60,
                               .channels1 = 4,
                               .kernel1_width = 5,
                               .kernel1_height = 5};
    RandomModel random;
    ConsoleSetup setup = plain_setup();
    random_subunit(&random, &shape, 1);
    strcpy(setup.attribution_path, random_model_save(&random, test_folder("console_model")));
    random_model_finish(&random);
    setup.background_lum = 0.5;
    setup.map_model = 0;
    setup.map_channels = 4;
    setup.map_width_px = setup.map_height_px = RASTER - 4;
    return setup;
}

static void attribution_is_made_in_the_drawing_process(void)
{
    const ConsoleSetup setup = attributed_setup();
    const PlotColour bar[] = {plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.1),
                              plot_scale_colour(PLOT_DIVERGING_ON_DARK, 0.9)};
    char err[CONSOLE_ERR_BYTES] = "";
    Console *console = console_open(&setup, CONSOLE_PANEL, NULL, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(console);
    int64_t refresh = 0;
    bool has_bar = false; // a bright pixel on black lowers some channel or raises one
    for (int picture = 0; picture < 20 && !has_bar; picture++) {
        const uint32_t *panel = await_panel(console, &refresh, NULL);
        has_bar = panel && count_pixels(panel, bar[0]) + count_pixels(panel, bar[1]) > 20;
    }
    CU_ASSERT(has_bar);
    CU_ASSERT(console_close(console, err));
}

static void the_last_picture_has_its_attribution(void)
{
    const ConsoleSetup setup = attributed_setup();
    char path[2][600], err[CONSOLE_ERR_BYTES] = "";
    unsigned char bytes[2][1 << 17];
    size_t count[2] = {0};
    for (int i = 0; i < 2; i++) {
        ConsoleSetup own = setup;
        if (i == 1) // the same place for it, and a file that cannot be read
            strcpy(own.attribution_path, "/nonexistent/model.h5");
        snprintf(path[i], sizeof path[i], "%s/%d.png", test_folder("console"), i);
        Console *console = console_open(&own, CONSOLE_PNG, path[i], err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(console);
        for (int64_t k = 0; k < 20; k++) {
            const ConsoleFrame frame = plain_frame(k, 0);
            console_frame(console, &frame);
        }
        CU_ASSERT(console_close(console, err)); // the picture comes, whatever the file is like
        FILE *file = fopen(path[i], "rb");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        count[i] = fread(bytes[i], 1, sizeof bytes[i], file);
        fclose(file);
    }
    CU_ASSERT(count[0] > 1000 && count[1] > 1000);
    CU_ASSERT(count[0] != count[1] || memcmp(bytes[0], bytes[1], count[0]) != 0);
}

static void drawing_gives_way(void)
{
    const ConsoleSetup setup = plain_setup();
    char err[CONSOLE_ERR_BYTES];
    Console *console = console_open(&setup, CONSOLE_PANEL, NULL, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(console);
    const id_t process = (id_t)console_process_id(console);
    CU_ASSERT(process > 0);
    CU_ASSERT(getpriority(PRIO_PROCESS, process) >= 10);
    CU_ASSERT(console_close(console, err));
    CU_ASSERT_EQUAL(kill((pid_t)process, 0), -1); // ended, and waited for
}

static void killed_process_does_no_harm(void)
{
    const ConsoleSetup setup = plain_setup();
    char path[600], err[CONSOLE_ERR_BYTES] = "";
    snprintf(path, sizeof path, "%s/last.png", test_folder("console"));
    Console *console = console_open(&setup, CONSOLE_PANEL, path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(console);
    const pid_t process = (pid_t)console_process_id(console);
    kill(process, SIGKILL);
    const float rates_hz[] = {1.0F, 2.0F, 3.0F};
    for (int64_t k = 0; k < 2000; k++) {
        const ConsoleFrame frame = plain_frame(k, 0);
        console_rates(console, 0, k, rates_hz, 1000, false);
        console_frame(console, &frame);
        console_panel(console);
    }
    CU_ASSERT(console_close(console, err));
    CU_ASSERT_EQUAL(access(path, R_OK), 0);
    CU_ASSERT_EQUAL(waitpid(process, NULL, WNOHANG), -1); // no zombie is left
}

static void stuck_process_is_ended(void)
{
    const ConsoleSetup setup = plain_setup();
    char err[CONSOLE_ERR_BYTES];
    Console *console = console_open(&setup, CONSOLE_PANEL, NULL, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(console);
    const pid_t process = (pid_t)console_process_id(console);
    kill(process, SIGSTOP);
    CU_ASSERT(console_close(console, err));
    CU_ASSERT_EQUAL(kill(process, 0), -1);
}

static void orphan_ends(void)
{
    int report[2];
    CU_ASSERT_EQUAL_FATAL(pipe(report), 0);
    const pid_t parent = fork();
    if (parent == 0) {
        const ConsoleSetup setup = plain_setup();
        char err[CONSOLE_ERR_BYTES];
        Console *console = console_open(&setup, CONSOLE_PANEL, NULL, err);
        const int64_t process = console_process_id(console);
        _exit(write(report[1], &process, sizeof process) == (ssize_t)sizeof process ? 0 : 1);
    }
    int64_t process = 0;
    CU_ASSERT_EQUAL(read(report[0], &process, sizeof process), (ssize_t)sizeof process);
    waitpid(parent, NULL, 0);
    CU_ASSERT_FATAL(process > 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)process);
    bool is_running = true;
    for (int waited_ms = 0; is_running && waited_ms < PATIENCE_MS; waited_ms += 10) {
        char line[64] = "";
        FILE *file = fopen(path, "r"); // a zombie nobody waits for has an empty command line
        is_running = file && fread(line, 1, sizeof line, file) > 0;
        if (file)
            fclose(file);
        nap_ms(10);
    }
    CU_ASSERT(!is_running);
    close(report[0]);
    close(report[1]);
}

static void window_opens_without_a_screen(void)
{
    const ConsoleSetup setup = plain_setup();
    char err[CONSOLE_ERR_BYTES] = "";
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    Console *console = console_open(&setup, CONSOLE_WINDOW, NULL, err);
    CU_ASSERT_STRING_EQUAL(err, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(console);
    for (int64_t k = 0; k < 20; k++) {
        const ConsoleFrame frame = plain_frame(k, 0);
        console_frame(console, &frame);
        nap_ms(10);
    }
    CU_ASSERT_PTR_NULL(console_panel(console)); // a window's pixels are its own
    CU_ASSERT(console_close(console, err));
}

static void missing_screen_is_told(void)
{
    const ConsoleSetup setup = plain_setup();
    char err[CONSOLE_ERR_BYTES] = "";
    setenv("SDL_VIDEODRIVER", "nonesuch", 1);
    CU_ASSERT_PTR_NULL(console_open(&setup, CONSOLE_WINDOW, NULL, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "console: cannot be shown: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "nonesuch"));
    unsetenv("SDL_VIDEODRIVER");
}

static void png_mode_starts_nothing(void)
{
    const ConsoleSetup setup = plain_setup();
    char path[600], err[CONSOLE_ERR_BYTES] = "";
    snprintf(path, sizeof path, "%s/last.png", test_folder("console"));
    Console *console = console_open(&setup, CONSOLE_PNG, path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(console);
    CU_ASSERT_EQUAL(console_process_id(console), 0);
    console_verdict(console, "unsafe: a test");
    CU_ASSERT(console_close(console, err));
    CU_ASSERT_EQUAL(access(path, R_OK), 0);
}

static void unwritable_png_is_told(void)
{
    const ConsoleSetup setup = plain_setup();
    char err[CONSOLE_ERR_BYTES] = "";
    Console *console = console_open(&setup, CONSOLE_PNG, "/nonexistent/last.png", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(console);
    CU_ASSERT(!console_close(console, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "/nonexistent/last.png"));
}

static void off_is_silent(void)
{
    char err[CONSOLE_ERR_BYTES];
    const ConsoleFrame frame = plain_frame(0, 0);
    console_frame(NULL, &frame);
    console_trial(NULL, &(ConsoleTrial){0});
    console_rates(NULL, 0, 0, NULL, 0, false);
    console_verdict(NULL, "ok");
    CU_ASSERT_PTR_NULL(console_panel(NULL));
    CU_ASSERT_EQUAL(console_process_id(NULL), 0);
    CU_ASSERT(console_close(NULL, err));
}

static const TestCase cases[] = {
    {"what was not measured is NaN", unmeasured_is_nan},
    {"missed refreshes are those just before the image", misses_are_marked_before_the_image},
    {"rates find their refresh before or after its frame", rates_come_before_or_after_their_frame},
    {"a model of flicker has rates in blocks of flicker and none in one of steps",
     other_models_of_a_block_are_silent},
    {"rates older than what is kept overwrite nothing", stale_rates_do_not_overwrite},
    {"an hour of missed refreshes is counted and survived", a_stall_of_an_hour_is_survived},
    {"the profile runs along the motion", profile_follows_the_motion},
    {"more than the console can show is refused with the limits", too_much_is_refused},
    {"a copy under a busy writer is whole or refused", copies_are_whole},
    {"the panel shows what was fed, through its own process", panel_shows_what_was_fed},
    {"the attribution reaches the panel through its own process",
     attribution_is_made_in_the_drawing_process},
    {"the last picture has its attribution, and comes without its file too",
     the_last_picture_has_its_attribution},
    {"the drawing process runs at nice 10 or more and is gone after close", drawing_gives_way},
    {"a killed process harms neither frames nor the last picture", killed_process_does_no_harm},
    {"a stuck process is ended", stuck_process_is_ended},
    {"the process ends when its parent does", orphan_ends},
    {"a window is drawn on SDL's screenless driver", window_opens_without_a_screen},
    {"no screen for a window is told, with SDL's reason", missing_screen_is_told},
    {"PNG mode starts no process and leaves the picture", png_mode_starts_nothing},
    {"a PNG that cannot be written is told", unwritable_png_is_told},
    {"a console that is off accepts everything", off_is_silent},
};

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "console-process") == 0)
        return console_process_main(argc - 1, argv + 1);
    return test_main("console", cases, sizeof cases / sizeof cases[0]);
}
