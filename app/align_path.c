#include "app/align_path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/align_place.h"

enum { ADVANCE_MOST = 8, BAND = 16, BAND_MOST = 256, BESIDE = 3, FAR = 2 * BAND };
static const float FAULT = 4, SKIP_MORE = 1; // a hold or a skip; each further row skipped
static const float LEVEL_SIGMA = 0.035f;     // of a coded level, in luminance
static const float LOST = 7.5f; // a frame, the one before standing in: less than a hold and a skip
static const float LEVEL_WORST = 12;
static const float LEVEL_UNCLEAR = 6; // neither bright nor dark
static const float CLEAR = 0.15f;     // of the middle between them, in luminance
static const float LEVEL_TURNED =
    3; // at most, where its own edge was found: the baseline may wander
static const float EDGE_LOST = 3.5f, EDGE_EXTRA = 6; // below a hold: a lone lost edge is that
static const float OUTSIDE_TOGGLE = 6; // a slot out of the run that toggles all the same
static const double CHEAPER = 0.01;
static const double LAG =
    1e-6; // a refresh of lag; of lead, which no screen has, twice that: breaks ties
static const float AMBIGUOUS = 3;

static bool is_inside(const AlignProblem *p, int64_t row)
{
    return row >= 0 && row < p->rows_count;
}

bool align_path_toggles(const AlignProblem *p, int64_t slot)
{
    return p->seen[slot].has_edge && slot > 0;
}

static bool wants_edge(const AlignProblem *p, int64_t before, int64_t row)
{
    if (p->look == ALIGN_PULSES)
        return row != before && p->rows[row].is_new;
    bool was_bright = is_inside(p, before) ? p->rows[before].is_bright : p->rows[0].is_bright;
    return row != before && p->rows[row].is_bright != was_bright;
}

static float level_price(const AlignSeen *seen, float lum)
{
    float off = (seen->level - (lum - 0.5f)) / LEVEL_SIGMA;
    return fminf(0.5f * off * off, LEVEL_WORST);
}

static float brightness_price(const AlignSeen *seen, bool is_bright)
{
    if (fabsf(seen->level) < CLEAR)
        return LEVEL_UNCLEAR;
    return (seen->level > 0) == is_bright ? 0 : LEVEL_WORST;
}

/* Price of the row's image having been lost, and the one before it standing in. */
static float lost_price(const AlignProblem *p, int64_t slot, int64_t row)
{
    bool was_bright = row > 0 ? p->rows[row - 1].is_bright : p->rows[0].is_bright;
    if (p->look == ALIGN_LEVELS)
        return LOST + brightness_price(&p->seen[slot], was_bright);
    return LOST + level_price(&p->seen[slot], p->rows[row > 0 ? row - 1 : 0].lum);
}

static bool turns_as_wanted(const AlignProblem *p, const AlignSeen *seen, int64_t before,
                            int64_t row)
{
    return seen->turn == (p->rows[row].is_bright ? 1 : -1) && wants_edge(p, before, row);
}

/* Price of a slot that shows row, the slot before having shown `before`. */
static float look_price(const AlignProblem *p, int64_t slot, int64_t before, int64_t row)
{
    bool is_light = p->look == ALIGN_CODED || p->look == ALIGN_LEVELS;
    if (!is_inside(p, row) || (row == 0 && is_light)) // until row 1 the patch shows row 0
        return align_path_toggles(p, slot) ? OUTSIDE_TOGGLE : 0;
    const AlignRow *wanted = &p->rows[row];
    const AlignSeen *seen = &p->seen[slot];
    if (is_light) {
        float price = p->look == ALIGN_CODED ? level_price(seen, wanted->lum)
                                             : brightness_price(seen, wanted->is_bright);
        if (turns_as_wanted(p, seen, before, row))
            return fminf(price, LEVEL_TURNED);
        return price > LOST && row == before + 1 ? fminf(price, lost_price(p, slot, row)) : price;
    }
    bool wants = wants_edge(p, before, row);
    return wants == seen->has_edge ? 0 : wants ? EDGE_LOST : EDGE_EXTRA;
}

static float advance_price(int64_t rows)
{
    return rows == 1 ? 0 : rows == 0 ? FAULT : FAULT + SKIP_MORE * (float)(rows - 2);
}

/* Cheapest paths to each row of the band around offset; from (slots, wide) says by how many rows
 * each came. */
static void step(const AlignProblem *p, int64_t slot, int64_t offset, int band,
                 const double *before, double *after, uint8_t *from)
{
    int wide = 2 * band + 1;
    bool is_light = p->look == ALIGN_CODED || p->look == ALIGN_LEVELS;
    for (int i = 0; i < wide; i++) {
        int64_t row = slot + offset + i - band;
        after[i] = (double)INFINITY;
        // of light, what is seen hangs on the row before only where that is the one before
        double next = (double)look_price(p, slot, row - 1, row);
        double other = is_light ? (double)look_price(p, slot, row - 2, row) : 0;
        for (int rows = 0; rows <= ADVANCE_MOST; rows++) {
            int j = i + 1 - rows; // of the slot before, whose rows start one lower
            if (j < 0 || j >= wide)
                continue;
            double look = rows == 1  ? next
                          : is_light ? other
                                     : (double)look_price(p, slot, row - rows, row);
            double price = before[j] + (double)advance_price(rows) + look +
                           LAG * (double)(i > band ? 2 * (i - band) : band - i);
            if (price < after[i]) {
                after[i] = price;
                from[i] = (uint8_t)rows;
            }
        }
    }
}

