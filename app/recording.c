#include "app/recording.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/draws.h"
#include "app/mix.h"
#include "model/dataset.h"

enum { BLOCK_BINS = 100, STREAM_SPIKES = 100 };

typedef struct {
    const Retina *retina;
    Circuit *circuit;
    DatasetWriter *writer;
    int cells, pixels;
    double bin_hz;
    uint8_t *levels; // (BLOCK_BINS, pixels)
    float *lum;      // (pixels)
    float *rates_hz; // (BLOCK_BINS, cells)
    uint8_t *spikes; // (BLOCK_BINS, repeats, cells)
    double rate_sum; // Hz, over bins and cells of the train part
} Recording;

static CircuitCell cell_of(const RetinaClass *from)
{
    CircuitCell cell = {
        .w = {(float)from->off, (float)from->on_fast, (float)from->on_slow},
        .thg = (float)from->threshold,
        .alpha_hz = (float)from->alpha_hz,
        .sg_um = (float)from->pool_um,
    };
    snprintf(cell.name, sizeof cell.name, "%s", from->name);
    return cell;
}

static void fill_lattice(const Retina *retina, CircuitCell *cells)
{
    const RetinaLattice *from = retina->lattice;
    CircuitCell classes[MODEL_MAX_CELLS];
    for (unsigned i = 0; i < retina->classes_count; i++)
        classes[i] = cell_of(&retina->classes[i]);
    const CircuitLattice lattice = {
        .classes = classes,
        .class_count = (int)retina->classes_count,
        .sites = from->sites,
        .x_um = from->x_um,
        .y_um = from->y_um,
        .spacing_um = from->spacing_um,
        .jitter_um = from->jitter_um,
        .spread = from->spread,
        .seed = (uint64_t)from->seed,
    };
    circuit_fill_lattice(&lattice, cells);
}

static void fill_cells(const Retina *retina, CircuitCell *cells)
{
    if (retina->lattice)
        fill_lattice(retina, cells);
    cells += retina_cells(retina) - retina->cells_count;
    for (unsigned i = 0; i < retina->cells_count; i++) {
        const RetinaCell *from = &retina->cells[i];
        cells[i] = cell_of(retina_class(retina, from->kind));
        snprintf(cells[i].name, sizeof cells[i].name, "%s", from->name);
        cells[i].x_um = (float)from->x_um;
        cells[i].y_um = (float)from->y_um;
    }
}

bool recording_circuit(const Retina *retina, CircuitSpec *spec, CircuitCell *cells, char *err)
{
    char why[MODEL_ERR_BYTES];
    CircuitCell preset[CIRCUIT_PRESET_CELLS];
    const char *name = retina->circuit ? retina->circuit : "tuned";
    const CircuitVariant *variant = circuit_variant(name, why);
    if (!variant) {
        snprintf(err, RECORDING_ERR_BYTES, "%s: circuit: %s", retina->name, why);
        return false;
    }
    *spec = circuit_preset(preset);
    snprintf(spec->name, sizeof spec->name, "%s", retina->name);
    spec->width_px = retina->field.width_px;
    spec->height_px = retina->field.height_px;
    spec->um_per_px = retina->field.um_per_px;
    spec->params = variant->params;
    if (retina->circuit)
        snprintf(spec->note, sizeof spec->note, "parameters \"%s\"", name);
    spec->cells = cells;
    spec->cell_count = (int)retina_cells(retina);
    fill_cells(retina, cells);
    for (unsigned i = 0; i < retina->blocked_count; i++)
        if (!circuit_block(spec, retina->blocked[i], why)) {
            snprintf(err, RECORDING_ERR_BYTES, "%s: blocked[%u]: %s", retina->name, i, why);
            return false;
        }
    return true;
}

/* The number k with P(less than k) <= u < P(at most k), for a mean far below 255. */
static uint8_t poisson_quantile(double u, double mean)
{
    double term = exp(-mean), sum = term;
    int k = 0;
    while (u >= sum && k < 255) {
        k++;
        term *= mean / k;
        sum += term;
    }
    return (uint8_t)k;
}

