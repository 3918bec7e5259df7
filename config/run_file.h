#pragma once
/* run.yaml: everything needed to repeat a run and to read what it left, written before its first
 * frame.
 *
 * Strings are borrowed by a RunFile that is filled in to be saved, and owned by one that was
 * loaded. The protocol itself lies beside as `protocol.copy`, byte for byte. Nothing here names the
 * machine's owner: no host, no user. */
#include <stdbool.h>
#include <stdint.h>

enum { RUN_FILE_ERR_BYTES = 512 };

typedef struct {
    const char *name, *path; // path as given on the command line
    const char *copy;        // file name inside the run folder
    const char *sha256;      // of the file, lower-case hex
} RunProtocol;

typedef struct {
    const char *driver, *detail, *ladder;      // as DisplayInfo has them
    const char *time_source;                   // "display", "swap" or "simulated"
    const char *verdict;                       // of the calibration: "ok" or "unsafe: why"
    double refresh_hz, measured_hz, jitter_us; // measured_hz 0: nothing was measured
    double um_per_px;
    int width_px, height_px;
    bool is_fullscreen;
    int screen;
    const char *gamma_table, *gamma_sha256; // NULL: the display was taken to be linear
} RunDisplay;

typedef struct {
    const char *name, *kind, *path, *sha256; // path and sha256 are "" for a model without a file
    const char **cells;                      // (cells_count) names
    unsigned cells_count;
    double bin_hz;
    int lag_bins;
    int64_t row_delay_ns; // row k is the rate over refresh k's own interval, shifted back by this
    int first_column;     // of rates.f32
    bool is_simulated;    // is, or was fitted to, the simulated retina
    const char *provenance;
} RunModel;

typedef struct {
    const char *spec;   // of --rig
    const char *device; // what it turned out to be
    int pulse_us;       // in force
    int outputs, inputs;
    bool has_clock, is_pulse_timed_inside;
    double delay_out_us, delay_in_us; // of --rig-delay; -1: not measured
} RunRig;

typedef struct {
    const char *kernel, *cpu;
    int cores;
} RunMachine;

typedef struct {
    const char *retrace;     // version
    const char *started_utc; // 2024-05-06T07:08:09Z
    int64_t started_unix_ns,
        started_session_ns; // one moment on both clocks: UTC, and that of frames.tsv
    const char **command;   // (command_count) the command line
    unsigned command_count;
    RunProtocol protocol;
    int64_t seed;      // in force: the protocol's, or that of --seed
    double refresh_hz; // of the plan
    int64_t refreshes; // planned
    RunDisplay display;
    RunModel *models; // (models_count); NULL for none
    unsigned models_count;
    RunRig *rig;       // NULL: there was none
    int rates_columns; // cells of all models: a row of rates.f32, float32, little-endian
    RunMachine machine;
} RunFile;

/* False with a sentence in err (RUN_FILE_ERR_BYTES). */
bool run_file_save(const RunFile *run, const char *path, char *err);

/* NULL with `FILE:LINE: key: what is wrong; what is allowed` in err. */
RunFile *run_file_load(const char *path, char *err);
void run_file_destroy(RunFile *loaded);
