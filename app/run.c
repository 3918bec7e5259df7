#include "app/run.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/digest.h"
#include "app/json.h"
#include "app/paths.h"
#include "app/picture.h"
#include "app/progress.h"
#include "app/realtime.h"
#include "app/recorder.h"
#include "app/run_folder.h"
#include "app/run_record.h"
#include "app/session.h"
#include "app/summary.h"
#include "config/gamma.h"

enum { PANEL_WIDTH_PX = 560, ERR_BYTES = 1024 };

typedef struct {
    const RunOptions *options;
    RunStyle style;
    FILE *talk;
    char protocol_path[PATH_BYTES], folder[PATH_BYTES];
    char protocol_sha256[DIGEST_BYTES], gamma_sha256[DIGEST_BYTES];
    Protocol *protocol;
    Plan *plan;
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
    Console *console;
    Session *session;
    int64_t refreshes;
    SessionEnd end;
    RecorderFigures figures;
} Run;

static atomic_bool stop_flag;

static void on_signal(int signal_number)
{
    (void)signal_number;
    atomic_store(&stop_flag, true);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    atomic_store(&stop_flag, false);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    // a full disk and a vanished console are errors to report, not reasons to die
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

static int complain(const char *sentence, int status)
{
    fprintf(stderr, "retrace: %s\n", sentence);
    return status;
}
