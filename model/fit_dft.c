#include "model/fit_dft.h"

#include <math.h>
#include <stdlib.h>

#include <cblas.h>

#include "model/kind.h"

static const double TURN = 6.283185307179586;

static void fill_rows(FitDft *d)
{
    int nx = d->nx, half = d->half;
    double scale = 1.0 / ((double)nx * d->ny);
    for (int k = 0; k < half; k++)
        for (int x = 0; x < nx; x++) {
            double angle = TURN * (k * x % nx) / nx;
            // the spectrum's other half is the conjugate of this one
            double weight = (k == 0 || 2 * k == nx ? 1.0 : 2.0) * scale;
            d->row_forward[(2 * k) * nx + x] = (float)cos(angle);
            d->row_forward[(2 * k + 1) * nx + x] = (float)-sin(angle);
            d->row_inverse[x * 2 * half + 2 * k] = (float)(weight * cos(angle));
            d->row_inverse[x * 2 * half + 2 * k + 1] = (float)(-weight * sin(angle));
        }
}

static void fill_columns(FitDft *d)
{
    int ny = d->ny;
    for (int k = 0; k < ny; k++)
        for (int y = 0; y < ny; y++) {
            double angle = TURN * (k * y % ny) / ny;
            float c = (float)cos(angle), s = (float)sin(angle);
            d->column_forward[0][(2 * k) * ny + y] = c;
            d->column_forward[0][(2 * k + 1) * ny + y] = -s;
            d->column_forward[1][(2 * k) * ny + y] = s;
            d->column_forward[1][(2 * k + 1) * ny + y] = c;
            d->column_inverse[0][y * 2 * ny + 2 * k] = c;
            d->column_inverse[0][y * 2 * ny + 2 * k + 1] = -s;
            d->column_inverse[1][y * 2 * ny + 2 * k] = s;
            d->column_inverse[1][y * 2 * ny + 2 * k + 1] = c;
        }
}

bool fit_dft_init(FitDft *d, int nx, int ny)
{
    *d = (FitDft){.nx = nx, .ny = ny, .half = nx / 2 + 1};
    size_t rows = (size_t)(2 * d->half) * (size_t)nx, columns = 2 * (size_t)ny * (size_t)ny;
    d->row_forward = model_alloc(rows);
    d->row_inverse = model_alloc(rows);
    bool ok = d->row_forward && d->row_inverse;
    for (int i = 0; i < 2; i++) {
        d->column_forward[i] = model_alloc(columns);
        d->column_inverse[i] = model_alloc(columns);
        ok = ok && d->column_forward[i] && d->column_inverse[i];
    }
    if (!ok) {
        fit_dft_finish(d);
        return false;
    }
    fill_rows(d);
    fill_columns(d);
    return true;
}

void fit_dft_finish(FitDft *d)
{
    free(d->row_forward);
    free(d->row_inverse);
    for (int i = 0; i < 2; i++) {
        free(d->column_forward[i]);
        free(d->column_inverse[i]);
    }
    *d = (FitDft){0};
}

/* out (m, n; ldc) := a (m, k; lda) · b (k, n; ldb) + beta · out */
static void multiply(int m, int n, int k, const float *a, int lda, const float *b, int ldb,
                     float beta, float *out, int ldc)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0f, a, lda, b, ldb, beta, out,
                ldc);
}

void fit_dft_row(const FitDft *d, int columns, int batch, const float *in, float *row)
{
    multiply(2 * d->half, batch, columns, d->row_forward, d->nx, in, batch, 0.0f, row, batch);
}

void fit_dft_column(const FitDft *d, int rows, int batch, int kx, const float *in, float *part)
{
    int stride = 2 * d->half * batch;
    for (int i = 0; i < 2; i++)
        multiply(2 * d->ny, batch, rows, d->column_forward[i], d->ny, in + (2 * kx + i) * batch,
                 stride, i ? 1.0f : 0.0f, part, batch);
}

void fit_dft_column_back(const FitDft *d, int rows, int batch, int kx, const float *part,
                         float *out)
{
    int stride = 2 * d->half * batch;
    for (int i = 0; i < 2; i++)
        multiply(rows, batch, 2 * d->ny, d->column_inverse[i], 2 * d->ny, part, batch, 0.0f,
                 out + (2 * kx + i) * batch, stride);
}

void fit_dft_row_back(const FitDft *d, int columns, int batch, const float *row, float *out)
{
    multiply(columns, batch, 2 * d->half, d->row_inverse, 2 * d->half, row, batch, 0.0f, out,
             batch);
}
