#include <math.h>
#include <string.h>

#include "model/model.h"
#include "model/reduced.h"
#include "tests/harness.h"
#include "tests/random_model.h"

enum { WIDTH = 13, HEIGHT = 9, PIXELS = WIDTH * HEIGHT, HISTORY = 7, CELLS = 2, UNITS = 3 };
enum { BINS = 40 };

/* kernel rows × columns: 1 × 1, or along one axis. */
static RandomShape shape_of(int kernel_rows, int kernel_columns)
{
    return (RandomShape){.width = WIDTH,
                         .height = HEIGHT,
                         .history = HISTORY,
                         .lag = 1,
                         .cells = CELLS,
                         .bin_hz = 100,
                         .kernel1_height = kernel_rows,
                         .kernel1_width = kernel_columns};
}

typedef struct {
    RandomModel random;
    Model *model;
    int rows, columns;               // of the means
    int kernel_rows, kernel_columns; // of a filter
    float lum[BINS][PIXELS];
} Fixture;

static void fixture(Fixture *f, int rows, int columns, int kernel_rows, int kernel_columns)
{
    char err[MODEL_ERR_BYTES] = "";
    const RandomShape shape = shape_of(kernel_rows, kernel_columns);
    f->rows = rows;
    f->columns = columns;
    f->kernel_rows = kernel_rows;
    f->kernel_columns = kernel_columns;
    random_reduced(&f->random, &shape, UNITS, rows - kernel_rows + 1, columns - kernel_columns + 1,
                   5);
    f->model = model_open(random_model_save(&f->random, test_folder("reduced")), err);
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

/* The mean of the image over what the axis leaves out, lum_mean 0.5 and lum_sd 0.25 taken off. */
static double plain_mean(const Fixture *f, int bin, int row, int column)
{
    double sum = 0;
    int count = 0;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            if ((f->rows == 1 || y == row) && (f->columns == 1 || x == column)) {
                sum += (double)f->lum[bin][y * WIDTH + x];
                count++;
            }
    return (sum / count - 0.5) / 0.25;
}

/* At one place: its row and column are those of the kernel's first tap. */
static double plain_output(const Fixture *f, int unit, int bin, int row, int column)
{
    double sum = 0;
    for (int i = 0; i < HISTORY; i++)
        for (int y = 0; y < f->kernel_rows && bin - HISTORY + 1 + i >= 0; y++)
            for (int x = 0; x < f->kernel_columns; x++)
                sum += value(f, "filter",
                             ((unit * HISTORY + i) * f->kernel_rows + y) * f->kernel_columns + x) *
                       plain_mean(f, bin - HISTORY + 1 + i, row + y, column + x);
    return sum;
}

static double plain_rate(const Fixture *f, int cell, int bin)
{
    double sum = value(f, "offset", cell);
    int rows = f->rows - f->kernel_rows + 1, columns = f->columns - f->kernel_columns + 1;
    for (int unit = 0; unit < UNITS; unit++)
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) {
                int at = cell * UNITS + unit;
                double output = plain_output(f, unit, bin, row, column);
                double above = output - value(f, "rise_threshold", at);
                double below = value(f, "fall_threshold", at) - output;
                sum +=
                    value(f, "pool", (at * rows + row) * columns + column) *
                    (value(f, "rise", at) * fmax(above, 0) + value(f, "fall", at) * fmax(below, 0));
            }
    return f->random.file.rate_scale_hz * log(1 + exp(sum));
}

static void check_rates(int rows, int columns, int kernel_rows, int kernel_columns)
{
    Fixture f;
    fixture(&f, rows, columns, kernel_rows, kernel_columns);
    for (int bin = 0; bin < BINS; bin++) {
        float rates[CELLS];
        model_step(f.model, f.lum[bin], rates);
        for (int cell = 0; cell < CELLS; cell++) {
            double wanted = plain_rate(&f, cell, bin);
            CU_ASSERT(test_near((double)rates[cell], wanted, 1e-4 * wanted));
        }
    }
    finish(&f);
}

static void rates_equal_the_plain_sum(void)
{
    check_rates(1, 1, 1, 1);
    check_rates(1, WIDTH, 1, 4);
    check_rates(1, WIDTH, 1, WIDTH);
    check_rates(HEIGHT, 1, 3, 1);
    check_rates(HEIGHT, 1, 1, 1);
}

static void rewind_forgets(void)
{
    Fixture f;
    float straight[BINS][CELLS], again[CELLS];
    fixture(&f, 1, WIDTH, 1, 4);
    for (int bin = 0; bin < BINS; bin++)
        model_step(f.model, f.lum[bin], straight[bin]);
    for (int taken_back = 0; taken_back <= MODEL_MAX_REWIND_BINS; taken_back++) {
        model_reset(f.model);
        for (int bin = 0; bin < BINS; bin++) {
            if (bin == 9) {
                model_mark(f.model);
                for (int i = 0; i < taken_back; i++)
                    model_step(f.model, f.lum[25 + i], again);
                model_rewind(f.model);
            }
            model_step(f.model, f.lum[bin], again);
            CU_ASSERT(memcmp(straight[bin], again, sizeof again) == 0);
        }
    }
    finish(&f);
}

/* A change that leaves the means of the columns as they are. */
static void only_the_means_count(void)
{
    Fixture f;
    float before[BINS][CELLS], after[CELLS];
    fixture(&f, 1, WIDTH, 1, 4);
    for (int bin = 0; bin < BINS; bin++)
        model_step(f.model, f.lum[bin], before[bin]);
    model_reset(f.model);
    for (int bin = 0; bin < BINS; bin++) {
        for (int x = 0; x < WIDTH; x++) {
            f.lum[bin][x] += 0.25f;
            f.lum[bin][3 * WIDTH + x] -= 0.25f;
        }
        model_step(f.model, f.lum[bin], after);
        for (int cell = 0; cell < CELLS; cell++)
            CU_ASSERT(test_near((double)after[cell], (double)before[bin][cell],
                                1e-4 * (double)before[bin][cell]));
    }
    finish(&f);
}

static void check_refused(int rows, int columns, const char *told)
{
    char err[MODEL_ERR_BYTES] = "";
    RandomModel random;
    const RandomShape shape = shape_of(1, 1);
    random_reduced(&random, &shape, UNITS, rows, columns, 5);
    CU_ASSERT_PTR_NULL(model_open(random_model_save(&random, test_folder("reduced")), err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, told));
    random_model_finish(&random);
}

static void another_axis_is_refused(void)
{
    check_refused(HEIGHT, WIDTH,
                  "over 9 × 13 means of the image; allowed are 1 × 1, 1 × 13 and 9 × 1");
    check_refused(1, WIDTH - 1, "over 1 × 12 means");
    check_refused(2, 1, "over 2 × 1 means");
}

int main(void)
{
    static const TestCase cases[] = {
        {"the rates equal the plain sums over image, columns and rows", rates_equal_the_plain_sum},
        {"rewinding up to 8 bins leaves the same future, bit for bit", rewind_forgets},
        {"what leaves the means alone leaves the rates alone", only_the_means_count},
        {"filters over any other part of the image are refused", another_axis_is_refused},
    };
    return test_main("reduced", cases, sizeof cases / sizeof cases[0]);
}
