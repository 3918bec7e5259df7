#include "render/ran1.h"

#include <math.h>

static const int64_t multiplier = 16807, modulus = 2147483647;
enum { WARM_UP_STEPS = 8 };

static int64_t advance(Ran1 *ran1)
{
    ran1->state = multiplier * ran1->state % modulus;
    return ran1->state;
}

void ran1_init(Ran1 *ran1, int64_t seed)
{
    *ran1 = (Ran1){.state = -seed};
    for (int step = 0; step < WARM_UP_STEPS; step++)
        advance(ran1);
    for (int entry = RAN1_SHUFFLE_ENTRIES - 1; entry >= 0; entry--)
        ran1->shuffle[entry] = advance(ran1);
    ran1->last = ran1->shuffle[0];
}

double ran1_uniform(Ran1 *ran1)
{
    const int64_t entry_span = 1 + (modulus - 1) / RAN1_SHUFFLE_ENTRIES;
    int64_t *entry = &ran1->shuffle[ran1->last / entry_span];
    ran1->last = *entry;
    *entry = advance(ran1);
    return (double)ran1->last / (double)modulus;
}

double ran1_normal(Ran1 *ran1)
{
    if (ran1->has_spare_normal) {
        ran1->has_spare_normal = false;
        return ran1->spare_normal;
    }
    double x, y, square;
    do {
        x = 2 * ran1_uniform(ran1) - 1;
        y = 2 * ran1_uniform(ran1) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square <= 0);
    double scale = sqrt(-2 * log(square) / square);
    ran1->spare_normal = x * scale;
    ran1->has_spare_normal = true;
    return y * scale;
}
