#include "app/align.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/align_fit.h"
#include "app/align_look.h"

enum { SLOTS_LEAST = 16 };
static const double ODD_SHARE_MOST = 0.2;

/* What is being worked on; parts are owned. */
typedef struct {
    const AlignOrder *order;
    AlignView view;
    int64_t *row; // (view.problem.slots): row of the run in each slot
    AlignAnswer *answer;
} Work;

static bool is_row(const Work *w, int64_t row)
{
    return row >= 0 && row < w->order->frames->count;
}

static const Frame *frame_at(const Work *w, int64_t row)
{
    return &w->order->frames->frames[row];
}

static AlignPlace *place_at(const Work *w, int64_t row)
{
    return &w->answer->places[row];
}

/* The first slot of each row that is there, and its sample. */
static void put_samples(const Work *w)
{
    const AlignView *view = &w->view;
    for (int64_t n = view->problem.slots - 1; n >= 0; n--)
        if (is_row(w, w->row[n])) {
            AlignPlace *place = place_at(w, w->row[n]);
            place->sample = (double)llround(align_view_at(view, n));
            place->lag = (int32_t)(n + w->view.in_step - w->row[n]);
            place->what = frame_at(w, w->row[n])->is_missed ? ALIGN_MISSED : ALIGN_SHOWN;
        }
}

static void drop(const Work *w, int64_t row)
{
    if (!is_row(w, row))
        return;
    bool is_image = !frame_at(w, row)->is_missed;
    place_at(w, row)->what = is_image ? ALIGN_DROPPED : ALIGN_SKIPPED;
    w->answer->dropped += is_image;
    w->answer->unexplained += !is_image;
}

static void hold(const Work *w, int64_t row, int64_t refreshes)
{
    if (!is_row(w, row) || refreshes <= 0)
        return;
    place_at(w, row)->what = ALIGN_DOUBLED;
    place_at(w, row)->held = (int32_t)refreshes;
    w->answer->doubled += refreshes;
}

/* A row that stays for h refreshes and is followed by one that skips k: the lesser of them are rows
 * whose predecessor stood in for them, dropped and no more; what is left was held, or dropped. */
static void name_faults(const Work *w)
{
    int64_t slots = w->view.problem.slots;
    for (int64_t n = 0; n + 1 < slots;) {
        int64_t holds = 0, row = w->row[n];
        while (n + holds + 1 < slots && w->row[n + holds + 1] == row)
            holds++;
        n += holds + 1;
        int64_t skips = n < slots ? w->row[n] - row - 1 : 0;
        for (int64_t i = 1; i <= skips; i++)
            drop(w, row + i);
        if (n < slots)
            hold(w, row, holds - skips);
    }
}

static void lose(const Work *w, int64_t row)
{
    drop(w, row);
    if (is_row(w, row))
        place_at(w, row)->sample = (double)NAN;
}

/* Edges alone: one that lacks. A frame that was lost lacks two, one after the other. */
static void name_lost_edge(const Work *w, int64_t n, int64_t *last_lost)
{
    if (*last_lost == n - 1) {
        w->answer->lost_edges--;
        lose(w, w->row[n] - 1);
        *last_lost = -2;
    } else {
        w->answer->lost_edges++;
        *last_lost = n;
    }
}

static bool name_differences(const Work *w)
{
    const AlignProblem *problem = &w->view.problem;
    int64_t odd = 0, last_lost = -2;
    for (int64_t n = 0; n < problem->slots; n++) {
        AlignFit fit = align_path_fit(problem, w->row, n);
        bool is_lacking = fit == ALIGN_DIFFERS && !problem->seen[n].has_edge;
        odd += fit != ALIGN_FITS;
        if (fit == ALIGN_STANDS_IN || (is_lacking && problem->look == ALIGN_PULSES))
            lose(w, w->row[n]);
        else if (is_lacking && problem->look == ALIGN_TOGGLES)
            name_lost_edge(w, n, &last_lost);
        else if (fit == ALIGN_DIFFERS) {
            w->answer->unexplained++;
            place_at(w, w->row[n])->what = ALIGN_ODD;
        }
    }
    return (double)odd <= ODD_SHARE_MOST * (double)problem->slots;
}

