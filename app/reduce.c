#include "app/reduce_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ReduceRule reduce_default = {0.75, 0, 16};

enum { STEPS_LEAST = 5 };

/* ---- what is to be reduced */

static const ProtocolBlock *block_of(const AttributeJob *job, int trial)
{
    return &job->protocol->blocks[job->plan->trials[trial].block];
}

static const char *stimulus_of(const ProtocolBlock *block)
{
    return block->flicker    ? "flicker"
           : block->step     ? "step"
           : block->bar      ? "bar"
           : block->reversal ? "reversal"
                             : "checkerboard";
}

static bool check_trials(Reduce *reduce, char *err)
{
    const AttributeJob *job = reduce->job;
    const ProtocolBlock *first = block_of(job, job->trials[0]);
    float lum = trial_background(job->plan, job->trials[0]);
    reduce->stimulus = stimulus_of(first);
    if (!first->flicker && !first->step && !first->bar && !first->reversal) {
        snprintf(
            err, MODEL_ERR_BYTES,
            "%.200s: block '%.60s': the stimulus has no symmetry; a reduced model needs a full "
            "field, or bars along one axis",
            job->protocol_path, first->name);
        return false;
    }
    for (int t = 1; t < job->trials_count; t++) {
        const ProtocolBlock *block = block_of(job, job->trials[t]);
        if (strcmp(stimulus_of(block), reduce->stimulus) != 0) {
            snprintf(
                err, MODEL_ERR_BYTES,
                "%.200s: block '%.60s' shows a %s, '%.60s' a %s; a reduced model is for one kind, "
                "choose by --block",
                job->protocol_path, first->name, reduce->stimulus, block->name, stimulus_of(block));
            return false;
        }
        if (trial_background(job->plan, job->trials[t]) < lum ||
            trial_background(job->plan, job->trials[t]) > lum) {
            snprintf(
                err, MODEL_ERR_BYTES,
                "%.200s: blocks '%.60s' and '%.60s' differ in background; choose one by --block",
                job->protocol_path, first->name, block->name);
            return false;
        }
    }
    return true;
}

static bool check_symmetry(Reduce *reduce, char *err)
{
    reduce->symmetry = reduce->trials[0].claimed;
    for (int t = 0; t < reduce->job->trials_count; t++) {
        const AttributeTrial *trial = &reduce->trials[t];
        if (trial->is_symmetric && trial->claimed == reduce->symmetry)
            continue;
        snprintf(
            err, MODEL_ERR_BYTES,
            "%.200s: block '%.60s': %s; a reduced model needs a full field, or bars along one axis",
            reduce->job->protocol_path, block_of(reduce->job, trial->trial)->name,
            trial->claimed == ATTRIBUTION_SYMMETRY_NONE ? "the stimulus has no symmetry"
            : trial->is_symmetric ? "its bars lie along another axis than those before"
                                  : "the frames are not as symmetric as they should be");
        return false;
    }
    return true;
}

/* ---- attribution */

static bool choose_cell(Reduce *reduce, char *err)
{
    AttributeJob *job = reduce->job;
    if (!job->asked->cell)
        job->attribute.cell =
            attribute_find_cell(&job->attribute, job->trials, job->trials_count, err);
    return job->attribute.cell >= 0;
}

static bool attribute_trials(Reduce *reduce, char *err)
{
    AttributeJob *job = reduce->job;
    size_t count = (size_t)job->trials_count;
    reduce->trials = calloc(count, sizeof *reduce->trials);
    reduce->landmarks = calloc(count, sizeof *reduce->landmarks);
    reduce->first_bins = calloc(count, sizeof *reduce->first_bins);
    snprintf(err, MODEL_ERR_BYTES, "stopped, or out of memory");
    if (!reduce->trials || !reduce->landmarks || !reduce->first_bins || !choose_cell(reduce, err))
        return false;
    const ModelInfo *info = job->attribute.info;
    int cell = job->attribute.cell;
    for (int t = 0; t < job->trials_count; t++) {
        if (!attribute_trial(&job->attribute, job->trials[t], &reduce->trials[t], err))
            return false;
        reduce->landmarks[t] =
            landmark_of(job->plan, job->trials[t],
                        info->cell_x_um ? (double)info->cell_x_um[cell] : (double)NAN,
                        info->cell_y_um ? (double)info->cell_y_um[cell] : (double)NAN);
        reduce->first_bins[t] = reduce->bins;
        reduce->bins += reduce->trials[t].bins;
        reduce->rest_hz = reduce->trials[t].rest_hz;
    }
    return check_symmetry(reduce, err);
}

