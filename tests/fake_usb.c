#include "tests/fake_usb.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/usbdevice_fs.h>
#include <umockdev.h>

#include "tests/fake_device.h"

enum { ENTRIES = 65536, URBS = 64, DESCRIPTION_BYTES = 4096 };
#define NODE "/dev/bus/usb/001/002"
#define HUB  "/devices/pci0000:00/0000:00:14.0/usb1"

typedef struct {
    UMockdevIoctlData *urb, *buffer; // owned references
    int64_t at_ns, due_ns;
    int status;
    size_t entry; // of a packet out
} Urb;

typedef struct {
    Urb urbs[URBS];
    int count;
} UrbList;

typedef struct {
    UMockdevIoctlBase parent;
    FakeUsb *_Atomic fake; // for umockdev's thread
} Handler;
typedef struct {
    UMockdevIoctlBaseClass parent;
} HandlerClass;

struct FakeUsb {
    UMockdevTestbed *testbed; // owned
    Handler *handler;         // owned
    bool is_attached;
    pthread_mutex_t lock;  // guards everything below
    GMainContext *context; // of umockdev's thread, from its first call on
    UrbList pending, done;
    FakeEntry *entries; // owned, ENTRIES
    size_t entries_count;
    FakeDevice device;
    FakeFaults faults;
    bool is_plugged, has_kernel_driver;
    int claimed;
    int ready_fd; // the device node: a pipe of one slot, empty when there is something to reap
    bool is_ready;
};

static GType handler_get_type(void);
G_DEFINE_TYPE(Handler, handler, UMOCKDEV_TYPE_IOCTL_BASE)

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct usbdevfs_urb *raw(const Urb *urb)
{
    return (struct usbdevfs_urb *)(void *)urb->urb->data;
}

static bool is_in(const Urb *urb)
{
    return raw(urb)->endpoint & 0x80;
}

static void drop(Urb *urb)
{
    g_clear_object(&urb->urb);
    g_clear_object(&urb->buffer);
}

static void append(UrbList *list, const Urb *urb)
{
    if (list->count == URBS)
        g_error("fake_usb: more than %d transfers", URBS);
    list->urbs[list->count++] = *urb;
}

static Urb take(UrbList *list, int place)
{
    Urb urb = list->urbs[place];
    list->count--;
    memmove(&list->urbs[place], &list->urbs[place + 1],
            (size_t)(list->count - place) * sizeof list->urbs[0]);
    return urb;
}

// poll() on the node says POLLOUT when there is something to reap, as usbdevfs does.
static void show_readiness(FakeUsb *fake)
{
    bool is_ready = fake->done.count > 0 || !fake->is_plugged;
    char byte = 0;
    if (is_ready == fake->is_ready || fake->ready_fd < 0)
        return;
    fake->is_ready = is_ready;
    ssize_t moved = is_ready ? read(fake->ready_fd, &byte, 1) : write(fake->ready_fd, &byte, 1);
    if (moved != 1)
        g_error("fake_usb: the node's pipe: %s", strerror(errno));
}

static void complete(FakeUsb *fake, int place, int status, int actual)
{
    Urb urb = take(&fake->pending, place);
    raw(&urb)->status = status;
    raw(&urb)->actual_length = actual;
    append(&fake->done, &urb);
}

static gboolean on_timer(gpointer fake);

static void arm(FakeUsb *fake, int64_t due_ns)
{
    if (!fake->context)
        return;
    GSource *source = g_timeout_source_new(0);
    int64_t left_us = (due_ns - now_ns()) / 1000 + 1;
    g_source_set_ready_time(source, g_get_monotonic_time() + (left_us > 0 ? left_us : 0));
    g_source_set_callback(source, on_timer, fake, NULL);
    g_source_attach(source, fake->context);
    g_source_unref(source);
}

// Transfers are touched on umockdev's thread alone, which copies them to and fro outside our lock.
static void poke(FakeUsb *fake)
{
    arm(fake, now_ns());
}

static bool try_out(FakeUsb *fake, int place, int64_t at_ns)
{
    Urb *urb = &fake->pending.urbs[place];
    int length = raw(urb)->buffer_length;
    if (fake->faults.is_held || urb->due_ns > at_ns)
        return false;
    FakeEntry *entry = &fake->entries[urb->entry];
    bool is_spared = fake_device_is_asked(&fake->device, entry->bytes, entry->count);
    bool is_stalled = !is_spared && fake->faults.stalls > 0;
    bool is_short = !is_spared && !is_stalled && fake->faults.shorts > 0;
    fake->faults.stalls -= is_stalled;
    fake->faults.shorts -= is_short;
    entry->is_failed = is_stalled || is_short;
    if (!entry->is_failed && !fake->faults.is_mute)
        fake_device_take(&fake->device, urb->buffer->data, (size_t)length, at_ns);
    complete(fake, place, is_stalled ? -EPIPE : 0, is_stalled ? 0 : is_short ? length / 2 : length);
    return true;
}

