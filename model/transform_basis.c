#include "model/transform_basis.h"

#include <math.h>
#include <stdlib.h>

#include "model/kind.h"

/* One side of the grid: its frequencies 0 … length / 2, the region's places. */
typedef struct {
    int length, region;
} Side;

static int frequencies_of(Side side)
{
    return side.length / 2 + 1;
}

/* Places from the middle to the end. */
static int places_of(Side side)
{
    return (side.region + 1) / 2;
}

/* 2π frequency · (half_places / 2) / length */
static double angle_of(Side side, int frequency, int half_places)
{
    // reduced first, so that large products keep full precision
    const double half_turn = 3.14159265358979323846;
    return half_turn * (int)((long)frequency * half_places % (2 * side.length)) / side.length;
}

/* Twice the distance from the middle. */
static int half_places_of(Side side, int place_from_middle)
{
    return 2 * place_from_middle + (side.region % 2 == 0);
}

/* Every frequency but the self-conjugate ones stands for two. */
static double inverse_weight(const Transform *t, int kx)
{
    bool is_alone = kx == 0 || 2 * kx == t->width;
    return (is_alone ? 1.0 : 2.0) / ((double)t->height * t->width);
}

/* ---- pairs */

typedef struct {
    KernelPair *pair;
    Side side;
    bool is_in;      // rows are frequencies, terms are places; else the other way round
    int odd_sign;    // along x sines enter the imaginary part with −1
    bool is_inverse; // weighted
} Plan;

static void fill(const Transform *t, const Plan *plan, float *even, float *odd)
{
    int places = places_of(plan->side), frequencies = frequencies_of(plan->side);
    for (int f = 0; f < frequencies; f++)
        for (int p = 0; p < places; p++) {
            int half_places = half_places_of(plan->side, p),
                at = plan->is_in ? f * places + p : p * frequencies + f;
            double angle = angle_of(plan->side, f, half_places);
            double weight = plan->is_inverse ? inverse_weight(t, f) : 1;
            // the middle of an odd region is its own mirror: in the sum of both it counts twice
            double once = plan->is_in && half_places == 0 ? 0.5 : 1;
            even[at] = (float)(once * weight * cos(angle));
            odd[at] = (float)(plan->odd_sign * weight * sin(angle));
        }
}

static size_t count_of(const Plan *plan)
{
    int places = places_of(plan->side), frequencies = frequencies_of(plan->side);
    return kernel_pair_count(plan->is_in ? frequencies : places,
                             plan->is_in ? places : frequencies);
}

static bool pack(const Transform *t, const Plan *plan, float *tiles)
{
    int places = places_of(plan->side), frequencies = frequencies_of(plan->side);
    size_t count = (size_t)(places * frequencies);
    float *even = model_alloc(2 * count);
    if (even == NULL)
        return false;
    fill(t, plan, even, even + count);
    *plan->pair =
        (KernelPair){plan->is_in ? frequencies : places, plan->is_in ? places : frequencies, tiles};
    kernel_pair_pack(plan->pair->rows, plan->pair->terms, even, even + count, tiles);
    free(even);
    return true;
}

/* ---- dense matrices, for planes */

static void fill_plane(const Transform *t)
{
    Side x = {t->width, t->region_width}, y = {t->height, t->region_height};
    for (int place = 0; place < x.region; place++)
        for (int f = 0; f < frequencies_of(x); f++) {
            double angle = angle_of(x, f, 2 * place - (x.region - 1));
            t->plane_x[(place * t->columns + f) * 2] = (float)cos(angle);
            t->plane_x[(place * t->columns + f) * 2 + 1] = (float)-sin(angle);
        }
    for (int f = 0; f < frequencies_of(y); f++)
        for (int place = 0; place < y.region; place++) {
            double angle = angle_of(y, f, 2 * place - (y.region - 1));
            t->plane_y[f * y.region + place] = (float)cos(angle);
            t->plane_y[(frequencies_of(y) + f) * y.region + place] = (float)sin(angle);
        }
}

bool transform_basis_init(Transform *t)
{
    Side x = {t->width, t->region_width}, y = {t->height, t->region_height};
    const Plan plans[] = {
        {&t->in_y, y, true, 1, false},         {&t->in_x, x, true, -1, false},
        {&t->in_x_adjoint, x, true, -1, true}, {&t->out_y, y, false, 1, false},
        {&t->out_x, x, false, -1, true},       {&t->out_x_adjoint, x, false, -1, false},
    };
    enum { PLANS = sizeof plans / sizeof plans[0], OWN = 6 };
    float *tiles[PLANS] = {0};
    int most = places_of(x), lanes = t->lanes > 0 ? t->lanes : 1;
    const int others[] = {places_of(y), frequencies_of(x), frequencies_of(y)};
    for (int i = 0; i < 3; i++)
        most = others[i] > most ? others[i] : most;
    size_t row = (size_t)(2 * t->columns * lanes);
    ModelArray arrays[PLANS + OWN] = {
        {&t->plane_x, (size_t)(2 * t->columns * x.region)},
        {&t->plane_y, (size_t)(2 * frequencies_of(y) * y.region)},
        {&t->rows, row * (size_t)y.region},
        {&t->folded, 2 * row * (size_t)frequencies_of(y)},
        {&t->strip, (size_t)(4 * KERNEL_LANES * most)},
        {&t->zeros, row},
    };
    for (int i = 0; i < PLANS; i++)
        arrays[OWN + i] = (ModelArray){&tiles[i], count_of(&plans[i])};
    t->block = model_alloc_arrays(arrays, sizeof arrays / sizeof arrays[0]);
    if (t->block == NULL)
        return false;
    for (int i = 0; i < PLANS; i++)
        if (!pack(t, &plans[i], tiles[i]))
            return false;
    fill_plane(t);
    return true;
}
