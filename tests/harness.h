#pragma once
/* What every test program shares: a list of cases in, CUnit's summary and an exit status out.
 *
 * A case's name is a sentence that can be false. A test program is
 *
 *     static void widths_are_exact(void) { ... CU_ASSERT(...); }
 *     static const TestCase cases[] = {{"bar widths survive the average", widths_are_exact}};
 *     int main(void) { return test_main("scene", cases, sizeof cases / sizeof cases[0]); }
 *
 * Exit status: 0 all ran and held, 1 a case failed or none ran, 77 every case was skipped. */
#include <stdbool.h>
#include <stddef.h>
#include <CUnit/CUnit.h>

typedef struct {
    const char *sentence;
    void (*run)(void);
} TestCase;

int test_main(const char *suite, const TestCase *cases, size_t count);

/* Ends the running case as skipped, and says so: `if (!has_display) { test_skip("why"); return; }`.
 * A skipped case makes no assertion. */
void test_skip(const char *why);

/* |got - wanted| <= tolerance; false for NaN. */
bool test_near(double got, double wanted, double tolerance);

/* A fresh folder for one test's files, below the build's temporary directory; never removed by
 * the test while it fails, so that the evidence stays. Returns a string owned by the harness. */
const char *test_folder(const char *name);

/* FOLDER/NAME := text. */
void test_write(const char *folder, const char *name, const char *text);

/* Rounds of a test that throws random input at something: $RETRACE_FUZZ_ROUNDS, or `usual`. Seeds
 * rand() with $RETRACE_FUZZ_SEED, or 1. */
long test_rounds(long usual);