// Every packet of an FTDI chip has its status in front, and comes without data once a latency period.
static bool try_ftdi_in(FakeUsb *fake, int place, int64_t at_ns)
{
    Urb *urb = &fake->pending.urbs[place];
    uint8_t setup[8] = {0xc0, 0x05};
    if (urb->at_ns + fake->device.latency_ms * 1000000 > at_ns)
        return false;
    fake_device_request(&fake->device, setup, urb->buffer->data, 2, at_ns);
    complete(fake, place, 0, 2);
    // the next packet is a period later than this one, however many are waiting
    for (int i = 0; i < fake->pending.count; i++)
        if (is_in(&fake->pending.urbs[i]))
            fake->pending.urbs[i].at_ns = at_ns;
    arm(fake, at_ns + fake->device.latency_ms * 1000000);
    return true;
}

static bool try_in(FakeUsb *fake, int place, int64_t at_ns)
{
    FakeDevice *device = &fake->device;
    if (fake->faults.in_stalls > 0) {
        fake->faults.in_stalls--;
        complete(fake, place, -EPIPE, 0);
        return true;
    }
    if (device->kind == FAKE_FTDI)
        return try_ftdi_in(fake, place, at_ns);
    const FakeAnswer *answer = &device->answers[device->first];
    if (device->count == 0)
        return false;
    if (answer->due_ns > at_ns) {
        arm(fake, answer->due_ns);
        return false;
    }
    device->first = (device->first + 1) % FAKE_ANSWERS;
    device->count--;
    if (fake->faults.babbles > 0) {
        fake->faults.babbles--;
        complete(fake, place, -EOVERFLOW, 0);
        return true;
    }
    memcpy(fake->pending.urbs[place].buffer->data, answer->bytes, answer->count);
    complete(fake, place, 0, (int)answer->count);
    return true;
}

static bool try_urb(FakeUsb *fake, int place, int64_t at_ns)
{
    if (!fake->is_plugged || fake->faults.is_dying) {
        complete(fake, place, fake->is_plugged ? -EPROTO : -ESHUTDOWN, 0);
        return true;
    }
    return is_in(&fake->pending.urbs[place]) ? try_in(fake, place, at_ns)
                                             : try_out(fake, place, at_ns);
}

/* Lets the device do what it can, transfers of each endpoint in order. */
static void step(FakeUsb *fake)
{
    bool has_moved = true;
    while (has_moved) {
        bool is_blocked[2] = {false, false};
        has_moved = false;
        for (int place = 0; place < fake->pending.count && !has_moved; place++) {
            bool *blocked = &is_blocked[is_in(&fake->pending.urbs[place])];
            if (!*blocked)
                has_moved = try_urb(fake, place, now_ns());
            *blocked = true;
        }
    }
    show_readiness(fake);
}

static gboolean on_timer(gpointer argument)
{
    FakeUsb *fake = argument;
    pthread_mutex_lock(&fake->lock);
    step(fake);
    pthread_mutex_unlock(&fake->lock);
    return G_SOURCE_REMOVE;
}

static size_t log_entry(FakeUsb *fake, int endpoint, const uint8_t *bytes, size_t count)
{
    size_t at = fake->entries_count < ENTRIES - 1 ? fake->entries_count++ : ENTRIES - 1;
    FakeEntry *entry = &fake->entries[at];
    *entry = (FakeEntry){.at_ns = now_ns(), .endpoint = endpoint};
    entry->count = count < FAKE_ENTRY_BYTES ? count : FAKE_ENTRY_BYTES;
    memcpy(entry->bytes, bytes, entry->count);
    return at;
}

static void submit_control(FakeUsb *fake, Urb *urb)
{
    uint8_t *setup = urb->buffer->data;
    size_t room = (size_t)raw(urb)->buffer_length - 8;
    bool is_text = setup[0] == 0x80;
    size_t data = setup[0] & 0x80 ? 0 : room;
    bool is_stalled = !is_text && fake->faults.stalls > 0;
    if (!is_text)
        log_entry(fake, 0, setup, 8 + data);
    fake->faults.stalls -= is_stalled;
    int done = fake->faults.is_dying || is_stalled
                   ? -1
                   : fake_device_request(&fake->device, setup, setup + 8, room, now_ns());
    raw(urb)->status = fake->faults.is_dying ? -EPROTO : done < 0 ? -EPIPE : 0;
    raw(urb)->actual_length = done < 0 ? 0 : done;
    append(&fake->done, urb);
}

