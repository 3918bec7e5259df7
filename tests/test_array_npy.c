#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/array.h"
#include "model/array_npy.h"

static char err[MODEL_ERR_BYTES];

/* The file as numpy writes it: head padded with spaces to 64 bytes, ended by a newline. */
static const char *write_npy(int version, const char *dictionary, const void *values, size_t bytes)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/a.npy", test_folder("array_npy"));
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t start = version == 1 ? 10 : 12;
    size_t length = (start + strlen(dictionary) + 1 + 63) / 64 * 64 - start;
    unsigned char head[12] = {0x93,
                              'N',
                              'U',
                              'M',
                              'P',
                              'Y',
                              (unsigned char)version,
                              0,
                              (unsigned char)(length & 255),
                              (unsigned char)(length >> 8)};
    fwrite(head, 1, start, file);
    fprintf(file, "%-*s\n", (int)length - 1, dictionary);
    fwrite(values, 1, bytes, file);
    fclose(file);
    return path;
}

static Array *open_npy(const char *dictionary, const void *values, size_t bytes)
{
    Array *array = array_open(write_npy(1, dictionary, values, bytes), err);
    if (!array)
        printf("said: %s\n", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(array);
    return array;
}

/* Six values 0 … 5 (and one negative where the type has a sign) as (2, 3). */
static void reads_type(const char *descr, const void *values, size_t bytes, double last)
{
    char dictionary[100];
    snprintf(dictionary, sizeof dictionary,
             "{'descr': '%s', 'fortran_order': False, 'shape': (2, 3), }", descr);
    Array *array = open_npy(dictionary, values, bytes);
    double doubles[6];
    float floats[6];
    CU_ASSERT_EQUAL(array_info(array)->is_whole, descr[1] != 'f');
    CU_ASSERT(array_read(array, (int64_t[]){0, 0}, (int64_t[]){2, 3}, ARRAY_DOUBLE, doubles));
    CU_ASSERT(array_read(array, (int64_t[]){0, 0}, (int64_t[]){2, 3}, ARRAY_FLOAT, floats));
    for (int i = 0; i < 6; i++) {
        CU_ASSERT(test_near(doubles[i], i < 5 ? i : last, 0.0));
        CU_ASSERT(test_near((double)floats[i], i < 5 ? i : last, 0.0));
    }
    array_close(array);
}

#define READS(Type, descr, last)                                                                   \
    do {                                                                                           \
        const Type values[] = {0, 1, 2, 3, 4, last};                                               \
        reads_type(descr, values, sizeof values, (double)(last));                                  \
    } while (0)

static void every_type_is_read(void)
{
    READS(uint8_t, "|u1", 255);
    READS(uint8_t, "|b1", 1);
    READS(int8_t, "|i1", -128);
    READS(uint16_t, "<u2", 65535);
    READS(int16_t, "<i2", -32768);
    READS(uint32_t, "<u4", 16777216);
    READS(int32_t, "<i4", -16777216);
    READS(uint64_t, "<u8", 4294967296);
    READS(int64_t, "<i8", -4294967296);
    READS(float, "<f4", 0.5f);
    READS(double, "<f8", -0.25);
}

enum { A = 3, B = 4, C = 5 };

/* Values of an array (A, B, C): 100 a + 10 b + c. */
static void boxes_are_right(Array *array)
{
    float box[A * B * C];
    for (int a = 0; a < A; a++)
        for (int b = 0; b < B; b++)
            for (int c = 0; c < C; c++) {
                const int64_t start[] = {a, b, c}, count[] = {A - a, B - b, C - c};
                CU_ASSERT_FATAL(array_read(array, start, count, ARRAY_FLOAT, box));
                int at = 0;
                for (int i = a; i < A; i++)
                    for (int j = b; j < B; j++)
                        for (int k = c; k < C; k++)
                            CU_ASSERT(test_near((double)box[at++], 100 * i + 10 * j + k, 0.0));
                const int64_t one[] = {1, 1, 1};
                CU_ASSERT(array_read(array, start, one, ARRAY_FLOAT, box));
                CU_ASSERT(test_near((double)box[0], 100 * a + 10 * b + c, 0.0));
            }
    const int64_t outside[] = {0, 0, 1}, whole[] = {A, B, C};
    CU_ASSERT_FALSE(array_read(array, outside, whole, ARRAY_FLOAT, box));
}

static void every_box_is_read(void)
{
    float values[A * B * C];
    for (int i = 0; i < A * B * C; i++)
        values[i] = (float)(100 * (i / (B * C)) + 10 * (i / C % B) + i % C);
    Array *array = open_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5), }",
                            values, sizeof values);
    boxes_are_right(array);
    array_close(array);
}

