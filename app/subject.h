#pragma once
/* A model as the subject of an experiment: shown a movie from adapted grey, it gives the rates of
 * every bin of the movie.
 *
 * Light is in the model's own units, as in the papers: contrast s = (luminance − lum_mean) / lum_sd,
 * grey 0, a dark flash −2. The luminance the model gets, lum_mean + s lum_sd, need not be within
 * 0 … 1. The rates of bin t are those the model gives for bin t (ModelInfo.lag_bins is accounted
 * for), so models of different lag compare. One thread at a time. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "render/scene.h"

typedef struct {
    Model *model;          // borrowed
    const ModelInfo *info; // lent by the model
    Raster raster;         // of the model's input
    double bin_ms;
    double *x_um, *y_um;     // (cells), owned; receptive-field centres, x right, y up
    bool is_place_measured;  // the file does not say where its cells are: found with bar noise
    const atomic_bool *stop; // borrowed; NULL: never
    void (*progress)(void *ctx, int64_t bins);
    void *progress_ctx;
    int64_t bins; // shown so far
    float *frame; // owned
} Subject;

/* One frame: contrast (raster) of the bin; bins below 0 are not asked for. */
typedef void SubjectDraw(const void *movie, int bin, const Raster *raster, float *contrast);

/* Borrows the model. Finds the places of the cells if the model does not know them. False without
 * memory or when stopped. */
bool subject_open(Subject *subject, Model *model, const atomic_bool *stop);
void subject_close(Subject *subject);

/* Adapted grey, then `bins` bins of the movie; rates_hz (bins, cells). False when stopped. */
bool subject_show(Subject *subject, SubjectDraw *draw, const void *movie, int bins,
                  float *rates_hz);

/* A movie that goes its own way after bin fork_bin of another. */
typedef struct {
    const void *movie;
    int fork_bin;    // 0 or more, within the other movie
    float *rates_hz; // (bins_after, cells) from bin fork_bin on
} SubjectBranch;

/* The movie as subject_show() and each branch (count, fork_bin rising) as if it had been shown from
 * its beginning. A model of fixed history is shown that much of the past before the fork; another
 * is marked at the fork and rewound, so the common past is shown once. */
bool subject_show_branches(Subject *subject, SubjectDraw *draw, const void *movie, int bins,
                           float *rates_hz, const SubjectBranch *branches, int count,
                           int bins_after);

/* The bins of that many ms, rounded to the nearest. */
int subject_bins(const Subject *subject, double ms);

/* Uniform light: contrast everywhere. */
void subject_fill(const Raster *raster, double contrast, float *frame);

/* A bar across the whole field, upright, its centre at x: the exact area average. */
void subject_bar(const Raster *raster, double x_um, double width_um, double contrast, float *frame);
