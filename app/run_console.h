#pragma once
/* What the console of a run shows, chosen from what the run has. */
#include "app/console.h"
#include "app/options.h"
#include "config/plan.h"
#include "model/model.h"
#include "render/display.h"

/* The raster the stimulus is pictured on: the first model's, or 50 × 50 pixels of 50 µm without
 * one. */
Raster run_console_raster(Model *const *models, int models_count);

/* setup := everything but the picture's size and its screen. Cells are those asked for by name, or
 * those of the models that stand for one stimulus, or some spread over the first model's: two where
 * an attribution stands below them, else CONSOLE_CELLS. Other models' cells of the same name are held
 * against them. False with a sentence in err (ARGUMENTS_ERR_BYTES) when the first model has no cell of
 * an asked name. */
bool run_console_setup(ConsoleSetup *setup, const Plan *plan, int64_t refreshes,
                       const DisplayInfo *display, Model *const *models, int models_count,
                       const RunOptions *options, char *err);

/* Has the console attribute the first cell's rate to the channels of the first model's map, where
 * that is a network with a file; else it goes without. background_lum: on screen before the run. */
void run_console_attribute(ConsoleSetup *setup, const Model *first, const char *path,
                           double background_lum);
