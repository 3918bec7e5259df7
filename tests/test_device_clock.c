#include "rig/device_clock.h"

#include <stdlib.h>

#include "tests/fuzz.h"
#include "tests/harness.h"

enum { TRIP_NS = 300000 };

// A device whose µs counter starts high, wraps, and runs fast by ppm; answers take a random share of the trip.
typedef struct {
    double ppm;
    int64_t start_ns;
    Fuzz fuzz;
} Device;

static uint32_t counter(const Device *device, int64_t session_ns)
{
    double since_us = (double)(session_ns - device->start_ns) * 1e-3 * (1 + device->ppm * 1e-6);
    return (uint32_t)(4294000000u + (int64_t)since_us);
}

static void ask(Device *device, DeviceClock *clock, int64_t asked_ns)
{
    int64_t trip_ns = TRIP_NS + (int64_t)fuzz_below(&device->fuzz, 10 * TRIP_NS);
    int64_t read_ns = asked_ns + (int64_t)fuzz_below(&device->fuzz, (size_t)trip_ns);
    int64_t device_ns = device_clock_ns(clock, counter(device, read_ns));
    device_clock_pair(clock, device_ns, asked_ns, asked_ns + trip_ns);
}

static void readings_count_on_past_the_wrap(void)
{
    DeviceClock clock;
    device_clock_init(&clock);
    CU_ASSERT_EQUAL(device_clock_ns(&clock, 4294967290u), 4294967290000);
    CU_ASSERT_EQUAL(device_clock_ns(&clock, 4), 4294967300000);
    CU_ASSERT_EQUAL(device_clock_ns(&clock, 4294967295u), 4294967295000); // a little out of order
    CU_ASSERT_EQUAL(device_clock_ns(&clock, 5), 4294967301000);
}

static void nothing_is_known_before_the_first_answer(void)
{
    DeviceClock clock;
    int64_t session_ns, error_ns;
    device_clock_init(&clock);
    CU_ASSERT_FALSE(device_clock_map(&clock, 0, &session_ns, &error_ns));
}

static void drift_is_fitted_and_the_error_stated_holds(void)
{
    for (double ppm = -200; ppm <= 200; ppm += 50) {
        Device device = {ppm, 5000000000, {(uint64_t)(ppm + 1000)}};
        DeviceClock clock;
        int outside = 0, edges = 0;
        device_clock_init(&clock);
        for (int64_t second = 0; second < 200; second++) {
            int64_t now_ns = device.start_ns + second * 1000000000;
            ask(&device, &clock, now_ns);
            for (int i = 1; second >= 2 && i < 10; i++, edges++) {
                int64_t edge_ns = now_ns + i * 97000000, session_ns, error_ns;
                int64_t device_ns = device_clock_ns(&clock, counter(&device, edge_ns));
                CU_ASSERT(device_clock_map(&clock, device_ns, &session_ns, &error_ns));
                outside += llabs(session_ns - edge_ns) > error_ns;
                CU_ASSERT(second < 20 || error_ns < 5 * TRIP_NS);
            }
        }
        CU_ASSERT(test_near(clock.drift * 1e6, -ppm, 10));
        CU_ASSERT(outside * 100 < edges); // under 1 %
    }
}

static const TestCase cases[] = {
    {"readings count on past the wrap", readings_count_on_past_the_wrap},
    {"nothing is known before the first answer", nothing_is_known_before_the_first_answer},
    {"drift is fitted to 10 ppm, and 99 % of edges lie within the error stated",
     drift_is_fitted_and_the_error_stated_holds},
};

int main(void)
{
    return test_main("device_clock", cases, sizeof cases / sizeof cases[0]);
}
