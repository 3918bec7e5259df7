#include "rig/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "tests/fake_usb.h"
#include "tests/harness.h"

enum { TRIGGERS = 1000, ENTRIES = 8192, WAIT_MS = 5000 };

static const RigClock session = {session_now_ns, NULL};
static FakeEntry entries[ENTRIES];
static size_t entries_count;

/* What the rig said since the last look. */
typedef struct {
    int sent, failed, edges, gone, back;
    int64_t lost;
    int failures[RIG_FAILURE_FULL + 1];
    int64_t last_tag;
    bool is_in_order, is_stamped;
    RigEvent last_edge;
} Heard;

static void hear(Rig *rig, Heard *heard)
{
    RigEvent event;
    while (rig_poll(rig, &event)) {
        heard->sent += event.kind == RIG_EVENT_SENT;
        heard->failed += event.kind == RIG_EVENT_FAILED;
        heard->edges += event.kind == RIG_EVENT_EDGE;
        heard->gone += event.kind == RIG_EVENT_GONE;
        heard->back += event.kind == RIG_EVENT_BACK;
        heard->lost += event.kind == RIG_EVENT_LOST ? event.count : 0;
        if (event.kind == RIG_EVENT_EDGE)
            heard->last_edge = event;
        if (event.kind != RIG_EVENT_SENT && event.kind != RIG_EVENT_FAILED)
            continue;
        heard->failures[event.failure]++;
        heard->is_in_order &= event.tag == heard->last_tag + 1;
        heard->is_stamped &= event.submitted_ns >= -1 && event.host_ns >= event.submitted_ns;
        heard->last_tag = event.tag;
    }
}

static Heard nothing_yet(void)
{
    return (Heard){.last_tag = -1, .is_in_order = true, .is_stamped = true};
}

static void pause_ms(int64_t ms)
{
    session_sleep_until_ns(NULL, session_now_ns(NULL) + ms * 1000000);
}

/* Listens until so many triggers have met their fate; false when that takes too long. */
static bool hear_fates(Rig *rig, Heard *heard, int count)
{
    for (int ms = 0; ms < WAIT_MS; ms++) {
        hear(rig, heard);
        if (heard->sent + heard->failed >= count)
            return true;
        pause_ms(1);
    }
    return false;
}

static bool hear_until(Rig *rig, Heard *heard, const int *what, int count)
{
    for (int ms = 0; ms < WAIT_MS; ms++) {
        hear(rig, heard);
        if (*what >= count)
            return true;
        pause_ms(1);
    }
    return false;
}

static Rig *try_open(const char *text, char *err)
{
    RigSpec spec;
    err[0] = '\0';
    CU_ASSERT_FATAL(rig_spec_read(text, &spec, err));
    return rig_open(&spec, &session, err);
}

static Rig *open_rig(const char *text)
{
    char err[RIG_ERR_BYTES];
    Rig *rig = try_open(text, err);
    if (!rig)
        printf("%s\n", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rig);
    return rig;
}

// Every packet but our own questions: a status request of the firmware, a read of a LabJack.
static bool is_question(const FakeEntry *entry)
{
    return (entry->count == 1 && entry->bytes[0] == 0xff && entry->endpoint == 0x03) ||
           (entry->endpoint == 0x01 && entry->count > 7 && entry->bytes[7] == 26);
}

static void look(FakeUsb *fake, size_t from)
{
    entries_count = fake_usb_entries(fake, from, entries, ENTRIES);
    size_t kept = 0;
    for (size_t i = 0; i < entries_count; i++)
        if (!is_question(&entries[i]))
            entries[kept++] = entries[i];
    entries_count = kept;
}

static void look_until(FakeUsb *fake, size_t from, size_t count)
{
    for (int ms = 0; ms < WAIT_MS; ms++) {
        look(fake, from);
        if (entries_count >= count)
            return;
        pause_ms(1);
    }
}

/* Waits until nothing more goes out: what ends a pulse may be late. */
static void settle(FakeUsb *fake)
{
    size_t before;
    do {
        look(fake, 0);
        before = entries_count;
        pause_ms(60);
        look(fake, 0);
    } while (entries_count != before);
}

