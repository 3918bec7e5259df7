#pragma once
/* The bytes between us and a microcontroller that runs rig/retrace_trigger.ino, and the control
 * requests of its USB class. Pure: no device, no clock.
 *
 * Host to device, a stream of commands:
 *     00 … FB   set the port to this for the length of a pulse, then back to rest
 *     FC xx     the same with any byte xx
 *     FD xx     rest: what stays on the port between pulses, from now on
 *     FE ww     length of a pulse, ww tens of µs (1 … 255)
 *     FF        ask for the status
 * Device to host, messages of six bytes:
 *     'E' line t0 t1 t2 t3   an input changed: bits 0–2 its number, bit 7 its level after
 *     'S' bits t0 t1 t2 t3   the status: all input levels
 * where t is the device's time in µs, 32 bits, little-endian, wrapping.
 *
 * A box that just puts every byte on its port (Neurospec MMBT-S and the like) is the degenerate
 * case: one byte out, none back.
 *
 * Control requests: USB CDC PSTN subclass 1.2, §6.3.10 SET_LINE_CODING, §6.3.12
 * SET_CONTROL_LINE_STATE. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CDC_SET_LINE_CODING = 0x20,
    CDC_SET_CONTROL_LINE_STATE = 0x22,
    CDC_REQUEST_TYPE = 0x21, // class, to an interface
    CDC_DTR_RTS = 0x0003,
    CDC_LINE_CODING_BYTES = 7,
    CDC_PACKET_BYTES = 8,
    CDC_MESSAGE_BYTES = 6,
    CDC_ASK_STATUS = 0xff,
};

/* coding (CDC_LINE_CODING_BYTES) := rate, one stop bit, no parity, eight data bits. */
void cdc_line_coding(uint32_t rate_bits_per_s, uint8_t *coding);

/* packet (CDC_PACKET_BYTES) := what makes a pulse of `lines`, and `rest` after it. *rest_now is what
 * the device has as rest, −1 for not known, and is brought up to date. Returns the bytes. */
size_t cdc_trigger(uint8_t lines, uint8_t rest, int *rest_now, uint8_t *packet);

/* packet := the width, rounded up to tens of µs; returns the bytes, *set_us what it comes to. */
size_t cdc_pulse_width(int pulse_us, uint8_t *packet, int *set_us);

typedef enum { CDC_EDGE, CDC_STATUS } CdcKind;

typedef struct {
    CdcKind kind;
    int line;       // of an edge
    bool is_high;   // of an edge: after it
    uint8_t inputs; // of a status
    uint32_t t_us;
} CdcMessage;

/* Finds messages in a stream of bytes; after damage it looks for the next one. Zeroed to begin. */
typedef struct {
    uint8_t bytes[CDC_MESSAGE_BYTES];
    size_t count;
    int64_t skipped; // bytes that belonged to no message
} CdcReader;

/* Takes a byte; true when it completed a message. */
bool cdc_read(CdcReader *reader, uint8_t byte, CdcMessage *message);
