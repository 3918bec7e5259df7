#pragma once
/* A table of a run folder (frames.tsv, events.tsv), read whole: columns by name, so that a newer
 * run's additional columns disturb nobody. A last row that was cut off is left out. */
#include <stdbool.h>
#include <stdint.h>

enum { TABLE_ERR_BYTES = 512, TABLE_COLUMNS_MAX = 64 };

typedef struct Table Table;

/* NULL with a sentence in err (TABLE_ERR_BYTES) that names file and line. */
Table *table_read(const char *path, char *err);
int64_t table_rows(const Table *table);
bool table_is_cut(const Table *table);

/* −1: there is none of that name. */
int table_column(const Table *table, const char *name);

/* Lent until table_destroy(). */
const char *table_text(const Table *table, int64_t row, int column);

/* False where the cell holds no whole number. */
bool table_integer(const Table *table, int64_t row, int column, int64_t *value);
void table_destroy(Table *table);
