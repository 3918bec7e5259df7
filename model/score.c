#include "model/score.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* One block as a row of sums over its bins; rows add up. p is shifted by the first prediction, so
 * that the variance of a constant one is 0 to the bit. */
enum {
    SUM_BINS,
    SUM_P,
    SUM_PP,
    SUM_Z, // z: the noise-free rate, shifted likewise
    SUM_ZZ,
    SUM_PZ,
    SUM_REPEATS, // from here on, for each repeat: Σ r, Σ p r, Σ r ln p; then Σ r_i r_j of all i <= j
};

struct ScoreSums {
    int blocks, repeats, width;
    bool is_counted, has_truth;
    double shift;       // of p
    double *rows;       // (blocks, width)
    double *total;      // (width)
    double *every_once; // (repeats), all 1
};

static double *spikes_of(double *row)
{
    return row + SUM_REPEATS;
}

static double *products_of(const ScoreSums *s, double *row)
{
    return row + SUM_REPEATS + s->repeats;
}

static double *logs_of(const ScoreSums *s, double *row)
{
    return row + SUM_REPEATS + 2 * s->repeats;
}

static double *pairs_of(const ScoreSums *s, double *row, int i)
{
    // Row i of the upper triangle, as if it began at column 0.
    return row + SUM_REPEATS + 3 * s->repeats + (ptrdiff_t)i * s->repeats -
           (ptrdiff_t)i * (i + 1) / 2;
}

/* Most bins of most repeats are silent: only those that are not take part. */
static void add_spikes(const ScoreSums *s, const ScoreInput *in, int64_t t, double *row, int *who)
{
    double predicted = (double)in->rate_hz[t] / in->bin_hz, p = predicted - s->shift;
    int count = 0;
    for (int i = 0; i < s->repeats; i++)
        if (in->spikes[i * in->bins + t] != 0.0f)
            who[count++] = i;
    for (int a = 0; a < count; a++) {
        double r = (double)in->spikes[who[a] * in->bins + t];
        spikes_of(row)[who[a]] += r;
        products_of(s, row)[who[a]] += p * r;
        if (s->is_counted)
            logs_of(s, row)[who[a]] += r * log(predicted);
        double *pairs = pairs_of(s, row, who[a]);
        for (int b = a; b < count; b++)
            pairs[who[b]] += r * (double)in->spikes[who[b] * in->bins + t];
    }
}

static void sum_blocks(ScoreSums *s, const ScoreInput *in, int *who)
{
    s->shift = (double)in->rate_hz[0] / in->bin_hz;
    double z_shift = in->truth_hz ? (double)in->truth_hz[0] : 0.0;
    for (int64_t t = 0; t < in->bins; t++) {
        double *row = s->rows + t / in->block_bins * s->width;
        double p = (double)in->rate_hz[t] / in->bin_hz - s->shift;
        double z = in->truth_hz ? (double)in->truth_hz[t] - z_shift : 0.0;
        row[SUM_BINS] += 1.0;
        row[SUM_P] += p;
        row[SUM_PP] += p * p;
        row[SUM_Z] += z;
        row[SUM_ZZ] += z * z;
        row[SUM_PZ] += p * z;
        add_spikes(s, in, t, row, who);
    }
}

ScoreSums *score_sums_create(const ScoreInput *in)
{
    if (in->bins < 1 || in->repeats < 1 || in->block_bins < 1)
        return NULL;
    ScoreSums *s = calloc(1, sizeof *s);
    int *who = calloc((size_t)in->repeats, sizeof *who);
    if (s) {
        s->repeats = in->repeats;
        s->blocks = (int)((in->bins + in->block_bins - 1) / in->block_bins);
        s->width = SUM_REPEATS + 3 * in->repeats + in->repeats * (in->repeats + 1) / 2;
        s->is_counted = in->is_counted;
        s->has_truth = in->truth_hz != NULL;
        s->rows = calloc((size_t)s->blocks * (size_t)s->width, sizeof *s->rows);
        s->total = calloc((size_t)s->width, sizeof *s->total);
        s->every_once = calloc((size_t)in->repeats, sizeof *s->every_once);
    }
    if (!s || !who || !s->rows || !s->total || !s->every_once) {
        score_sums_destroy(s);
        free(who);
        return NULL;
    }
    for (int i = 0; i < in->repeats; i++)
        s->every_once[i] = 1.0;
    sum_blocks(s, in, who);
    free(who);
    return s;
}

int score_blocks(const ScoreSums *s)
{
    return s->blocks;
}

