#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"
#include "model/lockstep.h"
#include "tests/harness.h"
#include "tests/random_model.h"

enum { REFRESHES_MAX = 600, CELLS = 2, PIXELS = 6, MODELS_MAX = 3, MS = 1000000 };

/* ---- a clock turned by hand, and a model that turns it */

static int64_t clock_ns;

static int64_t now_ns(void *ctx)
{
    (void)ctx;
    return clock_ns;
}

/* rates[0] = 100 · luminance of the newest bin's first pixel; rates[1] a leaky sum of the last
 * pixel, which remembers everything since the reset (or, when it forgets, the last history_bins).
 * */
typedef struct {
    int history;
    double leaky;
    float past[8]; // last pixel of the last bins, newest first
    double marked_leaky;
    float marked_past[8];
    int64_t step_ns, settle_ns; // what they cost
    int64_t hiccup_ns;          // what the next step costs on top, once
    bool is_settled;
    int steps;
} Probe;

static void probe_settle(void *state)
{
    Probe *probe = state;
    clock_ns += probe->is_settled ? 0 : probe->settle_ns;
    probe->is_settled = true;
}

static void probe_step(void *state, const float *lum, float *rates_hz)
{
    Probe *probe = state;
    probe_settle(probe);
    clock_ns += probe->step_ns + probe->hiccup_ns;
    probe->hiccup_ns = 0;
    probe->is_settled = false;
    probe->steps++;
    memmove(probe->past + 1, probe->past, 7 * sizeof(float));
    probe->past[0] = lum[PIXELS - 1];
    probe->leaky = 0.9 * probe->leaky + (double)lum[PIXELS - 1];
    rates_hz[0] = 100 * lum[0];
    rates_hz[1] = (float)probe->leaky;
    for (int i = 0; i < probe->history; i++)
        rates_hz[1] = (i == 0 ? 0 : rates_hz[1]) + probe->past[i] / (float)(1 + i);
}

static void probe_mark(void *state)
{
    Probe *probe = state;
    probe->marked_leaky = probe->leaky;
    memcpy(probe->marked_past, probe->past, sizeof probe->past);
}

static void probe_rewind(void *state)
{
    Probe *probe = state;
    probe->leaky = probe->marked_leaky;
    memcpy(probe->past, probe->marked_past, sizeof probe->past);
    probe->is_settled = false;
}

static void probe_reset(void *state)
{
    Probe *probe = state;
    probe->leaky = 0;
    memset(probe->past, 0, sizeof probe->past);
    probe->is_settled = false;
}

static const ModelInterface probe_interface = {.step = probe_step,
                                               .settle = probe_settle,
                                               .mark = probe_mark,
                                               .rewind = probe_rewind,
                                               .reset = probe_reset,
                                               .close = free};

