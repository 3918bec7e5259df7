#include "app/attribute_report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/figure.h"
#include "app/json.h"
#include "app/paths.h"
#include "app/peak.h"

AttributeTotals attribute_totals(const AttributeReport *report)
{
    AttributeTotals totals = {0};
    size_t count = 0;
    for (int t = 0; t < report->count; t++)
        totals.bins += report->trials[t].bins;
    double *residuals = calloc((size_t)totals.bins + 1, sizeof *residuals);
    for (int t = 0; residuals && t < report->count; t++) {
        const AttributeTrial *trial = &report->trials[t];
        for (int bin = 0; bin < trial->bins; bin++) {
            residuals[count++] = trial->residuals[bin];
            totals.missed += trial->residuals[bin] > 1.01 * report->attribute->rule.tolerance;
        }
        totals.residual_max = fmax(totals.residual_max, trial->residual_max);
        totals.steps = trial->steps_max > totals.steps ? trial->steps_max : totals.steps;
    }
    totals.residual_median = residuals ? stat_median(residuals, 1, count) : (double)NAN;
    free(residuals);
    return totals;
}

/* ---- for people */

static void talk_of_channels(const AttributeReport *report, FILE *talk)
{
    int channels = attribution_units(report->attribute->attribution).channels;
    fprintf(talk, "channel  polarity  peak ms  order  biphasic  radius um  centre\n");
    for (int c = 0; c < channels; c++) {
        const ChannelCard *card = &report->cards[c];
        fprintf(talk, "%7d  %8s  %7.1f  %5d  %8.2f  %9.0f  %5.0f%%\n", c + 1,
                card->is_on ? "ON" : "OFF", card->peak_ms, card->speed_rank, card->biphasic,
                card->radius_um, 100 * card->centre_share);
    }
}

static double excitation_of(const AttributeTrial *trial)
{
    double sum = 0;
    for (int c = 0; c < trial->channels; c++)
        sum += trial->channel[c].excited_spikes;
    return sum;
}

static double inhibition_of(const AttributeTrial *trial)
{
    double sum = 0;
    for (int c = 0; c < trial->channels; c++)
        sum += trial->channel[c].inhibited_spikes;
    return sum;
}

static double share_of(double part, double whole)
{
    return fabs(part) > 0 ? part / whole : 0;
}

static void talk_of_symmetry(const AttributeReport *report, FILE *talk, const AttributeTrial *trial)
{
    if (trial->claimed == ATTRIBUTION_SYMMETRY_NONE)
        fprintf(talk, "  no symmetry\n");
    else if (trial->is_symmetric)
        fprintf(talk,
                "  %s, checked: %d numbers in place of %d, totals agree to %.1e (largest deviation "
                "of the frames %.1e SD)\n",
                attribute_symmetry_name(trial->claimed), trial->places * trial->channels,
                attribution_places(report->attribute->attribution, ATTRIBUTION_SYMMETRY_NONE) *
                    trial->channels,
                trial->fold_gap, trial->deviation);
    else
        fprintf(talk, "  not the %s it should be: the frames deviate by %.2g SD\n",
                attribute_symmetry_name(trial->claimed), trial->deviation);
}

static void talk_of_trial(const AttributeReport *report, FILE *talk, const AttributeTrial *trial)
{
    const PlanTrial *planned = &report->attribute->plan->trials[trial->trial];
    double excited = excitation_of(trial), inhibited = inhibition_of(trial);
    fprintf(talk, "\n%s%s%s, trial %d: rest %.3f Hz, peak %.3f Hz at %.0f ms\n",
            report->attribute->plan->protocol->blocks[planned->block].name,
            trial->condition[0] ? ", " : "", trial->condition, trial->trial, trial->rest_hz,
            trial->rates_hz[trial->peak_bin], 1e3 * trial->times_s[trial->peak_bin]);
    fprintf(talk,
            "  completeness residual: largest %.3f %%, median %.4f %%; steps: median %g, most %d\n",
            100 * trial->residual_max, 100 * trial->residual_median, trial->steps_median,
            trial->steps_max);
    talk_of_symmetry(report, talk, trial);
    fprintf(talk, "  channel         ");
    for (int c = 0; c < trial->channels; c++)
        fprintf(talk, "%8d", c + 1);
    fprintf(talk, "\n  at the peak, Hz ");
    for (int c = 0; c < trial->channels; c++)
        fprintf(talk, "%+8.2f", trial->channel[c].at_peak_hz);
    fprintf(talk, "\n  excitation      ");
    for (int c = 0; c < trial->channels; c++)
        fprintf(talk, "%7.0f%%", 100 * share_of(trial->channel[c].excited_spikes, excited));
    fprintf(talk, "  of %+.3f spikes\n  inhibition      ", excited);
    for (int c = 0; c < trial->channels; c++)
        fprintf(talk, "%7.0f%%", 100 * share_of(trial->channel[c].inhibited_spikes, inhibited));
    fprintf(talk, "  of %+.3f spikes\n", inhibited);
}

