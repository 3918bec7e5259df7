#include "tests/harness.h"

#include <math.h>
#include <string.h>

#include "tests/circuit_measures.h"

/* The numbers held against the circuit are those of an independent prototype of the same equations
 * (0-D for full field, 1-D across bars, 1 ms steps), written down before this code. */

static Circuit *open_tuned(int count, int rows_px)
{
    char err[MODEL_ERR_BYTES];
    CircuitParams params = circuit_params();
    CircuitCell cell = circuit_tuned_cell();
    Circuit *circuit = measure_open(&params, &cell, count, rows_px, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(circuit);
    return circuit;
}

/* Within 5 % of a number that was written down to the unit. */
static bool is_rate(double hz, double wanted_hz)
{
    return test_near(hz, wanted_hz, 0.05 * wanted_hz + 0.5);
}

static void omitted_flashes_are_answered_as_in_the_table(void)
{
    static const struct {
        int period_ms;
        double latency_ms, hz, entrained_hz, first_hz;
    } rows[] = {
        {30, 119, 158, 0, 136},   {40, 131, 135, 0, 116}, {50, 140, 118, 0.5, 102},
        {60, 149, 105, 2.1, 89},  {70, 159, 93, 4.4, 77}, {80, 169, 82, 6.7, 77},
        {100, 189, 62, 12.7, 77}, {120, 209, 47, 18, 77}, {160, 238, 28, 31, 77},
    };
    Circuit *circuit = open_tuned(1, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        OmittedReading got = measure_omitted(circuit, rows[i].period_ms, 16, -2.0);
        CU_ASSERT(test_near(got.latency_ms, rows[i].latency_ms, 1.5));
        CU_ASSERT(test_near(got.hz, rows[i].hz, 0.02 * rows[i].hz));
        CU_ASSERT(test_near(got.entrained_hz, rows[i].entrained_hz, 0.8));
        CU_ASSERT(test_near(got.first_hz, rows[i].first_hz, 0.02 * rows[i].first_hz));
    }
    circuit_destroy(circuit);
}

/* Nobody tuned these: the burst needs many flashes, scales less at half the contrast, and bright
 * flashes have none. */
static void the_burst_needs_many_dark_and_deep_flashes(void)
{
    static const struct {
        int flashes;
        double slope;
    } trains[] = {{4, -0.06}, {6, 0.52}, {8, 0.81}, {12, 0.93}, {24, 0.95}};
    static const int periods_ms[] = {30, 40, 50, 60, 70, 80, 100};
    static const double weak_ms[] = {137, 144, 149, 155, 160, 167, 184};
    Circuit *circuit = open_tuned(1, 1);
    for (size_t i = 0; i < sizeof trains / sizeof *trains; i++)
        CU_ASSERT(test_near(measure_omitted_slope(circuit, 40, 80, trains[i].flashes),
                            trains[i].slope, 0.05));
    for (size_t i = 0; i < sizeof periods_ms / sizeof *periods_ms; i++)
        CU_ASSERT(test_near(measure_omitted(circuit, periods_ms[i], 16, -1.0).latency_ms,
                            weak_ms[i], 3.0));
    OmittedReading bright = measure_omitted(circuit, 60, 16, 2.0);
    CU_ASSERT(bright.entrained_hz > 1.0 && bright.hz < 1.1 * bright.entrained_hz);
    circuit_destroy(circuit);
}

static void darker_steps_are_answered_as_in_the_table(void)
{
    static const double rows[][3] = {
        {0.1, 142, 13}, {0.2, 139, 29},  {0.3, 135, 44},  {0.5, 126, 69},
        {0.7, 117, 90}, {0.9, 109, 106}, {1.1, 103, 121}, {1.3, 98, 133},
        {1.5, 94, 145}, {1.7, 91, 152},  {1.9, 87, 163},
    };
    Circuit *circuit = open_tuned(1, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PeakReading got = measure_step(circuit, -rows[i][0]);
        CU_ASSERT(test_near(got.ms, rows[i][1], 1.5));
        CU_ASSERT(is_rate(got.hz, rows[i][2]));
    }
    circuit_destroy(circuit);
}

static const double speeds_mm_per_s[] = {0.25, 0.44, 0.7, 1.0, 1.5, 2.0, 4.0};

enum { SPEEDS = sizeof speeds_mm_per_s / sizeof *speeds_mm_per_s };

static void bars_are_met_where_the_table_has_them(void)
{
    static const struct {
        double width_um, place_um[SPEEDS];
    } rows[] = {
        {110, {-54, -78, -43, -8, 57, 109, 289}},
        {165, {-77, -51, -66, -30, 35, 85, 281}},
        {220, {-52, -76, -89, -53, 15, 64, 267}},
    };
    Circuit *circuit = open_tuned(1, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int k = 0; k < SPEEDS; k++)
            CU_ASSERT(test_near(measure_bar_um(circuit, speeds_mm_per_s[k], rows[i].width_um, -1.0),
                                rows[i].place_um[k], 3.0));
    CU_ASSERT(test_near(measure_bar_um(circuit, 0.44, 165, 1.0), 65, 5.0));
    CU_ASSERT(test_near(measure_bar_um(circuit, 1.0, 165, 1.0), 198, 5.0));
    circuit_destroy(circuit);
}

static void bars_are_met_later_without_what_moves_the_answer_ahead(void)
{
    static const struct {
        const char *blocked[2];
        double place_um[SPEEDS];
    } rows[] = {
        {{"linear"}, {-105, -60, -17, 27, 92, 148, 331}},
        {{"no-inhibition"}, {14, 0, 33, 71, 130, 179, 329}},
        {{"no-gain"}, {-27, -36, 2, 49, 87, 135, 302}},
        {{"no-inhibition", "no-gain"}, {21, 54, 94, 152, 185, 238, 369}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char err[MODEL_ERR_BYTES];
        CircuitSpec spec = {.params = circuit_params()};
        CircuitCell cell = circuit_tuned_cell();
        for (int j = 0; j < 2 && rows[i].blocked[j]; j++)
            CU_ASSERT_FATAL(circuit_block(&spec, rows[i].blocked[j], err));
        Circuit *circuit = measure_open(&spec.params, &cell, 1, 1, err);
        for (int k = 0; k < SPEEDS; k++)
            CU_ASSERT(test_near(measure_bar_um(circuit, speeds_mm_per_s[k], 165, -1.0),
                                rows[i].place_um[k], 5.0));
        circuit_destroy(circuit);
    }
}

static void turning_bars_are_answered_as_in_the_table(void)
{
    static const struct {
        double contrast, speed_mm_per_s, latency_ms, ratio, sd_ms;
        int bursting;
        double hz, best_hz, cell_smooth_hz;
    } rows[] = {
        {-1, 0.35, 238, 3.7, 2.9, 21, 23, 33, 10}, {-1, 0.50, 241, 3.7, 1.5, 22, 31, 44, 14},
        {-1, 0.70, 238, 3.3, 1.8, 22, 37, 53, 19}, {-1, 1.00, 230, 2.6, 4.1, 21, 40, 59, 26},
        {-1, 1.30, 227, 2.0, 5.2, 20, 39, 57, 33}, {1, 0.35, 212, 1.9, 2.7, 21, 60, 83, 53},
        {1, 0.50, 209, 2.4, 2.9, 21, 64, 92, 46},  {1, 0.70, 206, 3.8, 2.1, 20, 68, 97, 31},
        {1, 1.00, 203, 5.2, 2.1, 19, 64, 94, 23},  {1, 1.30, 203, 4.3, 1.9, 19, 52, 78, 29},
    };
    Circuit *circuit = open_tuned(22, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        TurnReading got = measure_turn(circuit, rows[i].speed_mm_per_s, 165, rows[i].contrast);
        CU_ASSERT(test_near(got.latency_ms, rows[i].latency_ms, 3.0));
        CU_ASSERT(test_near(got.hz / got.smooth_hz, rows[i].ratio, 0.07 * rows[i].ratio + 0.05));
        CU_ASSERT(test_near(got.sd_ms, rows[i].sd_ms, 2.0));
        CU_ASSERT(test_near(got.bursting, rows[i].bursting, 1.0));
        CU_ASSERT(is_rate(got.hz, rows[i].hz));
        CU_ASSERT(is_rate(got.best_hz, rows[i].best_hz));
        CU_ASSERT(is_rate(got.cell_smooth_hz, rows[i].cell_smooth_hz));
    }
    circuit_destroy(circuit);
}

/* What does not change from row to row may be measured on one row. */
static void fifty_rows_answer_as_one(void)
{
    Circuit *line = open_tuned(1, 1), *field = open_tuned(1, 50);
    OmittedReading omitted[] = {measure_omitted(line, 60, 16, -2.0),
                                measure_omitted(field, 60, 16, -2.0)};
    CU_ASSERT(test_near(omitted[1].latency_ms, omitted[0].latency_ms, 0.1));
    CU_ASSERT(test_near(omitted[1].hz, omitted[0].hz, 0.1));
    CU_ASSERT(test_near(measure_step(field, -0.5).ms, measure_step(line, -0.5).ms, 0.1));
    for (int k = 3; k < SPEEDS; k++)
        CU_ASSERT(test_near(measure_bar_um(field, speeds_mm_per_s[k], 165, -1.0),
                            measure_bar_um(line, speeds_mm_per_s[k], 165, -1.0), 0.2));
    circuit_destroy(line);
    circuit_destroy(field);
    line = open_tuned(22, 1);
    field = open_tuned(22, 50);
    for (double contrast = -1.0; contrast < 2.0; contrast += 2.0) {
        TurnReading one = measure_turn(line, 1.3, 165, contrast);
        TurnReading fifty = measure_turn(field, 1.3, 165, contrast);
        CU_ASSERT(test_near(fifty.latency_ms, one.latency_ms, 0.2));
        CU_ASSERT(test_near(fifty.hz, one.hz, 0.1));
        CU_ASSERT(test_near(fifty.sd_ms, one.sd_ms, 0.2));
    }
    circuit_destroy(line);
    circuit_destroy(field);
}

#define NONE ((double)NAN)

/* The controls: what is left of each phenomenon when a mechanism is blocked. NONE: there is no such
 * number, because the phenomenon is gone. */
typedef struct {
    const char *blocked;
    bool has_burst;                  // the omitted flash is answered, and well above the train
    double slope_middle, slope_wide; // of its latency, 40 to 80 ms and 30 to 120 ms
    double weakest_ms, strongest_ms; // step latency at contrast 0.1 and 1.9
    double slow_um, fast_um;         // place of a dark bar of 165 um at 0.44 and 1 mm/s
    bool turns_dark, turns_bright;   // reversal response at 0.35, 0.7 and 1.3 mm/s
} Control;

static const Control controls[] = {
    {"", true, 0.94, 0.98, 142, 87, -51, -30, true, true},
    {"no-on-fast", false, NONE, NONE, 142, 87, -51, -30, false, true},
    {"no-on-slow", true, 0.94, 0.98, 142, 87, -51, -30, true, false},
    {"no-on", false, NONE, NONE, 142, 87, -51, -30, false, true},
    {"no-off", true, 0.95, 0.99, NONE, NONE, NONE, NONE, true, true},
    {"no-crossover", true, 0.68, 0.59, 142, 87, 48, 122, false, false},
    {"no-depression", true, 0.94, 0.99, 142, 87, -51, -30, true, true},
    {"no-wide-field", true, 0.94, 0.98, 150, 89, -50, 18, true, true},
    {"no-inhibition", true, 0.68, 0.58, 150, 89, 0, 71, false, false},
    {"no-gain-off", true, 0.89, 0.88, 142, 114, -41, 3, false, false},
    {"no-gain-on", true, 0.77, 0.87, 142, 87, -51, -30, true, true},
    {"no-gain-ganglion", true, 0.92, 0.94, 144, 91, -51, -28, true, true},
    {"no-gain", true, 0.58, 0.68, 144, 143, -36, 49, false, false},
    {"no-surround", true, 1.29, 1.22, 145, 73, 34, -53, true, true},
    {"linear", false, NONE, NONE, 153, 153, -60, 27, false, false},
    {"linear-on-fast", true, 0.40, 0.36, NONE, NONE, NONE, NONE, false, false},
    {"linear-on-slow", false, NONE, NONE, NONE, NONE, NONE, NONE, false, false},
    {"linear-all", false, NONE, NONE, NONE, NONE, NONE, NONE, false, false},
};

static bool is_number(double got, double wanted, double tolerance)
{
    return isnan(wanted) || test_near(got, wanted, tolerance);
}

static void check_omitted(const Control *control, Circuit *circuit)
{
    double least = HUGE_VAL, latest_ms = 0.0;
    for (int period_ms = 40; period_ms <= 80; period_ms += 10) {
        OmittedReading got = measure_omitted(circuit, period_ms, 16, -2.0);
        least = fmin(least, got.hz / (got.entrained_hz + 2.0));
        latest_ms = fmax(latest_ms, got.latency_ms - period_ms);
    }
    CU_ASSERT_EQUAL(least > 2.0 && latest_ms < 200.0, control->has_burst);
    CU_ASSERT(is_number(measure_omitted_slope(circuit, 40, 80, 16), control->slope_middle, 0.035));
    CU_ASSERT(is_number(measure_omitted_slope(circuit, 30, 120, 16), control->slope_wide, 0.035));
}

static void check_steps(const Control *control, Circuit *circuit)
{
    PeakReading weakest = measure_step(circuit, -0.1), strongest = measure_step(circuit, -1.9);
    CU_ASSERT(is_number(weakest.ms, control->weakest_ms, 3.0));
    CU_ASSERT(is_number(strongest.ms, control->strongest_ms, 3.0));
    CU_ASSERT_EQUAL(strongest.hz > 1.0, !isnan(control->strongest_ms));
}

static void check_bars(const Control *control, Circuit *circuit)
{
    double slow_um = measure_bar_um(circuit, 0.44, 165, -1.0);
    double fast_um = measure_bar_um(circuit, 1.0, 165, -1.0);
    CU_ASSERT(is_number(slow_um, control->slow_um, 5.0));
    CU_ASSERT(is_number(fast_um, control->fast_um, 5.0));
    CU_ASSERT_EQUAL(fast_um < 0.0, control->fast_um < 0.0);
}

/* A burst well above what a bar that passes evokes, at the same latency wherever the bar turns. */
static bool turns_back(Circuit *circuit, double contrast)
{
    static const double turn_mm_per_s[] = {0.35, 0.7, 1.3};
    bool is_there = true;
    for (size_t i = 0; i < sizeof turn_mm_per_s / sizeof *turn_mm_per_s; i++) {
        TurnReading got = measure_turn(circuit, turn_mm_per_s[i], 165, contrast);
        is_there = is_there && got.hz > 1.4 * got.smooth_hz && got.hz > 1.0 && got.sd_ms < 20.0;
    }
    return is_there;
}

static void each_blocked_mechanism_takes_what_it_took_from_the_prototype(void)
{
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
        const Control *control = &controls[i];
        char err[MODEL_ERR_BYTES];
        CircuitSpec spec = {.params = circuit_params()};
        CircuitCell cell = circuit_tuned_cell();
        CU_ASSERT_FATAL(*control->blocked == '\0' || circuit_block(&spec, control->blocked, err));
        Circuit *one = measure_open(&spec.params, &cell, 1, 1, err);
        Circuit *row = measure_open(&spec.params, &cell, 22, 1, err);
        check_omitted(control, one);
        check_steps(control, one);
        check_bars(control, one);
        CU_ASSERT_EQUAL(turns_back(row, -1.0), control->turns_dark);
        CU_ASSERT_EQUAL(turns_back(row, 1.0), control->turns_bright);
        circuit_destroy(one);
        circuit_destroy(row);
    }
}

/* A variant's circuits with something blocked: one cell, or a row of them. */
static Circuit *open_variant(const char *name, const char *blocked, int count)
{
    char err[MODEL_ERR_BYTES];
    const CircuitVariant *variant = circuit_variant(name, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(variant);
    CircuitSpec spec = {.params = variant->params};
    CU_ASSERT_FATAL(*blocked == '\0' || circuit_block(&spec, blocked, err));
    return measure_open(&spec.params, &variant->cell, count, 1, err);
}

static double variant_slope(const char *name, const char *blocked, int from_ms, int to_ms)
{
    Circuit *circuit = open_variant(name, blocked, 1);
    double slope = measure_omitted_slope(circuit, from_ms, to_ms, 16);
    circuit_destroy(circuit);
    return slope;
}

/* The rival of Ebert et al.: with crossover inhibition and depression the burst keeps its distance,
 * without depression it overshoots. */
static void depression_straightens_the_slope_of_its_rival(void)
{
    CU_ASSERT(test_near(variant_slope("depressing", "", 40, 80), 1.04, 0.05));
    CU_ASSERT(test_near(variant_slope("depressing", "no-crossover", 40, 80), 0.45, 0.05));
    CU_ASSERT(test_near(variant_slope("depressing", "no-depression", 40, 80), 1.39, 0.05));
}

/* The rival of Chen et al.: the reversal response needs no inhibition, but bipolar gain control.
 * The prototype ran it in steps of 5 ms, so latencies are some ms longer here. */
static void the_reversal_rival_needs_gain_control_and_no_inhibition(void)
{
    static const struct {
        double speed_mm_per_s, latency_ms;
    } turns[] = {{0.35, 181}, {0.7, 166}, {1.3, 153}};
    Circuit *whole = open_variant("reversal", "", 22);
    Circuit *bare = open_variant("reversal", "no-inhibition", 22);
    Circuit *no_gain = open_variant("reversal", "no-gain", 22);
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
        TurnReading got = measure_turn(whole, turns[i].speed_mm_per_s, 165, -1.0);
        CU_ASSERT(test_near(got.latency_ms, turns[i].latency_ms + 6.0, 6.0));
        CU_ASSERT(got.hz > 7.0 * got.smooth_hz && got.sd_ms < 5.0);
        got = measure_turn(bare, turns[i].speed_mm_per_s, 165, -1.0);
        CU_ASSERT(got.hz > 2.5 * got.smooth_hz && got.sd_ms < 15.0);
        got = measure_turn(no_gain, turns[i].speed_mm_per_s, 165, 1.0);
        CU_ASSERT(got.hz < 1.0 * got.smooth_hz);
    }
    circuit_destroy(whole);
    circuit_destroy(bare);
    circuit_destroy(no_gain);
}

static void an_on_pathway_as_slow_as_off_does_as_well(void)
{
    static const double places[][2] = {{0.44, -97}, {1.0, -26}, {2.0, 95}, {4.0, 288}};
    CU_ASSERT(test_near(variant_slope("equal-tau", "", 40, 80), 0.91, 0.02));
    CU_ASSERT(test_near(variant_slope("equal-tau", "", 30, 120), 0.98, 0.02));
    CU_ASSERT(test_near(variant_slope("equal-tau", "no-crossover", 40, 80), 0.72, 0.02));
    Circuit *circuit = open_variant("equal-tau", "", 1);
    CU_ASSERT(test_near(measure_step(circuit, -0.1).ms, 145, 3.0));
    CU_ASSERT(test_near(measure_step(circuit, -1.9).ms, 91, 3.0));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        CU_ASSERT(test_near(measure_bar_um(circuit, places[i][0], 165, -1.0), places[i][1], 5.0));
    circuit_destroy(circuit);
}

static const TestCase cases[] = {
    {"omitted flashes are answered as in the table", omitted_flashes_are_answered_as_in_the_table},
    {"the burst needs many dark and deep flashes", the_burst_needs_many_dark_and_deep_flashes},
    {"darker steps are answered as in the table", darker_steps_are_answered_as_in_the_table},
    {"bars are met where the table has them", bars_are_met_where_the_table_has_them},
    {"bars are met later without what moves the answer ahead",
     bars_are_met_later_without_what_moves_the_answer_ahead},
    {"turning bars are answered as in the table", turning_bars_are_answered_as_in_the_table},
    {"fifty rows answer as one", fifty_rows_answer_as_one},
    {"each blocked mechanism takes what it took from the prototype",
     each_blocked_mechanism_takes_what_it_took_from_the_prototype},
    {"depression straightens the slope of its rival",
     depression_straightens_the_slope_of_its_rival},
    {"the reversal rival needs gain control and no inhibition",
     the_reversal_rival_needs_gain_control_and_no_inhibition},
    {"an ON pathway as slow as OFF does as well", an_on_pathway_as_slow_as_off_does_as_well},
};

int main(void)
{
    return test_main("circuit_tables", cases, sizeof cases / sizeof cases[0]);
}
