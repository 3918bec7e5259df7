#include "config/fitting.h"

#include "config/locate.h"
#include "config/schema.h"

enum { REQUIRED = CYAML_FLAG_DEFAULT, OPTIONAL = CYAML_FLAG_OPTIONAL };

static const cyaml_strval_t kinds[] = {{"cnn", FITTING_CNN}, {"ln", FITTING_LN}};
static const cyaml_strval_t targets[] = {
    {"binned", FITTING_BINNED},
    {"firing_rate_10ms", FITTING_FIRING_RATE},
    {"rate_hz", FITTING_RATE},
};

static const cyaml_schema_value_t whole = {CYAML_VALUE_INT(REQUIRED, int)};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, Fitting, name, 1, 63),
    CYAML_FIELD_STRING_PTR("about", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, Fitting, about, 0,
                           10000),
    CYAML_FIELD_STRING_PTR("data", CYAML_FLAG_POINTER, Fitting, data, 1, 1000),
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, Fitting, kind, kinds, 2),
    CYAML_FIELD_ENUM("target", CYAML_FLAG_STRICT, Fitting, target, targets, 3),
    CYAML_FIELD_INT("seed", REQUIRED, Fitting, seed),
    CYAML_FIELD_INT("epochs", REQUIRED, Fitting, epochs),
    CYAML_FIELD_INT("history_bins", REQUIRED, Fitting, history_bins),
    CYAML_FIELD_INT("lag_bins", REQUIRED, Fitting, lag_bins),
    CYAML_FIELD_SEQUENCE("channels", OPTIONAL | CYAML_FLAG_POINTER, Fitting, channels, &whole, 2,
                         2),
    CYAML_FIELD_SEQUENCE("kernel_px", OPTIONAL | CYAML_FLAG_POINTER, Fitting, kernel_px, &whole, 2,
                         2),
    CYAML_FIELD_INT("run_bins", REQUIRED, Fitting, run_bins),
    CYAML_FIELD_INT("batch_runs", REQUIRED, Fitting, batch_runs),
    CYAML_FIELD_FLOAT("learning_rate", REQUIRED, Fitting, learning_rate),
    CYAML_FIELD_FLOAT("decay", REQUIRED, Fitting, decay),
    CYAML_FIELD_FLOAT("rate_scale_hz", REQUIRED, Fitting, rate_scale_hz),
    CYAML_FIELD_FLOAT("validation_share", REQUIRED, Fitting, validation_share),
    CYAML_FIELD_FLOAT("um_per_px", OPTIONAL, Fitting, um_per_px),
    CYAML_FIELD_INT("threads", OPTIONAL, Fitting, threads),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, Fitting, fields)};

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
        {"run_bins", f->run_bins, 1, 4096},
        {"batch_runs", f->batch_runs, 4, 1024},
        {"learning_rate", f->learning_rate, 1e-9, 1},
        {"decay", f->decay, 0, 1},
        {"rate_scale_hz", f->rate_scale_hz, 1e-3, 1e6},
        {"validation_share", f->validation_share, 1e-3, 0.9},
        {"um_per_px", f->um_per_px, 0, 1e4},
        {"threads", f->threads, 0, 64},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (!(ranges[i].value >= ranges[i].least && ranges[i].value <= ranges[i].most))
            return locate_fail(locate, NULL, ranges[i].key, err, "is %g; %g to %g", ranges[i].value,
                               ranges[i].least, ranges[i].most);
    if (f->kind == FITTING_LN)
        return true;
    for (int i = 0; i < 2; i++) {
        if (!f->channels || f->channels[i] < 1 || f->channels[i] > 128)
            return locate_fail(locate, NULL, "channels", err,
                               "a cnn needs two numbers of channels, each 1 to 128");
        if (!f->kernel_px || f->kernel_px[i] < 1 || f->kernel_px[i] > 256)
            return locate_fail(locate, NULL, "kernel_px", err,
                               "a cnn needs two kernel sizes, each 1 to 256");
    }
    return true;
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