void attribute_talk(const AttributeReport *report, const AttributeTotals *totals, FILE *talk)
{
    const ModelInfo *info = report->attribute->info;
    fprintf(talk, "%s (%s)%s, cell %s; path from the background of each block, on for ever\n\n",
            info->name, info->kind, info->is_simulated ? ", simulated" : "",
            info->cell_names[report->attribute->cell]);
    talk_of_channels(report, talk);
    for (int t = 0; t < report->count; t++)
        talk_of_trial(report, talk, &report->trials[t]);
    fprintf(talk,
            "\n%d bins: completeness residual largest %.3f %%, median %.4f %%; at most %d steps\n",
            totals->bins, 100 * totals->residual_max, 100 * totals->residual_median, totals->steps);
}

/* ---- for machines */

static json_t *card_json(const AttributeReport *report, int c)
{
    const ChannelCard *card = &report->cards[c];
    int history = report->attribute->info->history_bins;
    double excited = 0, inhibited = 0, all_excited = 0, all_inhibited = 0;
    for (int t = 0; t < report->count; t++) {
        excited += report->trials[t].channel[c].excited_spikes;
        inhibited += report->trials[t].channel[c].inhibited_spikes;
        all_excited += excitation_of(&report->trials[t]);
        all_inhibited += inhibition_of(&report->trials[t]);
    }
    json_t *kernel = json_array();
    for (int i = 0; i < history; i++)
        json_array_append_new(kernel, json_real((double)report->kernels[c * history + i]));
    return json_pack("{si ss sf sf si sf sf sf sf sf sf so}", "channel", c + 1, "polarity",
                     card->is_on ? "on" : "off", "peak_ms", card->peak_ms, "biphasic",
                     card->biphasic, "speed_rank", card->speed_rank, "centre_x_um",
                     card->centre_x_um, "centre_y_um", card->centre_y_um, "radius_um",
                     card->radius_um, "centre_share", card->centre_share, "excitation_share",
                     share_of(excited, all_excited), "inhibition_share",
                     share_of(inhibited, all_inhibited), "kernel", kernel);
}

static json_t *symmetry_json(const AttributeReport *report, const AttributeTrial *trial)
{
    AttributionSymmetry holds = trial->is_symmetric ? trial->claimed : ATTRIBUTION_SYMMETRY_NONE;
    int units = attribution_places(report->attribute->attribution, ATTRIBUTION_SYMMETRY_NONE);
    return json_pack("{ss ss si sf sf}", "claimed", attribute_symmetry_name(trial->claimed),
                     "holds", attribute_symmetry_name(holds), "numbers",
                     trial->channels * (trial->is_symmetric ? trial->places : units),
                     "deviation_sd", trial->deviation, "total_gap", trial->fold_gap);
}

static json_t *trial_json(const AttributeReport *report, const AttributeTrial *trial)
{
    const PlanTrial *planned = &report->attribute->plan->trials[trial->trial];
    double excited = excitation_of(trial), inhibited = inhibition_of(trial);
    json_t *channels = json_array();
    for (int c = 0; c < trial->channels; c++) {
        const AttributeChannel *channel = &trial->channel[c];
        json_array_append_new(
            channels, json_pack("{si sf sf sf sf sf}", "channel", c + 1, "at_peak_hz",
                                channel->at_peak_hz, "excited_spikes", channel->excited_spikes,
                                "inhibited_spikes", channel->inhibited_spikes, "excitation_share",
                                share_of(channel->excited_spikes, excited), "inhibition_share",
                                share_of(channel->inhibited_spikes, inhibited)));
    }
    return json_pack(
        "{ss si ss sf si sf sf sf s{sf sf} si sf so so}", "block",
        report->attribute->plan->protocol->blocks[planned->block].name, "trial", trial->trial,
        "condition", trial->condition, "baseline_lum", trial->background_lum, "bins", trial->bins,
        "rest_hz", trial->rest_hz, "peak_hz", trial->rates_hz[trial->peak_bin], "peak_ms",
        1e3 * trial->times_s[trial->peak_bin], "completeness_residual", "max", trial->residual_max,
        "median", trial->residual_median, "steps", trial->steps_max, "steps_median",
        trial->steps_median, "symmetry", symmetry_json(report, trial), "channels", channels);
}

