#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>

#include "model/fit_stack.h"
#include "tests/random_model.h"

enum { INPUTS = 3, CHANNELS = 2, SIDE = 7, FACTORS = 3, IMAGE = 12, FIRST = IMAGE - SIDE + 1 };

/* out (outputs, side − 2, side − 2) := valid correlation of in (inputs, side, side) with a factor. */
static void correlate(const float *factor, int inputs, int outputs, int side, const double *in,
                      double *out)
{
    for (int o = 0; o < outputs; o++)
        for (int y = 0; y + 2 < side; y++)
            for (int x = 0; x + 2 < side; x++) {
                double sum = 0.0;
                for (int i = 0; i < inputs; i++)
                    for (int tap = 0; tap < 9; tap++)
                        sum += (double)factor[(o * inputs + i) * 9 + tap] *
                               in[(i * side + y + tap / 3) * side + x + tap % 3];
                out[(o * (side - 2) + y) * (side - 2) + x] = sum;
            }
}

static void one_kernel_does_what_the_stack_does(void)
{
    FitStack stack;
    CU_ASSERT_FATAL(fit_stack_init(&stack, INPUTS, CHANNELS, SIDE));
    CU_ASSERT_EQUAL(fit_stack_params(&stack), (INPUTS + 2 * CHANNELS) * CHANNELS * 9);
    float params[(INPUTS + 2 * CHANNELS) * CHANNELS * 9];
    float kernel[CHANNELS * INPUTS * SIDE * SIDE];
    float values[INPUTS * IMAGE * IMAGE];
    uint32_t state = 4;
    random_fill(&state, sizeof params / sizeof *params, -1, 1, params);
    random_fill(&state, sizeof values / sizeof *values, -1, 1, values);
    fit_stack_collapse(&stack, params, kernel);
    double in[INPUTS * IMAGE * IMAGE], out[CHANNELS * IMAGE * IMAGE];
    for (int i = 0; i < INPUTS * IMAGE * IMAGE; i++)
        in[i] = (double)values[i];
    int side = IMAGE;
    for (int f = 0; f < FACTORS; f++, side -= 2) {
        correlate(params + fit_stack_at(&stack, f), fit_stack_inputs(&stack, f), CHANNELS, side, in,
                  out);
        for (int i = 0; i < CHANNELS * (side - 2) * (side - 2); i++)
            in[i] = out[i];
    }
    for (int c = 0; c < CHANNELS; c++)
        for (int y = 0; y < FIRST; y++)
            for (int x = 0; x < FIRST; x++) {
                double sum = 0.0;
                for (int i = 0; i < INPUTS; i++)
                    for (int j = 0; j < SIDE; j++)
                        for (int k = 0; k < SIDE; k++)
                            sum += (double)kernel[((c * INPUTS + i) * SIDE + j) * SIDE + k] *
                                   (double)values[(i * IMAGE + y + j) * IMAGE + x + k];
                CU_ASSERT(test_near(sum, in[(c * FIRST + y) * FIRST + x], 1e-3));
            }
    fit_stack_finish(&stack);
}

static const TestCase cases[] = {
    {"one kernel does what the stack of 3 by 3 ones does", one_kernel_does_what_the_stack_does},
};

int main(void)
{
    return test_main("fit_stack", cases, sizeof cases / sizeof cases[0]);
}
