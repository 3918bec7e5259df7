#include "tests/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/fit_net.h"
#include "render/philox.h"

/* A network so small that every derivative can be had by differences. */
enum { W = 7, H = 6, LAGS = 4, BINS = 6, FRAMES = BINS + LAGS - 1, CELLS = 2, RUNS = 2, PAST = 3 };

static uint32_t word(void *ctx, uint32_t stream, uint64_t index)
{
    (void)ctx;
    PhiloxCounter at = {{(uint32_t)(index / 4), 0, stream, 0}};
    return philox(at, (PhiloxKey){{5, 0}}).words[index % 4];
}

typedef struct {
    FitSpec spec;
    ModelInfo about;
    FitBatch batch;
    FitNet net;
    void *state;
} Bench;

static float normal_at(uint32_t stream, uint64_t index)
{
    return (float)philox_normal(word(NULL, stream, index));
}

static void fill_batch(Bench *bench, int past_bins)
{
    FitBatch *b = &bench->batch;
    int runs = FIT_LANES * RUNS;
    *b = (FitBatch){.lanes = FIT_LANES,
                    .runs = RUNS,
                    .bins = BINS,
                    .frames = FRAMES,
                    .pixels = W * H,
                    .cells = CELLS,
                    .past_bins = past_bins,
                    .step = 7,
                    .noise_seed = 11};
    b->past = calloc((size_t)runs, sizeof *b->past);
    b->stimulus = calloc((size_t)runs, sizeof *b->stimulus);
    b->target = calloc((size_t)runs, sizeof *b->target);
    b->rate = calloc((size_t)runs, sizeof *b->rate);
    b->loss = calloc(FIT_LANES, sizeof *b->loss);
    for (int run = 0; run < runs; run++) {
        b->stimulus[run] = calloc(W * H * FRAMES, sizeof(float));
        b->target[run] = calloc(CELLS * BINS, sizeof(float));
        b->rate[run] = calloc(CELLS * BINS, sizeof(float));
        b->past[run] = calloc((size_t)(CELLS * (past_bins + BINS)), sizeof(float));
        for (int i = 0; i < CELLS * (past_bins + BINS); i++)
            b->past[run][i] = fabsf(normal_at(70 + (uint32_t)run, (uint64_t)i));
        for (int i = 0; i < W * H * FRAMES; i++)
            b->stimulus[run][i] = normal_at(10 + (uint32_t)run, (uint64_t)i);
        for (int i = 0; i < CELLS * BINS; i++)
            b->target[run][i] = fabsf(normal_at(50 + (uint32_t)run, (uint64_t)i));
    }
}

/* spec: what sets this network apart; the sizes are those of the bench. */
static void open_bench(Bench *bench, FitSpec spec)
{
    char err[MODEL_ERR_BYTES];
    FitKind kind = spec.kind;
    const float target_mean[CELLS] = {0.8f, 0.8f};
    FitStart start = {target_mean, word, NULL};
    memset(bench, 0, sizeof *bench);
    spec.history_bins = LAGS;
    spec.channels[0] = 2;
    spec.channels[1] = 3;
    spec.kernel_px[0] = 3;
    spec.kernel_px[1] = spec.is_stacked ? 3 : 2;
    spec.window_px = 3;
    spec.word = word;
    bench->spec = spec;
    bench->about = (ModelInfo){.width_px = W, .height_px = H, .cells = CELLS};
    fill_batch(bench, kind == FIT_GLM ? PAST : 0);
    bench->batch.l1_activity = (float)spec.l1_activity;
    bench->state = (kind == FIT_CNN || kind == FIT_SUBUNIT ? fit_cnn_open : fit_ln_open)(
        &bench->spec, &bench->about, &bench->batch, &bench->net, err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench->state);
    for (int i = 0; i < bench->net.survey_count; i++)
        for (int lane = 0; lane < FIT_LANES; lane++)
            bench->net.survey[i].lane(bench->state, lane);
    CU_ASSERT_FATAL(bench->net.start(bench->state, &start, err));
    // away from the start's symmetric values
    for (size_t i = 0; i < bench->net.param_count; i++)
        bench->net.params[i] += 0.05f * normal_at(90, i);
    for (int i = 0; i < bench->net.tensor_count; i++) {
        const FitTensor *tensor = &bench->net.tensors[i];
        for (size_t j = tensor->at;
             strcmp(tensor->name, "readout") == 0 && j < tensor->at + tensor->count; j++)
            bench->net.params[j] *= 3.0f;
    }
    bench->net.begin(bench->state, true);
}

