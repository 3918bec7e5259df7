#pragma once
/* What a long recording leaves behind while it goes on, so that after a kill at any moment it can
 * go on where it was: OUT.resume beside the data set OUT.
 *
 * An append-only file of blocks (rates and spikes, the costly part) and, now and then, the state of
 * everything that carries over from bin to bin. Opening finds the last whole state and cuts off
 * what is behind it; the blocks before it are read back in the order they were written. Each record
 * ends in a checksum, and the head names what is recorded, so a journal of anything else, or a torn
 * one, is not taken for this one. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JOURNAL_ERR_BYTES = 512, JOURNAL_KEY_BYTES = 32 };

typedef struct Journal Journal;

/* Goes on with the journal at path if its key is this one and its states have this size, else
 * starts a new one. NULL with a sentence in err (JOURNAL_ERR_BYTES) that names the file. */
Journal *journal_open(const char *path, const uint8_t *key, size_t state_bytes, char *err);

/* Bytes of the last state, valid until the journal closes; NULL: there is none. */
const void *journal_state(const Journal *journal);

/* The next block that was written before the last state: bytes into block, at most `room`. 0: no
 * more; from now on the journal is written. */
size_t journal_next(Journal *journal, void *block, size_t room);

bool journal_add_block(Journal *journal, const void *block, size_t bytes, char *err);
bool journal_add_state(Journal *journal, const void *state, char *err);

/* Closes; the file is removed when the recording is whole, and kept otherwise. */
void journal_close(Journal *journal, bool is_whole);
