#include "tests/harness.h"

#include <pthread.h>

#include "rig/ring.h"

#ifdef __SANITIZE_THREAD__
enum { RECORDS = 200000 };
#else
enum { RECORDS = 2000000 };
#endif

typedef struct {
    uint64_t number, check;
} Record;

static void full_ring_counts_what_it_loses(void)
{
    Ring ring;
    CU_ASSERT_FATAL(ring_init(&ring, sizeof(Record), 4));
    for (uint64_t i = 0; i < 7; i++)
        CU_ASSERT_EQUAL(ring_push(&ring, &(Record){i, ~i}), i < 4);
    CU_ASSERT_EQUAL(ring_lost(&ring), 3);
    CU_ASSERT_EQUAL(ring_fill(&ring), 4);
    Record record;
    for (uint64_t i = 0; i < 4; i++) {
        CU_ASSERT(ring_pop(&ring, &record));
        CU_ASSERT_EQUAL(record.number, i);
    }
    CU_ASSERT_FALSE(ring_pop(&ring, &record));
    ring_finish(&ring);
}

static void *write_all(void *argument)
{
    Ring *ring = argument;
    for (uint64_t i = 0; i < RECORDS; i++)
        while (!ring_push(ring, &(Record){i, ~i}))
            continue;
    return NULL;
}

static void two_threads_keep_order_across_the_wrap(void)
{
    Ring ring;
    CU_ASSERT_FATAL(ring_init(&ring, sizeof(Record), 256));
    // indices start just below 2^32, so that both wrap during the test
    atomic_store(&ring.written, UINT32_MAX - 1000);
    atomic_store(&ring.read, UINT32_MAX - 1000);
    pthread_t writer;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&writer, NULL, write_all, &ring), 0);
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < RECORDS;) {
        Record record;
        if (!ring_pop(&ring, &record))
            continue;
        wrong += record.number != i || record.check != ~i;
        i++;
    }
    pthread_join(writer, NULL);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(ring_fill(&ring), 0);
    ring_finish(&ring);
}

static const TestCase cases[] = {
    {"a full ring refuses, counts the loss and keeps the oldest", full_ring_counts_what_it_loses},
    {"two threads keep order across the 2^32 wrap", two_threads_keep_order_across_the_wrap},
};

int main(void)
{
    return test_main("ring", cases, sizeof cases / sizeof cases[0]);
}
