#pragma once
/* What the operating system grants a frame loop: real-time class and locked memory. */
#include <stdbool.h>

typedef struct {
    bool has_priority; // the calling thread runs in SCHED_FIFO
    bool has_locked_memory;
} RealtimeGrant;

/* Asks for both, for the calling thread and the whole process; tells what was granted. Never fails:
 * a laptop without the limits just runs as it is, and the record says so. */
RealtimeGrant realtime_request(void);

/* Gives both back: what follows a run is ordinary work. */
void realtime_release(void);
