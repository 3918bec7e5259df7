#pragma once
/* The experiments on the circuit and how they are read, as the prototype had them that the tables
 * in the tests come from. Times in ms after the event that is named; rates in Hz.
 *
 * All is read on the mean rates of the bins of 10 ms, a peak's time by a parabola through three of
 * them. The time of a bin is its middle; a bar stands for a bin where it was put for that bin, and
 * turns in the middle of one. */
#include "model/circuit.h"

/* Circuit of the spec's parameters with `count` cells like `cell` in a row of ±250 µm around 25 µm
 * (one cell: at 25 µm), on a field of 50 px of 50 µm and rows_px of them high. One row is as good
 * as fifty for what does not change from row to row. NULL with a sentence in err. */
Circuit *measure_open(const CircuitParams *params, const CircuitCell *cell, int count, int rows_px,
                      char *err);

typedef struct {
    double latency_ms;   // of the highest rate after the omitted flash, from the last flash
    double hz;           // that rate
    double entrained_hz; // highest after a flash late in a train that goes on
    double first_hz;     // highest after the first flash
} OmittedReading;

/* Trains of full-field flashes of 20 ms; first cell. */
OmittedReading measure_omitted(Circuit *circuit, int period_ms, int flashes, double contrast);

/* Slope of the latency over the period, by least squares over 30, 40 … 80, 100 and 120 ms, as far
 * as they are from `from_ms` to `to_ms`. */
double measure_omitted_slope(Circuit *circuit, int from_ms, int to_ms, int flashes);

typedef struct {
    double ms, hz;
} PeakReading;

/* A full-field step; first cell. */
PeakReading measure_step(Circuit *circuit, double contrast);

/* Where the centre of a bar stands, seen from the first cell, when that fires most; NaN: never. */
double measure_bar_um(Circuit *circuit, double speed_mm_per_s, double width_um, double contrast);

typedef struct {
    double latency_ms, hz; // of the largest maximum of the population's mean, 70 to 300 ms on
    double smooth_hz;      // the population's mean while a bar that does not turn passes
    double best_hz;        // highest burst of a cell
    double cell_smooth_hz; // highest rate of a cell when the bar passes, mean over the cells
    double sd_ms;          // of the latencies of the cells that burst
    int bursting;          // cells whose burst is above a third of the highest
} TurnReading;

/* A bar turns back in the middle of the row. */
TurnReading measure_turn(Circuit *circuit, double speed_mm_per_s, double width_um, double contrast);
