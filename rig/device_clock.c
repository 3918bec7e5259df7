#include "rig/device_clock.h"

#include <math.h>

// Until a second pair shows the drift: what a cheap resonator may have.
static const double UNKNOWN_DRIFT = 5e-3;

void device_clock_init(DeviceClock *clock)
{
    *clock = (DeviceClock){.error_ns = -1};
}

int64_t device_clock_ns(DeviceClock *clock, uint32_t counter_us)
{
    if (!clock->has_read)
        clock->wrapped_us = counter_us;
    else
        clock->wrapped_us += (int32_t)(counter_us - clock->last_us);
    clock->has_read = true;
    clock->last_us = counter_us;
    return clock->wrapped_us * 1000;
}

static int kept(const DeviceClock *clock)
{
    return (int)(clock->pairs_count < CLOCK_PAIRS ? clock->pairs_count : CLOCK_PAIRS);
}

static double weight(const ClockPair *pair)
{
    double half_us = 1 + (double)pair->half_trip_ns * 1e-3; // 1: the counter's own step
    return 1 / (half_us * half_us);
}

// drift = Σw·x·y / Σw·x², offset = Σw·y / Σw: x device time, y session − device, from their means
static void fit(DeviceClock *clock)
{
    const ClockPair *origin = &clock->pairs[0];
    double sw = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int pass = 0; pass < 2; pass++) {
        double mean_x = pass ? sx / sw : 0, mean_y = pass ? sy / sw : 0;
        if (!pass)
            sw = sx = sy = 0;
        for (int i = 0; i < kept(clock); i++) {
            const ClockPair *pair = &clock->pairs[i];
            double w = weight(pair), x = (double)(pair->device_ns - origin->device_ns) - mean_x;
            double y = (double)((pair->session_ns - pair->device_ns) -
                                (origin->session_ns - origin->device_ns)) -
                       mean_y;
            if (pass) {
                sxx += w * x * x;
                sxy += w * x * y;
            } else {
                sw += w;
                sx += w * x;
                sy += w * y;
            }
        }
    }
    clock->drift = sxx > 0 ? sxy / sxx : 0;
    clock->drift_error = sxx > 0 ? 1e3 / sqrt(sxx) : UNKNOWN_DRIFT; // weights are in 1/µs²
    clock->mean_device_ns = origin->device_ns + llround(sx / sw);
    clock->mean_session_ns =
        clock->mean_device_ns + (origin->session_ns - origin->device_ns) + llround(sy / sw);
}

static int64_t on_line_ns(const DeviceClock *clock, int64_t device_ns)
{
    int64_t since_ns = device_ns - clock->mean_device_ns;
    return clock->mean_session_ns + since_ns + llround(clock->drift * (double)since_ns);
}

static int64_t state_error_ns(const DeviceClock *clock)
{
    double sw = 0, swrr = 0;
    int64_t least_ns = INT64_MAX;
    for (int i = 0; i < kept(clock); i++) {
        const ClockPair *pair = &clock->pairs[i];
        double residual_ns = (double)(pair->session_ns - on_line_ns(clock, pair->device_ns));
        double w = weight(pair);
        sw += w;
        swrr += w * residual_ns * residual_ns;
        least_ns = pair->half_trip_ns < least_ns ? pair->half_trip_ns : least_ns;
    }
    return least_ns + llround(sqrt(swrr / sw));
}

void device_clock_pair(DeviceClock *clock, int64_t device_ns, int64_t asked_ns, int64_t answered_ns)
{
    int64_t half_ns = (answered_ns - asked_ns) / 2;
    if (half_ns < 0)
        return;
    clock->pairs[clock->pairs_count++ % CLOCK_PAIRS] =
        (ClockPair){device_ns, asked_ns + half_ns, half_ns};
    fit(clock);
    clock->error_ns = state_error_ns(clock);
}

bool device_clock_map(const DeviceClock *clock, int64_t device_ns, int64_t *session_ns,
                      int64_t *error_ns)
{
    if (clock->error_ns < 0)
        return false;
    *session_ns = on_line_ns(clock, device_ns);
    double distance_ns = fabs((double)(device_ns - clock->mean_device_ns));
    *error_ns = clock->error_ns + llround(clock->drift_error * distance_ns);
    return true;
}
