/* Data sets in arrays of one's own: NPY and MATLAB files that a YAML names. */
#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "app/data.h"
#include "tests/made_up.h"

enum { TRAIN_S = 20, TEST_S = 8, TRAIN_BINS = 2000, TEST_BINS = 800 };

static char err[DATA_ERR_BYTES];
static const char *folder;

static const MadeUp *made(void)
{
    static MadeUp *made_up;
    if (!made_up)
        made_up = made_up_create(TRAIN_S, TEST_S, 9);
    return made_up;
}

static void path_to(const char *name, char *path)
{
    snprintf(path, 600, "%s/%s", folder, name);
}

static void write_npy(const char *name, const char *shape, const float *values, int64_t count)
{
    char path[600];
    path_to(name, path);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    const unsigned char head[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
    char dictionary[119];
    snprintf(dictionary, sizeof dictionary,
             "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", shape);
    fwrite(head, 1, sizeof head, file);
    fprintf(file, "%-117s\n", dictionary);
    CU_ASSERT_EQUAL(fwrite(values, sizeof *values, (size_t)count, file), (size_t)count);
    fclose(file);
}

/* MATLAB's variable of size dims: its first dimension is the fastest, HDF5 names it last, and 512
 * bytes of words come before all. */
static void put_variable(hid_t file, const char *name, int rank, const hsize_t *dims,
                         const float *values)
{
    hsize_t reversed[3];
    for (int i = 0; i < rank; i++)
        reversed[i] = dims[rank - 1 - i];
    hid_t space = H5Screate_simple(rank, reversed, NULL);
    hid_t data =
        H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(data);
    H5Sclose(space);
}

static hid_t create_mat(const char *name)
{
    char path[600];
    path_to(name, path);
    hid_t plist = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(plist, 512);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, plist, H5P_DEFAULT);
    CU_ASSERT_FATAL(file >= 0);
    H5Pclose(plist);
    return file;
}

