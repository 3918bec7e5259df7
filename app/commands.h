#pragma once
/* The commands of retrace: one file each, cmd_<name>.c, called with argv[0] = the command's name.
 * Only these files print, parse argv and choose the exit status. */

typedef enum {
    EXIT_DONE = 0,
    EXIT_BAD_VERDICT = 1, // done, but timing unsafe under --strict, or a phenomenon missing
    EXIT_BAD_INPUT = 2,
    EXIT_NO_DEVICE = 3, // display, rig or device not usable
    EXIT_IO = 4,        // could not read or write
} CommandExit;

int cmd_run(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_timing(int argc, char **argv);
int cmd_simulate(int argc, char **argv);
int cmd_fit(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_phenomena(int argc, char **argv);
int cmd_attribute(int argc, char **argv);
int cmd_reduce(int argc, char **argv);
int cmd_align(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_describe(int argc, char **argv);
int cmd_rig(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
