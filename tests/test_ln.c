#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "tests/harness.h"
#include "tests/random_model.h"

enum { WIDTH = 13, HEIGHT = 9, PIXELS = WIDTH * HEIGHT, HISTORY = 7, CELLS = 4, BINS = 40 };

typedef struct {
    RandomModel random;
    Model *model;
    float lum[BINS][PIXELS];
} Fixture;

enum { WINDOW = 5, MEMORY = 3 };

static void fixture(Fixture *f, bool is_glm)
{
    char err[MODEL_ERR_BYTES] = "";
    RandomShape shape = {.width = WIDTH,
                         .height = HEIGHT,
                         .history = HISTORY,
                         .lag = 1,
                         .cells = CELLS,
                         .bin_hz = 100};
    if (is_glm)
        random_glm(&f->random, &shape, WINDOW, MEMORY, 5);
    else
        random_ln(&f->random, &shape, 5);
    f->model = model_open(random_model_save(&f->random, test_folder("ln")), err);
    if (f->model == NULL)
        CU_FAIL_FATAL(err);
    random_fill(&(uint32_t){17}, BINS * PIXELS, 0, 1, &f->lum[0][0]);
}

static void finish(Fixture *f)
{
    model_close(f->model);
    random_model_finish(&f->random);
}

static double value(const Fixture *f, const char *name, int at)
{
    return (double)model_file_find(&f->random.file, name)->values[at];
}

/* Σ filter · x of one cell on a window of side_y by side_x px with its corner at (left, top). */
static double plain_drive(const Fixture *f, int cell, int bin, const int *corner, const int *side)
{
    double sum = value(f, "offset", cell);
    for (int i = 0; i < HISTORY; i++) {
        int seen = bin - HISTORY + 1 + i;
        for (int y = 0; y < side[1] && seen >= 0; y++)
            for (int x = 0; x < side[0]; x++)
                sum += value(f, "filter", ((cell * HISTORY + i) * side[1] + y) * side[0] + x) *
                       ((double)f->lum[seen][(corner[1] + y) * WIDTH + corner[0] + x] - 0.5) / 0.25;
    }
    return sum;
}

static double plain_rate(const Fixture *f, int cell, double drive)
{
    return 20 * value(f, "gain", cell) * log(1 + exp(drive));
}

static void full_filter_is_exact(void)
{
    Fixture f;
    fixture(&f, false);
    for (int bin = 0; bin < 20; bin++) {
        float rates[CELLS];
        model_step(f.model, f.lum[bin], rates);
        if (bin % 2 == 0)
            model_settle(f.model);
        for (int cell = 0; cell < CELLS; cell++) {
            double drive = plain_drive(&f, cell, bin, (int[]){0, 0}, (int[]){WIDTH, HEIGHT});
            double wanted = plain_rate(&f, cell, drive);
            CU_ASSERT(test_near((double)rates[cell], wanted, 1e-4 * wanted));
        }
    }
    finish(&f);
}

/* The rates of the last bins, as numbers of spikes a bin of 10 ms, come back through the memory. */
static void a_glm_remembers_what_it_expected(void)
{
    Fixture f;
    double expected[20 + MEMORY][CELLS] = {{0}};
    fixture(&f, true);
    for (int bin = 0; bin < 20; bin++) {
        float rates[CELLS];
        model_step(f.model, f.lum[bin], rates);
        for (int cell = 0; cell < CELLS; cell++) {
            const int corner[] = {cell, cell + 1};
            double drive = plain_drive(&f, cell, bin, corner, (int[]){WINDOW, WINDOW});
            for (int i = 0; i < MEMORY; i++)
                drive += value(&f, "memory", cell * MEMORY + i) * expected[bin + i][cell];
            double wanted = plain_rate(&f, cell, drive);
            expected[bin + MEMORY][cell] = wanted / 100.0;
            CU_ASSERT(test_near((double)rates[cell], wanted, 1e-4 * wanted));
        }
    }
    finish(&f);
}

static void run(Fixture *f, int first, int count, float (*rates)[CELLS])
{
    for (int i = 0; i < count; i++) {
        model_step(f->model, f->lum[first + i], rates[i]);
        if (first % 3 != 0)
            model_settle(f->model);
    }
}

static void check_rewind(bool is_glm)
{
    Fixture f;
    float straight[BINS][CELLS] = {{0}}, again[BINS][CELLS] = {{0}}, wasted[BINS][CELLS];
    fixture(&f, is_glm);
    run(&f, 0, 20, straight);
    for (int taken_back = 0; taken_back <= MODEL_MAX_REWIND_BINS; taken_back++) {
        model_reset(f.model);
        run(&f, 0, 9, again);
        model_mark(f.model);
        run(&f, 25, taken_back, wasted);
        model_rewind(f.model);
        run(&f, 9, 11, again + 9);
        CU_ASSERT(memcmp(straight, again, sizeof straight) == 0);
    }
    finish(&f);
}

static void rewind_forgets(void)
{
    check_rewind(false);
    check_rewind(true);
}

static void a_window_off_the_raster_is_refused(void)
{
    Fixture f;
    char err[MODEL_ERR_BYTES] = "";
    fixture(&f, true);
    for (int i = 0; i < f.random.file.tensor_count; i++)
        if (strcmp(f.random.file.tensors[i].name, "filter_top") == 0)
            f.random.arrays[i][2] = HEIGHT - WINDOW + 1;
    CU_ASSERT_PTR_NULL(model_open(random_model_save(&f.random, test_folder("ln")), err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "filter_top[2] is 5; allowed are whole numbers, 0 to 4"));
    finish(&f);
}

static void future_has_no_effect(void)
{
    Fixture f;
    float before[BINS][CELLS] = {{0}}, after[BINS][CELLS] = {{0}};
    enum { CHANGED = 8 };
    fixture(&f, false);
    run(&f, 0, 30, before);
    random_fill(&(uint32_t){99}, PIXELS, 0, 1, f.lum[CHANGED]);
    model_reset(f.model);
    run(&f, 0, 30, after);
    for (int bin = 0; bin < 30; bin++) {
        bool is_touched = bin >= CHANGED && bin < CHANGED + HISTORY;
        CU_ASSERT_EQUAL(memcmp(before[bin], after[bin], sizeof before[bin]) != 0, is_touched);
    }
    finish(&f);
}

int main(void)
{
    static const TestCase cases[] = {
        {"a full filter equals the plain sum over its window", full_filter_is_exact},
        {"a GLM remembers what it expected, on a window of its own",
         a_glm_remembers_what_it_expected},
        {"a window off the raster is refused", a_window_off_the_raster_is_refused},
        {"rewinding up to 8 bins leaves the same future, bit for bit", rewind_forgets},
        {"a bin shapes its own and history − 1 later rates, no other", future_has_no_effect},
    };
    return test_main("ln", cases, sizeof cases / sizeof cases[0]);
}
