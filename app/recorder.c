#include "app/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/record_rows.h"
#include "app/series.h"
#include "app/summary.h"
#include "rig/ring.h"

// Half a minute of 60 Hz with three models: longer than any stall of a disk that is still alive.
enum { RING_SLOTS = 8192, PATH_BYTES_MAX = 4096 };
static const int64_t SYNC_NS = 1000000000, PAUSE_NS = 5000000;

/* A frame whose trigger may not have met its fate yet. */
typedef struct {
    FrameRecord frame;
    TriggerRecord trigger;
    bool is_known;
} WaitingFrame;

struct Recorder {
    // set at create, read by both threads
    int models;
    int cells[LOCKSTEP_MAX_MODELS], first_column[LOCKSTEP_MAX_MODELS], columns;
    size_t slot_bytes;
    Ring ring;
    pthread_t thread;
    bool is_running;      // frame thread: started and not yet joined
    RecordSlot *incoming; // frame thread's scratch slot
    // recorder thread only
    RecordSlot *outgoing;
    float *blank_row; // (columns) NaN
    FILE *frames, *events;
    int rates_fd;
    int64_t last_sync_ns, last_image_ns;
    Series interval_us, work_us, latency_us[LOCKSTEP_MAX_MODELS], trigger_us, rig_error_us;
    WaitingFrame waiting[RECORDER_FRAMES_WAITING]; // a ring
    int64_t waiting_first, waiting_end;
    RecorderFigures figures;
    int64_t next_row; // of rates.f32, not yet begun
    int64_t saved;    // refreshes that have left our hands: a cut row is none
    char failure[RECORDER_ERR_BYTES];
    char folder[PATH_BYTES_MAX];
    // one flag each way
    atomic_bool is_stopping; // frame thread writes
    atomic_bool has_failed;  // recorder thread writes
};

static void fail(Recorder *r, const char *file)
{
    if (atomic_load_explicit(&r->has_failed, memory_order_relaxed))
        return;
    snprintf(r->failure, sizeof r->failure,
             "%.300s/%s: %s; the first %" PRId64 " refreshes are saved", r->folder, file,
             strerror(errno), r->saved);
    // release: the sentence is complete before anybody reads it
    atomic_store_explicit(&r->has_failed, true, memory_order_release);
}

static void write_frame(Recorder *r, const WaitingFrame *waiting)
{
    record_write_frame(r->frames, &waiting->frame, waiting->is_known ? &waiting->trigger : NULL);
    if (ferror(r->frames))
        fail(r, "frames.tsv");
}

static void keep_event(Recorder *r, const EventRecord *event)
{
    record_write_event(r->events, event);
    if (ferror(r->events))
        fail(r, "events.tsv");
}

static void keep_rig(Recorder *r, const RigRecord *rig)
{
    record_write_rig(r->events, rig);
    if (ferror(r->events))
        fail(r, "events.tsv");
    r->figures.rig_events_lost += rig->count;
    r->figures.rig_events += rig->is_input;
    if (rig->error_ns >= 0)
        series_add(&r->rig_error_us, rig->error_ns / 1000);
}

static bool write_floats(int fd, const float *values, size_t count, int64_t at)
{
    const char *bytes = (const char *)values;
    size_t left = count * sizeof *values;
    while (left > 0) {
        ssize_t written = pwrite(fd, bytes, left, (off_t)at);
        if (written < 0)
            return false;
        bytes += written;
        at += written;
        left -= (size_t)written;
    }
    return true;
}

static int64_t row_offset(const Recorder *r, int64_t refresh, int column)
{
    return (refresh * r->columns + column) * (int64_t)sizeof(float);
}

static void write_oldest(Recorder *r)
{
    const WaitingFrame *oldest = &r->waiting[r->waiting_first++ % RECORDER_FRAMES_WAITING];
    if (!recorder_has_failed(r))
        write_frame(r, oldest);
    if (atomic_load_explicit(&r->has_failed, memory_order_relaxed))
        return;
    r->figures.refreshes++;
    r->figures.missed += oldest->frame.missed;
    r->figures.shown += !oldest->frame.missed;
}