/* Edges off the grid, and those where the recording shows the run's rows and they want none. */
static bool keep_strays(const Work *w)
{
    const AlignSlots *slots = &w->view.slots;
    AlignAnswer *answer = w->answer;
    answer->strays = malloc((slots->strays_count + 1) * sizeof *answer->strays);
    if (!answer->strays)
        return false;
    for (size_t i = 0; i < slots->strays_count; i++) {
        int64_t n = align_view_slot(&w->view, slots->strays[i]);
        if (n >= 0 && n < w->view.problem.slots && is_row(w, w->row[n]))
            answer->strays[answer->strays_count++] = slots->strays[i];
    }
    answer->unexplained += answer->strays_count;
    return true;
}

static void count(const Work *w)
{
    AlignAnswer *answer = w->answer;
    for (int64_t k = 0; k < answer->count; k++) {
        bool is_image = !frame_at(w, k)->is_missed;
        answer->frames += is_image;
        answer->found += is_image && !isnan(answer->places[k].sample);
        answer->unrecorded += is_image && answer->places[k].what == ALIGN_UNRECORDED;
    }
    for (int64_t n = 1; n < w->view.problem.slots; n++) {
        bool wants = is_row(w, w->row[n]) && align_view_wants(&w->view, n + w->view.in_step);
        answer->toggles_wanted += wants;
        answer->toggles_found += wants && !isnan(align_view_edge(&w->view, n));
    }
}

static bool answer_all(Work *w)
{
    put_samples(w);
    name_faults(w);
    if (!name_differences(w)) {
        w->answer->outcome = ALIGN_LOST;
        return true;
    }
    if (!keep_strays(w) || !align_fit_clock(w->order, &w->view, w->row, w->answer))
        return false;
    count(w);
    return true;
}

static AlignOutcome find(Work *w)
{
    const AlignProblem *problem = &w->view.problem;
    free(w->row);
    w->row = malloc((size_t)problem->slots * sizeof *w->row);
    AlignOutcome outcome =
        w->row ? align_path_find(problem, w->row, &w->answer->other) : ALIGN_NO_MEMORY;
    if (outcome == ALIGN_FOUND)
        align_view_step(&w->view, w->row);
    return outcome;
}

/* On an even grid first, which needs nothing but the edges; then on that of the run's times, if it
 * fits better. */
static bool find_twice(Work *w)
{
    double offset, rate_hz;
    bool is_there, is_changed;
    w->answer->outcome = find(w);
    if (w->answer->outcome != ALIGN_FOUND)
        return w->answer->outcome != ALIGN_NO_MEMORY;
    if (!align_fit_line(w->order, &w->view, w->row, &offset, &rate_hz, &is_there))
        return false;
    if (!is_there)
        return true;
    if (!align_view_follow(&w->view, offset, rate_hz, &is_changed))
        return false;
    if (is_changed)
        w->answer->outcome = find(w);
    return w->answer->outcome != ALIGN_NO_MEMORY;
}

bool align_run(const AlignOrder *order, AlignAnswer *answer)
{
    *answer = (AlignAnswer){.count = order->frames->count, .outcome = ALIGN_LOST};
    Work w = {.order = order, .answer = answer};
    answer->places = calloc((size_t)answer->count, sizeof *answer->places);
    for (int64_t k = 0; answer->places && k < answer->count; k++)
        answer->places[k] = (AlignPlace){
            .sample = (double)NAN, .residual_us = (double)NAN, .what = ALIGN_UNRECORDED};
    bool ok = answer->places && align_view_make(order, &w.view);
    answer->look = w.view.problem.look;
    answer->is_foreign = ok && w.view.is_foreign;
    if (ok && w.view.problem.slots >= SLOTS_LEAST && !answer->is_foreign) {
        ok = find_twice(&w);
        if (ok && answer->outcome == ALIGN_FOUND)
            ok = answer_all(&w);
    }
    free(w.row);
    align_view_finish(&w.view);
    return ok;
}

void align_finish(AlignAnswer *answer)
{
    free(answer->places);
    free(answer->strays);
    answer->places = NULL;
    answer->strays = NULL;
}

const char *align_what_name(AlignWhat what)
{
    static const char *const names[] = {
        [ALIGN_SHOWN] = "shown",           [ALIGN_MISSED] = "missed",   [ALIGN_DROPPED] = "dropped",
        [ALIGN_DOUBLED] = "doubled",       [ALIGN_SKIPPED] = "skipped", [ALIGN_ODD] = "odd",
        [ALIGN_UNRECORDED] = "unrecorded",
    };
    return names[what];
}
