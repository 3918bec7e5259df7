/* `retrace export` and `retrace timing --nwb` as a user starts them; what they write is read by
 * another program, tests/check_nwb.py over h5py. */
#include "tests/harness.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "model/array.h"
#include "tests/program.h"

static const char protocol_text[] =
    "name: exported\n"
    "about: Trains, steps and a bar that turns, for a file that other programs open.\n"
    "seed: 3\n"
    "display: {refresh_hz: 60, um_per_px: 10, width_px: 300, height_px: 300, background: 0.5}\n"
    "models: [circuit]\n"
    "blocks:\n"
    "  - name: 'train, \"quoted\"'\n"
    "    repeats: 3\n"
    "    before_ms: 500\n"
    "    trigger_code: 5\n"
    "    flicker: {periods_ms: [100, 50], flash_ms: 16.6667, flashes: 6, omitted: 6, contrast: "
    "-1}\n"
    "  - name: steps\n"
    "    repeats: 2\n"
    "    after_ms: 500\n"
    "    trigger_code: 6\n"
    "    step: {contrasts: [-1, 1], duration_ms: 500}\n"
    "  - name: noise\n"
    "    checkerboard: {columns: 8, rows: 8, check_um: 100, contrast: 1, hold_ms: 33.3333,\n"
    "                   duration_s: 2}\n";

static char folder[512];
static const char *python;
static ProgramResult result;

static int run_line(const char *line)
{
    program_run(line, &result);
    return result.status;
}

/* Every %s of the call is the test's folder. */
static int call(const char *format)
{
    char line[4096];
    snprintf(line, sizeof line, format, folder, folder, folder, folder);
    return run_line(line);
}

static bool is_ready(void)
{
    char path[600];
    if (folder[0])
        return true;
    snprintf(folder, sizeof folder, "%s", test_folder("export"));
    snprintf(path, sizeof path, "%s/p.yaml", folder);
    FILE *file = fopen(path, "w");
    fputs(protocol_text, file);
    fclose(file);
    CU_ASSERT_EQUAL_FATAL(call("\"$RETRACE\" predict %s/p.yaml --out %s/run"), 0);
    CU_ASSERT_EQUAL_FATAL(
        call("\"$RETRACE\" timing %s/p.yaml --csv %s/timing.csv --nwb %s/timing.nwb"), 0);
    return true;
}

static bool has_h5py(void)
{
    if (!python)
        python = program_python("h5py");
    if (!python)
        test_skip("there is no h5py (python3-h5py) to read the file with");
    return python != NULL;
}

static void check_nwb(const char *arguments)
{
    char format[1000];
    snprintf(format, sizeof format, "%s tests/check_nwb.py %s", python, arguments);
    int status = call(format);
    if (status != 0)
        printf("said: %s%s\n", result.out, result.err);
    CU_ASSERT_EQUAL(status, 0);
}

static void a_run_is_a_whole_nwb_file(void)
{
    if (!is_ready() || !has_h5py())
        return;
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/run --nwb %s/run.nwb"), 0);
    check_nwb("%s/run.nwb --times %s/timing.csv --run %s/run");
}

static void a_plan_is_a_whole_nwb_file(void)
{
    if (!is_ready() || !has_h5py())
        return;
    check_nwb("%s/timing.nwb --times %s/timing.csv");
}

/* In real time, killed after its first seconds were synced. */
static void a_killed_run_is_a_whole_nwb_file(void)
{
    if (!is_ready())
        return;
    char line[1200];
    snprintf(line, sizeof line,
             "\"$RETRACE\" run %s/p.yaml --display null --console off --out %s/killed", folder,
             folder);
    pid_t pid = program_start(line);
    struct timespec pause = {.tv_sec = 3, .tv_nsec = 300000000};
    nanosleep(&pause, NULL);
    kill(pid, SIGKILL);
    program_wait(pid);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/killed --nwb %s/killed.nwb --json %s/k.json"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "cut short"));
    char path[600];
    snprintf(path, sizeof path, "%s/k.json", folder);
    json_t *summary = json_load_file(path, 0, NULL);
    CU_ASSERT(json_is_false(json_object_get(summary, "complete")));
    CU_ASSERT(json_integer_value(json_object_get(summary, "frames")) > 30);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(summary, "pulses")), 0);
    json_decref(summary);
    if (!has_h5py())
        return;
    // in real time events come when they come, so the structure alone is held against the schema
    check_nwb("%s/killed.nwb --run %s/killed");
}

