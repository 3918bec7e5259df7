#include "app/recording.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "app/digest.h"
#include "app/journal.h"
#include "app/mix.h"
#include "app/paths.h"
#include "app/photographs.h"
#include "app/spiking.h"
#include "model/dataset.h"

/* A state is kept so often that the journal stays small beside the stimulus, and a kill costs
 * seconds. */
enum { BLOCK_BINS = 100, STATE_BINS = 1000 };

/* What a state begins with; the circuit's and the spiking's follow. */
typedef struct {
    int64_t part, bins;
} Place;

typedef struct {
    const RecordingOrder *order;
    const Retina *retina;
    Circuit *circuit;
    Spiking *spiking[DATASET_PARTS];
    Journal *journal;
    DatasetWriter *writer;
    int cells, pixels;
    double bin_hz;
    int64_t bins[DATASET_PARTS];   // in all
    int64_t replay[DATASET_PARTS]; // of them in the journal
    int64_t done;                  // of both parts
    uint8_t *levels;               // (BLOCK_BINS, pixels)
    float *lum;                    // (pixels)
    float *rates_hz;               // (BLOCK_BINS, cells)
    uint8_t *spikes;               // (BLOCK_BINS, repeats, cells)
    uint8_t *state, *block;        // for the journal: a state; rates and spikes of a block
    double rate_sum;               // Hz, over bins and cells of the train part
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

static int trials_of(const Recording *r, DatasetPart part)
{
    return part == DATASET_TEST ? r->retina->test_repeats : 1;
}

/* rates_hz (cells) and spikes (trials, cells) of a bin, whose levels are there. */
static void record_bin(Recording *r, DatasetPart part, int64_t bin, int at)
{
    const uint8_t *levels = r->levels + (size_t)at * (size_t)r->pixels;
    float *rates_hz = r->rates_hz + (size_t)at * (size_t)r->cells;
    float fine_hz[CIRCUIT_SUBSTEPS * MODEL_MAX_CELLS];
    for (int i = 0; i < r->pixels; i++)
        r->lum[i] = (float)levels[i] / (float)DATASET_LEVEL_WHITE;
    circuit_step_fine(r->circuit, r->lum, fine_hz);
    for (int cell = 0; cell < r->cells; cell++) {
        float sum = 0.0f;
        for (int sub = 0; sub < CIRCUIT_SUBSTEPS; sub++)
            sum += fine_hz[sub * r->cells + cell];
        rates_hz[cell] = sum / (float)CIRCUIT_SUBSTEPS;
    }
    spiking_draw(r->spiking[part], bin, fine_hz,
                 r->spikes + (size_t)at * (size_t)trials_of(r, part) * (size_t)r->cells);
}

/* Bytes of a block in the journal, and of its rates. */
static size_t block_bytes(const Recording *r, DatasetPart part, int count, size_t *rates_bytes)
{
    size_t values = (size_t)count * (size_t)r->cells;
    *rates_bytes = values * sizeof *r->rates_hz;
    return *rates_bytes + values * (size_t)trials_of(r, part);
}

static bool replay_block(Recording *r, DatasetPart part, int count, char *err)
{
    size_t rates_bytes, bytes = block_bytes(r, part, count, &rates_bytes);
    if (journal_next(r->journal, r->block, bytes) != bytes) {
        snprintf(err, RECORDING_ERR_BYTES,
                 "%.400s.resume: cannot go on from it; remove it to start anew", r->order->path);
        return false;
    }
    memcpy(r->rates_hz, r->block, rates_bytes);
    memcpy(r->spikes, r->block + rates_bytes, bytes - rates_bytes);
    return true;
}

static bool keep_block(Recording *r, DatasetPart part, int count, char *err)
{
    size_t rates_bytes, bytes = block_bytes(r, part, count, &rates_bytes);
    memcpy(r->block, r->rates_hz, rates_bytes);
    memcpy(r->block + rates_bytes, r->spikes, bytes - rates_bytes);
    return journal_add_block(r->journal, r->block, bytes, err);
}

static size_t state_bytes(const Recording *r)
{
    return sizeof(Place) + circuit_state_bytes(r->circuit) +
           spiking_state_bytes(r->spiking[DATASET_TEST]);
}

static bool keep_state(Recording *r, DatasetPart part, int64_t bins, char *err)
{
    Place place = {part, bins};
    memset(r->state, 0, state_bytes(r));
    memcpy(r->state, &place, sizeof place);
    circuit_keep(r->circuit, r->state + sizeof place);
    spiking_keep(r->spiking[part], r->state + sizeof place + circuit_state_bytes(r->circuit));
    return journal_add_state(r->journal, r->state, err);
}

static void restore_state(Recording *r, DatasetPart part)
{
    const uint8_t *state = (const uint8_t *)journal_state(r->journal) + sizeof(Place);
    circuit_restore(r->circuit, state);
    spiking_restore(r->spiking[part], state + circuit_state_bytes(r->circuit));
}

/* One block of bins from `bin` on: from the journal as far as it goes, then from the circuit. */
static bool record_block(Recording *r, Mix *mix, DatasetPart part, int64_t bin, int count,
                         char *err)
{
    for (int i = 0; i < count; i++)
        if (!mix_next(mix, r->levels + (size_t)i * (size_t)r->pixels, err))
            return false;
    if (bin < r->replay[part]) {
        if (!replay_block(r, part, count, err))
            return false;
        if (bin + count == r->replay[part])
            restore_state(r, part);
    } else {
        for (int i = 0; i < count; i++)
            record_bin(r, part, bin + i, i);
        if (!keep_block(r, part, count, err))
            return false;
        if ((bin + count) % STATE_BINS == 0 && !keep_state(r, part, bin + count, err))
            return false;
    }
    for (int i = 0; part == DATASET_TRAIN && i < count * r->cells; i++)
        r->rate_sum += (double)r->rates_hz[i];
    DatasetBlock block = {count, r->levels, r->rates_hz, r->spikes};
    return dataset_append(r->writer, part, &block, err);
}

static Mix *open_mix(const Recording *r, DatasetPart part, char *err)
{
    const Retina *retina = r->retina;
    const MixSpec spec = {
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
        .photographs = r->order->photographs,
    };
    return mix_create(&spec, err);
}

/* Returns the bins recorded, or -1 with err set. */
static int64_t record_part(Recording *r, DatasetPart part, char *err)
{
    const RecordingOrder *order = r->order;
    int64_t bins = r->bins[part], total = r->bins[DATASET_TRAIN] + r->bins[DATASET_TEST], bin = 0;
    Mix *mix = open_mix(r, part, err);
    bool ok = mix != NULL;
    circuit_reset(r->circuit);
    while (ok && bin < bins && !atomic_load(order->stop)) {
        int count = (int)(bins - bin < BLOCK_BINS ? bins - bin : BLOCK_BINS);
        ok = record_block(r, mix, part, bin, count, err);
        bin += count;
        r->done += count;
        if (ok && order->progress)
            order->progress(order->progress_ctx, r->done, total);
    }
    if (ok && bin < bins && bin >= r->replay[part]) // or else the journal knows more already
        ok = keep_state(r, part, bin, err);
    mix_destroy(mix);
    return ok ? bin : -1;
}

static DatasetWriter *open_writer(const Recording *r, char *err)
{
    char provenance[1024];
    const ModelInfo *info = circuit_info(r->circuit);
    snprintf(provenance, sizeof provenance,
             "simulated: preparation %s, seed %lld; %s spikes of a %s", r->retina->name,
             (long long)r->retina->seed,
             r->retina->spiking == RETINA_REFRACTORY ? "refractory" : "Poisson", info->provenance);
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
    return dataset_create(r->order->path, &about, err);
}

static bool allocate(Recording *r)
{
    size_t block = BLOCK_BINS, cells = (size_t)r->cells;
    size_t repeats = (size_t)r->retina->test_repeats;
    for (int part = 0; part < DATASET_PARTS; part++) {
        SpikingSpec spec = {
            .kind = r->retina->spiking == RETINA_REFRACTORY ? SPIKING_REFRACTORY : SPIKING_POISSON,
            .seed = r->retina->seed,
            .part = (uint32_t)part,
            .trials = trials_of(r, (DatasetPart)part),
            .cells = r->cells,
            .steps = CIRCUIT_SUBSTEPS,
        };
        r->spiking[part] = spiking_create(&spec);
        if (!r->spiking[part])
            return false;
    }
    r->levels = malloc(block * (size_t)r->pixels);
    r->lum = malloc((size_t)r->pixels * sizeof *r->lum);
    r->rates_hz = malloc(block * cells * sizeof *r->rates_hz);
    r->spikes = malloc(block * cells * repeats);
    r->block = malloc(block * cells * (sizeof *r->rates_hz + repeats));
    r->state = malloc(state_bytes(r));
    return r->levels && r->lum && r->rates_hz && r->spikes && r->block && r->state;
}

static void release(Recording *r)
{
    for (int part = 0; part < DATASET_PARTS; part++)
        spiking_destroy(r->spiking[part]);
    circuit_destroy(r->circuit);
    free(r->levels);
    free(r->lum);
    free(r->rates_hz);
    free(r->spikes);
    free(r->block);
    free(r->state);
}

static void add_photographs(crypto_generichash_state *hash, const char *folder)
{
    char err[PHOTOGRAPHS_ERR_BYTES];
    Photographs *photographs = folder ? photographs_open(folder, 1, err) : NULL;
    for (int i = 0; photographs && i < photographs_count(photographs); i++) {
        const char *path = photographs_path(photographs, i);
        char sha256[DIGEST_BYTES] = "";
        digest_file(path, sha256);
        crypto_generichash_update(hash, (const unsigned char *)path, strlen(path) + 1);
        crypto_generichash_update(hash, (const unsigned char *)sha256, sizeof sha256);
    }
    photographs_close(photographs);
}

/* key (JOURNAL_KEY_BYTES): everything that shapes the recording. */
static void key_of(const Recording *r, const CircuitSpec *spec, uint8_t *key)
{
    const Retina *retina = r->retina;
    const double numbers[] = {
        (double)retina->seed,    retina->minutes,
        retina->test_minutes,    retina->test_repeats,
        retina->segment_s,       retina->field.width_px,
        retina->field.height_px, retina->field.um_per_px,
        retina->mix.natural,     retina->mix.noise,
        retina->mix.full_field,  retina->mix.objects,
        retina->mix.flashes,     retina->spiking,
        spec->lum_mean,          spec->lum_sd,
    };
    const struct {
        const void *bytes;
        size_t count;
    } parts[] = {
        {RETRACE_VERSION, sizeof RETRACE_VERSION},
        {spec->name, strlen(spec->name) + 1},
        {numbers, sizeof numbers},
        {&spec->params, sizeof spec->params},
        {spec->cells, (size_t)spec->cell_count * sizeof *spec->cells},
    };
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, JOURNAL_KEY_BYTES);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        crypto_generichash_update(&hash, parts[i].bytes, parts[i].count);
    add_photographs(&hash, r->order->photographs);
    crypto_generichash_final(&hash, key, JOURNAL_KEY_BYTES);
}

