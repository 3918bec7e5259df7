#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include "model/dataset.h"

enum { W = 5, H = 4, CELLS = 3, REPEATS = 2, PIXELS = W * H, BLOCK = 7, BLOCKS = 30 };

static const char *const names[CELLS] = {"a", "b", "c"};
static const float x_um[CELLS] = {0, 10, -20}, y_um[CELLS] = {5, 0, -5};

static DatasetInfo about(void)
{
    return (DatasetInfo){.name = "made up",
                         .width_px = W,
                         .height_px = H,
                         .um_per_px = 50.0,
                         .bin_hz = 100.0,
                         .lum_per_level = 1.0 / DATASET_LEVEL_WHITE,
                         .cells = CELLS,
                         .cell_names = names,
                         .cell_x_um = x_um,
                         .cell_y_um = y_um,
                         .provenance = "written in a test",
                         .is_simulated = true,
                         .repeats = REPEATS};
}

/* Every value of the set is a formula of where it stands. */
static uint8_t level_at(int64_t bin, int pixel)
{
    return (uint8_t)((bin * 31 + pixel * 7) % (DATASET_LEVEL_WHITE + 1));
}

static float rate_at(int64_t bin, int cell)
{
    return (float)bin + 1000.0f * (float)cell;
}

static uint8_t spikes_at(int64_t bin, int trial, int cell)
{
    return (uint8_t)((bin + 2 * trial + 3 * cell) % 4);
}

static bool append_block(DatasetWriter *writer, DatasetPart part, int64_t from, char *err)
{
    static uint8_t levels[BLOCK * PIXELS], spikes[BLOCK * REPEATS * CELLS];
    static float rates_hz[BLOCK * CELLS];
    int trials = part == DATASET_TEST ? REPEATS : 1;
    for (int bin = 0; bin < BLOCK; bin++) {
        for (int i = 0; i < PIXELS; i++)
            levels[bin * PIXELS + i] = level_at(from + bin, i);
        for (int cell = 0; cell < CELLS; cell++) {
            rates_hz[bin * CELLS + cell] = rate_at(from + bin, cell);
            for (int trial = 0; trial < trials; trial++)
                spikes[(bin * trials + trial) * CELLS + cell] = spikes_at(from + bin, trial, cell);
        }
    }
    DatasetBlock block = {BLOCK, levels, rates_hz, spikes};
    return dataset_append(writer, part, &block, err);
}

