#include "app/run_parts.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/commands.h"
#include "app/machine.h"
#include "app/run_console.h"
#include "app/run_folder.h"
#include "app/run_movie.h"
#include "app/run_rig.h"
#include "app/summary.h"
#include "config/locate.h"
#include "config/run_file.h"

enum { CONSOLE_WIDTH_PX = 1000, CONSOLE_HEIGHT_PX = 720 };

static bool load_protocol(Run *run, char *err)
{
    path_find(run->options->protocol, run->protocol_path);
    run->protocol = protocol_load(run->protocol_path, err);
    if (!run->protocol)
        return false;
    ProtocolDisplay *display = &run->protocol->display;
    if (run->options->seed.is_given)
        run->protocol->seed = run->options->seed.value;
    if (run->options->um_per_px > 0)
        display->um_per_px = run->options->um_per_px;
    if (run->options->screen.is_given)
        display->screen = (int)run->options->screen.value;
    if (run->options->window != WINDOW_AS_WRITTEN)
        display->is_fullscreen = run->options->window == WINDOW_FULLSCREEN;
    if (run->style == RUN_DEMO)
        display->sync_patch.is_on = false;
    return true;
}

// Puts the place in front of a sentence: the key in the protocol, or the option that stood in for it.
static bool blame(const Run *run, const char *key, const char *option, char *err)
{
    char sentence[LOCATE_ERR_BYTES], unread[LOCATE_ERR_BYTES];
    snprintf(sentence, sizeof sentence, "%.380s", err);
    if (option) {
        snprintf(err, RUN_ERR_BYTES, "%s: %s", option, sentence);
        return false;
    }
    Locate *locate = locate_open(run->protocol_path, unread);
    locate_fail(locate, run->protocol_path, key, err, "%s", sentence);
    locate_close(locate);
    return false;
}

static const char *model_option(const Run *run)
{
    return run->options->models_count > 0 ? "--model" : NULL;
}

static const char *model_name(const Run *run, int m)
{
    return run->options->models_count > 0 ? run->options->models[m] : run->protocol->models[m];
}

static bool open_models(Run *run, char *err)
{
    int count = run->options->models_count > 0 ? run->options->models_count
                                               : (int)run->protocol->models_count;
    if (count > LOCKSTEP_MAX_MODELS) {
        snprintf(err, RUN_ERR_BYTES, "%.400s: models: %d of them; allowed are at most %d",
                 run->protocol_path, count, LOCKSTEP_MAX_MODELS);
        return false;
    }
    for (int m = 0; m < count; m++) {
        char key[32];
        snprintf(key, sizeof key, "models[%d]", m);
        bool is_file = path_find_near(run->protocol_path, model_name(run, m), run->model_path[m]);
        run->models[m] = model_open(is_file ? run->model_path[m] : model_name(run, m), err);
        if (!run->models[m])
            return blame(run, key, model_option(run), err);
        if (!is_file)
            run->model_path[m][0] = '\0'; // built in
        else if (!digest_file(run->model_path[m], run->model_sha256[m]))
            return false;
        run->models_count++;
    }
    return true;
}

// What the display turns out to be decides the plan; a plan for the protocol's own display finds
// most mistakes before a window opens.
static bool make_plan(Run *run, double refresh_hz, const Raster *raster, char *err)
{
    plan_destroy(run->plan);
    run->plan = plan_create(run->protocol, run->protocol_path, refresh_hz,
                            raster->width_px * raster->um_per_px,
                            raster->height_px * raster->um_per_px, err);
    return run->plan != NULL;
}

static bool check_plan(Run *run, char *err)
{
    const ProtocolDisplay *display = &run->protocol->display;
    Raster raster = {display->width_px, display->height_px, display->um_per_px};
    double refresh_hz =
        run->options->refresh_hz > 0 ? run->options->refresh_hz : display->refresh_hz;
    return refresh_hz <= 0 || display->is_fullscreen || make_plan(run, refresh_hz, &raster, err);
}

static bool load_gamma(Run *run, char *err)
{
    char path[PATH_BYTES];
    const char *table = run->protocol->display.gamma_table;
    if (!table)
        return true;
    path_find_near(run->protocol_path, table, path);
    return (gamma_load(path, run->gamma, err) && digest_file(path, run->gamma_sha256)) ||
           blame(run, "display.gamma_table", NULL, err);
}