// Rows leave in order, each once what is to be said of it is known.
static void write_known(Recorder *r)
{
    while (r->waiting_first < r->waiting_end &&
           r->waiting[r->waiting_first % RECORDER_FRAMES_WAITING].is_known)
        write_oldest(r);
}

static void keep_trigger(Recorder *r, const TriggerRecord *trigger)
{
    r->figures.triggers_sent += !trigger->failure;
    r->figures.triggers_failed += trigger->failure != RIG_FAILURE_NONE;
    for (int64_t i = r->waiting_first; i < r->waiting_end; i++) {
        WaitingFrame *waiting = &r->waiting[i % RECORDER_FRAMES_WAITING];
        if (waiting->frame.refresh != trigger->refresh)
            continue;
        waiting->trigger = *trigger;
        waiting->is_known = true;
        if (!trigger->failure && waiting->frame.vblank_ns >= 0)
            series_add(&r->trigger_us, (trigger->completed_ns - waiting->frame.vblank_ns) / 1000);
    }
    write_known(r);
}

static void keep_frame(Recorder *r, const FrameRecord *frame)
{
    if (r->waiting_end - r->waiting_first == RECORDER_FRAMES_WAITING)
        write_oldest(r); // its fate has not come: it says so
    r->waiting[r->waiting_end++ % RECORDER_FRAMES_WAITING] =
        (WaitingFrame){*frame,
                       {.submitted_ns = -1, .completed_ns = -1, .corrected_ns = -1},
                       !frame->trigger_lines};
    write_known(r);
    // from the row after the last one on: rows whose record the ring had lost are unknown, not zero
    for (; r->next_row <= frame->refresh; r->next_row++)
        if (!write_floats(r->rates_fd, r->blank_row, (size_t)r->columns,
                          row_offset(r, r->next_row, 0)))
            fail(r, "rates.f32");
    if (frame->missed || frame->vblank_ns < 0)
        return;
    series_add(&r->work_us, (frame->modelled_ns - frame->drawn_ns) / 1000);
    if (r->last_image_ns >= 0)
        series_add(&r->interval_us, (frame->vblank_ns - r->last_image_ns) / 1000);
    r->last_image_ns = frame->vblank_ns;
}

static void keep_rates(Recorder *r, const RatesRecord *rates, const float *rates_hz)
{
    int m = rates->model;
    if (!write_floats(r->rates_fd, rates_hz, (size_t)r->cells[m],
                      row_offset(r, rates->refresh, r->first_column[m])))
        fail(r, "rates.f32");
    if (rates->latency_ns >= 0)
        series_add(&r->latency_us[m], rates->latency_ns / 1000);
    r->figures.model_late[m] += rates->is_late;
}

static void sync_files(Recorder *r)
{
    if (fflush(r->frames) != 0 || fdatasync(fileno(r->frames)) != 0)
        fail(r, "frames.tsv");
    if (fflush(r->events) != 0 || fdatasync(fileno(r->events)) != 0)
        fail(r, "events.tsv");
    if (fdatasync(r->rates_fd) != 0)
        fail(r, "rates.f32");
    struct stat rates;
    if (fstat(r->rates_fd, &rates) == 0 && rates.st_nlink == 0) {
        errno = ENOENT; // somebody removed it, and writing would go on into nothing
        fail(r, "rates.f32");
    }
    r->last_sync_ns = session_now_ns(NULL);
}

static void flush_frames(Recorder *r)
{
    if (fflush(r->frames) != 0)
        fail(r, "frames.tsv");
    else if (!recorder_has_failed(r))
        r->saved = r->figures.refreshes;
}

static void drain(Recorder *r)
{
    while (ring_pop(&r->ring, r->outgoing)) {
        if (atomic_load_explicit(&r->has_failed, memory_order_relaxed))
            continue; // what is on disk stays as it is
        if (r->outgoing->kind == RECORD_FRAME)
            keep_frame(r, &r->outgoing->frame);
        else if (r->outgoing->kind == RECORD_RATES)
            keep_rates(r, &r->outgoing->rates, r->outgoing->rates_hz);
        else if (r->outgoing->kind == RECORD_EVENT)
            keep_event(r, &r->outgoing->event);
        else if (r->outgoing->kind == RECORD_TRIGGER)
            keep_trigger(r, &r->outgoing->trigger);
        else
            keep_rig(r, &r->outgoing->rig);
    }
}

