#include <math.h>
#include <stdlib.h>

#include "model/dataset_findings.h"
#include "model/kind.h"

enum { STRETCHES_MAX = 120, STRETCH_VALUES_MAX = 1 << 25 };

/* Long enough for the two seconds of lag that the scan needs on either side. */
static const double stretch_s = 5.0;

/* Luminance is 0 … 1 by what the set says of it; more is levels taken for luminance. */
static const double lum_most = 1.0 + 1e-3, lum_least = -1e-6;

typedef struct {
    double sum, square_sum, count, most, least;
    float *pixel_most, *pixel_least; // (pixels)
    int64_t odd_bin;                 // −1: none
    int odd_pixel;
    size_t pixels;
} Light;

static void add(Light *light, const float *lum, int64_t from, int bins)
{
    for (int bin = 0; bin < bins; bin++, lum += light->pixels)
        for (size_t i = 0; i < light->pixels; i++) {
            double value = (double)lum[i];
            if (!isfinite(value)) {
                if (light->odd_bin < 0) {
                    light->odd_bin = from + bin;
                    light->odd_pixel = (int)i;
                }
                continue;
            }
            light->sum += value;
            light->square_sum += value * value;
            light->count += 1.0;
            if (lum[i] > light->pixel_most[i])
                light->pixel_most[i] = lum[i];
            if (lum[i] < light->pixel_least[i])
                light->pixel_least[i] = lum[i];
        }
}

static void judge_pixels(const DatasetCheck *check, DatasetPart part, const Light *light)
{
    const char *where = dataset_part_name(part);
    int width_px = check->info->width_px, first = -1;
    size_t still = 0;
    double most = -HUGE_VAL, least = HUGE_VAL;
    for (size_t i = 0; i < light->pixels; i++) {
        if (!(light->pixel_most[i] > light->pixel_least[i])) {
            still++;
            first = first < 0 ? (int)i : first;
        }
        most = fmax(most, (double)light->pixel_most[i]);
        least = fmin(least, (double)light->pixel_least[i]);
    }
    if (!(most > least)) {
        dataset_found(check, DATASET_ERROR,
                      "%s/stimulus is constant: luminance %.4g everywhere; must change", where,
                      most);
        return;
    }
    if (still > 0)
        dataset_found(
            check, DATASET_WARNING,
            "%s/stimulus: %zu of %zu pixels never change, the first in row %d, column %d, of "
            "luminance %.4g; expected are none: a model learns nothing there",
            where, still, light->pixels, first / width_px, first % width_px,
            (double)light->pixel_most[first]);
    if (most > lum_most || least < lum_least)
        dataset_found(check, DATASET_WARNING,
                      "%s/stimulus reaches from luminance %.4g to %.4g; expected is 0 to 1: say "
                      "lum_per_level, 1/255 for 8-bit levels",
                      where, least, most);
}

static void judge(const DatasetCheck *check, DatasetPart part, const Light *light)
{
    if (light->odd_bin >= 0) {
        int width_px = check->info->width_px;
        dataset_found(check, DATASET_ERROR,
                      "%s/stimulus is not a number at bin %lld, row %d, column %d; must be finite",
                      dataset_part_name(part), (long long)light->odd_bin,
                      light->odd_pixel / width_px, light->odd_pixel % width_px);
        return;
    }
    DatasetPartReport *report = &check->report->parts[part];
    report->lum_mean = light->sum / light->count;
    report->lum_sd =
        sqrt(fmax(0.0, light->square_sum / light->count - report->lum_mean * report->lum_mean));
    judge_pixels(check, part, light);
}

/* One pass over the stretches, for light and, when scan is not NULL, lag. */
static bool look(const DatasetCheck *check, DatasetPart part, int stretch, int64_t stretches,
                 Light *light, LagScan *scan)
{
    int64_t bins = dataset_bins(check->set, part);
    int cells = check->info->cells;
    float *lum = malloc((size_t)stretch * light->pixels * sizeof *lum);
    float *response = malloc((size_t)stretch * (size_t)cells * sizeof *response);
    bool ok = (lum && response) || model_refuse(check->err, "not enough memory for the stimulus");
    for (int64_t i = 0; ok && i < stretches; i++) {
        int64_t from =
            stretches * stretch >= bins ? i * stretch : (bins - stretch) * i / (stretches - 1);
        int count = bins - from < stretch ? (int)(bins - from) : stretch;
        ok = dataset_read_lum(check->set, part, from, count, lum, check->err);
        if (ok)
            add(light, lum, from, count);
        if (!ok || !scan || count < stretch)
            continue;
        ok = dataset_read_response(check->set, part, dataset_check_by(check, part), from, count,
                                   response, check->err);
        if (ok)
            lag_scan_add(scan, lum, response);
    }
    free(lum);
    free(response);
    return ok;
}

static bool is_read_whole(const DatasetCheck *check, DatasetPart part)
{
    const DatasetItem *item;
    for (int i = 0; (item = dataset_item(check->set, i)); i++)
        if (item->part == part && item->rank == 3)
            return !item->is_whole;
    return true;
}

static int stretch_bins(const DatasetInfo *info, int64_t bins)
{
    double most = (double)STRETCH_VALUES_MAX / info->width_px / info->height_px;
    double wanted = fmin(fmin(stretch_s * info->bin_hz, most), (double)bins);
    return wanted > 1.0 ? (int)wanted : 1;
}

bool dataset_check_stimulus(const DatasetCheck *check, DatasetPart part)
{
    const DatasetInfo *info = check->info;
    int64_t bins = dataset_bins(check->set, part);
    int stretch = stretch_bins(info, bins);
    int64_t stretches = (bins + stretch - 1) / stretch;
    if (stretches > STRETCHES_MAX && !is_read_whole(check, part))
        stretches = STRETCHES_MAX;
    Light light = {.odd_bin = -1, .pixels = (size_t)info->width_px * (size_t)info->height_px};
    light.pixel_most = malloc(light.pixels * sizeof(float));
    light.pixel_least = malloc(light.pixels * sizeof(float));
    LagScan *scan = part == DATASET_TRAIN ? lag_scan_create(info, stretch) : NULL;
    bool ok = (light.pixel_most && light.pixel_least) ||
              model_refuse(check->err, "not enough memory for the stimulus");
    for (size_t i = 0; ok && i < light.pixels; i++) {
        light.pixel_most[i] = -HUGE_VALF;
        light.pixel_least[i] = HUGE_VALF;
    }
    ok = ok && look(check, part, stretch, stretches, &light, scan);
    if (ok) {
        check->report->parts[part].looked_at =
            fmin(1.0, (double)(stretches * stretch) / (double)bins);
        judge(check, part, &light);
        lag_scan_judge(scan, check);
    }
    lag_scan_destroy(scan);
    free(light.pixel_most);
    free(light.pixel_least);
    return ok;
}