// What the screen shows before the first trial: the background of its block.
static double first_background(const Run *run)
{
    const Protocol *protocol = run->protocol;
    bool is_own = protocol->blocks_count > 0 && protocol->blocks[0].background;
    return is_own ? *protocol->blocks[0].background : protocol->display.background;
}

static bool open_display(Run *run, char *err)
{
    const ProtocolDisplay *wanted = &run->protocol->display;
    bool has_panel = run->style == RUN_DEMO && run->options->console != CONSOLE_CHOICE_OFF;
    double refresh_hz =
        run->options->refresh_hz > 0 ? run->options->refresh_hz : wanted->refresh_hz;
    DisplayOptions options = {
        .kind = run->options->display,
        .screen = wanted->screen,
        .is_fullscreen = wanted->is_fullscreen,
        .width_px = wanted->width_px,
        .height_px = wanted->height_px,
        .um_per_px = wanted->um_per_px,
        .refresh_hz = run->options->display == DISPLAY_NULL && refresh_hz <= 0 ? 60 : refresh_hz,
        .panel_width_px = has_panel ? RUN_PANEL_WIDTH_PX : 0,
        .patch = {wanted->sync_patch.is_on, wanted->sync_patch.size_px,
                  wanted->sync_patch.border_px, wanted->sync_patch.x_px, wanted->sync_patch.y_px},
        .background_lum = (float)first_background(run),
        .gamma = wanted->gamma_table ? run->gamma : NULL,
        .title = "Retrace",
    };
    run->simulated_ns = session_now_ns(NULL);
    run->clock = run->style == RUN_OFFLINE ? clock_simulated(&run->simulated_ns) : clock_real();
    run->display = display_open(&options, &run->clock, err);
    return run->display != NULL;
}

static void warn_of_small_screen(const Run *run, const Raster *screen)
{
    for (int m = 0; m < run->models_count; m++) {
        const ModelInfo *info = model_info(run->models[m]);
        double width_um = info->width_px * info->um_per_px;
        double height_um = info->height_px * info->um_per_px;
        if (width_um > screen->width_px * screen->um_per_px + 1 ||
            height_um > screen->height_px * screen->um_per_px + 1)
            fprintf(stderr,
                    "warning: %s sees %.0f × %.0f um, the screen shows only %.0f × %.0f um; the "
                    "model is given the stimulus as if it went on outside\n",
                    info->name, width_um, height_um, screen->width_px * screen->um_per_px,
                    screen->height_px * screen->um_per_px);
    }
}

// A model adapted to another light than it was made for answers, but not as it was fitted.
static void warn_of_background(const Run *run, double background_lum)
{
    for (int m = 0; m < run->models_count; m++) {
        const ModelInfo *info = model_info(run->models[m]);
        if (fabs(background_lum - info->lum_mean) > 0.1)
            fprintf(stderr,
                    "warning: %s was made for a mean luminance of %g, the background is %g\n",
                    info->name, info->lum_mean, background_lum);
    }
}

static bool plan_for_display(Run *run, char *err)
{
    const DisplayInfo *info = display_info(run->display);
    if (!run->movie && !make_plan(run, info->refresh_hz, &info->raster, err))
        return false;
    for (int w = 0; w < run->plan->warnings_count; w++)
        fprintf(stderr, "warning: %s\n", run->plan->warnings[w]);
    warn_of_small_screen(run, &info->raster);
    run->refreshes = run->plan->refreshes;
    int64_t wanted = llround(run->options->seconds * run->plan->refresh_hz);
    if (run->options->seconds > 0 && wanted < run->refreshes)
        run->refreshes = wanted;
    double background_lum =
        run->movie ? model_info(run->models[0])->lum_mean : first_background(run);
    warn_of_background(run, background_lum);
    run->lockstep = lockstep_create(run->models, run->models_count, run->plan->refresh_hz,
                                    background_lum, session_now_ns, NULL, err);
    return run->lockstep || blame(run, "models", model_option(run), err);
}

static void choose_folder(Run *run)
{
    char utc[32];
    if (run->options->out) {
        snprintf(run->folder, sizeof run->folder, "%s", run->options->out);
        return;
    }
    clock_utc(utc); // 2026-01-31T12:00:00Z
    char name[64];
    snprintf(name, sizeof name, "%.60s", run->protocol->name);
    for (char *c = name; *c; c++)
        if (strchr("/ ", *c))
            *c = '-';
    snprintf(run->folder, sizeof run->folder, "out/%s-%.4s%.2s%.2s-%.2s%.2s%.2s", name, utc,
             utc + 5, utc + 8, utc + 11, utc + 14, utc + 17);
    // runs of one second have one time: the later ones get a number
    size_t length = strlen(run->folder);
    for (int n = 2; access(run->folder, F_OK) == 0 && n < 1000; n++)
        snprintf(run->folder + length, sizeof run->folder - length, "-%d", n);
}

