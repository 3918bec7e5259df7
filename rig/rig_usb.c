/* The rig of any USB device: one thread that sends triggers, listens, and finds the device again
 * when it was unplugged.
 *
 * The frame thread pushes a trigger into one ring and wakes this thread through an eventfd; this
 * thread pushes events into the other. Nothing else is shared. Everything that libusb does happens
 * here, so a device that stalls or goes away costs the frame thread nothing. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "rig/rig_driver.h"
#include "rig/usb_find.h"
#include "rig/usb_flight.h"

enum { TRIGGERS_WAITING = 256, EVENTS_WAITING = 4096, FDS_MOST = 32, CLOSING_ROUNDS = 50 };
enum { RIG_PRIORITY = 30 }; // SCHED_FIFO; the frame loop has 40 (app/realtime.c)
static const int64_t RETRY_NS = 250000000, CLOSING_STEP_NS = 10000000;

typedef struct {
    Rig *rig; // borrowed: its spec and clock; constant while the thread runs
    // both threads
    Ring triggers;           // RigTrigger; frame thread to rig thread
    Ring events;             // RigEvent; rig thread to frame thread
    int wake_fd;             // frame thread writes
    atomic_bool is_stopping; // frame thread writes
    // frame thread
    pthread_t thread;
    bool is_running;
    uint64_t events_lost; // of the ring, told so far
    uint8_t idle;         // set before is_stopping
    // rig thread, from its start on
    RigSpec spec; // pinned to the device that was found
    libusb_context *context;
    UsbLink link;
    Flights flights;
    int timer_fd;
    struct pollfd fds[FDS_MOST];
    int fds_count;
    int64_t retry_ns; // when to look for the device again
} UsbRig;

static void emit(UsbRig *u, RigEventKind kind)
{
    ring_push(&u->events, &(RigEvent){.kind = kind, .host_ns = rig_now_ns(u->rig)});
}

static void gather_fds(UsbRig *u)
{
    u->fds[0] = (struct pollfd){.fd = u->wake_fd, .events = POLLIN};
    u->fds[1] = (struct pollfd){.fd = u->timer_fd, .events = POLLIN};
    u->fds_count = 2;
    const struct libusb_pollfd **list = libusb_get_pollfds(u->context);
    for (int i = 0; list && list[i] && u->fds_count < FDS_MOST; i++)
        u->fds[u->fds_count++] = (struct pollfd){.fd = list[i]->fd, .events = list[i]->events};
    libusb_free_pollfds(list);
}

static int LIBUSB_CALL on_hotplug(libusb_context *context, libusb_device *device,
                                  libusb_hotplug_event event, void *argument)
{
    UsbRig *u = argument;
    (void)context;
    if (event == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED)
        u->retry_ns = 0;
    else if (u->link.handle && device == libusb_get_device(u->link.handle))
        u->flights.is_lost = true;
    return 0;
}

/* Finds the device, sets it up and listens. */
static bool connect_link(UsbRig *u, RigFound *found, char *err)
{
    u->link.pulse_us = u->spec.pulse_us;
    u->link.ask_due_ns = 0;
    if (!usb_find(u->context, &u->spec, &u->link, found, err))
        return false;
    if (u->link.model->plug(&u->link, err)) {
        if (flights_start(&u->flights))
            return true;
        snprintf(err, RIG_ERR_BYTES, "rig: %s: it went away", found->name);
        flights_ground(&u->flights, u->context);
    }
    usb_disconnect(&u->link);
    return false;
}

static void fail_waiting(UsbRig *u)
{
    RigTrigger trigger;
    while (ring_pop(&u->triggers, &trigger)) {
        u->link.rest = trigger.rest;
        ring_push(&u->events, &(RigEvent){.kind = RIG_EVENT_FAILED,
                                          .host_ns = rig_now_ns(u->rig),
                                          .tag = trigger.tag,
                                          .submitted_ns = -1,
                                          .failure = RIG_FAILURE_GONE});
    }
}

static void drop(UsbRig *u)
{
    flights_ground(&u->flights, u->context);
    usb_disconnect(&u->link);
    gather_fds(u);
    emit(u, RIG_EVENT_GONE);
    u->retry_ns = 0;
}

static void send_lines(UsbRig *u, FlightKind kind, const RigTrigger *trigger)
{
    UsbPacket packet = {.count = 0};
    u->link.rest = trigger->rest;
    u->link.model->trigger(&u->link, trigger, &packet);
    flights_send(&u->flights, kind, trigger->tag, &packet);
}

