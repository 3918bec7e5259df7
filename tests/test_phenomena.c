#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/phenomena.h"
#include "app/subject.h"
#include "model/kind.h"
#include "tests/harness.h"

/* Stand-ins of known behaviour, one row of 50 pixels of 50 um, two cells. What a stand-in answers is
 * written here in terms of the light, so that the verdict is known beforehand. */

enum { PX = 50, CELLS = 2, PAST = 64, BIN_MS = 10 };

typedef enum {
    SILENT,
    NOT_A_NUMBER,
    LINEAR,          // a local field, 80 ms late, rectified
    EXPECTS,         // fires 90 ms after the time at which the next flash should have come
    REBOUNDS,        // fires 200 ms after the last flash, whatever the period
    CODES_LATENCY,   // answers a dark step 150 − 30 × contrast ms later
    CODES_BACKWARDS, // … 90 + 30 × contrast
    LEADS,   // a bar alone is met 50 um early below 1.2 mm/s, else 200 um late; LINEAR to noise
    JOLTS,   // fires 200 ms after a bar has turned, else a little
    ADAPTS,  // slow and strong to weak light, quick and weak to strong light
    DOUBLES, // pixels rectified one by one, then pooled
    FLIPS,   // the light 300 ms ago says with which sign the field is answered
    SEGMENTS // answers change near the cell unless there is change far away
} Behaviour;

static const double x_um[CELLS] = {25.0, -225.0};

typedef struct {
    double light[PAST][PX]; // contrast, newest first
    double bar_um[PAST];    // centre of gravity of what is not grey; NaN: there is nothing
    int bin;
} Memory;

typedef struct {
    Behaviour behaviour;
    Memory now, marked;
} StandIn;

static double bump(double distance, double width)
{
    return 20.0 * exp(-0.5 * distance * distance / (width * width));
}

static void remember(Memory *m, const float *lum)
{
    memmove(m->light[1], m->light[0], (PAST - 1) * sizeof m->light[0]);
    memmove(&m->bar_um[1], &m->bar_um[0], (PAST - 1) * sizeof m->bar_um[0]);
    double weight = 0.0, moment = 0.0;
    for (int i = 0; i < PX; i++) {
        m->light[0][i] = ((double)lum[i] - 0.5) / 0.25;
        double share = fabs(m->light[0][i]) > 1e-5 ? fabs(m->light[0][i]) : 0.0;
        weight += share;
        moment += share * (i + 0.5 - 0.5 * PX) * 50.0;
    }
    m->bar_um[0] = weight > 0.0 ? moment / weight : (double)NAN;
    m->bin++;
}

static double linear_hz(const Memory *m, int cell)
{
    double sum = 0.0;
    for (int i = 0; i < PX; i++) {
        double from_um = (i + 0.5 - 0.5 * PX) * 50.0 - x_um[cell];
        sum -= m->light[8][i] * bump(from_um, 60.0);
    }
    return fmax(0.0, sum);
}

static bool is_dark(const Memory *m, int ago)
{
    return m->light[ago][0] < -1e-3;
}

static bool is_onset(const Memory *m, int ago)
{
    return is_dark(m, ago) && !is_dark(m, ago + 1);
}

// bins since the newest onset of darkness, and from the one before it to it; PAST: none
static void find_onsets(const Memory *m, int *since, int *period)
{
    for (*since = 0; *since < PAST - 1 && !is_onset(m, *since); ++*since)
        ;
    int before = *since + 1;
    while (before < PAST - 1 && !is_onset(m, before))
        before++;
    *period = before < PAST - 1 ? before - *since : PAST;
}

static double after_flash_hz(const StandIn *s, const Memory *m)
{
    int since, period;
    find_onsets(m, &since, &period);
    if (period == PAST || since <= period)
        return 0.0;
    int wanted = s->behaviour == EXPECTS ? period + 9 : 20;
    return bump(since - wanted, 1.5);
}

static double after_step_hz(const StandIn *s, const Memory *m)
{
    int since, period;
    find_onsets(m, &since, &period);
    double contrast = -m->light[0][0];
    double sign = s->behaviour == CODES_LATENCY ? -1.0 : 1.0;
    double base = s->behaviour == CODES_LATENCY ? 15.0 : 9.0;
    return since < PAST - 1 && contrast > 0.0 ? bump(since - base - sign * 3.0 * contrast, 2.0)
                                              : 0.0;
}

