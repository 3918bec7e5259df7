#include "app/attribute_job.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool attribute_job_read(AttributeAsked *asked, const char *text, char *err)
{
    if (asked->protocol) {
        snprintf(err, ARGUMENTS_ERR_BYTES, "%.200s: one model and one protocol are enough", text);
        return false;
    }
    *(asked->model ? &asked->protocol : &asked->model) = text;
    return true;
}

static bool make_plan(AttributeJob *job, char *err)
{
    job->protocol = protocol_load(job->protocol_path, err);
    if (job->protocol)
        job->plan = trial_plan(job->protocol, job->protocol_path, job->asked->refresh_hz, err);
    return job->plan != NULL;
}

static bool open_model(AttributeJob *job, char *err)
{
    if (!path_find(job->asked->model, job->model_path) && model_is_built_in(job->asked->model)) {
        snprintf(err, MODEL_ERR_BYTES,
                 "%.200s: has no first layer of channels; allowed are files of kind cnn and "
                 "subunit",
                 job->asked->model);
        return false;
    }
    if (!model_file_read(job->model_path, &job->file, err))
        return false;
    job->attribute.info = &job->file.info;
    job->attribute.attribution = attribution_open(&job->file, err);
    if (!job->attribute.attribution)
        return false;
    int channels = attribution_units(job->attribute.attribution).channels;
    job->kernels = calloc((size_t)(channels * job->file.info.history_bins), sizeof *job->kernels);
    snprintf(err, MODEL_ERR_BYTES, "out of memory");
    if (job->kernels)
        channel_cards(&job->file, job->cards, job->kernels);
    return job->kernels != NULL;
}

static int first_trial(const Plan *plan, int block, int condition)
{
    for (int t = 0; t < plan->trials_count; t++)
        if (plan->trials[t].block == block && plan->trials[t].condition == condition)
            return t;
    return -1;
}

static bool is_block_wanted(const AttributeJob *job, int block)
{
    const char *name = job->asked->block;
    return !name || !strcmp(name, job->protocol->blocks[block].name);
}

static void choose_trials(AttributeJob *job)
{
    const ArgumentInteger *asked = &job->asked->trial;
    if (asked->is_given) {
        if (asked->value < job->plan->trials_count &&
            is_block_wanted(job, job->plan->trials[asked->value].block))
            job->trials[job->trials_count++] = (int)asked->value;
        return;
    }
    for (int block = 0; block < (int)job->protocol->blocks_count; block++)
        for (int condition = 0, t = 0; is_block_wanted(job, block) && t >= 0; condition++) {
            t = first_trial(job->plan, block, condition);
            if (t >= 0)
                job->trials[job->trials_count++] = t;
        }
}

static bool open_trials(AttributeJob *job, char *err)
{
    size_t count = (size_t)job->plan->trials_count;
    job->trials = calloc(count, sizeof *job->trials);
    snprintf(err, MODEL_ERR_BYTES, "out of memory");
    if (!job->trials)
        return false;
    choose_trials(job);
    if (job->trials_count > 0)
        return true;
    if (job->asked->trial.is_given)
        snprintf(err, MODEL_ERR_BYTES,
                 "--trial %" PRId64 ": the protocol has 0 to %d%s, `retrace timing` lists them",
                 job->asked->trial.value, job->plan->trials_count - 1,
                 job->asked->block ? ", not all in that block" : "");
    else
        snprintf(err, MODEL_ERR_BYTES,
                 "--block: the protocol has no block '%.100s'; its first is '%s'",
                 job->asked->block, job->protocol->blocks[0].name);
    return false;
}

static bool check_cell(AttributeJob *job, char *err)
{
    const ModelInfo *info = &job->file.info;
    job->attribute.cell = job->asked->cell ? -1 : 0;
    for (int cell = 0; job->asked->cell && cell < info->cells; cell++)
        if (!strcmp(info->cell_names[cell], job->asked->cell))
            job->attribute.cell = cell;
    if (job->attribute.cell >= 0)
        return true;
    snprintf(err, MODEL_ERR_BYTES, "--cell: %s has no cell '%.100s'; its first is '%s'", info->name,
             job->asked->cell, info->cell_names[0]);
    return false;
}

static bool check_window(AttributeJob *job, char *err)
{
    const AttributeAsked *asked = job->asked;
    job->attribute.from_s = 1e-3 * asked->from_ms;
    job->attribute.to_s = asked->to_ms > 0 ? 1e-3 * asked->to_ms : HUGE_VAL;
    if (job->attribute.from_s < job->attribute.to_s)
        return true;
    snprintf(err, MODEL_ERR_BYTES, "--to %g: must be after --from %g", asked->to_ms,
             asked->from_ms);
    return false;
}

bool attribute_job_open(AttributeJob *job, const AttributeAsked *asked, char *err)
{
    *job = (AttributeJob){.asked = asked};
    if (!asked->protocol) {
        snprintf(err, MODEL_ERR_BYTES,
                 "which protocol? e.g. config/protocols/omitted-stimulus.yaml");
        return false;
    }
    path_find(asked->protocol, job->protocol_path);
    if (!open_model(job, err) || !make_plan(job, err) || !open_trials(job, err) ||
        !check_cell(job, err) || !check_window(job, err))
        return false;
    job->attribute.plan = job->plan;
    job->attribute.rule = attribution_default;
    return true;
}

void attribute_job_finish(AttributeJob *job)
{
    free(job->trials);
    free(job->kernels);
    attribution_close(job->attribute.attribution);
    model_file_finish(&job->file);
    plan_destroy(job->plan);
    protocol_destroy(job->protocol);
    *job = (AttributeJob){0};
}
