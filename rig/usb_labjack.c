/* LabJack U3 and U6. Outputs are EIO (the DB15), because FIO0–3 of a U3-HV are analog only; inputs are
 * FIO4–7. Every packet is answered, and the next is not taken before: so one is under way at a
 * time, and inputs are asked for just after a trigger, when the next one is a frame away. */
#include <stdio.h>

#include "rig/labjack_packet.h"
#include "rig/usb_link.h"

enum {
    OUT = 0x01,
    IN = 0x82,
    ANSWER_MS = 1000,
    INPUTS = 4,
    FIRST_FIO = 4,
    PORTS_AND_COUNTER_BYTES = LABJACK_PORTS + 4,
};
static const int64_t ASK_EVERY_NS = 4000000, AFTER_TRIGGER_NS = 50000000;
static const LabjackPorts all_eio = {.eio = 0xff};

typedef struct {
    bool has_counter; // U3: counter 0 on FIO4, so that no pulse between two questions is missed
    bool has_count;
    uint32_t count;
    int step_us;          // of a wait
    bool is_asking;       // the packet under way is a question
    int64_t triggered_ns; // the last one
} Labjack;

static const UsbId known_u3[] = {{0x0cd5, 0x0003}}, known_u6[] = {{0x0cd5, 0x0006}};

static bool converse(UsbLink *link, LabjackPacket *packet, char *err)
{
    uint8_t bytes[USB_READ_BYTES];
    const uint8_t *data;
    size_t data_count;
    int error_code;
    labjack_finish(packet);
    if (!usb_write(link, packet->bytes, packet->count, err))
        return false;
    int count = usb_read(link, bytes, ANSWER_MS, err);
    if (count < 0)
        return false;
    LabjackAnswer answer = labjack_parse(bytes, (size_t)count, &data, &data_count, &error_code);
    if (answer != LABJACK_ANSWER_OK)
        snprintf(err, RIG_ERR_BYTES, "rig: %s: %s (error %d); %s", link->model->device,
                 count == 0 ? "it does not answer" : "it refused its configuration", error_code,
                 link->model->advice);
    return answer == LABJACK_ANSWER_OK;
}

static void write_eio(LabjackPacket *packet, uint8_t lines)
{
    labjack_add_write(packet, all_eio, (LabjackPorts){.eio = lines});
}

static int steps(const UsbLink *link)
{
    const Labjack *labjack = link->state;
    return (link->pulse_us + labjack->step_us - 1) / labjack->step_us;
}

static bool plug(UsbLink *link, char *err)
{
    Labjack *labjack = link->state;
    LabjackPacket packet;
    link->out_endpoint = OUT;
    link->in_endpoint = IN;
    link->in_packet_bytes = USB_PACKET_BYTES;
    link->pulse_us = steps(link) * labjack->step_us;
    if (!usb_claim(link, 0, err))
        return false;
    if (labjack->has_counter) { // a U3; the lines of a U6 are always digital
        labjack_config_io(&packet, true);
        if (!converse(link, &packet, err))
            return false;
    }
    // levels before directions, or the pins would jump
    labjack_begin_feedback(&packet);
    write_eio(&packet, link->rest);
    if (!converse(link, &packet, err))
        return false;
    labjack_begin_feedback(&packet);
    labjack_add_direction(&packet, all_eio, all_eio);
    return converse(link, &packet, err);
}

static bool plug_u3(UsbLink *link, char *err)
{
    *(Labjack *)link->state = (Labjack){.has_counter = true, .step_us = 128};
    return plug(link, err);
}

static bool plug_u6(UsbLink *link, char *err)
{
    *(Labjack *)link->state = (Labjack){.step_us = 64};
    return plug(link, err);
}

static void send(UsbPacket *to, LabjackPacket *packet)
{
    labjack_finish(packet);
    to->count = packet->count;
    for (size_t i = 0; i < packet->count; i++)
        to->bytes[i] = packet->bytes[i];
}

