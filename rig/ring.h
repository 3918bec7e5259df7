#pragma once
/* A ring of records of one size between two threads: one writer, one reader, no lock.
 *
 * Indices run free and wrap at 2^32, so full and empty never look alike. A push into a full ring
 * loses the record and counts it; nobody ever waits. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    unsigned char *records; // owned, capacity × record_bytes
    size_t record_bytes;
    uint32_t capacity;        // a power of two
    _Atomic uint32_t written; // the writer's
    _Atomic uint32_t read;    // the reader's
    _Atomic uint64_t lost;    // the writer's
} Ring;

/* False when out of memory. capacity must be a power of two. */
bool ring_init(Ring *ring, size_t record_bytes, uint32_t capacity);

/* Writer: copies one record in; false, and counted in `lost`, when the ring is full. */
bool ring_push(Ring *ring, const void *record);

/* Reader: copies the oldest record out; false when there is none. */
bool ring_pop(Ring *ring, void *record);

/* Records waiting to be read, as the writer sees it. */
uint32_t ring_fill(const Ring *ring);

uint64_t ring_lost(const Ring *ring);
void ring_finish(Ring *ring);
