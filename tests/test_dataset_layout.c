/* Files of the layout as others write them. */
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/dataset.h"
#include "tests/made_up.h"

enum { TRAIN_S = 20, TEST_S = 8, TEST_BINS = 800 };

static char err[MODEL_ERR_BYTES];

static Dataset *written(const MadeUp *made_up)
{
    char path[600];
    snprintf(path, sizeof path, "%s/set.h5", test_folder("dataset_layout"));
    made_up_write(made_up, path);
    Dataset *set = dataset_open(path, err);
    if (!set)
        printf("said: %s\n", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    return set;
}

static MadeUp *sound(void)
{
    return made_up_create(TRAIN_S, TEST_S, 5);
}

static void repeats_read_back(DatasetRepeatsForm form, const char *item)
{
    MadeUp *m = sound();
    m->form = form;
    Dataset *set = written(m);
    const DatasetInfo *info = dataset_info(set);
    CU_ASSERT_EQUAL(info->repeats, MADE_UP_REPEATS);
    CU_ASSERT_EQUAL(info->repeats_form, form);
    CU_ASSERT_EQUAL(info->repeats_unit, DATASET_SPIKES_PER_BIN);
    static float trials[MADE_UP_REPEATS * 300];
    for (int cell = 0; cell < MADE_UP_CELLS; cell++) {
        CU_ASSERT(dataset_read_repeats(set, cell, 450, 300, trials, err));
        for (int repeat = 0; repeat < MADE_UP_REPEATS; repeat++)
            CU_ASSERT(memcmp(trials + repeat * 300L,
                             m->trials + (cell * MADE_UP_REPEATS + repeat) * TEST_BINS + 450,
                             300 * sizeof(float)) == 0);
    }
    CU_ASSERT_FALSE(dataset_read_repeats(set, 0, TEST_BINS - 1, 2, trials, err));
    int last = 0;
    while (dataset_item(set, last + 1))
        last++;
    CU_ASSERT_STRING_EQUAL(dataset_item(set, last)->name, item);
    dataset_close(set);
    made_up_destroy(m);
}

static void repeats_by_cell(void)
{
    repeats_read_back(DATASET_REPEATS_BY_CELL, "test/repeats/cell9");
}

static void repeats_by_response(void)
{
    repeats_read_back(DATASET_REPEATS_BY_RESPONSE, "test/repeats/binned");
}

static void repeats_in_one_array(void)
{
    repeats_read_back(DATASET_REPEATS_ARRAY, "test/repeats");
}

/* By their names cell10 comes before cell9. */
static void cells_come_in_the_order_of_their_numbers(void)
{
    MadeUp *m = sound();
    Dataset *set = written(m);
    CU_ASSERT_STRING_EQUAL(dataset_info(set)->cell_names[0], "cell9");
    CU_ASSERT_STRING_EQUAL(dataset_info(set)->cell_names[1], "cell10");
    CU_ASSERT_STRING_EQUAL(dataset_info(set)->cell_names[2], "cell11");
    dataset_close(set);
    made_up_destroy(m);
}

static DatasetUnit unit_of_repeats_times(float factor)
{
    MadeUp *m = sound();
    for (int64_t i = 0; i < TEST_BINS * MADE_UP_CELLS * MADE_UP_REPEATS; i++)
        m->trials[i] *= factor;
    Dataset *set = written(m);
    DatasetUnit unit = dataset_info(set)->repeats_unit;
    dataset_close(set);
    made_up_destroy(m);
    return unit;
}

static void unit_of_repeats_is_told(void)
{
    CU_ASSERT_EQUAL(unit_of_repeats_times(1.0f), DATASET_SPIKES_PER_BIN);
    CU_ASSERT_EQUAL(unit_of_repeats_times(2.0f), DATASET_SPIKES_PER_BIN);
    CU_ASSERT_EQUAL(unit_of_repeats_times(100.0f), DATASET_HZ);
    CU_ASSERT_EQUAL(unit_of_repeats_times(39.89f), DATASET_HZ);
    CU_ASSERT_EQUAL(unit_of_repeats_times(0.0f), DATASET_SPIKES_PER_BIN);
}

static void responses_of_one_bin_more_are_cut(void)
{
    MadeUp *m = sound();
    m->response_bins_more = 1;
    Dataset *set = written(m);
    CU_ASSERT_EQUAL(dataset_bins(set, DATASET_TRAIN), 100 * TRAIN_S);
    CU_ASSERT_EQUAL(dataset_bins(set, DATASET_TEST), TEST_BINS);
    CU_ASSERT_EQUAL(dataset_info(set)->repeats, MADE_UP_REPEATS);
    float binned[3 * MADE_UP_CELLS];
    CU_ASSERT(
        dataset_read_response(set, DATASET_TEST, DATASET_BINNED, TEST_BINS - 3, 3, binned, err));
    CU_ASSERT_FALSE(
        dataset_read_response(set, DATASET_TEST, DATASET_BINNED, TEST_BINS - 2, 3, binned, err));
    dataset_close(set);
    made_up_destroy(m);
}

static double rate_timed(double step_s)
{
    MadeUp *m = sound();
    for (int part = 0; part < DATASET_PARTS; part++)
        for (int64_t bin = 0; bin < m->bins[part]; bin++)
            m->time_s[part][bin] = step_s * (double)bin + (bin >= 500 ? 3.0 : 0.0);
    Dataset *set = written(m);
    CU_ASSERT_EQUAL(dataset_info(set)->bin_hz_source, DATASET_BIN_HZ_TIMED);
    double bin_hz = dataset_info(set)->bin_hz;
    dataset_close(set);
    made_up_destroy(m);
    return bin_hz;
}

static void bin_rate_comes_from_the_median_step(void)
{
    CU_ASSERT(test_near(rate_timed(0.01), 100.0, 0.0));
    CU_ASSERT(test_near(rate_timed(0.0099985), 100.0, 0.0));
    CU_ASSERT(test_near(rate_timed(1.0 / 59.94), 59.94, 1e-6));
}

static void time_reads_back(void)
{
    MadeUp *m = sound();
    Dataset *set = written(m);
    double time_s[50];
    CU_ASSERT(dataset_has_time(set, DATASET_TRAIN));
    CU_ASSERT(dataset_read_time(set, DATASET_TRAIN, 700, 50, time_s, err));
    CU_ASSERT(memcmp(time_s, m->time_s[DATASET_TRAIN] + 700, sizeof time_s) == 0);
    dataset_close(set);
    made_up_destroy(m);
}

/* Nothing is lost but the repeats. */
static void repeats_of_another_length_are_left_out(void)
{
    MadeUp *m = sound(), *other = made_up_create(TRAIN_S, 2 * TEST_S, 6);
    float *trials = m->trials;
    for (int form = DATASET_REPEATS_BY_CELL; form <= DATASET_REPEATS_ARRAY; form++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "test/%s is (",
                 form == DATASET_REPEATS_BY_CELL       ? "repeats/cell9"
                 : form == DATASET_REPEATS_BY_RESPONSE ? "repeats/binned"
                                                       : "repeats");
        m->form = (DatasetRepeatsForm)form;
        m->trials = other->trials;
        m->repeats_bins = 2 * TEST_BINS;
        Dataset *set = written(m);
        CU_ASSERT_EQUAL(dataset_info(set)->repeats, 0);
        CU_ASSERT_EQUAL(dataset_info(set)->repeats_form, DATASET_REPEATS_NONE);
        CU_ASSERT(strncmp(dataset_info(set)->repeats_problem, wanted, strlen(wanted)) == 0);
        CU_ASSERT_EQUAL(dataset_bins(set, DATASET_TEST), TEST_BINS);
        dataset_close(set);
    }
    m->trials = trials;
    made_up_destroy(m);
    made_up_destroy(other);
}

static const TestCase cases[] = {
    {"repeats in a group by cell are read", repeats_by_cell},
    {"repeats in a group by response are read", repeats_by_response},
    {"repeats in one array are read", repeats_in_one_array},
    {"cells come in the order of their numbers", cells_come_in_the_order_of_their_numbers},
    {"counts and rates are told apart in repeats", unit_of_repeats_is_told},
    {"responses of one bin more than the stimulus are cut", responses_of_one_bin_more_are_cut},
    {"the bin rate comes from the median step of time", bin_rate_comes_from_the_median_step},
    {"time reads back", time_reads_back},
    {"repeats of another length are left out and named", repeats_of_another_length_are_left_out},
};

int main(void)
{
    return test_main("dataset_layout", cases, sizeof cases / sizeof cases[0]);
}
