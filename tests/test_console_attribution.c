#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/console_attribution.h"
#include "tests/harness.h"
#include "tests/random_model.h"

enum { REFRESHES_MAX = 2048 };

static const double REFRESH_HZ = 60.0, BACKGROUND = 0.4, OTHER_BACKGROUND = 0.6;

/* A run as the console hears of it, and the same told plainly. */
typedef struct {
    RandomModel random;
    ConsoleSetup setup;
    ConsoleState *state;             // owned
    ConsoleAttribution *attribution; // owned
    int pixels;
    float *images;     // owned (REFRESHES_MAX, pixels): on screen at each refresh
    int64_t refreshes; // so far, missed ones too
    int waiting;       // missed since the last image
    uint32_t noise;
} Fixture;

/* 17 × 14 px, 6 bins of 100 Hz. */
static RandomShape small_shape(void)
{
    return (RandomShape){.width = 17,
                         .height = 14,
                         .history = 6,
                         .lag = 1,
                         .cells = 3,
                         .bin_hz = 100,
                         .channels1 = 3,
                         .kernel1_width = 5,
                         .kernel1_height = 4,
                         .channels2 = 4,
                         .kernel2_width = 3,
                         .kernel2_height = 6};
}

/* So large that the film holds 16 images, and a history of 40. */
static RandomShape large_shape(void)
{
    return (RandomShape){.width = 128,
                         .height = 128,
                         .history = 40,
                         .cells = 1,
                         .bin_hz = REFRESH_HZ,
                         .channels1 = 2,
                         .kernel1_width = 100,
                         .kernel1_height = 100};
}

/* So that the light does something: a small random net is all but blind. */
static void strengthen(RandomModel *random)
{
    for (int i = 0; i < random->file.tensor_count; i++) {
        const ModelTensor *tensor = &random->file.tensors[i];
        for (size_t k = 0; strstr(tensor->name, "_weight") && k < model_tensor_count(tensor); k++)
            random->arrays[i][k] *= 6.0F;
    }
}

static Fixture fixture(RandomShape shape)
{
    Fixture f = {.pixels = shape.width * shape.height, .noise = 7};
    char err[CONSOLE_ERR_BYTES];
    if (shape.channels2 > 0)
        random_cnn(&f.random, &shape, 3);
    else
        random_subunit(&f.random, &shape, 3);
    if (shape.channels2 > 0)
        strengthen(&f.random);
    f.setup = (ConsoleSetup){.models = {{.name = "full"}, {.name = "reduced"}},
                             .models_count = 2,
                             .cells = {{.name = "a"}, {.name = "b"}},
                             .cells_count = shape.cells > 1 ? 2 : 1,
                             .raster = {shape.width, shape.height, 50},
                             .refresh_hz = REFRESH_HZ,
                             .background_lum = BACKGROUND,
                             .width_px = 640,
                             .height_px = 720};
    f.setup.cells[1].of_model[0] = 2;
    f.setup.cells[0].of_model[1] = f.setup.cells[1].of_model[1] = -1;
    strcpy(f.setup.attribution_path,
           random_model_save(&f.random, test_folder("console_attribution")));
    f.state = malloc(sizeof *f.state);
    f.images = calloc((size_t)REFRESHES_MAX * (size_t)f.pixels, sizeof *f.images);
    CU_ASSERT_FATAL(f.state && f.images && console_state_init(f.state, &f.setup, err));
    f.state->trial = (ConsoleTrial){.trials = 2, .background_lum = (float)BACKGROUND};
    f.attribution = console_attribution_open(&f.setup);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.attribution);
    return f;
}

static void finish(Fixture *f)
{
    console_attribution_close(f->attribution);
    random_model_finish(&f->random);
    free(f->state);
    free(f->images);
}

static float *image_of(const Fixture *f, int64_t refresh)
{
    return f->images + refresh * f->pixels;
}

/* The next refresh shows a new image. */
static void show(Fixture *f)
{
    float *image = image_of(f, f->refreshes);
    random_fill(&f->noise, (size_t)f->pixels, 0.0F, 1.0F, image);
    const ConsoleFrame frame = {.refresh = f->refreshes++, .missed = f->waiting, .lum = image};
    f->waiting = 0;
    console_state_frame(f->state, &frame);
}

/* The next refresh keeps the old one. */
static void miss(Fixture *f)
{
    float *image = image_of(f, f->refreshes);
    for (int i = 0; i < f->pixels; i++)
        image[i] = f->refreshes > 0 ? image[i - f->pixels] : (float)BACKGROUND;
    f->refreshes++;
    f->waiting++;
}

static void show_many(Fixture *f, int count)
{
    for (int i = 0; i < count; i++)
        show(f);
}

