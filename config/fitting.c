#include "config/fitting.h"

#include "config/locate.h"
#include "config/schema.h"

enum { REQUIRED = CYAML_FLAG_DEFAULT, OPTIONAL = CYAML_FLAG_OPTIONAL };

static const cyaml_strval_t kinds[] = {
    {"ln", FITTING_LN}, {"glm", FITTING_GLM}, {"subunit", FITTING_SUBUNIT}, {"cnn", FITTING_CNN}};
static const cyaml_strval_t norms[] = {{"channel", FITTING_NORM_CHANNEL},
                                       {"unit", FITTING_NORM_UNIT}};
static const cyaml_strval_t schedules[] = {{"cosine", FITTING_COSINE},
                                           {"plateau", FITTING_PLATEAU}};
static const cyaml_strval_t targets[] = {
    {"binned", FITTING_BINNED},
    {"firing_rate_10ms", FITTING_FIRING_RATE},
    {"rate_hz", FITTING_RATE},
};

static const cyaml_schema_value_t cell_name = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 63)};
static const cyaml_schema_value_t whole = {CYAML_VALUE_INT(REQUIRED, int)};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, Fitting, name, 1, 63),
    CYAML_FIELD_STRING_PTR("about", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, Fitting, about, 0,
                           10000),
    CYAML_FIELD_STRING_PTR("data", CYAML_FLAG_POINTER, Fitting, data, 1, 1000),
    CYAML_FIELD_SEQUENCE("cells", OPTIONAL | CYAML_FLAG_POINTER, Fitting, cells, &cell_name, 1,
                         1024),
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, Fitting, kind, kinds, 4),
    CYAML_FIELD_ENUM("target", CYAML_FLAG_STRICT, Fitting, target, targets, 3),
    CYAML_FIELD_INT("seed", REQUIRED, Fitting, seed),
    CYAML_FIELD_INT("epochs", REQUIRED, Fitting, epochs),
    CYAML_FIELD_INT("history_bins", REQUIRED, Fitting, history_bins),
    CYAML_FIELD_INT("lag_bins", REQUIRED, Fitting, lag_bins),
    CYAML_FIELD_SEQUENCE("channels", OPTIONAL | CYAML_FLAG_POINTER, Fitting, channels, &whole, 1,
                         2),
    CYAML_FIELD_SEQUENCE("kernel_px", OPTIONAL | CYAML_FLAG_POINTER, Fitting, kernel_px, &whole, 1,
                         2),
    CYAML_FIELD_ENUM("norm", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, Fitting, norm, norms, 2),
    CYAML_FIELD_BOOL("stacked", OPTIONAL, Fitting, stacked),
    CYAML_FIELD_FLOAT("noise_sd", OPTIONAL, Fitting, noise_sd),
    CYAML_FIELD_INT("window_px", OPTIONAL, Fitting, window_px),
    CYAML_FIELD_INT("spike_bins", OPTIONAL, Fitting, spike_bins),
    CYAML_FIELD_INT("run_bins", REQUIRED, Fitting, run_bins),
    CYAML_FIELD_INT("batch_runs", REQUIRED, Fitting, batch_runs),
    CYAML_FIELD_FLOAT("learning_rate", REQUIRED, Fitting, learning_rate),
    CYAML_FIELD_FLOAT("decay", REQUIRED, Fitting, decay),
    CYAML_FIELD_FLOAT("l2", OPTIONAL, Fitting, l2),
    CYAML_FIELD_FLOAT("l1_activity", OPTIONAL, Fitting, l1_activity),
    CYAML_FIELD_ENUM("schedule", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, Fitting, schedule,
                     schedules, 2),
    CYAML_FIELD_FLOAT("plateau_factor", OPTIONAL, Fitting, plateau_factor),
    CYAML_FIELD_INT("plateau_epochs", OPTIONAL, Fitting, plateau_epochs),
    CYAML_FIELD_INT("patience_epochs", OPTIONAL, Fitting, patience_epochs),
    CYAML_FIELD_FLOAT("minutes", OPTIONAL, Fitting, minutes),
    CYAML_FIELD_FLOAT("rate_scale_hz", REQUIRED, Fitting, rate_scale_hz),
    CYAML_FIELD_FLOAT("validation_share", REQUIRED, Fitting, validation_share),
    CYAML_FIELD_FLOAT("um_per_px", OPTIONAL, Fitting, um_per_px),
    CYAML_FIELD_INT("threads", OPTIONAL, Fitting, threads),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, Fitting, fields)};

/* A key that only some kinds have: each has what it needs and nothing that it would ignore. */
static bool check_key(const Locate *locate, const char *key, bool is_wanted, bool is_given,
                      const char *needed, char *err)
{
    if (is_wanted == is_given)
        return true;
    return is_wanted ? locate_fail(locate, NULL, key, err, "is missing; this kind needs %s", needed)
                     : locate_fail(locate, NULL, key, err, "means nothing to this kind; remove it");
}

