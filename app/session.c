#include "app/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/run_console.h"
#include "app/trial.h"
#include "render/stimulus.h"

// The swap itself and the copy into the window come after the models: keep this much of the frame
// free.
static const int64_t SWAP_RESERVE_NS = 2000000;
static const int64_t START_STEP_NS = 1000000;

struct Session {
    SessionParts parts;              // borrowed, set at create
    Stimulus **stimuli;              // owned, (plan trials); NULL for those not played
    ConsoleTrial *labels;            // owned, (plan trials): what the console says of each
    float *lum[LOCKSTEP_MAX_MODELS]; // owned, one for each distinct raster, (height_px, width_px)
    const float *lum_of[LOCKSTEP_MAX_MODELS];
    Raster view_raster;  // what the console pictures
    float *view_lum;     // lum[0], or owned when there is no model
    int map_model;       // whose first layer the console shows, -1: none
    int64_t refresh;     // the one being worked on; every refresh counts, shown or missed
    int64_t last_image;  // what is on screen, -1: nothing yet
    int trial;           // the plan's trial that holds `refresh`
    int event_trial;     // whose event comes next
    int64_t event_index; // and which
    Scene scene;
    FrameRecord record; // of `refresh`
    Flip flip;
    ConsoleRig rig; // as the console was told last
};

static Raster model_raster(const Model *model)
{
    const ModelInfo *info = model_info(model);
    return (Raster){info->width_px, info->height_px, info->um_per_px};
}

static bool is_same_raster(Raster a, Raster b)
{
    return a.width_px == b.width_px && a.height_px == b.height_px && !(a.um_per_px < b.um_per_px) &&
           !(a.um_per_px > b.um_per_px);
}

static bool open_rasters(Session *s)
{
    for (int m = 0; m < s->parts.models_count; m++) {
        Raster raster = model_raster(s->parts.models[m]);
        for (int other = 0; other < m && !s->lum_of[m]; other++)
            if (is_same_raster(raster, model_raster(s->parts.models[other])))
                s->lum_of[m] = s->lum_of[other];
        if (s->lum_of[m])
            continue;
        s->lum[m] = calloc((size_t)raster.width_px * (size_t)raster.height_px, sizeof(float));
        s->lum_of[m] = s->lum[m];
        if (!s->lum[m])
            return false;
    }
    return true;
}

static bool open_stimuli(Session *s, char *err)
{
    const Plan *plan = s->parts.plan;
    s->stimuli = calloc((size_t)plan->trials_count, sizeof(Stimulus *));
    for (int t = 0; s->stimuli && t < plan->trials_count; t++) {
        if (plan->trials[t].first_refresh >= s->parts.refreshes)
            break; // never reached, and a long noise protocol need not hold its patterns
        StimulusSpec spec = trial_stimulus(plan, t);
        char why[STIMULUS_ERR_BYTES];
        s->stimuli[t] = stimulus_create(&spec, why);
        if (!s->stimuli[t]) {
            snprintf(err, SESSION_ERR_BYTES, "block '%s', trial %d: %s",
                     plan->protocol->blocks[plan->trials[t].block].name, t + 1, why);
            return false;
        }
    }
    return s->stimuli != NULL;
}

static bool open_view(Session *s)
{
    s->view_raster = run_console_raster(s->parts.models, s->parts.models_count);
    s->view_lum = s->lum[0];
    if (!s->view_lum)
        s->view_lum = calloc((size_t)s->view_raster.width_px * (size_t)s->view_raster.height_px,
                             sizeof(float));
    return s->view_lum != NULL;
}

