#include "app/commands.h"

#include <stdio.h>

#include "app/run.h"

static void print_help(void)
{
    printf("usage: retrace predict PROTOCOL [options]\n"
           "       retrace predict --stimulus FILE.h5:/path --model FILE [options]\n\n"
           "The same frames and the same models as `retrace run`, without a display and as fast as "
           "the\n"
           "machine can; leaves the same run folder. rates.f32 is that of a run in which no "
           "refresh was\n"
           "missed, to the bit. With --stimulus the frames are those of a dataset (frames, height, "
           "width).\n\n%s"
           "\nexample: retrace predict config/protocols/motion-reversal.yaml --refresh 120\n",
           options_help());
}

int cmd_predict(int argc, char **argv)
{
    RunOptions options = options_defaults();
    options.display = DISPLAY_NULL;
    char err[OPTIONS_ERR_BYTES];
    if (!options_parse(&options, argc, argv, err)) {
        fprintf(stderr, "retrace predict: %s\n", err);
        return EXIT_BAD_INPUT;
    }
    if (options.wants_help) {
        print_help();
        return EXIT_DONE;
    }
    if (options.stimulus &&
        (options.protocol || options.models_count == 0 || options.console != CONSOLE_CHOICE_OFF)) {
        fprintf(stderr,
                "retrace predict: --stimulus wants a --model, and neither protocol nor console\n");
        return EXIT_BAD_INPUT;
    }
    if (!options.protocol && !options.stimulus) {
        fprintf(stderr,
                "retrace predict: which protocol? e.g. config/protocols/white-noise.yaml\n");
        return EXIT_BAD_INPUT;
    }
    options.display = DISPLAY_NULL;
    return run_protocol(&options, RUN_OFFLINE);
}