static void the_checker_sees_what_is_wrong(void)
{
    if (!is_ready() || !has_h5py())
        return;
    static const char *const harms[] = {
        "del f['file_create_date']",
        "f.attrs['nwb_version'] = '2.10.0'",
        "del f['intervals/trials'].attrs['colnames']",
        "del f['intervals/trials/stop_time']",
        "del f['processing/misc'].attrs['description']",
        "del f['acquisition/frame_flips/data'].attrs['unit']",
        "f['acquisition/x'] = 1",
        "f['intervals/trials'].attrs['object_id'] = f['intervals/blocks'].attrs['object_id']",
        "f['intervals/stimulus_events/start_time'][3] += 1e-5",
        "f['acquisition'].create_group('rig_events')",
    };
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/run --nwb %s/run.nwb"), 0);
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        char format[1000];
        snprintf(format, sizeof format,
                 "cp %%s/run.nwb %%s/bad.nwb && %s -c \"import h5py; f = h5py.File('%%s/bad.nwb', "
                 "'r+'); %s\"",
                 python, harms[i]);
        CU_ASSERT_EQUAL(call(format), 0);
        snprintf(format, sizeof format, "%s tests/check_nwb.py %%s/bad.nwb --times %%s/timing.csv",
                 python);
        int status = call(format);
        if (status != 1)
            printf("not seen: %s\n", harms[i]);
        CU_ASSERT_EQUAL(status, 1);
    }
}

static void csv_has_the_rows_of_timing(void)
{
    if (!is_ready())
        return;
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/run --csv %s/run.csv"), 0);
    // the simulated display keeps its rate to a nanosecond
    CU_ASSERT_EQUAL(call("sed 's/,[0-9.]*,[0-9]*,/,,,/' %s/timing.csv >%s/a && "
                         "sed 's/,[0-9.]*,[0-9]*,/,,,/' %s/run.csv | cmp - %s/a"),
                    0);
}

static Array *open_array(const char *file, const char *path)
{
    char where[800], err[MODEL_ERR_BYTES];
    snprintf(where, sizeof where, "%s/%s:%s", folder, file, path);
    Array *array = array_open(where, err);
    if (!array)
        printf("said: %s\n", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(array);
    return array;
}

static void hdf5_has_a_data_set_a_column(void)
{
    if (!is_ready())
        return;
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/run --hdf5 %s/run.h5"), 0);
    Array *rates = open_array("run.h5", "/rates/circuit"),
          *time = open_array("run.h5", "/frames/time_ns");
    int64_t rows = array_info(rates)->dims[0];
    CU_ASSERT(array_info(rates)->dims[1] == 24 && array_info(time)->dims[0] == rows);
    double last;
    CU_ASSERT(array_read(time, &(int64_t){rows - 1}, &(int64_t){1}, ARRAY_DOUBLE, &last));
    CU_ASSERT(test_near(last, (double)(rows - 1) * 1e9 / 60, 10));
    array_close(rates);
    array_close(time);
}

static int64_t figure_of(const char *file, const char *key)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    json_t *summary = json_load_file(path, 0, NULL);
    int64_t value = json_integer_value(json_object_get(summary, key));
    json_decref(summary);
    return value;
}

