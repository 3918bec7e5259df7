/* A recording simulated by one command, predicted by another: the truth is stored beside it. */
#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/dataset.h"
#include "tests/program.h"

enum { CELLS = 24, LEAST_BINS = 500 };

static const char *folder;
static ProgramResult result;

static int shell(const char *format)
{
    char line[2048];
    snprintf(line, sizeof line, "cd %s && %s", folder, format);
    program_run(line, &result);
    return result.status;
}

static void circuit_predicts_its_own_recording(void)
{
    char line[2048], err[MODEL_ERR_BYTES];
    snprintf(line, sizeof line,
             "sed -e 's/^minutes:.*/minutes: 0.2/' -e 's/^test_minutes:.*/test_minutes: 0.1/' "
             "config/simulated-retina.yaml > %s/short.yaml",
             folder);
    program_run(line, &result);
    CU_ASSERT_EQUAL(shell("$RETRACE simulate short.yaml --out retina.h5"), 0);
    CU_ASSERT_EQUAL_FATAL(shell("$RETRACE predict --stimulus retina.h5:/test/stimulus "
                                "--model circuit --out run"),
                          0);
    snprintf(line, sizeof line, "%s/retina.h5", folder);
    Dataset *dataset = dataset_open(line, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    int bins = (int)dataset_bins(dataset, DATASET_TEST);
    CU_ASSERT(bins >= LEAST_BINS);
    float *truth = calloc((size_t)bins * CELLS, sizeof *truth);
    float *rates = calloc((size_t)bins * CELLS, sizeof *rates);
    CU_ASSERT(dataset_read_response(dataset, DATASET_TEST, DATASET_RATE, 0, bins, truth, err));
    snprintf(line, sizeof line, "%s/run/rates.f32", folder);
    FILE *file = fopen(line, "rb");
    CU_ASSERT_EQUAL((int)fread(rates, CELLS * sizeof *rates, (size_t)bins, file), bins);
    fclose(file);
    double worst = 0, most = 0;
    for (int b = 0; b < bins; b++)
        for (int c = 0; c < CELLS; c++) {
            worst = fmax(worst, fabs((double)rates[b * CELLS + c] - (double)truth[c * bins + b]));
            most = fmax(most, (double)truth[c * bins + b]);
        }
    CU_ASSERT(worst <= 1e-3);
    CU_ASSERT(most > 5);
    free(truth);
    free(rates);
    dataset_close(dataset);
}

static void movie_mistakes_are_named(void)
{
    CU_ASSERT_EQUAL(shell("$RETRACE predict --stimulus retina.h5:/nothing --model circuit"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "retina.h5:/nothing"));
    CU_ASSERT_EQUAL(shell("$RETRACE predict --stimulus retina.h5 --model circuit"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "FILE.h5:/path"));
    CU_ASSERT_EQUAL(shell("$RETRACE predict --stimulus retina.h5:/test/time --model circuit"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "3: frames, height, width"));
    CU_ASSERT_EQUAL(shell("$RETRACE predict --stimulus retina.h5:/test/stimulus"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.err, "--model"));
}

static const TestCase cases[] = {
    {"the circuit predicts the rates stored with its own recording",
     circuit_predicts_its_own_recording},
    {"a stimulus that is no movie is named with what is wanted", movie_mistakes_are_named},
};

int main(void)
{
    folder = test_folder("movie");
    return test_main("cli_movie", cases, sizeof cases / sizeof cases[0]);
}
