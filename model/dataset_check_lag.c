#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "model/dataset_findings.h"
#include "model/kind.h"

/* Which change of the stimulus do responses follow, and how long after? The picture is averaged
 * down to a grid; a feature is the step of its luminance from bin to bin, signed for cells of one
 * polarity, and the mean size of the steps of its pixels for those of both. Steps are nearly white
 * in time even in natural movies, so that a lag does not smear into its neighbours. The tie at a lag
 * is the fourth power of the correlation of response and feature, summed over cells and features:
 * of few strong and many weak ones, as receptive fields make them, more than of even noise. */
enum { GRID = 8, NULL_LAGS = 21, CELLS_MAX = 64 }; // cells enough to tell

/* Light cannot be answered before it comes, and not for two photoreceptor delays of 10 ms; no
 * response of a retina peaks after 300 ms. What comes a second before is chance. */
static const double early_s = -0.2, late_s = 0.5, null_from_s = -2.0, null_to_s = -1.0;
static const double slow_ms = 300.0;

/* Past chance by far, or no lag is told: sparse cells under fine noise have none that shows. */
static const double clear_sds = 8.0, clear_ratio = 5.0;

struct LagScan {
    double bin_hz;
    int bins, cells, width_px, height_px, grid_x, grid_y, features;
    int lags, *lag;         // (lags), bins; the last NULL_LAGS tell chance
    float *steps;           // (bins, features)
    float *responses;       // (cells, bins)
    float *ties;            // (lags, cells, features)
    double *step_power;     // (features)
    double *response_power; // (cells)
};

static int bins_of(double seconds, double bin_hz)
{
    return (int)lround(seconds * bin_hz);
}

static void set_lags(LagScan *s)
{
    int count = 0;
    for (int lag = bins_of(early_s, s->bin_hz); lag <= bins_of(late_s, s->bin_hz); lag++)
        s->lag[count++] = lag;
    for (int i = 0; i < NULL_LAGS; i++)
        s->lag[count++] =
            bins_of(null_from_s + (null_to_s - null_from_s) * i / (NULL_LAGS - 1), s->bin_hz);
}

LagScan *lag_scan_create(const DatasetInfo *info, int bins)
{
    if (bins < 2 * bins_of(-null_from_s, info->bin_hz) || info->bin_hz < 10.0)
        return NULL;
    LagScan *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (LagScan){.bin_hz = info->bin_hz,
                   .bins = bins,
                   .cells = info->cells < CELLS_MAX ? info->cells : CELLS_MAX,
                   .width_px = info->width_px,
                   .height_px = info->height_px,
                   .grid_x = info->width_px < GRID ? info->width_px : GRID,
                   .grid_y = info->height_px < GRID ? info->height_px : GRID};
    s->features = 2 * s->grid_x * s->grid_y;
    s->lags = bins_of(late_s, s->bin_hz) - bins_of(early_s, s->bin_hz) + 1 + NULL_LAGS;
    size_t cells = (size_t)s->cells, features = (size_t)s->features, count = (size_t)bins;
    s->lag = calloc((size_t)s->lags, sizeof *s->lag);
    s->steps = calloc(count * features, sizeof *s->steps);
    s->responses = calloc(cells * count, sizeof *s->responses);
    s->ties = calloc((size_t)s->lags * cells * features, sizeof *s->ties);
    s->step_power = calloc(features, sizeof *s->step_power);
    s->response_power = calloc(cells, sizeof *s->response_power);
    if (s->lag && s->steps && s->responses && s->ties && s->step_power && s->response_power) {
        set_lags(s);
        return s;
    }
    lag_scan_destroy(s);
    return NULL;
}

static void take_steps(LagScan *s, const float *lum)
{
    int half = s->features / 2;
    size_t pixels = (size_t)s->width_px * (size_t)s->height_px;
    memset(s->steps, 0, (size_t)s->bins * (size_t)s->features * sizeof *s->steps);
    for (int bin = 1; bin < s->bins; bin++) {
        const float *now = lum + (size_t)bin * pixels, *before = now - pixels;
        float *steps = s->steps + (size_t)bin * (size_t)s->features;
        for (int y = 0; y < s->height_px; y++)
            for (int x = 0; x < s->width_px; x++) {
                int at = y * s->grid_y / s->height_px * s->grid_x + x * s->grid_x / s->width_px;
                float step = now[y * s->width_px + x] - before[y * s->width_px + x];
                steps[at] += step;
                steps[half + at] += fabsf(step);
            }
    }
}

