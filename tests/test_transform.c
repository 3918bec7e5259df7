#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"
#include "model/transform.h"
#include "tests/harness.h"
#include "tests/random_model.h"

enum { CHANNELS = 3, LANES = KERNEL_LANES };

typedef struct {
    Transform plan;
    size_t space_count, spectrum_count;
    float *space, *spectrum, *space2, *spectrum2; // owned
} Fixture;

/* Random values in the channels' lanes, zeros in the others. */
static void fill_lanes(uint32_t *state, size_t count, float *values)
{
    for (size_t i = 0; i < count; i += LANES)
        random_fill(state, CHANNELS, -1, 1, values + i);
}

static Fixture fixture(int height, int width, int region_height, int region_width)
{
    Fixture f = {0};
    CU_ASSERT_FATAL(transform_init(&f.plan, height, width, region_height, region_width, CHANNELS));
    f.space_count = (size_t)(region_height * region_width * LANES);
    f.spectrum_count = transform_spectrum_count(&f.plan, LANES);
    f.space = model_alloc(f.space_count);
    f.space2 = model_alloc(f.space_count);
    f.spectrum = model_alloc(f.spectrum_count);
    f.spectrum2 = model_alloc(f.spectrum_count);
    uint32_t state = 7;
    fill_lanes(&state, f.space_count, f.space);
    fill_lanes(&state, f.spectrum_count, f.spectrum);
    return f;
}

static void finish(Fixture *f)
{
    transform_finish(&f->plan);
    free(f->space);
    free(f->space2);
    free(f->spectrum);
    free(f->spectrum2);
}

