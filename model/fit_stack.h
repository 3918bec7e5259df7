#pragma once
/* A large kernel as a stack of 3×3 convolutions with nothing in between, collapsed exactly: the
 * net of Maheswaranathan 2023 builds its 15×15 and 11×11 kernels so.
 *
 * Factor 0 is (channels, inputs, 3, 3), the others (channels, channels, 3, 3); one stands behind
 * the other in one vector. The collapsed kernel is (channels, inputs, side, side) with side = 2
 * factors + 1. */
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    int inputs, channels, factors;
    float **partial;     // owned: the collapsed kernel of the first 1, 2, … factors
    float *above, *side; // owned scratch, as large as the collapsed kernel
} FitStack;

/* False when out of memory; *stack is then finished. side must be odd and at least 3. */
bool fit_stack_init(FitStack *stack, int inputs, int channels, int side);
void fit_stack_finish(FitStack *stack);
size_t fit_stack_params(const FitStack *stack);

/* Where factor f begins in the vector, and how many inputs it has. */
size_t fit_stack_at(const FitStack *stack, int factor);
int fit_stack_inputs(const FitStack *stack, int factor);

/* kernel := the stack, collapsed. */
void fit_stack_collapse(FitStack *stack, const float *params, float *kernel);

/* gradient (as params) from that of the kernel; after fit_stack_collapse() of the same params. */
void fit_stack_back(FitStack *stack, const float *params, const float *kernel_gradient,
                    float *gradient);
