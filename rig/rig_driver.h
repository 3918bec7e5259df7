#pragma once
/* What one kind of device brings to the table in rig.c. Private to the rig room.
 *
 * All entries are called by the rig's one caller, who serialises them. The device may have a thread
 * of its own behind them. */
#include <stddef.h>

#include "rig/rig.h"

typedef struct {
    size_t state_bytes; // zeroed before open()
    /* May block for seconds. Fills rig->info. False with a sentence in err (RIG_ERR_BYTES), with
     * things half done: close() follows. */
    bool (*open)(Rig *rig, char *err);
    /* Lines as the pins are to be, polarity applied. Must not block, allocate or lock. False: not
     * taken, no event will follow. */
    bool (*trigger)(Rig *rig, const RigTrigger *trigger);
    /* Must not block, allocate or lock. False: no event. */
    bool (*poll)(Rig *rig, RigEvent *event);
    /* Brings the lines to `idle` and ends; may block for about a second. Also after a failed open. */
    void (*close)(Rig *rig, uint8_t idle);
} RigDriver;

struct Rig {
    const RigDriver *driver;
    RigSpec spec;
    RigClock clock;
    RigInfo info;
    uint8_t idle; // the pins when no line is active
    void *state;  // owned, driver->state_bytes
};

extern const RigDriver rig_null, rig_replay, rig_usb;

static inline int64_t rig_now_ns(const Rig *rig)
{
    return rig->clock.now_ns(rig->clock.ctx);
}