/* Waits for the pins to come to this, as far as ftdi-lines has them too. */
static bool pins_become(FakeUsb *fake, uint8_t pins)
{
    for (int ms = 0; ms < WAIT_MS && (fake_usb_pins(fake) & 0x03) != pins; ms++)
        pause_ms(1);
    return (fake_usb_pins(fake) & 0x03) == pins;
}

static bool is_entry(size_t at, int endpoint, const char *hex)
{
    char got[3 * FAKE_ENTRY_BYTES + 1] = "";
    if (at >= entries_count)
        return false;
    for (size_t i = 0; i < entries[at].count; i++)
        sprintf(got + strlen(got), i ? " %02x" : "%02x", entries[at].bytes[i]);
    if (entries[at].endpoint == endpoint && !strcmp(got, hex))
        return true;
    printf("entry %zu: endpoint %02x: %s\n", at, (unsigned)entries[at].endpoint, got);
    return false;
}

/* One device as the tests below see it. */
typedef struct {
    FakeKind kind;
    const char *spec, *name;
    int endpoint;          // that triggers go to
    const char *setup[10]; // control requests and packets of the opening, "EP hex"
    const char *pulse;     // 5a, at rest 00, of 500 µs, or 1 ms where the spec says so
    const char *end;       // of a pulse that the host times; NULL: the device does
} Device;

static const Device devices[] = {
    {FAKE_TEENSY,
     "cdc:16c0:0483",
     "USB Serial 16c0:0483 serial 1234560 at 1-1",
     0x03,
     {"00 21 20 00 00 00 00 07 00 00 c2 01 00 00 00 08", "00 21 22 03 00 00 00 00 00", "03 fe 32",
      "03 fd 00"},
     "5a",
     NULL},
    {FAKE_BOX,
     "box:1209:0001",
     "Trigger Box 1209:0001 serial B-7 at 1-1",
     0x03,
     {"00 21 20 00 00 00 00 07 00 80 25 00 00 00 00 08", "00 21 22 00 00 00 00 00 00", "03 00"},
     "5a",
     "00"},
    {FAKE_U3,
     "u3:path=1-1,pulse_us=1000",
     "U3 0cd5:0003 at 1-1",
     0x01,
     {"01 58 f8 03 0b 51 00 0d 00 44 00 00 00", "01 18 f8 04 00 1a 01 00 1b 00 ff 00 00 00 00",
      "01 1a f8 04 00 1b 02 00 1d 00 ff 00 00 ff 00"},
     "9f f8 09 00 9b 02 00 1b 00 ff 00 00 5a 00 05 08 1b 00 ff 00 00 00 00 00",
     NULL},
    {FAKE_U6,
     "u6",
     "U6 0cd5:0006 at 1-1",
     0x01,
     {"01 18 f8 04 00 1a 01 00 1b 00 ff 00 00 00 00",
      "01 1a f8 04 00 1b 02 00 1d 00 ff 00 00 ff 00"},
     "9f f8 09 00 9b 02 00 1b 00 ff 00 00 5a 00 05 08 1b 00 ff 00 00 00 00 00",
     NULL},
    {FAKE_FTDI,
     "ftdi:serial=A50285BI",
     "FT232R USB UART 0403:6001 serial A50285BI at 1-1",
     0x02,
     {"00 40 00 00 00 01 00 00 00", "00 40 00 01 00 01 00 00 00", "00 40 00 02 00 01 00 00 00",
      "00 40 09 01 00 01 00 00 00", "00 40 0b ff 01 01 00 00 00", "02 00",
      "00 c0 0c 00 00 01 00 01 00", "00 c0 05 00 00 01 00 02 00"},
     "5a",
     "00"},
    {FAKE_FTDI,
     "ftdi-lines",
     "FT232R USB UART 0403:6001 serial A50285BI at 1-1",
     0x00,
     {"00 40 00 00 00 01 00 00 00", "00 40 00 01 00 01 00 00 00", "00 40 00 02 00 01 00 00 00",
      "00 40 09 01 00 01 00 00 00", "00 40 0b 00 00 01 00 00 00", "00 40 01 03 03 01 00 00 00",
      "00 c0 05 00 00 01 00 02 00"},
     "40 01 01 03 01 00 00 00", // 5a: DTR's pin low, RTS's high
     "40 01 03 03 01 00 00 00"},
};
enum { DEVICES = sizeof devices / sizeof devices[0] };

