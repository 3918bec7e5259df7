#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/frames.h"
#include "app/table.h"

static const char head[] =
    "refresh\timage\tmissed\ttrial\tblock\tcondition\trepeat\ttrial_frame\t"
    "trigger_code\tstart_ns\tdrawn_ns\tmodelled_ns\trequested_ns\tvblank_ns\t"
    "margin_ns\ttime_source\tmodels_late\n";
static char err[FRAMES_ERR_BYTES];
static Frames frames;

static const char *folder_with(const char *text, size_t bytes)
{
    static const char *folder;
    char path[700];
    if (!folder)
        folder = test_folder("frames");
    snprintf(path, sizeof path, "%s/frames.tsv", folder);
    FILE *file = fopen(path, "wb");
    fwrite(text, 1, bytes, file);
    fclose(file);
    return folder;
}

static bool read_text(const char *rows)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s", head, rows);
    return frames_read(folder_with(text, strlen(text)), 60, &frames, err);
}

static const char rows[] = "0\t0\t0\t0\t0\t0\t0\t0\t0\t1\t2\t3\t4\t1000\t6\tdisplay\t0\n"
                           "1\t0\t1\t0\t0\t0\t0\t1\t0\t-1\t-1\t-1\t-1\t-1\t-1\tdisplay\t0\n"
                           "2\t1\t0\t0\t2\t0\t0\t2\t7\t1\t2\t3\t4\t3000\t6\tdisplay\t0\n"
                           "4\t4\t0\t1\t3\t0\t0\t4\t0\t1\t2\t3\t4\t5000\t6\tdisplay\t0\n"
                           "5\t5\t0\t1\t3\t0";

static void rows_missed_and_lacking_have_their_times(void)
{
    CU_ASSERT_FATAL(read_text(rows));
    CU_ASSERT(frames.count == 5 && frames.is_cut);
    CU_ASSERT(test_near(frames.period_ns, 1000, 1e-9));
    CU_ASSERT(frames.frames[1].is_missed && frames.frames[1].image == 0);
    CU_ASSERT(frames.frames[1].vblank_ns == -1 && frames.frames[1].slot_ns == 2000);
    CU_ASSERT(frames.frames[2].image == 1 && frames.frames[2].trigger_code == 7);
    CU_ASSERT(frames.frames[3].is_lacking && frames.frames[3].slot_ns == 4000);
    CU_ASSERT(frames.frames[3].image == 3 && frames.frames[3].block == 2);
    CU_ASSERT(frames.frames[4].trial == 1 && frames.frames[4].slot_ns == 5000);
    frames_finish(&frames);
}

static void what_is_no_table_is_refused_with_its_line(void)
{
    static const char *const bad[] = {
        "",
        "0\t0\t0\n",
        "0\tx\t0\t0\t0\t0\t0\t0\t0\t1\t2\t3\t4\t1000\t6\tdisplay\t0\n",
        "0\t5\t0\t0\t0\t0\t0\t0\t0\t1\t2\t3\t4\t1000\t6\tdisplay\t0\n",
        "7000000000\t0\t0\t0\t0\t0\t0\t0\t0\t1\t2\t3\t4\t1000\t6\tdisplay\t0\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_FALSE(read_text(bad[i]));
        CU_ASSERT_PTR_NOT_NULL(strstr(err, "frames.tsv:"));
    }
    CU_ASSERT_FALSE(frames_read("/nonexistent", 60, &frames, err));
}

/* Bytes changed, cut off and doubled, at random: a table or a sentence, and memory in order. */
static void damaged_bytes_are_a_table_or_a_sentence(void)
{
    char whole[4096], text[4096];
    size_t length = (size_t)snprintf(whole, sizeof whole, "%s%s", head, rows);
    for (long round = 0, rounds = test_rounds(4000); round < rounds; round++) {
        size_t bytes = round % 3 ? length : (size_t)rand() % length;
        memcpy(text, whole, bytes);
        for (int i = rand() % 6; i > 0 && bytes > 0; i--)
            text[(size_t)rand() % bytes] = "\t\n0-9x\0\xff"[rand() % 8];
        if (frames_read(folder_with(text, bytes), 60, &frames, err)) {
            for (int64_t k = 0; k < frames.count; k++)
                CU_ASSERT(frames.frames[k].image <= k && frames.frames[k].image >= -1);
            frames_finish(&frames);
        } else
            CU_ASSERT(err[0] != '\0');
    }
}

static const TestCase cases[] = {
    {"rows that were missed or are lacking have their times",
     rows_missed_and_lacking_have_their_times},
    {"what is no table is refused with its line", what_is_no_table_is_refused_with_its_line},
    {"damaged bytes are a table or a sentence", damaged_bytes_are_a_table_or_a_sentence},
};

int main(void)
{
    return test_main("frames", cases, sizeof cases / sizeof cases[0]);
}
