#include "tests/harness.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/recorder.h"

enum { CELLS_A = 3, CELLS_B = 2, COLUMNS = CELLS_A + CELLS_B };

static Recorder *start(const char *folder)
{
    char err[RECORDER_ERR_BYTES];
    const int cells[] = {CELLS_A, CELLS_B};
    return recorder_create(folder, 2, cells, err);
}

static void push_refresh(Recorder *recorder, int64_t refresh, bool is_missed)
{
    recorder_frame(recorder, &(FrameRecord){.refresh = refresh,
                                            .image = is_missed ? refresh - 1 : refresh,
                                            .missed = is_missed,
                                            .vblank_ns = is_missed ? -1 : refresh * 10000000,
                                            .time_source = FLIP_TIME_DISPLAY});
}

static void push_rates(Recorder *recorder, int64_t refresh, int model, float value)
{
    const float rates_hz[CELLS_A] = {value, value + 1, value + 2};
    recorder_rates(recorder, &(LockstepRow){.model = model,
                                            .refresh = refresh,
                                            .latency_ns = 1000 * (refresh + 1),
                                            .rates_hz = rates_hz});
}

static float *read_rates(const char *folder, size_t *rows)
{
    char path[600];
    snprintf(path, sizeof path, "%s/rates.f32", folder);
    FILE *file = fopen(path, "rb");
    float *rates = calloc(COLUMNS * 1000, sizeof *rates);
    *rows = fread(rates, COLUMNS * sizeof *rates, 1000, file);
    fclose(file);
    return rates;
}

static long count_lines(const char *folder)
{
    char path[600], line[1024];
    snprintf(path, sizeof path, "%s/frames.tsv", folder);
    FILE *file = fopen(path, "r");
    long lines = 0;
    while (file && fgets(line, sizeof line, file))
        lines += strchr(line, '\n') != NULL;
    if (file)
        fclose(file);
    return lines;
}

