#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/run_file.h"
#include "tests/harness.h"

static char err[RUN_FILE_ERR_BYTES];

static const char *cnn_cells[] = {"cell 0", "null", "a: b # c", "1e3", "\"q\"", "µ"};
static const char *circuit_cells[] = {"off"};
static const char *command[] = {"retrace", "run", "p.yaml", "--seconds", "5", ""};
static RunModel models[] = {
    {"cnn", "cnn", "model/weights/x.h5", "aa55", cnn_cells, 6, 100, 1, 12345678901, 0, true,
     "fitted: to \"x\""},
    {"circuit", "circuit", "", "", circuit_cells, 1, 1e9 / 3, 0, -1, 6, false, ""},
};

static RunFile example(void)
{
    return (RunFile){
        .retrace = "0.1.0",
        .started_utc = "2024-05-06T07:08:09Z",
        .started_unix_ns = 1714979289123456789,
        .started_session_ns = 987654321,
        .command = command,
        .command_count = 6,
        .protocol = {"white-noise", "config/protocols/white-noise.yaml", "protocol.yaml", "00ff"},
        .seed = -9007199254740992,
        .refresh_hz = 60,
        .refreshes = 1 << 30,
        .display = {"sdl", "x11, llvmpipe\nOpenGL 4.5", "swap return", "swap",
                    "unsafe: refresh could not be measured", 60, 59.950123456789012, 1.0 / 3, 5,
                    600, 400, true, 1, NULL, NULL},
        .models = models,
        .models_count = 2,
        .rates_columns = 7,
        .machine = {"Linux 6.1", "Some CPU @ 2.4 GHz", 2},
    };
}

static const char *path_in_folder(void)
{
    static char path[600];
    if (!path[0])
        snprintf(path, sizeof path, "%s/run.yaml", test_folder("run-file"));
    return path;
}

static RunFile *save_and_load(const RunFile *run)
{
    CU_ASSERT_TRUE_FATAL(run_file_save(run, path_in_folder(), err));
    return run_file_load(path_in_folder(), err);
}

static void check_display(const RunDisplay *got, const RunDisplay *wanted)
{
    CU_ASSERT_STRING_EQUAL(got->driver, wanted->driver);
    CU_ASSERT_STRING_EQUAL(got->detail, wanted->detail);
    CU_ASSERT_STRING_EQUAL(got->ladder, wanted->ladder);
    CU_ASSERT_STRING_EQUAL(got->time_source, wanted->time_source);
    CU_ASSERT_STRING_EQUAL(got->verdict, wanted->verdict);
    CU_ASSERT(test_near(got->refresh_hz, wanted->refresh_hz, 0));
    CU_ASSERT(test_near(got->measured_hz, wanted->measured_hz, 0));
    CU_ASSERT(test_near(got->jitter_us, wanted->jitter_us, 0));
    CU_ASSERT(test_near(got->um_per_px, wanted->um_per_px, 0));
    CU_ASSERT(got->width_px == wanted->width_px && got->height_px == wanted->height_px);
    CU_ASSERT(got->is_fullscreen == wanted->is_fullscreen && got->screen == wanted->screen);
}

static void check_model(const RunModel *got, const RunModel *wanted)
{
    CU_ASSERT_STRING_EQUAL(got->name, wanted->name);
    CU_ASSERT_STRING_EQUAL(got->kind, wanted->kind);
    CU_ASSERT_STRING_EQUAL(got->path, wanted->path);
    CU_ASSERT_STRING_EQUAL(got->sha256, wanted->sha256);
    CU_ASSERT_EQUAL_FATAL(got->cells_count, wanted->cells_count);
    for (unsigned i = 0; i < wanted->cells_count; i++)
        CU_ASSERT_STRING_EQUAL(got->cells[i], wanted->cells[i]);
    CU_ASSERT(test_near(got->bin_hz, wanted->bin_hz, 0));
    CU_ASSERT(got->lag_bins == wanted->lag_bins && got->row_delay_ns == wanted->row_delay_ns);
    CU_ASSERT_EQUAL(got->first_column, wanted->first_column);
    CU_ASSERT_EQUAL(got->is_simulated, wanted->is_simulated);
    CU_ASSERT_STRING_EQUAL(got->provenance, wanted->provenance);
}

