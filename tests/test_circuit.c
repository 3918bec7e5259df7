#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/circuit.h"

/* The numbers held against the circuit are those of an independent prototype of the same equations (0-D for full
 * field, 1-D across bars, 1 ms steps), written down before this code: latencies in ms, places in µm,
 * rates in Hz at the tuning's own rate. */

enum { SIDE = 50, POINTS = SIDE * SIDE, SUB = CIRCUIT_SUBSTEPS };

static const double PX_UM = 50.0;

static Circuit *open_tuned(int cells, const float *x_um, char *err)
{
    static CircuitCell list[64];
    CircuitCell preset[CIRCUIT_PRESET_CELLS];
    CircuitSpec spec = circuit_preset(preset);
    for (int i = 0; i < cells; i++) {
        list[i] = circuit_tuned_cell();
        list[i].x_um = x_um[i];
    }
    spec.cells = list;
    spec.cell_count = cells;
    return circuit_create(&spec, err);
}

static Circuit *open_one(void)
{
    char err[MODEL_ERR_BYTES];
    static const float x_um[] = {25.0f};
    Circuit *circuit = open_tuned(1, x_um, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(circuit);
    return circuit;
}

static void fill(float *lum, double contrast)
{
    for (int i = 0; i < POINTS; i++)
        lum[i] = (float)(0.5 + 0.25 * contrast);
}

/* A bar as high as the field, centre at x, area average on the pixels. */
static void fill_bar(float *lum, double x_um, double width_um, double contrast)
{
    for (int col = 0; col < SIDE; col++) {
        double left = (col - 0.5 * SIDE) * PX_UM;
        double from = fmax(left, x_um - 0.5 * width_um);
        double to = fmin(left + PX_UM, x_um + 0.5 * width_um);
        double share = fmax(0.0, to - from) / PX_UM;
        for (int row = 0; row < SIDE; row++)
            lum[row * SIDE + col] = (float)(0.5 + 0.25 * contrast * share);
    }
}

/* A train of dark 20 ms flashes of contrast -2, the last one at ms 0 of trace (length_ms). */
static void run_train(Circuit *circuit, int period_ms, int flashes, float *trace, int length_ms)
{
    float lum[POINTS];
    int last_bin = period_ms / 10 * (flashes - 1);
    circuit_reset(circuit);
    for (int bin = 0; bin < last_bin + length_ms / SUB; bin++) {
        int phase = bin % (period_ms / 10);
        bool is_on = bin / (period_ms / 10) < flashes && phase < 2;
        fill(lum, is_on ? -2.0 : 0.0);
        float fine[SUB];
        circuit_step_fine(circuit, lum, fine);
        if (bin >= last_bin)
            memcpy(trace + (bin - last_bin) * SUB, fine, sizeof fine);
    }
}

static int peak_of(const float *trace, int from, int to)
{
    int best = from;
    for (int i = from; i < to; i++)
        best = trace[i] > trace[best] ? i : best;
    return best;
}

static void omitted_bursts_stand_where_the_prototype_has_them(void)
{
    static const int periods[] = {30, 40, 50, 60, 70, 80, 100, 120};
    static const double latency[] = {119, 131, 140, 149, 159, 169, 189, 209};
    static const double hz[] = {158, 135, 118, 105, 93, 82, 62, 47};
    Circuit *circuit = open_one();
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
        float trace[500];
        run_train(circuit, periods[i], 16, trace, 500);
        int peak = peak_of(trace, periods[i] + 40, 500);
        printf("OSR %d: %d %g\n", periods[i], peak, (double)trace[peak]);
        CU_ASSERT(test_near(peak, latency[i], 3.0));
        CU_ASSERT(test_near((double)trace[peak], hz[i], 0.05 * hz[i]));
    }
    circuit_destroy(circuit);
}

static void first_flash(void)
{
    static const int periods[] = {30, 40, 50, 60, 70, 80, 100, 120};
    static const double hz[] = {136,116,102,89,77,77,77,77};
    Circuit *circuit = open_one();
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
        float lum[POINTS], trace[1000];
        circuit_reset(circuit);
        for (int bin = 0; bin < 100; bin++) {
            fill(lum, bin % (periods[i] / 10) < 2 ? -2.0 : 0.0);
            circuit_step_fine(circuit, lum, trace + bin * SUB);
        }
        int peak = peak_of(trace, 0, 200);
        int pent = peak_of(trace, 600, 1000);
        printf("first %d: %d %g want %g; ent %g\n", periods[i], peak, (double)trace[peak], hz[i], (double)trace[pent]);
    }
    circuit_destroy(circuit);
}

