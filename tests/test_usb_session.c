#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "app/clock.h"
#include "app/series.h"
#include "tests/fake_usb.h"
#include "tests/harness.h"
#include "tests/program.h"

enum { ROWS_MAX = 4096, ENTRIES = 8192, SETUP_COMMANDS = 4, PATH = 512 };

/* A line of frames.tsv, as far as triggers go. */
typedef struct {
    long long refresh, vblank_ns, completed_ns;
    int is_missed, lines;
    char fate[32];
} Row;

static Row rows[ROWS_MAX];
static int rows_count;
static FakeEntry entries[ENTRIES];

static bool can_run(void)
{
    if (!fake_usb_is_possible()) {
        test_skip("not under umockdev");
        return false;
    }
    if (!getenv("DISPLAY")) {
        test_skip("no Xvfb");
        return false;
    }
    return true;
}

static void read_rows(const char *folder)
{
    char path[PATH + 32], line[1024];
    snprintf(path, sizeof path, "%s/frames.tsv", folder);
    FILE *file = fopen(path, "r");
    rows_count = 0;
    while (file && rows_count < ROWS_MAX && fgets(line, sizeof line, file)) {
        Row *row = &rows[rows_count];
        rows_count += sscanf(line,
                             "%lld %*s %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld %*s %*s %*s "
                             "%d %31s %*s %*s %lld",
                             &row->refresh, &row->is_missed, &row->vblank_ns, &row->lines,
                             row->fate, &row->completed_ns) == 6;
    }
    if (file)
        fclose(file);
}

static json_t *read_summary(const char *folder)
{
    char path[PATH + 32];
    snprintf(path, sizeof path, "%s/summary.json", folder);
    return json_load_file(path, 0, NULL);
}

static int64_t whole(const json_t *root, const char *part, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(root, part), key));
}

static int count_rows(const char *fate)
{
    int count = 0;
    for (int i = 0; i < rows_count; i++)
        count += !strcmp(rows[i].fate, fate);
    return count;
}

/* The port's values that made pulses, in order, without questions and settings. */
static size_t read_pulses(FakeUsb *fake, size_t from)
{
    size_t count = fake_usb_entries(fake, from, entries, ENTRIES), kept = 0;
    for (size_t i = 0; i < count; i++) {
        const FakeEntry *entry = &entries[i];
        bool is_setting = entry->count == 2; // FD rest, FE width
        bool is_question = entry->count == 1 && entry->bytes[0] == 0xff;
        if (entry->endpoint == 0x03 && !is_setting && !is_question)
            entries[kept++] = entries[i];
    }
    return kept;
}

static void run_command(char *command, size_t bytes, const char *folder, const char *more)
{
    snprintf(command, bytes,
             "$RETRACE run config/protocols/motion-reversal.yaml --model circuit --out %s %s",
             folder, more);
}

/* Every shown frame one byte, the one its row says, in order and after its flip. */
static void compare_with_device(FakeUsb *fake)
{
    Series late_us = {0};
    size_t pulses = read_pulses(fake, 0), next = 0;
    int without = 0;
    for (int i = 0; i < rows_count; i++) {
        CU_ASSERT_EQUAL(rows[i].lines != 0, !rows[i].is_missed);
        if (rows[i].is_missed)
            continue;
        CU_ASSERT_STRING_EQUAL(rows[i].fate, "sent");
        if (next < pulses && entries[next].count == 1 && entries[next].bytes[0] == rows[i].lines)
            series_add(&late_us, (entries[next].at_ns - rows[i].vblank_ns) / 1000);
        else
            without++;
        next++;
    }
    CU_ASSERT_EQUAL(without, 0);
    CU_ASSERT_EQUAL(next, pulses);
    CU_ASSERT(series_percentile(&late_us, 0) >
              -1000); // the display's stamp is good to a millisecond
    printf("%zu frames, flip to byte at the device p50 %lld us, p99 %lld us ... ", next,
           (long long)series_percentile(&late_us, 0.5),
           (long long)series_percentile(&late_us, 0.99));
    series_finish(&late_us);
}

