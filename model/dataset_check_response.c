#include <math.h>
#include <stdlib.h>

#include "model/dataset_findings.h"
#include "model/kind.h"

enum { BLOCK_BINS = 4096 };

/* A spike-triggered average of 40 bins needs more spikes than it has numbers. */
static const double few_spikes = 100.0;

/* One spike smoothed by a Gaussian of SD 20 ms peaks at 20 Hz, in a mean of ten repeats at 2: a
 * rate in Hz that never gets past this counts spikes per bin. */
static const double hz_peak_least = 1.5;

/* No ganglion cell keeps this up; spikes that average more are Hz. */
static const double mean_most_hz = 200.0;

/* Smoothing keeps the mean; at the ends alone it may change it a little. */
static const double mean_ratio_most = 2.0;

typedef struct {
    double sum, most, least;
    int64_t odd_bin, negative_bin, broken_bin; // −1: none; broken is no whole number
    double odd, negative, broken;
} Cell;

static void add(Cell *cell, int64_t bin, double value)
{
    if (!isfinite(value)) {
        if (cell->odd_bin < 0) {
            cell->odd_bin = bin;
            cell->odd = value;
        }
        return;
    }
    if (value < 0.0 && cell->negative_bin < 0) {
        cell->negative_bin = bin;
        cell->negative = value;
    }
    if (fabs(value - round(value)) > 1e-6 && cell->broken_bin < 0) {
        cell->broken_bin = bin;
        cell->broken = value;
    }
    cell->sum += value;
    cell->most = value > cell->most ? value : cell->most;
    cell->least = value < cell->least ? value : cell->least;
}

/* NULL with a sentence in err. */
static Cell *scan(const DatasetCheck *check, DatasetPart part, DatasetResponse which)
{
    int cells = check->info->cells;
    int64_t bins = dataset_bins(check->set, part);
    Cell *stats = calloc((size_t)cells, sizeof *stats);
    float *values = malloc((size_t)cells * BLOCK_BINS * sizeof *values);
    bool ok =
        (stats && values) || model_refuse(check->err, "not enough memory to check %d cells", cells);
    for (int c = 0; ok && c < cells; c++)
        stats[c] = (Cell){.most = -HUGE_VAL,
                          .least = HUGE_VAL,
                          .odd_bin = -1,
                          .negative_bin = -1,
                          .broken_bin = -1};
    for (int64_t at = 0; ok && at < bins; at += BLOCK_BINS) {
        int count = bins - at < BLOCK_BINS ? (int)(bins - at) : BLOCK_BINS;
        ok = dataset_read_response(check->set, part, which, at, count, values, check->err);
        for (int c = 0; ok && c < cells; c++)
            for (int i = 0; i < count; i++)
                add(&stats[c], at + i, (double)values[(size_t)c * (size_t)count + (size_t)i]);
    }
    free(values);
    if (ok)
        return stats;
    free(stats);
    return NULL;
}

/* First of all cells; the values of one array are good or bad together. */
static void judge_values(const DatasetCheck *check, DatasetPart part, DatasetResponse which,
                         const Cell *stats)
{
    const char *where = dataset_part_name(part), *name = dataset_response_name(which);
    bool is_counts = which == DATASET_BINNED && part == DATASET_TRAIN;
    bool has_odd = false, has_negative = false, has_broken = false;
    for (int c = 0; c < check->info->cells; c++) {
        const char *cell = check->info->cell_names[c];
        if (stats[c].odd_bin >= 0 && !has_odd)
            dataset_found(check, DATASET_ERROR,
                          "%s/response/%s: %s is %g at bin %lld; must be finite", where, name, cell,
                          stats[c].odd, (long long)stats[c].odd_bin);
        if (stats[c].negative_bin >= 0 && !has_negative)
            dataset_found(check, DATASET_ERROR,
                          "%s/response/%s: %s is %g at bin %lld; must be 0 or more", where, name,
                          cell, stats[c].negative, (long long)stats[c].negative_bin);
        if (is_counts && stats[c].broken_bin >= 0 && !has_broken)
            dataset_found(
                check, DATASET_WARNING,
                "%s/response/%s: %s is %g at bin %lld; expected are whole numbers of spikes in "
                "train: is it a rate, or a mean?",
                where, name, cell, stats[c].broken, (long long)stats[c].broken_bin);
        has_odd = has_odd || stats[c].odd_bin >= 0;
        has_negative = has_negative || stats[c].negative_bin >= 0;
        has_broken = has_broken || stats[c].broken_bin >= 0;
    }
}

