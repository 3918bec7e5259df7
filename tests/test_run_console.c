#include <stdlib.h>
#include <string.h>

#include "app/run_console.h"
#include "tests/harness.h"
#include "tests/random_model.h"

/* A full model of cells a … h, and two of one cell that stand for one stimulus each. */
typedef struct {
    Model *models[3];
    Protocol protocol;
    Plan plan;
    DisplayInfo display;
} Fixture;

static Model *open_random(bool is_full, const char *name, const char *cell, const char *stimulus)
{
    const RandomShape shape = {.width = 12,
                               .height = 12,
                               .history = 4,
                               .cells = is_full ? RANDOM_MODEL_CELLS_MAX : 1,
                               .bin_hz = 60,
                               .channels1 = 2,
                               .kernel1_width = 3,
                               .kernel1_height = 3};
    RandomModel random;
    char err[MODEL_ERR_BYTES] = "";
    if (is_full)
        random_subunit(&random, &shape, 1);
    else
        random_ln(&random, &shape, 1);
    if (cell)
        random.names[0] = cell;
    random.file.info.stimulus = stimulus;
    strcpy(random.file.info.name, name);
    Model *model = model_open(random_model_save(&random, test_folder("run_console")), err);
    CU_ASSERT_STRING_EQUAL(err, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    random_model_finish(&random);
    return model;
}

static Fixture fixture(const char *flicker_cell, const char *step_cell)
{
    static char name[] = "test";
    return (Fixture){.models = {open_random(true, "full", NULL, NULL),
                                open_random(false, "flicker", flicker_cell, "flicker"),
                                open_random(false, "step", step_cell, "step")},
                     .protocol = {.name = name},
                     .plan = {.refresh_hz = 60},
                     .display = {.ladder = "", .verdict = "ok"}};
}

static ConsoleSetup set_up(Fixture *f, int models_count, const RunOptions *options)
{
    ConsoleSetup setup;
    char err[ARGUMENTS_ERR_BYTES];
    f->plan.protocol = &f->protocol;
    CU_ASSERT(run_console_setup(&setup, &f->plan, 600, &f->display, f->models, models_count,
                                options, err));
    return setup;
}

static void finish(Fixture *f)
{
    for (int m = 0; m < 3; m++)
        model_close(f->models[m]);
}

static void the_reduced_cell_stands_first(void)
{
    Fixture f = fixture("f", "f");
    const ConsoleSetup setup = set_up(&f, 3, &(RunOptions){0});
    CU_ASSERT_STRING_EQUAL(setup.cells[0].name, "f");
    CU_ASSERT_EQUAL(setup.cells[0].of_model[0], 5);
    CU_ASSERT_EQUAL(setup.cells[0].of_model[1], 0);
    CU_ASSERT_EQUAL(setup.cells[0].of_model[2], 0);
    CU_ASSERT_EQUAL(setup.cells_count, 1);
    CU_ASSERT_STRING_EQUAL(setup.models[0].stimulus, "");
    CU_ASSERT_STRING_EQUAL(setup.models[1].stimulus, "flicker");
    CU_ASSERT_STRING_EQUAL(setup.models[2].stimulus, "step");
    finish(&f);
}

static void every_reduced_cell_has_its_lane(void)
{
    Fixture f = fixture("c", "b");
    const ConsoleSetup setup = set_up(&f, 3, &(RunOptions){0});
    CU_ASSERT_EQUAL(setup.cells_count, 2);
    CU_ASSERT_STRING_EQUAL(setup.cells[0].name, "c");
    CU_ASSERT_STRING_EQUAL(setup.cells[1].name, "b");
    CU_ASSERT_EQUAL(setup.cells[0].of_model[2], -1);
    finish(&f);
}

static void a_strange_cell_has_none(void)
{
    Fixture f = fixture("elsewhere", "elsewhere");
    const ConsoleSetup setup = set_up(&f, 3, &(RunOptions){0});
    const ConsoleSetup alone = set_up(&f, 1, &(RunOptions){0});
    CU_ASSERT_EQUAL(setup.cells_count, alone.cells_count);
    CU_ASSERT_EQUAL(setup.cells_count, 2);
    for (int c = 0; c < 2; c++)
        CU_ASSERT_STRING_EQUAL(setup.cells[c].name, alone.cells[c].name);
    finish(&f);
}

static void asked_cells_come_as_asked(void)
{
    Fixture f = fixture("f", "f");
    const RunOptions options = {.cells = {"h", "f"}, .cells_count = 2};
    const ConsoleSetup setup = set_up(&f, 3, &options);
    CU_ASSERT_EQUAL(setup.cells_count, 2);
    CU_ASSERT_STRING_EQUAL(setup.cells[0].name, "h");
    CU_ASSERT_STRING_EQUAL(setup.cells[1].name, "f");
    finish(&f);
}

static void a_network_that_comes_first_is_attributed(void)
{
    Fixture f = fixture("f", "f");
    ConsoleSetup setup = set_up(&f, 3, &(RunOptions){0});
    run_console_attribute(&setup, f.models[0], "full.h5", 0.25);
    CU_ASSERT_STRING_EQUAL(setup.attribution_path, "full.h5");
    CU_ASSERT(test_near(setup.background_lum, 0.25, 0.0));
    Model *const filter_first[] = {f.models[1], f.models[0]};
    CU_ASSERT(run_console_setup(&setup, &f.plan, 600, &f.display, filter_first, 2, &(RunOptions){0},
                                (char[ARGUMENTS_ERR_BYTES]){0}));
    run_console_attribute(&setup, filter_first[0], "flicker.h5", 0.25);
    CU_ASSERT_STRING_EQUAL(setup.attribution_path, "");
    CU_ASSERT_EQUAL(setup.map_model, 1);
    finish(&f);
}

static const TestCase cases[] = {
    {"the cell of the reduced models is the first, with full and reduced in one lane",
     the_reduced_cell_stands_first},
    {"reduced models of two cells have two lanes", every_reduced_cell_has_its_lane},
    {"a reduced model of a cell the first model lacks changes nothing", a_strange_cell_has_none},
    {"a network is attributed to where it comes first, and nothing where it does not",
     a_network_that_comes_first_is_attributed},
    {"cells asked for come in the order asked for", asked_cells_come_as_asked},
};

int main(void)
{
    return test_main("run_console", cases, sizeof cases / sizeof cases[0]);
}
