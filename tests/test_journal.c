#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/journal.h"

static const uint8_t key[JOURNAL_KEY_BYTES] = {1, 2, 3}, other_key[JOURNAL_KEY_BYTES] = {1, 2, 4};

static const char *path(void)
{
    static char name[600];
    snprintf(name, sizeof name, "%s/a.resume", test_folder("journal"));
    return name;
}

static Journal *open_at(const char *name, const uint8_t *with)
{
    char err[JOURNAL_ERR_BYTES] = "";
    Journal *journal = journal_open(name, with, 4, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
    return journal;
}

/* Two blocks, a state, one block, and no more. */
static void write_some(const char *name)
{
    char err[JOURNAL_ERR_BYTES] = "";
    Journal *journal = open_at(name, key);
    CU_ASSERT_PTR_NULL(journal_state(journal));
    CU_ASSERT_EQUAL(journal_next(journal, err, sizeof err), 0);
    CU_ASSERT(journal_add_block(journal, "first", 6, err));
    CU_ASSERT(journal_add_block(journal, "second", 7, err));
    CU_ASSERT(journal_add_state(journal, "one", err));
    CU_ASSERT(journal_add_block(journal, "third", 6, err));
    journal_close(journal, false);
}

static void what_is_before_the_last_state_comes_back(void)
{
    const char *name = path();
    char block[16], err[JOURNAL_ERR_BYTES] = "";
    write_some(name);
    Journal *journal = open_at(name, key);
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal_state(journal));
    CU_ASSERT_STRING_EQUAL(journal_state(journal), "one");
    CU_ASSERT_EQUAL(journal_next(journal, block, sizeof block), 6);
    CU_ASSERT_STRING_EQUAL(block, "first");
    CU_ASSERT_EQUAL(journal_next(journal, block, sizeof block), 7);
    CU_ASSERT_STRING_EQUAL(block, "second");
    CU_ASSERT_EQUAL(journal_next(journal, block, sizeof block), 0);
    CU_ASSERT(journal_add_block(journal, "fourth", 7, err));
    CU_ASSERT(journal_add_state(journal, "two", err));
    journal_close(journal, false);
    journal = open_at(name, key);
    CU_ASSERT_STRING_EQUAL(journal_state(journal), "two");
    for (int i = 0; i < 3; i++)
        CU_ASSERT(journal_next(journal, block, sizeof block) > 0);
    CU_ASSERT_STRING_EQUAL(block, "fourth");
    journal_close(journal, true);
    CU_ASSERT(access(name, F_OK) != 0);
}

/* Cut at every byte, it never gives back anything but whole records before a whole state. */
static void a_torn_journal_is_read_as_far_as_it_is_whole(void)
{
    const char *name = path();
    write_some(name);
    FILE *file = fopen(name, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    char bytes[1024], block[16];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    int with_state = 0;
    for (size_t cut = 0; cut <= size; cut++) {
        file = fopen(name, "wb");
        fwrite(bytes, 1, cut, file);
        fclose(file);
        Journal *journal = open_at(name, key);
        int blocks = 0;
        while (journal_next(journal, block, sizeof block) > 0)
            blocks++;
        CU_ASSERT_EQUAL(blocks, journal_state(journal) ? 2 : 0);
        with_state += journal_state(journal) != NULL;
        journal_close(journal, false);
    }
    CU_ASSERT_EQUAL(with_state, 6 + 16 + 16 + 1); // as long as the third block, and one
    bytes[size - 80] ^= 1;                        // damage within the state
    file = fopen(name, "wb");
    fwrite(bytes, 1, size, file);
    fclose(file);
    Journal *journal = open_at(name, key);
    CU_ASSERT_PTR_NULL(journal_state(journal));
    journal_close(journal, false);
}

static void the_journal_of_something_else_is_begun_anew(void)
{
    const char *name = path();
    char block[16], err[JOURNAL_ERR_BYTES] = "";
    write_some(name);
    Journal *journal = open_at(name, other_key);
    CU_ASSERT_PTR_NULL(journal_state(journal));
    CU_ASSERT_EQUAL(journal_next(journal, block, sizeof block), 0);
    journal_close(journal, false);
    CU_ASSERT_PTR_NULL(journal_open("/no/such/folder/a.resume", key, 4, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "/no/such/folder/a.resume: could not"));
}

static const TestCase cases[] = {
    {"what is before the last state comes back", what_is_before_the_last_state_comes_back},
    {"a torn journal is read as far as it is whole", a_torn_journal_is_read_as_far_as_it_is_whole},
    {"the journal of something else is begun anew", the_journal_of_something_else_is_begun_anew},
};

int main(void)
{
    return test_main("journal", cases, sizeof cases / sizeof cases[0]);
}
