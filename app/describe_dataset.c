#include "app/describe.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "app/data.h"
#include "model/dataset_check.h"

static const char *bin_source(const DatasetInfo *info)
{
    static const char *const sources[] = {[DATASET_BIN_HZ_SAID] = "as the file says",
                                          [DATASET_BIN_HZ_TIMED] = "by the time stamps",
                                          [DATASET_BIN_HZ_ASSUMED] = "assumed"};
    return sources[info->bin_hz_source];
}

static const char *form_name(DatasetRepeatsForm form)
{
    static const char *const forms[] = {[DATASET_REPEATS_NONE] = "none",
                                        [DATASET_REPEATS_BY_CELL] = "by cell",
                                        [DATASET_REPEATS_BY_RESPONSE] = "by response",
                                        [DATASET_REPEATS_ARRAY] = "one array"};
    return forms[form];
}

static void shape_text(const DatasetItem *item, char *text, size_t bytes)
{
    size_t used = 0;
    for (int i = 0; i < item->rank && used < bytes; i++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%" PRId64, i ? " × " : "",
                                 item->dims[i]);
}

static const char *unit_of(const DatasetItem *item, const DatasetInfo *info)
{
    bool is_hz = strstr(item->name, "repeats") ? info->repeats_unit == DATASET_HZ
                                               : !strstr(item->name, "binned");
    return strstr(item->name, "stimulus") ? item->is_whole ? "levels" : "luminance"
           : strstr(item->name, "time")   ? "s"
           : is_hz                        ? "Hz"
                                          : "spikes per bin";
}

static void talk_of_items(const Dataset *set, const DatasetInfo *info, FILE *talk)
{
    const DatasetItem *item;
    char shape[96];
    for (int i = 0; (item = dataset_item(set, i)); i++) {
        shape_text(item, shape, sizeof shape);
        fprintf(talk, "%-11s %s, %s, %s%s\n", i ? "" : "arrays", item->name, shape,
                unit_of(item, info),
                !strstr(item->name, "repeats")       ? ""
                : strstr(item->name, "repeats/cell") ? ", and so on by cell"
                                                     : ", read as cells × repeats × bins");
    }
}

static void talk_of_part(const Dataset *set, DatasetPart part, const DatasetReport *report,
                         FILE *talk)
{
    const DatasetPartReport *p = &report->parts[part];
    double minutes = (double)dataset_bins(set, part) / dataset_info(set)->bin_hz / 60;
    if (dataset_bins(set, part) == 0)
        return;
    fprintf(talk, "%-11s %.2f min", dataset_part_name(part), minutes);
    if (part == DATASET_TEST && dataset_info(set)->repeats > 0)
        fprintf(talk, " × %d repeats (%s)", dataset_info(set)->repeats,
                form_name(dataset_info(set)->repeats_form));
    fprintf(talk, ", luminance mean %.4g, SD %.4g", p->lum_mean, p->lum_sd);
    if (p->looked_at < 0.999)
        fprintf(talk, " (%.0f %% looked at)", 100 * p->looked_at);
    if (dataset_has_time(set, part))
        fprintf(talk, ", %" PRId64 " gaps", p->gaps);
    fprintf(talk, "\n");
}

static void talk_of_set(const Dataset *set, const char *path, const DatasetReport *report,
                        FILE *talk)
{
    const DatasetInfo *info = dataset_info(set);
    fprintf(talk, "data set %s%s\n", info->name[0] ? info->name : path,
            info->is_simulated ? ": simulated, not a recording" : "");
    fprintf(talk, "stimulus    %d × %d px", info->width_px, info->height_px);
    if (info->um_per_px > 0)
        fprintf(talk, " of %g um", info->um_per_px);
    fprintf(talk, ", %g bins a second, %s\n", info->bin_hz, bin_source(info));
    talk_of_items(set, info, talk);
    for (int part = 0; part < DATASET_PARTS; part++)
        talk_of_part(set, (DatasetPart)part, report, talk);
    for (int c = 0; c < info->cells; c++)
        fprintf(talk, "cell %-3d    %s, %.2f Hz on average\n", c, info->cell_names[c],
                report->rates_hz[c]);
    if (report->has_lag)
        fprintf(talk, "lag         responses follow changes of the stimulus by %.0f ms\n",
                report->lag_ms);
    else
        fprintf(talk, "lag         not told: no tie of responses to changes of the stimulus stands "
                      "out\n");
    if (info->provenance[0])
        fprintf(talk, "from        %s\n", info->provenance);
    if (info->licence[0])
        fprintf(talk, "licence     %s\n", info->licence);
}

