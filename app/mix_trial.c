#include "app/mix_trial.h"

#include <math.h>

static const float GREY = 0.5f;

static int64_t seconds(Draws *draws, double low, double high, double bin_hz)
{
    return (int64_t)ceil(draw_between(draws, low, high) * bin_hz);
}

/* Dark more often than bright: the cells are OFF cells, and so are most of the salamander's. */
static double draw_contrast(Draws *draws, double least)
{
    double size = draw_between(draws, least, 1.0);
    return draw_chance(draws, 0.6) ? -size : size;
}

static MixTrial noise_trial(Draws *draws, const Raster *raster, double bin_hz)
{
    int check_px = 1 << draw_int(draws, 0, 3);
    bool is_binary = draw_chance(draws, 0.4);
    CheckerboardSpec board = {
        .columns = (raster->width_px + check_px - 1) / check_px,
        .rows = (raster->height_px + check_px - 1) / check_px,
        .check_um = check_px * raster->um_per_px,
        .distribution = is_binary ? NOISE_BINARY : NOISE_GAUSSIAN,
        .generator = NOISE_COUNTER,
        .contrast = is_binary ? draw_between(draws, 0.3, 1.0) : draw_between(draws, 0.2, 0.6),
        .hold_frames = draw_int(draws, 1, 4),
        .seed = draw_int(draws, 0, 1 << 30),
    };
    return (MixTrial){
        .spec = {.kind = STIMULUS_CHECKERBOARD, .background_lum = GREY, .checkerboard = board},
        .frames = seconds(draws, 2.0, 5.0, bin_hz),
    };
}

static MixTrial full_field_trial(Draws *draws, const Raster *raster, double bin_hz)
{
    double widest = fmax(raster->width_px, raster->height_px) * raster->um_per_px;
    CheckerboardSpec board = {
        .columns = 1,
        .rows = 1,
        .check_um = 2.0 * widest,
        .distribution = NOISE_GAUSSIAN,
        .generator = NOISE_COUNTER,
        .contrast = draw_between(draws, 0.1, 0.6),
        .hold_frames = draw_int(draws, 1, 10),
        .seed = draw_int(draws, 0, 1 << 30),
    };
    return (MixTrial){
        .spec = {.kind = STIMULUS_CHECKERBOARD, .background_lum = GREY, .checkerboard = board},
        .frames = seconds(draws, 2.0, 5.0, bin_hz),
    };
}

static BarSpec draw_bar(Draws *draws, double bin_hz)
{
    const double quarter = 1.5707963267948966;
    return (BarSpec){
        .contrast = draw_contrast(draws, 0.3),
        .width_um = draw_between(draws, 55.0, 330.0),
        .speed_um_per_frame = draw_log_between(draws, 200.0, 4000.0) / bin_hz,
        .direction_rad = draw_chance(draws, 0.6) ? quarter * draw_int(draws, 0, 3)
                                                 : draw_between(draws, 0.0, 4.0 * quarter),
    };
}

/* A bar crosses, or turns back at, a place within 400 um of the middle. */
static MixTrial object_trial(Draws *draws, double bin_hz)
{
    BarSpec bar = draw_bar(draws, bin_hz);
    double place_um = draw_between(draws, -400.0, 400.0);
    int64_t approach = seconds(draws, 0.5, 1.8, bin_hz), after = seconds(draws, 0.5, 1.2, bin_hz);
    bar.start_um = place_um - bar.speed_um_per_frame * (double)approach;
    MixTrial trial = {.frames = approach + after};
    if (draw_chance(draws, 0.2)) {
        trial.spec = (StimulusSpec){.kind = STIMULUS_BLANK, .background_lum = GREY};
    } else if (draw_chance(draws, 0.4)) {
        trial.spec = (StimulusSpec){.kind = STIMULUS_REVERSAL,
                                    .background_lum = GREY,
                                    .reversal = {.bar = bar, .turn_um = place_um}};
    } else {
        trial.spec = (StimulusSpec){.kind = STIMULUS_BAR, .background_lum = GREY, .bar = bar};
    }
    return trial;
}

static MixTrial flash_trial(Draws *draws, double bin_hz)
{
    FlickerSpec flicker = {.contrast = draw_contrast(draws, 0.1)};
    if (draw_chance(draws, 0.3)) {
        flicker.period_frames = flicker.flash_frames = seconds(draws, 0.2, 1.5, bin_hz);
        flicker.flash_count = 1;
    } else {
        flicker.flash_frames = draw_int(draws, 1, 3);
        flicker.period_frames = flicker.flash_frames + draw_int(draws, 1, 13);
        flicker.flash_count = draw_int(draws, 1, 24);
        flicker.omitted_flash =
            draw_chance(draws, 0.2) ? draw_int(draws, 1, (int)flicker.flash_count) : 0;
    }
    return (MixTrial){
        .spec = {.kind = STIMULUS_FLICKER, .background_lum = GREY, .flicker = flicker},
        .frames = flicker.period_frames * flicker.flash_count + seconds(draws, 0.4, 1.0, bin_hz),
    };
}

MixTrial mix_trial(MixKind kind, Draws *draws, const Raster *raster, double bin_hz)
{
    if (kind == MIX_NOISE)
        return noise_trial(draws, raster, bin_hz);
    if (kind == MIX_FULL_FIELD)
        return full_field_trial(draws, raster, bin_hz);
    if (kind == MIX_OBJECTS)
        return object_trial(draws, bin_hz);
    return flash_trial(draws, bin_hz);
}