static void *recorder_thread(void *argument)
{
    Recorder *r = argument;
    bool is_last = false;
    while (!is_last) {
        // acquire: everything queued before the flag is seen by the drain below
        is_last = atomic_load_explicit(&r->is_stopping, memory_order_acquire);
        drain(r);
        while (is_last && r->waiting_first < r->waiting_end)
            write_oldest(r);
        flush_frames(r);
        if (is_last || session_now_ns(NULL) - r->last_sync_ns > SYNC_NS)
            sync_files(r);
        if (!is_last)
            session_sleep_until_ns(NULL, session_now_ns(NULL) + PAUSE_NS);
    }
    return NULL;
}

static FILE *open_table(const Recorder *r, const char *file, const char *columns, char *err)
{
    char path[PATH_BYTES_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", r->folder, file);
    FILE *table = fopen(path, "w");
    if (table)
        fputs(columns, table);
    else
        snprintf(err, RECORDER_ERR_BYTES, "%.400s: %s", path, strerror(errno));
    return table;
}

static bool open_files(Recorder *r, char *err)
{
    char path[PATH_BYTES_MAX + 16];
    r->frames = open_table(r, "frames.tsv", RECORD_FRAMES_HEADER, err);
    if (r->frames)
        r->events = open_table(r, "events.tsv", RECORD_EVENTS_HEADER, err);
    if (!r->events)
        return false;
    snprintf(path, sizeof path, "%s/rates.f32", r->folder);
    r->rates_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (r->rates_fd < 0)
        snprintf(err, RECORDER_ERR_BYTES, "%.400s: %s", path, strerror(errno));
    return r->rates_fd >= 0;
}

static bool allocate(Recorder *r, int models, const int *cells)
{
    int most_cells = 0;
    r->models = models;
    for (int m = 0; m < models; m++) {
        r->cells[m] = cells[m];
        r->first_column[m] = r->columns;
        r->columns += cells[m];
        most_cells = cells[m] > most_cells ? cells[m] : most_cells;
    }
    // rounded up, so that every slot of the ring is aligned
    r->slot_bytes = (sizeof(RecordSlot) + (size_t)most_cells * sizeof(float) + 7) & ~(size_t)7;
    r->incoming = calloc(1, r->slot_bytes);
    r->outgoing = calloc(1, r->slot_bytes);
    r->blank_row = calloc((size_t)r->columns + 1, sizeof *r->blank_row);
    if (!r->incoming || !r->outgoing || !r->blank_row ||
        !ring_init(&r->ring, r->slot_bytes, RING_SLOTS))
        return false;
    for (int c = 0; c < r->columns; c++)
        r->blank_row[c] = NAN;
    return true;
}

Recorder *recorder_create(const char *folder, int models, const int *cells, char *err)
{
    Recorder *r = calloc(1, sizeof *r);
    if (!r) {
        snprintf(err, RECORDER_ERR_BYTES, "out of memory for the recorder");
        return NULL;
    }
    r->rates_fd = -1;
    r->last_image_ns = -1;
    snprintf(r->folder, sizeof r->folder, "%s", folder);
    snprintf(err, RECORDER_ERR_BYTES, "out of memory for the recorder");
    if (allocate(r, models, cells) && open_files(r, err)) {
        r->last_sync_ns = session_now_ns(NULL);
        r->is_running = pthread_create(&r->thread, NULL, recorder_thread, r) == 0;
        if (r->is_running)
            return r;
        snprintf(err, RECORDER_ERR_BYTES, "cannot start the recorder's thread");
    }
    recorder_destroy(r);
    return NULL;
}

void recorder_frame(Recorder *r, const FrameRecord *frame)
{
    r->incoming->kind = RECORD_FRAME;
    r->incoming->frame = *frame;
    ring_push(&r->ring, r->incoming);
}

void recorder_rates(Recorder *r, const LockstepRow *row)
{
    r->incoming->kind = RECORD_RATES;
    r->incoming->rates = (RatesRecord){.refresh = row->refresh,
                                       .model = row->model,
                                       .is_late = row->is_late,
                                       .latency_ns = row->latency_ns};
    memcpy(r->incoming->rates_hz, row->rates_hz, (size_t)r->cells[row->model] * sizeof(float));
    ring_push(&r->ring, r->incoming);
}

void recorder_event(Recorder *r, const EventRecord *event)
{
    r->incoming->kind = RECORD_EVENT;
    r->incoming->event = *event;
    ring_push(&r->ring, r->incoming);
}

void recorder_trigger(Recorder *r, const TriggerRecord *trigger)
{
    r->incoming->kind = RECORD_TRIGGER;
    r->incoming->trigger = *trigger;
    ring_push(&r->ring, r->incoming);
}

void recorder_rig(Recorder *r, const RigRecord *rig)
{
    r->incoming->kind = RECORD_RIG;
    r->incoming->rig = *rig;
    ring_push(&r->ring, r->incoming);
}

void recorder_catch_up(Recorder *r)
{
    while (ring_fill(&r->ring) > RING_SLOTS / 2 && !recorder_has_failed(r))
        session_sleep_until_ns(NULL, session_now_ns(NULL) + PAUSE_NS / 5);
}

bool recorder_has_failed(const Recorder *r)
{
    return atomic_load_explicit(&r->has_failed, memory_order_acquire);
}

static RecorderSpread spread(Series *series)
{
    return (RecorderSpread){
        .p50 = series_percentile(series, 0.5),
        .p99 = series_percentile(series, 0.99),
        .max = series_percentile(series, 1),
    };
}

static void summarise(Recorder *r)
{
    RecorderFigures *figures = &r->figures;
    figures->interval_us = spread(&r->interval_us);
    figures->work_us = spread(&r->work_us);
    figures->trigger_us = spread(&r->trigger_us);
    figures->rig_error_us = spread(&r->rig_error_us);
    Series all = {0};
    for (int m = 0; m < r->models; m++) {
        figures->model_latency_us[m] = spread(&r->latency_us[m]);
        figures->late += figures->model_late[m];
        series_append(&all, &r->latency_us[m]);
    }
    figures->latency_us = spread(&all);
    figures->lost = ring_lost(&r->ring);
    series_finish(&all);
}

static void stop_thread(Recorder *r)
{
    if (!r->is_running)
        return;
    // release: every record above is in the ring before the flag
    atomic_store_explicit(&r->is_stopping, true, memory_order_release);
    pthread_join(r->thread, NULL);
    r->is_running = false;
}

bool recorder_finish(Recorder *r, RecorderFigures *figures, char *err)
{
    stop_thread(r);
    summarise(r);
    *figures = r->figures;
    if (fclose(r->frames) != 0)
        fail(r, "frames.tsv");
    if (fclose(r->events) != 0)
        fail(r, "events.tsv");
    r->frames = r->events = NULL;
    if (recorder_has_failed(r))
        snprintf(err, RECORDER_ERR_BYTES, "%s", r->failure);
    return !recorder_has_failed(r);
}

void recorder_destroy(Recorder *r)
{
    if (!r)
        return;
    stop_thread(r);
    if (r->frames)
        fclose(r->frames);
    if (r->events)
        fclose(r->events);
    if (r->rates_fd >= 0)
        close(r->rates_fd);
    for (int m = 0; m < LOCKSTEP_MAX_MODELS; m++)
        series_finish(&r->latency_us[m]);
    series_finish(&r->interval_us);
    series_finish(&r->work_us);
    series_finish(&r->trigger_us);
    series_finish(&r->rig_error_us);
    ring_finish(&r->ring);
    free(r->blank_row);
    free(r->outgoing);
    free(r->incoming);
    free(r);
}
