#include "app/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

enum { PATH_BYTES = 4096, SUM_BYTES = 16, BLOCK = 1, STATE = 2 };

static const char magic[16] = "retrace-resume1";

typedef struct {
    char magic[16];
    uint8_t key[JOURNAL_KEY_BYTES];
    uint64_t state_bytes;
} Head;

typedef struct {
    uint64_t kind, bytes;
} Record;

struct Journal {
    char path[PATH_BYTES];
    FILE *file;
    void *state; // (state_bytes)
    size_t state_bytes;
    bool has_state;
    long end, at; // where the records of an earlier run end, and how far they are read
};

static bool fail(const Journal *journal, const char *what, char *err)
{
    snprintf(err, JOURNAL_ERR_BYTES, "%.300s: could not %s: %.120s", journal->path, what,
             strerror(errno));
    return false;
}

static void sum_of(const Record *record, const void *bytes, uint8_t *sum)
{
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, SUM_BYTES);
    crypto_generichash_update(&hash, (const unsigned char *)record, sizeof *record);
    crypto_generichash_update(&hash, bytes, record->bytes);
    crypto_generichash_final(&hash, sum, SUM_BYTES);
}

/* Reads one record whole and sound, *bytes grown as it needs; kind 0 at the end and at damage. */
static Record read_record(FILE *file, void **bytes, size_t *room)
{
    const Record none = {0};
    Record record;
    uint8_t sum[SUM_BYTES], stored[SUM_BYTES];
    long from = ftell(file);
    if (fread(&record, sizeof record, 1, file) != 1 || fseek(file, 0, SEEK_END) != 0)
        return none;
    uint64_t left = (uint64_t)(ftell(file) - from) - sizeof record;
    if (record.bytes + SUM_BYTES > left || fseek(file, from + (long)sizeof record, SEEK_SET) != 0)
        return none;
    if (record.bytes > *room) {
        void *larger = realloc(*bytes, record.bytes);
        if (!larger)
            return none;
        *bytes = larger;
        *room = record.bytes;
    }
    if (fread(*bytes, 1, record.bytes, file) != record.bytes ||
        fread(stored, SUM_BYTES, 1, file) != 1)
        return none;
    sum_of(&record, *bytes, sum);
    return memcmp(sum, stored, SUM_BYTES) == 0 ? record : none;
}

/* Finds the last state of the journal; false when it is not one of this key and size. */
static bool find_state(Journal *journal, const uint8_t *key)
{
    Head head;
    void *bytes = NULL;
    size_t room = 0;
    rewind(journal->file);
    if (fread(&head, sizeof head, 1, journal->file) != 1 ||
        memcmp(head.magic, magic, sizeof magic) != 0 ||
        memcmp(head.key, key, JOURNAL_KEY_BYTES) != 0 || head.state_bytes != journal->state_bytes)
        return false;
    for (Record record = read_record(journal->file, &bytes, &room); record.kind;
         record = read_record(journal->file, &bytes, &room))
        if (record.kind == STATE && record.bytes == journal->state_bytes) {
            memcpy(journal->state, bytes, journal->state_bytes);
            journal->has_state = true;
            journal->end = ftell(journal->file);
        }
    free(bytes);
    return journal->has_state;
}

static bool start(Journal *journal, const uint8_t *key)
{
    Head head = {.state_bytes = journal->state_bytes};
    memcpy(head.magic, magic, sizeof magic);
    memcpy(head.key, key, JOURNAL_KEY_BYTES);
    rewind(journal->file);
    return ftruncate(fileno(journal->file), 0) == 0 &&
           fwrite(&head, sizeof head, 1, journal->file) == 1 && fflush(journal->file) == 0;
}

static bool cut(Journal *journal)
{
    journal->at = (long)sizeof(Head);
    return ftruncate(fileno(journal->file), journal->end) == 0 &&
           fseek(journal->file, journal->at, SEEK_SET) == 0;
}

Journal *journal_open(const char *path, const uint8_t *key, size_t state_bytes, char *err)
{
    Journal *journal = calloc(1, sizeof *journal);
    if (!journal) {
        snprintf(err, JOURNAL_ERR_BYTES, "%.300s: out of memory", path);
        return NULL;
    }
    snprintf(journal->path, sizeof journal->path, "%s", path);
    journal->state_bytes = state_bytes;
    journal->state = malloc(state_bytes);
    errno = 0;
    journal->file = fopen(path, "r+b");
    if (!journal->file)
        journal->file = fopen(path, "w+b");
    bool ok = journal->state && journal->file;
    if (ok)
        ok = find_state(journal, key) ? cut(journal) : start(journal, key);
    if (ok)
        return journal;
    fail(journal, "keep what is done", err);
    journal_close(journal, false);
    return NULL;
}

const void *journal_state(const Journal *journal)
{
    return journal->has_state ? journal->state : NULL;
}

size_t journal_next(Journal *journal, void *block, size_t room)
{
    while (journal->at < journal->end) {
        void *bytes = NULL;
        size_t size = 0;
        Record record = read_record(journal->file, &bytes, &size);
        journal->at = record.kind ? ftell(journal->file) : journal->end;
        bool is_block = record.kind == BLOCK && record.bytes <= room;
        if (is_block)
            memcpy(block, bytes, record.bytes);
        free(bytes);
        if (is_block)
            return record.bytes;
    }
    return 0;
}

static bool add(Journal *journal, uint64_t kind, const void *bytes, size_t count, char *err)
{
    Record record = {kind, count};
    uint8_t sum[SUM_BYTES];
    sum_of(&record, bytes, sum);
    errno = 0;
    bool ok = fseek(journal->file, 0, SEEK_END) == 0 &&
              fwrite(&record, sizeof record, 1, journal->file) == 1 &&
              fwrite(bytes, 1, count, journal->file) == count &&
              fwrite(sum, SUM_BYTES, 1, journal->file) == 1 && fflush(journal->file) == 0;
    return ok || fail(journal, "keep what is done", err);
}

bool journal_add_block(Journal *journal, const void *block, size_t bytes, char *err)
{
    return add(journal, BLOCK, block, bytes, err);
}

bool journal_add_state(Journal *journal, const void *state, char *err)
{
    return add(journal, STATE, state, journal->state_bytes, err);
}

void journal_close(Journal *journal, bool is_whole)
{
    if (!journal)
        return;
    if (journal->file)
        fclose(journal->file);
    if (is_whole)
        remove(journal->path);
    free(journal->state);
    free(journal);
}