static bool open_labels(Session *s)
{
    const Plan *plan = s->parts.plan;
    s->labels = calloc((size_t)plan->trials_count, sizeof *s->labels);
    for (int t = 0; s->labels && t < plan->trials_count; t++) {
        const PlanTrial *trial = &plan->trials[t];
        ConsoleTrial *label = &s->labels[t];
        label->block = trial->block;
        label->blocks = (int)plan->protocol->blocks_count;
        label->trial = t;
        label->trials = plan->trials_count;
        snprintf(label->block_name, sizeof label->block_name, "%.60s",
                 plan->protocol->blocks[trial->block].name);
        trial_condition(plan, t, label->condition, sizeof label->condition);
        label->is_profile_vertical = trial_moves_vertically(plan, t);
        label->background_lum = trial_background(plan, t);
        snprintf(label->stimulus, sizeof label->stimulus, "%s",
                 protocol_stimulus_name(&plan->protocol->blocks[trial->block]));
    }
    return s->labels != NULL;
}

static void find_map_model(Session *s)
{
    s->map_model = -1;
    for (int m = s->parts.models_count - 1; m >= 0; m--) {
        ModelMaps maps;
        model_maps(s->parts.models[m], &maps);
        if (maps.channels > 0)
            s->map_model = m;
    }
}

Session *session_create(const SessionParts *parts, char *err)
{
    snprintf(err, SESSION_ERR_BYTES, "out of memory for the session");
    Session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->parts = *parts;
    s->last_image = -1;
    find_map_model(s);
    if (open_rasters(s) && open_view(s) && open_labels(s) && open_stimuli(s, err))
        return s;
    session_destroy(s);
    return NULL;
}

void session_destroy(Session *s)
{
    if (!s)
        return;
    if (s->view_lum != s->lum[0])
        free(s->view_lum);
    for (int m = 0; m < LOCKSTEP_MAX_MODELS; m++)
        free(s->lum[m]);
    for (int t = 0; s->stimuli && t < s->parts.plan->trials_count; t++)
        stimulus_destroy(s->stimuli[t]);
    free(s->stimuli);
    free(s->labels);
    free(s);
}

static int64_t trial_frames(const PlanTrial *trial)
{
    return trial->before_frames + trial->stimulus_frames + trial->after_frames;
}

static void find_trial(Session *s)
{
    const Plan *plan = s->parts.plan;
    int trial = s->trial;
    while (s->trial + 1 < plan->trials_count &&
           s->refresh >=
               plan->trials[s->trial].first_refresh + trial_frames(&plan->trials[s->trial]))
        s->trial++;
    if (s->trial != trial || s->refresh == 0)
        console_trial(s->parts.console, &s->labels[s->trial]);
}

// What the schedule has for the refresh being worked on.
static void describe_refresh(Session *s)
{
    find_trial(s);
    const PlanTrial *trial = &s->parts.plan->trials[s->trial];
    const ProtocolBlock *block = &s->parts.plan->protocol->blocks[trial->block];
    int64_t trial_frame = s->refresh - trial->first_refresh;
    s->record = (FrameRecord){
        .refresh = s->refresh,
        .image = s->refresh,
        .trial = s->trial,
        .block = trial->block,
        .condition = trial->condition,
        .repeat = trial->repeat,
        .trial_frame = trial_frame,
        .trigger_code = trial_frame == trial->before_frames ? block->trigger_code : 0,
    };
}

// What the rig has heard since the last frame, and what became of that one's trigger.
static void take_events(Session *s)
{
    triggers_take(s->parts.triggers, s->refresh, s->trial);
}

static void next_frame(Session *s)
{
    describe_refresh(s);
    s->record.start_ns = session_now_ns(NULL);
    trial_scene(s->parts.plan, s->trial, s->stimuli[s->trial], s->record.trial_frame, &s->scene);
}

static void draw(Session *s)
{
    display_draw(s->parts.display, &s->scene, s->refresh, s->record.block);
    s->record.drawn_ns = session_now_ns(NULL);
}

