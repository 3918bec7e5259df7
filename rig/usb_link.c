#include "rig/usb_link.h"

#include <stdio.h>
#include <string.h>

static const UsbModel *const models[] = {&usb_cdc, &usb_box,  &usb_u3,
                                         &usb_u6,  &usb_ftdi, &usb_ftdi_lines};

const UsbModel *usb_model(const char *device)
{
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
        if (!strcmp(models[i]->device, device))
            return models[i];
    return NULL;
}

static bool fail(const UsbLink *link, const char *what, int code, char *err)
{
    snprintf(err, RIG_ERR_BYTES, "rig: %s: %s: %s; %s", link->model->device, what,
             libusb_strerror(code), link->model->advice);
    return false;
}

bool usb_claim(UsbLink *link, int interface, char *err)
{
    int code = libusb_claim_interface(link->handle, interface);
    if (code == LIBUSB_ERROR_BUSY) {
        snprintf(err, RIG_ERR_BYTES, "rig: %s: another program is using it; end that one first",
                 link->model->device);
        return false;
    }
    if (code < 0)
        return fail(link, "cannot be claimed", code, err);
    link->interfaces[link->interfaces_count++] = interface;
    return true;
}

void usb_disconnect(UsbLink *link)
{
    while (link->interfaces_count > 0)
        libusb_release_interface(link->handle, link->interfaces[--link->interfaces_count]);
    if (link->handle)
        libusb_close(link->handle);
    link->handle = NULL;
}

bool usb_request(UsbLink *link, const uint8_t *setup, uint8_t *data, char *err)
{
    uint16_t value = (uint16_t)(setup[2] | setup[3] << 8),
             index = (uint16_t)(setup[4] | setup[5] << 8);
    uint16_t length = (uint16_t)(setup[6] | setup[7] << 8);
    int done = libusb_control_transfer(link->handle, setup[0], setup[1], value, index, data, length,
                                       USB_SYNC_MS);
    return done == length ||
           fail(link, "refused a request", done < 0 ? done : LIBUSB_ERROR_IO, err);
}

bool usb_write(UsbLink *link, const uint8_t *bytes, size_t count, char *err)
{
    uint8_t copy[USB_PACKET_BYTES];
    int done = 0;
    memcpy(copy, bytes, count);
    int code = libusb_bulk_transfer(link->handle, link->out_endpoint, copy, (int)count, &done,
                                    USB_SYNC_MS);
    if (code == 0 && done == (int)count)
        return true;
    return fail(link, "does not take what it is sent", code ? code : LIBUSB_ERROR_IO, err);
}

int usb_read(UsbLink *link, uint8_t *bytes, unsigned timeout_ms, char *err)
{
    int done = 0;
    int code = libusb_bulk_transfer(link->handle, link->in_endpoint, bytes, USB_READ_BYTES, &done,
                                    timeout_ms);
    if (code == 0 || code == LIBUSB_ERROR_TIMEOUT)
        return done;
    fail(link, "cannot be read", code, err);
    return -1;
}

void usb_edge(UsbLink *link, int line, bool is_high, int64_t host_ns, int64_t device_ns,
              int64_t session_ns, int64_t error_ns)
{
    uint8_t bit = (uint8_t)(1u << line);
    link->inputs = (uint8_t)(is_high ? link->inputs | bit : link->inputs & ~bit);
    ring_push(link->events, &(RigEvent){.kind = RIG_EVENT_EDGE,
                                        .host_ns = host_ns,
                                        .line = line,
                                        .bits = link->inputs,
                                        .device_ns = device_ns,
                                        .session_ns = session_ns,
                                        .error_ns = error_ns});
}

void usb_inputs(UsbLink *link, uint8_t inputs, int64_t host_ns)
{
    uint8_t changed = link->inputs ^ inputs;
    for (int line = 0; line < RIG_LINES; line++)
        if (changed >> line & 1)
            usb_edge(link, line, inputs >> line & 1, host_ns, -1, host_ns, -1);
}

void usb_lost(UsbLink *link, int64_t count, int64_t host_ns)
{
    if (count > 0)
        ring_push(link->events,
                  &(RigEvent){.kind = RIG_EVENT_LOST, .host_ns = host_ns, .count = count});
}
