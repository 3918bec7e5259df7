#include <math.h>
#include <stdlib.h>

#include "model/cnn_uniform.h"
#include "model/kind.h"
#include "tests/harness.h"
#include "tests/random_model.h"

enum { KY = 6, KX = 3, LANES1 = 8, LANES2 = 16 };

static const CnnUnits first = {3, 13, 17}, second = {9, 8, 15};

/* Second layer of random weights on units with random thresholds, of either slope and of none. */
typedef struct {
    float *weights, *scale, *shift, *sums; // owned
    CnnUniform uniform;
} Fixture;

static Fixture fixture(float lowest_scale, float lowest_shift)
{
    Fixture f = {.weights = model_alloc(9 * 3 * KY * KX),
                 .scale = model_alloc(cnn_units_floats(&first)),
                 .shift = model_alloc(cnn_units_floats(&first)),
                 .sums = model_alloc(cnn_units_floats(&second))};
    CU_ASSERT_FATAL(f.weights && f.scale && f.shift && f.sums);
    uint32_t state = 7;
    random_fill(&state, 9 * 3 * KY * KX, -1, 1, f.weights);
    random_fill(&state, cnn_units_floats(&first), lowest_scale, 1, f.scale);
    random_fill(&state, cnn_units_floats(&first), lowest_shift, 1, f.shift);
    for (size_t i = 0; i < cnn_units_floats(&first); i += 11)
        f.scale[i] = lowest_scale < 0 ? 0 : f.scale[i];
    return f;
}

static void open_uniform(Fixture *f)
{
    const ModelTensor conv2 = {.rank = 4, .dims = {9, 3, KY, KX}, .values = f->weights};
    CU_ASSERT_FATAL(cnn_uniform_init(&f->uniform, &conv2, &first, &second, f->scale, f->shift));
    CU_ASSERT_FATAL(cnn_uniform_is_there(&f->uniform));
}

static void finish(Fixture *f)
{
    cnn_uniform_finish(&f->uniform);
    free(f->weights);
    free(f->scale);
    free(f->shift);
    free(f->sums);
}

/* The convolution of the rectified units; size: of all that goes into them. */
static double plain_sum(const Fixture *f, int output, int y, int x, const float *drives,
                        double *size)
{
    double sum = 0;
    *size = 0;
    for (int c = 0; c < first.channels; c++)
        for (int i = 0; i < KY; i++)
            for (int j = 0; j < KX; j++) {
                int unit = ((y + i) * first.width + x + j) * LANES1 + c;
                double weight = (double)f->weights[((output * 3 + c) * KY + i) * KX + j];
                double drive = (double)f->scale[unit] * (double)drives[c],
                       shift = (double)f->shift[unit];
                sum += weight * fmax(0, drive + shift);
                *size += fabs(weight) * (fabs(drive) + fabs(shift));
            }
    return sum;
}

static void check_drives(Fixture *f, const float *drives)
{
    cnn_uniform_sum(&f->uniform, drives, f->sums);
    for (int o = 0; o < LANES2; o++)
        for (int place = 0; place < second.height * second.width; place++) {
            double size = 0, sum = 0;
            if (o < second.channels)
                sum = plain_sum(f, o, place / second.width, place % second.width, drives, &size);
            CU_ASSERT(test_near((double)f->sums[place * LANES2 + o], sum, 1e-6 * size));
        }
}

static void sums_are_those_of_the_rectified_units(void)
{
    Fixture f = fixture(-1, -1);
    uint32_t state = 2;
    float drives[3];
    open_uniform(&f);
    for (int i = 0; i < 40; i++) {
        float reach = i % 4 == 0 ? 30 : 2; // beyond most thresholds, and among them
        random_fill(&state, 3, -reach, reach, drives);
        check_drives(&f, drives);
    }
    finish(&f);
}

/* On a threshold a unit is 0 from either side. */
static void a_drive_may_lie_on_a_threshold(void)
{
    Fixture f = fixture(-1, -1);
    open_uniform(&f);
    for (int i = 0; i < 13 * 17; i += 20) {
        const CnnCrossing *crossings = f.uniform.crossings;
        float drives[3];
        for (int c = 0; c < 3; c++)
            drives[c] = fminf(50, fmaxf(-50, crossings[c * 13 * 17 + i].threshold));
        check_drives(&f, drives);
    }
    finish(&f);
}

/* As with one batch-norm a channel: all units come on at once. */
static void all_thresholds_may_be_one(void)
{
    Fixture f = fixture(1, 1);
    open_uniform(&f);
    const float at[][3] = {{-1.001f, -0.999f, -1}, {5, -5, 0}};
    check_drives(&f, at[0]);
    check_drives(&f, at[1]);
    finish(&f);
}

static void tables_too_large_are_not_made(void)
{
    const CnnUnits wide = {8, 86, 86}, out = {8, 76, 76};
    static float kernel[8 * 8 * 11 * 11];
    const ModelTensor conv2 = {.rank = 4, .dims = {8, 8, 11, 11}, .values = kernel};
    CnnUniform uniform;
    CU_ASSERT(cnn_uniform_init(&uniform, &conv2, &wide, &out, NULL, NULL));
    CU_ASSERT(!cnn_uniform_is_there(&uniform));
    cnn_uniform_finish(&uniform);
}

int main(void)
{
    static const TestCase cases[] = {
        {"the sums are those of the rectified units", sums_are_those_of_the_rectified_units},
        {"a drive may lie on a threshold", a_drive_may_lie_on_a_threshold},
        {"all thresholds may be one", all_thresholds_may_be_one},
        {"tables that are too large are not made", tables_too_large_are_not_made},
    };
    return test_main("cnn_uniform", cases, sizeof cases / sizeof cases[0]);
}
