#pragma once
/* The machine-readable summary of a command: `--json FILE` or `--json -`. */
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

enum { JSON_ERR_BYTES = 512 };

/* Writes value, indented, to the file, or to standard output for "-". False with a sentence in err
 * (JSON_ERR_BYTES). Takes no reference. */
bool json_write(const json_t *value, const char *path, char *err);

/* null where the value is no number, or without end. */
json_t *json_number(double value);

/* Where the words for people go: standard output, or standard error when the summary takes
 * standard output. path may be NULL. */
FILE *json_talk(const char *path);
