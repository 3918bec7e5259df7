/* What a piece of work costs, against counts made by going through it one operation at a time; the
 * yardsticks; and the networks that are timed. */
#include <math.h>
#include <stdlib.h>

#include "app/bench.h"
#include "model/yardstick.h"
#include "tests/harness.h"

/* Small and uneven. */
static const BenchNet small = {.width_px = 11,
                               .height_px = 9,
                               .history_bins = 5,
                               .cells = 3,
                               .channels = {2, 3},
                               .kernel_px = {4, 3}};

/* A matrix product, operation by operation. */
static double count_product(int m, int n, int k)
{
    double flops = 0;
    for (int row = 0; row < m; row++)
        for (int column = 0; column < n; column++)
            for (int i = 0; i < k; i++)
                flops += 2;
    return flops;
}

/* A transform of one region (transform.h): the rows of all channels along x, then along y the real
 * and the imaginary value of every column and channel; each time even and odd sums over half the places. */
static double count_transform(int height, int width, int rows, int row_px, int channels)
{
    int columns = width / 2 + 1, half_x = row_px / 2 + row_px % 2, half_y = rows / 2 + rows % 2;
    return 2 * count_product(rows * channels, columns, half_x) +
           2 * count_product(height / 2 + 1, channels * 2 * columns, half_y);
}

/* The image: every place, cosines and sines. */
static double count_plane(int height, int width)
{
    int values = 2 * (width / 2 + 1);
    return count_product(height, values, width) +
           count_product(2 * (height / 2 + 1), values, height);
}

static int frequencies(int height, int width)
{
    return height * (width / 2 + 1);
}

static double count_complex(int outputs, int inputs, int frequencies)
{
    double flops = 0;
    for (int o = 0; o < outputs; o++)
        for (int i = 0; i < inputs; i++)
            for (int f = 0; f < frequencies; f++)
                flops += 4 + 4; // products, and sums into re and im
    return flops;
}

static void the_step_is_counted_operation_by_operation(void)
{
    // 9 × 11 → 2 × 6 × 8 → 3 × 4 × 6 → 3
    int grid1 = frequencies(9, 11), grid2 = frequencies(6, 8);
    double critical = count_plane(9, 11) + count_complex(2, 1, grid1) +
                      count_transform(9, 11, 6, 8, 2) + count_transform(6, 8, 6, 8, 2) +
                      count_complex(3, 2, grid2) + count_transform(6, 8, 4, 6, 3) +
                      count_product(3, 1, 3 * 4 * 6);
    CU_ASSERT(test_near(bench_cost_critical(&small).flops, critical, 0));
    CU_ASSERT(test_near(bench_cost_settle(&small).flops, count_complex(2, 4, grid1), 0));
}

static void the_bytes_of_a_step_are_those_of_its_arrays(void)
{
    // re and im of each: newest filters, sum over the past, second filters
    double spectra1 = 2.0 * 4 * frequencies(9, 11), spectra2 = 2.0 * 4 * frequencies(6, 8);
    int units1 = 2 * 6 * 8, units2 = 3 * 4 * 6;
    double critical =
        2 * spectra1 + 2 * spectra1 + 6 * spectra2 + 4.0 * (2 * units1 + 2 * units2 + 3 * units2);
    CU_ASSERT(test_near(bench_cost_critical(&small).bytes, critical, 0));
    // filters of 4 lags, 4 frames; a block's sum written for this bin; two sums read and written
    double settle = 2 * 4 * spectra1 + 4 * spectra1 + 5 * 2 * spectra1;
    CU_ASSERT(test_near(bench_cost_settle(&small).bytes, settle, 0));
    // 3 lags more are short, 2 long: 2 filters and 5 frames for four bins
    BenchNet longer = small;
    longer.history_bins = 10;
    settle = 2 * 7 * spectra1 + 7 * spectra1 + 5 * 2 * spectra1 + (2 * 2 + 5) * spectra1 / 4;
    CU_ASSERT(test_near(bench_cost_settle(&longer).bytes, settle, 1e-6));
    CU_ASSERT(
        test_near(bench_cost_settle(&longer).flops, count_complex(2, 9, frequencies(9, 11)), 0));
}

