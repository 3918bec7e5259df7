#include "model/dataset.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "model/dataset_names.h"
#include "model/kind.h"

enum { CHUNK_BINS = 100, CHUNK_RESPONSE_BINS = 4096, DEFLATE = 1, PATH_BYTES = 4096 };

typedef struct {
    hid_t group, stimulus, time, binned, rate; // rate −1: not simulated
    hid_t *repeats;                            // (cells), −1 in train
    int64_t bins;
} Part;

struct DatasetWriter {
    char path[PATH_BYTES], part_path[PATH_BYTES + 8];
    hid_t file;
    int width_px, height_px, cells, repeats;
    double bin_hz;
    Part parts[DATASET_PARTS];
    float *row;      // (cells, row_bins) responses, time fastest
    uint8_t *trials; // (repeats, row_bins)
    double *times_s; // (row_bins)
    int row_bins;
    bool has_failed;
};

static bool fail(DatasetWriter *writer, const char *what, char *err)
{
    writer->has_failed = true;
    return model_refuse(err, "%s: could not write %s%s%s", writer->part_path, what,
                        errno ? ": " : "", errno ? strerror(errno) : "");
}

static bool put_attribute(hid_t file, const char *name, hid_t type, hsize_t count,
                          const void *values)
{
    hid_t space = count ? H5Screate_simple(1, &count, NULL) : H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = H5Awrite(attribute, type, values) >= 0;
    H5Aclose(attribute);
    H5Sclose(space);
    return ok;
}

static bool put_info(hid_t file, const DatasetInfo *info)
{
    static const char *const format = DATASET_FORMAT;
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, H5T_VARIABLE);
    H5Tset_cset(text, H5T_CSET_UTF8);
    int version = DATASET_VERSION, is_simulated = info->is_simulated;
    const char *name = info->name;
    hsize_t cells = (hsize_t)info->cells;
    bool ok = put_attribute(file, "format", text, 0, &format) &&
              put_attribute(file, "version", H5T_NATIVE_INT, 0, &version) &&
              put_attribute(file, "name", text, 0, &name) &&
              put_attribute(file, "provenance", text, 0, &info->provenance) &&
              put_attribute(file, "is_simulated", H5T_NATIVE_INT, 0, &is_simulated) &&
              put_attribute(file, "bin_hz", H5T_NATIVE_DOUBLE, 0, &info->bin_hz) &&
              put_attribute(file, "um_per_px", H5T_NATIVE_DOUBLE, 0, &info->um_per_px) &&
              put_attribute(file, "lum_per_level", H5T_NATIVE_DOUBLE, 0, &info->lum_per_level) &&
              put_attribute(file, "cell_names", text, cells, info->cell_names);
    if (ok && info->cell_x_um)
        ok = put_attribute(file, "cell_x_um", H5T_NATIVE_FLOAT, cells, info->cell_x_um) &&
             put_attribute(file, "cell_y_um", H5T_NATIVE_FLOAT, cells, info->cell_y_um);
    H5Tclose(text);
    return ok;
}

/* An empty chunked data set that grows along its dimension `along`. */
static hid_t create_growing(hid_t group, const char *name, hid_t type, int rank,
                            const hsize_t *dims, int along, hsize_t chunk_bins)
{
    hsize_t size[3], most[3], chunk[3];
    for (int i = 0; i < rank; i++) {
        size[i] = i == along ? 0 : dims[i];
        most[i] = i == along ? H5S_UNLIMITED : dims[i];
        chunk[i] = i == along ? chunk_bins : dims[i];
    }
    hid_t space = H5Screate_simple(rank, size, most);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, rank, chunk);
    H5Pset_shuffle(plist);
    H5Pset_deflate(plist, DEFLATE);
    hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Pclose(plist);
    H5Sclose(space);
    return dataset;
}

