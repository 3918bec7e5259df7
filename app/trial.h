#pragma once
/* One trial of a plan, as render understands it, and what happens in it when.
 *
 * The plan speaks in physical units and whole frames, a StimulusSpec in frames and radians; this is
 * the only place where the one becomes the other. */
#include <stdbool.h>
#include <stdint.h>

#include "config/plan.h"
#include "render/stimulus.h"

/* The plan on the display the protocol describes; refresh_hz: instead of its own, where above 0.
 * NULL with a sentence in err (CONFIG_ERR_BYTES), also where neither names a rate. */
Plan *trial_plan(const Protocol *protocol, const char *path, double refresh_hz, char *err);

StimulusSpec trial_stimulus(const Plan *plan, int trial);

/* Luminance before and after the stimulus. */
float trial_background(const Plan *plan, int trial);

/* What the trial's frame shows, counted from its first, background included. stimulus was made from
 * trial_stimulus(); frames as stimulus_scene() wants them. */
void trial_scene(const Plan *plan, int trial, Stimulus *stimulus, int64_t trial_frame,
                 Scene *scene);

typedef enum {
    TRIAL_EVENT_TRIAL_START,
    TRIAL_EVENT_STIMULUS_ONSET, // the trigger code goes with this refresh
    TRIAL_EVENT_FLASH,
    TRIAL_EVENT_OMITTED_FLASH, // where it would have begun
    TRIAL_EVENT_TURN,          // first refresh at or after the turn
    TRIAL_EVENT_STIMULUS_END,  // first refresh without the stimulus
    TRIAL_EVENT_TRIAL_END,     // first refresh after the trial
} TrialEventKind;

typedef struct {
    TrialEventKind kind;
    int64_t refresh;  // of the whole plan
    int64_t number;   // flashes: place in the train, from 1; else 0
    int trigger_code; // 0 for none
} TrialEvent;

/* Event `index` of the trial, in the order of their refreshes. False past the last. */
bool trial_event(const Plan *plan, int trial, int64_t index, TrialEvent *event);

const char *trial_event_name(TrialEventKind kind);

/* Rows of events.tsv of another name are the rig's. */
bool trial_event_is_name(const char *name);

/* When a refresh of the plan is due after its first, on a display that keeps its nominal rate. */
int64_t trial_refresh_ns(const Plan *plan, int64_t refresh);

/* What sets this trial apart in its block, for people: "period 66.7 ms", "contrast -0.5"; "" when
 * its block has no conditions. text holds `bytes`. */
void trial_condition(const Plan *plan, int trial, char *text, size_t bytes);

/* The stimulus moves along y rather than x. */
bool trial_moves_vertically(const Plan *plan, int trial);
