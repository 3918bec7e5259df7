#include "app/align_slots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAP_REFRESHES = 300, STRAYS_IN_A_ROW = 8, RECENT_REFRESHES = 16, NEAR_SLOTS = 12 };
// in refreshes; CLOCK: what two clocks may part in one
static const double ON_GRID = 0.15, ON_GRID_MOST = 0.3, CLOCK = 0.001;
static const double NEAREST = 0.4; // of a refresh whose time is known
static const double FOLLOW_PERIOD = 0.02, FOLLOW_PHASE = 0.3;

/* A stretch of edges on one grid, by index of its edges. */
typedef struct {
    size_t first, end; // edges looked at
    size_t members;
} Stretch;

typedef struct {
    const SyncEdges *edges;
    double nominal;  // samples a refresh
    int64_t *number; // (edges): refreshes since the stretch's first edge, −1: off the grid
} Grid;

static int direction(const SyncEdge *edge)
{
    return edge->step > 0 ? 1 : edge->step < 0 ? -1 : 0;
}

/* The grid as the edges of one direction have it: a screen may be slower up than down. */
typedef struct {
    double sample; // where its last edge should have been, given those before
    int64_t number;
    bool is_own; // false: taken over from the other direction
} Phase;

/* Counts refreshes from `first` on. */
static Stretch follow(const Grid *grid, size_t first)
{
    const SyncEdge *edges = grid->edges->edges;
    Stretch stretch = {first, first + 1, 1};
    double period = grid->nominal;
    Phase start = {(double)edges[first].sample, 0, false}, phases[] = {start, start, start};
    Phase last = start;
    size_t strays = 0;
    grid->number[first] = 0;
    for (size_t i = first + 1; i < grid->edges->count; i++) {
        Phase *phase = &phases[direction(&edges[i]) + 1];
        if (last.number - phase->number > RECENT_REFRESHES)
            *phase = (Phase){last.sample, last.number, false};
        double sample = (double)edges[i].sample;
        if (sample - last.sample > GAP_REFRESHES * period)
            break;
        int64_t steps = llround((sample - phase->sample) / period);
        double expected = phase->sample + (double)steps * period;
        double wide = phase->is_own ? ON_GRID + CLOCK * (double)steps : ON_GRID_MOST;
        double tolerance = fmin(wide, ON_GRID_MOST),
               follow_phase = phase->is_own ? FOLLOW_PHASE : 1;
        grid->number[i] = -1;
        if (fabs(sample - expected) > tolerance * period || phase->number + steps <= last.number) {
            if (++strays == STRAYS_IN_A_ROW)
                break;
            continue;
        }
        if (phase->is_own)
            period += FOLLOW_PERIOD * (sample - expected) / (double)steps;
        *phase =
            (Phase){expected + follow_phase * (sample - expected), phase->number + steps, true};
        last = *phase;
        grid->number[i] = phase->number;
        stretch.members++;
        stretch.end = i + 1;
        strays = 0;
    }
    return stretch;
}

static Stretch longest(const Grid *grid)
{
    Stretch best = {0};
    for (size_t i = 0; i < grid->edges->count;) {
        Stretch stretch = follow(grid, i);
        if (stretch.members > best.members)
            best = stretch;
        i = stretch.members > 1 ? stretch.end : i + 1;
    }
    return best;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, by_value);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Least squares of sample on number: period and the sample of number 0. */
static double fit_period(const AlignSlots *slots, double *origin)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, middle = slots->slots[0].edge;
    for (int64_t k = 0; k < slots->count; k++)
        if (!isnan(slots->slots[k].edge)) {
            double at = slots->slots[k].edge - middle, number = (double)k;
            n++;
            x += number;
            y += at;
            xx += number * number;
            xy += number * at;
        }
    double period = (n * xy - x * y) / (n * xx - x * x);
    *origin = middle + (y - period * x) / n;
    return period;
}

/* Median lateness of rising over falling edges about the grid. */
static bool find_asymmetry(AlignSlots *slots)
{
    double *late = malloc(2 * (size_t)slots->count * sizeof *late);
    size_t counts[2] = {0, 0};
    if (!late)
        return false;
    for (int64_t k = 0; k < slots->count; k++) {
        const AlignSlot *slot = &slots->slots[k];
        int up = slot->step > 0;
        if (!isnan(slot->edge) && fabsf(slot->step) > 0)
            late[(size_t)up * (size_t)slots->count + counts[up]++] = slot->edge - slot->expected;
    }
    if (counts[0] > 0 && counts[1] > 0)
        slots->up_minus_down = median(late + slots->count, counts[1]) - median(late, counts[0]);
    free(late);
    return true;
}

static double lateness(const AlignSlots *slots, const AlignSlot *slot)
{
    return slot->step > 0   ? slots->up_minus_down / 2
           : slot->step < 0 ? -slots->up_minus_down / 2
                            : 0;
}

/* Where slot k begins by the grid and the edges near it. */
static double on_grid(const AlignSlots *slots, int64_t k)
{
    double starts[2 * NEAR_SLOTS + 1]; // against the grid
    size_t count = 0;
    for (int64_t i = k - NEAR_SLOTS; i <= k + NEAR_SLOTS; i++)
        if (i >= 0 && i < slots->count && !isnan(slots->slots[i].edge))
            starts[count++] =
                slots->slots[i].edge - lateness(slots, &slots->slots[i]) - slots->slots[i].expected;
    return slots->slots[k].expected + median(starts, count);
}

