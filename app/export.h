#pragma once
/* What there is to hand to other programs: a run and all that lies in its folder, or a plan of one.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "app/frames.h"
#include "app/rig_heard.h"
#include "app/schedule.h"
#include "config/plan.h"
#include "config/run_file.h"

enum { EXPORT_ERR_BYTES = 512 };

typedef struct {
    const RunFile *run;      // owned; NULL: a plan, and nothing was shown
    const char *folder;      // borrowed; of the run
    Protocol *protocol;      // owned; NULL: a movie's run
    Plan *plan;              // owned; NULL: a movie's run
    char *source;            // owned: the protocol file, byte for byte; NULL: a movie's run
    const char *source_name; // borrowed: what that file is called
    Frames frames;           // owned; without a run: empty
    Schedule schedule;       // owned
    RigHeard *heard;         // owned, (heard_count); NULL: there was no rig
    int64_t heard_count;
    float *rates_hz; // owned, (rates_rows, run->rates_columns); NULL: none
    int64_t rates_rows;
    int64_t start_unix_ns; // UTC of refresh 0; of a plan: when it was exported
    bool is_complete;      // the run has its summary, and every planned refresh its row
} Export;

/* Everything of a run folder, also of one that was cut short. False with a sentence in err
 * (EXPORT_ERR_BYTES); *export is then empty. */
bool export_open_run(const char *folder, Export *export, char *err);

/* plan, its protocol and the file it came from are borrowed until export_close(). */
bool export_open_plan(Plan *plan, Protocol *protocol, const char *path, Export *export, char *err);
void export_close(Export *export);

/* The kinds of file; of a CSV, path NULL is standard output. False with a sentence in err
 * (EXPORT_ERR_BYTES).
 * CSV: an event a row, times since refresh 0, the same columns for a run and a plan.
 * What was heard of the rig is a CSV of its own.
 * HDF5: /frames, /events, /trials, /pulses and /rig_events with a data set a column; /rates/MODEL (refresh,
 * cell) in Hz; the texts of protocol and run as attributes of the file. NWB: nwb.h. */
bool export_csv(const Export *export, const char *path, char *err);
bool export_rig_csv(const Export *export, const char *path, char *err);
bool export_hdf5(const Export *export, const char *path, char *err);
bool export_nwb(const Export *export, const char *path, char *err);

/* The table alone. */
void export_write_csv(const Export *export, FILE *file);
