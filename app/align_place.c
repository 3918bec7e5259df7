#include "app/align_place.h"

#include <math.h>
#include <stdlib.h>

enum { WINDOW = 64, WINDOWS_MOST = 48, SLACK = 3, NEAR = 16, WORD = 64 };
// A coded window fits its place several times better than toggles alone do, which miss the code's
// 0.1 rms.
static const float CODED = 0.6f;
// of the 0.04 by which the code's second bit sets levels apart, squared; a lost frame counts no
// more than it
static const double VISIBLE = 0.02, CLIP = 0.1;

/* Sum of squares of what a window of levels is off its rows, given up above `most`. */
static float misfit(const AlignProblem *p, int64_t slot, int64_t row, float most)
{
    float sum = 0;
    for (int i = 0; i < WINDOW && sum < most; i++) {
        float off = p->seen[slot + i].level - (p->rows[row + i].lum - 0.5f);
        sum += off * off;
    }
    return sum;
}

/* The same for a patch of two levels. */
static float misfit_of_toggles(const AlignProblem *p, int64_t slot)
{
    float sum = 0;
    for (int i = 0; i < WINDOW; i++) {
        float off = fabsf(p->seen[slot + i].level) - 0.35f;
        sum += off * off;
    }
    return sum;
}

/* The place of a window by its code; false when it shows none. */
static bool place_window(const AlignProblem *p, int64_t slot, int64_t *offset)
{
    float best = misfit_of_toggles(p, slot) * CODED;
    bool is_placed = false;
    for (int64_t row = 0; row + WINDOW <= p->rows_count; row++) {
        float off = misfit(p, slot, row, best);
        if (off < best) {
            best = off;
            *offset = row - slot;
            is_placed = true;
        }
    }
    return is_placed;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

bool align_place_coded(const AlignProblem *p, AlignPlaces *places)
{
    int64_t offsets[WINDOWS_MOST];
    int placed = 0, best = 0, first = 0;
    int64_t stride = (p->slots - WINDOW) / WINDOWS_MOST + 1;
    if (stride < WINDOW / 2)
        stride = WINDOW / 2;
    *places = (AlignPlaces){0};
    for (int64_t slot = 0; slot + WINDOW <= p->slots && placed < WINDOWS_MOST; slot += stride)
        placed += place_window(p, slot, &offsets[placed]);
    qsort(offsets, (size_t)placed, sizeof *offsets, by_value);
    for (int i = 0; i < placed; i++) { // the densest cluster
        int count = 0;
        while (i + count < placed && offsets[i + count] - offsets[i] <= NEAR)
            count++;
        if (count > best) {
            best = count;
            first = i;
        }
    }
    // two windows that agree: one in thousands of places is found by chance, and never at the same
    if (best < 2 || 2 * best < placed)
        return false;
    places->offset[places->count++] = offsets[first + best / 2];
    return true;
}

bool align_place_shows_code(const AlignProblem *p)
{
    double after_two = 0, after_four = 0;
    for (int64_t n = 0; n + 4 < p->slots; n++) {
        double two = (double)(p->seen[n].level - p->seen[n + 2].level);
        double four = (double)(p->seen[n].level - p->seen[n + 4].level);
        after_two += fmin(two * two, CLIP);
        after_four += fmin(four * four, CLIP);
    }
    return after_two - after_four > VISIBLE * (double)p->slots;
}

static uint64_t bits_at(const uint64_t *bits, int64_t words, int64_t at)
{
    int64_t word = at >= 0 ? at / WORD : -((-at + WORD - 1) / WORD);
    int shift = (int)(at - word * WORD);
    uint64_t low = word >= 0 && word < words ? bits[word] : 0;
    uint64_t high = word + 1 >= 0 && word + 1 < words ? bits[word + 1] : 0;
    return shift == 0 ? low : low >> shift | high << (WORD - shift);
}

/* Sums of ever wider fields side by side. */
static int count_bits(uint64_t bits)
{
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (int)(bits * 0x0101010101010101u >> 56);
}

/* Slots that toggle, and rows that should. */
static void fill_bits(const AlignProblem *p, uint64_t *seen, uint64_t *wanted)
{
    bool is_pulses = p->look == ALIGN_PULSES;
    for (int64_t n = 0; n < p->slots; n++)
        seen[n / WORD] |= (uint64_t)align_path_toggles(p, n) << n % WORD;
    for (int64_t r = 0; r < p->rows_count; r++) {
        bool has = is_pulses ? p->rows[r].is_new
                             : r > 0 && p->rows[r].is_bright != p->rows[r - 1].is_bright;
        wanted[r / WORD] |= (uint64_t)has << r % WORD;
    }
}

/* Keeps the cheapest offsets in order of their mismatches. */
static void keep(AlignPlaces *places, int64_t *costs, int64_t offset, int64_t cost)
{
    int at = places->count < ALIGN_PLACES ? places->count++ : ALIGN_PLACES;
    for (; at > 0 && cost < costs[at - 1]; at--)
        if (at < ALIGN_PLACES) {
            places->offset[at] = places->offset[at - 1];
            costs[at] = costs[at - 1];
        }
    if (at < ALIGN_PLACES) {
        places->offset[at] = offset;
        costs[at] = cost;
    }
}

/* The first and last of the bits that are set; −1: none is. */
static int64_t first_bit(const uint64_t *bits, int64_t count)
{
    int64_t at = 0;
    while (at < count && !(bits[at / WORD] >> at % WORD & 1))
        at++;
    return at < count ? at : -1;
}

static int64_t last_bit(const uint64_t *bits, int64_t count)
{
    int64_t at = count - 1;
    while (at >= 0 && !(bits[at / WORD] >> at % WORD & 1))
        at--;
    return at;
}

/* ends: the offsets at which first bit lies on first, and last on last. */
typedef struct {
    const AlignProblem *problem;
    uint64_t *seen, *wanted;
    int64_t seen_words, wanted_words;
    int64_t ends[2];
    int64_t costs[ALIGN_PLACES];
} Search;

static void try_offset(Search *search, int64_t offset, AlignPlaces *places)
{
    int64_t limit = places->count == ALIGN_PLACES ? search->costs[ALIGN_PLACES - 1] : INT64_MAX;
    int64_t cost = 0, tail = search->problem->slots % WORD;
    for (int64_t w = 0; w < search->seen_words && cost < limit; w++) {
        uint64_t rows = bits_at(search->wanted, search->wanted_words, offset + w * WORD);
        if (w == search->seen_words - 1)
            rows &= ((uint64_t)1 << tail) - 1;
        cost += count_bits(search->seen[w] ^ rows);
    }
    if (cost < limit)
        keep(places, search->costs, offset, cost);
}

static bool is_near_end(const Search *search, int64_t offset)
{
    return llabs(offset - search->ends[0]) < ALIGN_PLACES ||
           llabs(offset - search->ends[1]) < ALIGN_PLACES;
}

/* Where faults shift all that follows, only the run's own start or end is in its place. */
static void add_ends(const Search *search, AlignPlaces *places)
{
    int kept = places->count < ALIGN_PLACES - 2 ? places->count : ALIGN_PLACES - 2;
    places->count = kept;
    for (int e = 0; e < 2; e++) {
        bool is_there = false;
        for (int i = 0; i < places->count; i++)
            is_there = is_there || places->offset[i] == search->ends[e];
        if (!is_there)
            places->offset[places->count++] = search->ends[e];
    }
}

/* The likely offsets first: what they cost cuts the others short. */
static void search_all(Search *search, AlignPlaces *places)
{
    int64_t first = -search->problem->slots + 2, end = search->problem->rows_count - 1;
    for (int is_rest = 0; is_rest < 2; is_rest++)
        for (int64_t offset = first; offset < end; offset++)
            if (is_near_end(search, offset) == !is_rest)
                try_offset(search, offset, places);
}

bool align_place_toggles(const AlignProblem *p, AlignPlaces *places)
{
    Search search = {
        .problem = p, .seen_words = p->slots / WORD + 1, .wanted_words = p->rows_count / WORD + 1};
    *places = (AlignPlaces){0};
    search.seen = calloc((size_t)(search.seen_words + search.wanted_words), sizeof *search.seen);
    if (!search.seen)
        return false;
    search.wanted = search.seen + search.seen_words;
    fill_bits(p, search.seen, search.wanted);
    search.ends[0] = first_bit(search.wanted, p->rows_count) - first_bit(search.seen, p->slots);
    search.ends[1] = last_bit(search.wanted, p->rows_count) - last_bit(search.seen, p->slots);
    search_all(&search, places);
    while (places->count > 1 && search.costs[places->count - 1] > search.costs[0] + SLACK)
        places->count--;
    add_ends(&search, places);
    free(search.seen);
    return true;
}
