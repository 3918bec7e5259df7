#include "config/plan.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/locate.h"

static const double FRAME_TOLERANCE = 0.01, RATE_TOLERANCE = 0.005;
static const double PI = 3.14159265358979323846;

typedef struct {
    Plan *plan;
    Locate *locate;   // NULL where the file could not be read again
    const char *path; // borrowed
    char *err;
    double written_hz; // the rate the file's durations are written for
    char block_key[24];
    const ProtocolBlock *block;
    int64_t block_seed;
    PlanTrial *conditions; // one a condition of the block, repeat 0
    int conditions_count;
} Planner;

/* ---- seeds ---- */

static uint64_t splitmix_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Keeps the seeds of blocks, of repeats and of orders apart. */
typedef enum { SALT_REPEAT = 0, SALT_BLOCK = 0x626c6f63, SALT_ORDER = 0x6f726465 } Salt;

static bool is_ran1(const ProtocolBlock *block)
{
    return block->checkerboard && block->checkerboard->generator == PROTOCOL_NOISE_RAN1;
}

static int64_t mixed_seed(const ProtocolBlock *block, int64_t seed, Salt salt, unsigned number)
{
    if (number == 0)
        return seed;
    uint64_t state = ((uint64_t)seed ^ (uint64_t)salt) + number * 0x9e3779b97f4a7c15u;
    uint64_t mixed = splitmix_next(&state);
    return is_ran1(block) ? -(int64_t)(1 + mixed % (INT32_MAX - 1)) : (int64_t)(mixed >> 11);
}

static uint64_t random_below(uint64_t *state, uint64_t count)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % count, drawn;
    do
        drawn = splitmix_next(state);
    while (drawn >= limit);
    return drawn % count;
}

static void shuffle(int *order, int count, uint64_t *state)
{
    for (int i = count - 1; i > 0; i--) {
        int other = (int)random_below(state, (uint64_t)i + 1), held = order[i];
        order[i] = order[other];
        order[other] = held;
    }
}

/* ---- sentences ---- */

