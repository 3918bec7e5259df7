#include "rig/cdc_packet.h"

#include <string.h>

enum { ANY_PULSE = 0xfc, REST = 0xfd, WIDTH = 0xfe, EDGE_SPARE_BITS = 0x78 };

void cdc_line_coding(uint32_t rate_bits_per_s, uint8_t *coding)
{
    for (int i = 0; i < 4; i++)
        coding[i] = (uint8_t)(rate_bits_per_s >> 8 * i);
    coding[4] = 0;
    coding[5] = 0;
    coding[6] = 8;
}

size_t cdc_trigger(uint8_t lines, uint8_t rest, int *rest_now, uint8_t *packet)
{
    size_t count = 0;
    if (*rest_now != rest) {
        packet[count++] = REST;
        packet[count++] = rest;
        *rest_now = rest;
    }
    if (lines == rest)
        return count;
    if (lines >= ANY_PULSE)
        packet[count++] = ANY_PULSE;
    packet[count++] = lines;
    return count;
}

size_t cdc_pulse_width(int pulse_us, uint8_t *packet, int *set_us)
{
    int tens = (pulse_us + 9) / 10;
    tens = tens < 1 ? 1 : tens > 255 ? 255 : tens;
    packet[0] = WIDTH;
    packet[1] = (uint8_t)tens;
    *set_us = tens * 10;
    return 2;
}

// What is there so far may be the beginning of a message.
static bool is_plausible(const CdcReader *reader)
{
    if (reader->bytes[0] == 'S')
        return true;
    return reader->bytes[0] == 'E' && (reader->count < 2 || !(reader->bytes[1] & EDGE_SPARE_BITS));
}

static void skip_to_plausible(CdcReader *reader)
{
    while (reader->count > 0 && !is_plausible(reader)) {
        memmove(reader->bytes, reader->bytes + 1, --reader->count);
        reader->skipped++;
    }
}

bool cdc_read(CdcReader *reader, uint8_t byte, CdcMessage *message)
{
    reader->bytes[reader->count++] = byte;
    skip_to_plausible(reader);
    if (reader->count < CDC_MESSAGE_BYTES)
        return false;
    const uint8_t *b = reader->bytes;
    reader->count = 0;
    *message = (CdcMessage){
        .kind = b[0] == 'E' ? CDC_EDGE : CDC_STATUS,
        .t_us = (uint32_t)b[2] | (uint32_t)b[3] << 8 | (uint32_t)b[4] << 16 | (uint32_t)b[5] << 24,
    };
    if (message->kind == CDC_STATUS) {
        message->inputs = b[1];
    } else {
        message->line = b[1] & 7;
        message->is_high = b[1] >> 7;
    }
    return true;
}
