#pragma once
/* The options that run, demo and predict share, read from one table. */
#include <stdbool.h>
#include <stdint.h>

#include "app/console.h"
#include "model/lockstep.h"
#include "render/display.h"

enum { OPTIONS_ERR_BYTES = 512 };

typedef enum { CONSOLE_CHOICE_OFF, CONSOLE_CHOICE_ON, CONSOLE_CHOICE_PNG } ConsoleChoice;

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
    bool has_seed;
    int64_t seed;
    double refresh_hz; // null display; 0: the protocol's
    double um_per_px;  // 0: the protocol's
    int screen;        // -1: the protocol's
    int fullscreen;    // 1, 0; -1: the protocol's
    int64_t fault_every, fault_ms;
    bool is_strict;
    const char *json;
    bool wants_help;
    int argc; // the command line as it was given, borrowed
    char **argv;
} RunOptions;

/* Nothing chosen yet; console off. */
RunOptions options_defaults(void);

/* Fills options from argv over what it already holds (the command's defaults). False with a
 * sentence in err (OPTIONS_ERR_BYTES). Strings are borrowed from argv. */
bool options_parse(RunOptions *options, int argc, char **argv, char *err);

/* One line an option, for --help. */
const char *options_help(void);