/* Spikes of one bin: counter-based, so that each (part, trial, bin, cell) has its own number. */
static void draw_spikes(const Recording *r, DatasetPart part, int trial, int64_t bin,
                        const float *rates_hz, uint8_t *spikes)
{
    uint64_t seed = (uint64_t)r->retina->seed;
    PhiloxKey key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    PhiloxCounter words = {{0}};
    for (int cell = 0; cell < r->cells; cell++) {
        if (cell % 4 == 0)
            words = philox((PhiloxCounter){{(uint32_t)bin, (uint32_t)(cell / 4), (uint32_t)trial,
                                            STREAM_SPIKES + (uint32_t)part}},
                           key);
        spikes[cell] = poisson_quantile(philox_uniform(words.words[cell % 4]),
                                        (double)rates_hz[cell] / r->bin_hz);
    }
}

static bool record_bin(Recording *r, Mix *mix, DatasetPart part, int64_t bin, int at)
{
    int trials = part == DATASET_TEST ? r->retina->test_repeats : 1;
    uint8_t *levels = r->levels + (size_t)at * (size_t)r->pixels;
    float *rates_hz = r->rates_hz + (size_t)at * (size_t)r->cells;
    if (!mix_next(mix, levels))
        return false;
    for (int i = 0; i < r->pixels; i++)
        r->lum[i] = (float)levels[i] / (float)DATASET_LEVEL_WHITE;
    circuit_step(r->circuit, r->lum, rates_hz);
    for (int trial = 0; trial < trials; trial++)
        draw_spikes(r, part, trial, bin, rates_hz,
                    r->spikes + ((size_t)at * (size_t)trials + (size_t)trial) * (size_t)r->cells);
    for (int cell = 0; part == DATASET_TRAIN && cell < r->cells; cell++)
        r->rate_sum += (double)rates_hz[cell];
    return true;
}

typedef struct {
    const atomic_bool *stop;
    void (*progress)(void *ctx, int64_t done, int64_t total);
    void *ctx;
    int64_t done, total;
} Watch;

/* Returns the bins recorded, or -1 with err set. */
static int64_t record_part(Recording *r, DatasetPart part, int64_t bins, Watch *watch, char *err)
{
    const Retina *retina = r->retina;
    MixSpec spec = {
        .share = {[MIX_NATURAL] = retina->mix.natural,
                  [MIX_NOISE] = retina->mix.noise,
                  [MIX_FULL_FIELD] = retina->mix.full_field,
                  [MIX_OBJECTS] = retina->mix.objects,
                  [MIX_FLASHES] = retina->mix.flashes},
        .segment_s = retina->segment_s,
        .seed = retina->seed,
        .stream = (uint32_t)part,
        .raster = {retina->field.width_px, retina->field.height_px, retina->field.um_per_px},
        .bin_hz = r->bin_hz,
    };
    Mix *mix = mix_create(&spec);
    int64_t bin = 0;
    bool ok = mix != NULL;
    circuit_reset(r->circuit);
    while (ok && bin < bins && !atomic_load(watch->stop)) {
        int count = (int)(bins - bin < BLOCK_BINS ? bins - bin : BLOCK_BINS);
        for (int i = 0; ok && i < count; i++)
            ok = record_bin(r, mix, part, bin + i, i);
        if (!ok)
            break;
        DatasetBlock block = {count, r->levels, r->rates_hz, r->spikes};
        if (!dataset_append(r->writer, part, &block, err)) {
            mix_destroy(mix);
            return -1;
        }
        bin += count;
        watch->done += count;
        if (watch->progress)
            watch->progress(watch->ctx, watch->done, watch->total);
    }
    mix_destroy(mix);
    if (!ok)
        snprintf(err, RECORDING_ERR_BYTES, "out of memory for the stimulus");
    return ok ? bin : -1;
}

