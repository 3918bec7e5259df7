#include <math.h>
#include <stdlib.h>

#include "model/dataset_findings.h"
#include "model/kind.h"

enum { BLOCK_BINS = 65536 };

/* Half a bin of jitter is a late frame; more is time that is missing. Clocks of display and
 * recorder drift apart by less than a hundredth. */
static const double gap_bins = 1.5, rate_error_most = 0.01;

/* Bins of a recording are 1 to 100 ms; others mean that time is not in seconds. */
static const double bin_hz_least = 10.0, bin_hz_most = 1000.0;

typedef struct {
    double last_s, step_sum_s;
    int64_t bins, steps, gaps, first_gap_bin;
    double first_gap_s, longest_gap_s;
    int64_t backward_bin, odd_bin; // −1: none
    double before_s, after_s;      // around backward_bin
} Clock;

static void add(Clock *c, double time_s, double bin_s)
{
    double step = time_s - c->last_s;
    int64_t bin = c->bins++;
    if (!isfinite(time_s)) {
        if (c->odd_bin < 0)
            c->odd_bin = bin;
        return;
    }
    c->last_s = time_s;
    if (bin == 0 || c->odd_bin >= 0)
        return;
    if (step <= 0.0 && c->backward_bin < 0) {
        c->backward_bin = bin;
        c->before_s = time_s - step;
        c->after_s = time_s;
    }
    if (step > 0.0) {
        c->step_sum_s += step <= gap_bins * bin_s ? step : 0.0;
        c->steps += step <= gap_bins * bin_s;
    }
    if (step <= gap_bins * bin_s)
        return;
    if (c->gaps++ == 0) {
        c->first_gap_bin = bin;
        c->first_gap_s = step;
    }
    c->longest_gap_s = step > c->longest_gap_s ? step : c->longest_gap_s;
}

/* Where most steps are gaps it is the rate that is wrong. */
static void judge_rate(const DatasetCheck *check, DatasetPart part, const Clock *c, double span_s)
{
    const DatasetInfo *info = check->info;
    if (c->gaps + c->steps == 0)
        return;
    bool is_slower = c->gaps > c->steps;
    double step_s = is_slower ? span_s / (double)(c->bins - 1) : c->step_sum_s / (double)c->steps;
    if (fabs(step_s * info->bin_hz - 1.0) > rate_error_most)
        dataset_found(
            check, DATASET_ERROR,
            "%s/time steps by %.4g s, %.4g bins a second, where the set says %g; must agree",
            dataset_part_name(part), step_s, 1.0 / step_s, info->bin_hz);
    else if (info->bin_hz < bin_hz_least || info->bin_hz > bin_hz_most)
        dataset_found(
            check, DATASET_ERROR,
            "%s/time steps by %.4g, which as seconds is %g bins a second; must be seconds, with "
            "%g to %g bins a second",
            dataset_part_name(part), step_s, info->bin_hz, bin_hz_least, bin_hz_most);
}

static void judge(const DatasetCheck *check, DatasetPart part, const Clock *c, double span_s)
{
    const char *name = dataset_part_name(part);
    if (c->odd_bin >= 0)
        dataset_found(check, DATASET_ERROR,
                      "%s/time is not a number at bin %lld; must be seconds, rising", name,
                      (long long)c->odd_bin);
    else
        judge_rate(check, part, c, span_s);
    if (c->backward_bin >= 0)
        dataset_found(
            check, DATASET_WARNING,
            "%s/time does not rise at bin %lld, from %.6g to %.6g s; expected is that it does: "
            "bins out of order, or a clock begun anew?",
            name, (long long)c->backward_bin, c->before_s, c->after_s);
    if (c->gaps == 0 || c->gaps > c->steps)
        return;
    check->report->parts[part].gaps = c->gaps;
    check->report->parts[part].longest_gap_s = c->longest_gap_s;
    dataset_found(
        check, DATASET_WARNING,
        "%s/time has %lld gaps, the first before bin %lld (%.4g s), the longest %.4g s; expected "
        "are none: the bins beside a gap count as neighbours",
        name, (long long)c->gaps, (long long)c->first_gap_bin, c->first_gap_s, c->longest_gap_s);
}

static void judge_without(const DatasetCheck *check, DatasetPart part)
{
    if (check->info->bin_hz_source == DATASET_BIN_HZ_ASSUMED)
        dataset_found(check, DATASET_WARNING,
                      "%s/time is not there and no bin_hz either; %g bins a second are assumed",
                      dataset_part_name(part), check->info->bin_hz);
}

bool dataset_check_time(const DatasetCheck *check, DatasetPart part)
{
    if (!dataset_has_time(check->set, part)) {
        judge_without(check, part);
        return true;
    }
    int64_t bins = dataset_bins(check->set, part);
    Clock clock = {.backward_bin = -1, .odd_bin = -1};
    double first_s = 0.0, *time_s = malloc(BLOCK_BINS * sizeof *time_s);
    bool ok = time_s || model_refuse(check->err, "not enough memory to check the time");
    for (int64_t at = 0; ok && at < bins; at += BLOCK_BINS) {
        int count = bins - at < BLOCK_BINS ? (int)(bins - at) : BLOCK_BINS;
        ok = dataset_read_time(check->set, part, at, count, time_s, check->err);
        if (at == 0 && ok)
            first_s = time_s[0];
        for (int i = 0; ok && i < count; i++)
            add(&clock, time_s[i], 1.0 / check->info->bin_hz);
    }
    free(time_s);
    if (ok && bins > 1)
        judge(check, part, &clock, clock.last_s - first_s);
    return ok;
}
