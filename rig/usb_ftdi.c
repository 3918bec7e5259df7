/* FTDI chips: eight pins in bit-bang mode, or DTR and RTS as two lines of any USB serial cable. Inputs are
 * the modem lines CTS, DSR, RI and DCD, which the chip reports once every millisecond. On its TTL
 * pins modem lines are inverted: line and level here mean the pin, high or low. */
#include <stdio.h>
#include <string.h>

#include "rig/ftdi_packet.h"
#include "rig/usb_link.h"

enum { OUT = 0x02, IN = 0x81, LATENCY_MS = 1, ALL_PINS = 0xff, MODEM_MASK = 0x0f };

static const UsbId known[] = {
    {0x0403, 0x6001}, // FT232R, FT245R and the many cables and boxes made of them
    {0x0403, 0x6014}, // FT232H
    {0x0403, 0x6010}, // FT2232
    {0x0403, 0x6011}, // FT4232
    {0x0403, 0x6015}, // FT-X
};

static bool reset(UsbLink *link, FtdiMode mode, uint8_t pins, char *err)
{
    uint8_t setup[FTDI_SETUP_BYTES];
    link->out_endpoint = OUT;
    link->in_endpoint = IN;
    link->in_packet_bytes = libusb_get_max_packet_size(libusb_get_device(link->handle), IN);
    if (link->in_packet_bytes < FTDI_STATUS_BYTES)
        link->in_packet_bytes = USB_PACKET_BYTES;
    if (!usb_claim(link, 0, err))
        return false;
    for (FtdiReset what = FTDI_RESET; what <= FTDI_PURGE_TX; what++) {
        ftdi_reset(what, setup);
        if (!usb_request(link, setup, NULL, err))
            return false;
    }
    ftdi_latency(LATENCY_MS, setup);
    if (!usb_request(link, setup, NULL, err))
        return false;
    ftdi_mode(mode, pins, setup);
    return usb_request(link, setup, NULL, err);
}

static bool read_inputs(UsbLink *link, char *err)
{
    uint8_t setup[FTDI_SETUP_BYTES], status[FTDI_STATUS_BYTES];
    ftdi_read_modem(setup);
    if (!usb_request(link, setup, status, err))
        return false;
    link->inputs = ~(unsigned)status[0] >> 4 & MODEM_MASK;
    return true;
}

// A pin that stays where it was not put is held by something else: say so before anybody records.
static bool check_pins(UsbLink *link, char *err)
{
    uint8_t setup[FTDI_SETUP_BYTES], pins = 0;
    ftdi_read_pins(setup);
    if (!usb_request(link, setup, &pins, err))
        return false;
    if (pins == link->rest)
        return true;
    snprintf(err, RIG_ERR_BYTES,
             "rig: ftdi: pins D7…D0 read %02x after %02x was written; is something else driving "
             "them?",
             pins, link->rest);
    return false;
}

static bool plug_pins(UsbLink *link, char *err)
{
    return reset(link, FTDI_BIT_BANG, ALL_PINS, err) && usb_write(link, &link->rest, 1, err) &&
           check_pins(link, err) && read_inputs(link, err);
}

static void trigger_pins(UsbLink *link, const RigTrigger *trigger, UsbPacket *packet)
{
    (void)link;
    packet->bytes[0] = trigger->lines;
    packet->count = 1;
}

// Line 0 is DTR, line 1 RTS; a set line is a low pin.
static void set_lines(uint8_t pins, uint8_t *setup)
{
    ftdi_set_lines(!(pins & 1), !(pins >> 1 & 1), setup);
}

static bool plug_lines(UsbLink *link, char *err)
{
    uint8_t setup[FTDI_SETUP_BYTES];
    set_lines(link->rest, setup);
    return reset(link, FTDI_SERIAL, 0, err) && usb_request(link, setup, NULL, err) &&
           read_inputs(link, err);
}

static void trigger_lines(UsbLink *link, const RigTrigger *trigger, UsbPacket *packet)
{
    (void)link;
    set_lines(trigger->lines, packet->bytes);
    packet->count = FTDI_SETUP_BYTES;
    packet->is_control = true;
}

static UsbAnswer receive(UsbLink *link, const uint8_t *bytes, size_t count, int64_t host_ns)
{
    int lines = ftdi_modem_lines(bytes, count, (size_t)link->in_packet_bytes);
    if (lines >= 0)
        usb_inputs(link, (uint8_t)(~(unsigned)lines & MODEM_MASK), host_ns);
    return USB_NO_ANSWER;
}

const UsbModel usb_ftdi = {
    .device = "ftdi",
    .advice = "unplug it and plug it in again",
    .ids = known,
    .ids_count = sizeof known / sizeof known[0],
    .inputs = FTDI_MODEM_LINES,
    .outputs = RIG_LINES,
    .most_under_way = 8,
    .state_bytes = 1,
    .plug = plug_pins,
    .trigger = trigger_pins,
    .receive = receive,
};

const UsbModel usb_ftdi_lines = {
    .device = "ftdi-lines",
    .advice = "unplug it and plug it in again",
    .ids = known,
    .ids_count = sizeof known / sizeof known[0],
    .inputs = FTDI_MODEM_LINES,
    .outputs = 2,
    .most_under_way = 8,
    .state_bytes = 1,
    .plug = plug_lines,
    .trigger = trigger_lines,
    .receive = receive,
};
