#include "tests/circuit_measures.h"

#include <math.h>
#include <stdlib.h>

enum { SIDE_PX = 50, MOST_CELLS = 22, MOST_BINS = 2000, SUB = CIRCUIT_SUBSTEPS };

static const double PX_UM = 50.0, CELL_UM = 25.0, ROW_UM = 250.0, RUN_UM = 930.0;

/* What the tables leave open: where a bar starts (it decides which of two maxima a pixel apart wins
 * where they are within a part in a thousand: 0.44 mm/s, and 1.5 mm/s without inhibition and gain
 * control), where on its pixel a bar turns (bursts up to a tenth weaker or stronger), and how much
 * of the pass smooth_hz averages. These give every row. */
static const double TURN_UM = 8.0, SMOOTH_UM = 180.0;

Circuit *measure_open(const CircuitParams *params, const CircuitCell *cell, int count, int rows_px,
                      char *err)
{
    CircuitCell cells[MOST_CELLS];
    CircuitSpec spec = {
        .name = "measured",
        .width_px = SIDE_PX,
        .height_px = rows_px,
        .um_per_px = PX_UM,
        .lum_mean = 0.5,
        .lum_sd = 0.25,
        .params = *params,
        .cells = cells,
        .cell_count = count,
    };
    for (int i = 0; i < count; i++) {
        double share = count > 1 ? 2.0 * i / (count - 1) - 1.0 : 0.0;
        cells[i] = *cell;
        cells[i].x_um = (float)(count > 1 ? TURN_UM + ROW_UM * share : CELL_UM);
        cells[i].y_um = rows_px > 1 ? (float)CELL_UM : 0.0f;
    }
    return circuit_create(&spec, err);
}

/* mean_hz (cells) of a bin whose columns have these contrasts. */
static void step_columns(Circuit *circuit, const double *contrast, double *mean_hz)
{
    float lum[SIDE_PX * SIDE_PX], fine[SUB * MOST_CELLS];
    const ModelInfo *info = circuit_info(circuit);
    for (int i = 0; i < SIDE_PX * info->height_px; i++)
        lum[i] = (float)(0.5 + 0.25 * contrast[i % SIDE_PX]);
    circuit_step_fine(circuit, lum, fine);
    for (int cell = 0; cell < info->cells; cell++) {
        mean_hz[cell] = 0.0;
        for (int i = 0; i < SUB; i++)
            mean_hz[cell] += (double)fine[i * info->cells + cell] / SUB;
    }
}

/* The first cell's rate in a bin of full field. */
static double step_full_field(Circuit *circuit, double contrast)
{
    double columns[SIDE_PX], mean_hz[MOST_CELLS];
    for (int i = 0; i < SIDE_PX; i++)
        columns[i] = contrast;
    step_columns(circuit, columns, mean_hz);
    return mean_hz[0];
}

/* By how many bins the top of the parabola through three of them is off the middle one. */
static double top_off(double before, double middle, double after)
{
    return 0.5 * (before - after) / (before - 2.0 * middle + after);
}

/* The highest of the bins from … to − 1, in ms from the start of bin 0. */
static PeakReading peak_of(const double *hz, int from, int to)
{
    int best = from;
    for (int i = from; i < to; i++)
        best = hz[i] > hz[best] ? i : best;
    double off = best > from ? top_off(hz[best - 1], hz[best], hz[best + 1]) : 0.0;
    return (PeakReading){SUB * (best + 0.5 + off), hz[best]};
}

/* hz (bins) of a train from its first flash on. */
static void run_train(Circuit *circuit, int period_bins, int flashes, double contrast, double *hz,
                      int bins)
{
    circuit_reset(circuit);
    for (int bin = 0; bin < bins; bin++) {
        bool is_on = bin % period_bins < 2 && bin / period_bins < flashes;
        hz[bin] = step_full_field(circuit, is_on ? contrast : 0.0);
    }
}

OmittedReading measure_omitted(Circuit *circuit, int period_ms, int flashes, double contrast)
{
    enum { AFTER = 50, LATE = 60 };
    static double hz[MOST_BINS];
    int period = period_ms / SUB, last = period * (flashes - 1);
    run_train(circuit, period, flashes, contrast, hz, last + AFTER + 1);
    PeakReading burst = peak_of(hz, last + period + 4, last + AFTER);
    OmittedReading reading = {.latency_ms = burst.ms - SUB * last, .hz = burst.hz};
    run_train(circuit, period, MOST_BINS, contrast, hz, 2 * LATE + 1);
    reading.first_hz = peak_of(hz, 0, 20).hz;
    reading.entrained_hz = peak_of(hz, LATE, 2 * LATE).hz;
    return reading;
}

double measure_omitted_slope(Circuit *circuit, int from_ms, int to_ms, int flashes)
{
    static const int periods_ms[] = {30, 40, 50, 60, 70, 80, 100, 120};
    double n = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0;
    for (size_t i = 0; i < sizeof periods_ms / sizeof *periods_ms; i++) {
        double period_ms = periods_ms[i];
        if (periods_ms[i] < from_ms || periods_ms[i] > to_ms)
            continue;
        double latency_ms = measure_omitted(circuit, periods_ms[i], flashes, -2.0).latency_ms;
        n += 1.0;
        x += period_ms;
        y += latency_ms;
        xx += period_ms * period_ms;
        xy += period_ms * latency_ms;
    }
    return (n * xy - x * y) / (n * xx - x * x);
}

