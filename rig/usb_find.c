#include "rig/usb_find.h"

#include <stdio.h>
#include <string.h>

enum { PORTS_MAX = 7 }; // as deep as hubs may be nested, USB 3.2 §10

static bool is_known_by(const UsbModel *model, const struct libusb_device_descriptor *about)
{
    for (size_t i = 0; i < model->ids_count; i++)
        if (model->ids[i].vid == about->idVendor && model->ids[i].pid == about->idProduct)
            return true;
    return false;
}

static void write_path(libusb_device *device, char *path)
{
    uint8_t ports[PORTS_MAX];
    int depth = libusb_get_port_numbers(device, ports, PORTS_MAX);
    int used = snprintf(path, RIG_PATH_BYTES, "%d", libusb_get_bus_number(device));
    for (int i = 0; i < depth && used < RIG_PATH_BYTES; i++)
        used +=
            snprintf(path + used, (size_t)(RIG_PATH_BYTES - used), "%c%d", i ? '.' : '-', ports[i]);
}

static void read_text(libusb_device_handle *handle, uint8_t index, char *text, int bytes)
{
    if (!index || libusb_get_string_descriptor_ascii(handle, index, (uint8_t *)text, bytes) < 0)
        text[0] = '\0';
}

// Also opens it, which reading its serial number takes; NULL where that is not allowed.
static libusb_device_handle *describe(libusb_device *device, const char *model, RigFound *found)
{
    struct libusb_device_descriptor about;
    libusb_device_handle *handle = NULL;
    char product[64] = "";
    *found = (RigFound){.vid = -1};
    libusb_get_device_descriptor(device, &about);
    found->vid = about.idVendor;
    found->pid = about.idProduct;
    snprintf(found->device, sizeof found->device, "%s", model);
    write_path(device, found->path);
    int code = libusb_open(device, &handle);
    if (code == 0) {
        read_text(handle, about.iSerialNumber, found->serial, sizeof found->serial);
        read_text(handle, about.iProduct, product, sizeof product);
    } else if (code == LIBUSB_ERROR_ACCESS) {
        snprintf(found->problem, sizeof found->problem,
                 "no permission: install rig/70-retrace.rules, then plug it in again");
    } else {
        snprintf(found->problem, sizeof found->problem, "%s", libusb_strerror(code));
    }
    snprintf(found->name, sizeof found->name, "%.32s%s%04x:%04x%s%.36s at %.31s", product,
             product[0] ? " " : "", found->vid, found->pid, found->serial[0] ? " serial " : "",
             found->serial, found->path);
    return handle;
}

static bool is_meant(const RigSpec *spec, const UsbModel *model, libusb_device *device)
{
    struct libusb_device_descriptor about;
    char path[RIG_PATH_BYTES];
    if (libusb_get_device_descriptor(device, &about) < 0)
        return false;
    write_path(device, path);
    bool has_address = spec->serial[0] || spec->path[0];
    bool is_right_kind = spec->vid >= 0
                             ? spec->vid == about.idVendor && spec->pid == about.idProduct
                             : is_known_by(model, &about) || (has_address && model->ids_count == 0);
    return is_right_kind && (!spec->path[0] || !strcmp(spec->path, path));
}

static bool say_missing(const RigSpec *spec, const UsbModel *model, char *err)
{
    int used = snprintf(err, RIG_ERR_BYTES, "rig: no %s is connected", spec->device);
    if (spec->vid >= 0)
        used += snprintf(err + used, (size_t)(RIG_ERR_BYTES - used), " as %04x:%04x", spec->vid,
                         spec->pid);
    if (spec->serial[0])
        used +=
            snprintf(err + used, (size_t)(RIG_ERR_BYTES - used), " with serial %s", spec->serial);
    if (spec->path[0])
        used += snprintf(err + used, (size_t)(RIG_ERR_BYTES - used), " at %s", spec->path);
    snprintf(err + used, (size_t)(RIG_ERR_BYTES - used), "%s; `retrace rig list` says what is",
             model->ids_count == 0 && spec->vid < 0 ? " that was named by VID:PID, serial or path"
                                                    : "");
    return false;
}

// True when the search is over.
static bool try_device(libusb_device *device, const RigSpec *spec, UsbLink *link, RigFound *found,
                       char *err)
{
    link->handle = describe(device, spec->device, found);
    if (!link->handle)
        snprintf(err, RIG_ERR_BYTES, "rig: %s: %s", found->name, found->problem);
    else if (!spec->serial[0] || !strcmp(spec->serial, found->serial))
        return true;
    usb_disconnect(link);
    return false;
}

bool usb_find(libusb_context *context, const RigSpec *spec, UsbLink *link, RigFound *found,
              char *err)
{
    libusb_device **devices = NULL;
    ssize_t count = libusb_get_device_list(context, &devices);
    bool is_found = false;
    say_missing(spec, link->model, err);
    for (ssize_t i = 0; i < count && !is_found; i++)
        if (is_meant(spec, link->model, devices[i]))
            is_found = try_device(devices[i], spec, link, found, err);
    if (count >= 0)
        libusb_free_device_list(devices, 1);
    if (is_found)
        libusb_set_auto_detach_kernel_driver(link->handle, 1);
    return is_found;
}

void usb_pin(RigSpec *spec, const RigFound *found)
{
    spec->vid = found->vid;
    spec->pid = found->pid;
    if (found->serial[0])
        memcpy(spec->serial, found->serial, sizeof spec->serial);
    else
        memcpy(spec->path, found->path, sizeof spec->path);
}

int rig_list(RigFound *found, int most, char *err)
{
    static const UsbModel *const listed[] = {&usb_cdc, &usb_u3, &usb_u6, &usb_ftdi};
    libusb_context *context;
    libusb_device **devices = NULL;
    int known = 0, code = libusb_init(&context);
    if (code < 0) {
        snprintf(err, RIG_ERR_BYTES, "rig: USB cannot be used here: %s; is there a /dev/bus/usb?",
                 libusb_strerror(code));
        return -1;
    }
    ssize_t count = libusb_get_device_list(context, &devices);
    for (ssize_t i = 0; i < count; i++) {
        struct libusb_device_descriptor about;
        if (libusb_get_device_descriptor(devices[i], &about) < 0)
            continue;
        for (size_t m = 0; m < sizeof listed / sizeof listed[0]; m++) {
            if (!is_known_by(listed[m], &about) || known == most)
                continue;
            libusb_device_handle *handle = describe(devices[i], listed[m]->device, &found[known++]);
            if (handle)
                libusb_close(handle);
        }
    }
    if (count >= 0)
        libusb_free_device_list(devices, 1);
    libusb_exit(context);
    return known;
}