static const char *write_yaml(const char *text)
{
    static char path[600];
    path_to("set.yaml", path);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static Dataset *opened(const char *yaml)
{
    Dataset *set = data_open(write_yaml(yaml), err);
    if (!set)
        printf("said: %s\n", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    return set;
}

/* A stretch of every array, against what was made up. */
static void holds_the_made_up(Dataset *set, DatasetResponse kind)
{
    enum { FROM = 123, BINS = 50 };
    static float lum[BINS * MADE_UP_PIXELS], values[MADE_UP_CELLS * BINS];
    CU_ASSERT_EQUAL(dataset_bins(set, DATASET_TRAIN), TRAIN_BINS);
    CU_ASSERT_EQUAL(dataset_bins(set, DATASET_TEST), TEST_BINS);
    CU_ASSERT_EQUAL(dataset_info(set)->width_px, MADE_UP_WIDTH_PX);
    CU_ASSERT_EQUAL(dataset_info(set)->height_px, MADE_UP_HEIGHT_PX);
    CU_ASSERT(dataset_read_lum(set, DATASET_TEST, FROM, BINS, lum, err));
    for (int i = 0; i < BINS * MADE_UP_PIXELS; i++)
        CU_ASSERT(test_near((double)lum[i],
                            (double)made()->levels[DATASET_TEST][FROM * MADE_UP_PIXELS + i] / 255,
                            1e-6));
    float *const *all = kind == DATASET_BINNED ? made()->binned : made()->rates_hz;
    CU_ASSERT(dataset_read_response(set, DATASET_TRAIN, kind, FROM, BINS, values, err));
    for (int cell = 0; cell < MADE_UP_CELLS; cell++)
        CU_ASSERT(memcmp(values + (ptrdiff_t)cell * BINS,
                         all[DATASET_TRAIN] + cell * TRAIN_BINS + FROM, BINS * sizeof(float)) == 0);
}

static void repeats_are_the_made_up(Dataset *set)
{
    enum { FROM = 300, BINS = 70 };
    static float trials[MADE_UP_REPEATS * BINS];
    CU_ASSERT_EQUAL(dataset_info(set)->repeats, MADE_UP_REPEATS);
    CU_ASSERT_EQUAL(dataset_info(set)->repeats_unit, DATASET_SPIKES_PER_BIN);
    for (int cell = 0; cell < MADE_UP_CELLS; cell++) {
        CU_ASSERT(dataset_read_repeats(set, cell, FROM, BINS, trials, err));
        for (int repeat = 0; repeat < MADE_UP_REPEATS; repeat++)
            CU_ASSERT(memcmp(trials + (ptrdiff_t)repeat * BINS,
                             made()->trials + (cell * MADE_UP_REPEATS + repeat) * TEST_BINS + FROM,
                             BINS * sizeof(float)) == 0);
    }
}

static void write_all_npy(void)
{
    write_npy("x.npy", "(2000, 5, 6)", made()->levels[DATASET_TRAIN], TRAIN_BINS * MADE_UP_PIXELS);
    write_npy("xt.npy", "(800, 5, 6)", made()->levels[DATASET_TEST], TEST_BINS * MADE_UP_PIXELS);
    write_npy("y.npy", "(3, 2000)", made()->binned[DATASET_TRAIN], TRAIN_BINS * MADE_UP_CELLS);
    write_npy("yt.npy", "(3, 800)", made()->binned[DATASET_TEST], TEST_BINS * MADE_UP_CELLS);
    write_npy("trials.npy", "(3, 4, 800)", made()->trials,
              TEST_BINS * MADE_UP_CELLS * MADE_UP_REPEATS);
}

static void npy_arrays_are_read(void)
{
    write_all_npy();
    Dataset *set = opened("name: my retina\nlicence: CC0\nbin_hz: 100\num_per_px: 50\n"
                          "lum_per_level: 0.00392156862745098\nresponse_unit: spikes_per_bin\n"
                          "cell_names: [left, middle, right]\n"
                          "train: {stimulus: x.npy, response: y.npy}\n"
                          "test: {stimulus: xt.npy, response: yt.npy, repeats: trials.npy}\n");
    const DatasetInfo *info = dataset_info(set);
    CU_ASSERT_STRING_EQUAL(info->name, "my retina");
    CU_ASSERT_STRING_EQUAL(info->licence, "CC0");
    CU_ASSERT_STRING_EQUAL(info->cell_names[2], "right");
    CU_ASSERT(test_near(info->bin_hz, 100.0, 0.0) && test_near(info->um_per_px, 50.0, 0.0));
    holds_the_made_up(set, DATASET_BINNED);
    repeats_are_the_made_up(set);
    dataset_close(set);
}

/* out (x, y, T) := in (T, y, x). */
static float *turned(const float *in, int64_t bins)
{
    float *out = malloc((size_t)(bins * MADE_UP_PIXELS) * sizeof *out);
    for (int64_t t = 0; t < bins; t++)
        for (int y = 0; y < MADE_UP_HEIGHT_PX; y++)
            for (int x = 0; x < MADE_UP_WIDTH_PX; x++)
                out[(x * MADE_UP_HEIGHT_PX + y) * bins + t] =
                    in[(t * MADE_UP_HEIGHT_PX + y) * MADE_UP_WIDTH_PX + x];
    return out;
}

static void axes_are_taken_as_they_are_said(void)
{
    write_all_npy();
    float *x = turned(made()->levels[DATASET_TRAIN], TRAIN_BINS);
    float *xt = turned(made()->levels[DATASET_TEST], TEST_BINS);
    write_npy("x.npy", "(6, 5, 2000)", x, TRAIN_BINS * MADE_UP_PIXELS);
    write_npy("xt.npy", "(6, 5, 800)", xt, TEST_BINS * MADE_UP_PIXELS);
    write_npy("y.npy", "(3, 2000)", made()->rates_hz[DATASET_TRAIN], TRAIN_BINS * MADE_UP_CELLS);
    static const char words[] = "name: my retina\nbin_hz: 100\nlum_per_level: 0.00392156862745098\n"
                                "response_unit: hz\n%s"
                                "train: {stimulus: x.npy, response: y.npy}\n"
                                "test: {stimulus: xt.npy, response: yt.npy}\n";
    char text[1000];
    snprintf(text, sizeof text, words, "axes: {stimulus: [x, y, time]}\n");
    Dataset *set = opened(text);
    holds_the_made_up(set, DATASET_FIRING_RATE);
    dataset_close(set);
    snprintf(text, sizeof text, words, "");
    CU_ASSERT_PTR_NULL(data_open(write_yaml(text), err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "train/stimulus is (6, 5, 2000) by its axes, time last"));
    free(x);
    free(xt);
}

/* In MATLAB: x(width, height, T), y(T, cells), trials(T, repeats, cells). */
static void matlab_arrays_are_read_as_matlab_shows_them(void)
{
    hid_t file = create_mat("day.mat");
    put_variable(file, "x", 3, (hsize_t[]){6, 5, TRAIN_BINS}, made()->levels[DATASET_TRAIN]);
    put_variable(file, "xt", 3, (hsize_t[]){6, 5, TEST_BINS}, made()->levels[DATASET_TEST]);
    put_variable(file, "y", 2, (hsize_t[]){TRAIN_BINS, 3}, made()->binned[DATASET_TRAIN]);
    put_variable(file, "yt", 2, (hsize_t[]){TEST_BINS, 3}, made()->binned[DATASET_TEST]);
    put_variable(file, "trials", 3, (hsize_t[]){TEST_BINS, 4, 3}, made()->trials);
    float time_s[TRAIN_BINS];
    for (int i = 0; i < TRAIN_BINS; i++)
        time_s[i] = (float)i / 128.0f;
    put_variable(file, "t", 2, (hsize_t[]){1, TRAIN_BINS}, time_s);
    H5Fclose(file);
    Dataset *set = opened("name: day\nlum_per_level: 0.00392156862745098\n"
                          "response_unit: spikes_per_bin\n"
                          "axes:\n  stimulus: [x, y, time]\n  response: [time, cell]\n"
                          "  repeats: [time, repeat, cell]\n"
                          "train: {stimulus: 'day.mat:/x', response: 'day.mat:/y', "
                          "time: 'day.mat:/t'}\n"
                          "test: {stimulus: 'day.mat:/xt', response: 'day.mat:/yt', "
                          "repeats: 'day.mat:/trials'}\n");
    CU_ASSERT(test_near(dataset_info(set)->bin_hz, 128.0, 0.0));
    holds_the_made_up(set, DATASET_BINNED);
    repeats_are_the_made_up(set);
    dataset_close(set);
}

static void refuses(const char *yaml, const char *words)
{
    Dataset *set = data_open(write_yaml(yaml), err);
    CU_ASSERT_PTR_NULL(set);
    bool is_said = strstr(err, words) != NULL;
    if (!is_said)
        printf("said: %s\n", err);
    CU_ASSERT(is_said);
    dataset_close(set);
}

static void a_faulty_yaml_is_refused_with_its_line(void)
{
    write_all_npy();
#define START "name: a\nbin_hz: 100\nresponse_unit: hz\n"
#define TRAIN "train: {stimulus: x.npy, response: y.npy}\n"
    refuses(START, "set.yaml:1: train: is missing, and so is test; a data set needs one of them");
    refuses("name: a\nresponse_unit: hz\n" TRAIN, "bin_hz: is missing, and no part has a time");
    refuses(START "axes: {stimulus: [time, y, y]}\n" TRAIN,
            "set.yaml:4: axes.stimulus: must name each of time, y, x once");
    refuses(START "axes: {response: [time, x]}\n" TRAIN,
            "set.yaml:4: axes.response: must name each of cell, time once");
    refuses("name: a\nbin_hz: -1\nresponse_unit: hz\n" TRAIN, "set.yaml:2: bin_hz: is -1; above 0");
    refuses("name: a\nbin_hz: 100\nresponse_unit: spikes\n" TRAIN,
            "set.yaml:3: response_unit: spikes is not known here; one of: spikes_per_bin, hz");
    refuses(START "train: {stimulus: x.mat, response: y.npy}\n",
            "set.yaml:4: train.stimulus: is x.mat; must be FILE.npy, FILE.mat:/variable");
    refuses(START "train: {stimulus: x.npy, response: y.npy, repeats: r.npy}\n",
            "set.yaml:4: train.repeats: must not be here; repeats are of test");
    refuses(START "train: {stimulus: x.npy, response: none.npy}\n", "none.npy: No such file");
    refuses(START "cell_names: [one]\n" TRAIN,
            "cell_names has 1 entries; must have one for each of the 3 cells");
}

static void an_old_mat_file_is_named(void)
{
    char path[600];
    path_to("old.mat", path);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fprintf(file, "%-124s", "MATLAB 5.0 MAT-file, Platform: GLNXA64");
    fclose(file);
    refuses(START "train: {stimulus: 'old.mat:/x', response: y.npy}\n",
            "old.mat: is a MAT file of an older version; allowed is version 7.3");
    H5Fclose(create_mat("new.mat"));
    refuses(START "train: {stimulus: 'new.mat:/x', response: y.npy}\n",
            "new.mat: holds nothing named /x");
}

static void a_set_that_is_not_fit_is_refused_after_its_findings(void)
{
    char path[600], said[4096] = "";
    path_to("short.h5", path);
    made_up_write(made(), path);
    Dataset *set = data_open(path, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    FILE *talk = tmpfile();
    CU_ASSERT_FALSE(data_is_fit(set, talk, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "short.h5: is not fit to be fitted; errors, as above: 1"));
    rewind(talk);
    CU_ASSERT(fread(said, 1, sizeof said - 1, talk) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "error       train is too short: 20.0 s"));
    fclose(talk);
    dataset_close(set);
}

static const TestCase cases[] = {
    {"NPY arrays are read", npy_arrays_are_read},
    {"axes are taken as they are said", axes_are_taken_as_they_are_said},
    {"MATLAB arrays are read as MATLAB shows them", matlab_arrays_are_read_as_matlab_shows_them},
    {"a faulty YAML is refused with its line", a_faulty_yaml_is_refused_with_its_line},
    {"an old MAT file is named", an_old_mat_file_is_named},
    {"a set that is not fit is refused after its findings",
     a_set_that_is_not_fit_is_refused_after_its_findings},
};

int main(void)
{
    folder = test_folder("data");
    return test_main("data", cases, sizeof cases / sizeof cases[0]);
}
