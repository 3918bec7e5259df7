/* Whole runs as a user starts them: a real screen with a refresh of its own, real files, real
 * kills. */
#include "tests/harness.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "app/run_folder.h"
#include "tests/program.h"

enum { COLUMNS = 24, ROWS = 4000 }; // the circuit's cells; more rows than any run here has

static const char protocol_text[] = "name: short\n"
                                    "seed: 3\n"
                                    "display: {refresh_hz: 60, um_per_px: 10, width_px: 300,\n"
                                    "          height_px: 300, background: 0.5}\n"
                                    "models: [circuit]\n"
                                    "blocks:\n"
                                    "  - name: train\n"
                                    "    repeats: 20\n"
                                    "    before_ms: 500\n"
                                    "    after_ms: 500\n"
                                    "    flicker: {periods_ms: [100], flash_ms: 50, flashes: 6, "
                                    "contrast: -1}\n";

static const char *folder;
static ProgramResult result;

static void write_protocol(void)
{
    char path[600];
    folder = test_folder("run");
    snprintf(path, sizeof path, "%s/short.yaml", folder);
    FILE *file = fopen(path, "w");
    fputs(protocol_text, file);
    fclose(file);
}

// Runs `$RETRACE COMMAND FOLDER/short.yaml --out FOLDER/NAME REST`.
static int play(const char *command, const char *name, const char *rest)
{
    char line[2048];
    snprintf(line, sizeof line, "$RETRACE %s %s/short.yaml --out %s/%s --console off %s", command,
             folder, folder, name, rest);
    program_run(line, &result);
    if (result.status == 3)
        printf("said: %s", result.err);
    return result.status;
}

static json_t *load_summary(const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s/summary.json", folder, name);
    return json_load_file(path, 0, NULL);
}

static json_int_t number(const json_t *summary, const char *group, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(summary, group), key));
}

static const char *text(const json_t *summary, const char *group, const char *key)
{
    const char *value = json_string_value(json_object_get(json_object_get(summary, group), key));
    return value ? value : "";
}

typedef struct {
    int64_t refresh, image, missed;
    int64_t vblank_ns;
} Row;

static int read_rows(const char *name, Row *rows)
{
    char path[600], line[1024];
    snprintf(path, sizeof path, "%s/%s/frames.tsv", folder, name);
    FILE *file = fopen(path, "r");
    int count = 0;
    while (file && count < ROWS && fgets(line, sizeof line, file)) {
        Row *row = &rows[count];
        count += sscanf(line,
                        "%" SCNd64 " %" SCNd64 " %" SCNd64 " %*d %*d %*d %*d %*d %*d %*d %*d %*d "
                        "%*d %" SCNd64,
                        &row->refresh, &row->image, &row->missed, &row->vblank_ns) == 4;
    }
    if (file)
        fclose(file);
    return count;
}

static float *read_rates(const char *name, int *rows)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s/rates.f32", folder, name);
    FILE *file = fopen(path, "rb");
    float *rates = calloc((size_t)ROWS * COLUMNS, sizeof *rates);
    *rows = file ? (int)fread(rates, COLUMNS * sizeof *rates, ROWS, file) : 0;
    if (file)
        fclose(file);
    return rates;
}

static bool has_screen(int fps)
{
    if (program_screen_start(fps))
        return true;
    test_skip("there is no Xvfb to show anything on");
    return false;
}