/* As it is, and not once a pulse is longer, or an edge later, than on record. */
static void check_rig(void)
{
    static const char *const harms[] = {
        "f['intervals/ttl_pulses/stop_time'][-1] += 2e-4",
        "f['intervals/ttl_pulses/code'][0] = 7",
        "f['acquisition/rig_events/time'][5] += 1e-5",
        "del f['acquisition/rig_events']",
    };
    check_nwb("%s/rig.nwb --run %s/rig --rig");
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        char format[1000];
        snprintf(format, sizeof format,
                 "cp %%s/rig.nwb %%s/bad.nwb && %s -c \"import h5py; f = h5py.File('%%s/bad.nwb', "
                 "'r+'); %s\"",
                 python, harms[i]);
        CU_ASSERT_EQUAL(call(format), 0);
        snprintf(format, sizeof format, "%s tests/check_nwb.py %%s/bad.nwb --run %%s/rig --rig",
                 python);
        CU_ASSERT_EQUAL(call(format), 1);
    }
}

/* The null rig loops its pulses back: edges come in, by a clock of its own. */
static void what_a_rig_sent_and_heard_is_in_the_file(void)
{
    if (!is_ready())
        return;
    CU_ASSERT_EQUAL(call("\"$RETRACE\" run %s/p.yaml --display null --console off --seconds 3 "
                         "--rig null:pulse_us=300,drift_ppm=40,delay_us=100 --out %s/rig"),
                    0);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/rig --nwb %s/rig.nwb --hdf5 %s/rig.h5 --rig-csv "
                         "%s/rig.csv") ||
                        call("\"$RETRACE\" export %s/rig --csv %s/e.csv --json %s/rig.json"),
                    0);
    CU_ASSERT(figure_of("rig.json", "pulses") > 150 && figure_of("rig.json", "rig_events") > 300);
    CU_ASSERT_EQUAL(call("test $(wc -l <%s/rig.csv) -eq $(($(grep -c -e input -e run_line "
                         "%s/rig/events.tsv) + 1))"),
                    0);
    Array *time = open_array("rig.h5", "/rig_events/time_ns");
    CU_ASSERT_EQUAL(array_info(time)->dims[0], figure_of("rig.json", "rig_events"));
    array_close(time);
    if (has_h5py())
        check_rig();
}

static void faults_have_their_status(void)
{
    if (!is_ready())
        return;
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export"), 2);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/run"), 2);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/nowhere --nwb %s/x.nwb"), 2);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/run --nwb /nonexistent/x.nwb"), 4);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/run --csv /nonexistent/x.csv"), 4);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/run --hdf5 /nonexistent/x.h5"), 4);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/run --rig-csv /nonexistent/x.csv"), 4);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" timing %s/p.yaml --nwb /nonexistent/x.nwb"), 4);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" timing %s/p.yaml --nwb %s/p.yaml"), 2);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export --help"), 0);
    CU_ASSERT_EQUAL(call("cp -r %s/run %s/other && echo '# ' >>%s/other/protocol.yaml"), 0);
    CU_ASSERT_EQUAL(call("\"$RETRACE\" export %s/other --nwb %s/x.nwb"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "not the protocol that was played"));
    CU_ASSERT_EQUAL(call("test ! -e %s/x.nwb -a ! -e %s/x.nwb.part"), 0);
}

static const TestCase cases[] = {
    {"a run is a whole NWB file, its onsets those of timing", a_run_is_a_whole_nwb_file},
    {"a plan is a whole NWB file, its onsets those of timing", a_plan_is_a_whole_nwb_file},
    {"a killed run is a whole NWB file", a_killed_run_is_a_whole_nwb_file},
    {"the checker of NWB files sees what is wrong", the_checker_sees_what_is_wrong},
    {"a run's CSV has the rows of timing", csv_has_the_rows_of_timing},
    {"plain HDF5 has a data set a column", hdf5_has_a_data_set_a_column},
    {"what a rig sent and heard is in the file", what_a_rig_sent_and_heard_is_in_the_file},
    {"every fault of the call has its exit status", faults_have_their_status},
};

int main(void)
{
    return test_main("cli_export", cases, sizeof cases / sizeof cases[0]);
}
