#include "app/run_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "app/clock.h"
#include "app/commands.h"
#include "app/json.h"
#include "app/realtime.h"
#include "app/run_movie.h"
#include "app/run_rig.h"
#include "app/stop.h"

int run_complain(const char *sentence, int status)
{
    fprintf(stderr, "retrace: %s\n", sentence);
    return status;
}

static void announce(const Run *run)
{
    const DisplayInfo *info = display_info(run->display);
    fprintf(run->talk, "%s: %.1f s, %" PRId64 " refreshes at %g Hz, %d × %d px of %g um\n",
            run->protocol->name, (double)run->refreshes / run->plan->refresh_hz, run->refreshes,
            info->refresh_hz, info->raster.width_px, info->raster.height_px,
            info->raster.um_per_px);
    fprintf(run->talk, "display: %s%s%s, time from %s\n", info->driver, info->detail[0] ? ", " : "",
            info->detail, info->ladder);
    for (int m = 0; m < run->models_count; m++) {
        const ModelInfo *model = model_info(run->models[m]);
        fprintf(run->talk, "model %s: %s, %d cells, %g Hz%s\n", model->name, model->kind,
                model->cells, model->bin_hz, model->is_simulated ? ", simulated" : "");
    }
    if (run->triggers)
        run_announce_rig(run);
    if (run->style != RUN_OFFLINE)
        fprintf(run->talk, "timing: %s\n", info->verdict);
    fflush(run->talk);
}

static SessionEnd play(Run *run, Progress *progress, const atomic_bool *stop)
{
    progress_start(progress, run->protocol->name, "refreshes");
    if (run->style != RUN_OFFLINE)
        run->realtime = realtime_request();
    SessionEnd end = run->movie ? run_movie_play(run, progress, stop) : session_run(run->session);
    if (run->style != RUN_OFFLINE)
        realtime_release();
    progress_end(progress);
    if (run->style != RUN_OFFLINE && !run->realtime.has_priority)
        fprintf(stderr, "warning: the frame loop ran without a real-time class; `retrace doctor` "
                        "says how to get one\n");
    return end;
}

static void close_all(Run *run)
{
    char err[RUN_ERR_BYTES];
    session_destroy(run->session);
    triggers_close(run->triggers);
    if (run->console)
        console_close(run->console, err);
    recorder_destroy(run->recorder);
    lockstep_destroy(run->lockstep);
    display_close(run->display);
    for (int m = 0; m < run->models_count; m++)
        model_close(run->models[m]);
    if (run->movie)
        run_movie_close(run);
    plan_destroy(run->plan);
    protocol_destroy(run->protocol);
    free(run);
}

int run_protocol(const RunOptions *options, RunStyle style)
{
    Run *run = calloc(1, sizeof *run);
    if (!run)
        return run_complain("out of memory", EXIT_IO);
    Progress progress;
    run->options = options;
    run->style = style;
    run->talk = json_talk(options->json);
    const atomic_bool *stop = stop_catch_signals();
    int status = run_open(run, &progress, stop);
    if (status == EXIT_DONE) {
        announce(run);
        run->end = play(run, &progress, stop);
        status = run_finish(run);
    }
    close_all(run);
    return status;
}