static const ConsoleShares *follow(Fixture *f)
{
    console_attribution_follow(f->attribution, f->state);
    return console_attribution_shares(f->attribution);
}

/* lum := the mean over [bin, bin + 1) / bin_hz of what was on screen. */
static void average(const Fixture *f, int64_t bin, float *lum)
{
    const double frames_a_bin = REFRESH_HZ / f->random.file.info.bin_hz;
    for (int i = 0; i < f->pixels; i++) {
        double sum = 0.0;
        for (int64_t k = -1; k < f->refreshes; k++) {
            const double from = fmax((double)bin * frames_a_bin, k < 0 ? -1e9 : (double)k);
            const double to = fmin((double)(bin + 1) * frames_a_bin, (double)(k + 1));
            if (to > from)
                sum += (to - from) * (k < 0 ? BACKGROUND : (double)image_of(f, k)[i]);
        }
        lum[i] = (float)(sum / frames_a_bin);
    }
}

/* What attribution_measure() says of the last bin that is whole, with the path from `grey`. */
static void check_against_plain(const Fixture *f, const ConsoleShares *shares, int cell,
                                double grey)
{
    char err[MODEL_ERR_BYTES];
    AttributionResult plain;
    Attribution *attribution = attribution_open(&f->random.file, err);
    float *lum = calloc((size_t)f->pixels, sizeof *lum);
    CU_ASSERT_FATAL(attribution && lum);
    const int history = f->random.file.info.history_bins;
    const int64_t bins =
        (int64_t)((double)f->refreshes * f->random.file.info.bin_hz / REFRESH_HZ + 1e-9);
    attribution_adapt(attribution, grey);
    for (int64_t bin = bins - history; bin < bins; bin++) {
        average(f, bin, lum);
        attribution_feed(attribution, lum);
    }
    attribution_measure(attribution, cell, &console_attribution_rule, &plain);
    CU_ASSERT_EQUAL(shares->status, CONSOLE_SHARES_KNOWN);
    CU_ASSERT(test_near(shares->rate_hz, plain.rate_hz, 1e-3));
    CU_ASSERT(test_near(shares->rest_hz, plain.rest_hz, 1e-3));
    CU_ASSERT(test_near(shares->sum_hz, plain.sum_hz, 1e-3));
    double largest_hz = 0.0;
    for (int c = 0; c < shares->channels; c++) {
        CU_ASSERT(test_near(shares->channel_hz[c], plain.channel_hz[c], 1e-3));
        largest_hz = fmax(largest_hz, fabs(plain.channel_hz[c]));
    }
    CU_ASSERT(largest_hz > 1.0); // there is something to be wrong about
    free(lum);
    attribution_close(attribution);
}

static void shares_are_those_of_the_light(void)
{
    Fixture f = fixture(small_shape());
    for (int picture = 0; picture < 12; picture++) {
        show_many(&f, 3);
        check_against_plain(&f, follow(&f), 0, BACKGROUND);
    }
    const ConsoleShares *shares = console_attribution_shares(f.attribution);
    CU_ASSERT_EQUAL(shares->channels, 3);
    CU_ASSERT_EQUAL(shares->losses, 0);
    CU_ASSERT(shares->steps >= 4 && shares->steps <= 32);
    finish(&f);
}

static void the_past_begins_with_the_background(void)
{
    Fixture f = fixture(small_shape());
    const ConsoleShares *shares = follow(&f); // before any image
    CU_ASSERT_EQUAL(shares->status, CONSOLE_SHARES_KNOWN);
    CU_ASSERT(test_near(shares->rate_hz, shares->rest_hz, 1e-6));
    CU_ASSERT(shares->rest_hz > 0.0);
    CU_ASSERT_EQUAL(shares->measured, 0); // no refresh to stand at
    show_many(&f, 2);
    check_against_plain(&f, follow(&f), 0, BACKGROUND);
    finish(&f);
}

static void missed_refreshes_show_the_old_image(void)
{
    Fixture f = fixture(small_shape());
    miss(&f); // even the first may be missed
    miss(&f);
    show(&f);
    check_against_plain(&f, follow(&f), 0, BACKGROUND);
    show(&f);
    miss(&f);
    show(&f);
    miss(&f);
    miss(&f);
    show(&f);
    check_against_plain(&f, follow(&f), 0, BACKGROUND);
    CU_ASSERT_EQUAL(console_attribution_shares(f.attribution)->losses, 0);
    finish(&f);
}

static void a_long_miss_loses_nothing(void)
{
    Fixture f = fixture(small_shape());
    show_many(&f, 3);
    follow(&f);
    for (int i = 0; i < 400; i++)
        miss(&f);
    show(&f);
    check_against_plain(&f, follow(&f), 0, BACKGROUND);
    CU_ASSERT_EQUAL(console_attribution_shares(f.attribution)->losses, 0);
    finish(&f);
}

