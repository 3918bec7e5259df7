#include "rig/cdc_packet.h"

#include <string.h>

#include "tests/fuzz.h"
#include "tests/harness.h"

static void line_coding_is_115200_8n1(void)
{
    const uint8_t wanted[] = {0x00, 0xc2, 0x01, 0x00, 0x00, 0x00, 0x08};
    uint8_t coding[CDC_LINE_CODING_BYTES];
    cdc_line_coding(115200, coding);
    CU_ASSERT_EQUAL(memcmp(coding, wanted, sizeof wanted), 0);
}

static void a_code_is_one_byte(void)
{
    uint8_t packet[CDC_PACKET_BYTES];
    int rest = 0;
    for (unsigned code = 1; code < 0xfc; code++) {
        CU_ASSERT_EQUAL(cdc_trigger((uint8_t)code, 0, &rest, packet), 1);
        CU_ASSERT_EQUAL(packet[0], code);
    }
    for (unsigned code = 0xfc; code <= 0xff; code++) {
        CU_ASSERT_EQUAL(cdc_trigger((uint8_t)code, 0, &rest, packet), 2);
        CU_ASSERT(packet[0] == 0xfc && packet[1] == code);
    }
}

static void rest_is_said_once(void)
{
    uint8_t packet[CDC_PACKET_BYTES];
    int rest = -1;
    CU_ASSERT_EQUAL(cdc_trigger(0x03, 0x02, &rest, packet), 3);
    CU_ASSERT_EQUAL(memcmp(packet, "\xfd\x02\x03", 3), 0);
    CU_ASSERT_EQUAL(cdc_trigger(0x03, 0x02, &rest, packet), 1);
    CU_ASSERT_EQUAL(packet[0], 0x03);
    CU_ASSERT_EQUAL(cdc_trigger(0x00, 0x00, &rest, packet), 2);
    CU_ASSERT_EQUAL(memcmp(packet, "\xfd\x00", 2), 0);
    CU_ASSERT_EQUAL(cdc_trigger(0x00, 0x00, &rest, packet), 0);
}

static void a_pulse_is_never_shorter_than_asked(void)
{
    uint8_t packet[CDC_PACKET_BYTES];
    int set_us;
    CU_ASSERT_EQUAL(cdc_pulse_width(500, packet, &set_us), 2);
    CU_ASSERT(packet[0] == 0xfe && packet[1] == 50 && set_us == 500);
    cdc_pulse_width(201, packet, &set_us);
    CU_ASSERT(packet[1] == 21 && set_us == 210);
    cdc_pulse_width(2550, packet, &set_us);
    CU_ASSERT_EQUAL(packet[1], 255);
}

static void messages_are_read_byte_by_byte(void)
{
    const uint8_t stream[] = {'E', 0x83, 0x78, 0x56, 0x34, 0x12, 'S', 0xa5, 0xff, 0xff, 0xff, 0xff};
    CdcReader reader = {0};
    CdcMessage message[2];
    int messages = 0;
    for (size_t i = 0; i < sizeof stream; i++)
        messages += cdc_read(&reader, stream[i], &message[messages & 1]);
    CU_ASSERT_EQUAL_FATAL(messages, 2);
    CU_ASSERT(message[0].kind == CDC_EDGE && message[0].line == 3 && message[0].is_high);
    CU_ASSERT_EQUAL(message[0].t_us, 0x12345678);
    CU_ASSERT(message[1].kind == CDC_STATUS && message[1].inputs == 0xa5);
    CU_ASSERT_EQUAL(message[1].t_us, 0xffffffff);
    CU_ASSERT_EQUAL(reader.skipped, 0);
}

static void damage_costs_little_and_is_counted(void)
{
    const uint8_t good[] = {'E', 0x02, 1, 2, 3, 4}, noise[] = {0x00, 'E', 0x7f, 'x'};
    CdcReader reader = {0};
    CdcMessage message;
    int messages = 0;
    for (size_t i = 0; i < sizeof noise; i++)
        messages += cdc_read(&reader, noise[i], &message);
    CU_ASSERT_EQUAL(reader.skipped, (int64_t)sizeof noise);
    for (size_t i = 0; i < sizeof good; i++)
        messages += cdc_read(&reader, good[i], &message);
    CU_ASSERT_EQUAL(messages, 1);
    CU_ASSERT(message.line == 2 && !message.is_high);
}

static void no_stream_breaks_the_reader(void)
{
    long rounds = 20000;
    Fuzz fuzz = fuzz_begin(&rounds);
    const uint8_t good[] = {'E', 0x81, 9, 8, 7, 6};
    CdcReader reader = {0};
    int64_t bytes = 0, messages = 0;
    for (long round = 0; round < rounds; round++) {
        uint8_t stream[64];
        size_t count = fuzz_bytes(&fuzz, good, sizeof good, stream, sizeof stream);
        bytes += (int64_t)count;
        for (size_t i = 0; i < count; i++) {
            CdcMessage message = {0};
            messages += cdc_read(&reader, stream[i], &message);
            if (reader.count >= CDC_MESSAGE_BYTES || message.line < 0 || message.line > 7) {
                CU_FAIL_FATAL("the reader lost its place");
            }
        }
    }
    // every byte is part of a message, skipped, or still waiting
    CU_ASSERT_EQUAL(bytes, messages * CDC_MESSAGE_BYTES + reader.skipped + (int64_t)reader.count);
}

static const TestCase cases[] = {
    {"the line coding is 115200 8N1, byte for byte", line_coding_is_115200_8n1},
    {"a code is one byte, an escape before the last four", a_code_is_one_byte},
    {"rest is told when it changes, and only then", rest_is_said_once},
    {"a pulse is never shorter than asked for", a_pulse_is_never_shorter_than_asked},
    {"messages are read from single bytes", messages_are_read_byte_by_byte},
    {"damage in the stream is counted and costs no good message",
     damage_costs_little_and_is_counted},
    {"no stream of bytes breaks the reader, and none goes uncounted", no_stream_breaks_the_reader},
};

int main(void)
{
    return test_main("cdc_packet", cases, sizeof cases / sizeof cases[0]);
}
