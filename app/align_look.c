#include "app/align_look.h"

#include <math.h>
#include <stdlib.h>

#include "app/align_place.h"
#include "render/sync_patch.h"

enum { MARGIN_SLOTS = 64, NEAR_SLOTS = 24, EXTRA_ROWS = 512 };
// the part of a refresh whose mean is its level: behind the turn of a slow screen, before the next
static const double LEVEL_FROM = 0.35, LEVEL_UNTIL = 0.95;
static const double TURN_LUM = 0.7;
// of an edge that another program detected: its whole sample
static const double EDGE_SCATTER = 0.5;

static double period_samples(const AlignOrder *order)
{
    return order->frames->period_ns * 1e-9 * order->rate_hz;
}

static bool fill_rows(const AlignOrder *order, AlignView *view)
{
    const Frames *frames = order->frames;
    view->rows = calloc((size_t)frames->count, sizeof *view->rows);
    for (int64_t k = 0; view->rows && k < frames->count; k++) {
        const Frame *frame = &frames->frames[k];
        int64_t image = frame->image < 0 ? 0 : frame->image; // until then the patch shows refresh 0
        view->rows[k] = (AlignRow){
            .lum = sync_patch_lum(image, frames->frames[image].block),
            .is_bright = image & 1,
            .is_new = !frame->is_missed && k % order->every == 0,
        };
    }
    view->problem.rows = view->rows;
    view->problem.rows_count = frames->count;
    return view->rows != NULL;
}

static int64_t count_turns(const AlignView *view)
{
    int64_t turns = 0;
    for (int64_t k = 0; k < view->problem.rows_count; k++)
        turns += align_view_wants(view, k);
    return turns;
}

static bool find_edges(const AlignOrder *order, AlignView *view)
{
    view->edges = (SyncEdges){(SyncEdge *)(uintptr_t)order->edges, (size_t)order->edges_count, 1,
                              EDGE_SCATTER};
    return !order->samples ||
           sync_edges_find(order->samples, order->samples_count, period_samples(order),
                           count_turns(view), &view->edges);
}

static int64_t margin(double samples, double period)
{
    double slots = floor(samples / period);
    return slots < 0 ? 0 : slots > MARGIN_SLOTS ? MARGIN_SLOTS : (int64_t)slots;
}

/* middle (slots) := the light half way between bright and dark around each slot, from the edges
 * near it. */
