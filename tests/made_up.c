#include "tests/made_up.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <hdf5.h>

#include "tests/harness.h"

static const double chance_of_spike = 0.08;

/* A well-mixed word of two numbers (the finaliser of MurmurHash3). */
static uint32_t mixed(uint32_t seed, uint32_t index)
{
    uint32_t h = seed * 0x9e3779b1u + index;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

static float *floats(int64_t count)
{
    float *values = calloc((size_t)count + 1, sizeof *values);
    CU_ASSERT_PTR_NOT_NULL_FATAL(values);
    return values;
}

/* spikes (bins) of one showing. */
static void fire(const MadeUp *m, int part, int cell, uint32_t seed, float *spikes)
{
    for (int64_t bin = MADE_UP_LAG_BINS; bin < m->bins[part]; bin++) {
        float level = m->levels[part][(bin - MADE_UP_LAG_BINS) * MADE_UP_PIXELS + 7 * cell + 3];
        bool is_chosen = mixed(seed, (uint32_t)bin) < chance_of_spike * 4294967295.0;
        spikes[bin] = level < 1.0f && is_chosen ? 1.0f : 0.0f;
    }
}

static void fill_part(MadeUp *m, int part, uint32_t seed)
{
    int64_t bins = m->bins[part];
    m->levels[part] = floats(bins * MADE_UP_PIXELS);
    m->binned[part] = floats(bins * MADE_UP_CELLS);
    m->rates_hz[part] = floats(bins * MADE_UP_CELLS);
    m->time_s[part] = calloc((size_t)bins + 1, sizeof(double));
    for (int64_t i = 0; i < bins * MADE_UP_PIXELS; i++)
        m->levels[part][i] = mixed(seed, (uint32_t)i) & 1 ? 255.0f : 0.0f;
    for (int64_t bin = 0; bin < bins; bin++)
        m->time_s[part][bin] = 0.01 * (double)bin;
    for (int cell = 0; part == DATASET_TRAIN && cell < MADE_UP_CELLS; cell++)
        fire(m, part, cell, seed + 10 + (uint32_t)cell, m->binned[part] + cell * bins);
}

static void fill_trials(MadeUp *m, uint32_t seed)
{
    int64_t bins = m->bins[DATASET_TEST];
    m->trials = floats(bins * MADE_UP_CELLS * MADE_UP_REPEATS);
    for (int cell = 0; cell < MADE_UP_CELLS; cell++)
        for (int repeat = 0; repeat < MADE_UP_REPEATS; repeat++) {
            float *spikes = m->trials + (cell * MADE_UP_REPEATS + repeat) * bins;
            fire(m, DATASET_TEST, cell, seed + 100 + (uint32_t)(10 * cell + repeat), spikes);
            for (int64_t bin = 0; bin < bins; bin++)
                m->binned[DATASET_TEST][cell * bins + bin] += spikes[bin] / MADE_UP_REPEATS;
        }
}

MadeUp *made_up_create(double train_s, double test_s, uint32_t seed)
{
    MadeUp *m = calloc(1, sizeof *m);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    m->bins[DATASET_TRAIN] = lround(100.0 * train_s);
    m->bins[DATASET_TEST] = lround(100.0 * test_s);
    m->form = DATASET_REPEATS_BY_CELL;
    fill_part(m, DATASET_TRAIN, seed);
    fill_part(m, DATASET_TEST, seed + 1);
    fill_trials(m, seed);
    made_up_smooth(m);
    return m;
}

void made_up_smooth(MadeUp *m)
{
    static const double weights[] = {0.3989, 0.2420, 0.0540, 0.0044};
    for (int part = 0; part < DATASET_PARTS; part++)
        for (int64_t i = 0; i < m->bins[part] * MADE_UP_CELLS; i++) {
            int64_t bin = i % m->bins[part];
            double sum = 0.0;
            for (int64_t by = -3; by <= 3; by++)
                if (bin + by >= 0 && bin + by < m->bins[part])
                    sum += weights[llabs(by)] * (double)m->binned[part][i + by];
            m->rates_hz[part][i] = (float)(100.0 * sum);
        }
}

static void put(hid_t group, const char *name, hid_t type, int rank, const hsize_t *dims,
                hid_t from, const void *values)
{
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t data = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(data >= 0);
    CU_ASSERT(H5Dwrite(data, from, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(data);
    H5Sclose(space);
}

/* Rows of `bins`, each made `more` bins longer by zeros. */
static float *lengthened(const float *values, int64_t rows, int64_t bins, int more)
{
    float *longer = floats(rows * (bins + more));
    for (int64_t row = 0; row < rows; row++)
        for (int64_t bin = 0; bin < bins; bin++)
            longer[row * (bins + more) + bin] = values[row * bins + bin];
    return longer;
}

static void put_response(const MadeUp *m, int part, hid_t group, const char *name,
                         const float *values)
{
    int64_t bins = m->bins[part] + m->response_bins_more;
    if (!values)
        return;
    float *longer = lengthened(values, MADE_UP_CELLS, m->bins[part], m->response_bins_more);
    const hsize_t dims[] = {MADE_UP_CELLS, (hsize_t)bins}, turned[] = {dims[1], dims[0]};
    put(group, name, H5T_IEEE_F32LE, 2, m->is_transposed ? turned : dims, H5T_NATIVE_FLOAT, longer);
    free(longer);
}

/* out (repeats, cells, bins) := in (cells, repeats, bins). */
static void swap_cells(const float *in, float *out, int64_t bins)
{
    for (int cell = 0; cell < MADE_UP_CELLS; cell++)
        for (int repeat = 0; repeat < MADE_UP_REPEATS; repeat++)
            for (int64_t bin = 0; bin < bins; bin++)
                out[(repeat * MADE_UP_CELLS + cell) * bins + bin] =
                    in[(cell * MADE_UP_REPEATS + repeat) * bins + bin];
}

static void put_repeats(const MadeUp *m, hid_t test)
{
    int64_t shown = m->repeats_bins > 0 ? m->repeats_bins : m->bins[DATASET_TEST];
    int64_t bins = shown + m->response_bins_more;
    if (!m->trials)
        return;
    float *trials =
        lengthened(m->trials, MADE_UP_CELLS * MADE_UP_REPEATS, shown, m->response_bins_more);
    float *swapped = floats(bins * MADE_UP_CELLS * MADE_UP_REPEATS);
    swap_cells(trials, swapped, bins);
    const hsize_t dims[] = {MADE_UP_REPEATS, MADE_UP_CELLS, (hsize_t)bins};
    const hsize_t one[] = {MADE_UP_REPEATS, (hsize_t)bins};
    if (m->form == DATASET_REPEATS_ARRAY)
        put(test, "repeats", H5T_IEEE_F32LE, 3, dims, H5T_NATIVE_FLOAT, swapped);
    else {
        hid_t group = H5Gcreate2(test, "repeats", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        if (m->form == DATASET_REPEATS_BY_RESPONSE)
            put(group, "binned", H5T_IEEE_F32LE, 3, dims, H5T_NATIVE_FLOAT, swapped);
        for (int cell = 0; m->form == DATASET_REPEATS_BY_CELL && cell < MADE_UP_CELLS; cell++) {
            char name[32];
            // In the published files the numbers are those of the sorting, not 1 to N.
            snprintf(name, sizeof name, "cell%d", 9 + cell);
            put(group, name, H5T_IEEE_F32LE, 2, one, H5T_NATIVE_FLOAT,
                trials + cell * MADE_UP_REPEATS * bins);
        }
        H5Gclose(group);
    }
    free(trials);
    free(swapped);
}

static void put_part(const MadeUp *m, hid_t file, int part)
{
    hid_t group = H5Gcreate2(file, dataset_part_name((DatasetPart)part), H5P_DEFAULT, H5P_DEFAULT,
                             H5P_DEFAULT);
    hid_t response = H5Gcreate2(group, "response", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t bins = (hsize_t)m->bins[part];
    const hsize_t dims[] = {bins, MADE_UP_HEIGHT_PX, MADE_UP_WIDTH_PX};
    const hsize_t last[] = {MADE_UP_HEIGHT_PX, MADE_UP_WIDTH_PX, bins};
    put(group, "stimulus", m->is_float ? H5T_IEEE_F32LE : H5T_STD_U8LE, 3,
        m->is_time_last ? last : dims, H5T_NATIVE_FLOAT, m->levels[part]);
    if (m->time_s[part])
        put(group, "time", H5T_IEEE_F64LE, 1, &bins, H5T_NATIVE_DOUBLE, m->time_s[part]);
    put_response(m, part, response, "binned", m->binned[part]);
    put_response(m, part, response, "firing_rate_10ms", m->rates_hz[part]);
    if (part == DATASET_TEST)
        put_repeats(m, group);
    H5Gclose(response);
    H5Gclose(group);
}

void made_up_write(const MadeUp *m, const char *path)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(file >= 0);
    for (int part = 0; part < DATASET_PARTS; part++)
        if (m->bins[part] > 0)
            put_part(m, file, part);
    H5Fclose(file);
}

void made_up_destroy(MadeUp *m)
{
    for (int part = 0; part < DATASET_PARTS; part++) {
        free(m->levels[part]);
        free(m->time_s[part]);
        free(m->binned[part]);
        free(m->rates_hz[part]);
    }
    free(m->trials);
    free(m);
}
