#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/align.h"

enum { ROWS = 600, EDGES = ROWS + 100, PERIOD = 200 };

static Frames frames;
static SyncEdge edges[EDGES];
static int64_t edges_count;
static AlignAnswer answer;

/* 600 refreshes at 100 Hz, sampled at 20 kHz, which is 200 samples a refresh. */
static void make_frames(void)
{
    frames_finish(&frames);
    CU_ASSERT_FATAL(frames_plan(ROWS, 100, &frames));
}

/* Turns of the two-level patch when slot n shows row[n], the run starting at sample `first`. */
static void play(const int64_t *row, int64_t slots, int64_t first)
{
    int last = 0;
    edges_count = 0;
    for (int64_t n = 0; n < slots; n++) {
        int level = (int)(frames.frames[row[n]].image & 1);
        if (level != last)
            edges[edges_count++] = (SyncEdge){first + n * PERIOD, level ? 1 : -1};
        last = level;
    }
}

static AlignOrder order_of_edges(void)
{
    return (AlignOrder){.frames = &frames,
                        .rate_hz = 20000,
                        .edges = edges,
                        .edges_count = edges_count,
                        .every = 1};
}

static void solve(AlignOrder order)
{
    align_finish(&answer);
    CU_ASSERT_FATAL(align_run(&order, &answer));
}

static int64_t straight[EDGES];

static void make_straight(void)
{
    for (int64_t n = 0; n < EDGES; n++)
        straight[n] = n < ROWS ? n : ROWS - 1;
}

static void a_run_as_on_record_is_found_whole(void)
{
    make_frames();
    make_straight();
    play(straight, ROWS, 5003);
    solve(order_of_edges());
    CU_ASSERT_EQUAL_FATAL(answer.outcome, ALIGN_FOUND);
    CU_ASSERT_EQUAL(answer.look, ALIGN_LEVELS);
    CU_ASSERT_EQUAL(answer.dropped + answer.doubled + answer.unexplained + answer.unrecorded, 0);
    CU_ASSERT(answer.frames == ROWS && answer.found == ROWS);
    CU_ASSERT(answer.toggles_wanted == ROWS - 1 && answer.toggles_found == ROWS - 1);
    CU_ASSERT(test_near(answer.drift_ppm, 0, 1e-6));
    for (int64_t k = 0; k < ROWS; k++) {
        CU_ASSERT(test_near(answer.places[k].sample, (double)(5003 + k * PERIOD), 0.1));
        CU_ASSERT_EQUAL(answer.places[k].what, ALIGN_SHOWN);
    }
}

/* Row 101 never shows, 300 stays for two and all that follows is one later. */
static void faults_are_named_where_they_are(void)
{
    int64_t row[EDGES];
    make_frames();
    for (int64_t n = 0; n <= ROWS; n++)
        row[n] = n == 101 ? 100 : n <= 300 ? n : n - 1;
    play(row, ROWS + 1, 9000);
    solve(order_of_edges());
    CU_ASSERT_EQUAL_FATAL(answer.outcome, ALIGN_FOUND);
    CU_ASSERT(answer.dropped == 1 && answer.doubled == 1 && answer.unexplained == 0);
    CU_ASSERT_EQUAL(answer.places[101].what, ALIGN_DROPPED);
    CU_ASSERT(isnan(answer.places[101].sample));
    CU_ASSERT(answer.places[300].what == ALIGN_DOUBLED && answer.places[300].held == 1);
    CU_ASSERT(answer.places[299].lag == 0 && answer.places[301].lag == 1);
    CU_ASSERT(test_near(answer.places[599].sample, 9000 + 600 * PERIOD, 0.1));
    CU_ASSERT_EQUAL(answer.found, ROWS - 1);
}

/* What the record says itself is no fault: refresh 50 was missed and still showed image 49. */
static void a_miss_on_record_is_no_fault(void)
{
    make_frames();
    make_straight();
    frames.frames[50].image = 49;
    frames.frames[50].is_missed = true;
    play(straight, ROWS, 700);
    solve(order_of_edges());
    CU_ASSERT_EQUAL_FATAL(answer.outcome, ALIGN_FOUND);
    CU_ASSERT_EQUAL(answer.dropped + answer.doubled + answer.unexplained, 0);
    CU_ASSERT_EQUAL(answer.places[50].what, ALIGN_MISSED);
    CU_ASSERT_EQUAL(answer.frames, ROWS - 1);
}

/* The middle of a run that toggles and nothing else: two refreshes on it looks the same. */
static void the_middle_of_a_toggling_run_is_refused(void)
{
    make_frames();
    make_straight();
    play(straight + 200, 200, 100);
    solve(order_of_edges());
    CU_ASSERT_EQUAL(answer.outcome, ALIGN_AMBIGUOUS);
    CU_ASSERT_EQUAL(answer.other % 2, 0);
    for (int64_t k = 0; k < ROWS; k++)
        CU_ASSERT(isnan(answer.places[k].sample));
}

