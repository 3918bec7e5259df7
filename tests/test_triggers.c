#include "app/triggers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "tests/harness.h"

enum { ROWS_MAX = 2048, CELLS = 1 };

/* A line of frames.tsv as far as triggers go. */
typedef struct {
    int lines;
    char fate[32];
    long long handed_ns, submitted_ns, completed_ns, corrected_ns;
} Row;

typedef struct {
    const char *folder;
    Recorder *recorder;
    Triggers *triggers;
    int64_t refresh;
    Row rows[ROWS_MAX];
} Bench;

static Bench set_up(const char *text, const RigDelay *delay)
{
    char err[RIG_ERR_BYTES];
    const int cells[] = {CELLS};
    RigSpec spec;
    Bench bench = {.folder = test_folder("triggers")};
    CU_ASSERT_FATAL(rig_spec_read(text, &spec, err));
    bench.triggers = triggers_open(&spec, delay, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench.triggers);
    bench.recorder = recorder_create(bench.folder, 1, cells, err);
    triggers_record(bench.triggers, bench.recorder);
    return bench;
}

static void show(Bench *bench, int code, bool is_missed)
{
    FrameRecord frame = {.refresh = bench->refresh++,
                         .missed = is_missed,
                         .vblank_ns = is_missed ? -1 : session_now_ns(NULL),
                         .trigger_code = code};
    triggers_take(bench->triggers, frame.refresh, 0);
    triggers_frame(bench->triggers, &frame);
    recorder_frame(bench->recorder, &frame);
}

static void pause_ms(int64_t ms)
{
    session_sleep_until_ns(NULL, session_now_ns(NULL) + ms * 1000000);
}

static RecorderFigures finish(Bench *bench)
{
    char err[RECORDER_ERR_BYTES], path[600], line[1024];
    RecorderFigures figures;
    triggers_end(bench->triggers);
    pause_ms(2);
    triggers_take(bench->triggers, bench->refresh, 0);
    CU_ASSERT(recorder_finish(bench->recorder, &figures, err));
    recorder_destroy(bench->recorder);
    triggers_close(bench->triggers);
    snprintf(path, sizeof path, "%s/frames.tsv", bench->folder);
    FILE *file = fopen(path, "r");
    CU_ASSERT(fgets(line, sizeof line, file) != NULL);
    for (int64_t k = 0; k < bench->refresh && fgets(line, sizeof line, file); k++) {
        Row *row = &bench->rows[k];
        CU_ASSERT_EQUAL(sscanf(line,
                               "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                               "%*s %d %31s %lld %lld %lld %lld",
                               &row->lines, row->fate, &row->handed_ns, &row->submitted_ns,
                               &row->completed_ns, &row->corrected_ns),
                        6);
    }
    fclose(file);
    return figures;
}

/* How often a kind of event is in events.tsv. */
static int count_events(const Bench *bench, const char *kind)
{
    char path[600], line[1024], word[64];
    int count = 0;
    snprintf(path, sizeof path, "%s/events.tsv", bench->folder);
    FILE *file = fopen(path, "r");
    while (fgets(line, sizeof line, file))
        count += sscanf(line, "%*s %63s", word) == 1 && !strcmp(word, kind);
    fclose(file);
    return count;
}

static void every_shown_frame_has_its_pulse(void)
{
    Bench bench = set_up("null", NULL);
    triggers_begin(bench.triggers);
    for (int k = 0; k < 20; k++)
        show(&bench, k == 4 ? 5 : 0, k == 7);
    RecorderFigures figures = finish(&bench);
    for (int k = 0; k < 20; k++) {
        const Row *row = &bench.rows[k];
        CU_ASSERT_EQUAL(row->lines, k == 7 ? 0 : k == 4 ? 5 << 2 | 3 : 3);
        CU_ASSERT_STRING_EQUAL(row->fate, k == 7 ? "none" : "sent");
        CU_ASSERT(k == 7 ||
                  (row->submitted_ns >= row->handed_ns && row->completed_ns >= row->submitted_ns));
        CU_ASSERT_EQUAL(row->corrected_ns, -1);
    }
    CU_ASSERT_EQUAL(figures.triggers_sent, 19);
    CU_ASSERT_EQUAL(figures.triggers_failed, 0);
    CU_ASSERT_EQUAL(count_events(&bench, "run_line_high"), 1);
    CU_ASSERT_EQUAL(count_events(&bench, "run_line_low"), 1);
    CU_ASSERT(figures.rig_events == count_events(&bench, "input_edge") && figures.rig_events > 38);
}

static void a_code_on_a_missed_frame_goes_with_the_next(void)
{
    Bench bench = set_up("null", NULL);
    show(&bench, 9, true);
    show(&bench, 0, true);
    show(&bench, 0, false);
    show(&bench, 0, false);
    finish(&bench);
    CU_ASSERT(bench.rows[0].lines == 0 && bench.rows[1].lines == 0);
    CU_ASSERT_EQUAL(bench.rows[2].lines, 9 << 2 | 3);
    CU_ASSERT_EQUAL(bench.rows[3].lines, 3);
}

static void a_byte_code_has_all_lines(void)
{
    Bench bench = set_up("null:code=byte,every=3", NULL);
    CU_ASSERT_EQUAL(triggers_code_most(bench.triggers), 255);
    triggers_begin(bench.triggers);
    for (int k = 0; k < 6; k++)
        show(&bench, k == 1 ? 0xa5 : 0, false);
    finish(&bench);
    const int wanted[] = {1, 0xa5, 0, 1, 0, 0};
    for (int k = 0; k < 6; k++)
        CU_ASSERT_EQUAL(bench.rows[k].lines, wanted[k]);
    CU_ASSERT_EQUAL(count_events(&bench, "run_line_high"), 0);
}

