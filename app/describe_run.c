#include "app/describe.h"

#include <inttypes.h>
#include <string.h>

#include "app/digest.h"
#include "app/run_folder.h"
#include "config/run_file.h"

static void talk_of_display(const RunFile *run, FILE *talk)
{
    const RunDisplay *display = &run->display;
    fprintf(talk, "display     %s%s%s, %d × %d px of %g um, %g Hz, time from %s (%s)\n",
            display->driver, display->detail[0] ? ", " : "", display->detail, display->width_px,
            display->height_px, display->um_per_px, display->refresh_hz, display->ladder,
            display->time_source);
    fprintf(talk, "at start    %s\n", display->verdict);
    if (run->rig)
        fprintf(talk, "rig         %s (--rig %s)\n", run->rig->device, run->rig->spec);
    for (unsigned m = 0; m < run->models_count; m++)
        fprintf(talk, "model       %s: %s, %u cells, columns %d to %u of rates.f32%s\n",
                run->models[m].name, run->models[m].kind, run->models[m].cells_count,
                run->models[m].first_column,
                (unsigned)run->models[m].first_column + run->models[m].cells_count - 1,
                run->models[m].is_simulated ? ", simulated" : "");
}

static void talk_of_frames(const RunFile *run, const RunFrames *frames, FILE *talk)
{
    fprintf(talk,
            "frames      %" PRId64 " of %" PRId64 " planned refreshes (%.1f of %.1f s), %" PRId64
            " missed%s%s\n",
            frames->rows, run->refreshes, (double)frames->rows / run->refresh_hz,
            (double)run->refreshes / run->refresh_hz, frames->missed,
            frames->is_gapless ? "" : "; REFRESHES ARE LACKING in between",
            frames->ends_in_mid_row ? "; the last row was cut off" : "");
    fprintf(talk, "rates       %" PRId64 " rows of %d cells\n", frames->rates_rows,
            run->rates_columns);
}

static const char *how_it_ended(const json_t *ending, const RunFrames *frames, const RunFile *run)
{
    if (!ending)
        return "incomplete: cut short before its summary was written";
    const char *end = json_string_value(json_object_get(ending, "end"));
    if (end && strcmp(end, "complete") != 0)
        return end;
    if (run->rates_columns > 0 && frames->rates_rows != frames->rows)
        return "damaged: rates.f32 has not as many rows as frames.tsv";
    return frames->rows == run->refreshes ? "complete" : "incomplete: rows are lacking";
}

// A movie run has no copy to check.
static bool is_protocol_untouched(const char *folder, const RunFile *run)
{
    char path[RUN_FOLDER_PATH_BYTES], sha256[DIGEST_BYTES];
    run_folder_path(folder, run->protocol.copy, path);
    return !run->protocol.copy[0] ||
           (digest_file(path, sha256) && !strcmp(sha256, run->protocol.sha256));
}

DescribeVerdict describe_run(const char *folder, FILE *talk, json_t *summary, char *err)
{
    char path[RUN_FOLDER_PATH_BYTES];
    run_folder_path(folder, "run.yaml", path);
    RunFile *run = run_file_load(path, err);
    if (!run)
        return DESCRIBE_REFUSED;
    RunFrames frames;
    if (!run_folder_read_frames(folder, run->rates_columns, &frames, err)) {
        run_file_destroy(run);
        return DESCRIBE_REFUSED;
    }
    run_folder_path(folder, "summary.json", path);
    json_t *ending = json_load_file(path, 0, NULL);
    const char *end = how_it_ended(ending, &frames, run);
    if (!is_protocol_untouched(folder, run))
        end = "damaged: protocol.yaml is not the one that was played";
    fprintf(talk, "run of %s (retrace %s, %s)\n", run->protocol.name, run->retrace,
            run->started_utc);
    fprintf(talk, "state       %s\n", end);
    talk_of_display(run, talk);
    talk_of_frames(run, &frames, talk);
    const char *verdict =
        json_string_value(json_object_get(json_object_get(ending, "display"), "verdict"));
    if (verdict)
        fprintf(talk, "timing      %s\n", verdict);
    json_t *facts = json_pack(
        "{ss ss ss sI sI sI sI sb sb}", "kind", "run", "protocol", run->protocol.name, "state", end,
        "refreshes_planned", (json_int_t)run->refreshes, "rows", (json_int_t)frames.rows, "missed",
        (json_int_t)frames.missed, "rates_rows", (json_int_t)frames.rates_rows, "gapless",
        (int)frames.is_gapless, "cut_row", (int)frames.ends_in_mid_row);
    json_object_update(summary, facts);
    json_decref(facts);
    bool is_complete = !strcmp(end, "complete");
    json_decref(ending);
    run_file_destroy(run);
    return is_complete ? DESCRIBE_WHOLE : DESCRIBE_INCOMPLETE;
}