/* The same, with two misses on record at distances that occur once. */
static void a_missed_refresh_is_an_anchor(void)
{
    make_frames();
    make_straight();
    static const int64_t missed[] = {230, 291, 333};
    for (int i = 0; i < 3; i++) {
        frames.frames[missed[i]].image = missed[i] - 1;
        frames.frames[missed[i]].is_missed = true;
    }
    play(straight + 200, 200, 100);
    solve(order_of_edges());
    CU_ASSERT_EQUAL_FATAL(answer.outcome, ALIGN_FOUND);
    CU_ASSERT(test_near(answer.places[250].sample, 100 + 50 * PERIOD, 0.1));
    CU_ASSERT_EQUAL(answer.dropped + answer.doubled + answer.unexplained, 0);
}

static void edges_off_the_grid_are_strays(void)
{
    make_frames();
    make_straight();
    play(straight, ROWS, 5000);
    int64_t at = 300; // between two turns, up and down again
    memmove(edges + at + 2, edges + at, (size_t)(edges_count - at) * sizeof *edges);
    edges[at] = (SyncEdge){edges[at - 1].sample + 90, 1};
    edges[at + 1] = (SyncEdge){edges[at - 1].sample + 100, -1};
    edges_count += 2;
    solve(order_of_edges());
    CU_ASSERT_EQUAL_FATAL(answer.outcome, ALIGN_FOUND);
    CU_ASSERT(answer.strays_count == 2 && answer.unexplained == 2);
    CU_ASSERT_EQUAL(answer.dropped + answer.doubled, 0);
    CU_ASSERT(test_near(answer.strays[0], (double)edges[at].sample, 0.1));
}

static void a_pulse_that_lacks_is_named(void)
{
    make_frames();
    edges_count = 0;
    for (int64_t k = 0; k < ROWS; k++)
        if (k != 77)
            edges[edges_count++] = (SyncEdge){3000 + k * PERIOD, 0};
    AlignOrder order = order_of_edges();
    order.is_pulses = true;
    solve(order);
    CU_ASSERT_EQUAL_FATAL(answer.outcome, ALIGN_FOUND);
    CU_ASSERT(answer.dropped == 1 && answer.doubled == 0 && answer.unexplained == 0);
    CU_ASSERT_EQUAL(answer.places[77].what, ALIGN_DROPPED);
    CU_ASSERT(test_near(answer.places[599].sample, 3000 + 599 * PERIOD, 0.1));
}

static void drift_is_measured(void)
{
    make_frames();
    make_straight();
    play(straight, ROWS, 5000);
    for (int64_t i = 0; i < edges_count; i++)
        edges[i].sample = llround((double)edges[i].sample * (1 + 200e-6));
    solve(order_of_edges());
    CU_ASSERT_EQUAL_FATAL(answer.outcome, ALIGN_FOUND);
    CU_ASSERT(test_near(answer.drift_ppm, 200, 1));
    CU_ASSERT(answer.residual_us_max < 51);
}

/* Whatever edges there are, the answer is finite work and refers to rows that exist. */
static void any_edges_end_in_an_answer(void)
{
    uint64_t seed = 12345;
    make_frames();
    for (int round = 0; round < 150; round++) {
        int64_t sample = 0;
        edges_count = 0;
        while (edges_count < EDGES - 1) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint64_t dice = seed >> 33;
            sample += round % 3 == 0 ? (int64_t)(dice % 500) : PERIOD * (int64_t)(dice % 3);
            sample += dice % 97 == 0 ? 1000000000000 : 0;
            edges[edges_count++] = (SyncEdge){sample, dice & 4 ? 1 : dice & 8 ? -1 : 0};
            if (dice % 701 == 0)
                break;
        }
        AlignOrder order = order_of_edges();
        order.is_pulses = round & 1;
        solve(order);
        CU_ASSERT_EQUAL(answer.count, ROWS);
        CU_ASSERT(answer.found <= answer.frames);
    }
}

static const TestCase cases[] = {
    {"a run as on record is found whole, to the sample", a_run_as_on_record_is_found_whole},
    {"a dropped and a doubled frame are named where they are", faults_are_named_where_they_are},
    {"a miss on record is no fault", a_miss_on_record_is_no_fault},
    {"the middle of a run that only toggles is refused", the_middle_of_a_toggling_run_is_refused},
    {"missed refreshes on record are an anchor", a_missed_refresh_is_an_anchor},
    {"edges off the grid are told of and not used", edges_off_the_grid_are_strays},
    {"a pulse that lacks is named", a_pulse_that_lacks_is_named},
    {"drift between the clocks is measured", drift_is_measured},
    {"any edges end in an answer", any_edges_end_in_an_answer},
};

int main(void)
{
    int status = test_main("align", cases, sizeof cases / sizeof cases[0]);
    align_finish(&answer);
    frames_finish(&frames);
    return status;
}
