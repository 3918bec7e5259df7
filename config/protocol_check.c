#include "config/protocol_check.h"

#include <stdio.h>

/* One row a key: where its value stands and what it may be. */
static const int64_t RAN1_SEEDS = 2147483646, SEEDS = INT64_C(1) << 53;

typedef enum { RANGE_DOUBLE, RANGE_INT, RANGE_DOUBLES, RANGE_END } RangeKind;

typedef struct {
    const char *key;
    RangeKind kind;
    size_t offset, count_offset;
    double low, high;
} Range;

#define NUMBER(S, f, low, high)                                                                    \
    {                                                                                              \
#f, RANGE_DOUBLE, offsetof(S, f), 0, low, high                                             \
    }
#define INTEGER(S, f, low, high)                                                                   \
    {                                                                                              \
#f, RANGE_INT, offsetof(S, f), 0, low, high                                                \
    }
#define NUMBERS(S, f, low, high)                                                                   \
    {                                                                                              \
#f, RANGE_DOUBLES, offsetof(S, f), offsetof(S, f##_count), low, high                       \
    }
#define DAY_MS   86400e3
#define TRAIN_MS 60e3
#define FAR_UM   1e6

static const Range display_ranges[] = {
    NUMBER(ProtocolDisplay, um_per_px, 0.01, 1000), INTEGER(ProtocolDisplay, width_px, 16, 16384),
    INTEGER(ProtocolDisplay, height_px, 16, 16384), INTEGER(ProtocolDisplay, screen, 0, 15),
    NUMBER(ProtocolDisplay, background, 0.001, 1),  {.kind = RANGE_END},
};
static const Range patch_ranges[] = {
    INTEGER(ProtocolSyncPatch, size_px, 4, 4096),
    INTEGER(ProtocolSyncPatch, border_px, 0, 4096),
    INTEGER(ProtocolSyncPatch, x_px, 0, 16384),
    INTEGER(ProtocolSyncPatch, y_px, 0, 16384),
    {.kind = RANGE_END},
};
static const Range block_ranges[] = {
    INTEGER(ProtocolBlock, repeats, 1, 100000),
    NUMBER(ProtocolBlock, before_ms, 0, DAY_MS),
    NUMBER(ProtocolBlock, after_ms, 0, DAY_MS),
    INTEGER(ProtocolBlock, trigger_code, 0, 255),
    {.kind = RANGE_END},
};
static const Range flicker_ranges[] = {
    NUMBERS(ProtocolFlicker, periods_ms, 1, TRAIN_MS),
    NUMBER(ProtocolFlicker, flash_ms, 1, TRAIN_MS),
    INTEGER(ProtocolFlicker, flashes, 1, 100000),
    INTEGER(ProtocolFlicker, omitted, 0, 100000),
    {.kind = RANGE_END},
};
static const Range step_ranges[] = {
    NUMBER(ProtocolStep, duration_ms, 1, DAY_MS),
    {.kind = RANGE_END},
};
static const Range bar_ranges[] = {
    NUMBERS(ProtocolBar, speeds_um_per_s, 0, FAR_UM), NUMBER(ProtocolBar, width_um, 0.1, FAR_UM),
    NUMBER(ProtocolBar, direction_deg, -360, 360),    NUMBER(ProtocolBar, travel_um, 1, FAR_UM),
    NUMBER(ProtocolBar, flash_ms, 0, TRAIN_MS),       {.kind = RANGE_END},
};
static const Range reversal_ranges[] = {
    NUMBERS(ProtocolReversal, turns_um, -FAR_UM, FAR_UM),
    NUMBER(ProtocolReversal, speed_um_per_s, 1, FAR_UM),
    NUMBER(ProtocolReversal, width_um, 0.1, FAR_UM),
    NUMBER(ProtocolReversal, direction_deg, -360, 360),
    NUMBER(ProtocolReversal, approach_um, 1, FAR_UM),
    {.kind = RANGE_END},
};
static const Range checkerboard_ranges[] = {
    INTEGER(ProtocolCheckerboard, columns, 1, 1024),
    INTEGER(ProtocolCheckerboard, rows, 1, 1024),
    NUMBER(ProtocolCheckerboard, check_um, 0.1, FAR_UM),
    NUMBER(ProtocolCheckerboard, contrast, 0.001, 1),
    NUMBER(ProtocolCheckerboard, hold_ms, 1, DAY_MS),
    NUMBER(ProtocolCheckerboard, duration_s, 0.001, DAY_MS / 1e3),
    {.kind = RANGE_END},
};

typedef struct {
    const Locate *locate;
    char *err;
    char block_key[24]; // `blocks[2]`
    char group_key[48]; // `blocks[2].bar`
    double background;  // of the block
} Check;