static void trigger(UsbLink *link, const RigTrigger *trigger, UsbPacket *packet)
{
    Labjack *labjack = link->state;
    LabjackPacket feedback;
    labjack->is_asking = false;
    labjack_begin_feedback(&feedback);
    write_eio(&feedback, trigger->lines);
    if (trigger->lines != trigger->rest) {
        labjack_add_wait(&feedback, (uint8_t)steps(link));
        write_eio(&feedback, trigger->rest);
    }
    send(packet, &feedback);
}

static void ask(UsbLink *link, int64_t now_ns, UsbPacket *packet)
{
    Labjack *labjack = link->state;
    LabjackPacket feedback;
    bool is_idle = now_ns - labjack->triggered_ns > AFTER_TRIGGER_NS;
    link->ask_due_ns = now_ns + (is_idle ? ASK_EVERY_NS : AFTER_TRIGGER_NS);
    labjack->is_asking = true;
    labjack_begin_feedback(&feedback);
    labjack_add_read(&feedback);
    if (labjack->has_counter)
        labjack_add_counter(&feedback);
    send(packet, &feedback);
}

// Falling edges of FIO4 since the last look, each the end of a pulse of its own.
static void take_count(UsbLink *link, const uint8_t *bytes, int64_t host_ns)
{
    Labjack *labjack = link->state;
    uint32_t count = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                     (uint32_t)bytes[3] << 24;
    uint32_t pulses = labjack->has_count ? count - labjack->count : 0;
    labjack->has_count = true;
    labjack->count = count;
    for (uint32_t i = 0; i < pulses && i < UINT16_MAX; i++) {
        usb_edge(link, 0, true, host_ns, -1, host_ns, -1);
        usb_edge(link, 0, false, host_ns, -1, host_ns, -1);
    }
}

static void take_inputs(UsbLink *link, const uint8_t *data, size_t count, int64_t host_ns)
{
    const Labjack *labjack = link->state;
    if (count < (labjack->has_counter ? PORTS_AND_COUNTER_BYTES : LABJACK_PORTS))
        return;
    uint8_t inputs = data[0] >> FIRST_FIO;
    if (labjack->has_counter) {
        take_count(link, data + LABJACK_PORTS, host_ns);
        inputs &= 0x0e;
    }
    usb_inputs(link, inputs, host_ns);
}

static UsbAnswer receive(UsbLink *link, const uint8_t *bytes, size_t count, int64_t host_ns)
{
    Labjack *labjack = link->state;
    const uint8_t *data;
    size_t data_count;
    int error_code;
    LabjackAnswer answer = labjack_parse(bytes, count, &data, &data_count, &error_code);
    if (answer == LABJACK_ANSWER_DAMAGED)
        usb_lost(link, 1, host_ns);
    else if (labjack->is_asking && data)
        take_inputs(link, data, data_count, host_ns);
    if (!labjack->is_asking) {
        labjack->triggered_ns = host_ns;
        link->ask_due_ns = host_ns;
    }
    return answer == LABJACK_ANSWER_OK ? USB_ANSWER_OK : USB_ANSWER_REFUSED;
}

/* What the two have in common. */
#define LABJACK                                                                                    \
    .ids_count = 1, .inputs = INPUTS, .is_pulse_timed_inside = true, .is_answering = true,         \
    .outputs = RIG_LINES, .most_under_way = 1, .state_bytes = sizeof(Labjack), .trigger = trigger, \
    .ask = ask, .receive = receive

const UsbModel usb_u3 = {
    LABJACK,
    .device = "u3",
    .advice = "its firmware is to be 1.21 or later (hardware-timed waits)",
    .ids = known_u3,
    .plug = plug_u3,
};

const UsbModel usb_u6 = {
    LABJACK,         .device = "u6",  .advice = "unplug it and plug it in again",
    .ids = known_u6, .plug = plug_u6,
};
