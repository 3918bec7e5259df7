#include "app/align_report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LIST_MOST = 1000 };
static const double DRIFT_PPM_MOST = 1000;

static bool refusal(const AlignAnswer *answer, char *verdict)
{
    const char *why = answer->is_foreign ? "the patch names other refreshes than this run's"
                                         : "nothing in it follows the run's frames";
    if (answer->outcome == ALIGN_AMBIGUOUS)
        snprintf(verdict, ALIGN_VERDICT_BYTES,
                 "ambiguous: the recording fits the run as well %" PRId64
                 " refreshes apart; it holds neither start nor end, nor a code",
                 answer->other < 0 ? -answer->other : answer->other);
    else if (answer->outcome != ALIGN_FOUND)
        snprintf(verdict, ALIGN_VERDICT_BYTES, "not aligned: %s", why);
    return answer->outcome != ALIGN_FOUND;
}

bool align_verdict(const AlignReport *report, char *verdict)
{
    const AlignAnswer *answer = report->answer;
    if (refusal(answer, verdict))
        return false;
    const struct {
        int64_t count;
        const char *of;
    } faults[] = {{answer->dropped, "dropped"},
                  {answer->doubled, "doubled"},
                  {answer->unexplained, "unexplained"},
                  {answer->lost_edges, "edges lost"},
                  {report->pulses ? report->pulses->lost : 0, "pulses lost"},
                  {report->pulses ? report->pulses->extra : 0, "pulses too many"},
                  {answer->unrecorded, "outside of the recording"}};
    size_t used = 0;
    verdict[0] = '\0';
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].count > 0)
            used += (size_t)snprintf(verdict + used, ALIGN_VERDICT_BYTES - used, "%s%" PRId64 " %s",
                                     used ? ", " : "bad: ", faults[i].count, faults[i].of);
    if (fabs(answer->drift_ppm) > DRIFT_PPM_MOST)
        used +=
            (size_t)snprintf(verdict + used, ALIGN_VERDICT_BYTES - used, "%sclocks %.0f ppm apart",
                             used ? ", " : "bad: ", answer->drift_ppm);
    if (used == 0)
        snprintf(verdict, ALIGN_VERDICT_BYTES, "ok");
    return used == 0;
}

static void write_row(FILE *file, const AlignReport *report, int64_t k)
{
    const Frame *frame = &report->order->frames->frames[k];
    const AlignPlace *place = &report->answer->places[k];
    fprintf(file, "%" PRId64 ",%" PRId64 ",%d,%d,%" PRId64 ",%s,", k, frame->image, frame->trial,
            frame->block, frame->trial_frame, align_what_name(place->what));
    if (isnan(place->sample))
        fputs(",,", file);
    else
        fprintf(file, "%.0f,%.9f,", place->sample, place->sample / report->order->rate_hz);
    fprintf(file, "%s,",
            isnan(place->sample)        ? ""
            : isnan(place->residual_us) ? "between"
                                        : "edge");
    if (!isnan(place->residual_us))
        fprintf(file, "%.1f", place->residual_us);
    fprintf(file, ",%d,%d", (int)place->lag, (int)place->held);
    if (report->pulses && report->pulses->pulse_of[k] >= 0)
        fprintf(file, ",%" PRId64 "\n", report->pulses->pulse_of[k]);
    else
        fputs(report->pulses ? ",\n" : "\n", file);
}

bool align_write_table(const AlignReport *report, const char *path, char *err)
{
    FILE *file = fopen(path, "w");
    bool is_written = file != NULL;
    if (file) {
        fprintf(file,
                "refresh,image,trial,block,trial_frame,what,sample,time_s,from,residual_us,lag,"
                "held%s\n",
                report->pulses ? ",pulse_sample" : "");
        for (int64_t k = 0; k < report->answer->count; k++)
            write_row(file, report, k);
        is_written = !ferror(file);
        is_written = fclose(file) == 0 && is_written;
    }
    if (!is_written)
        snprintf(err, ALIGN_REPORT_ERR_BYTES, "%.400s: cannot write the table: %s", path,
                 strerror(errno));
    return is_written;
}

static const char *look_name(AlignLook look)
{
    static const char *const names[] = {
        [ALIGN_CODED] = "the patch's code",
        [ALIGN_LEVELS] = "bright and dark",
        [ALIGN_TOGGLES] = "edges without a direction",
        [ALIGN_PULSES] = "pulses",
    };
    return names[look];
}

static const char *found_of(const AlignReport *report)
{
    return report->order->is_pulses ? "pulses" : "flips";
}