static void close_bench(Bench *bench)
{
    bench->net.close(bench->state);
    for (int run = 0; run < FIT_LANES * RUNS; run++) {
        free(bench->batch.stimulus[run]);
        free(bench->batch.target[run]);
        free(bench->batch.rate[run]);
        free(bench->batch.past[run]);
    }
    free(bench->batch.stimulus);
    free(bench->batch.target);
    free(bench->batch.rate);
    free(bench->batch.past);
    free(bench->batch.loss);
}

static double mean_loss(Bench *bench)
{
    bench->net.changed(bench->state);
    for (int i = 0; i < bench->net.train_count; i++) {
        for (int lane = 0; lane < FIT_LANES; lane++)
            bench->net.train[i].lane(bench->state, lane);
        if (bench->net.train[i].join)
            bench->net.train[i].join(bench->state);
    }
    double sum = 0.0;
    for (int lane = 0; lane < FIT_LANES; lane++)
        sum += bench->batch.loss[lane];
    return sum / (CELLS * BINS * RUNS * FIT_LANES);
}

/* d loss / d p from p ± h */
static double difference(Bench *bench, float *param, float h)
{
    float was = *param;
    *param = was + h;
    double above = mean_loss(bench);
    *param = was - h;
    double below = mean_loss(bench);
    *param = was;
    return (above - below) / (2.0 * (double)h);
}

/* Each parameter by itself. A ReLU may switch between p − h and p + h, which a smaller step meets
 * less often, at the price of rounding: one of two steps must agree, for nearly every parameter. */
static void check_tensor(Bench *bench, const FitTensor *tensor)
{
    const double rounding = 5e-5;
    float *params = bench->net.params + tensor->at;
    float *gradient = malloc(tensor->count * sizeof *gradient);
    mean_loss(bench);
    memcpy(gradient, bench->net.gradient + tensor->at, tensor->count * sizeof *gradient);
    double largest = 0.0;
    for (size_t i = 0; i < tensor->count; i++)
        largest = fmax(largest, fabs((double)gradient[i]));
    CU_ASSERT(largest > 1e-4);
    size_t wrong = 0;
    for (size_t i = 0; i < tensor->count; i++) {
        double tolerance = 0.03 * largest + rounding, wanted = (double)gradient[i];
        wrong += !test_near(wanted, difference(bench, &params[i], 2e-3f), tolerance) &&
                 !test_near(wanted, difference(bench, &params[i], 4e-4f), tolerance);
    }
    if (wrong * 20 > tensor->count)
        printf("%s: %zu of %zu derivatives disagree\n", tensor->name, wrong, tensor->count);
    CU_ASSERT(wrong * 20 <= tensor->count);
    free(gradient);
}

static void check_network(FitSpec spec)
{
    Bench bench;
    open_bench(&bench, spec);
    for (int i = 0; i < bench.net.tensor_count; i++)
        check_tensor(&bench, &bench.net.tensors[i]);
    close_bench(&bench);
}

static void every_cnn_derivative_agrees_with_its_difference(void)
{
    check_network((FitSpec){.kind = FIT_CNN});
}

static void and_with_a_batch_norm_a_unit(void)
{
    check_network((FitSpec){.kind = FIT_CNN, .norm = FIT_NORM_UNIT});
}

static void and_with_noise_and_a_pull_on_the_rates(void)
{
    check_network((FitSpec){.kind = FIT_CNN, .noise_sd = 0.3, .l1_activity = 0.2});
}

static void and_with_stacked_kernels(void)
{
    check_network((FitSpec){.kind = FIT_CNN, .is_stacked = true});
}

static void and_of_the_subunit_model(void)
{
    check_network((FitSpec){.kind = FIT_SUBUNIT});
    check_network((FitSpec){.kind = FIT_SUBUNIT, .norm = FIT_NORM_UNIT, .noise_sd = 0.1});
}

