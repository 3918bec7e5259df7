#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CUnit/Basic.h>

enum { EXIT_SKIPPED = 77 };

static size_t skipped_count;

int test_main(const char *suite_name, const TestCase *cases, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        CU_add_test(suite, cases[i].sentence, cases[i].run);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_ErrorCode ran = CU_basic_run_tests();
    bool failed =
        ran != CUE_SUCCESS || CU_get_number_of_failures() > 0 || CU_get_number_of_tests_run() == 0;
    CU_cleanup_registry();
    if (failed)
        return EXIT_FAILURE;
    if (skipped_count > 0)
        printf("%zu of %zu cases skipped\n", skipped_count, count);
    return skipped_count == count ? EXIT_SKIPPED : EXIT_SUCCESS;
}

void test_skip(const char *why)
{
    skipped_count++;
    printf("skipped: %s ... ", why);
}

bool test_near(double got, double wanted, double tolerance)
{
    return fabs(got - wanted) <= tolerance;
}

const char *test_folder(const char *name)
{
    static char path[512];
    const char *parent = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    snprintf(path, sizeof path, "%s/retrace-%s-XXXXXX", parent, name);
    return mkdtemp(path);
}

void test_write(const char *folder, const char *name, const char *text)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

long test_rounds(long usual)
{
    const char *rounds = getenv("RETRACE_FUZZ_ROUNDS"), *seed = getenv("RETRACE_FUZZ_SEED");
    srand(seed ? (unsigned)strtoul(seed, NULL, 10) : 1);
    return rounds ? atol(rounds) : usual;
}
