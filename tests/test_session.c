/* Whole sessions on the null display with a clock turned by hand: every stall is ours. */
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/session.h"

enum { REFRESHES = 240, CELLS = 24, PERIOD_NS = 10000000, MOST_STALLS = 8 };

/* A clock that only moves when somebody sleeps, and jumps before chosen refreshes. */
typedef struct {
    int64_t now_ns;
    int64_t stall_after_sleep[MOST_STALLS], stall_ns[MOST_STALLS];
    int stalls;
    int64_t sleeps;
} HandClock;

static int64_t hand_now_ns(void *ctx)
{
    return ((HandClock *)ctx)->now_ns;
}

static void hand_sleep_until_ns(void *ctx, int64_t until_ns)
{
    HandClock *clock = ctx;
    if (until_ns > clock->now_ns)
        clock->now_ns = until_ns;
    clock->sleeps++;
    for (int i = 0; i < clock->stalls; i++)
        if (clock->stall_after_sleep[i] == clock->sleeps)
            clock->now_ns += clock->stall_ns[i];
}

typedef struct {
    int64_t refresh, image;
    int missed, trial_frame, trigger_code;
} Row;

typedef struct {
    Row rows[REFRESHES];
    int count;
    float rates[REFRESHES * CELLS];
    int events, flashes, events_missed;
    RecorderFigures figures;
    SessionEnd end;
} Outcome;

static const char protocol_text[] =
    "name: hand\n"
    "seed: 1\n"
    "display: {refresh_hz: 100, um_per_px: 50, width_px: 50, height_px: 50}\n"
    "models: [circuit]\n"
    "blocks:\n"
    "  - name: train\n"
    "    repeats: 4\n"
    "    before_ms: 100\n"
    "    after_ms: 100\n"
    "    trigger_code: 5\n"
    "    flicker: {periods_ms: [80], flash_ms: 20, flashes: 6, contrast: -1}\n";

