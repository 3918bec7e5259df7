#include "app/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "app/clock.h"
#include "app/digest.h"
#include "app/run_folder.h"

static bool complain(char *err, const char *path, const char *what)
{
    snprintf(err, EXPORT_ERR_BYTES, "%.300s: %s", path, what);
    return false;
}

/* A whole file for free(), a terminator behind it; NULL with a sentence in err. */
static char *read_bytes(const char *path, size_t *bytes, char *err)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    char *text = file && fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode)
                     ? malloc((size_t)status.st_size + 1)
                     : NULL;
    if (text) {
        *bytes = fread(text, 1, (size_t)status.st_size, file);
        text[*bytes] = '\0';
    } else
        complain(err, path, file ? "could not be read" : strerror(errno));
    if (file)
        fclose(file);
    return text;
}

/* The protocol as it was played: the copy in the folder, with the seed in force, on the display
 * there was. */
static bool open_protocol(Export *export, char *err)
{
    const RunFile *run = export->run;
    char path[RUN_FOLDER_PATH_BYTES], sha256[DIGEST_BYTES];
    size_t bytes;
    if (!run->protocol.copy[0])
        return true;
    run_folder_path(export->folder, run->protocol.copy, path);
    if (!digest_file(path, sha256))
        return complain(err, path, strerror(errno));
    if (strcmp(sha256, run->protocol.sha256) != 0)
        return complain(err, path,
                        "is not the protocol that was played; its checksum in run.yaml is another");
    export->source = read_bytes(path, &bytes, err);
    export->source_name = run->protocol.copy;
    export->protocol = export->source ? protocol_load(path, err) : NULL;
    if (!export->protocol)
        return false;
    const RunDisplay *display = &run->display;
    export->protocol->seed = run->seed;
    export->protocol->display.um_per_px = display->um_per_px;
    export->plan =
        plan_create(export->protocol, path, run->refresh_hz, display->width_px * display->um_per_px,
                    display->height_px * display->um_per_px, err);
    return export->plan != NULL;
}

static bool read_rates(Export *export, char *err)
{
    char path[RUN_FOLDER_PATH_BYTES];
    size_t bytes = 0, columns = (size_t) export->run->rates_columns;
    if (columns == 0)
        return true;
    run_folder_path(export->folder, "rates.f32", path);
    char *rates = read_bytes(path, &bytes, err);
    export->rates_hz = (float *)(void *)rates;
    export->rates_rows = (int64_t)(bytes / (columns * sizeof(float)));
    if (export->rates_rows > export->frames.count)
        export->rates_rows = export->frames.count;
    return rates != NULL;
}

static bool has_ended(const Export *export)
{
    char path[RUN_FOLDER_PATH_BYTES];
    run_folder_path(export->folder, "summary.json", path);
    json_t *summary = json_load_file(path, 0, NULL);
    const char *end = json_string_value(json_object_get(summary, "end"));
    bool is_whole = end && !strcmp(end, "complete") && !export->frames.is_cut &&
                    export->frames.count == export->run->refreshes;
    json_decref(summary);
    return is_whole;
}

/* Nothing was heard where there was no rig. */
static bool read_heard(Export *export, char *err)
{
    if (export->run->rig)
        export->heard = rig_heard_read(export->folder, &export->heard_count, err);
    return !export->run->rig || export->heard;
}

bool export_open_run(const char *folder, Export *export, char *err)
{
    char path[RUN_FOLDER_PATH_BYTES];
    *export = (Export){.folder = folder};
    run_folder_path(folder, "run.yaml", path);
    export->run = run_file_load(path, err);
    if (export->run && frames_read(folder, export->run->refresh_hz, &export->frames, err) &&
        open_protocol(export, err) && read_rates(export, err) && read_heard(export, err) &&
        schedule_of_run(folder, &export->frames, export->plan, export->run->rig, &export->schedule,
                        err)) {
        export->start_unix_ns = export->run->started_unix_ns + export->frames.frames[0].slot_ns -
                                export->run->started_session_ns;
        export->is_complete = has_ended(export);
        return true;
    }
    export_close(export);
    return false;
}

bool export_open_plan(Plan *plan, Protocol *protocol, const char *path, Export *export, char *err)
{
    size_t bytes;
    *export = (Export){.is_complete = true, .start_unix_ns = clock_unix_ns()};
    export->source = read_bytes(path, &bytes, err);
    export->source_name = path;
    bool ok = export->source && (schedule_of_plan(plan, &export->schedule) ||
                                 complain(err, path, "not enough memory for its events"));
    if (!ok) {
        export_close(export);
        return false;
    }
    export->plan = plan;
    export->protocol = protocol;
    return true;
}

void export_close(Export *export)
{
    schedule_finish(&export->schedule);
    frames_finish(&export->frames);
    free(export->heard);
    free(export->rates_hz);
    free(export->source);
    if (export->run) { // those of a plan are borrowed
        plan_destroy(export->plan);
        protocol_destroy(export->protocol);
        run_file_destroy((RunFile *)(uintptr_t) export->run);
    }
    *export = (Export){0};
}