static void fill_run_display(const Run *run, RunDisplay *display)
{
    const DisplayInfo *info = display_info(run->display);
    const ProtocolDisplay *wanted = &run->protocol->display;
    *display = (RunDisplay){
        .driver = info->driver,
        .detail = info->detail,
        .ladder = info->ladder,
        .time_source = summary_time_source(info->source),
        .verdict = info->verdict,
        .refresh_hz = info->refresh_hz,
        .measured_hz = info->measured_hz,
        .jitter_us = info->jitter_us,
        .um_per_px = info->raster.um_per_px,
        .width_px = info->raster.width_px,
        .height_px = info->raster.height_px,
        .is_fullscreen = wanted->is_fullscreen,
        .screen = wanted->screen,
        .gamma_table = wanted->gamma_table,
        .gamma_sha256 = wanted->gamma_table ? run->gamma_sha256 : NULL,
    };
}

static int fill_run_models(const Run *run, RunModel *models)
{
    int column = 0;
    for (int m = 0; m < run->models_count; m++) {
        const ModelInfo *info = model_info(run->models[m]);
        models[m] = (RunModel){
            .name = info->name,
            .kind = info->kind,
            .path = run->model_path[m],
            .sha256 = run->model_sha256[m],
            .cells = (const char **)(uintptr_t)info->cell_names, // saved, never written through
            .cells_count = (unsigned)info->cells,
            .bin_hz = info->bin_hz,
            .lag_bins = info->lag_bins,
            .row_delay_ns = lockstep_delay_ns(run->lockstep, m),
            .first_column = column,
            .is_simulated = info->is_simulated,
            .provenance = info->provenance,
        };
        column += info->cells;
    }
    return column;
}

static bool save_run_file(const Run *run, char *err)
{
    RunModel models[LOCKSTEP_MAX_MODELS];
    char utc[32], path[RUN_FOLDER_PATH_BYTES];
    Machine machine = machine_describe();
    clock_utc(utc);
    RunFile file = {
        .retrace = RETRACE_VERSION,
        .started_utc = utc,
        .started_unix_ns = clock_unix_ns(),
        .started_session_ns = session_now_ns(NULL),
        .command = (const char **)(uintptr_t)run->options->argv,
        .command_count = (unsigned)run->options->argc,
        .protocol = {run->protocol->name,
                     run->movie ? run->options->stimulus : run->options->protocol,
                     run->movie ? "" : "protocol.yaml", run->protocol_sha256},
        .seed = run->protocol->seed,
        .refresh_hz = run->plan->refresh_hz,
        .refreshes = run->refreshes,
        .models = run->models_count > 0 ? models : NULL,
        .models_count = (unsigned)run->models_count,
        .machine = {machine.kernel, machine.cpu, machine.cores},
    };
    RunRig rig;
    if (run_describe_rig(run, &rig))
        file.rig = &rig;
    fill_run_display(run, &file.display);
    file.rates_columns = fill_run_models(run, models);
    run_folder_path(run->folder, "run.yaml", path);
    return run_file_save(&file, path, err);
}

static bool open_folder(Run *run, char *err)
{
    int cells[LOCKSTEP_MAX_MODELS];
    for (int m = 0; m < run->models_count; m++)
        cells[m] = model_info(run->models[m])->cells;
    choose_folder(run);
    if (!run_folder_create(run->folder, err) ||
        (!run->movie && !run_folder_copy(run->protocol_path, run->folder, "protocol.yaml", err)) ||
        !save_run_file(run, err))
        return false;
    run->recorder = recorder_create(run->folder, run->models_count, cells, err);
    return run->recorder != NULL;
}

