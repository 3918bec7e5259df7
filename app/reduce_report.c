#include "app/reduce_report.h"

#include <math.h>
#include <string.h>

#include "app/json.h"
#include "app/reduce_parts.h"

ReduceUnitEffect reduce_effect(const Reduce *reduce, int unit)
{
    const ReductionNumbers *numbers = &reduce->steps[reduce->kept - 1].numbers;
    ReductionTask task = reduce_task(reduce, reduce->kept);
    double rest = task.rest[unit], high = rest, low = rest;
    for (int i = 0; i < task.bins * task.places; i++) {
        int bin = i / task.places, at = unit * task.places + i % task.places;
        high = fmax(high, (double)task.outputs[(size_t)bin * (size_t)task.stride + (size_t)at]);
        low = fmin(low, (double)task.outputs[(size_t)bin * (size_t)task.stride + (size_t)at]);
    }
    double largest = fmax(fmax(high - rest, rest - low), 1e-300);
    return (ReduceUnitEffect){
        .low = low - rest,
        .high = high - rest,
        .rise_threshold = (numbers->rise_threshold[unit] - rest) / largest,
        .fall_threshold = (numbers->fall_threshold[unit] - rest) / largest,
        .rise = numbers->rise[unit] * fmax(high - numbers->rise_threshold[unit], 0),
        .fall = numbers->fall[unit] * fmax(numbers->fall_threshold[unit] - low, 0),
    };
}

/* ---- for people */

static void talk_of_channels(const Reduce *reduce, FILE *talk)
{
    double sum = 0;
    fprintf(
        talk,
        "channel  polarity  peak ms  share   so far  excites  inhibits (spikes)   rises  above   "
        "falls  below%s\n",
        reduce->places > 1 ? "   place um  SD um" : "");
    for (int i = 0; i < reduce->steps_count; i++) {
        int c = reduce->order[i];
        sum += reduce->share[c];
        fprintf(talk, "%7d  %8s  %7.1f  %4.0f %%  %5.0f %%  %+7.2f  %+8.2f", c + 1,
                reduce->job->cards[c].is_on ? "ON" : "OFF", reduce->job->cards[c].peak_ms,
                100 * reduce->share[c], 100 * sum, reduce->excited[c], reduce->inhibited[c]);
        if (i < reduce->kept) {
            ReduceUnitEffect effect = reduce_effect(reduce, i);
            fprintf(talk, "          %+8.2f  %+5.2f  %+6.2f  %+5.2f", effect.rise,
                    effect.rise_threshold, effect.fall, effect.fall_threshold);
            if (reduce->places > 1)
                fprintf(talk, "  %+8.0f  %6.0f", reduce_place_um(reduce, i),
                        reduce_spread_um(reduce, i));
        }
        fprintf(talk, "%s\n", i < reduce->kept ? "" : "          not kept");
    }
}

static void talk_of_steps(const Reduce *reduce, FILE *talk)
{
    fprintf(talk,
            "\n k  channels         free  correlation  error Hz  peaks off: median  most (ms)\n");
    for (int k = 1; k <= reduce->steps_count; k++) {
        const ReduceStep *step = &reduce->steps[k - 1];
        char names[64] = "";
        for (int i = 0; i < k; i++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%d", i ? "," : "",
                     reduce->order[i] + 1);
        fprintf(talk, "%2d%c %-15s  %4d  %11.3f  %8.2f  %17.1f  %4.1f (%d of %d)\n", k,
                k == reduce->kept ? '*' : ' ', names, reduction_numbers(k, reduce->places),
                step->numbers.correlation, step->numbers.error_hz, step->peak_error_ms,
                step->peak_error_most_ms, step->peaks, reduce->job->trials_count);
    }
}

/* Ablations that are shown: of the channels kept, then of all that inhibit. */
static const ReduceAblation *ablation_at(const Reduce *reduce, int i)
{
    return &reduce->ablations[i < reduce->kept ? i : reduce->steps_count];
}