PeakReading measure_step(Circuit *circuit, double contrast)
{
    enum { BINS = 30 };
    double hz[BINS + 1];
    circuit_reset(circuit);
    for (int bin = 0; bin <= BINS; bin++)
        hz[bin] = step_full_field(circuit, contrast);
    return peak_of(hz, 0, BINS);
}

/* One bin of a bar as high as the field, centre at x, area average on the pixels; mean_hz (cells).
 */
static void step_bar(Circuit *circuit, double x_um, double width_um, double contrast,
                     double *mean_hz)
{
    double columns[SIDE_PX];
    for (int col = 0; col < SIDE_PX; col++) {
        double left = (col - 0.5 * SIDE_PX) * PX_UM;
        double from = fmax(left, x_um - 0.5 * width_um);
        double to = fmin(left + PX_UM, x_um + 0.5 * width_um);
        columns[col] = contrast * fmax(0.0, to - from) / PX_UM;
    }
    step_columns(circuit, columns, mean_hz);
}

double measure_bar_um(Circuit *circuit, double speed_mm_per_s, double width_um, double contrast)
{
    static double hz[MOST_BINS];
    double um_per_bin = speed_mm_per_s * SUB, mean_hz[MOST_CELLS];
    int bins = (int)(2.0 * RUN_UM / um_per_bin), best = bins / 4;
    circuit_reset(circuit);
    for (int bin = 0; bin < bins; bin++) {
        step_bar(circuit, CELL_UM - RUN_UM + um_per_bin * bin, width_um, contrast, mean_hz);
        hz[bin] = mean_hz[0];
    }
    for (int bin = best; bin < bins - 1; bin++)
        best = hz[bin] > hz[best] ? bin : best;
    return um_per_bin * (best + top_off(hz[best - 1], hz[best], hz[best + 1])) - RUN_UM;
}

/* hz (bins, cells + 1), the population's mean last. */
typedef struct {
    double hz[MOST_BINS][MOST_CELLS + 1];
} Pass;

/* The bar comes from the left; from the bin `turn` on it goes back, or on. */
static void run_pass(Circuit *circuit, double um_per_bin, double width_um, double contrast,
                     bool turns, int turn, int bins, Pass *pass)
{
    int cells = circuit_info(circuit)->cells;
    circuit_reset(circuit);
    for (int bin = 0; bin < bins; bin++) {
        double *hz = pass->hz[bin], way = um_per_bin * (bin - turn);
        step_bar(circuit, TURN_UM + (turns ? -fabs(way) : way), width_um, contrast, hz);
        hz[cells] = 0.0;
        for (int cell = 0; cell < cells; cell++)
            hz[cells] += hz[cell] / cells;
    }
}

/* Largest inner maximum from 70 to 300 ms after the turn; hz 0 when there is none. */
static PeakReading burst_of(const Pass *pass, int column, int turn)
{
    PeakReading best = {(double)NAN, 0.0};
    for (int bin = turn + 7; bin <= turn + 30; bin++) {
        double before = pass->hz[bin - 1][column], now = pass->hz[bin][column];
        double after = pass->hz[bin + 1][column];
        if (now > before && now >= after && now > best.hz)
            best = (PeakReading){SUB * (bin - turn + top_off(before, now, after)), now};
    }
    return best;
}

/* Fills in what the single cells say. */
static void read_cells(const Pass *turning, int cells, int turn, TurnReading *reading)
{
    PeakReading bursts[MOST_CELLS];
    double sum = 0.0, square = 0.0;
    for (int cell = 0; cell < cells; cell++) {
        bursts[cell] = burst_of(turning, cell, turn);
        reading->best_hz = fmax(reading->best_hz, bursts[cell].hz);
    }
    for (int cell = 0; cell < cells; cell++)
        if (bursts[cell].hz > reading->best_hz / 3.0) {
            sum += bursts[cell].ms;
            square += bursts[cell].ms * bursts[cell].ms;
            reading->bursting++;
        }
    double n = fmax(reading->bursting, 1.0);
    reading->sd_ms = sqrt(fmax(0.0, square / n - sum / n * (sum / n)));
}

TurnReading measure_turn(Circuit *circuit, double speed_mm_per_s, double width_um, double contrast)
{
    static Pass turning, smooth;
    double um_per_bin = speed_mm_per_s * SUB;
    int cells = circuit_info(circuit)->cells, turn = (int)(RUN_UM / um_per_bin);
    int beside = (int)(SMOOTH_UM / um_per_bin), bins = turn + (turn > 50 ? turn : 50);
    run_pass(circuit, um_per_bin, width_um, contrast, true, turn, turn + 50, &turning);
    run_pass(circuit, um_per_bin, width_um, contrast, false, turn, bins, &smooth);
    PeakReading burst = burst_of(&turning, cells, turn);
    TurnReading reading = {.latency_ms = burst.ms, .hz = burst.hz};
    for (int bin = turn - beside; bin < turn + beside; bin++)
        reading.smooth_hz += smooth.hz[bin][cells] / (2 * beside);
    for (int cell = 0; cell < cells; cell++) {
        double highest = 0.0;
        for (int bin = turn - 2 * turn / 3; bin < bins; bin++)
            highest = fmax(highest, smooth.hz[bin][cell]);
        reading.cell_smooth_hz += highest / cells;
    }
    read_cells(&turning, cells, turn, &reading);
    return reading;
}