static void rows_land_where_run_yaml_says(void)
{
    const char *folder = test_folder("recorder");
    Recorder *recorder = start(folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(recorder);
    for (int64_t k = 0; k < 10; k++) {
        push_refresh(recorder, k, k == 4);
        push_rates(recorder, k, 0, (float)(100 * k));
        if (k >= 3) // the second model is three refreshes late
            push_rates(recorder, k - 3, 1, (float)(-100 * k));
    }
    RecorderFigures figures;
    char err[RECORDER_ERR_BYTES];
    CU_ASSERT(recorder_finish(recorder, &figures, err));
    recorder_destroy(recorder);
    CU_ASSERT_EQUAL(figures.refreshes, 10);
    CU_ASSERT_EQUAL(figures.missed, 1);
    CU_ASSERT_EQUAL(figures.shown, 9);
    CU_ASSERT_EQUAL(figures.interval_us.p50, 10000);
    CU_ASSERT_EQUAL(figures.interval_us.max, 20000);
    CU_ASSERT_EQUAL(figures.model_latency_us[0].p50, 5);
    CU_ASSERT_EQUAL(count_lines(folder), 11);
    size_t rows;
    float *rates = read_rates(folder, &rows);
    CU_ASSERT_EQUAL(rows, 10);
    for (size_t k = 0; k < rows; k++) {
        CU_ASSERT(test_near((double)rates[k * COLUMNS + 1], (double)(100 * k + 1), 0));
        float second = rates[k * COLUMNS + CELLS_A];
        CU_ASSERT(k < 7 ? test_near((double)second, -100.0 * (double)(k + 3), 0) : isnan(second));
    }
    free(rates);
}

static void push_trigger(Recorder *recorder, int64_t refresh)
{
    recorder_frame(recorder, &(FrameRecord){.refresh = refresh,
                                            .image = refresh,
                                            .vblank_ns = refresh * 10000000,
                                            .trigger_lines = 3,
                                            .trigger_ns = refresh * 10000000 + 1000});
}

static void push_fate(Recorder *recorder, int64_t refresh, RigFailure failure)
{
    recorder_trigger(recorder, &(TriggerRecord){.refresh = refresh,
                                                .failure = failure,
                                                .submitted_ns = refresh * 10000000 + 20000,
                                                .completed_ns = refresh * 10000000 + 70000,
                                                .corrected_ns = -1});
}

// trigger words of the rows, in order, and whether the refreshes are
static bool read_fates(const char *folder, char (*words)[32], int rows)
{
    char path[600], line[1024];
    long long refresh;
    snprintf(path, sizeof path, "%s/frames.tsv", folder);
    FILE *file = fopen(path, "r");
    bool is_in_order = fgets(line, sizeof line, file) != NULL;
    for (int row = 0; row < rows; row++)
        is_in_order = is_in_order && fgets(line, sizeof line, file) &&
                      sscanf(line,
                             "%lld %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                             "%*d %31s",
                             &refresh, words[row]) == 2 &&
                      refresh == row;
    fclose(file);
    return is_in_order;
}

static void a_row_waits_for_its_trigger_but_not_forever(void)
{
    enum { ROWS = 200 };
    static char words[ROWS][32];
    const char *folder = test_folder("recorder-fates");
    Recorder *recorder = start(folder);
    for (int64_t k = 0; k < ROWS; k++) {
        if (k % 10 == 9) // a missed frame has none
            push_refresh(recorder, k, true);
        else
            push_trigger(recorder, k);
        if (k >= 5 && (k - 5) % 10 != 9 && k - 5 != 50) // fates come five frames late, one never
            push_fate(recorder, k - 5, k - 5 == 60 ? RIG_FAILURE_GONE : RIG_FAILURE_NONE);
    }
    RecorderFigures figures;
    char err[RECORDER_ERR_BYTES];
    CU_ASSERT(recorder_finish(recorder, &figures, err));
    recorder_destroy(recorder);
    CU_ASSERT(read_fates(folder, words, ROWS));
    for (int k = 0; k < ROWS; k++) {
        const char *wanted = k % 10 == 9                ? "none"
                             : k == 50 || k >= ROWS - 5 ? "unknown"
                             : k == 60                  ? "no_device"
                                                        : "sent";
        CU_ASSERT_STRING_EQUAL(words[k], wanted);
    }
    CU_ASSERT_EQUAL(figures.refreshes, ROWS);
    CU_ASSERT_EQUAL(figures.triggers_failed, 1);
    CU_ASSERT_EQUAL(figures.triggers_sent, ROWS - 20 - 1 - 1 - 4);
    CU_ASSERT_EQUAL(figures.trigger_us.p50, 70);
}

static void full_disk_keeps_what_was_written(void)
{
    const char *folder = test_folder("recorder-full");
    pid_t child = fork();
    if (child == 0) {
        // a file size limit is a disk that fills up
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){20000, 20000});
        Recorder *recorder = start(folder);
        int64_t k = 0;
        for (; k < 20000 && !recorder_has_failed(recorder); k++) {
            push_refresh(recorder, k, false);
            push_rates(recorder, k, 0, 1);
            if (k % 100 == 0)
                session_sleep_until_ns(NULL, session_now_ns(NULL) + 10000000);
        }
        RecorderFigures figures;
        char err[RECORDER_ERR_BYTES];
        bool is_whole = recorder_finish(recorder, &figures, err);
        recorder_destroy(recorder);
        bool names_file = strstr(err, "frames.tsv") || strstr(err, "rates.f32");
        _exit(!is_whole && names_file && figures.refreshes > 100 ? 0 : 1);
    }
    int status;
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CU_ASSERT(count_lines(folder) > 100);
}

static void killed_process_loses_at_most_a_second(void)
{
    const char *folder = test_folder("recorder-killed");
    int ready[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        Recorder *recorder = start(folder);
        for (int64_t k = 0; k < 250; k++) {
            push_refresh(recorder, k, false);
            push_rates(recorder, k, 0, 7);
            session_sleep_until_ns(NULL, session_now_ns(NULL) + 10000000);
        }
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    char byte;
    CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    // 250 refreshes in 2.5 s or more: at most the last second of them may be missing
    CU_ASSERT(count_lines(folder) - 1 >= 145);
    close(ready[0]);
    close(ready[1]);
}

static void unwritable_folder_is_named(void)
{
    char err[RECORDER_ERR_BYTES];
    const int cells[] = {1};
    CU_ASSERT_PTR_NULL(recorder_create("/nonexistent/folder", 1, cells, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "/nonexistent/folder/frames.tsv"));
}

static const TestCase cases[] = {
    {"every row lands in its place, late ones too, and gaps are NaN",
     rows_land_where_run_yaml_says},
    {"a full disk keeps what was written and names the file", full_disk_keeps_what_was_written},
    {"a killed process loses at most the last second", killed_process_loses_at_most_a_second},
    {"a folder that cannot be written is named", unwritable_folder_is_named},
    {"a frame's row waits for the fate of its trigger, but not forever",
     a_row_waits_for_its_trigger_but_not_forever},
};

int main(void)
{
    return test_main("recorder", cases, sizeof cases / sizeof cases[0]);
}
