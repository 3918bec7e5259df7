/* Microcontrollers and boxes that are a serial port to USB (class CDC-ACM). */
#include <stdio.h>
#include <string.h>

#include "rig/cdc_packet.h"
#include "rig/device_clock.h"
#include "rig/usb_link.h"

enum {
    FIRMWARE_BITS_PER_S = 115200, // matters to a UART bridge only; a Teensy ignores it
    BOX_BITS_PER_S = 9600,        // Neurospec MMBT-S, as its users set it
    BOOT_MS = 3000,               // raising DTR resets an AVR Arduino into its boot loader, ~2 s
    ASK_AGAIN_MS = 250,
    FIRST_PAIRS = 16, // asked for in quick succession
};
static const int64_t ASK_FIRST_NS = 100000000, ASK_EVERY_NS = 1000000000;
static const int64_t ANSWER_LOST_NS = 5000000000;

typedef struct {
    CdcReader reader;
    DeviceClock clock;
    int rest;         // as the device has it
    int64_t skipped;  // of the reader, told so far
    int64_t asked_ns; // -1: no question is open
} Cdc;

static const UsbId known[] = {
    {0x16c0, 0x0483},                   // Teensy, "USB Serial"
    {0x2341, 0x0043}, {0x2341, 0x0001}, // Arduino Uno R3, Uno
    {0x2341, 0x0042}, {0x2341, 0x8036}, // Arduino Mega 2560, Leonardo
    {0x2e8a, 0x000a},                   // Raspberry Pi Pico, SDK's USB serial
};

static bool has_class(const struct libusb_interface_descriptor *interface, int class)
{
    return interface->bInterfaceClass == class;
}

static void find_endpoints(UsbLink *link, const struct libusb_interface_descriptor *data)
{
    for (int e = 0; e < data->bNumEndpoints; e++) {
        const struct libusb_endpoint_descriptor *endpoint = &data->endpoint[e];
        if ((endpoint->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK) != LIBUSB_TRANSFER_TYPE_BULK)
            continue;
        if (endpoint->bEndpointAddress & LIBUSB_ENDPOINT_IN) {
            link->in_endpoint = endpoint->bEndpointAddress;
            link->in_packet_bytes = endpoint->wMaxPacketSize;
        } else {
            link->out_endpoint = endpoint->bEndpointAddress;
        }
    }
}

/* The first control and data interfaces of the active configuration, claimed. */
static bool claim(UsbLink *link, int *control, char *err)
{
    struct libusb_config_descriptor *config = NULL;
    int data = -1;
    *control = -1;
    link->out_endpoint = link->in_endpoint = 0;
    if (libusb_get_active_config_descriptor(libusb_get_device(link->handle), &config) < 0)
        config = NULL;
    for (int i = 0; config && i < config->bNumInterfaces; i++) {
        const struct libusb_interface_descriptor *interface = &config->interface[i].altsetting[0];
        if (*control < 0 && has_class(interface, LIBUSB_CLASS_COMM))
            *control = interface->bInterfaceNumber;
        if (data < 0 && has_class(interface, LIBUSB_CLASS_DATA)) {
            data = interface->bInterfaceNumber;
            find_endpoints(link, interface);
        }
    }
    if (config)
        libusb_free_config_descriptor(config);
    if (*control >= 0 && data >= 0 && link->out_endpoint && link->in_endpoint)
        return usb_claim(link, *control, err) && usb_claim(link, data, err);
    snprintf(err, RIG_ERR_BYTES, "rig: %s: it has no CDC serial port; %s", link->model->device,
             link->model->advice);
    return false;
}

static bool set_up_port(UsbLink *link, uint32_t bits_per_s, uint8_t lines, char *err)
{
    int control;
    uint8_t coding[CDC_LINE_CODING_BYTES];
    if (!claim(link, &control, err))
        return false;
    cdc_line_coding(bits_per_s, coding);
    const uint8_t set_coding[] = {
        CDC_REQUEST_TYPE, CDC_SET_LINE_CODING, 0, 0, (uint8_t)control, 0, CDC_LINE_CODING_BYTES, 0};
    const uint8_t set_lines[] = {
        CDC_REQUEST_TYPE, CDC_SET_CONTROL_LINE_STATE, lines, 0, (uint8_t)control, 0, 0, 0};
    return usb_request(link, set_coding, coding, err) && usb_request(link, set_lines, NULL, err);
}

static UsbAnswer receive(UsbLink *link, const uint8_t *bytes, size_t count, int64_t host_ns);

/* Asks until the firmware answers: a board may be in its boot loader for seconds. */
static bool meet(UsbLink *link, char *err)
{
    Cdc *cdc = link->state;
    const uint8_t ask = CDC_ASK_STATUS;
    uint8_t bytes[USB_READ_BYTES];
    for (int waited_ms = 0; waited_ms < BOOT_MS; waited_ms += ASK_AGAIN_MS) {
        if (!usb_write(link, &ask, 1, err))
            return false;
        int count = usb_read(link, bytes, ASK_AGAIN_MS, err);
        if (count < 0)
            return false;
        CdcMessage message;
        for (int i = 0; i < count; i++)
            if (cdc_read(&cdc->reader, bytes[i], &message) && message.kind == CDC_STATUS) {
                link->inputs = message.inputs;
                device_clock_ns(&cdc->clock, message.t_us);
                return true;
            }
    }
    snprintf(err, RIG_ERR_BYTES, "rig: cdc: it does not answer; %s", link->model->advice);
    return false;
}

