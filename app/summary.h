#pragma once
/* What a run amounts to: summary.json, the same for run, demo and predict.
 *
 * It is written last; a run folder without it was cut short. Keys are documented in the README. */
#include <stdbool.h>

#include <jansson.h>

#include "app/realtime.h"
#include "app/recorder.h"
#include "app/session.h"
#include "model/model.h"
#include "render/display.h"

enum { SUMMARY_VERDICT_BYTES = 192 };

typedef struct {
    const char *protocol_name, *protocol_sha256;
    Model *const *models;
    const char (*model_sha256)[65]; // "" for built-in models
    int models_count;
    const DisplayInfo *display;
    const RecorderFigures *figures;
    SessionEnd end;
    int64_t refreshes_planned;
    RealtimeGrant realtime;
} SummaryFacts;

/* The timing verdict of the whole run: "ok" only if every refresh showed its own image, stamped by
 * the display. verdict holds SUMMARY_VERDICT_BYTES. Returns true for ok. */
bool summary_verdict(const SummaryFacts *facts, char *verdict);

/* A new reference. */
json_t *summary_json(const SummaryFacts *facts);

/* "display", "swap", "simulated": the rung in every record. */
const char *summary_time_source(FlipTimeSource source);
const char *summary_end(SessionEnd end);
