#include "model/reduction.h"

#include <math.h>
#include <stdlib.h>

#include <cminpack.h>

#include "model/reduction_pool.h"

/* The numbers as the fit sees them: outputs from rest, the largest excursion of each unit being 1.
 * Order: rise (units), fall (units), offset; then, unless they are held, the thresholds of either (units, units)
 * and, where there is more than one place, centre and logarithm of the spread of the pools (units, units). */
typedef struct {
    const ReductionTask *task;
    float *drives;        // owned (bins, units, places)
    ReductionPool *pools; // owned (units)
    ReductionSums *sums;  // owned (bins, units)
    double *work;         // owned: all MINPACK wants
    double scale[REDUCED_UNITS_MAX];
    double spread_hz;   // of the rates; residuals are in units of it
    const double *held; // thresholds and pools are held at these, or NULL: free
} Fit;

enum { NUMBERS_MAX = 6 * REDUCED_UNITS_MAX + 1, CALLS_MAX = 60 };

/* Weights that the data do not hold are drawn to 0, pools to where they began; too weakly to be seen
 * where they do. A bin each. */
static const double RIDGE = 1e-3, POOL_RIDGE = 1e-2, TOLERANCE = 1e-6;

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* Numbers beyond the weights and the offset. */
static int shape_count(const ReductionTask *task)
{
    return reduction_numbers(task->units, task->places) - 2 * task->units - 1;
}

static const double *shape_of(const Fit *fit, const double *x)
{
    return fit->held ? fit->held : x + 2 * fit->task->units + 1;
}

/* All that numbers make of all bins, before the weights. */
static void fill_sums(const Fit *fit, const double *x, bool has_derivatives)
{
    const ReductionTask *task = fit->task;
    int units = task->units;
    const double *shape = shape_of(fit, x);
    for (int u = 0; u < units; u++)
        if (task->places > 1)
            reduction_pool_fill(&fit->pools[u], shape[2 * units + u], exp(shape[3 * units + u]),
                                task->places);
        else
            reduction_pool_fill(&fit->pools[u], 0, 1, 1);
    for (int i = 0; i < task->bins * units; i++) {
        int u = i % units;
        fit->sums[i] =
            reduction_sums(&fit->pools[u], fit->drives + (size_t)i * (size_t)task->places, shape[u],
                           shape[units + u], has_derivatives);
    }
}

/* Of a row's unit; one that is silent has no excursion. */
static ReductionSums sums_of(const Fit *fit, const double *x, const ReductionRow *row, int u)
{
    const double *shape = shape_of(fit, x);
    if (row->silent >> u & 1)
        return reduction_sums_even(0, shape[u], shape[fit->task->units + u]);
    return fit->sums[row->bin * fit->task->units + u];
}

static double argument_of(const Fit *fit, const double *x, const ReductionRow *row)
{
    int units = fit->task->units;
    double sum = x[2 * units];
    for (int u = 0; u < units; u++) {
        ReductionSums sums = sums_of(fit, x, row, u);
        sum += x[u] * sums.rise + x[units + u] * sums.fall;
    }
    return sum;
}

/* A row of the derivatives, columns `stride` apart. */
static void differentiate(const Fit *fit, const double *x, const ReductionRow *row, double outer,
                          double *to, int stride)
{
    int units = fit->task->units, shape = 2 * units + 1;
    for (int u = 0; u < units; u++) {
        ReductionSums sums = sums_of(fit, x, row, u);
        double rise = outer * x[u], fall = outer * x[units + u];
        to[u * stride] = outer * sums.rise;
        to[(units + u) * stride] = outer * sums.fall;
        if (fit->held)
            continue;
        to[(shape + u) * stride] = -rise * sums.rise_open;
        to[(shape + units + u) * stride] = fall * sums.fall_open;
        if (fit->task->places == 1)
            continue;
        to[(shape + 2 * units + u) * stride] =
            rise * sums.rise_by_centre + fall * sums.fall_by_centre;
        to[(shape + 3 * units + u) * stride] =
            rise * sums.rise_by_spread + fall * sums.fall_by_spread;
    }
    to[2 * units * stride] = outer;
}

/* The ridges: how far number `i` of a kind is drawn, and from where. */
static int ridge_count(const Fit *fit)
{
    int units = fit->task->units;
    return 2 * units + (fit->held || fit->task->places == 1 ? 0 : 2 * units);
}