static void check_every_refresh_has_its_row(int fps)
{
    if (!has_screen(fps))
        return;
    char name[32];
    snprintf(name, sizeof name, "at%d", fps);
    CU_ASSERT_EQUAL(play("run", name, "--seconds 4"), 0);
    program_screen_stop();
    json_t *summary = load_summary(name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(summary);
    static Row rows[ROWS];
    int count = read_rows(name, rows), missed = 0;
    CU_ASSERT_EQUAL(count, 4 * fps);
    for (int k = 0; k < count; k++) {
        CU_ASSERT_EQUAL(rows[k].refresh, k);
        missed += rows[k].missed != 0;
    }
    CU_ASSERT_STRING_EQUAL(text(summary, "display", "time_source"), "display");
    CU_ASSERT_EQUAL(number(summary, "frames", "missed"), missed);
    CU_ASSERT_EQUAL(number(summary, "frames", "shown") + missed, 4 * fps);
    // the first and last stamp span as many vertical blanks as there are rows between; each may be
    // half a blank off, for the server rounds its own time to count them
    int first = 0, last = count - 1;
    while (rows[first].vblank_ns < 0)
        first++;
    while (rows[last].vblank_ns < 0)
        last--;
    double span = (double)(rows[last].vblank_ns - rows[first].vblank_ns) * 1e-9 * fps;
    CU_ASSERT(test_near(span, last - first, 1));
    json_decref(summary);
}

static void rows_at_60_hz(void)
{
    check_every_refresh_has_its_row(60);
}

static void rows_at_75_hz(void)
{
    check_every_refresh_has_its_row(75);
}

static void rows_at_120_hz(void)
{
    check_every_refresh_has_its_row(120);
}

static void provoked_misses_are_on_record_and_on_schedule(void)
{
    if (!has_screen(60))
        return;
    CU_ASSERT_EQUAL(play("run", "stalls", "--seconds 6 --fault stall:20:25"), 0);
    program_screen_stop();
    static Row rows[ROWS];
    int count = read_rows("stalls", rows);
    CU_ASSERT_EQUAL(count, 360);
    int provoked = 0, seen = 0, off_schedule = 0;
    for (int k = 0; k < count; k++) {
        // a stalled image is one that was made for refresh 19, 39, …; it must have come late
        if (!rows[k].missed && rows[k].image % 20 == 19) {
            provoked++;
            seen += rows[k].image < rows[k].refresh;
        }
        // whatever follows is the image its own refresh was meant to have
        bool follows_an_image = k > 0 && !rows[k].missed && !rows[k - 1].missed;
        bool is_late = rows[k].image < rows[k].refresh;
        off_schedule += follows_an_image && is_late;
        CU_ASSERT(rows[k].image <= rows[k].refresh);
    }
    CU_ASSERT(provoked >= 15);
    CU_ASSERT_EQUAL(seen, provoked);
    CU_ASSERT_EQUAL(off_schedule, 0);
}

static int first_missed(const char *name)
{
    static Row rows[ROWS];
    int count = read_rows(name, rows), k = 0;
    while (k < count && !rows[k].missed)
        k++;
    return k;
}

static void run_and_predict_give_the_same_rates(void)
{
    if (!has_screen(60))
        return;
    CU_ASSERT_EQUAL(play("predict", "predicted", "--seconds 4"), 0);
    int predicted_rows, shown_rows, clean_rows = 0;
    float *predicted = read_rates("predicted", &predicted_rows);
    CU_ASSERT_EQUAL(predicted_rows, 240);
    // a stall of the machine ends the part that can be compared; try again for a longer one
    for (int attempt = 0; attempt < 4 && clean_rows < 120; attempt++) {
        char name[32];
        snprintf(name, sizeof name, "shown%d", attempt);
        CU_ASSERT_EQUAL(play("run", name, "--seconds 4"), 0);
        float *shown = read_rates(name, &shown_rows);
        CU_ASSERT_EQUAL(shown_rows, 240);
        clean_rows = first_missed(name);
        CU_ASSERT_EQUAL(memcmp(predicted, shown, (size_t)clean_rows * COLUMNS * sizeof *shown), 0);
        free(shown);
    }
    CU_ASSERT(clean_rows >= 120);
    double most = 0;
    for (int i = 0; i < predicted_rows * COLUMNS; i++)
        most = fmax(most, (double)predicted[i]);
    CU_ASSERT(most > 5); // the cells answered
    free(predicted);
    program_screen_stop();
}

// Waits until the run has recorded for a while; its files reach the disk as it goes on.
static void wait_until_recording(const char *name)
{
    static Row rows[ROWS];
    for (int tries = 0; tries < 300 && read_rows(name, rows) < 60; tries++)
        nanosleep(&(struct timespec){0, 100000000}, NULL);
}

static void signal_ends_a_run_cleanly(void)
{
    char line[2048];
    snprintf(line, sizeof line,
             "$RETRACE run %s/short.yaml --display null --console off --out %s/stopped", folder,
             folder);
    pid_t child = program_start(line);
    wait_until_recording("stopped");
    kill(child, SIGTERM);
    CU_ASSERT_EQUAL(program_wait(child), 0);
    json_t *summary = load_summary("stopped");
    CU_ASSERT_PTR_NOT_NULL_FATAL(summary);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(summary, "end")),
                           "stopped by a signal");
    static Row rows[ROWS];
    CU_ASSERT_EQUAL(read_rows("stopped", rows),
                    number(summary, "frames", "shown") + number(summary, "frames", "missed"));
    json_decref(summary);
}

static void killed_run_can_be_described(void)
{
    char line[2048];
    snprintf(line, sizeof line,
             "$RETRACE run %s/short.yaml --display null --console off --out %s/killed", folder,
             folder);
    pid_t child = program_start(line);
    wait_until_recording("killed");
    kill(child, SIGKILL);
    CU_ASSERT_EQUAL(program_wait(child), 128 + SIGKILL);
    RunFrames frames;
    char err[RUN_FOLDER_ERR_BYTES], path[600];
    snprintf(path, sizeof path, "%s/killed", folder);
    CU_ASSERT(run_folder_read_frames(path, COLUMNS, &frames, err));
    CU_ASSERT(frames.is_gapless);
    CU_ASSERT(frames.rows >= 60);
    snprintf(line, sizeof line, "$RETRACE describe %s/killed", folder);
    program_run(line, &result);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "incomplete"));
    CU_ASSERT_EQUAL(result.status, 1);
}

