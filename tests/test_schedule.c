#include "app/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

/* A rig leaves its columns in frames.tsv: what was sent is a pulse on each of its lines, what
 * failed is none, and the line that is high for the run does not pulse. */
static void pulses_are_those_that_were_sent(void)
{
    static const struct {
        const char *spec, *lines; // of three frames, the second of which failed
        int line, code, codes;    // of the last pulse; pulses with a code
        int64_t pulses;
    } cases[] = {
        {"cdc:pulse_us=700", "3 15 15", 3, 3, 2, 4},
        {"cdc:code=byte", "1 255 9", 3, 9, 2, 3},
        {"cdc:code=byte", "1 1 1", 0, 0, 0, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Frames frames;
        Schedule schedule;
        char err[SCHEDULE_ERR_BYTES], text[400], lines[3][8];
        const char *here = test_folder("pulses");
        RunRig rig = {.spec = cases[i].spec, .pulse_us = 700};
        CU_ASSERT_FATAL(frames_plan(3, 60, &frames));
        for (int k = 0; k < 3; k++)
            frames.frames[k].slot_ns += 1000;
        // the edge is the rig's, no event of a trial
        test_write(here, "events.tsv",
                   "refresh\tevent\ttrial\tflash\ttrigger_code\tmissed\tvblank_ns\n"
                   "1\tinput_edge\t0\t0\t0\t0\t-1\n");
        sscanf(cases[i].lines, "%7s %7s %7s", lines[0], lines[1], lines[2]);
        snprintf(text, sizeof text,
                 "missed\ttrigger_code\ttrigger_lines\ttrigger\ttrigger_completed_ns\t"
                 "trigger_corrected_ns\n0\t0\t%s\tsent\t1500\t1800\n0\t0\t%s\tstall\t-1\t-1\n"
                 "0\t9\t%s\tsent\t34000000\t34000300\n",
                 lines[0], lines[1], lines[2]);
        test_write(here, "frames.tsv", text);
        CU_ASSERT_FATAL(schedule_of_run(here, &frames, NULL, &rig, &schedule, err));
        CU_ASSERT(schedule.events_count == 0 && schedule.pulses_count == cases[i].pulses);
        const SchedulePulse *first = schedule.pulses, *last = first + schedule.pulses_count - 1;
        CU_ASSERT(first->start_ns == 500 && first->stop_ns == 700500 && first->corrected_ns == 800);
        CU_ASSERT(first->line == 0 && first->code == 0 && schedule.has_correction);
        CU_ASSERT(last->line == cases[i].line && last->code == cases[i].code);
        int codes = 0;
        for (int64_t k = 0; k < schedule.pulses_count; k++)
            codes += schedule.pulses[k].code != 0;
        CU_ASSERT_EQUAL(codes, cases[i].codes);
        schedule_finish(&schedule);
        CU_ASSERT_FATAL(schedule_of_run(here, &frames, NULL, NULL, &schedule, err));
        CU_ASSERT_EQUAL(schedule.pulses_count, 0);
        schedule_finish(&schedule);
        frames_finish(&frames);
    }
}

static void damaged_events_are_a_table_or_a_sentence(void)
{
    static const char whole[] = "refresh\tevent\ttrial\tflash\ttrigger_code\tmissed\tvblank_ns\n"
                                "0\ttrial_start\t0\t0\t0\t0\t5\n"
                                "1\tstimulus_onset\t0\t0\t7\t1\t-1\n";
    Frames frames;
    char err[SCHEDULE_ERR_BYTES], path[700];
    const char *here = test_folder("events");
    CU_ASSERT_FATAL(frames_plan(3, 60, &frames));
    snprintf(path, sizeof path, "%s/frames.tsv", here);
    FILE *file = fopen(path, "w");
    fputs("refresh\timage\n0\t0\n", file);
    fclose(file);
    snprintf(path, sizeof path, "%s/events.tsv", here);
    for (long round = 0, rounds = test_rounds(3000); round < rounds; round++) {
        char text[sizeof whole];
        memcpy(text, whole, sizeof whole);
        for (int i = rand() % 5; i > 0; i--)
            text[(size_t)rand() % sizeof whole] = "\t\n0-9x\0\xff"[rand() % 8];
        file = fopen(path, "wb");
        fwrite(text, 1, sizeof whole - 1, file);
        fclose(file);
        Schedule schedule;
        err[0] = '\0';
        if (schedule_of_run(here, &frames, NULL, NULL, &schedule, err)) {
            for (int64_t i = 0; i < schedule.events_count; i++)
                CU_ASSERT(schedule.events[i].refresh >= 0 && schedule.events[i].refresh < 3);
            schedule_finish(&schedule);
        } else
            CU_ASSERT(err[0] != '\0');
    }
    frames_finish(&frames);
}

static const TestCase cases[] = {
    {"pulses are those that were sent", pulses_are_those_that_were_sent},
    {"damaged events are a table or a sentence", damaged_events_are_a_table_or_a_sentence},
};

int main(void)
{
    return test_main("schedule", cases, sizeof cases / sizeof cases[0]);
}
