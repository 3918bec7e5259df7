#pragma once
/* The folder a run leaves behind, and what can be read of it afterwards.
 *
 * run.yaml and protocol.yaml are written before the first frame, frames.tsv and rates.f32 during
 * the run, summary.json last. So a folder without summary.json was cut short, and everything in it
 * still counts. */
#include <stdbool.h>
#include <stdint.h>

enum { RUN_FOLDER_ERR_BYTES = 512, RUN_FOLDER_PATH_BYTES = 4096 };

/* Makes the folder and its parents. False with a sentence in err (RUN_FOLDER_ERR_BYTES) when it
 * cannot be made, cannot be written, or already holds a run. */
bool run_folder_create(const char *folder, char *err);

/* path (RUN_FOLDER_PATH_BYTES) := folder/file */
void run_folder_path(const char *folder, const char *file, char *path);

bool run_folder_copy(const char *from, const char *folder, const char *file, char *err);

/* What frames.tsv still says. */
typedef struct {
    int64_t rows, missed;
    int64_t first_vblank_ns, last_vblank_ns; // -1: none
    bool ends_in_mid_row;                    // the last line was being written when the run ended
    bool is_gapless;                         // refreshes count 0, 1, 2 …
    int64_t rates_rows;                      // whole rows in rates.f32
} RunFrames;

/* columns: cells of all models together. False with a sentence in err. */
bool run_folder_read_frames(const char *folder, int columns, RunFrames *frames, char *err);
