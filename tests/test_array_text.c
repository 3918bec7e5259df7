#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/array.h"

static char err[MODEL_ERR_BYTES];

static const char *write_file(const char *name, const void *bytes, size_t count)
{
    static const char *folder;
    static char path[700];
    if (!folder)
        folder = test_folder("array_text");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    fwrite(bytes, 1, count, file);
    fclose(file);
    return path;
}

static Array *open_text(const char *text)
{
    return array_open(write_file("a.csv", text, strlen(text)), err);
}

static void columns_are_read_whatever_parts_them(void)
{
    double values[4];
    Array *array = open_text("# made by hand\nsample,level\n10,1\n\n20.5;0\n30\t-1e3\n 40  7 \n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(array);
    const ArrayInfo *info = array_info(array);
    CU_ASSERT(info->rank == 2 && info->dims[0] == 4 && info->dims[1] == 2 && !info->is_whole);
    CU_ASSERT(array_read(array, (int64_t[]){0, 0}, (int64_t[]){4, 1}, ARRAY_DOUBLE, values));
    CU_ASSERT(test_near(values[1], 20.5, 0) && test_near(values[3], 40, 0));
    CU_ASSERT(array_read(array, (int64_t[]){1, 0}, (int64_t[]){2, 2}, ARRAY_DOUBLE, values));
    CU_ASSERT(test_near(values[3], -1000, 0));
    array_close(array);
}

static void one_column_is_a_row_of_numbers(void)
{
    float values[3];
    Array *array = open_text("1\n2\n3");
    CU_ASSERT_PTR_NOT_NULL_FATAL(array);
    CU_ASSERT(array_info(array)->rank == 1 && array_info(array)->is_whole);
    CU_ASSERT(array_read(array, (int64_t[]){0}, (int64_t[]){3}, ARRAY_FLOAT, values));
    CU_ASSERT(test_near((double)values[2], 3, 0));
    array_close(array);
}

static void bad_text_is_refused_with_its_line(void)
{
    CU_ASSERT_PTR_NULL(open_text("1,2\n3\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "a.csv: line 2: "));
    CU_ASSERT_PTR_NULL(open_text("1,2\n3,x\n"));
    CU_ASSERT_PTR_NULL(open_text("a,b\n"));
    CU_ASSERT_PTR_NULL(open_text(""));
    CU_ASSERT_PTR_NULL(array_open("/nonexistent/a.csv", err));
}

static void raw_samples_are_read_by_channel(void)
{
    int16_t samples[3 * 5000];
    for (int i = 0; i < 3 * 5000; i++)
        samples[i] = (int16_t)(i % 3 * 10000 + i / 3 - 15000);
    const char *path = write_file("a.i16", samples, sizeof samples);
    Array *array = array_open_raw(path, 3, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(array);
    CU_ASSERT(array_info(array)->dims[0] == 5000 && array_info(array)->dims[1] == 3);
    float values[4000];
    CU_ASSERT(array_read(array, (int64_t[]){900, 2}, (int64_t[]){4000, 1}, ARRAY_FLOAT, values));
    for (int i = 0; i < 4000; i++)
        CU_ASSERT(test_near((double)values[i], 20000 + 900 + i - 15000, 0));
    CU_ASSERT_FALSE(
        array_read(array, (int64_t[]){4000, 0}, (int64_t[]){2000, 1}, ARRAY_FLOAT, values));
    array_close(array);
    CU_ASSERT_PTR_NULL(array_open_raw(path, 7, err));
    CU_ASSERT_PTR_NULL(array_open_raw(path, 0, err));
    CU_ASSERT_PTR_NULL(array_open_raw("/nonexistent", 1, err));
}

static void any_bytes_are_numbers_or_a_sentence(void)
{
    static const char whole[] = "a,b\n1,2\n3.5e1,-4\n#x\n 7;8\n";
    for (long round = 0, rounds = test_rounds(3000); round < rounds; round++) {
        char bytes[sizeof whole];
        memcpy(bytes, whole, sizeof whole);
        for (int i = rand() % 5; i > 0; i--)
            bytes[(size_t)rand() % sizeof whole] = (char)rand();
        Array *array = array_open(write_file("f.csv", bytes, sizeof whole - 1), err);
        double values[64];
        if (!array)
            continue;
        const ArrayInfo *info = array_info(array);
        int64_t start[] = {0, 0};
        CU_ASSERT_FATAL(info->dims[0] * (info->rank == 2 ? info->dims[1] : 1) <= 64);
        CU_ASSERT(array_read(array, start, info->dims, ARRAY_DOUBLE, values));
        array_close(array);
    }
}

static const TestCase cases[] = {
    {"columns are read whatever parts them", columns_are_read_whatever_parts_them},
    {"one column is a row of numbers", one_column_is_a_row_of_numbers},
    {"bad text is refused with its line", bad_text_is_refused_with_its_line},
    {"raw samples are read by channel", raw_samples_are_read_by_channel},
    {"any bytes are numbers or a sentence", any_bytes_are_numbers_or_a_sentence},
};

int main(void)
{
    return test_main("array_text", cases, sizeof cases / sizeof cases[0]);
}
