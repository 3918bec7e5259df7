#pragma once
/* Exact conversion between refreshes and time bins, without drift: all times are whole ticks.
 *
 * With rates in whole millihertz a tick is chosen such that refresh k covers [k, k+1) · frame_ticks
 * and bin j covers [j, j+1) · bin_ticks; both begin at tick 0. Nothing here allocates after its
 * init. */
#include <stdbool.h>
#include <stdint.h>

/* frame_ticks / bin_ticks = bin_hz / frame_hz in lowest terms, the rates rounded to 0.001 Hz. false
 * when one of them is below 0.001 Hz, above 1e6 Hz or not a number. */
bool resample_ticks(double frame_hz, double bin_hz, int64_t *frame_ticks, int64_t *bin_ticks);

/* Refreshes in, the time average over each completed bin out. A constant stays constant, bit for
 * bit. */
typedef struct {
    int count; // values in a frame and in a bin
    int64_t frame_ticks, bin_ticks;
    int64_t frame;       // being fed, or next
    int64_t bin;         // next to be completed
    int64_t tick;        // up to which the frames are averaged
    const float *source; // (count) lent while a frame is being fed, else NULL
    float *mean;         // owned (count): of the current bin so far
    int64_t marked_frame, marked_bin;
    float *marked_mean; // owned (count)
} BinAverage;

bool bin_average_init(BinAverage *average, int count, int64_t frame_ticks, int64_t bin_ticks);

/* Begins the next frame. values (count) are lent until bin_average_take() has returned NULL. */
void bin_average_feed(BinAverage *average, const float *values);

/* Whether the frame being fed still completes a bin: take will not return NULL. */
bool bin_average_has_bin(const BinAverage *average);

/* The next bin that the frame completes (count, lent until the next take), or NULL: the frame is
 * used up, what is left of it waits for the next. */
const float *bin_average_take(BinAverage *average);

/* Between frames only. jump goes on with `frame` and the first bin that begins no earlier. */
void bin_average_mark(BinAverage *average);
void bin_average_rewind(BinAverage *average);
void bin_average_jump(BinAverage *average, int64_t frame);
void bin_average_finish(BinAverage *average);

/* Rates of bins in, rates over refreshes out: refresh k is given the mean rate over its interval
 * shifted by −delay_ticks. Sums of rate · time are kept. */
typedef struct {
    int cells, slots;
    int64_t frame_ticks, bin_ticks, delay_ticks;
    int64_t next_bin, marked_bin; // bins below next_bin are known
    float *rates;                 // owned (slots, cells), bin b in slot b mod slots
} RateWindow;

/* lag_bins: rates come in up to that many bins early. Bins below lag_bins are known from the start,
 * at resting (cells). */
bool rate_window_init(RateWindow *window, int cells, int64_t frame_ticks, int64_t bin_ticks,
                      int64_t delay_ticks, int lag_bins, const float *resting);

/* Where to write the rates (cells) of the next bin, which counts as known from now on. */
float *rate_window_push(RateWindow *window);

/* rates_hz (cells) of refresh `frame`. Every bin it touches must be known, and no bin known that
 * begins more than lag_bins bins behind its end. */
void rate_window_row(const RateWindow *window, int64_t frame, float *rates_hz);

/* mark and rewind: no more bins in between than one refresh completes. jump makes next_bin the next
 * bin and everything before it NaN. */
void rate_window_mark(RateWindow *window);
void rate_window_rewind(RateWindow *window);
void rate_window_jump(RateWindow *window, int64_t next_bin);
void rate_window_finish(RateWindow *window);
