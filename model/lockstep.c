#include "model/lockstep.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/follower.h"
#include "model/kind.h"

/* What the screen showed from refresh `first` on. */
typedef struct {
    int64_t first, refreshes;
    int64_t known_ns;
    int64_t stayed_from,
        stayed_known_ns; // missed refreshes it stayed on for: from which, known when
    const float *lum[LOCKSTEP_MAX_MODELS]; // each model's raster, in `rasters`
} Image;

struct Lockstep {
    int count;
    Follower followers[LOCKSTEP_MAX_MODELS];
    int cheapest_first[LOCKSTEP_MAX_MODELS];
    int64_t (*now_ns)(void *ctx);
    void *clock_ctx;

    // images oldest … newest − 1 wait for some model, or are the last one shown
    Image images[LOCKSTEP_QUEUE_FRAMES]; // image i in slot i % LOCKSTEP_QUEUE_FRAMES
    int64_t oldest, newest;
    float *rasters[LOCKSTEP_MAX_MODELS]; // owned (LOCKSTEP_QUEUE_FRAMES, height_px, width_px)
    int64_t next_refresh;                // first that no image is known for
    bool is_on_trust;                    // the newest image was offered and not yet reported
    bool is_finishing;
};

static Image *image_at(Lockstep *l, int64_t index)
{
    return &l->images[index % LOCKSTEP_QUEUE_FRAMES];
}

static size_t pixels(const Follower *f)
{
    return (size_t)f->info->width_px * (size_t)f->info->height_px;
}

static int64_t end_of(const Image *image)
{
    return image->first + image->refreshes;
}

/* ---- the queue */

static bool is_waited_for(const Lockstep *l, const Image *image)
{
    for (int m = 0; m < l->count; m++)
        if (l->followers[m].next_refresh < end_of(image) &&
            l->followers[m].lost_until < end_of(image))
            return true;
    return false;
}

static void drop_seen(Lockstep *l)
{
    // the last one may yet stay on for longer
    while (l->oldest < l->newest - 1 && !is_waited_for(l, image_at(l, l->oldest)))
        l->oldest++;
}

/* Room for one more image: models that still wait for the oldest lose all up to `refresh`. */
static void make_room(Lockstep *l, int64_t refresh)
{
    drop_seen(l);
    if (l->newest - l->oldest < LOCKSTEP_QUEUE_FRAMES)
        return;
    int64_t end = end_of(image_at(l, l->oldest));
    for (int m = 0; m < l->count; m++)
        if (l->followers[m].next_refresh < end)
            follower_lose(&l->followers[m], refresh);
    drop_seen(l);
}

static const float *keep_raster(Lockstep *l, int model, const float *const *lum, const Image *image)
{
    const Follower *f = &l->followers[model];
    for (int other = 0; other < model; other++)
        if (lum[other] == lum[model]) {
            assert(pixels(&l->followers[other]) == pixels(f));
            return image->lum[other];
        }
    float *kept = l->rasters[model] + (size_t)(l->newest % LOCKSTEP_QUEUE_FRAMES) * pixels(f);
    memcpy(kept, lum[model], pixels(f) * sizeof *kept);
    return kept;
}

static void push_image(Lockstep *l, int64_t refresh, int64_t refreshes, const float *const *lum)
{
    Image *image = image_at(l, l->newest);
    *image = (Image){.first = refresh,
                     .refreshes = refreshes,
                     .known_ns = l->now_ns(l->clock_ctx),
                     .stayed_from = INT64_MAX};
    for (int m = 0; m < l->count; m++)
        image->lum[m] = keep_raster(l, m, lum, image);
    l->newest++;
    l->next_refresh = end_of(image);
}

/* The image stayed on until refresh `until`, as has just been learned. */
static void lengthen(Lockstep *l, Image *image, int64_t until)
{
    if (until == end_of(image))
        return;
    if (image->stayed_from == INT64_MAX)
        image->stayed_from = end_of(image);
    image->stayed_known_ns = l->now_ns(l->clock_ctx);
    image->refreshes = until - image->first;
}

/* What refresh showed, for one model. */
static FollowerFrame frame_of(Lockstep *l, int model, int64_t refresh)
{
    int64_t index = l->oldest;
    while (index < l->newest - 1 && refresh >= end_of(image_at(l, index)))
        index++;
    const Image *image = image_at(l, index);
    return (FollowerFrame){.lum = image->lum[model],
                           .known_ns = refresh < image->stayed_from ? image->known_ns
                                                                    : image->stayed_known_ns,
                           .is_on_trust = l->is_on_trust && index == l->newest - 1};
}

/* ---- the work */

static void sort_by_cost(Lockstep *l)
{
    for (int i = 1; i < l->count; i++)
        for (int j = i; j > 0; j--) {
            int *pair = &l->cheapest_first[j - 1];
            if (follower_cost_ns(&l->followers[pair[0]]) <=
                follower_cost_ns(&l->followers[pair[1]]))
                break;
            int dearer = pair[0];
            pair[0] = pair[1];
            pair[1] = dearer;
        }
}

/* A refresh each, in turn, until all are done or out of time. */
static void run(Lockstep *l, int64_t deadline_ns)
{
    bool has_moved = true;
    while (has_moved) {
        has_moved = false;
        for (int i = 0; i < l->count; i++) {
            int model = l->cheapest_first[i];
            Follower *f = &l->followers[model];
            if (f->next_refresh == l->next_refresh)
                continue;
            FollowerFrame frame = frame_of(l, model, f->next_refresh);
            has_moved |= follower_advance(f, &frame, deadline_ns);
        }
    }
}

