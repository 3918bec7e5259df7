#include "rig/usb_flight.h"

#include <string.h>
#include <sys/time.h>

enum { OUT_TIMEOUT_MS = 200, GROUND_ROUNDS = 200, GROUND_ROUND_US = 10000 };
static const int64_t ANSWER_NS = 1000000000;

static int64_t now_ns(const Flights *flights)
{
    return flights->link->clock.now_ns(flights->link->clock.ctx);
}

static FlightOut *out_at(Flights *flights, int place)
{
    return &flights->outs[(flights->first + place) % FLIGHT_OUTS];
}

static void tell(Flights *flights, const FlightOut *out)
{
    int64_t pulse_ns = (int64_t)flights->link->pulse_us * 1000;
    if (out->kind == FLIGHT_END && out->failure)
        flights->pulse_end_ns = out->completed_ns + pulse_ns; // a line must not stay high: again
    if (out->kind != FLIGHT_PULSE && out->kind != FLIGHT_LEVEL)
        return;
    ring_push(flights->link->events,
              &(RigEvent){.kind = out->failure ? RIG_EVENT_FAILED : RIG_EVENT_SENT,
                          .host_ns = out->completed_ns,
                          .tag = out->tag,
                          .submitted_ns = out->submitted_ns,
                          .failure = out->failure});
    if (out->kind == FLIGHT_PULSE && !flights->link->model->is_pulse_timed_inside)
        flights->pulse_end_ns = out->completed_ns + pulse_ns;
}

// Tells of those at the head whose fate is known.
static void settle(Flights *flights)
{
    while (flights->count > 0) {
        FlightOut *out = out_at(flights, 0);
        if (out->completed_ns < 0 || (!out->is_answered && !out->failure))
            return;
        flights->first = (flights->first + 1) % FLIGHT_OUTS;
        flights->count--;
        flights->link->has_failed |= out->failure != RIG_FAILURE_NONE;
        tell(flights, out);
    }
}

static void note_loss(Flights *flights, enum libusb_transfer_status status)
{
    if (status == LIBUSB_TRANSFER_ERROR || status == LIBUSB_TRANSFER_NO_DEVICE)
        flights->is_lost = true;
}

static RigFailure failure_of(const struct libusb_transfer *transfer)
{
    bool is_control = transfer->type == LIBUSB_TRANSFER_TYPE_CONTROL;
    switch (transfer->status) {
    case LIBUSB_TRANSFER_COMPLETED:
        return is_control || transfer->actual_length == transfer->length ? RIG_FAILURE_NONE
                                                                         : RIG_FAILURE_SHORT;
    case LIBUSB_TRANSFER_STALL:
        return RIG_FAILURE_STALL;
    case LIBUSB_TRANSFER_TIMED_OUT:
        return RIG_FAILURE_TIMEOUT;
    case LIBUSB_TRANSFER_OVERFLOW:
    case LIBUSB_TRANSFER_ERROR:
    case LIBUSB_TRANSFER_CANCELLED:
    case LIBUSB_TRANSFER_NO_DEVICE:
        break;
    }
    return RIG_FAILURE_GONE;
}

static void LIBUSB_CALL out_done(struct libusb_transfer *transfer)
{
    FlightOut *out = transfer->user_data;
    Flights *flights = out->flights;
    out->completed_ns = now_ns(flights);
    out->failure = failure_of(transfer);
    note_loss(flights, transfer->status);
    flights->has_stalled_out |=
        transfer->status == LIBUSB_TRANSFER_STALL && transfer->endpoint != 0;
    settle(flights);
}

// An answer belongs to the oldest packet that has none.
static void take_answer(Flights *flights, UsbAnswer answer, int64_t host_ns)
{
    for (int i = 0; i < flights->count; i++) {
        FlightOut *out = out_at(flights, i);
        if (out->is_answered)
            continue;
        out->is_answered = true;
        if (out->completed_ns < 0)
            out->completed_ns = host_ns; // it cannot answer what it has not got
        if (answer == USB_ANSWER_REFUSED)
            out->failure = RIG_FAILURE_REFUSED;
        break;
    }
    settle(flights);
}

static void listen(Flights *flights, FlightIn *in)
{
    if (flights->is_lost || flights->has_stalled_in)
        return;
    in->is_under_way = libusb_submit_transfer(in->transfer) == 0;
    flights->is_lost |= !in->is_under_way;
}

static void LIBUSB_CALL in_done(struct libusb_transfer *transfer)
{
    FlightIn *in = transfer->user_data;
    Flights *flights = in->flights;
    UsbLink *link = flights->link;
    int64_t host_ns = now_ns(flights);
    in->is_under_way = false;
    note_loss(flights, transfer->status);
    switch (transfer->status) {
    case LIBUSB_TRANSFER_COMPLETED: {
        UsbAnswer answer =
            link->model->receive(link, transfer->buffer, (size_t)transfer->actual_length, host_ns);
        if (answer != USB_NO_ANSWER)
            take_answer(flights, answer, host_ns);
        break;
    }
    case LIBUSB_TRANSFER_STALL:
        flights->has_stalled_in = true;
        usb_lost(link, 1, host_ns);
        break;
    case LIBUSB_TRANSFER_OVERFLOW: // babble: more than a packet
        usb_lost(link, 1, host_ns);
        break;
    case LIBUSB_TRANSFER_CANCELLED:
        return;
    case LIBUSB_TRANSFER_TIMED_OUT:
    case LIBUSB_TRANSFER_ERROR:
    case LIBUSB_TRANSFER_NO_DEVICE:
        break;
    }
    listen(flights, in);
}

