#include "app/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/arguments.h"
#include "app/clock.h"
#include "app/data.h"
#include "app/digest.h"
#include "app/json.h"
#include "app/progress.h"
#include "app/stop.h"
#include "config/fitting.h"
#include "model/fit.h"
#include "render/philox.h"

enum { PATH_SIZE = 4096, STREAM_FIT = 200 };

typedef struct {
    const char *spec, *out, *data, *json;
    ArgumentInteger seed, epochs;
    double minutes; // 0: the spec's
} Options;

/* A fit and all that stands around it. */
typedef struct {
    const Options *options;
    Fitting *spec;
    Dataset *data;
    Fit *fit;
    char checkpoint[PATH_SIZE + 8], log[PATH_SIZE + 8];
    const char *data_path;
    FitEpoch epoch; // the latest
    bool was_stopped;
} FitJob;

static const Argument rows[] = {
    {"out", "MODEL.h5", "where the model goes; log and checkpoint beside it",
     ARGUMENT_TEXT(Options, out)},
    {"seed", "N", "instead of the spec's", ARGUMENT_INTEGER(Options, seed, 0, 9007199254740992.0)},
    {"epochs", "N", "instead of the spec's", ARGUMENT_INTEGER(Options, epochs, 1, 10000)},
    {"minutes", "M", "of the train part to use, from its start, instead of the spec's",
     ARGUMENT_NUMBER(Options, minutes, 0.1, 1e5)},
    {"data", "FILE", "instead of the spec's", ARGUMENT_TEXT(Options, data)},
    {"json", "FILE|-", "the summary for machines", ARGUMENT_TEXT(Options, json)},
};

static const ArgumentTable table = {
    .command = "fit",
    .usage = "SPEC --out MODEL.h5 [options]",
    .about =
        "Fits the model that SPEC describes (LN, GLM, subunit or CNN) to its data set. After "
        "every\n"
        "epoch the best model so far is written, one line goes into a log beside it (.tsv), and a\n"
        "checkpoint (.ckpt) lets the same command go on after Ctrl-C or a crash. `retrace eval`\n"
        "scores the model.\n",
    .example = "retrace fit model/weights/natural-ln.yaml --out out/ln.h5",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .positional = "spec",
    .positional_offset = offsetof(Options, spec),
    .is_positional_needed = true,
};

static uint32_t random_word(void *ctx, uint32_t stream, uint64_t index)
{
    uint64_t seed = (uint64_t)((const Fitting *)ctx)->seed, block = index / 4;
    PhiloxCounter at = {{(uint32_t)block, (uint32_t)(block >> 32), stream, STREAM_FIT}};
    return philox(at, (PhiloxKey){{(uint32_t)seed, (uint32_t)(seed >> 32)}}).words[index % 4];
}

static FitSpec spec_of(Fitting *f)
{
    static const DatasetResponse targets[] = {[FITTING_BINNED] = DATASET_BINNED,
                                              [FITTING_FIRING_RATE] = DATASET_FIRING_RATE,
                                              [FITTING_RATE] = DATASET_RATE};
    static const FitKind kinds[] = {[FITTING_LN] = FIT_LN,
                                    [FITTING_GLM] = FIT_GLM,
                                    [FITTING_SUBUNIT] = FIT_SUBUNIT,
                                    [FITTING_CNN] = FIT_CNN};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    FitSpec spec = {
        .kind = kinds[f->kind],
        .target = targets[f->target],
        .history_bins = f->history_bins,
        .lag_bins = f->lag_bins,
        .norm = f->norm == FITTING_NORM_UNIT ? FIT_NORM_UNIT : FIT_NORM_CHANNEL,
        .is_stacked = f->stacked,
        .noise_sd = f->noise_sd,
        .window_px = f->window_px,
        .spike_bins = f->spike_bins,
        .minutes = f->minutes,
        .validation_share = f->validation_share,
        .run_bins = f->run_bins,
        .batch_runs = f->batch_runs,
        .learning_rate = f->learning_rate,
        .schedule = f->schedule == FITTING_PLATEAU ? FIT_PLATEAU : FIT_COSINE,
        .plateau_factor = f->plateau_factor,
        .plateau_epochs = f->plateau_epochs,
        .patience_epochs = f->patience_epochs,
        .epochs = f->epochs,
        .decay = f->decay,
        .l2 = f->l2,
        .l1_activity = f->l1_activity,
        .rate_scale_hz = f->rate_scale_hz,
        .um_per_px = f->um_per_px,
        .threads = f->threads > 0 ? f->threads
                   : cores > 0    ? (int)cores
                                  : 1,
        .word = random_word,
        .word_ctx = f,
    };
    for (unsigned i = 0; i < f->channels_count; i++) {
        spec.channels[i] = f->channels[i];
        spec.kernel_px[i] = f->kernel_px[i];
    }
    return spec;
}

