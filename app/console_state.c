#include "app/console_state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double PICTURES_HZ = 20.0;

static bool check(char *err, const char *what, double value, double least, double most)
{
    if (value >= least && value <= most)
        return true;
    snprintf(err, CONSOLE_ERR_BYTES, "console: %s is %g; %g to %g can be shown", what, value, least,
             most);
    return false;
}

static bool check_setup(const ConsoleSetup *setup, char *err)
{
    const double raster_px = (double)setup->raster.width_px * setup->raster.height_px;
    const double map_px = (double)setup->map_width_px * setup->map_height_px;
    return check(err, "number of models", setup->models_count, 0, CONSOLE_MODELS) &&
           check(err, "number of cells", setup->cells_count, 0, CONSOLE_CELLS) &&
           check(err, "raster width", setup->raster.width_px, 1, CONSOLE_RASTER_PX) &&
           check(err, "raster height", setup->raster.height_px, 1, CONSOLE_RASTER_PX) &&
           check(err, "number of raster pixels", raster_px, 1, CONSOLE_RASTER_PX) &&
           check(err, "model of the channel maps", setup->map_model, -1, setup->models_count - 1) &&
           check(err, "number of channels", setup->map_channels, 0, CONSOLE_CHANNELS) &&
           check(err, "number of pixels of a channel map", map_px, 0, CONSOLE_MAP_PX) &&
           check(err, "refresh_hz", setup->refresh_hz, 1, 1000) &&
           check(err, "picture width", setup->width_px, 480, 4096) &&
           check(err, "picture height", setup->height_px, 480, 4096);
}

static void clear_refresh(ConsoleRefresh *slot, int64_t refresh)
{
    *slot = (ConsoleRefresh){.refresh = refresh, .interval_ms = NAN, .margin_ms = NAN};
    for (int m = 0; m < CONSOLE_MODELS; m++) {
        slot->latency_us[m] = NAN;
        for (int c = 0; c < CONSOLE_CELLS; c++)
            slot->rates_hz[m][c] = NAN;
    }
}

bool console_state_init(ConsoleState *state, const ConsoleSetup *setup, char *err)
{
    if (!check_setup(setup, err))
        return false;
    memset(state, 0, sizeof *state);
    state->setup = *setup;
    state->live.newest = -1;
    state->live.pictured = -1;
    for (int i = 0; i < CONSOLE_REFRESHES; i++)
        clear_refresh(&state->ring[i], -1);
    return true;
}

bool console_state_in_play(const ConsoleState *state, int model)
{
    const char *stimulus = state->setup.models[model].stimulus;
    return stimulus[0] == '\0' || strcmp(stimulus, state->trial.stimulus) == 0;
}

static void note_trial(const ConsoleState *state, ConsoleRefresh *slot)
{
    slot->trial = state->trial.trial;
    slot->in_play = 0;
    for (int m = 0; m < state->setup.models_count; m++)
        slot->in_play |= (uint32_t)console_state_in_play(state, m) << m;
}

/* The slot of a refresh, cleared if it held an older one; NULL if it holds a newer one, or if there
 * is no such refresh. */
static ConsoleRefresh *claim(ConsoleState *state, int64_t refresh)
{
    if (refresh < 0)
        return NULL;
    ConsoleRefresh *slot = &state->ring[refresh % CONSOLE_REFRESHES];
    if (slot->refresh > refresh)
        return NULL;
    if (slot->refresh < refresh) {
        clear_refresh(slot, refresh);
        note_trial(state, slot);
    }
    return slot;
}

/* profile := the middle row (or column) of lum, thinned to what the record holds. */
static void take_profile(const ConsoleState *state, const float *lum, ConsoleRefresh *slot)
{
    const Raster *raster = &state->setup.raster;
    const bool is_vertical = state->trial.is_profile_vertical;
    const int length_px = is_vertical ? raster->height_px : raster->width_px;
    const int step_px = is_vertical ? raster->width_px : 1;
    const int start_px =
        is_vertical ? raster->width_px / 2 : raster->height_px / 2 * raster->width_px;
    const int count = length_px < CONSOLE_PROFILE_PX ? length_px : CONSOLE_PROFILE_PX;
    for (int i = 0; i < count; i++) {
        const float level = lum[start_px + i * length_px / count * step_px];
        slot->profile[i] = (uint8_t)(255.0F * fminf(fmaxf(level, 0.0F), 1.0F) + 0.5F);
    }
    slot->profile_px = (uint8_t)count;
}

static int raster_px(const ConsoleSetup *setup)
{
    return setup->raster.width_px * setup->raster.height_px;
}