#define FAIL(check, key, ...) locate_fail((check)->locate, NULL, key, (check)->err, __VA_ARGS__)

static bool in_range(const Check *check, const char *key, double value, double low, double high)
{
    return (value >= low && value <= high) ||
           FAIL(check, key, "%.12g is out of range; %.12g to %.12g", value, low, high);
}

static bool in_ranges(const Check *check, const Range *row, const char *group, const void *of)
{
    for (; row->kind != RANGE_END; row++) {
        char key[LOCATE_KEY_BYTES];
        const char *at = (const char *)of + row->offset;
        snprintf(key, sizeof key, "%s.%s", group, row->key);
        if (row->kind == RANGE_DOUBLE &&
            !in_range(check, key, *(const double *)at, row->low, row->high))
            return false;
        if (row->kind == RANGE_INT && !in_range(check, key, *(const int *)at, row->low, row->high))
            return false;
        unsigned count = row->kind == RANGE_DOUBLES
                             ? *(const unsigned *)((const char *)of + row->count_offset)
                             : 0;
        for (unsigned i = 0; i < count; i++) {
            snprintf(key, sizeof key, "%s.%s[%u]", group, row->key, i);
            if (!in_range(check, key, (*(double *const *)at)[i], row->low, row->high))
                return false;
        }
    }
    return true;
}

static bool is_displayable(const Check *check, const char *key, double contrast)
{
    double brightest = 1 / check->background - 1;
    return (contrast >= -1 && contrast <= brightest + 1e-9) ||
           FAIL(check, key,
                "Weber contrast %.12g on background %.12g is luminance %.6g, which no display can "
                "show; "
                "-1 to %.6g on this background",
                contrast, check->background, check->background * (1 + contrast), brightest);
}

static bool is_displayable_in(const Check *check, const char *name, double contrast)
{
    char key[LOCATE_KEY_BYTES];
    snprintf(key, sizeof key, "%s.%s", check->group_key, name);
    return is_displayable(check, key, contrast);
}

static bool check_flicker(const Check *check, const ProtocolFlicker *flicker)
{
    if (!in_ranges(check, flicker_ranges, check->group_key, flicker) ||
        !is_displayable_in(check, "contrast", flicker->contrast))
        return false;
    char key[LOCATE_KEY_BYTES];
    for (unsigned i = 0; i < flicker->periods_ms_count; i++) {
        snprintf(key, sizeof key, "%s.periods_ms[%u]", check->group_key, i);
        if (flicker->periods_ms[i] < flicker->flash_ms)
            return FAIL(check, key, "%.12g is shorter than the flash; %.12g (flash_ms) or more",
                        flicker->periods_ms[i], flicker->flash_ms);
    }
    snprintf(key, sizeof key, "%s.omitted", check->group_key);
    return flicker->omitted <= flicker->flashes ||
           FAIL(check, key, "%d is past the end of the train; 1 to %d (flashes), 0 for none",
                flicker->omitted, flicker->flashes);
}

static bool check_step(const Check *check, const ProtocolStep *step)
{
    for (unsigned i = 0; i < step->contrasts_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "contrasts[%u]", i);
        if (!is_displayable_in(check, name, step->contrasts[i]))
            return false;
    }
    return in_ranges(check, step_ranges, check->group_key, step);
}

static bool check_bar(const Check *check, const ProtocolBar *bar)
{
    if (!in_ranges(check, bar_ranges, check->group_key, bar) ||
        !is_displayable_in(check, "contrast", bar->contrast))
        return false;
    for (unsigned i = 0; i < bar->speeds_um_per_s_count; i++) {
        char key[LOCATE_KEY_BYTES];
        double speed = bar->speeds_um_per_s[i];
        snprintf(key, sizeof key, "%s.speeds_um_per_s[%u]", check->group_key, i);
        if (speed > 0 && speed < 1)
            return FAIL(check, key,
                        "%.12g is out of range; 1 to %.12g, or 0 for a bar that is flashed", speed,
                        FAR_UM);
        if (!(speed > 0) && !(bar->flash_ms > 0))
            return FAIL(check, key, "0 is a bar that is flashed, and needs a flash_ms above 0");
    }
    return true;
}

static bool check_reversal(const Check *check, const ProtocolReversal *reversal)
{
    return in_ranges(check, reversal_ranges, check->group_key, reversal) &&
           is_displayable_in(check, "contrast", reversal->contrast);
}

