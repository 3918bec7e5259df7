#include "app/run_movie.h"

#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/commands.h"

bool run_movie_open(Run *run, char *err)
{
    const char *name = run->options->stimulus;
    const char *colon = strrchr(name, ':');
    run->movie = movie_open(name, err);
    if (!run->movie)
        return false;
    snprintf(run->protocol_path, sizeof run->protocol_path, "%.*s", (int)(colon - name), name);
    run->movie_protocol = (Protocol){.name = run->movie_name};
    snprintf(run->movie_name, sizeof run->movie_name, "movie");
    run->protocol = &run->movie_protocol;
    return true;
}

bool run_movie_fit(Run *run, char *err)
{
    const MovieInfo *movie = movie_info(run->movie);
    const ModelInfo *first = model_info(run->models[0]);
    for (int m = 0; m < run->models_count; m++) {
        const ModelInfo *info = model_info(run->models[m]);
        if (info->width_px == movie->width_px && info->height_px == movie->height_px)
            continue;
        snprintf(err, RUN_ERR_BYTES,
                 "%.400s: frames are %d × %d pixels, model %s wants %d × %d; nothing is resampled",
                 run->options->stimulus, movie->width_px, movie->height_px, info->name,
                 info->width_px, info->height_px);
        return false;
    }
    double refresh_hz = run->options->refresh_hz > 0 ? run->options->refresh_hz : first->bin_hz;
    run->movie_protocol.display = (ProtocolDisplay){.refresh_hz = refresh_hz,
                                                    .um_per_px = first->um_per_px,
                                                    .width_px = movie->width_px,
                                                    .height_px = movie->height_px};
    run->movie_plan = (Plan){
        .protocol = &run->movie_protocol, .refresh_hz = refresh_hz, .refreshes = movie->frames};
    run->plan = &run->movie_plan;
    return true;
}

static void record(Run *run, int64_t frame, int64_t start_ns, int64_t offered_ns)
{
    recorder_frame(run->recorder, &(FrameRecord){.refresh = frame,
                                                 .image = frame,
                                                 .trial_frame = frame,
                                                 .start_ns = start_ns,
                                                 .drawn_ns = start_ns,
                                                 .modelled_ns = offered_ns,
                                                 .requested_ns = -1,
                                                 .vblank_ns = -1,
                                                 .margin_ns = -1,
                                                 .time_source = FLIP_TIME_SIMULATED});
    LockstepRow row;
    while (lockstep_take(run->lockstep, &row))
        recorder_rates(run->recorder, &row);
    recorder_catch_up(run->recorder);
}

SessionEnd run_movie_play(Run *run, Progress *progress, const atomic_bool *stop)
{
    const MovieInfo *movie = movie_info(run->movie);
    char err[MODEL_ERR_BYTES] = "out of memory for a frame of the movie";
    float *lum = calloc((size_t)movie->width_px * (size_t)movie->height_px, sizeof *lum);
    const float *lum_of[LOCKSTEP_MAX_MODELS];
    for (int m = 0; m < LOCKSTEP_MAX_MODELS; m++)
        lum_of[m] = lum;
    SessionEnd end = SESSION_COMPLETE;
    for (int64_t k = 0; k < run->refreshes && end == SESSION_COMPLETE; k++) {
        if (!lum || !movie_read(run->movie, k, lum, err)) {
            run_complain(err, EXIT_IO);
            end = SESSION_DISK;
            break;
        }
        int64_t start_ns = session_now_ns(NULL);
        lockstep_offer(run->lockstep, k, lum_of, INT64_MAX);
        lockstep_shown(run->lockstep, 0);
        record(run, k, start_ns, session_now_ns(NULL));
        progress_show(progress, k + 1, run->refreshes);
        if (atomic_load_explicit(stop, memory_order_relaxed))
            end = SESSION_STOPPED;
        else if (recorder_has_failed(run->recorder))
            end = SESSION_DISK;
    }
    free(lum);
    return end;
}

void run_movie_close(Run *run)
{
    movie_close(run->movie);
    run->protocol = NULL;
    run->plan = NULL;
}
