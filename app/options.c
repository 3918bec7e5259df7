#include "app/options.h"

#include <stdio.h>
#include <string.h>

static bool refuse(char *err, const char *name, const char *text, const char *allowed)
{
    snprintf(err, ARGUMENTS_ERR_BYTES, "--%s: '%.200s' is not known; allowed: %s", name, text,
             allowed);
    return false;
}

static bool read_display(void *options, const char *text, char *err)
{
    RunOptions *o = options;
    if (!strcmp(text, "sdl"))
        o->display = DISPLAY_SDL;
    else if (!strcmp(text, "null"))
        o->display = DISPLAY_NULL;
    else
        return refuse(err, "display", text, "sdl, null");
    return true;
}

static bool read_console(void *options, const char *text, char *err)
{
    RunOptions *o = options;
    if (!strcmp(text, "on"))
        o->console = CONSOLE_CHOICE_ON;
    else if (!strcmp(text, "off"))
        o->console = CONSOLE_CHOICE_OFF;
    else if (!strncmp(text, "png:", 4) && text[4])
        o->console = CONSOLE_CHOICE_PNG, o->console_png = text + 4;
    else
        return refuse(err, "console", text, "on, off, png:FILE");
    return true;
}

static bool read_fault(void *options, const char *text, char *err)
{
    RunOptions *o = options;
    long every, ms;
    char rest;
    if (sscanf(text, "stall:%9ld:%6ld%c", &every, &ms, &rest) != 2 || every < 1 || ms < 0 ||
        ms > 10000)
        return refuse(err, "fault", text, "stall:EVERY:MS with MS up to 10000, e.g. stall:20:25");
    o->fault_every = every;
    o->fault_ms = ms;
    return true;
}

static bool read_rig(void *options, const char *text, char *err)
{
    RunOptions *o = options;
    char why[RIG_SPEC_ERR_BYTES];
    o->rig_text = strcmp(text, "none") ? text : NULL;
    if (!o->rig_text || rig_spec_read(text, &o->rig, why))
        return true;
    snprintf(err, ARGUMENTS_ERR_BYTES, "--rig: %.480s", why);
    return false;
}

static bool add_name(const char **names, int *count, int most, const char *option, const char *text,
                     char *err)
{
    if (*count == most) {
        snprintf(err, ARGUMENTS_ERR_BYTES, "--%s: more than %d of them", option, most);
        return false;
    }
    names[(*count)++] = text;
    return true;
}

static bool add_model(void *options, const char *text, char *err)
{
    RunOptions *o = options;
    return add_name(o->models, &o->models_count, LOCKSTEP_MAX_MODELS, "model", text, err);
}

static bool add_cell(void *options, const char *text, char *err)
{
    RunOptions *o = options;
    return add_name(o->cells, &o->cells_count, CONSOLE_CELLS, "cell", text, err);
}

static bool go_fullscreen(void *options, const char *text, char *err)
{
    (void)text, (void)err;
    ((RunOptions *)options)->window = WINDOW_FULLSCREEN;
    return true;
}

static bool go_windowed(void *options, const char *text, char *err)
{
    (void)text, (void)err;
    ((RunOptions *)options)->window = WINDOW_WINDOWED;
    return true;
}

static const Argument rows[] = {
    {"out", "DIR", "the run folder (default out/<protocol>-<time>)",
     ARGUMENT_TEXT(RunOptions, out)},
    {"model", "FILE", "a model instead of the protocol's; repeatable; or `circuit`",
     ARGUMENT_OWN(add_model)},
    {"stimulus", "FILE:/PATH", "predict: frames of an HDF5 dataset instead of a protocol",
     ARGUMENT_TEXT(RunOptions, stimulus)},
    {"seconds", "S", "stop after S seconds", ARGUMENT_NUMBER(RunOptions, seconds, 0.1, 1e6)},
    {"seed", "N", "instead of the protocol's",
     ARGUMENT_INTEGER(RunOptions, seed, -9007199254740992.0, 9007199254740992.0)},
    {"display", "sdl|null", "a window, or a refresh grid without one", ARGUMENT_OWN(read_display)},
    {"refresh", "HZ", "rate of the null display (default the protocol's)",
     ARGUMENT_NUMBER(RunOptions, refresh_hz, 30, 240)},
    {"um-per-px", "U", "screen pixel on the retina",
     ARGUMENT_NUMBER(RunOptions, um_per_px, 0.01, 1000)},
    {"screen", "N", "which monitor, from 0", ARGUMENT_INTEGER(RunOptions, screen, 0, 15)},
    {"fullscreen", NULL, "the whole monitor", ARGUMENT_OWN(go_fullscreen)},
    {"windowed", NULL, "a window of the protocol's size", ARGUMENT_OWN(go_windowed)},
    {"console", "on|off|png:FILE", "the live console, or its last picture as a file",
     ARGUMENT_OWN(read_console)},
    {"cell", "NAME", "a cell for the console; up to four (default: some of all)",
     ARGUMENT_OWN(add_cell)},
    {"snapshot", "FILE.png", "the window as it was shown last",
     ARGUMENT_TEXT(RunOptions, snapshot)},
    {"rig", "none|SPEC", "trigger hardware, e.g. cdc, u3:path=1-4, null; see `retrace rig --help`",
     ARGUMENT_OWN(read_rig)},
    {"rig-delay", "FILE", "what `retrace rig loop --json FILE` measured, for the corrected columns",
     ARGUMENT_TEXT(RunOptions, rig_delay)},
    {"strict", NULL, "exit 1 when the timing verdict is unsafe",
     ARGUMENT_FLAG(RunOptions, is_strict)},
    {"fault", "stall:EVERY:MS", "test aid: sleep MS before every EVERY-th swap",
     ARGUMENT_OWN(read_fault)},
    {"json", "FILE|-", "the summary for machines", ARGUMENT_TEXT(RunOptions, json)},
};

ArgumentTable options_table(void)
{
    return (ArgumentTable){.command = "run",
                           .rows = rows,
                           .count = sizeof rows / sizeof rows[0],
                           .positional = "protocol",
                           .positional_offset = offsetof(RunOptions, protocol)};
}

bool options_read(RunOptions *options, ArgumentTable table, int argc, char **argv, int *status)
{
    ArgumentTable shared = options_table();
    table.rows = shared.rows;
    table.count = shared.count;
    table.positional = shared.positional;
    table.positional_offset = shared.positional_offset;
    options->argc = argc;
    options->argv = argv;
    return arguments_read(&table, options, argc, argv, status);
}
