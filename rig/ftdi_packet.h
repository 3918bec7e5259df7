#pragma once
/* Requests and packets of FTDI chips. Pure: no device.
 *
 * Every request is an 8-byte USB setup packet of the vendor type to interface A. Every packet from
 * the chip begins with two status bytes, of which the first holds the modem lines; it comes once
 * every latency period even when nothing happens. Source: FTDI AN232B-01 (bit bang), and the request
 * numbers as published with libftdi. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FTDI_SETUP_BYTES = 8,
    FTDI_STATUS_BYTES = 2,
    FTDI_MODEM_LINES = 4, // CTS, DSR, RI, DCD
};

typedef enum { FTDI_RESET, FTDI_PURGE_RX, FTDI_PURGE_TX } FtdiReset;
typedef enum { FTDI_SERIAL = 0x00, FTDI_BIT_BANG = 0x01, FTDI_SYNC_BIT_BANG = 0x04 } FtdiMode;

/* setup (FTDI_SETUP_BYTES) := a request without data. */
void ftdi_reset(FtdiReset what, uint8_t *setup);
void ftdi_latency(uint8_t ms, uint8_t *setup);
void ftdi_mode(FtdiMode mode, uint8_t output_pins, uint8_t *setup);

/* DTR and RTS at once. On the chip's TTL pins a set line is low. */
void ftdi_set_lines(bool is_dtr_set, bool is_rts_set, uint8_t *setup);

/* setup := a request that answers with 1 byte, the pins; with 2 bytes, the modem status. */
void ftdi_read_pins(uint8_t *setup);
void ftdi_read_modem(uint8_t *setup);

/* The modem lines as they were last in what came from the chip, packets of packet_bytes: bit 0 CTS,
 * 1 DSR, 2 RI, 3 DCD, set as the chip has it. −1 when there was no whole status. */
int ftdi_modem_lines(const uint8_t *bytes, size_t count, size_t packet_bytes);
