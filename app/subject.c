#include "app/subject.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/bar_noise.h"

bool subject_open(Subject *subject, Model *model, const atomic_bool *stop)
{
    const ModelInfo *info = model_info(model);
    size_t cells = (size_t)info->cells;
    *subject = (Subject){
        .model = model,
        .info = info,
        .raster = {info->width_px, info->height_px, info->um_per_px},
        .bin_ms = 1e3 / info->bin_hz,
        .x_um = calloc(cells, sizeof(double)),
        .y_um = calloc(cells, sizeof(double)),
        .is_place_measured = !info->cell_x_um,
        .stop = stop,
        .frame = calloc((size_t)info->width_px * (size_t)info->height_px, sizeof(float)),
    };
    bool ok = subject->x_um && subject->y_um && subject->frame;
    for (size_t c = 0; ok && info->cell_x_um && c < cells; c++) {
        subject->x_um[c] = (double)info->cell_x_um[c];
        subject->y_um[c] = (double)info->cell_y_um[c];
    }
    if (ok && subject->is_place_measured)
        ok = bar_noise_places(subject);
    if (!ok)
        subject_close(subject);
    return ok;
}

void subject_close(Subject *subject)
{
    free(subject->x_um);
    free(subject->y_um);
    free(subject->frame);
    *subject = (Subject){0};
}

static bool is_stopped(const Subject *subject)
{
    return subject->stop && atomic_load_explicit(subject->stop, memory_order_relaxed);
}

/* One bin of the movie: rates_hz (cells) of that bin. */
static bool step(Subject *subject, SubjectDraw *draw, const void *movie, int bin, float *rates_hz)
{
    const ModelInfo *info = subject->info;
    int shown = bin - info->lag_bins; // the newest frame that the rate of this bin may see
    if (shown < 0)
        subject_fill(&subject->raster, 0.0, subject->frame);
    else
        draw(movie, shown, &subject->raster, subject->frame);
    for (int i = 0; i < info->width_px * info->height_px; i++)
        subject->frame[i] = (float)(info->lum_mean + info->lum_sd * (double)subject->frame[i]);
    model_step(subject->model, subject->frame, rates_hz);
    model_settle(subject->model);
    subject->bins++;
    if (subject->progress && subject->bins % 64 == 0)
        subject->progress(subject->progress_ctx, subject->bins);
    return !is_stopped(subject);
}

bool subject_show(Subject *subject, SubjectDraw *draw, const void *movie, int bins, float *rates_hz)
{
    return subject_show_branches(subject, draw, movie, bins, rates_hz, NULL, 0, 0);
}

static bool show_branch(Subject *subject, SubjectDraw *draw, const SubjectBranch *branch,
                        int bins_after)
{
    for (int i = 0; i < bins_after; i++)
        if (!step(subject, draw, branch->movie, branch->fork_bin + i,
                  branch->rates_hz + (ptrdiff_t)i * subject->info->cells))
            return false;
    return true;
}

/* The past a model of fixed history can remember, then the branch. */
static bool show_alone(Subject *subject, SubjectDraw *draw, const SubjectBranch *branch,
                       int bins_after)
{
    int first = branch->fork_bin - subject->info->history_bins - subject->info->lag_bins;
    model_reset(subject->model);
    for (int bin = first > 0 ? first : 0; bin < branch->fork_bin; bin++)
        if (!step(subject, draw, branch->movie, bin, branch->rates_hz))
            return false;
    return show_branch(subject, draw, branch, bins_after);
}

bool subject_show_branches(Subject *subject, SubjectDraw *draw, const void *movie, int bins,
                           float *rates_hz, const SubjectBranch *branches, int count,
                           int bins_after)
{
    bool is_recursive = subject->info->history_bins == 0;
    int next = 0;
    model_reset(subject->model);
    for (int bin = 0; bin < bins; bin++) {
        for (; is_recursive && next < count && branches[next].fork_bin == bin; next++) {
            model_mark(subject->model);
            if (!show_branch(subject, draw, &branches[next], bins_after))
                return false;
            model_rewind(subject->model);
        }
        if (!step(subject, draw, movie, bin, rates_hz + (ptrdiff_t)bin * subject->info->cells))
            return false;
    }
    for (; next < count; next++)
        if (!show_alone(subject, draw, &branches[next], bins_after))
            return false;
    return true;
}

int subject_bins(const Subject *subject, double ms)
{
    return (int)lrint(ms / subject->bin_ms);
}

void subject_fill(const Raster *raster, double contrast, float *frame)
{
    for (int i = 0; i < raster->width_px * raster->height_px; i++)
        frame[i] = (float)contrast;
}

void subject_bar(const Raster *raster, double x_um, double width_um, double contrast, float *frame)
{
    const Scene scene = {
        .kind = SCENE_STRIPE,
        .stripe = {(float)contrast, 1.0F, 0.0F, x_um, width_um},
    };
    const Raster row = {raster->width_px, 1, raster->um_per_px};
    scene_average(&scene, &row, frame);
    for (int y = 1; y < raster->height_px; y++)
        memcpy(frame + (ptrdiff_t)y * raster->width_px, frame,
               (size_t)raster->width_px * sizeof *frame);
}