void lockstep_offer(Lockstep *l, int64_t refresh, const float *const *lum, int64_t deadline_ns)
{
    assert(!l->is_on_trust && refresh >= l->next_refresh);
    l->is_finishing = false;
    lengthen(l, image_at(l, l->newest - 1), refresh);
    make_room(l, refresh);
    push_image(l, refresh, 1, lum);
    l->is_on_trust = true;
    for (int m = 0; m < l->count; m++)
        follower_forget_cost(&l->followers[m]);
    sort_by_cost(l);
    run(l, deadline_ns);
    for (int m = 0; m < l->count; m++)
        follower_count_late(&l->followers[m], l->next_refresh);
    for (int m = 0; m < l->count; m++)
        follower_settle(&l->followers[l->cheapest_first[m]], deadline_ns);
}

static void take_back(Lockstep *l, const Image *image)
{
    for (int m = 0; m < l->count; m++)
        follower_take_back(&l->followers[m], image->first);
}

void lockstep_shown(Lockstep *l, int missed)
{
    assert(l->is_on_trust && missed >= 0);
    l->is_on_trust = false;
    if (missed == 0)
        return;
    Image *image = image_at(l, l->newest - 1);
    take_back(l, image);
    lengthen(l, image_at(l, l->newest - 2), image->first + missed);
    image->first += missed;
    image->known_ns = l->now_ns(l->clock_ctx);
    l->next_refresh = end_of(image);
}

void lockstep_finish(Lockstep *l)
{
    if (l->is_on_trust) {
        Image *image = image_at(l, l->newest - 1);
        take_back(l, image);
        l->next_refresh = image->first;
        l->newest--;
        l->is_on_trust = false;
    }
    l->is_finishing = true;
    run(l, INT64_MAX);
}

static bool peek_oldest(const Lockstep *l, LockstepRow *row)
{
    // rows on trust are nobody's business yet
    int64_t below = l->next_refresh - (l->is_on_trust ? 1 : 0);
    *row = (LockstepRow){.model = -1};
    for (int m = 0; m < l->count; m++) {
        LockstepRow candidate;
        if (!follower_peek(&l->followers[m], below, &candidate))
            continue;
        candidate.model = m;
        if (row->model < 0 || candidate.refresh < row->refresh)
            *row = candidate;
    }
    return row->model >= 0;
}

bool lockstep_take(Lockstep *l, LockstepRow *row)
{
    bool has_row = peek_oldest(l, row);
    if (!has_row && l->is_finishing) {
        run(l, INT64_MAX);
        has_row = peek_oldest(l, row);
    }
    if (has_row)
        l->followers[row->model].rows_taken++;
    return has_row;
}

int64_t lockstep_delay_ns(const Lockstep *l, int model)
{
    const Follower *f = &l->followers[model];
    return f->rates.delay_ticks > 0 ? llround(1e9 / f->info->bin_hz) : 0;
}

int64_t lockstep_late_count(const Lockstep *l, int model)
{
    return l->followers[model].late_count;
}

/* ---- life */

static bool init_model(Lockstep *l, Model *model, double frame_hz, float background_lum, char *err)
{
    int m = l->count;
    Follower *f = &l->followers[m];
    if (!follower_init(f, model, frame_hz, background_lum, l->now_ns, l->clock_ctx, err))
        return false;
    l->count++;
    l->cheapest_first[m] = m;
    l->rasters[m] = model_alloc(LOCKSTEP_QUEUE_FRAMES * pixels(f));
    if (l->rasters[m] == NULL)
        return model_refuse(err, "model %s: not enough memory to run it", f->info->name);
    for (size_t i = 0; i < pixels(f); i++)
        l->rasters[m][i] = background_lum;
    return true;
}

Lockstep *lockstep_create(Model *const *models, int count, double frame_hz, double background_lum,
                          int64_t (*now_ns)(void *ctx), void *clock_ctx, char *err)
{
    if (count < 0 || count > LOCKSTEP_MAX_MODELS) {
        model_refuse(err, "%d models at once; allowed are 0 to %d", count, LOCKSTEP_MAX_MODELS);
        return NULL;
    }
    Lockstep *l = calloc(1, sizeof *l);
    if (l == NULL) {
        model_refuse(err, "not enough memory to run %d models", count);
        return NULL;
    }
    l->now_ns = now_ns;
    l->clock_ctx = clock_ctx;
    for (int m = 0; m < count; m++)
        if (!init_model(l, models[m], frame_hz, (float)background_lum, err)) {
            lockstep_destroy(l);
            return NULL;
        }
    // what was on screen before the first image: slot 0 of the rasters, filled with the background
    const Image before = {.stayed_from = INT64_MAX};
    l->images[0] = before;
    for (int m = 0; m < count; m++)
        l->images[0].lum[m] = l->rasters[m];
    l->newest = 1;
    return l;
}

void lockstep_destroy(Lockstep *l)
{
    if (l == NULL)
        return;
    for (int m = 0; m < l->count; m++) {
        follower_finish(&l->followers[m]);
        free(l->rasters[m]);
    }
    free(l);
}