void align_talk(const AlignReport *report, const char *verdict, FILE *to)
{
    const AlignAnswer *answer = report->answer;
    if (answer->outcome == ALIGN_FOUND) {
        fprintf(to, "aligned by  %s\n", look_name(answer->look));
        fprintf(to,
                "frames      %" PRId64 " on record, %" PRId64 " found, %" PRId64
                " outside of the recording\n",
                answer->frames, answer->found, answer->unrecorded);
        fprintf(to, "%-11s %" PRId64 " commanded within the recording, %" PRId64 " detected\n",
                found_of(report), answer->toggles_wanted, answer->toggles_found);
        fprintf(to,
                "faults      %" PRId64 " dropped, %" PRId64 " doubled, %" PRId64
                " unexplained, %" PRId64 " edges lost\n",
                answer->dropped, answer->doubled, answer->unexplained, answer->lost_edges);
        fprintf(to,
                "clock       drift %+.2f ppm, edges off by %.1f us (p50), %.1f us (max); rising "
                "%+.1f us after falling\n",
                answer->drift_ppm, answer->residual_us_p50, answer->residual_us_max,
                answer->up_minus_down_us);
    }
    const AlignPulses *pulses = report->pulses;
    if (pulses && pulses->matched > 0)
        fprintf(to,
                "pulses      %" PRId64 " of %" PRId64 " frames have theirs, %" PRId64
                " too many; %+.1f us after the light (p50; %+.1f to %+.1f)\n",
                pulses->matched, pulses->wanted, pulses->extra, pulses->latency_us_p50,
                pulses->latency_us_min, pulses->latency_us_max);
    else if (pulses)
        fprintf(to, "pulses      none of %" PRId64 " frames has one\n", pulses->wanted);
    fprintf(to, "verdict     %s\n", verdict);
}

/* What is odd, one by one. */
static json_t *list_of(const AlignReport *report)
{
    json_t *list = json_array();
    const AlignAnswer *answer = report->answer;
    for (int64_t k = 0; k < answer->count && json_array_size(list) < LIST_MOST; k++) {
        AlignWhat what = answer->places[k].what;
        if (what == ALIGN_DROPPED || what == ALIGN_DOUBLED || what == ALIGN_SKIPPED ||
            what == ALIGN_ODD)
            json_array_append_new(
                list, json_pack("{sIss}", "refresh", (json_int_t)k, "what", align_what_name(what)));
    }
    return list;
}

static json_t *strays_of(const AlignAnswer *answer)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < answer->strays_count && i < LIST_MOST; i++)
        json_array_append_new(list, json_real(answer->strays[i]));
    return list;
}

static json_t *pulses_json(const AlignPulses *pulses)
{
    if (!pulses)
        return json_null();
    json_t *latency = pulses->matched == 0
                          ? json_null()
                          : json_pack("{sfsfsf}", "min", pulses->latency_us_min, "p50",
                                      pulses->latency_us_p50, "max", pulses->latency_us_max);
    return json_pack("{sIsIsIsIso}", "wanted", (json_int_t)pulses->wanted, "matched",
                     (json_int_t)pulses->matched, "lost", (json_int_t)pulses->lost, "extra",
                     (json_int_t)pulses->extra, "latency_us", latency);
}

json_t *align_summary(const AlignReport *report, const char *verdict)
{
    const AlignAnswer *answer = report->answer;
    if (answer->outcome != ALIGN_FOUND)
        return json_pack("{sssssn}", "retrace", RETRACE_VERSION, "verdict", verdict, "frames");
    return json_pack(
        "{sssssssIsIsIsIsIsIsIs{sIsI}sfsfsfs{sfsf}sfsososo}", "retrace", RETRACE_VERSION, "verdict",
        verdict, "aligned_by", look_name(answer->look), "frames", (json_int_t)answer->frames,
        "found", (json_int_t)answer->found, "unrecorded", (json_int_t)answer->unrecorded, "dropped",
        (json_int_t)answer->dropped, "doubled", (json_int_t)answer->doubled, "unexplained",
        (json_int_t)answer->unexplained, "lost_edges", (json_int_t)answer->lost_edges,
        found_of(report), "commanded", (json_int_t)answer->toggles_wanted, "detected",
        (json_int_t)answer->toggles_found, "rate_hz", report->order->rate_hz, "drift_ppm",
        answer->drift_ppm, "offset_samples", answer->offset_samples, "residual_us", "p50",
        answer->residual_us_p50, "max", answer->residual_us_max, "up_minus_down_us",
        answer->up_minus_down_us, "faults", list_of(report), "stray_samples", strays_of(answer),
        "ttl", pulses_json(report->pulses));
}