static bool open_journal(Recording *r, const uint8_t *key, char *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s.resume", r->order->path);
    r->journal = journal_open(path, key, state_bytes(r), err);
    if (!r->journal || !journal_state(r->journal))
        return r->journal != NULL;
    Place place;
    memcpy(&place, journal_state(r->journal), sizeof place);
    r->replay[DATASET_TEST] = place.part == DATASET_TEST ? place.bins : r->bins[DATASET_TEST];
    r->replay[DATASET_TRAIN] = place.part == DATASET_TEST ? 0 : place.bins;
    return true;
}

static bool record_all(Recording *r, RecordingSummary *summary, char *err)
{
    summary->test_bins = record_part(r, DATASET_TEST, err);
    if (summary->test_bins == r->bins[DATASET_TEST])
        summary->train_bins = record_part(r, DATASET_TRAIN, err);
    if (summary->test_bins < 0 || summary->train_bins < 0)
        return false;
    if (summary->train_bins > 0)
        summary->mean_rate_hz = r->rate_sum / ((double)summary->train_bins * r->cells);
    summary->resumed_bins = r->replay[DATASET_TEST] + r->replay[DATASET_TRAIN];
    summary->was_stopped = summary->train_bins < r->bins[DATASET_TRAIN];
    return true;
}