/* row (slots) := the cheapest path that starts at offset, ±free rows. Its price; INFINITY without
 * memory. */
static double find_path(const AlignProblem *p, int64_t offset, int band, int freedom, int64_t *row)
{
    size_t wide = 2 * (size_t)band + 1;
    double *prices = calloc(2 * wide, sizeof *prices), best = (double)INFINITY;
    uint8_t *from = malloc((size_t)p->slots * wide);
    if (prices && from) {
        double *before = prices, *after = prices + wide;
        for (int i = 0; i < (int)wide; i++) {
            int64_t first = offset + i - band;
            before[i] = abs(i - band) <= freedom ? (double)look_price(p, 0, first - 1, first)
                                                 : (double)INFINITY;
        }
        for (int64_t slot = 1; slot < p->slots; slot++) {
            step(p, slot, offset, band, before, after, from + (size_t)slot * wide);
            double *swap = before;
            before = after;
            after = swap;
        }
        int at = 0;
        for (int i = 0; i < (int)wide; i++)
            if (before[i] < before[at])
                at = i;
        best = before[at];
        for (int64_t slot = p->slots - 1; slot >= 0; slot--) {
            row[slot] = slot + offset + at - band;
            if (slot > 0)
                at += 1 - from[(size_t)slot * wide + (size_t)at];
        }
    }
    free(prices);
    free(from);
    return best;
}

/* The same in a band that is wide enough: a wider one brings nothing cheaper. row is as the last
 * band has it. */
static double find_widening(const AlignProblem *p, int64_t offset, int freedom, int64_t *row)
{
    double price = (double)INFINITY;
    for (int band = BAND; band <= BAND_MOST; band *= 4) {
        double wider = find_path(p, offset, band, freedom == 0 ? 0 : band, row);
        bool is_settled = isinf(wider) || (!isinf(price) && wider > price - CHEAPER);
        price = wider;
        if (is_settled)
            break;
    }
    return price;
}

/* The place whose path is cheapest, wherever near it the path starts: row := that path. */
static double find_start(const AlignProblem *p, const AlignPlaces *places, int64_t *rival,
                         int64_t *row)
{
    double best = (double)INFINITY;
    for (int i = 0; i < places->count; i++) {
        bool is_covered = false; // by the band of one before
        for (int j = 0; j < i; j++)
            is_covered = is_covered || llabs(places->offset[i] - places->offset[j]) <= BAND / 2;
        if (is_covered)
            continue;
        double price = find_widening(p, places->offset[i], 1, rival);
        if (price < best) {
            best = price;
            memcpy(row, rival, (size_t)p->slots * sizeof *row);
        }
    }
    // once more from there, so that of equal paths the one without a lag wins
    return isinf(best) ? best : find_widening(p, row[0], 0, row);
}

/* The cheapest path, and whether one that starts beside it, or far away, comes as cheap to another
 * row half way: nothing but a start, an end or a pattern in between can hold it. */
static AlignOutcome find_among(const AlignProblem *p, const AlignPlaces *places, int64_t *row,
                               int64_t *other)
{
    int64_t *rival = malloc((size_t)p->slots * sizeof *rival), middle = p->slots / 2;
    double best = rival ? find_start(p, places, rival, row) : (double)INFINITY;
    double second = (double)INFINITY;
    for (int i = -BESIDE; !isinf(best) && i <= BESIDE + places->count; i++) {
        bool is_far = i > BESIDE;
        int64_t from = is_far ? places->offset[i - BESIDE - 1] : row[0] + i;
        if (i == 0 || (is_far && llabs(from - row[0]) <= FAR))
            continue;
        double price = find_widening(p, from, is_far, rival);
        bool is_same = rival[middle] == row[middle] || (is_far && llabs(rival[0] - row[0]) <= FAR);
        if (!is_same && price < second) {
            second = price;
            *other = rival[middle] - row[middle];
        }
    }
    free(rival);
    if (isinf(best))
        return rival ? ALIGN_LOST : ALIGN_NO_MEMORY;
    return second - best < (double)AMBIGUOUS ? ALIGN_AMBIGUOUS : ALIGN_FOUND;
}

AlignOutcome align_path_find(const AlignProblem *p, int64_t *row, int64_t *other)
{
    AlignPlaces places;
    *other = 0;
    if (p->look == ALIGN_CODED) {
        if (!align_place_coded(p, &places))
            return ALIGN_LOST;
        return isinf(find_widening(p, places.offset[0], 1, row)) ? ALIGN_NO_MEMORY : ALIGN_FOUND;
    }
    if (!align_place_toggles(p, &places))
        return ALIGN_NO_MEMORY;
    return places.count == 0 ? ALIGN_LOST : find_among(p, &places, row, other);
}

bool align_path_is_coded(const AlignProblem *p)
{
    AlignPlaces places;
    return align_place_coded(p, &places);
}

AlignFit align_path_fit(const AlignProblem *p, const int64_t *row, int64_t slot)
{
    int64_t before = slot > 0 ? row[slot - 1] : row[0] - 1;
    if (!is_inside(p, row[slot]))
        return ALIGN_FITS;
    float price = look_price(p, slot, before, row[slot]);
    if (p->look == ALIGN_TOGGLES || p->look == ALIGN_PULSES)
        return price > 0 ? ALIGN_DIFFERS : ALIGN_FITS;
    if (row[slot] == before + 1 && price >= LOST && price < 0.95f * LEVEL_WORST)
        return ALIGN_STANDS_IN;
    return price > 0.95f * LEVEL_WORST ? ALIGN_DIFFERS : ALIGN_FITS;
}
