#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/dataset_check.h"
#include "tests/made_up.h"

enum { SIX_MIN_S = 360, TEST_S = 30 };

static char err[MODEL_ERR_BYTES];

/* The set as written and read back; NULL when it is refused, with the sentence in err. */
static Dataset *written(const MadeUp *made_up)
{
    char path[600];
    snprintf(path, sizeof path, "%s/set.h5", test_folder("dataset_check"));
    made_up_write(made_up, path);
    return dataset_open(path, err);
}

static DatasetReport *checked(const MadeUp *made_up)
{
    Dataset *set = written(made_up);
    if (!set)
        printf("said: %s\n", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    DatasetReport *report = dataset_check(set, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    dataset_close(set);
    return report;
}

static MadeUp *sound(void)
{
    return made_up_create(SIX_MIN_S, TEST_S, 1);
}

/* One finding, of this weight, holds all words; others may stand beside it. */
static void says(MadeUp *made_up, bool is_error, const char *words)
{
    DatasetReport *report = checked(made_up);
    bool is_said = false;
    for (int i = 0; i < report->findings_count; i++)
        is_said = is_said || (strstr(report->findings[i].sentence, words) &&
                              report->findings[i].is_error == is_error);
    for (int i = 0; !is_said && i < report->findings_count; i++)
        printf("said: %s\n", report->findings[i].sentence);
    CU_ASSERT(is_said);
    CU_ASSERT_EQUAL(report->errors > 0, is_error);
    dataset_report_destroy(report);
    made_up_destroy(made_up);
}

static void refuses(MadeUp *made_up, const char *words)
{
    Dataset *set = written(made_up);
    CU_ASSERT_PTR_NULL(set);
    bool is_said = strstr(err, words) != NULL;
    if (!is_said)
        printf("said: %s\n", err);
    CU_ASSERT(is_said);
    dataset_close(set);
    made_up_destroy(made_up);
}

static void sound_data_give_no_finding(void)
{
    for (uint32_t seed = 1; seed <= 3; seed++) {
        MadeUp *m = made_up_create(SIX_MIN_S, TEST_S, seed);
        DatasetReport *report = checked(m);
        for (int i = 0; i < report->findings_count; i++)
            printf("said: %s\n", report->findings[i].sentence);
        CU_ASSERT_EQUAL(report->findings_count, 0);
        CU_ASSERT(report->has_lag);
        // The strongest tie is to the step into the dark, or to the one out of it a bin later.
        CU_ASSERT(report->lag_ms >= 70.0 && report->lag_ms <= 80.0);
        for (int cell = 0; cell < MADE_UP_CELLS; cell++)
            CU_ASSERT(test_near(report->rates_hz[cell], 4.0, 1.0));
        CU_ASSERT(test_near(report->parts[DATASET_TRAIN].lum_mean, 0.5, 0.01));
        CU_ASSERT(test_near(report->parts[DATASET_TRAIN].lum_sd, 0.5, 0.01));
        dataset_report_destroy(report);
        made_up_destroy(m);
    }
}

static void time_last_is_told_from_time_first(void)
{
    MadeUp *m = sound();
    m->is_time_last = true;
    refuses(m, "train/stimulus is (5, 6, 36000), time last; must be (T, height, width), here "
               "(36000, 5, 6)");
}

static void transposed_responses_are_told(void)
{
    MadeUp *m = sound();
    m->is_transposed = true;
    refuses(m, "train/response/binned is (36000, 3), time first; must be (cells, T), here (3, "
               "36000)");
}

static void responses_of_another_length_are_refused(void)
{
    MadeUp *m = sound();
    m->response_bins_more = 500;
    refuses(m, "train/response/binned is (3, 36500) and train/stimulus (36000, 5, 6); must be");
}

static void one_bin_more_is_a_warning(void)
{
    MadeUp *m = sound();
    m->response_bins_more = 1;
    says(m, false,
         "train/response/binned has 36001 bins where train/stimulus has 36000; expected "
         "are the same: the first 36000 are used");
}

static void rates_in_spikes_per_bin_beside_binned(void)
{
    MadeUp *m = sound();
    for (int part = 0; part < DATASET_PARTS; part++)
        for (int64_t i = 0; i < m->bins[part] * MADE_UP_CELLS; i++)
            m->rates_hz[part][i] /= 100.0f;
    says(m, true, "firing_rate_10ms must be in Hz (spikes per bin × 100)");
}

static void rates_of_another_size(void)
{
    MadeUp *m = sound();
    for (int64_t i = 0; i < m->bins[DATASET_TRAIN] * MADE_UP_CELLS; i++)
        m->rates_hz[DATASET_TRAIN][i] *= 5.0f;
    says(m, false, "spikes a second; expected are the same");
}

static void drop_binned(MadeUp *m)
{
    for (int part = 0; part < DATASET_PARTS; part++) {
        free(m->binned[part]);
        m->binned[part] = NULL;
    }
}

static void rates_in_spikes_per_bin_alone(void)
{
    MadeUp *m = sound();
    for (int part = 0; part < DATASET_PARTS; part++)
        for (int64_t i = 0; i < m->bins[part] * MADE_UP_CELLS; i++)
            m->rates_hz[part][i] /= 100.0f;
    drop_binned(m);
    says(m, true, "which looks like spikes per bin; must be in Hz (spikes per bin × 100)");
}

static void rates_alone_are_enough(void)
{
    MadeUp *m = sound();
    drop_binned(m);
    DatasetReport *report = checked(m);
    CU_ASSERT_EQUAL(report->findings_count, 0);
    CU_ASSERT(test_near(report->rates_hz[0], 4.0, 1.0));
    dataset_report_destroy(report);
    made_up_destroy(m);
}

static void binned_in_hz(void)
{
    MadeUp *m = sound();
    for (int64_t i = 0; i < m->bins[DATASET_TRAIN] * MADE_UP_CELLS; i++)
        m->binned[DATASET_TRAIN][i] = m->rates_hz[DATASET_TRAIN][i];
    says(m, true, "is it in Hz? must be spikes per bin");
}

static void no_whole_number_of_spikes(void)
{
    MadeUp *m = sound();
    m->binned[DATASET_TRAIN][1234] = 0.37f;
    says(m, false, "train/response/binned: cell9 is 0.37 at bin 1234; expected are whole numbers");
}

static void constant_pixel(void)
{
    MadeUp *m = sound();
    for (int64_t bin = 0; bin < m->bins[DATASET_TRAIN]; bin++)
        m->levels[DATASET_TRAIN][bin * MADE_UP_PIXELS + 2 * MADE_UP_WIDTH_PX + 4] = 51.0f;
    says(m, false,
         "train/stimulus: 1 of 30 pixels never change, the first in row 2, column 4, of "
         "luminance 0.2");
}

static void constant_stimulus(void)
{
    MadeUp *m = sound();
    for (int64_t i = 0; i < m->bins[DATASET_TRAIN] * MADE_UP_PIXELS; i++)
        m->levels[DATASET_TRAIN][i] = 51.0f;
    says(m, true, "train/stimulus is constant: luminance 0.2 everywhere; must change");
}

static void silent_cell(void)
{
    MadeUp *m = sound();
    memset(m->binned[DATASET_TRAIN] + m->bins[DATASET_TRAIN], 0,
           (size_t)m->bins[DATASET_TRAIN] * sizeof(float));
    made_up_smooth(m);
    says(m, true, "cell10 is silent in train: 0 spikes; must have some to be fitted");
}

static void cell_of_few_spikes(void)
{
    MadeUp *m = sound();
    float *spikes = m->binned[DATASET_TRAIN] + m->bins[DATASET_TRAIN];
    memset(spikes, 0, (size_t)m->bins[DATASET_TRAIN] * sizeof *spikes);
    for (int i = 0; i < 17; i++)
        spikes[1000 * i + 11] = 1.0f;
    made_up_smooth(m);
    says(m, false, "cell10 has 17 spikes in train; expected are 100 or more");
}

static void one_minute(void)
{
    says(made_up_create(60.0, TEST_S, 1), true,
         "train is too short: 60.0 s; must be at least 90 s");
}

static void four_minutes(void)
{
    says(made_up_create(240.0, TEST_S, 1), false, "train is 4.0 min long; under 5 min a CNN");
}

static void nan_in_the_response(void)
{
    MadeUp *m = sound();
    m->binned[DATASET_TRAIN][m->bins[DATASET_TRAIN] + 77] = NAN;
    says(m, true, "train/response/binned: cell10 is nan at bin 77; must be finite");
}

static void nan_in_the_stimulus(void)
{
    MadeUp *m = sound();
    m->is_float = true;
    for (int64_t i = 0; i < m->bins[DATASET_TRAIN] * MADE_UP_PIXELS; i++)
        m->levels[DATASET_TRAIN][i] /= 255.0f;
    m->levels[DATASET_TRAIN][777 * MADE_UP_PIXELS + MADE_UP_WIDTH_PX + 2] = INFINITY;
    says(m, true, "train/stimulus is not a number at bin 777, row 1, column 2; must be finite");
}

/* Twenty minutes: of bytes a half is looked at, of floats the very last one is not missed. */
static void a_long_stimulus_is_sampled_unless_it_can_hold_nan(void)
{
    MadeUp *m = made_up_create(1200.0, TEST_S, 1);
    DatasetReport *report = checked(m);
    CU_ASSERT(test_near(report->parts[DATASET_TRAIN].looked_at, 0.5, 0.0));
    CU_ASSERT_EQUAL(report->findings_count, 0);
    dataset_report_destroy(report);
    m->is_float = true;
    for (int part = 0; part < DATASET_PARTS; part++)
        for (int64_t i = 0; i < m->bins[part] * MADE_UP_PIXELS; i++)
            m->levels[part][i] /= 255.0f;
    m->levels[DATASET_TRAIN][m->bins[DATASET_TRAIN] * MADE_UP_PIXELS - 1] = NAN;
    says(m, true, "train/stimulus is not a number at bin 119999, row 4, column 5");
}

static void levels_taken_for_luminance(void)
{
    MadeUp *m = sound();
    m->is_float = true;
    says(m, false, "reaches from luminance 0 to 255; expected is 0 to 1: say lum_per_level");
}

static void gap_in_time(void)
{
    MadeUp *m = sound();
    for (int64_t bin = 6000; bin < m->bins[DATASET_TRAIN]; bin++)
        m->time_s[DATASET_TRAIN][bin] += 1.75 + (bin >= 9000 ? 0.5 : 0.0);
    says(m, false, "train/time has 2 gaps, the first before bin 6000 (1.76 s), the longest 1.76 s");
}

static void time_that_falls(void)
{
    MadeUp *m = sound();
    m->time_s[DATASET_TEST][50] = 0.1;
    says(m, false,
         "test/time does not rise at bin 50, from 0.49 to 0.1 s; expected is that it does");
}

static void time_in_milliseconds(void)
{
    MadeUp *m = sound();
    for (int part = 0; part < DATASET_PARTS; part++)
        for (int64_t bin = 0; bin < m->bins[part]; bin++)
            m->time_s[part][bin] *= 1000.0;
    says(m, true, "train/time steps by 10, which as seconds is 0.1 bins a second; must be seconds");
}

static void parts_at_two_rates(void)
{
    MadeUp *m = sound();
    for (int64_t bin = 0; bin < m->bins[DATASET_TEST]; bin++)
        m->time_s[DATASET_TEST][bin] /= 0.6;
    says(m, true, "test/time steps by 0.01667 s, 60 bins a second, where the set says 100");
}

static void time_that_is_missing(void)
{
    MadeUp *m = sound();
    for (int part = 0; part < DATASET_PARTS; part++) {
        free(m->time_s[part]);
        m->time_s[part] = NULL;
    }
    says(m, false, "train/time is not there and no bin_hz either; 100 bins a second are assumed");
}

/* Moves the responses of train by so many bins, later where that is above 0. */
static MadeUp *shifted(int64_t by)
{
    MadeUp *m = sound();
    int64_t bins = m->bins[DATASET_TRAIN];
    for (int cell = 0; cell < MADE_UP_CELLS; cell++) {
        float *spikes = m->binned[DATASET_TRAIN] + cell * bins;
        memmove(spikes + (by > 0 ? by : 0), spikes + (by < 0 ? -by : 0),
                (size_t)(bins - llabs(by)) * sizeof *spikes);
    }
    made_up_smooth(m);
    return m;
}

static void responses_before_the_stimulus(void)
{
    says(shifted(-18), true, "train: responses precede the stimulus by 1");
}

static void responses_long_after_the_stimulus(void)
{
    says(shifted(32), false, "expected are 20 to 300 ms: is one of them shifted?");
}

/* Backwards in time they have the same statistics and no tie. */
static void responses_to_something_else_have_no_lag(void)
{
    MadeUp *m = sound();
    int64_t bins = m->bins[DATASET_TRAIN];
    for (int cell = 0; cell < MADE_UP_CELLS; cell++)
        for (int64_t i = 0; i < bins / 2; i++) {
            float *spikes = m->binned[DATASET_TRAIN] + cell * bins;
            float swap = spikes[i];
            spikes[i] = spikes[bins - 1 - i];
            spikes[bins - 1 - i] = swap;
        }
    made_up_smooth(m);
    DatasetReport *report = checked(m);
    CU_ASSERT_FALSE(report->has_lag);
    CU_ASSERT_EQUAL(report->findings_count, 0);
    dataset_report_destroy(report);
    made_up_destroy(m);
}

static void test_of_another_contrast(void)
{
    MadeUp *m = sound();
    for (int64_t i = 0; i < m->bins[DATASET_TEST] * MADE_UP_PIXELS; i++)
        m->levels[DATASET_TEST][i] = 0.2f * m->levels[DATASET_TEST][i] + 102.0f;
    says(m, false, "test/stimulus has luminance 0.5, SD 0.1 where train has 0.499, SD 0.5");
}

static void repeats_of_another_size(void)
{
    MadeUp *m = sound();
    for (int64_t i = 0; i < m->bins[DATASET_TEST] * MADE_UP_CELLS * MADE_UP_REPEATS; i++)
        m->trials[i] *= 7.0f;
    says(m, false, "test/repeats averages");
}

static void no_repeats(void)
{
    MadeUp *m = sound();
    free(m->trials);
    m->trials = NULL;
    says(m, false, "test has no repeats: scores cannot be corrected");
}

static void no_test(void)
{
    MadeUp *m = sound();
    m->bins[DATASET_TEST] = 0;
    says(m, false, "test is not there: a model can be fitted, but not scored");
}

static const TestCase cases[] = {
    {"sound data give no finding", sound_data_give_no_finding},
    {"a stimulus with time last is refused with the order that fits",
     time_last_is_told_from_time_first},
    {"responses with time first are refused with the order that fits",
     transposed_responses_are_told},
    {"responses of another length than the stimulus are refused",
     responses_of_another_length_are_refused},
    {"one bin more than the stimulus is a warning", one_bin_more_is_a_warning},
    {"rates in spikes per bin beside binned are an error", rates_in_spikes_per_bin_beside_binned},
    {"rates of another size than binned are a warning", rates_of_another_size},
    {"rates in spikes per bin alone are an error", rates_in_spikes_per_bin_alone},
    {"a set of rates without binned is sound", rates_alone_are_enough},
    {"binned in Hz is an error", binned_in_hz},
    {"a broken number of spikes is named", no_whole_number_of_spikes},
    {"a constant pixel is named", constant_pixel},
    {"a constant stimulus is an error", constant_stimulus},
    {"a silent cell is an error with its name", silent_cell},
    {"a cell of few spikes is named", cell_of_few_spikes},
    {"a recording of under a minute is an error", one_minute},
    {"a recording of four minutes is a warning", four_minutes},
    {"NaN in the response is found with its place", nan_in_the_response},
    {"infinity in the stimulus is found with its place", nan_in_the_stimulus},
    {"a long stimulus is sampled unless it can hold NaN",
     a_long_stimulus_is_sampled_unless_it_can_hold_nan},
    {"levels without lum_per_level are named", levels_taken_for_luminance},
    {"gaps in time are counted and placed", gap_in_time},
    {"time that falls is named with its place", time_that_falls},
    {"time in milliseconds is an error", time_in_milliseconds},
    {"two parts at two rates are an error", parts_at_two_rates},
    {"time that is missing is said", time_that_is_missing},
    {"responses before the stimulus are an error", responses_before_the_stimulus},
    {"responses 400 ms after the stimulus are a warning", responses_long_after_the_stimulus},
    {"responses to something else have no lag", responses_to_something_else_have_no_lag},
    {"a test of another contrast is a warning", test_of_another_contrast},
    {"repeats that do not average to the response are a warning", repeats_of_another_size},
    {"a test without repeats is a warning", no_repeats},
    {"a set without test is a warning", no_test},
};

int main(void)
{
    return test_main("dataset_check", cases, sizeof cases / sizeof cases[0]);
}