/* The model's name with another ending. */
static void name_beside(const char *model, const char *ending, char *path)
{
    size_t length = strlen(model);
    if (length > 3 && strcmp(model + length - 3, ".h5") == 0)
        length -= 3;
    snprintf(path, PATH_SIZE + 8, "%.*s%s", (int)length, model, ending);
}

static bool open_job(FitJob *s, char *err)
{
    s->spec = fitting_load(s->options->spec, err);
    if (!s->spec)
        return false;
    if (s->options->seed.is_given)
        s->spec->seed = s->options->seed.value;
    if (s->options->epochs.is_given)
        s->spec->epochs = (int)s->options->epochs.value;
    if (s->options->minutes > 0.0)
        s->spec->minutes = s->options->minutes;
    s->data_path = s->options->data ? s->options->data : s->spec->data;
    s->data = data_open(s->data_path, err);
    if (!s->data)
        return false;
    const char *const *cells = (const char *const *)s->spec->cells;
    if (cells && !dataset_keep_cells(s->data, cells, (int)s->spec->cells_count, err))
        return false;
    if (!data_is_fit(s->data, stderr, err))
        return false;
    FitSpec spec = spec_of(s->spec);
    s->fit = fit_create(&spec, s->data, err);
    name_beside(s->options->out, ".ckpt", s->checkpoint);
    name_beside(s->options->out, ".tsv", s->log);
    if (!s->fit || access(s->checkpoint, F_OK) != 0)
        return s->fit != NULL;
    if (!fit_resume(s->fit, s->checkpoint, err))
        return false;
    fprintf(stderr, "retrace fit: going on after epoch %d of %s\n", fit_epochs_done(s->fit),
            s->checkpoint);
    return true;
}

static void close_job(FitJob *s)
{
    fit_destroy(s->fit);
    dataset_close(s->data);
    fitting_destroy(s->spec);
}

static const char *target_name(const Fitting *spec)
{
    static const char *const names[] = {[FITTING_BINNED] = "spikes",
                                        [FITTING_FIRING_RATE] = "smoothed spikes",
                                        [FITTING_RATE] = "noise-free rate"};
    return names[spec->target];
}

static bool write_model(const FitJob *s, char *err)
{
    const DatasetInfo *data = dataset_info(s->data);
    const FitScore *v = &s->epoch.validation;
    char provenance[900], sha256[DIGEST_BYTES] = "unknown";
    digest_file(s->options->spec, sha256);
    double minutes = (double)dataset_bins(s->data, DATASET_TRAIN) / data->bin_hz / 60.0;
    if (s->spec->minutes > 0.0)
        minutes = fmin(minutes, s->spec->minutes);
    int used =
        snprintf(provenance, sizeof provenance,
                 "fitted to the %s of %s%s, %.3g min of which the last %.2g %% for "
                 "validation; spec %s (sha256 %.16s), seed %" PRId64
                 ", epoch %d of %d; validation correlation after the last %.3f",
                 target_name(s->spec), data->is_simulated ? "the simulated retina, " : "",
                 data->name, minutes, 100.0 * s->spec->validation_share, s->spec->name, sha256,
                 s->spec->seed, fit_best_epoch(s->fit), s->epoch.epoch, v->cc_target_mean);
    if (isfinite(v->cc_rate_mean) && s->spec->target != FITTING_RATE)
        snprintf(provenance + used, sizeof provenance - (size_t)used,
                 ", %.3f with the noise-free rate", v->cc_rate_mean);
    return fit_write_model(s->fit, s->options->out, s->spec->name, provenance, err);
}

static bool write_log(const FitJob *s, double seconds, char *err)
{
    bool is_first = s->epoch.epoch == 1;
    FILE *file = fopen(s->log, is_first ? "w" : "a");
    if (!file) {
        snprintf(err, MODEL_ERR_BYTES, "%.400s: could not be written: %s", s->log, strerror(errno));
        return false;
    }
    const FitScore *v = &s->epoch.validation;
    if (is_first)
        fprintf(file, "epoch\ttrain_loss\tvalidation_loss\tvalidation_cc_target\t"
                      "validation_cc_rate\tlearning_rate\tbest_epoch\tseconds\n");
    fprintf(file, "%d\t%.5f\t%.5f\t%.4f\t%.4f\t%.3g\t%d\t%.1f\n", s->epoch.epoch,
            s->epoch.train_loss, v->loss, v->cc_target_mean, v->cc_rate_mean,
            s->epoch.learning_rate, fit_best_epoch(s->fit), seconds);
    return fclose(file) == 0;
}

