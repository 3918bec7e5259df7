#include "app/summary.h"

#include <inttypes.h>
#include <stdio.h>

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

bool summary_verdict(const SummaryFacts *facts, char *verdict)
{
    const RecorderFigures *figures = facts->figures;
    const char *display = facts->display->verdict;
    bool display_is_ok = display[0] == 'o';
    if (display_is_ok && figures->missed == 0 && figures->lost == 0) {
        snprintf(verdict, SUMMARY_VERDICT_BYTES, "ok");
        return true;
    }
    int used = snprintf(verdict, SUMMARY_VERDICT_BYTES, "%s", display_is_ok ? "unsafe: " : display);
    if (figures->missed > 0)
        used += snprintf(verdict + used, (size_t)(SUMMARY_VERDICT_BYTES - used),
                         "%s%" PRId64 " of %" PRId64 " refreshes were missed",
                         display_is_ok ? "" : "; ", figures->missed, figures->refreshes);
    if (figures->lost > 0 && used < SUMMARY_VERDICT_BYTES)
        snprintf(verdict + used, (size_t)(SUMMARY_VERDICT_BYTES - used),
                 "%s%" PRIu64 " records were lost", figures->missed > 0 ? "; " : "", figures->lost);
    return false;
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
        "{ss s{ssss} so s{sssfsfsfssssss} s{sIsIsIso} s{sososI} s{sIsIs{sIsIsI}} s{sIsI} s{sbsb} "
        "sssI}",
        "retrace", RETRACE_VERSION,                                                      //
        "protocol", "name", facts->protocol_name, "sha256", facts->protocol_sha256,      //
        "models", models_json(facts),                                                    //
        "display", "driver", display->driver, "refresh_hz", display->refresh_hz,         //
        "measured_hz", display->measured_hz, "jitter_us", display->jitter_us,            //
        "time_source", summary_time_source(display->source), "ladder", display->ladder,  //
        "verdict", verdict,                                                              //
        "frames", "planned", (json_int_t)facts->refreshes_planned,                       //
        "shown", (json_int_t)figures->shown, "missed", (json_int_t)figures->missed,      //
        "interval_us", spread_json(&figures->interval_us),                               //
        "model", "latency_us", spread_json(&figures->latency_us),                        //
        "work_us", spread_json(&figures->work_us), "late", (json_int_t)figures->late,    //
        "triggers", "sent", (json_int_t)0, "failed", (json_int_t)0, "latency_us", "p50", //
        (json_int_t)-1, "p99", (json_int_t)-1, "max", (json_int_t)-1,                    //
        "events", "received", (json_int_t)0, "lost", (json_int_t)0,                      //
        "realtime", "priority", (int)facts->realtime.has_priority, "locked_memory",
        (int)facts->realtime.has_locked_memory, //
        "end", summary_end(facts->end), "records_lost", (json_int_t)figures->lost);
}
