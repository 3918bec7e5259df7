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
static const double too_short_s = 60.0, short_s = 300.0;

/* Past these a model that was normalised by train meets a stimulus it has never seen. */
static const double mean_shift_sds = 0.5, sd_ratio_most = 2.0;

void found(const DatasetCheck *check, FoundKind kind, const char *format, ...)
{
    DatasetReport *report = check->report;
    report->errors += kind == FOUND_ERROR;
    if (report->findings_count == DATASET_FINDINGS_MAX) {
        report->left_out++;
        return;
    }
    DatasetFinding *finding = &report->findings[report->findings_count++];
    finding->is_error = kind == FOUND_ERROR;
    va_list args;
    va_start(args, format);
    vsnprintf(finding->sentence, sizeof finding->sentence, format, args);
    va_end(args);
}

static void check_length(const DatasetCheck *check)
{
    double seconds = (double)dataset_bins(check->set, DATASET_TRAIN) / check->info->bin_hz;
    if (seconds == 0.0)
        found(check, FOUND_WARNING, "train is not there: nothing to fit a model to");
    else if (seconds < too_short_s)
        found(check, FOUND_ERROR,
              "train is too short: %.1f s; must be at least %.0f s, and %.0f min or more for a CNN",
              seconds, too_short_s, short_s / 60.0);
    else if (seconds < short_s)
        found(check, FOUND_WARNING,
              "train is %.1f min long; under %.0f min a CNN learns its training set by heart, and "
              "even an LN model stays noisy",
              seconds / 60.0, short_s / 60.0);
    if (dataset_bins(check->set, DATASET_TEST) == 0)
        found(check, FOUND_WARNING, "test is not there: a model can be fitted, but not scored");
}

static void check_items(const DatasetCheck *check)
{
    const DatasetItem *item;
    for (int i = 0; (item = dataset_item(check->set, i)); i++) {
        int64_t bins = dataset_bins(check->set, item->part);
        if (item->dims[item->time_at] != bins)
            found(check, FOUND_WARNING,
                  "%s has %lld bins where the shortest array of %s has %lld; the first %lld are "
                  "used",
                  item->name, (long long)item->dims[item->time_at], dataset_part_name(item->part),
                  (long long)bins, (long long)bins);
    }
    if (check->info->repeats_problem[0])
        found(check, FOUND_WARNING, "%s; they are not used", check->info->repeats_problem);
    else if (check->info->repeats == 0 && dataset_bins(check->set, DATASET_TEST) > 0)
        found(check, FOUND_WARNING,
              "test has no repeats: scores cannot be corrected for the cells' own noise");
}

static void check_likeness(const DatasetCheck *check)
{
    const DatasetPartReport *train = &check->report->parts[DATASET_TRAIN];
    const DatasetPartReport *test = &check->report->parts[DATASET_TEST];
    double shift = fabs(test->lum_mean - train->lum_mean) / train->lum_sd;
    double ratio = test->lum_sd / train->lum_sd;
    if (shift > mean_shift_sds || ratio > sd_ratio_most || ratio < 1.0 / sd_ratio_most)
        found(check, FOUND_WARNING,
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
    check_length(&check);
    check_items(&check);
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
