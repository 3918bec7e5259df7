#include "rig/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"

static int64_t hand_ns;

static int64_t hand_now_ns(void *unused)
{
    (void)unused;
    return hand_ns;
}

static const RigClock hand = {hand_now_ns, NULL};

static Rig *open_rig(const char *text)
{
    RigSpec spec;
    char err[RIG_ERR_BYTES] = "";
    CU_ASSERT_FATAL(rig_spec_read(text, &spec, err));
    hand_ns = 1000000;
    Rig *rig = rig_open(&spec, &hand, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rig);
    return rig;
}

static RigEvent take(Rig *rig)
{
    RigEvent event = {.kind = RIG_EVENT_GONE};
    CU_ASSERT(rig_poll(rig, &event));
    return event;
}

static void a_pulse_comes_back_as_two_edges(void)
{
    RigEvent event;
    Rig *rig = open_rig("null:delay_us=300,pulse_us=400");
    CU_ASSERT_FALSE(rig_poll(rig, &event));
    CU_ASSERT(rig_trigger(rig, &(RigTrigger){7, 0x01, 0x00}));
    event = take(rig);
    CU_ASSERT(event.kind == RIG_EVENT_SENT && event.tag == 7 && event.submitted_ns == 1000000);
    CU_ASSERT_FALSE(rig_poll(rig, &event));
    hand_ns += 299999;
    CU_ASSERT_FALSE(rig_poll(rig, &event));
    hand_ns += 1;
    event = take(rig);
    CU_ASSERT(event.kind == RIG_EVENT_EDGE && event.line == 0 && event.bits == 0x01);
    CU_ASSERT(event.session_ns == 1000000 && event.host_ns == 1300000);
    hand_ns += 400000;
    event = take(rig);
    CU_ASSERT(event.kind == RIG_EVENT_EDGE && event.bits == 0x00 && event.session_ns == 1400000);
    CU_ASSERT_FALSE(rig_poll(rig, &event));
    rig_close(rig);
}

static void low_polarity_turns_the_pins_over(void)
{
    Rig *rig = open_rig("null:polarity=low");
    rig_trigger(rig, &(RigTrigger){1, 0x03, 0x02});
    take(rig);
    CU_ASSERT_EQUAL(take(rig).bits, 0xfc); // lines 0 and 1 go low together
    CU_ASSERT_EQUAL(take(rig).bits, 0xfc);
    hand_ns += 500000;
    CU_ASSERT_EQUAL(take(rig).bits, 0xfd);
    rig_close(rig);
}

static void losses_and_failures_are_told(void)
{
    int fates[6] = {0};
    RigEvent event;
    Rig *rig = open_rig("null:loss=0.2,fail=0.1,jitter_us=100,seed=3");
    for (int i = 0; i < 5000; i++) {
        CU_ASSERT(rig_trigger(rig, &(RigTrigger){i, 0x01, 0x00}));
        hand_ns += 2000000;
        while (rig_poll(rig, &event))
            fates[event.kind]++;
    }
    CU_ASSERT_EQUAL(fates[RIG_EVENT_SENT] + fates[RIG_EVENT_FAILED], 5000);
    CU_ASSERT(abs(fates[RIG_EVENT_FAILED] - 500) < 100);
    CU_ASSERT_EQUAL(fates[RIG_EVENT_EDGE] + fates[RIG_EVENT_LOST], 2 * fates[RIG_EVENT_SENT]);
    CU_ASSERT(abs(fates[RIG_EVENT_LOST] - 1800) < 200);
    rig_close(rig);
}

static void a_replay_keeps_the_distance_to_the_first_image(void)
{
    RigEvent event;
    char text[600];
    const char *folder = test_folder("replay");
    test_write(folder, "frames.tsv", "refresh\tvblank_ns\n0\t-1\n1\t5000000\n2\t6000000\n");
    test_write(folder, "events.tsv",
               "refresh\tevent\tline\tbits\tsession_ns\n"
               "1\ttrial_start\t-1\t-1\t-1\n"
               "2\tinput_edge\t2\t4\t5750000\n"
               "1\tinput_edge\t2\t0\t5250000\n");
    snprintf(text, sizeof text, "replay:%s", folder);
    Rig *rig = open_rig(text);
    rig_trigger(rig, &(RigTrigger){-1, 0x02, 0x02}); // a level is no pulse
    CU_ASSERT_EQUAL(take(rig).kind, RIG_EVENT_SENT);
    hand_ns += 7000000;
    CU_ASSERT_FALSE(rig_poll(rig, &event));
    rig_trigger(rig, &(RigTrigger){0, 0x03, 0x02});
    CU_ASSERT_EQUAL(take(rig).tag, 0);
    hand_ns += 250000;
    event = take(rig);
    CU_ASSERT(event.kind == RIG_EVENT_EDGE && event.line == 2 && event.bits == 0);
    CU_ASSERT_EQUAL(event.session_ns, hand_ns);
    CU_ASSERT_FALSE(rig_poll(rig, &event));
    hand_ns += 500000;
    CU_ASSERT_EQUAL(take(rig).bits, 4);
    rig_close(rig);
}

static void a_replay_of_nothing_says_what_is_missing(void)
{
    RigSpec spec;
    char err[RIG_ERR_BYTES] = "";
    CU_ASSERT_FATAL(rig_spec_read("replay:/nowhere/at/all", &spec, err));
    CU_ASSERT_PTR_NULL(rig_open(&spec, &hand, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "/nowhere/at/all/frames.tsv"));
}

static const TestCase cases[] = {
    {"a pulse comes back as two edges, delayed", a_pulse_comes_back_as_two_edges},
    {"low polarity turns the pins over", low_polarity_turns_the_pins_over},
    {"what is lost or fails is told, in the shares asked for", losses_and_failures_are_told},
    {"a replay keeps its edges' distance to the first image",
     a_replay_keeps_the_distance_to_the_first_image},
    {"a replay of no run says what is missing", a_replay_of_nothing_says_what_is_missing},
};

int main(void)
{
    return test_main("rig_null", cases, sizeof cases / sizeof cases[0]);
}