static void full_disk_ends_with_what_was_saved(void)
{
    char line[2048];
    snprintf(line, sizeof line,
             "ulimit -f 40; $RETRACE predict %s/short.yaml --console off --out %s/full", folder,
             folder);
    program_run(line, &result);
    CU_ASSERT_EQUAL(result.status, 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "refreshes are saved"));
    static Row rows[ROWS];
    CU_ASSERT(read_rows("full", rows) > 50);
}

static void unwritable_out_is_exit_4(void)
{
    CU_ASSERT_EQUAL(play("predict", "short.yaml/inside", ""), 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "short.yaml/inside"));
}

static void a_run_is_never_overwritten(void)
{
    CU_ASSERT_EQUAL(play("predict", "once", "--seconds 1"), 0);
    CU_ASSERT_EQUAL(play("predict", "once", "--seconds 1"), 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "never overwritten"));
}

static void no_screen_is_exit_3_with_advice(void)
{
    char line[2048];
    snprintf(line, sizeof line,
             "unset DISPLAY WAYLAND_DISPLAY SDL_VIDEODRIVER; $RETRACE run %s/short.yaml --out "
             "%s/unseen --console off",
             folder, folder);
    program_run(line, &result);
    CU_ASSERT_EQUAL(result.status, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "null display"));
}

static void old_opengl_is_exit_3_with_advice(void)
{
    if (!has_screen(60))
        return;
    setenv("MESA_GL_VERSION_OVERRIDE", "2.1", 1);
    CU_ASSERT_EQUAL(play("run", "old-gl", ""), 3);
    unsetenv("MESA_GL_VERSION_OVERRIDE");
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "3.3"));
    program_screen_stop();
}

static void lost_screen_ends_in_order(void)
{
    if (!has_screen(60))
        return;
    char line[2048];
    snprintf(line, sizeof line, "$RETRACE run %s/short.yaml --console off --out %s/lost", folder,
             folder);
    pid_t child = program_start(line);
    wait_until_recording("lost");
    program_screen_stop();
    CU_ASSERT_EQUAL(program_wait(child), 3);
    json_t *summary = load_summary("lost");
    CU_ASSERT_PTR_NOT_NULL_FATAL(summary);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(summary, "end")), "display lost");
    static Row rows[ROWS];
    CU_ASSERT(read_rows("lost", rows) > 30);
    json_decref(summary);
}

static void refused_run_leaves_no_folder(void)
{
    CU_ASSERT_EQUAL(play("predict", "refused", "--console png:/nowhere/c.png"), 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "/nowhere/c.png"));
    char line[2048];
    snprintf(line, sizeof line,
             "$RETRACE predict %s/short.yaml --console png:%s/c.png --cell nobody --out %s/refused",
             folder, folder, folder);
    program_run(line, &result);
    CU_ASSERT_EQUAL(result.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "--cell"));
    CU_ASSERT_EQUAL(play("predict", "refused", "--seconds 1"), 0);
}

static const TestCase cases[] = {
    {"at 60 Hz every vertical blank has its row, stamped by the display", rows_at_60_hz},
    {"at 75 Hz every vertical blank has its row, stamped by the display", rows_at_75_hz},
    {"at 120 Hz every vertical blank has its row, stamped by the display", rows_at_120_hz},
    {"every provoked miss is on record and none moves the schedule",
     provoked_misses_are_on_record_and_on_schedule},
    {"run and predict give identical rates until a frame is missed",
     run_and_predict_give_the_same_rates},
    {"SIGTERM ends a run with a summary of every row", signal_ends_a_run_cleanly},
    {"a killed run is readable, and described as incomplete", killed_run_can_be_described},
    {"a full disk is exit 4 and keeps what was written", full_disk_ends_with_what_was_saved},
    {"an out folder that cannot be made is exit 4 and named", unwritable_out_is_exit_4},
    {"a run folder is never overwritten", a_run_is_never_overwritten},
    {"a screen that goes away ends the run with all that was shown", lost_screen_ends_in_order},
    {"a run refused before its first frame leaves no folder", refused_run_leaves_no_folder},
    {"no screen is exit 3 and names the way out", no_screen_is_exit_3_with_advice},
    {"OpenGL below 3.3 is exit 3 and says so", old_opengl_is_exit_3_with_advice},
};

int main(void)
{
    write_protocol();
    return test_main("cli_run", cases, sizeof cases / sizeof cases[0]);
}
