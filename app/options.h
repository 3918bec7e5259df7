#pragma once
/* The options that run, demo and predict share, read from one table. */
#include <stdbool.h>
#include <stdint.h>

#include "app/arguments.h"
#include "app/console.h"
#include "model/lockstep.h"
#include "rig/rig_spec.h"
#include "render/display.h"

typedef enum { CONSOLE_CHOICE_OFF, CONSOLE_CHOICE_ON, CONSOLE_CHOICE_PNG } ConsoleChoice;
typedef enum { WINDOW_AS_WRITTEN, WINDOW_FULLSCREEN, WINDOW_WINDOWED } WindowChoice;

/* Strings are borrowed from argv. Fill from {0} and the command's own defaults. */
typedef struct {
    const char *protocol; // the one positional argument; NULL when none was given
    const char *stimulus; // FILE.h5:/path in place of a protocol, predict only
    const char *out;      // folder of the run; NULL: out/<protocol>-<time>
    const char *models[LOCKSTEP_MAX_MODELS]; // replaces the protocol's list when given
    int models_count;
    const char *cells[CONSOLE_CELLS]; // names; none: the console chooses
    int cells_count;
    DisplayKind display;
    ConsoleChoice console;
    const char *console_png;
    const char *snapshot; // PNG of the window at the end
    double seconds;       // stop after this long; 0: the whole protocol
    ArgumentInteger seed;
    double refresh_hz; // null display; 0: the protocol's
    double um_per_px;  // 0: the protocol's
    ArgumentInteger screen;
    WindowChoice window;
    int64_t fault_every, fault_ms;
    const char *rig_text; // as it was given; NULL: no rig
    RigSpec rig;
    const char *rig_delay; // what `rig loop` measured, a JSON file
    bool is_strict;
    const char *json;
    int argc; // the command line as it was given, borrowed
    char **argv;
} RunOptions;

/* As arguments_read(); table says the command's name, usage, about and example, the rest is filled
 * in. */
bool options_read(RunOptions *options, ArgumentTable table, int argc, char **argv, int *status);

/* The rows alone, for tests. */
ArgumentTable options_table(void);