/* Only with umockdev; every case that is not a skip runs `run` once a device. */
static void for_each_device(void (*run)(const Device *device, FakeUsb *fake))
{
    if (!fake_usb_is_possible()) {
        test_skip("not under umockdev");
        return;
    }
    for (int d = 0; d < DEVICES; d++) {
        FakeUsb *fake = fake_usb_create(devices[d].kind);
        run(&devices[d], fake);
        fake_usb_destroy(fake);
    }
}

static void check_opening(const Device *device, FakeUsb *fake)
{
    Rig *rig = open_rig(device->spec);
    CU_ASSERT_STRING_EQUAL(rig_info(rig)->name, device->name);
    CU_ASSERT(fake_usb_claimed(fake) > 0);
    CU_ASSERT_FALSE(fake_usb_has_kernel_driver(fake));
    look(fake, 0);
    for (size_t i = 0; i < 10 && device->setup[i]; i++) {
        int endpoint = (int)strtol(device->setup[i], NULL, 16);
        CU_ASSERT(is_entry(i, endpoint, device->setup[i] + 3));
    }
    rig_close(rig);
    CU_ASSERT_EQUAL(fake_usb_claimed(fake), 0);
    CU_ASSERT(fake_usb_has_kernel_driver(fake));
}

static void opening_is_byte_for_byte(void)
{
    for_each_device(check_opening);
}

static void check_pulse(const Device *device, FakeUsb *fake)
{
    Rig *rig = open_rig(device->spec);
    Heard heard = nothing_yet();
    size_t before = fake_usb_entries_count(fake);
    CU_ASSERT(rig_trigger(rig, &(RigTrigger){0, 0x5a, 0x00}));
    CU_ASSERT(hear_fates(rig, &heard, 1) && heard.sent == 1);
    look_until(fake, before, device->end ? 2 : 1);
    pause_ms(20); // for what is one too many
    look(fake, before);
    CU_ASSERT(is_entry(0, device->endpoint, device->pulse));
    if (device->end) {
        CU_ASSERT(is_entry(1, device->endpoint, device->end));
        CU_ASSERT(entries_count > 1 && entries[1].at_ns - entries[0].at_ns >= 500000);
    }
    CU_ASSERT_EQUAL(entries_count, device->end ? 2 : 1);
    rig_close(rig);
}

static void a_pulse_is_byte_for_byte(void)
{
    for_each_device(check_pulse);
}

// The lines of trigger i: never the same twice in a row, and never none.
static uint8_t lines_of(int i)
{
    return (uint8_t)(1 + i % 251);
}

// Where the port's value stands in the packet of a pulse.
static int value_of(const Device *device, const FakeEntry *entry)
{
    switch (device->endpoint) {
    case 0x01:
        return entry->bytes[12];
    case 0x00:
        return ~entry->bytes[2] & 3;
    default:
        return entry->bytes[0];
    }
}

static void check_order(const Device *device, FakeUsb *fake)
{
    Rig *rig = open_rig(device->spec);
    Heard heard = nothing_yet();
    size_t before = fake_usb_entries_count(fake);
    for (int i = 0; i < TRIGGERS; i++) {
        CU_ASSERT(rig_trigger(rig, &(RigTrigger){i, lines_of(i), 0x00}));
        // bursts of eight, so that several are under way at once
        if (i % 8 == 7)
            CU_ASSERT(hear_fates(rig, &heard, i + 1));
    }
    CU_ASSERT_EQUAL(heard.sent, TRIGGERS);
    CU_ASSERT(heard.is_in_order && heard.is_stamped);
    settle(fake);
    look(fake, before);
    int next = 0;
    for (size_t i = 0; i < entries_count && next < TRIGGERS; i++) {
        int wanted = device->endpoint ? lines_of(next) : lines_of(next) & 3;
        bool is_end = device->end && value_of(device, &entries[i]) == 0 && wanted != 0;
        if (!is_end && entries[i].endpoint == device->endpoint)
            next += value_of(device, &entries[i]) == wanted ? 1 : TRIGGERS * 2;
    }
    CU_ASSERT_EQUAL(next, TRIGGERS);
    rig_close(rig);
}

