#include "config/run_file.h"

#include <assert.h>
#include <stdio.h>

#include "config/locate.h"
#include "config/schema.h"

static_assert((int)RUN_FILE_ERR_BYTES == (int)LOCATE_ERR_BYTES, "one size of err everywhere");

enum {
    REQUIRED = CYAML_FLAG_DEFAULT,
    LIST = CYAML_FLAG_POINTER,
    OPTIONAL_LIST = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
    // quoted, so that a cell named `null` or `1e3` comes back as that
    TEXT = CYAML_FLAG_POINTER | CYAML_FLAG_SCALAR_QUOTE_DOUBLE,
    OPTIONAL_TEXT = TEXT | CYAML_FLAG_OPTIONAL,
    TEXT_BYTES_MAX = 10000,
    COUNT_MAX = 100000,
};

static const cyaml_schema_value_t text = {CYAML_VALUE_STRING(TEXT, char *, 0, TEXT_BYTES_MAX)};

#define TEXT_FIELD(S, f) CYAML_FIELD_STRING_PTR(#f, TEXT, S, f, 0, TEXT_BYTES_MAX)

static const cyaml_schema_field_t protocol_fields[] = {
    TEXT_FIELD(RunProtocol, name),
    TEXT_FIELD(RunProtocol, path),
    TEXT_FIELD(RunProtocol, copy),
    TEXT_FIELD(RunProtocol, sha256),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t display_fields[] = {
    TEXT_FIELD(RunDisplay, driver),
    TEXT_FIELD(RunDisplay, detail),
    TEXT_FIELD(RunDisplay, ladder),
    TEXT_FIELD(RunDisplay, time_source),
    TEXT_FIELD(RunDisplay, verdict),
    CYAML_FIELD_FLOAT("refresh_hz", REQUIRED, RunDisplay, refresh_hz),
    CYAML_FIELD_FLOAT("measured_hz", REQUIRED, RunDisplay, measured_hz),
    CYAML_FIELD_FLOAT("jitter_us", REQUIRED, RunDisplay, jitter_us),
    CYAML_FIELD_FLOAT("um_per_px", REQUIRED, RunDisplay, um_per_px),
    CYAML_FIELD_INT("width_px", REQUIRED, RunDisplay, width_px),
    CYAML_FIELD_INT("height_px", REQUIRED, RunDisplay, height_px),
    CYAML_FIELD_BOOL("fullscreen", REQUIRED, RunDisplay, is_fullscreen),
    CYAML_FIELD_INT("screen", REQUIRED, RunDisplay, screen),
    CYAML_FIELD_STRING_PTR("gamma_table", OPTIONAL_TEXT, RunDisplay, gamma_table, 0,
                           TEXT_BYTES_MAX),
    CYAML_FIELD_STRING_PTR("gamma_sha256", OPTIONAL_TEXT, RunDisplay, gamma_sha256, 0,
                           TEXT_BYTES_MAX),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t model_fields[] = {
    TEXT_FIELD(RunModel, name),
    TEXT_FIELD(RunModel, kind),
    TEXT_FIELD(RunModel, path),
    TEXT_FIELD(RunModel, sha256),
    CYAML_FIELD_SEQUENCE("cells", LIST, RunModel, cells, &text, 0, COUNT_MAX),
    CYAML_FIELD_FLOAT("bin_hz", REQUIRED, RunModel, bin_hz),
    CYAML_FIELD_INT("lag_bins", REQUIRED, RunModel, lag_bins),
    CYAML_FIELD_INT("row_delay_ns", REQUIRED, RunModel, row_delay_ns),
    CYAML_FIELD_INT("first_column", REQUIRED, RunModel, first_column),
    CYAML_FIELD_BOOL("simulated", REQUIRED, RunModel, is_simulated),
    TEXT_FIELD(RunModel, provenance),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t model = {CYAML_VALUE_MAPPING(REQUIRED, RunModel, model_fields)};

static const cyaml_schema_field_t rig_fields[] = {
    TEXT_FIELD(RunRig, spec),
    TEXT_FIELD(RunRig, device),
    CYAML_FIELD_INT("pulse_us", REQUIRED, RunRig, pulse_us),
    CYAML_FIELD_INT("outputs", REQUIRED, RunRig, outputs),
    CYAML_FIELD_INT("inputs", REQUIRED, RunRig, inputs),
    CYAML_FIELD_BOOL("device_clock", REQUIRED, RunRig, has_clock),
    CYAML_FIELD_BOOL("device_timed_pulse", REQUIRED, RunRig, is_pulse_timed_inside),
    CYAML_FIELD_FLOAT("delay_out_us", REQUIRED, RunRig, delay_out_us),
    CYAML_FIELD_FLOAT("delay_in_us", REQUIRED, RunRig, delay_in_us),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t machine_fields[] = {
    TEXT_FIELD(RunMachine, kernel),
    TEXT_FIELD(RunMachine, cpu),
    CYAML_FIELD_INT("cores", REQUIRED, RunMachine, cores),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t run_fields[] = {
    TEXT_FIELD(RunFile, retrace),
    TEXT_FIELD(RunFile, started_utc),
    CYAML_FIELD_INT("started_unix_ns", REQUIRED, RunFile, started_unix_ns),
    CYAML_FIELD_INT("started_session_ns", REQUIRED, RunFile, started_session_ns),
    CYAML_FIELD_SEQUENCE("command", LIST, RunFile, command, &text, 0, COUNT_MAX),
    CYAML_FIELD_MAPPING("protocol", REQUIRED, RunFile, protocol, protocol_fields),
    CYAML_FIELD_INT("seed", REQUIRED, RunFile, seed),
    CYAML_FIELD_FLOAT("refresh_hz", REQUIRED, RunFile, refresh_hz),
    CYAML_FIELD_INT("refreshes", REQUIRED, RunFile, refreshes),
    CYAML_FIELD_MAPPING("display", REQUIRED, RunFile, display, display_fields),
    CYAML_FIELD_SEQUENCE("models", OPTIONAL_LIST, RunFile, models, &model, 0, COUNT_MAX),
    CYAML_FIELD_MAPPING_PTR("rig", OPTIONAL_LIST, RunFile, rig, rig_fields),
    CYAML_FIELD_INT("rates_columns", REQUIRED, RunFile, rates_columns),
    CYAML_FIELD_MAPPING("machine", REQUIRED, RunFile, machine, machine_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t run_schema = {CYAML_VALUE_MAPPING(LIST, RunFile, run_fields)};

bool run_file_save(const RunFile *run, const char *path, char *err)
{
    return schema_save(path, &run_schema, run, err);
}

/* What describe and align rely on when they read rates.f32. */
static bool check_columns(const Locate *locate, const RunFile *run, char *err)
{
    int64_t columns = 0;
    for (unsigned i = 0; i < run->models_count; i++) {
        char key[LOCATE_KEY_BYTES];
        snprintf(key, sizeof key, "models[%u].first_column", i);
        if (run->models[i].first_column != columns)
            return locate_fail(locate, NULL, key, err, "is %d; %lld, after the cells before it",
                               run->models[i].first_column, (long long)columns);
        columns += run->models[i].cells_count;
    }
    return run->rates_columns == columns ||
           locate_fail(locate, NULL, "rates_columns", err, "is %d; %lld, the cells of all models",
                       run->rates_columns, (long long)columns);
}

RunFile *run_file_load(const char *path, char *err)
{
    Locate *locate = locate_open(path, err);
    RunFile *run = locate ? schema_load(locate, &run_schema, err) : NULL;
    if (run && !check_columns(locate, run, err)) {
        run_file_destroy(run);
        run = NULL;
    }
    locate_close(locate);
    return run;
}

void run_file_destroy(RunFile *loaded)
{
    schema_free(&run_schema, loaded);
}