/* Writes values (dims, with dims[along] = bins) behind the first `at` bins. */
static bool append(hid_t dataset, hid_t type, int rank, const hsize_t *dims, int along, int64_t at,
                   const void *values)
{
    hsize_t size[3], start[3] = {0};
    for (int i = 0; i < rank; i++)
        size[i] = dims[i] + (i == along ? (hsize_t)at : 0);
    start[along] = (hsize_t)at;
    if (H5Dset_extent(dataset, size) < 0)
        return false;
    hid_t space = H5Dget_space(dataset);
    hid_t memory = H5Screate_simple(rank, dims, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, dims, NULL);
    bool ok = H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, values) >= 0;
    H5Sclose(memory);
    H5Sclose(space);
    return ok;
}

static bool create_part(DatasetWriter *writer, DatasetPart which, bool is_simulated)
{
    Part *part = &writer->parts[which];
    hid_t groups = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(groups, 1);
    part->group =
        H5Gcreate2(writer->file, dataset_part_names[which], H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t response = H5Gcreate2(part->group, "response", groups, H5P_DEFAULT, H5P_DEFAULT);
    H5Pclose(groups);
    const hsize_t image[] = {0, (hsize_t)writer->height_px, (hsize_t)writer->width_px};
    const hsize_t cells[] = {(hsize_t)writer->cells, 0};
    const hsize_t trials[] = {(hsize_t)writer->repeats, 0};
    part->stimulus = create_growing(part->group, "stimulus", H5T_STD_U8LE, 3, image, 0, CHUNK_BINS);
    part->time =
        create_growing(part->group, "time", H5T_IEEE_F64LE, 1, image, 0, CHUNK_RESPONSE_BINS);
    part->binned = create_growing(response, dataset_response_names[DATASET_BINNED], H5T_IEEE_F32LE,
                                  2, cells, 1, CHUNK_RESPONSE_BINS);
    part->rate = is_simulated ? create_growing(response, dataset_response_names[DATASET_RATE],
                                               H5T_IEEE_F32LE, 2, cells, 1, CHUNK_RESPONSE_BINS)
                              : -1;
    H5Gclose(response);
    bool ok = part->stimulus >= 0 && part->time >= 0 && part->binned >= 0 &&
              (part->rate >= 0 || !is_simulated);
    if (which != DATASET_TEST || writer->repeats == 0)
        return ok;
    hid_t repeats = H5Gcreate2(part->group, "repeats", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < writer->cells; i++) {
        char name[DATASET_CELL_BYTES];
        dataset_cell_name(i, name);
        part->repeats[i] =
            create_growing(repeats, name, H5T_STD_U8LE, 2, trials, 1, CHUNK_RESPONSE_BINS);
        ok = ok && part->repeats[i] >= 0;
    }
    H5Gclose(repeats);
    return ok;
}

static void close_all(DatasetWriter *writer)
{
    for (int i = 0; i < DATASET_PARTS; i++) {
        Part *part = &writer->parts[i];
        const hid_t data[] = {part->stimulus, part->time, part->binned, part->rate};
        for (size_t j = 0; j < sizeof data / sizeof *data; j++)
            if (data[j] > 0)
                H5Dclose(data[j]);
        for (int j = 0; part->repeats && j < writer->cells; j++)
            if (part->repeats[j] > 0)
                H5Dclose(part->repeats[j]);
        if (part->group > 0)
            H5Gclose(part->group);
        free(part->repeats);
    }
    if (writer->file > 0)
        H5Fclose(writer->file);
    free(writer->row);
    free(writer->trials);
    free(writer->times_s);
    writer->file = 0;
}

DatasetWriter *dataset_create(const char *path, const DatasetInfo *info, char *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    DatasetWriter *writer = calloc(1, sizeof *writer);
    if (!writer) {
        model_refuse(err, "%s: not enough memory to write a data set", path);
        return NULL;
    }
    writer->width_px = info->width_px;
    writer->height_px = info->height_px;
    writer->cells = info->cells;
    writer->repeats = info->repeats;
    writer->bin_hz = info->bin_hz;
    snprintf(writer->path, sizeof writer->path, "%s", path);
    snprintf(writer->part_path, sizeof writer->part_path, "%s.part", path);
    errno = 0;
    writer->file = H5Fcreate(writer->part_path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = writer->file >= 0 && put_info(writer->file, info);
    for (int i = 0; ok && i < DATASET_PARTS; i++) {
        writer->parts[i].repeats = calloc((size_t)info->cells, sizeof(hid_t));
        ok = writer->parts[i].repeats && create_part(writer, (DatasetPart)i, info->is_simulated);
    }
    if (ok)
        return writer;
    fail(writer, "its head", err);
    dataset_abandon(writer);
    return NULL;
}

static bool make_room(DatasetWriter *writer, int bins)
{
    if (bins <= writer->row_bins)
        return true;
    size_t count = (size_t)bins * (size_t)writer->cells;
    size_t trials = (size_t)bins * (size_t)(writer->repeats + 1);
    free(writer->row);
    free(writer->trials);
    free(writer->times_s);
    writer->row = malloc(count * sizeof *writer->row);
    writer->trials = malloc(trials);
    writer->times_s = malloc((size_t)bins * sizeof *writer->times_s);
    writer->row_bins = writer->row && writer->trials && writer->times_s ? bins : 0;
    return writer->row_bins == bins;
}

/* row (cells, bins) := mean spikes over the trials shown. */
static void mean_spikes(const DatasetWriter *writer, const DatasetBlock *block, int trials)
{
    for (int cell = 0; cell < writer->cells; cell++)
        for (int bin = 0; bin < block->bins; bin++) {
            int sum = 0;
            for (int trial = 0; trial < trials; trial++)
                sum += block->spikes[(bin * trials + trial) * writer->cells + cell];
            writer->row[cell * block->bins + bin] = (float)sum / (float)trials;
        }
}

static bool append_repeats(DatasetWriter *writer, const DatasetBlock *block)
{
    const Part *part = &writer->parts[DATASET_TEST];
    const hsize_t dims[] = {(hsize_t)writer->repeats, (hsize_t)block->bins};
    for (int cell = 0; cell < writer->cells; cell++) {
        for (int trial = 0; trial < writer->repeats; trial++)
            for (int bin = 0; bin < block->bins; bin++)
                writer->trials[trial * block->bins + bin] =
                    block->spikes[(bin * writer->repeats + trial) * writer->cells + cell];
        if (!append(part->repeats[cell], H5T_NATIVE_UINT8, 2, dims, 1, part->bins, writer->trials))
            return false;
    }
    return true;
}

static bool append_rates(DatasetWriter *writer, const Part *part, const DatasetBlock *block,
                         const hsize_t *dims)
{
    if (part->rate < 0)
        return true;
    for (int cell = 0; cell < writer->cells; cell++)
        for (int bin = 0; bin < block->bins; bin++)
            writer->row[cell * block->bins + bin] = block->rates_hz[bin * writer->cells + cell];
    return append(part->rate, H5T_NATIVE_FLOAT, 2, dims, 1, part->bins, writer->row);
}

static bool append_times(DatasetWriter *writer, const Part *part, int bins)
{
    const hsize_t count = (hsize_t)bins;
    for (int bin = 0; bin < bins; bin++)
        writer->times_s[bin] = (double)(part->bins + bin) / writer->bin_hz;
    return append(part->time, H5T_NATIVE_DOUBLE, 1, &count, 0, part->bins, writer->times_s);
}

bool dataset_append(DatasetWriter *writer, DatasetPart which, const DatasetBlock *block, char *err)
{
    Part *part = &writer->parts[which];
    int trials = which == DATASET_TEST && writer->repeats > 0 ? writer->repeats : 1;
    const hsize_t image[] = {(hsize_t)block->bins, (hsize_t)writer->height_px,
                             (hsize_t)writer->width_px};
    const hsize_t cells[] = {(hsize_t)writer->cells, (hsize_t)block->bins};
    errno = 0;
    if (!make_room(writer, block->bins))
        return fail(writer, "a block: no memory", err);
    if (!append(part->stimulus, H5T_NATIVE_UINT8, 3, image, 0, part->bins, block->levels))
        return fail(writer, "the stimulus", err);
    mean_spikes(writer, block, trials);
    if (!append(part->binned, H5T_NATIVE_FLOAT, 2, cells, 1, part->bins, writer->row) ||
        !append_rates(writer, part, block, cells))
        return fail(writer, "the response", err);
    if (which == DATASET_TEST && writer->repeats > 0 && !append_repeats(writer, block))
        return fail(writer, "the repeats", err);
    if (!append_times(writer, part, block->bins))
        return fail(writer, "the times", err);
    part->bins += block->bins;
    return true;
}

/* out (bins) := in, Gaussian of SD 10 ms, in Hz; at the ends the mean over what there is. */
static void smooth(const float *in, float *out, int64_t bins, double bin_hz)
{
    enum { REACH = 16 };
    double sd_bins = 0.010 * bin_hz, weight[REACH + 1];
    for (int i = 0; i <= REACH; i++)
        weight[i] = exp(-0.5 * i * i / (sd_bins * sd_bins));
    for (int64_t t = 0; t < bins; t++) {
        double sum = 0.0, norm = 0.0;
        for (int i = -REACH; i <= REACH; i++)
            if (t + i >= 0 && t + i < bins) {
                sum += weight[abs(i)] * (double)in[t + i];
                norm += weight[abs(i)];
            }
        out[t] = (float)(sum / norm * bin_hz);
    }
}

/* One cell at a time: the row of a cell is what has to fit in memory. */
static bool add_firing_rate(const DatasetWriter *writer, const Part *part)
{
    size_t bins = (size_t)part->bins;
    float *row = malloc(2 * (bins + 1) * sizeof *row);
    const hsize_t dims[] = {(hsize_t)writer->cells, bins};
    hid_t response = H5Gopen2(part->group, "response", H5P_DEFAULT);
    hid_t rate = create_growing(response, dataset_response_names[DATASET_FIRING_RATE],
                                H5T_IEEE_F32LE, 2, dims, 1, CHUNK_RESPONSE_BINS);
    bool ok = row && rate >= 0 && H5Dset_extent(rate, dims) >= 0;
    for (int cell = 0; ok && bins > 0 && cell < writer->cells; cell++) {
        const hsize_t start[] = {(hsize_t)cell, 0}, count[] = {1, bins};
        hid_t space = H5Dget_space(part->binned), memory = H5Screate_simple(2, count, NULL);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        ok = H5Dread(part->binned, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, row) >= 0;
        smooth(row, row + bins, part->bins, writer->bin_hz);
        ok = ok && H5Dwrite(rate, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, row + bins) >= 0;
        H5Sclose(memory);
        H5Sclose(space);
    }
    if (rate >= 0)
        H5Dclose(rate);
    H5Gclose(response);
    free(row);
    return ok;
}

bool dataset_finish(DatasetWriter *writer, char *err)
{
    errno = 0;
    bool ok = !writer->has_failed;
    for (int i = 0; i < DATASET_PARTS; i++)
        ok = ok && add_firing_rate(writer, &writer->parts[i]);
    ok = ok && H5Fflush(writer->file, H5F_SCOPE_GLOBAL) >= 0;
    close_all(writer);
    ok = ok && rename(writer->part_path, writer->path) == 0;
    if (!ok)
        fail(writer, "the end of the data set", err);
    free(writer);
    return ok;
}

void dataset_abandon(DatasetWriter *writer)
{
    if (!writer)
        return;
    close_all(writer);
    remove(writer->part_path);
    free(writer);
}