static void a_thousand_triggers_arrive_in_order(void)
{
    for_each_device(check_order);
}

static void check_end(const Device *device, FakeUsb *fake)
{
    Rig *rig = open_rig(device->spec);
    Heard heard = nothing_yet();
    rig_trigger(rig, &(RigTrigger){0, 0x02, 0x02});
    CU_ASSERT(hear_fates(rig, &heard, 1));
    CU_ASSERT(pins_become(fake, 0x02));
    rig_trigger(rig, &(RigTrigger){1, 0x03, 0x02});
    rig_close(rig); // with a pulse under way
    CU_ASSERT_EQUAL(fake_usb_pins(fake) & 0x03, 0x00);
}

static void all_lines_are_low_at_the_end(void)
{
    for_each_device(check_end);
}

static int send_some(Rig *rig, Heard *heard, int first, int count)
{
    int before = heard->sent;
    for (int i = 0; i < count; i++)
        rig_trigger(rig, &(RigTrigger){first + i, lines_of(i), 0x00});
    CU_ASSERT(hear_fates(rig, heard, first + count));
    return heard->sent - before;
}

static void check_faults(const Device *device, FakeUsb *fake)
{
    Rig *rig = open_rig(device->spec);
    Heard heard = nothing_yet();
    fake_usb_faults(fake, (FakeFaults){.delay_us = 3000});
    CU_ASSERT_EQUAL(send_some(rig, &heard, 0, 4), 4);
    settle(fake);
    fake_usb_faults(fake, (FakeFaults){.stalls = 1});
    CU_ASSERT_EQUAL(send_some(rig, &heard, 4, 1), 0);
    CU_ASSERT_EQUAL(heard.failures[RIG_FAILURE_STALL], 1);
    settle(fake);
    if (device->endpoint == 0) { // a control request has no data to cut short or hold back
        CU_ASSERT_EQUAL(send_some(rig, &heard, 5, 20), 20);
        rig_close(rig);
        return;
    }
    fake_usb_faults(fake, (FakeFaults){.shorts = 1});
    CU_ASSERT_EQUAL(send_some(rig, &heard, 5, 1), 0);
    CU_ASSERT_EQUAL(heard.failures[RIG_FAILURE_SHORT], 1);
    settle(fake);
    fake_usb_faults(fake, (FakeFaults){.is_held = true});
    CU_ASSERT_EQUAL(send_some(rig, &heard, 6, 1), 0);
    CU_ASSERT_EQUAL(heard.failures[RIG_FAILURE_TIMEOUT], 1);
    fake_usb_faults(fake, (FakeFaults){0});
    pause_ms(300); // until what was held has timed out too
    settle(fake);
    CU_ASSERT_EQUAL(send_some(rig, &heard, 7, 20), 20); // as if nothing had been
    CU_ASSERT(heard.is_in_order && heard.gone == 0);
    rig_close(rig);
}

static void check_lost_end(const Device *device, FakeUsb *fake)
{
    if (!device->end || device->endpoint == 0)
        return;
    char spec[64];
    snprintf(spec, sizeof spec, "%s,pulse_us=2550", device->spec);
    Rig *rig = open_rig(spec);
    Heard heard = nothing_yet();
    CU_ASSERT_EQUAL(send_some(rig, &heard, 0, 1), 1);
    fake_usb_faults(fake, (FakeFaults){.stalls = 1}); // meant for the end, 2.55 ms after the pulse
    CU_ASSERT(pins_become(fake, 0x00));
    rig_close(rig);
}

static void check_lost_level(const Device *device, FakeUsb *fake)
{
    Rig *rig = open_rig(device->spec);
    Heard heard = nothing_yet();
    fake_usb_faults(fake, (FakeFaults){.stalls = 1});
    rig_trigger(rig, &(RigTrigger){0, 0x02, 0x02}); // never gets there
    CU_ASSERT(hear_fates(rig, &heard, 1) && heard.failed == 1);
    pause_ms(20);
    rig_trigger(rig, &(RigTrigger){1, 0x03, 0x02});
    CU_ASSERT(hear_fates(rig, &heard, 2) && heard.sent == 1);
    CU_ASSERT(pins_become(fake, 0x02));
    rig_close(rig);
}