static void check_session(const char *more)
{
    char command[2048];
    ProgramResult result;
    const char *folder = test_folder("usb-session");
    FakeUsb *fake = fake_usb_create(FAKE_TEENSY);
    run_command(command, sizeof command, folder, more);
    program_run(command, &result);
    CU_ASSERT_EQUAL(result.status, 0);
    if (result.status != 0)
        printf("%s\n", result.err);
    read_rows(folder);
    json_t *summary = read_summary(folder);
    CU_ASSERT(rows_count > 100);
    CU_ASSERT_EQUAL(whole(summary, "triggers", "sent"), whole(summary, "frames", "shown"));
    CU_ASSERT_EQUAL(whole(summary, "triggers", "failed"), 0);
    CU_ASSERT(json_integer_value(json_object_get(
                  json_object_get(json_object_get(summary, "triggers"), "latency_us"), "p50")) > 0);
    compare_with_device(fake);
    CU_ASSERT_EQUAL(fake_usb_pins(fake), 0);
    CU_ASSERT_EQUAL(fake_usb_claimed(fake), 0);
    json_decref(summary);
    fake_usb_destroy(fake);
}

static void every_shown_frame_reaches_the_device(void)
{
    if (can_run())
        check_session("--console off --seconds 5 --rig cdc");
}

static void missed_frames_have_no_trigger(void)
{
    if (!can_run())
        return;
    check_session("--console off --seconds 4 --fault stall:20:40 --rig cdc");
    int missed = 0;
    for (int i = 0; i < rows_count; i++)
        missed += rows[i].is_missed;
    CU_ASSERT(missed >= 5);
}

static int find_event(const char *folder, const char *kind)
{
    char path[PATH + 32], line[1024], word[64];
    int count = 0;
    snprintf(path, sizeof path, "%s/events.tsv", folder);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        count += sscanf(line, "%*s %63s", word) == 1 && !strcmp(word, kind);
    if (file)
        fclose(file);
    return count;
}

/* What the NWB file has of the pulses on line 0, as the sample numbers that a recorder
 * of 20 kHz, 50 ppm fast and begun 2 s before the run, would have. */
static const char pulses_script[] =
    "import h5py, math, sys; f = h5py.File(sys.argv[1])['intervals/ttl_pulses']; "
    "[print(math.ceil((t + 2) * 20000 * 1.00005)) "
    "for t, l in zip(f['start_time'][()], f['line'].asstr()[()]) if l == '0']";

static void expect(const char *command, ProgramResult *result)
{
    program_run(command, result);
    CU_ASSERT_EQUAL(result->status, 0);
    if (result->status != 0)
        printf("said: %s%s\n", result->out, result->err);
}

/* Pulses that a busy machine sent so late that they are nearer to another frame's light. */
static int count_late(void)
{
    const int64_t most_ns = 8000000; // half a refresh, less what noise and samples add
    int late = 0;
    for (int i = 0; i < rows_count; i++)
        late += !rows[i].is_missed && llabs(rows[i].completed_ns - rows[i].vblank_ns) > most_ns;
    return late;
}

/* The pulses as the file has them against a recording that only the frames' times made. */
static void align_with_pulses(const char *folder, const char *python, int64_t latency_us)
{
    char command[2048];
    ProgramResult result;
    snprintf(command, sizeof command,
             "%s -c \"%s\" %s/run.nwb >%s/ttl.csv && %s tests/make_recording.py %s/run %s/light "
             "--noise 0.05 --drift 50",
             python, pulses_script, folder, folder, python, folder, folder);
    expect(command, &result);
    snprintf(command, sizeof command,
             "$RETRACE align %s/run %s/light.i16 --raw 1 --ttl %s/ttl.csv --json -", folder, folder,
             folder);
    expect(command, &result);
    json_t *summary = json_loads(result.out, 0, NULL), *ttl = json_object_get(summary, "ttl");
    int late = count_late();
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(summary, "found")), count_rows("sent"));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(summary, "dropped")), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(summary, "unexplained")), 0);
    CU_ASSERT_EQUAL(whole(summary, "ttl", "wanted"), count_rows("sent"));
    CU_ASSERT(whole(summary, "ttl", "lost") <= late && whole(summary, "ttl", "extra") <= late);
    double p50 = json_real_value(json_object_get(json_object_get(ttl, "latency_us"), "p50"));
    CU_ASSERT(late > 0 || test_near(p50, (double)latency_us, 150)); // a sample is 50 us
    printf("pulses %.0f us after the light, by the run's own figures %lld us; %d too late to tell "
           "... ",
           p50, (long long)latency_us, late);
    json_decref(summary);
}