static bool open_console(Run *run, char *err)
{
    const RunOptions *options = run->options;
    if (options->console == CONSOLE_CHOICE_OFF)
        return true;
    ConsoleSetup setup;
    const DisplayInfo *info = display_info(run->display);
    if (!run_console_setup(&setup, run->plan, run->refreshes, info, run->models, run->models_count,
                           options, err))
        return false;
    setup.has_rig = run->triggers != NULL;
    for (int m = 0; m < run->models_count; m++)
        setup.models[m].delay_s = (double)lockstep_delay_ns(run->lockstep, m) * 1e-9;
    if (run->models_count > 0)
        run_console_attribute(&setup, run->models[0], run->model_path[0], first_background(run));
    bool is_panel = run->style == RUN_DEMO;
    bool is_window = !is_panel && options->console == CONSOLE_CHOICE_ON;
    setup.width_px = is_panel ? RUN_PANEL_WIDTH_PX : CONSOLE_WIDTH_PX;
    setup.height_px = is_panel ? info->raster.height_px : CONSOLE_HEIGHT_PX;
    setup.stimulus_screen = run->protocol->display.screen;
    run->console = console_open(&setup,
                                is_panel    ? CONSOLE_PANEL
                                : is_window ? CONSOLE_WINDOW
                                            : CONSOLE_PNG,
                                options->console_png, err);
    return run->console != NULL;
}

static bool open_session(Run *run, Progress *progress, const atomic_bool *stop, char *err)
{
    SessionParts parts = {
        .plan = run->plan,
        .display = run->display,
        .models = run->models,
        .models_count = run->models_count,
        .lockstep = run->lockstep,
        .recorder = run->recorder,
        .triggers = run->triggers,
        .console = run->console,
        .has_panel = run->style == RUN_DEMO && run->console,
        .refreshes = run->refreshes,
        .fault = {run->options->fault_every, run->options->fault_ms},
        .is_offline = run->style == RUN_OFFLINE,
        .progress = run->style == RUN_OFFLINE ? progress : NULL,
        .stop = stop,
    };
    run->session = session_create(&parts, err);
    return run->session != NULL;
}

static bool can_write_beside(const Run *run, const char *option, const char *path, char *err)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path ? path : "");
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    if (path_is_same(path, run->protocol_path)) {
        snprintf(err, RUN_ERR_BYTES, "%s: %.400s: is the file being read", option, path);
        return false;
    }
    if (!path || !strcmp(path, "-") || access(slash ? folder : ".", W_OK | X_OK) == 0)
        return true;
    snprintf(err, RUN_ERR_BYTES, "%s: %.400s: %s", option, path, strerror(errno));
    return false;
}

// What the end of a run will want to write, tried before it begins. A folder that the run itself makes
// is not there yet.
static bool check_targets(const Run *run, char *err)
{
    const RunOptions *o = run->options;
    bool is_own = o->out && o->snapshot && !strncmp(o->snapshot, o->out, strlen(o->out));
    return (is_own || can_write_beside(run, "--snapshot", o->snapshot, err)) &&
           can_write_beside(run, "--console", o->console_png, err) &&
           can_write_beside(run, "--json", o->json, err);
}

static bool open_input(Run *run, char *err)
{
    if (run->options->stimulus)
        return run_movie_open(run, err) && open_models(run, err) && run_movie_fit(run, err);
    return load_protocol(run, err) && open_models(run, err) && check_plan(run, err) &&
           load_gamma(run, err);
}

int run_open(Run *run, Progress *progress, const atomic_bool *stop)
{
    char err[RUN_ERR_BYTES] = "";
    if (!open_input(run, err))
        return run_complain(err, EXIT_BAD_INPUT);
    if (run->options->snapshot && run->options->display == DISPLAY_NULL)
        return run_complain("--snapshot: the null display has no picture to keep", EXIT_BAD_INPUT);
    if (!check_targets(run, err))
        return run_complain(err, EXIT_IO);
    if (!digest_file(run->protocol_path, run->protocol_sha256))
        return run_complain("the protocol cannot be read twice", EXIT_IO);
    if (!open_display(run, err))
        return run_complain(err, EXIT_NO_DEVICE);
    if (!plan_for_display(run, err))
        return run_complain(err, EXIT_BAD_INPUT);
    int status = run_open_rig(run, err);
    if (status != EXIT_DONE)
        return run_complain(err, status);
    if (!open_console(run, err))
        return run_complain(err, run->models_count > 0 && run->options->cells_count > 0
                                     ? EXIT_BAD_INPUT
                                     : EXIT_NO_DEVICE);
    if (!open_folder(run, err))
        return run_complain(err, EXIT_IO);
    if (!run->movie && !open_session(run, progress, stop, err))
        return run_complain(err, EXIT_BAD_INPUT);
    return EXIT_DONE;
}