static void find_middles(const AlignView *view, const double *light, double *middle)
{
    int64_t slots = view->problem.slots, first = 0, end = 0, edges = 0;
    double sum = 0, last = (double)NAN;
    for (int64_t n = 0; n < slots; n++) {
        for (; end < slots && end <= n + NEAR_SLOTS; end++)
            if (end > 0 && !isnan(align_view_edge(view, end))) {
                sum += (light[end] + light[end - 1]) / 2;
                edges++;
            }
        for (; first < n - NEAR_SLOTS; first++)
            if (first > 0 && !isnan(align_view_edge(view, first))) {
                sum -= (light[first] + light[first - 1]) / 2;
                edges--;
            }
        middle[n] = last = edges > 0 ? sum / (double)edges : last;
    }
    for (int64_t n = slots - 2; n >= 0; n--)
        if (isnan(middle[n]))
            middle[n] = middle[n + 1];
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Light of a turn of the patch: the median over the edges. */
static double find_turn(const AlignView *view, const double *light, double *sizes)
{
    size_t count = 0;
    for (int64_t n = 1; n < view->problem.slots; n++)
        if (!isnan(align_view_edge(view, n)))
            sizes[count++] = fabs(light[n] - light[n - 1]);
    qsort(sizes, count, sizeof *sizes, by_value);
    return count > 0 ? sizes[count / 2] : 0;
}

static bool see_light(const AlignOrder *order, AlignView *view)
{
    int64_t slots = view->problem.slots;
    double *light = malloc(2 * (size_t)slots * sizeof *light), *middle = light + slots;
    if (!light)
        return false;
    for (int64_t n = 0; n < slots; n++) {
        double start = align_view_start(view, n);
        double period = fmin(align_view_start(view, n + 1) - start, view->slots.period);
        light[n] = sync_mean(order->samples, order->samples_count, start + LEVEL_FROM * period,
                             start + LEVEL_UNTIL * period);
        if (isnan(light[n]) && n > 0)
            light[n] = light[n - 1];
    }
    double turn = find_turn(view, light, middle);
    find_middles(view, light, middle);
    for (int64_t n = 0; n < slots; n++) {
        int64_t slot = n - view->before;
        view->seen[n].has_edge = !isnan(align_view_edge(view, n));
        if (view->seen[n].has_edge)
            view->seen[n].turn = view->slots.slots[slot].step > 0 ? 1 : -1;
        view->seen[n].level = turn > 0 ? (float)((light[n] - middle[n]) * TURN_LUM / turn) : 0;
    }
    free(light);
    return true;
}

static void see_edges(AlignView *view)
{
    int64_t slots = view->problem.slots;
    float level = view->slots.slots[0].step > 0 ? -0.35f : 0.35f;
    for (int64_t n = 0; n < slots; n++) {
        int64_t slot = n - view->before;
        bool is_in_grid = slot >= 0 && slot < view->slots.count;
        view->seen[n].has_edge = is_in_grid && !isnan(view->slots.slots[slot].edge);
        if (view->seen[n].has_edge)
            level = view->slots.slots[slot].step > 0 ? 0.35f : -0.35f;
        view->seen[n].level = level;
    }
}

static bool have_directions(const AlignOrder *order)
{
    for (int64_t i = 0; i < order->edges_count; i++)
        if (!(fabsf(order->edges[i].step) > 0))
            return false;
    return true;
}

static AlignLook look_of(const AlignOrder *order, AlignView *view)
{
    if (!order->samples)
        return order->is_pulses         ? ALIGN_PULSES
               : have_directions(order) ? ALIGN_LEVELS
                                        : ALIGN_TOGGLES;
    bool is_coded = align_path_is_coded(&view->problem);
    view->is_foreign = !is_coded && align_place_shows_code(&view->problem);
    return is_coded ? ALIGN_CODED : ALIGN_LEVELS;
}

/* What every slot of view->slots looks like. */
static bool see(AlignView *view)
{
    const AlignOrder *order = view->order;
    const AlignSlots *slots = &view->slots;
    double end = slots->slots[slots->count - 1].start + slots->period;
    free(view->seen);
    view->before = margin(slots->slots[0].start, slots->period);
    view->problem.slots =
        view->before + slots->count + margin((double)order->samples_count - end, slots->period);
    view->problem.seen = view->seen = calloc((size_t)view->problem.slots, sizeof *view->seen);
    if (!view->seen)
        return false;
    if (order->samples)
        return see_light(order, view);
    see_edges(view);
    return true;
}

bool align_view_make(const AlignOrder *order, AlignView *view)
{
    *view = (AlignView){.order = order};
    view->problem.look = order->is_pulses ? ALIGN_PULSES : ALIGN_LEVELS;
    if (!fill_rows(order, view) || !find_edges(order, view) ||
        !align_slots_make(&view->edges, period_samples(order), &view->slots))
        return false;
    if (view->slots.count == 0)
        return true;
    if (!see(view))
        return false;
    view->problem.look = look_of(order, view);
    return true;
}

/* Samples at which refreshes −EXTRA_ROWS … count + EXTRA_ROWS − 1 should begin: where frames were held
 * the recording shows rows when the record has none any more. */
static double *expect(const Frames *frames, double offset, double rate_hz)
{
    int64_t rows = frames->count + 2 * EXTRA_ROWS, last = frames->count - 1;
    double *expected = malloc((size_t)rows * sizeof *expected);
    for (int64_t i = 0; expected && i < rows; i++) {
        int64_t row = i - EXTRA_ROWS, known = row < 0 ? 0 : row > last ? last : row;
        double ns = (double)(frames->frames[known].slot_ns - frames->frames[0].slot_ns) +
                    (double)(row - known) * frames->period_ns;
        expected[i] = offset + rate_hz * 1e-9 * ns;
    }
    return expected;
}

bool align_view_follow(AlignView *view, double offset, double rate_hz, bool *is_changed)
{
    const Frames *frames = view->order->frames;
    double *expected = expect(frames, offset, rate_hz);
    AlignSlots slots = {0};
    *is_changed = false;
    bool ok = expected && align_slots_follow(&view->edges, expected, frames->count + 2 * EXTRA_ROWS,
                                             &slots, &view->first);
    if (!ok || slots.count < 2 || !(slots.scatter < view->slots.scatter)) {
        align_slots_finish(&slots);
        free(expected);
        return ok;
    }
    align_slots_finish(&view->slots);
    view->slots = slots;
    view->expected = expected;
    *is_changed = true;
    return see(view);
}

/* The offset of most slots. */
static int64_t commonest(const AlignView *view, const int64_t *row)
{
    int64_t best = 0, best_count = 0, current = 0, run = 0;
    for (int64_t n = 0; n < view->problem.slots; n++) { // the longest stretch without a change
        run = run > 0 && row[n] - n == current ? run + 1 : 1;
        current = row[n] - n;
        if (run > best_count) {
            best_count = run;
            best = current;
        }
    }
    return best;
}

void align_view_step(AlignView *view, const int64_t *row)
{
    view->in_step = commonest(view, row);
    for (int64_t n = 0; row[0] <= 0 && n < view->problem.slots; n++)
        if (row[n] >= 0) {
            view->in_step = row[n] - n;
            return;
        }
}

double align_view_start(const AlignView *view, int64_t n)
{
    int64_t slot = n - view->before, row = view->first + slot;
    const AlignSlot *end = &view->slots.slots[slot < 0 ? 0 : view->slots.count - 1];
    bool is_beyond = slot < 0 || slot >= view->slots.count;
    if (is_beyond && view->expected && row >= 0 && row < view->problem.rows_count + 2 * EXTRA_ROWS)
        return end->start + view->expected[row] - end->expected;
    return align_slot_start(&view->slots, slot);
}

double align_view_at(const AlignView *view, int64_t n)
{
    int64_t slot = n - view->before;
    return slot >= 0 && slot < view->slots.count ? view->slots.slots[slot].at
                                                 : align_view_start(view, n);
}

double align_view_edge(const AlignView *view, int64_t n)
{
    int64_t slot = n - view->before;
    return slot >= 0 && slot < view->slots.count ? view->slots.slots[slot].edge : (double)NAN;
}

int64_t align_view_slot(const AlignView *view, double sample)
{
    int64_t low = 0, high = view->problem.slots; // bisection: starts rise
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (align_view_start(view, middle) <= sample)
            low = middle;
        else
            high = middle;
    }
    return low;
}

bool align_view_wants(const AlignView *view, int64_t row)
{
    const AlignRow *rows = view->rows;
    if (row < 0 || row >= view->problem.rows_count)
        return false;
    if (view->problem.look == ALIGN_PULSES)
        return rows[row].is_new;
    return row > 0 && rows[row].is_bright != rows[row - 1].is_bright;
}

void align_view_finish(AlignView *view)
{
    align_slots_finish(&view->slots);
    if (view->order && view->order->samples)
        sync_edges_finish(&view->edges);
    free(view->expected);
    free(view->seen);
    free(view->rows);
    view->seen = NULL;
    view->rows = NULL;
}
