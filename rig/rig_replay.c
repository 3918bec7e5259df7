/* Plays the input edges of an earlier run: as long after this run's first pulse as they came after
 * the first image of that one. Its outputs go nowhere and always succeed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/ring.h"
#include "rig/rig_driver.h"

enum { LINE_BYTES = 4096, PATH_BYTES = RIG_FOLDER_BYTES + 32, SENT_WAITING = 1024 };

typedef struct {
    int64_t after_ns; // the first image
    int line;
    uint8_t bits;
} Edge;

typedef struct {
    Edge *edges; // owned
    size_t count, capacity, next;
    int64_t first_pulse_ns; // -1: not yet
    Ring sent;              // RigEvent
} Replay;

static FILE *open_table(const Rig *rig, const char *file, char *header, char *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", rig->spec.folder, file);
    errno = 0;
    FILE *table = fopen(path, "r");
    if (table && fgets(header, LINE_BYTES, table))
        return table;
    snprintf(err, RIG_ERR_BYTES, "rig: %.400s: %s", path,
             errno ? strerror(errno) : "is empty; a run folder is wanted");
    if (table)
        fclose(table);
    return NULL;
}

// The field of a row below the header's column of that name; NULL: there is none.
static const char *field(const char *header, const char *row, const char *name)
{
    size_t length = strlen(name);
    while (row && header) {
        if (!strncmp(header, name, length) && strchr("\t\n", header[length]))
            return row;
        header = strchr(header, '\t');
        row = strchr(row, '\t');
        header += header != NULL;
        row += row != NULL;
    }
    return NULL;
}

static int64_t number(const char *header, const char *row, const char *name)
{
    const char *text = field(header, row, name);
    return text ? strtoll(text, NULL, 10) : -1;
}

static int64_t first_image_ns(const Rig *rig, char *err)
{
    char header[LINE_BYTES], row[LINE_BYTES];
    FILE *frames = open_table(rig, "frames.tsv", header, err);
    if (!frames)
        return -1;
    int64_t first_ns = -1;
    while (first_ns < 0 && fgets(row, sizeof row, frames))
        first_ns = number(header, row, "vblank_ns");
    fclose(frames);
    if (first_ns < 0)
        snprintf(err, RIG_ERR_BYTES, "rig: %.400s/frames.tsv: no image was shown",
                 rig->spec.folder);
    return first_ns;
}

static bool keep(Replay *replay, Edge edge)
{
    if (replay->count == replay->capacity) {
        size_t capacity = replay->capacity ? 2 * replay->capacity : 256;
        Edge *larger = realloc(replay->edges, capacity * sizeof *larger);
        if (!larger)
            return false;
        replay->edges = larger;
        replay->capacity = capacity;
    }
    replay->edges[replay->count++] = edge;
    return true;
}

static int by_time(const void *a, const void *b)
{
    int64_t first = ((const Edge *)a)->after_ns, second = ((const Edge *)b)->after_ns;
    return (first > second) - (first < second);
}

static bool read_edges(Rig *rig, int64_t first_ns, char *err)
{
    char header[LINE_BYTES], row[LINE_BYTES];
    Replay *replay = rig->state;
    FILE *events = open_table(rig, "events.tsv", header, err);
    if (!events)
        return false;
    bool ok = true;
    while (ok && fgets(row, sizeof row, events)) {
        const char *kind = field(header, row, "event");
        if (!kind || strncmp(kind, "input_edge\t", strlen("input_edge\t")))
            continue;
        ok = keep(replay, (Edge){number(header, row, "session_ns") - first_ns,
                                 (int)(number(header, row, "line") & (RIG_LINES - 1)),
                                 (uint8_t)number(header, row, "bits")});
    }
    fclose(events);
    if (!ok)
        snprintf(err, RIG_ERR_BYTES, "rig: out of memory for the events of %.400s",
                 rig->spec.folder);
    else if (replay->count > 0)
        qsort(replay->edges, replay->count, sizeof *replay->edges, by_time);
    return ok;
}

static bool open_replay(Rig *rig, char *err)
{
    Replay *replay = rig->state;
    replay->first_pulse_ns = -1;
    int64_t first_ns = first_image_ns(rig, err);
    if (first_ns < 0 || !read_edges(rig, first_ns, err))
        return false;
    if (!ring_init(&replay->sent, sizeof(RigEvent), SENT_WAITING)) {
        snprintf(err, RIG_ERR_BYTES, "rig: out of memory");
        return false;
    }
    snprintf(rig->info.name, sizeof rig->info.name, "replay of %zu edges of %.60s", replay->count,
             rig->spec.folder);
    rig->info.outputs = rig->info.inputs = RIG_LINES;
    rig->info.is_pulse_timed_inside = true;
    return true;
}

static bool trigger(Rig *rig, const RigTrigger *trigger)
{
    Replay *replay = rig->state;
    int64_t now_ns = rig_now_ns(rig);
    if (replay->first_pulse_ns < 0 && trigger->lines != trigger->rest)
        replay->first_pulse_ns = now_ns;
    return ring_push(&replay->sent, &(RigEvent){.kind = RIG_EVENT_SENT,
                                                .host_ns = now_ns,
                                                .tag = trigger->tag,
                                                .submitted_ns = now_ns});
}

static bool poll_replay(Rig *rig, RigEvent *event)
{
    Replay *replay = rig->state;
    if (ring_pop(&replay->sent, event))
        return true;
    if (replay->first_pulse_ns < 0 || replay->next == replay->count)
        return false;
    const Edge *edge = &replay->edges[replay->next];
    int64_t due_ns = replay->first_pulse_ns + edge->after_ns;
    if (due_ns > rig_now_ns(rig))
        return false;
    *event = (RigEvent){.kind = RIG_EVENT_EDGE,
                        .host_ns = due_ns,
                        .line = edge->line,
                        .bits = edge->bits,
                        .device_ns = -1,
                        .session_ns = due_ns,
                        .error_ns = -1};
    replay->next++;
    return true;
}

static void close_replay(Rig *rig, uint8_t idle)
{
    (void)idle;
    Replay *replay = rig->state;
    free(replay->edges);
    ring_finish(&replay->sent);
}

const RigDriver rig_replay = {
    .state_bytes = sizeof(Replay),
    .open = open_replay,
    .trigger = trigger,
    .poll = poll_replay,
    .close = close_replay,
};
