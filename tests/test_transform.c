#include <math.h>
#include <stdlib.h>

#include "model/transform.h"
#include "tests/harness.h"
#include "tests/random_model.h"

enum { CHANNELS = 3 };

typedef struct {
    Transform plan;
    size_t space_count, spectrum_count;
    float *space, *spectrum, *space2, *spectrum2; // owned
} Fixture;

static Fixture fixture(int height, int width, int region_height, int region_width)
{
    Fixture f = {0};
    CU_ASSERT_FATAL(transform_init(&f.plan, height, width, region_height, region_width, CHANNELS));
    f.space_count = (size_t)(region_height * region_width * CHANNELS);
    f.spectrum_count = transform_spectrum_count(&f.plan, CHANNELS);
    f.space = calloc(f.space_count, sizeof(float));
    f.space2 = calloc(f.space_count, sizeof(float));
    f.spectrum = calloc(f.spectrum_count, sizeof(float));
    f.spectrum2 = calloc(f.spectrum_count, sizeof(float));
    uint32_t state = 7;
    random_fill(&state, f.space_count, -1, 1, f.space);
    random_fill(&state, f.spectrum_count, -1, 1, f.spectrum);
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

/* Σ_p x(p) e^(−2πi k·p), written out. */
static void plain_spectrum(const Fixture *f, int channel, int ky, int kx, double *re, double *im)
{
    const Transform *t = &f->plan;
    *re = *im = 0;
    for (int y = 0; y < t->region_height; y++)
        for (int x = 0; x < t->region_width; x++) {
            double value = (double)f->space[(y * CHANNELS + channel) * t->region_width + x];
            double angle = 2 * acos(-1) * (1.0 * ky * y / t->height + 1.0 * kx * x / t->width);
            *re += value * cos(angle);
            *im -= value * sin(angle);
        }
}

static void check_forward(int height, int width, int region_height, int region_width)
{
    Fixture f = fixture(height, width, region_height, region_width);
    transform_forward(&f.plan, CHANNELS, f.space, f.spectrum2);
    for (int c = 0; c < CHANNELS; c++)
        for (int ky = 0; ky < height; ky++)
            for (int kx = 0; kx < f.plan.columns; kx++) {
                double re, im;
                plain_spectrum(&f, c, ky, kx, &re, &im);
                const float *plane = f.spectrum2 + 2 * f.plan.stride * (size_t)c;
                size_t at = (size_t)(ky * f.plan.columns + kx);
                CU_ASSERT(test_near((double)plane[at], re, 1e-4));
                CU_ASSERT(test_near((double)plane[f.plan.stride + at], im, 1e-4));
            }
    finish(&f);
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
    transform_forward(&f.plan, CHANNELS, f.space, f.spectrum);
    transform_inverse(&f.plan, CHANNELS, f.spectrum, f.space2);
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
    // the padding is no part of the map
    size_t plane = (size_t)(height * f.plan.columns);
    for (size_t p = 0; p < 2 * CHANNELS; p++)
        for (size_t i = plane; i < f.plan.stride; i++)
            f.spectrum[p * f.plan.stride + i] = 0;
    transform_forward(&f.plan, CHANNELS, f.space, f.spectrum2);
    transform_forward_adjoint(&f.plan, CHANNELS, f.spectrum, f.space2);
    double there = dot(f.spectrum2, f.spectrum, f.spectrum_count);
    double back = dot(f.space2, f.space, f.space_count);
    CU_ASSERT(test_near(there, back, 1e-5 * (double)f.spectrum_count));

    transform_inverse(&f.plan, CHANNELS, f.spectrum, f.space2);
    transform_inverse_adjoint(&f.plan, CHANNELS, f.space, f.spectrum2);
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

static void padding_is_zero(void)
{
    Fixture f = fixture(9, 15, 4, 7);
    size_t plane = (size_t)(9 * f.plan.columns);
    CU_ASSERT(plane < f.plan.stride);
    for (size_t i = 0; i < f.spectrum_count; i++)
        f.spectrum2[i] = 5;
    transform_forward(&f.plan, CHANNELS, f.space, f.spectrum2);
    for (size_t p = 0; p < 2 * CHANNELS; p++)
        for (size_t i = plane; i < f.plan.stride; i++)
            CU_ASSERT(test_near((double)f.spectrum2[p * f.plan.stride + i], 0, 0));
    finish(&f);
}

static void correlation_does_not_wrap(void)
{
    enum { GRID = 50, KERNEL = 15, VALID = GRID - KERNEL + 1 };
    Fixture image = fixture(GRID, GRID, GRID, GRID), kernel = fixture(GRID, GRID, KERNEL, KERNEL);
    Fixture out = fixture(GRID, GRID, VALID, VALID);
    transform_forward(&image.plan, 1, image.space, image.spectrum);
    transform_forward(&kernel.plan, 1, kernel.space, kernel.spectrum);
    size_t stride = image.plan.stride;
    for (size_t i = 0; i < stride; i++) {
        float a = image.spectrum[i], b = image.spectrum[stride + i];
        float c = kernel.spectrum[i], d = -kernel.spectrum[stride + i];
        out.spectrum[i] = a * c - b * d;
        out.spectrum[stride + i] = a * d + b * c;
    }
    transform_inverse(&out.plan, 1, out.spectrum, out.space);
    for (int y = 0; y < VALID; y++)
        for (int x = 0; x < VALID; x++) {
            double sum = 0;
            for (int j = 0; j < KERNEL; j++)
                for (int i = 0; i < KERNEL; i++)
                    sum += (double)kernel.space[j * KERNEL + i] *
                           (double)image.space[(y + j) * GRID + x + i];
            CU_ASSERT(test_near((double)out.space[y * VALID + x], sum, 2e-5));
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
        {"padding of a spectrum is written as zero", padding_is_zero},
        {"a 50 px grid holds the valid part of a 15 px correlation", correlation_does_not_wrap},
    };
    return test_main("transform", cases, sizeof cases / sizeof cases[0]);
}