static void show(void *ctx, int64_t done, int64_t total)
{
    progress_show(ctx, done, total);
}

static void talk_of_epoch(const FitJob *s, double seconds, FILE *talk)
{
    const FitScore *v = &s->epoch.validation;
    fprintf(
        talk,
        "epoch %d: loss %.4f, on validation %.4f (best: epoch %d), correlation %.3f with the %s",
        s->epoch.epoch, s->epoch.train_loss, v->loss, fit_best_epoch(s->fit), v->cc_target_mean,
        target_name(s->spec));
    if (isfinite(v->cc_rate_mean) && s->spec->target != FITTING_RATE)
        fprintf(talk, ", %.3f with the noise-free rate", v->cc_rate_mean);
    fprintf(talk, ", %.0f s\n", seconds);
}

static FitOutcome fit_all(FitJob *s, char *err)
{
    FILE *talk = json_talk(s->options->json);
    Progress progress;
    progress_start(&progress, "fit", "minibatches");
    s->epoch.validation.loss = (double)NAN;
    FitWatch watch = {.stop = stop_catch_signals(), .progress = show, .ctx = &progress};
    FitOutcome outcome = FIT_DONE;
    while (outcome == FIT_DONE && !fit_is_over(s->fit)) {
        int64_t start_ns = session_now_ns(NULL);
        outcome = fit_epoch(s->fit, &watch, &s->epoch, err);
        progress_end(&progress);
        if (outcome != FIT_DONE)
            break;
        double seconds = (double)(session_now_ns(NULL) - start_ns) * 1e-9;
        talk_of_epoch(s, seconds, talk);
        fflush(talk);
        // model before checkpoint: whoever goes on from the checkpoint has the model of its epoch
        if (!write_model(s, err) || !fit_save(s->fit, s->checkpoint, err) ||
            !write_log(s, seconds, err))
            outcome = FIT_FAILED;
    }
    return outcome;
}

static bool report(const FitJob *s, char *err)
{
    const DatasetInfo *info = dataset_info(s->data);
    int done = fit_epochs_done(s->fit);
    FILE *talk = json_talk(s->options->json);
    fprintf(talk, "%s: %d epochs of at most %d, the model of epoch %d%s\n", s->options->out, done,
            s->spec->epochs, fit_best_epoch(s->fit),
            s->was_stopped ? "; stopped, the same command goes on" : "");
    if (!s->options->json)
        return true;
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:b}", "retrace", RETRACE_VERSION,
                             "out", s->options->out, "spec", s->spec->name, "data", s->data_path,
                             "epochs", done, "best_epoch", fit_best_epoch(s->fit), "stopped_early",
                             s->was_stopped, "is_simulated", info->is_simulated);
    double loss = s->epoch.validation.loss;
    json_object_set_new(root, "validation_loss", json_number(loss));
    bool ok = json_write(root, s->options->json, err);
    json_decref(root);
    return ok;
}

static int fit_and_report(FitJob *s, char *err)
{
    FitOutcome outcome = fit_all(s, err);
    if (outcome == FIT_FAILED)
        return EXIT_IO;
    s->was_stopped = outcome == FIT_STOPPED;
    if (!s->was_stopped)
        remove(s->checkpoint);
    return report(s, err) ? EXIT_DONE : EXIT_IO;
}

int cmd_fit(int argc, char **argv)
{
    static FitJob job; // too large for a stack
    Options options = {0};
    char err[MODEL_ERR_BYTES];
    int status;
    if (!arguments_read(&table, &options, argc, argv, &status))
        return status;
    if (!options.out || strlen(options.out) >= PATH_SIZE) {
        fprintf(stderr, "retrace fit: --out MODEL.h5 is missing: where does the model go?\n");
        return EXIT_BAD_INPUT;
    }
    if (access(options.out, F_OK) == 0) {
        Model *older = model_open(options.out, err);
        model_close(older);
        if (!older) {
            fprintf(stderr, "retrace fit: --out: %s: exists and is no model; choose another name\n",
                    options.out);
            return EXIT_BAD_INPUT;
        }
    }
    job = (FitJob){.options = &options};
    status = open_job(&job, err) ? fit_and_report(&job, err) : EXIT_BAD_INPUT;
    if (status != EXIT_DONE)
        fprintf(stderr, "retrace fit: %s\n", err);
    close_job(&job);
    return status;
}