static void add_up(ScoreSums *s, const double *block_weights)
{
    memset(s->total, 0, (size_t)s->width * sizeof *s->total);
    for (int b = 0; b < s->blocks; b++) {
        double weight = block_weights ? block_weights[b] : 1.0;
        const double *row = s->rows + (ptrdiff_t)b * s->width;
        if (weight != 0.0) // and not 0 × ∞
            for (int k = 0; k < s->width; k++)
                s->total[k] += weight * row[k];
    }
}

/* Means over the drawn bins; "pair" ones over the pairs of different drawn repeats as well, the
 * others over the drawn repeats. Unit: spikes a bin. */
typedef struct {
    double spikes; // in all
    double p, var_p, pp;
    double r, log_p;               // log_p: Σ r ln p in all
    double cov_pr, var_r;          // of one repeat
    double pair_cov, pair_rr;      // Cov(r_i, r_j), r_i r_j
    double pair_r, pair_pr;        // r_i, p r_i
    double var_z, cov_pz;          // of the noise-free rate
    bool has_pairs, is_worth_pair; // two repeats drawn; their covariance is more than rounding
} Means;

static void average_pairs(ScoreSums *s, const double *w, double all, double squares, Means *m)
{
    double n = s->total[SUM_BINS], pairs = all * all - squares;
    const double *spikes = spikes_of(s->total), *products = products_of(s, s->total);
    for (int i = 0; i < s->repeats; i++) {
        const double *row = pairs_of(s, s->total, i);
        double share = w[i] * (all - w[i]) / pairs;
        m->pair_r += share * spikes[i] / n;
        m->pair_pr += share * (products[i] + s->shift * spikes[i]) / n;
        for (int j = i + 1; j < s->repeats; j++) {
            double both = 2.0 * w[i] * w[j] / pairs;
            m->pair_rr += both * row[j] / n;
            m->pair_cov += both * (row[j] / n - spikes[i] / n * spikes[j] / n);
        }
    }
    m->is_worth_pair = m->pair_cov > 1e-12 * m->var_r;
}

static Means average(ScoreSums *s, const double *w)
{
    double *t = s->total, n = t[SUM_BINS], all = 0.0, squares = 0.0;
    Means m = {.p = t[SUM_P] / n + s->shift};
    m.var_p = t[SUM_PP] / n - t[SUM_P] / n * t[SUM_P] / n;
    m.pp = m.var_p + m.p * m.p;
    m.var_z = t[SUM_ZZ] / n - t[SUM_Z] / n * t[SUM_Z] / n;
    m.cov_pz = t[SUM_PZ] / n - t[SUM_P] / n * t[SUM_Z] / n;
    for (int i = 0; i < s->repeats; i++) {
        all += w[i];
        squares += w[i] * w[i];
    }
    for (int i = 0; i < s->repeats; i++) {
        double r = spikes_of(t)[i] / n;
        m.spikes += w[i] * spikes_of(t)[i];
        m.r += w[i] / all * r;
        m.cov_pr += w[i] / all * (products_of(s, t)[i] / n - t[SUM_P] / n * r);
        m.var_r += w[i] / all * (pairs_of(s, t, i)[i] / n - r * r);
        if (w[i] != 0.0)
            m.log_p += w[i] * logs_of(s, t)[i];
    }
    m.has_pairs = all * all > squares;
    if (m.has_pairs)
        average_pairs(s, w, all, squares, &m);
    return m;
}

static double ratio(double above, double below)
{
    return below > 0.0 ? above / sqrt(below) : (double)NAN;
}

static double bits_per_spike(const Means *m)
{
    double trials_bins = m->spikes / m->r;
    double model = m->log_p - trials_bins * m->p, mean = m->spikes * (log(m->r) - 1.0);
    return (model - mean) / (m->spikes * log(2.0));
}

void score_values(ScoreSums *s, const double *block_weights, const double *repeat_weights,
                  double *values)
{
    add_up(s, block_weights);
    Means m = average(s, repeat_weights ? repeat_weights : s->every_once);
    for (int i = 0; i < SCORES; i++)
        values[i] = (double)NAN;
    if (s->has_truth)
        values[SCORE_CC_RATE] = ratio(m.cov_pz, m.var_p * m.var_z);
    if (!(m.spikes > 0.0))
        return;
    double signal = s->repeats > 1 ? m.pair_cov : 0.0;
    double psth = signal + (m.var_r - signal) / s->repeats;
    if (m.has_pairs || s->repeats == 1)
        values[SCORE_CC] = ratio(m.cov_pr, m.var_p * psth);
    if (s->is_counted)
        values[SCORE_BITS_PER_SPIKE] = bits_per_spike(&m);
    if (!m.has_pairs || !m.is_worth_pair)
        return;
    values[SCORE_CC_NORM] = ratio(m.cov_pr, m.var_p * signal);
    values[SCORE_CC_MAX] = psth > 0.0 ? sqrt(signal / psth) : (double)NAN;
    double explainable = m.pair_rr - m.pair_r * m.pair_r;
    if (explainable > 0.0)
        values[SCORE_FEV] = 1.0 - (m.pair_rr - 2.0 * m.pair_pr + m.pp) / explainable;
}

