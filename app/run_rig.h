#pragma once
/* The rig of a run: opened, described for run.yaml, and announced. */
#include "app/run_parts.h"
#include "config/run_file.h"

/* Opens what --rig names, if anything. Returns the exit status so far, with a sentence in err
 * (RUN_ERR_BYTES). Warns of codes that the wiring cannot carry. */
int run_open_rig(Run *run, char *err);

/* False when there is none. The strings are borrowed from run. */
bool run_describe_rig(const Run *run, RunRig *rig);
void run_announce_rig(const Run *run);
