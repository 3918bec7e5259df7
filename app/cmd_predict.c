#include "app/commands.h"

#include <stdio.h>

#include "app/run.h"

int cmd_predict(int argc, char **argv)
{
    ArgumentTable table = {
        .command = "predict",
        .usage = "PROTOCOL [options]\n       retrace predict --stimulus FILE.h5:/path --model FILE "
                 "[options]",
        .about =
            "The same frames and the same models as `retrace run`, without a display and as fast\n"
            "as the machine can; leaves the same run folder. rates.f32 is that of a run in which\n"
            "no refresh was missed, to the bit. With --stimulus the frames are those of a dataset\n"
            "(frames, height, width), one for each bin of the first model or at --refresh.\n",
        .example = "retrace predict config/protocols/motion-reversal.yaml --refresh 120",
    };
    RunOptions options = {0};
    int status;
    if (!options_read(&options, table, argc, argv, &status))
        return status;
    options.display = DISPLAY_NULL;
    if (!options.protocol && !options.stimulus) {
        fprintf(stderr,
                "retrace predict: which protocol? e.g. config/protocols/white-noise.yaml\n");
        return EXIT_BAD_INPUT;
    }
    if (options.stimulus &&
        (options.protocol || options.models_count == 0 || options.console != CONSOLE_CHOICE_OFF)) {
        fprintf(stderr,
                "retrace predict: --stimulus wants a --model, and neither protocol nor console\n");
        return EXIT_BAD_INPUT;
    }
    return run_protocol(&options, RUN_OFFLINE);
}
