/* What a person gets for a mistake: exit status 2 and one line that names file, line, key and what
 * is allowed. Each case is one mistake in an otherwise sound protocol, or one bad model file. */
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "tests/program.h"
#include "tests/random_model.h"

enum { TEXT_BYTES = 4096 };

static const char sound_protocol[] = "name: sound\n"
                                     "seed: 1\n"
                                     "display:\n"
                                     "  refresh_hz: 60\n"
                                     "  um_per_px: 10\n"
                                     "  width_px: 300\n"
                                     "  height_px: 300\n"
                                     "models: [circuit]\n"
                                     "blocks:\n"
                                     "  - name: train\n"
                                     "    before_ms: 500\n"
                                     "    flicker:\n"
                                     "      periods_ms: [100]\n"
                                     "      flash_ms: 50\n"
                                     "      flashes: 4\n"
                                     "      contrast: -1\n"
                                     "  - name: turn\n"
                                     "    reversal:\n"
                                     "      turns_um: [0]\n"
                                     "      speed_um_per_s: 500\n"
                                     "      width_um: 165\n"
                                     "      contrast: -0.5\n"
                                     "      approach_um: 500\n";

static const char *folder;
static ProgramResult result;

// The sound protocol with its first `from` replaced by `to`.
static void write_protocol(const char *from, const char *to)
{
    char path[600], text[TEXT_BYTES];
    const char *at = strstr(sound_protocol, from);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - sound_protocol), sound_protocol, to,
             at + strlen(from));
    snprintf(path, sizeof path, "%s/case.yaml", folder);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

static void predict(const char *rest)
{
    static int number;
    char line[2048];
    snprintf(line, sizeof line, "$RETRACE predict %s/case.yaml --seconds 1 --out %s/out%d %s",
             folder, folder, number++, rest);
    program_run(line, &result);
}

static void refused(const char *from, const char *to, const char *place, const char *allowed)
{
    write_protocol(from, to);
    predict("");
    CU_ASSERT_EQUAL(result.status, 2);
    bool names_place = strstr(result.err, place) && strstr(result.err, allowed);
    if (!names_place)
        printf("said: %s", result.err);
    CU_ASSERT(names_place);
    CU_ASSERT_PTR_EQUAL(strchr(result.err, '\n'), result.err + strlen(result.err) - 1);
}

static void a_sound_protocol_is_played(void)
{
    write_protocol("seed: 1", "seed: 1");
    predict("");
    CU_ASSERT_EQUAL(result.status, 0);
}

static void unknown_key(void)
{
    refused("flashes: 4", "flashs: 4", "case.yaml:15:", "flashes");
}

static void wrong_unit(void)
{
    refused("flash_ms: 50", "flash_s: 0.05", "case.yaml:14:", "flash_ms");
}

static void negative_duration(void)
{
    refused("flash_ms: 50", "flash_ms: -50", "case.yaml:14: blocks[0].flicker.flash_ms", "-50");
}

static void no_whole_frame(void)
{
    refused("flash_ms: 50", "flash_ms: 55", "case.yaml:14: blocks[0].flicker.flash_ms", "50");
}

static void bar_off_the_field(void)
{
    refused("turns_um: [0]", "turns_um: [5000]", "case.yaml:19:", "1500");
}

static void bad_model(const char *name, const char *what)
{
    char option[700];
    snprintf(option, sizeof option, "--model %s/%s", folder, name);
    write_protocol("seed: 1", "seed: 1");
    predict(option);
    CU_ASSERT_EQUAL(result.status, 2);
    bool is_named = strstr(result.err, name) && strstr(result.err, what);
    if (!is_named)
        printf("said: %s", result.err);
    CU_ASSERT(is_named);
}

static void shell(const char *format)
{
    char line[2048];
    snprintf(line, sizeof line, "cd %s && %s", folder, format);
    CU_ASSERT_EQUAL(system(line), 0);
}

