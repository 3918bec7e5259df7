#include "app/trial.h"

#include <math.h>
#include <string.h>
#include <stdio.h>

static const double PI = 3.14159265358979323846;

Plan *trial_plan(const Protocol *protocol, const char *path, double refresh_hz, char *err)
{
    const ProtocolDisplay *display = &protocol->display;
    double rate_hz = refresh_hz > 0 ? refresh_hz : display->refresh_hz;
    if (!(rate_hz > 0)) {
        snprintf(err, CONFIG_ERR_BYTES,
                 "%.300s: display.refresh_hz: names no rate, so --refresh HZ is needed", path);
        return NULL;
    }
    return plan_create(protocol, path, rate_hz, display->width_px * display->um_per_px,
                       display->height_px * display->um_per_px, err);
}

static const ProtocolBlock *block_of(const Plan *plan, int trial)
{
    return &plan->protocol->blocks[plan->trials[trial].block];
}

static FlickerSpec flicker_of(const ProtocolFlicker *flicker, const PlanTrial *trial)
{
    return (FlickerSpec){.period_frames = trial->period_frames,
                         .flash_frames = trial->flash_frames,
                         .flash_count = flicker->flashes,
                         .omitted_flash = flicker->omitted,
                         .contrast = flicker->contrast};
}

static BarSpec bar_of(const ProtocolBar *bar, const PlanTrial *trial, double refresh_hz)
{
    return (BarSpec){.contrast = bar->contrast,
                     .width_um = bar->width_um,
                     .speed_um_per_frame = trial->value / refresh_hz,
                     .direction_rad = bar->direction_deg * PI / 180,
                     .start_um = trial->value > 0 ? -bar->travel_um / 2 : 0};
}

static ReversalSpec reversal_of(const ProtocolReversal *reversal, const PlanTrial *trial,
                                double refresh_hz)
{
    return (ReversalSpec){.bar = {.contrast = reversal->contrast,
                                  .width_um = reversal->width_um,
                                  .speed_um_per_frame = reversal->speed_um_per_s / refresh_hz,
                                  .direction_rad = reversal->direction_deg * PI / 180,
                                  .start_um = trial->value - reversal->approach_um},
                          .turn_um = trial->value};
}

static CheckerboardSpec checkerboard_of(const ProtocolCheckerboard *noise, const PlanTrial *trial)
{
    return (CheckerboardSpec){
        .columns = noise->columns,
        .rows = noise->rows,
        .check_um = noise->check_um,
        .distribution =
            noise->distribution == PROTOCOL_NOISE_BINARY ? NOISE_BINARY : NOISE_GAUSSIAN,
        .generator = noise->generator == PROTOCOL_NOISE_COUNTER ? NOISE_COUNTER : NOISE_RAN1,
        .contrast = noise->contrast,
        .hold_frames = trial->hold_frames,
        .seed = trial->seed};
}

StimulusSpec trial_stimulus(const Plan *plan, int trial)
{
    const ProtocolBlock *block = block_of(plan, trial);
    const PlanTrial *planned = &plan->trials[trial];
    StimulusSpec spec = {.background_lum = trial_background(plan, trial)};
    if (block->flicker) {
        spec.kind = STIMULUS_FLICKER;
        spec.flicker = flicker_of(block->flicker, planned);
    } else if (block->step) {
        spec.kind = STIMULUS_STEP;
        spec.step.contrast = planned->value;
    } else if (block->bar) {
        spec.kind = STIMULUS_BAR;
        spec.bar = bar_of(block->bar, planned, plan->refresh_hz);
    } else if (block->reversal) {
        spec.kind = STIMULUS_REVERSAL;
        spec.reversal = reversal_of(block->reversal, planned, plan->refresh_hz);
    } else {
        spec.kind = STIMULUS_CHECKERBOARD;
        spec.checkerboard = checkerboard_of(block->checkerboard, planned);
    }
    return spec;
}

float trial_background(const Plan *plan, int trial)
{
    const double *background = block_of(plan, trial)->background;
    return (float)(background ? *background : plan->protocol->display.background);
}

