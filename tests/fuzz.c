#include "tests/fuzz.h"

#include <stdlib.h>
#include <string.h>

Fuzz fuzz_begin(long *rounds)
{
    const char *more = getenv("RETRACE_FUZZ_ROUNDS"), *seed = getenv("RETRACE_FUZZ_SEED");
    if (more)
        *rounds = atol(more);
    return (Fuzz){seed ? strtoull(seed, NULL, 10) : 1};
}

// splitmix64 (Steele, Lea & Flood, OOPSLA 2014)
uint64_t fuzz_next(Fuzz *fuzz)
{
    uint64_t z = fuzz->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

size_t fuzz_below(Fuzz *fuzz, size_t limit)
{
    return (size_t)(fuzz_next(fuzz) % limit);
}

size_t fuzz_bytes(Fuzz *fuzz, const uint8_t *good, size_t good_count, uint8_t *bytes, size_t most)
{
    size_t count = fuzz_below(fuzz, most + 1);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)fuzz_next(fuzz);
    if (good_count == 0 || good_count > most || fuzz_below(fuzz, 4) == 0)
        return count;
    size_t at = fuzz_below(fuzz, most - good_count + 1);
    memcpy(bytes + at, good, good_count);
    for (size_t flips = fuzz_below(fuzz, 4); flips > 0; flips--)
        bytes[at + fuzz_below(fuzz, good_count)] ^= (uint8_t)(1u << fuzz_below(fuzz, 8));
    size_t end = at + good_count - fuzz_below(fuzz, 2) * fuzz_below(fuzz, good_count);
    for (size_t i = count; i < at; i++)
        bytes[i] = 0;
    return count > end ? count : end;
}
