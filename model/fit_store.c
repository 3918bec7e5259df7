#include "model/fit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/fit_state.h"
#include "model/kind.h"

enum { PATH_BYTES = 4096 };

/* The head of a checkpoint: everything that must agree before one may go on. Plain numbers of one
 * size, so that there is no padding to compare. */
typedef struct {
    uint64_t magic;
    int64_t params, states, cells, train_bins, used_bins, target, kind, norm, schedule;
    int64_t epochs, run_bins, batch_runs, history_bins, lag_bins, spike_bins;
    int64_t plateau_epochs, patience_epochs;
    double learning_rate, plateau_factor, decay, l2, l1_activity, noise_sd, rate_scale_hz;
    double lum_mean, lum_sd;
    uint64_t seed_bits[2];
} Agreement;

typedef struct {
    Agreement agreement;
    FitProgress progress;
} Head;

static Agreement agreement_of(const Fit *fit)
{
    const FitSpec *s = &fit->spec;
    return (Agreement){
        .magic = UINT64_C(0x3254494652545452), // "RTTRFIT2"
        .params = (int64_t)fit->net.param_count,
        .states = (int64_t)fit->net.state_count,
        .cells = fit->batch.cells,
        .train_bins = fit->train_bins,
        .used_bins = fit->used_bins,
        .target = (int64_t)s->target,
        .kind = (int64_t)s->kind,
        .norm = (int64_t)s->norm,
        .schedule = (int64_t)s->schedule,
        .epochs = s->schedule == FIT_COSINE ? s->epochs : 0, // a plateau may go on for longer
        .run_bins = s->run_bins,
        .batch_runs = s->batch_runs,
        .history_bins = s->history_bins,
        .lag_bins = s->lag_bins,
        .spike_bins = fit->batch.past_bins,
        .plateau_epochs = s->plateau_epochs,
        .patience_epochs = s->patience_epochs,
        .learning_rate = s->learning_rate,
        .plateau_factor = s->plateau_factor,
        .decay = s->decay,
        .l2 = s->l2,
        .l1_activity = s->l1_activity,
        .noise_sd = s->noise_sd,
        .rate_scale_hz = s->rate_scale_hz,
        .lum_mean = fit->info.lum_mean,
        .lum_sd = fit->info.lum_sd,
        .seed_bits = {s->word(s->word_ctx, FIT_STREAM_SHUFFLE, 1),
                      s->word(s->word_ctx, FIT_STREAM_SHUFFLE, 2)},
    };
}

static bool put(FILE *file, const void *bytes, size_t size, size_t count)
{
    return fwrite(bytes, size, count, file) == count;
}

bool fit_save(const Fit *fit, const char *path, char *err)
{
    char part[PATH_BYTES];
    snprintf(part, sizeof part, "%s.part", path);
    Head head = {agreement_of(fit), fit->progress};
    size_t count = fit->net.param_count;
    FILE *file = fopen(part, "wb");
    bool ok = file && put(file, &head, sizeof head, 1) &&
              put(file, fit->net.params, sizeof(float), count) &&
              put(file, fit->first, sizeof(float), count) &&
              put(file, fit->second, sizeof(float), count) &&
              put(file, fit->net.state, sizeof(float), fit->net.state_count) &&
              put(file, fit->best, sizeof(float), count + fit->net.state_count) &&
              fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (file)
        ok = fclose(file) == 0 && ok;
    ok = ok && rename(part, path) == 0;
    return ok || model_refuse(err, "%s: could not write the checkpoint: %s", path, strerror(errno));
}

static bool get(FILE *file, void *bytes, size_t size, size_t count)
{
    return fread(bytes, size, count, file) == count;
}

bool fit_resume(Fit *fit, const char *path, char *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return model_refuse(err, "%s: could not be opened: %s", path, strerror(errno));
    Head head;
    Agreement wanted = agreement_of(fit);
    bool is_same =
        get(file, &head, sizeof head, 1) && memcmp(&head.agreement, &wanted, sizeof wanted) == 0;
    size_t count = fit->net.param_count;
    bool is_whole = is_same && get(file, fit->net.params, sizeof(float), count) &&
                    get(file, fit->first, sizeof(float), count) &&
                    get(file, fit->second, sizeof(float), count) &&
                    get(file, fit->net.state, sizeof(float), fit->net.state_count) &&
                    get(file, fit->best, sizeof(float), count + fit->net.state_count);
    fclose(file);
    if (!is_same)
        return model_refuse(err,
                            "%s: is a checkpoint of another spec, seed or data set; remove it "
                            "to start afresh",
                            path);
    if (!is_whole)
        return model_refuse(err, "%s: is cut short; remove it to start afresh", path);
    fit->progress = head.progress;
    fit->batch.step = head.progress.steps;
    fit->net.changed(fit->state);
    return true;
}

static void swap(float *a, float *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float was = a[i];
        a[i] = b[i];
        b[i] = was;
    }
}

/* The net takes the best model, or its own back. */
static void exchange(Fit *fit)
{
    swap(fit->net.params, fit->best, fit->net.param_count);
    swap(fit->net.state, fit->best + fit->net.param_count, fit->net.state_count);
    fit->net.changed(fit->state);
}

bool fit_write_model(Fit *fit, const char *path, const char *name, const char *provenance,
                     char *err)
{
    ModelFile file = {.path = path, .info = fit->info, .rate_scale_hz = fit->spec.rate_scale_hz};
    snprintf(file.info.name, sizeof file.info.name, "%s", name);
    file.info.provenance = provenance;
    exchange(fit);
    fit->net.describe(fit->state, &file);
    bool ok = model_file_write(path, &file, err);
    exchange(fit);
    return ok;
}
