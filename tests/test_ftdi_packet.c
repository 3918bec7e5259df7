#include "rig/ftdi_packet.h"

#include <string.h>

#include "tests/fuzz.h"
#include "tests/harness.h"

static bool is(const uint8_t *setup, const char *wanted)
{
    return memcmp(setup, wanted, FTDI_SETUP_BYTES) == 0;
}

static void requests_match(void)
{
    uint8_t setup[FTDI_SETUP_BYTES];
    ftdi_reset(FTDI_RESET, setup);
    CU_ASSERT(is(setup, "\x40\x00\x00\x00\x01\x00\x00\x00"));
    ftdi_reset(FTDI_PURGE_RX, setup);
    CU_ASSERT(is(setup, "\x40\x00\x01\x00\x01\x00\x00\x00"));
    ftdi_reset(FTDI_PURGE_TX, setup);
    CU_ASSERT(is(setup, "\x40\x00\x02\x00\x01\x00\x00\x00"));
    ftdi_latency(1, setup);
    CU_ASSERT(is(setup, "\x40\x09\x01\x00\x01\x00\x00\x00"));
    ftdi_mode(FTDI_BIT_BANG, 0xff, setup);
    CU_ASSERT(is(setup, "\x40\x0b\xff\x01\x01\x00\x00\x00"));
    ftdi_mode(FTDI_SYNC_BIT_BANG, 0xff, setup);
    CU_ASSERT(is(setup, "\x40\x0b\xff\x04\x01\x00\x00\x00"));
    ftdi_mode(FTDI_SERIAL, 0, setup);
    CU_ASSERT(is(setup, "\x40\x0b\x00\x00\x01\x00\x00\x00"));
    ftdi_read_pins(setup);
    CU_ASSERT(is(setup, "\xc0\x0c\x00\x00\x01\x00\x01\x00"));
    ftdi_read_modem(setup);
    CU_ASSERT(is(setup, "\xc0\x05\x00\x00\x01\x00\x02\x00"));
}

static void lines_match(void)
{
    uint8_t setup[FTDI_SETUP_BYTES];
    ftdi_set_lines(true, true, setup);
    CU_ASSERT(is(setup, "\x40\x01\x03\x03\x01\x00\x00\x00"));
    ftdi_set_lines(true, false, setup);
    CU_ASSERT(is(setup, "\x40\x01\x01\x03\x01\x00\x00\x00"));
    ftdi_set_lines(false, true, setup);
    CU_ASSERT(is(setup, "\x40\x01\x02\x03\x01\x00\x00\x00"));
    ftdi_set_lines(false, false, setup);
    CU_ASSERT(is(setup, "\x40\x01\x00\x03\x01\x00\x00\x00"));
}

static void modem_lines_are_those_of_the_last_packet(void)
{
    uint8_t bytes[130] = {[0] = 0x11, [64] = 0x21, [128] = 0x81};
    CU_ASSERT_EQUAL(ftdi_modem_lines(bytes, 2, 64), 0x1);
    CU_ASSERT_EQUAL(ftdi_modem_lines(bytes, 64, 64), 0x1);
    CU_ASSERT_EQUAL(ftdi_modem_lines(bytes, 65, 64), 0x1); // half a status is none
    CU_ASSERT_EQUAL(ftdi_modem_lines(bytes, 66, 64), 0x2);
    CU_ASSERT_EQUAL(ftdi_modem_lines(bytes, 130, 64), 0x8);
    CU_ASSERT_EQUAL(ftdi_modem_lines(bytes, 1, 64), -1);
    CU_ASSERT_EQUAL(ftdi_modem_lines(bytes, 0, 64), -1);
}

static void no_bytes_break_it(void)
{
    long rounds = 50000;
    Fuzz fuzz = fuzz_begin(&rounds);
    for (long round = 0; round < rounds; round++) {
        uint8_t bytes[512];
        size_t count = fuzz_bytes(&fuzz, NULL, 0, bytes, sizeof bytes);
        int lines = ftdi_modem_lines(bytes, count, fuzz_below(&fuzz, 513));
        if (lines < -1 || lines > 15)
            CU_FAIL_FATAL("there are four modem lines");
    }
}

static const TestCase cases[] = {
    {"every request matches its vector", requests_match},
    {"DTR and RTS match theirs", lines_match},
    {"the modem lines are those of the last whole packet",
     modem_lines_are_those_of_the_last_packet},
    {"no bytes break the parser", no_bytes_break_it},
};

int main(void)
{
    return test_main("ftdi_packet", cases, sizeof cases / sizeof cases[0]);
}
