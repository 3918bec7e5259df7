#include "app/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Table {
    char *text;         // owned: the file, a terminator behind every cell
    const char **cells; // owned, (rows, columns), into text
    const char *names[TABLE_COLUMNS_MAX];
    int columns;
    int64_t rows;
    bool is_cut;
};

static char *read_file(const char *path, size_t *bytes, char *err)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    long length = -1;
    if (file && fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0) {
        rewind(file);
        text = malloc((size_t)length + 1);
    }
    if (text)
        *bytes = fread(text, 1, (size_t)length, file);
    if (text)
        text[*bytes] = '\0';
    else
        snprintf(err, TABLE_ERR_BYTES, "%.400s: %s", path, strerror(errno));
    if (file)
        fclose(file);
    return text;
}

/* Cells of a line, which is taken apart; at most `most` are kept, all are counted. */
static int split(char *line, const char **cells, int most)
{
    int count = 0;
    for (char *at = line; at; count++) {
        char *tab = strchr(at, '\t');
        if (tab)
            *tab++ = '\0';
        if (count < most)
            cells[count] = at;
        at = tab;
    }
    return count;
}

static int64_t count_lines(const char *text)
{
    int64_t lines = 0;
    for (const char *at = strchr(text, '\n'); at; at = strchr(at + 1, '\n'))
        lines++;
    return lines;
}

static bool complain(const char *path, int64_t line, const char *what, char *err)
{
    snprintf(err, TABLE_ERR_BYTES, "%.300s:%lld: %s", path, (long long)line, what);
    return false;
}

static bool take_apart(Table *table, const char *path, char *err)
{
    int64_t lines = count_lines(table->text);
    char *line = table->text;
    for (int64_t number = 1; number <= lines; number++) {
        char *end = strchr(line, '\n');
        if (!end) // a zero byte within
            return complain(path, number, "is not text; allowed is a table of the recorder", err);
        *end = '\0';
        if (number == 1) {
            table->columns = split(line, table->names, TABLE_COLUMNS_MAX);
            if (table->columns < 2 || table->columns > TABLE_COLUMNS_MAX)
                return complain(path, 1, "must name 2 to 64 columns, with tabs between", err);
            table->cells = calloc((size_t)lines * (size_t)table->columns, sizeof *table->cells);
            if (!table->cells)
                return complain(path, 1, "not enough memory to read it", err);
        } else {
            const char **cells = table->cells + table->rows * table->columns;
            if (split(line, cells, table->columns) != table->columns)
                return complain(path, number, "has not as many cells as there are columns", err);
            table->rows++;
        }
        line = end + 1;
    }
    table->is_cut = *line != '\0';
    return lines > 0 || complain(path, 1, "holds no table", err);
}

Table *table_read(const char *path, char *err)
{
    size_t bytes = 0;
    Table *table = calloc(1, sizeof *table);
    if (!table) {
        snprintf(err, TABLE_ERR_BYTES, "%.400s: not enough memory to read it", path);
        return NULL;
    }
    table->text = read_file(path, &bytes, err);
    if (table->text && take_apart(table, path, err))
        return table;
    table_destroy(table);
    return NULL;
}

int64_t table_rows(const Table *table)
{
    return table->rows;
}

bool table_is_cut(const Table *table)
{
    return table->is_cut;
}

int table_column(const Table *table, const char *name)
{
    for (int i = 0; i < table->columns; i++)
        if (!strcmp(table->names[i], name))
            return i;
    return -1;
}

const char *table_text(const Table *table, int64_t row, int column)
{
    return table->cells[row * table->columns + column];
}

bool table_integer(const Table *table, int64_t row, int column, int64_t *value)
{
    const char *text = table_text(table, row, column);
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

void table_destroy(Table *table)
{
    if (!table)
        return;
    free(table->text);
    free(table->cells);
    free(table);
}
