#pragma once
/* Is a data set fit to be fitted? Every way found to be wrong is one sentence: the place, the value,
 * what is expected.
 *
 * An error means that a model fitted to the set would be worthless; a warning, that it may be worse
 * than it looks. Responses and time are read whole. Of a stimulus of whole numbers at most ten
 * minutes are looked at, in stretches of five seconds spread evenly; one of floats, which alone can
 * hold NaN, is read whole. Some seconds for an hour of recording, memory of one stretch. */
#include <stdbool.h>

#include "model/dataset.h"

enum { DATASET_SENTENCE_BYTES = 400, DATASET_FINDINGS_MAX = 64 };

typedef struct {
    bool is_error; // else a warning
    char sentence[DATASET_SENTENCE_BYTES];
} DatasetFinding;

typedef struct {
    double lum_mean, lum_sd; // NaN: the part is not there
    double looked_at;        // share of the stimulus
    int64_t gaps;            // jumps of time past 1.5 bins
    double longest_gap_s;    // 0: none
} DatasetPartReport;

typedef struct {
    DatasetFinding findings[DATASET_FINDINGS_MAX];
    int findings_count; // kept
    int left_out;       // found, but past the room
    int errors;         // of all that were found
    DatasetPartReport parts[DATASET_PARTS];
    int cells;
    double *rates_hz; // (cells), owned: mean over train, over test where there is no train
    bool has_lag;     // responses follow the stimulus clearly enough to tell by how much
    double lag_ms;    // of the strongest tie, from change of the stimulus to response
} DatasetReport;

/* NULL with a sentence in err (MODEL_ERR_BYTES) only when the set cannot be read or memory is
 * short. */
DatasetReport *dataset_check(Dataset *dataset, char *err);
void dataset_report_destroy(DatasetReport *report);