/* start := on the grid, where there is an edge. */
static bool find_scatter(AlignSlots *slots)
{
    double *off = malloc((size_t)slots->count * sizeof *off);
    size_t count = 0;
    if (!off)
        return false;
    for (int64_t k = 0; k < slots->count; k++) {
        AlignSlot *slot = &slots->slots[k];
        if (isnan(slot->edge))
            continue;
        slot->start = on_grid(slots, k);
        off[count++] = fabs(slot->edge - lateness(slots, slot) - slot->start);
    }
    slots->scatter = median(off, count);
    free(off);
    return true;
}

/* A start for every slot: its own edge's, or as far off the grid as lies between its neighbours'.
 */
static void fill_starts(AlignSlots *slots, bool is_noise)
{
    int64_t known = 0;
    for (int64_t k = 0; k < slots->count; k++) {
        AlignSlot *slot = &slots->slots[k];
        if (isnan(slot->edge))
            continue;
        if (!is_noise)
            slot->start = slot->edge - lateness(slots, slot);
        slot->at = slot->start + lateness(slots, slot);
        double from = slots->slots[known].start - slots->slots[known].expected;
        double to = slot->start - slot->expected, steps = (double)(k - known);
        for (int64_t i = known + 1; i < k; i++) {
            AlignSlot *between = &slots->slots[i];
            between->start = between->expected + from + (to - from) * (double)(i - known) / steps;
            between->at = between->start;
        }
        known = k;
    }
}

/* expected: of the slots, or NULL for an even grid. */
static bool fill(const Grid *grid, const Stretch *stretch, const double *expected,
                 AlignSlots *slots)
{
    const SyncEdge *edges = grid->edges->edges;
    slots->count = grid->number[stretch->end - 1] + 1;
    slots->slots = calloc((size_t)slots->count, sizeof *slots->slots);
    slots->strays = calloc(stretch->end - stretch->first, sizeof *slots->strays);
    if (!slots->slots || !slots->strays)
        return false;
    for (int64_t k = 0; k < slots->count; k++)
        slots->slots[k].edge = (double)NAN;
    for (size_t i = stretch->first; i < stretch->end; i++) {
        if (grid->number[i] < 0) {
            slots->strays[slots->strays_count++] = (double)edges[i].sample;
            continue;
        }
        AlignSlot *slot = &slots->slots[grid->number[i]];
        slot->edge = (double)edges[i].sample;
        slot->step = edges[i].step;
    }
    double origin;
    slots->period = fit_period(slots, &origin);
    for (int64_t k = 0; k < slots->count; k++)
        slots->slots[k].expected = expected ? expected[k] : origin + slots->period * (double)k;
    if (!find_asymmetry(slots) || !find_scatter(slots))
        return false;
    fill_starts(slots, slots->scatter <= grid->edges->scatter);
    return true;
}

bool align_slots_make(const SyncEdges *edges, double period, AlignSlots *slots)
{
    *slots = (AlignSlots){0};
    Grid grid = {edges, period, calloc(edges->count + 1, sizeof *grid.number)};
    if (!grid.number)
        return false;
    Stretch stretch = longest(&grid);
    bool ok = true;
    if (stretch.members > 1) {
        follow(&grid, stretch.first); // its numbers again: others came after it
        ok = fill(&grid, &stretch, NULL, slots);
    }
    free(grid.number);
    if (!ok)
        align_slots_finish(slots);
    return ok;
}

/* number := the refresh whose start is nearest, −1 for an edge that is near none or shares one with
 * the edge before. */
static Stretch take_nearest(const Grid *grid, const double *expected, int64_t count)
{
    Stretch stretch = {0};
    int64_t row = 0, last = -1;
    for (size_t i = 0; i < grid->edges->count; i++) {
        double sample = (double)grid->edges->edges[i].sample;
        while (row + 1 < count && fabs(expected[row + 1] - sample) <= fabs(expected[row] - sample))
            row++;
        grid->number[i] = -1;
        if (row == last || fabs(expected[row] - sample) > NEAREST * grid->nominal)
            continue;
        grid->number[i] = last = row;
        if (stretch.members++ == 0)
            stretch.first = i;
        stretch.end = i + 1;
    }
    return stretch;
}

bool align_slots_follow(const SyncEdges *edges, const double *expected, int64_t count,
                        AlignSlots *slots, int64_t *first)
{
    *slots = (AlignSlots){0};
    double period = count > 1 ? (expected[count - 1] - expected[0]) / (double)(count - 1) : 0;
    Grid grid = {edges, period, calloc(edges->count + 1, sizeof *grid.number)};
    if (!grid.number)
        return false;
    Stretch stretch = take_nearest(&grid, expected, count);
    bool ok = true;
    if (stretch.members > 1) {
        *first = grid.number[stretch.first];
        for (size_t i = stretch.first; i < stretch.end; i++)
            grid.number[i] -= grid.number[i] < 0 ? 0 : *first;
        ok = fill(&grid, &stretch, expected + *first, slots);
    }
    free(grid.number);
    if (!ok)
        align_slots_finish(slots);
    return ok;
}

double align_slot_start(const AlignSlots *slots, int64_t n)
{
    if (n < 0)
        return slots->slots[0].start + slots->period * (double)n;
    if (n < slots->count)
        return slots->slots[n].start;
    return slots->slots[slots->count - 1].start + slots->period * (double)(n - slots->count + 1);
}

void align_slots_finish(AlignSlots *slots)
{
    free(slots->slots);
    free(slots->strays);
    *slots = (AlignSlots){0};
}
