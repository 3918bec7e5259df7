#include "app/rig_heard.h"

#include <inttypes.h>
#include <stdlib.h>

#include "app/run_folder.h"
#include "app/table.h"
#include "app/trial.h"

enum { COLUMNS = 10 };

static const char *const names[COLUMNS] = {"refresh",  "trial",       "line",      "bits",
                                           "count",    "host_ns",     "device_ns", "session_ns",
                                           "error_ns", "corrected_ns"};

static bool read_row(const Table *table, int64_t row, const int *columns, RigHeard *heard)
{
    int64_t v[COLUMNS];
    for (int c = 0; c < COLUMNS; c++)
        if (!table_integer(table, row, columns[c], &v[c]))
            return false;
    *heard = (RigHeard){.refresh = v[0],
                        .trial = v[1],
                        .line = v[2],
                        .bits = v[3],
                        .count = v[4],
                        .time_ns = v[7] >= 0 ? v[7] : v[5],
                        .device_ns = v[6],
                        .error_ns = v[8],
                        .corrected_ns = v[9]};
    return v[0] >= 0 && v[1] >= 0 && heard->time_ns >= 0;
}

static bool read_rows(const Table *table, const int *columns, int event, RigHeard *heard,
                      int64_t *count, char *err)
{
    for (int64_t row = 0; row < table_rows(table); row++) {
        const char *name = table_text(table, row, event);
        if (trial_event_is_name(name))
            continue;
        if (!read_row(table, row, columns, &heard[*count])) {
            snprintf(err, RIG_HEARD_ERR_BYTES, "events.tsv:%lld: is not an event of a rig",
                     (long long)row + 2);
            return false;
        }
        snprintf(heard[*count].name, RIG_HEARD_NAME_BYTES, "%s", name);
        ++*count;
    }
    return true;
}

RigHeard *rig_heard_read(const char *folder, int64_t *count, char *err)
{
    char path[RUN_FOLDER_PATH_BYTES];
    int columns[COLUMNS], event;
    *count = 0;
    run_folder_path(folder, "events.tsv", path);
    Table *table = table_read(path, err);
    if (!table)
        return NULL;
    bool is_whole = (event = table_column(table, "event")) >= 0;
    for (int c = 0; c < COLUMNS; c++)
        is_whole = (columns[c] = table_column(table, names[c])) >= 0 && is_whole;
    RigHeard *heard = calloc((size_t)table_rows(table) + 1, sizeof *heard);
    if (!is_whole || !heard)
        snprintf(err, RIG_HEARD_ERR_BYTES, "events.tsv: %s",
                 heard ? "lacks a column of what a rig said" : "not enough memory to read it");
    if (!is_whole || !heard || !read_rows(table, columns, event, heard, count, err)) {
        free(heard);
        heard = NULL;
    }
    table_destroy(table);
    return heard;
}

static void write_ns(FILE *file, int64_t ns, bool is_known)
{
    if (is_known)
        fprintf(file, "%" PRId64, ns);
    fputc(',', file);
}

void rig_heard_write(const RigHeard *heard, int64_t count, int64_t zero_ns, FILE *file)
{
    fputs("event,refresh,trial,time_ns,error_ns,device_ns,corrected_ns,line,bits,count\n", file);
    for (int64_t i = 0; i < count; i++) {
        const RigHeard *h = &heard[i];
        fprintf(file, "%s,%" PRId64 ",%" PRId64 ",", h->name, h->refresh, h->trial);
        write_ns(file, h->time_ns - zero_ns, true);
        write_ns(file, h->error_ns, h->error_ns >= 0);
        write_ns(file, h->device_ns, h->device_ns >= 0);
        write_ns(file, h->corrected_ns - zero_ns, h->corrected_ns >= 0);
        write_ns(file, h->line, h->line >= 0);
        write_ns(file, h->bits, h->bits >= 0);
        fprintf(file, "%" PRId64 "\n", h->count);
    }
}
