#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include "model/model.h"
#include "tests/harness.h"
#include "tests/random_model.h"

static RandomShape shape(void)
{
    return (RandomShape){.width = 12,
                         .height = 10,
                         .history = 4,
                         .lag = 1,
                         .cells = 2,
                         .bin_hz = 100,
                         .channels1 = 2,
                         .kernel1_width = 3,
                         .kernel1_height = 3,
                         .channels2 = 3,
                         .kernel2_width = 3,
                         .kernel2_height = 3,
                         .is_per_unit = true};
}

static const char *save_cnn(void)
{
    RandomModel random;
    RandomShape small = shape();
    random_cnn(&random, &small, 1);
    const char *path = random_model_save(&random, test_folder("weights"));
    random_model_finish(&random);
    return path;
}

/* Opening must fail with a sentence that begins with the path and holds `told`. */
static void check_refused(const char *path, const char *told)
{
    char err[MODEL_ERR_BYTES] = "";
    Model *model = model_open(path, err);
    CU_ASSERT_PTR_NULL(model);
    model_close(model);
    bool is_told = strncmp(err, path, strlen(path)) == 0 && strstr(err, told) != NULL;
    CU_ASSERT(is_told);
    if (!is_told)
        printf("\n    wanted \"%s\", got \"%s\"\n", told, err);
}

/* ---- a good file */

static void reading_gives_back_what_was_written(void)
{
    RandomModel random;
    RandomShape small = shape();
    random_cnn(&random, &small, 1);
    const float x_um[] = {-100, 25.5f}, y_um[] = {0, 300};
    random.file.info.cell_x_um = x_um;
    random.file.info.cell_y_um = y_um;
    random.file.info.is_simulated = true;
    random.file.info.stimulus = "flicker";
    char err[MODEL_ERR_BYTES] = "";
    ModelFile read;
    bool is_read = model_file_read(random_model_save(&random, test_folder("weights")), &read, err);
    CU_ASSERT_FATAL(is_read);
    const ModelInfo *a = &random.file.info, *b = &read.info;
    CU_ASSERT_STRING_EQUAL(b->kind, "cnn");
    CU_ASSERT_STRING_EQUAL(b->name, "random-cnn");
    CU_ASSERT_STRING_EQUAL(b->provenance, a->provenance);
    CU_ASSERT_STRING_EQUAL(b->licence, a->licence);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->stimulus);
    CU_ASSERT_STRING_EQUAL(b->stimulus, "flicker");
    CU_ASSERT_EQUAL(b->width_px, 12);
    CU_ASSERT_EQUAL(b->height_px, 10);
    CU_ASSERT_EQUAL(b->history_bins, 4);
    CU_ASSERT_EQUAL(b->lag_bins, 1);
    CU_ASSERT(b->is_simulated);
    CU_ASSERT(test_near(b->bin_hz, a->bin_hz, 0) && test_near(b->um_per_px, a->um_per_px, 0));
    CU_ASSERT(test_near(b->lum_mean, a->lum_mean, 0) && test_near(b->lum_sd, a->lum_sd, 0));
    CU_ASSERT(test_near(read.rate_scale_hz, random.file.rate_scale_hz, 0));
    CU_ASSERT_EQUAL_FATAL(b->cells, 2);
    CU_ASSERT_STRING_EQUAL(b->cell_names[1], "b");
    CU_ASSERT(memcmp(b->cell_x_um, x_um, sizeof x_um) == 0);
    CU_ASSERT(memcmp(b->cell_y_um, y_um, sizeof y_um) == 0);
    CU_ASSERT_EQUAL(read.tensor_count, random.file.tensor_count);
    for (int i = 0; i < random.file.tensor_count; i++) {
        const ModelTensor *wrote = &random.file.tensors[i];
        const ModelTensor *got = model_file_need(&read, wrote->name, wrote->rank, wrote->dims, err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(got);
        CU_ASSERT(memcmp(got->values, wrote->values, model_tensor_count(wrote) * sizeof(float)) ==
                  0);
    }
    model_file_finish(&read);
    model_file_finish(&read);
    random_model_finish(&random);
}