static void retry(UsbRig *u)
{
    char err[RIG_ERR_BYTES];
    RigFound found;
    fail_waiting(u);
    if (rig_now_ns(u->rig) < u->retry_ns)
        return;
    u->retry_ns = rig_now_ns(u->rig) + RETRY_NS;
    if (!connect_link(u, &found, err))
        return;
    gather_fds(u);
    uint8_t rest = u->link.rest;
    fail_waiting(u); // what was meant for a moment that is past, but for the level it leaves
    if (u->link.rest != rest)
        send_lines(u, FLIGHT_END, &(RigTrigger){-1, u->link.rest, u->link.rest});
    emit(u, RIG_EVENT_BACK);
}

static void end_pulse(UsbRig *u)
{
    u->flights.pulse_end_ns = -1;
    send_lines(u, FLIGHT_END, &(RigTrigger){-1, u->link.rest, u->link.rest});
}

static void ask(UsbRig *u, int64_t now_ns)
{
    UsbPacket packet = {.count = 0};
    u->link.model->ask(&u->link, now_ns, &packet);
    if (packet.count > 0)
        flights_send(&u->flights, FLIGHT_ASK, -1, &packet);
}

// Triggers first: what is asked or ended can wait.
static void send_due(UsbRig *u)
{
    RigTrigger trigger;
    int64_t now_ns = rig_now_ns(u->rig);
    flights_mend(&u->flights, now_ns);
    while (!u->flights.is_lost && flights_has_room(&u->flights) && ring_pop(&u->triggers, &trigger))
        send_lines(u, trigger.lines == trigger.rest ? FLIGHT_LEVEL : FLIGHT_PULSE, &trigger);
    if (u->flights.is_lost || !flights_has_room(&u->flights))
        return;
    if (u->flights.pulse_end_ns >= 0 && u->flights.pulse_end_ns <= now_ns)
        end_pulse(u);
    else if (u->link.model->ask && u->link.ask_due_ns <= now_ns)
        ask(u, now_ns);
}

static int64_t next_due_ns(const UsbRig *u)
{
    int64_t due_ns = rig_now_ns(u->rig) + RETRY_NS;
    if (!u->link.handle)
        return u->retry_ns;
    if (u->flights.pulse_end_ns >= 0 && u->flights.pulse_end_ns < due_ns)
        due_ns = u->flights.pulse_end_ns;
    if (u->link.model->ask && flights_has_room(&u->flights) && u->link.ask_due_ns < due_ns)
        due_ns = u->link.ask_due_ns;
    return due_ns;
}

// Until libusb, the frame thread or a due time has something for us.
static void wait(UsbRig *u)
{
    uint64_t count;
    int64_t left_ns = next_due_ns(u) - rig_now_ns(u->rig);
    if (u->flights.is_lost && u->link.handle)
        return;
    if (left_ns < 1)
        left_ns = 1;
    struct itimerspec timer = {.it_value = {left_ns / 1000000000, left_ns % 1000000000}};
    timerfd_settime(u->timer_fd, 0, &timer, NULL);
    if (poll(u->fds, (nfds_t)u->fds_count, -1) <= 0)
        return;
    for (int i = 0; i < 2; i++)
        if (u->fds[i].revents & POLLIN && read(u->fds[i].fd, &count, sizeof count) < 0)
            continue; // both are non-blocking; there was nothing after all
}

static void handle_events(UsbRig *u)
{
    struct timeval none = {0};
    libusb_handle_events_timeout_completed(u->context, &none, NULL);
}

/* The lines to idle, as the last thing. */
static void bring_to_idle(UsbRig *u)
{
    struct timeval step = {.tv_usec = CLOSING_STEP_NS / 1000};
    for (int i = 0; i < CLOSING_ROUNDS && u->flights.count > 0 && !u->flights.is_lost; i++)
        libusb_handle_events_timeout_completed(u->context, &step, NULL);
    if (u->flights.is_lost || u->flights.count > 0)
        return;
    send_lines(u, FLIGHT_END, &(RigTrigger){-1, u->idle, u->idle});
    for (int i = 0; i < CLOSING_ROUNDS && u->flights.count > 0 && !u->flights.is_lost; i++)
        libusb_handle_events_timeout_completed(u->context, &step, NULL);
}

// Little work, but at once: above ordinary threads, below a frame loop. Without the limit it runs as it is.
static void ask_for_priority(void)
{
    const struct sched_param param = {.sched_priority = RIG_PRIORITY};
    pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
}

static void *usb_thread(void *argument)
{
    UsbRig *u = argument;
    ask_for_priority();
    // acquire: sees `idle`, written before
    while (!atomic_load_explicit(&u->is_stopping, memory_order_acquire)) {
        handle_events(u);
        if (u->link.handle && u->flights.is_lost)
            drop(u);
        if (u->link.handle)
            send_due(u);
        else
            retry(u);
        wait(u);
    }
    if (u->link.handle) {
        bring_to_idle(u);
        flights_ground(&u->flights, u->context);
        usb_disconnect(&u->link);
    }
    return NULL;
}

