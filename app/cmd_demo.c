#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/run.h"

typedef struct {
    const char *name, *protocol;
} DemoChoice;

static const DemoChoice choices[] = {
    {"osr", "config/protocols/omitted-stimulus.yaml"},
    {"latency", "config/protocols/latency-coding.yaml"},
    {"reversal", "config/protocols/motion-reversal.yaml"},
    {"anticipation", "config/protocols/motion-anticipation.yaml"},
    {"noise", "config/protocols/white-noise.yaml"},
};
enum { CHOICES = sizeof choices / sizeof choices[0] };

static const char *protocol_of(const char *name)
{
    if (!name)
        return "config/protocols/demo.yaml";
    for (size_t i = 0; i < CHOICES; i++)
        if (!strcmp(choices[i].name, name))
            return choices[i].protocol;
    return NULL;
}

int cmd_demo(int argc, char **argv)
{
    ArgumentTable table = {
        .command = "demo",
        .usage = "[osr|latency|reversal|anticipation|noise] [options]",
        .about = "A tour of the shipped protocols in one window: the stimulus, and beside it the "
                 "console\n"
                 "with the full network against the other models. Without a name: some of\n"
                 "everything (config/protocols/demo.yaml).\n",
        .example = "retrace demo reversal --seconds 30",
    };
    RunOptions options = {
        .display = DISPLAY_SDL, .console = CONSOLE_CHOICE_ON, .window = WINDOW_WINDOWED};
    int status;
    if (!options_read(&options, table, argc, argv, &status))
        return status;
    const char *protocol = protocol_of(options.protocol);
    if (!protocol || options.stimulus) {
        fprintf(stderr,
                "retrace demo: there is no demo '%s'; allowed: osr, latency, reversal, "
                "anticipation, noise\n",
                options.stimulus ? options.stimulus : options.protocol);
        return EXIT_BAD_INPUT;
    }
    options.protocol = protocol;
    if (options.display == DISPLAY_SDL && options.refresh_hz > 0) {
        fprintf(stderr, "retrace demo: --refresh: the rate of a window is measured; it is for "
                        "--display null\n");
        return EXIT_BAD_INPUT;
    }
    return run_protocol(&options, RUN_DEMO);
}
