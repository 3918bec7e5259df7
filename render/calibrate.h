#pragma once
/* Is this display's refresh what it should be? Pure arithmetic on what was measured.
 *
 * The limits follow Psychtoolbox's start-up test (SyncTrouble): at least 50 valid intervals, a
 * standard deviation below 200 µs, within 20 % of what the system claims; and the times must come
 * from the display itself. */
#include <stdbool.h>
#include <stdint.h>

#include "render/display.h"
#include "render/vblank.h"

enum {
    CALIBRATE_MAX_STAMPS = 512,
    CALIBRATE_MIN_INTERVALS = 50,
    CALIBRATE_MAX_SD_US = 200,
    CALIBRATE_PROBE_SWAPS = 40,
    CALIBRATE_PROBE_DELAY_NS = 2000000,
    CALIBRATE_VERDICT_BYTES = sizeof((DisplayInfo){0}.verdict),
};

typedef struct {
    double measured_hz; // slope of a straight line through the stamps; 0 when nothing was measured
    double nominal_hz;  // the standard rate it stands for
    double median_us;   // of the intervals, per tick
    double jitter_us;   // SD of the valid intervals
    int intervals;      // valid: within 20 % of the median, per tick
    int discarded;      // the others
} Calibration;

/* samples (count), ticks rising. Fewer than three give zeros. */
void calibrate_measure(const VblankSample *samples, int count, Calibration *calibration);

/* The whole number of Hz, or n·1000/1001 Hz (television), within 0.2 % of hz, else hz itself. The
 * television rate is believed only where hz is more than 2·error_hz away from the whole number. */
double calibrate_nominal_hz(double hz, double error_hz);

/* "ok" or "unsafe: why". claimed_hz is what the system says of its mode, 0 when it says nothing. */
void calibrate_judge(const Calibration *calibration, FlipTimeSource source, double claimed_hz,
                     char *verdict);

/* Does the swap wait for a vertical blank? interval_ns (count): from one return of the swap to the
 * next, with a pause of CALIBRATE_PROBE_DELAY_NS before every odd one. A swap that waits hides the
 * pause; one that merely takes long shows it. */
bool calibrate_swap_blocks(const int64_t *interval_ns, int count);