static void like_rows_need_one_frequency_a_column(void)
{
    double rest = bench_cost_critical(&small).flops - count_plane(9, 11) -
                  count_complex(2, 1, frequencies(9, 11)) - count_transform(9, 11, 6, 8, 2);
    double first =
        count_product(1, 2 * 6, 11) + count_complex(2, 5, 6) + 2 * count_product(2, 6, 4);
    CU_ASSERT(test_near(bench_cost_rows_alike(&small).flops, first + rest, 0));
}

static void uniform_images_need_two_numbers_a_channel_and_output(void)
{
    // 2 channels of 48 units, 3 × 4 × 6 outputs, 3 × 3 taps; 48 / 16 / 4 units between
    double lines = 2 * (3 * 4 * 6), flops = count_complex(2, 5, 1) + 4 * lines +
                                            2 * (2 * 48 / 16.0 / 4) * 9 * 3 +
                                            count_product(3, 1, 3 * 4 * 6);
    CU_ASSERT(test_near(bench_cost_uniform(&small).flops, flops, 1e-9));
    CU_ASSERT(
        test_near(bench_cost_uniform(&small).bytes, 4 * (2 * lines + (2 + 3) * 3 * 4 * 6), 1e-9));
}

static void a_factorised_readout_has_two_factors(void)
{
    BenchNet net = small;
    net.is_factorised = true;
    BenchCost dense = bench_cost_critical(&small), factors = bench_cost_critical(&net);
    // 3 cells: masks of 4 × 6, weights of 3 channels
    CU_ASSERT(test_near(factors.flops - dense.flops, count_product(3, 1, 3), 0));
    CU_ASSERT(test_near(dense.bytes - factors.bytes, 4.0 * 3 * (3 * 4 * 6 - (4 * 6 + 3)), 0));
    char err[MODEL_ERR_BYTES];
    Model *model = bench_net_open(&net, err);
    if (!model)
        CU_FAIL_FATAL(err);
    model_close(model);
}

static void a_subunit_model_lacks_the_second_layer(void)
{
    BenchNet net = small;
    net.channels[1] = 0;
    double flops = count_plane(9, 11) + count_complex(2, 1, frequencies(9, 11)) +
                   count_transform(9, 11, 6, 8, 2) + count_product(3, 1, 2 * 6 * 8);
    CU_ASSERT(test_near(bench_cost_critical(&net).flops, flops, 0));
    double bytes = 4 * 2.0 * 4 * frequencies(9, 11) + 4.0 * (2 + 3) * (2 * 6 * 8);
    CU_ASSERT(test_near(bench_cost_critical(&net).bytes, bytes, 0));
    double plain = count_product(2 * 6 * 8, 1, 5 * 4 * 4) + count_product(3, 1, 2 * 6 * 8);
    CU_ASSERT(test_near(bench_flops_plain(&net), plain, 0));
    char err[MODEL_ERR_BYTES];
    Model *model = bench_net_open(&net, err);
    if (!model)
        CU_FAIL_FATAL(err);
    CU_ASSERT_STRING_EQUAL(model_info(model)->kind, "subunit");
    model_close(model);
}

/* Both layers' sums place by place, times what backwards adds to each. */
static double count_plain(const BenchNet *net, int first, int second, int readout)
{
    int inputs = net->history_bins, width = net->width_px, height = net->height_px;
    double flops = 0;
    for (int layer = 0; layer < 2; layer++) {
        int kernel = net->kernel_px[layer];
        width -= kernel - 1;
        height -= kernel - 1;
        for (int c = 0; c < net->channels[layer]; c++)
            for (int place = 0; place < width * height; place++)
                for (int i = 0; i < inputs; i++)
                    for (int tap = 0; tap < kernel * kernel; tap++)
                        flops += 2 * (layer ? second : first);
        inputs = net->channels[layer];
    }
    return flops + readout * count_product(net->cells, 1, inputs * width * height);
}

static void the_definition_is_counted_place_by_place(void)
{
    CU_ASSERT(test_near(bench_flops_plain(&small), count_plain(&small, 1, 1, 1), 0));
    CU_ASSERT(test_near(bench_flops_fit_plain(&small), count_plain(&small, 2, 3, 3), 0));
    BenchNet net = bench_net_published(5);
    CU_ASSERT(test_near(bench_flops_plain(&net), count_plain(&net, 1, 1, 1), 0));
}