static void lost_images_blank_it(void)
{
    Fixture f = fixture(large_shape());
    show_many(&f, 16);
    CU_ASSERT_EQUAL(follow(&f)->status, CONSOLE_SHARES_KNOWN);
    show_many(&f, 17); // one more than the film holds
    const ConsoleShares *shares = follow(&f);
    CU_ASSERT_EQUAL(shares->status, CONSOLE_SHARES_BLANK);
    CU_ASSERT_EQUAL(shares->losses, 1);
    CU_ASSERT(test_near(shares->wait_s, (40 - 16) / REFRESH_HZ, 1e-9));
    for (int i = 1; i < 40 - 16; i++) {
        show(&f);
        shares = follow(&f);
        CU_ASSERT_EQUAL(shares->status, CONSOLE_SHARES_BLANK);
        CU_ASSERT(test_near(shares->wait_s, (40 - 16 - i) / REFRESH_HZ, 1e-9));
    }
    show(&f);
    check_against_plain(&f, follow(&f), 0, BACKGROUND);
    CU_ASSERT_EQUAL(shares->losses, 1);
    finish(&f);
}

static void a_late_start_finds_its_history(void)
{
    Fixture f = fixture(small_shape()); // whose film holds all that the records hold
    show_many(&f, CONSOLE_REFRESHES + 200);
    check_against_plain(&f, follow(&f), 0, BACKGROUND);
    CU_ASSERT_EQUAL(console_attribution_shares(f.attribution)->losses, 1);
    finish(&f);
}

static void an_image_that_never_came_blanks_it(void)
{
    Fixture f = fixture(small_shape());
    show_many(&f, 3);
    CU_ASSERT_EQUAL(follow(&f)->status, CONSOLE_SHARES_KNOWN);
    const ConsoleFrame frame = {.refresh = f.refreshes++}; // shown, without its light
    console_state_frame(f.state, &frame);
    CU_ASSERT_EQUAL(follow(&f)->status, CONSOLE_SHARES_BLANK);
    show_many(&f, 3); // 6 bins are 3.6 refreshes, the first bin begins at refresh 4.2
    CU_ASSERT_EQUAL(follow(&f)->status, CONSOLE_SHARES_BLANK);
    show(&f);
    check_against_plain(&f, follow(&f), 0, BACKGROUND);
    finish(&f);
}

static void the_path_begins_at_the_blocks_background(void)
{
    Fixture f = fixture(small_shape());
    show_many(&f, 9);
    const double rest_hz = follow(&f)->rest_hz;
    f.state->trial.trial = 1;
    f.state->trial.background_lum = (float)OTHER_BACKGROUND;
    // spoken of, but no image of it is on screen yet
    CU_ASSERT(test_near(follow(&f)->rest_hz, rest_hz, 0.0));
    check_against_plain(&f, console_attribution_shares(f.attribution), 0, BACKGROUND);
    show(&f);
    check_against_plain(&f, follow(&f), 0, (double)(float)OTHER_BACKGROUND);
    CU_ASSERT(fabs(console_attribution_shares(f.attribution)->rest_hz - rest_hz) > 0.01);
    show_many(&f, 2);
    check_against_plain(&f, follow(&f), 0, (double)(float)OTHER_BACKGROUND);
    finish(&f);
}

static void the_cell_is_the_reduced_models(void)
{
    Fixture f = fixture(small_shape());
    f.state->setup.cells[1].of_model[1] = 0;
    strcpy(f.state->setup.models[1].stimulus, "flicker");
    strcpy(f.state->trial.stimulus, "step");
    show_many(&f, 5);
    CU_ASSERT_EQUAL(follow(&f)->cell, 0);
    strcpy(f.state->trial.stimulus, "flicker");
    const ConsoleShares *shares = follow(&f);
    CU_ASSERT_EQUAL(shares->cell, 1);
    check_against_plain(&f, shares, 2, BACKGROUND); // the first model's cell 2
    finish(&f);
}

