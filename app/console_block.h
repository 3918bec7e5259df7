#pragma once
/* The memory that the console's two processes share; for console.c and console_process.c only. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "app/console_shared.h"

enum { CONSOLE_PROBLEM_BYTES = 256 };

typedef enum { CONSOLE_STARTING, CONSOLE_DRAWING, CONSOLE_FAILED } ConsoleProgress;

/* "frame": written by the frame thread's process; "draw": by the drawing one. */
typedef struct {
    uint64_t bytes;              // frame: of the whole block with its pixels; says that it is one
    int64_t frame_pid;           // frame: before the other process is started
    _Atomic int32_t should_stop; // frame
    _Atomic int32_t progress;    // draw: a ConsoleProgress
    char problem[CONSOLE_PROBLEM_BYTES]; // draw: before progress is CONSOLE_FAILED
    // Panel: picture n lies in half n mod 2. Picture n + 1 is begun when n has been taken, which
    // hands back the half of n − 1.
    _Atomic uint32_t published; // draw: pictures finished
    _Atomic uint32_t taken;     // frame: pictures fetched
    ConsoleShared state;
} ConsoleBlock;

/* Where the panel's two halves begin, each (height_px, width_px). */
static inline size_t console_block_pixels_at(void)
{
    return (sizeof(ConsoleBlock) + 63) / 64 * 64;
}

static inline size_t console_block_half_bytes(int width_px, int height_px)
{
    return sizeof(uint32_t) * (size_t)width_px * (size_t)height_px;
}
