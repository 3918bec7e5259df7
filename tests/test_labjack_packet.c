#include "rig/labjack_packet.h"

#include <stdio.h>
#include <string.h>

#include "tests/fuzz.h"
#include "tests/harness.h"

static const LabjackPorts eio = {.eio = 0xff};

static void expect(LabjackPacket *packet, const char *hex)
{
    char got[3 * LABJACK_PACKET_BYTES + 1] = "";
    labjack_finish(packet);
    for (size_t i = 0; i < packet->count; i++)
        snprintf(got + strlen(got), 4, i ? " %02x" : "%02x", packet->bytes[i]);
    CU_ASSERT_STRING_EQUAL(got, hex);
}

static void configuration_matches(void)
{
    LabjackPacket packet;
    labjack_config_io(&packet, false);
    expect(&packet, "13 f8 03 0b 0c 00 0c 00 00 00 00 00");
    labjack_config_io(&packet, true);
    expect(&packet, "58 f8 03 0b 51 00 0d 00 44 00 00 00");
    labjack_begin_feedback(&packet);
    labjack_add_direction(&packet, eio, eio);
    expect(&packet, "1a f8 04 00 1b 02 00 1d 00 ff 00 00 ff 00");
}

static void writing_matches(void)
{
    LabjackPacket packet;
    labjack_begin_feedback(&packet);
    labjack_add_write(&packet, eio, (LabjackPorts){.eio = 0x5a});
    expect(&packet, "72 f8 04 00 74 01 00 1b 00 ff 00 00 5a 00");
    labjack_begin_feedback(&packet);
    labjack_add_write(&packet, (LabjackPorts){0xff, 0xff, 0xff}, (LabjackPorts){0xab, 0xcd, 0xef});
    expect(&packet, "81 f8 04 00 7f 05 00 1b ff ff ff ab cd ef");
}

static void a_pulse_is_one_packet(void)
{
    LabjackPacket packet;
    labjack_begin_feedback(&packet);
    labjack_add_write(&packet, eio, (LabjackPorts){.eio = 0x5a});
    labjack_add_wait(&packet, 8);
    labjack_add_write(&packet, eio, (LabjackPorts){0});
    expect(&packet, "9f f8 09 00 9b 02 00 1b 00 ff 00 00 5a 00 05 08 1b 00 ff 00 00 00 00 00");
}

static void reading_matches(void)
{
    LabjackPacket packet;
    labjack_begin_feedback(&packet);
    labjack_add_read(&packet);
    expect(&packet, "14 f8 01 00 1a 00 00 1a");
    labjack_begin_feedback(&packet);
    labjack_add_counter(&packet);
    expect(&packet, "31 f8 02 00 36 00 00 36 00 00");
    labjack_begin_feedback(&packet);
    labjack_add_write(&packet, eio, (LabjackPorts){.eio = 0x5a});
    labjack_add_read(&packet);
    expect(&packet, "8d f8 05 00 8e 01 00 1b 00 ff 00 00 5a 00 1a 00");
}

// An answer as the device makes it: the same head and sums.
static LabjackPacket answer(uint8_t error, const uint8_t *data, size_t count)
{
    LabjackPacket packet;
    labjack_begin_feedback(&packet);
    packet.bytes[6] = error;
    packet.bytes[7] = packet.bytes[8] = 0;
    packet.count = 9;
    memcpy(packet.bytes + 9, data, count);
    packet.count += count;
    labjack_finish(&packet);
    return packet;
}

static void answers_are_read_and_checked(void)
{
    const uint8_t states[] = {0x10, 0x5a, 0x0f};
    const uint8_t *data;
    size_t count;
    int error;
    LabjackPacket good = answer(0, states, sizeof states);
    CU_ASSERT_EQUAL(labjack_parse(good.bytes, good.count, &data, &count, &error),
                    LABJACK_ANSWER_OK);
    CU_ASSERT_EQUAL_FATAL(count, 3);
    CU_ASSERT_EQUAL(memcmp(data, states, 3), 0);
    LabjackPacket refused = answer(44, states, sizeof states);
    CU_ASSERT_EQUAL(labjack_parse(refused.bytes, refused.count, &data, &count, &error),
                    LABJACK_ANSWER_ERROR);
    CU_ASSERT_EQUAL(error, 44);
    for (size_t i = 0; i < good.count; i++) {
        LabjackPacket damaged = good;
        damaged.bytes[i] ^= 0x20;
        CU_ASSERT_EQUAL(labjack_parse(damaged.bytes, damaged.count, &data, &count, &error),
                        LABJACK_ANSWER_DAMAGED);
        CU_ASSERT_EQUAL(labjack_parse(good.bytes, i, &data, &count, &error),
                        LABJACK_ANSWER_DAMAGED);
    }
}

static void no_answer_breaks_the_parser(void)
{
    long rounds = 50000;
    Fuzz fuzz = fuzz_begin(&rounds);
    const uint8_t states[] = {1, 2, 3, 4, 5, 6, 7};
    LabjackPacket good = answer(0, states, sizeof states);
    for (long round = 0; round < rounds; round++) {
        uint8_t bytes[LABJACK_PACKET_BYTES];
        const uint8_t *data;
        size_t data_count;
        int error;
        size_t count = fuzz_bytes(&fuzz, good.bytes, good.count, bytes, sizeof bytes);
        labjack_parse(bytes, count, &data, &data_count, &error);
        if (data && (data < bytes || data + data_count > bytes + count))
            CU_FAIL_FATAL("the data lies outside the packet");
    }
}

static const TestCase cases[] = {
    {"configuring the lines matches the vectors", configuration_matches},
    {"writing a port matches the vectors, the published one too", writing_matches},
    {"a code, its wait and the return to rest are one packet", a_pulse_is_one_packet},
    {"reading ports and counter matches the vectors", reading_matches},
    {"an answer is read, and no flipped or missing byte goes unseen", answers_are_read_and_checked},
    {"no bytes break the parser", no_answer_breaks_the_parser},
};

int main(void)
{
    return test_main("labjack_packet", cases, sizeof cases / sizeof cases[0]);
}
