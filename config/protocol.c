#include "config/protocol.h"

#include <assert.h>
#include <stdio.h>

#include "config/locate.h"
#include "config/protocol_check.h"
#include "config/schema.h"

static_assert((int)CONFIG_ERR_BYTES == (int)LOCATE_ERR_BYTES, "one size of err everywhere");

enum {
    REQUIRED = CYAML_FLAG_DEFAULT,
    OPTIONAL = CYAML_FLAG_OPTIONAL,
    POINTER = CYAML_FLAG_POINTER,
    OPTIONAL_POINTER = CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER,
    CHOICE = CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,
    CONDITIONS_MAX = 1000,
    BLOCKS_MAX = 1000,
    MODELS_MAX = 16,
};

static const cyaml_schema_value_t number = {CYAML_VALUE_FLOAT(REQUIRED, double)};
static const cyaml_schema_value_t file_name = {CYAML_VALUE_STRING(POINTER, char *, 1, 1000)};

static const cyaml_schema_field_t flicker_fields[] = {
    CYAML_FIELD_SEQUENCE("periods_ms", POINTER, ProtocolFlicker, periods_ms, &number, 1,
                         CONDITIONS_MAX),
    CYAML_FIELD_FLOAT("flash_ms", REQUIRED, ProtocolFlicker, flash_ms),
    CYAML_FIELD_INT("flashes", REQUIRED, ProtocolFlicker, flashes),
    CYAML_FIELD_INT("omitted", OPTIONAL, ProtocolFlicker, omitted),
    CYAML_FIELD_FLOAT("contrast", REQUIRED, ProtocolFlicker, contrast),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t step_fields[] = {
    CYAML_FIELD_SEQUENCE("contrasts", POINTER, ProtocolStep, contrasts, &number, 1, CONDITIONS_MAX),
    CYAML_FIELD_FLOAT("duration_ms", REQUIRED, ProtocolStep, duration_ms),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t bar_fields[] = {
    CYAML_FIELD_SEQUENCE("speeds_um_per_s", POINTER, ProtocolBar, speeds_um_per_s, &number, 1,
                         CONDITIONS_MAX),
    CYAML_FIELD_FLOAT("width_um", REQUIRED, ProtocolBar, width_um),
    CYAML_FIELD_FLOAT("contrast", REQUIRED, ProtocolBar, contrast),
    CYAML_FIELD_FLOAT("direction_deg", OPTIONAL, ProtocolBar, direction_deg),
    CYAML_FIELD_FLOAT("travel_um", REQUIRED, ProtocolBar, travel_um),
    CYAML_FIELD_FLOAT("flash_ms", OPTIONAL, ProtocolBar, flash_ms),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t reversal_fields[] = {
    CYAML_FIELD_SEQUENCE("turns_um", POINTER, ProtocolReversal, turns_um, &number, 1,
                         CONDITIONS_MAX),
    CYAML_FIELD_FLOAT("speed_um_per_s", REQUIRED, ProtocolReversal, speed_um_per_s),
    CYAML_FIELD_FLOAT("width_um", REQUIRED, ProtocolReversal, width_um),
    CYAML_FIELD_FLOAT("contrast", REQUIRED, ProtocolReversal, contrast),
    CYAML_FIELD_FLOAT("direction_deg", OPTIONAL, ProtocolReversal, direction_deg),
    CYAML_FIELD_FLOAT("approach_um", REQUIRED, ProtocolReversal, approach_um),
    CYAML_FIELD_END,
};

static const cyaml_strval_t distributions[] = {
    {"binary", PROTOCOL_NOISE_BINARY},
    {"gaussian", PROTOCOL_NOISE_GAUSSIAN},
};
static const cyaml_strval_t generators[] = {
    {"counter", PROTOCOL_NOISE_COUNTER},
    {"ran1", PROTOCOL_NOISE_RAN1},
};
static const cyaml_strval_t orders[] = {
    {"listed", PROTOCOL_ORDER_LISTED},
    {"shuffled", PROTOCOL_ORDER_SHUFFLED},
};

static const cyaml_schema_field_t checkerboard_fields[] = {
    CYAML_FIELD_INT("columns", REQUIRED, ProtocolCheckerboard, columns),
    CYAML_FIELD_INT("rows", REQUIRED, ProtocolCheckerboard, rows),
    CYAML_FIELD_FLOAT("check_um", REQUIRED, ProtocolCheckerboard, check_um),
    CYAML_FIELD_ENUM("distribution", CHOICE, ProtocolCheckerboard, distribution, distributions, 2),
    CYAML_FIELD_ENUM("generator", CHOICE, ProtocolCheckerboard, generator, generators, 2),
    CYAML_FIELD_FLOAT("contrast", REQUIRED, ProtocolCheckerboard, contrast),
    CYAML_FIELD_FLOAT("hold_ms", REQUIRED, ProtocolCheckerboard, hold_ms),
    CYAML_FIELD_FLOAT("duration_s", REQUIRED, ProtocolCheckerboard, duration_s),
    CYAML_FIELD_BOOL("frozen", OPTIONAL, ProtocolCheckerboard, is_frozen),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t block_fields[] = {
    CYAML_FIELD_STRING_PTR("name", POINTER, ProtocolBlock, name, 1, 100),
    CYAML_FIELD_INT("repeats", OPTIONAL, ProtocolBlock, repeats),
    CYAML_FIELD_FLOAT("before_ms", OPTIONAL, ProtocolBlock, before_ms),
    CYAML_FIELD_FLOAT("after_ms", OPTIONAL, ProtocolBlock, after_ms),
    CYAML_FIELD_FLOAT_PTR("background", OPTIONAL_POINTER, ProtocolBlock, background),
    CYAML_FIELD_INT_PTR("seed", OPTIONAL_POINTER, ProtocolBlock, seed),
    CYAML_FIELD_INT("trigger_code", OPTIONAL, ProtocolBlock, trigger_code),
    CYAML_FIELD_ENUM("order", CHOICE, ProtocolBlock, order, orders, 2),
    CYAML_FIELD_MAPPING_PTR("flicker", OPTIONAL_POINTER, ProtocolBlock, flicker, flicker_fields),
    CYAML_FIELD_MAPPING_PTR("step", OPTIONAL_POINTER, ProtocolBlock, step, step_fields),
    CYAML_FIELD_MAPPING_PTR("bar", OPTIONAL_POINTER, ProtocolBlock, bar, bar_fields),
    CYAML_FIELD_MAPPING_PTR("reversal", OPTIONAL_POINTER, ProtocolBlock, reversal, reversal_fields),
    CYAML_FIELD_MAPPING_PTR("checkerboard", OPTIONAL_POINTER, ProtocolBlock, checkerboard,
                            checkerboard_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t block = {
    CYAML_VALUE_MAPPING(REQUIRED, ProtocolBlock, block_fields)};

static const cyaml_schema_field_t patch_fields[] = {
    CYAML_FIELD_BOOL("on", OPTIONAL, ProtocolSyncPatch, is_on),
    CYAML_FIELD_INT("size_px", REQUIRED, ProtocolSyncPatch, size_px),
    CYAML_FIELD_INT("border_px", OPTIONAL, ProtocolSyncPatch, border_px),
    CYAML_FIELD_INT("x_px", OPTIONAL, ProtocolSyncPatch, x_px),
    CYAML_FIELD_INT("y_px", OPTIONAL, ProtocolSyncPatch, y_px),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t display_fields[] = {
    CYAML_FIELD_FLOAT("refresh_hz", OPTIONAL, ProtocolDisplay, refresh_hz),
    CYAML_FIELD_FLOAT("um_per_px", REQUIRED, ProtocolDisplay, um_per_px),
    CYAML_FIELD_INT("width_px", REQUIRED, ProtocolDisplay, width_px),
    CYAML_FIELD_INT("height_px", REQUIRED, ProtocolDisplay, height_px),
    CYAML_FIELD_BOOL("fullscreen", OPTIONAL, ProtocolDisplay, is_fullscreen),
    CYAML_FIELD_INT("screen", OPTIONAL, ProtocolDisplay, screen),
    CYAML_FIELD_FLOAT("background", OPTIONAL, ProtocolDisplay, background),
    CYAML_FIELD_STRING_PTR("gamma_table", OPTIONAL_POINTER, ProtocolDisplay, gamma_table, 1, 1000),
    CYAML_FIELD_MAPPING("sync_patch", OPTIONAL, ProtocolDisplay, sync_patch, patch_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t protocol_fields[] = {
    CYAML_FIELD_STRING_PTR("name", POINTER, Protocol, name, 1, 100),
    CYAML_FIELD_STRING_PTR("about", OPTIONAL_POINTER, Protocol, about, 0, 10000),
    CYAML_FIELD_INT("seed", REQUIRED, Protocol, seed),
    CYAML_FIELD_MAPPING("display", REQUIRED, Protocol, display, display_fields),
    CYAML_FIELD_SEQUENCE("models", OPTIONAL_POINTER, Protocol, models, &file_name, 0, MODELS_MAX),
    CYAML_FIELD_SEQUENCE("blocks", POINTER, Protocol, blocks, &block, 1, BLOCKS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t protocol_schema = {
    CYAML_VALUE_MAPPING(POINTER, Protocol, protocol_fields)};

/* Zero is the default of every key but these. */
static void set_defaults(const Locate *locate, Protocol *protocol)
{
    ProtocolDisplay *display = &protocol->display;
    if (locate_find(locate, "display.background").kind == LOCATE_NOTHING)
        display->background = 0.5;
    if (locate_find(locate, "display.sync_patch").kind != LOCATE_NOTHING &&
        locate_find(locate, "display.sync_patch.on").kind == LOCATE_NOTHING)
        display->sync_patch.is_on = true;
    for (unsigned i = 0; i < protocol->blocks_count; i++) {
        char key[LOCATE_KEY_BYTES];
        snprintf(key, sizeof key, "blocks[%u].repeats", i);
        if (locate_find(locate, key).kind == LOCATE_NOTHING)
            protocol->blocks[i].repeats = 1;
    }
}

Protocol *protocol_load(const char *path, char *err)
{
    Locate *locate = locate_open(path, err);
    Protocol *protocol = locate ? schema_load(locate, &protocol_schema, err) : NULL;
    if (protocol) {
        set_defaults(locate, protocol);
        if (!protocol_check(locate, protocol, err)) {
            protocol_destroy(protocol);
            protocol = NULL;
        }
    }
    locate_close(locate);
    return protocol;
}

void protocol_destroy(Protocol *protocol)
{
    schema_free(&protocol_schema, protocol);
}

const char *protocol_stimulus_name(const ProtocolBlock *of)
{
    return of->flicker    ? "flicker"
           : of->step     ? "step"
           : of->bar      ? "bar"
           : of->reversal ? "reversal"
                          : "checkerboard";
}
