#pragma once
/* Packets of the LabJack U3 and U6: extended commands, put together piece by piece. Pure: no device.
 *
 *     [0] checksum8 of 1…5   [1] F8   [2] words from byte 6 on   [3] command   [4…5] checksum16 of 6…
 *     [6…] data, padded to whole words
 * A Feedback command (00) is a byte of echo and a list of orders that the device carries out in
 * turn, so a code, a wait and the return to rest are one packet and one hardware-timed pulse.
 * Answers look the same, with an error code at 6, the order it belongs to at 7, the echo at 8 and
 * what was read from 9 on.
 * Source: LabJack U3 User's Guide §5.1 (checksums), §5.2.3 ConfigIO, §5.2.5 Feedback and its
 * IOTypes; U6 User's Guide §5.2.5. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LABJACK_PACKET_BYTES = 64,
    LABJACK_FEEDBACK = 0x00,
    LABJACK_CONFIG_IO = 0x0b,
    LABJACK_PORTS = 3, // FIO, EIO, CIO
};

/* Digital lines as the device has them, one byte a port; CIO has four lines. */
typedef struct {
    uint8_t fio, eio, cio;
} LabjackPorts;

typedef struct {
    uint8_t bytes[LABJACK_PACKET_BYTES];
    size_t count;
} LabjackPacket;

void labjack_begin_feedback(LabjackPacket *packet);
void labjack_add_write(LabjackPacket *packet, LabjackPorts mask, LabjackPorts levels);
void labjack_add_direction(LabjackPacket *packet, LabjackPorts mask, LabjackPorts outputs);
void labjack_add_wait(LabjackPacket *packet, uint8_t steps); // of 128 µs (U3) or 64 µs (U6)
void labjack_add_read(LabjackPacket *packet);                // answers 3 bytes: LabjackPorts
void labjack_add_counter(LabjackPacket *packet);             // counter 0; answers 4 bytes

/* U3: all FIO and EIO digital; with has_counter, counter 0 counts falling edges of FIO4. */
void labjack_config_io(LabjackPacket *packet, bool has_counter);

/* Pads and writes length and checksums; the packet is then ready to go. */
void labjack_finish(LabjackPacket *packet);

typedef enum {
    LABJACK_ANSWER_OK,
    LABJACK_ANSWER_ERROR,  // a whole answer with an error code
    LABJACK_ANSWER_DAMAGED // too short, or a wrong checksum
} LabjackAnswer;

/* What came back: data (*data_count bytes, inside bytes) is what a Feedback read. error_code: the
 * device's, of an answer with one. */
LabjackAnswer labjack_parse(const uint8_t *bytes, size_t count, const uint8_t **data,
                            size_t *data_count, int *error_code);