static void a_session_goes_into_a_file_and_finds_its_recording(void)
{
    const char *python = program_python("h5py");
    if (!can_run())
        return;
    if (!python) {
        test_skip("there is no h5py (python3-h5py) to read the file with");
        return;
    }
    char command[4 * PATH + 2048], run[PATH + 8];
    ProgramResult result;
    const char *folder = test_folder("usb-file");
    FakeUsb *fake = fake_usb_create(FAKE_TEENSY);
    fake_usb_wire(fake, true);
    snprintf(run, sizeof run, "%s/run", folder);
    run_command(command, sizeof command, run,
                "--console off --seconds 5 --fault stall:30:40 --rig cdc:pulse_us=400");
    expect(command, &result);
    fake_usb_destroy(fake);
    read_rows(run);
    json_t *summary = read_summary(run);
    CU_ASSERT(whole(summary, "frames", "missed") > 0);
    CU_ASSERT_EQUAL(count_rows("sent"), whole(summary, "frames", "shown"));
    CU_ASSERT(find_event(run, "input_edge") > 2 * whole(summary, "frames", "shown") - 10);
    snprintf(command, sizeof command,
             "$RETRACE export %s --nwb %s.nwb && %s tests/check_nwb.py %s.nwb --run %s --rig", run,
             run, python, run, run);
    expect(command, &result);
    int64_t latency_us = json_integer_value(json_object_get(
        json_object_get(json_object_get(summary, "triggers"), "latency_us"), "p50"));
    align_with_pulses(folder, python, latency_us);
    json_decref(summary);
}

static void pause_ms(int64_t ms)
{
    session_sleep_until_ns(NULL, session_now_ns(NULL) + ms * 1000000);
}

/* Waits until the device has got so many packets; false when that takes too long. */
static bool await_entries(FakeUsb *fake, size_t count)
{
    for (int ms = 0; ms < 30000 && fake_usb_entries_count(fake) < count; ms += 10)
        pause_ms(10);
    return fake_usb_entries_count(fake) >= count;
}

static void a_run_outlives_its_device(void)
{
    if (!can_run())
        return;
    char command[2048];
    const char *folder = test_folder("usb-unplug");
    FakeUsb *fake = fake_usb_create(FAKE_TEENSY);
    run_command(command, sizeof command, folder, "--console off --seconds 8 --strict --rig cdc");
    pid_t child = program_start(command);
    CU_ASSERT(await_entries(fake, 60));
    fake_usb_unplug(fake);
    pause_ms(700);
    fake_usb_plug(fake);
    CU_ASSERT_EQUAL(program_wait(child), 1); // strict, and triggers are lacking
    read_rows(folder);
    json_t *summary = read_summary(folder);
    int lacking = count_rows("no_device");
    CU_ASSERT(lacking > 10);
    CU_ASSERT_EQUAL(lacking, whole(summary, "triggers", "failed"));
    CU_ASSERT_EQUAL(count_rows("sent"), whole(summary, "triggers", "sent"));
    CU_ASSERT_EQUAL(find_event(folder, "rig_gone"), 1);
    CU_ASSERT_EQUAL(find_event(folder, "rig_back"), 1);
    CU_ASSERT_STRING_EQUAL(rows_count > 0 ? rows[0].fate : "", "sent");
    CU_ASSERT_STRING_EQUAL(rows_count > 0 ? rows[rows_count - 1].fate : "", "sent");
    const char *verdict =
        json_string_value(json_object_get(json_object_get(summary, "display"), "verdict"));
    CU_ASSERT(verdict && strstr(verdict, "triggers were not sent"));
    CU_ASSERT_EQUAL(fake_usb_pins(fake), 0);
    json_decref(summary);
    fake_usb_destroy(fake);
}

static void a_run_begins_when_told(void)
{
    if (!can_run())
        return;
    char command[2048];
    const char *folder = test_folder("usb-start");
    FakeUsb *fake = fake_usb_create(FAKE_TEENSY);
    run_command(command, sizeof command, folder, "--console off --seconds 1 --rig cdc:start=2");
    pid_t child = program_start(command);
    CU_ASSERT(await_entries(fake, SETUP_COMMANDS + 4));
    pause_ms(2000);
    CU_ASSERT_EQUAL(read_pulses(fake, 0), 0);
    int64_t told_ns = session_now_ns(NULL);
    fake_usb_set_input(fake, 2, true);
    CU_ASSERT_EQUAL(program_wait(child), 0);
    CU_ASSERT(read_pulses(fake, 0) > 30 && entries[0].at_ns > told_ns);
    CU_ASSERT_EQUAL(find_event(folder, "input_edge"), 1);
    fake_usb_destroy(fake);
}

