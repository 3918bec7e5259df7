#include "app/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void write_quoted(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void write_event(FILE *file, const Plan *plan, const ScheduleEvent *event)
{
    const PlanTrial *trial = &plan->trials[event->trial];
    int64_t ns = event->time_ns;
    fprintf(file, "%s,%" PRId64 ",%" PRId64 ".%09" PRId64 ",%" PRId64 ",%d,%d,", event->name,
            event->refresh, ns / 1000000000, ns % 1000000000, ns, event->trial, trial->block);
    write_quoted(file, plan->protocol->blocks[trial->block].name);
    fprintf(file, ",%d,%.15g,%d,%" PRId64 ",%d,%" PRId64 ",%d\n", trial->condition, trial->value,
            trial->repeat, event->number, event->trigger_code, trial->seed, event->is_missed);
}

void export_write_csv(const Export *export, FILE *file)
{
    fputs("event,refresh,time_s,time_ns,trial,block,block_name,condition,value,repeat,flash,"
          "trigger_code,seed,missed\n",
          file);
    for (int64_t i = 0; export->plan && i < export->schedule.events_count; i++)
        write_event(file, export->plan, &export->schedule.events[i]);
}

static bool write_table(void (*write)(const Export *export, FILE *file), const Export *export,
                        const char *path, char *err)
{
    FILE *file = path ? fopen(path, "w") : stdout;
    if (file) {
        write(export, file);
        bool is_written = !ferror(file);
        is_written = (path ? fclose(file) : fflush(file)) == 0 && is_written;
        if (is_written)
            return true;
    }
    snprintf(err, EXPORT_ERR_BYTES, "%.400s: cannot write the table: %s",
             path ? path : "standard output", strerror(errno));
    return false;
}

bool export_csv(const Export *export, const char *path, char *err)
{
    return write_table(export_write_csv, export, path, err);
}

static void write_heard(const Export *export, FILE *file)
{
    int64_t zero_ns = export->heard_count > 0 ? export->frames.frames[0].slot_ns : 0;
    rig_heard_write(export->heard, export->heard_count, zero_ns, file);
}

bool export_rig_csv(const Export *export, const char *path, char *err)
{
    return write_table(write_heard, export, path, err);
}
