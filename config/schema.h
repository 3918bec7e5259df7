#pragma once
/* YAML files against a libcyaml schema: strict on the way in, exact on the way out.
 *
 * libcyaml reads `16,7` as 16, `fulse` as true and `010` as 8, and names no line for an unknown
 * key; so the file is held against the schema here first, value by value, and only what passed is
 * handed on. Numbers are decimal and finite, booleans `true` or `false`, and every value is there.
 */
#include <stdbool.h>
#include <cyaml/cyaml.h>

#include "config/locate.h"

/* What the schema describes, loaded from locate's file; free with schema_free. NULL with
 * `FILE:LINE: key: what is wrong; what is allowed` in err (LOCATE_ERR_BYTES). Keys that are absent
 * and optional leave zeros: ask locate_find() which they are. */
void *schema_load(const Locate *locate, const cyaml_schema_value_t *schema, char *err);

/* Writes data as YAML, doubles with 17 digits. False with a sentence in err. */
bool schema_save(const char *path, const cyaml_schema_value_t *schema, const void *data, char *err);

void schema_free(const cyaml_schema_value_t *schema, void *data);
