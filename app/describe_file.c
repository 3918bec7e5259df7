#include "app/describe.h"

#include <inttypes.h>
#include <string.h>

#include "app/recording.h"
#include "app/trial.h"
#include "config/fitting.h"
#include "config/plan.h"
#include "config/protocol.h"
#include "config/retina.h"
#include "model/weights.h"

static void add(json_t *summary, json_t *facts)
{
    json_object_update(summary, facts);
    json_decref(facts);
}

static void talk_of_blocks(const Plan *plan, FILE *talk)
{
    for (unsigned b = 0; b < plan->protocol->blocks_count; b++) {
        int trials = 0;
        int64_t refreshes = 0;
        for (int t = 0; t < plan->trials_count; t++) {
            const PlanTrial *trial = &plan->trials[t];
            if (trial->block != (int)b)
                continue;
            trials++;
            refreshes += trial->before_frames + trial->stimulus_frames + trial->after_frames;
        }
        fprintf(talk, "block %-3u   %s: %s, %d trials, %.1f s\n", b, plan->protocol->blocks[b].name,
                protocol_stimulus_name(&plan->protocol->blocks[b]), trials,
                (double)refreshes / plan->refresh_hz);
    }
}

DescribeVerdict describe_protocol(const char *path, FILE *talk, json_t *summary, char *err)
{
    Protocol *protocol = protocol_load(path, err);
    if (!protocol)
        return DESCRIBE_REFUSED;
    const ProtocolDisplay *display = &protocol->display;
    double refresh_hz = display->refresh_hz > 0 ? display->refresh_hz : 60;
    Plan *plan = plan_create(protocol, path, refresh_hz, display->width_px * display->um_per_px,
                             display->height_px * display->um_per_px, err);
    if (plan) {
        fprintf(talk, "protocol %s: %s\n", protocol->name, protocol->about ? protocol->about : "");
        fprintf(talk, "length      %d trials, %.1f s, %" PRId64 " refreshes at %g Hz\n",
                plan->trials_count, (double)plan->refreshes / refresh_hz, plan->refreshes,
                refresh_hz);
        talk_of_blocks(plan, talk);
        for (unsigned m = 0; m < protocol->models_count; m++)
            fprintf(talk, "model       %s\n", protocol->models[m]);
        for (int w = 0; w < plan->warnings_count; w++)
            fprintf(talk, "warning     %s\n", plan->warnings[w]);
        add(summary, json_pack("{ss ss sI si sf}", "kind", "protocol", "name", protocol->name,
                               "refreshes", (json_int_t)plan->refreshes, "trials",
                               plan->trials_count, "refresh_hz", refresh_hz));
    }
    bool is_sound = plan != NULL;
    plan_destroy(plan);
    protocol_destroy(protocol);
    return is_sound ? DESCRIBE_WHOLE : DESCRIBE_REFUSED;
}

DescribeVerdict describe_preparation(const char *path, FILE *talk, json_t *summary, char *err)
{
    CircuitSpec spec;
    CircuitCell cells[MODEL_MAX_CELLS];
    Retina *retina = retina_load(path, err);
    if (!retina || !recording_circuit(retina, &spec, cells, err)) {
        retina_destroy(retina);
        return DESCRIBE_REFUSED;
    }
    fprintf(talk, "simulated preparation %s: %s\n", retina->name,
            retina->about ? retina->about : "");
    fprintf(talk, "recording   %g min to train, %g min × %d repeats to test, seed %" PRId64 "\n",
            retina->minutes, retina->test_minutes, retina->test_repeats, retina->seed);
    fprintf(talk, "field       %d × %d px of %g um\n", retina->field.width_px,
            retina->field.height_px, retina->field.um_per_px);
    if (spec.note[0])
        fprintf(talk, "circuit     %s\n", spec.note);
    for (int c = 0; c < spec.cell_count; c++)
        fprintf(talk, "cell        %s at (%g, %g) um\n", cells[c].name, (double)cells[c].x_um,
                (double)cells[c].y_um);
    add(summary,
        json_pack("{ss ss ss si sf}", "kind", "preparation", "name", retina->name, "circuit",
                  spec.note, "cells", spec.cell_count, "minutes", retina->minutes));
    retina_destroy(retina);
    return DESCRIBE_WHOLE;
}

DescribeVerdict describe_fit(const char *path, FILE *talk, json_t *summary, char *err)
{
    Fitting *spec = fitting_load(path, err);
    if (!spec)
        return DESCRIBE_REFUSED;
    static const char *const kinds[] = {[FITTING_LN] = "LN",
                                        [FITTING_GLM] = "GLM",
                                        [FITTING_SUBUNIT] = "subunit",
                                        [FITTING_CNN] = "CNN"};
    fprintf(talk, "fit of a %s model, %s, to %s\n", kinds[spec->kind], spec->name, spec->data);
    fprintf(talk, "epochs      at most %d, seed %" PRId64 "\n", spec->epochs, spec->seed);
    add(summary, json_pack("{ss ss ss si}", "kind", "fit", "name", spec->name, "data", spec->data,
                           "epochs", spec->epochs));
    fitting_destroy(spec);
    return DESCRIBE_WHOLE;
}