static void places_and_stimulus_are_optional(void)
{
    char err[MODEL_ERR_BYTES] = "";
    Model *model = model_open(save_cnn(), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    CU_ASSERT_PTR_NULL(model_info(model)->cell_x_um);
    CU_ASSERT_PTR_NULL(model_info(model)->stimulus);
    model_close(model);
}

/* ---- not a whole model file */

static void write_bytes(const char *path, const char *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static void missing_file_is_refused(void)
{
    check_refused("/nowhere/net.h5", "No such file");
    check_refused(test_folder("weights"), "not an HDF5 file");
}

static void other_file_is_refused(void)
{
    char path[600];
    snprintf(path, sizeof path, "%s/text.h5", test_folder("weights"));
    write_bytes(path, "name: white-noise\n", 18);
    check_refused(path, "not an HDF5 file");
    write_bytes(path, "", 0);
    check_refused(path, "not an HDF5 file");
}

static void truncated_file_is_refused(void)
{
    const char *path = save_cnn();
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    long bytes = ftell(file);
    fclose(file);
    for (int part = 9; part >= 1; part--) {
        CU_ASSERT_EQUAL_FATAL(truncate(path, bytes * part / 10), 0);
        check_refused(path, "truncated");
    }
    CU_ASSERT_EQUAL_FATAL(truncate(path, 20), 0);
    check_refused(path, "whole one is wanted");
}

static void other_hdf5_is_refused(void)
{
    char path[600];
    snprintf(path, sizeof path, "%s/data.h5", test_folder("weights"));
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    check_refused(path, "no model: attribute format is missing; allowed is \"retrace-model\"");
}

/* ---- one thing wrong in a good file */

static void set_attribute(hid_t root, const char *name, hid_t type, const void *value)
{
    H5Adelete(root, name);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(root, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(H5Awrite(attribute, type, value) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
}

static void set_text(hid_t root, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(text) + 1);
    set_attribute(root, name, type, text);
    H5Tclose(type);
}

static void set_dataset(hid_t root, const char *name, hid_t type, int rank, const hsize_t *dims)
{
    H5Ldelete(root, name, H5P_DEFAULT);
    hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, NULL);
    hid_t dataset = H5Dcreate2(root, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(dataset >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
}

static void set_value(hid_t root, const char *name, const hsize_t *at, hsize_t rank, float value)
{
    hid_t dataset = H5Dopen2(root, name, H5P_DEFAULT);
    hid_t space = H5Dget_space(dataset), one = H5Screate(H5S_SCALAR);
    CU_ASSERT(H5Sselect_elements(space, H5S_SELECT_SET, 1, at) >= 0 && rank > 0);
    CU_ASSERT(H5Dwrite(dataset, H5T_NATIVE_FLOAT, one, space, H5P_DEFAULT, &value) >= 0);
    H5Sclose(one);
    H5Sclose(space);
    H5Dclose(dataset);
}

typedef struct {
    const char *file; // path
    hid_t hdf5, root;
} Broken;

static Broken break_begin(void)
{
    Broken b = {.file = save_cnn()};
    b.hdf5 = H5Fopen(b.file, H5F_ACC_RDWR, H5P_DEFAULT);
    b.root = H5Gopen2(b.hdf5, "/", H5P_DEFAULT);
    return b;
}

static void break_end(const Broken *b, const char *told)
{
    H5Gclose(b->root);
    H5Fclose(b->hdf5);
    check_refused(b->file, told);
}

static void missing_attributes_are_refused(void)
{
    static const char *const names[] = {
        "version",   "kind",       "name",       "bin_hz",       "history_bins", "lag_bins",
        "um_per_px", "width_px",   "lum_sd",     "height_px",    "lum_mean",     "history_order",
        "licence",   "cell_names", "provenance", "is_simulated", "rate_scale_hz"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char told[64];
        snprintf(told, sizeof told, "attribute %s is missing", names[i]);
        Broken b = break_begin();
        CU_ASSERT(H5Adelete(b.root, names[i]) >= 0);
        break_end(&b, told);
    }
}

static void bad_numbers_are_refused(void)
{
    static const struct {
        const char *name;
        double value;
        const char *told;
    } rows[] = {
        {"bin_hz", 0, "attribute bin_hz is 0; allowed is above 0"},
        {"bin_hz", -100, "attribute bin_hz is -100"},
        {"bin_hz", (double)NAN, "attribute bin_hz is nan"},
        {"bin_hz", (double)INFINITY, "attribute bin_hz is inf"},
        {"history_bins", 0, "attribute history_bins is 0; allowed is a whole number from 1"},
        {"history_bins", 3.5, "attribute history_bins is 3.5"},
        {"lag_bins", -1, "attribute lag_bins is -1; allowed is a whole number from 0"},
        {"um_per_px", 0, "attribute um_per_px is 0"},
        {"width_px", 0, "attribute width_px is 0"},
        {"height_px", 1e6, "attribute height_px is 1e+06"},
        {"lum_mean", (double)NAN, "attribute lum_mean is nan"},
        {"lum_sd", 0, "attribute lum_sd is 0; allowed is above 0"},
        {"rate_scale_hz", -1, "attribute rate_scale_hz is -1"},
        {"is_simulated", 2, "attribute is_simulated is 2; allowed is 0 or 1"},
        {"version", 2, "attribute version is 2; allowed is 1"},
        {"kind", 1, "attribute kind holds no text"},
        {"history_bins", 5,
         "dataset conv1_weight has shape (2, 4, 3, 3); allowed is (any, 5, any, any)"},
        {"width_px", 13, "dataset scale1 has shape (2, 8, 10); allowed is (2, 8, 11)"},
        {"width_px", 2, "dataset conv1_weight has kernels of 3 × 3 px; allowed are at most 10 × 2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Broken b = break_begin();
        set_attribute(b.root, rows[i].name, H5T_NATIVE_DOUBLE, &rows[i].value);
        break_end(&b, rows[i].told);
    }
}

static void bad_texts_are_refused(void)
{
    static const struct {
        const char *name, *text, *told;
    } rows[] = {
        {"format", "keras", "attribute format is \"keras\"; allowed is \"retrace-model\""},
        {"kind", "gru", "kind \"gru\" is not known; cnn, subunit, glm, ln and reduced are"},
        {"kind", "convolutional-network", "attribute kind has 21 bytes; allowed are 1 to 15"},
        {"kind", "ln",
         "dataset filter is missing; a ln model needs it with shape (2, 4, any, any)"},
        {"history_order", "newest first", "allowed is \"oldest first\""},
        {"name", "", "attribute name has 0 bytes"},
        {"bin_hz", "100", "attribute bin_hz holds 1 value that are no numbers"},
        {"cell_names", "a", "dataset dense_weight has shape (2, 144); allowed is (1, 144)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Broken b = break_begin();
        set_text(b.root, rows[i].name, rows[i].text);
        break_end(&b, rows[i].told);
    }
}

static void missing_datasets_are_refused(void)
{
    static const char *const names[] = {"conv1_weight", "conv1_bias",  "scale1",     "shift1",
                                        "conv2_weight", "conv2_bias",  "scale2",     "shift2",
                                        "dense_weight", "dense_scale", "dense_shift"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char told[64];
        snprintf(told, sizeof told, "dataset %s is missing; a cnn model needs it", names[i]);
        Broken b = break_begin();
        CU_ASSERT(H5Ldelete(b.root, names[i], H5P_DEFAULT) >= 0);
        break_end(&b, told);
    }
}

static void bad_shapes_are_refused(void)
{
    static const struct {
        const char *name;
        int rank;
        hsize_t dims[5];
        const char *told;
    } rows[] = {
        {"conv1_weight",
         4,
         {2, 3, 3, 3},
         "conv1_weight has shape (2, 3, 3, 3); allowed is (any, 4, any, any)"},
        {"conv1_weight", 3, {2, 3, 3}, "conv1_weight has shape (2, 3, 3)"},
        {"conv1_weight", 4, {2, 4, 11, 3}, "has kernels of 11 × 3 px; allowed are at most 10 × 12"},
        {"conv1_weight", 4, {129, 4, 3, 3}, "conv1_weight has 129 channels; allowed are 1 to 128"},
        {"conv1_bias", 1, {3}, "conv1_bias has shape (3); allowed is (2)"},
        {"scale1", 1, {3}, "scale1 has shape (3); allowed is (2)"},
        {"scale1", 3, {2, 10, 8}, "scale1 has shape (2, 10, 8); allowed is (2, 8, 10)"},
        {"shift2", 2, {3, 48}, "shift2 has shape (3, 48); allowed is (3, 6, 8)"},
        {"dense_weight", 2, {2, 143}, "dense_weight has shape (2, 143); allowed is (2, 144)"},
        {"dense_shift", 1, {1}, "dense_shift has shape (1); allowed is (2)"},
        {"dense_shift",
         0,
         {0},
         "dense_shift is a float array of 0 dimensions; allowed are floats of 1 to 4"},
        {"dense_shift", 5, {1, 1, 1, 1, 2}, "dense_shift is a float array of 5 dimensions"},
        {"dense_shift", 1, {0}, "dense_shift has 0 along axis 0"},
        {"dense_shift", 2, {70000, 70000}, "dense_shift has 70000 along axis 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Broken b = break_begin();
        set_dataset(b.root, rows[i].name, H5T_IEEE_F32LE, rows[i].rank, rows[i].dims);
        break_end(&b, rows[i].told);
    }
    Broken b = break_begin();
    set_dataset(b.root, "scale2", H5T_STD_I32LE, 1, (const hsize_t[]){3});
    break_end(&b, "scale2 is no float array of 1 dimensions");
    b = break_begin();
    set_dataset(b.root, "a_dataset_with_a_name_beyond_all_reason", H5T_IEEE_F32LE, 1,
                (const hsize_t[]){3});
    break_end(&b, "its name is too long");
}

static void bad_weights_are_refused_with_their_index(void)
{
    Broken b = break_begin();
    set_value(b.root, "conv1_weight", (const hsize_t[]){1, 0, 2, 1}, 4, NAN);
    break_end(&b, "dataset conv1_weight[1, 0, 2, 1] is nan; allowed are finite numbers");
    b = break_begin();
    set_value(b.root, "dense_shift", (const hsize_t[]){1}, 1, -INFINITY);
    break_end(&b, "dataset dense_shift[1] is -inf");
}

/* ---- writing */

static void writing_holds_the_same_rules(void)
{
    RandomModel random;
    RandomShape small = shape();
    char err[MODEL_ERR_BYTES] = "", path[600], part[700];
    snprintf(path, sizeof path, "%s/net.h5", test_folder("weights"));
    snprintf(part, sizeof part, "%s.part", path);
    random_cnn(&random, &small, 1);
    random.arrays[0][5] = NAN;
    CU_ASSERT(!model_file_write(path, &random.file, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "conv1_weight[0, 0, 1, 2] is nan"));
    random.arrays[0][5] = 0;
    random.file.info.lum_sd = 0;
    CU_ASSERT(!model_file_write(path, &random.file, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "lum_sd is 0"));
    random.file.info.lum_sd = 1;
    CU_ASSERT(!model_file_write("/nowhere/net.h5", &random.file, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "/nowhere/net.h5: could not be written: No such file"));
    CU_ASSERT(access(path, F_OK) != 0 && access(part, F_OK) != 0);
    CU_ASSERT(model_file_write(path, &random.file, err));
    CU_ASSERT(access(path, F_OK) == 0 && access(part, F_OK) != 0);
    random_model_finish(&random);
}

int main(void)
{
    static const TestCase cases[] = {
        {"reading gives back what was written, bit for bit", reading_gives_back_what_was_written},
        {"a file need not know where its cells lie", places_and_stimulus_are_optional},
        {"a missing file is refused", missing_file_is_refused},
        {"a file that is no HDF5 is refused", other_file_is_refused},
        {"a file cut anywhere is refused", truncated_file_is_refused},
        {"HDF5 that holds no model is refused", other_hdf5_is_refused},
        {"each missing attribute is named", missing_attributes_are_refused},
        {"each bad number is named with what is allowed", bad_numbers_are_refused},
        {"each bad text is named with what is allowed", bad_texts_are_refused},
        {"each missing dataset is named", missing_datasets_are_refused},
        {"each bad shape is named with what is allowed", bad_shapes_are_refused},
        {"a weight that is not finite is named by its index",
         bad_weights_are_refused_with_their_index},
        {"writing holds the rules of reading and leaves no half file",
         writing_holds_the_same_rules},
    };
    return test_main("weights", cases, sizeof cases / sizeof cases[0]);
}
