#include "app/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_OUT = 256,
    OPT_STIMULUS,
    OPT_MODEL,
    OPT_CELL,
    OPT_DISPLAY,
    OPT_CONSOLE,
    OPT_SNAPSHOT,
    OPT_RIG,
    OPT_SECONDS,
    OPT_SEED,
    OPT_REFRESH,
    OPT_UM_PER_PX,
    OPT_SCREEN,
    OPT_FULLSCREEN,
    OPT_WINDOWED,
    OPT_FAULT,
    OPT_STRICT,
    OPT_JSON,
    OPT_HELP,
};

static const struct option table[] = {
    {"out", required_argument, NULL, OPT_OUT},
    {"stimulus", required_argument, NULL, OPT_STIMULUS},
    {"model", required_argument, NULL, OPT_MODEL},
    {"cell", required_argument, NULL, OPT_CELL},
    {"display", required_argument, NULL, OPT_DISPLAY},
    {"console", required_argument, NULL, OPT_CONSOLE},
    {"snapshot", required_argument, NULL, OPT_SNAPSHOT},
    {"rig", required_argument, NULL, OPT_RIG},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"seed", required_argument, NULL, OPT_SEED},
    {"refresh", required_argument, NULL, OPT_REFRESH},
    {"um-per-px", required_argument, NULL, OPT_UM_PER_PX},
    {"screen", required_argument, NULL, OPT_SCREEN},
    {"fullscreen", no_argument, NULL, OPT_FULLSCREEN},
    {"windowed", no_argument, NULL, OPT_WINDOWED},
    {"fault", required_argument, NULL, OPT_FAULT},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"json", required_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

RunOptions options_defaults(void)
{
    return (RunOptions){.screen = -1, .fullscreen = -1};
}

const char *options_help(void)
{
    return "  --out DIR             the run folder (default out/<protocol>-<time>)\n"
           "  --model FILE          a model instead of the protocol's; repeatable; or `circuit`\n"
           "  --cell NAME           a cell for the console; up to four (default: some of all)\n"
           "  --display sdl|null    a window, or a refresh grid without one\n"
           "  --console on|off|png:FILE   the live console, or its last picture as a file\n"
           "  --snapshot FILE.png   the window as it was shown last\n"
           "  --seconds S           stop after S seconds\n"
           "  --seed N              instead of the protocol's\n"
           "  --refresh HZ          rate of the null display, 30 to 240 (default the protocol's)\n"
           "  --um-per-px U         screen pixel on the retina\n"
           "  --screen N --fullscreen --windowed   where the window goes\n"
           "  --rig none            no trigger hardware\n"
           "  --strict              exit 1 when the timing verdict is unsafe\n"
           "  --fault stall:EVERY:MS   test aid: sleep MS before every EVERY-th swap\n"
           "  --json FILE|-         the summary for machines\n";
}

static bool complain(char *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err, OPTIONS_ERR_BYTES, format, arguments);
    va_end(arguments);
    return false;
}

static bool read_number(const char *name, const char *text, double least, double most,
                        double *value, char *err)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    if (end != text && *end == '\0' && errno == 0 && *value >= least && *value <= most)
        return true;
    return complain(err, "--%s: '%s' is not a number from %g to %g", name, text, least, most);
}

static bool read_integer(const char *name, const char *text, int64_t *value, char *err)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    if (end != text && *end == '\0' && errno == 0)
        return true;
    return complain(err, "--%s: '%s' is not a whole number", name, text);
}

static bool read_display(RunOptions *o, const char *text, char *err)
{
    if (!strcmp(text, "sdl"))
        o->display = DISPLAY_SDL;
    else if (!strcmp(text, "null"))
        o->display = DISPLAY_NULL;
    else
        return complain(err, "--display: '%s' is not known; allowed: sdl, null", text);
    return true;
}