static int submit(FakeUsb *fake, UMockdevIoctlData *argument)
{
    Urb urb = {.at_ns = now_ns()};
    UMockdevIoctlData *data =
        umockdev_ioctl_data_resolve(argument, 0, sizeof(struct usbdevfs_urb), NULL);
    urb.urb = g_object_ref(data);
    UMockdevIoctlData *buffer = umockdev_ioctl_data_resolve(
        data, G_STRUCT_OFFSET(struct usbdevfs_urb, buffer), (gsize)raw(&urb)->buffer_length, NULL);
    urb.buffer = buffer ? g_object_ref(buffer) : NULL;
    if (raw(&urb)->type == USBDEVFS_URB_TYPE_CONTROL) {
        submit_control(fake, &urb);
    } else if (raw(&urb)->type != USBDEVFS_URB_TYPE_BULK || !fake->claimed) {
        drop(&urb);
        return -EINVAL;
    } else {
        if (!is_in(&urb)) {
            urb.due_ns = urb.at_ns + fake->faults.delay_us * 1000;
            urb.entry = log_entry(fake, raw(&urb)->endpoint, urb.buffer->data,
                                  (size_t)raw(&urb)->buffer_length);
            if (fake->faults.delay_us > 0)
                arm(fake, urb.due_ns);
        } else if (fake->device.kind == FAKE_FTDI) {
            arm(fake, urb.at_ns + fake->device.latency_ms * 1000000);
        }
        append(&fake->pending, &urb);
    }
    step(fake);
    return 0;
}

static int discard(FakeUsb *fake, const UMockdevIoctlData *argument)
{
    gulong address = *(const gulong *)(const void *)argument->data;
    for (int i = 0; i < fake->pending.count; i++)
        if (fake->pending.urbs[i].urb->client_addr == address) {
            Urb *urb = &fake->pending.urbs[i];
            if (!is_in(urb))
                fake->entries[urb->entry].is_failed = true;
            complete(fake, i, -ENOENT, 0);
            show_readiness(fake);
            return 0;
        }
    return -EINVAL;
}

static int reap(FakeUsb *fake, UMockdevIoctlData *argument)
{
    if (fake->done.count == 0)
        return fake->is_plugged ? -EAGAIN : -ENODEV;
    Urb urb = take(&fake->done, 0);
    UMockdevIoctlData *pointer = umockdev_ioctl_data_resolve(argument, 0, sizeof(void *), NULL);
    umockdev_ioctl_data_set_ptr(pointer, 0, urb.urb);
    drop(&urb);
    show_readiness(fake);
    return 0;
}

// Detach and attach come wrapped.
static int driver_ioctl(FakeUsb *fake, UMockdevIoctlData *argument)
{
    UMockdevIoctlData *data =
        umockdev_ioctl_data_resolve(argument, 0, sizeof(struct usbdevfs_ioctl), NULL);
    unsigned code = (unsigned)((struct usbdevfs_ioctl *)(void *)data->data)->ioctl_code;
    if (code == (unsigned)USBDEVFS_CONNECT)
        fake->has_kernel_driver = true;
    else if (code == (unsigned)USBDEVFS_DISCONNECT)
        fake->has_kernel_driver = false;
    return 0;
}

static int answer_ioctl(FakeUsb *fake, gulong request, UMockdevIoctlData *argument)
{
    bool works_unplugged = request == USBDEVFS_REAPURBNDELAY || request == USBDEVFS_DISCARDURB ||
                           request == USBDEVFS_RELEASEINTERFACE;
    if (!fake->is_plugged && !works_unplugged)
        return -ENODEV;
    switch (request) {
    case USBDEVFS_GET_CAPABILITIES: {
        UMockdevIoctlData *data = umockdev_ioctl_data_resolve(argument, 0, sizeof(guint32), NULL);
        *(guint32 *)(void *)data->data = USBDEVFS_CAP_ZERO_PACKET |
                                         USBDEVFS_CAP_NO_PACKET_SIZE_LIM |
                                         USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
        return 0;
    }
    case USBDEVFS_DISCONNECT_CLAIM:
        fake->has_kernel_driver = false;
        fake->claimed++;
        return 0;
    case USBDEVFS_CLAIMINTERFACE:
        fake->claimed++;
        return 0;
    case USBDEVFS_RELEASEINTERFACE:
        fake->claimed--;
        return 0;
    case USBDEVFS_GETDRIVER:
        return -ENODATA;
    case USBDEVFS_IOCTL:
        return driver_ioctl(fake, argument);
    case USBDEVFS_CLEAR_HALT:
    case USBDEVFS_RESETEP:
    case USBDEVFS_RESET:
    case USBDEVFS_SETCONFIGURATION:
    case USBDEVFS_SETINTERFACE:
        return 0;
    case USBDEVFS_SUBMITURB:
        return submit(fake, argument);
    case USBDEVFS_DISCARDURB:
        return discard(fake, argument);
    case USBDEVFS_REAPURBNDELAY:
        return reap(fake, argument);
    default:
        return -ENOTTY;
    }
}

