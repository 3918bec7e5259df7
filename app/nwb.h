#pragma once
/* An NWB 2.7.0 file of a run, or of a plan: the parts that export_nwb() (export.h) puts together.
 *
 * Time 0 is the start of refresh 0. What stands where:
 *   /intervals/trials           a row a trial that began: times, block, seed, every parameter
 *   /intervals/blocks           a row a block
 *   /intervals/stimulus_events  onsets, flashes, omissions, turns: as `retrace timing` lists them
 *   /intervals/ttl_pulses       a row a pulse and line: of a run those sent, of a plan those due
 *   /acquisition/frame_flips    of a run: the image each refresh began to show, and when
 *   /acquisition/rig_events     of a run with a rig: edges and codes that came in, and what befell it
 *   /processing/misc            of a run: predicted rates of each model in Hz, and its cells
 *   /analysis                   the display's figures, and its gamma table
 *   /general                    protocol file, display, notes on models and timing
 *   /scratch/run_yaml           of a run: everything needed to repeat it
 * A table or series without rows is left out. Frames are not stored as images: the parameters and
 * the seed make them again, bit for bit. */
#include "app/export.h"
#include "app/nwb_object.h"

/* What is written, and what must live until it is. */
typedef struct {
    const Export *export;
    Hdf5Tree *tree;
    void **kept; // owned, (kept_count): arrays of columns
    int kept_count, kept_room;
    bool is_out_of_memory;
} NwbWriter;

/* Zeroed memory (at least one byte) that lives as long as the writer; NULL, noted, when there is
 * none. */
void *nwb_keep(NwbWriter *writer, size_t bytes);

void nwb_write_head(NwbWriter *writer);    // root and /general
void nwb_write_trials(NwbWriter *writer);  // /intervals
void nwb_write_frames(NwbWriter *writer);  // flips and rates
void nwb_write_rig(NwbWriter *writer);     // what was heard of it
void nwb_write_display(NwbWriter *writer); // device and calibration