static void a_level_that_was_lost_comes_with_the_next_trigger(void)
{
    for_each_device(check_lost_level);
}

static void a_pulse_ends_even_if_its_end_is_refused(void)
{
    for_each_device(check_lost_end);
}

static void faults_are_told_and_survived(void)
{
    for_each_device(check_faults);
}

static void check_unplug(const Device *device, FakeUsb *fake)
{
    Rig *rig = open_rig(device->spec);
    Heard heard = nothing_yet();
    CU_ASSERT_EQUAL(send_some(rig, &heard, 0, 3), 3);
    fake_usb_faults(fake, (FakeFaults){.is_held = true});
    for (int i = 3; i < 7; i++)
        rig_trigger(rig, &(RigTrigger){i, 0x01, 0x00});
    // a control request is taken before the plug is out
    CU_ASSERT(device->endpoint || hear_fates(rig, &heard, 7));
    pause_ms(5);
    fake_usb_unplug(fake); // with transfers in flight
    CU_ASSERT(hear_until(rig, &heard, &heard.gone, 1));
    CU_ASSERT_EQUAL(send_some(rig, &heard, 7, 2), 0);
    CU_ASSERT_EQUAL(heard.failures[RIG_FAILURE_GONE], device->endpoint ? 6 : 2);
    fake_usb_faults(fake, (FakeFaults){0});
    fake_usb_plug(fake);
    CU_ASSERT(hear_until(rig, &heard, &heard.back, 1));
    CU_ASSERT_EQUAL(send_some(rig, &heard, 9, 10), 10);
    CU_ASSERT(heard.is_in_order && heard.gone == 1);
    rig_close(rig);
}

static void unplugged_and_plugged_in_again(void)
{
    for_each_device(check_unplug);
}

static void check_dying(const Device *device, FakeUsb *fake)
{
    Rig *rig = open_rig(device->spec);
    Heard heard = nothing_yet();
    rig_trigger(rig, &(RigTrigger){0, 0x02, 0x02}); // the line of the run
    CU_ASSERT(hear_fates(rig, &heard, 1));
    // a real kernel says ERROR before it says NO_DEVICE, and takes submissions between
    fake_usb_faults(fake, (FakeFaults){.is_dying = true});
    rig_trigger(rig, &(RigTrigger){1, 0x03, 0x02});
    CU_ASSERT(hear_fates(rig, &heard, 2) && heard.failures[RIG_FAILURE_GONE] == 1);
    CU_ASSERT(hear_until(rig, &heard, &heard.gone, 1));
    pause_ms(20);
    fake_usb_unplug(fake);
    fake_usb_faults(fake, (FakeFaults){0});
    fake_usb_plug(fake);
    CU_ASSERT(hear_until(rig, &heard, &heard.back, 1));
    CU_ASSERT(pins_become(fake, 0x02)); // high again without being told
    rig_close(rig);
}

static void a_dying_bus_is_an_unplugged_device(void)
{
    for_each_device(check_dying);
}

static void check_gone_at_close(const Device *device, FakeUsb *fake)
{
    Rig *rig = open_rig(device->spec);
    fake_usb_unplug(fake);
    rig_close(rig); // comes back, whatever the thread was about
}

static void a_rig_closes_without_its_device(void)
{
    for_each_device(check_gone_at_close);
}

static void no_device_gives_advice(void)
{
    if (!fake_usb_is_possible()) {
        test_skip("not under umockdev");
        return;
    }
    char err[RIG_ERR_BYTES];
    FakeUsb *fake = fake_usb_create(FAKE_FTDI);
    CU_ASSERT_PTR_NULL(try_open("u3", err));
    CU_ASSERT_STRING_EQUAL(err, "rig: no u3 is connected; `retrace rig list` says what is");
    CU_ASSERT_PTR_NULL(try_open("ftdi:serial=nothing", err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "serial nothing"));
    CU_ASSERT_PTR_NULL(try_open("ftdi:path=1-2", err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "at 1-2"));
    CU_ASSERT_PTR_NULL(try_open("box", err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "named by VID:PID"));
    CU_ASSERT_PTR_NULL(try_open("cdc:0403:6001", err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "no CDC serial port"));
    fake_usb_destroy(fake);
}

