#include "app/commands.h"

#include <stdio.h>

#include "app/run.h"

static void print_help(void)
{
    printf("usage: retrace run PROTOCOL [options]\n\n"
           "Plays a protocol on a screen, its models in lockstep with every refresh, and leaves a "
           "run\n"
           "folder: run.yaml, frames.tsv, rates.f32, summary.json.\n\n%s"
           "\nexample: retrace run config/protocols/omitted-stimulus.yaml --fullscreen --strict\n",
           options_help());
}

int cmd_run(int argc, char **argv)
{
    RunOptions options = options_defaults();
    options.display = DISPLAY_SDL;
    options.console = CONSOLE_CHOICE_ON;
    char err[OPTIONS_ERR_BYTES];
    if (!options_parse(&options, argc, argv, err)) {
        fprintf(stderr, "retrace run: %s\n", err);
        return EXIT_BAD_INPUT;
    }
    if (options.stimulus) {
        fprintf(stderr, "retrace run: --stimulus is for `retrace predict`\n");
        return EXIT_BAD_INPUT;
    }
    if (options.wants_help) {
        print_help();
        return EXIT_DONE;
    }
    if (!options.protocol) {
        fprintf(stderr, "retrace run: which protocol? e.g. config/protocols/white-noise.yaml\n");
        return EXIT_BAD_INPUT;
    }
    return run_protocol(&options, RUN_ON_SCREEN);
}
