#include "app/job.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPT_OUT = 256, OPT_SEED, OPT_MINUTES, OPT_EPOCHS, OPT_JSON, OPT_HELP };

static const struct option table[] = {
    {"out", required_argument, NULL, OPT_OUT},
    {"seed", required_argument, NULL, OPT_SEED},
    {"minutes", required_argument, NULL, OPT_MINUTES},
    {"epochs", required_argument, NULL, OPT_EPOCHS},
    {"json", required_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

const char *job_help(void)
{
    return "  --out FILE      where the result goes\n"
           "  --seed N        instead of the spec's\n"
           "  --minutes M     of recording, instead of the spec's\n"
           "  --epochs N      of fitting, instead of the spec's\n"
           "  --json FILE|-   the summary for machines\n";
}

static bool read_number(const char *name, const char *text, double least, double most,
                        double *value, char *err)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    if (end != text && *end == '\0' && errno == 0 && *value >= least && *value <= most)
        return true;
    snprintf(err, JOB_ERR_BYTES, "--%s: '%s' is not a number from %g to %g", name, text, least,
             most);
    return false;
}

static bool take_option(JobOptions *o, int option, char *err)
{
    double value = 0.0;
    bool ok = true;
    if (option == OPT_OUT) {
        o->out = optarg;
    } else if (option == OPT_JSON) {
        o->json = optarg;
    } else if (option == OPT_HELP) {
        o->wants_help = true;
    } else if (option == OPT_MINUTES) {
        ok = read_number("minutes", optarg, 0.01, 10000, &o->minutes, err);
    } else if (option == OPT_EPOCHS) {
        ok = read_number("epochs", optarg, 1, 10000, &value, err);
        o->epochs = (int)value;
    } else if (option == OPT_SEED) {
        ok = read_number("seed", optarg, 0, 9007199254740992.0, &value, err);
        o->seed = (int64_t)value;
        o->has_seed = true;
    }
    return ok;
}

bool job_parse(JobOptions *options, int argc, char **argv, char *err)
{
    opterr = 0;
    optind = 1;
    int option;
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (option == '?') {
            snprintf(err, JOB_ERR_BYTES, "'%s' is not an option here, or lacks its value",
                     argv[optind - 1]);
            return false;
        }
        if (!take_option(options, option, err))
            return false;
    }
    if (optind < argc)
        options->spec = argv[optind++];
    if (optind < argc) {
        snprintf(err, JOB_ERR_BYTES, "'%s' is one file too many; one spec is allowed",
                 argv[optind]);
        return false;
    }
    if (!options->spec && !options->wants_help) {
        snprintf(err, JOB_ERR_BYTES, "which spec? Give one file");
        return false;
    }
    return true;
}

static atomic_bool wants_stop;

static void on_signal(int number)
{
    atomic_store(&wants_stop, true);
    signal(number, SIG_DFL);
}

const atomic_bool *job_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); // a full disk shall be an error of write(), not the end
    return &wants_stop;
}
