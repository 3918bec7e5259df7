#pragma once
/* A stream of random numbers for the people who shuffle trials and make up stimuli: Philox in
 * order, named by a seed and a stream, so that two purposes never share a number. */
#include <stdbool.h>
#include <stdint.h>

#include "render/philox.h"

typedef struct {
    PhiloxKey key;
    PhiloxCounter counter, words;
    int used; // of words
} Draws;

Draws draws_start(int64_t seed, uint32_t stream, uint32_t substream);
double draw_between(Draws *draws, double low, double high);     // uniform
double draw_log_between(Draws *draws, double low, double high); // uniform in the logarithm
double draw_normal(Draws *draws);
int draw_int(Draws *draws, int low, int high); // both may come
bool draw_chance(Draws *draws, double share);
