#include "model/fit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/fit_state.h"
#include "model/kind.h"

enum { PATH_BYTES = 4096 };

/* The head of a checkpoint: everything that must agree before one may go on. Plain numbers of one
 * size, so that there is no padding to compare. */
typedef struct {
    uint64_t magic;
    int64_t params, states, cells, train_bins, target;
    int64_t epochs, run_bins, batch_runs, history_bins, lag_bins;
    double learning_rate, decay, rate_scale_hz, lum_mean, lum_sd;
    uint64_t seed_bits[2];
} Agreement;

typedef struct {
    Agreement agreement;
    int64_t epochs_done, steps;
} Head;

static Agreement agreement_of(const Fit *fit)
{
    const FitSpec *s = &fit->spec;
    return (Agreement){
        .magic = UINT64_C(0x3154494652545452), // "RTTRFIT1"
        .params = (int64_t)fit->net.param_count,
        .states = (int64_t)fit->net.state_count,
        .cells = fit->batch.cells,
        .train_bins = fit->train_bins,
        .target = (int64_t)s->target,
        .epochs = s->epochs,
        .run_bins = s->run_bins,
        .batch_runs = s->batch_runs,
        .history_bins = s->history_bins,
        .lag_bins = s->lag_bins,
        .learning_rate = s->learning_rate,
        .decay = s->decay,
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
    Head head = {agreement_of(fit), fit->epochs, fit->steps};
    size_t count = fit->net.param_count;
    FILE *file = fopen(part, "wb");
    bool ok = file && put(file, &head, sizeof head, 1) &&
              put(file, fit->net.params, sizeof(float), count) &&
              put(file, fit->first, sizeof(float), count) &&
              put(file, fit->second, sizeof(float), count) &&
              put(file, fit->net.state, sizeof(float), fit->net.state_count);
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
                    get(file, fit->net.state, sizeof(float), fit->net.state_count);
    fclose(file);
    if (!is_same)
        return model_refuse(err,
                            "%s: is a checkpoint of another spec, seed or data set; remove it "
                            "to start afresh",
                            path);
    if (!is_whole)
        return model_refuse(err, "%s: is cut short; remove it to start afresh", path);
    fit->epochs = (int)head.epochs_done;
    fit->steps = head.steps;
    fit->net.changed(fit->state);
    return true;
}

bool fit_write_model(Fit *fit, const char *path, const char *name, const char *provenance,
                     char *err)
{
    ModelFile file = {.path = path, .info = fit->info, .rate_scale_hz = fit->spec.rate_scale_hz};
    snprintf(file.info.name, sizeof file.info.name, "%s", name);
    file.info.provenance = provenance;
    fit->net.describe(fit->state, &file);
    return model_file_write(path, &file, err);
}
