#include "tests/harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "model/dataset.h"
#include "tests/program.h"

enum { PX = 20, TEST_BINS = 3000, TRAIN_BINS = 6000, REPEATS = 3, CELLS = 4 };

static const char spec_text[] =
    "name: short\nseed: 5\nminutes: 1\ntest_minutes: 0.5\ntest_repeats: 3\nsegment_s: 7\n"
    "field: {width_px: 20, height_px: 20, um_per_px: 50}\n"
    "mix: {natural: 2, noise: 1, objects: 1, flashes: 1}\n"
    "spiking: refractory\n"
    "classes:\n"
    "  - {name: full, off: 1, on_fast: 1.57, on_slow: 0.6409, "
    "threshold: 0.001146, alpha_hz: 353, pool_um: 144}\n"
    "lattice: {sites: 4, x_um: 0, y_um: 0, spacing_um: 200, jitter_um: 20, spread: 0.1, seed: 1}\n";

static char folder[512];

static void write_spec(void)
{
    char path[600];
    snprintf(folder, sizeof folder, "%s", test_folder("simulate"));
    snprintf(path, sizeof path, "%s/spec.yaml", folder);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(spec_text, file);
    fclose(file);
}

static const char *command_for(const char *out)
{
    static char command[1400];
    snprintf(command, sizeof command, "\"$RETRACE\" simulate %s/spec.yaml --out %s/%s", folder,
             folder, out);
    return command;
}

static void run(const char *out, ProgramResult *result)
{
    program_run(command_for(out), result);
    CU_ASSERT_EQUAL_FATAL(result->status, 0);
}

static long journal_bytes(const char *out)
{
    char path[1100];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s.resume", folder, out);
    return stat(path, &status) == 0 ? (long)status.st_size : -1;
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == pid;
}

/* Starts a recording and sends the signal when its journal has so many bytes; its exit status. */
static int interrupt(const char *out, int signal_number, long bytes)
{
    pid_t pid = program_start(command_for(out));
    while (journal_bytes(out) < bytes && !has_ended(pid))
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    kill(pid, signal_number);
    return program_wait(pid);
}

/* Everything that a data set holds of one part, in one block; freed by the caller. */
static float *content(const char *out, DatasetPart part, int bins, size_t *count)
{
    char path[1100], err[MODEL_ERR_BYTES] = "";
    snprintf(path, sizeof path, "%s/%s", folder, out);
    Dataset *set = dataset_open(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    CU_ASSERT_EQUAL_FATAL(dataset_bins(set, part), bins);
    size_t lum = (size_t)bins * PX * PX, response = (size_t)bins * CELLS;
    int repeats = part == DATASET_TEST ? REPEATS : 0;
    static const DatasetResponse written[] = {DATASET_BINNED, DATASET_FIRING_RATE, DATASET_RATE};
    enum { WRITTEN = sizeof written / sizeof *written };
    *count = lum + WRITTEN * response + (size_t)repeats * response;
    float *values = calloc(*count, sizeof *values), *at = values;
    CU_ASSERT_PTR_NOT_NULL_FATAL(values);
    CU_ASSERT(dataset_read_lum(set, part, 0, bins, at, err));
    at += lum;
    for (int i = 0; i < WRITTEN; i++, at += response)
        CU_ASSERT(dataset_read_response(set, part, written[i], 0, bins, at, err));
    for (int cell = 0; repeats && cell < CELLS; cell++, at += (size_t)repeats * (size_t)bins)
        CU_ASSERT(dataset_read_repeats(set, cell, 0, bins, at, err));
    dataset_close(set);
    return values;
}

static bool is_same(const char *a, const char *b, DatasetPart part, int bins)
{
    size_t count, other_count;
    float *one = content(a, part, bins, &count), *other = content(b, part, bins, &other_count);
    bool same = count == other_count && memcmp(one, other, count * sizeof *one) == 0;
    free(one);
    free(other);
    return same;
}

static void a_killed_recording_goes_on_to_the_same_data_set(void)
{
    static ProgramResult result;
    write_spec();
    run("whole.h5", &result);
    CU_ASSERT_EQUAL(journal_bytes("whole.h5"), -1);
    long state = 22 * 4 * PX * PX; // about the bytes of one state
    CU_ASSERT_EQUAL(interrupt("killed.h5", SIGKILL, state + 100), 128 + SIGKILL);
    long early = journal_bytes("killed.h5");
    CU_ASSERT_EQUAL(interrupt("killed.h5", SIGKILL, early + 5 * state), 128 + SIGKILL);
    CU_ASSERT(journal_bytes("killed.h5") > early);
    run("killed.h5", &result);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "000 bins of an earlier run"));
    CU_ASSERT_EQUAL(journal_bytes("killed.h5"), -1);
    CU_ASSERT(is_same("whole.h5", "killed.h5", DATASET_TEST, TEST_BINS));
    CU_ASSERT(is_same("whole.h5", "killed.h5", DATASET_TRAIN, TRAIN_BINS));
}

static void a_stopped_recording_is_a_data_set_and_goes_on_too(void)
{
    static ProgramResult result;
    char path[1100], err[MODEL_ERR_BYTES];
    write_spec();
    run("whole.h5", &result);
    long state = 22 * 4 * PX * PX;
    CU_ASSERT_EQUAL(interrupt("stopped.h5", SIGINT, 7 * state), 0);
    CU_ASSERT(journal_bytes("stopped.h5") > 0);
    snprintf(path, sizeof path, "%s/stopped.h5", folder);
    Dataset *set = dataset_open(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    int64_t done = dataset_bins(set, DATASET_TEST) + dataset_bins(set, DATASET_TRAIN);
    CU_ASSERT(done > 0 && done < TEST_BINS + TRAIN_BINS);
    dataset_close(set);
    run("stopped.h5", &result);
    CU_ASSERT(is_same("whole.h5", "stopped.h5", DATASET_TEST, TEST_BINS));
    CU_ASSERT(is_same("whole.h5", "stopped.h5", DATASET_TRAIN, TRAIN_BINS));
}

/* Other options are another recording: what is left of this one is not mixed into it. */
static void another_recording_does_not_go_on_from_it(void)
{
    static ProgramResult result;
    char command[1500];
    write_spec();
    CU_ASSERT_EQUAL(interrupt("a.h5", SIGKILL, 22 * 4 * PX * PX + 100), 128 + SIGKILL);
    snprintf(command, sizeof command, "%s --seed 6 --minutes 0.1", command_for("a.h5"));
    program_run(command, &result);
    CU_ASSERT_EQUAL(result.status, 0);
    CU_ASSERT_PTR_NULL(strstr(result.out, "earlier run"));
}

static const TestCase cases[] = {
    {"a killed recording goes on to the same data set",
     a_killed_recording_goes_on_to_the_same_data_set},
    {"a stopped recording is a data set and goes on too",
     a_stopped_recording_is_a_data_set_and_goes_on_too},
    {"another recording does not go on from it", another_recording_does_not_go_on_from_it},
};

int main(void)
{
    return test_main("cli_simulate", cases, sizeof cases / sizeof cases[0]);
}
