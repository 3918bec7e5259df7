#include "app/console_shared.h"

#include <string.h>

_Static_assert(sizeof(ConsoleState) % sizeof(uint64_t) == 0, "the state is whole words");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "atomics shared between processes must be lock-free");

enum { ATTEMPTS = 100 };

void console_shared_begin(ConsoleShared *shared)
{
    const uint64_t sequence = atomic_load_explicit(&shared->sequence, memory_order_relaxed);
    atomic_store_explicit(&shared->sequence, sequence + 1, memory_order_relaxed);
}

void console_shared_put(ConsoleShared *shared, const ConsoleState *state, const void *from,
                        size_t bytes)
{
    const unsigned char *base = (const unsigned char *)state;
    const size_t start = (size_t)((const unsigned char *)from - base);
    const size_t end = (start + bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    for (size_t i = start / sizeof(uint64_t); i < end; i++) {
        uint64_t word;
        memcpy(&word, base + i * sizeof word, sizeof word);
        // release: whoever sees this word also sees the odd counter stored before it
        atomic_store_explicit(&shared->words[i], word, memory_order_release);
    }
}

void console_shared_end(ConsoleShared *shared)
{
    const uint64_t sequence = atomic_load_explicit(&shared->sequence, memory_order_relaxed);
    // release: whoever sees this even counter also sees all words before it
    atomic_store_explicit(&shared->sequence, sequence + 1, memory_order_release);
}

static bool read_once(const ConsoleShared *shared, ConsoleState *state)
{
    const uint64_t before = atomic_load_explicit(&shared->sequence, memory_order_acquire);
    if (before % 2 != 0)
        return false;
    unsigned char *base = (unsigned char *)state;
    for (size_t i = 0; i < CONSOLE_SHARED_WORDS; i++) {
        // acquire: keeps the second look at the counter after it
        const uint64_t word = atomic_load_explicit(&shared->words[i], memory_order_acquire);
        memcpy(base + i * sizeof word, &word, sizeof word);
    }
    return atomic_load_explicit(&shared->sequence, memory_order_relaxed) == before;
}

bool console_shared_read(const ConsoleShared *shared, ConsoleState *state)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++)
        if (read_once(shared, state))
            return true;
    return false;
}