static bool start_usb(UsbRig *u, char *err)
{
    int code = libusb_init(&u->context);
    if (code < 0) {
        u->context = NULL;
        snprintf(err, RIG_ERR_BYTES, "rig: USB cannot be used here: %s; is there a /dev/bus/usb?",
                 libusb_strerror(code));
        return false;
    }
    // Without hotplug (no udev) a device that goes is seen by its transfers all the same.
    libusb_hotplug_register_callback(
        u->context, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, 0,
        LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, on_hotplug, u,
        NULL);
    return true;
}

static bool allocate(UsbRig *u, char *err)
{
    u->link.state = calloc(1, u->link.model->state_bytes + 1);
    u->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    u->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    bool ok = u->link.state && u->wake_fd >= 0 && u->timer_fd >= 0 &&
              ring_init(&u->triggers, sizeof(RigTrigger), TRIGGERS_WAITING) &&
              ring_init(&u->events, sizeof(RigEvent), EVENTS_WAITING) &&
              flights_init(&u->flights, &u->link);
    if (!ok)
        snprintf(err, RIG_ERR_BYTES, "rig: out of memory or files: %s", strerror(errno));
    return ok;
}

static void fill_info(Rig *rig, const UsbLink *link, const RigFound *found)
{
    snprintf(rig->info.name, sizeof rig->info.name, "%s", found->name);
    rig->info.outputs = link->model->outputs;
    rig->info.inputs = link->model->inputs;
    rig->info.has_clock = link->model->has_clock;
    rig->info.is_pulse_timed_inside = link->model->is_pulse_timed_inside;
    rig->info.pulse_us = link->pulse_us;
}

static bool open_usb(Rig *rig, char *err)
{
    UsbRig *u = rig->state;
    RigFound found;
    u->rig = rig;
    u->spec = rig->spec;
    u->wake_fd = u->timer_fd = -1;
    u->link = (UsbLink){.model = usb_model(rig->spec.device),
                        .clock = rig->clock,
                        .events = &u->events,
                        .rest = rig->idle};
    if (!allocate(u, err) || !start_usb(u, err) || !connect_link(u, &found, err))
        return false;
    usb_pin(&u->spec, &found);
    fill_info(rig, &u->link, &found);
    gather_fds(u);
    u->is_running = pthread_create(&u->thread, NULL, usb_thread, u) == 0;
    if (!u->is_running)
        snprintf(err, RIG_ERR_BYTES, "rig: cannot start its thread");
    return u->is_running;
}

static void wake(UsbRig *u)
{
    const uint64_t one = 1;
    // a full counter has woken it already
    if (write(u->wake_fd, &one, sizeof one) < 0)
        return;
}

static bool trigger(Rig *rig, const RigTrigger *trigger)
{
    UsbRig *u = rig->state;
    bool is_taken = ring_push(&u->triggers, trigger);
    wake(u);
    return is_taken;
}

static bool poll_usb(Rig *rig, RigEvent *event)
{
    UsbRig *u = rig->state;
    if (ring_pop(&u->events, event))
        return true;
    uint64_t lost = ring_lost(&u->events);
    if (lost == u->events_lost)
        return false;
    *event = (RigEvent){.kind = RIG_EVENT_LOST,
                        .host_ns = rig_now_ns(rig),
                        .count = (int64_t)(lost - u->events_lost)};
    u->events_lost = lost;
    return true;
}

static void stop_thread(UsbRig *u, uint8_t idle)
{
    u->idle = idle;
    // release: idle is there before the flag
    atomic_store_explicit(&u->is_stopping, true, memory_order_release);
    wake(u);
    pthread_join(u->thread, NULL);
    u->is_running = false;
}

static void close_usb(Rig *rig, uint8_t idle)
{
    UsbRig *u = rig->state;
    if (u->is_running)
        stop_thread(u, idle);
    if (u->link.handle) {
        flights_ground(&u->flights, u->context);
        usb_disconnect(&u->link);
    }
    flights_finish(&u->flights);
    if (u->context)
        libusb_exit(u->context);
    ring_finish(&u->events);
    ring_finish(&u->triggers);
    if (u->timer_fd >= 0)
        close(u->timer_fd);
    if (u->wake_fd >= 0)
        close(u->wake_fd);
    free(u->link.state);
}

const RigDriver rig_usb = {
    .state_bytes = sizeof(UsbRig),
    .open = open_usb,
    .trigger = trigger,
    .poll = poll_usb,
    .close = close_usb,
};
