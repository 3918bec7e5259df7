#include "app/bench_report.h"

#include <math.h>

#include "app/json.h"
#include "app/machine.h"

static const double MEDIAN = 0.5;

static double per_s(double amount, BenchLine *line)
{
    return amount * 1e6 / bench_us(line, MEDIAN);
}

static double ratio(double value, double of)
{
    return of > 0 ? value / of : (double)NAN;
}

/* A figure of the published net; NaN when it was left out. */
static double median_of(Bench *bench, BenchGroup group, const char *name, int line)
{
    BenchCase *c = bench_find(bench, group, name);
    return c ? bench_us(&c->lines[line], MEDIAN) : (double)NAN;
}

static double step_share(Bench *bench, BenchCase *c)
{
    return ratio(bench_us(&c->lines[0], MEDIAN), median_of(bench, BENCH_STEP, "published net", 1));
}

/* Critical paths less one another; NaN where left out or lost in noise. */
typedef struct {
    double first_us, second_us, readout_us_per_cell;
} Layers;

static double above_zero(double value)
{
    return value > 0 ? value : (double)NAN;
}

static Layers layers_of(Bench *bench)
{
    double first = median_of(bench, BENCH_LAYERS, "first", 0);
    double both = median_of(bench, BENCH_LAYERS, "both", 0);
    double wide = median_of(bench, BENCH_LAYERS, "and 100 cells", 0);
    return (Layers){first, above_zero(both - first), above_zero((wide - both) / 100)};
}

/* ---- for people */

static void print_number(FILE *to, double value, int decimals)
{
    if (isfinite(value))
        fprintf(to, " %9.*f", decimals, value);
    else
        fprintf(to, " %9s", "-");
}

static void print_line(Bench *bench, BenchCase *c, BenchLine *line, FILE *to)
{
    const BenchMachine *m = &bench->machine;
    fprintf(to, "%-12s %-14s %-14s", bench_group_name(c->group), c->name, line->what);
    print_number(to, bench_us(line, MEDIAN), 1);
    print_number(to, bench_us(line, 0.99), 1);
    print_number(to, bench_us(line, 0.999), 1);
    print_number(to, line->cost.flops * 1e-6, 3);
    print_number(to, line->cost.bytes * 1e-6, 3);
    print_number(to, 100 * ratio(per_s(line->cost.flops, line), m->sgemm_flops_s), 1);
    print_number(to, 100 * ratio(per_s(line->cost.bytes, line), m->memory_bytes_s), 1);
    print_number(to, 100 * ratio(per_s(line->cost.bytes, line), m->cache_bytes_s), 1);
    fprintf(to, "\n");
}

static void print_machine(const Bench *bench, FILE *to)
{
    Machine machine = machine_describe();
    fprintf(to,
            "%s, %d cores, %s; one thread\n"
            "sgemm %.1f Gflop/s; reading memory %.1f GB/s, what stays in a cache %.1f GB/s\n"
            "weights (but of reduced models) and data are random: only time is measured, of "
            "networks of 40 × 50 × 50 → "
            "8 × 36 × 36 → 8 × 26 × 26 → 5\nwhere nothing else is said\n\n",
            machine.cpu, machine.cores, machine.kernel, bench->machine.sgemm_flops_s * 1e-9,
            bench->machine.memory_bytes_s * 1e-9, bench->machine.cache_bytes_s * 1e-9);
}

static void print_shares(Bench *bench, FILE *to)
{
    int found = 0;
    for (int i = 0; i < bench->cases_count; i++) {
        BenchCase *c = &bench->cases[i];
        found += c->group == BENCH_REDUCED;
        double share = c->group == BENCH_REDUCED ? step_share(bench, c) : (double)NAN;
        if (isfinite(share))
            fprintf(to, "the reduced model %s takes %.2f %% of the published net's step\n", c->name,
                    100 * share);
    }
    if (bench->is_wanted[BENCH_REDUCED] && found < BENCH_REDUCED_SHIPPED)
        fprintf(to, "%d of the %d reduced models were not found and are left out\n",
                BENCH_REDUCED_SHIPPED - found, BENCH_REDUCED_SHIPPED);
}

static void print_layers(Bench *bench, FILE *to)
{
    Layers layers = layers_of(bench);
    if (!isfinite(layers.first_us))
        return;
    fprintf(to, "critical path by difference, us: first layer");
    print_number(to, layers.first_us, 1);
    fprintf(to, ", second layer");
    print_number(to, layers.second_us, 1);
    fprintf(to, ", readout a cell");
    print_number(to, layers.readout_us_per_cell, 2);
    fprintf(to, "\n");
}

