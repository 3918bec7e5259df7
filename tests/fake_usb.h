#pragma once
/* A live USB device that is not there: an unmodified libusb finds it, opens it and talks to it.
 *
 * umockdev shows this process and its children a /sys and /dev of its own, and hands us the ioctls
 * that libusb makes on the device's node; we answer them as the kernel's usbdevfs and the device
 * behind it would, and go wrong where told to. Only under umockdev's preload library
 * (umockdev-wrapper, or LD_PRELOAD). All functions may be called from any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    FAKE_TEENSY, // 16c0:0483, runs our firmware
    FAKE_BOX,    // 1209:0001, CDC, every byte is its port
    FAKE_U3,
    FAKE_U6,
    FAKE_FTDI, // FT232R
    FAKE_KINDS,
} FakeKind;

enum { FAKE_ENTRY_BYTES = 64 };

/* What the device got. */
typedef struct {
    int64_t at_ns; // CLOCK_MONOTONIC, of the submission
    int endpoint;  // 0: a control request, its setup packet first in bytes
    uint8_t bytes[FAKE_ENTRY_BYTES];
    size_t count;
    bool is_failed; // it was stalled, cut short or never taken
} FakeEntry;

/* What goes wrong with the next bulk packets to the device (stalls: with control requests too); 0
 * nothing. Counts run down; a packet that only asks the device for its inputs or its time is spared by them. */
typedef struct {
    int delay_us;  // every packet is taken this late
    int stalls;    // refused
    int shorts;    // only half is taken (of one byte: none)
    bool is_held;  // not taken at all, until let go
    int babbles;   // the next answers are more than a packet
    int in_stalls; // the next reads are refused
    bool is_dying; // everything ends in a bus error, as while a plug is being pulled
    int refusals;  // LabJack: answers with an error
    bool is_mute;  // takes packets, never answers
} FakeFaults;

typedef struct FakeUsb FakeUsb;

/* False: not under umockdev; why to skip. */
bool fake_usb_is_possible(void);

/* A root hub and the device, plugged in. One at a time in a process. */
FakeUsb *fake_usb_create(FakeKind kind);
void fake_usb_destroy(FakeUsb *fake);

void fake_usb_unplug(FakeUsb *fake);
void fake_usb_plug(FakeUsb *fake);
void fake_usb_faults(FakeUsb *fake, FakeFaults faults);

/* Outputs drive the inputs of the same number. */
void fake_usb_wire(FakeUsb *fake, bool is_wired);
void fake_usb_set_input(FakeUsb *fake, int line, bool is_high);

/* The device's clock runs this much fast. */
void fake_usb_drift(FakeUsb *fake, double ppm);

/* Everything got so far, or from entry `from` on; how many were copied. */
size_t fake_usb_entries(FakeUsb *fake, size_t from, FakeEntry *entries, size_t most);
size_t fake_usb_entries_count(FakeUsb *fake);

/* The output pins now. */
uint8_t fake_usb_pins(FakeUsb *fake);

/* Interfaces that a program holds, and whether the kernel's own driver has the device. */
int fake_usb_claimed(FakeUsb *fake);
bool fake_usb_has_kernel_driver(FakeUsb *fake);
