#include "app/console_attribution.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/channel_card.h"
#include "model/resample.h"

const AttributionRule console_attribution_rule = {4, 32, 2e-3, 1e-2, 0.1};

static const double PEAK_KEPT = 0.98, PEAK_LEAST_HZ = 0.5;
static const double CATCH_UP_S = 0.06, SIGHT_S = 4.0;

struct ConsoleAttribution {
    Attribution *attribution; // owned; NULL when failed
    BinAverage bins;          // its next frame is the next refresh to be taken
    int pixels, history;
    double bin_hz, baseline_lum;
    float *past;            // owned (history, pixels): light of bin b at b mod history
    float *held;            // owned (pixels): the image on screen before the next refresh
    int64_t whole_bin;      // when this many bins are done, the history has been seen
    int64_t judged;         // the refresh last judged
    int32_t baseline_trial; // whose background the baseline is
    ConsoleShares shares;
};

/* ---- the window */

static float *bin_of(const ConsoleAttribution *a, int64_t bin)
{
    const int64_t slot = (bin % a->history + a->history) % a->history;
    return a->past + slot * a->pixels;
}

/* Light that has been on for ever, up to bin 0. */
static void begin(ConsoleAttribution *a, double background_lum)
{
    for (int i = 0; i < a->history * a->pixels; i++)
        a->past[i] = (float)background_lum;
    for (int i = 0; i < a->pixels; i++)
        a->held[i] = (float)background_lum;
    a->baseline_lum = background_lum;
    attribution_adapt(a->attribution, background_lum);
}

/* The same window, seen from another grey. */
static void move_baseline(ConsoleAttribution *a, double background_lum)
{
    if (!(fabs(background_lum - a->baseline_lum) > 0.0))
        return;
    a->baseline_lum = background_lum;
    attribution_adapt(a->attribution, background_lum);
    for (int64_t bin = a->bins.bin - a->history; bin < a->bins.bin; bin++)
        attribution_feed(a->attribution, bin_of(a, bin));
}

static void take(ConsoleAttribution *a, const float *lum)
{
    const float *mean;
    bin_average_feed(&a->bins, lum);
    while ((mean = bin_average_take(&a->bins))) {
        float *kept = bin_of(a, a->bins.bin - 1);
        memcpy(kept, mean, sizeof *kept * (size_t)a->pixels);
        attribution_feed(a->attribution, kept);
    }
}

/* ---- which images */

/* Whether the refresh showed an image that the state still has. */
static bool is_on_film(const ConsoleState *state, int64_t refresh)
{
    return console_state_image(state, refresh) != NULL;
}

static bool is_known(const ConsoleState *state, int64_t refresh)
{
    const ConsoleRefresh *record = console_state_refresh(state, refresh);
    return record && (record->is_shown ? is_on_film(state, refresh) : record->is_missed);
}

/* Goes on at the oldest image from which on all are known. */
static void lose(ConsoleAttribution *a, const ConsoleState *state)
{
    int64_t from = state->live.newest + 1;
    for (int64_t k = state->live.newest; k >= a->bins.frame && is_known(state, k); k--)
        if (is_on_film(state, k))
            from = k;
    bin_average_jump(&a->bins, from);
    a->whole_bin = a->bins.bin + a->history;
    a->shares.losses++;
}

/* ---- what is measured */

/* The first cell that a reduced model in play shares with the first model, else the first cell. */
static int choose_cell(const ConsoleState *state)
{
    const ConsoleSetup *setup = &state->setup;
    for (int m = 1; m < setup->models_count; m++)
        for (int c = 0; c < setup->cells_count; c++)
            if (setup->models[m].stimulus[0] && console_state_in_play(state, m) &&
                setup->cells[c].of_model[m] >= 0)
                return c;
    return 0;
}

static void measure(ConsoleAttribution *a, const ConsoleState *state, int64_t refresh)
{
    ConsoleShares *shares = &a->shares;
    ConsoleSharesPast *past = &shares->past[shares->measured % CONSOLE_SHARES_KEPT];
    AttributionResult result;
    attribution_measure(a->attribution, state->setup.cells[shares->cell].of_model[0],
                        &console_attribution_rule, &result);
    shares->rest_hz = result.rest_hz;
    shares->rate_hz = result.rate_hz;
    shares->sum_hz = result.sum_hz;
    shares->residual = result.residual;
    shares->steps = result.steps;
    shares->peak_hz = fmax(PEAK_KEPT * shares->peak_hz, PEAK_LEAST_HZ);
    shares->measured += refresh >= 0;
    past->refresh = refresh;
    for (int c = 0; c < shares->channels; c++) {
        shares->channel_hz[c] = result.channel_hz[c];
        past->channel_hz[c] = (float)result.channel_hz[c];
        shares->peak_hz = fmax(shares->peak_hz, fabs(result.channel_hz[c]));
    }
}

/* Moves the baseline to the background of a refresh's trial. False when that is not known: the state
 * tells of one trial only, and that may already be the one after the newest image's. */