static double dot(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Σ_p x(p) e^(−2πi k·(p − m)), written out; step is from pixel to pixel. */
static void plain_spectrum(const Transform *t, const float *space, int step, int ky, int kx,
                           double *re, double *im)
{
    *re = *im = 0;
    for (int y = 0; y < t->region_height; y++)
        for (int x = 0; x < t->region_width; x++) {
            double value = (double)space[(y * t->region_width + x) * step];
            double from_middle_y = y - 0.5 * (t->region_height - 1),
                   from_middle_x = x - 0.5 * (t->region_width - 1);
            double angle =
                2 * acos(-1) * (ky * from_middle_y / t->height + kx * from_middle_x / t->width);
            *re += value * cos(angle);
            *im -= value * sin(angle);
        }
}

static void check_spectrum(const Transform *t, const float *space, int step, const float *spectrum)
{
    for (int ky = 0; ky < t->height; ky++)
        for (int kx = 0; kx < t->columns; kx++) {
            double re, im;
            // the grid's own half frequency and beyond count from −N/2, as the mirror does
            plain_spectrum(t, space, step, 2 * ky > t->height ? ky - t->height : ky, kx, &re, &im);
            const float *at = spectrum + 2 * step * (ky * t->columns + kx);
            CU_ASSERT(test_near((double)at[0], re, 1e-4));
            CU_ASSERT(test_near((double)at[step], im, 1e-4));
        }
}

static void check_forward(int height, int width, int region_height, int region_width)
{
    Fixture f = fixture(height, width, region_height, region_width);
    transform_forward(&f.plan, f.space, f.spectrum2);
    for (int c = 0; c < LANES; c++)
        check_spectrum(&f.plan, f.space + c, LANES, f.spectrum2 + c);
    transform_forward_plane(&f.plan, f.space, f.spectrum2);
    check_spectrum(&f.plan, f.space, 1, f.spectrum2);
    finish(&f);
}

static void rows_alike_are_a_shorter_sum(void)
{
    Fixture f = fixture(50, 50, 50, 50), out = fixture(50, 50, 36, 35);
    for (int y = 1; y < 50; y++)
        memcpy(f.space + y * 50, f.space, 50 * sizeof *f.space);
    transform_forward_row(&f.plan, f.space, f.spectrum2);
    check_spectrum(&f.plan, f.space, 1, f.spectrum2);
    for (int i = 0; i < 50 * 50; i++)
        f.space[i] = 0.375f;
    transform_forward_constant(&f.plan, f.space[0], f.spectrum2);
    check_spectrum(&f.plan, f.space, 1, f.spectrum2);
    for (size_t i = 0; i < out.spectrum_count; i++)
        out.spectrum[i] = i < (size_t)(2 * out.plan.columns * LANES) ? out.spectrum[i] : 0;
    transform_inverse(&out.plan, out.spectrum, out.space);
    transform_inverse_rows(&out.plan, out.spectrum, out.space2);
    for (size_t i = 0; i < out.space_count; i++)
        CU_ASSERT(test_near((double)out.space2[i], (double)out.space[i], 1e-6));
    finish(&f);
    finish(&out);
}

static void forward_is_the_sum(void)
{
    check_forward(12, 10, 12, 10);
    check_forward(9, 15, 4, 7);
    check_forward(8, 7, 5, 7);
    check_forward(1, 6, 1, 2);
}

static void check_back(int height, int width, int region_height, int region_width)
{
    Fixture f = fixture(height, width, region_height, region_width);
    transform_forward(&f.plan, f.space, f.spectrum);
    transform_inverse(&f.plan, f.spectrum, f.space2);
    for (size_t i = 0; i < f.space_count; i++)
        CU_ASSERT(test_near((double)f.space2[i], (double)f.space[i], 2e-6));
    finish(&f);
}

static void inverse_undoes_forward(void)
{
    check_back(50, 50, 50, 50);
    check_back(36, 36, 36, 36);
    check_back(51, 33, 20, 33);
    check_back(2, 1, 1, 1);
}

static void check_adjoints(int height, int width, int region_height, int region_width)
{
    Fixture f = fixture(height, width, region_height, region_width);
    transform_forward(&f.plan, f.space, f.spectrum2);
    transform_forward_adjoint(&f.plan, f.spectrum, f.space2);
    double there = dot(f.spectrum2, f.spectrum, f.spectrum_count);
    double back = dot(f.space2, f.space, f.space_count);
    CU_ASSERT(test_near(there, back, 1e-5 * (double)f.spectrum_count));

    transform_inverse(&f.plan, f.spectrum, f.space2);
    transform_inverse_adjoint(&f.plan, f.space, f.spectrum2);
    there = dot(f.space2, f.space, f.space_count);
    back = dot(f.spectrum2, f.spectrum, f.spectrum_count);
    CU_ASSERT(test_near(there, back, 1e-6));
    finish(&f);
}

static void adjoints_are_transposes(void)
{
    check_adjoints(12, 10, 12, 10);
    check_adjoints(9, 15, 4, 7);
    check_adjoints(50, 50, 36, 36);
}

static void correlation_does_not_wrap(void)
{
    enum { GRID = 50, KERNEL = 15, VALID = GRID - KERNEL + 1 };
    Fixture image = fixture(GRID, GRID, GRID, GRID), kernel = fixture(GRID, GRID, KERNEL, KERNEL);
    Fixture out = fixture(GRID, GRID, VALID, VALID);
    transform_forward(&image.plan, image.space, image.spectrum);
    transform_forward(&kernel.plan, kernel.space, kernel.spectrum);
    for (size_t f = 0; f < image.spectrum_count; f += 2 * LANES)
        for (size_t i = f; i < f + LANES; i++) {
            float a = image.spectrum[i], b = image.spectrum[i + LANES];
            float c = kernel.spectrum[i], d = -kernel.spectrum[i + LANES];
            out.spectrum[i] = a * c - b * d;
            out.spectrum[i + LANES] = a * d + b * c;
        }
    transform_inverse(&out.plan, out.spectrum, out.space);
    for (int y = 0; y < VALID; y++)
        for (int x = 0; x < VALID; x++) {
            double sum = 0;
            for (int j = 0; j < KERNEL; j++)
                for (int i = 0; i < KERNEL; i++)
                    sum += (double)kernel.space[(j * KERNEL + i) * LANES] *
                           (double)image.space[((y + j) * GRID + x + i) * LANES];
            CU_ASSERT(test_near((double)out.space[(y * VALID + x) * LANES], sum, 2e-5));
        }
    finish(&image);
    finish(&kernel);
    finish(&out);
}

int main(void)
{
    static const TestCase cases[] = {
        {"forward is the Fourier sum for even, odd and cut regions", forward_is_the_sum},
        {"inverse gives back what forward was given", inverse_undoes_forward},
        {"the adjoints are transposes", adjoints_are_transposes},
        {"images of like rows need one row of the spectrum", rows_alike_are_a_shorter_sum},
        {"a 50 px grid holds the valid part of a 15 px correlation", correlation_does_not_wrap},
    };
    return test_main("transform", cases, sizeof cases / sizeof cases[0]);
}