static void fortran_order_is_turned(void)
{
    float values[A * B * C];
    for (int i = 0; i < A * B * C; i++)
        values[i] = (float)(100 * (i % A) + 10 * (i / A % B) + i / (A * B));
    Array *array = open_npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 4, 5), }", values,
                            sizeof values);
    boxes_are_right(array);
    array_close(array);
}

static void dimensions_can_be_arranged(void)
{
    float values[A * B * C];
    for (int i = 0; i < A * B * C; i++) // (C, A, B)
        values[i] = (float)(100 * (i / B % A) + 10 * (i % B) + i / (A * B));
    Array *array = open_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3, 4), }",
                            values, sizeof values);
    array_arrange(array, (int[]){1, 2, 0});
    boxes_are_right(array);
    array_close(array);
}

static void version_2_and_other_spellings_are_read(void)
{
    const double values[] = {1, 2};
    Array *array =
        array_open(write_npy(2, "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<f8\"}",
                             values, sizeof values),
                   err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(array);
    double back[2];
    CU_ASSERT_EQUAL(array_info(array)->rank, 1);
    CU_ASSERT(array_read(array, (int64_t[]){0}, (int64_t[]){2}, ARRAY_DOUBLE, back));
    CU_ASSERT(memcmp(back, values, sizeof back) == 0);
    array_close(array);
}

static void refuses(const char *dictionary, const char *words)
{
    const double values[6] = {0};
    Array *array = array_open(write_npy(1, dictionary, values, sizeof values), err);
    CU_ASSERT_PTR_NULL(array);
    bool is_said = strstr(err, "a.npy: ") && strstr(err, words);
    if (!is_said)
        printf("said: %s\n", err);
    CU_ASSERT(is_said);
    array_close(array);
}

static void what_is_not_read_is_said(void)
{
    refuses("{'descr': '>f8', 'fortran_order': False, 'shape': (2, 3), }",
            "holds values of type '>f8'; allowed are u1");
    refuses("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "type '|O'");
    refuses("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (6,), }", "damaged head");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4), }",
            "has 176 bytes where its shape needs 192");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", "impossible shape");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }", "impossible shape");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1, 1, 6), }", "damaged head");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }",
            "impossible shape");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 4), }",
            "damaged head");
    refuses("{'descr': '<f8', 'fortran_order': False}", "damaged head");
    refuses("{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2, 3), }", "damaged head");
    CU_ASSERT_PTR_NULL(array_open("no/such/file.npy", err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "No such file"));
    CU_ASSERT_PTR_NULL(array_open("stimulus.dat", err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "allowed are FILE.npy, FILE.csv"));
}

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Copied to memory of just the right size, so that a sanitizer sees a byte read past it. */
static bool survives(const unsigned char *text, size_t bytes)
{
    unsigned char *exact = malloc(bytes + 1);
    NpyHead head;
    memcpy(exact + 1, text, bytes);
    bool is_read = npy_read_head(exact + 1, bytes, &head, err);
    CU_ASSERT_FATAL(!is_read || (head.rank >= 1 && head.rank <= ARRAY_MAX_RANK &&
                                 npy_values(&head) >= 1 && head.data_at <= (int64_t)bytes));
    free(exact);
    return is_read;
}

static void damaged_heads_do_no_harm(void)
{
    static const char sound[] =
        "\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5), }"
        "            \n";
    static const char letters[] = "{}()':,<|fui0123456789 \x93\xff";
    size_t bytes = sizeof sound - 1;
    long rounds = test_rounds(50000);
    uint32_t state = (uint32_t)rand();
    unsigned char text[sizeof sound];
    memcpy(text, sound, sizeof sound);
    text[8] = (unsigned char)(bytes - 10);
    CU_ASSERT(survives(text, bytes));
    long still_read = 0;
    for (long i = 0; i < rounds; i++) {
        unsigned char spoilt[sizeof sound];
        memcpy(spoilt, text, sizeof spoilt);
        for (uint32_t times = 1 + next(&state) % 4; times > 0; times--)
            spoilt[next(&state) % bytes] =
                next(&state) % 2 ? (unsigned char)letters[next(&state) % (sizeof letters - 1)]
                                 : (unsigned char)next(&state);
        still_read += survives(spoilt, next(&state) % 3 ? bytes : next(&state) % (bytes + 1));
    }
    CU_ASSERT(still_read > 0 && still_read < rounds);
}

static const TestCase cases[] = {
    {"every type is read", every_type_is_read},
    {"every box is read", every_box_is_read},
    {"Fortran order is turned", fortran_order_is_turned},
    {"dimensions can be arranged", dimensions_can_be_arranged},
    {"version 2 and other spellings are read", version_2_and_other_spellings_are_read},
    {"what is not read is said", what_is_not_read_is_said},
    {"damaged heads do no harm", damaged_heads_do_no_harm},
};

int main(void)
{
    return test_main("array_npy", cases, sizeof cases / sizeof cases[0]);
}
