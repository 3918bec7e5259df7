#pragma once
/* The transfers of a link that are under way: several out, in the order they were sent, and several
 * in, always. Private to the rig room; all on the rig's thread.
 *
 * What becomes of a trigger is told in that same order. A transfer that comes back with anything
 * but a result we can go on from (libusb's ERROR, NO_DEVICE) means that the device is going: a
 * kernel may say ERROR first and take another submission before it says NO_DEVICE, so all these set
 * is_lost alike, and the rig drops the link. */
#include "rig/usb_link.h"

enum { FLIGHT_OUTS = 8, FLIGHT_INS = 8 };

typedef enum {
    FLIGHT_PULSE, // a trigger …
    FLIGHT_LEVEL, // … and one that just sets the lines
    FLIGHT_END,   // of a pulse that the host times
    FLIGHT_ASK,
} FlightKind;

typedef struct Flights Flights;

typedef struct {
    Flights *flights;                 // back to the whole
    struct libusb_transfer *transfer; // owned
    uint8_t bytes[LIBUSB_CONTROL_SETUP_SIZE + USB_PACKET_BYTES];
    FlightKind kind;
    int64_t tag, submitted_ns, completed_ns; // completed_ns -1: not yet
    bool is_answered;                        // or needs no answer
    RigFailure failure;
} FlightOut;

typedef struct {
    Flights *flights;
    struct libusb_transfer *transfer; // owned
    uint8_t bytes[USB_READ_BYTES];
    bool is_under_way;
} FlightIn;

struct Flights {
    UsbLink *link; // borrowed
    FlightOut outs[FLIGHT_OUTS];
    int first, count; // of outs under way, a ring
    FlightIn ins[FLIGHT_INS];
    int64_t pulse_end_ns; // when the host is to end the pulse; -1: nothing to end
    bool is_lost, has_stalled_out, has_stalled_in;
};

bool flights_init(Flights *flights, UsbLink *link);
void flights_finish(Flights *flights);

/* Starts listening; false when the device does not let us. */
bool flights_start(Flights *flights);

bool flights_has_room(const Flights *flights);

/* Sends a packet; a failure to do so is told like any other. An empty packet is sent at once. */
void flights_send(Flights *flights, FlightKind kind, int64_t tag, const UsbPacket *packet);

/* Clears what has stalled, listens again where it had to stop, and gives up on an answer that does
 * not come. */
void flights_mend(Flights *flights, int64_t now_ns);

/* Cancels everything and waits until nothing is under way, at most two seconds. */
void flights_ground(Flights *flights, libusb_context *context);