static void steps(void)
{
    static const double contrast[] = {0.1, 0.2, 0.3,0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 1.9};
    static const double latency[] = {142,139,135, 126, 117,109, 103, 98, 94, 91, 87};
    static const double hz[] = {13,29,44, 69, 90, 106, 121, 133, 145,152, 163};
    Circuit *circuit = open_one();
    for (size_t i = 0; i < sizeof contrast / sizeof *contrast; i++) {
        float lum[POINTS], trace[400];
        circuit_reset(circuit);
        fill(lum, -contrast[i]);
        for (int bin = 0; bin < 40; bin++)
            circuit_step_fine(circuit, lum, trace + bin * SUB);
        int peak = peak_of(trace, 0, 400);
        printf("step %g: %d %g  want %g %g\n", contrast[i], peak, (double)trace[peak], latency[i], hz[i]);
    }
    circuit_destroy(circuit);
}

static void bars(void)
{
    static const double speed[] = {0.25, 0.44, 0.7, 1, 1.5, 2, 4};
    static const double at[3][7] = {{-54,-78,-43,-8,57,109,289},{-77,-51,-66,-30,35,85,281},{-52,-76,-89,-53,15,64,267}};
    Circuit *circuit = open_one();
    static float trace[20000];
    for (int w = 0; w < 3; w++)
    for (int i = 0; i < 7; i++) {
        float lum[POINTS];
        circuit_reset(circuit);
        double x0 = -1000;
        int bins = (int)(2000 / (speed[i]*10));
        for (int bin = 0; bin < bins; bin++) {
            fill_bar(lum, x0 + speed[i]*10*bin + 25, 110 + 55 * w, -1);
            circuit_step_fine(circuit, lum, trace + bin * SUB);
        }
        int peak = peak_of(trace, 200, bins*SUB);
        printf("bar %d %g: %g (%g Hz) want %g\n", 110+55*w, speed[i], x0 + speed[i] * peak, (double)trace[peak], at[w][i]);
    }
    circuit_destroy(circuit);
}

static void reversal(void)
{
    static const double speed[] = {0.35, 0.5, 0.7, 1, 1.3};
    static const double lat[2][5] = {{238,241,238,230,227},{212,209,206,203,203}};
    static const double hz[2][5] = {{23,31,37,40,39},{60,64,68,64,52}};
    float x_um[22];
    for (int i = 0; i < 22; i++) x_um[i] = 25.0f + (float)(-250 + 500.0 * i / 21);
    char err[512];
    Circuit *circuit = open_tuned(22, x_um, err);
    for (int k = 0; k < 2; k++)
    for (int i = 0; i < 5; i++) {
        float lum[POINTS];
        circuit_reset(circuit);
        int tb = (int)(900/(speed[i]*10));
        float mean[400];
        for (int bin = 0; bin < tb + 40; bin++) {
            double x = bin < tb ? (bin-tb)*speed[i]*10 : -(bin-tb)*speed[i]*10;
            fill_bar(lum, x + 25, 165, k ? 1 : -1);
            float fine[SUB*22];
            circuit_step_fine(circuit, lum, fine);
            if (bin >= tb)
                for (int s = 0; s < SUB; s++) {
                    float m = 0;
                    for (int c = 0; c < 22; c++) m += fine[s*22+c];
                    mean[(bin-tb)*SUB+s] = m/22;
                }
        }
        int peak = peak_of(mean, 100, 300);
        printf("rev %d %g: %d %g want %g %g\n", k, speed[i], peak, (double)mean[peak], lat[k][i], hz[k][i]);
    }
    circuit_destroy(circuit);
}

static const TestCase cases[] = {
    {"omitted bursts stand where the prototype has them", omitted_bursts_stand_where_the_prototype_has_them},
    {"f", first_flash}, {"s", steps}, {"b", bars}, {"r", reversal}
};

int main(void)
{
    return test_main("circuit", cases, sizeof cases / sizeof cases[0]);
}
