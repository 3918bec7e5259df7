#include "model/reduction.h"

#include <math.h>
#include <stdlib.h>

#include <cminpack.h>

#include "model/moments.h"

/* The numbers as the fit sees them: outputs from rest, the largest excursion of each unit being 1.
 * Order: rise (units), fall (units), offset, their thresholds (units, units); those may be held. */
typedef struct {
    const ReductionTask *task;
    double *drives; // owned (units, bins)
    double *work;   // owned: all MINPACK wants
    double scale[REDUCED_UNITS_MAX];
    double spread_hz;         // of the rates; residuals are in units of it
    const double *thresholds; // held at these (2 units), or NULL: free
} Fit;

enum { NUMBERS_MAX = 4 * REDUCED_UNITS_MAX + 1, CALLS_MAX = 60 };

/* Weights that the data do not hold are drawn to 0; too weakly to be seen where they do. */
static const double RIDGE = 1e-3, TOLERANCE = 1e-6; // the ridge a bin

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static const double *thresholds_of(const Fit *fit, const double *x)
{
    return fit->thresholds ? fit->thresholds : x + 2 * fit->task->units + 1;
}

static double argument_at(const Fit *fit, const double *x, int bin)
{
    int units = fit->task->units;
    const double *threshold = thresholds_of(fit, x);
    double sum = x[2 * units];
    for (int u = 0; u < units; u++) {
        double drive = fit->drives[bin * units + u];
        sum += x[u] * fmax(drive - threshold[u], 0) +
               x[units + u] * fmax(threshold[units + u] - drive, 0);
    }
    return sum;
}

/* Row `bin` of the derivatives, columns `stride` apart. */
static void differentiate(const Fit *fit, const double *x, int bin, double outer, double *row,
                          int stride)
{
    int units = fit->task->units;
    const double *threshold = thresholds_of(fit, x);
    for (int u = 0; u < units; u++) {
        double drive = fit->drives[bin * units + u];
        double above = drive - threshold[u], below = threshold[units + u] - drive;
        row[u * stride] = outer * fmax(above, 0);
        row[(units + u) * stride] = outer * fmax(below, 0);
        if (fit->thresholds)
            continue;
        row[(2 * units + 1 + u) * stride] = above > 0 ? -outer * x[u] : 0;
        row[(3 * units + 1 + u) * stride] = below > 0 ? outer * x[units + u] : 0;
    }
    row[2 * units * stride] = outer;
}

/* Residuals, or derivatives (column by column): first the bins, then the ridge of the weights. */
static int evaluate(void *ctx, int rows, int numbers, const double *x, double *residuals,
                    double *jacobian, int stride, int wanted)
{
    const Fit *fit = ctx;
    const ReductionTask *task = fit->task;
    double unit = task->rate_scale_hz / fit->spread_hz, ridge = RIDGE * sqrt(task->bins);
    for (int bin = 0; bin < task->bins; bin++) {
        double argument = argument_at(fit, x, bin);
        double weight = task->weights ? sqrt(task->weights[bin]) : 1;
        if (wanted == 1)
            residuals[bin] =
                weight * (unit * softplus(argument) - task->rates_hz[bin] / fit->spread_hz);
        else
            differentiate(fit, x, bin, weight * unit * logistic(argument), jacobian + bin, stride);
    }
    for (int row = task->bins; row < rows; row++) {
        int weight = row - task->bins;
        if (wanted == 1)
            residuals[row] = ridge * x[weight];
        else
            for (int i = 0; i < numbers; i++)
                jacobian[i * stride + row] = i == weight ? ridge : 0;
    }
    return 0;
}

/* x goes to the nearest minimum; returns the sum of squares there. */
static double descend(Fit *fit, double *x)
{
    int units = fit->task->units, rows = fit->task->bins + 2 * units;
    int numbers = (fit->thresholds ? 2 : 4) * units + 1, calls, derivatives, order[NUMBERS_MAX];
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
 * same every time); first the weights alone. */
static double descend_from(Fit *fit, int start, double *x)
{
    int units = fit->task->units;
    double thresholds[2 * REDUCED_UNITS_MAX];
    for (int i = 0; i < 2 * units; i++) {
        double place = start * sqrt(squarefree[i % SQUAREFREE]);
        thresholds[i] = start == 0 ? 0 : 1.2 * (place - floor(place) - 0.5);
    }
    for (int i = 0; i < 2 * units; i++)
        x[i] = 0;
    x[2 * units] = log(expm1(fmax(fit->task->rest_hz / fit->task->rate_scale_hz, 1e-6)));
    fit->thresholds = thresholds;
    descend(fit, x);
    fit->thresholds = NULL;
    for (int i = 0; i < 2 * units; i++)
        x[2 * units + 1 + i] = thresholds[i];
    return descend(fit, x);
}

