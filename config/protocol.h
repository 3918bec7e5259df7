#pragma once
/* A protocol: what a person wrote to be shown, in physical units, exactly as the file has it.
 *
 * Loaded with libcyaml against one schema (protocol.c), so an unknown key or a wrong type is
 * refused with its line. What depends on the display (whole frames, the size of the field) is
 * judged by plan.h. Times are ms or s, lengths µm on the retina, contrast Weber contrast on the
 * block's background. Each block has exactly one stimulus; of its keys one is a list, and every
 * value in it is a condition, shown `repeats` times.
 *
 * Keys are spelt as the fields below, booleans without `is_`. These may be left out, and are then:
 * about "", display.refresh_hz 0, fullscreen false, screen 0, background 0.5, no gamma_table, no
 * sync_patch (in one: on true, border_px 0, x_px 0, y_px 0), models [], repeats 1, before_ms 0,
 * after_ms 0, background and seed of a block as named there, trigger_code 0, order listed, omitted
 * 0, direction_deg 0, bar.flash_ms 0, distribution binary, generator counter, frozen false. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_ERR_BYTES = 512 };

typedef struct {
    double *periods_ms; // onset to onset
    unsigned periods_ms_count;
    double flash_ms;
    int flashes; // places in the train, the omitted one included
    int omitted; // which place stays dark … 1 to flashes; 0: none, the train just ends
    double contrast;
} ProtocolFlicker;

typedef struct {
    double *contrasts;
    unsigned contrasts_count;
    double duration_ms;
} ProtocolStep;

typedef struct {
    double *speeds_um_per_s; // 0: stands still on the field's centre for flash_ms
    unsigned speeds_um_per_s_count;
    double width_um, contrast;
    double direction_deg; // 0 to the right, 90 up
    double travel_um;     // path of the bar centre, half on either side of the field's centre
    double flash_ms;      // wanted where a speed is 0, else unused
} ProtocolBar;

typedef struct {
    double *turns_um; // where the bar centre turns back, along the direction, 0 the field's centre
    unsigned turns_um_count;
    double speed_um_per_s, width_um, contrast, direction_deg;
    double approach_um; // path before the turn, and again after it
} ProtocolReversal;

typedef enum { PROTOCOL_NOISE_BINARY, PROTOCOL_NOISE_GAUSSIAN } ProtocolDistribution;
typedef enum {
    PROTOCOL_NOISE_COUNTER,
    PROTOCOL_NOISE_RAN1, // wants a seed of -2147483646 … -1
} ProtocolGenerator;

typedef struct {
    int columns, rows;
    double check_um;
    ProtocolDistribution distribution;
    ProtocolGenerator generator;
    double contrast; // binary ±contrast, Gaussian SD
    double hold_ms;  // how long one pattern stays
    double duration_s;
    bool is_frozen; // every repeat the same noise
} ProtocolCheckerboard;

typedef enum { PROTOCOL_ORDER_LISTED, PROTOCOL_ORDER_SHUFFLED } ProtocolOrder;

typedef struct {
    char *name;
    int repeats;
    double before_ms, after_ms; // background around every trial
    double *background;         // above 0, to 1; NULL: the display's
    int64_t *seed;              // NULL: the protocol's; see plan.h
    int trigger_code;           // 0 … 255, 0 none
    ProtocolOrder order;
    // exactly one of these
    ProtocolFlicker *flicker;
    ProtocolStep *step;
    ProtocolBar *bar;
    ProtocolReversal *reversal;
    ProtocolCheckerboard *checkerboard;
} ProtocolBlock;

typedef struct {
    bool is_on;
    int size_px, border_px, x_px, y_px;
} ProtocolSyncPatch;

typedef struct {
    double refresh_hz;       // the rate the durations are written for; 0: whatever the display has
    double um_per_px;        // a screen pixel on the retina
    int width_px, height_px; // of the window, or of the null display
    bool is_fullscreen;
    int screen;
    double background; // above 0, to 1
    char *gamma_table; // a file gamma.h reads; NULL for identity
    ProtocolSyncPatch sync_patch;
} ProtocolDisplay;

typedef struct {
    char *name;
    char *about;  // NULL where there is none
    int64_t seed; // ±2^53 at most
    ProtocolDisplay display;
    char **models; // "circuit" or model files
    unsigned models_count;
    ProtocolBlock *blocks;
    unsigned blocks_count;
} Protocol;

/* NULL with `FILE:LINE: key: what is wrong; what is allowed` in err (CONFIG_ERR_BYTES). Checks all
 * that needs no display: ranges, signs, one stimulus a block, finite numbers. */
Protocol *protocol_load(const char *path, char *err);
void protocol_destroy(Protocol *protocol);

/* The key of a block's stimulus: "flicker", "step", "bar", "reversal" or "checkerboard". */
const char *protocol_stimulus_name(const ProtocolBlock *of);
