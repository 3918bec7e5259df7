#include "rig/ftdi_packet.h"

enum {
    TO_CHIP = 0x40,
    FROM_CHIP = 0xc0,
    REQUEST_RESET = 0x00,
    REQUEST_LINES = 0x01,
    REQUEST_MODEM = 0x05,
    REQUEST_LATENCY = 0x09,
    REQUEST_MODE = 0x0b,
    REQUEST_PINS = 0x0c,
    INTERFACE_A = 1,
    CHANGE_BOTH = 0x0300,
    DTR = 0x01,
    RTS = 0x02,
};

static void fill(uint8_t *setup, uint8_t type, uint8_t request, unsigned value, uint8_t length)
{
    const uint8_t bytes[FTDI_SETUP_BYTES] = {
        type, request, (uint8_t)value, (uint8_t)(value >> 8), INTERFACE_A, 0, length, 0};
    for (int i = 0; i < FTDI_SETUP_BYTES; i++)
        setup[i] = bytes[i];
}

void ftdi_reset(FtdiReset what, uint8_t *setup)
{
    fill(setup, TO_CHIP, REQUEST_RESET, what, 0);
}

void ftdi_latency(uint8_t ms, uint8_t *setup)
{
    fill(setup, TO_CHIP, REQUEST_LATENCY, ms, 0);
}

void ftdi_mode(FtdiMode mode, uint8_t output_pins, uint8_t *setup)
{
    fill(setup, TO_CHIP, REQUEST_MODE, (unsigned)mode << 8 | output_pins, 0);
}

void ftdi_set_lines(bool is_dtr_set, bool is_rts_set, uint8_t *setup)
{
    unsigned value = CHANGE_BOTH | (is_dtr_set ? DTR : 0) | (is_rts_set ? RTS : 0);
    fill(setup, TO_CHIP, REQUEST_LINES, value, 0);
}

void ftdi_read_pins(uint8_t *setup)
{
    fill(setup, FROM_CHIP, REQUEST_PINS, 0, 1);
}

void ftdi_read_modem(uint8_t *setup)
{
    fill(setup, FROM_CHIP, REQUEST_MODEM, 0, 2);
}

int ftdi_modem_lines(const uint8_t *bytes, size_t count, size_t packet_bytes)
{
    if (count < FTDI_STATUS_BYTES || packet_bytes < FTDI_STATUS_BYTES)
        return -1;
    size_t last = (count - FTDI_STATUS_BYTES) / packet_bytes * packet_bytes;
    return bytes[last] >> 4;
}
