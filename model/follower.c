#include "model/follower.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

enum { COST_DECAY = 8, IDLE_IMAGES = LOCKSTEP_QUEUE_FRAMES / 2 };

static int64_t now(const Follower *f)
{
    return f->now_ns(f->clock_ctx);
}

/* ---- cost */

static void cost_add(FollowerCost *cost, int64_t ns)
{
    cost->recent_ns[cost->count++ % FOLLOWER_COSTS] = ns;
    cost->idle_images = 0;
    if (ns > cost->peak_ns)
        cost->peak_ns = ns;
}

/* The third largest of the recent runs, so that two hiccups of the machine among them do not count, and
 * sinking to the best of them while the model is not run, so that three do not keep it out for good. The best
 * holds: a model that always takes longer than a refresh is never tried again. The decaying peak comes on
 * top, for a single hiccup is likely to be followed by another. */
static int64_t cost_expected(const FollowerCost *cost)
{
    int64_t largest[3] = {0}, best = INT64_MAX;
    int count = cost->count < FOLLOWER_COSTS ? cost->count : FOLLOWER_COSTS;
    for (int i = 0; i < count; i++) {
        int64_t ns = cost->recent_ns[i];
        best = ns < best ? ns : best;
        for (int rank = 0; rank < 3; rank++)
            if (ns > largest[rank]) {
                int64_t smaller = largest[rank];
                largest[rank] = ns;
                ns = smaller;
            }
    }
    if (count == 0)
        return cost->peak_ns;
    int64_t third = largest[2] > best ? largest[2] : best;
    int64_t expected = best + (third - best) * (IDLE_IMAGES - cost->idle_images) / IDLE_IMAGES;
    return expected > cost->peak_ns ? expected : cost->peak_ns;
}

static void cost_forget(FollowerCost *cost)
{
    cost->peak_ns -= cost->peak_ns / COST_DECAY;
    if (cost->idle_images < IDLE_IMAGES)
        cost->idle_images++;
}

static FollowerCost *next_step(Follower *f)
{
    return f->is_settled ? &f->settled_cost : &f->unsettled_cost;
}

void follower_forget_cost(Follower *f)
{
    cost_forget(&f->settled_cost);
    cost_forget(&f->unsettled_cost);
    cost_forget(&f->settle_cost);
}

int64_t follower_cost_ns(Follower *f)
{
    return cost_expected(next_step(f));
}

/* ---- bins */

static void settle(Follower *f)
{
    int64_t start = now(f);
    model_settle(f->model);
    cost_add(&f->settle_cost, now(f) - start);
    f->is_settled = true;
}

static void step(Follower *f, const float *lum, float *rates_hz)
{
    int64_t start = now(f);
    model_step(f->model, lum, rates_hz);
    cost_add(next_step(f), now(f) - start);
    f->is_settled = false;
}

void follower_settle(Follower *f, int64_t deadline_ns)
{
    if (!f->is_settled && now(f) <= deadline_ns - cost_expected(&f->settle_cost))
        settle(f);
}

static void step_bin(Follower *f)
{
    bool is_blind = f->bins.bin < f->blind_until_bin;
    const float *lum = bin_average_take(&f->bins);
    float *rates_hz = rate_window_push(&f->rates);
    step(f, lum, rates_hz);
    for (int cell = 0; is_blind && cell < f->info->cells; cell++)
        rates_hz[cell] = NAN;
}

/* ---- rows */

static float *row_rates(const Follower *f, int64_t row)
{
    return f->rates_hz + row % FOLLOWER_ROWS * f->info->cells;
}

static bool has_room(const Follower *f)
{
    return f->rows_written - f->rows_taken < FOLLOWER_ROWS;
}

/* Names the row of next_refresh, whose rates are in place, and moves on to the next refresh. */
static void finish_row(Follower *f, int64_t latency_ns)
{
    f->rows[f->rows_written % FOLLOWER_ROWS] =
        (FollowerRow){f->next_refresh, latency_ns, f->next_refresh < f->late_until};
    f->rows_written++;
    f->next_refresh++;
}

static void write_lost_row(Follower *f)
{
    float *rates_hz = row_rates(f, f->rows_written);
    for (int cell = 0; cell < f->info->cells; cell++)
        rates_hz[cell] = NAN;
    finish_row(f, -1);
}

static void begin(Follower *f, const FollowerFrame *frame)
{
    if (frame->is_on_trust) {
        bin_average_mark(&f->bins);
        rate_window_mark(&f->rates);
        model_mark(f->model);
        f->marked_refresh = f->next_refresh;
    }
    bin_average_feed(&f->bins, frame->lum);
}

bool follower_advance(Follower *f, const FollowerFrame *frame, int64_t deadline_ns)
{
    if (!has_room(f))
        return false;
    if (f->next_refresh < f->lost_until) {
        write_lost_row(f);
        return true;
    }
    if (f->bins.source == NULL)
        begin(f, frame);
    while (bin_average_has_bin(&f->bins)) {
        if (now(f) > deadline_ns - follower_cost_ns(f))
            return false;
        step_bin(f);
    }
    bin_average_take(&f->bins);
    rate_window_row(&f->rates, f->next_refresh, row_rates(f, f->rows_written));
    finish_row(f, now(f) - frame->known_ns);
    return true;
}

