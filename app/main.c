#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/console.h"

typedef struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does;
} Command;

static const Command commands[] = {
    {"run", cmd_run, "play a protocol on a screen, models in lockstep, everything on record"},
    {"demo", cmd_demo, "a tour of the shipped protocols, the console beside the stimulus"},
    {"predict", cmd_predict, "the same models on the same frames, without a display"},
    {"timing", cmd_timing, "every onset of a protocol as a table, before anything runs"},
    {"simulate", cmd_simulate, "a recording of the simulated retina, as an HDF5 data set"},
    {"fit", cmd_fit, "fit a CNN, subunit, GLM or LN model to a data set"},
    {"eval", cmd_eval, "score models against a data set, with intervals"},
    {"phenomena", cmd_phenomena, "the experiments of the papers, on any models, side by side"},
    {"attribute", cmd_attribute, "which first-layer channels of a network make a response"},
    {"reduce", cmd_reduce, "the one-hidden-layer model a network comes down to for one stimulus"},
    {"align", cmd_align, "which sample of a recording each frame of a run was shown at"},
    {"export", cmd_export, "a run as an NWB, HDF5 or CSV file"},
    {"describe", cmd_describe,
     "what a model, data set, protocol or run is, and what is wrong with it"},
    {"rig", cmd_rig, "which trigger devices there are, and how fast and steady they are"},
    {"bench", cmd_bench, "how fast the models are here, and how fast they could be"},
    {"doctor", cmd_doctor, "is this machine fit to run a rig"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *to)
{
    fprintf(to, "retrace " RETRACE_VERSION ": stimuli on the screen, retina models in lockstep\n\n"
                "usage: retrace COMMAND [options]   (retrace COMMAND --help for its own)\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].does);
    fprintf(to,
            "\nexit status: 0 done, 1 done with a bad verdict, 2 bad input, 3 display or device\n"
            "not usable, 4 could not read or write\n\nexample: retrace demo --seconds 20\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_BAD_INPUT;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_usage(stdout);
        return EXIT_DONE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("retrace " RETRACE_VERSION "\n");
        return EXIT_DONE;
    }
    if (!strcmp(argv[1], "console-process"))
        return console_process_main(argc - 1, argv + 1);
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "retrace: there is no command '%s'; `retrace --help` lists them\n", argv[1]);
    return EXIT_BAD_INPUT;
}