static void every_ln_derivative_agrees_with_its_difference(void)
{
    check_network((FitSpec){.kind = FIT_LN});
}

static void and_of_the_glm(void)
{
    check_network((FitSpec){.kind = FIT_GLM});
}

/* The network as the paper writes it, sum by sum, against the transforms. */
static void rates_are_those_of_the_plain_sums(void)
{
    Bench bench;
    open_bench(&bench, (FitSpec){.kind = FIT_CNN});
    const FitTensor *t = bench.net.tensors;
    mean_loss(&bench); // fills the running statistics with something
    bench.net.begin(bench.state, false);
    for (int i = 0; i < bench.net.predict_count; i++)
        for (int lane = 0; lane < FIT_LANES; lane++)
            bench.net.predict[i].lane(bench.state, lane);
    const float *p = bench.net.params, *running = bench.net.state;
    enum { C1 = 2, K1 = 3, H1 = 4, W1 = 5, C2 = 3, K2 = 2, H2 = 3, W2 = 4 };
    double a1[C1][H1][W1], a2[C2][H2][W2];
    for (int bin = 0; bin < BINS; bin++) {
        for (int c = 0; c < C1; c++)
            for (int y = 0; y < H1; y++)
                for (int x = 0; x < W1; x++) {
                    double z = 0.0;
                    for (int lag = 0; lag < LAGS; lag++)
                        for (int dy = 0; dy < K1; dy++)
                            for (int dx = 0; dx < K1; dx++)
                                z += (double)p[((c * LAGS + lag) * K1 + dy) * K1 + dx] *
                                     (double)bench.batch
                                         .stimulus[5][((y + dy) * W + x + dx) * FRAMES + bin + lag];
                    z = (z - (double)running[c]) / (double)running[C1 + c];
                    a1[c][y][x] = fmax(0.0, (double)p[t[1].at + (size_t)c] * z +
                                                (double)p[t[2].at + (size_t)c]);
                }
        for (int c = 0; c < C2; c++)
            for (int y = 0; y < H2; y++)
                for (int x = 0; x < W2; x++) {
                    double z = 0.0;
                    for (int i = 0; i < C1; i++)
                        for (int dy = 0; dy < K2; dy++)
                            for (int dx = 0; dx < K2; dx++)
                                z += (double)
                                         p[t[3].at + (size_t)(((c * C1 + i) * K2 + dy) * K2 + dx)] *
                                     a1[i][y + dy][x + dx];
                    z = (z - (double)running[2 * C1 + c]) / (double)running[2 * C1 + C2 + c];
                    a2[c][y][x] = fmax(0.0, (double)p[t[4].at + (size_t)c] * z +
                                                (double)p[t[5].at + (size_t)c]);
                }
        for (int cell = 0; cell < CELLS; cell++) {
            double drive = (double)p[t[7].at + (size_t)cell];
            for (int y = 0; y < H2; y++)
                for (int x = 0; x < W2; x++)
                    for (int c = 0; c < C2; c++)
                        drive +=
                            (double)p[t[6].at + (size_t)(((cell * H2 + y) * W2 + x) * C2 + c)] *
                            a2[c][y][x];
            CU_ASSERT(
                test_near((double)bench.batch.rate[5][cell * BINS + bin], log1p(exp(drive)), 1e-4));
        }
    }
    close_bench(&bench);
}

static const TestCase cases[] = {
    {"rates are those of the plain sums", rates_are_those_of_the_plain_sums},
    {"every derivative of the CNN agrees with its difference",
     every_cnn_derivative_agrees_with_its_difference},
    {"and with a batch-norm a unit", and_with_a_batch_norm_a_unit},
    {"and with noise, and a pull on the rates", and_with_noise_and_a_pull_on_the_rates},
    {"and with kernels of stacked 3 by 3 ones", and_with_stacked_kernels},
    {"and of the subunit model", and_of_the_subunit_model},
    {"every derivative of the LN model agrees with its difference",
     every_ln_derivative_agrees_with_its_difference},
    {"and of the GLM, its memory included", and_of_the_glm},
};

int main(void)
{
    return test_main("fit_gradient", cases, sizeof cases / sizeof cases[0]);
}
