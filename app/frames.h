#pragma once
/* What a run's frames.tsv says of each refresh, as align and export need it. */
#include <stdbool.h>
#include <stdint.h>

enum { FRAMES_ERR_BYTES = 512 };

typedef struct {
    int64_t image;     // the refresh whose image was on screen; −1: none yet
    int64_t vblank_ns; // session clock; −1: nothing was measured (missed, or the row is lacking)
    int64_t slot_ns;   // when the refresh began: vblank_ns, or what lies between its neighbours
    int64_t trial_frame;
    int trial, block, trigger_code;
    bool is_missed;  // an older image stayed on screen
    bool is_lacking; // the recorder lost the row; taken to be on time
} Frame;

typedef struct {
    Frame *frames; // owned, (count); frames[k] is refresh k
    int64_t count;
    double period_ns; // mean distance of refreshes
    bool is_cut;      // the last row was being written when the run ended
} Frames;

/* Reads FOLDER/frames.tsv. False with a sentence in err (FRAMES_ERR_BYTES); nothing is left behind.
 */
bool frames_read(const char *folder, double refresh_hz, Frames *frames, char *err);

/* count refreshes, each with its own image, on an exact grid from time 0: what a run that was never
 * played would have left. False without memory. */
bool frames_plan(int64_t count, double refresh_hz, Frames *frames);
void frames_finish(Frames *frames);