static bool open_fit(Fit *fit, const ReductionTask *task)
{
    int units = task->units, rows = task->bins + 2 * units;
    double mean = 0, square = 0;
    *fit = (Fit){.task = task};
    fit->drives = calloc((size_t)(units * task->bins), sizeof *fit->drives);
    fit->work = calloc((size_t)rows * (size_t)(4 * units + 3), sizeof *fit->work);
    if (!fit->drives || !fit->work)
        return false;
    for (int u = 0; u < units; u++) {
        double largest = 0;
        for (int bin = 0; bin < task->bins; bin++)
            largest = fmax(largest, fabs(task->outputs[bin * task->stride + u] - task->rest[u]));
        fit->scale[u] = largest > 0 ? largest : 1;
        for (int bin = 0; bin < task->bins; bin++)
            fit->drives[bin * units + u] =
                (task->outputs[bin * task->stride + u] - task->rest[u]) / fit->scale[u];
    }
    for (int bin = 0; bin < task->bins; bin++)
        mean += task->rates_hz[bin] / task->bins;
    for (int bin = 0; bin < task->bins; bin++)
        square += (task->rates_hz[bin] - mean) * (task->rates_hz[bin] - mean) / task->bins;
    fit->spread_hz = fmax(sqrt(square), 1e-9);
    return true;
}

static void hand_out(const Fit *fit, const double *x, ReductionNumbers *numbers)
{
    int units = fit->task->units;
    for (int u = 0; u < units; u++) {
        numbers->rise[u] = x[u] / fit->scale[u];
        numbers->fall[u] = x[units + u] / fit->scale[u];
        numbers->rise_threshold[u] = fit->task->rest[u] + x[2 * units + 1 + u] * fit->scale[u];
        numbers->fall_threshold[u] = fit->task->rest[u] + x[3 * units + 1 + u] * fit->scale[u];
    }
    numbers->offset = x[2 * units];
}

/* The other way, for the first few units; the rest count nothing, their thresholds at rest. */
static void take_in(const Fit *fit, const ReductionNumbers *numbers, int count, double *x)
{
    int units = fit->task->units;
    for (int i = 0; i < 4 * units + 1; i++)
        x[i] = 0;
    for (int u = 0; u < count; u++) {
        x[u] = numbers->rise[u] * fit->scale[u];
        x[units + u] = numbers->fall[u] * fit->scale[u];
        x[2 * units + 1 + u] = (numbers->rise_threshold[u] - fit->task->rest[u]) / fit->scale[u];
        x[3 * units + 1 + u] = (numbers->fall_threshold[u] - fit->task->rest[u]) / fit->scale[u];
    }
    x[2 * units] = numbers->offset;
}

static double rate_at(const ReductionTask *task, const ReductionNumbers *numbers,
                      const bool *is_silent, int bin)
{
    double sum = numbers->offset;
    for (int u = 0; u < task->units; u++) {
        bool is_at_rest = is_silent && is_silent[u];
        double output = is_at_rest ? task->rest[u] : task->outputs[bin * task->stride + u];
        sum += numbers->rise[u] * fmax(output - numbers->rise_threshold[u], 0) +
               numbers->fall[u] * fmax(numbers->fall_threshold[u] - output, 0);
    }
    return task->rate_scale_hz * softplus(sum);
}

void reduction_rates(const ReductionTask *task, const ReductionNumbers *numbers,
                     const bool *is_silent, float *rates_hz)
{
    for (int bin = 0; bin < task->bins; bin++)
        rates_hz[bin] = (float)rate_at(task, numbers, is_silent, bin);
}

void reduction_judge(const ReductionTask *task, ReductionNumbers *numbers)
{
    Moments moments = {0};
    double square = 0;
    for (int bin = 0; bin < task->bins; bin++) {
        double fitted = rate_at(task, numbers, NULL, bin);
        double miss = fitted - task->rates_hz[bin];
        moments_add(&moments, fitted, task->rates_hz[bin]);
        square += miss * miss;
    }
    numbers->correlation = moments_correlation(&moments);
    numbers->error_hz = sqrt(square / task->bins);
}

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
    if (is_open)
        reduction_judge(task, numbers);
    free(fit.drives);
    free(fit.work);
    return is_open;
}