static gboolean handle_ioctl(UMockdevIoctlBase *base, UMockdevIoctlClient *client)
{
    FakeUsb *fake = atomic_load(&((Handler *)(void *)base)->fake);
    pthread_mutex_lock(&fake->lock);
    if (!fake->context)
        fake->context = g_main_context_ref_thread_default();
    int result = answer_ioctl(fake, umockdev_ioctl_client_get_request(client),
                              umockdev_ioctl_client_get_arg(client));
    pthread_mutex_unlock(&fake->lock);
    umockdev_ioctl_client_complete(client, result < 0 ? -1 : result, result < 0 ? -result : 0);
    return TRUE;
}

static void handler_class_init(HandlerClass *class)
{
    UMOCKDEV_IOCTL_BASE_CLASS(class)->handle_ioctl = handle_ioctl;
}

static void handler_init(Handler *handler)
{
    atomic_store(&handler->fake, NULL);
}

// ---- what /sys and /dev show

static void describe(char *text, const FakeDeviceAbout *about)
{
    snprintf(text, DESCRIPTION_BYTES,
             "P: " HUB "/1-1\nN: bus/usb/001/002\nE: DEVNAME=" NODE
             "\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nE: BUSNUM=001\nE: DEVNUM=002\n"
             "E: PRODUCT=%x/%x/100\nA: busnum=1\\n\nA: devnum=2\\n\nA: speed=12\\n\n"
             "A: bConfigurationValue=1\\n\nA: idVendor=%04x\\n\nA: idProduct=%04x\\n\n"
             "H: descriptors=%s\n",
             about->vid, about->pid, about->vid, about->pid, about->descriptors);
}

static void add_node(FakeUsb *fake, const char *description)
{
    GError *error = NULL;
    if (!umockdev_testbed_add_from_string(fake->testbed, description, &error))
        g_error("fake_usb: %s", error->message);
}

static char *node_path(FakeUsb *fake)
{
    char *root = umockdev_testbed_get_root_dir(fake->testbed);
    char *path = g_strconcat(root, NODE, NULL);
    g_free(root);
    return path;
}

static void make_pipe(FakeUsb *fake)
{
    char *path = node_path(fake);
    if (fake->ready_fd >= 0)
        close(fake->ready_fd);
    unlink(path);
    if (mkfifo(path, 0666) != 0)
        g_error("fake_usb: %s: %s", path, strerror(errno));
    fake->ready_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    fcntl(fake->ready_fd, 1031 /* F_SETPIPE_SZ, a GNU name */, 4096);
    fake->is_ready = true;
    g_free(path);
}

void fake_usb_plug(FakeUsb *fake)
{
    char description[DESCRIPTION_BYTES];
    GError *error = NULL;
    describe(description, fake_device_about(fake->device.kind));
    add_node(fake, description);
    pthread_mutex_lock(&fake->lock);
    make_pipe(fake);
    fake_device_reset(&fake->device, now_ns());
    fake->is_plugged = true;
    show_readiness(fake);
    fake->has_kernel_driver = true;
    fake->claimed = 0;
    pthread_mutex_unlock(&fake->lock);
    // stays attached while unplugged: a program that opens a node without a handler is aborted
    if (!fake->is_attached && !umockdev_testbed_attach_ioctl(
                                  fake->testbed, NODE, UMOCKDEV_IOCTL_BASE(fake->handler), &error))
        g_error("fake_usb: %s", error->message);
    fake->is_attached = true;
    umockdev_testbed_uevent(fake->testbed, "/sys" HUB "/1-1", "add");
}

void fake_usb_unplug(FakeUsb *fake)
{
    pthread_mutex_lock(&fake->lock);
    fake->is_plugged = false;
    poke(fake);
    pthread_mutex_unlock(&fake->lock);
    umockdev_testbed_uevent(fake->testbed, "/sys" HUB "/1-1", "remove");
    umockdev_testbed_remove_device(fake->testbed, "/sys" HUB "/1-1");
}