static void no_device_is_exit_3_with_advice(void)
{
    if (!can_run())
        return;
    ProgramResult result;
    FakeUsb *fake = fake_usb_create(FAKE_TEENSY);
    program_run("$RETRACE run config/protocols/white-noise.yaml --console off --rig u3", &result);
    CU_ASSERT_EQUAL(result.status, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "no u3 is connected; `retrace rig list`"));
    program_run("$RETRACE rig test ftdi", &result);
    CU_ASSERT_EQUAL(result.status, 3);
    fake_usb_unplug(fake);
    program_run("$RETRACE rig list", &result);
    CU_ASSERT_EQUAL(result.status, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "--rig null and --rig none need none"));
    fake_usb_destroy(fake);
}

static void rig_lists_tests_and_loops(void)
{
    if (!can_run())
        return;
    ProgramResult result;
    FakeUsb *fake = fake_usb_create(FAKE_TEENSY);
    fake_usb_wire(fake, true);
    program_run("$RETRACE rig list --json -", &result);
    CU_ASSERT_EQUAL(result.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "\"serial\": \"1234560\""));
    program_run("$RETRACE rig test cdc --seconds 1 --rate 100", &result);
    CU_ASSERT_EQUAL(result.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "100 pulses sent, 0 failed"));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "3.3 V"));
    program_run("$RETRACE rig loop cdc --events 1000 --json -", &result);
    CU_ASSERT_EQUAL(result.status, 0);
    json_t *loop = json_loads(result.out, 0, NULL);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(loop, "returned")), 1000);
    const json_t *trip = json_object_get(loop, "round_trip_us");
    double p50 = json_number_value(json_object_get(trip, "p50"));
    CU_ASSERT(p50 > 0 && p50 <= json_number_value(json_object_get(trip, "max")));
    CU_ASSERT(json_is_false(json_object_get(json_object_get(loop, "delay"), "halved")));
    json_decref(loop);
    fake_usb_wire(fake, false);
    program_run("$RETRACE rig loop cdc --events 2", &result);
    CU_ASSERT_EQUAL(result.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "no edge came back"));
    fake_usb_destroy(fake);
}

static void a_device_that_may_not_be_used_says_what_to_do(void)
{
    char command[2048];
    ProgramResult result;
    program_run("command -v runuser", &result);
    if (!can_run())
        return;
    if (result.status != 0 || getuid() != 0) {
        test_skip("only root can become nobody");
        return;
    }
    const char *folder = test_folder("usb-nobody");
    FakeUsb *fake = fake_usb_create(FAKE_TEENSY);
    snprintf(command, sizeof command,
             "chmod 755 %s && cp $RETRACE %s/retrace && chmod -R a+rwX $UMOCKDEV_DIR && "
             "chmod 600 $UMOCKDEV_DIR/dev/bus/usb/001/002 && runuser -u nobody -- env "
             "\"LD_PRELOAD=$LD_PRELOAD\" UMOCKDEV_DIR=$UMOCKDEV_DIR ASAN_OPTIONS=detect_leaks=0 "
             "%s/retrace rig list",
             folder, folder, folder);
    program_run(command, &result);
    CU_ASSERT_EQUAL(result.status, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "NO    cdc   16c0:0483 at 1-1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "install rig/70-retrace.rules"));
    fake_usb_destroy(fake);
}

static const TestCase cases[] = {
    {"at 60 Hz every shown frame reaches the device, in order",
     every_shown_frame_reaches_the_device},
    {"missed frames have no trigger", missed_frames_have_no_trigger},
    {"a session goes into an NWB file, and finds its recording",
     a_session_goes_into_a_file_and_finds_its_recording},
    {"a run outlives its device, says what was not sent, and goes on when it is back",
     a_run_outlives_its_device},
    {"a run begins when an input says so", a_run_begins_when_told},
    {"no device is exit 3 with advice", no_device_is_exit_3_with_advice},
    {"rig lists, tests and loops", rig_lists_tests_and_loops},
    {"a device that may not be used says what to do",
     a_device_that_may_not_be_used_says_what_to_do},
};

/* The screen is no part of what is tested: it has neither fake devices nor a sanitizer. */
static bool start_screen(void)
{
    char preload[1024];
    snprintf(preload, sizeof preload, "%s", getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "");
    unsetenv("LD_PRELOAD");
    bool has_screen = program_screen_start(60);
    if (preload[0])
        setenv("LD_PRELOAD", preload, 1);
    if (!has_screen)
        unsetenv("DISPLAY");
    return has_screen;
}

int main(void)
{
    bool has_screen = start_screen();
    int status = test_main("usb_session", cases, sizeof cases / sizeof cases[0]);
    if (has_screen)
        program_screen_stop();
    return status;
}