static double bar_hz(const StandIn *s, const Memory *m, int cell)
{
    double here = m->bar_um[0], step_um = here - m->bar_um[1];
    bool is_noise = fabs(m->light[0][0]) > 1e-5 && fabs(m->light[0][PX - 1]) > 1e-5;
    if (is_noise)
        return linear_hz(m, cell);
    if (isnan(step_um) || s->behaviour != LEADS)
        return 0.0;
    double place = fabs(step_um) < 12.5 ? -50.0 : 200.0;
    return bump(here - x_um[cell] - place * copysign(1.0, step_um), 60.0);
}

static double turn_hz(const Memory *m)
{
    for (int ago = 1; ago < PAST - 2; ago++) {
        double newer = m->bar_um[ago - 1] - m->bar_um[ago];
        double older = m->bar_um[ago] - m->bar_um[ago + 1];
        if (newer < -1.0 && older > 1.0)
            return 1.0 + bump(ago - 20, 1.5);
    }
    return 1.0;
}

static double adapting_hz(const Memory *m)
{
    double strength = 0.0, slow = 0.0;
    for (int ago = 0; ago < 40; ago++)
        strength += fabs(m->light[ago][0]) / 40.0;
    for (int ago = 5; ago < 13; ago++)
        slow += 0.5 * m->light[ago][0];
    return strength < 0.75 ? 40.0 + slow : 40.0 + m->light[3][0];
}

static double doubled_hz(const Memory *m, int cell)
{
    double sum = 0.0;
    for (int i = 0; i < PX; i++)
        sum += fmax(0.0, m->light[8][i]) * bump((i + 0.5 - 0.5 * PX) * 50.0 - x_um[cell], 60.0);
    return sum;
}

static double flipping_hz(const Memory *m)
{
    double sum = 0.0;
    for (int i = 0; i < PX; i++)
        sum += m->light[3][i] / PX;
    return 50.0 + (m->light[30][20] > 0.3 ? -5.0 : 5.0) * sum;
}

static double segmenting_hz(const Memory *m, int cell)
{
    double near = 0.0, far = 0.0;
    for (int i = 0; i < PX; i++) {
        double change = fabs(m->light[0][i] - m->light[1][i]);
        bool is_near = fabs((i + 0.5 - 0.5 * PX) * 50.0 - x_um[cell]) < 200.0;
        *(is_near ? &near : &far) += change;
    }
    return near > 0.1 && far < 0.1 ? 20.0 : 0.0;
}

static double rate_hz(const StandIn *s, const Memory *m, int cell)
{
    switch (s->behaviour) {
    case SILENT:
        return 0.0;
    case NOT_A_NUMBER:
        return (double)NAN;
    case LINEAR:
        return linear_hz(m, cell);
    case EXPECTS:
    case REBOUNDS:
        return after_flash_hz(s, m);
    case CODES_LATENCY:
    case CODES_BACKWARDS:
        return after_step_hz(s, m);
    case LEADS:
        return bar_hz(s, m, cell);
    case ADAPTS:
        return adapting_hz(m);
    case DOUBLES:
        return doubled_hz(m, cell);
    case FLIPS:
        return flipping_hz(m);
    case SEGMENTS:
        return segmenting_hz(m, cell);
    case JOLTS:
        break;
    }
    return turn_hz(m);
}

static void step(void *state, const float *lum, float *rates_hz)
{
    StandIn *s = state;
    remember(&s->now, lum);
    for (int c = 0; c < CELLS; c++)
        rates_hz[c] = (float)rate_hz(s, &s->now, c);
}

static void mark(void *state)
{
    StandIn *s = state;
    s->marked = s->now;
}

static void go_back(void *state)
{
    StandIn *s = state;
    s->now = s->marked;
}

static void reset(void *state)
{
    StandIn *s = state;
    memset(&s->now, 0, sizeof s->now);
    for (int i = 0; i < PAST; i++)
        s->now.bar_um[i] = (double)NAN;
}

static const ModelInterface interface = {
    .step = step, .mark = mark, .rewind = go_back, .reset = reset, .close = free};