/* fit_dft.h, a run: a row along x for each of its rows, then along y the real and the imaginary row
 * values into both parts of each frequency. */
static double count_fit_transform(int height, int width, int rows, int row_px, int batch)
{
    int half = width / 2 + 1;
    double flops = 0;
    for (int row = 0; row < rows; row++)
        flops += count_product(2 * half, batch, row_px);
    for (int kx = 0; kx < half; kx++)
        flops += 2 * count_product(2 * height, batch, rows);
    return flops;
}

/* All frequencies: (2 outputs, bins) from (2 inputs, bins) */
static double count_fit_products(int height, int width, int outputs, int inputs, int bins)
{
    double flops = 0;
    for (int frequency = 0; frequency < height * (width / 2 + 1); frequency++)
        flops += count_product(2 * outputs, bins, 2 * inputs);
    return flops;
}

static void a_training_run_is_counted_product_by_product(void)
{
    enum { BINS = 8, FRAMES = BINS + 5 - 1 };
    double forwards =
        count_fit_transform(9, 11, 9, 11, FRAMES) + count_fit_products(9, 11, 2, 5, BINS) +
        count_fit_transform(9, 11, 6, 8, 2 * BINS) + count_fit_transform(6, 8, 6, 8, 2 * BINS) +
        count_fit_products(6, 8, 3, 2, BINS) + count_fit_transform(6, 8, 4, 6, 3 * BINS) +
        count_product(3, BINS, 3 * 4 * 6);
    double backwards =
        2 * count_product(3, BINS, 3 * 4 * 6) + count_fit_transform(6, 8, 4, 6, 3 * BINS) +
        2 * count_fit_products(6, 8, 3, 2, BINS) + count_fit_transform(6, 8, 6, 8, 2 * BINS) +
        count_fit_transform(9, 11, 6, 8, 2 * BINS) + count_fit_products(9, 11, 2, 5, BINS);
    CU_ASSERT(test_near(BINS * bench_cost_fit(&small, BINS).flops, forwards + backwards, 1e-6));
}

static void an_attribution_is_counted_network_by_network(void)
{
    double second = count_transform(6, 8, 6, 8, 2) + count_complex(3, 2, frequencies(6, 8)) +
                    count_transform(6, 8, 4, 6, 3);
    double readout = count_product(1, 1, 3 * 4 * 6);
    double window = count_plane(9, 11) + count_complex(2, 5, frequencies(9, 11)) +
                    count_transform(9, 11, 6, 8, 2);
    // rates: both ends, 3 seams. Panels: 4 to begin with, then 2 for each of the 2 that were halved
    double flops = window + 5 * (second + readout) + 8 * (2 * second + readout);
    CU_ASSERT(test_near(bench_cost_attribution(&small, 4, 6).flops, flops, 0));
}

static void a_reduced_model_is_counted_lag_by_lag(void)
{
    enum { TAPS = 15, PLACES = 36, MEANS = 50, FREQUENCIES = 26 };
    double flops = 50 * 50 + count_product(2 * FREQUENCIES, 1, MEANS);
    for (int unit = 0; unit < 3; unit++) {
        for (int lag = 0; lag < 40; lag++)
            flops += FREQUENCIES * 8; // four products and four sums
        flops += count_product(1, PLACES, 2 * FREQUENCIES);
        for (int cell = 0; cell < 2; cell++) {
            for (int place = 0; place < PLACES; place++)
                flops += 2 * 3; // either side: less the threshold, times the pool, onto the sum
            flops += 2 * 2;     // times the weight, onto the sum
        }
    }
    CU_ASSERT(test_near(bench_cost_reduced(2500, 3, 40, TAPS, PLACES, 2).flops, flops, 0));
}

static void the_yardsticks_do_what_they_say(void)
{
    Yardstick *yardstick = yardstick_open(20e6);
    CU_ASSERT_PTR_NOT_NULL_FATAL(yardstick);
    double flops = yardstick_multiply(yardstick), bytes = yardstick_read_memory(yardstick);
    CU_ASSERT(test_near(flops, 2 * pow(round(cbrt(flops / 2)), 3), 0)); // of a square one
    CU_ASSERT(bytes > 10e6 && bytes <= 20e6);
    CU_ASSERT(yardstick_read_memory(yardstick) == bytes); // round and round
    CU_ASSERT(fmod(yardstick_read_cache(yardstick), YARDSTICK_CACHE_BYTES) == 0);
    yardstick_close(yardstick);
}