/* The circuit, the sizes and the key of the journal. */
static bool prepare(Recording *r, uint8_t *key, char *err)
{
    const Retina *retina = r->retina;
    CircuitSpec spec;
    CircuitCell *cells = calloc(retina_cells(retina), sizeof *cells);
    if (cells && recording_circuit(retina, &spec, cells, err)) {
        r->circuit = circuit_create(&spec, err);
        key_of(r, &spec, key);
    }
    free(cells);
    if (!r->circuit)
        return false;
    r->bin_hz = circuit_info(r->circuit)->bin_hz;
    r->pixels = retina->field.width_px * retina->field.height_px;
    r->bins[DATASET_TRAIN] = llround(retina->minutes * 60.0 * r->bin_hz);
    r->bins[DATASET_TEST] = llround(retina->test_minutes * 60.0 * r->bin_hz);
    Mix *mix = open_mix(r, DATASET_TEST, err); // so that bad photographs are told of at once
    mix_destroy(mix);
    return mix != NULL;
}

bool recording_make(const RecordingOrder *order, RecordingSummary *summary, bool *is_input,
                    char *err)
{
    uint8_t key[JOURNAL_KEY_BYTES];
    Recording r = {
        .order = order, .retina = order->retina, .cells = (int)retina_cells(order->retina)};
    *summary = (RecordingSummary){0};
    *is_input = true;
    bool ok = prepare(&r, key, err);
    if (ok) {
        *is_input = false;
        ok = allocate(&r);
        if (!ok)
            snprintf(err, RECORDING_ERR_BYTES, "out of memory for a block of the recording");
    }
    r.writer = ok ? open_writer(&r, err) : NULL;
    ok = r.writer && open_journal(&r, key, err) && record_all(&r, summary, err);
    if (ok)
        ok = dataset_finish(r.writer, err);
    else
        dataset_abandon(r.writer);
    journal_close(r.journal, ok && !summary->was_stopped);
    release(&r);
    return ok;
}