json_t *attribute_summary(const AttributeReport *report, const AttributeTotals *totals)
{
    const ModelInfo *info = report->attribute->info;
    json_t *cards = json_array(), *trials = json_array();
    for (int c = 0; c < attribution_units(report->attribute->attribution).channels; c++)
        json_array_append_new(cards, card_json(report, c));
    for (int t = 0; t < report->count; t++)
        json_array_append_new(trials, trial_json(report, &report->trials[t]));
    return json_pack(
        "{ss s{ss ss ss sb} s{ss ss} ss sf so sf sf s{sf sf} si si sb so so}", "retrace",
        RETRACE_VERSION, "model", "name", info->name, "kind", info->kind, "path",
        report->model_path, "simulated", (int)info->is_simulated, "protocol", "name",
        report->attribute->plan->protocol->name, "path", report->protocol_path, "cell",
        info->cell_names[report->attribute->cell], "from_ms", 1e3 * report->attribute->from_s,
        "to_ms",
        json_number(1e3 * report->attribute->to_s),
        "tolerance", report->attribute->rule.tolerance, "floor_hz",
        report->attribute->rule.floor_hz, "completeness_residual", "max", totals->residual_max,
        "median", totals->residual_median, "steps", totals->steps, "bins", totals->bins, "whole",
        (int)(report->count == report->wanted), "channels", cards, "trials", trials);
}

/* ---- files */

static bool write_rows(const AttributeReport *report, int from, int count, FILE *file)
{
    fprintf(file,
            "# %s%s, cell %s; path from the block's background\n"
            "trial\tcondition\ttime_ms\trest_hz\trate_hz\tsum_hz\tresidual\tsteps",
            report->attribute->info->name,
            report->attribute->info->is_simulated ? ", simulated" : "",
            report->attribute->info->cell_names[report->attribute->cell]);
    for (int c = 0; c < report->trials[from].channels; c++)
        fprintf(file, "\tchannel_%d_hz", c + 1);
    fputc('\n', file);
    for (int t = from; t < from + count; t++) {
        const AttributeTrial *trial = &report->trials[t];
        for (int bin = 0; bin < trial->bins; bin++) {
            fprintf(file, "%d\t%s\t%.3f\t%.6g\t%.6g\t%.6g\t%.3g\t%d", trial->trial,
                    trial->condition, 1e3 * trial->times_s[bin], trial->rest_hz,
                    trial->rates_hz[bin], trial->sums_hz[bin], trial->residuals[bin],
                    trial->steps[bin]);
            for (int c = 0; c < trial->channels; c++)
                fprintf(file, "\t%.6g", (double)trial->channels_hz[c * trial->bins + bin]);
            fputc('\n', file);
        }
    }
    return !ferror(file);
}

static bool write_table(const AttributeReport *report, int from, int count, const char *path,
                        char *err)
{
    FILE *file = fopen(path, "w");
    bool is_written = file && write_rows(report, from, count, file);
    is_written = file && fclose(file) == 0 && is_written;
    if (!is_written)
        snprintf(err, JSON_ERR_BYTES, "%.300s: %s", path, strerror(errno));
    return is_written;
}

/* DIR/attribution-<block>.<ending>, the block's name as a file may be called. */
static void name_file(const AttributeReport *report, const char *folder, int block,
                      const char *ending, char *path)
{
    char name[80];
    snprintf(name, sizeof name, "%.70s", report->attribute->plan->protocol->blocks[block].name);
    for (char *c = name; *c; c++)
        if (strchr("/ ,;:", *c))
            *c = '-';
    for (int earlier = 0; earlier < block; earlier++)
        if (!strcmp(report->attribute->plan->protocol->blocks[earlier].name,
                    report->attribute->plan->protocol->blocks[block].name)) {
            snprintf(name + strlen(name), sizeof name - strlen(name), "-%d", block + 1);
            break;
        }
    snprintf(path, PATH_BYTES, "%s/attribution-%s.%s", folder, name, ending);
}

static bool write_block(const AttributeReport *report, const char *folder, int from, int count,
                        char *err)
{
    char path[PATH_BYTES];
    int block = report->attribute->plan->trials[report->trials[from].trial].block;
    name_file(report, folder, block, "tsv", path);
    if (!write_table(report, from, count, path, err))
        return false;
    name_file(report, folder, block, "png", path);
    return attribute_draw(report->attribute, report->cards, report->trials + from, count, path,
                          err);
}

bool attribute_write_blocks(const AttributeReport *report, const char *folder, char *err)
{
    for (int from = 0, count = 0; from < report->count; from += count) {
        int block = report->attribute->plan->trials[report->trials[from].trial].block;
        for (count = 1; from + count < report->count; count++)
            if (report->attribute->plan->trials[report->trials[from + count].trial].block != block)
                break;
        if (!write_block(report, folder, from, count, err))
            return false;
    }
    return true;
}
