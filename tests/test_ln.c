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

static void fixture(Fixture *f, bool is_separable)
{
    char err[MODEL_ERR_BYTES] = "";
    RandomShape shape = {
        .width = WIDTH, .height = HEIGHT, .history = HISTORY, .cells = CELLS, .bin_hz = 100};
    random_ln(&f->random, &shape, is_separable, 5);
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

static double weight(const Fixture *f, bool is_separable, int cell, int bin, int pixel)
{
    if (!is_separable)
        return value(f, "filter", (cell * HISTORY + bin) * PIXELS + pixel);
    return value(f, "filter_time", cell * HISTORY + bin) *
           value(f, "filter_space", cell * PIXELS + pixel);
}

static double plain_rate(const Fixture *f, bool is_separable, int cell, int bin)
{
    double sum = value(f, "offset", cell);
    for (int i = 0; i < HISTORY; i++) {
        int seen = bin - HISTORY + 1 + i;
        for (int p = 0; p < PIXELS && seen >= 0; p++)
            sum += weight(f, is_separable, cell, i, p) * ((double)f->lum[seen][p] - 0.5) / 0.25;
    }
    return 20 * value(f, "gain", cell) * log(1 + exp(sum));
}

static void check_exact(bool is_separable)
{
    Fixture f;
    fixture(&f, is_separable);
    for (int bin = 0; bin < 20; bin++) {
        float rates[CELLS];
        model_step(f.model, f.lum[bin], rates);
        if (bin % 2 == 0)
            model_settle(f.model);
        for (int cell = 0; cell < CELLS; cell++) {
            double wanted = plain_rate(&f, is_separable, cell, bin);
            CU_ASSERT(test_near((double)rates[cell], wanted, 1e-4 * wanted));
        }
    }
    finish(&f);
}

static void full_filter_is_exact(void)
{
    check_exact(false);
}

static void separable_filter_is_exact(void)
{
    check_exact(true);
}

static void run(Fixture *f, int first, int count, float (*rates)[CELLS])
{
    for (int i = 0; i < count; i++) {
        model_step(f->model, f->lum[first + i], rates[i]);
        if (first % 3 != 0)
            model_settle(f->model);
    }
}

static void rewind_forgets(void)
{
    Fixture f;
    float straight[BINS][CELLS] = {{0}}, again[BINS][CELLS] = {{0}}, wasted[BINS][CELLS];
    fixture(&f, false);
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
        {"a separable filter equals the plain sum over its window", separable_filter_is_exact},
        {"rewinding up to 8 bins leaves the same future, bit for bit", rewind_forgets},
        {"a bin shapes its own and history − 1 later rates, no other", future_has_no_effect},
    };
    return test_main("ln", cases, sizeof cases / sizeof cases[0]);
}
