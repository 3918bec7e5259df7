#include "rig/labjack_packet.h"

#include <assert.h>
#include <string.h>

enum {
    EXTENDED = 0xf8,
    HEAD_BYTES = 6,
    ANSWER_HEAD_BYTES = 9,
    WAIT_SHORT = 5,
    PORTS_READ = 26,
    PORTS_WRITE = 27,
    PORTS_DIRECTION = 29,
    COUNTER_0 = 54,
    // ConfigIO: which of its bytes are to be written
    WRITE_COUNTERS = 0x01,
    WRITE_FIO_ANALOG = 0x04,
    WRITE_EIO_ANALOG = 0x08,
    COUNTER_0_ON_FIO4 = 0x44, // pin offset 4 in the upper half, bit 2: counter 0
};

static void add(LabjackPacket *packet, uint8_t byte)
{
    assert(packet->count < LABJACK_PACKET_BYTES);
    packet->bytes[packet->count++] = byte;
}

static void begin(LabjackPacket *packet, uint8_t command)
{
    *packet = (LabjackPacket){.bytes = {[1] = EXTENDED, [3] = command}, .count = HEAD_BYTES};
}

static void add_ports(LabjackPacket *packet, LabjackPorts ports)
{
    add(packet, ports.fio);
    add(packet, ports.eio);
    add(packet, ports.cio);
}

void labjack_begin_feedback(LabjackPacket *packet)
{
    begin(packet, LABJACK_FEEDBACK);
    add(packet, 0); // echo
}

void labjack_add_write(LabjackPacket *packet, LabjackPorts mask, LabjackPorts levels)
{
    add(packet, PORTS_WRITE);
    add_ports(packet, mask);
    add_ports(packet, levels);
}

void labjack_add_direction(LabjackPacket *packet, LabjackPorts mask, LabjackPorts outputs)
{
    add(packet, PORTS_DIRECTION);
    add_ports(packet, mask);
    add_ports(packet, outputs);
}

void labjack_add_wait(LabjackPacket *packet, uint8_t steps)
{
    add(packet, WAIT_SHORT);
    add(packet, steps);
}

void labjack_add_read(LabjackPacket *packet)
{
    add(packet, PORTS_READ);
}

void labjack_add_counter(LabjackPacket *packet)
{
    add(packet, COUNTER_0);
    add(packet, 0); // do not reset it
}

void labjack_config_io(LabjackPacket *packet, bool has_counter)
{
    begin(packet, LABJACK_CONFIG_IO);
    add(packet, WRITE_FIO_ANALOG | WRITE_EIO_ANALOG | (has_counter ? WRITE_COUNTERS : 0));
    add(packet, 0);
    add(packet, has_counter ? COUNTER_0_ON_FIO4 : 0);
    for (int i = 0; i < 3; i++)
        add(packet, 0); // DAC1, FIO and EIO: none analog
}

static unsigned sum(const uint8_t *bytes, size_t count)
{
    unsigned total = 0;
    for (size_t i = 0; i < count; i++)
        total += bytes[i];
    return total;
}

// Folded twice: the carries are added back in.
static uint8_t checksum8(const uint8_t *bytes)
{
    unsigned total = sum(bytes + 1, HEAD_BYTES - 1);
    total = (total & 0xff) + (total >> 8);
    total = (total & 0xff) + (total >> 8);
    return (uint8_t)total;
}

void labjack_finish(LabjackPacket *packet)
{
    if (packet->count % 2)
        add(packet, 0);
    uint8_t *b = packet->bytes;
    unsigned total = sum(b + HEAD_BYTES, packet->count - HEAD_BYTES);
    b[2] = (uint8_t)((packet->count - HEAD_BYTES) / 2);
    b[4] = (uint8_t)total;
    b[5] = (uint8_t)(total >> 8);
    b[0] = checksum8(b);
}

LabjackAnswer labjack_parse(const uint8_t *bytes, size_t count, const uint8_t **data,
                            size_t *data_count, int *error_code)
{
    *data = NULL;
    *data_count = 0;
    *error_code = 0;
    if (count < HEAD_BYTES + 2 || bytes[1] != EXTENDED || bytes[0] != checksum8(bytes))
        return LABJACK_ANSWER_DAMAGED;
    size_t whole = HEAD_BYTES + 2 * (size_t)bytes[2];
    if (whole > count || whole < HEAD_BYTES + 2 ||
        (sum(bytes + HEAD_BYTES, whole - HEAD_BYTES) & 0xffff) !=
            ((unsigned)bytes[4] | (unsigned)bytes[5] << 8))
        return LABJACK_ANSWER_DAMAGED;
    *error_code = bytes[HEAD_BYTES];
    if (whole > ANSWER_HEAD_BYTES) {
        *data = bytes + ANSWER_HEAD_BYTES;
        *data_count = whole - ANSWER_HEAD_BYTES;
    }
    return *error_code ? LABJACK_ANSWER_ERROR : LABJACK_ANSWER_OK;
}
