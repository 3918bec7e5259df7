#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/circuit.h"

/* The numbers held against the circuit are those of an independent prototype of the same equations
 * (0-D for full field, 1-D across bars, 1 ms steps), written down before this code: latencies in
 * ms, places in µm, rates in Hz at the tuning's own rate. */

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
    static const int periods_ms[] = {30, 40, 50, 60, 70, 80, 100, 120};
    static const double latency_ms[] = {119, 131, 140, 149, 159, 169, 189, 209};
    static const double hz[] = {158, 135, 118, 105, 93, 82, 62, 47};
    Circuit *circuit = open_one();
    for (size_t i = 0; i < sizeof periods_ms / sizeof *periods_ms; i++) {
        float trace[500];
        run_train(circuit, periods_ms[i], 16, trace, 500);
        int peak = peak_of(trace, periods_ms[i] + 40, 500);
        CU_ASSERT(test_near(peak, latency_ms[i], 3.0));
        CU_ASSERT(test_near((double)trace[peak], hz[i], 0.05 * hz[i]));
    }
    circuit_destroy(circuit);
}

static void a_train_silences_what_its_first_flash_excites(void)
{
    static const int periods_ms[] = {30, 40, 60, 80, 120};
    static const double first_hz[] = {136, 116, 89, 77, 77};
    static const double entrained_hz[] = {0, 0, 2.1, 6.7, 18};
    Circuit *circuit = open_one();
    for (size_t i = 0; i < sizeof periods_ms / sizeof *periods_ms; i++) {
        float trace[1000], lum[POINTS];
        circuit_reset(circuit);
        for (int bin = 0; bin < 100; bin++) {
            fill(lum, bin % (periods_ms[i] / SUB) < 2 ? -2.0 : 0.0);
            circuit_step_fine(circuit, lum, trace + bin * SUB);
        }
        double first = (double)trace[peak_of(trace, 0, 200)];
        double entrained = (double)trace[peak_of(trace, 600, 1000)];
        CU_ASSERT(test_near(first, first_hz[i], 0.05 * first_hz[i]));
        CU_ASSERT(test_near(entrained, entrained_hz[i], 0.7));
    }
    circuit_destroy(circuit);
}

static void darker_steps_answer_earlier_and_stronger(void)
{
    static const double contrast[] = {0.1, 0.3, 0.7, 1.1, 1.5, 1.9};
    static const double latency_ms[] = {142, 135, 117, 103, 94, 87};
    static const double hz[] = {13, 44, 90, 121, 145, 163};
    Circuit *circuit = open_one();
    for (size_t i = 0; i < sizeof contrast / sizeof *contrast; i++) {
        float lum[POINTS], trace[300];
        circuit_reset(circuit);
        fill(lum, -contrast[i]);
        for (int bin = 0; bin < 30; bin++)
            circuit_step_fine(circuit, lum, trace + bin * SUB);
        int peak = peak_of(trace, 0, 300);
        CU_ASSERT(test_near(peak, latency_ms[i], 3.0));
        CU_ASSERT(test_near((double)trace[peak], hz[i], 0.05 * hz[i]));
    }
    circuit_destroy(circuit);
}

/* Where the bar's centre stood, relative to the cell, at the rate peak. The place of a frame is
 * that of its middle, 5 ms after its start. */
static double place_at_peak_um(Circuit *circuit, double speed_mm_per_s, double width_um)
{
    static float trace[4000];
    const double start_um = -600.0, um_per_bin = speed_mm_per_s * 10.0;
    int bins = (int)(1000.0 / um_per_bin);
    circuit_reset(circuit);
    for (int bin = 0; bin < bins; bin++) {
        float lum[POINTS];
        fill_bar(lum, 25.0 + start_um + um_per_bin * bin, width_um, -1.0);
        circuit_step_fine(circuit, lum, trace + bin * SUB);
    }
    return start_um + speed_mm_per_s * (peak_of(trace, 200, bins * SUB) - 0.5 * SUB);
}

static void dark_bars_are_met_where_the_prototype_meets_them(void)
{
    static const struct {
        double speed_mm_per_s, width_um, place_um;
    } bars[] = {
        {0.25, 165, -77}, {0.44, 110, -78}, {0.44, 220, -76}, {0.7, 165, -66},
        {1.0, 110, -8},   {1.0, 165, -30},  {1.5, 165, 35},
    };
    Circuit *circuit = open_one();
    for (size_t i = 0; i < sizeof bars / sizeof *bars; i++)
        CU_ASSERT(test_near(place_at_peak_um(circuit, bars[i].speed_mm_per_s, bars[i].width_um),
                            bars[i].place_um, 5.0));
    circuit_destroy(circuit);
}