static void a_code_too_large_is_not_sent_as_another(void)
{
    Bench bench = set_up("null", NULL);
    CU_ASSERT_EQUAL(triggers_code_most(bench.triggers), 63);
    show(&bench, 64, false);
    show(&bench, 63, false);
    finish(&bench);
    CU_ASSERT_EQUAL(bench.rows[0].lines, 3);
    CU_ASSERT_EQUAL(bench.rows[1].lines, 0xff);
}

static void a_correction_stands_beside_the_raw_times(void)
{
    const RigDelay delay = {.out_ns = 250000, .in_ns = 400000};
    Bench bench = set_up("null:fail=0.5,seed=1", &delay);
    for (int k = 0; k < 40; k++)
        show(&bench, 0, false);
    RecorderFigures figures = finish(&bench);
    for (int k = 0; k < 40; k++)
        CU_ASSERT_EQUAL(bench.rows[k].corrected_ns, bench.rows[k].submitted_ns + 250000);
    CU_ASSERT(figures.triggers_failed > 5 && figures.triggers_sent > 5);
    CU_ASSERT_EQUAL(figures.triggers_sent + figures.triggers_failed, 40);
    int refused = 0;
    for (int k = 0; k < 40; k++)
        refused += !strcmp(bench.rows[k].fate, "refused");
    CU_ASSERT_EQUAL(refused, figures.triggers_failed);
}

static void a_run_can_wait_for_its_start(void)
{
    Bench bench = set_up("null:start=5", NULL);
    for (int i = 0; i < 5; i++)
        CU_ASSERT_FALSE(triggers_may_start(bench.triggers));
    show(&bench, 0x01, false); // raises lines 0 to 2 of the null device, which come back
    pause_ms(2);
    CU_ASSERT_FALSE(triggers_may_start(bench.triggers));
    show(&bench, 0x08, false); // and line 5
    pause_ms(2);
    CU_ASSERT(triggers_may_start(bench.triggers));
    finish(&bench);
    CU_ASSERT(triggers_may_start(NULL));
}

static void a_trigger_the_rig_has_no_room_for_is_said_so(void)
{
    enum { ROOM = 1024, MORE = 6 }; // what the replay device keeps
    static Bench bench;
    char spec[600];
    const char *folder = test_folder("triggers-replay");
    test_write(folder, "frames.tsv", "refresh\tvblank_ns\n0\t1000\n");
    test_write(folder, "events.tsv", "refresh\tevent\n");
    snprintf(spec, sizeof spec, "replay:%s", folder);
    bench = set_up(spec, NULL);
    for (int k = 0; k < ROOM + MORE; k++) {
        FrameRecord frame = {.refresh = bench.refresh++, .vblank_ns = 1000};
        triggers_frame(bench.triggers, &frame);
        recorder_frame(bench.recorder, &frame);
    }
    triggers_take(bench.triggers, bench.refresh, 0);
    RecorderFigures figures = finish(&bench);
    CU_ASSERT_EQUAL(figures.triggers_sent, ROOM);
    CU_ASSERT_EQUAL(figures.triggers_failed, MORE);
    for (int k = ROOM - 10; k < ROOM + MORE; k++)
        CU_ASSERT_STRING_EQUAL(bench.rows[k].fate, k < ROOM ? "sent" : "queue_full");
}

static void delays_are_read_from_what_loop_wrote(void)
{
    char path[600], err[RIG_DELAY_ERR_BYTES];
    RigDelay delay;
    snprintf(path, sizeof path, "%s/loop.json", test_folder("delay"));
    FILE *file = fopen(path, "w");
    fputs("{\"delay\": {\"out_us\": 120.5, \"in_us\": 300, \"halved\": true}}", file);
    fclose(file);
    CU_ASSERT(rig_delay_load(path, &delay, err));
    CU_ASSERT(delay.out_ns == 120500 && delay.in_ns == 300000 && delay.is_halved);
    file = fopen(path, "w");
    fputs("{\"delay\": {\"out_us\": -1, \"in_us\": 300}}", file);
    fclose(file);
    CU_ASSERT_FALSE(rig_delay_load(path, &delay, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "rig loop"));
    CU_ASSERT_FALSE(rig_delay_load("/nowhere.json", &delay, err));
}

static const TestCase cases[] = {
    {"every shown frame has its pulse, the onset its code, a missed frame none",
     every_shown_frame_has_its_pulse},
    {"a code that fell on a missed frame goes with the next one shown",
     a_code_on_a_missed_frame_goes_with_the_next},
    {"a byte code has all eight lines, a frame pulse every n-th refresh",
     a_byte_code_has_all_lines},
    {"a code too large for its lines is not sent as another one",
     a_code_too_large_is_not_sent_as_another},
    {"a correction stands beside the raw times, and failures have their word",
     a_correction_stands_beside_the_raw_times},
    {"a run can wait for a rising edge on its start line", a_run_can_wait_for_its_start},
    {"a trigger that the rig has no room for is said so",
     a_trigger_the_rig_has_no_room_for_is_said_so},
    {"delays are read from what `rig loop` wrote", delays_are_read_from_what_loop_wrote},
};

int main(void)
{
    return test_main("triggers", cases, sizeof cases / sizeof cases[0]);
}
