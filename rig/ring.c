#include "rig/ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool ring_init(Ring *ring, size_t record_bytes, uint32_t capacity)
{
    assert(capacity > 0 && (capacity & (capacity - 1)) == 0);
    *ring = (Ring){.record_bytes = record_bytes, .capacity = capacity};
    ring->records = calloc(capacity, record_bytes);
    return ring->records != NULL;
}

static unsigned char *slot(const Ring *ring, uint32_t index)
{
    return ring->records + (size_t)(index & (ring->capacity - 1)) * ring->record_bytes;
}

bool ring_push(Ring *ring, const void *record)
{
    uint32_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    // acquire: the reader is done with the slot before we fill it again
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    if (written - read == ring->capacity) {
        atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
        return false;
    }
    memcpy(slot(ring, written), record, ring->record_bytes);
    // release: publishes the bytes above
    atomic_store_explicit(&ring->written, written + 1, memory_order_release);
    return true;
}

bool ring_pop(Ring *ring, void *record)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    // acquire: sees the bytes that the writer published
    if (atomic_load_explicit(&ring->written, memory_order_acquire) == read)
        return false;
    memcpy(record, slot(ring, read), ring->record_bytes);
    // release: the slot is free only after we copied it
    atomic_store_explicit(&ring->read, read + 1, memory_order_release);
    return true;
}

uint32_t ring_fill(const Ring *ring)
{
    return atomic_load_explicit(&ring->written, memory_order_relaxed) -
           atomic_load_explicit(&ring->read, memory_order_relaxed);
}

uint64_t ring_lost(const Ring *ring)
{
    return atomic_load_explicit(&ring->lost, memory_order_relaxed);
}

void ring_finish(Ring *ring)
{
    free(ring->records);
    *ring = (Ring){0};
}
