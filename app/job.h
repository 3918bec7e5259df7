#pragma once
/* What long work without a display has in common: its options, and the wish to stop. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { JOB_ERR_BYTES = 512 };

typedef struct {
    const char *spec; // the one positional argument
    const char *out;
    const char *json;
    bool has_seed;
    int64_t seed;
    double minutes; // 0: the spec's
    int epochs;     // 0: the spec's
    bool wants_help;
} JobOptions;

/* Fills options from argv; false with a sentence in err (JOB_ERR_BYTES). Strings are borrowed from
 * argv. */
bool job_parse(JobOptions *options, int argc, char **argv, char *err);

/* One line an option, for --help. */
const char *job_help(void);

/* From now on Ctrl-C, hang-up and a full disk do not kill: the first sets the flag that is
 * returned, and a second Ctrl-C ends the program at once. */
const atomic_bool *job_catch_signals(void);
