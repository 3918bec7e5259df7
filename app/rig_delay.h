#pragma once
/* How late a device is, each way, as `rig loop` measured it with an output wired to an input.
 *
 * With a device clock, out is from submission to the edge, and in from the edge to the host's
 * learning of it. Without one the round trip is all that is known, and each way is taken to be half
 * of it: is_halved says so. */
#include <stdbool.h>
#include <stdint.h>

enum { RIG_DELAY_ERR_BYTES = 512 };

typedef struct {
    int64_t out_ns, in_ns;
    bool is_halved;
} RigDelay;

/* Reads what `retrace rig loop --json FILE` wrote. False with a sentence in err
 * (RIG_DELAY_ERR_BYTES). */
bool rig_delay_load(const char *path, RigDelay *delay, char *err);
