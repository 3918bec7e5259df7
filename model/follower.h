#pragma once
/* One model of the lockstep: follows the refreshes at its own bin rate and turns out a row for
 * each.
 *
 * It knows nothing of other models or of the queue of images: lockstep.c hands it one refresh after
 * the other. What it computed for the newest refresh, on trust, can be taken back. */
#include "model/lockstep.h"
#include "model/resample.h"

/* Recent cost of one kind of work: what it would take now, to be on the safe side. */
enum { FOLLOWER_COSTS = 8 };
typedef struct {
    int64_t peak_ns; // decays with each image
    int64_t recent_ns[FOLLOWER_COSTS];
    int count;
    int idle_images; // since the last run
} FollowerCost;

enum { FOLLOWER_ROWS = 2 * LOCKSTEP_QUEUE_FRAMES };
typedef struct {
    int64_t refresh, latency_ns;
    bool is_late;
} FollowerRow;

typedef struct {
    Model *model;          // borrowed
    const ModelInfo *info; // the model's
    int64_t (*now_ns)(void *ctx);
    void *clock_ctx;

    BinAverage bins;
    RateWindow rates;
    bool is_settled;                           // the model, for its next bin
    FollowerCost settled_cost, unsettled_cost; // of a step, with and without settling before it
    FollowerCost settle_cost;

    int64_t next_refresh;    // being fed, or next; its row is the next to be written
    int64_t lost_until;      // refreshes below are lost
    int64_t blind_until_bin; // bins below see a past that was lost
    int64_t marked_refresh;  // that a take-back returns to, -1 for none

    int64_t late_until; // refreshes below have been counted, if they were late
    int64_t late_count;
    int64_t rows_written, rows_taken;
    FollowerRow rows[FOLLOWER_ROWS];
    float *rates_hz; // owned (FOLLOWER_ROWS, cells)
} Follower;

/* Resets the model and lets it adapt to background_lum, which also tells what it costs and how it
 * rests. */
bool follower_init(Follower *follower, Model *model, double frame_hz, float background_lum,
                   int64_t (*now_ns)(void *ctx), void *clock_ctx, char *err);

/* An image on screen for one refresh, as much of it as a model needs. */
typedef struct {
    const float *lum; // (height_px, width_px) lent until the row is written or taken back
    int64_t known_ns; // since when that refresh's luminance is known
    bool is_on_trust; // may be taken back
} FollowerFrame;

/* Works on next_refresh until its row is written (true), or until the next bin would, by its
 * recent cost, end after deadline_ns, or there is no room for the row (false). */
bool follower_advance(Follower *follower, const FollowerFrame *frame, int64_t deadline_ns);

/* Readies the model for its next bin, if that ends before deadline_ns. */
void follower_settle(Follower *follower, int64_t deadline_ns);

/* Back to the start of `refresh`, which was worked on on trust, or not at all. */
void follower_take_back(Follower *follower, int64_t refresh);

/* Gives up the refreshes from next_refresh up to `until`: their rows are NaN, the model starts
 * afresh. */
void follower_lose(Follower *follower, int64_t until);

/* The rows of all refreshes below due should be there by now; those that are not are late. */
void follower_count_late(Follower *follower, int64_t due);

/* A new image: old peaks of cost count less. */
void follower_forget_cost(Follower *follower);

/* What one bin is expected to take. */
int64_t follower_cost_ns(Follower *follower);

/* The oldest row not yet taken, if it is below `below`; rates_hz lent until the next call. */
bool follower_peek(const Follower *follower, int64_t below, LockstepRow *row);

void follower_finish(Follower *follower);
