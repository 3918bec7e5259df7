#include "app/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *summary_time_source(FlipTimeSource source)
{
    static const char *const names[] = {
        [FLIP_TIME_DISPLAY] = "display",
        [FLIP_TIME_SWAP_RETURN] = "swap",
        [FLIP_TIME_SIMULATED] = "simulated",
    };
    return names[source];
}

const char *summary_end(SessionEnd end)
{
    static const char *const names[] = {
        [SESSION_COMPLETE] = "complete",     [SESSION_STOPPED] = "stopped by a signal",
        [SESSION_CLOSED] = "window closed",  [SESSION_LOST] = "display lost",
        [SESSION_DISK] = "recording failed",
    };
    return names[end];
}

// One more reason, "unsafe: " before the first.
static void add_reason(char *verdict, const char *format, int64_t count, int64_t of)
{
    size_t used = strlen(verdict);
    if (count == 0 || used >= SUMMARY_VERDICT_BYTES - 1)
        return;
    used += (size_t)snprintf(verdict + used, SUMMARY_VERDICT_BYTES - used, "%s",
                             used ? "; " : "unsafe: ");
    if (used < SUMMARY_VERDICT_BYTES)
        snprintf(verdict + used, SUMMARY_VERDICT_BYTES - used, format, count, of);
}

bool summary_verdict(const SummaryFacts *facts, char *verdict)
{
    const RecorderFigures *figures = facts->figures;
    const char *display = facts->display->verdict;
    int64_t triggers = figures->triggers_sent + figures->triggers_failed;
    snprintf(verdict, SUMMARY_VERDICT_BYTES, "%s", display[0] == 'o' ? "" : display);
    add_reason(verdict, "%" PRId64 " of %" PRId64 " refreshes were missed", figures->missed,
               figures->refreshes);
    add_reason(verdict, "%" PRId64 " of %" PRId64 " triggers were not sent",
               figures->triggers_failed, triggers);
    add_reason(verdict, "%" PRId64 " records were lost", (int64_t)figures->lost, 0);
    bool is_ok = verdict[0] == '\0';
    if (is_ok)
        snprintf(verdict, SUMMARY_VERDICT_BYTES, "ok");
    return is_ok;
}

static json_t *spread_json(const RecorderSpread *spread)
{
    return json_pack("{sIsIsI}", "p50", (json_int_t)spread->p50, "p99", (json_int_t)spread->p99,
                     "max", (json_int_t)spread->max);
}

static json_t *models_json(const SummaryFacts *facts)
{
    json_t *models = json_array();
    for (int m = 0; m < facts->models_count; m++) {
        const ModelInfo *info = model_info(facts->models[m]);
        json_array_append_new(models,
                              json_pack("{sssssisssbsosI}", "name", info->name, "kind", info->kind,
                                        "cells", info->cells, "sha256", facts->model_sha256[m],
                                        "simulated", (int)info->is_simulated, "latency_us",
                                        spread_json(&facts->figures->model_latency_us[m]), "late",
                                        (json_int_t)facts->figures->model_late[m]));
    }
    return models;
}

json_t *summary_json(const SummaryFacts *facts)
{
    const RecorderFigures *figures = facts->figures;
    const DisplayInfo *display = facts->display;
    char verdict[SUMMARY_VERDICT_BYTES];
    summary_verdict(facts, verdict);
    return json_pack(
        "{ss s{ssss} so s{sssfsfsfssssss} s{sIsIsIso} s{sososI} s{sIsIso} s{sIsIso} s{sbsb} "
        "sssI}",
        "retrace", RETRACE_VERSION,                                                            //
        "protocol", "name", facts->protocol_name, "sha256", facts->protocol_sha256,            //
        "models", models_json(facts),                                                          //
        "display", "driver", display->driver, "refresh_hz", display->refresh_hz,               //
        "measured_hz", display->measured_hz, "jitter_us", display->jitter_us,                  //
        "time_source", summary_time_source(display->source), "ladder", display->ladder,        //
        "verdict", verdict,                                                                    //
        "frames", "planned", (json_int_t)facts->refreshes_planned,                             //
        "shown", (json_int_t)figures->shown, "missed", (json_int_t)figures->missed,            //
        "interval_us", spread_json(&figures->interval_us),                                     //
        "model", "latency_us", spread_json(&figures->latency_us),                              //
        "work_us", spread_json(&figures->work_us), "late", (json_int_t)figures->late,          //
        "triggers", "sent", (json_int_t)figures->triggers_sent, "failed",                      //
        (json_int_t)figures->triggers_failed, "latency_us", spread_json(&figures->trigger_us), //
        "events", "received", (json_int_t)figures->rig_events, "lost",                         //
        (json_int_t)figures->rig_events_lost, "error_us", spread_json(&figures->rig_error_us), //
        "realtime", "priority", (int)facts->realtime.has_priority, "locked_memory",
        (int)facts->realtime.has_locked_memory, //
        "end", summary_end(facts->end), "records_lost", (json_int_t)figures->lost);
}
