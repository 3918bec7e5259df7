#include "app/run_console.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELLS_WITH_SHARES = 2 };

Raster run_console_raster(Model *const *models, int models_count)
{
    if (models_count == 0)
        return (Raster){50, 50, 50};
    const ModelInfo *info = model_info(models[0]);
    return (Raster){info->width_px, info->height_px, info->um_per_px};
}

static int find_cell(const ModelInfo *info, const char *name)
{
    for (int c = 0; c < info->cells; c++)
        if (!strcmp(info->cell_names[c], name))
            return c;
    return -1;
}

static void add_cell(ConsoleSetup *setup, Model *const *models, int cell)
{
    const ModelInfo *first = model_info(models[0]);
    ConsoleCell *shown = &setup->cells[setup->cells_count++];
    const char *name = first->cell_names[cell];
    snprintf(shown->name, sizeof shown->name, "%.60s", name);
    for (int m = 0; m < setup->models_count; m++)
        shown->of_model[m] = find_cell(model_info(models[m]), name);
    shown->x_um = first->cell_x_um ? first->cell_x_um[cell] : NAN;
    shown->y_um = first->cell_y_um ? first->cell_y_um[cell] : NAN;
}

/* Whether the maps shown are the first layer of a network that comes first. */
static bool can_attribute(const ConsoleSetup *setup, const Model *first)
{
    const char *kind = model_info(first)->kind;
    return setup->map_model == 0 && (!strcmp(kind, "cnn") || !strcmp(kind, "subunit"));
}

static bool has_cell(const ConsoleSetup *setup, int cell)
{
    for (int c = 0; c < setup->cells_count; c++)
        if (setup->cells[c].of_model[0] == cell)
            return true;
    return false;
}

/* The cells that models of one stimulus have in common with the first model come first, so that full
 * and reduced stand in one lane; the fewer the lanes, the better they compare. */
static void choose_cells_by_itself(ConsoleSetup *setup, Model *const *models)
{
    const ModelInfo *first = model_info(models[0]);
    for (int m = 1; m < setup->models_count; m++) {
        const ModelInfo *info = model_info(models[m]);
        int cell = info->stimulus ? find_cell(first, info->cell_names[0]) : -1;
        if (cell >= 0 && !has_cell(setup, cell) && setup->cells_count < CONSOLE_CELLS)
            add_cell(setup, models, cell);
    }
    int most = setup->cells_count > 0            ? setup->cells_count
               : can_attribute(setup, models[0]) ? CELLS_WITH_SHARES
                                                 : CONSOLE_CELLS;
    int shown = first->cells < most ? first->cells : most;
    for (int i = 0; i < shown && setup->cells_count < shown; i++)
        if (!has_cell(setup, i * first->cells / shown))
            add_cell(setup, models, i * first->cells / shown);
}

static bool choose_cells(ConsoleSetup *setup, Model *const *models, const RunOptions *options,
                         char *err)
{
    const ModelInfo *first = model_info(models[0]);
    for (int i = 0; i < options->cells_count; i++) {
        int cell = find_cell(first, options->cells[i]);
        if (cell < 0) {
            snprintf(err, ARGUMENTS_ERR_BYTES, "--cell: %s has no cell '%s'; its first is '%s'",
                     first->name, options->cells[i], first->cell_names[0]);
            return false;
        }
        add_cell(setup, models, cell);
    }
    if (options->cells_count == 0)
        choose_cells_by_itself(setup, models);
    return true;
}

static void find_maps(ConsoleSetup *setup, Model *const *models)
{
    setup->map_model = -1;
    for (int m = setup->models_count - 1; m >= 0; m--) {
        ModelMaps maps;
        model_maps(models[m], &maps);
        bool fits = maps.width_px * maps.height_px <= CONSOLE_MAP_PX;
        if (maps.channels <= 0 || maps.channels > CONSOLE_CHANNELS || !fits)
            continue;
        setup->map_model = m;
        setup->map_channels = maps.channels;
        setup->map_width_px = maps.width_px;
        setup->map_height_px = maps.height_px;
    }
}

bool run_console_setup(ConsoleSetup *setup, const Plan *plan, int64_t refreshes,
                       const DisplayInfo *display, Model *const *models, int models_count,
                       const RunOptions *options, char *err)
{
    *setup = (ConsoleSetup){
        .models_count = models_count,
        .raster = run_console_raster(models, models_count),
        .refresh_hz = plan->refresh_hz,
        .refreshes = refreshes,
        .time_source = display->source,
    };
    snprintf(setup->protocol, sizeof setup->protocol, "%.60s", plan->protocol->name);
    snprintf(setup->ladder, sizeof setup->ladder, "%.60s", display->ladder);
    snprintf(setup->verdict, sizeof setup->verdict, "%.120s", display->verdict);
    for (int m = 0; m < models_count; m++) {
        const ModelInfo *info = model_info(models[m]);
        snprintf(setup->models[m].name, CONSOLE_TEXT_BYTES, "%.60s", info->name);
        snprintf(setup->models[m].kind, sizeof setup->models[m].kind, "%.15s", info->kind);
        setup->models[m].is_simulated = info->is_simulated;
        snprintf(setup->models[m].stimulus, CONSOLE_STIMULUS_BYTES, "%.15s",
                 info->stimulus ? info->stimulus : "");
    }
    find_maps(setup, models);
    return models_count == 0 || choose_cells(setup, models, options, err);
}

void run_console_attribute(ConsoleSetup *setup, const Model *first, const char *path,
                           double background_lum)
{
    setup->background_lum = background_lum;
    if (can_attribute(setup, first) && strlen(path) < sizeof setup->attribution_path)
        snprintf(setup->attribution_path, sizeof setup->attribution_path, "%s", path);
}
