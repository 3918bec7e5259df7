#include "model/resample.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

static int64_t divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t divide_down(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static bool is_rate(double hz)
{
    return hz >= 1e-3 && hz <= 1e6;
}

bool resample_ticks(double frame_hz, double bin_hz, int64_t *frame_ticks, int64_t *bin_ticks)
{
    if (!is_rate(frame_hz) || !is_rate(bin_hz))
        return false;
    int64_t frame_mhz = llround(frame_hz * 1000), bin_mhz = llround(bin_hz * 1000);
    int64_t common = divisor(frame_mhz, bin_mhz);
    *frame_ticks = bin_mhz / common;
    *bin_ticks = frame_mhz / common;
    return true;
}

/* ---- refreshes → bins */

bool bin_average_init(BinAverage *average, int count, int64_t frame_ticks, int64_t bin_ticks)
{
    *average = (BinAverage){.count = count, .frame_ticks = frame_ticks, .bin_ticks = bin_ticks};
    average->mean = model_alloc((size_t)count);
    average->marked_mean = model_alloc((size_t)count);
    if (average->mean != NULL && average->marked_mean != NULL)
        return true;
    bin_average_finish(average);
    return false;
}

void bin_average_feed(BinAverage *average, const float *values)
{
    assert(average->source == NULL && average->tick == average->frame * average->frame_ticks);
    average->source = values;
}

bool bin_average_has_bin(const BinAverage *average)
{
    int64_t frame_end = (average->frame + 1) * average->frame_ticks;
    return average->source != NULL && (average->bin + 1) * average->bin_ticks <= frame_end;
}

/* mean of the bin so far, lengthened by the source up to tick `until`. */
static void lengthen(BinAverage *average, int64_t until)
{
    int64_t start = average->bin * average->bin_ticks;
    if (until <= start)
        return; // after a jump: this piece belongs to a bin that began unseen
    int64_t from = average->tick > start ? average->tick : start;
    if (from == start) {
        memcpy(average->mean, average->source, (size_t)average->count * sizeof *average->mean);
        return;
    }
    float share = (float)((double)(until - from) / (double)(until - start));
    const float *restrict source = average->source;
    float *restrict mean = average->mean;
    for (int i = 0; i < average->count; i++)
        mean[i] += share * (source[i] - mean[i]);
}

const float *bin_average_take(BinAverage *average)
{
    int64_t frame_end = (average->frame + 1) * average->frame_ticks;
    int64_t bin_end = (average->bin + 1) * average->bin_ticks;
    int64_t until = least(frame_end, bin_end);
    if (until > average->tick)
        lengthen(average, until);
    average->tick = until;
    if (bin_end <= frame_end) {
        average->bin++;
        return average->mean;
    }
    average->frame++;
    average->source = NULL;
    return NULL;
}

void bin_average_mark(BinAverage *average)
{
    assert(average->source == NULL);
    average->marked_frame = average->frame;
    average->marked_bin = average->bin;
    memcpy(average->marked_mean, average->mean, (size_t)average->count * sizeof *average->mean);
}

void bin_average_rewind(BinAverage *average)
{
    average->source = NULL;
    average->frame = average->marked_frame;
    average->tick = average->frame * average->frame_ticks;
    average->bin = average->marked_bin;
    memcpy(average->mean, average->marked_mean, (size_t)average->count * sizeof *average->mean);
}

void bin_average_jump(BinAverage *average, int64_t frame)
{
    average->source = NULL;
    average->frame = frame;
    average->tick = frame * average->frame_ticks;
    average->bin = -divide_down(-average->tick, average->bin_ticks);
}

void bin_average_finish(BinAverage *average)
{
    free(average->mean);
    free(average->marked_mean);
    *average = (BinAverage){0};
}

/* ---- bins → refreshes */

static float *slot(const RateWindow *window, int64_t bin)
{
    int64_t at = bin - divide_down(bin, window->slots) * window->slots;
    return window->rates + at * window->cells;
}

bool rate_window_init(RateWindow *window, int cells, int64_t frame_ticks, int64_t bin_ticks,
                      int64_t delay_ticks, int lag_bins, const float *resting)
{
    // one refresh, cut bins at both its ends, what is shifted, what comes early
    int64_t slots = frame_ticks / bin_ticks + delay_ticks / bin_ticks + lag_bins + 4;
    *window = (RateWindow){.cells = cells,
                           .slots = (int)slots,
                           .frame_ticks = frame_ticks,
                           .bin_ticks = bin_ticks,
                           .delay_ticks = delay_ticks,
                           .next_bin = lag_bins};
    window->rates = model_alloc((size_t)slots * (size_t)cells);
    if (window->rates == NULL)
        return false;
    for (int64_t i = 0; i < slots; i++)
        memcpy(window->rates + i * cells, resting, (size_t)cells * sizeof *resting);
    return true;
}

float *rate_window_push(RateWindow *window)
{
    return slot(window, window->next_bin++);
}

void rate_window_row(const RateWindow *window, int64_t frame, float *rates_hz)
{
    int64_t start = frame * window->frame_ticks - window->delay_ticks;
    int64_t end = start + window->frame_ticks;
    assert(end <= window->next_bin * window->bin_ticks);
    for (int cell = 0; cell < window->cells; cell++) {
        double sum = 0;
        for (int64_t tick = start; tick < end;) {
            int64_t bin = divide_down(tick, window->bin_ticks);
            int64_t until = least(end, (bin + 1) * window->bin_ticks);
            sum += (double)(until - tick) * (double)slot(window, bin)[cell];
            tick = until;
        }
        rates_hz[cell] = (float)(sum / (double)window->frame_ticks);
    }
}

void rate_window_mark(RateWindow *window)
{
    window->marked_bin = window->next_bin;
}

void rate_window_rewind(RateWindow *window)
{
    window->next_bin = window->marked_bin;
}

void rate_window_jump(RateWindow *window, int64_t next_bin)
{
    window->next_bin = next_bin;
    for (int i = 0; i < window->slots * window->cells; i++)
        window->rates[i] = NAN;
}

void rate_window_finish(RateWindow *window)
{
    free(window->rates);
    *window = (RateWindow){0};
}
