#include "app/draws.h"

#include <math.h>

Draws draws_start(int64_t seed, uint32_t stream, uint32_t substream)
{
    uint64_t bits = (uint64_t)seed;
    return (Draws){
        .key = {{(uint32_t)bits, (uint32_t)(bits >> 32)}},
        .counter = {{0, 0, substream, stream}},
        .used = 4,
    };
}

static uint32_t next_word(Draws *draws)
{
    if (draws->used == 4) {
        draws->words = philox(draws->counter, draws->key);
        draws->counter.words[0]++;
        draws->used = 0;
    }
    return draws->words.words[draws->used++];
}

double draw_between(Draws *draws, double low, double high)
{
    return low + (high - low) * philox_uniform(next_word(draws));
}

double draw_log_between(Draws *draws, double low, double high)
{
    return low * pow(high / low, philox_uniform(next_word(draws)));
}

double draw_normal(Draws *draws)
{
    return philox_normal(next_word(draws));
}

int draw_int(Draws *draws, int low, int high)
{
    return low + (int)floor(draw_between(draws, 0.0, high - low + 1.0));
}

bool draw_chance(Draws *draws, double share)
{
    return draw_between(draws, 0.0, 1.0) < share;
}
