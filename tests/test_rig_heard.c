#include "app/rig_heard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

static void damaged_rows_are_a_table_or_a_sentence(void)
{
    static const char whole[] =
        "refresh\tevent\ttrial\tflash\ttrigger_code\tmissed\tvblank_ns\tline\tbits\tcount\thost_ns"
        "\tdevice_ns\tsession_ns\terror_ns\tcorrected_ns\n"
        "0\ttrial_start\t0\t0\t0\t0\t5\t-1\t-1\t0\t-1\t-1\t-1\t-1\t-1\n"
        "1\tinput_edge\t0\t0\t0\t0\t-1\t2\t4\t0\t9000\t70\t8500\t300\t-1\n";
    char err[RIG_HEARD_ERR_BYTES], path[700];
    const char *here = test_folder("heard");
    int64_t count;
    snprintf(path, sizeof path, "%s/events.tsv", here);
    for (long round = 0, rounds = test_rounds(3000); round <= rounds; round++) {
        char text[sizeof whole];
        memcpy(text, whole, sizeof whole);
        for (int i = round ? rand() % 5 : 0; i > 0; i--)
            text[(size_t)rand() % sizeof whole] = "\t\n0-9x\0\xff"[rand() % 8];
        FILE *file = fopen(path, "wb");
        fwrite(text, 1, sizeof whole - 1, file);
        fclose(file);
        err[0] = '\0';
        RigHeard *heard = rig_heard_read(here, &count, err);
        CU_ASSERT(heard ? count <= 3 : err[0] != '\0');
        for (int64_t i = 0; heard && i < count; i++)
            CU_ASSERT(heard[i].time_ns >= 0 && heard[i].refresh >= 0);
        if (round == 0)
            CU_ASSERT(heard && count == 1 && heard->time_ns == 8500 && heard->error_ns == 300 &&
                      heard->device_ns == 70 && heard->line == 2 && heard->bits == 4);
        free(heard);
    }
}

static const TestCase cases[] = {
    {"damaged rows are a table or a sentence", damaged_rows_are_a_table_or_a_sentence},
};

int main(void)
{
    return test_main("rig_heard", cases, sizeof cases / sizeof cases[0]);
}