static bool check_layers(const Locate *locate, const Fitting *f, char *err)
{
    unsigned layers = f->kind == FITTING_CNN ? 2 : f->kind == FITTING_SUBUNIT ? 1 : 0;
    if (!check_key(locate, "channels", layers > 0, f->channels_count > 0, "one a convolution",
                   err) ||
        !check_key(locate, "kernel_px", layers > 0, f->kernel_px_count > 0, "one a convolution",
                   err))
        return false;
    if (f->channels_count != layers)
        return locate_fail(locate, NULL, "channels", err, "lists %u; this kind has %u convolutions",
                           f->channels_count, layers);
    if (f->kernel_px_count != layers)
        return locate_fail(locate, NULL, "kernel_px", err,
                           "lists %u; this kind has %u convolutions", f->kernel_px_count, layers);
    for (unsigned i = 0; i < layers; i++) {
        if (f->channels[i] < 1 || f->channels[i] > 128)
            return locate_fail(locate, NULL, "channels", err, "has %d; 1 to 128", f->channels[i]);
        if (f->kernel_px[i] < 1 || f->kernel_px[i] > 256)
            return locate_fail(locate, NULL, "kernel_px", err, "has %d; 1 to 256", f->kernel_px[i]);
    }
    return true;
}

static bool check_kind(const Locate *locate, const Fitting *f, char *err)
{
    bool has_layers = f->kind == FITTING_CNN || f->kind == FITTING_SUBUNIT;
    if (!check_layers(locate, f, err) ||
        !check_key(locate, "window_px", !has_layers, f->window_px != 0, "the side of its window",
                   err) ||
        !check_key(locate, "spike_bins", f->kind == FITTING_GLM, f->spike_bins != 0,
                   "the bins of its memory", err))
        return false;
    if (f->kind == FITTING_GLM && f->target != FITTING_BINNED)
        return locate_fail(locate, NULL, "target", err, "a glm remembers spikes; binned");
    if (!has_layers && (f->norm != FITTING_NORM_CHANNEL || f->stacked || f->noise_sd != 0.0))
        return locate_fail(locate, NULL, "kind", err,
                           "norm, stacked and noise_sd are of convolutions; cnn or subunit");
    if (f->schedule == FITTING_PLATEAU && !(f->plateau_factor > 0.0 && f->plateau_factor < 1.0))
        return locate_fail(locate, NULL, "plateau_factor", err, "is %g; between 0 and 1",
                           f->plateau_factor);
    return true;
}

static bool check(const Locate *locate, const Fitting *f, char *err)
{
    const struct {
        const char *key;
        double value, least, most;
    } ranges[] = {
        {"seed", (double)f->seed, 0, 9007199254740992.0},
        {"epochs", f->epochs, 1, 10000},
        {"history_bins", f->history_bins, 1, 200},
        {"lag_bins", f->lag_bins, 0, 100},
        {"noise_sd", f->noise_sd, 0, 10},
        {"window_px", f->window_px, 0, 1024},
        {"spike_bins", f->spike_bins, 0, 200},
        {"run_bins", f->run_bins, 1, 4096},
        {"batch_runs", f->batch_runs, 4, 1024},
        {"learning_rate", f->learning_rate, 1e-9, 1},
        {"decay", f->decay, 0, 1},
        {"l2", f->l2, 0, 10},
        {"l1_activity", f->l1_activity, 0, 10},
        {"plateau_factor", f->plateau_factor, 0, 1},
        {"plateau_epochs", f->plateau_epochs, f->schedule == FITTING_PLATEAU, 10000},
        {"patience_epochs", f->patience_epochs, 0, 10000},
        {"rate_scale_hz", f->rate_scale_hz, 1e-3, 1e6},
        {"minutes", f->minutes, 0, 1e5},
        {"validation_share", f->validation_share, 1e-3, 0.9},
        {"um_per_px", f->um_per_px, 0, 1e4},
        {"threads", f->threads, 0, 64},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (!(ranges[i].value >= ranges[i].least && ranges[i].value <= ranges[i].most))
            return locate_fail(locate, NULL, ranges[i].key, err, "is %g; %g to %g", ranges[i].value,
                               ranges[i].least, ranges[i].most);
    return check_kind(locate, f, err);
}

Fitting *fitting_load(const char *path, char *err)
{
    Locate *locate = locate_open(path, err);
    Fitting *fitting = locate ? schema_load(locate, &schema, err) : NULL;
    if (fitting && !check(locate, fitting, err)) {
        fitting_destroy(fitting);
        fitting = NULL;
    }
    locate_close(locate);
    return fitting;
}

void fitting_destroy(Fitting *fitting)
{
    schema_free(&schema, fitting);
}
