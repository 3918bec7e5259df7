#include "rig/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/rig_driver.h"

typedef struct {
    const char *device;
    const RigDriver *driver;
} Row;

static const Row rows[] = {
    {"null", &rig_null}, {"replay", &rig_replay}, {"cdc", &rig_usb},  {"box", &rig_usb},
    {"u3", &rig_usb},    {"u6", &rig_usb},        {"ftdi", &rig_usb}, {"ftdi-lines", &rig_usb},
};

static const RigDriver *find_driver(const char *device)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(rows[i].device, device))
            return rows[i].driver;
    return NULL;
}

Rig *rig_open(const RigSpec *spec, const RigClock *clock, char *err)
{
    const RigDriver *driver = find_driver(spec->device);
    if (!driver) {
        snprintf(err, RIG_ERR_BYTES, "rig: there is no device '%s'", spec->device);
        return NULL;
    }
    Rig *rig = calloc(1, sizeof *rig);
    if (rig)
        rig->state = calloc(1, driver->state_bytes);
    if (!rig || !rig->state) {
        free(rig);
        snprintf(err, RIG_ERR_BYTES, "rig: out of memory");
        return NULL;
    }
    rig->driver = driver;
    rig->spec = *spec;
    rig->clock = *clock;
    rig->idle = spec->is_low_active ? 0xff : 0;
    rig->info.pulse_us = spec->pulse_us;
    if (driver->open(rig, err))
        return rig;
    rig_close(rig);
    return NULL;
}

const RigInfo *rig_info(const Rig *rig)
{
    return &rig->info;
}

bool rig_trigger(Rig *rig, const RigTrigger *trigger)
{
    const RigTrigger pins = {trigger->tag, trigger->lines ^ rig->idle, trigger->rest ^ rig->idle};
    return rig->driver->trigger(rig, &pins);
}

bool rig_poll(Rig *rig, RigEvent *event)
{
    return rig->driver->poll(rig, event);
}

void rig_close(Rig *rig)
{
    if (!rig)
        return;
    rig->driver->close(rig, rig->idle);
    free(rig->state);
    free(rig);
}

const char *rig_failure_name(RigFailure failure)
{
    static const char *const names[] = {
        [RIG_FAILURE_NONE] = "none",       [RIG_FAILURE_STALL] = "stall",
        [RIG_FAILURE_TIMEOUT] = "timeout", [RIG_FAILURE_SHORT] = "short_write",
        [RIG_FAILURE_REFUSED] = "refused", [RIG_FAILURE_GONE] = "no_device",
        [RIG_FAILURE_FULL] = "queue_full",
    };
    return names[failure];
}

const char *rig_event_name(RigEventKind kind)
{
    static const char *const names[] = {
        [RIG_EVENT_SENT] = "trigger_sent", [RIG_EVENT_FAILED] = "trigger_failed",
        [RIG_EVENT_EDGE] = "input_edge",   [RIG_EVENT_LOST] = "input_lost",
        [RIG_EVENT_GONE] = "rig_gone",     [RIG_EVENT_BACK] = "rig_back",
    };
    return names[kind];
}
