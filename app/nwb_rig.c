#include "app/nwb.h"

#include <math.h>

static double seconds(int64_t ns, int64_t zero_ns)
{
    return (double)(ns - zero_ns) * 1e-9;
}

/* A column of times, unless no row has one. */
static void add_times(NwbTable *table, const char *name, const double *times,
                      const char *description)
{
    for (int64_t i = 0; i < table->rows; i++)
        if (!isnan(times[i])) {
            nwb_column(table, name, HDF5_TREE_DOUBLE, times, description);
            return;
        }
}

static void add_what(NwbWriter *w, NwbTable *table)
{
    const RigHeard *heard = w->export->heard;
    size_t rows = (size_t)table->rows;
    const char **names = nwb_keep(w, rows * sizeof *names);
    int64_t *refresh = nwb_keep(w, rows * sizeof *refresh);
    int64_t *count = nwb_keep(w, rows * sizeof *count);
    int32_t *trial = nwb_keep(w, rows * sizeof *trial), *line = nwb_keep(w, rows * sizeof *line);
    int32_t *bits = nwb_keep(w, rows * sizeof *bits);
    if (w->is_out_of_memory)
        return;
    for (size_t i = 0; i < rows; i++) {
        names[i] = heard[i].name;
        refresh[i] = heard[i].refresh;
        trial[i] = (int32_t)heard[i].trial;
        line[i] = (int32_t)heard[i].line;
        bits[i] = (int32_t)heard[i].bits;
        count[i] = heard[i].count;
    }
    nwb_column_texts(
        table, "event", names,
        "input_edge: an input line changed; run_line_high, run_line_low: the line that "
        "is high for the run; input_lost, rig_gone, rig_back: of the device");
    nwb_column(table, "line", HDF5_TREE_INT32, line, "the line that changed, from 0; -1: none");
    nwb_column(table, "bits", HDF5_TREE_INT32, bits,
               "all lines after it, line 0 the lowest bit: the code on them; -1: none");
    nwb_column(table, "refresh", HDF5_TREE_INT64, refresh, "under way when the host heard of it");
    nwb_column(table, "trial", HDF5_TREE_INT32, trial, "the same: row of trials");
    nwb_column(table, "count", HDF5_TREE_INT64, count, "messages that input_lost is about; else 0");
}

static void add_when(NwbWriter *w, NwbTable *table)
{
    const RigHeard *heard = w->export->heard;
    int64_t zero_ns = w->export->frames.frames[0].slot_ns;
    size_t bytes = (size_t)table->rows * sizeof(double);
    double *time = nwb_keep(w, bytes), *error = nwb_keep(w, bytes);
    double *device = nwb_keep(w, bytes), *corrected = nwb_keep(w, bytes);
    if (w->is_out_of_memory)
        return;
    for (int64_t i = 0; i < table->rows; i++) {
        const RigHeard *h = &heard[i];
        time[i] = seconds(h->time_ns, zero_ns);
        error[i] = h->error_ns < 0 ? (double)NAN : seconds(h->error_ns, 0);
        device[i] = h->device_ns < 0 ? (double)NAN : seconds(h->device_ns, 0);
        corrected[i] = h->corrected_ns < 0 ? (double)NAN : seconds(h->corrected_ns, zero_ns);
    }
    nwb_column(
        table, "time", HDF5_TREE_DOUBLE, time,
        "s since refresh 0, negative before it: the device's time on the session clock where "
        "it has a clock, else when the host heard of it");
    add_times(table, "time_error", error,
              "of time by the fit of the device's clock, s; NaN: not known");
    add_times(table, "device_clock", device, "time by the device's own clock, s; NaN: it has none");
    add_times(table, "corrected", corrected,
              "time by the delay that `rig loop` measured, s; NaN: none");
}

void nwb_write_rig(NwbWriter *w)
{
    NwbTable table = {.path = "/acquisition/rig_events",
                      .type = "DynamicTable",
                      .description =
                          "What came in from the rig, and what befell it, as it was heard",
                      .rows = w->export->heard_count};
    if (table.rows == 0)
        return;
    add_when(w, &table);
    add_what(w, &table);
    if (!w->is_out_of_memory)
        nwb_table(w->tree, &table);
}
