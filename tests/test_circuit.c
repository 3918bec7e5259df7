#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/circuit.h"

enum { SIDE = 50, POINTS = SIDE * SIDE, SUB = CIRCUIT_SUBSTEPS };

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

/* Rows made columns, and the cell's place with them: x becomes −y and y becomes −x. */
static void a_turned_image_gives_the_turned_answer(void)
{
    char err[MODEL_ERR_BYTES];
    CircuitCell preset[CIRCUIT_PRESET_CELLS], upright = circuit_tuned_cell(), turned = upright;
    CircuitSpec spec = circuit_preset(preset);
    spec.cell_count = 1;
    upright.x_um = 100.0f;
    upright.y_um = -260.0f;
    turned.x_um = 260.0f;
    turned.y_um = -100.0f;
    spec.cells = &upright;
    Circuit *one = circuit_create(&spec, err);
    spec.cells = &turned;
    Circuit *other = circuit_create(&spec, err);
    CU_ASSERT_FATAL(one != NULL && other != NULL);
    uint32_t seed = 3;
    float lum[POINTS], across[POINTS], rate_hz, other_hz, highest_hz = 0.0f;
    for (int bin = 0; bin < 60; bin++) {
        for (int i = 0; i < POINTS && bin % 6 == 0; i++) {
            lum[i] = next_noise(&seed) > (1 << 23) ? 1.0f : 0.0f;
            across[i % SIDE * SIDE + i / SIDE] = lum[i];
        }
        circuit_step(one, lum, &rate_hz);
        circuit_step(other, across, &other_hz);
        CU_ASSERT(test_near((double)other_hz, (double)rate_hz, 0.02));
        highest_hz = fmaxf(highest_hz, rate_hz);
    }
    CU_ASSERT(highest_hz > 5.0f);
    circuit_destroy(one);
    circuit_destroy(other);
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

/* Name, cells, and what the provenance must say. */
static void every_circuit_has_a_name_and_says_what_is_blocked(void)
{
    static const struct {
        const char *name;
        int cells;
        const char *says;
    } rows[] = {
        {"circuit", CIRCUIT_PRESET_CELLS, "not fitted to any recording"},
        {"circuit-tuned", 22, "parameters \"tuned\""},
        {"circuit-depressing", CIRCUIT_PRESET_CELLS, "parameters \"depressing\""},
        {"circuit-reversal/no-inhibition", CIRCUIT_PRESET_CELLS, "\"reversal\", no-inhibition"},
        {"circuit/no-on-fast,no-gain", CIRCUIT_PRESET_CELLS, "no-on-fast, no-gain"},
        {"circuit-tuned/linear", 22, "linear"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char err[MODEL_ERR_BYTES] = "";
        CU_ASSERT(model_is_built_in(rows[i].name));
        Model *model = model_open(rows[i].name, err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(model);
        CU_ASSERT_STRING_EQUAL(model_info(model)->name, rows[i].name);
        CU_ASSERT_EQUAL(model_info(model)->cells, rows[i].cells);
        CU_ASSERT_PTR_NOT_NULL(strstr(model_info(model)->provenance, rows[i].says));
        CU_ASSERT_PTR_NOT_NULL(strstr(model_info(model)->provenance, "simulated"));
        model_close(model);
    }
    CU_ASSERT_FALSE(model_is_built_in("circuits.h5") || model_is_built_in("circuit-a.h5") ||
                    model_is_built_in("circuitry"));
}

static void an_unknown_name_is_told_the_known_ones(void)
{
    static const char *const rows[][2] = {
        {"circuit-odd", "tuned equal-tau depressing reversal"},
        {"circuit/no-such", "no-gain-ganglion"},
        {"circuit/", "no-surround no-crossover"},
        {"circuit/no-gain,", "linear-all"},
        {"circuit-tuned-and-more", "\"tuned-and-more\" is no variant"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char err[MODEL_ERR_BYTES] = "";
        CU_ASSERT_PTR_NULL(model_open(rows[i][0], err));
        CU_ASSERT_PTR_NOT_NULL(strstr(err, rows[i][1]));
    }
}

static const TestCase cases[] = {
    {"full field looks endless even at the border", full_field_looks_endless_even_at_the_border},
    {"the same light gives the same bits", the_same_light_gives_the_same_bits},
    {"a turned image gives the turned answer", a_turned_image_gives_the_turned_answer},
    {"a bin's rate is the mean over its steps", a_bins_rate_is_the_mean_over_its_steps},
    {"the preparation varies three classes within bounds",
     the_preparation_varies_three_classes_within_bounds},
    {"every circuit has a name and says what is blocked",
     every_circuit_has_a_name_and_says_what_is_blocked},
    {"an unknown name is told the known ones", an_unknown_name_is_told_the_known_ones},
    {"a wrong preparation is refused by name", a_wrong_preparation_is_refused_by_name},
};

int main(void)
{
    return test_main("circuit", cases, sizeof cases / sizeof cases[0]);
}
