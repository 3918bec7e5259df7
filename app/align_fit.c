#include "app/align_fit.h"

#include <math.h>
#include <stdlib.h>

enum { PASSES = 3 };
static const double OUTLIER = 6, LEAST_SAMPLES = 2;

typedef struct {
    double seconds,
        sample;  // of the session since refresh 0; the edge, its direction's lateness off
    int64_t row; // shown in that slot
} Pair;

typedef struct {
    double rate_hz, offset; // sample = offset + rate_hz · seconds
} Line;

static double residual(const Line *line, const Pair *pair)
{
    return pair->sample - line->offset - line->rate_hz * pair->seconds;
}

static Line fit(const Pair *pairs, size_t count, const Line *before, double most)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    double x0 = pairs[count / 2].seconds, y0 = pairs[count / 2].sample;
    for (size_t i = 0; i < count; i++) {
        if (before && fabs(residual(before, &pairs[i])) > most)
            continue;
        double at = pairs[i].seconds - x0, sample = pairs[i].sample - y0;
        n++;
        x += at;
        y += sample;
        xx += at * at;
        xy += at * sample;
    }
    double rate_hz = (n * xy - x * y) / (n * xx - x * x);
    return (Line){rate_hz, y0 + (y - rate_hz * x) / n - rate_hz * x0};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort_residuals(const Line *line, const Pair *pairs, size_t count, double *sorted)
{
    for (size_t i = 0; i < count; i++)
        sorted[i] = fabs(residual(line, &pairs[i]));
    qsort(sorted, count, sizeof *sorted, by_value);
}

static size_t pair_up(const AlignOrder *order, const AlignView *view, const int64_t *row,
                      Pair *pairs)
{
    const Frames *frames = order->frames;
    size_t count = 0;
    for (int64_t n = 0; n < view->problem.slots; n++) {
        int64_t refresh = n + view->in_step, slot = n - view->before;
        double edge = align_view_edge(view, n);
        bool is_in_run = row[n] >= 0 && row[n] < frames->count;
        if (isnan(edge) || !is_in_run || refresh < 0 || refresh >= frames->count)
            continue;
        pairs[count++] = (Pair){
            .seconds = (double)(frames->frames[refresh].slot_ns - frames->frames[0].slot_ns) * 1e-9,
            .sample = edge - (view->slots.slots[slot].at - view->slots.slots[slot].start),
            .row = row[n],
        };
    }
    return count;
}

/* A line through the pairs, more than one. */
static Line fit_well(const Pair *pairs, size_t count, double *sorted)
{
    Line line = fit(pairs, count, NULL, 0);
    for (int pass = 0; pass < PASSES; pass++) {
        sort_residuals(&line, pairs, count, sorted);
        line = fit(pairs, count, &line, fmax(OUTLIER * sorted[count / 2], LEAST_SAMPLES));
    }
    sort_residuals(&line, pairs, count, sorted);
    return line;
}

bool align_fit_line(const AlignOrder *order, const AlignView *view, const int64_t *row,
                    double *offset, double *rate_hz, bool *is_there)
{
    size_t room = (size_t)view->problem.slots;
    Pair *pairs = malloc(room * sizeof *pairs);
    double *sorted = malloc(room * sizeof *sorted);
    bool ok = pairs && sorted;
    size_t count = ok ? pair_up(order, view, row, pairs) : 0;
    *is_there = count >= 2;
    if (count >= 2) {
        Line line = fit_well(pairs, count, sorted);
        *offset = line.offset;
        *rate_hz = line.rate_hz;
    }
    free(pairs);
    free(sorted);
    return ok;
}

bool align_fit_clock(const AlignOrder *order, const AlignView *view, const int64_t *row,
                     AlignAnswer *answer)
{
    size_t room = (size_t)view->problem.slots;
    Pair *pairs = malloc(room * sizeof *pairs);
    double *sorted = malloc(room * sizeof *sorted);
    bool ok = pairs && sorted;
    size_t count = ok ? pair_up(order, view, row, pairs) : 0;
    if (ok && count < 2)
        answer->outcome = ALIGN_LOST;
    if (ok && count >= 2) {
        Line line = fit_well(pairs, count, sorted);
        double us = 1e6 / order->rate_hz;
        answer->drift_ppm = (line.rate_hz / order->rate_hz - 1) * 1e6;
        answer->offset_samples = line.offset;
        answer->residual_us_p50 = sorted[count / 2] * us;
        answer->residual_us_max = sorted[count - 1] * us;
        answer->up_minus_down_us = view->slots.up_minus_down * us;
        for (size_t i = count; i-- > 0;) // the first slot of a row is its own
            answer->places[pairs[i].row].residual_us = residual(&line, &pairs[i]) * us;
    }
    free(pairs);
    free(sorted);
    return ok;
}
