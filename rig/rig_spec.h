#pragma once
/* How a person names a device and its wiring: `--rig SPEC`.
 *
 *     SPEC    = DEVICE [":" PART {"," PART}]
 *     DEVICE  = null | replay | cdc | box | u3 | u6 | ftdi | ftdi-lines
 *     PART    = VID:PID in hex        which one, by its USB ids
 *             | serial=TEXT           … by its serial number
 *             | path=BUS-PORT[.PORT]  … by where it is plugged in, as `rig list` prints it
 *             | pulse_us=200…2550     length of a pulse (500)
 *             | polarity=high|low     the active level (high)
 *             | every=N               a frame pulse for every N-th refresh (1)
 *             | code=upper|byte       a block's code on lines 2 to 7, or on all eight (upper)
 *             | start=LINE            the run begins with the first rising edge of this input
 *     null only:  delay_us= jitter_us= (of the loop back) loss= fail= (0…1, share of edges lost and
 *                 of triggers failed) drift_ppm= (of its clock) seed=
 *     replay:     the folder of an earlier run, first part: replay:out/run-1
 *
 * e.g. null   cdc:16c0:0483   cdc:serial=123,pulse_us=300   u3:path=1-4   replay:out/run-1 */
#include <stdbool.h>
#include <stdint.h>

enum {
    RIG_SPEC_ERR_BYTES = 512,
    RIG_DEVICE_BYTES = 16,
    RIG_SERIAL_BYTES = 64,
    RIG_PATH_BYTES = 32,
    RIG_FOLDER_BYTES = 1024,
    RIG_PULSE_LEAST_US = 200, // shorter may be ignored by MCS recorders (MEA-System manual p. 19)
    RIG_PULSE_MOST_US = 2550, // what a byte counts in tens of µs (cdc_packet.h)
    RIG_LINES = 8,
};

typedef enum { RIG_CODE_UPPER, RIG_CODE_BYTE } RigCode;

typedef struct {
    char device[RIG_DEVICE_BYTES];
    int vid, pid;                  // -1: any that the device is known by
    char serial[RIG_SERIAL_BYTES]; // "": any
    char path[RIG_PATH_BYTES];     // "": anywhere
    int pulse_us;
    bool is_low_active;
    int every;
    RigCode code;
    int start_line; // -1: begin at once
    char folder[RIG_FOLDER_BYTES];
    double delay_us, jitter_us, loss, fail, drift_ppm;
    int64_t seed;
} RigSpec;

/* False with a sentence in err (RIG_SPEC_ERR_BYTES) that names the part and what is allowed. */
bool rig_spec_read(const char *text, RigSpec *spec, char *err);