static bool follow_background(ConsoleAttribution *a, const ConsoleState *state, int64_t refresh)
{
    const ConsoleRefresh *record = console_state_refresh(state, refresh);
    if (!record || state->trial.trials == 0)
        return state->trial.trials == 0 || refresh < 0;
    if (record->trial == state->trial.trial) {
        a->baseline_trial = record->trial;
        move_baseline(a, (double)state->trial.background_lum);
    }
    return record->trial == a->baseline_trial;
}

/* At the refresh just taken; −1 stands for before the first. */
static void judge(ConsoleAttribution *a, const ConsoleState *state, int64_t refresh)
{
    const double missing = (double)(a->whole_bin - a->bins.bin);
    const bool is_known = missing <= 0 && follow_background(a, state, refresh);
    a->shares.wait_s = fmax(missing, 0.0) / a->bin_hz;
    a->shares.status = is_known ? CONSOLE_SHARES_KNOWN : CONSOLE_SHARES_BLANK;
    if (is_known)
        measure(a, state, refresh);
}

static void take_refresh(ConsoleAttribution *a, const ConsoleState *state)
{
    const int64_t refresh = a->bins.frame, newest = state->live.newest;
    const float *image = console_state_image(state, refresh);
    if (image)
        memcpy(a->held, image, sizeof *a->held * (size_t)a->pixels);
    take(a, a->held);
    const double hz = state->setup.refresh_hz;
    const bool is_in_sight = (double)(newest - refresh) < SIGHT_S * hz;
    if (is_in_sight && refresh < newest && (double)(refresh - a->judged) >= CATCH_UP_S * hz) {
        judge(a, state, refresh);
        a->judged = refresh;
    }
}

void console_attribution_follow(ConsoleAttribution *a, const ConsoleState *state)
{
    if (!a || a->shares.status == CONSOLE_SHARES_FAILED)
        return;
    const int cell = choose_cell(state);
    if (cell != a->shares.cell)
        a->shares.measured = 0;
    a->shares.cell = cell;
    while (a->bins.frame <= state->live.newest) {
        if (is_known(state, a->bins.frame))
            take_refresh(a, state);
        else
            lose(a, state);
    }
    judge(a, state, state->live.newest);
    a->judged = state->live.newest;
}

const ConsoleShares *console_attribution_shares(const ConsoleAttribution *a)
{
    return a ? &a->shares : NULL;
}

/* ---- from the file */

static bool read_cards(ConsoleAttribution *a, const ModelFile *file, char *err)
{
    ChannelCard cards[CNN_CHANNELS_MAX];
    const int channels = attribution_units(a->attribution).channels;
    float *kernels = calloc((size_t)channels * (size_t)a->history, sizeof *kernels);
    if (!kernels || channels > CONSOLE_CHANNELS) {
        snprintf(err, MODEL_ERR_BYTES, "%d channels are too many to be shown", channels);
        free(kernels);
        return false;
    }
    channel_cards(file, cards, kernels);
    free(kernels);
    a->shares.channels = channels;
    for (int c = 0; c < channels; c++)
        a->shares.is_on[c] = cards[c].is_on;
    return true;
}

static bool has_shape(const ModelFile *file, const ConsoleSetup *setup, char *err)
{
    const ModelInfo *info = &file->info;
    const int cell = setup->cells[0].of_model[0];
    if (info->width_px == setup->raster.width_px && info->height_px == setup->raster.height_px &&
        setup->cells_count > 0 && cell >= 0 && cell < info->cells)
        return true;
    snprintf(err, MODEL_ERR_BYTES, "%s: is not the model this run began with", file->path);
    return false;
}

static bool load(ConsoleAttribution *a, const ModelFile *file, const ConsoleSetup *setup, char *err)
{
    int64_t frame_ticks, bin_ticks;
    if (!has_shape(file, setup, err) || !(a->attribution = attribution_open(file, err)))
        return false;
    a->pixels = setup->raster.width_px * setup->raster.height_px;
    a->history = file->info.history_bins;
    a->bin_hz = file->info.bin_hz;
    if (!read_cards(a, file, err))
        return false;
    snprintf(err, MODEL_ERR_BYTES, "no memory for the attribution, or no bins of %g Hz", a->bin_hz);
    a->past = calloc((size_t)a->history * (size_t)a->pixels, sizeof *a->past);
    a->held = calloc((size_t)a->pixels, sizeof *a->held);
    if (!a->past || !a->held ||
        !resample_ticks(setup->refresh_hz, a->bin_hz, &frame_ticks, &bin_ticks) ||
        !bin_average_init(&a->bins, a->pixels, frame_ticks, bin_ticks))
        return false;
    begin(a, setup->background_lum);
    return true;
}

ConsoleAttribution *console_attribution_open(const ConsoleSetup *setup)
{
    if (!setup->attribution_path[0])
        return NULL;
    ConsoleAttribution *a = calloc(1, sizeof *a);
    ModelFile file = {0};
    if (a && !(model_file_read(setup->attribution_path, &file, a->shares.problem) &&
               load(a, &file, setup, a->shares.problem)))
        a->shares.status = CONSOLE_SHARES_FAILED;
    model_file_finish(&file);
    return a;
}

void console_attribution_close(ConsoleAttribution *a)
{
    if (!a)
        return;
    attribution_close(a->attribution);
    bin_average_finish(&a->bins);
    free(a->past);
    free(a->held);
    free(a);
}
