#pragma once
/* A progress line with rate and time left, for work that takes longer than a breath. Shown on a
 * terminal only, on standard error, at most ten times a second. Not for the frame path. */
#include <stdint.h>

typedef struct {
    const char *what; // "predict"
    const char *unit; // "frames"
    int64_t start_ns, last_ns;
    int is_terminal;
} Progress;

void progress_start(Progress *progress, const char *what, const char *unit);
void progress_show(Progress *progress, int64_t done, int64_t total);

/* Clears the line. */
void progress_end(Progress *progress);