/* 20 pictures a second, and a pause of a second. */
static void the_past_is_kept_as_measured(void)
{
    Fixture f = fixture(small_shape());
    float second_hz = 0.0F;
    for (int picture = 0; picture < 4; picture++) {
        show_many(&f, 3);
        const ConsoleShares *shares = follow(&f);
        CU_ASSERT_EQUAL(shares->measured, picture + 1);
        CU_ASSERT_EQUAL(shares->past[picture].refresh, 3 * picture + 2);
        if (picture == 1)
            second_hz = (float)shares->channel_hz[1];
    }
    show_many(&f, 60);
    const ConsoleShares *shares = follow(&f);
    CU_ASSERT(test_near((double)shares->past[1].channel_hz[1], (double)second_hz, 0.0));
    CU_ASSERT(shares->measured >= 4 + 10 && shares->measured <= 4 + 20);
    for (int n = 1; n < shares->measured; n++)
        CU_ASSERT(shares->past[n].refresh - shares->past[n - 1].refresh <= 6);
    CU_ASSERT_EQUAL(shares->past[shares->measured - 1].refresh, 71);
    check_against_plain(&f, shares, 0, BACKGROUND);
    finish(&f);
}

static void another_cell_begins_anew(void)
{
    Fixture f = fixture(small_shape());
    f.state->setup.cells[1].of_model[1] = 0;
    strcpy(f.state->setup.models[1].stimulus, "flicker");
    for (int picture = 0; picture < 3; picture++) {
        show_many(&f, 3);
        follow(&f);
    }
    CU_ASSERT_EQUAL(console_attribution_shares(f.attribution)->measured, 3);
    strcpy(f.state->trial.stimulus, "flicker");
    show(&f);
    CU_ASSERT_EQUAL(follow(&f)->measured, 1);
    finish(&f);
}

/* Three trials of different backgrounds go by between two pictures; the state tells of the last. */
static void an_untold_background_is_not_guessed(void)
{
    Fixture f = fixture(small_shape());
    show_many(&f, 3);
    CU_ASSERT_EQUAL(follow(&f)->measured, 1);
    f.state->trial.trial = 1;
    f.state->trial.background_lum = 0.9F;
    show_many(&f, 30);
    f.state->trial.trial = 2;
    f.state->trial.background_lum = 0.2F;
    const ConsoleShares *shares = follow(&f); // the newest image is of trial 1
    CU_ASSERT_EQUAL(shares->status, CONSOLE_SHARES_BLANK);
    CU_ASSERT_EQUAL(shares->measured, 1);
    show(&f);
    check_against_plain(&f, follow(&f), 0, (double)0.2F);
    finish(&f);
}

static void a_missing_file_is_said(void)
{
    Fixture f = fixture(small_shape());
    strcpy(f.setup.attribution_path, "/nonexistent/model.h5");
    ConsoleAttribution *attribution = console_attribution_open(&f.setup);
    console_attribution_follow(attribution, f.state);
    const ConsoleShares *shares = console_attribution_shares(attribution);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shares);
    CU_ASSERT_EQUAL(shares->status, CONSOLE_SHARES_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(shares->problem, "/nonexistent/model.h5"));
    console_attribution_close(attribution);
    f.setup.attribution_path[0] = '\0';
    CU_ASSERT_PTR_NULL(console_attribution_open(&f.setup));
    CU_ASSERT_PTR_NULL(console_attribution_shares(NULL));
    finish(&f);
}

static void another_model_is_refused(void)
{
    Fixture f = fixture(small_shape());
    f.setup.raster.width_px++;
    ConsoleAttribution *attribution = console_attribution_open(&f.setup);
    const ConsoleShares *shares = console_attribution_shares(attribution);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shares);
    CU_ASSERT_EQUAL(shares->status, CONSOLE_SHARES_FAILED);
    console_attribution_close(attribution);
    finish(&f);
}

static const TestCase cases[] = {
    {"channels' shares are those attribution_measure() finds for the light on screen",
     shares_are_those_of_the_light},
    {"before the first image the background has been on for ever",
     the_past_begins_with_the_background},
    {"missed refreshes showed the old image", missed_refreshes_show_the_old_image},
    {"a stall of the display of 400 refreshes loses nothing", a_long_miss_loses_nothing},
    {"lost images blank it until the history has been seen in full", lost_images_blank_it},
    {"a start in mid-run knows as soon as the film covers the history",
     a_late_start_finds_its_history},
    {"an image shown without its light blanks it", an_image_that_never_came_blanks_it},
    {"the path begins at the background of the block on screen, the past stays",
     the_path_begins_at_the_blocks_background},
    {"the cell is that of the reduced model in play", the_cell_is_the_reduced_models},
    {"measurements are kept at their refreshes, closely enough after a pause too",
     the_past_is_kept_as_measured},
    {"another cell begins with an empty past", another_cell_begins_anew},
    {"a trial whose background was never told is not attributed",
     an_untold_background_is_not_guessed},
    {"a file that is not there is said, no file means no attribution", a_missing_file_is_said},
    {"a file of another raster is refused", another_model_is_refused},
};

int main(void)
{
    return test_main("console_attribution", cases, sizeof cases / sizeof cases[0]);
}
