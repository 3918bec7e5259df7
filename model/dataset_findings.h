#pragma once
/* The parts of dataset_check(): each looks at one side of the set and adds what it finds. All false
 * with a sentence in err only when the set cannot be read or memory is short. */
#include "model/dataset_check.h"

typedef struct {
    Dataset *set;
    const DatasetInfo *info;
    DatasetReport *report;
    char *err;
} DatasetCheck;

typedef enum { DATASET_WARNING, DATASET_ERROR } DatasetSeverity;

void dataset_found(const DatasetCheck *check, DatasetSeverity severity, const char *format, ...);

/* The response of the part that the checks go by: spikes, else the smoothed rate there is;
 * DATASET_RESPONSES when there is neither. */
DatasetResponse dataset_check_by(const DatasetCheck *check, DatasetPart part);
bool dataset_check_responses(const DatasetCheck *check, DatasetPart part);
bool dataset_check_repeats(const DatasetCheck *check);
bool dataset_check_time(const DatasetCheck *check, DatasetPart part);
bool dataset_check_stimulus(const DatasetCheck *check, DatasetPart part);

/* Stretches of the stimulus and the responses beside them, gathered for the lag. */
typedef struct LagScan LagScan;

/* bins is the length of every stretch. NULL where that is too short to tell, or without memory. */
LagScan *lag_scan_create(const DatasetInfo *info, int bins);

/* lum (bins, height_px, width_px), response (cells, bins) of the same bins. */
void lag_scan_add(LagScan *scan, const float *lum, const float *response);

/* Adds the finding and report->has_lag. */
void lag_scan_judge(const LagScan *scan, const DatasetCheck *check);
void lag_scan_destroy(LagScan *scan);