static void what_is_saved_comes_back(void)
{
    RunFile run = example();
    RunFile *got = save_and_load(&run);
    CU_ASSERT_PTR_NOT_NULL_FATAL(got);
    CU_ASSERT_STRING_EQUAL(got->retrace, run.retrace);
    CU_ASSERT_STRING_EQUAL(got->started_utc, run.started_utc);
    CU_ASSERT_EQUAL_FATAL(got->command_count, 6);
    for (int i = 0; i < 6; i++)
        CU_ASSERT_STRING_EQUAL(got->command[i], command[i]);
    CU_ASSERT_STRING_EQUAL(got->protocol.name, run.protocol.name);
    CU_ASSERT_STRING_EQUAL(got->protocol.path, run.protocol.path);
    CU_ASSERT_STRING_EQUAL(got->protocol.copy, run.protocol.copy);
    CU_ASSERT_STRING_EQUAL(got->protocol.sha256, run.protocol.sha256);
    CU_ASSERT(got->seed == run.seed && got->refreshes == run.refreshes);
    CU_ASSERT(test_near(got->refresh_hz, 60, 0));
    check_display(&got->display, &run.display);
    CU_ASSERT(got->display.gamma_table == NULL && got->display.gamma_sha256 == NULL);
    CU_ASSERT_EQUAL_FATAL(got->models_count, 2);
    for (int i = 0; i < 2; i++)
        check_model(&got->models[i], &models[i]);
    CU_ASSERT_EQUAL(got->rates_columns, 7);
    CU_ASSERT_STRING_EQUAL(got->machine.kernel, run.machine.kernel);
    CU_ASSERT_STRING_EQUAL(got->machine.cpu, run.machine.cpu);
    CU_ASSERT_EQUAL(got->machine.cores, 2);
    run_file_destroy(got);
}

static void a_calibrated_run_without_models_comes_back(void)
{
    RunFile run = example();
    run.models = NULL;
    run.models_count = 0;
    run.rates_columns = 0;
    run.display.gamma_table = "rig.tsv";
    run.display.gamma_sha256 = "abcd";
    RunFile *got = save_and_load(&run);
    CU_ASSERT_PTR_NOT_NULL_FATAL(got);
    CU_ASSERT_EQUAL(got->models_count, 0);
    CU_ASSERT_STRING_EQUAL(got->display.gamma_table, "rig.tsv");
    CU_ASSERT_STRING_EQUAL(got->display.gamma_sha256, "abcd");
    run_file_destroy(got);
}

static void columns_must_add_up(void)
{
    RunFile run = example();
    run.rates_columns = 8;
    CU_ASSERT_PTR_NULL(save_and_load(&run));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, ": rates_columns: is 8; 7, the cells of all models"));
    run.rates_columns = 7;
    models[1].first_column = 5;
    CU_ASSERT_PTR_NULL(save_and_load(&run));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(err, ": models[1].first_column: is 5; 6, after the cells before it"));
    models[1].first_column = 6;
}

static void a_cut_file_is_refused(void)
{
    RunFile run = example();
    CU_ASSERT_TRUE_FATAL(run_file_save(&run, path_in_folder(), err));
    FILE *file = fopen(path_in_folder(), "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    long bytes = ftell(file);
    fclose(file);
    CU_ASSERT_FATAL(bytes > 500);
    for (long kept = bytes - 20; kept >= 0; kept -= 37) {
        CU_ASSERT_EQUAL(truncate(path_in_folder(), kept), 0);
        CU_ASSERT_PTR_NULL(run_file_load(path_in_folder(), err));
        CU_ASSERT(strncmp(err, path_in_folder(), strlen(path_in_folder())) == 0);
    }
}

static void failures_to_write_are_reported(void)
{
    RunFile run = example();
    CU_ASSERT_FALSE(run_file_save(&run, "/nonexistent/run.yaml", err));
    CU_ASSERT_STRING_EQUAL(
        err, "/nonexistent/run.yaml: could not be written: No such file or directory");
    if (access("/dev/full", W_OK) == 0) {
        CU_ASSERT_FALSE(run_file_save(&run, "/dev/full", err));
        CU_ASSERT_STRING_EQUAL(err, "/dev/full: could not be written: No space left on device");
    }
}

static const TestCase cases[] = {
    {"everything saved comes back, numbers to the last bit", what_is_saved_comes_back},
    {"a run with a gamma table and without models comes back",
     a_calibrated_run_without_models_comes_back},
    {"columns of rates that do not add up are refused", columns_must_add_up},
    {"a file cut short anywhere is refused", a_cut_file_is_refused},
    {"a file that cannot be written, or not whole, is reported", failures_to_write_are_reported},
};

int main(void)
{
    return test_main("run_file", cases, sizeof cases / sizeof cases[0]);
}