bool fake_usb_is_possible(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "libumockdev-preload");
}

FakeUsb *fake_usb_create(FakeKind kind)
{
    FakeUsb *fake = calloc(1, sizeof *fake);
    fake->entries = calloc(ENTRIES, sizeof *fake->entries);
    fake->ready_fd = -1;
    fake->device.kind = kind;
    pthread_mutex_init(&fake->lock, NULL);
    fake->testbed = umockdev_testbed_new();
    fake->handler = g_object_new(handler_get_type(), NULL);
    atomic_store(&fake->handler->fake, fake);
    add_node(fake,
             "P: " HUB "\nN: bus/usb/001/001\nE: DEVNAME=/dev/bus/usb/001/001\n"
             "E: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nE: BUSNUM=001\nE: DEVNUM=001\n"
             "A: busnum=1\\n\nA: devnum=1\\n\nA: speed=480\\n\nA: bConfigurationValue=1\\n\n"
             "A: idVendor=1d6b\\n\nA: idProduct=0002\\n\nA: maxchild=4\\n\n"
             "H: descriptors=12010002090001406b1d020000060302010109021900010100e000090400000109000"
             "0000705810304000c\n");
    fake_usb_plug(fake);
    return fake;
}

void fake_usb_destroy(FakeUsb *fake)
{
    if (fake->is_plugged)
        fake_usb_unplug(fake);
    umockdev_testbed_detach_ioctl(fake->testbed, NODE, NULL);
    g_object_unref(fake->testbed); // ends umockdev's thread, and with it our timers
    g_object_unref(fake->handler);
    pthread_mutex_lock(&fake->lock);
    for (int i = 0; i < fake->pending.count; i++)
        drop(&fake->pending.urbs[i]);
    for (int i = 0; i < fake->done.count; i++)
        drop(&fake->done.urbs[i]);
    if (fake->context)
        g_main_context_unref(fake->context);
    close(fake->ready_fd);
    pthread_mutex_unlock(&fake->lock);
    pthread_mutex_destroy(&fake->lock);
    free(fake->entries);
    free(fake);
}

void fake_usb_faults(FakeUsb *fake, FakeFaults faults)
{
    pthread_mutex_lock(&fake->lock);
    fake->faults = faults;
    fake->device.refusals = faults.refusals;
    poke(fake);
    pthread_mutex_unlock(&fake->lock);
}

void fake_usb_wire(FakeUsb *fake, bool is_wired)
{
    pthread_mutex_lock(&fake->lock);
    fake->device.is_wired = is_wired;
    pthread_mutex_unlock(&fake->lock);
}

void fake_usb_set_input(FakeUsb *fake, int line, bool is_high)
{
    pthread_mutex_lock(&fake->lock);
    fake_device_input(&fake->device, line, is_high, now_ns());
    poke(fake);
    pthread_mutex_unlock(&fake->lock);
}

void fake_usb_drift(FakeUsb *fake, double ppm)
{
    pthread_mutex_lock(&fake->lock);
    fake->device.drift_ppm = ppm;
    pthread_mutex_unlock(&fake->lock);
}

size_t fake_usb_entries(FakeUsb *fake, size_t from, FakeEntry *entries, size_t most)
{
    pthread_mutex_lock(&fake->lock);
    size_t count = from < fake->entries_count ? fake->entries_count - from : 0;
    count = count < most ? count : most;
    memcpy(entries, fake->entries + from, count * sizeof *entries);
    pthread_mutex_unlock(&fake->lock);
    return count;
}

size_t fake_usb_entries_count(FakeUsb *fake)
{
    pthread_mutex_lock(&fake->lock);
    size_t count = fake->entries_count;
    pthread_mutex_unlock(&fake->lock);
    return count;
}

uint8_t fake_usb_pins(FakeUsb *fake)
{
    pthread_mutex_lock(&fake->lock);
    uint8_t pins = fake->device.pins;
    pthread_mutex_unlock(&fake->lock);
    return pins;
}

int fake_usb_claimed(FakeUsb *fake)
{
    pthread_mutex_lock(&fake->lock);
    int claimed = fake->claimed;
    pthread_mutex_unlock(&fake->lock);
    return claimed;
}

bool fake_usb_has_kernel_driver(FakeUsb *fake)
{
    pthread_mutex_lock(&fake->lock);
    bool has_driver = fake->has_kernel_driver;
    pthread_mutex_unlock(&fake->lock);
    return has_driver;
}