bool flights_init(Flights *flights, UsbLink *link)
{
    *flights = (Flights){.link = link, .pulse_end_ns = -1};
    bool ok = true;
    for (int i = 0; i < FLIGHT_OUTS; i++) {
        flights->outs[i].flights = flights;
        flights->outs[i].transfer = libusb_alloc_transfer(0);
        ok &= flights->outs[i].transfer != NULL;
    }
    for (int i = 0; i < FLIGHT_INS; i++) {
        flights->ins[i].flights = flights;
        flights->ins[i].transfer = libusb_alloc_transfer(0);
        ok &= flights->ins[i].transfer != NULL;
    }
    return ok;
}

void flights_finish(Flights *flights)
{
    for (int i = 0; i < FLIGHT_OUTS; i++)
        libusb_free_transfer(flights->outs[i].transfer);
    for (int i = 0; i < FLIGHT_INS; i++)
        libusb_free_transfer(flights->ins[i].transfer);
    *flights = (Flights){0};
}

bool flights_start(Flights *flights)
{
    UsbLink *link = flights->link;
    flights->is_lost = flights->has_stalled_in = flights->has_stalled_out = false;
    flights->pulse_end_ns = -1;
    int room = link->in_packet_bytes < USB_READ_BYTES ? link->in_packet_bytes : USB_READ_BYTES;
    for (int i = 0; i < FLIGHT_INS && link->model->receive; i++) {
        FlightIn *in = &flights->ins[i];
        libusb_fill_bulk_transfer(in->transfer, link->handle, link->in_endpoint, in->bytes, room,
                                  in_done, in, 0);
        listen(flights, in);
    }
    return !flights->is_lost;
}

bool flights_has_room(const Flights *flights)
{
    return flights->count < flights->link->model->most_under_way;
}

static void fill(FlightOut *out, const UsbLink *link, const UsbPacket *packet)
{
    memcpy(out->bytes, packet->bytes, packet->count);
    if (packet->is_control)
        libusb_fill_control_transfer(out->transfer, link->handle, out->bytes, out_done, out,
                                     OUT_TIMEOUT_MS);
    else
        libusb_fill_bulk_transfer(out->transfer, link->handle, link->out_endpoint, out->bytes,
                                  (int)packet->count, out_done, out, OUT_TIMEOUT_MS);
}

void flights_send(Flights *flights, FlightKind kind, int64_t tag, const UsbPacket *packet)
{
    FlightOut *out = out_at(flights, flights->count++);
    out->kind = kind;
    out->tag = tag;
    out->completed_ns = -1;
    out->failure = RIG_FAILURE_NONE;
    out->is_answered = !flights->link->model->is_answering || packet->count == 0;
    fill(out, flights->link, packet);
    out->submitted_ns = now_ns(flights);
    if (packet->count > 0 && libusb_submit_transfer(out->transfer) == 0)
        return;
    out->completed_ns = out->submitted_ns;
    if (packet->count > 0) {
        out->failure = RIG_FAILURE_GONE;
        flights->is_lost = true;
    }
    settle(flights);
}

void flights_mend(Flights *flights, int64_t at_ns)
{
    UsbLink *link = flights->link;
    if (flights->has_stalled_out)
        libusb_clear_halt(link->handle, link->out_endpoint);
    if (flights->has_stalled_in)
        libusb_clear_halt(link->handle, link->in_endpoint);
    flights->has_stalled_out = flights->has_stalled_in = false;
    for (int i = 0; i < FLIGHT_INS && link->model->receive; i++)
        if (!flights->ins[i].is_under_way)
            listen(flights, &flights->ins[i]);
    FlightOut *oldest = flights->count > 0 ? out_at(flights, 0) : NULL;
    if (!oldest || oldest->completed_ns < 0 || at_ns - oldest->completed_ns < ANSWER_NS)
        return;
    // Its answer may still come and would be taken for the next one's: begin anew.
    oldest->failure = RIG_FAILURE_TIMEOUT;
    flights->is_lost = true;
    settle(flights);
}

static bool is_anything_under_way(Flights *flights)
{
    for (int i = 0; i < flights->count; i++)
        if (out_at(flights, i)->completed_ns < 0)
            return true;
    for (int i = 0; i < FLIGHT_INS; i++)
        if (flights->ins[i].is_under_way)
            return true;
    return false;
}

void flights_ground(Flights *flights, libusb_context *context)
{
    flights->is_lost = true;
    for (int i = 0; i < flights->count; i++)
        if (out_at(flights, i)->completed_ns < 0)
            libusb_cancel_transfer(out_at(flights, i)->transfer);
    for (int i = 0; i < FLIGHT_INS; i++)
        if (flights->ins[i].is_under_way)
            libusb_cancel_transfer(flights->ins[i].transfer);
    struct timeval step = {.tv_usec = GROUND_ROUND_US};
    for (int round = 0; round < GROUND_ROUNDS && is_anything_under_way(flights); round++)
        libusb_handle_events_timeout_completed(context, &step, NULL);
    // what was taken but never answered
    for (int i = 0; i < flights->count; i++)
        if (!out_at(flights, i)->is_answered && !out_at(flights, i)->failure)
            out_at(flights, i)->failure = RIG_FAILURE_GONE;
    settle(flights);
}