static bool check_checkerboard(const Check *check, const Protocol *protocol,
                               const ProtocolBlock *of)
{
    const ProtocolCheckerboard *noise = of->checkerboard;
    if (!in_ranges(check, checkerboard_ranges, check->group_key, noise))
        return false;
    if (noise->distribution == PROTOCOL_NOISE_BINARY &&
        !is_displayable_in(check, "contrast", noise->contrast))
        return false;
    int64_t seed = of->seed ? *of->seed : protocol->seed;
    if (noise->generator != PROTOCOL_NOISE_RAN1 || (seed < 0 && seed >= -RAN1_SEEDS))
        return true;
    char key[LOCATE_KEY_BYTES];
    snprintf(key, sizeof key, "%s.seed", check->block_key);
    return FAIL(check, of->seed ? key : "seed",
                "%lld cannot seed ran1, which %s asks for; -2147483646 to -1", (long long)seed,
                check->block_key);
}

/* Names and values of the stimuli of a block, in the order of the header. */
enum { STIMULI = 5 };

static const char *const stimulus_names[STIMULI] = {"flicker", "step", "bar", "reversal",
                                                    "checkerboard"};

static bool check_one_stimulus(Check *check, const ProtocolBlock *of)
{
    const void *const stimuli[STIMULI] = {of->flicker, of->step, of->bar, of->reversal,
                                          of->checkerboard};
    const char *found = NULL;
    for (int i = 0; i < STIMULI; i++) {
        if (!stimuli[i])
            continue;
        snprintf(check->group_key, sizeof check->group_key, "%s.%s", check->block_key,
                 stimulus_names[i]);
        if (found)
            return FAIL(
                check, check->group_key,
                "a second stimulus beside %s; a block has exactly one, so begin another block",
                found);
        found = stimulus_names[i];
    }
    return found ||
           FAIL(check, check->block_key,
                "has no stimulus; exactly one of flicker, step, bar, reversal, checkerboard");
}

/* Whole numbers that a double holds exactly, so that no tool that reads the log changes a seed. */
static bool is_seed(const Check *check, const char *key, int64_t seed)
{
    return (seed >= -SEEDS && seed <= SEEDS) ||
           FAIL(check, key, "%lld is out of range; %lld to %lld", (long long)seed,
                (long long)-SEEDS, (long long)SEEDS);
}

static bool check_block(Check *check, const Protocol *protocol, const ProtocolBlock *of)
{
    char key[LOCATE_KEY_BYTES];
    if (!in_ranges(check, block_ranges, check->block_key, of))
        return false;
    snprintf(key, sizeof key, "%s.background", check->block_key);
    if (of->background && !in_range(check, key, *of->background, 0.001, 1))
        return false;
    snprintf(key, sizeof key, "%s.seed", check->block_key);
    if (of->seed && !is_seed(check, key, *of->seed))
        return false;
    check->background = of->background ? *of->background : protocol->display.background;
    if (!check_one_stimulus(check, of))
        return false;
    if (of->flicker)
        return check_flicker(check, of->flicker);
    if (of->step)
        return check_step(check, of->step);
    if (of->bar)
        return check_bar(check, of->bar);
    if (of->reversal)
        return check_reversal(check, of->reversal);
    return check_checkerboard(check, protocol, of);
}

static bool check_display(const Check *check, const ProtocolDisplay *display)
{
    if (!in_ranges(check, display_ranges, "display", display))
        return false;
    double refresh_hz = display->refresh_hz;
    if (refresh_hz < 0 || (refresh_hz > 0 && refresh_hz < 30) || refresh_hz > 240)
        return FAIL(check, "display.refresh_hz",
                    "%.12g is out of range; 30 to 240, or 0 for whatever the display has",
                    refresh_hz);
    const ProtocolSyncPatch *patch = &display->sync_patch;
    if (locate_find(check->locate, "display.sync_patch").kind == LOCATE_NOTHING)
        return true;
    if (!in_ranges(check, patch_ranges, "display.sync_patch", patch))
        return false;
    int side_px = patch->size_px + 2 * patch->border_px;
    return display->is_fullscreen ||
           (patch->x_px + side_px <= display->width_px &&
            patch->y_px + side_px <= display->height_px) ||
           FAIL(check, "display.sync_patch",
                "a patch of %d px with its border at %d, %d leaves the window of %d by %d px",
                side_px, patch->x_px, patch->y_px, display->width_px, display->height_px);
}

bool protocol_check(const Locate *locate, const Protocol *protocol, char *err)
{
    Check check = {.locate = locate, .err = err};
    if (!is_seed(&check, "seed", protocol->seed) || !check_display(&check, &protocol->display))
        return false;
    for (unsigned i = 0; i < protocol->blocks_count; i++) {
        snprintf(check.block_key, sizeof check.block_key, "blocks[%u]", i);
        if (!check_block(&check, protocol, &protocol->blocks[i]))
            return false;
    }
    return true;
}
