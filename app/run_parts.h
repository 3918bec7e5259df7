#pragma once
/* The parts of a run while it lives, shared by the files that open it (run_open.c), play it (run.c)
 * and say how it was (run_finish.c). Not for anybody else. */
#include <stdatomic.h>
#include <stdio.h>

#include "app/digest.h"
#include "app/paths.h"
#include "app/realtime.h"
#include "app/run.h"
#include "app/session.h"
#include "app/triggers.h"
#include "config/gamma.h"
#include "model/movie.h"

enum { RUN_PANEL_WIDTH_PX = 600, RUN_ERR_BYTES = 1024 };
_Static_assert((int)GAMMA_LEVELS == (int)DISPLAY_GAMMA_LEVELS, "one table, read here, used there");

/* Zeroed, then filled from top to bottom. */
typedef struct {
    const RunOptions *options;
    RunStyle style;
    FILE *talk;
    char protocol_path[PATH_BYTES], folder[PATH_BYTES];
    char protocol_sha256[DIGEST_BYTES], gamma_sha256[DIGEST_BYTES];
    Protocol *protocol;
    Plan *plan;
    Movie *movie; // NULL unless --stimulus; then protocol and plan are the two below
    Protocol movie_protocol;
    Plan movie_plan;
    char movie_name[16];
    float gamma[DISPLAY_GAMMA_LEVELS];
    int64_t simulated_ns; // the clock of a run without a display
    DisplayClock clock;
    Display *display;
    int models_count;
    Model *models[LOCKSTEP_MAX_MODELS];
    char model_path[LOCKSTEP_MAX_MODELS][PATH_BYTES];
    char model_sha256[LOCKSTEP_MAX_MODELS][DIGEST_BYTES];
    Lockstep *lockstep;
    Recorder *recorder;
    Triggers *triggers;
    Console *console;
    Session *session;
    int64_t refreshes;
    SessionEnd end;
    RealtimeGrant realtime;
    RecorderFigures figures;
} Run;

/* Opens all in order: what a person wrote, models, display, plan, folder, console, session. Prints
 * what is wrong; returns the exit status so far. What is open stays in *run for run_close(). */
int run_open(Run *run, Progress *progress, const atomic_bool *stop);

/* Closes the record, writes the summary and tells how it was; returns the exit status. */
int run_finish(Run *run);

/* Prints a sentence and hands back the status. */
int run_complain(const char *sentence, int status);
