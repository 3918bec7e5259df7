#pragma once
/* A ConsoleState that one thread writes and another process reads, with no lock.
 *
 * A sequence counter is odd while a write is under way. The writer never waits; a reader that finds
 * the counter odd or changed has a torn copy and tries again. The state travels in 64-bit words,
 * each stored with release and loaded with acquire: a reader that sees a word of an unfinished
 * write therefore also sees that write's odd counter (the order of Boehm, "Can seqlocks get along
 * with programming language memory models?", MSPC 2012, without its fences). */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/console_state.h"

enum { CONSOLE_SHARED_WORDS = sizeof(ConsoleState) / sizeof(uint64_t) };

typedef struct {
    _Atomic uint64_t sequence;                    // the writer's
    _Atomic uint64_t words[CONSOLE_SHARED_WORDS]; // the writer's; a ConsoleState
} ConsoleShared;

/* Writer: any number of puts between begin and end. from must point into state. */
void console_shared_begin(ConsoleShared *shared);
void console_shared_put(ConsoleShared *shared, const ConsoleState *state, const void *from,
                        size_t bytes);
void console_shared_end(ConsoleShared *shared);

/* Reader: a whole state, or false after many torn copies. */
bool console_shared_read(const ConsoleShared *shared, ConsoleState *state);