static void write_set(const char *path)
{
    char err[MODEL_ERR_BYTES];
    DatasetInfo info = about();
    DatasetWriter *writer = dataset_create(path, &info, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    for (int i = 0; i < BLOCKS; i++) {
        CU_ASSERT_FATAL(append_block(writer, DATASET_TRAIN, (int64_t)i * BLOCK, err));
        if (i < 2)
            CU_ASSERT_FATAL(append_block(writer, DATASET_TEST, (int64_t)i * BLOCK, err));
    }
    CU_ASSERT_FATAL(dataset_finish(writer, err));
}

static const char *set_path(void)
{
    static char path[600];
    if (!*path) {
        snprintf(path, sizeof path, "%s/set.h5", test_folder("dataset"));
        write_set(path);
    }
    return path;
}

static Dataset *open_set(void)
{
    char err[MODEL_ERR_BYTES];
    Dataset *set = dataset_open(set_path(), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    return set;
}

static void what_was_said_of_it_comes_back(void)
{
    Dataset *set = open_set();
    const DatasetInfo *info = dataset_info(set);
    CU_ASSERT_STRING_EQUAL(info->name, "made up");
    CU_ASSERT_STRING_EQUAL(info->provenance, "written in a test");
    CU_ASSERT(info->width_px == W && info->height_px == H && info->cells == CELLS);
    CU_ASSERT(info->is_simulated && info->repeats == REPEATS);
    CU_ASSERT(test_near(info->um_per_px, 50.0, 0.0));
    for (int i = 0; i < CELLS; i++) {
        CU_ASSERT_STRING_EQUAL(info->cell_names[i], names[i]);
        CU_ASSERT(test_near((double)info->cell_x_um[i], (double)x_um[i], 0.0));
        CU_ASSERT(test_near((double)info->cell_y_um[i], (double)y_um[i], 0.0));
    }
    CU_ASSERT_EQUAL(dataset_bins(set, DATASET_TRAIN), BLOCKS * BLOCK);
    CU_ASSERT_EQUAL(dataset_bins(set, DATASET_TEST), 2 * BLOCK);
    dataset_close(set);
}

static void any_stretch_reads_back_what_was_appended(void)
{
    enum { FROM = 100, BINS = 25 };
    char err[MODEL_ERR_BYTES];
    float lum[BINS * PIXELS], rates_hz[CELLS * BINS], binned[CELLS * BINS];
    Dataset *set = open_set();
    CU_ASSERT(dataset_read_lum(set, DATASET_TRAIN, FROM, BINS, lum, err));
    CU_ASSERT(dataset_read_response(set, DATASET_TRAIN, DATASET_RATE, FROM, BINS, rates_hz, err));
    CU_ASSERT(dataset_read_response(set, DATASET_TRAIN, DATASET_BINNED, FROM, BINS, binned, err));
    for (int bin = 0; bin < BINS; bin++) {
        for (int i = 0; i < PIXELS; i++)
            CU_ASSERT(test_near((double)lum[bin * PIXELS + i],
                                level_at(FROM + bin, i) / (double)DATASET_LEVEL_WHITE, 1e-6));
        for (int cell = 0; cell < CELLS; cell++) {
            CU_ASSERT(test_near((double)rates_hz[cell * BINS + bin],
                                (double)rate_at(FROM + bin, cell), 0.0));
            CU_ASSERT(
                test_near((double)binned[cell * BINS + bin], spikes_at(FROM + bin, 0, cell), 0.0));
        }
    }
    CU_ASSERT_FALSE(dataset_read_lum(set, DATASET_TRAIN, BLOCKS * BLOCK - 1, 2, lum, err));
    dataset_close(set);
}

static void repeats_are_kept_apart_and_their_mean_is_binned(void)
{
    enum { BINS = 2 * BLOCK };
    char err[MODEL_ERR_BYTES];
    float trials[REPEATS * BINS], binned[CELLS * BINS];
    Dataset *set = open_set();
    CU_ASSERT(dataset_read_response(set, DATASET_TEST, DATASET_BINNED, 0, BINS, binned, err));
    for (int cell = 0; cell < CELLS; cell++) {
        CU_ASSERT(dataset_read_repeats(set, cell, 0, BINS, trials, err));
        for (int bin = 0; bin < BINS; bin++) {
            double sum = 0.0;
            for (int trial = 0; trial < REPEATS; trial++) {
                CU_ASSERT(test_near((double)trials[trial * BINS + bin], spikes_at(bin, trial, cell),
                                    0.0));
                sum += spikes_at(bin, trial, cell);
            }
            CU_ASSERT(test_near((double)binned[cell * BINS + bin], sum / REPEATS, 1e-6));
        }
    }
    dataset_close(set);
}

/* 100 Hz times a Gaussian of SD one bin, away from the ends. */
static void firing_rate_is_binned_smoothed_by_10_ms(void)
{
    enum { BINS = BLOCK * BLOCKS };
    char err[MODEL_ERR_BYTES];
    static float binned[CELLS * BINS], rates_hz[CELLS * BINS];
    Dataset *set = open_set();
    CU_ASSERT(dataset_read_response(set, DATASET_TRAIN, DATASET_BINNED, 0, BINS, binned, err));
    CU_ASSERT(
        dataset_read_response(set, DATASET_TRAIN, DATASET_FIRING_RATE, 0, BINS, rates_hz, err));
    for (int cell = 0; cell < CELLS; cell++)
        for (int bin = 20; bin < BINS - 20; bin++) {
            double sum = 0.0;
            for (int i = -8; i <= 8; i++)
                sum += 100.0 * exp(-0.5 * i * i) / sqrt(2.0 * 3.14159265358979) *
                       (double)binned[cell * BINS + bin + i];
            CU_ASSERT(test_near((double)rates_hz[cell * BINS + bin], sum, 0.01));
        }
    dataset_close(set);
}

static void a_set_appears_under_its_name_only_when_whole(void)
{
    char err[MODEL_ERR_BYTES], path[600];
    snprintf(path, sizeof path, "%s/half.h5", test_folder("dataset"));
    DatasetInfo info = about();
    DatasetWriter *writer = dataset_create(path, &info, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    CU_ASSERT(append_block(writer, DATASET_TRAIN, 0, err));
    CU_ASSERT(access(path, F_OK) != 0);
    dataset_abandon(writer);
    CU_ASSERT(access(path, F_OK) != 0);
    CU_ASSERT_PTR_NULL(dataset_open(path, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "half.h5"));
}

/* A set of others has none of our attributes: floats are luminance, cells are counted from 1. */
static void a_plain_file_of_the_layout_is_read(void)
{
    char err[MODEL_ERR_BYTES], path[600];
    snprintf(path, sizeof path, "%s/plain.h5", test_folder("dataset"));
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(file, "train", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t inner = H5Gcreate2(group, "response", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t image[] = {2, 1, 2}, rates[] = {1, 2};
    const float pixels[] = {0.25f, 0.5f, 0.75f, 1.0f}, counts[] = {0, 3};
    hid_t space = H5Screate_simple(3, image, NULL);
    hid_t data =
        H5Dcreate2(group, "stimulus", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, pixels);
    H5Dclose(data);
    H5Sclose(space);
    space = H5Screate_simple(2, rates, NULL);
    data = H5Dcreate2(inner, "binned", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, counts);
    H5Dclose(data);
    H5Sclose(space);
    H5Gclose(inner);
    H5Gclose(group);
    H5Fclose(file);

    Dataset *set = dataset_open(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    float lum[4], binned[2];
    CU_ASSERT_STRING_EQUAL(dataset_info(set)->cell_names[0], "cell01");
    CU_ASSERT_FALSE(dataset_info(set)->is_simulated);
    CU_ASSERT_FALSE(dataset_has(set, DATASET_TRAIN, DATASET_RATE));
    CU_ASSERT(dataset_read_lum(set, DATASET_TRAIN, 0, 2, lum, err));
    CU_ASSERT(memcmp(lum, pixels, sizeof lum) == 0);
    CU_ASSERT(dataset_read_response(set, DATASET_TRAIN, DATASET_BINNED, 0, 2, binned, err));
    CU_ASSERT(memcmp(binned, counts, sizeof counts) == 0);
    CU_ASSERT_EQUAL(dataset_bins(set, DATASET_TEST), 0);
    dataset_close(set);
}

static const TestCase cases[] = {
    {"what was said of it comes back", what_was_said_of_it_comes_back},
    {"any stretch reads back what was appended", any_stretch_reads_back_what_was_appended},
    {"repeats are kept apart and their mean is binned",
     repeats_are_kept_apart_and_their_mean_is_binned},
    {"firing rate is binned smoothed by 10 ms", firing_rate_is_binned_smoothed_by_10_ms},
    {"a set appears under its name only when whole", a_set_appears_under_its_name_only_when_whole},
    {"a plain file of the layout is read", a_plain_file_of_the_layout_is_read},
};

int main(void)
{
    return test_main("dataset", cases, sizeof cases / sizeof cases[0]);
}