static void ridge_at(const Fit *fit, int ridge, int *number, double *origin, double *slope)
{
    const ReductionTask *task = fit->task;
    int units = task->units, pool = ridge - 2 * units;
    double whole = sqrt(task->bins);
    *number = pool < 0 ? ridge : ridge + 2 * units + 1;
    *origin = pool < 0 ? 0 : pool < units ? task->centre[pool] : log(task->spread[pool - units]);
    *slope =
        pool < 0 ? RIDGE * whole : POOL_RIDGE * whole / (pool < units ? task->spread[pool] : 1);
}

/* Residuals, or derivatives (column by column): first the task's rows, then the ridges. */
static int evaluate(void *ctx, int rows, int numbers, const double *x, double *residuals,
                    double *jacobian, int stride, int wanted)
{
    const Fit *fit = ctx;
    const ReductionTask *task = fit->task;
    double unit = task->rate_scale_hz / fit->spread_hz;
    fill_sums(fit, x, wanted != 1);
    for (int i = 0; i < task->rows_count; i++) {
        const ReductionRow *row = &task->rows[i];
        double argument = argument_of(fit, x, row), weight = sqrt(row->weight);
        if (wanted == 1)
            residuals[i] = weight * (unit * softplus(argument) - row->rate_hz / fit->spread_hz);
        else
            differentiate(fit, x, row, weight * unit * logistic(argument), jacobian + i, stride);
    }
    for (int i = task->rows_count; i < rows; i++) {
        int number;
        double origin, slope;
        ridge_at(fit, i - task->rows_count, &number, &origin, &slope);
        if (wanted == 1)
            residuals[i] = slope * (x[number] - origin);
        else
            for (int j = 0; j < numbers; j++)
                jacobian[j * stride + i] = j == number ? slope : 0;
    }
    return 0;
}

/* x goes to the nearest minimum; returns the sum of squares there. */
static double descend(Fit *fit, double *x)
{
    const ReductionTask *task = fit->task;
    int rows = task->rows_count + ridge_count(fit), calls, derivatives, order[NUMBERS_MAX];
    int numbers = fit->held ? 2 * task->units + 1 : reduction_numbers(task->units, task->places);
    double diagonal[NUMBERS_MAX], qtf[NUMBERS_MAX], a[NUMBERS_MAX], b[NUMBERS_MAX], c[NUMBERS_MAX];
    double *residuals = fit->work, *last = residuals + rows, *jacobian = last + rows;
    lmder(evaluate, fit, rows, numbers, x, residuals, jacobian, rows, TOLERANCE, TOLERANCE, 0,
          CALLS_MAX, diagonal, 1, 100, 0, &calls, &derivatives, order, qtf, a, b, c, last);
    double sum = 0;
    for (int row = 0; row < rows; row++)
        sum += residuals[row] * residuals[row];
    return sum;
}

static const int squarefree[] = {2, 3, 5, 6, 7, 10, 11, 13, 14, 15, 17, 19, 21, 22, 23, 26};
enum { SQUAREFREE = sizeof squarefree / sizeof *squarefree };

/* Start `start`: thresholds at rest, or spread over the range of the drives (a Weyl sequence: the
 * same every time), pools where the task has them; first the weights alone. */
static double descend_from(Fit *fit, int start, double *x)
{
    const ReductionTask *task = fit->task;
    int units = task->units;
    double held[4 * REDUCED_UNITS_MAX];
    for (int i = 0; i < 2 * units; i++) {
        double place = start * sqrt(squarefree[i % SQUAREFREE]);
        held[i] = start == 0 ? 0 : 1.2 * (place - floor(place) - 0.5);
    }
    for (int u = 0; u < units && task->places > 1; u++) {
        held[2 * units + u] = task->centre[u];
        held[3 * units + u] = log(task->spread[u]);
    }
    for (int i = 0; i < 2 * units; i++)
        x[i] = 0;
    x[2 * units] = log(expm1(fmax(task->rest_hz / task->rate_scale_hz, 1e-6)));
    fit->held = held;
    descend(fit, x);
    fit->held = NULL;
    for (int i = 0; i < shape_count(task); i++)
        x[2 * units + 1 + i] = held[i];
    return descend(fit, x);
}

/* ---- opening */

static void scale_drives(Fit *fit, int u)
{
    const ReductionTask *task = fit->task;
    double largest = 0;
    for (int bin = 0; bin < task->bins; bin++)
        for (int p = 0; p < task->places; p++)
            largest =
                fmax(largest, fabs((double)reduction_outputs(task, bin, u)[p] - task->rest[u]));
    fit->scale[u] = largest > 0 ? largest : 1;
    for (int bin = 0; bin < task->bins; bin++) {
        float *drive = fit->drives + (size_t)(bin * task->units + u) * (size_t)task->places;
        for (int p = 0; p < task->places; p++)
            drive[p] = (float)(((double)reduction_outputs(task, bin, u)[p] - task->rest[u]) /
                               fit->scale[u]);
    }
}

