#include "model/fit_stack.h"

#include <stdlib.h>
#include <string.h>

#include "model/kind.h"

enum { FACTOR_SIDE = 3, FACTOR_TAPS = FACTOR_SIDE * FACTOR_SIDE };

static int side_after(int factors)
{
    return 2 * factors + 1;
}

static size_t plane_count(const FitStack *stack, int factors)
{
    int side = side_after(factors);
    return (size_t)(stack->channels * stack->inputs) * (size_t)(side * side);
}

bool fit_stack_init(FitStack *stack, int inputs, int channels, int side)
{
    *stack = (FitStack){.inputs = inputs, .channels = channels, .factors = (side - 1) / 2};
    stack->partial = calloc((size_t)stack->factors, sizeof *stack->partial);
    stack->above = model_alloc(plane_count(stack, stack->factors));
    stack->side = model_alloc(plane_count(stack, stack->factors));
    bool ok = stack->partial && stack->above && stack->side;
    for (int f = 0; ok && f < stack->factors; f++) {
        stack->partial[f] = model_alloc(plane_count(stack, f + 1));
        ok = stack->partial[f] != NULL;
    }
    if (!ok)
        fit_stack_finish(stack);
    return ok;
}

void fit_stack_finish(FitStack *stack)
{
    for (int f = 0; stack->partial && f < stack->factors; f++)
        free(stack->partial[f]);
    free(stack->partial);
    free(stack->above);
    free(stack->side);
    *stack = (FitStack){0};
}

int fit_stack_inputs(const FitStack *stack, int factor)
{
    return factor == 0 ? stack->inputs : stack->channels;
}

size_t fit_stack_at(const FitStack *stack, int factor)
{
    size_t first = (size_t)(stack->channels * stack->inputs * FACTOR_TAPS);
    size_t other = (size_t)(stack->channels * stack->channels * FACTOR_TAPS);
    return factor == 0 ? 0 : first + (size_t)(factor - 1) * other;
}

size_t fit_stack_params(const FitStack *stack)
{
    return fit_stack_at(stack, stack->factors);
}

/* Visits every row of Σ_m Σ_v factor(o, m, v) · lower(m, i, u − v): a row of the lower kernel, of
 * `side` taps, meets one tap of the factor and one row of the kernel above it. */
typedef void (*RowVisit)(const float *factor_tap, float *factor_gradient, float *lower,
                         float *upper, int side);

static void add_up(const float *tap, float *unused, float *lower, float *upper, int side)
{
    (void)unused;
    for (int x = 0; x < side; x++)
        upper[x] += *tap * lower[x];
}

static void add_down(const float *tap, float *unused, float *lower, float *upper, int side)
{
    (void)unused;
    for (int x = 0; x < side; x++)
        lower[x] += *tap * upper[x];
}

static void add_to_factor(const float *unused, float *gradient, float *lower, float *upper,
                          int side)
{
    (void)unused;
    float sum = 0.0f;
    for (int x = 0; x < side; x++)
        sum += lower[x] * upper[x];
    *gradient += sum;
}

/* lower (channels, inputs, side, side), upper (channels, inputs, side + 2, side + 2) */
static void visit(const FitStack *stack, int factor, const float *params, float *gradient,
                  float *lower, float *upper, RowVisit row)
{
    int channels = stack->channels, inputs = stack->inputs, side = side_after(factor);
    for (int o = 0; o < channels; o++)
        for (int m = 0; m < channels; m++)
            for (int tap = 0; tap < FACTOR_TAPS; tap++) {
                size_t at =
                    fit_stack_at(stack, factor) + (size_t)((o * channels + m) * FACTOR_TAPS + tap);
                for (int i = 0; i < inputs; i++)
                    for (int y = 0; y < side; y++)
                        row(params + at, gradient ? gradient + at : NULL,
                            lower + ((m * inputs + i) * side + y) * side,
                            upper +
                                ((o * inputs + i) * (side + 2) + y + tap / FACTOR_SIDE) *
                                    (side + 2) +
                                tap % FACTOR_SIDE,
                            side);
            }
}

void fit_stack_collapse(FitStack *stack, const float *params, float *kernel)
{
    memcpy(stack->partial[0], params, plane_count(stack, 1) * sizeof *params);
    for (int f = 1; f < stack->factors; f++) {
        memset(stack->partial[f], 0, plane_count(stack, f + 1) * sizeof *params);
        visit(stack, f, params, NULL, stack->partial[f - 1], stack->partial[f], add_up);
    }
    memcpy(kernel, stack->partial[stack->factors - 1],
           plane_count(stack, stack->factors) * sizeof *kernel);
}

void fit_stack_back(FitStack *stack, const float *params, const float *kernel_gradient,
                    float *gradient)
{
    float *upper = stack->above, *lower = stack->side;
    memset(gradient, 0, fit_stack_params(stack) * sizeof *gradient);
    memcpy(upper, kernel_gradient, plane_count(stack, stack->factors) * sizeof *upper);
    for (int f = stack->factors - 1; f > 0; f--) {
        visit(stack, f, params, gradient, stack->partial[f - 1], upper, add_to_factor);
        memset(lower, 0, plane_count(stack, f) * sizeof *lower);
        visit(stack, f, params, NULL, lower, upper, add_down);
        float *turned = upper;
        upper = lower;
        lower = turned;
    }
    memcpy(gradient, upper, plane_count(stack, 1) * sizeof *gradient);
}