static void talk_of_peaks(const Reduce *reduce, FILE *talk)
{
    fprintf(talk, "\n%-28s %-18s %9s %9s", "peaks: ms (Hz)", "from", "full", "reduced");
    for (int i = 0; i <= reduce->kept; i++)
        fprintf(talk, "   full/reduced without %s", ablation_at(reduce, i)->what);
    fputc('\n', talk);
    for (int t = 0; t < reduce->job->trials_count; t++) {
        const AttributeTrial *trial = &reduce->trials[t];
        fprintf(talk, "%-28.28s %-18s %4.0f (%.1f) %4.0f (%.1f)", trial->condition,
                reduce->landmarks[t].name, reduce->full.peaks[t].time_ms,
                reduce->full.peaks[t].height_hz, reduce->reduced.peaks[t].time_ms,
                reduce->reduced.peaks[t].height_hz);
        for (int i = 0; i <= reduce->kept; i++) {
            const ReduceAblation *ablation = ablation_at(reduce, i);
            fprintf(talk, "   %4.0f (%.1f) / %4.0f (%.1f)", ablation->full.peaks[t].time_ms,
                    ablation->full.peaks[t].height_hz, ablation->reduced.peaks[t].time_ms,
                    ablation->reduced.peaks[t].height_hz);
        }
        fputc('\n', talk);
    }
}

static void talk_of_ablations(const Reduce *reduce, FILE *talk)
{
    fprintf(
        talk,
        "\nsilenced          peaks shift ms    peaks' size       rate changes by    fitted anew "
        "without it: r, peaks off\n"
        "                  full  reduced     full  reduced     full  reduced\n");
    for (int i = 0; i <= reduce->kept; i++) {
        const ReduceAblation *ablation = ablation_at(reduce, i);
        fprintf(talk,
                "%-16s %+5.0f    %+5.0f    %4.0f %%   %4.0f %%   %4.0f %%   %4.0f %%        %.3f, "
                "%.0f, most %.0f ms\n",
                ablation->what, ablation->full_shift_ms, ablation->reduced_shift_ms,
                100 * ablation->full_size, 100 * ablation->reduced_size,
                100 * ablation->full_change, 100 * ablation->reduced_change,
                ablation->refitted.numbers.correlation, ablation->refitted.peak_error_ms,
                ablation->refitted.peak_error_most_ms);
    }
}

void reduce_talk(const Reduce *reduce, FILE *talk)
{
    const ModelInfo *info = reduce->job->attribute.info;
    fprintf(talk, "%s (%s)%s, cell %s, %s: %s\n\n", info->name, info->kind,
            info->is_simulated ? ", simulated" : "", info->cell_names[reduce->job->attribute.cell],
            reduce->job->protocol->name, attribute_symmetry_name(reduce->symmetry));
    talk_of_channels(reduce, talk);
    talk_of_steps(reduce, talk);
    talk_of_peaks(reduce, talk);
    talk_of_ablations(reduce, talk);
}

/* ---- for machines */

static json_t *unit_json(const Reduce *reduce, int u)
{
    if (u >= reduce->kept)
        return json_null();
    const ReductionNumbers *numbers = &reduce->steps[reduce->kept - 1].numbers;
    ReduceUnitEffect effect = reduce_effect(reduce, u);
    return json_pack("{sf sf sf sf sf sf sf sf}", "place_um", reduce_place_um(reduce, u),
                     "spread_um", reduce_spread_um(reduce, u), "rise", numbers->rise[u],
                     "rise_threshold", numbers->rise_threshold[u], "fall", numbers->fall[u],
                     "fall_threshold", numbers->fall_threshold[u], "rise_effect", effect.rise,
                     "fall_effect", effect.fall);
}

static json_t *channels_json(const Reduce *reduce)
{
    json_t *channels = json_array();
    for (int i = 0; i < reduce->channels; i++) {
        int c = reduce->order[i];
        const ChannelCard *card = &reduce->job->cards[c];
        json_array_append_new(
            channels, json_pack("{si ss sf sf si sf sf sf ss sb so}", "channel", c + 1, "polarity",
                                card->is_on ? "on" : "off", "peak_ms", card->peak_ms, "biphasic",
                                card->biphasic, "speed_rank", card->speed_rank, "share",
                                reduce->share[c], "excited_spikes", reduce->excited[c],
                                "inhibited_spikes", reduce->inhibited[c], "sign",
                                reduce_inhibits(reduce, c) ? "inhibits" : "excites", "kept",
                                (int)(i < reduce->kept), "unit", unit_json(reduce, i)));
    }
    return channels;
}