static void measure_spread(Fit *fit)
{
    const ReductionTask *task = fit->task;
    double mean = 0, square = 0, count = 0;
    for (int i = 0; i < task->rows_count; i++)
        if (task->rows[i].silent == 0) {
            mean += task->rows[i].rate_hz;
            count++;
        }
    for (int i = 0; i < task->rows_count; i++) {
        double off = task->rows[i].rate_hz - mean / fmax(count, 1);
        square += task->rows[i].silent == 0 ? off * off : 0;
    }
    fit->spread_hz = fmax(sqrt(square / fmax(count, 1)), 1e-9);
}

static bool open_fit(Fit *fit, const ReductionTask *task)
{
    size_t units = (size_t)task->units, bins = (size_t)task->bins;
    size_t numbers = (size_t)reduction_numbers(task->units, task->places);
    *fit = (Fit){.task = task};
    size_t rows = (size_t)(task->rows_count + ridge_count(fit));
    fit->drives = calloc(units * bins * (size_t)task->places, sizeof *fit->drives);
    fit->pools = calloc(units, sizeof *fit->pools);
    fit->sums = calloc(units * bins, sizeof *fit->sums);
    fit->work = calloc(rows * (numbers + 2), sizeof *fit->work);
    if (!fit->drives || !fit->pools || !fit->sums || !fit->work)
        return false;
    for (int u = 0; u < task->units; u++)
        scale_drives(fit, u);
    measure_spread(fit);
    return true;
}

static void close_fit(Fit *fit)
{
    free(fit->drives);
    free(fit->pools);
    free(fit->sums);
    free(fit->work);
}

/* ---- numbers in and out */

static void hand_out(const Fit *fit, const double *x, ReductionNumbers *numbers)
{
    const ReductionTask *task = fit->task;
    int units = task->units;
    const double *shape = x + 2 * units + 1;
    for (int u = 0; u < units; u++) {
        numbers->rise[u] = x[u] / fit->scale[u];
        numbers->fall[u] = x[units + u] / fit->scale[u];
        numbers->rise_threshold[u] = task->rest[u] + shape[u] * fit->scale[u];
        numbers->fall_threshold[u] = task->rest[u] + shape[units + u] * fit->scale[u];
        numbers->centre[u] = task->places > 1 ? shape[2 * units + u] : 0;
        numbers->spread[u] = task->places > 1 ? exp(shape[3 * units + u]) : 1;
    }
    numbers->offset = x[2 * units];
}

/* The other way, for the first few units; the rest count nothing, their thresholds at rest. */
static void take_in(const Fit *fit, const ReductionNumbers *numbers, int count, double *x)
{
    const ReductionTask *task = fit->task;
    int units = task->units;
    double *shape = x + 2 * units + 1;
    for (int i = 0; i < reduction_numbers(units, task->places); i++)
        x[i] = 0;
    for (int u = 0; u < count; u++) {
        x[u] = numbers->rise[u] * fit->scale[u];
        x[units + u] = numbers->fall[u] * fit->scale[u];
        shape[u] = (numbers->rise_threshold[u] - task->rest[u]) / fit->scale[u];
        shape[units + u] = (numbers->fall_threshold[u] - task->rest[u]) / fit->scale[u];
    }
    for (int u = 0; u < units && task->places > 1; u++) {
        shape[2 * units + u] = u < count ? numbers->centre[u] : task->centre[u];
        shape[3 * units + u] = log(u < count ? numbers->spread[u] : task->spread[u]);
    }
    x[2 * units] = numbers->offset;
}

/* ---- all starts */

static void keep_better(const Fit *fit, double sum, const double *x, double *least,
                        ReductionNumbers *numbers)
{
    if (sum < *least)
        hand_out(fit, x, numbers);
    *least = fmin(*least, sum);
}

bool reduction_fit(const ReductionTask *task, const ReductionStarts *starts,
                   ReductionNumbers *numbers)
{
    Fit fit;
    double x[NUMBERS_MAX], least = HUGE_VAL;
    bool is_open = open_fit(&fit, task);
    for (int start = 0; is_open && start < starts->count; start++)
        keep_better(&fit, descend_from(&fit, start, x), x, &least, numbers);
    if (is_open && starts->from) {
        ReductionNumbers from = *starts->from; // may be *numbers
        take_in(&fit, &from, starts->from_units, x);
        keep_better(&fit, descend(&fit, x), x, &least, numbers);
    }
    is_open = is_open && reduction_judge(task, numbers);
    close_fit(&fit);
    return is_open;
}