static Plan *make_plan(const char *folder, Protocol **protocol)
{
    char path[600], err[CONFIG_ERR_BYTES];
    snprintf(path, sizeof path, "%s/hand.yaml", folder);
    FILE *file = fopen(path, "w");
    fputs(protocol_text, file);
    fclose(file);
    *protocol = protocol_load(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(*protocol);
    Plan *plan = plan_create(*protocol, path, 100, 2500, 2500, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    return plan;
}

static void read_back(const char *folder, Outcome *outcome)
{
    char path[600], line[1024];
    snprintf(path, sizeof path, "%s/frames.tsv", folder);
    FILE *file = fopen(path, "r");
    while (outcome->count < REFRESHES && fgets(line, sizeof line, file)) {
        Row *row = &outcome->rows[outcome->count];
        long long refresh, image;
        if (sscanf(line, "%lld %lld %d %*d %*d %*d %*d %d %d", &refresh, &image, &row->missed,
                   &row->trial_frame, &row->trigger_code) != 5)
            continue;
        row->refresh = refresh;
        row->image = image;
        outcome->count++;
    }
    fclose(file);
    snprintf(path, sizeof path, "%s/events.tsv", folder);
    file = fopen(path, "r");
    char kind[32];
    int missed;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%*d %31s %*d %*d %*d %d", kind, &missed) == 2) {
            outcome->events++;
            outcome->events_missed += missed;
            outcome->flashes += !strcmp(kind, "flash");
        }
    fclose(file);
    snprintf(path, sizeof path, "%s/rates.f32", folder);
    file = fopen(path, "rb");
    CU_ASSERT_EQUAL(fread(outcome->rates, CELLS * sizeof(float), REFRESHES, file),
                    (size_t)outcome->count);
    fclose(file);
}

static void play(HandClock *hand, atomic_bool *stop, Outcome *outcome)
{
    const char *folder = test_folder("session");
    char err[1024];
    const int cells[] = {CELLS};
    Protocol *protocol;
    Plan *plan = make_plan(folder, &protocol);
    DisplayOptions options = {
        .kind = DISPLAY_NULL, .width_px = 50, .height_px = 50, .um_per_px = 50, .refresh_hz = 100};
    DisplayClock clock = {hand_now_ns, hand_sleep_until_ns, hand};
    Model *model = model_open("circuit", err);
    Display *display = display_open(&options, &clock, err);
    Lockstep *lockstep = lockstep_create(&model, 1, 100, 0.5, session_now_ns, NULL, err);
    Recorder *recorder = recorder_create(folder, 1, cells, err);
    SessionParts parts = {.plan = plan,
                          .display = display,
                          .models = &model,
                          .models_count = 1,
                          .lockstep = lockstep,
                          .recorder = recorder,
                          .refreshes = REFRESHES,
                          .is_offline = true,
                          .stop = stop};
    Session *session = session_create(&parts, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(session);
    *outcome = (Outcome){.end = session_run(session)};
    CU_ASSERT(recorder_finish(recorder, &outcome->figures, err));
    session_destroy(session);
    recorder_destroy(recorder);
    lockstep_destroy(lockstep);
    display_close(display);
    model_close(model);
    plan_destroy(plan);
    protocol_destroy(protocol);
    read_back(folder, outcome);
}

static Outcome smooth, stalled;

static void nothing_missed_nothing_late(void)
{
    atomic_bool stop = false;
    play(&(HandClock){.now_ns = 1000}, &stop, &smooth);
    CU_ASSERT_EQUAL(smooth.end, SESSION_COMPLETE);
    CU_ASSERT_EQUAL(smooth.count, REFRESHES);
    CU_ASSERT_EQUAL(smooth.figures.missed, 0);
    for (int k = 0; k < smooth.count; k++) {
        CU_ASSERT(smooth.rows[k].refresh == k && smooth.rows[k].image == k);
        // trials are 10 + 48 + 10 frames long; the code goes with the stimulus
        CU_ASSERT_EQUAL(smooth.rows[k].trial_frame, k % 68);
        CU_ASSERT_EQUAL(smooth.rows[k].trigger_code, k % 68 == 10 ? 5 : 0);
    }
}

static void stalls_are_rows_of_their_own(void)
{
    // a stall of 2.5 periods after sleep n makes one image late by 2 or 3 refreshes
    HandClock hand = {.now_ns = 1000,
                      .stall_after_sleep = {60, 100},
                      .stall_ns = {25000000, 41000000},
                      .stalls = 2};
    atomic_bool stop = false;
    play(&hand, &stop, &stalled);
    CU_ASSERT_EQUAL(stalled.count, REFRESHES);
    int missed = 0, late = 0;
    for (int k = 0; k < stalled.count; k++) {
        const Row *row = &stalled.rows[k];
        CU_ASSERT_EQUAL(row->refresh, k);
        CU_ASSERT_EQUAL(row->trial_frame, k % 68);
        CU_ASSERT_EQUAL(row->trigger_code, k % 68 == 10 ? 5 : 0);
        if (row->missed)
            CU_ASSERT_EQUAL(row->image, stalled.rows[k - 1].image);
        missed += row->missed;
        late += !row->missed && row->image < k;
        if (!row->missed && k > 0 && !stalled.rows[k - 1].missed)
            CU_ASSERT_EQUAL(row->image, k); // back on schedule at once
    }
    CU_ASSERT_EQUAL(missed, 2 + 4);
    CU_ASSERT_EQUAL(late, 2);
    CU_ASSERT_EQUAL(stalled.figures.missed, missed);
}

static void every_event_has_its_row(void)
{
    // 240 refreshes hold trials 0 to 2 (start, onset, six flashes, two ends) and of trial 3 start, onset, four
    CU_ASSERT_EQUAL(smooth.events, 3 * 10 + 6);
    CU_ASSERT_EQUAL(smooth.flashes, 4 * 6 - 2);
    CU_ASSERT_EQUAL(smooth.events, stalled.events);
    CU_ASSERT_EQUAL(smooth.events_missed, 0);
}

static void models_see_what_the_screen_showed(void)
{
    // The rates of a model fed by hand with the images that frames.tsv names.
    char err[MODEL_ERR_BYTES];
    Model *model = model_open("circuit", err);
    static float lum[50 * 50];
    int different = 0;
    for (int k = 0; k < stalled.count; k++) {
        float rates[CELLS], shown = 0.5f;
        int64_t frame = stalled.rows[k].image % 68 - 10;
        if (stalled.rows[k].image >= 0 && frame >= 0 && frame < 48 && frame % 8 < 2)
            shown = 0;
        for (int i = 0; i < 50 * 50; i++)
            lum[i] = shown;
        model_step(model, lum, rates);
        for (int c = 0; c < CELLS; c++)
            CU_ASSERT(test_near((double)stalled.rates[k * CELLS + c], (double)rates[c], 0.002));
        different += memcmp(rates, &smooth.rates[k * CELLS], sizeof rates) != 0;
    }
    CU_ASSERT(different > 20); // the stalls did change what the model saw
    model_close(model);
}

static void stop_flag_ends_after_a_whole_refresh(void)
{
    static Outcome stopped;
    atomic_bool stop = true;
    play(&(HandClock){.now_ns = 1000}, &stop, &stopped);
    CU_ASSERT_EQUAL(stopped.end, SESSION_STOPPED);
    CU_ASSERT_EQUAL(stopped.count, 1);
    CU_ASSERT_EQUAL(stopped.figures.refreshes, 1);
}

static const TestCase cases[] = {
    {"without a stall every refresh shows its own image", nothing_missed_nothing_late},
    {"every refresh of a stall has its row, and the schedule stays", stalls_are_rows_of_their_own},
    {"every event of the protocol has its row", every_event_has_its_row},
    {"after a stall the models have seen what the screen showed",
     models_see_what_the_screen_showed},
    {"the stop flag ends the session after a whole refresh", stop_flag_ends_after_a_whole_refresh},
};

int main(void)
{
    return test_main("session", cases, sizeof cases / sizeof cases[0]);
}