static bool read_console(RunOptions *o, const char *text, char *err)
{
    if (!strcmp(text, "on"))
        o->console = CONSOLE_CHOICE_ON;
    else if (!strcmp(text, "off"))
        o->console = CONSOLE_CHOICE_OFF;
    else if (!strncmp(text, "png:", 4) && text[4])
        o->console = CONSOLE_CHOICE_PNG, o->console_png = text + 4;
    else
        return complain(err, "--console: '%s' is not known; allowed: on, off, png:FILE", text);
    return true;
}

static bool read_fault(RunOptions *o, const char *text, char *err)
{
    long every, ms;
    char rest;
    if (sscanf(text, "stall:%ld:%ld%c", &every, &ms, &rest) != 2 || every < 1 || ms < 0 ||
        ms > 10000)
        return complain(
            err, "--fault: '%s' is not known; allowed: stall:EVERY:MS, e.g. stall:20:25", text);
    o->fault_every = every;
    o->fault_ms = ms;
    return true;
}

static bool add_model(RunOptions *o, const char *name, char *err)
{
    if (o->models_count == LOCKSTEP_MAX_MODELS)
        return complain(err, "--model: more than %d models", LOCKSTEP_MAX_MODELS);
    o->models[o->models_count++] = name;
    return true;
}

static bool add_cell(RunOptions *o, const char *name, char *err)
{
    if (o->cells_count == CONSOLE_CELLS)
        return complain(err, "--cell: more than %d cells", CONSOLE_CELLS);
    o->cells[o->cells_count++] = name;
    return true;
}

static bool read_screen(RunOptions *o, const char *text, char *err)
{
    double screen;
    if (!read_number("screen", text, 0, 15, &screen, err))
        return false;
    o->screen = (int)screen;
    return true;
}

static bool set_option(RunOptions *o, int option, const char *text, char *err)
{
    switch (option) {
    case OPT_OUT:
        o->out = text;
        return true;
    case OPT_STIMULUS:
        o->stimulus = text;
        return true;
    case OPT_MODEL:
        return add_model(o, text, err);
    case OPT_CELL:
        return add_cell(o, text, err);
    case OPT_DISPLAY:
        return read_display(o, text, err);
    case OPT_CONSOLE:
        return read_console(o, text, err);
    case OPT_SNAPSHOT:
        o->snapshot = text;
        return true;
    case OPT_RIG:
        return !strcmp(text, "none") ||
               complain(err, "--rig: '%s' is not known; allowed: none", text);
    case OPT_SECONDS:
        return read_number("seconds", text, 0.1, 1e6, &o->seconds, err);
    case OPT_SEED:
        o->has_seed = true;
        return read_integer("seed", text, &o->seed, err);
    case OPT_REFRESH:
        return read_number("refresh", text, 30, 240, &o->refresh_hz, err);
    case OPT_UM_PER_PX:
        return read_number("um-per-px", text, 0.01, 1000, &o->um_per_px, err);
    case OPT_SCREEN:
        return read_screen(o, text, err);
    case OPT_FULLSCREEN:
    case OPT_WINDOWED:
        o->fullscreen = option == OPT_FULLSCREEN;
        return true;
    case OPT_FAULT:
        return read_fault(o, text, err);
    case OPT_STRICT:
        o->is_strict = true;
        return true;
    case OPT_JSON:
        o->json = text;
        return true;
    default:
        o->wants_help = true;
        return true;
    }
}

bool options_parse(RunOptions *options, int argc, char **argv, char *err)
{
    options->argc = argc;
    options->argv = argv;
    opterr = 0;
    optind = 1;
    int option;
    while ((option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (option == '?')
            return complain(err, "%s: unknown option; `retrace %s --help` lists them",
                            argv[optind - 1], argv[0]);
        if (option == ':')
            return complain(err, "%s: needs a value", argv[optind - 1]);
        if (!set_option(options, option, optarg, err))
            return false;
    }
    if (optind < argc)
        options->protocol = argv[optind++];
    if (optind < argc)
        return complain(err, "'%s' is one argument too many", argv[optind]);
    return true;
}
