#include "model/dataset_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/dataset_findings.h"
#include "model/kind.h"

/* A minute holds some hundred spikes a cell: fewer than the numbers of the smallest model. Length
 * curves of such networks still climb steeply at 4 minutes. */
static const double too_short_s = 90.0, short_s = 300.0;

/* Past these a model that was normalised by train meets a stimulus it has never seen. */
static const double mean_shift_sds = 0.5, sd_ratio_most = 2.0;

void dataset_found(const DatasetCheck *check, DatasetSeverity severity, const char *format, ...)
{
    DatasetReport *report = check->report;
    report->errors += severity == DATASET_ERROR;
    if (report->findings_count == DATASET_FINDINGS_MAX) {
        report->left_out++;
        return;
    }
    DatasetFinding *finding = &report->findings[report->findings_count++];
    finding->is_error = severity == DATASET_ERROR;
    va_list args;
    va_start(args, format);
    vsnprintf(finding->sentence, sizeof finding->sentence, format, args);
    va_end(args);
}

static void check_duration(const DatasetCheck *check)
{
    double seconds = (double)dataset_bins(check->set, DATASET_TRAIN) / check->info->bin_hz;
    if (seconds == 0.0)
        dataset_found(check, DATASET_WARNING, "train is not there: nothing to fit a model to");
    else if (seconds < too_short_s)
        dataset_found(
            check, DATASET_ERROR,
            "train is too short: %.1f s; must be at least %.0f s, and %.0f min or more for a CNN",
            seconds, too_short_s, short_s / 60.0);
    else if (seconds < short_s)
        dataset_found(
            check, DATASET_WARNING,
            "train is %.1f min long; under %.0f min a CNN learns its training set by heart, and "
            "even an LN model stays noisy",
            seconds / 60.0, short_s / 60.0);
}

/* One sentence a part: its shortest array against its longest. */
static void check_lengths(const DatasetCheck *check, DatasetPart part)
{
    const DatasetItem *item, *shortest = NULL, *longest = NULL;
    for (int i = 0; (item = dataset_item(check->set, i)); i++) {
        int64_t bins = item->dims[item->time_at];
        if (item->part != part)
            continue;
        if (!shortest || bins < shortest->dims[shortest->time_at])
            shortest = item;
        if (!longest || bins > longest->dims[longest->time_at])
            longest = item;
    }
    if (!shortest || shortest->dims[shortest->time_at] == longest->dims[longest->time_at])
        return;
    int64_t bins = shortest->dims[shortest->time_at];
    dataset_found(check, DATASET_WARNING,
                  "%s has %lld bins where %s has %lld; expected are the same: the first %lld are "
                  "used",
                  longest->name, (long long)longest->dims[longest->time_at], shortest->name,
                  (long long)bins, (long long)bins);
}

static void check_presence(const DatasetCheck *check)
{
    if (dataset_bins(check->set, DATASET_TEST) == 0)
        dataset_found(check, DATASET_WARNING,
                      "test is not there: a model can be fitted, but not scored");
    else if (check->info->repeats_problem[0])
        dataset_found(check, DATASET_WARNING, "%s; they are not used",
                      check->info->repeats_problem);
    else if (check->info->repeats == 0)
        dataset_found(check, DATASET_WARNING,
                      "test has no repeats: scores cannot be corrected for the cells' own noise");
}

static void check_likeness(const DatasetCheck *check)
{
    const DatasetPartReport *train = &check->report->parts[DATASET_TRAIN];
    const DatasetPartReport *test = &check->report->parts[DATASET_TEST];
    double shift = fabs(test->lum_mean - train->lum_mean) / train->lum_sd;
    double ratio = test->lum_sd / train->lum_sd;
    if (shift > mean_shift_sds || ratio > sd_ratio_most || ratio < 1.0 / sd_ratio_most)
        dataset_found(
            check, DATASET_WARNING,
            "test/stimulus has luminance %.3g, SD %.3g where train has %.3g, SD %.3g; expected "
            "are alike: a score on test is one on a stimulus never seen",
            test->lum_mean, test->lum_sd, train->lum_mean, train->lum_sd);
}

void dataset_report_destroy(DatasetReport *report)
{
    if (!report)
        return;
    free(report->rates_hz);
    free(report);
}

DatasetReport *dataset_check(Dataset *set, char *err)
{
    DatasetReport *report = calloc(1, sizeof *report);
    const DatasetInfo *info = dataset_info(set);
    const DatasetCheck check = {set, info, report, err};
    if (report)
        report->rates_hz = calloc((size_t)info->cells, sizeof *report->rates_hz);
    if (!report || !report->rates_hz) {
        model_refuse(err, "%s: not enough memory to check it", dataset_path(set));
        dataset_report_destroy(report);
        return NULL;
    }
    report->cells = info->cells;
    check_duration(&check);
    check_presence(&check);
    for (int i = 0; i < DATASET_PARTS; i++)
        check_lengths(&check, (DatasetPart)i);
    bool ok = true;
    for (int i = 0; ok && i < DATASET_PARTS; i++) {
        DatasetPart part = (DatasetPart)i;
        report->parts[i] = (DatasetPartReport){.lum_mean = (double)NAN, .lum_sd = (double)NAN};
        if (dataset_bins(set, part) > 0)
            ok = dataset_check_time(&check, part) && dataset_check_responses(&check, part) &&
                 dataset_check_stimulus(&check, part);
    }
    ok = ok && dataset_check_repeats(&check);
    check_likeness(&check);
    if (ok)
        return report;
    dataset_report_destroy(report);
    return NULL;
}