static json_t *steps_json(const Reduce *reduce)
{
    json_t *steps = json_array();
    for (int k = 1; k <= reduce->steps_count; k++) {
        const ReduceStep *step = &reduce->steps[k - 1];
        json_t *channels = json_array();
        for (int i = 0; i < k; i++)
            json_array_append_new(channels, json_integer(reduce->order[i] + 1));
        json_array_append_new(
            steps,
            json_pack("{si so si so sf so so si}", "k", k, "channels", channels, "numbers",
                      reduction_numbers(k, reduce->places), "correlation",
                      json_number(step->numbers.correlation), "error_hz", step->numbers.error_hz,
                      "peak_error_ms", json_number(step->peak_error_ms), "peak_error_most_ms",
                      json_number(step->peak_error_most_ms), "peaks", step->peaks));
    }
    return steps;
}

static json_t *peak_json(const LandmarkPeak *peak)
{
    return json_pack("{so so}", "peak_ms", json_number(peak->time_ms), "peak_hz",
                     json_number(peak->height_hz));
}

static json_t *trials_json(const Reduce *reduce)
{
    json_t *trials = json_array();
    for (int t = 0; t < reduce->job->trials_count; t++) {
        const AttributeTrial *trial = &reduce->trials[t];
        const PlanTrial *planned = &reduce->job->plan->trials[trial->trial];
        json_array_append_new(trials, json_pack("{ss si ss ss so so}", "block",
                                                reduce->job->protocol->blocks[planned->block].name,
                                                "trial", trial->trial, "condition",
                                                trial->condition, "from", reduce->landmarks[t].name,
                                                "full", peak_json(&reduce->full.peaks[t]),
                                                "reduced", peak_json(&reduce->reduced.peaks[t])));
    }
    return trials;
}

static json_t *ablations_json(const Reduce *reduce)
{
    json_t *ablations = json_array();
    for (int i = 0; i <= reduce->kept; i++) {
        const ReduceAblation *ablation = ablation_at(reduce, i);
        json_t *channels = json_array(), *full = json_array(), *reduced = json_array();
        for (int c = 0; c < reduce->channels; c++)
            if (ablation->is_silent[c])
                json_array_append_new(channels, json_integer(c + 1));
        for (int t = 0; t < reduce->job->trials_count; t++) {
            json_array_append_new(full, peak_json(&ablation->full.peaks[t]));
            json_array_append_new(reduced, peak_json(&ablation->reduced.peaks[t]));
        }
        json_array_append_new(
            ablations,
            json_pack("{ss so s{so so so so} s{so so so so} s{so so so}}", "silenced",
                      ablation->what, "channels", channels, "full", "peak_shift_ms",
                      json_number(ablation->full_shift_ms), "peak_size",
                      json_number(ablation->full_size), "change",
                      json_number(ablation->full_change), "trials", full, "reduced",
                      "peak_shift_ms", json_number(ablation->reduced_shift_ms), "peak_size",
                      json_number(ablation->reduced_size), "change",
                      json_number(ablation->reduced_change), "trials", reduced, "fitted_without",
                      "correlation", json_number(ablation->refitted.numbers.correlation),
                      "peak_error_ms", json_number(ablation->refitted.peak_error_ms),
                      "peak_error_most_ms", json_number(ablation->refitted.peak_error_most_ms)));
    }
    return ablations;
}

json_t *reduce_summary(const Reduce *reduce)
{
    const ModelInfo *info = reduce->job->attribute.info;
    return json_pack("{ss s{ss ss ss sb} s{ss ss} ss ss sf si sf so so so so}", "retrace",
                     RETRACE_VERSION, "model", "name", info->name, "kind", info->kind, "path",
                     reduce->job->model_path, "simulated", (int)info->is_simulated, "protocol",
                     "name", reduce->job->protocol->name, "path", reduce->job->protocol_path,
                     "cell", info->cell_names[reduce->job->attribute.cell], "symmetry",
                     attribute_symmetry_name(reduce->symmetry), "rest_hz", reduce->rest_hz, "kept",
                     reduce->kept, "kept_share", reduce_kept_share(reduce), "channels",
                     channels_json(reduce), "k", steps_json(reduce), "trials", trials_json(reduce),
                     "ablations", ablations_json(reduce));
}
