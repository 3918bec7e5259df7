#pragma once
/* Many models, one screen: every model sees what every refresh showed, at its own bin rate.
 *
 * Refreshes are numbered as the display numbers them, from 0. For each image the loop offers the
 * luminance it is about to show at refresh k; the models answer at once, on trust. When the display
 * has said at which refresh the image really appeared, lockstep_shown() keeps those answers, or, if
 * refreshes were missed, takes them back: at the next offer the models see the old image for as
 * long as it stayed, then the new one. Rows come for every refresh, missed ones too, and hold the
 * same bits as if all had been known in time.
 *
 * Bin 0 begins with refresh 0. Before the first image the screen has shown background_lum for long,
 * and every model has adapted to it (its history_bins, or LOCKSTEP_ADAPT_S of a recursive one);
 * should the first image be missed, it stays. Rates that come from before bin 0 are the model's
 * resting rates.
 *
 * A model that has no time before the deadline is not run; it catches up later and is counted late.
 * The stimulus never waits for it: cheap models go first, and one that takes longer than a refresh
 * every time is not run at all before lockstep_finish(). Once LOCKSTEP_QUEUE_FRAMES images wait for
 * it, a model loses all it has not seen: those rows are NaN, it starts again from its reset state,
 * and its rows stay NaN until its history_bins have been filled (a recursive model has none: it
 * answers at once).
 *
 * Row k of a model is its rate over refresh k's own interval [k, k+1)/frame_hz, integrated exactly
 * over the bins, shifted by delay_ns: row k is then the rate over [k/frame_hz − delay,
 * (k+1)/frame_hz − delay). The delay is one bin for models of lag 0 whose bins do not fall on
 * refreshes, else 0. Rates are taken to 0.001 Hz; there is no drift. Frame thread only; allocates
 * only in lockstep_create(). */
#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

enum { LOCKSTEP_MAX_MODELS = 8, LOCKSTEP_QUEUE_FRAMES = 64, LOCKSTEP_ADAPT_S = 5 };

typedef struct Lockstep Lockstep;

/* A finished row. rates_hz is lent until the next lockstep call. */
typedef struct {
    int model;
    int64_t refresh;
    int64_t latency_ns; // from the luminance being known (after a missed refresh: when the display
                        // has said so) to the rates being known; −1 where the frame was lost
    bool is_late;       // not there when the offer returned that first could have answered it
    const float *rates_hz; // (cells); NaN where the model had lost the frame
} LockstepRow;

/* models borrowed, outlive this; they are reset and adapted to background_lum. frame_hz is the
 * display's nominal refresh. now_ns is the session clock. NULL with a sentence in err
 * (MODEL_ERR_BYTES) when there are more than LOCKSTEP_MAX_MODELS, or a model's bin rate cannot be
 * driven from frame_hz (more than MODEL_MAX_REWIND_BINS bins a refresh). */
Lockstep *lockstep_create(Model *const *models, int count, double frame_hz, double background_lum,
                          int64_t (*now_ns)(void *ctx), void *clock_ctx, char *err);

/* Offers the image for refresh. lum[m] is model m's raster (models of the same raster may share a
 * pointer); copied. Models that would not be done by deadline_ns by their recent cost are left for
 * later. Every offer is followed by lockstep_shown(). Refreshes nobody offered showed the image
 * before. */
void lockstep_offer(Lockstep *lockstep, int64_t refresh, const float *const *lum,
                    int64_t deadline_ns);

/* The offered image appeared `missed` refreshes after the one it was offered for (0: on time). */
void lockstep_shown(Lockstep *lockstep, int missed);

/* The next finished row, oldest first, each model's in order; false when there is none. */
bool lockstep_take(Lockstep *lockstep, LockstepRow *row);

/* Runs whatever is still queued, with no deadline: the end of a run, or predict. An image that was
 * offered but not reported as shown is dropped. Rows beyond what is kept are computed as they are
 * taken. */
void lockstep_finish(Lockstep *lockstep);

int64_t lockstep_delay_ns(const Lockstep *lockstep, int model);

/* Rows that are, or will be, marked late. */
int64_t lockstep_late_count(const Lockstep *lockstep, int model);

void lockstep_destroy(Lockstep *lockstep);