static bool fail(const Planner *planner, const char *name, const char *format, ...)
{
    char key[LOCATE_KEY_BYTES], what[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(key, sizeof key, "%s%s%s", planner->block_key, *planner->block_key ? "." : "", name);
    return locate_fail(planner->locate, planner->path, key, planner->err, "%s", what);
}

/* Turns the sentence that fail() just wrote into a warning. */
static bool keep_as_warning(Planner *planner)
{
    Plan *plan = planner->plan;
    size_t bytes = strlen(planner->err) + 1;
    char *sentence = malloc(bytes);
    char **warnings =
        realloc(plan->warnings, ((size_t)plan->warnings_count + 1) * sizeof *plan->warnings);
    if (warnings)
        plan->warnings = warnings;
    if (!warnings || !sentence) {
        free(sentence);
        return fail(planner, "", "out of memory");
    }
    memcpy(sentence, planner->err, bytes);
    warnings[plan->warnings_count++] = sentence;
    planner->err[0] = '\0';
    return true;
}

/* ---- durations ---- */

typedef struct {
    const char *name;
    double value;
    const char *unit;
    double per_second; // units in a second
} Duration;

static Duration in_ms(const char *name, double value)
{
    return (Duration){name, value, "ms", 1e3};
}

/* Whole frames of the display for a duration that is whole frames of the file. */
static bool frames_of(Planner *planner, Duration asked, int64_t *frames)
{
    double exact = asked.value * planner->written_hz / asked.per_second;
    int64_t whole = llround(exact);
    double unit = asked.per_second / planner->written_hz;
    if (fabs(exact - (double)whole) > FRAME_TOLERANCE || (whole == 0 && asked.value > 0)) {
        double below = floor(exact) * unit;
        return below > 0
                   ? fail(planner, asked.name,
                          "%.9g %s is %.4g frames at %.6g Hz; whole frames, nearest %.6g or %.6g",
                          asked.value, asked.unit, exact, planner->written_hz, below, below + unit)
                   : fail(planner, asked.name,
                          "%.9g %s is %.4g frames at %.6g Hz; whole frames, nearest %.6g",
                          asked.value, asked.unit, exact, planner->written_hz, unit);
    }
    double here = (double)whole * (planner->plan->refresh_hz / planner->written_hz);
    *frames = whole > 0 && here < 1 ? 1 : llround(here);
    if (fabs(here - (double)*frames) <= FRAME_TOLERANCE)
        return true;
    fail(planner, asked.name, "%.9g %s is %.4g frames at %.6g Hz; shown as %lld (%.6g %s)",
         asked.value, asked.unit, here, planner->plan->refresh_hz, (long long)*frames,
         (double)*frames * asked.per_second / planner->plan->refresh_hz, asked.unit);
    return keep_as_warning(planner);
}

/* ---- conditions of one block, by stimulus ---- */

static bool plan_flicker(Planner *planner, const ProtocolFlicker *flicker)
{
    int64_t flash_frames;
    if (!frames_of(planner, in_ms("flicker.flash_ms", flicker->flash_ms), &flash_frames))
        return false;
    for (int i = 0; i < planner->conditions_count; i++) {
        PlanTrial *trial = &planner->conditions[i];
        char name[48];
        snprintf(name, sizeof name, "flicker.periods_ms[%d]", i);
        trial->value = flicker->periods_ms[i];
        trial->flash_frames = flash_frames;
        if (!frames_of(planner, in_ms(name, trial->value), &trial->period_frames))
            return false;
        trial->stimulus_frames = flicker->flashes * trial->period_frames;
    }
    return true;
}

static bool plan_step(Planner *planner, const ProtocolStep *step)
{
    int64_t frames;
    if (!frames_of(planner, in_ms("step.duration_ms", step->duration_ms), &frames))
        return false;
    for (int i = 0; i < planner->conditions_count; i++) {
        planner->conditions[i].value = step->contrasts[i];
        planner->conditions[i].stimulus_frames = frames;
    }
    return true;
}

static bool check_speed(Planner *planner, const char *name, double speed_um_per_s, double width_um)
{
    double step_um = speed_um_per_s / planner->plan->refresh_hz;
    return step_um <= width_um || fail(planner, name,
                                       "%.9g moves the bar %.6g um a frame at %.6g Hz, past its "
                                       "own width of %.6g um, and leaves "
                                       "gaps; at most %.9g",
                                       speed_um_per_s, step_um, planner->plan->refresh_hz, width_um,
                                       width_um * planner->plan->refresh_hz);
}

static bool warn_narrow(Planner *planner, const char *name, double width_um)
{
    double um_per_px = planner->plan->protocol->display.um_per_px;
    if (width_um >= um_per_px)
        return true;
    fail(planner, name, "%.6g um is narrower than a screen pixel; %.6g (um_per_px) or more",
         width_um, um_per_px);
    return keep_as_warning(planner);
}

/* The last, partial frame of a path is shown whole; rounding noise does not count as one. */
static int64_t frames_of_path(const Planner *planner, double path_um, double speed_um_per_s)
{
    double frames = ceil(path_um * planner->plan->refresh_hz / speed_um_per_s - 1e-6);
    return frames < 1 ? 1 : (int64_t)frames;
}

static bool plan_bar(Planner *planner, const ProtocolBar *bar)
{
    int64_t flash_frames = 0;
    if (!warn_narrow(planner, "bar.width_um", bar->width_um) ||
        !frames_of(planner, in_ms("bar.flash_ms", bar->flash_ms), &flash_frames))
        return false;
    for (int i = 0; i < planner->conditions_count; i++) {
        PlanTrial *trial = &planner->conditions[i];
        char name[48];
        snprintf(name, sizeof name, "bar.speeds_um_per_s[%d]", i);
        trial->value = bar->speeds_um_per_s[i];
        if (!check_speed(planner, name, trial->value, bar->width_um))
            return false;
        bool is_moving = trial->value > 0;
        trial->flash_frames = is_moving ? 0 : flash_frames;
        trial->stimulus_frames =
            is_moving ? frames_of_path(planner, bar->travel_um, trial->value) : flash_frames;
    }
    return true;
}

/* How far from its centre the field reaches along a direction. */
static double field_reach_um(const Plan *plan, double direction_deg)
{
    double angle = direction_deg * PI / 180;
    return (plan->field_width_um * fabs(cos(angle)) + plan->field_height_um * fabs(sin(angle))) / 2;
}

static bool plan_reversal(Planner *planner, const ProtocolReversal *reversal)
{
    double reach_um = field_reach_um(planner->plan, reversal->direction_deg);
    if (!warn_narrow(planner, "reversal.width_um", reversal->width_um) ||
        !check_speed(planner, "reversal.speed_um_per_s", reversal->speed_um_per_s,
                     reversal->width_um))
        return false;
    for (int i = 0; i < planner->conditions_count; i++) {
        PlanTrial *trial = &planner->conditions[i];
        char name[48];
        snprintf(name, sizeof name, "reversal.turns_um[%d]", i);
        trial->value = reversal->turns_um[i];
        if (fabs(trial->value) > reach_um)
            return fail(planner, name, "%.9g is outside the field; %.6g to %.6g in this direction",
                        trial->value, -reach_um, reach_um);
        trial->stimulus_frames =
            frames_of_path(planner, 2 * reversal->approach_um, reversal->speed_um_per_s);
    }
    return true;
}

static bool warn_large(Planner *planner, const char *name, int checks, double check_um,
                       double field_um)
{
    if (checks * check_um <= field_um * (1 + 1e-9))
        return true;
    fail(planner, name,
         "%d checks of %.6g um reach beyond the field of %.6g um and are partly unseen", checks,
         check_um, field_um);
    return keep_as_warning(planner);
}

static bool plan_checkerboard(Planner *planner, const ProtocolCheckerboard *noise)
{
    PlanTrial *trial = &planner->conditions[0];
    Duration duration = {"checkerboard.duration_s", noise->duration_s, "s", 1};
    const Plan *plan = planner->plan;
    bool is_one_check =
        noise->columns == 1 && noise->rows == 1; // full-field noise overhangs by intent
    trial->seed = planner->block_seed;
    if (is_ran1(planner->block) && trial->seed >= 0) // a seed that was set after the file was read
        return fail(planner, "checkerboard.generator",
                    "ran1 cannot be seeded with %lld; -2147483646 to -1", (long long)trial->seed);
    return warn_narrow(planner, "checkerboard.check_um", noise->check_um) &&
           (is_one_check || warn_large(planner, "checkerboard.columns", noise->columns,
                                       noise->check_um, plan->field_width_um)) &&
           (is_one_check || warn_large(planner, "checkerboard.rows", noise->rows, noise->check_um,
                                       plan->field_height_um)) &&
           frames_of(planner, in_ms("checkerboard.hold_ms", noise->hold_ms), &trial->hold_frames) &&
           frames_of(planner, duration, &trial->stimulus_frames);
}

static bool plan_conditions(Planner *planner)
{
    const ProtocolBlock *block = planner->block;
    PlanTrial *first = &planner->conditions[0];
    if (!frames_of(planner, in_ms("before_ms", block->before_ms), &first->before_frames) ||
        !frames_of(planner, in_ms("after_ms", block->after_ms), &first->after_frames))
        return false;
    for (int i = 1; i < planner->conditions_count; i++)
        planner->conditions[i] = *first;
    for (int i = 0; i < planner->conditions_count; i++)
        planner->conditions[i].condition = i;
    if (block->flicker)
        return plan_flicker(planner, block->flicker);
    if (block->step)
        return plan_step(planner, block->step);
    if (block->bar)
        return plan_bar(planner, block->bar);
    if (block->reversal)
        return plan_reversal(planner, block->reversal);
    return plan_checkerboard(planner, block->checkerboard);
}

/* ---- trials ---- */

static int conditions_of(const ProtocolBlock *block)
{
    unsigned count = block->flicker    ? block->flicker->periods_ms_count
                     : block->step     ? block->step->contrasts_count
                     : block->bar      ? block->bar->speeds_um_per_s_count
                     : block->reversal ? block->reversal->turns_um_count
                                       : 1;
    return (int)count;
}

static void add_trial(Planner *planner, int condition, int repeat)
{
    Plan *plan = planner->plan;
    PlanTrial *trial = &plan->trials[plan->trials_count++];
    *trial = planner->conditions[condition];
    trial->repeat = repeat;
    trial->first_refresh = plan->refreshes;
    const ProtocolCheckerboard *noise = planner->block->checkerboard;
    if (noise && !noise->is_frozen)
        trial->seed =
            mixed_seed(planner->block, planner->block_seed, SALT_REPEAT, (unsigned)repeat);
    plan->refreshes += trial->before_frames + trial->stimulus_frames + trial->after_frames;
}

static void add_trials(Planner *planner, int *order)
{
    uint64_t state = (uint64_t)planner->block_seed ^ (uint64_t)SALT_ORDER;
    for (int repeat = 0; repeat < planner->block->repeats; repeat++) {
        for (int i = 0; i < planner->conditions_count; i++)
            order[i] = i;
        if (planner->block->order == PROTOCOL_ORDER_SHUFFLED)
            shuffle(order, planner->conditions_count, &state);
        for (int i = 0; i < planner->conditions_count; i++)
            add_trial(planner, order[i], repeat);
    }
}

static bool plan_block(Planner *planner, unsigned index)
{
    const Protocol *protocol = planner->plan->protocol;
    const ProtocolBlock *block = planner->block = &protocol->blocks[index];
    snprintf(planner->block_key, sizeof planner->block_key, "blocks[%u]", index);
    planner->block_seed =
        block->seed ? *block->seed : mixed_seed(block, protocol->seed, SALT_BLOCK, index);
    planner->conditions_count = conditions_of(block);
    size_t count = (size_t)planner->conditions_count;
    planner->conditions = calloc(count, sizeof *planner->conditions);
    int *order = calloc(count, sizeof *order);
    bool is_planned = (planner->conditions && order) || fail(planner, "", "out of memory");
    if (is_planned)
        planner->conditions[0].block = (int)index;
    is_planned = is_planned && plan_conditions(planner);
    if (is_planned)
        add_trials(planner, order);
    free(order);
    free(planner->conditions);
    planner->block_key[0] = '\0';
    return is_planned;
}

static bool allocate_trials(Planner *planner)
{
    const Protocol *protocol = planner->plan->protocol;
    int64_t count = 0;
    for (unsigned i = 0; i < protocol->blocks_count; i++)
        count += (int64_t)protocol->blocks[i].repeats * conditions_of(&protocol->blocks[i]);
    if (count > PLAN_TRIALS_MAX)
        return fail(planner, "blocks", "%lld trials in all; at most %d", (long long)count,
                    PLAN_TRIALS_MAX);
    planner->plan->trials = calloc((size_t)count, sizeof *planner->plan->trials);
    return planner->plan->trials || fail(planner, "blocks", "out of memory");
}

static bool check_display(Planner *planner, double refresh_hz)
{
    const Plan *plan = planner->plan;
    if (!(refresh_hz >= 10 && refresh_hz <= 1000))
        return fail(planner, "display.refresh_hz", "the display runs at %.6g Hz; 10 to 1000",
                    refresh_hz);
    return (plan->field_width_um > 0 && plan->field_height_um > 0) ||
           fail(planner, "display", "a field of %.6g by %.6g um; both above 0",
                plan->field_width_um, plan->field_height_um);
}

static bool check_length(const Planner *planner)
{
    double hours = (double)planner->plan->refreshes / planner->plan->refresh_hz / 3600;
    return hours <= PLAN_HOURS_MAX ||
           fail(planner, "blocks", "last %.4g hours in all; at most %d", hours, PLAN_HOURS_MAX);
}

static void set_rate(Planner *planner, double refresh_hz)
{
    double asked_hz = planner->plan->protocol->display.refresh_hz;
    planner->written_hz = asked_hz > 0 ? asked_hz : refresh_hz;
    bool is_same = fabs(refresh_hz / planner->written_hz - 1) <= RATE_TOLERANCE;
    planner->plan->refresh_hz = is_same ? planner->written_hz : refresh_hz;
}

Plan *plan_create(const Protocol *protocol, const char *path, double refresh_hz,
                  double field_width_um, double field_height_um, char *err)
{
    Plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        snprintf(err, CONFIG_ERR_BYTES, "%s: out of memory", path);
        return NULL;
    }
    plan->protocol = protocol;
    plan->field_width_um = field_width_um;
    plan->field_height_um = field_height_um;
    Planner planner = {.plan = plan, .locate = locate_open(path, err), .path = path, .err = err};
    err[0] = '\0';
    set_rate(&planner, refresh_hz);
    bool is_planned = check_display(&planner, refresh_hz) && allocate_trials(&planner);
    for (unsigned i = 0; is_planned && i < protocol->blocks_count; i++)
        is_planned = plan_block(&planner, i);
    is_planned = is_planned && check_length(&planner);
    locate_close(planner.locate);
    if (is_planned)
        return plan;
    plan_destroy(plan);
    return NULL;
}

void plan_destroy(Plan *plan)
{
    if (!plan)
        return;
    for (int i = 0; i < plan->warnings_count; i++)
        free(plan->warnings[i]);
    free(plan->warnings);
    free(plan->trials);
    free(plan);
}