static void a_turning_bar_makes_a_burst_of_fixed_latency(void)
{
    enum { CELLS = 22, AFTER_MS = 400 };
    static const struct {
        double contrast, um_per_bin, latency_ms, hz;
    } turns[] = {{-1.0, 5.0, 241, 31}, {1.0, 5.0, 209, 64}, {1.0, 10.0, 203, 64}};
    char err[MODEL_ERR_BYTES];
    float x_um[CELLS];
    for (int i = 0; i < CELLS; i++)
        x_um[i] = 25.0f - 250.0f + 500.0f * (float)i / (CELLS - 1);
    Circuit *circuit = open_tuned(CELLS, x_um, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(circuit);
    for (size_t k = 0; k < sizeof turns / sizeof *turns; k++) {
        float mean[AFTER_MS] = {0};
        circuit_reset(circuit);
        int turn = (int)(900.0 / turns[k].um_per_bin);
        for (int bin = 0; bin < turn + AFTER_MS / SUB; bin++) {
            float lum[POINTS], fine[SUB * CELLS];
            fill_bar(lum, 25.0 - turns[k].um_per_bin * abs(bin - turn), 165.0, turns[k].contrast);
            circuit_step_fine(circuit, lum, fine);
            for (int i = 0; bin >= turn && i < SUB * CELLS; i++)
                mean[(bin - turn) * SUB + i / CELLS] += fine[i] / CELLS;
        }
        int peak = peak_of(mean, 100, 300);
        CU_ASSERT(test_near(peak - 0.5 * SUB, turns[k].latency_ms, 3.0));
        CU_ASSERT(test_near((double)mean[peak], turns[k].hz, 0.05 * turns[k].hz));
    }
    circuit_destroy(circuit);
}

static void full_field_looks_endless_even_at_the_border(void)
{
    char err[MODEL_ERR_BYTES];
    static const float x_um[] = {25.0f, -1225.0f};
    Circuit *circuit = open_tuned(2, x_um, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(circuit);
    float lum[POINTS], rates_hz[2], highest_hz = 0.0f;
    fill(lum, -1.0);
    for (int bin = 0; bin < 20; bin++) {
        circuit_step(circuit, lum, rates_hz);
        highest_hz = fmaxf(highest_hz, rates_hz[0]);
        CU_ASSERT(test_near((double)rates_hz[1], (double)rates_hz[0], 0.01));
    }
    CU_ASSERT(highest_hz > 50.0f);
    circuit_destroy(circuit);
}

/* A switch set to 0 removes what stands behind it: without fast ON no omitted burst, without
 * crossover inhibition the burst stays with the last flash. */
static void mechanisms_can_be_switched_off(void)
{
    char err[MODEL_ERR_BYTES];
    CircuitCell preset[CIRCUIT_PRESET_CELLS], cell = circuit_tuned_cell();
    CircuitSpec spec = circuit_preset(preset);
    spec.cells = &cell;
    spec.cell_count = 1;
    float trace[500];
    cell.w[CIRCUIT_ON_FAST] = 0.0f;
    Circuit *circuit = circuit_create(&spec, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(circuit);
    run_train(circuit, 60, 16, trace, 500);
    CU_ASSERT(trace[peak_of(trace, 100, 500)] < 5.0f);
    circuit_destroy(circuit);

    cell = circuit_tuned_cell();
    spec.params.pathway[CIRCUIT_ON_FAST].wi = spec.params.pathway[CIRCUIT_ON_SLOW].wi = 0.0f;
    circuit = circuit_create(&spec, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(circuit);
    run_train(circuit, 30, 16, trace, 500);
    int early = peak_of(trace, 70, 500);
    run_train(circuit, 120, 16, trace, 500);
    int late = peak_of(trace, 160, 500);
    CU_ASSERT(test_near((late - early) / 90.0, 0.59, 0.05));
    circuit_destroy(circuit);
}

static uint32_t next_noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void stream_noise(Circuit *circuit, uint32_t seed, int bins, float *rates_hz)
{
    for (int bin = 0; bin < bins; bin++) {
        float lum[POINTS];
        for (int i = 0; i < POINTS; i++)
            lum[i] = (float)next_noise(&seed) / (float)(1 << 24);
        circuit_step(circuit, lum, rates_hz + bin * CIRCUIT_PRESET_CELLS);
    }
}

static void the_same_light_gives_the_same_bits(void)
{
    enum { BINS = 30, RATES = BINS * CIRCUIT_PRESET_CELLS };
    char err[MODEL_ERR_BYTES];
    CircuitCell cells[CIRCUIT_PRESET_CELLS];
    CircuitSpec spec = circuit_preset(cells);
    Circuit *circuit = circuit_create(&spec, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(circuit);
    float first[RATES], again[RATES];
    stream_noise(circuit, 1, BINS, first);
    circuit_reset(circuit);
    stream_noise(circuit, 1, BINS, again);
    CU_ASSERT(memcmp(first, again, sizeof first) == 0);

    circuit_mark(circuit);
    stream_noise(circuit, 2, MODEL_MAX_REWIND_BINS, first);
    circuit_rewind(circuit);
    stream_noise(circuit, 2, MODEL_MAX_REWIND_BINS, again);
    CU_ASSERT(memcmp(first, again, MODEL_MAX_REWIND_BINS * CIRCUIT_PRESET_CELLS * sizeof *first) ==
              0);
    circuit_destroy(circuit);
}

static void a_bins_rate_is_the_mean_over_its_steps(void)
{
    char err[MODEL_ERR_BYTES];
    Circuit *circuit = open_one();
    static const float x_um[] = {25.0f};
    Circuit *twin = open_tuned(1, x_um, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(twin);
    float lum[POINTS], fine[SUB], rate_hz;
    fill(lum, -1.0);
    for (int bin = 0; bin < 20; bin++) {
        circuit_step(circuit, lum, &rate_hz);
        circuit_step_fine(twin, lum, fine);
        double sum = 0.0;
        for (int i = 0; i < SUB; i++)
            sum += (double)fine[i];
        CU_ASSERT(test_near((double)rate_hz, sum / SUB, 1e-3));
    }
    circuit_destroy(circuit);
    circuit_destroy(twin);
}

static bool is_within(float value, float middle, double spread)
{
    return fabs((double)value - (double)middle) <= spread * (double)middle * (1.0 + 1e-6);
}

/* Three classes, each its own cell first and at the centre, and every cell within the spread. */
static void the_preparation_varies_three_classes_within_bounds(void)
{
    enum { SITES = CIRCUIT_PRESET_CELLS / 3 };
    CircuitCell cells[CIRCUIT_PRESET_CELLS], tuned = circuit_tuned_cell();
    circuit_preset(cells);
    for (int i = 0; i < CIRCUIT_PRESET_CELLS; i++) {
        const CircuitCell *first = &cells[i / SITES * SITES], *cell = &cells[i];
        for (int k = 0; k < CIRCUIT_PATHWAYS; k++)
            CU_ASSERT(is_within(cell->w[k], first->w[k], 0.15));
        CU_ASSERT(is_within(cell->thg, first->thg, 0.15));
        CU_ASSERT(is_within(cell->alpha_hz, first->alpha_hz, 0.15));
        CU_ASSERT(is_within(cell->sg_um, tuned.sg_um, 0.15));
        CU_ASSERT(fabsf(cell->x_um) < 500.0f && fabsf(cell->y_um) < 500.0f);
        for (int j = i - i % SITES; j < i; j++) // of its class: apart, and not alike
            CU_ASSERT(hypot((double)(cell->x_um - cells[j].x_um),
                            (double)(cell->y_um - cells[j].y_um)) > 150.0 &&
                      fabsf(cell->sg_um - cells[j].sg_um) > 1e-3f);
    }
    CU_ASSERT(memcmp(cells[0].w, tuned.w, sizeof tuned.w) == 0);
    CU_ASSERT(cells[SITES].w[CIRCUIT_ON_SLOW] < 1e-9f && cells[SITES].w[CIRCUIT_ON_FAST] > 1.0f);
    CU_ASSERT(cells[2 * SITES].w[CIRCUIT_ON_FAST] < 1e-9f);
    CU_ASSERT(test_near((double)cells[SITES].x_um, 25.0, 0.0));
}

static void a_wrong_preparation_is_refused_by_name(void)
{
    char err[MODEL_ERR_BYTES] = "";
    static const float outside_um[] = {1300.0f};
    CU_ASSERT_PTR_NULL(open_tuned(1, outside_um, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "tuned"));
    CircuitCell cells[CIRCUIT_PRESET_CELLS];
    CircuitSpec spec = circuit_preset(cells);
    spec.params.tm_ms = 0.0f;
    CU_ASSERT_PTR_NULL(circuit_create(&spec, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "time constant"));
}

static const TestCase cases[] = {
    {"omitted bursts stand where the prototype has them",
     omitted_bursts_stand_where_the_prototype_has_them},
    {"a train silences what its first flash excites",
     a_train_silences_what_its_first_flash_excites},
    {"darker steps answer earlier and stronger", darker_steps_answer_earlier_and_stronger},
    {"dark bars are met where the prototype meets them",
     dark_bars_are_met_where_the_prototype_meets_them},
    {"a turning bar makes a burst of fixed latency", a_turning_bar_makes_a_burst_of_fixed_latency},
    {"full field looks endless even at the border", full_field_looks_endless_even_at_the_border},
    {"mechanisms can be switched off", mechanisms_can_be_switched_off},
    {"the same light gives the same bits", the_same_light_gives_the_same_bits},
    {"a bin's rate is the mean over its steps", a_bins_rate_is_the_mean_over_its_steps},
    {"the preparation varies three classes within bounds",
     the_preparation_varies_three_classes_within_bounds},
    {"a wrong preparation is refused by name", a_wrong_preparation_is_refused_by_name},
};

int main(void)
{
    return test_main("circuit", cases, sizeof cases / sizeof cases[0]);
}
