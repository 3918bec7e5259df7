#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/gamma.h"
#include "tests/harness.h"

static char err[GAMMA_ERR_BYTES];
static float drive[GAMMA_LEVELS];

static const char *write_table(const char *text, size_t bytes)
{
    static char path[600];
    static const char *folder;
    if (!folder)
        folder = test_folder("gamma");
    snprintf(path, sizeof path, "%s/g.tsv", folder);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(text, 1, bytes, file), bytes);
    fclose(file);
    return path;
}

static bool load(const char *text)
{
    return gamma_load(write_table(text, strlen(text)), drive, err);
}

static void refuses(const char *text, const char *sentence)
{
    CU_ASSERT_FALSE(load(text));
    const char *after_path = strstr(err, "g.tsv");
    CU_ASSERT_PTR_NOT_NULL_FATAL(after_path);
    CU_ASSERT_STRING_EQUAL(after_path + 5, sentence);
}

static void a_straight_line_is_identity(void)
{
    CU_ASSERT_TRUE_FATAL(load("0\t0\n1\t120\n"));
    for (int i = 0; i < GAMMA_LEVELS; i++)
        CU_ASSERT(test_near((double)drive[i], i / 1023.0, 1e-7));
    CU_ASSERT_TRUE_FATAL(
        load("# photometer, cd/m2\nlevel\tluminance\n\n0\t0\r\n51\t0.2\n255\t1\n"));
    for (int i = 0; i < GAMMA_LEVELS; i++)
        CU_ASSERT(test_near((double)drive[i], i / 1023.0, 1e-7));
}

/* Luminance = level^2.2, measured at 256 levels: shown luminance must come out as wanted. */
static void a_power_law_is_undone(void)
{
    char text[16384];
    size_t used = 0;
    for (int level = 0; level < 256; level++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d\t%.9g\n", level,
                                 80 * pow(level / 255.0, 2.2));
    CU_ASSERT_TRUE_FATAL(load(text));
    for (int i = 0; i < GAMMA_LEVELS; i++)
        CU_ASSERT(test_near(pow((double)drive[i], 2.2), i / 1023.0, 1e-4));
    CU_ASSERT(test_near((double)drive[0], 0, 0) && test_near((double)drive[1023], 1, 1e-7));
}

static void black_is_as_dark_as_the_display(void)
{
    CU_ASSERT_TRUE_FATAL(load("0\t10\n1\t100\n"));
    CU_ASSERT(test_near((double)drive[0], 0, 0));
    CU_ASSERT(test_near((double)drive[102], 0, 0)); // 9.97 of 100: below the black of 10
    for (int i = 103; i < GAMMA_LEVELS; i++)        // level l shows 10 + 90 l
        CU_ASSERT(test_near(10 + 90 * (double)drive[i], 100 * i / 1023.0, 1e-4));
}

static void plateaus_are_crossed(void)
{
    CU_ASSERT_TRUE_FATAL(load("0\t0\n0.25\t0\n0.5\t50\n0.75\t50\n1\t100\n"));
    for (int i = 1; i < GAMMA_LEVELS; i++) {
        double wanted = 100 * i / 1023.0;
        double level = wanted <= 50 ? 0.25 + wanted / 200 : 0.75 + (wanted - 50) / 200;
        CU_ASSERT(test_near((double)drive[i], level, 1e-6));
        CU_ASSERT(drive[i] >= drive[i - 1]);
    }
}

static void wrong_tables_are_refused(void)
{
    refuses("", ":1: 0 measurements; at least 2");
    refuses("0\t1\n", ":1: 1 measurements; at least 2");
    refuses(
        "0\t1\n0.5 2\n1\t3\n",
        ":2: '0.5 2' is not a measurement; two numbers with a tab between, level and luminance");
    refuses(
        "0\t0\n1\t3,5\n",
        ":2: '1?3,5' is not a measurement; two numbers with a tab between, level and luminance");
    refuses(
        "0\t0\n1\tnan\n",
        ":2: '1?nan' is not a measurement; two numbers with a tab between, level and luminance");
    refuses("0\t1\n0\t2\n", ":2: level 0 after 0; levels must rise");
    refuses("0\t1\n0.5\t3\n1\t2\n",
            ":3: luminance 2 after 3; luminance must not fall as the level rises");
    refuses("0\t1\n300\t2\n", ":2: level 300; 0 to 1 or 0 to 255");
    refuses("-1\t1\n1\t2\n", ":1: level -1; 0 to 1 or 0 to 255");
    refuses("0\t-1\n1\t2\n", ":1: luminance -1; 0 or more");
    refuses("0\t0\n0.9\t2\n", ":2: levels 0 to 0.9; from 0 to 1, or from 0 to 255");
    refuses("1\t0\n255\t2\n", ":2: levels 1 to 255; from 0 to 1, or from 0 to 255");
    refuses("0\t5\n1\t5\n", ":2: the same luminance at every level; the display was not measured");
    CU_ASSERT_FALSE(gamma_load("/nonexistent.tsv", drive, err));
    CU_ASSERT_STRING_EQUAL(err, "/nonexistent.tsv: could not be opened: No such file or directory");
}

static void broken_tables_never_break_the_program(void)
{
    static const char good[] = "level\tluminance\n0\t0.1\n64\t3\n128\t20\n192\t60\n255\t110\n";
    static const char bits[] = "0123456789.-+eE\t\n# \xff\x01x";
    unsigned state = 12345, loaded = 0;
    for (int i = 0; i < 4000; i++) {
        char mutant[sizeof good];
        memcpy(mutant, good, sizeof good);
        for (int edits = 0; edits < 1 + i % 4; edits++) {
            state = state * 1664525u + 1013904223u;
            mutant[(state >> 8) % (sizeof good - 1)] = bits[(state >> 20) % (sizeof bits - 1)];
        }
        if (!gamma_load(write_table(mutant, sizeof good - 1), drive, err))
            continue;
        loaded++;
        for (int k = 0; k < GAMMA_LEVELS; k++)
            CU_ASSERT(drive[k] >= 0 && drive[k] <= 1 && (k == 0 || drive[k] >= drive[k - 1]));
    }
    CU_ASSERT(loaded > 100 && loaded < 3900);
}

static const TestCase cases[] = {
    {"a display that is linear already is left alone", a_straight_line_is_identity},
    {"a power law measured at 256 levels is undone to 1e-4", a_power_law_is_undone},
    {"luminance below the display's black is its black", black_is_as_dark_as_the_display},
    {"stretches where the luminance stands still are crossed", plateaus_are_crossed},
    {"a table that is wrong is refused with its line", wrong_tables_are_refused},
    {"no mutation of a table gives a drive that falls or leaves 0 to 1",
     broken_tables_never_break_the_program},
};

int main(void)
{
    return test_main("gamma", cases, sizeof cases / sizeof cases[0]);
}
