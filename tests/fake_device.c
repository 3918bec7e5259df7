#include "tests/fake_device.h"

#include <string.h>

// USB 2.0 §9.6; the CDC ones with the functional descriptors of CDC 1.1 §5.2.3
#define CDC_CONFIGURATION                                                                          \
    "09024300020100c032"                                                                           \
    "090400000102020100"                                                                           \
    "0524001001"                                                                                   \
    "0524010101"                                                                                   \
    "04240206"                                                                                     \
    "0524060001"                                                                                   \
    "07058203100040"                                                                               \
    "09040100020a000000"                                                                           \
    "07050302400000"                                                                               \
    "07058402400000"
#define LABJACK_CONFIGURATION                                                                      \
    "09022700010100"                                                                               \
    "80fa"                                                                                         \
    "0904000003ffffff00"                                                                           \
    "07050102400000"                                                                               \
    "07058202400000"                                                                               \
    "07058302400000"

static const FakeDeviceAbout abouts[FAKE_KINDS] = {
    [FAKE_TEENSY] = {0x16c0,
                     0x0483,
                     {"Teensyduino", "USB Serial", "1234560"},
                     "1201000202000040c01683047902010203"
                     "01" CDC_CONFIGURATION,
                     0x03,
                     0x84},
    [FAKE_BOX] = {0x1209,
                  0x0001,
                  {"Neurospec", "Trigger Box", "B-7"},
                  "1201000202000040091201000001010203"
                  "01" CDC_CONFIGURATION,
                  0x03,
                  0x84},
    [FAKE_U3] = {0x0cd5,
                 0x0003,
                 {"LabJack", "U3"},
                 "12010002ff000040d50c03000001010200"
                 "01" LABJACK_CONFIGURATION,
                 0x01,
                 0x82},
    [FAKE_U6] = {0x0cd5,
                 0x0006,
                 {"LabJack", "U6"},
                 "12010002ff000040d50c06000001010200"
                 "01" LABJACK_CONFIGURATION,
                 0x01,
                 0x82},
    [FAKE_FTDI] = {0x0403,
                   0x6001,
                   {"FTDI", "FT232R USB UART", "A50285BI"},
                   "1201000200000008030401600006010203"
                   "01"
                   "0902200001010080"
                   "2d"
                   "0904000002ffffff02"
                   "07058102400000"
                   "07050202400000",
                   0x02,
                   0x81},
};

const FakeDeviceAbout *fake_device_about(FakeKind kind)
{
    return &abouts[kind];
}

void fake_device_reset(FakeDevice *device, int64_t now_ns)
{
    device->born_ns = now_ns;
    device->pins = device->rest = 0;
    device->pulse_ns = 500000;
    device->command = -1;
    device->latency_ms = 16;
    device->first = device->count = 0;
}

static void answer(FakeDevice *device, int64_t due_ns, const uint8_t *bytes, size_t count)
{
    if (device->count == FAKE_ANSWERS)
        return;
    FakeAnswer *last = &device->answers[(device->first + device->count++) % FAKE_ANSWERS];
    last->due_ns = due_ns;
    last->count = count;
    memcpy(last->bytes, bytes, count);
}

// ---- a microcontroller with our firmware

static uint32_t micros_of(const FakeDevice *device, int64_t now_ns)
{
    double since_us = (double)(now_ns - device->born_ns) * 1e-3 * (1 + device->drift_ppm * 1e-6);
    return 4294000000u + (uint32_t)since_us; // wraps in the first second
}

static void say(FakeDevice *device, uint8_t kind, uint8_t value, int64_t at_ns)
{
    uint32_t t = micros_of(device, at_ns);
    const uint8_t bytes[6] = {
        kind, value, (uint8_t)t, (uint8_t)(t >> 8), (uint8_t)(t >> 16), (uint8_t)(t >> 24)};
    answer(device, at_ns, bytes, sizeof bytes);
}

