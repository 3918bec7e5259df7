#include "app/nwb.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 4096, NAME_BYTES = 128 };
static const double EVEN_NS = 2, RATE_ERROR_S = 1e-6;

/* Times of the first `rows` refreshes lie on a grid that start and a float's rate tell to a
 * microsecond. */
static bool is_even(const Frames *frames, int64_t rows)
{
    double rate_hz = 1e9 / frames->period_ns, kept_hz = (double)(float)rate_hz;
    double start_ns = (double)frames->frames[0].slot_ns;
    if (fabs((double)rows / rate_hz - (double)rows / kept_hz) > RATE_ERROR_S)
        return false;
    for (int64_t k = 0; k < rows; k++) {
        double off = (double)frames->frames[k].slot_ns - start_ns - (double)k * frames->period_ns;
        if (fabs(off) > EVEN_NS)
            return false;
    }
    return true;
}

static double since_start_s(const Frames *frames, int64_t k)
{
    return (double)(frames->frames[k].slot_ns - frames->frames[0].slot_ns) * 1e-9;
}

static void write_flips(NwbWriter *w)
{
    const Frames *frames = &w->export->frames;
    char text[TEXT_BYTES];
    int64_t count = 0;
    int64_t *image = nwb_keep(w, (size_t)frames->count * sizeof *image);
    double *time = nwb_keep(w, (size_t)frames->count * sizeof *time);
    if (w->is_out_of_memory)
        return;
    for (int64_t k = 0; k < frames->count; k++) {
        const Frame *frame = &frames->frames[k];
        if (frame->is_missed || frame->vblank_ns < 0)
            continue;
        image[count] = frame->image;
        time[count++] = since_start_s(frames, k);
    }
    const char *source = w->export->run->display.time_source;
    snprintf(text, sizeof text,
             "When each image reached the screen; the data are the refreshes they were made for. A "
             "refresh that showed an older image has no row. Times are of the kind '%s': %s.",
             source,
             !strcmp(source, "display") ? "the display told of its vertical blanks"
             : !strcmp(source, "swap")  ? "the buffer swap returned about then"
                                        : "simulated, no vertical blank was seen");
    bool is_grid = count == frames->count && is_even(frames, count);
    nwb_series(w->tree, &(NwbSeries){.path = "/acquisition/frame_flips",
                                     .description = text,
                                     .unit = "frame",
                                     .continuity = "step",
                                     .type = HDF5_TREE_INT64,
                                     .data = image,
                                     .count = count,
                                     .timestamps = is_grid ? NULL : time,
                                     .rate_hz = (float)(1e9 / frames->period_ns)});
}

/* name (NAME_BYTES) := that of a model as NWB allows it. */
static void make_name(const RunFile *run, unsigned m, const char *ending, char *name)
{
    bool is_twin = false;
    for (unsigned other = 0; other < m; other++)
        is_twin = is_twin || !strcmp(run->models[other].name, run->models[m].name);
    if (is_twin)
        snprintf(name, NAME_BYTES, "%.80s-%u%s", run->models[m].name, m + 1, ending);
    else
        snprintf(name, NAME_BYTES, "%.80s%s", run->models[m].name, ending);
    for (char *c = name; *c; c++)
        if (*c == '/' || *c == '\\' || *c == ':')
            *c = '_';
}

static void describe_rates(const RunModel *model, char *text)
{
    int used =
        snprintf(text, TEXT_BYTES,
                 "Firing rates predicted by the model %s (%s), not recorded%s. Columns are "
                 "the rows of the table of its cells. Row k is the rate over refresh k's own "
                 "interval",
                 model->name, model->kind,
                 model->is_simulated ? "; the model is, or was fitted to, a SIMULATED retina" : "");
    if (model->row_delay_ns > 0)
        used += snprintf(text + used, TEXT_BYTES - (size_t)used, ", shifted back by %.9g s",
                         (double)model->row_delay_ns * 1e-9);
    snprintf(text + used, TEXT_BYTES - (size_t)used,
             "; NaN: the model had no answer. From: %.1000s", model->provenance);
}

static void write_rates(NwbWriter *w, unsigned m, const double *time)
{
    const Export *export = w->export;
    const RunModel *model = &export->run->models[m];
    const Frames *frames = &export->frames;
    int64_t rows = export->rates_rows, cells = model->cells_count;
    char path[NWB_PATH_BYTES], name[NAME_BYTES], text[TEXT_BYTES];
    float *rates = nwb_keep(w, (size_t)rows * (size_t)cells * sizeof *rates);
    if (w->is_out_of_memory)
        return;
    for (int64_t k = 0; k < rows; k++)
        memcpy(rates + k * cells,
               export->rates_hz + k * export->run->rates_columns + model->first_column,
               (size_t)cells * sizeof *rates);
    make_name(export->run, m, "_rates", name);
    snprintf(path, sizeof path, "/processing/misc/%s", name);
    describe_rates(model, text);
    nwb_series(w->tree, &(NwbSeries){.path = path,
                                     .description = text,
                                     .unit = "Hz",
                                     .continuity = "step",
                                     .type = HDF5_TREE_FLOAT,
                                     .data = rates,
                                     .count = rows,
                                     .columns = cells,
                                     .timestamps = is_even(frames, rows) ? NULL : time,
                                     .rate_hz = (float)(1e9 / frames->period_ns)});
}

static void write_cells(NwbWriter *w, unsigned m)
{
    const RunModel *model = &w->export->run->models[m];
    char path[NWB_PATH_BYTES], name[NAME_BYTES];
    make_name(w->export->run, m, "_cells", name);
    snprintf(path, sizeof path, "/processing/misc/%s", name);
    int32_t *column = nwb_keep(w, model->cells_count * sizeof *column);
    int8_t *is_simulated = nwb_keep(w, model->cells_count);
    if (w->is_out_of_memory)
        return;
    for (unsigned c = 0; c < model->cells_count; c++) {
        column[c] = (int32_t)c;
        is_simulated[c] = model->is_simulated;
    }
    NwbTable table = {.path = path,
                      .type = "DynamicTable",
                      .description = "Cells of the model, in the order of the columns of its rates",
                      .rows = model->cells_count};
    nwb_column_texts(&table, "cell_name", model->cells, "name of the cell in the model file");
    nwb_column(&table, "rates_column", HDF5_TREE_INT32, column, "column of the rates, from 0");
    nwb_column(&table, "is_simulated", HDF5_TREE_BOOL, is_simulated,
               "the model is, or was fitted to, a simulated retina");
    nwb_table(w->tree, &table);
}

void nwb_write_frames(NwbWriter *w)
{
    const Export *export = w->export;
    if (!export->run || export->frames.count == 0)
        return;
    write_flips(w);
    if (export->rates_rows == 0)
        return;
    double *time = nwb_keep(w, (size_t) export->rates_rows * sizeof *time);
    for (int64_t k = 0; time && k < export->rates_rows; k++)
        time[k] = since_start_s(&export->frames, k);
    nwb_object(w->tree, "/processing/misc", "core", "ProcessingModule",
               "Firing rates predicted by models for the stimulus as it was shown");
    for (unsigned m = 0; m < export->run->models_count && !w->is_out_of_memory; m++) {
        write_rates(w, m, time);
        write_cells(w, m);
    }
}
