#include "app/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"

enum { ROWS_MAX = 32, HELP_CODE = 1000, HELP_COLUMN = 24 };

static void *field(const Argument *row, void *options)
{
    return (char *)options + row->offset;
}

static bool is_out_of_range(const Argument *row, double value)
{
    return !(value >= row->least && value <= row->most);
}

static bool read_number(const Argument *row, double *value, const char *text, char *err)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    if (end != text && *end == '\0' && errno == 0 && !is_out_of_range(row, *value))
        return true;
    snprintf(err, ARGUMENTS_ERR_BYTES, "--%s: '%s' is not a number from %g to %g", row->name, text,
             row->least, row->most);
    return false;
}

static bool read_integer(const Argument *row, ArgumentInteger *integer, const char *text, char *err)
{
    char *end;
    errno = 0;
    integer->value = strtoll(text, &end, 10);
    integer->is_given = true;
    if (end != text && *end == '\0' && errno == 0 && !is_out_of_range(row, (double)integer->value))
        return true;
    snprintf(err, ARGUMENTS_ERR_BYTES, "--%s: '%s' is not a whole number from %.16g to %.16g",
             row->name, text, row->least, row->most);
    return false;
}

static bool take(const Argument *row, void *options, const char *text, char *err)
{
    switch (row->kind) {
    case ARGUMENT_KIND_TEXT:
        *(const char **)field(row, options) = text;
        return true;
    case ARGUMENT_KIND_NUMBER:
        return read_number(row, field(row, options), text, err);
    case ARGUMENT_KIND_INTEGER:
        return read_integer(row, field(row, options), text, err);
    case ARGUMENT_KIND_FLAG:
        *(bool *)field(row, options) = true;
        return true;
    case ARGUMENT_KIND_OWN:
        break;
    }
    return row->read(options, text, err);
}

// getopt's own table, row i with the code i + 1
static void fill(const ArgumentTable *table, struct option *longs)
{
    for (size_t i = 0; i < table->count; i++)
        longs[i] = (struct option){table->rows[i].name,
                                   table->rows[i].value ? required_argument : no_argument, NULL,
                                   (int)i + 1};
    longs[table->count] = (struct option){"help", no_argument, NULL, HELP_CODE};
}

static bool take_positional(const ArgumentTable *table, void *options, int argc, char **argv,
                            char *err)
{
    int given = argc - optind;
    for (int i = optind; table->positional_read && i < argc; i++)
        if (!table->positional_read(options, argv[i], err))
            return false;
    if (!table->positional_read && given > (table->positional ? 1 : 0)) {
        snprintf(err, ARGUMENTS_ERR_BYTES, "'%s' is one argument too many", argv[argc - 1]);
        return false;
    }
    if (given == 1 && !table->positional_read)
        *(const char **)((char *)options + table->positional_offset) = argv[optind];
    if (given >= 1 || !table->is_positional_needed)
        return true;
    snprintf(err, ARGUMENTS_ERR_BYTES, "which %s? e.g. %s", table->positional, table->example);
    return false;
}

bool arguments_parse(const ArgumentTable *table, void *options, int argc, char **argv,
                     bool *wants_help, char *err)
{
    struct option longs[ROWS_MAX + 2] = {0};
    fill(table, longs);
    opterr = 0;
    optind = 1;
    *wants_help = false;
    for (int code; (code = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        if (code == HELP_CODE) {
            *wants_help = true;
            return true;
        }
        if (code == '?' || code == ':') {
            snprintf(err, ARGUMENTS_ERR_BYTES,
                     code == ':' ? "%s: needs a value" : "%s: not an option here; see --help",
                     argv[optind - 1]);
            return false;
        }
        if (!take(&table->rows[code - 1], options, optarg, err))
            return false;
    }
    return take_positional(table, options, argc, argv, err);
}

static void print_help(const ArgumentTable *table)
{
    printf("usage: retrace %s %s\n\n%s\n", table->command, table->usage, table->about);
    for (size_t i = 0; i < table->count; i++) {
        const Argument *row = &table->rows[i];
        int used =
            printf("  --%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
        printf("%*s%s\n", used < HELP_COLUMN ? HELP_COLUMN - used : 2, "", row->help);
    }
    printf("\nexample: %s\n", table->example);
}

bool arguments_read(const ArgumentTable *table, void *options, int argc, char **argv, int *status)
{
    bool wants_help;
    char err[ARGUMENTS_ERR_BYTES];
    if (!arguments_parse(table, options, argc, argv, &wants_help, err)) {
        fprintf(stderr, "retrace %s: %s\n", table->command, err);
        *status = EXIT_BAD_INPUT;
        return false;
    }
    if (wants_help)
        print_help(table);
    *status = EXIT_DONE;
    return !wants_help;
}
