#pragma once
/* The machine-readable summary of a command: `--json FILE` or `--json -`. */
#include <stdbool.h>

#include <jansson.h>

enum { JSON_ERR_BYTES = 512 };

/* Writes value, indented, to the file, or to standard output for "-". False with a sentence in err
 * (JSON_ERR_BYTES). Takes no reference. */
bool json_write(const json_t *value, const char *path, char *err);