static void change_inputs(FakeDevice *device, uint8_t inputs, int64_t at_ns)
{
    uint8_t changed = device->inputs ^ inputs;
    device->inputs = inputs;
    device->falls += changed & ~inputs & 1;
    for (int line = 0; device->kind == FAKE_TEENSY && line < 8; line++)
        if (changed >> line & 1)
            say(device, 'E', (uint8_t)(line | (inputs >> line & 1) << 7), at_ns);
}

static void set_pins(FakeDevice *device, uint8_t pins, int64_t at_ns)
{
    device->pins = pins;
    if (device->is_wired)
        change_inputs(device, pins, at_ns);
}

static void pulse(FakeDevice *device, uint8_t pins, int64_t now_ns)
{
    set_pins(device, pins, now_ns);
    set_pins(device, device->rest, now_ns + device->pulse_ns);
}

static void take_command(FakeDevice *device, uint8_t byte, int64_t now_ns)
{
    int command = device->command;
    device->command = -1;
    if (command == 0xfc) {
        pulse(device, byte, now_ns);
    } else if (command == 0xfd) {
        device->rest = byte;
        set_pins(device, byte, now_ns);
    } else if (command == 0xfe) {
        device->pulse_ns = byte * 10000;
    } else if (byte == 0xff) {
        say(device, 'S', device->inputs, now_ns);
    } else if (byte >= 0xfc) {
        device->command = byte;
    } else {
        pulse(device, byte, now_ns);
    }
}

// ---- LabJack: the definition of its packets, written out once more from the user's guide

static unsigned sum_of(const uint8_t *bytes, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += bytes[i];
    return sum;
}

static uint8_t folded(unsigned sum)
{
    sum = sum % 256 + sum / 256;
    return (uint8_t)(sum % 256 + sum / 256);
}

static void labjack_answer(FakeDevice *device, uint8_t *bytes, size_t count, int64_t due_ns)
{
    count += count % 2;
    unsigned sum = sum_of(bytes + 6, count - 6);
    bytes[1] = 0xf8;
    bytes[2] = (uint8_t)(count / 2 - 3);
    bytes[4] = (uint8_t)sum;
    bytes[5] = (uint8_t)(sum / 256);
    bytes[0] = folded(sum_of(bytes + 1, 5));
    answer(device, due_ns, bytes, count);
}

static bool is_sound(const uint8_t *bytes, size_t count)
{
    return count >= 8 && count == 6 + 2 * (size_t)bytes[2] && bytes[1] == 0xf8 &&
           bytes[0] == folded(sum_of(bytes + 1, 5)) &&
           sum_of(bytes + 6, count - 6) == bytes[4] + 256u * bytes[5];
}

/* One order of a Feedback; how long it is, 0 for one we do not know. Its answer goes to out. */
static size_t take_order(FakeDevice *device, const uint8_t *order, uint8_t *out, size_t *out_count,
                         int64_t *at_ns)
{
    int step_us = device->kind == FAKE_U3 ? 128 : 64;
    switch (order[0]) {
    case 5: // WaitShort
        *at_ns += order[1] * step_us * 1000;
        return 2;
    case 26: // PortStateRead
        out[(*out_count)++] = (uint8_t)(device->inputs << 4);
        out[(*out_count)++] = device->pins;
        out[(*out_count)++] = 0;
        return 1;
    case 27: // PortStateWrite: mask and levels of FIO, EIO, CIO
        set_pins(device, (uint8_t)((device->pins & ~order[2]) | (order[5] & order[2])), *at_ns);
        return 7;
    case 29: // PortDirWrite
        return 7;
    case 54: // Counter0
        for (int i = 0; i < 4; i++)
            out[(*out_count)++] = (uint8_t)(device->falls >> 8 * i);
        return 2;
    default:
        return 0;
    }
}