static json_t *json_of_findings(const DatasetReport *report)
{
    json_t *findings = json_array();
    for (int i = 0; i < report->findings_count; i++)
        json_array_append_new(findings,
                              json_pack("{ss ss}", "severity",
                                        report->findings[i].is_error ? "error" : "warning",
                                        "sentence", report->findings[i].sentence));
    return findings;
}

static json_t *json_of_arrays(const Dataset *set)
{
    json_t *arrays = json_object();
    const DatasetItem *item;
    for (int i = 0; (item = dataset_item(set, i)); i++) {
        json_t *shape = json_array();
        for (int j = 0; j < item->rank; j++)
            json_array_append_new(shape, json_integer(item->dims[j]));
        json_object_set_new(
            arrays, item->name,
            json_pack("{so ss}", "shape", shape, "unit", unit_of(item, dataset_info(set))));
    }
    return arrays;
}

static json_t *json_of_cells(const DatasetInfo *info, const DatasetReport *report)
{
    json_t *cells = json_array();
    for (int c = 0; c < info->cells; c++)
        json_array_append_new(
            cells, json_pack("{ss sf}", "name", info->cell_names[c], "mean_rate_hz",
                             isfinite(report->rates_hz[c]) ? report->rates_hz[c] : -1.0));
    return cells;
}

static void summarise(const Dataset *set, const DatasetReport *report, json_t *summary)
{
    const DatasetInfo *info = dataset_info(set);
    double bins_a_minute = 60 * info->bin_hz;
    json_t *facts = json_pack(
        "{ss ss si sf ss sf sf sf si ss ss sI sI sb so so so si}", "kind", "dataset", "name",
        info->name, "cells", info->cells, "bin_hz", info->bin_hz, "bin_hz_source", bin_source(info),
        "um_per_px", info->um_per_px, "train_minutes",
        (double)dataset_bins(set, DATASET_TRAIN) / bins_a_minute, "test_minutes",
        (double)dataset_bins(set, DATASET_TEST) / bins_a_minute, "repeats", info->repeats,
        "repeats_form", form_name(info->repeats_form), "repeats_unit",
        info->repeats_unit == DATASET_HZ ? "hz" : "spikes_per_bin", "train_gaps",
        (json_int_t)report->parts[DATASET_TRAIN].gaps, "test_gaps",
        (json_int_t)report->parts[DATASET_TEST].gaps, "simulated", (int)info->is_simulated,
        "arrays", json_of_arrays(set), "cell_rates", json_of_cells(info, report), "findings",
        json_of_findings(report), "errors", report->errors);
    if (report->has_lag)
        json_object_set_new(facts, "lag_ms", json_real(report->lag_ms));
    json_object_update(summary, facts);
    json_decref(facts);
}

DescribeVerdict describe_dataset(const char *path, FILE *talk, json_t *summary, char *err)
{
    if (!data_is_meant(path))
        return DESCRIBE_OTHER;
    Dataset *set = data_open(path, err);
    if (!set)
        return DESCRIBE_REFUSED;
    DatasetReport *report = dataset_check(set, err);
    DescribeVerdict verdict = DESCRIBE_REFUSED;
    if (report) {
        talk_of_set(set, path, report, talk);
        data_talk_of_findings(report, talk);
        summarise(set, report, summary);
        verdict = report->errors > 0 ? DESCRIBE_UNFIT : DESCRIBE_WHOLE;
    }
    dataset_report_destroy(report);
    dataset_close(set);
    return verdict;
}
