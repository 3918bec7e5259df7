#pragma once
/* What a fake device does with bytes; for fake_usb.c and fake_device.c only. All under the lock of
 * fake_usb.c. */
#include "tests/fake_usb.h"

enum { FAKE_ANSWERS = 4096, FAKE_TEXTS = 4 };

/* Something the device will say, not before due_ns. */
typedef struct {
    int64_t due_ns;
    uint8_t bytes[FAKE_ENTRY_BYTES];
    size_t count;
} FakeAnswer;

typedef struct {
    FakeKind kind;
    double drift_ppm;
    int64_t born_ns;
    uint8_t pins, rest; // pins at the end of what is under way
    uint8_t inputs;
    int64_t pulse_ns;
    int command; // a Teensy's, waiting for its second byte; -1
    bool is_wired;
    uint32_t falls; // of a LabJack's FIO4
    int latency_ms, refusals;
    FakeAnswer answers[FAKE_ANSWERS]; // a ring
    size_t first, count;
} FakeDevice;

typedef struct {
    int vid, pid;
    const char *texts[FAKE_TEXTS]; // string descriptors from 1 on
    const char *descriptors;       // device and configuration, hex
    int bulk_out, bulk_in;
} FakeDeviceAbout;

const FakeDeviceAbout *fake_device_about(FakeKind kind);
void fake_device_reset(FakeDevice *device, int64_t now_ns);

/* A packet to the bulk endpoint, taken whole. */
void fake_device_take(FakeDevice *device, const uint8_t *bytes, size_t count, int64_t now_ns);

/* The packet only asks for inputs or time. */
bool fake_device_is_asked(const FakeDevice *device, const uint8_t *bytes, size_t count);

/* A control request; data in or out. Bytes of data, or -1: refused. */
int fake_device_request(FakeDevice *device, const uint8_t *setup, uint8_t *data, size_t room,
                        int64_t now_ns);

void fake_device_input(FakeDevice *device, int line, bool is_high, int64_t now_ns);
