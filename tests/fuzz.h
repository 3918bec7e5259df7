#pragma once
/* Bytes to throw at parsers: random, and damaged versions of good ones. Deterministic by seed. */
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t state;
} Fuzz;

/* The seed and the number of rounds of a test: $RETRACE_FUZZ_SEED, $RETRACE_FUZZ_ROUNDS, or 1 and
 * `rounds`. tests/fuzz.sh sets them for a long run. */
Fuzz fuzz_begin(long *rounds);

uint64_t fuzz_next(Fuzz *fuzz);
size_t fuzz_below(Fuzz *fuzz, size_t limit);

/* bytes (at most `most`) := random ones, or, where good_count > 0, often good ones with some flipped, cut
 * or doubled. Returns how many. */
size_t fuzz_bytes(Fuzz *fuzz, const uint8_t *good, size_t good_count, uint8_t *bytes, size_t most);