static void judge_cells(const DatasetCheck *check, DatasetPart part, const Cell *stats,
                        double spikes_per_unit)
{
    const char *where = dataset_part_name(part);
    bool is_train = part == DATASET_TRAIN;
    for (int c = 0; c < check->info->cells; c++) {
        const char *cell = check->info->cell_names[c];
        double spikes = stats[c].sum * spikes_per_unit;
        if (stats[c].odd_bin >= 0)
            continue;
        if (stats[c].sum == 0.0)
            dataset_found(check, is_train ? DATASET_ERROR : DATASET_WARNING,
                          "%s is silent in %s: 0 spikes; %s", cell, where,
                          is_train ? "must have some to be fitted, so leave the cell out"
                                   : "expected are some, to be scored by");
        else if (!(stats[c].most > stats[c].least))
            dataset_found(check, is_train ? DATASET_ERROR : DATASET_WARNING,
                          "%s is constant in %s: %g in every bin; must change with the stimulus",
                          cell, where, stats[c].most);
        else if (is_train && spikes < few_spikes)
            dataset_found(
                check, DATASET_WARNING,
                "%s has %.0f spikes in train; expected are %.0f or more to tell what drives it",
                cell, spikes, few_spikes);
    }
}

static double mean_of(const DatasetCheck *check, DatasetPart part, const Cell *stats)
{
    double sum = 0.0;
    for (int c = 0; c < check->info->cells; c++)
        sum += stats[c].sum;
    return sum / check->info->cells / (double)dataset_bins(check->set, part);
}

static bool is_like(double ratio, double wanted)
{
    return ratio < wanted * mean_ratio_most && ratio > wanted / mean_ratio_most;
}

/* Mean rate in Hz against mean spikes per bin: how many times more it is than it should be. */
static void judge_pair(const DatasetCheck *check, DatasetPart part, DatasetResponse rate,
                       double rate_mean, double binned_mean)
{
    const char *where = dataset_part_name(part), *name = dataset_response_name(rate);
    double bin_hz = check->info->bin_hz, ratio = rate_mean / (binned_mean * bin_hz);
    if (!(binned_mean > 0.0) || !isfinite(ratio) || is_like(ratio, 1.0))
        return;
    if (is_like(ratio, 1.0 / bin_hz))
        dataset_found(
            check, DATASET_ERROR,
            "%s/response: %s averages %.3g, as binned does with %.3g spikes per bin: one of them "
            "is in the other's unit; %s must be in Hz (spikes per bin × %g)",
            where, name, rate_mean, binned_mean, name, bin_hz);
    else
        dataset_found(
            check, DATASET_WARNING,
            "%s/response: %s averages %.3g Hz where binned has %.3g spikes a second; expected are "
            "the same",
            where, name, rate_mean, binned_mean * bin_hz);
}

static void judge_peak(const DatasetCheck *check, DatasetPart part, DatasetResponse which,
                       const Cell *stats)
{
    double most = 0.0;
    for (int c = 0; c < check->info->cells; c++)
        most = stats[c].most > most ? stats[c].most : most;
    if (part == DATASET_TRAIN && most > 0.0 && most < hz_peak_least)
        dataset_found(
            check, DATASET_ERROR,
            "%s/response/%s never gets past %.3g, which looks like spikes per bin; must be in Hz "
            "(spikes per bin × %g)",
            dataset_part_name(part), dataset_response_name(which), most, check->info->bin_hz);
}

static void judge_mean(const DatasetCheck *check, DatasetPart part, DatasetResponse which,
                       double mean_hz, double mean)
{
    if (mean_hz > mean_most_hz)
        dataset_found(
            check, DATASET_ERROR,
            "%s/response/%s averages %.3g, %.0f spikes a second; allowed are up to %.0f%s",
            dataset_part_name(part), dataset_response_name(which), mean, mean_hz, mean_most_hz,
            which == DATASET_BINNED ? ": is it in Hz? must be spikes per bin" : "");
}

DatasetResponse dataset_check_by(const DatasetCheck *check, DatasetPart part)
{
    static const DatasetResponse order[] = {DATASET_BINNED, DATASET_FIRING_RATE,
                                            DATASET_FIRING_RATE_5MS, DATASET_FIRING_RATE_20MS,
                                            DATASET_RATE};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (dataset_has(check->set, part, order[i]))
            return order[i];
    return DATASET_RESPONSES;
}

