#pragma once
/* A run: opens everything a protocol needs in order, plays it, closes in reverse, and says how it
 * was. run, demo and predict are this with other defaults. */
#include "app/options.h"

typedef enum {
    RUN_ON_SCREEN, // a display in real time
    RUN_DEMO,      // the same, the console beside the stimulus in one window
    RUN_OFFLINE,   // no display and no clock to keep up with
} RunStyle;

/* Prints, and returns the exit status (commands.h). options->protocol is set. */
int run_protocol(const RunOptions *options, RunStyle style);
