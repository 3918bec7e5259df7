#pragma once
/* Two-dimensional Fourier transforms of many planes at once, as matrix products, for fitting.
 *
 * A plane's values for a batch lie side by side, so every step is one large sgemm: shapes end in
 * (batch), and the batch is time within a run, times channels where there are some. A plane of real
 * values is (rows, columns, batch); its spectrum is (nx/2 + 1, ny, 2, batch), re and im in turn, kx
 * slowest, so that a layer can work through one kx after the other. Planes smaller than ny by nx
 * are padded with zeros, and inverses are cut to the wanted corner, for free. Exact: no window, no
 * approximation. */
#include <stdbool.h>

typedef struct {
    int nx, ny, half;         // half = nx / 2 + 1
    float *row_forward;       // (2 half, nx)
    float *column_forward[2]; // (2 ny, ny) for the real and the imaginary part of a row's transform
    float *column_inverse[2]; // (ny, 2 ny) giving the real and the imaginary part
    float *row_inverse;       // (nx, 2 half)
} FitDft;

/* False when out of memory; *dft is then finished. */
bool fit_dft_init(FitDft *dft, int nx, int ny);
void fit_dft_finish(FitDft *dft);

/* One row of a plane, columns (columns, batch), to row (2 half, batch). */
void fit_dft_row(const FitDft *dft, int columns, int batch, const float *in, float *row);

/* rows (rows, 2 half, batch), to the spectrum's kx-th part (ny, 2, batch). */
void fit_dft_column(const FitDft *dft, int rows, int batch, int kx, const float *in, float *part);

/* The way back: the kx-th part into rows (rows, 2 half, batch); when all are done, each row. */
void fit_dft_column_back(const FitDft *dft, int rows, int batch, int kx, const float *part,
                         float *out);
void fit_dft_row_back(const FitDft *dft, int columns, int batch, const float *row, float *out);
