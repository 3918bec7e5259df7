#include "app/sync_edges.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NOISE_SAMPLES = 4096 };
// of a step between two samples, and of one in noise (in units of the step), which grows with its
// variance
static const double SCATTER_OF_STEP = 0.5, SCATTER_OF_NOISE = 4;
static const double WINDOW_REFRESHES = 1.0 / 3, APART_REFRESHES = 0.4, STEP_LEAST = 0.35;

static double at(const float *samples, int64_t count, int64_t i)
{
    i = i < 0 ? 0 : i >= count ? count - 1 : i; // beyond its ends the recording goes on as it was
    return isfinite(samples[i]) ? (double)samples[i] : 0.0;
}

static bool add(SyncEdges *edges, size_t *room, SyncEdge edge)
{
    if (edges->count == *room) {
        size_t wanted = *room ? 2 * *room : 1024;
        SyncEdge *grown = realloc(edges->edges, wanted * sizeof *grown);
        if (!grown)
            return false;
        edges->edges = grown;
        *room = wanted;
    }
    edges->edges[edges->count++] = edge;
    return true;
}

/* The largest differences of means, none within `apart` of a larger one of its neighbourhood. */
static bool find_peaks(const float *samples, int64_t count, int64_t window, int64_t apart,
                       SyncEdges *edges)
{
    size_t room = 0;
    double before = 0, after = 0;
    for (int64_t i = -window; i < 0; i++) {
        before += at(samples, count, i);
        after += at(samples, count, i + window);
    }
    for (int64_t i = 0; i < count; i++) {
        SyncEdge edge = {i, (float)((after - before) / (double)window)};
        SyncEdge *last = edges->count ? &edges->edges[edges->count - 1] : NULL;
        if (last && i - last->sample < apart) {
            if (fabsf(edge.step) > fabsf(last->step))
                *last = edge;
        } else if (fabsf(edge.step) > 0 && !add(edges, &room, edge))
            return false;
        before += at(samples, count, i) - at(samples, count, i - window);
        after += at(samples, count, i + window) - at(samples, count, i);
    }
    return true;
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* The upper quartile of the `toggles` largest steps: a recording may hold only part of the run. */
static float typical_step(const SyncEdges *edges, int64_t toggles)
{
    float *sizes = malloc((edges->count + 1) * sizeof *sizes);
    if (!sizes || edges->count == 0 || toggles < 1) {
        free(sizes);
        return 0;
    }
    for (size_t i = 0; i < edges->count; i++)
        sizes[i] = fabsf(edges->edges[i].step);
    qsort(sizes, edges->count, sizeof *sizes, by_size);
    size_t largest = (size_t)toggles < edges->count ? (size_t)toggles : edges->count;
    float step = sizes[largest / 4];
    free(sizes);
    return step;
}

/* Noise of a sample: half of the differences from one to the next lie within 0.954 SD of white
 * noise. */
static double find_noise(const float *samples, int64_t count)
{
    float sizes[NOISE_SAMPLES];
    int64_t stride = count / NOISE_SAMPLES + 1;
    size_t found = 0;
    for (int64_t i = 1; i < count; i += stride)
        sizes[found++] = (float)fabs(at(samples, count, i) - at(samples, count, i - 1));
    qsort(sizes, found, sizeof *sizes, by_size);
    return found > 0 ? (double)sizes[found / 2] / 0.954 : 0;
}

bool sync_edges_find(const float *samples, int64_t count, double refresh_samples, int64_t toggles,
                     SyncEdges *edges)
{
    *edges = (SyncEdges){0};
    int64_t window = llround(refresh_samples * WINDOW_REFRESHES);
    int64_t apart = llround(refresh_samples * APART_REFRESHES);
    if (!find_peaks(samples, count, window < 2 ? 2 : window, apart, edges))
        return false;
    int64_t most = (int64_t)((double)count / refresh_samples);
    edges->step = typical_step(edges, toggles < most ? toggles : most);
    double noise = edges->step > 0 ? find_noise(samples, count) / (double)edges->step : 0;
    edges->scatter = SCATTER_OF_STEP + SCATTER_OF_NOISE * noise * noise;
    size_t kept = 0;
    for (size_t i = 0; i < edges->count; i++)
        if (fabs((double)edges->edges[i].step) > STEP_LEAST * (double)edges->step)
            edges->edges[kept++] = edges->edges[i];
    edges->count = kept;
    return true;
}

double sync_mean(const float *samples, int64_t count, double from, double until)
{
    int64_t first = (int64_t)fmax(ceil(from), 0), end = (int64_t)fmin(ceil(until), (double)count);
    double sum = 0;
    for (int64_t i = first; i < end; i++)
        sum += at(samples, count, i);
    return end > first ? sum / (double)(end - first) : (double)NAN;
}

void sync_edges_finish(SyncEdges *edges)
{
    free(edges->edges);
    *edges = (SyncEdges){0};
}
