#include "app/commands.h"

#include <stdio.h>

#include "app/run.h"

int cmd_run(int argc, char **argv)
{
    ArgumentTable table = {
        .command = "run",
        .usage = "PROTOCOL [options]",
        .about = "Plays a protocol on a screen, its models in lockstep with every refresh, and "
                 "leaves a\n"
                 "run folder: run.yaml, protocol.yaml, frames.tsv, rates.f32, summary.json.\n",
        .example = "retrace run config/protocols/omitted-stimulus.yaml --fullscreen --strict",
        .is_positional_needed = true,
    };
    RunOptions options = {.display = DISPLAY_SDL, .console = CONSOLE_CHOICE_ON};
    int status;
    if (!options_read(&options, table, argc, argv, &status))
        return status;
    if (options.stimulus) {
        fprintf(stderr,
                "retrace run: --stimulus: only `retrace predict` takes frames from a file\n");
        return EXIT_BAD_INPUT;
    }
    if (options.display == DISPLAY_SDL && options.refresh_hz > 0) {
        fprintf(
            stderr,
            "retrace run: --refresh: the rate of a window is measured; it is for --display null\n");
        return EXIT_BAD_INPUT;
    }
    return run_protocol(&options, RUN_ON_SCREEN);
}