static void step_models(Session *s)
{
    for (int m = 0; m < s->parts.models_count; m++) {
        Raster raster = model_raster(s->parts.models[m]);
        if (s->lum[m])
            scene_average(&s->scene, &raster, s->lum[m]);
    }
    if (s->parts.models_count == 0)
        scene_average(&s->scene, &s->view_raster, s->view_lum);
    int64_t deadline_ns = s->parts.is_offline
                              ? INT64_MAX
                              : display_deadline_ns(s->parts.display, s->refresh) - SWAP_RESERVE_NS;
    int64_t late_before[LOCKSTEP_MAX_MODELS];
    for (int m = 0; m < s->parts.models_count; m++)
        late_before[m] = lockstep_late_count(s->parts.lockstep, m);
    lockstep_offer(s->parts.lockstep, s->refresh, s->lum_of, deadline_ns);
    for (int m = 0; m < s->parts.models_count; m++)
        s->record.models_late += lockstep_late_count(s->parts.lockstep, m) > late_before[m];
    s->record.modelled_ns = session_now_ns(NULL);
}

static void inject_fault(const Session *s)
{
    const SessionFault *fault = &s->parts.fault;
    if (fault->every > 0 && s->refresh % fault->every == fault->every - 1)
        session_sleep_until_ns(NULL, session_now_ns(NULL) + fault->ms * 1000000);
}

static void present(Session *s)
{
    inject_fault(s);
    int64_t deadline_ns = display_deadline_ns(s->parts.display, s->refresh);
    display_present(s->parts.display, &s->flip);
    s->record.requested_ns = s->flip.requested_ns;
    s->record.vblank_ns = s->flip.vblank_ns;
    s->record.time_source = s->flip.source;
    s->record.margin_ns = deadline_ns - s->flip.requested_ns;
}

// What the protocol had for this refresh: at most a few events, the end of one trial and the start of the next.
static void record_events(Session *s)
{
    const Plan *plan = s->parts.plan;
    TrialEvent event;
    while (s->event_trial < plan->trials_count) {
        if (!trial_event(plan, s->event_trial, s->event_index, &event)) {
            s->event_trial++;
            s->event_index = 0;
            continue;
        }
        if (event.refresh > s->refresh)
            return;
        recorder_event(s->parts.recorder, &(EventRecord){.refresh = s->refresh,
                                                         .trial = s->event_trial,
                                                         .event = event,
                                                         .missed = s->record.image != s->refresh,
                                                         .vblank_ns = s->record.vblank_ns});
        s->event_index++;
    }
}

// Refreshes that went by with the old image on screen.
static void record_missed(Session *s, int64_t until)
{
    for (; s->refresh < until && s->refresh < s->parts.refreshes; s->refresh++) {
        describe_refresh(s);
        s->record.image = s->last_image;
        s->record.missed = 1;
        s->record.time_source = s->flip.source;
        s->record.start_ns = s->record.drawn_ns = s->record.modelled_ns = -1;
        s->record.requested_ns = s->record.vblank_ns = s->record.margin_ns = -1;
        triggers_frame(s->parts.triggers, &s->record);
        recorder_frame(s->parts.recorder, &s->record);
        record_events(s);
    }
}

// The refresh that showed the image, described by the schedule at that refresh.
static void record_shown(Session *s, const FrameRecord *measured)
{
    describe_refresh(s);
    s->record.image = measured->image;
    s->record.start_ns = measured->start_ns;
    s->record.drawn_ns = measured->drawn_ns;
    s->record.modelled_ns = measured->modelled_ns;
    s->record.requested_ns = measured->requested_ns;
    s->record.vblank_ns = measured->vblank_ns;
    s->record.margin_ns = measured->margin_ns;
    s->record.time_source = measured->time_source;
    s->record.models_late = measured->models_late;
    triggers_frame(s->parts.triggers, &s->record);
    recorder_frame(s->parts.recorder, &s->record);
    record_events(s);
    s->last_image = s->record.image;
}

