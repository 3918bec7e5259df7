#include "app/run_folder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain(char *err, const char *path)
{
    snprintf(err, RUN_FOLDER_ERR_BYTES, "%.400s: %s", path, strerror(errno));
    return false;
}

void run_folder_path(const char *folder, const char *file, char *path)
{
    snprintf(path, RUN_FOLDER_PATH_BYTES, "%.4000s/%.80s", folder, file);
}

static bool make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool is_there = mkdir(path, 0777) == 0 || errno == EEXIST;
        *slash = '/';
        if (!is_there)
            return false;
    }
    return true;
}

bool run_folder_create(const char *folder, char *err)
{
    char path[RUN_FOLDER_PATH_BYTES];
    snprintf(path, sizeof path, "%s", folder);
    if (!make_parents(path) || (mkdir(path, 0777) != 0 && errno != EEXIST))
        return complain(err, folder);
    run_folder_path(folder, "run.yaml", path);
    if (access(path, F_OK) == 0) {
        snprintf(
            err, RUN_FOLDER_ERR_BYTES,
            "%.300s: already holds a run, and a run is never overwritten; choose another --out",
            folder);
        return false;
    }
    if (access(folder, W_OK | X_OK) != 0)
        return complain(err, folder);
    return true;
}

bool run_folder_copy(const char *from, const char *folder, const char *file, char *err)
{
    char path[RUN_FOLDER_PATH_BYTES], block[65536];
    run_folder_path(folder, file, path);
    FILE *source = fopen(from, "rb");
    if (!source)
        return complain(err, from);
    FILE *target = fopen(path, "wb");
    bool is_copied = target != NULL;
    size_t bytes;
    while (is_copied && (bytes = fread(block, 1, sizeof block, source)) > 0)
        is_copied = fwrite(block, 1, bytes, target) == bytes;
    fclose(source);
    if (target && fclose(target) != 0)
        is_copied = false;
    return is_copied || complain(err, path);
}

enum { COLUMN_REFRESH = 0, COLUMN_MISSED = 2, COLUMN_VBLANK = 13, COLUMNS_USED = 14 };

static bool read_row(char *line, int64_t *columns)
{
    char *field = line;
    for (int c = 0; c < COLUMNS_USED; c++) {
        char *end;
        columns[c] = strtoll(field, &end, 10);
        if (end == field || *end != '\t')
            return false;
        field = end + 1;
    }
    return true;
}

static void count_row(RunFrames *frames, const int64_t *columns)
{
    frames->is_gapless = frames->is_gapless && columns[COLUMN_REFRESH] == frames->rows;
    frames->rows++;
    frames->missed += columns[COLUMN_MISSED];
    if (columns[COLUMN_VBLANK] < 0)
        return;
    if (frames->first_vblank_ns < 0)
        frames->first_vblank_ns = columns[COLUMN_VBLANK];
    frames->last_vblank_ns = columns[COLUMN_VBLANK];
}

bool run_folder_read_frames(const char *folder, int columns, RunFrames *frames, char *err)
{
    char path[RUN_FOLDER_PATH_BYTES], line[1024];
    *frames = (RunFrames){.first_vblank_ns = -1, .last_vblank_ns = -1, .is_gapless = true};
    run_folder_path(folder, "frames.tsv", path);
    FILE *file = fopen(path, "r");
    if (!file)
        return complain(err, path);
    for (int64_t number = 1; fgets(line, sizeof line, file); number++) {
        int64_t row[COLUMNS_USED];
        if (!strchr(line, '\n')) {
            frames->ends_in_mid_row = true;
        } else if (number > 1 && read_row(line, row)) {
            count_row(frames, row);
        } else if (number > 1) {
            snprintf(err, RUN_FOLDER_ERR_BYTES,
                     "%.400s:%" PRId64 ": not a row of frames; allowed: %d columns and a source",
                     path, number, COLUMNS_USED);
            fclose(file);
            return false;
        }
    }
    fclose(file);
    run_folder_path(folder, "rates.f32", path);
    struct stat rates;
    if (stat(path, &rates) != 0)
        return complain(err, path);
    frames->rates_rows = columns > 0 ? rates.st_size / (columns * (int64_t)sizeof(float)) : 0;
    return true;
}