static json_t *cell_names(const char *const *names, int count)
{
    json_t *cells = json_array();
    for (int c = 0; c < count; c++)
        json_array_append_new(cells, json_string(names[c]));
    return cells;
}

/* How a network narrows from layer to layer, of the kinds that have layers. */
static void talk_of_layers(const ModelFile *file, FILE *talk)
{
    static const char *const kernels[] = {"conv1_weight", "conv2_weight"};
    int height = file->info.height_px, width = file->info.width_px;
    if (!model_file_find(file, kernels[0]))
        return;
    fprintf(talk, "layers      %d × %d × %d", file->info.history_bins, height, width);
    for (int i = 0; i < 2; i++) {
        const ModelTensor *kernel = model_file_find(file, kernels[i]);
        if (!kernel)
            continue;
        height -= kernel->dims[2] - 1;
        width -= kernel->dims[3] - 1;
        fprintf(talk, " → %d × %d × %d (%d units)", kernel->dims[0], height, width,
                kernel->dims[0] * height * width);
    }
    fprintf(talk, " → %d cells\n", file->info.cells);
}

/* Which channels of which network a reduced model is made of. */
static void talk_of_units(const ModelFile *file, FILE *talk)
{
    const ModelTensor *channel = model_file_find(file, "channel");
    const ModelTensor *place = model_file_find(file, "place_um");
    if (strcmp(file->info.kind, "reduced") != 0 || !channel || !place)
        return;
    fprintf(talk, "units      ");
    for (int u = 0; u < channel->dims[0]; u++) {
        fprintf(talk, "%s channel %g", u ? "," : "", (double)channel->values[u]);
        if (model_file_find(file, "filter")->dims[2] * model_file_find(file, "filter")->dims[3] > 1)
            fprintf(talk, " at %.0f um", (double)place->values[u]);
    }
    fputc('\n', talk);
}

/* The numbers a model file holds: 138,362 in a published net of five cells. */
static void add_numbers(const char *name, FILE *talk, json_t *summary)
{
    char err[MODEL_ERR_BYTES];
    ModelFile file;
    size_t count = 0;
    if (!model_file_read(name, &file, err))
        return; // a built-in model has no file
    for (int i = 0; i < file.tensor_count; i++)
        count += model_tensor_count(&file.tensors[i]);
    talk_of_layers(&file, talk);
    talk_of_units(&file, talk);
    fprintf(talk, "parameters  %zu in %d arrays\n", count, file.tensor_count);
    json_object_set_new(summary, "parameters", json_integer((json_int_t)count));
    model_file_finish(&file);
}

DescribeVerdict describe_model(const char *name, FILE *talk, json_t *summary, char *err)
{
    Model *model = model_open(name, err);
    if (!model)
        return DESCRIBE_REFUSED;
    const ModelInfo *info = model_info(model);
    fprintf(talk, "model %s (%s)%s\n", info->name, info->kind,
            info->is_simulated ? ": simulated, not fitted to a recording" : "");
    fprintf(talk, "input       %d × %d px of %g um, %g bins a second, luminance mean %g, SD %g\n",
            info->width_px, info->height_px, info->um_per_px, info->bin_hz, info->lum_mean,
            info->lum_sd);
    if (info->history_bins > 0)
        fprintf(talk, "history     %d bins (%.0f ms); bins up to t tell the rate of bin t + %d\n",
                info->history_bins, 1e3 * info->history_bins / info->bin_hz, info->lag_bins);
    if (info->stimulus)
        fprintf(talk, "stands for  a %s, no other stimulus\n", info->stimulus);
    add_numbers(name, talk, summary);
    for (int c = 0; c < info->cells; c++)
        if (info->cell_x_um)
            fprintf(talk, "cell %-3d    %s at (%g, %g) um\n", c, info->cell_names[c],
                    (double)info->cell_x_um[c], (double)info->cell_y_um[c]);
        else
            fprintf(talk, "cell %-3d    %s\n", c, info->cell_names[c]);
    fprintf(talk, "from        %s\nlicence     %s\n", info->provenance, info->licence);
    add(summary,
        json_pack("{ss ss ss si so sf sf si si sb ss}", "kind", "model", "name", info->name,
                  "model_kind", info->kind, "cells", info->cells, "cell_names",
                  cell_names(info->cell_names, info->cells), "bin_hz", info->bin_hz, "um_per_px",
                  info->um_per_px, "history_bins", info->history_bins, "lag_bins", info->lag_bins,
                  "simulated", (int)info->is_simulated, "provenance", info->provenance));
    model_close(model);
    return DESCRIBE_WHOLE;
}