/* Its resting luminance is 0: rates at rest are 0. history 0: recursive. */
static Model *open_probe(double bin_hz, int lag, int history, Probe **probe)
{
    static const char *const names[CELLS] = {"newest", "leaky"};
    char err[MODEL_ERR_BYTES];
    *probe = calloc(1, sizeof **probe);
    (*probe)->history = history;
    ModelParts parts = {.state = *probe,
                        .interface = &probe_interface,
                        .info = {.name = "probe",
                                 .kind = "probe",
                                 .width_px = PIXELS,
                                 .height_px = 1,
                                 .bin_hz = bin_hz,
                                 .lag_bins = lag,
                                 .history_bins = history,
                                 .cells = CELLS,
                                 .cell_names = names}};
    Model *model = model_from_parts(&parts, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    return model;
}

/* ---- what the screen showed, and the rows that came of it */

typedef struct {
    int models;
    int taken[MODELS_MAX];
    float rates_hz[MODELS_MAX][REFRESHES_MAX][CELLS];
    bool is_late[MODELS_MAX][REFRESHES_MAX];
    int64_t latency_ns[MODELS_MAX][REFRESHES_MAX];
} Rows;

static void take_rows(Lockstep *lockstep, Rows *rows)
{
    LockstepRow row;
    while (lockstep_take(lockstep, &row)) {
        int at = rows->taken[row.model]++;
        CU_ASSERT_EQUAL_FATAL(row.refresh, at);
        memcpy(rows->rates_hz[row.model][at], row.rates_hz, sizeof rows->rates_hz[0][0]);
        rows->is_late[row.model][at] = row.is_late;
        rows->latency_ns[row.model][at] = row.latency_ns;
    }
}

static Lockstep *create(Model *const *models, int count, double frame_hz)
{
    char err[MODEL_ERR_BYTES] = "";
    clock_ns = 0;
    double rest_lum = count > 0 ? model_info(models[0])->lum_mean : 0.5;
    Lockstep *lockstep = lockstep_create(models, count, frame_hz, rest_lum, now_ns, NULL, err);
    if (lockstep == NULL)
        CU_FAIL_FATAL(err);
    clock_ns = 0;
    return lockstep;
}

/* One refresh of the loop: offered with time_ns to answer, shown `missed` later. */
static void show(Lockstep *lockstep, int64_t refresh, const float *lum, int64_t time_ns, int missed)
{
    const float *const shared[MODELS_MAX] = {lum, lum, lum};
    lockstep_offer(lockstep, refresh, shared, time_ns == INT64_MAX ? time_ns : clock_ns + time_ns);
    lockstep_shown(lockstep, missed);
}

/* The truth: refreshes 0 … count − 1 of screen (count, PIXELS) shown in time, no haste. */
static void play_in_time(Model *const *models, int count, double frame_hz, const float *screen,
                         int refreshes, Rows *rows)
{
    Lockstep *lockstep = create(models, count, frame_hz);
    *rows = (Rows){.models = count};
    for (int refresh = 0; refresh < refreshes; refresh++) {
        show(lockstep, refresh, screen + refresh * PIXELS, INT64_MAX, 0);
        take_rows(lockstep, rows);
    }
    for (int m = 0; m < count; m++) {
        CU_ASSERT_EQUAL(rows->taken[m], refreshes);
        CU_ASSERT_EQUAL(lockstep_late_count(lockstep, m), 0);
    }
    lockstep_destroy(lockstep);
}

static bool same_rows(const Rows *a, const Rows *b, int model, int first, int count)
{
    return memcmp(a->rates_hz[model][first], b->rates_hz[model][first],
                  (size_t)count * sizeof a->rates_hz[0][0]) == 0;
}

static float *random_screen(void)
{
    float *screen = calloc(REFRESHES_MAX * PIXELS, sizeof *screen);
    random_fill(&(uint32_t){8}, REFRESHES_MAX * PIXELS, 0, 1, screen);
    return screen;
}

/* ---- which refresh drives which bin */

static void check_impulse(double frame_hz, int lag, int64_t delay_ns, const double *wanted_hz)
{
    enum { BRIGHT = 3, SHOWN = 7 };
    Probe *probe;
    Model *model = open_probe(100, lag, 0, &probe);
    float screen[SHOWN * PIXELS] = {0};
    for (int i = 0; i < PIXELS; i++)
        screen[BRIGHT * PIXELS + i] = 1;
    static Rows rows;
    play_in_time(&model, 1, frame_hz, screen, SHOWN, &rows);
    for (int refresh = 0; refresh < SHOWN; refresh++)
        CU_ASSERT(test_near((double)rows.rates_hz[0][refresh][0], wanted_hz[refresh], 1e-4));
    Lockstep *lockstep = create(&model, 1, frame_hz);
    CU_ASSERT_EQUAL(lockstep_delay_ns(lockstep, 0), delay_ns);
    lockstep_destroy(lockstep);
    model_close(model);
}

static void impulse_at_60_hz_with_lag(void)
{
    // Refresh 3 fills bin 5 and 2/3 of bin 6 (3 of 5 ticks a bin); with lag 1 that is 100 Hz in bin
    // 6 and 66.7 Hz in bin 7. Of bin 6, refresh 3 covers 2 ticks, refresh 4 one; bin 7 lies in
    // refresh 4.
    check_impulse(60, 1, 0, (const double[]){0, 0, 0, 40, 60, 0, 0});
}

static void impulse_at_60_hz_without_lag(void)
{
    // 100 Hz in bin 5, 66.7 Hz in bin 6, seen one bin later: the same row as with lag 1
    check_impulse(60, 0, 10 * MS, (const double[]){0, 0, 0, 40, 60, 0, 0});
}

static void impulse_at_100_hz(void)
{
    check_impulse(100, 1, 0, (const double[]){0, 0, 0, 0, 100, 0, 0});
    check_impulse(100, 0, 0, (const double[]){0, 0, 0, 100, 0, 0, 0});
    check_impulse(100, 2, 0, (const double[]){0, 0, 0, 0, 0, 100, 0});
}

static void impulse_at_50_and_200_hz(void)
{
    // two bins a refresh: they end with it, so no delay is needed
    check_impulse(50, 0, 0, (const double[]){0, 0, 0, 100, 0, 0, 0});
    check_impulse(50, 1, 0, (const double[]){0, 0, 0, 50, 50, 0, 0});
    // two refreshes a bin: refresh 3 is half of bin 1, whose rate is out one bin later
    check_impulse(200, 0, 10 * MS, (const double[]){0, 0, 0, 0, 50, 50, 0});
    check_impulse(200, 1, 0, (const double[]){0, 0, 0, 0, 50, 50, 0});
}

/* ---- missed refreshes */

/* What the screen showed, written out: image i in its refreshes, darkness before the first. */
static int written_out(const float *images, const int *missed, int count, float *screen)
{
    int refresh = 0;
    for (int i = 0; i < count; i++) {
        for (int late = 0; late < missed[i]; late++, refresh++)
            for (int p = 0; p < PIXELS; p++)
                screen[refresh * PIXELS + p] = i == 0 ? 0 : images[(i - 1) * PIXELS + p];
        memcpy(screen + refresh++ * PIXELS, images + i * PIXELS, PIXELS * sizeof *screen);
    }
    return refresh;
}

static void check_missed(double frame_hz, int lag, const int *missed, int count, int64_t step_ns,
                         int64_t time_ns)
{
    Probe *probe[2];
    Model *models[2] = {open_probe(100, lag, 0, &probe[0]), open_probe(75, 1, 3, &probe[1])};
    float *images = random_screen(), *screen = calloc(REFRESHES_MAX * PIXELS, sizeof *screen);
    static Rows wanted, rows;
    int refreshes = written_out(images, missed, count, screen);
    CU_ASSERT_FATAL(refreshes <= REFRESHES_MAX);
    play_in_time(models, 2, frame_hz, screen, refreshes, &wanted);

    probe[0]->step_ns = step_ns;
    Lockstep *lockstep = create(models, 2, frame_hz);
    rows = (Rows){0};
    for (int i = 0, refresh = 0; i < count; i++) {
        show(lockstep, refresh, images + i * PIXELS, time_ns, missed[i]);
        take_rows(lockstep, &rows);
        refresh += missed[i] + 1;
    }
    lockstep_finish(lockstep);
    take_rows(lockstep, &rows);
    for (int m = 0; m < 2; m++) {
        CU_ASSERT_EQUAL(rows.taken[m], refreshes);
        CU_ASSERT(same_rows(&rows, &wanted, m, 0, refreshes));
    }
    lockstep_destroy(lockstep);
    model_close(models[0]);
    model_close(models[1]);
    free(images);
    free(screen);
}

static void missed_refreshes_show_the_old_image(void)
{
    static const double rates_hz[] = {60, 100, 59.94, 144, 30};
    static const int single[] = {0, 0, 0, 1, 0, 0, 2, 0};
    static const int first[] = {3, 0, 0, 0};
    static const int always[] = {1, 2, 3, 1, 5, 1, 1};
    for (int i = 0; i < 5; i++)
        for (int lag = 0; lag < 3; lag++) {
            check_missed(rates_hz[i], lag, single, 8, 0, INT64_MAX);
            check_missed(rates_hz[i], lag, first, 4, 0, INT64_MAX);
            check_missed(rates_hz[i], lag, always, 7, 0, INT64_MAX);
        }
}

static void long_stall_costs_no_row(void)
{
    static const int stall[] = {0, 0, 0, 300, 0, 0, 200, 0};
    check_missed(60, 1, stall, 8, 0, INT64_MAX);
    check_missed(60, 1, stall, 8, 1 * MS, 8 * MS);
}

static void misses_and_lateness_mix(void)
{
    int missed[100];
    uint32_t state = 21;
    for (int trial = 0; trial < 20; trial++) {
        for (int i = 0; i < 100; i++) {
            float draw;
            random_fill(&state, 1, 0, 1, &draw);
            missed[i] = draw < 0.8f ? 0 : (int)((draw - 0.8f) * 20);
        }
        // from never in time to always
        check_missed(trial % 2 == 0 ? 60 : 144, trial % 3, missed, 60, (1 + trial) * MS, 9 * MS);
    }
}

static void unoffered_refreshes_show_the_old_image(void)
{
    Probe *probe;
    Model *model = open_probe(100, 1, 0, &probe);
    float *images = random_screen(), screen[9 * PIXELS];
    static Rows wanted, rows;
    written_out(images, (const int[]){2, 0, 3, 0}, 4, screen);
    play_in_time(&model, 1, 60, screen, 9, &wanted);
    Lockstep *lockstep = create(&model, 1, 60);
    rows = (Rows){0};
    show(lockstep, 2, images, INT64_MAX, 0);
    show(lockstep, 3, images + PIXELS, INT64_MAX, 0);
    show(lockstep, 5, images + 2 * PIXELS, INT64_MAX, 2); // 4 not offered, 5 and 6 missed
    show(lockstep, 8, images + 3 * PIXELS, INT64_MAX, 0);
    take_rows(lockstep, &rows);
    CU_ASSERT_EQUAL(rows.taken[0], 9);
    CU_ASSERT(same_rows(&rows, &wanted, 0, 0, 9));
    lockstep_destroy(lockstep);
    model_close(model);
    free(images);
}

static void answers_on_trust_are_not_rows(void)
{
    Probe *probe;
    Model *model = open_probe(100, 1, 0, &probe);
    float *images = random_screen();
    Lockstep *lockstep = create(&model, 1, 60);
    LockstepRow row;
    lockstep_offer(lockstep, 0, (const float *const[]){images}, INT64_MAX);
    CU_ASSERT(!lockstep_take(lockstep, &row));
    lockstep_shown(lockstep, 0);
    CU_ASSERT(lockstep_take(lockstep, &row));
    CU_ASSERT_EQUAL(row.refresh, 0);
    CU_ASSERT(!lockstep_take(lockstep, &row));
    lockstep_offer(lockstep, 1, (const float *const[]){images}, INT64_MAX);
    lockstep_finish(lockstep); // refresh 1 was never reported
    CU_ASSERT(!lockstep_take(lockstep, &row));
    show(lockstep, 1, images, INT64_MAX, 0);
    CU_ASSERT(lockstep_take(lockstep, &row));
    CU_ASSERT_EQUAL(row.refresh, 1);
    lockstep_destroy(lockstep);
    model_close(model);
    free(images);
}

/* ---- real models */

static void check_real_model(bool is_cnn)
{
    enum { IMAGES = 30 };
    RandomShape shape = {.width = 12,
                         .height = 10,
                         .history = 9,
                         .lag = 1,
                         .cells = CELLS,
                         .bin_hz = 100,
                         .channels1 = 2,
                         .kernel1_width = 3,
                         .kernel1_height = 3,
                         .channels2 = 2,
                         .kernel2_width = 3,
                         .kernel2_height = 3};
    RandomModel random;
    char err[MODEL_ERR_BYTES] = "";
    if (is_cnn)
        random_cnn(&random, &shape, 3);
    else
        random_ln(&random, &shape, 3);
    Model *model = model_open(random_model_save(&random, test_folder("lockstep")), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    static float images[IMAGES + 1][120], grey[120];
    static Rows wanted, rows;
    random_fill(&(uint32_t){2}, IMAGES * 120, 0, 1, images[0]);
    for (int i = 0; i < 120; i++)
        grey[i] = 0.5f;

    // image i is offered for refresh 2i and appears one later; what stood before stays until then
    Lockstep *lockstep = create(&model, 1, 60);
    wanted = rows = (Rows){0};
    for (int refresh = 0; refresh < 2 * IMAGES; refresh++) {
        const float *old = refresh < 2 ? grey : images[refresh / 2 - 1];
        show(lockstep, refresh, refresh % 2 == 1 ? images[refresh / 2] : old, INT64_MAX, 0);
        take_rows(lockstep, &wanted);
    }
    lockstep_destroy(lockstep);
    lockstep = create(&model, 1, 60);
    for (int i = 0; i < IMAGES; i++) {
        show(lockstep, 2 * i, images[i], INT64_MAX, 1);
        take_rows(lockstep, &rows);
    }
    lockstep_finish(lockstep);
    take_rows(lockstep, &rows);
    CU_ASSERT_EQUAL(rows.taken[0], 2 * IMAGES);
    CU_ASSERT(same_rows(&rows, &wanted, 0, 0, 2 * IMAGES));
    lockstep_destroy(lockstep);
    model_close(model);
    random_model_finish(&random);
}

static void cnn_takes_back_exactly(void)
{
    check_real_model(true);
}

static void ln_takes_back_exactly(void)
{
    check_real_model(false);
}

/* ---- time */

static void slow_model_is_late_but_right(void)
{
    enum { SHOWN = 60 };
    Probe *probe;
    Model *model = open_probe(100, 1, 0, &probe);
    float *images = random_screen();
    static Rows wanted, rows;
    play_in_time(&model, 1, 60, images, SHOWN, &wanted);
    probe->step_ns = 20 * MS; // more than a refresh
    Lockstep *lockstep = create(&model, 1, 60);
    rows = (Rows){0};
    probe->steps = 0;
    for (int refresh = 0; refresh < SHOWN; refresh++) {
        int64_t before = clock_ns;
        show(lockstep, refresh, images + refresh * PIXELS, 10 * MS, 0);
        CU_ASSERT_EQUAL(clock_ns, before); // the stimulus never waited
        clock_ns += 16 * MS;
    }
    CU_ASSERT_EQUAL(probe->steps, 0);
    CU_ASSERT_EQUAL(lockstep_late_count(lockstep, 0), SHOWN);
    lockstep_finish(lockstep);
    take_rows(lockstep, &rows);
    CU_ASSERT_EQUAL(rows.taken[0], SHOWN);
    CU_ASSERT(same_rows(&rows, &wanted, 0, 0, SHOWN));
    for (int refresh = 0; refresh < SHOWN; refresh++)
        CU_ASSERT(rows.is_late[0][refresh]);
    lockstep_destroy(lockstep);
    model_close(model);
    free(images);
}

static void offers_end_before_their_deadline(void)
{
    enum { SHOWN = 60 };
    Probe *probe;
    Model *model = open_probe(100, 1, 0, &probe);
    float *images = random_screen();
    static Rows wanted, rows;
    play_in_time(&model, 1, 60, images, SHOWN, &wanted);
    probe->step_ns = 4 * MS; // 5 bins in 3 refreshes: 25 ms of work, 18 ms of time
    probe->settle_ns = 1 * MS;
    Lockstep *lockstep = create(&model, 1, 60);
    rows = (Rows){0};
    int64_t marked_late = 0;
    for (int refresh = 0; refresh < SHOWN; refresh++) {
        int64_t before = clock_ns;
        show(lockstep, refresh, images + refresh * PIXELS, 6 * MS, 0);
        CU_ASSERT(clock_ns <= before + 6 * MS);
        take_rows(lockstep, &rows);
    }
    CU_ASSERT(probe->steps > SHOWN / 2);
    CU_ASSERT(rows.taken[0] > 0 && rows.taken[0] < SHOWN);
    lockstep_finish(lockstep);
    take_rows(lockstep, &rows);
    CU_ASSERT(same_rows(&rows, &wanted, 0, 0, SHOWN));
    for (int refresh = 0; refresh < SHOWN; refresh++)
        marked_late += rows.is_late[0][refresh];
    CU_ASSERT_EQUAL(marked_late, lockstep_late_count(lockstep, 0));
    CU_ASSERT(marked_late > SHOWN / 2);
    lockstep_destroy(lockstep);
    model_close(model);
    free(images);
}

static void hiccup_is_caught_up(void)
{
    enum { SHOWN = 120 };
    Probe *probe;
    Model *model = open_probe(100, 1, 0, &probe);
    float *images = random_screen();
    static Rows wanted, rows;
    play_in_time(&model, 1, 60, images, SHOWN, &wanted);
    probe->step_ns = 1 * MS;
    Lockstep *lockstep = create(&model, 1, 60);
    rows = (Rows){0};
    for (int refresh = 0; refresh < SHOWN; refresh++) {
        probe->hiccup_ns = refresh == 10 ? 100 * MS : 0;
        show(lockstep, refresh, images + refresh * PIXELS, 10 * MS, 0);
        take_rows(lockstep, &rows);
    }
    CU_ASSERT_EQUAL(rows.taken[0], SHOWN);
    CU_ASSERT(same_rows(&rows, &wanted, 0, 0, SHOWN));
    CU_ASSERT(rows.is_late[0][12]);
    for (int refresh = 60; refresh < SHOWN; refresh++)
        CU_ASSERT(!rows.is_late[0][refresh]);
    lockstep_destroy(lockstep);
    model_close(model);
    free(images);
}

static void slow_model_makes_only_itself_late(void)
{
    enum { SHOWN = 30 };
    Probe *probe[2];
    Model *models[2] = {open_probe(100, 1, 0, &probe[0]), open_probe(100, 1, 0, &probe[1])};
    float *images = random_screen();
    static Rows rows;
    probe[0]->step_ns = 6 * MS;
    probe[1]->step_ns = 1 * MS;
    Lockstep *lockstep = create(models, 2, 60);
    rows = (Rows){0};
    for (int refresh = 0; refresh < SHOWN; refresh++) {
        show(lockstep, refresh, images + refresh * PIXELS, 9 * MS, 0);
        take_rows(lockstep, &rows);
    }
    CU_ASSERT_EQUAL(rows.taken[1], SHOWN);
    CU_ASSERT_EQUAL(lockstep_late_count(lockstep, 1), 0);
    CU_ASSERT(lockstep_late_count(lockstep, 0) > 0);
    CU_ASSERT(probe[0]->steps > 0);
    lockstep_destroy(lockstep);
    model_close(models[0]);
    model_close(models[1]);
    free(images);
}

static void latency_counts_from_the_offer(void)
{
    Probe *probe;
    Model *model = open_probe(100, 1, 0, &probe);
    float *images = random_screen();
    static Rows rows;
    probe->step_ns = 2 * MS;
    probe->settle_ns = 3 * MS;
    Lockstep *lockstep = create(&model, 1, 100);
    rows = (Rows){0};
    show(lockstep, 0, images, INT64_MAX, 0);
    show(lockstep, 1, images, INT64_MAX, 0);
    clock_ns = 500 * MS;
    lockstep_offer(lockstep, 2, (const float *const[]){images}, INT64_MAX);
    clock_ns = 600 * MS;
    lockstep_shown(lockstep, 1);
    clock_ns = 610 * MS;
    show(lockstep, 4, images, INT64_MAX, 0);
    take_rows(lockstep, &rows);
    CU_ASSERT_EQUAL(rows.latency_ns[0][0], 5 * MS);  // nothing was ready
    CU_ASSERT_EQUAL(rows.latency_ns[0][1], 2 * MS);  // settled in the slack
    CU_ASSERT_EQUAL(rows.latency_ns[0][2], 15 * MS); // known at 600, settled and stepped at 610
    CU_ASSERT_EQUAL(rows.latency_ns[0][3], 20 * MS);
    CU_ASSERT_EQUAL(rows.latency_ns[0][4], 15 * MS); // known at 610, third in the queue
    lockstep_destroy(lockstep);
    model_close(model);
    free(images);
}

/* ---- loss */

static void lost_frames_are_nan_then_exact(void)
{
    enum { SHOWN = 200, STUCK_UNTIL = 100, HISTORY = 4 };
    Probe *probe;
    Model *model = open_probe(100, 1, HISTORY, &probe);
    float *images = random_screen();
    static Rows wanted, rows;
    play_in_time(&model, 1, 60, images, SHOWN, &wanted);
    probe->step_ns = 1 * MS;
    Lockstep *lockstep = create(&model, 1, 60);
    rows = (Rows){0};
    for (int refresh = 0; refresh < SHOWN; refresh++) {
        show(lockstep, refresh, images + refresh * PIXELS, refresh < STUCK_UNTIL ? -1 : 16 * MS, 0);
        take_rows(lockstep, &rows);
    }
    CU_ASSERT_EQUAL_FATAL(rows.taken[0], SHOWN);
    int lost = 0;
    while (lost < SHOWN && isnan(rows.rates_hz[0][lost][0]))
        lost++;
    // The full queue was lost at refresh 64, tick 320. The first whole bin is 107, the first with
    // four bins of history 110, whose rate is that of bin 111: from tick 333 on, and row 67 begins
    // at 335.
    CU_ASSERT_EQUAL(lost, 67);
    CU_ASSERT(same_rows(&rows, &wanted, 0, lost, SHOWN - lost));
    CU_ASSERT(rows.is_late[0][10]);
    CU_ASSERT_EQUAL(rows.latency_ns[0][10], -1);
    CU_ASSERT(!rows.is_late[0][SHOWN - 1]);
    int64_t marked_late = 0;
    for (int refresh = 0; refresh < SHOWN; refresh++)
        marked_late += rows.is_late[0][refresh];
    CU_ASSERT_EQUAL(marked_late, lockstep_late_count(lockstep, 0));
    lockstep_destroy(lockstep);
    model_close(model);
    free(images);
}

static void loss_of_one_is_no_loss_of_others(void)
{
    enum { SHOWN = 300 };
    Probe *probe[2];
    Model *models[2] = {open_probe(100, 1, 0, &probe[0]), open_probe(100, 1, 0, &probe[1])};
    float *images = random_screen();
    static Rows wanted, rows;
    play_in_time(models, 2, 60, images, SHOWN, &wanted);
    probe[0]->step_ns = 50 * MS;
    Lockstep *lockstep = create(models, 2, 60);
    rows = (Rows){0};
    for (int refresh = 0; refresh < SHOWN; refresh++) {
        show(lockstep, refresh, images + refresh * PIXELS, 10 * MS, refresh % 50 == 7);
        refresh += refresh % 50 == 7;
        take_rows(lockstep, &rows);
    }
    lockstep_finish(lockstep);
    take_rows(lockstep, &rows);
    CU_ASSERT_EQUAL(rows.taken[0], SHOWN);
    CU_ASSERT_EQUAL(rows.taken[1], SHOWN);
    int nans[2] = {0};
    for (int refresh = 0; refresh < SHOWN; refresh++)
        for (int m = 0; m < 2; m++)
            nans[m] += isnan(rows.rates_hz[m][refresh][0]) != 0;
    CU_ASSERT(nans[0] >= SHOWN - LOCKSTEP_QUEUE_FRAMES && nans[0] < SHOWN);
    CU_ASSERT_EQUAL(nans[1], 0);
    CU_ASSERT(same_rows(&rows, &wanted, 1, 0, 7));
    lockstep_destroy(lockstep);
    model_close(models[0]);
    model_close(models[1]);
    free(images);
}

/* ---- what cannot be */

static void impossible_models_are_refused(void)
{
    char err[MODEL_ERR_BYTES] = "";
    Probe *probe;
    Model *model = open_probe(1000, 1, 0, &probe), *many[LOCKSTEP_MAX_MODELS + 1];
    CU_ASSERT_PTR_NULL(lockstep_create(&model, 1, 60, 0.5, now_ns, NULL, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "probe: bins at 1000 Hz cannot be driven from a display at "
                                       "60 Hz; allowed are at most 480 Hz"));
    CU_ASSERT_PTR_NULL(lockstep_create(&model, 1, 0, 0.5, now_ns, NULL, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "on a display at 0 Hz"));
    for (int m = 0; m <= LOCKSTEP_MAX_MODELS; m++)
        many[m] = model;
    CU_ASSERT_PTR_NULL(lockstep_create(many, LOCKSTEP_MAX_MODELS + 1, 60, 0.5, now_ns, NULL, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "9 models at once; allowed are 0 to 8"));
    model_close(model);
    model = open_probe(480, 1, 0, &probe);
    Lockstep *lockstep = lockstep_create(&model, 1, 60, 0.5, now_ns, NULL, err);
    CU_ASSERT_PTR_NOT_NULL(lockstep);
    lockstep_destroy(lockstep);
    model_close(model);
}

static void no_models_is_fine(void)
{
    Lockstep *lockstep = create(NULL, 0, 60);
    LockstepRow row;
    for (int refresh = 0; refresh < 200; refresh++)
        show(lockstep, refresh, NULL, 1, 0);
    lockstep_finish(lockstep);
    CU_ASSERT(!lockstep_take(lockstep, &row));
    lockstep_destroy(lockstep);
}

static void models_begin_adapted_to_the_background(void)
{
    // a light that never changes must never change a rate, whatever it is
    char err[MODEL_ERR_BYTES];
    const double backgrounds[] = {0.2, 0.5, 0.8};
    for (int b = 0; b < 3; b++) {
        Model *model = model_open("circuit", err);
        Lockstep *lockstep = lockstep_create(&model, 1, 60, backgrounds[b], now_ns, NULL, err);
        static float lum[50 * 50];
        for (int i = 0; i < 50 * 50; i++)
            lum[i] = (float)backgrounds[b];
        const float *const offered[] = {lum};
        double most_change = 0, first = 0;
        for (int64_t k = 0; k < 120; k++) {
            LockstepRow row;
            lockstep_offer(lockstep, k, offered, INT64_MAX);
            lockstep_shown(lockstep, 0);
            while (lockstep_take(lockstep, &row)) {
                if (row.refresh == 0)
                    first = (double)row.rates_hz[0];
                most_change = fmax(most_change, fabs((double)row.rates_hz[0] - first));
            }
        }
        CU_ASSERT(most_change <= 0.05);
        lockstep_destroy(lockstep);
        model_close(model);
    }
}

int main(void)
{
    static const TestCase cases[] = {
        {"a light that never changes never changes a rate", models_begin_adapted_to_the_background},
        {"60 Hz, lag 1: refresh 3 drives rows 3 and 4, 40 and 60", impulse_at_60_hz_with_lag},
        {"60 Hz, lag 0: the same, with a delay of one bin", impulse_at_60_hz_without_lag},
        {"100 Hz: refresh k drives row k + lag alone", impulse_at_100_hz},
        {"50 and 200 Hz: whole numbers of bins or refreshes", impulse_at_50_and_200_hz},
        {"missed refreshes count as the old image, bit for bit",
         missed_refreshes_show_the_old_image},
        {"a stall of 300 refreshes costs no row", long_stall_costs_no_row},
        {"misses and lateness together change no bit", misses_and_lateness_mix},
        {"refreshes nobody offered count as the old image", unoffered_refreshes_show_the_old_image},
        {"answers on trust are no rows before the screen has said so",
         answers_on_trust_are_not_rows},
        {"a CNN takes back a missed refresh, bit for bit", cnn_takes_back_exactly},
        {"an LN model takes back a missed refresh, bit for bit", ln_takes_back_exactly},
        {"a model slower than a refresh is late, and right", slow_model_is_late_but_right},
        {"offers end before their deadline", offers_end_before_their_deadline},
        {"a hiccup of 100 ms is caught up without loss", hiccup_is_caught_up},
        {"a slow model makes only itself late", slow_model_makes_only_itself_late},
        {"latency counts from the luminance being known", latency_counts_from_the_offer},
        {"lost frames are NaN until the history is full, then exact",
         lost_frames_are_nan_then_exact},
        {"what one model loses, another has", loss_of_one_is_no_loss_of_others},
        {"models that cannot be driven are refused", impossible_models_are_refused},
        {"no models is a lockstep too", no_models_is_fine},
    };
    return test_main("lockstep", cases, sizeof cases / sizeof cases[0]);
}