static bool plug_firmware(UsbLink *link, char *err)
{
    Cdc *cdc = link->state;
    uint8_t packet[CDC_PACKET_BYTES];
    *cdc = (Cdc){.rest = -1, .asked_ns = -1};
    device_clock_init(&cdc->clock);
    if (!set_up_port(link, FIRMWARE_BITS_PER_S, CDC_DTR_RTS, err) || !meet(link, err))
        return false;
    cdc->skipped = cdc->reader.skipped; // what a boot loader said
    size_t count = cdc_pulse_width(link->pulse_us, packet, &link->pulse_us);
    if (!usb_write(link, packet, count, err))
        return false;
    count = cdc_trigger(link->rest, link->rest, &cdc->rest, packet);
    return usb_write(link, packet, count, err);
}

static void trigger_firmware(UsbLink *link, const RigTrigger *trigger, UsbPacket *packet)
{
    Cdc *cdc = link->state;
    if (link->has_failed)
        cdc->rest = -1; // what failed may have been to set it
    link->has_failed = false;
    packet->count = cdc_trigger(trigger->lines, trigger->rest, &cdc->rest, packet->bytes);
}

// One question at a time, or its answer would be held against the wrong asking.
static void ask(UsbLink *link, int64_t now_ns, UsbPacket *packet)
{
    Cdc *cdc = link->state;
    bool is_first = cdc->clock.pairs_count < FIRST_PAIRS;
    link->ask_due_ns = now_ns + (is_first ? ASK_FIRST_NS : ASK_EVERY_NS);
    if (cdc->asked_ns >= 0 && now_ns - cdc->asked_ns < ANSWER_LOST_NS)
        return;
    cdc->asked_ns = now_ns;
    packet->bytes[0] = CDC_ASK_STATUS;
    packet->count = 1;
}

static void take_status(UsbLink *link, const CdcMessage *message, int64_t host_ns)
{
    Cdc *cdc = link->state;
    int64_t device_ns = device_clock_ns(&cdc->clock, message->t_us);
    if (cdc->asked_ns >= 0)
        device_clock_pair(&cdc->clock, device_ns, cdc->asked_ns, host_ns);
    cdc->asked_ns = -1;
    // edges come before the status that includes them: a level that differs is an edge we did not get
    int missing = 0;
    for (uint8_t differs = link->inputs ^ message->inputs; differs;
         differs &= (uint8_t)(differs - 1))
        missing++;
    usb_lost(link, missing, host_ns);
    link->inputs = message->inputs;
}

static void take_edge(UsbLink *link, const CdcMessage *message, int64_t host_ns)
{
    Cdc *cdc = link->state;
    int64_t device_ns = device_clock_ns(&cdc->clock, message->t_us);
    int64_t session_ns = host_ns, error_ns = -1;
    device_clock_map(&cdc->clock, device_ns, &session_ns, &error_ns);
    usb_edge(link, message->line, message->is_high, host_ns, device_ns, session_ns, error_ns);
}

static UsbAnswer receive(UsbLink *link, const uint8_t *bytes, size_t count, int64_t host_ns)
{
    Cdc *cdc = link->state;
    CdcMessage message;
    for (size_t i = 0; i < count; i++) {
        if (!cdc_read(&cdc->reader, bytes[i], &message))
            continue;
        if (message.kind == CDC_STATUS)
            take_status(link, &message, host_ns);
        else
            take_edge(link, &message, host_ns);
    }
    usb_lost(link, cdc->reader.skipped - cdc->skipped, host_ns);
    cdc->skipped = cdc->reader.skipped;
    return USB_NO_ANSWER;
}

static bool plug_box(UsbLink *link, char *err)
{
    return set_up_port(link, BOX_BITS_PER_S, 0, err) && usb_write(link, &link->rest, 1, err);
}

static void trigger_box(UsbLink *link, const RigTrigger *trigger, UsbPacket *packet)
{
    (void)link;
    packet->bytes[0] = trigger->lines;
    packet->count = 1;
}

const UsbModel usb_cdc = {
    .device = "cdc",
    .advice = "load rig/retrace_trigger.ino into the board, or use `box` for a box that takes one "
              "byte a code",
    .ids = known,
    .ids_count = sizeof known / sizeof known[0],
    .inputs = RIG_LINES,
    .has_clock = true,
    .is_pulse_timed_inside = true,
    .outputs = RIG_LINES,
    .most_under_way = 8,
    .state_bytes = sizeof(Cdc),
    .plug = plug_firmware,
    .trigger = trigger_firmware,
    .ask = ask,
    .receive = receive,
};

const UsbModel usb_box = {
    .device = "box",
    .advice = "a box is a CDC serial port that puts every byte it gets on its lines",
    .outputs = RIG_LINES,
    .most_under_way = 8,
    .state_bytes = sizeof(Cdc),
    .plug = plug_box,
    .trigger = trigger_box,
};