/* Takes the mean off `count` values that stand `stride` apart; their power. */
static double centre(float *values, int count, int stride)
{
    double mean = 0.0, power = 0.0;
    for (int i = 0; i < count; i++)
        mean += (double)values[(size_t)i * (size_t)stride] / count;
    for (int i = 0; i < count; i++) {
        float *value = &values[(size_t)i * (size_t)stride];
        *value = (float)((double)*value - mean);
        power += (double)*value * (double)*value;
    }
    return power;
}

void lag_scan_add(LagScan *s, const float *lum, const float *response)
{
    take_steps(s, lum);
    memcpy(s->responses, response, (size_t)s->cells * (size_t)s->bins * sizeof *response);
    for (int f = 0; f < s->features; f++)
        s->step_power[f] += centre(s->steps + f, s->bins, s->features);
    for (int c = 0; c < s->cells; c++)
        s->response_power[c] += centre(s->responses + (size_t)c * (size_t)s->bins, s->bins, 1);
    for (int i = 0; i < s->lags; i++) {
        int lag = s->lag[i], pairs = s->bins - abs(lag);
        int after = lag > 0 ? lag : 0, before = lag < 0 ? -lag : 0;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s->cells, s->features, pairs,
                    (float)s->bins / (float)pairs, s->responses + after, s->bins,
                    s->steps + (size_t)before * (size_t)s->features, s->features, 1.0f,
                    s->ties + (size_t)i * (size_t)s->cells * (size_t)s->features, s->features);
    }
}

static double tie_at(const LagScan *s, int i)
{
    const float *ties = s->ties + (size_t)i * (size_t)s->cells * (size_t)s->features;
    double sum = 0.0;
    for (int c = 0; c < s->cells; c++)
        for (int f = 0; f < s->features; f++) {
            double tie = (double)ties[(size_t)c * (size_t)s->features + (size_t)f];
            double power = s->step_power[f] * s->response_power[c];
            sum += power > 0.0 ? pow(tie * tie / power, 2.0) : 0.0;
        }
    return sum;
}

/* The lag of the strongest tie, in bins; false when it does not stand out from chance. */
static bool strongest(const LagScan *s, int *lag)
{
    int scanned = s->lags - NULL_LAGS, best = 0;
    double most = -1.0, mean = 0.0, square = 0.0;
    for (int i = 0; i < scanned; i++)
        if (tie_at(s, i) > most) {
            most = tie_at(s, i);
            best = i;
        }
    for (int i = scanned; i < s->lags; i++) {
        mean += tie_at(s, i) / NULL_LAGS;
        square += tie_at(s, i) * tie_at(s, i) / NULL_LAGS;
    }
    *lag = s->lag[best];
    double sd = sqrt(fmax(0.0, square - mean * mean));
    return most > mean + clear_sds * sd && most > clear_ratio * mean;
}

void lag_scan_judge(const LagScan *s, const DatasetCheck *check)
{
    int lag = 0;
    if (!s || !strongest(s, &lag))
        return;
    double ms = 1e3 * lag / s->bin_hz;
    check->report->has_lag = true;
    check->report->lag_ms = ms;
    if (lag < 0)
        dataset_found(
            check, DATASET_ERROR,
            "train: responses precede the stimulus by %.0f ms (%d bins); must follow it: one of "
            "them is shifted",
            -ms, -lag);
    else if (lag == 0)
        dataset_found(
            check, DATASET_WARNING,
            "train: responses come in the bin of the stimulus that they are tied to; expected "
            "are 20 to %.0f ms: is one of them shifted?",
            slow_ms);
    else if (ms > slow_ms)
        dataset_found(
            check, DATASET_WARNING,
            "train: responses follow the stimulus by %.0f ms (%d bins); expected are 20 to %.0f "
            "ms: is one of them shifted?",
            ms, lag, slow_ms);
}

void lag_scan_destroy(LagScan *s)
{
    if (!s)
        return;
    free(s->lag);
    free(s->steps);
    free(s->responses);
    free(s->ties);
    free(s->step_power);
    free(s->response_power);
    free(s);
}