const char *score_undefined(ScoreSums *s, ScoreKind kind)
{
    double values[SCORES];
    score_values(s, NULL, NULL, values);
    if (isfinite(values[kind]))
        return NULL;
    Means m = average(s, s->every_once);
    if (!isfinite(m.p) || !isfinite(m.spikes))
        return "a prediction or response is not a number";
    if (kind == SCORE_CC_RATE && !s->has_truth)
        return "the noise-free rate is not known";
    if (kind == SCORE_CC_RATE)
        return m.var_z > 0.0 ? "the prediction is constant" : "the noise-free rate is constant";
    if (m.spikes <= 0.0)
        return "no spikes";
    if (kind == SCORE_BITS_PER_SPIKE)
        return s->is_counted ? "0 Hz or less is predicted where spikes fell"
                             : "the responses are not counts of spikes";
    if (kind == SCORE_CC)
        return m.var_p > 0.0 ? "the responses are constant" : "the prediction is constant";
    if (!m.has_pairs)
        return "one repeat";
    return m.is_worth_pair ? "the prediction is constant" : "the signal power is not above 0";
}

void score_sums_destroy(ScoreSums *s)
{
    if (!s)
        return;
    free(s->rows);
    free(s->total);
    free(s->every_once);
    free(s);
}

static const struct {
    const char *name, *formula;
} kinds[SCORES] = {
    [SCORE_CC] = {"cc", "Pearson correlation of the prediction with the PSTH"},
    [SCORE_CC_NORM] = {"cc_norm", "Cov(p, PSTH) / sqrt(Var(p) S) = cc / cc_max, not clipped"},
    [SCORE_CC_MAX] = {"cc_max",
                      "sqrt(S / Var(PSTH)), S = (Var(sum r_i) - sum Var(r_i)) / (N (N - 1))"},
    [SCORE_FEV] = {"fev", "1 - (MSE(PSTH, p) - s2/N) / (Var(PSTH) - s2/N), s2 the variance over "
                          "repeats; not clipped"},
    [SCORE_BITS_PER_SPIKE] = {"bits_per_spike", "Poisson log2 likelihood of p less that of the "
                                                "cell's mean rate, a spike"},
    [SCORE_CC_RATE] = {"cc_rate", "Pearson correlation of the prediction with the noise-free rate"},
};

const char *score_name(ScoreKind kind)
{
    return kinds[kind].name;
}

const char *score_formula(ScoreKind kind)
{
    return kinds[kind].formula;
}

double score_fano(const float *spikes, int repeats, int64_t bins, int window_bins)
{
    double variance = 0.0, mean = 0.0;
    if (repeats < 2 || window_bins < 1)
        return (double)NAN;
    for (int64_t from = 0; from + window_bins <= bins; from += window_bins) {
        double sum = 0.0, squares = 0.0;
        for (int i = 0; i < repeats; i++) {
            double count = 0.0;
            for (int k = 0; k < window_bins; k++)
                count += (double)spikes[i * bins + from + k];
            sum += count;
            squares += count * count;
        }
        variance += (squares - sum * sum / repeats) / (repeats - 1);
        mean += sum / repeats;
    }
    return mean > 0.0 ? variance / mean : (double)NAN;
}

double score_pearson(const float *x, const float *y, int64_t count)
{
    double sum_x = 0.0, sum_y = 0.0, xx = 0.0, yy = 0.0, xy = 0.0, n = (double)count;
    for (int64_t i = 0; i < count;
         i++) { // from the first value on: 0 to the bit when all are equal
        double dx = (double)x[i] - (double)x[0], dy = (double)y[i] - (double)y[0];
        sum_x += dx;
        sum_y += dy;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    return ratio(xy - sum_x * sum_y / n, (xx - sum_x * sum_x / n) * (yy - sum_y * sum_y / n));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double score_median(double *values, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (!isnan(values[i]))
            values[kept++] = values[i];
    if (kept == 0)
        return (double)NAN;
    qsort(values, (size_t)kept, sizeof *values, by_value);
    double low = values[(kept - 1) / 2], high = values[kept / 2];
    return low == high ? low : 0.5 * (low + high);
}