static void a_sound_model_is_run(void)
{
    RandomShape shape = {.width = 50,
                         .height = 50,
                         .history = 4,
                         .lag = 1,
                         .cells = 2,
                         .bin_hz = 100,
                         .channels1 = 2,
                         .kernel1_width = 5,
                         .kernel1_height = 5,
                         .channels2 = 2,
                         .kernel2_width = 3,
                         .kernel2_height = 3};
    RandomModel model;
    random_cnn(&model, &shape, 1);
    char line[700];
    snprintf(line, sizeof line, "mv %s model.h5", random_model_save(&model, folder));
    shell(line);
    random_model_finish(&model);
    write_protocol("seed: 1", "seed: 1");
    snprintf(line, sizeof line, "--model %s/model.h5", folder);
    predict(line);
    CU_ASSERT_EQUAL(result.status, 0);
}

static void missing_model(void)
{
    bad_model("nowhere.h5", "nowhere.h5");
}

static void truncated_model(void)
{
    shell("head -c 20000 model.h5 > truncated.h5");
    bad_model("truncated.h5", "truncated.h5");
}

static void text_as_model(void)
{
    shell("echo these are not weights > text.h5");
    bad_model("text.h5", "HDF5");
}

static void hdf5_that_is_no_model(void)
{
    char path[600];
    snprintf(path, sizeof path, "%s/other.h5", folder);
    H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    bad_model("other.h5", "retrace-model");
}

// A copy of the sound model for a test to spoil.
static hid_t open_copy(const char *name)
{
    char path[600], line[300];
    snprintf(line, sizeof line, "cp model.h5 %s", name);
    shell(line);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
}

static void nan_weights(void)
{
    hid_t file = open_copy("nan.h5");
    hid_t dataset = H5Dopen2(file, "conv1_weight", H5P_DEFAULT);
    hid_t space = H5Dget_space(dataset);
    size_t count = (size_t)H5Sget_simple_extent_npoints(space);
    float *weights = calloc(count, sizeof *weights);
    H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, weights);
    weights[7] = (float)strtod("nan", NULL);
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, weights);
    free(weights);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
    bad_model("nan.h5", "conv1_weight");
}

static void wrong_shape(void)
{
    hid_t file = open_copy("shape.h5");
    const hsize_t dims[] = {3, 5};
    H5Ldelete(file, "conv1_weight", H5P_DEFAULT);
    hid_t space = H5Screate_simple(2, dims, NULL);
    hid_t dataset = H5Dcreate2(file, "conv1_weight", H5T_NATIVE_FLOAT, space, H5P_DEFAULT,
                               H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Fclose(file);
    bad_model("shape.h5", "conv1_weight");
}

static void rate_unfit_for_the_display(void)
{
    hid_t file = open_copy("fast.h5");
    double bin_hz = 1000;
    hid_t attribute = H5Aopen(file, "bin_hz", H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_DOUBLE, &bin_hz);
    H5Aclose(attribute);
    H5Fclose(file);
    char option[700];
    snprintf(option, sizeof option, "--model %s/fast.h5", folder);
    write_protocol("seed: 1", "seed: 1");
    predict(option);
    CU_ASSERT_EQUAL(result.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "1000"));
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "60"));
}

static const TestCase cases[] = {
    {"a sound protocol is played, so that the mistakes below are the reason",
     a_sound_protocol_is_played},
    {"an unknown key is named with its line and the nearest allowed one", unknown_key},
    {"a wrong unit is named with its line and the right one", wrong_unit},
    {"a negative duration is named with its line", negative_duration},
    {"a duration of no whole frame is named with the nearest legal one", no_whole_frame},
    {"a bar off the field is named with the field's edge", bar_off_the_field},
    {"a sound model file is run, so that the faults below are the reason", a_sound_model_is_run},
    {"a missing model file is named", missing_model},
    {"a truncated model file is named", truncated_model},
    {"a text file given as a model is said to be no HDF5", text_as_model},
    {"an HDF5 file that is no model is said to be none", hdf5_that_is_no_model},
    {"NaN weights are named by their dataset", nan_weights},
    {"a dataset of the wrong shape is named", wrong_shape},
    {"a model rate the display cannot drive is named with both rates", rate_unfit_for_the_display},
};

int main(void)
{
    folder = test_folder("input");
    return test_main("cli_input", cases, sizeof cases / sizeof cases[0]);
}
