#pragma once
/* The live console: what the run is doing, for the people beside the rig.
 *
 * The frame thread tells it of trials, images and rates; a process of its own draws them about 20
 * times a second, and makes the attribution (console_attribution.h), so that nothing that happens to
 * the drawing, its window or its machine time can touch a frame. The two share memory
 * (console_shared.h) and nothing else: the writer never waits, and goes on unharmed when the process
 * dies or its window is closed.
 *
 * Everything is called from one thread, which must live until console_close(): the process is ended
 * by the kernel when that thread ends. Open it before that thread is tied to a CPU, since the
 * process inherits the tie; a real-time class is not passed on. A Console of NULL is a console that
 * is off: every function accepts it and does nothing. */
#include <stdbool.h>
#include <stdint.h>

#include "app/console_state.h"

typedef enum {
    CONSOLE_WINDOW, // a window of its own
    CONSOLE_PANEL,  // pixels for the caller to show: console_panel()
    CONSOLE_PNG,    // nothing live; the last state becomes a PNG
} ConsoleMode;

typedef struct Console Console;

/* Waits until the process is up. png_path: where console_close() leaves the last state as a
 * picture, in any mode; NULL for nowhere; copied. NULL with a sentence in err (CONSOLE_ERR_BYTES)
 * when the setup cannot be shown, there is no shared memory, or no screen for a window. */
Console *console_open(const ConsoleSetup *setup, ConsoleMode mode, const char *png_path, char *err);

/* The frame path: bounded copies into shared memory; no lock, no allocation, no system call. */
void console_trial(Console *console, const ConsoleTrial *trial);
void console_frame(Console *console, const ConsoleFrame *frame);

/* One model's answer for one refresh, in any order with the frames: rates_hz (cells of that model).
 */
void console_rates(Console *console, int model, int64_t refresh, const float *rates_hz,
                   int64_t latency_ns, bool is_late);

/* A new judgement of the timing, "ok" or "unsafe: why". */
void console_verdict(Console *console, const char *verdict);

/* The newest picture, (setup.height_px, setup.width_px) 32-bit BGRX, row 0 on top, or NULL when
 * there is none since the last call. Lent until the next call. Does not wait. */
const uint32_t *console_panel(Console *console);

/* The process that draws; 0 when there is none. */
int64_t console_process_id(const Console *console);

/* Ends the process, within about two seconds whatever it does, and writes the PNG if one was asked
 * for. False with a sentence in err (CONSOLE_ERR_BYTES) when that picture could not be written. */
bool console_close(Console *console, char *err);

/* The drawing process: what main() must call, and return, when its argv[1] is "console-process";
 * argv[0] here is that word. console_open() starts it from /proc/self/exe; it is no command for
 * people. */
int console_process_main(int argc, char **argv);
