#include <math.h>
#include <string.h>

#include "app/bar_movie.h"
#include "app/subject.h"
#include "tests/harness.h"
#include "tests/random_model.h"

enum { FORK = 120, AFTER = 25, BINS = FORK + AFTER, CELLS_MAX = 64 };

static float whole[BINS * CELLS_MAX], trunk[BINS * CELLS_MAX], branch[AFTER * CELLS_MAX];

static Model *open_model(const char *name)
{
    char err[MODEL_ERR_BYTES];
    Model *model = model_open(name, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    CU_ASSERT_FATAL(model_info(model)->cells <= CELLS_MAX);
    return model;
}

static const char *write_cnn(void)
{
    RandomModel model;
    const RandomShape shape = {.width = 12,
                               .height = 12,
                               .history = 10,
                               .lag = 1,
                               .cells = 3,
                               .bin_hz = 100,
                               .channels1 = 2,
                               .kernel1_width = 5,
                               .kernel1_height = 5,
                               .channels2 = 2,
                               .kernel2_width = 3,
                               .kernel2_height = 3};
    random_cnn(&model, &shape, 1);
    const char *path = random_model_save(&model, test_folder("subject"));
    random_model_finish(&model);
    return path;
}

/* A bar that turns, as a branch of the sweep and from its own beginning; largest difference. */
static double branch_error(const char *name)
{
    Model *model = open_model(name);
    Subject subject;
    CU_ASSERT_FATAL(subject_open(&subject, model, NULL));
    const BarMovie sweep = {165.0, -1.0, -600.0, 5.0, BAR_NEVER_TURNS};
    BarMovie turning = sweep;
    turning.turn_bin = FORK;
    const SubjectBranch branches[] = {{&turning, FORK, branch}};
    CU_ASSERT(
        subject_show_branches(&subject, bar_movie_draw, &sweep, BINS, trunk, branches, 1, AFTER));
    CU_ASSERT(subject_show(&subject, bar_movie_draw, &turning, BINS, whole));
    double worst = 0.0, moved = 0.0;
    size_t cells = (size_t)subject.info->cells;
    for (size_t i = 0; i < AFTER * cells; i++) {
        worst = fmax(worst, fabs((double)(branch[i] - whole[FORK * cells + i])));
        moved = fmax(moved, fabs((double)(branch[i] - trunk[FORK * cells + i])));
    }
    CU_ASSERT(moved > 0.01); // the turn matters, or the comparison says nothing
    CU_ASSERT(subject_show(&subject, bar_movie_draw, &sweep, BINS, whole));
    CU_ASSERT_EQUAL(memcmp(whole, trunk, BINS * cells * sizeof *whole), 0);
    subject_close(&subject);
    model_close(model);
    return worst;
}

static void a_branch_is_what_its_whole_movie_gives(void)
{
    CU_ASSERT(test_near(branch_error("circuit"), 0.0, 0.0));
    CU_ASSERT(test_near(branch_error(write_cnn()), 0.0, 1e-3));
}

static void draw_dark(const void *movie, int bin, const Raster *raster, float *contrast)
{
    (void)movie;
    subject_fill(raster, bin >= 3 ? -2.0 : 0.0, contrast);
}

static void a_rate_is_of_its_own_bin(void)
{
    Model *model = open_model(write_cnn());
    const ModelInfo *info = model_info(model);
    CU_ASSERT_EQUAL_FATAL(info->lag_bins, 1);
    Subject subject;
    CU_ASSERT_FATAL(subject_open(&subject, model, NULL));
    CU_ASSERT(subject_show(&subject, draw_dark, NULL, 10, whole));
    // bins 0 … 3 see grey only, bin 4 the dark of bin 3
    for (int c = 0; c < info->cells; c++) {
        CU_ASSERT(test_near((double)whole[3 * info->cells + c], (double)whole[c], 1e-3));
        CU_ASSERT(fabs((double)(whole[4 * info->cells + c] - whole[c])) > 1e-3);
    }
    subject_close(&subject);
    model_close(model);
}

static void light_is_in_units_of_the_model(void)
{
    const Raster raster = {4, 2, 50.0};
    float frame[8];
    subject_bar(&raster, 12.5, 75.0, -2.0, frame); // from -25 to 50 um
    static const float expected[] = {0.0F, -1.0F, -2.0F, 0.0F};
    for (int i = 0; i < 8; i++)
        CU_ASSERT(test_near((double)frame[i], (double)expected[i % 4], 1e-5));
}

static const TestCase cases[] = {
    {"a movie shown as a branch gives what it gives whole", a_branch_is_what_its_whole_movie_gives},
    {"with a lag of one bin a rate stands at the bin it is of", a_rate_is_of_its_own_bin},
    {"a bar is its area average in units of contrast", light_is_in_units_of_the_model},
};

int main(void)
{
    return test_main("subject", cases, sizeof cases / sizeof cases[0]);
}
