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

static void print_help(void)
{
    printf("usage: retrace demo [osr|latency|reversal|anticipation|noise] [options]\n\n"
           "A tour of the shipped protocols in one window: the stimulus, and beside it the console "
           "with "
           "the\nfull network against the other models. Without a name: a minute of everything "
           "(config/protocols/demo.yaml).\n\n%s\nexample: retrace demo reversal --seconds 30\n",
           options_help());
}

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
    RunOptions options = options_defaults();
    options.display = DISPLAY_SDL;
    options.console = CONSOLE_CHOICE_ON;
    options.fullscreen = 0;
    char err[OPTIONS_ERR_BYTES];
    if (!options_parse(&options, argc, argv, err)) {
        fprintf(stderr, "retrace demo: %s\n", err);
        return EXIT_BAD_INPUT;
    }
    if (options.stimulus) {
        fprintf(stderr, "retrace demo: --stimulus is for `retrace predict`\n");
        return EXIT_BAD_INPUT;
    }
    if (options.wants_help) {
        print_help();
        return EXIT_DONE;
    }
    const char *protocol = protocol_of(options.protocol);
    if (!protocol) {
        fprintf(stderr,
                "retrace demo: there is no demo '%s'; allowed: osr, latency, reversal, "
                "anticipation, noise\n",
                options.protocol);
        return EXIT_BAD_INPUT;
    }
    options.protocol = protocol;
    return run_protocol(&options, RUN_DEMO);
}
