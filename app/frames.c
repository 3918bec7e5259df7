#include "app/frames.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/run_folder.h"
#include "app/table.h"

enum { COLUMNS = 8, LACKING_MAX = 1000000 };

static const char *const names[COLUMNS] = {"refresh", "image",       "missed",       "trial",
                                           "block",   "trial_frame", "trigger_code", "vblank_ns"};

static bool complain(char *err, const char *folder, int64_t line, const char *what)
{
    snprintf(err, FRAMES_ERR_BYTES, "%.300s/frames.tsv:%lld: %s", folder, (long long)line, what);
    return false;
}

static bool read_row(const Table *table, int64_t row, const int *columns, int64_t *values)
{
    for (int c = 0; c < COLUMNS; c++)
        if (!table_integer(table, row, columns[c], &values[c]))
            return false;
    return values[1] >= -1 && values[1] <= values[0] && values[3] >= 0 && values[3] < INT32_MAX &&
           values[4] >= 0 && values[4] < INT32_MAX && values[6] >= 0 && values[6] < INT32_MAX &&
           values[7] >= -1;
}

static Frame frame_of(const int64_t *values)
{
    return (Frame){.image = values[1],
                   .is_missed = values[2] != 0,
                   .trial = (int)values[3],
                   .block = (int)values[4],
                   .trial_frame = values[5],
                   .trigger_code = (int)values[6],
                   .vblank_ns = values[2] != 0 ? -1 : values[7]};
}

/* Rows that the recorder lost repeat the schedule of the one before, on time. */
static void fill_lacking(Frames *frames, int64_t from, int64_t until)
{
    for (int64_t k = from; k < until; k++) {
        Frame *frame = &frames->frames[k];
        if (k > 0)
            *frame = frames->frames[k - 1];
        *frame = (Frame){.image = k,
                         .trial = frame->trial,
                         .block = frame->block,
                         .trial_frame = frame->trial_frame + 1,
                         .vblank_ns = -1,
                         .is_lacking = true};
    }
}

/* slot_ns of refreshes without a time of their own: on the line between their neighbours, beyond
 * the first and last at the mean period. */
static void fill_times(Frames *frames, double refresh_hz)
{
    Frame *f = frames->frames;
    int64_t first = -1, last = -1;
    for (int64_t k = 0; k < frames->count; k++)
        if (f[k].vblank_ns >= 0) {
            first = first < 0 ? k : first;
            last = k;
        }
    frames->period_ns =
        last > first ? (double)(f[last].vblank_ns - f[first].vblank_ns) / (double)(last - first)
                     : 1e9 / refresh_hz;
    int64_t known = first < 0 ? 0 : first;
    double at_ns = first < 0 ? 0 : (double)f[first].vblank_ns;
    for (int64_t k = 0; k < frames->count; k++) {
        if (f[k].vblank_ns >= 0) {
            int64_t steps = k - known;
            for (int64_t i = 1; i < steps; i++) // between two that are known
                f[known + i].slot_ns =
                    llround(at_ns + ((double)f[k].vblank_ns - at_ns) * (double)i / (double)steps);
            known = k;
            at_ns = (double)f[k].vblank_ns;
        }
        f[k].slot_ns = llround(at_ns + frames->period_ns * (double)(k - known));
    }
}

static bool fill(Frames *frames, const Table *table, const int *columns, const char *folder,
                 char *err)
{
    int64_t values[COLUMNS], next = 0;
    for (int64_t row = 0; row < table_rows(table); row++) {
        if (!read_row(table, row, columns, values))
            return complain(err, folder, row + 2, "is not a row of frames");
        if (values[0] < next || values[0] >= frames->count)
            return complain(err, folder, row + 2, "refresh does not follow the one before");
        fill_lacking(frames, next, values[0]);
        frames->frames[values[0]] = frame_of(values);
        next = values[0] + 1;
    }
    return true;
}

bool frames_read(const char *folder, double refresh_hz, Frames *frames, char *err)
{
    char path[RUN_FOLDER_PATH_BYTES];
    int columns[COLUMNS];
    int64_t last = 0;
    *frames = (Frames){0};
    run_folder_path(folder, "frames.tsv", path);
    Table *table = table_read(path, err);
    bool ok = table != NULL;
    for (int c = 0; ok && c < COLUMNS; c++)
        if ((columns[c] = table_column(table, names[c])) < 0)
            ok = complain(err, folder, 1, "lacks a column of frames");
    if (ok && table_rows(table) == 0)
        ok = complain(err, folder, 1, "holds no refresh; the run ended before its first");
    if (ok && (!table_integer(table, table_rows(table) - 1, columns[0], &last) || last < 0 ||
               last - table_rows(table) > LACKING_MAX))
        ok = complain(err, folder, table_rows(table) + 1, "is not a row of frames");
    if (ok) {
        frames->count = last + 1;
        frames->is_cut = table_is_cut(table);
        frames->frames = calloc((size_t)frames->count, sizeof *frames->frames);
        ok = frames->frames ? fill(frames, table, columns, folder, err)
                            : complain(err, folder, 1, "not enough memory to read it");
    }
    table_destroy(table);
    if (ok)
        fill_times(frames, refresh_hz);
    else
        frames_finish(frames);
    return ok;
}

bool frames_plan(int64_t count, double refresh_hz, Frames *frames)
{
    *frames = (Frames){.count = count, .period_ns = 1e9 / refresh_hz};
    frames->frames = calloc((size_t)count, sizeof *frames->frames);
    for (int64_t k = 0; frames->frames && k < count; k++) {
        int64_t ns = llround((double)k * frames->period_ns);
        frames->frames[k] = (Frame){.image = k, .vblank_ns = ns, .slot_ns = ns, .trial_frame = k};
    }
    return frames->frames != NULL;
}

void frames_finish(Frames *frames)
{
    free(frames->frames);
    *frames = (Frames){0};
}
