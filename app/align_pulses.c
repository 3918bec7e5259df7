#include "app/align_pulses.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool is_seen(const AlignAnswer *answer, int64_t k)
{
    return !isnan(answer->places[k].sample);
}

static bool wants_pulse(const AlignOrder *order, const AlignAnswer *answer, int64_t k)
{
    return is_seen(answer, k) && !order->frames->frames[k].is_missed && k % order->every == 0;
}

/* The refresh nearest to a pulse, from `k` on; −1: none within half a refresh. */
static int64_t nearest(const AlignAnswer *answer, double sample, double half, int64_t *k)
{
    int64_t best = -1;
    for (int64_t i = *k; i < answer->count; i++) {
        if (!is_seen(answer, i))
            continue;
        double off = answer->places[i].sample - sample;
        if (off > half)
            break;
        if (off < -half)
            *k = i; // behind every pulse to come as well
        else if (best < 0 || fabs(off) < fabs(answer->places[best].sample - sample))
            best = i;
    }
    return best;
}

static void summarise(const AlignOrder *order, const AlignAnswer *answer, double *latency,
                      AlignPulses *m)
{
    size_t count = 0;
    for (int64_t k = 0; k < answer->count; k++) {
        bool wants = wants_pulse(order, answer, k), has = m->pulse_of[k] >= 0;
        m->wanted += wants;
        m->matched += wants && has;
        m->lost += wants && !has;
        if (wants && has)
            latency[count++] =
                ((double)m->pulse_of[k] - answer->places[k].sample) * 1e6 / order->rate_hz;
    }
    qsort(latency, count, sizeof *latency, by_value);
    m->latency_us_min = count > 0 ? latency[0] : (double)NAN;
    m->latency_us_p50 = count > 0 ? latency[count / 2] : (double)NAN;
    m->latency_us_max = count > 0 ? latency[count - 1] : (double)NAN;
}

bool align_pulses_match(const AlignOrder *order, const AlignAnswer *answer, const SyncEdge *pulses,
                        int64_t count, AlignPulses *m)
{
    *m = (AlignPulses){.pulse_of = malloc(((size_t)answer->count + 1) * sizeof(int64_t))};
    double *latency = malloc(((size_t)answer->count + 1) * sizeof *latency);
    double half = order->frames->period_ns * 1e-9 * order->rate_hz / 2;
    if (!m->pulse_of || !latency) {
        align_pulses_finish(m);
        free(latency);
        return false;
    }
    for (int64_t k = 0; k < answer->count; k++)
        m->pulse_of[k] = -1;
    int64_t from = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t k = nearest(answer, (double)pulses[i].sample, half, &from);
        if (k < 0 || !wants_pulse(order, answer, k) || m->pulse_of[k] >= 0)
            m->extra++;
        else
            m->pulse_of[k] = pulses[i].sample;
    }
    summarise(order, answer, latency, m);
    free(latency);
    return true;
}

void align_pulses_finish(AlignPulses *m)
{
    free(m->pulse_of);
    m->pulse_of = NULL;
}