static Model *open_model(Behaviour behaviour, bool knows_places)
{
    static const char *const names[CELLS] = {"a", "b"};
    static const float x[CELLS] = {25.0F, -225.0F}, y[CELLS] = {0.0F, 0.0F};
    char err[MODEL_ERR_BYTES];
    StandIn *s = calloc(1, sizeof *s);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    s->behaviour = behaviour;
    const ModelParts parts = {
        .info = {.name = "stand-in",
                 .kind = "stand-in",
                 .width_px = PX,
                 .height_px = 1,
                 .um_per_px = 50.0,
                 .bin_hz = 1000.0 / BIN_MS,
                 .lum_mean = 0.5,
                 .lum_sd = 0.25,
                 .cells = CELLS,
                 .cell_names = names,
                 .cell_x_um = knows_places ? x : NULL,
                 .cell_y_um = knows_places ? y : NULL},
        .state = s,
        .interface = &interface,
    };
    Model *model = model_from_parts(&parts, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    return model;
}

/* For the caller to finish. */
static PhenomenonResult *measure(const Phenomenon *phenomenon, Behaviour behaviour)
{
    Model *model = open_model(behaviour, true);
    Subject subject;
    PhenomenonResult *result = calloc(1, sizeof *result);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    CU_ASSERT_FATAL(subject_open(&subject, model, NULL));
    CU_ASSERT_FATAL(phenomenon->measure(&subject, result));
    subject_close(&subject);
    model_close(model);
    return result;
}

static void finish(PhenomenonResult *result)
{
    phenomenon_finish(result);
    free(result);
}

static PhenomenonVerdict verdict_of(const Phenomenon *phenomenon, Behaviour behaviour)
{
    PhenomenonResult *result = measure(phenomenon, behaviour);
    PhenomenonVerdict verdict = result->verdict;
    finish(result);
    return verdict;
}

static double number(const PhenomenonResult *result, const char *key)
{
    const json_t *value = json_object_get(result->numbers, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static double element(const PhenomenonResult *result, const char *key, size_t i)
{
    const json_t *value = json_array_get(json_object_get(result->numbers, key), i);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void a_model_that_expects_the_next_flash_holds(void)
{
    PhenomenonResult *result = measure(&phenomenon_omitted_stimulus, EXPECTS);
    CU_ASSERT_EQUAL(result->verdict, PHENOMENON_HOLDS);
    CU_ASSERT_EQUAL(result->holding, CELLS);
    CU_ASSERT(test_near(number(result, "slope"), 1.0, 0.01));
    // period 50 ms: onset + 50 + 90 ms, read at the middle of the bin
    CU_ASSERT(test_near(element(result, "latency_ms", 4 - 1), 145.0, 0.5));
    finish(result);
}

static void a_rebound_after_the_last_flash_is_no_expectation(void)
{
    CU_ASSERT_EQUAL(verdict_of(&phenomenon_omitted_stimulus, REBOUNDS), PHENOMENON_ABSENT);
}

static void latency_must_fall_with_contrast(void)
{
    PhenomenonResult *result = measure(&phenomenon_latency_coding, CODES_LATENCY);
    CU_ASSERT_EQUAL(result->verdict, PHENOMENON_HOLDS);
    CU_ASSERT(test_near(number(result, "fall_ms"), 1.8 * 30.0, 2.0));
    CU_ASSERT(isnan(element(result, "dark_ms", 0)));
    finish(result);
    CU_ASSERT_EQUAL(verdict_of(&phenomenon_latency_coding, CODES_BACKWARDS), PHENOMENON_ABSENT);
}

static void leading_means_leading_the_own_linear_model(void)
{
    PhenomenonResult *result = measure(&phenomenon_motion_anticipation, LEADS);
    CU_ASSERT_EQUAL(result->verdict, PHENOMENON_HOLDS);
    // met at -50 um; a field 80 ms late would meet it 80 um behind at 1 mm/s
    CU_ASSERT(test_near(number(result, "lead_um"), 130.0, 12.0));
    finish(result);
}

static void a_burst_after_every_turn_holds(void)
{
    PhenomenonResult *result = measure(&phenomenon_motion_reversal, JOLTS);
    CU_ASSERT_EQUAL(result->verdict, PHENOMENON_HOLDS);
    CU_ASSERT(test_near(number(result, "dark_ms"), 200.0, 10.0));
    finish(result);
}

static void a_filter_that_weakens_and_quickens_adapts(void)
{
    PhenomenonResult *result = measure(&phenomenon_contrast_adaptation, ADAPTS);
    CU_ASSERT_EQUAL(result->verdict, PHENOMENON_HOLDS);
    // eight taps of a half, then one of 1
    CU_ASSERT(test_near(element(result, "gain_hz", 0), sqrt(2.0), 0.1));
    CU_ASSERT(test_near(element(result, "gain_hz", 3), 1.0, 0.1));
    CU_ASSERT(test_near(element(result, "peak_ms", 3), 35.0, 0.5));
    finish(result);
}

static void rectified_subunits_double_the_frequency_of_fine_gratings(void)
{
    PhenomenonResult *result = measure(&phenomenon_frequency_doubling, DOUBLES);
    CU_ASSERT_EQUAL(result->verdict, PHENOMENON_HOLDS);
    CU_ASSERT(element(result, "ratio", 0) > 3.0);
    CU_ASSERT(element(result, "ratio", 5) < 1.0);
    finish(result);
}

static void a_sign_that_follows_the_scene_reverses(void)
{
    PhenomenonResult *result = measure(&phenomenon_polarity_reversal, FLIPS);
    CU_ASSERT_EQUAL(result->verdict, PHENOMENON_HOLDS);
    CU_ASSERT(number(result, "share") > 0.01);
    CU_ASSERT(number(result, "share") <= 0.5);
    finish(result);
    result = measure(&phenomenon_polarity_reversal, LINEAR);
    CU_ASSERT(test_near(number(result, "share"), 0.0, 0.0));
    finish(result);
}

static void an_object_is_told_from_its_background(void)
{
    CU_ASSERT_EQUAL(verdict_of(&phenomenon_object_motion, SEGMENTS), PHENOMENON_HOLDS);
}

static void a_late_linear_field_shows_none(void)
{
    for (int i = 0; phenomena[i]; i++)
        CU_ASSERT_EQUAL(verdict_of(phenomena[i], LINEAR), PHENOMENON_ABSENT);
}

static void what_never_answers_is_absent_without_numbers(void)
{
    static const Behaviour behaviours[] = {SILENT, NOT_A_NUMBER};
    for (int b = 0; b < 2; b++)
        for (int i = 0; phenomena[i]; i++) {
            PhenomenonResult *result = measure(phenomena[i], behaviours[b]);
            CU_ASSERT_EQUAL(result->verdict, PHENOMENON_ABSENT);
            CU_ASSERT_EQUAL(result->holding, 0);
            CU_ASSERT_EQUAL(result->answering, 0);
            finish(result);
        }
}

static void one_cell_in_four_is_enough_and_fewer_are_not(void)
{
    PhenomenonVerdict cells[8] = {PHENOMENON_HOLDS, PHENOMENON_HOLDS};
    PhenomenonResult *result = calloc(1, sizeof *result);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    phenomenon_judge(result, cells, 8);
    CU_ASSERT_EQUAL(result->verdict, PHENOMENON_HOLDS);
    cells[1] = PHENOMENON_PARTLY;
    phenomenon_judge(result, cells, 8);
    CU_ASSERT_EQUAL(result->verdict, PHENOMENON_PARTLY);
    cells[0] = PHENOMENON_ABSENT;
    phenomenon_judge(result, cells, 8);
    CU_ASSERT_EQUAL(result->verdict, PHENOMENON_ABSENT);
    free(result);
}

static void cells_without_a_known_place_are_found(void)
{
    Model *model = open_model(LINEAR, false);
    Subject subject;
    CU_ASSERT_FATAL(subject_open(&subject, model, NULL));
    CU_ASSERT(subject.is_place_measured);
    for (int c = 0; c < CELLS; c++)
        CU_ASSERT(test_near(subject.x_um[c], x_um[c], 25.0));
    subject_close(&subject);
    model_close(model);
}

static const TestCase cases[] = {
    {"a model that expects the next flash holds, with slope 1",
     a_model_that_expects_the_next_flash_holds},
    {"a rebound that stays with the last flash is absent",
     a_rebound_after_the_last_flash_is_no_expectation},
    {"latency coding holds when latency falls with contrast, not when it rises",
     latency_must_fall_with_contrast},
    {"anticipation is measured against the model's own linear prediction",
     leading_means_leading_the_own_linear_model},
    {"a burst 200 ms after every turn is a reversal response", a_burst_after_every_turn_holds},
    {"contrast adaptation is a filter that weakens and quickens",
     a_filter_that_weakens_and_quickens_adapts},
    {"rectified subunits double the frequency of fine gratings, not of coarse ones",
     rectified_subunits_double_the_frequency_of_fine_gratings},
    {"a sign that follows the scene is a reversal of polarity, a linear field has none",
     a_sign_that_follows_the_scene_reverses},
    {"an answer to the object alone is object motion sensitivity",
     an_object_is_told_from_its_background},
    {"a rectified linear field shows no phenomenon", a_late_linear_field_shows_none},
    {"a model that never answers, or answers NaN, is absent",
     what_never_answers_is_absent_without_numbers},
    {"a quarter of the cells makes the model's verdict",
     one_cell_in_four_is_enough_and_fewer_are_not},
    {"a model that does not say where its cells are is asked with bar noise",
     cells_without_a_known_place_are_found},
};

int main(void)
{
    return test_main("phenomena", cases, sizeof cases / sizeof cases[0]);
}
