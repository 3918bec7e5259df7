#pragma once
/* A device's clock on the session clock: where a counter of µs that wraps and drifts stands.
 *
 * Now and then the host asks the device for its time and notes when it asked and when the answer
 * came. The device read its clock between the two, so their middle is right to half the round trip;
 * a straight line through the last CLOCK_PAIRS of them, each weighted by 1/(half a round trip)²,
 * gives offset and drift (Cristian, Distributed Computing 3:146, 1989, for the bound of one pair).
 * The error stated is half the shortest round trip, plus the weighted RMS residual, plus the
 * slope's standard error times the distance from the pairs' centre: a slow link, a clock that does
 * not run straight, or too few questions so far show in it. Pure: no thread, no clock of its own. */
#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_PAIRS = 64 };

typedef struct {
    int64_t device_ns, session_ns, half_trip_ns;
} ClockPair;

typedef struct {
    bool has_read;
    uint32_t last_us;
    int64_t wrapped_us; // the counter without its wraps
    ClockPair pairs[CLOCK_PAIRS];
    int64_t pairs_count;                     // ever; the newest at (count − 1) mod CLOCK_PAIRS
    double drift;                            // session ns per device ns − 1
    int64_t mean_device_ns, mean_session_ns; // a point of the line
    double drift_error;                      // its standard error
    int64_t error_ns;                        // at that point; -1: no pair yet
} DeviceClock;

void device_clock_init(DeviceClock *clock);

/* The counter's reading, ns without wraps. Readings must come less than 2^31 µs (35 min) apart, and
 * may be a little out of order. */
int64_t device_clock_ns(DeviceClock *clock, uint32_t counter_us);

/* One question and its answer. */
void device_clock_pair(DeviceClock *clock, int64_t device_ns, int64_t asked_ns,
                       int64_t answered_ns);

/* device_ns on the session clock and how far that may be off; false when nothing is known yet. */
bool device_clock_map(const DeviceClock *clock, int64_t device_ns, int64_t *session_ns,
                      int64_t *error_ns);
