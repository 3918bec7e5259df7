#pragma once
/* What the live console knows: one plain struct of fixed size, without a pointer in it.
 *
 * The frame thread keeps one and copies what changed into shared memory (console_shared.h); the
 * console process draws from a copy (console_draw.h). The functions here are the only writers: they
 * work on the caller's memory, allocate nothing and are bounded, so that they may run on the frame
 * path. Refreshes are numbered as the display numbers them. A rate, interval, margin or latency
 * that was not measured is NaN, never zero. */
#include <stdbool.h>
#include <stdint.h>

#include "render/display.h"
#include "render/scene.h"

enum {
    CONSOLE_MODELS = 8,
    CONSOLE_CELLS = 4,
    CONSOLE_REFRESHES = 1024,      // kept; 4 s at up to 256 Hz
    CONSOLE_RASTER_PX = 128 * 128, // of the stimulus as the models see it
    CONSOLE_CHANNELS = 16,
    CONSOLE_MAP_PX = 64 * 64, // of one channel
    CONSOLE_PROFILE_PX = 64,
    CONSOLE_FILM_PX = 512 * 512, // of the newest images together: 104 of 50 × 50
    CONSOLE_TEXT_BYTES = 64,
    CONSOLE_STIMULUS_BYTES = 16,
    CONSOLE_VERDICT_BYTES = 128,
    CONSOLE_PATH_BYTES = 4096,
};

typedef struct {
    char name[CONSOLE_TEXT_BYTES];
    char kind[16];
    bool is_simulated;                     // is, or was fitted to, the simulated retina
    double delay_s;                        // its row of a refresh stands for this much earlier
    char stimulus[CONSOLE_STIMULUS_BYTES]; // the only kind it stands for; "" any
} ConsoleModel;

typedef struct {
    char name[CONSOLE_TEXT_BYTES];
    int of_model[CONSOLE_MODELS]; // which of each model's cells this is; −1 none
    float x_um, y_um;             // receptive-field centre, x right, y up; NaN unknown
} ConsoleCell;

/* Everything that holds for a whole run. Fill it from {0}. */
typedef struct {
    char protocol[CONSOLE_TEXT_BYTES];
    ConsoleModel models[CONSOLE_MODELS]; // the first is the one the others are held against
    int models_count;
    ConsoleCell cells[CONSOLE_CELLS];
    int cells_count;
    Raster raster; // of ConsoleFrame.lum
    int map_model; // whose channels are shown; −1 none
    int map_channels, map_width_px, map_height_px;
    double refresh_hz;
    int64_t refreshes;     // of the whole plan; 0 not known
    double background_lum; // on screen before the first image
    char attribution_path
        [CONSOLE_PATH_BYTES]; // the first model's file, where its map channels can be
                              // attributed to; "" for no attribution
    FlipTimeSource time_source;
    char ladder[CONSOLE_TEXT_BYTES];     // how presentation is timed, in words
    char verdict[CONSOLE_VERDICT_BYTES]; // "ok", or "unsafe: why"
    bool has_rig;
    int width_px, height_px; // of the console's picture
    int stimulus_screen;     // a console window goes to another screen if there is one
} ConsoleSetup;

/* What is being shown, said once a trial. Numbers from 0. */
typedef struct {
    int block, blocks, trial, trials;
    char block_name[CONSOLE_TEXT_BYTES];
    char condition[CONSOLE_TEXT_BYTES];    // with its unit, "period 64 ms"; "" for none
    bool is_profile_vertical;              // motion is along y: the profile is the middle column
    char stimulus[CONSOLE_STIMULUS_BYTES]; // its kind, as protocols name it
    float background_lum;                  // of its block
} ConsoleTrial;

typedef struct {
    int64_t triggers_sent, triggers_failed, events_received, events_lost;
    bool is_gone; // the device is not there now
} ConsoleRig;

/* One image that reached the screen. */
typedef struct {
    int64_t refresh;   // the one that first showed it
    int missed;        // refreshes just before it that showed the old image
    int64_t vblank_ns; // when it appeared
    int64_t margin_ns; // from handing it over to its deadline; negative: too late
    const float *lum;  // (raster) or NULL; borrowed for the call
    const float *maps; // (map_channels, map_height_px, map_width_px) or NULL; borrowed for the call
    ConsoleRig rig;
} ConsoleFrame;

typedef struct {
    int64_t refresh; // −1: never written
    int32_t trial;
    uint32_t in_play;                    // bit m: model m stands for this trial's stimulus
    bool is_shown, is_missed;            // neither: only a model spoke of it so far
    bool is_filmed;                      // its image went into the film
    uint8_t profile[CONSOLE_PROFILE_PX]; // luminance across the middle, 0 … 255 linear
    uint8_t profile_px;                  // how many of them; 0 none
    float interval_ms;                   // since the image before
    float margin_ms;
    float latency_us[CONSOLE_MODELS];
    float rates_hz[CONSOLE_MODELS][CONSOLE_CELLS]; // NaN for models that are not in play
} ConsoleRefresh;

/* What changes with every frame but is not kept per refresh. */
typedef struct {
    int64_t newest; // refresh of the newest image; −1 none
    int64_t newest_vblank_ns;
    int64_t shown, missed;
    int64_t late[CONSOLE_MODELS];
    int64_t pictured; // refresh that lum and maps are of; −1 none
    float maps_peak;  // slowly forgotten maximum of the maps
    ConsoleRig rig;
} ConsoleLive;

typedef struct {
    ConsoleSetup setup;
    ConsoleTrial trial;
    ConsoleLive live;
    ConsoleRefresh ring[CONSOLE_REFRESHES]; // refresh k at k mod CONSOLE_REFRESHES
    float film[CONSOLE_FILM_PX]; // (images, raster), see console_state_image(); with an attribution
    float lum[CONSOLE_RASTER_PX]; // (raster)
    float maps[CONSOLE_CHANNELS * CONSOLE_MAP_PX];
} ConsoleState;

enum { CONSOLE_ERR_BYTES = 512 };

/* False with a sentence in err (CONSOLE_ERR_BYTES) when the setup is more than the state can hold.
 */
bool console_state_init(ConsoleState *state, const ConsoleSetup *setup, char *err);

/* True when lum and maps were taken too: about 20 times a second. */
bool console_state_frame(ConsoleState *state, const ConsoleFrame *frame);

/* rates_hz (cells of that model). False when the refresh is no longer kept. */
bool console_state_rates(ConsoleState *state, int model, int64_t refresh, const float *rates_hz,
                         int64_t latency_ns, bool is_late);

/* Whether the model stands for the kind of stimulus the present trial shows. */
bool console_state_in_play(const ConsoleState *state, int model);

/* The record of a refresh, or NULL when it is not, or no longer, kept. */
const ConsoleRefresh *console_state_refresh(const ConsoleState *state, int64_t refresh);

/* The image (raster) that a refresh showed for the first time, or NULL when it is not, or no longer,
 * kept; the images of the last CONSOLE_FILM_PX / raster refreshes are. */
const float *console_state_image(const ConsoleState *state, int64_t refresh);