static void firmware_that_does_not_answer_is_refused(void)
{
    if (!fake_usb_is_possible()) {
        test_skip("not under umockdev");
        return;
    }
    char err[RIG_ERR_BYTES];
    FakeUsb *fake = fake_usb_create(FAKE_BOX); // takes every byte, says nothing
    CU_ASSERT_PTR_NULL(try_open("cdc:1209:0001", err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "retrace_trigger.ino"));
    CU_ASSERT_EQUAL(fake_usb_claimed(fake), 0);
    fake_usb_destroy(fake);
}

static void what_is_plugged_in_is_listed(void)
{
    if (!fake_usb_is_possible()) {
        test_skip("not under umockdev");
        return;
    }
    char err[RIG_ERR_BYTES];
    RigFound found[4];
    FakeUsb *fake = fake_usb_create(FAKE_TEENSY);
    CU_ASSERT_EQUAL_FATAL(rig_list(found, 4, err), 1);
    CU_ASSERT_STRING_EQUAL(found[0].device, "cdc");
    CU_ASSERT_STRING_EQUAL(found[0].serial, "1234560");
    CU_ASSERT_STRING_EQUAL(found[0].path, "1-1");
    CU_ASSERT(found[0].vid == 0x16c0 && found[0].pid == 0x0483);
    CU_ASSERT_STRING_EQUAL(found[0].problem, "");
    fake_usb_unplug(fake);
    CU_ASSERT_EQUAL(rig_list(found, 4, err), 0);
    fake_usb_destroy(fake);
}

static void edges_of_a_microcontroller_carry_its_time(void)
{
    if (!fake_usb_is_possible()) {
        test_skip("not under umockdev");
        return;
    }
    FakeUsb *fake = fake_usb_create(FAKE_TEENSY);
    fake_usb_drift(fake, 80);
    Rig *rig = open_rig("cdc");
    Heard heard = nothing_yet();
    pause_ms(2500); // a few questions about its time
    for (int i = 0; i < 50; i++) {
        int64_t before_ns = session_now_ns(NULL);
        fake_usb_set_input(fake, 3, i % 2 == 0);
        int64_t after_ns = session_now_ns(NULL);
        CU_ASSERT(hear_until(rig, &heard, &heard.edges, i + 1));
        const RigEvent *edge = &heard.last_edge;
        CU_ASSERT(edge->line == 3 && edge->bits == (i % 2 == 0 ? 8 : 0));
        CU_ASSERT(edge->device_ns >= 0 && edge->error_ns > 0);
        CU_ASSERT(edge->session_ns >= before_ns - edge->error_ns - 2000 &&
                  edge->session_ns <= after_ns + edge->error_ns + 2000);
    }
    CU_ASSERT_EQUAL(heard.lost, 0);
    rig_close(rig);
    fake_usb_destroy(fake);
}

static void babble_and_stalled_reads_are_losses(void)
{
    if (!fake_usb_is_possible()) {
        test_skip("not under umockdev");
        return;
    }
    FakeUsb *fake = fake_usb_create(FAKE_TEENSY);
    Rig *rig = open_rig("cdc");
    Heard heard = nothing_yet();
    pause_ms(50);
    fake_usb_faults(fake, (FakeFaults){.babbles = 1});
    fake_usb_set_input(fake, 0, true);
    fake_usb_set_input(fake, 1, true);
    CU_ASSERT(hear_until(rig, &heard, &heard.edges, 1));
    CU_ASSERT_EQUAL(heard.last_edge.line, 1);
    CU_ASSERT(heard.lost >= 1);
    int64_t lost = heard.lost;
    fake_usb_faults(fake, (FakeFaults){.in_stalls = 1});
    pause_ms(20);
    fake_usb_set_input(fake, 1, false);
    CU_ASSERT(hear_until(rig, &heard, &heard.edges, 2));
    CU_ASSERT(heard.lost > lost && heard.gone == 0);
    rig_close(rig);
    fake_usb_destroy(fake);
}