static void a_random_network_is_of_the_shape_it_is_timed_for(void)
{
    char err[MODEL_ERR_BYTES];
    Model *model = bench_net_open(&small, err);
    if (!model)
        CU_FAIL_FATAL(err);
    const ModelInfo *info = model_info(model);
    ModelMaps maps;
    CU_ASSERT(info->width_px == 11 && info->height_px == 9 && info->history_bins == 5);
    CU_ASSERT_EQUAL(info->cells, 3);
    float *frames = bench_frames(11, 9, BENCH_CHECKERBOARD), rates[3];
    CU_ASSERT_PTR_NOT_NULL_FATAL(frames);
    double least = HUGE_VAL, most = 0;
    for (int i = 0; i < BENCH_FRAMES; i++) {
        model_step(model, frames + i * 99, rates);
        least = fmin(least, (double)rates[0]);
        most = fmax(most, (double)rates[0]);
    }
    CU_ASSERT(least > 0 && most > 1.01 * least); // units are neither all silent nor stuck
    model_maps(model, &maps);
    CU_ASSERT(maps.channels == 2 && maps.width_px == 8 && maps.height_px == 6);
    free(frames);
    model_close(model);
}

static void frames_are_what_their_name_says(void)
{
    float *full = bench_frames(11, 9, BENCH_FULL_FIELD), *bar = bench_frames(11, 9, BENCH_BARS);
    CU_ASSERT_FATAL(full && bar);
    int changes = 0;
    for (int f = 0; f < BENCH_FRAMES; f++) {
        const float *even = full + f * 99, *upright = bar + f * 99;
        double light = 0;
        for (int i = 0; i < 99; i++) {
            CU_ASSERT(even[i] == even[0]);
            CU_ASSERT(upright[i] == upright[i % 11]);
            light += (double)upright[i];
        }
        CU_ASSERT(light == 4 * 9);
        changes += f > 0 && even[0] != even[-99];
    }
    CU_ASSERT(changes > 0);
    free(full);
    free(bar);
}

static void a_percentile_needs_enough_measurements(void)
{
    BenchLine line = {0};
    char err[MODEL_ERR_BYTES];
    CU_ASSERT(isnan(bench_us(&line, 0.5)));
    for (int i = 1; i <= 99; i++)
        CU_ASSERT(bench_add(&line, 1000 * i, err));
    CU_ASSERT(test_near(bench_us(&line, 0.5), 50, 0));
    CU_ASSERT(isnan(bench_us(&line, 0.99)));
    CU_ASSERT(bench_add(&line, 100000, err));
    CU_ASSERT(test_near(bench_us(&line, 0.99), 99, 0));
    CU_ASSERT(isnan(bench_us(&line, 0.999)));
    series_finish(&line.ns);
}

static const TestCase cases[] = {
    {"the arithmetic of a step is counted operation by operation",
     the_step_is_counted_operation_by_operation},
    {"the bytes of a step are those of its arrays", the_bytes_of_a_step_are_those_of_its_arrays},
    {"uniform images need two numbers a channel and output",
     uniform_images_need_two_numbers_a_channel_and_output},
    {"like rows need one frequency a column", like_rows_need_one_frequency_a_column},
    {"a factorised readout has two factors", a_factorised_readout_has_two_factors},
    {"a subunit model lacks the second layer", a_subunit_model_lacks_the_second_layer},
    {"the definition is counted place by place", the_definition_is_counted_place_by_place},
    {"a training run is counted product by product", a_training_run_is_counted_product_by_product},
    {"an attribution is counted network by network", an_attribution_is_counted_network_by_network},
    {"a reduced model is counted lag by lag", a_reduced_model_is_counted_lag_by_lag},
    {"the yardsticks do what they say", the_yardsticks_do_what_they_say},
    {"a random network is of the shape it is timed for",
     a_random_network_is_of_the_shape_it_is_timed_for},
    {"frames are what their name says", frames_are_what_their_name_says},
    {"a percentile needs enough measurements", a_percentile_needs_enough_measurements},
};

int main(void)
{
    return test_main("bench", cases, sizeof cases / sizeof cases[0]);
}
