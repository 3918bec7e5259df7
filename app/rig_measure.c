#include "app/rig_measure.h"

#include <math.h>

#include "app/clock.h"
#include "app/series.h"

enum { SETTLE_MS = 2000 };
static const int64_t STEP_NS = 200000, RETURN_NS = 500000000, GAP_NS = 3000000, FATE_NS = 500000000;

Rig *rig_measure_open(const RigSpec *spec, char *err)
{
    const RigClock clock = {session_now_ns, NULL};
    return rig_open(spec, &clock, err);
}

static RigSpread spread(Series *series)
{
    RigSpread spread = {-1, -1, -1};
    if (series->count == 0)
        return spread;
    spread.p50_us = (double)series_percentile(series, 0.5) * 1e-3;
    spread.p99_us = (double)series_percentile(series, 0.99) * 1e-3;
    spread.max_us = (double)series_percentile(series, 1) * 1e-3;
    return spread;
}

static void take_train(Rig *rig, RigTrain *train, Series *latency_ns)
{
    RigEvent event;
    while (rig_poll(rig, &event)) {
        train->edges += event.kind == RIG_EVENT_EDGE;
        train->failed += event.kind == RIG_EVENT_FAILED;
        if (event.kind != RIG_EVENT_SENT)
            continue;
        train->sent++;
        series_add(latency_ns, event.host_ns - event.submitted_ns);
    }
}

void rig_measure_train(Rig *rig, RigTrain *train, const atomic_bool *stop)
{
    Series latency_ns = {0};
    int outputs = rig_info(rig)->outputs, begun = 0;
    int64_t first_ns = session_now_ns(NULL);
    int64_t count = llround(train->seconds * train->rate_hz);
    for (int64_t n = 0; n < count && !atomic_load(stop); n++) {
        session_sleep_until_ns(NULL, first_ns + llround((double)n * 1e9 / train->rate_hz));
        uint8_t lines = (uint8_t)(1 | 1 << n % outputs);
        begun++;
        train->failed += !rig_trigger(rig, &(RigTrigger){n, lines, 0});
        take_train(rig, train, &latency_ns);
    }
    int64_t until_ns = session_now_ns(NULL) + FATE_NS;
    while (train->sent + train->failed < begun && session_now_ns(NULL) < until_ns) {
        session_sleep_until_ns(NULL, session_now_ns(NULL) + STEP_NS);
        take_train(rig, train, &latency_ns);
    }
    train->failed = begun - train->sent; // one without a fate has not arrived either
    train->latency = spread(&latency_ns);
    series_finish(&latency_ns);
}

/* One pulse there and back. */
typedef struct {
    bool is_sent, is_back, has_device_time;
    int64_t submitted_ns, moved_ns, back_ns;
} Trip;

static void take_trip(Rig *rig, int64_t tag, int input, Trip *trip)
{
    RigEvent event;
    while (rig_poll(rig, &event)) {
        if (event.kind == RIG_EVENT_SENT && event.tag == tag) {
            trip->is_sent = true;
            trip->submitted_ns = event.submitted_ns;
        }
        bool is_rising =
            event.kind == RIG_EVENT_EDGE && event.line == input && (event.bits >> input & 1);
        if (!is_rising || trip->is_back)
            continue;
        trip->is_back = true;
        trip->has_device_time = event.device_ns >= 0 && event.error_ns >= 0;
        trip->moved_ns = event.session_ns;
        trip->back_ns = event.host_ns;
    }
}

static Trip make_trip(Rig *rig, int64_t tag, int input)
{
    Trip trip = {0};
    RigEvent stale;
    while (rig_poll(rig, &stale)) // the end of the pulse before
        continue;
    rig_trigger(rig, &(RigTrigger){tag, 0x01, 0x00});
    int64_t until_ns = session_now_ns(NULL) + RETURN_NS;
    while (!(trip.is_sent && trip.is_back) && session_now_ns(NULL) < until_ns) {
        take_trip(rig, tag, input, &trip);
        session_sleep_until_ns(NULL, session_now_ns(NULL) + STEP_NS / 4);
    }
    trip.is_back = trip.is_back && trip.is_sent;
    return trip;
}

static double deviation_us(const Series *ns)
{
    double sum = 0, squares = 0, count = (double)ns->count;
    for (size_t i = 0; i < ns->count; i++)
        sum += (double)ns->values[i] * 1e-3;
    for (size_t i = 0; i < ns->count; i++)
        squares += pow((double)ns->values[i] * 1e-3 - sum / count, 2);
    return ns->count > 1 ? sqrt(squares / (count - 1)) : 0;
}

static int64_t at_least_0(int64_t ns)
{
    return ns > 0 ? ns : 0;
}

static void sum_up(RigLoop *loop, Series *round_ns, Series *out_ns, Series *in_ns)
{
    loop->jitter_us = deviation_us(round_ns);
    loop->round_trip = spread(round_ns);
    loop->delay.is_halved = out_ns->count < round_ns->count || round_ns->count == 0;
    int64_t half_ns = at_least_0(series_percentile(round_ns, 0.5) / 2);
    loop->delay.out_ns =
        loop->delay.is_halved ? half_ns : at_least_0(series_percentile(out_ns, 0.5));
    loop->delay.in_ns = loop->delay.is_halved ? half_ns : at_least_0(series_percentile(in_ns, 0.5));
}

void rig_measure_loop(Rig *rig, RigLoop *loop, const atomic_bool *stop)
{
    Series round_ns = {0}, out_ns = {0}, in_ns = {0};
    if (rig_info(rig)->has_clock) // whose fit wants some questions first
        session_sleep_until_ns(NULL, session_now_ns(NULL) + SETTLE_MS * (int64_t)1000000);
    int begun = 0;
    for (; begun < loop->events && !atomic_load(stop); begun++) {
        Trip trip = make_trip(rig, begun, loop->input);
        session_sleep_until_ns(NULL, session_now_ns(NULL) + GAP_NS + begun * 37 % 100 * 10000);
        if (!trip.is_back)
            continue;
        loop->returned++;
        series_add(&round_ns, trip.back_ns - trip.submitted_ns);
        if (!trip.has_device_time)
            continue;
        series_add(&out_ns, trip.moved_ns - trip.submitted_ns);
        series_add(&in_ns, trip.back_ns - trip.moved_ns);
    }
    loop->events = begun;
    sum_up(loop, &round_ns, &out_ns, &in_ns);
    series_finish(&round_ns);
    series_finish(&out_ns);
    series_finish(&in_ns);
}