static void take_labjack(FakeDevice *device, const uint8_t *bytes, size_t count, int64_t now_ns)
{
    uint8_t out[FAKE_ENTRY_BYTES] = {0};
    size_t out_count = 9, at = 7;
    int64_t at_ns = now_ns;
    if (!is_sound(bytes, count))
        return; // a U3 answers B8 B8; nothing is what a host must bear too
    out[3] = bytes[3];
    if (device->refusals > 0) {
        device->refusals--;
        out[6] = 44;
    } else if (bytes[3] == 0x0b) {
        out_count = 12;
    } else {
        while (at < count && (bytes[at] || at + 1 < count)) {
            size_t used = take_order(device, bytes + at, out, &out_count, &at_ns);
            if (used == 0)
                break;
            at += used;
        }
        out[8] = bytes[6];
    }
    labjack_answer(device, out, out_count, at_ns);
}

// ---- all

void fake_device_take(FakeDevice *device, const uint8_t *bytes, size_t count, int64_t now_ns)
{
    if (device->kind == FAKE_U3 || device->kind == FAKE_U6) {
        take_labjack(device, bytes, count, now_ns);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (device->kind == FAKE_TEENSY)
            take_command(device, bytes[i], now_ns);
        else
            set_pins(device, bytes[i], now_ns);
}

bool fake_device_is_asked(const FakeDevice *device, const uint8_t *bytes, size_t count)
{
    if (device->kind == FAKE_TEENSY)
        return count == 1 && bytes[0] == 0xff && device->command < 0;
    return (device->kind == FAKE_U3 || device->kind == FAKE_U6) && count > 7 && bytes[7] == 26;
}

static int give_text(const FakeDevice *device, int index, uint8_t *data, size_t room)
{
    uint8_t bytes[128] = {4, 3, 0x09, 0x04}; // index 0: the languages, English
    if (index >= FAKE_TEXTS || (index > 0 && !abouts[device->kind].texts[index - 1]))
        return -1;
    if (index > 0) {
        const char *text = abouts[device->kind].texts[index - 1];
        bytes[0] = (uint8_t)(2 + 2 * strlen(text));
        for (size_t i = 0; text[i]; i++) {
            bytes[2 + 2 * i] = (uint8_t)text[i];
            bytes[3 + 2 * i] = 0;
        }
    }
    size_t count = bytes[0] < room ? bytes[0] : room;
    memcpy(data, bytes, count);
    return (int)count;
}

static int request_ftdi(FakeDevice *device, const uint8_t *setup, uint8_t *data, int64_t now_ns)
{
    switch (setup[1]) {
    case 0x01: // set lines need no bit-bang; a set line is a low pin
        set_pins(device, (uint8_t)(~setup[2] & 3), now_ns);
        return 0;
    case 0x05:
        data[0] = (uint8_t)(0x01 | (~device->inputs & 0x0f) << 4);
        data[1] = 0x60;
        return 2;
    case 0x09:
        device->latency_ms = setup[2];
        return 0;
    case 0x0c:
        data[0] = device->pins;
        return 1;
    case 0x00:
    case 0x0b:
        return 0;
    default:
        return -1;
    }
}

int fake_device_request(FakeDevice *device, const uint8_t *setup, uint8_t *data, size_t room,
                        int64_t now_ns)
{
    bool is_cdc = device->kind == FAKE_TEENSY || device->kind == FAKE_BOX;
    if (setup[0] == 0x80 && setup[1] == 0x06 && setup[3] == 3)
        return give_text(device, setup[2], data, room);
    if (is_cdc && setup[0] == 0x21 && (setup[1] == 0x20 || setup[1] == 0x22))
        return setup[6];
    if (device->kind == FAKE_FTDI && (setup[0] & 0x7f) == 0x40)
        return request_ftdi(device, setup, data, now_ns);
    return -1;
}

void fake_device_input(FakeDevice *device, int line, bool is_high, int64_t now_ns)
{
    uint8_t bit = (uint8_t)(1u << line);
    change_inputs(device, (uint8_t)(is_high ? device->inputs | bit : device->inputs & ~bit),
                  now_ns);
}