static void a_labjack_counts_what_is_shorter_than_its_polls(void)
{
    if (!fake_usb_is_possible()) {
        test_skip("not under umockdev");
        return;
    }
    FakeUsb *fake = fake_usb_create(FAKE_U3);
    Rig *rig = open_rig("u3");
    Heard heard = nothing_yet();
    pause_ms(50);
    for (int i = 0; i < 20; i++) {
        fake_usb_set_input(fake, 0, true);
        fake_usb_set_input(fake, 0, false);
    }
    fake_usb_set_input(fake, 2, true);
    CU_ASSERT(hear_until(rig, &heard, &heard.edges, 41));
    CU_ASSERT(heard.last_edge.line == 2 && heard.last_edge.bits == 0x04);
    rig_close(rig);
    fake_usb_destroy(fake);
}

static void a_labjack_that_refuses_or_stays_mute_has_not_triggered(void)
{
    if (!fake_usb_is_possible()) {
        test_skip("not under umockdev");
        return;
    }
    FakeUsb *fake = fake_usb_create(FAKE_U6);
    Rig *rig = open_rig("u6");
    Heard heard = nothing_yet();
    CU_ASSERT_EQUAL(send_some(rig, &heard, 0, 2), 2);
    fake_usb_faults(fake, (FakeFaults){.refusals = 1000});
    CU_ASSERT_EQUAL(send_some(rig, &heard, 2, 1), 0);
    CU_ASSERT_EQUAL(heard.failures[RIG_FAILURE_REFUSED], 1);
    fake_usb_faults(fake, (FakeFaults){.is_mute = true});
    CU_ASSERT_EQUAL(send_some(rig, &heard, 3, 1), 0);
    fake_usb_faults(fake, (FakeFaults){0});
    CU_ASSERT(hear_until(rig, &heard, &heard.back, 1));
    CU_ASSERT_EQUAL(send_some(rig, &heard, 4, 5), 5);
    rig_close(rig);
    fake_usb_destroy(fake);
}

static void modem_lines_are_inputs(void)
{
    if (!fake_usb_is_possible()) {
        test_skip("not under umockdev");
        return;
    }
    FakeUsb *fake = fake_usb_create(FAKE_FTDI);
    Rig *rig = open_rig("ftdi");
    Heard heard = nothing_yet();
    for (int i = 0; i < 10; i++) {
        fake_usb_set_input(fake, 1, i % 2 == 0);
        CU_ASSERT(hear_until(rig, &heard, &heard.edges, i + 1));
        CU_ASSERT(heard.last_edge.line == 1 && heard.last_edge.bits == (i % 2 == 0 ? 2 : 0));
    }
    rig_close(rig);
    fake_usb_destroy(fake);
}

static const TestCase cases[] = {
    {"every device is set up byte for byte, and its kernel driver given back",
     opening_is_byte_for_byte},
    {"a pulse is the packet of the vectors, and ends no sooner than asked",
     a_pulse_is_byte_for_byte},
    {"a thousand triggers arrive, in order", a_thousand_triggers_arrive_in_order},
    {"all lines are low at the end", all_lines_are_low_at_the_end},
    {"delay, stall, short write and timeout are told and survived", faults_are_told_and_survived},
    {"a level that was lost comes with the next trigger",
     a_level_that_was_lost_comes_with_the_next_trigger},
    {"a pulse ends even if its end is refused once", a_pulse_ends_even_if_its_end_is_refused},
    {"a device is unplugged with transfers in flight and plugged in again",
     unplugged_and_plugged_in_again},
    {"a bus that dies before the device goes comes to the same",
     a_dying_bus_is_an_unplugged_device},
    {"a rig closes without its device", a_rig_closes_without_its_device},
    {"a device that is not there is named, with advice", no_device_gives_advice},
    {"firmware that does not answer is refused", firmware_that_does_not_answer_is_refused},
    {"what is plugged in is listed", what_is_plugged_in_is_listed},
    {"edges of a microcontroller carry its time, on the session clock",
     edges_of_a_microcontroller_carry_its_time},
    {"babble and stalled reads are losses, not the end", babble_and_stalled_reads_are_losses},
    {"a LabJack counts pulses shorter than its polls",
     a_labjack_counts_what_is_shorter_than_its_polls},
    {"a LabJack that refuses or stays mute has not triggered",
     a_labjack_that_refuses_or_stays_mute_has_not_triggered},
    {"modem lines are inputs", modem_lines_are_inputs},
};

int main(void)
{
    return test_main("usb_rig", cases, sizeof cases / sizeof cases[0]);
}