void trial_scene(const Plan *plan, int trial, Stimulus *stimulus, int64_t trial_frame, Scene *scene)
{
    const PlanTrial *planned = &plan->trials[trial];
    int64_t frame = trial_frame - planned->before_frames;
    *scene = (Scene){.kind = SCENE_UNIFORM, .background_lum = trial_background(plan, trial)};
    if (frame >= 0 && frame < planned->stimulus_frames)
        stimulus_scene(stimulus, frame, scene);
}

/* Events between the stimulus's onset and its end. */
static int64_t inner_events(const ProtocolBlock *block)
{
    return block->flicker ? block->flicker->flashes : block->reversal ? 1 : 0;
}

static TrialEvent inner_event(const Plan *plan, int trial, int64_t index)
{
    const ProtocolBlock *block = block_of(plan, trial);
    const PlanTrial *planned = &plan->trials[trial];
    int64_t onset = planned->first_refresh + planned->before_frames;
    if (block->flicker) {
        bool is_omitted = index + 1 == block->flicker->omitted;
        return (TrialEvent){.kind = is_omitted ? TRIAL_EVENT_OMITTED_FLASH : TRIAL_EVENT_FLASH,
                            .refresh = onset + index * planned->period_frames,
                            .number = index + 1};
    }
    double step_um = block->reversal->speed_um_per_s / plan->refresh_hz;
    double frames = ceil(block->reversal->approach_um / step_um - 1e-6);
    return (TrialEvent){.kind = TRIAL_EVENT_TURN, .refresh = onset + (int64_t)frames};
}

bool trial_event(const Plan *plan, int trial, int64_t index, TrialEvent *event)
{
    const PlanTrial *planned = &plan->trials[trial];
    const ProtocolBlock *block = block_of(plan, trial);
    int64_t onset = planned->first_refresh + planned->before_frames;
    int64_t end = onset + planned->stimulus_frames, inner = inner_events(block);
    if (index == 0)
        *event = (TrialEvent){.kind = TRIAL_EVENT_TRIAL_START, .refresh = planned->first_refresh};
    else if (index == 1)
        *event = (TrialEvent){.kind = TRIAL_EVENT_STIMULUS_ONSET,
                              .refresh = onset,
                              .trigger_code = block->trigger_code};
    else if (index < 2 + inner)
        *event = inner_event(plan, trial, index - 2);
    else if (index == 2 + inner)
        *event = (TrialEvent){.kind = TRIAL_EVENT_STIMULUS_END, .refresh = end};
    else if (index == 3 + inner)
        *event =
            (TrialEvent){.kind = TRIAL_EVENT_TRIAL_END, .refresh = end + planned->after_frames};
    else
        return false;
    return true;
}

const char *trial_event_name(TrialEventKind kind)
{
    static const char *const names[] = {
        "trial_start", "stimulus_onset", "flash",     "omitted_flash",
        "turn",        "stimulus_end",   "trial_end",
    };
    return names[kind];
}

bool trial_event_is_name(const char *name)
{
    for (int kind = TRIAL_EVENT_TRIAL_START; kind <= TRIAL_EVENT_TRIAL_END; kind++)
        if (!strcmp(name, trial_event_name((TrialEventKind)kind)))
            return true;
    return false;
}

int64_t trial_refresh_ns(const Plan *plan, int64_t refresh)
{
    return llround((double)refresh * 1e9 / plan->refresh_hz);
}

void trial_condition(const Plan *plan, int trial, char *text, size_t bytes)
{
    const ProtocolBlock *block = block_of(plan, trial);
    double value = plan->trials[trial].value;
    text[0] = '\0';
    if (block->flicker)
        snprintf(text, bytes, "period %.4g ms", value);
    else if (block->step)
        snprintf(text, bytes, "contrast %.3g", value);
    else if (block->bar && value > 0)
        snprintf(text, bytes, "speed %.3g mm/s", value * 1e-3);
    else if (block->bar)
        snprintf(text, bytes, "flashed bar");
    else if (block->reversal)
        snprintf(text, bytes, "turn at %.4g um", value);
}

bool trial_moves_vertically(const Plan *plan, int trial)
{
    const ProtocolBlock *block = block_of(plan, trial);
    double direction_deg = block->bar        ? block->bar->direction_deg
                           : block->reversal ? block->reversal->direction_deg
                                             : 0;
    return fabs(sin(direction_deg * PI / 180)) > fabs(cos(direction_deg * PI / 180));
}