/* Mean rates go into the report from train, or from test where that is all there is. */
static void keep_rates(const DatasetCheck *check, DatasetPart part, const Cell *stats,
                       double spikes_per_unit)
{
    if (part == DATASET_TEST && dataset_bins(check->set, DATASET_TRAIN) > 0)
        return;
    double seconds = (double)dataset_bins(check->set, part) / check->info->bin_hz;
    for (int c = 0; c < check->info->cells; c++)
        check->report->rates_hz[c] = stats[c].sum * spikes_per_unit / seconds;
}

static bool check_one(const DatasetCheck *check, DatasetPart part, DatasetResponse which,
                      double *binned_mean)
{
    Cell *stats = scan(check, part, which);
    if (!stats)
        return false;
    bool is_counts = which == DATASET_BINNED;
    double mean = mean_of(check, part, stats), bin_hz = check->info->bin_hz;
    double spikes_per_unit = is_counts ? 1.0 : 1.0 / bin_hz;
    judge_values(check, part, which, stats);
    judge_mean(check, part, which, is_counts ? mean * bin_hz : mean, mean);
    if (which == dataset_check_by(check, part)) {
        judge_cells(check, part, stats, spikes_per_unit);
        keep_rates(check, part, stats, spikes_per_unit);
    }
    if (is_counts)
        *binned_mean = mean;
    else if (*binned_mean > 0.0)
        judge_pair(check, part, which, mean, *binned_mean);
    else
        judge_peak(check, part, which, stats);
    free(stats);
    return true;
}

bool dataset_check_responses(const DatasetCheck *check, DatasetPart part)
{
    double binned_mean = 0.0;
    bool ok = true;
    for (int i = 0; ok && i < DATASET_RESPONSES; i++)
        if (dataset_has(check->set, part, (DatasetResponse)i))
            ok = check_one(check, part, (DatasetResponse)i, &binned_mean);
    return ok;
}

/* Sum over repeats and bins in spikes per bin and repeat; NaN when a value is none. */
static bool mean_repeats(const DatasetCheck *check, float *values, double *mean)
{
    const DatasetInfo *info = check->info;
    int64_t bins = dataset_bins(check->set, DATASET_TEST);
    double sum = 0.0;
    for (int c = 0; c < info->cells; c++)
        for (int64_t at = 0; at < bins; at += BLOCK_BINS) {
            int count = bins - at < BLOCK_BINS ? (int)(bins - at) : BLOCK_BINS;
            if (!dataset_read_repeats(check->set, c, at, count, values, check->err))
                return false;
            for (int i = 0; i < info->repeats * count; i++)
                sum += (double)values[i];
        }
    double unit = info->repeats_unit == DATASET_HZ ? info->bin_hz : 1.0;
    *mean = sum / unit / info->repeats / info->cells / (double)bins;
    return true;
}

/* The mean of the repeats is what test/response is made of. */
static bool judge_repeats(const DatasetCheck *check, double mean)
{
    DatasetResponse by = dataset_check_by(check, DATASET_TEST);
    Cell *stats = scan(check, DATASET_TEST, by);
    if (!stats)
        return false;
    double per_bin = by == DATASET_BINNED ? 1.0 : check->info->bin_hz;
    double wanted = mean_of(check, DATASET_TEST, stats) / per_bin;
    free(stats);
    if (!isfinite(mean))
        dataset_found(check, DATASET_ERROR,
                      "test/repeats holds values that are no numbers; must be finite");
    else if (wanted > 0.0 && !is_like(mean / wanted, 1.0))
        dataset_found(
            check, DATASET_WARNING,
            "test/repeats averages %.3g spikes per bin, read as %s, where test/response has "
            "%.3g; expected are the same",
            mean, check->info->repeats_unit == DATASET_HZ ? "Hz" : "spikes", wanted);
    return true;
}

bool dataset_check_repeats(const DatasetCheck *check)
{
    if (check->info->repeats == 0)
        return true;
    double mean = 0.0;
    float *values = malloc((size_t)check->info->repeats * BLOCK_BINS * sizeof *values);
    bool ok = values || model_refuse(check->err, "not enough memory to check the repeats");
    ok = ok && mean_repeats(check, values, &mean);
    free(values);
    return ok && judge_repeats(check, mean);
}