void follower_take_back(Follower *f, int64_t refresh)
{
    bool is_begun = f->next_refresh > refresh || (f->next_refresh == refresh && f->bins.source);
    if (!is_begun)
        return;
    assert(f->marked_refresh == refresh && f->next_refresh - refresh <= 1);
    f->rows_written -= f->next_refresh - refresh;
    f->next_refresh = refresh;
    bin_average_rewind(&f->bins);
    rate_window_rewind(&f->rates);
    model_rewind(f->model);
    f->is_settled = false;
}

void follower_lose(Follower *f, int64_t until)
{
    int64_t lag_bins = f->info->lag_bins, history_bins = f->info->history_bins;
    follower_count_late(f, until);
    bin_average_jump(&f->bins, until);
    rate_window_jump(&f->rates, f->bins.bin + lag_bins);
    f->blind_until_bin = f->bins.bin + (history_bins > 0 ? history_bins - 1 : 0);
    f->lost_until = until;
    f->is_settled = false;
    model_reset(f->model);
}

void follower_count_late(Follower *f, int64_t due)
{
    int64_t from = f->next_refresh > f->late_until ? f->next_refresh : f->late_until;
    if (due <= from)
        return;
    f->late_count += due - from;
    f->late_until = due;
}

bool follower_peek(const Follower *f, int64_t below, LockstepRow *row)
{
    const FollowerRow *oldest = &f->rows[f->rows_taken % FOLLOWER_ROWS];
    if (f->rows_taken == f->rows_written || oldest->refresh >= below)
        return false;
    *row = (LockstepRow){.refresh = oldest->refresh,
                         .latency_ns = oldest->latency_ns,
                         .is_late = oldest->is_late,
                         .rates_hz = row_rates(f, f->rows_taken)};
    return true;
}

/* ---- life */

static bool init_resampling(Follower *f, double frame_hz, const float *resting, char *err)
{
    const ModelInfo *info = f->info;
    int64_t frame_ticks, bin_ticks;
    if (!resample_ticks(frame_hz, info->bin_hz, &frame_ticks, &bin_ticks))
        return model_refuse(err,
                            "model %s: bins at %g Hz on a display at %g Hz; allowed are rates from "
                            "0.001 to 1000000 Hz",
                            info->name, info->bin_hz, frame_hz);
    if (frame_ticks > MODEL_MAX_REWIND_BINS * bin_ticks)
        return model_refuse(err,
                            "model %s: bins at %g Hz cannot be driven from a display at %g Hz; "
                            "allowed are at most %g Hz, %d bins a refresh",
                            info->name, info->bin_hz, frame_hz, frame_hz * MODEL_MAX_REWIND_BINS,
                            MODEL_MAX_REWIND_BINS);
    // without a lag the rate of a bin is known with its end, which may lie after the refresh
    bool is_delayed = info->lag_bins == 0 && frame_ticks % bin_ticks != 0;
    int64_t delay_ticks = is_delayed ? bin_ticks : 0;
    return (bin_average_init(&f->bins, info->width_px * info->height_px, frame_ticks, bin_ticks) &&
            rate_window_init(&f->rates, info->cells, frame_ticks, bin_ticks, delay_ticks,
                             info->lag_bins, resting)) ||
           model_refuse(err, "model %s: not enough memory to run it", info->name);
}

/* Learns the cost of a step with and without settling before it, and the rates at rest. */
static void warm_up(Follower *f, const float *background, float *resting)
{
    int history = f->info->history_bins > 0 ? f->info->history_bins + f->info->lag_bins
                                            : (int)ceil(LOCKSTEP_ADAPT_S * f->info->bin_hz);
    model_reset(f->model);
    f->is_settled = false;
    for (int bin = 0; bin < history || bin < 3 * FOLLOWER_COSTS; bin++) {
        step(f, background, resting);
        if (bin % 2 == 0)
            settle(f);
    }
    if (fabs((double)background[0] - f->info->lum_mean) < 1e-9) { // reset is that very state
        model_reset(f->model);
        f->is_settled = false;
    }
}

bool follower_init(Follower *f, Model *model, double frame_hz, float background_lum,
                   int64_t (*now_ns)(void *ctx), void *clock_ctx, char *err)
{
    const ModelInfo *info = model_info(model);
    *f = (Follower){.model = model,
                    .info = info,
                    .now_ns = now_ns,
                    .clock_ctx = clock_ctx,
                    .marked_refresh = -1};
    size_t pixels = (size_t)info->width_px * (size_t)info->height_px, cells = (size_t)info->cells;
    float *background = model_alloc(pixels), *resting = model_alloc(cells);
    f->rates_hz = model_alloc(FOLLOWER_ROWS * cells);
    bool is_ready = background != NULL && resting != NULL && f->rates_hz != NULL;
    if (is_ready) {
        for (size_t i = 0; i < pixels; i++)
            background[i] = background_lum;
        warm_up(f, background, resting);
        is_ready = init_resampling(f, frame_hz, resting, err);
    } else {
        model_refuse(err, "model %s: not enough memory to run it", info->name);
    }
    free(background);
    free(resting);
    if (!is_ready)
        follower_finish(f);
    return is_ready;
}

void follower_finish(Follower *f)
{
    bin_average_finish(&f->bins);
    rate_window_finish(&f->rates);
    free(f->rates_hz);
    *f = (Follower){0};
}
