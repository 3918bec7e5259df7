#pragma once
/* One connection to a USB device, and what a model of device brings to it. Private to the rig room.
 *
 * The model (usb_cdc.c, usb_labjack.c, usb_ftdi.c) knows bytes and requests; the link carries them
 * (usb_flight.c), finds the device (usb_find.c) and lives in the rig's own thread (rig_usb.c). A
 * link is touched by the thread that opens the rig until the rig's thread starts, then by that one
 * alone. */
#include <libusb-1.0/libusb.h>

#include "rig/rig.h"
#include "rig/ring.h"

enum {
    USB_PACKET_BYTES = 64, // the most we send at once
    USB_READ_BYTES = 512,  // the most that comes at once: a packet of high speed
    USB_INTERFACES = 2,
    USB_SYNC_MS = 500,
};

typedef struct {
    int vid, pid;
} UsbId;

/* What goes out in one transfer: to the bulk endpoint, or a control request without data, its setup
 * packet in the first eight bytes. count 0: there is nothing to send. */
typedef struct {
    uint8_t bytes[USB_PACKET_BYTES];
    size_t count;
    bool is_control;
} UsbPacket;

typedef enum { USB_NO_ANSWER, USB_ANSWER_OK, USB_ANSWER_REFUSED } UsbAnswer;

typedef struct UsbLink UsbLink;

/* Every entry is called on the rig's thread, but for the first plug(). */
typedef struct {
    const char *device; // as a spec names it
    const char *advice; // what to check when it does not answer
    const UsbId *ids;   // what it is known by; none: a spec must say VID:PID, serial or path
    size_t ids_count;
    int outputs, inputs;                   // lines
    bool has_clock, is_pulse_timed_inside; // as in RigInfo
    bool is_answering;  // every packet is answered, and a trigger counts only then
    int most_under_way; // packets
    size_t state_bytes; // zeroed before plug()
    /* Claims what it needs, sets endpoints and pulse_us (rounded up), brings the lines to link->rest. May
     * block for seconds. False with a sentence in err (RIG_ERR_BYTES). */
    bool (*plug)(UsbLink *link, char *err);
    /* The packet that makes the pulse, or the level where lines and rest are the same. Not timed
     * inside: only the beginning of the pulse. */
    void (*trigger)(UsbLink *link, const RigTrigger *trigger, UsbPacket *packet);
    /* Called from link->ask_due_ns on: the packet that asks the device for its inputs or its time,
     * count 0 for nothing; sets the next ask_due_ns. NULL: never asks. */
    void (*ask)(UsbLink *link, int64_t now_ns, UsbPacket *packet);
    /* What came from the device. NULL: nothing does. */
    UsbAnswer (*receive)(UsbLink *link, const uint8_t *bytes, size_t count, int64_t host_ns);
} UsbModel;

struct UsbLink {
    const UsbModel *model;
    RigClock clock;
    Ring *events;                 // RigEvent; lent by the rig
    libusb_device_handle *handle; // NULL: not connected
    int interfaces[USB_INTERFACES];
    int interfaces_count; // claimed
    uint8_t out_endpoint, in_endpoint;
    int in_packet_bytes;
    int pulse_us;
    uint8_t rest;    // the pins between pulses, as they were last asked to be
    bool has_failed; // a packet did not arrive; the model clears it once it has made up for that
    uint8_t inputs;  // input lines as far as known
    int64_t ask_due_ns;
    void *state; // owned, model->state_bytes
};

extern const UsbModel usb_cdc, usb_box, usb_u3, usb_u6, usb_ftdi, usb_ftdi_lines;

/* The model of a spec's device. */
const UsbModel *usb_model(const char *device);

/* Claims an interface, its kernel driver detached; usb_disconnect() gives both back. */
bool usb_claim(UsbLink *link, int interface, char *err);
void usb_disconnect(UsbLink *link);

/* For plug(): one request or packet, waited for. */
bool usb_request(UsbLink *link, const uint8_t *setup, uint8_t *data, char *err);
bool usb_write(UsbLink *link, const uint8_t *bytes, size_t count, char *err);

/* Bytes read, 0 when nothing came within timeout_ms, -1 with err. bytes holds USB_READ_BYTES. */
int usb_read(UsbLink *link, uint8_t *bytes, unsigned timeout_ms, char *err);

/* Tells of one edge: sets the line in link->inputs. device_ns -1: the host's time is all there is. */
void usb_edge(UsbLink *link, int line, bool is_high, int64_t host_ns, int64_t device_ns,
              int64_t session_ns, int64_t error_ns);

/* Tells of every line that differs from link->inputs, at the host's time. */
void usb_inputs(UsbLink *link, uint8_t inputs, int64_t host_ns);
void usb_lost(UsbLink *link, int64_t count, int64_t host_ns);