static double profile_at(const Reduce *reduce, int channel, int place)
{
    double sum = 0;
    for (int t = 0; t < reduce->job->trials_count; t++)
        sum += (double)reduce->trials[t].profile_spikes[channel * reduce->trials[t].places + place];
    return sum;
}

/* Where the share of a channel lies. */
static void locate_channel(Reduce *reduce, int rank)
{
    double mass = 1e-300, moment = 0, square = 0;
    for (int place = 0; place < reduce->trials[0].places; place++) {
        double value = profile_at(reduce, reduce->order[rank], place);
        mass += value;
        moment += value * place;
        square += value * place * place;
    }
    reduce->centre[rank] = moment / mass;
    reduce->spread[rank] =
        sqrt(fmax(square / mass - reduce->centre[rank] * reduce->centre[rank], 0.25));
}

static void add_shares(Reduce *reduce)
{
    double mass = 1e-300;
    for (int c = 0; c < reduce->channels; c++) {
        for (int t = 0; t < reduce->job->trials_count; t++) {
            reduce->excited[c] += reduce->trials[t].channel[c].excited_spikes;
            reduce->inhibited[c] += reduce->trials[t].channel[c].inhibited_spikes;
        }
        for (int place = 0; place < reduce->trials[0].places; place++)
            reduce->share[c] += profile_at(reduce, c, place);
        mass += reduce->share[c];
    }
    for (int c = 0; c < reduce->channels; c++)
        reduce->share[c] /= mass;
}

static void rank_channels(Reduce *reduce)
{
    reduce->channels = reduce->trials[0].channels;
    add_shares(reduce);
    for (int c = 0; c < reduce->channels; c++) {
        int at = c;
        for (; at > 0 && reduce->share[reduce->order[at - 1]] < reduce->share[c]; at--)
            reduce->order[at] = reduce->order[at - 1];
        reduce->order[at] = c;
    }
    for (int rank = 0; rank < reduce->channels && rank < REDUCE_CHANNELS_MOST; rank++)
        locate_channel(reduce, rank);
}

bool reduce_inhibits(const Reduce *reduce, int channel)
{
    return reduce->excited[channel] + reduce->inhibited[channel] < 0;
}

static int count_kept(const Reduce *reduce, const ReduceRule *rule)
{
    double sum = 0;
    int kept = 0;
    while (kept < reduce->channels && kept < REDUCE_CHANNELS_MOST && sum < rule->share)
        sum += reduce->share[reduce->order[kept++]];
    int most = reduce->channels < REDUCE_CHANNELS_MOST ? reduce->channels : REDUCE_CHANNELS_MOST;
    return rule->kept > most ? most : rule->kept > 0 ? rule->kept : kept;
}

bool reduce_is_stopped(const Reduce *reduce)
{
    const atomic_bool *stop = reduce->job->attribute.stop;
    return stop && atomic_load_explicit(stop, memory_order_relaxed);
}

bool reduce_measure(Reduce *reduce, AttributeJob *job, const ReduceRule *rule, char *err)
{
    *reduce = (Reduce){.job = job};
    if (!check_trials(reduce, err) || !attribute_trials(reduce, err))
        return false;
    rank_channels(reduce);
    int most = reduce->channels < REDUCE_CHANNELS_MOST ? reduce->channels : REDUCE_CHANNELS_MOST;
    reduce->kept = count_kept(reduce, rule);
    reduce->steps_count = reduce->kept > STEPS_LEAST ? reduce->kept
                          : most < STEPS_LEAST       ? most
                                                     : STEPS_LEAST;
    snprintf(err, MODEL_ERR_BYTES, "stopped, or out of memory");
    return reduce_keep_rates(reduce) && reduce_make_units(reduce, err) &&
           reduce_silence_full(reduce, err) && reduce_fit_steps(reduce, rule) &&
           reduce_silence_reduced(reduce, rule);
}

static void finish_curve(ReduceCurve *curve)
{
    free(curve->rates_hz);
    free(curve->peaks);
}

void reduce_finish(Reduce *reduce)
{
    for (int t = 0; reduce->trials && t < reduce->job->trials_count; t++)
        attribute_trial_finish(&reduce->trials[t]);
    for (int i = 0; i <= reduce->steps_count; i++) {
        finish_curve(&reduce->ablations[i].full);
        finish_curve(&reduce->ablations[i].reduced);
    }
    finish_curve(&reduce->full);
    finish_curve(&reduce->reduced);
    free(reduce->trials);
    free(reduce->landmarks);
    free(reduce->first_bins);
    free(reduce->filters);
    free(reduce->outputs);
    free(reduce->rates_hz);
    *reduce = (Reduce){0};
}
