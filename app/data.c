#include "app/data.h"

#include <stdio.h>
#include <string.h>

#include "app/paths.h"
#include "config/arrays.h"

enum { PLACE_BYTES = PATH_BYTES + 1024 };

/* The arrays of one part under the paths they were found at. */
typedef struct {
    char stimulus[PLACE_BYTES], response[PLACE_BYTES], time[PLACE_BYTES], repeats[PLACE_BYTES];
} FoundPart;

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length >= tail && !strcmp(name + length - tail, ending);
}

static bool is_yaml(const char *path)
{
    return ends_in(path, ".yaml") || ends_in(path, ".yml");
}

/* found (PLACE_BYTES) := place, its file as it was found; NULL for no place. */
static const char *find(const char *near, const char *place, char *found)
{
    char file[PATH_BYTES], path[PATH_BYTES];
    if (!place)
        return NULL;
    const char *colon = ends_in(place, ".npy") ? NULL : strrchr(place, ':');
    snprintf(file, sizeof file, "%.*s", colon ? (int)(colon - place) : (int)strlen(place), place);
    path_find_near(near, file, path);
    snprintf(found, PLACE_BYTES, "%s%.1000s", path, colon ? colon : "");
    return found;
}

static DatasetPlaces places_of(const char *near, const ArraysPart *part, FoundPart *found)
{
    if (!part)
        return (DatasetPlaces){0};
    return (DatasetPlaces){
        .stimulus = find(near, part->stimulus, found->stimulus),
        .response = find(near, part->response, found->response),
        .time = find(near, part->time, found->time),
        .repeats = find(near, part->repeats, found->repeats),
    };
}

static Dataset *open_arrays(const char *path, const Arrays *a, char *err)
{
    static const ArraysAxis stimulus[] = {ARRAYS_TIME, ARRAYS_Y, ARRAYS_X};
    static const ArraysAxis response[] = {ARRAYS_CELL, ARRAYS_TIME};
    static const ArraysAxis repeats[] = {ARRAYS_CELL, ARRAYS_REPEAT, ARRAYS_TIME};
    FoundPart train, test;
    DatasetArrays set = {
        .path = path,
        .name = a->name,
        .provenance = a->provenance,
        .licence = a->licence,
        .is_simulated = a->is_simulated,
        .bin_hz = a->bin_hz,
        .um_per_px = a->um_per_px,
        .lum_per_level = a->lum_per_level,
        .cell_names = (const char *const *)a->cell_names,
        .cell_names_count = (int)a->cell_names_count,
        .response_unit = a->response_unit == ARRAYS_HZ ? DATASET_HZ : DATASET_SPIKES_PER_BIN,
        .parts = {[DATASET_TRAIN] = places_of(path, a->train, &train),
                  [DATASET_TEST] = places_of(path, a->test, &test)},
    };
    const ArraysAxes *axes = a->axes;
    arrays_order(axes ? axes->stimulus : NULL, stimulus, 3, set.stimulus_order);
    arrays_order(axes ? axes->response : NULL, response, 2, set.response_order);
    arrays_order(axes ? axes->repeats : NULL, repeats, 3, set.repeats_order);
    return dataset_open_arrays(&set, err);
}

Dataset *data_open(const char *path, char *err)
{
    if (!is_yaml(path))
        return dataset_open(path, err);
    Arrays *arrays = arrays_load(path, err);
    Dataset *dataset = arrays ? open_arrays(path, arrays, err) : NULL;
    arrays_destroy(arrays);
    return dataset;
}

bool data_is_meant(const char *path)
{
    return is_yaml(path) ? arrays_is_meant(path) : dataset_is_meant(path);
}

void data_talk_of_findings(const DatasetReport *report, FILE *talk)
{
    for (int i = 0; i < report->findings_count; i++)
        fprintf(talk, "%-11s %s\n", report->findings[i].is_error ? "error" : "warning",
                report->findings[i].sentence);
    if (report->left_out > 0)
        fprintf(talk, "%-11s %d more findings like these\n", "", report->left_out);
}

bool data_is_fit(Dataset *dataset, FILE *talk, char *err)
{
    DatasetReport *report = dataset_check(dataset, err);
    if (!report)
        return false;
    data_talk_of_findings(report, talk);
    bool is_fit = report->errors == 0;
    if (!is_fit)
        snprintf(err, DATA_ERR_BYTES, "%.200s: is not fit to be fitted; errors, as above: %d",
                 dataset_path(dataset), report->errors);
    dataset_report_destroy(report);
    return is_fit;
}