static void keep_rates(Session *s)
{
    LockstepRow row;
    while (lockstep_take(s->parts.lockstep, &row)) {
        if (row.refresh >= s->parts.refreshes)
            continue;
        recorder_rates(s->parts.recorder, &row);
        console_rates(s->parts.console, row.model, row.refresh, row.rates_hz, row.latency_ns,
                      row.is_late);
    }
    if (s->parts.is_offline)
        recorder_catch_up(s->parts.recorder);
}

static void feed_console(Session *s, int64_t missed)
{
    if (!s->parts.console)
        return;
    ModelMaps maps = {0};
    ConsoleRig rig = triggers_counts(s->parts.triggers);
    if (s->map_model >= 0)
        model_maps(s->parts.models[s->map_model], &maps);
    console_frame(s->parts.console, &(ConsoleFrame){.refresh = s->flip.refresh,
                                                    .missed = (int)missed,
                                                    .vblank_ns = s->flip.vblank_ns,
                                                    .margin_ns = s->record.margin_ns,
                                                    .lum = s->view_lum,
                                                    .maps = maps.activity,
                                                    .rig = rig});
    if (rig.triggers_failed > s->rig.triggers_failed || rig.is_gone > s->rig.is_gone)
        console_verdict(s->parts.console, rig.is_gone ? "unsafe: the trigger device is unplugged"
                                                      : "unsafe: a trigger was not sent");
    s->rig = rig;
    const uint32_t *panel = s->parts.has_panel ? console_panel(s->parts.console) : NULL;
    if (panel)
        display_panel(s->parts.display, panel);
}

static void record_frame(Session *s)
{
    const FrameRecord measured = s->record;
    int64_t missed = s->flip.refresh - s->refresh;
    record_missed(s, s->flip.refresh);
    if (s->refresh < s->parts.refreshes)
        record_shown(s, &measured);
    lockstep_shown(s->parts.lockstep, (int)missed);
    feed_console(s, missed);
    keep_rates(s);
    s->refresh++;
    if (s->parts.progress && s->refresh % 64 == 0)
        progress_show(s->parts.progress, s->refresh, s->parts.refreshes);
}

static void session_frame(Session *s)
{
    take_events(s);
    next_frame(s);
    draw(s);
    step_models(s);
    present(s);
    record_frame(s);
}

static SessionEnd state_of_display(const Session *s)
{
    static const SessionEnd ends[] = {[DISPLAY_OPEN] = SESSION_COMPLETE,
                                      [DISPLAY_CLOSED_BY_USER] = SESSION_CLOSED,
                                      [DISPLAY_LOST] = SESSION_LOST};
    return ends[display_poll(s->parts.display)];
}

static SessionEnd state_of_run(const Session *s)
{
    if (atomic_load_explicit(s->parts.stop, memory_order_relaxed))
        return SESSION_STOPPED;
    return state_of_display(s);
}

// The background is on screen until the recorder, or whoever is to begin, says so.
static SessionEnd wait_for_start(Session *s)
{
    SessionEnd end = SESSION_COMPLETE;
    while (end == SESSION_COMPLETE && !triggers_may_start(s->parts.triggers)) {
        session_sleep_until_ns(NULL, session_now_ns(NULL) + START_STEP_NS);
        end = state_of_run(s);
    }
    return end;
}

SessionEnd session_run(Session *s)
{
    triggers_record(s->parts.triggers, s->parts.recorder);
    SessionEnd end = wait_for_start(s);
    triggers_begin(s->parts.triggers);
    display_start(s->parts.display);
    while (s->refresh < s->parts.refreshes && end == SESSION_COMPLETE) {
        session_frame(s);
        end = state_of_run(s);
        if (end == SESSION_COMPLETE && recorder_has_failed(s->parts.recorder))
            end = SESSION_DISK;
    }
    triggers_end(s->parts.triggers);
    lockstep_finish(s->parts.lockstep);
    keep_rates(s);
    return end;
}