static int film_images(const ConsoleSetup *setup)
{
    const int images = CONSOLE_FILM_PX / raster_px(setup);
    return images < CONSOLE_REFRESHES ? images : CONSOLE_REFRESHES;
}

static size_t film_at(const ConsoleSetup *setup, int64_t refresh)
{
    return (size_t)(refresh % film_images(setup)) * (size_t)raster_px(setup);
}

static void take_film(ConsoleState *state, const float *lum, ConsoleRefresh *slot)
{
    const ConsoleSetup *setup = &state->setup;
    slot->is_filmed = setup->attribution_path[0] != '\0';
    if (slot->is_filmed)
        memcpy(state->film + film_at(setup, slot->refresh), lum,
               sizeof(float) * (size_t)raster_px(setup));
}

static void mark_missed(ConsoleState *state, const ConsoleFrame *frame)
{
    const ConsoleRefresh *shown = console_state_refresh(state, state->live.newest);
    const int marks = frame->missed < CONSOLE_REFRESHES / 2 ? frame->missed : CONSOLE_REFRESHES / 2;
    for (int64_t refresh = frame->refresh - marks; refresh < frame->refresh; refresh++) {
        ConsoleRefresh *slot = claim(state, refresh);
        if (slot)
            slot->is_missed = true;
        if (slot && shown && slot != shown) {
            memcpy(slot->profile, shown->profile, sizeof slot->profile);
            slot->profile_px = shown->profile_px;
        }
    }
}

static void take_maps(ConsoleState *state, const float *maps)
{
    const ConsoleSetup *setup = &state->setup;
    const int count = setup->map_channels * setup->map_width_px * setup->map_height_px;
    float peak = 0.98F * state->live.maps_peak;
    for (int i = 0; i < count; i++) {
        state->maps[i] = maps[i];
        peak = maps[i] > peak ? maps[i] : peak;
    }
    state->live.maps_peak = peak;
}

static bool take_pictures(ConsoleState *state, const ConsoleFrame *frame)
{
    const double since = (double)(frame->refresh - state->live.pictured);
    if (state->live.pictured >= 0 && since * PICTURES_HZ < state->setup.refresh_hz)
        return false;
    if (frame->lum)
        memcpy(state->lum, frame->lum, sizeof(float) * (size_t)raster_px(&state->setup));
    if (frame->maps)
        take_maps(state, frame->maps);
    state->live.pictured = frame->refresh;
    return true;
}

bool console_state_frame(ConsoleState *state, const ConsoleFrame *frame)
{
    ConsoleLive *live = &state->live;
    ConsoleRefresh *slot = claim(state, frame->refresh);
    if (!slot)
        return false;
    mark_missed(state, frame);
    slot->is_shown = true;
    note_trial(state, slot);
    slot->margin_ms = (float)((double)frame->margin_ns * 1e-6);
    if (live->newest >= 0)
        slot->interval_ms = (float)((double)(frame->vblank_ns - live->newest_vblank_ns) * 1e-6);
    if (frame->lum) {
        take_profile(state, frame->lum, slot);
        take_film(state, frame->lum, slot);
    }
    live->newest = frame->refresh;
    live->newest_vblank_ns = frame->vblank_ns;
    live->shown++;
    live->missed += frame->missed;
    live->rig = frame->rig;
    return take_pictures(state, frame);
}

bool console_state_rates(ConsoleState *state, int model, int64_t refresh, const float *rates_hz,
                         int64_t latency_ns, bool is_late)
{
    if (model < 0 || model >= state->setup.models_count)
        return false;
    state->live.late[model] += is_late;
    ConsoleRefresh *slot = claim(state, refresh);
    if (!slot)
        return false;
    slot->latency_us[model] = (float)((double)latency_ns * 1e-3);
    for (int c = 0; c < state->setup.cells_count; c++) {
        const int of_model = state->setup.cells[c].of_model[model];
        const bool is_known = of_model >= 0 && slot->in_play >> model & 1U;
        slot->rates_hz[model][c] = is_known ? rates_hz[of_model] : NAN;
    }
    return true;
}

const ConsoleRefresh *console_state_refresh(const ConsoleState *state, int64_t refresh)
{
    if (refresh < 0)
        return NULL;
    const ConsoleRefresh *slot = &state->ring[refresh % CONSOLE_REFRESHES];
    return slot->refresh == refresh ? slot : NULL;
}

const float *console_state_image(const ConsoleState *state, int64_t refresh)
{
    const ConsoleRefresh *slot = console_state_refresh(state, refresh);
    const int64_t oldest = state->live.newest - film_images(&state->setup);
    return slot && slot->is_filmed && refresh > oldest
               ? state->film + film_at(&state->setup, refresh)
               : NULL;
}
