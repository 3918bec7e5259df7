#include "app/run_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "app/commands.h"
#include "app/json.h"
#include "app/picture.h"
#include "app/run_folder.h"
#include "app/summary.h"

static bool write_snapshot(Run *run, char *err)
{
    const Raster *raster = &display_info(run->display)->raster;
    int width_px =
        raster->width_px + (run->style == RUN_DEMO && run->console ? RUN_PANEL_WIDTH_PX : 0);
    uint8_t *rgb = malloc((size_t)width_px * (size_t)raster->height_px * 3);
    bool is_written = false;
    if (!rgb || !display_read(run->display, rgb))
        snprintf(err, RUN_ERR_BYTES, "--snapshot: this display has no picture to keep");
    else
        is_written =
            picture_write_rgb(run->options->snapshot, width_px, raster->height_px, rgb, err);
    free(rgb);
    return is_written;
}

static void report(const Run *run, const char *verdict)
{
    const RecorderFigures *figures = &run->figures;
    fprintf(run->talk, "%s: %" PRId64 " refreshes shown, %" PRId64 " missed", summary_end(run->end),
            figures->shown, figures->missed);
    if (run->style != RUN_OFFLINE && figures->interval_us.p50 >= 0)
        fprintf(run->talk, "; interval p50 %.2f ms, p99 %.2f ms, max %.2f ms",
                (double)figures->interval_us.p50 * 1e-3, (double)figures->interval_us.p99 * 1e-3,
                (double)figures->interval_us.max * 1e-3);
    fprintf(run->talk, "\n");
    for (int m = 0; m < run->models_count; m++)
        fprintf(run->talk,
                "model %s: rates known %" PRId64 " us after the light (p50; p99 %" PRId64
                ", max %" PRId64 "), %" PRId64 " late\n",
                model_info(run->models[m])->name, figures->model_latency_us[m].p50,
                figures->model_latency_us[m].p99, figures->model_latency_us[m].max,
                figures->model_late[m]);
    if (run->style != RUN_OFFLINE)
        fprintf(run->talk, "timing: %s\n", verdict);
    fprintf(run->talk, "run folder: %s\n", run->folder);
}

static int write_summary(Run *run, const SummaryFacts *facts)
{
    char err[RUN_ERR_BYTES], path[RUN_FOLDER_PATH_BYTES];
    json_t *summary = summary_json(facts);
    run_folder_path(run->folder, "summary.json", path);
    int status = EXIT_DONE;
    if (!json_write(summary, path, err) ||
        (run->options->json && !json_write(summary, run->options->json, err)))
        status = run_complain(err, EXIT_IO);
    json_decref(summary);
    return status;
}

int run_finish(Run *run)
{
    char err[RUN_ERR_BYTES], verdict[SUMMARY_VERDICT_BYTES];
    int status = EXIT_DONE;
    if (run->options->snapshot && !write_snapshot(run, err))
        status = run_complain(err, EXIT_IO);
    if (!recorder_finish(run->recorder, &run->figures, err)) {
        run->end = SESSION_DISK;
        status = run_complain(err, EXIT_IO);
    }
    SummaryFacts facts = {
        .protocol_name = run->protocol->name,
        .protocol_sha256 = run->protocol_sha256,
        .models = run->models,
        .model_sha256 = (const char(*)[65])run->model_sha256,
        .models_count = run->models_count,
        .display = display_info(run->display),
        .figures = &run->figures,
        .end = run->end,
        .refreshes_planned = run->refreshes,
        .realtime = run->realtime,
    };
    bool is_ok = summary_verdict(&facts, verdict);
    console_verdict(run->console, verdict);
    if (run->console && !console_close(run->console, err))
        status = run_complain(err, EXIT_IO);
    run->console = NULL;
    if (run->end != SESSION_DISK && write_summary(run, &facts) != EXIT_DONE)
        status = EXIT_IO;
    report(run, verdict);
    if (run->end == SESSION_LOST && status == EXIT_DONE)
        status = run_complain("the display went away; all refreshes up to then are saved",
                              EXIT_NO_DEVICE);
    if (status == EXIT_DONE && run->options->is_strict && run->style != RUN_OFFLINE && !is_ok)
        status = EXIT_BAD_VERDICT;
    return status;
}