void bench_print(Bench *bench, FILE *to)
{
    print_machine(bench, to);
    fprintf(to, "%-12s %-14s %-14s %9s %9s %9s %9s %9s %9s %9s %9s\n", "group", "case", "what",
            "p50 us", "p99 us", "p99.9 us", "Mflop", "MB", "% sgemm", "% memory", "% cache");
    for (int i = 0; i < bench->cases_count; i++)
        for (int line = 0; line < bench->cases[i].lines_count; line++)
            print_line(bench, &bench->cases[i], &bench->cases[i].lines[line], to);
    fprintf(to, "\nMflop and MB are what one needs, %% how much of the machine's own speed it "
                "reaches;\nabove 100 %% of memory: the bytes came from a cache\n");
    print_shares(bench, to);
    print_layers(bench, to);
    if (bench->published_bytes > 0)
        fprintf(to,
                "peak memory: %.1f MB with the published net, making its weights included; "
                "%.1f MB with all of the bench\n",
                bench->published_bytes * 1e-6, bench->most_bytes * 1e-6);
}

/* ---- for machines */

static json_t *percentiles(BenchLine *line)
{
    return json_pack("{s:o, s:o, s:o}", "p50", json_number(bench_us(line, MEDIAN)), "p99",
                     json_number(bench_us(line, 0.99)), "p99_9",
                     json_number(bench_us(line, 0.999)));
}

static json_t *machine_json(const BenchMachine *m)
{
    Machine machine = machine_describe();
    return json_pack("{s:s, s:i, s:s, s:i, s:o, s:o, s:o}", "cpu", machine.cpu, "cores",
                     machine.cores, "kernel", machine.kernel, "threads", 1, "sgemm_gflops",
                     json_number(m->sgemm_flops_s * 1e-9), "memory_gb_s",
                     json_number(m->memory_bytes_s * 1e-9), "cache_gb_s",
                     json_number(m->cache_bytes_s * 1e-9));
}

static json_t *step_json(Bench *bench, int line)
{
    BenchCase *c = bench_find(bench, BENCH_STEP, "published net");
    return c ? percentiles(&c->lines[line]) : json_null();
}

static json_t *cnn_json(Bench *bench)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "critical_us", step_json(bench, 0), "step_us",
        step_json(bench, 1), "predict_us_per_frame",
        json_number(median_of(bench, BENCH_PREDICT, "checkerboard", 0)),
        "predict_full_field_us_per_frame",
        json_number(median_of(bench, BENCH_PREDICT, "full field", 0)), "predict_bar_us_per_frame",
        json_number(median_of(bench, BENCH_PREDICT, "bar", 0)), "fit_us_per_sample",
        json_number(median_of(bench, BENCH_FIT, "published net", 0)), "attribution_us_per_frame",
        json_number(median_of(bench, BENCH_ATTRIBUTION, "checkerboard", 0)));
}

static json_t *layers_json(Bench *bench)
{
    Layers layers = layers_of(bench);
    return json_pack("{s:o, s:o, s:o}", "first_us", json_number(layers.first_us), "second_us",
                     json_number(layers.second_us), "readout_us_per_cell",
                     json_number(layers.readout_us_per_cell));
}

static json_t *line_json(Bench *bench, BenchCase *c, BenchLine *line)
{
    const BenchMachine *m = &bench->machine;
    double flops_s = per_s(line->cost.flops, line), bytes_s = per_s(line->cost.bytes, line);
    json_t *plain = line->plain_flops > 0 ? json_real(line->plain_flops) : json_null();
    json_t *found = json_pack(
        "{s:s, s:s, s:s, s:o, s:I, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "group",
        bench_group_name(c->group), "case", c->name, "what", line->what, "us", percentiles(line),
        "measurements", (json_int_t)line->ns.count, "flops", line->cost.flops, "bytes",
        line->cost.bytes, "plain_flops", plain, "gflops", json_number(flops_s * 1e-9), "gb_s",
        json_number(bytes_s * 1e-9), "sgemm_share", json_number(ratio(flops_s, m->sgemm_flops_s)),
        "memory_share", json_number(ratio(bytes_s, m->memory_bytes_s)), "cache_share",
        json_number(ratio(bytes_s, m->cache_bytes_s)));
    if (c->group == BENCH_REDUCED)
        json_object_set_new(found, "step_share", json_number(step_share(bench, c)));
    return found;
}

json_t *bench_json(Bench *bench)
{
    json_t *lines = json_array();
    for (int i = 0; i < bench->cases_count; i++)
        for (int line = 0; line < bench->cases[i].lines_count; line++)
            json_array_append_new(lines,
                                  line_json(bench, &bench->cases[i], &bench->cases[i].lines[line]));
    double published = bench->published_bytes > 0 ? bench->published_bytes * 1e-6 : (double)NAN;
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:{s:o, s:o}, s:o}", "retrace", RETRACE_VERSION,
                     "weights", "random", "machine", machine_json(&bench->machine), "cnn",
                     cnn_json(bench), "layers", layers_json(bench), "memory", "published_mb",
                     json_number(published), "bench_mb", json_number(bench->most_bytes * 1e-6),
                     "lines", lines);
}