static DatasetWriter *open_writer(const Recording *r, const char *path, char *err)
{
    char provenance[512];
    const ModelInfo *info = circuit_info(r->circuit);
    snprintf(provenance, sizeof provenance,
             "simulated: preparation %s, seed %lld; Poisson spikes of a circuit tuned on the four "
             "predictive phenomena, no recording",
             r->retina->name, (long long)r->retina->seed);
    DatasetInfo about = {
        .width_px = info->width_px,
        .height_px = info->height_px,
        .um_per_px = info->um_per_px,
        .bin_hz = info->bin_hz,
        .lum_per_level = 1.0 / DATASET_LEVEL_WHITE,
        .cells = info->cells,
        .cell_names = info->cell_names,
        .cell_x_um = info->cell_x_um,
        .cell_y_um = info->cell_y_um,
        .provenance = provenance,
        .is_simulated = true,
        .repeats = r->retina->test_repeats,
    };
    memcpy(about.name, info->name, sizeof about.name);
    return dataset_create(path, &about, err);
}

static bool allocate(Recording *r)
{
    size_t block = BLOCK_BINS, cells = (size_t)r->cells;
    r->levels = malloc(block * (size_t)r->pixels);
    r->lum = malloc((size_t)r->pixels * sizeof *r->lum);
    r->rates_hz = malloc(block * cells * sizeof *r->rates_hz);
    r->spikes = malloc(block * cells * (size_t)r->retina->test_repeats);
    return r->levels && r->lum && r->rates_hz && r->spikes;
}

static void release(Recording *r)
{
    circuit_destroy(r->circuit);
    free(r->levels);
    free(r->lum);
    free(r->rates_hz);
    free(r->spikes);
}

static bool record_all(Recording *r, Watch *watch, RecordingSummary *summary, char *err)
{
    int64_t train = llround(r->retina->minutes * 60.0 * r->bin_hz);
    int64_t test = llround(r->retina->test_minutes * 60.0 * r->bin_hz);
    watch->total = train + test;
    summary->test_bins = record_part(r, DATASET_TEST, test, watch, err);
    if (summary->test_bins < 0)
        return false;
    summary->train_bins = record_part(r, DATASET_TRAIN, train, watch, err);
    if (summary->train_bins < 0)
        return false;
    if (summary->train_bins > 0)
        summary->mean_rate_hz = r->rate_sum / ((double)summary->train_bins * r->cells);
    summary->was_stopped = summary->train_bins < train;
    return true;
}

bool recording_make(const Retina *retina, const char *path, const atomic_bool *stop,
                    void (*progress)(void *ctx, int64_t done, int64_t total), void *progress_ctx,
                    RecordingSummary *summary, bool *is_input, char *err)
{
    *summary = (RecordingSummary){0};
    *is_input = true;
    Recording r = {.retina = retina, .cells = (int)retina_cells(retina)};
    CircuitCell *cells = calloc(retina_cells(retina), sizeof *cells);
    if (cells) {
        CircuitSpec spec;
        if (recording_circuit(retina, &spec, cells, err))
            r.circuit = circuit_create(&spec, err);
    }
    free(cells);
    if (!r.circuit)
        return false;
    *is_input = false;
    r.bin_hz = circuit_info(r.circuit)->bin_hz;
    r.pixels = retina->field.width_px * retina->field.height_px;
    Watch watch = {.stop = stop, .progress = progress, .ctx = progress_ctx};
    bool ok = allocate(&r);
    if (!ok)
        snprintf(err, RECORDING_ERR_BYTES, "out of memory for a block of the recording");
    r.writer = ok ? open_writer(&r, path, err) : NULL;
    ok = ok && r.writer;
    if (ok && !record_all(&r, &watch, summary, err)) {
        dataset_abandon(r.writer);
        ok = false;
    } else if (ok) {
        ok = dataset_finish(r.writer, err);
    }
    release(&r);
    return ok;
}
