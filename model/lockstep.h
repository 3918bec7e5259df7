#pragma once
/* Many models, one screen: every model sees what every refresh showed, at its own bin rate.
 *
 * Refreshes are numbered as the display numbers them. For each image the loop offers the luminance it is
 * about to show at refresh k; the models answer at once, on trust. When the display has said at which
 * refresh the image really appeared, lockstep_shown() keeps those answers, or, if refreshes were missed,
 * takes them back and lets the models see the old image for as long as it stayed.
 * A model that has no time before the deadline is not run; it catches up later and is counted late.
 * The stimulus never waits for it.
 *
 * Row k of a model is its rate over refresh k's own interval [k, k+1)/frame_hz, integrated exactly over the
 * bins, shifted by delay_ns (one bin for models of lag 0 whose bins do not fall on refreshes, else 0).
 * Frame thread only; allocates only in lockstep_create(). */
#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

enum { LOCKSTEP_MAX_MODELS = 8, LOCKSTEP_QUEUE_FRAMES = 64 };

typedef struct Lockstep Lockstep;

/* A finished row. rates_hz is lent until the next lockstep call. */
typedef struct {
    int model;
    int64_t refresh;
    int64_t latency_ns; // from the luminance being known to the rates being known
    bool is_late;       // not answered in the frame that offered it
    const float *rates_hz; // (cells); NaN where the model had lost the frame
} LockstepRow;

/* models borrowed, outlive this. frame_hz is the display's nominal refresh. now_ns is the session
 * clock. NULL with a sentence in err (MODEL_ERR_BYTES) when a model's bin rate cannot be driven from
 * frame_hz (more than MODEL_MAX_REWIND_BINS bins a refresh). */
Lockstep *lockstep_create(Model *const *models, int count, double frame_hz,
                          int64_t (*now_ns)(void *ctx), void *clock_ctx, char *err);

/* Offers the image for refresh. lum[m] is model m's raster (models may share a pointer); copied.
 * Models that would not be done by deadline_ns by their recent cost are left for later. */
void lockstep_offer(Lockstep *lockstep, int64_t refresh, const float *const *lum, int64_t deadline_ns);

/* The offered image appeared `missed` refreshes after the one it was offered for (0: on time). */
void lockstep_shown(Lockstep *lockstep, int missed);

/* The next finished row, oldest first; false when there is none. */
bool lockstep_take(Lockstep *lockstep, LockstepRow *row);

/* Runs whatever is still queued, with no deadline: the end of a run, or predict. */
void lockstep_finish(Lockstep *lockstep);

int64_t lockstep_delay_ns(const Lockstep *lockstep, int model);
int64_t lockstep_late_count(const Lockstep *lockstep, int model);

void lockstep_destroy(Lockstep *lockstep);
