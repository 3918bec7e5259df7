#pragma once
/* Command lines from tables: a row is an option, its field in the command's own struct, and its
 * help.
 *
 * A command has one struct of options, one ArgumentTable, and calls arguments_read() first. The
 * type of every field is checked by the compiler through the ARGUMENT_… macros. All commands know
 * --help. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARGUMENTS_ERR_BYTES = 512 };

/* A whole number that may not have been given. */
typedef struct {
    bool is_given;
    int64_t value;
} ArgumentInteger;

typedef enum {
    ARGUMENT_KIND_TEXT,    // const char *, borrowed from argv
    ARGUMENT_KIND_NUMBER,  // double
    ARGUMENT_KIND_INTEGER, // ArgumentInteger
    ARGUMENT_KIND_FLAG,    // bool
    ARGUMENT_KIND_OWN,     // whatever `read` makes of it
} ArgumentKind;

typedef struct {
    const char *name;  // without the dashes
    const char *value; // how the help calls its value; NULL for a flag
    const char *help;
    ArgumentKind kind;
    size_t offset;      // of the field in the options
    double least, most; // of a number or an integer, both allowed
    bool (*read)(void *options, const char *text, char *err); // ARGUMENT_KIND_OWN
} Argument;

#define ARGUMENT_AT(S, field, Pointer)                                                             \
    (offsetof(S, field) + 0 * _Generic(&((S *)0)->field, Pointer : 1))
#define ARGUMENT_TEXT(S, field) ARGUMENT_KIND_TEXT, ARGUMENT_AT(S, field, const char **)
#define ARGUMENT_NUMBER(S, field, least, most)                                                     \
    ARGUMENT_KIND_NUMBER, ARGUMENT_AT(S, field, double *), least, most
#define ARGUMENT_INTEGER(S, field, least, most)                                                    \
    ARGUMENT_KIND_INTEGER, ARGUMENT_AT(S, field, ArgumentInteger *), least, most
#define ARGUMENT_FLAG(S, field) ARGUMENT_KIND_FLAG, ARGUMENT_AT(S, field, bool *)
#define ARGUMENT_OWN(read)      ARGUMENT_KIND_OWN, 0, 0, 0, read

typedef struct {
    const char *command; // "timing"
    const char *usage;   // "PROTOCOL [options]"
    const char *about;   // a paragraph, lines ended
    const char *example;
    const Argument *rows;
    size_t count;
    const char
        *positional; // how a message calls the one argument without a name; NULL: there is none
    size_t positional_offset; // const char * in the options
    bool (*positional_read)(void *options, const char *text, char *err); // instead: any number
    bool is_positional_needed;
} ArgumentTable;

/* Fills options over what they already hold. False with a sentence in err (ARGUMENTS_ERR_BYTES)
 * that names the option, the value and what is allowed; wants_help is set when --help stands
 * anywhere. */
bool arguments_parse(const ArgumentTable *table, void *options, int argc, char **argv,
                     bool *wants_help, char *err);

/* The same for a command: prints help or complaint. True: go on; false: return *status. */
bool arguments_read(const ArgumentTable *table, void *options, int argc, char **argv, int *status);
